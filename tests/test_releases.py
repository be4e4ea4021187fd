"""What runs leave for the next, end to end: nobody is read back from it, and nobody follows from several of them."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import answers
from scipy.linalg import null_space

from aiready import Assessment
from aiready.errors import InfrastructureError
from aiready.model.registry import OK, SUPPRESSED
from aiready.privacy import releases

INSTRUMENT = Path(__file__).parents[1] / "data" / "instrument"
UNITS = ("claims", "cards", "*")


class Office:
    """A data folder that is published again and again, and an outsider who keeps every figure.

    What the first run of some answers published is in `firsts`, for all offices that have it.
    """

    def __init__(self, folder, firsts=None):
        self.folder, self.history = folder, folder / "out" / "records" / "history"
        self.figures, self.firsts = [], {} if firsts is None else firsts

    def publish(self, rows, **settings):
        """Publish; gives the assessment. The truth about every answer stays with the outsider's judge."""
        rows.drop(columns="who").to_csv(self.folder / "responses.csv", index=False)
        if settings:
            instrument = shutil.copytree(INSTRUMENT, self.folder / "instrument", dirs_exist_ok=True)
            table = pd.read_csv(instrument / "settings.csv", dtype=str).set_index("setting")
            for name, value in settings.items():
                table.loc[name, "value"] = value
            table.to_csv(instrument / "settings.csv")
        seen = self._first(rows) if not self.figures and not settings else self._next()
        self.figures.append((rows, seen, settings))
        return seen

    def _next(self):
        seen = Assessment.open(self.folder, published=self.history)
        releases.save(self.history, seen.release, seen.facts.as_of)
        return seen

    def _first(self, rows):
        content = rows.to_csv()
        if content not in self.firsts:
            self.firsts[content] = (self._next(), self.folder.with_name(f"{self.folder.name}-first"))
            shutil.copytree(self.history, self.firsts[content][1])
        else:
            shutil.copytree(self.firsts[content][1], self.history)
        return self.firsts[content][0]

    def recovered(self, wave="undated"):
        """Groups of fewer than five, by role, whose mean on a scale follows from all that was published."""
        every = sorted({who for rows, *_ in self.figures for who in rows["who"]})
        place = {who: at for at, who in enumerate(every)}
        rows = []
        for people, seen, settings in self.figures:
            leading = settings.get("roles_leading", "manager;executive").split(";")
            table = seen.measures.query("measure == 'perception' and barrier_id == 'measurement' and status == 'ok'")
            for unit, segment in zip(table["unit_id"], table["segment"], strict=True):
                inside = people["unit_id"].isin([unit]) | (unit == "*")
                side = people["role"].isin(leading)
                of = {"all": True, "leading": side, "doing": ~side}
                row = np.zeros(len(every))
                row[[place[who] for who in people.loc[inside & of.get(segment, people["role"] == segment), "who"]]] = 1
                rows.append(row)
        open_to = null_space(np.array(rows))
        newest = self.figures[-1][0].set_index("who")
        groups = [(who,) for who in every]
        late = set(every) - set(self.figures[0][0]["who"])
        groups += [tuple(late & set(part.index)) for _, part in newest.groupby("role")]
        groups += [tuple(part.index) for _, part in newest.groupby(["unit_id", "role"])]
        small = [group for group in groups if 0 < len(group) < 5]
        sums = [np.isin(every, group).astype(float) @ open_to for group in small]
        return [group for group, change in zip(small, sums, strict=True) if np.abs(change).max(initial=0) < 1e-9]


def staff(number=30, **columns):
    """Half in claims, half in cards, everybody with answers and a code of their own."""
    rows = answers(number, role="frontline")
    items = [column for column in rows if column not in ("unit_id", "role")]
    rows[items] = np.random.default_rng(5).integers(1, 6, (number, len(items)))
    rows["unit_id"] = np.where(rows.index < 15, "claims", "cards")
    rows.insert(0, "respondent_id", [f"r-{place}" for place in rows.index])
    return rows.assign(who=rows["respondent_id"], **columns)


@pytest.fixture(scope="module")
def firsts():
    return {}


@pytest.fixture
def office(tmp_path, firsts):
    folder = tmp_path / "office"
    folder.mkdir()
    return Office(folder, firsts)


def statuses(seen, measure="perception"):
    return [seen.cell(measure, barrier_id="measurement", unit_id=unit).status for unit in UNITS]


ONE_LATE = [OK, SUPPRESSED, SUPPRESSED]


@pytest.mark.slow
class TestLateAnswers:
    def test_the_same_answers_are_published_as_before(self, office):
        first = office.publish(staff())
        again = office.publish(staff().sample(frac=1, random_state=3))
        columns = ["unit_id", "wave", "measure", "barrier_id", "segment"]
        pd.testing.assert_frame_equal(
            *(seen.measures.sort_values(columns, ignore_index=True) for seen in (first, again)), check_dtype=False
        )
        assert len([path for path in office.history.iterdir() if path.name != "keys"]) == 1

    def test_what_was_withheld_is_withheld_again_and_nothing_else(self, office):
        rows = staff(60, role=["frontline", "technical", "manager"] * 20)
        rows["unit_id"] = [f"unit-{at % 4}" for at in rows.index]
        office.publish(rows[:-1])
        second, third = office.publish(rows), office.publish(rows.sample(frac=1, random_state=3))
        for table in ("measures", "items", "explain", "themes"):
            one, other = (getattr(seen, table) for seen in (second, third))
            columns = list(one.select_dtypes("object").columns)
            pd.testing.assert_frame_equal(
                *(each.sort_values(columns, ignore_index=True) for each in (one, other)), check_dtype=False
            )

    @pytest.mark.parametrize(("late", "status"), [(7, SUPPRESSED), (10, OK)])
    def test_distributions_are_compared_by_their_own_minimum(self, office, late, status):
        rows = staff(30 + late)
        office.publish(rows[:30])
        seen = office.publish(rows)
        assert statuses(seen) == [OK, OK, OK]
        levels = seen.items.query("segment == 'all' and level == '1'").pivot(
            index="item_id", columns="unit_id", values="status"
        )
        levels = levels[levels["claims"] == OK]  # those that the frontline is asked
        assert (len(levels) > 10, set(levels["cards"]), set(levels["*"])) == (True, {status}, {status})

    @pytest.mark.parametrize("coded", [True, False])
    def test_one_late_answer_is_in_no_figure(self, office, coded):
        rows = staff() if coded else staff().drop(columns="respondent_id")
        office.publish(rows[:-1])
        assert statuses(office.publish(rows)) == ONE_LATE
        assert office.recovered() == []

    def test_one_corrected_answer_is_in_no_figure(self, office):
        rows = staff()
        office.publish(rows)
        item = rows.columns[-2]
        rows.loc[29, item] = 1 + rows.loc[29, item] % 5
        assert statuses(office.publish(rows)) == ONE_LATE

    def test_codes_made_anew_hide_no_late_answer(self, office):
        office.publish(staff()[:-1])
        assert statuses(office.publish(staff().assign(respondent_id=[f"R_{at:03}" for at in range(30)]))) == ONE_LATE
        assert office.recovered() == []

    def test_another_wave_label_hides_no_late_answer(self, office):
        office.publish(staff(wave="2026-Q3")[:-1])
        assert statuses(office.publish(staff(wave="2026-09"))) == ONE_LATE
        assert office.recovered() == []

    def test_a_new_wave_of_the_same_people_is_published(self, office):
        first = staff(wave="2026-Q2")
        office.publish(first)
        later = staff(31, wave="2026-Q3")
        items = later.columns[5:-1]
        later[items] = np.random.default_rng(8).integers(1, 6, (31, len(items)))
        assert statuses(office.publish(pd.concat([first, later]))) == [OK, OK, OK]

    def test_the_order_of_rows_changes_nothing(self, office, tmp_path):
        other = Office(tmp_path / "other")
        other.folder.mkdir()
        rows = staff(role=["frontline", "technical", "manager"] * 10)
        for one, table in ((office, rows), (other, rows[::-1])):
            one.publish(table[table["who"] != "r-29"])
            one.publish(table)
        columns = ["unit_id", "wave", "measure", "barrier_id", "segment"]
        ours, theirs = (one.figures[-1][1].measures[[*columns, "status"]] for one in (office, other))
        pd.testing.assert_frame_equal(
            ours.sort_values(columns, ignore_index=True), theirs.sort_values(columns, ignore_index=True)
        )

    def test_the_only_late_manager_is_in_no_figure_though_five_came(self, office):
        rows = staff(35)
        rows["role"] = ["manager" if at in (*range(5), *range(15, 21), 34) else "frontline" for at in rows.index]
        office.publish(rows[:-5])
        seen = office.publish(rows)
        assert office.recovered() == []
        assert seen.cell("perception", barrier_id="measurement", unit_id="claims").status == OK

    def test_who_skipped_a_scale_covers_for_nobody_on_it(self, office):
        """Five late answers, four of them without the scale: its difference is the fifth's."""
        rows = staff(35)
        office.publish(rows[:-5])
        scale = Assessment.open(office.folder).rules.items.query("barrier_id == 'measurement'")["item_id"]
        rows.loc[rows.index[-4:], list(scale)] = np.nan
        assert statuses(office.publish(rows)) == ONE_LATE

    def test_role_groups_that_changed_between_runs_tell_of_nobody(self, office):
        rows = staff(40)
        rows["unit_id"] = "claims"
        rows["role"] = ["technical"] * 3 + ["frontline"] * 27 + ["manager"] * 10
        office.publish(rows)
        office.publish(rows, roles_doing="frontline", roles_leading="technical;manager;executive")
        assert office.recovered() == []

    def test_a_lower_minimum_gives_away_nobody_it_still_hides(self, office):
        rows = staff()
        office.publish(rows[:-2])
        assert statuses(office.publish(rows, minimum_group="3")) == ONE_LATE


@pytest.mark.slow
class TestWhatIsWritten:
    def test_no_digest_can_be_made_without_the_key(self, office):
        rows = staff()
        office.publish(rows)
        written = b"".join(path.read_bytes() for path in office.history.rglob("*.parquet"))
        (people,) = (pd.read_parquet(path) for path in office.history.rglob("people.parquet"))
        texts = set(people[["person", "answers"]].to_numpy().ravel())
        for code in rows["respondent_id"]:
            guesses = {str(pd.util.hash_array(np.array([code], dtype=object))[0])}
            guesses |= {hashlib.new(name, code.encode()).hexdigest() for name in ("md5", "sha1", "sha256")}
            assert not any(text.startswith(tuple(guesses)) or guess.startswith(text) for text in texts
                           for guess in guesses if len(text) >= 8)  # fmt: skip
            assert code.encode() not in written

    def test_two_histories_of_the_same_answers_share_no_digest(self, tmp_path):
        people = []
        for name in ("one", "other"):
            (tmp_path / name).mkdir()
            office = Office(tmp_path / name)
            office.publish(staff())
            people += [pd.read_parquet(path) for path in office.history.rglob("people.parquet")]
        for column in ("person", "answers"):
            assert not set(people[0][column]) & set(people[1][column])

    def test_a_key_is_its_owners_alone_and_never_replaced(self, office):
        office.publish(staff())
        (key,) = (office.history / "keys").iterdir()
        before = key.read_bytes()
        office.publish(staff().assign(respondent_id="x"))
        assert (key.stat().st_mode & 0o777, key.read_bytes()) == (0o600, before)

    def test_a_wave_without_its_key_is_shown_no_more(self, office):
        rows = pd.concat([staff(wave="2026-Q2"), staff(wave="2026-Q3").assign(role="manager")])
        items = [column for column in rows if column not in ("respondent_id", "unit_id", "role", "wave", "who")]
        rows.loc[rows["wave"] == "2026-Q3", items] = 1 + rows.loc[rows["wave"] == "2026-Q3", items] % 5
        office.publish(rows)
        (key,) = (office.history / "keys").glob("2026-q2*")
        key.unlink()
        seen = office.publish(rows)
        perceived = seen.measures.query("measure == 'perception' and barrier_id == 'measurement' and segment == 'all'")
        assert perceived.groupby("wave")["status"].agg(set).to_dict() == {"2026-Q2": {SUPPRESSED}, "2026-Q3": {OK}}
        assert any("2026-Q2" in note and "records/history/keys" in note for note in seen.facts.notes)

    @pytest.mark.parametrize("name", ["people.parquet", "cells.parquet", "settings.parquet"])
    def test_a_broken_history_names_its_file_and_how_to_mend_it(self, office, run, name):
        office.publish(staff())
        (path,) = office.history.rglob(name)
        path.write_bytes(b"half")
        ended = run("score", office.folder, "--out", office.folder / "out", "--quiet")
        assert ended.code == 3
        assert str(path) in ended.err
        assert "move the folder" in ended.err
        assert "Internal error" not in ended.err
        path.unlink()
        assert str(path) in run("score", office.folder, "--out", office.folder / "out", "--quiet").err

    def test_a_key_that_is_none_is_named(self, office):
        office.publish(staff())
        (key,) = (office.history / "keys").iterdir()
        key.write_text("rubbish")
        with pytest.raises(InfrastructureError, match="no key of a history"):
            releases.read(office.history)

    def test_what_another_run_published_meanwhile_is_not_passed_over(self, office):
        rows = staff()
        rows[:-1].drop(columns="who").to_csv(office.folder / "responses.csv", index=False)
        slow = Assessment.open(office.folder, published=office.history)
        office.publish(rows)
        with pytest.raises(InfrastructureError, match="another run has published"):
            releases.save(office.history, slow.release, slow.facts.as_of)

    def test_score_is_compared_and_kept_like_a_report(self, office, run):
        rows = staff().drop(columns="who")
        out = office.folder / "out"
        for table in (rows[:-1], rows):
            table.to_csv(office.folder / "responses.csv", index=False)
            assert run("score", office.folder, "--out", out, "--quiet").code == 0
        measures = pd.read_csv(out / "records" / "results" / "measures.csv")
        cells = measures.query("measure == 'perception' and barrier_id == 'measurement' and segment == 'all'")
        assert cells.set_index("unit_id")["status"].to_dict() == dict(zip(UNITS, ONE_LATE, strict=True))


@pytest.mark.slow
class TestTheFirstFormat:
    """Releases of versions that made digests without a key."""

    @pytest.fixture
    def old(self, office):
        rows = staff()[:-1]
        office.publish(rows)
        (path,) = (path for path in office.history.iterdir() if path.name != "keys")
        coded = pd.util.hash_array(office.figures[-1][1].release.people.table["code"].astype(object).to_numpy())
        people = pd.DataFrame({
            "person": [f"{code}-0" for code in coded], "answers": None, "wave": "undated",
            "unit_id": rows["unit_id"], "role": rows["role"], "whole": True,
        })  # fmt: skip
        people.to_parquet(path / "people.parquet")
        pd.read_parquet(path / "cells.parquet").drop(columns="figures").to_parquet(path / "cells.parquet")
        for name in ("figures", "settings", "withheld"):
            (path / f"{name}.parquet").unlink()
        (office.history / "keys" / "undated").unlink()
        return office, path

    def test_they_are_compared_as_before(self, old):
        office, _ = old
        assert statuses(office.publish(staff())) == ONE_LATE

    def test_they_are_put_under_keys_and_compared_still(self, old):
        office, path = old
        before = set(pd.read_parquet(path / "people.parquet")["person"])
        office.publish(staff())
        sealed = pd.read_parquet(path / "people.parquet")
        assert not before & set(sealed["person"])
        assert statuses(office.publish(staff())) == ONE_LATE
        (office.history / "keys" / "undated").unlink()
        assert statuses(office.publish(staff())) == [SUPPRESSED] * 3


def test_releases_are_kept_once_and_read_back(tmp_path):
    rows = staff()
    rows.drop(columns="who").to_csv(tmp_path / "responses.csv", index=False)
    draft = Assessment.open(tmp_path).release
    releases.save(tmp_path / "history", draft, "2026-09-30")
    releases.save(tmp_path / "history", replace(draft), "2026-10-31")
    (release,) = releases.read(tmp_path / "history")
    names = [path.name for path in (tmp_path / "history").iterdir() if path.name != "keys"]
    assert names == [f"2026-09-30-{release.digest}"]


def test_what_a_killed_run_left_half_written_is_not_read(tmp_path):
    (tmp_path / ".half").mkdir()
    assert releases.read(tmp_path) == []


@pytest.mark.slow
def test_an_id_that_became_part_of_another_unit_stands_behind_its_figures(tmp_path):
    rows = answers(30, role="frontline", wave="2026-Q1")
    rows["unit_id"] = np.where(rows.index < 15, "north", "south")
    rows.to_csv(tmp_path / "responses.csv", index=False)
    (tmp_path / "units.csv").write_text("unit_id,name,parent_id,formerly\nclaims,Claims,,north;south\n")
    cell = Assessment.open(tmp_path).cell("perception", barrier_id="measurement", unit_id="claims")
    assert (cell.status, cell.n) == (OK, 30)


def test_an_id_that_two_units_claim_to_come_from_is_refused():
    from aiready.model import units as hierarchy

    units = pd.DataFrame({"unit_id": ["a", "b"], "parent_id": [None, None], "formerly": ["x", "x;y"]}).astype(object)
    (problem,) = hierarchy.hierarchy_problems(units)
    assert '"x" is named by a and b' in problem


def test_the_files_of_a_history_are_their_owners_alone(tmp_path):
    staff().drop(columns="who").to_csv(tmp_path / "responses.csv", index=False)
    releases.save(tmp_path / "history", Assessment.open(tmp_path).release, "")
    assert (tmp_path / "history").stat().st_mode & 0o077 == 0
