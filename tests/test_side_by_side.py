"""Several units beside each other: whose profiles, in which order, and nothing where none were asked for."""

import pytest

from aiready.charts import theme
from aiready.charts.figures import Figure
from aiready.pages import unit_comparison

PARENT = "customer-operations"


@pytest.fixture(scope="module")
def within(sample):
    return sample.units.loc[sample.units["parent_id"] == PARENT].sort_values("name")


def test_a_parent_without_its_children_and_a_unit_without_any_have_no_section(sample):
    assert unit_comparison.children(sample.unit(PARENT)) == []
    assert unit_comparison.children(sample.unit("motor-claims", children=True)) == []


def test_children_stand_in_the_order_of_their_names_with_both_voices(sample, within):
    section = unit_comparison.children(sample.unit(PARENT, children=True))
    (shown,) = (part for part in section if isinstance(part, Figure))
    assert list(shown.table["Unit"]) == list(within["name"])
    rows = sample.barriers.query("wave == @sample.facts.wave and barrier_id == 'measurement'").set_index("unit_id")
    column = sample.rules.barriers.set_index("barrier_id").at["measurement", "name"]
    cells = [f"{theme.score(rows.at[unit_id, 'perception'])} / {theme.score(rows.at[unit_id, 'practice'])}"
             for unit_id in within["unit_id"]]  # fmt: skip
    assert list(shown.table[column]) == cells


def test_the_organisation_shows_every_unit_once(sample):
    rows = unit_comparison.unit_profile(sample)
    assert set(rows["unit_id"]) == set(sample.units["unit_id"])
    assert not rows.duplicated(["unit_id", "barrier_id"]).any()
