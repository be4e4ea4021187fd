"""What holds of every measure of the records whatever they say: rows in any order give the same numbers."""

from datetime import date

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from test_set_aside import RULES, whole  # noqa: F401  a fixture

from aiready import feedback, initiatives, tasks, trials, workflows
from aiready.measures import KEY, collect
from aiready.sources import read_data

pytestmark = pytest.mark.slow


def measured(tables, folder):
    for name, rows in tables.items():
        rows.to_csv(folder / f"{name}.csv", index=False)
    data = read_data(folder, RULES, as_of=date(2026, 9, 30))
    return collect([noun.measure(data, RULES) for noun in (initiatives, trials, tasks, workflows, feedback)])


def in_order(made):
    return made.sort_values(list(KEY), ignore_index=True)


@pytest.fixture(scope="module")
def straight(whole, tmp_path_factory):  # noqa: F811
    return in_order(measured(whole, tmp_path_factory.mktemp("straight")))


@settings(max_examples=2, deadline=None, phases=[Phase.generate])
@given(seed=st.integers(0, 10**6))
def test_rows_in_any_order_give_the_same_measures(whole, straight, tmp_path_factory, seed):  # noqa: F811
    dealt = {name: rows.sample(frac=1, random_state=seed) for name, rows in whole.items()}
    found = in_order(measured(dealt, tmp_path_factory.mktemp("dealt")))
    pd.testing.assert_frame_equal(found, straight, rtol=1e-9, atol=1e-9)
