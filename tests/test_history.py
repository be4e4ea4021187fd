"""Two runs side by side: what was published before decides what may be published now."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import answers

from aiready import Assessment, hierarchy, history, privacy
from aiready.instrument import Settings
from aiready.measures import OK, SUPPRESSED

SIZES = {"claims": 20, "cards": 18, "letters": 16}


def people_of(sizes, wave="2026", role="frontline"):
    rows = [(f"{unit}-{place}", unit) for unit, size in sizes.items() for place in range(size)]
    return pd.DataFrame(rows, columns=["person", "unit_id"]).assign(wave=wave, role=role, whole=True)


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


def test_other_waves_do_not_matter():
    assert withheld(people_of(SIZES | {"claims": 21}, wave="2027"), released(people_of(SIZES))) == set()


def test_a_withheld_cell_is_hidden_and_cannot_be_worked_out_from_the_rest():
    scored = pd.DataFrame([(unit, "2026", "frontline", float(size)) for unit, size in SIZES.items()])
    scored.columns = ["unit_id", "wave", "role", "n"]
    kept_back = pd.DataFrame([("claims", "2026", "all"), ("claims", "2026", "doing")], columns=history.CELL)
    cells = privacy.survey_cells(scored, FLAT, Settings(), withheld=kept_back)
    hidden = set(cells.loc[cells["hidden"] & (cells["segment"] == "all"), "unit_id"])
    assert "claims" in hidden
    assert len(hidden) > 1
    free = privacy.survey_cells(scored, FLAT, Settings())
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
