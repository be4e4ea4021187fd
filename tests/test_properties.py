"""What holds of every measure of the records whatever they say: ranges, any order of rows, every column with holes."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from generated import examples
from hypothesis import Phase, given
from hypothesis import strategies as st
from test_set_aside import RULES, whole  # noqa: F401  a fixture

from aiready.inputs.dataset import read_data
from aiready.measures import feedback, initiatives, tasks, trials, workflows
from aiready.model.registry import KEY, NUMBERS, stack_measures

pytestmark = pytest.mark.slow
MAY_PASS = ("realised_rate", "rework_oversight_rate", "adoption", "trained_share", "target_progress")
"""Shares that may leave 0 to 1, and say so: more was saved, lost or used than was meant."""


def measured(tables, folder):
    for name, rows in tables.items():
        rows.to_csv(folder / f"{name}.csv", index=False)
    data = read_data(folder, RULES, as_of=date(2026, 9, 30))
    return stack_measures([noun.measure(data, RULES) for noun in (initiatives, trials, tasks, workflows, feedback)])


def in_order(made):
    return made.sort_values(list(KEY), ignore_index=True)


@pytest.fixture(scope="module")
def straight(whole, tmp_path_factory):  # noqa: F811
    return in_order(measured(whole, tmp_path_factory.mktemp("straight")))


@examples(2, phases=[Phase.generate])
@given(seed=st.integers(0, 10**6))
def test_rows_in_any_order_give_the_same_measures(whole, straight, tmp_path_factory, seed):  # noqa: F811
    dealt = {name: rows.sample(frac=1, random_state=seed) for name, rows in whole.items()}
    found = in_order(measured(dealt, tmp_path_factory.mktemp("dealt")))
    pd.testing.assert_frame_equal(found, straight, rtol=1e-9, atol=1e-9)


@examples(5, phases=[Phase.generate])
@given(seed=st.integers(0, 10**6))
def test_whatever_is_missing_every_measure_stays_in_its_range(whole, tmp_path_factory, seed):  # noqa: F811
    random = np.random.default_rng(seed)
    keys = ("unit_id", "initiative_id")
    holed = {
        name: rows.where((random.random(rows.shape) > random.choice([0.05, 0.3])) | rows.columns.isin(keys), "")
        for name, rows in whole.items()
    }
    made = measured(holed, tmp_path_factory.mktemp("holed"))
    assert not made.duplicated(list(KEY)).any()
    shown = made[made["status"] == "ok"]
    assert shown["value"].notna().all()
    assert made.loc[made["status"] != "ok", list(NUMBERS)].isna().all(axis=None)
    share = shown[(shown["unit"] == "share") & ~shown["measure"].isin(MAY_PASS)]
    assert share["value"].between(0, 1).all(), share[~share["value"].between(0, 1)]
    assert (shown.loc[shown["unit"].isin(["days", "count"]), "value"] >= 0).all()
    assert shown.loc[shown["measure"] == "problem_quality", "value"].between(0, 100).all()
    inside = shown[~shown["measure"].isin(["verdict", "potential_hours"])].dropna(subset=["low", "high"])
    assert (inside["low"] <= inside["value"] + 1e-9).all()
    assert (inside["value"] <= inside["high"] + 1e-9).all()
    least, most = (shown[name].fillna(shown["value"]) for name in ("at_least", "at_most"))
    assert (least <= shown["value"] + 1e-9).all(), shown[least > shown["value"] + 1e-9]
    assert (most >= shown["value"] - 1e-9).all()
