"""Two runs side by side: what was published before decides what may be published now."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from conftest import answers
from hypothesis import given as given_data
from hypothesis import settings
from hypothesis import strategies as st

from aiready import Assessment, hierarchy, history
from aiready.hidden_cells import survey_cells
from aiready.instrument import Settings
from aiready.measures import OK, SUPPRESSED

SIZES = {"claims": 20, "cards": 18, "letters": 16}


def people_of(sizes, wave="2026", role="frontline"):
    rows = [(f"{unit}-{place}", unit) for unit, size in sizes.items() for place in range(size)]
    return pd.DataFrame(rows, columns=["person", "unit_id"]).assign(answers="1", wave=wave, role=role, whole=True)


def units_of(parents, formerly=None):
    units = pd.DataFrame({"unit_id": list(parents), "parent_id": list(parents.values())}).astype(object)
    return units.assign(formerly=units["unit_id"].map(formerly or {}))


FLAT = units_of(dict.fromkeys(SIZES))


def members(units):
    return hierarchy.membership(units)


def released(people, units=FLAT):
    """A run that hid nothing."""
    membership = members(units)
    cells = [(unit, "2026", segment) for unit in membership["unit_id"].unique() for segment in ("all", "doing")]
    words = pd.DataFrame({"wave": ["2026"], "item_id": ["a"], "digest": ["0" * 12]})
    return history.Release(people, membership, pd.DataFrame(cells, columns=history.CELL), words)


def withheld(people, *earlier, units=FLAT):
    found = history.withheld(people, members(units), earlier, Settings())
    return set(found.loc[found["segment"] == "all", "unit_id"])


def test_the_same_people_may_be_published_again():
    people = people_of(SIZES)
    assert withheld(people, released(people)) == set()


def test_nothing_is_withheld_where_nothing_was_published_before():
    assert withheld(people_of(SIZES)) == set()


@pytest.mark.parametrize(("late", "hidden"), [(1, {"claims", "*"}), (4, {"claims", "*"}), (5, set())])
def test_late_answers_are_published_when_enough_of_them_came(late, hidden):
    earlier = released(people_of(SIZES))
    assert withheld(people_of(SIZES | {"claims": 20 + late}), earlier) == hidden


def test_answers_that_are_not_scored_make_a_difference_but_cover_for_nobody():
    people = people_of(SIZES | {"claims": 26})
    people.loc[people["person"].isin(["claims-21", "claims-22", "claims-23"]), "whole"] = False
    assert withheld(people, released(people_of(SIZES))) == {"claims", "*"}


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
    assert withheld(people.assign(answers=people["answers"].mask(changed, "2")), released(people)) == hidden


def test_other_waves_do_not_matter():
    assert withheld(people_of(SIZES | {"claims": 21}, wave="2027"), released(people_of(SIZES))) == set()


def published(people, earlier=()):
    """What a run shows of a wave (unit_id, wave, segment): hidden for size, for others, and for earlier runs."""
    scored = people.groupby(["unit_id", "wave", "role"]).size().rename("n").reset_index()
    kept_back = history.withheld(people, members(FLAT), earlier, Settings())
    while True:
        cells = survey_cells(scored, FLAT, Settings(), withheld=kept_back)
        shown = cells.loc[~cells["hidden"].astype(bool), history.CELL]
        more = history.given_away(people, members(FLAT), shown, earlier, Settings())
        if more.empty:
            return shown
        kept_back = pd.concat([kept_back, more])


def run_of(people, earlier=()):
    words = pd.DataFrame({"wave": [], "item_id": [], "digest": []})
    return history.Release(people, members(FLAT), published(people, earlier), words)


def rows_of(release, everybody):
    """Each figure of a run as a row: 1 for every answer it is the sum of."""
    role = release.people["role"].map({"frontline": "doing", "specialist": "doing", "executive": "leading"})
    held = release.people.assign(side=role, key=release.people["person"] + "=" + release.people["answers"])
    members_of = release.membership.groupby("unit_id")["member_id"].agg(set)
    for unit, _, segment in release.cells.itertuples(index=False):
        inside = held["unit_id"].isin(members_of[unit])
        of = {"all": True, "doing": held["side"] == "doing", "leading": held["side"] == "leading"}
        told = of.get(segment, held["role"] == segment)
        yield everybody.isin(held.loc[inside & told, "key"]).to_numpy(float)


def given(rows, wanted):
    """Whether a weighted sum of the rows is the wanted one."""
    matrix = np.array(rows)
    best, *_ = np.linalg.lstsq(matrix.T, wanted, rcond=None)
    return bool(np.allclose(matrix.T @ best, wanted, atol=1e-6))


def test_a_unit_that_reached_the_minimum_does_not_tell_who_joined_it_by_several_others():
    # letters before: the first total less claims (hidden now) and cards (hidden then); letters now tells the late one
    sizes = {"claims": 20, "cards": 16, "letters": 4}
    first = run_of(people_of(sizes))
    assert set(first.cells["unit_id"]) == {"claims", "*"}
    later = people_of({"claims": 21, "cards": 16, "letters": 5})
    assert withheld(later, first) == {"claims", "*"}
    second = run_of(later, [first])
    everybody = (later["person"] + "=" + later["answers"]).drop_duplicates()
    late = (everybody == "letters-4=1").to_numpy(float)
    carefree = published(later).query("unit_id in ['cards', 'letters']")
    assert given([*rows_of(first, everybody), *rows_of(replace(second, cells=carefree), everybody)], late)
    assert not given([*rows_of(first, everybody), *rows_of(second, everybody)], late)
    assert set(second.cells["unit_id"]) < {"cards", "letters"}


@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True)
@given_data(st.lists(st.integers(0, 12), min_size=3, max_size=3), st.integers(0, 2**32 - 1))
def test_no_answer_of_a_few_people_follows_from_three_runs(sizes, seed):
    random = np.random.default_rng(seed)
    people = people_of(dict(zip(SIZES, sizes, strict=True)))
    people["role"] = random.choice(["frontline", "specialist", "executive"], len(people), p=[0.6, 0.2, 0.2])
    runs = []
    for turn in range(3):
        runs.append(run_of(people, runs))
        extra = people_of({unit: int(random.integers(0, 4)) for unit in SIZES})
        extra["person"] += f"-{turn}"
        people = pd.concat([people[random.random(len(people)) > 0.05], extra], ignore_index=True)
        moved = random.random(len(people)) < 0.05
        people["unit_id"] = people["unit_id"].mask(moved, random.choice(list(SIZES)))
    every = pd.concat([run.people["person"] + "=" + run.people["answers"] for run in runs]).drop_duplicates()
    rows = [row for run in runs for row in rows_of(run, every)]
    for one in np.eye(len(every)) if rows else ():
        assert not given(rows, one)
    for run, other in combinations(runs, 2):  # a hidden cell of few, in either run
        for side in (run, other):
            whole = history.Release(side.people, side.membership, side.cells.iloc[:0], side.wordings)
            cells = pd.DataFrame([(u, "2026", s) for u in [*SIZES, "*"] for s in ("all", "doing", "leading")])
            for row in rows_of(replace(whole, cells=cells.set_axis(history.CELL, axis=1)), every):
                if 0 < row.sum() < 5:
                    assert not given(rows, row)


def test_a_withheld_cell_is_hidden_and_cannot_be_worked_out_from_the_rest():
    scored = pd.DataFrame([(unit, "2026", "frontline", float(size)) for unit, size in SIZES.items()])
    scored.columns = ["unit_id", "wave", "role", "n"]
    kept_back = pd.DataFrame([("claims", "2026", "all"), ("claims", "2026", "doing")], columns=history.CELL)
    cells = survey_cells(scored, FLAT, Settings(), withheld=kept_back)
    hidden = set(cells.loc[cells["hidden"] & (cells["segment"] == "all"), "unit_id"])
    assert "claims" in hidden
    assert len(hidden) > 1
    free = survey_cells(scored, FLAT, Settings())
    assert not free.loc[free["segment"] == "all", "hidden"].any()


def test_releases_are_kept_once_and_read_back(tmp_path):
    release = released(people_of(SIZES))
    history.keep(tmp_path / "history", release, "2026-09-30")
    shuffled = replace(release, people=release.people.sample(frac=1, random_state=1))
    history.keep(tmp_path / "history", shuffled, "2026-10-31")
    (found,) = history.read(tmp_path / "history")
    assert found.digest == release.digest
    assert [path.name for path in (tmp_path / "history").iterdir()] == [f"2026-09-30-{release.digest}"]


def test_what_a_killed_run_left_half_written_is_not_read(tmp_path):
    (tmp_path / ".half").mkdir()
    assert history.read(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("coded", [True, False])
def test_a_second_run_with_one_late_answer_publishes_no_figure_that_gives_it_away(tmp_path, coded):
    rows = answers(30, role="frontline")
    rows["unit_id"] = np.where(rows.index < 15, "claims", "cards")
    if coded:
        rows.insert(0, "respondent_id", [f"r-{place}" for place in rows.index])
    rows.iloc[:-1].to_csv(tmp_path / "responses.csv", index=False)
    first = Assessment.open(tmp_path)
    history.keep(tmp_path / "history", first.release, first.facts.as_of)
    assert first.cell("perception", barrier_id="measurement").status == OK

    rows.to_csv(tmp_path / "responses.csv", index=False)
    second = Assessment.open(tmp_path, published=tmp_path / "history")
    statuses = {unit: second.cell("perception", barrier_id="measurement", unit_id=unit).status
                for unit in ("claims", "cards", "*")}  # fmt: skip
    assert statuses == {"claims": OK, "cards": SUPPRESSED, "*": SUPPRESSED}
    assert Assessment.open(tmp_path).cell("perception", barrier_id="measurement").status == OK


@pytest.mark.slow
def test_a_second_run_with_one_answer_corrected_publishes_no_figure_that_gives_it_away(tmp_path):
    rows = answers(30, role="frontline")
    rows["unit_id"] = np.where(rows.index < 15, "claims", "cards")
    rows.insert(0, "respondent_id", [f"r-{place}" for place in rows.index])
    rows.to_csv(tmp_path / "responses.csv", index=False)
    first = Assessment.open(tmp_path)
    history.keep(tmp_path / "history", first.release, first.facts.as_of)

    item = rows.columns[-1]
    rows.loc[rows.index[-1], item] = 1 + rows.loc[rows.index[-1], item] % 5
    rows.to_csv(tmp_path / "responses.csv", index=False)
    second = Assessment.open(tmp_path, published=tmp_path / "history")
    statuses = {unit: second.cell("perception", barrier_id="measurement", unit_id=unit).status
                for unit in ("claims", "cards", "*")}  # fmt: skip
    assert statuses == {"claims": OK, "cards": SUPPRESSED, "*": SUPPRESSED}


@pytest.mark.slow
def test_an_id_that_became_part_of_another_unit_stands_behind_its_figures(tmp_path):
    rows = answers(30, role="frontline", wave="2026-Q1")
    rows["unit_id"] = np.where(rows.index < 15, "north", "south")
    rows.to_csv(tmp_path / "responses.csv", index=False)
    (tmp_path / "units.csv").write_text("unit_id,name,parent_id,formerly\nclaims,Claims,,north;south\n")
    found = Assessment.open(tmp_path).cell("perception", barrier_id="measurement", unit_id="claims")
    assert (found.status, found.n) == (OK, 30)


def test_an_id_that_two_units_claim_to_come_from_is_refused():
    units = units_of({"a": None, "b": None}, {"a": "x", "b": "x;y"})
    (problem,) = hierarchy.contradictions(units)
    assert '"x" is named by a and b' in problem
