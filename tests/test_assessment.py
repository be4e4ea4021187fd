import numpy as np
import pandas as pd
import pytest
from conftest import SAMPLE

from aiready import Assessment
from aiready.errors import UsageError
from aiready.model.registry import COLUMNS, KEY, MEASURES, NUMBERS, ORGANISATION
from aiready.profile.assessment import Cell

STATUSES = {"ok", "suppressed", "insufficient", "not_measured"}


def test_a_cell_without_a_row_is_not_measured_and_has_no_number():
    assert not Cell().ok
    assert np.isnan(Cell().value)
    assert Cell(1.0, status="ok").ok


class TestTables:
    def test_measures_are_tidy_named_and_only_ok_rows_carry_numbers(self, sample):
        rows = sample.measures
        assert list(rows.columns) == list(COLUMNS)
        assert not rows.duplicated(list(KEY)).any()
        assert set(rows["measure"]) <= set(MEASURES)
        assert set(rows["status"]) <= STATUSES
        assert rows.loc[rows["status"] != "ok", list(NUMBERS)].isna().all(axis=None)
        blurred = rows["note"].isin(["<= 5 %", ">= 95 %"])
        assert rows.loc[(rows["status"] == "ok") & ~blurred, "value"].notna().all()
        assert (rows["unit"] == rows["measure"].map({name: measure.unit for name, measure in MEASURES.items()})).all()
        assert not {"people"} & set(rows.columns)

    def test_every_reporting_unit_has_a_row_of_every_measure(self, sample):
        wanted = pd.MultiIndex.from_product([[*sample.units["unit_id"], ORGANISATION], list(MEASURES)])
        there = pd.MultiIndex.from_frame(sample.measures[["unit_id", "measure"]].drop_duplicates())
        of_the_whole_only = {"mcdonald_omega", "cronbach_alpha", "icc1", "icc2"}
        absent = {(unit, name) for unit, name in wanted.difference(there) if name not in of_the_whole_only}
        assert absent == set()

    def test_the_profile_has_one_row_per_unit_wave_and_barrier(self, sample):
        rows = sample.barriers
        assert not rows.duplicated(["unit_id", "wave", "barrier_id"]).any()
        assert len(rows) == (len(sample.units) + 1) * len(sample.facts.waves) * len(sample.rules.barriers)
        both = rows["basis"] == "both"
        assert (rows["score"].notna() == both).all()
        assert np.allclose(rows.loc[both, "score"], (rows["perception"] + rows["practice"])[both] / 2)

    def test_every_row_read_is_used_quarantined_or_after_the_date(self, sample):
        counts = sample.counts
        assert (counts["read"] == counts["used"] + counts["quarantined"] + counts["after_as_of"]).all()
        assert counts["quarantined"].sum() > 0

    def test_the_whole_counts_every_person_once(self, sample):
        cells = sample.measures[(sample.measures["measure"] == "perception") & (sample.measures["segment"] == "all")]
        shown = cells[(cells["wave"] == sample.facts.wave) & (cells["barrier_id"] == "context_fit")].set_index(
            "unit_id"
        )["n"]
        tops = sample.units.loc[sample.units["parent_id"].isna(), "unit_id"]
        assert shown[ORGANISATION] == shown[tops].sum()


class TestNarrowing:
    def test_to_one_unit_leaves_nothing_of_any_other_but_the_total(self, sample):
        unit = sample.unit("treasury")
        for name, table in unit.tables.items():
            if "unit_id" in table and name != "initiatives":
                assert set(table["unit_id"].dropna()) <= {"treasury", ORGANISATION}, name
        assert unit.name == "Treasury"

    def test_of_a_borrowed_initiative_only_its_name_stays(self, sample):
        unit = sample.unit("motor-claims")
        borrowed = unit.initiatives[unit.initiatives["unit_id"] != "motor-claims"]
        assert len(borrowed)
        assert borrowed.drop(columns=["initiative_id", "name"]).isna().all(axis=None)

    def test_a_parent_holds_its_members_records(self, sample):
        unit = sample.unit("customer-operations")
        assert set(unit.tasks["unit_id"]) >= {"motor-claims", "contact-centre"}
        assert "treasury" not in set(unit.tasks["unit_id"])

    def test_a_parent_holds_its_childrens_profiles_only_when_asked(self, sample):
        within = set(sample.units.loc[sample.units["parent_id"] == "customer-operations", "unit_id"])
        alone, together = sample.unit("customer-operations"), sample.unit("customer-operations", children=True)
        assert set(alone.barriers["unit_id"]) == {"customer-operations", ORGANISATION}
        assert set(together.barriers["unit_id"]) == {"customer-operations", ORGANISATION, *within}
        assert set(together.measures["unit_id"]) == {"customer-operations", ORGANISATION}

    def test_to_the_unit_it_is_narrowed_to_changes_nothing(self, sample):
        unit = sample.unit("customer-operations", children=True)
        assert unit.unit("customer-operations") is unit

    def test_an_unknown_unit_or_wave_is_answered_with_the_nearest(self, sample):
        with pytest.raises(UsageError, match='Did you mean "treasury"'):
            sample.unit("tresury")
        with pytest.raises(UsageError, match="2026-Q3"):
            sample.at("2026-Q9")

    def test_the_whole_is_a_unit_too(self, sample):
        whole = sample.unit(ORGANISATION)
        assert whole.name == sample.facts.about["organisation"]
        assert not whole.measures.duplicated(list(KEY)).any()


class TestCells:
    def test_are_of_the_unit_and_the_wave_shown(self, sample):
        unit = sample.unit("motor-claims")
        rows = sample.measures.set_index(["unit_id", "wave", "measure", "barrier_id", "segment"])
        for wave in ("2026-Q3", "2026-Q1"):
            cell = unit.at(wave).cell("perception", "doing", barrier_id="measurement")
            assert cell.value == rows.loc[("motor-claims", wave, "perception", "measurement", "doing"), "value"]
            assert cell.low < cell.value < cell.high
            assert cell.unit == "score"
        assert unit.cell("adoption", unit_id=ORGANISATION).value == sample.cell("adoption").value

    def test_of_a_hidden_unit_say_so_without_a_number(self, sample):
        cell = sample.unit("treasury").cell("perception", barrier_id="measurement")
        assert cell.status == "suppressed"
        assert not cell.ok
        assert np.isnan([cell.value, cell.low, cell.high, cell.n]).all()

    def test_rows_are_of_the_unit_and_the_wave_shown(self, sample):
        rows = sample.unit("finance").at("2026-Q2").rows("barriers")
        assert set(rows["unit_id"]) == {"finance"}
        assert set(rows["wave"]) == {"2026-Q2"}
        assert len(rows) == len(sample.rules.barriers)


def test_what_is_saved_is_read_back(sample, tmp_path):
    sample.save(tmp_path / "results")
    read = Assessment.open(SAMPLE, results=tmp_path / "results", wave="2026-Q2")
    assert read.facts.wave == "2026-Q2"
    assert read.facts.about == sample.facts.about
    for name, table in sample.tables.items():
        pd.testing.assert_frame_equal(read.tables[name], table.reset_index(drop=True), check_dtype=False, obj=name)


def test_a_folder_without_results_says_what_to_do(tmp_path):
    with pytest.raises(UsageError, match=r"no results here.*aiready score"):
        Assessment.open(SAMPLE, results=tmp_path)


def test_one_unit_and_25_answers_are_assessed_without_units_roles_or_wave(small):
    assert small.units["unit_id"].tolist() == ["claims"]
    assert small.facts.waves == ("undated",)
    unit = small.unit("claims")
    assert unit.cell("perception", barrier_id="context_fit").n == 25
    assert set(unit.rows("barriers")["basis"]) == {"perception"}
    absent = unit.measures[unit.measures["status"] == "not_measured"]
    assert {"decisions", "tasks", "initiatives"} <= set(absent["table"])
    assert absent["note"].str.startswith("collect `").all()
