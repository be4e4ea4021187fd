"""Several runs side by side: what was published before decides what may be published now."""

from dataclasses import replace
from zlib import crc32

import numpy as np
import pandas as pd
import pytest
from generated import examples
from hypothesis import given as given_data
from hypothesis import strategies as st
from scipy.linalg import null_space

from aiready.instrument.model import Settings
from aiready.model import units as hierarchy
from aiready.privacy import releases
from aiready.privacy.suppressed_cells import survey_cells

SIZES = {"claims": 20, "cards": 18, "letters": 16}
ITEMS = tuple("abcdefgh")
SCALES = {"scale:first": ITEMS[:4], "scale:second": ITEMS[4:]}
KEYS = {wave: wave.encode() * 8 for wave in ("2026", "2027")}


def people_of(sizes, wave="2026", role="frontline"):
    """Somebody in every place: who it is, a code, the answers; `skips`: scales that are not answered."""
    rows = [(f"{unit}-{place}", unit) for unit, size in sizes.items() for place in range(size)]
    people = pd.DataFrame(rows, columns=["person", "unit_id"]).assign(wave=wave, role=role, skips="", change=0)
    return people.assign(code=people["person"])


def answers_of(people):
    """Eight answers that nobody else gives; `change` counts changes of the first one."""
    numbers = people["person"].map(lambda name: crc32(name.encode())).to_numpy()
    given = np.column_stack([1 + numbers // 5**place % 5 for place in range(len(ITEMS))])
    given[:, 0] = 1 + (given[:, 0] - 1 + people["change"]) % 5
    for scale, items in SCALES.items():
        given[np.ix_((people["skips"] == scale).to_numpy(), [item in items for item in ITEMS])] = 0
    return given.astype(np.int8)


def read(people):
    """As the answers are read."""
    figures = pd.DataFrame([(scale, ";".join(items)) for scale, items in SCALES.items()])
    answers = answers_of(people)
    counts = np.column_stack([people["skips"] != scale for scale in SCALES])
    table = people[["wave", "unit_id", "role", "code"]].reset_index(drop=True)
    return releases.People(table, answers, ITEMS, counts, figures.set_axis(["figure", "items"], axis=1))


def units_of(parents, formerly=None):
    units = pd.DataFrame({"unit_id": list(parents), "parent_id": list(parents.values())}).astype(object)
    return units.assign(formerly=units["unit_id"].map(formerly or {}))


FLAT = units_of(dict.fromkeys(SIZES))


def members(units):
    return hierarchy.membership(units)


def cut(people, cells, units=FLAT, rules=None):
    """A release of these cells."""
    words = pd.DataFrame({"wave": ["2026"], "item_id": ["a"], "digest": ["0" * 12]})
    cells = pd.DataFrame(cells, columns=releases.CELL)
    waves = dict.fromkeys(people["wave"].unique(), "2026")
    draft = releases.Draft(read(people), members(units), cells, words, rules or Settings(), waves)
    return draft.seal(KEYS)


def released(people, units=FLAT, rules=None):
    """A run that hid nothing."""
    shown = [(unit, wave, segment) for unit in members(units)["unit_id"].unique() for segment in ("all", "doing")
             for wave in people["wave"].unique()]  # fmt: skip
    return cut(people, shown, units, rules)


def withheld(people, *earlier, units=FLAT, segment="all"):
    hidden = releases.compare(read(people), members(units), earlier, Settings()).differencing_risks()
    return set(hidden.loc[hidden["segment"] == segment, "unit_id"])


def test_the_same_people_may_be_published_again():
    people = people_of(SIZES)
    assert withheld(people, released(people)) == set()


def test_nothing_is_withheld_where_nothing_was_published_before():
    assert withheld(people_of(SIZES)) == set()


@pytest.mark.parametrize(("late", "hidden"), [(1, {"claims", "*"}), (4, {"claims", "*"}), (5, set())])
def test_late_answers_are_published_when_enough_of_them_came(late, hidden):
    earlier = released(people_of(SIZES))
    assert withheld(people_of(SIZES | {"claims": 20 + late}), earlier) == hidden


@pytest.mark.parametrize(("skipping", "hidden"), [(0, set()), (1, set()), (2, {"claims", "*"}), (6, set())])
def test_each_figure_is_compared_by_the_people_it_counts(skipping, hidden):
    """Six late answers: where two skip a scale, four make the difference of its figures; where all do, nobody does."""
    people = people_of(SIZES | {"claims": 26})
    people.loc[people["person"].isin([f"claims-{20 + place}" for place in range(skipping)]), "skips"] = "scale:first"
    assert withheld(people, released(people_of(SIZES))) == hidden


def test_people_who_left_give_themselves_away_as_those_who_came():
    assert withheld(people_of(SIZES | {"cards": 16}), released(people_of(SIZES))) == {"cards", "*"}


def test_a_unit_cut_anew_by_a_few_people_is_withheld_and_the_organisation_is_not():
    people = people_of(SIZES)
    moved = people.assign(unit_id=people["unit_id"].mask(people["person"].isin(["claims-0", "claims-1"]), "cards"))
    assert withheld(moved, released(people)) == {"claims", "cards"}


def test_a_new_parent_is_compared_with_every_unit_published_before():
    people = people_of(SIZES | {"post": 3})
    earlier = released(people, units_of(dict.fromkeys([*SIZES, "post"])))
    units = units_of({"desk": None, "claims": "desk", "post": "desk", "cards": None, "letters": None})
    assert "desk" in withheld(people, earlier, units=units)


def test_a_unit_that_only_changed_its_name_is_published():
    people = people_of(SIZES)
    units = units_of({"payments": None, "cards": None, "letters": None}, {"payments": "claims"})
    assert withheld(people, released(people), units=units) == set()


def test_what_was_published_once_may_come_back_though_a_near_one_was_published_since():
    people = people_of(SIZES)
    assert withheld(people, released(people), released(people_of(SIZES | {"claims": 21}))) == set()


def test_people_without_a_role_are_told_apart_too():
    people = people_of(SIZES, role=None)
    assert withheld(people_of(SIZES | {"claims": 22}, role=None), released(people)) == {"claims", "*"}


@pytest.mark.parametrize(("edited", "hidden"), [(1, {"claims", "*"}), (4, {"claims", "*"}), (5, set())])
def test_people_who_changed_an_answer_count_once_in_the_difference(edited, hidden):
    people = people_of(SIZES)
    changed = people["person"].isin([f"claims-{place}" for place in range(edited)])
    assert withheld(people.assign(change=changed.astype(int)), released(people)) == hidden


def test_who_changed_an_answer_is_the_same_in_figures_without_it():
    """Five edits of the first scale cover each other there; of the second, one late answer is all that differs."""
    before, people = people_of(SIZES), people_of(SIZES | {"claims": 21})
    people["change"] = people["person"].isin([f"claims-{place}" for place in range(5)]).astype(int)
    assert withheld(people, released(before)) == {"claims", "*"}
    assert withheld(people.assign(skips=people["skips"].mask(people["person"] == "claims-20", "scale:second")),
                    released(before)) == set()  # fmt: skip


def test_a_figure_that_was_hidden_then_gives_nobody_away_now():
    """The late one skips the first scale; the second was not shown before: there is nothing to subtract from."""
    people = people_of(SIZES | {"claims": 21})
    people["skips"] = people["skips"].mask(people["person"] == "claims-20", "scale:first")
    before = released(people_of(SIZES))
    assert withheld(people, before) == {"claims", "*"}
    first_only = np.packbits([True, False]).tobytes()
    assert withheld(people, replace(before, cells=before.cells.assign(figures=first_only))) == set()


def test_each_figure_is_compared_with_what_is_shown_of_it_today():
    """Shown of today is the first scale only: the late one's answers to the second need no hiding."""
    people = people_of(SIZES | {"claims": 21})
    compared = releases.compare(read(people), members(FLAT), [released(people_of(SIZES))], Settings())
    cells = pd.DataFrame([("claims", "2026", "all")], columns=releases.CELL)
    for shown, hidden in (((True, False), {"scale:first"}), ((False, True), {"scale:second"}), ((False, False), set())):
        assert set(compared.figures_to_hide(cells, np.array([shown]))["figure"]) == hidden


def test_other_waves_do_not_matter():
    assert (
        withheld(people_of({"claims": 21, "cards": 18}, wave="2027").assign(change=1), released(people_of(SIZES)))
        == set()
    )


@pytest.mark.parametrize("coded", [True, False])
def test_codes_made_anew_do_not_make_people_new(coded):
    people = people_of(SIZES | {"claims": 21})
    again = people.assign(code="export-2-" + people["person"] if coded else None)
    assert withheld(again, released(people_of(SIZES))) == {"claims", "*"}
    assert withheld(again[:-1].drop(20), released(people_of(SIZES).assign(code=None))) == {"letters", "*"}


def test_a_wave_under_another_label_is_compared():
    assert withheld(people_of(SIZES | {"claims": 21}, wave="2027"), released(people_of(SIZES))) == {"claims", "*"}


def test_people_with_equal_answers_are_matched_where_they_stand():
    """Two of the same answers, one in each unit: neither moved, whatever codes they have now."""
    people = people_of(SIZES)
    people.loc[people["person"] == "cards-0", "person"] = "claims-0"
    anew = people.assign(code=[f"anew-{place}" for place in range(len(people))])
    assert withheld(anew, released(people)) == set()
    assert withheld(anew.iloc[::-1], released(people)) == set()


def test_a_release_is_compared_with_the_role_groups_it_was_cut_with():
    """Technical staff were doing; now they lead: today's doing is the frontline that nobody has seen by itself."""
    people = pd.concat([people_of({"claims": 20}), people_of({"claims-t": 3}, role="technical")])
    people["unit_id"] = "claims"
    units = units_of({"claims": None})
    earlier = released(people, units)
    now = replace(Settings(), roles_doing=("frontline",), roles_leading=("technical", "manager", "executive"))
    found = releases.compare(read(people), members(units), [earlier], now).differencing_risks()
    doing = found[found["segment"].isin(["all", "doing", "leading"])]
    assert {("claims", "doing"), ("*", "doing")} == set(zip(doing["unit_id"], doing["segment"], strict=True))
    same = releases.compare(read(people), members(units), [released(people, units, now)], now).differencing_risks()
    assert same.empty


def published(people, earlier=(), units=FLAT):
    """What a run shows of a wave (unit_id, wave, segment): hidden for size, for others, and for earlier runs."""
    return decided(people, earlier, units)[0]


def decided(people, earlier=(), units=FLAT):
    """What a run shows, and what it withholds for the sake of earlier ones."""
    counted = people[["unit_id", "wave", "role"]].assign(**{scale: people["skips"] != scale for scale in SCALES})
    scored = counted.groupby(["unit_id", "wave", "role"], as_index=False)[list(SCALES)].sum()
    compared = releases.compare(read(people), members(units), earlier, Settings())
    kept_back = compared.differencing_risks()
    while True:
        cells = survey_cells(scored, units, Settings(), withheld=kept_back)
        shown = cells.loc[~cells["hidden"].astype(bool), releases.CELL]
        more = compared.derivable_cells(shown)
        if more.empty:
            return shown, kept_back
        kept_back = pd.concat([kept_back, more])


class RunOf:
    """A run: its people, the cells it shows, and the release it leaves."""

    def __init__(self, people, earlier=(), units=FLAT):
        self.people, self.units = people, units
        self.cells, kept_back = decided(people, [run.release for run in earlier], units)
        self.release = replace(cut(people, self.cells, units), withheld=kept_back)

    def keys(self, scale):
        """Whose answers to a scale: equal in two runs where the answers are."""
        digits = [items in SCALES[scale] for items in ITEMS]
        given = ["".join(map(str, row)) for row in answers_of(self.people)[:, digits]]
        return self.people["person"] + "=" + given

    def rows(self, scale, everybody, cells=None):
        """Each figure of the scale as a row: 1 for every answer it is the sum of."""
        role = self.people["role"].map({"frontline": "doing", "technical": "doing", "executive": "leading"})
        held = self.people.assign(side=role, key=self.keys(scale))[self.people["skips"] != scale]
        below = members(self.units).groupby("unit_id")["member_id"].agg(set)
        for unit, _, segment in (self.cells if cells is None else cells).itertuples(index=False):
            inside = held["unit_id"].isin(below[unit])
            of = {"all": True, "doing": held["side"] == "doing", "leading": held["side"] == "leading"}
            row = everybody.isin(held.loc[inside & of.get(segment, held["role"] == segment), "key"]).to_numpy(float)
            if cells is not None or row.sum() >= 5:
                yield row


def given(rows, wanted):
    """Whether a weighted sum of the rows is the wanted one."""
    matrix = np.array(rows)
    best, *_ = np.linalg.lstsq(matrix.T, wanted, rcond=None)
    return bool(np.allclose(matrix.T @ best, wanted, atol=1e-6))


def answers_in(runs, scale):
    return pd.concat([run.keys(scale)[run.people["skips"] != scale] for run in runs]).drop_duplicates()


def test_a_unit_that_reached_the_minimum_does_not_tell_who_joined_it_by_several_others():
    # letters before: the first total less claims (hidden now) and cards (hidden then); letters now tells the late one
    sizes = {"claims": 20, "cards": 16, "letters": 4}
    first = RunOf(people_of(sizes))
    assert set(first.cells["unit_id"]) == {"claims", "*"}
    later = people_of({"claims": 21, "cards": 16, "letters": 5})
    assert withheld(later, first.release) == {"claims", "*"}
    second = RunOf(later, [first])
    everybody = answers_in([second], "scale:first")
    late = everybody.str.startswith("letters-4=").to_numpy(float)
    carefree = published(later).query("unit_id in ['cards', 'letters']")
    seen = list(first.rows("scale:first", everybody))
    assert given([*seen, *second.rows("scale:first", everybody, carefree)], late)
    assert not given([*seen, *second.rows("scale:first", everybody)], late)
    assert set(second.cells["unit_id"]) < {"cards", "letters"}


def test_what_was_hidden_for_an_earlier_run_does_not_hide_more_the_next_time():
    """Six units in two divisions; once the run is repeated, what it hid to protect what it withheld is not withheld."""
    random = np.random.default_rng(53)
    units = units_of({"p": None, "q": None} | {f"u{at}": "p" if at < 3 else "q" for at in range(6)})
    people = people_of({f"u{at}": int(random.integers(4, 16)) for at in range(6)})
    people["role"] = random.choice(
        ["frontline", "technical", "executive", "manager"], len(people), p=[0.5, 0.2, 0.1, 0.2]
    )
    late = random.choice(len(people), int(random.integers(1, 9)), replace=False)
    first = RunOf(people.drop(index=late).reset_index(drop=True), units=units)
    second = RunOf(people, [first], units)
    third = RunOf(people.sample(frac=1, random_state=1).reset_index(drop=True), [first, second], units)
    assert len(second.cells) < len(published(people, units=units))
    assert set(map(tuple, third.cells.to_numpy())) == set(map(tuple, second.cells.to_numpy()))


def recovered(runs):
    """Groups of fewer than five whose sum follows from all runs: single answers, hidden cells, roles of units."""
    wide = [(u, "2026", s) for u in [*SIZES, "*"] for s in ("all", "doing", "leading", "frontline", "technical")]
    wide = pd.DataFrame([*wide, *((unit, "2026", "executive") for unit in SIZES)], columns=releases.CELL)
    for scale in SCALES:
        everybody = answers_in(runs, scale)
        rows = [row for run in runs for row in run.rows(scale, everybody)]
        if not rows:
            continue
        groups = [*np.eye(len(everybody)), *(row for run in runs for row in run.rows(scale, everybody, wide))]
        few = np.unique([group for group in groups if 0 < group.sum() < 5], axis=0)
        open_to = null_space(np.array(rows))  # changes of the answers that no figure shows
        yield from ((scale, group) for group in few[np.abs(few @ open_to).max(axis=1, initial=0) < 1e-7])
        length = np.linalg.norm(open_to, axis=1)
        along = open_to @ open_to.T / np.maximum(np.outer(length, length), 1e-12)
        one, other = np.nonzero(np.triu(np.abs(along) > 1 - 1e-9, 1) & (np.minimum.outer(length, length) > 1e-7))
        owner = everybody.str.split("=").str[0].to_numpy()  # one who knows her own answers, and those of nobody else
        yield from ((scale, pair) for pair in zip(owner[one], owner[other], strict=True) if pair[0] != pair[1])


def runs_by_chance(sizes, seed, turns):
    random = np.random.default_rng(seed)
    people = people_of(dict(zip(SIZES, sizes, strict=True)))
    people["role"] = random.choice(["frontline", "technical", "executive"], len(people), p=[0.6, 0.2, 0.2])
    people["skips"] = random.choice(["", *SCALES], len(people), p=[0.8, 0.1, 0.1])
    runs = []
    for turn in range(turns):
        runs.append(RunOf(people, runs))
        extra = people_of({unit: int(random.integers(0, 4)) for unit in SIZES})
        extra["role"] = random.choice(["frontline", "executive"], len(extra))
        extra[["person", "code"]] += f"-{turn}"
        people = pd.concat([people[random.random(len(people)) > 0.05], extra], ignore_index=True)
        moved = random.random(len(people)) < 0.05
        people["unit_id"] = people["unit_id"].mask(moved, random.choice(list(SIZES)))
        if random.random() < 0.5:
            people["change"] += (random.random(len(people)) < 0.05).astype(int)
        else:  # exported once more
            people["code"] = f"{turn}-" + people["person"]
    return runs


@pytest.mark.slow
@examples(20, derandomize=True)
@given_data(st.lists(st.integers(0, 12), min_size=3, max_size=3), st.integers(0, 2**32 - 1))
def test_no_answer_of_a_few_people_follows_from_three_runs(sizes, seed):
    assert list(recovered(runs_by_chance(sizes, seed, 3))) == []
