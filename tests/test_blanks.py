"""Silence never helps: whatever cell of the tasks, the use or the decision log is blanked, no indicator earns more.

The register and the workflow steps are blanked in `test_initiatives` and `test_workflows`.
"""

import numpy as np
import pandas as pd
import pytest
from generated import examples
from hypothesis import Phase, given
from hypothesis import strategies as st
from test_decisions import data_of as log_data
from test_decisions import random_log
from test_tasks import data_of as task_data
from test_tasks import task
from typed_tables import data_of

from aiready.instrument.model import read_instrument
from aiready.measures import decisions, initiatives, tasks
from aiready.profile import barriers

RULES = read_instrument()


def earned(made):
    """Points that each indicator brings to its band: none where it does not count."""
    found = barriers.explain_indicators(made, RULES, ["2026-Q3"])
    found = found[found["unit_id"] != "*"].set_index(["unit_id", "id"])
    return found["points_at_least"].where(found["status"] == "ok", 0.0)


def better(full, holed):
    before, after = earned(full), earned(holed)
    after = after.reindex(before.index, fill_value=0.0)
    return before[after > before + 1e-9].to_dict()


share = st.floats(0.05, 0.95).map(lambda number: round(number, 2))
drawn_task = st.tuples(
    st.floats(1, 2000).map(round), share, share, st.floats(-0.3, 0.95).map(lambda number: round(number, 2)),
    share, st.integers(0, 60), st.sampled_from(["measured", "reported"]), st.sampled_from(["augment", "automate"]),
)  # fmt: skip
TASK_CELLS = (
    "hours_per_year", "expected_saving", "adoption", "observed_saving", "rework", "oversight_hours", "evidence",
)  # fmt: skip


@pytest.mark.slow
@examples(20, phases=[Phase.generate])
@given(
    st.lists(drawn_task, min_size=5, max_size=9),
    st.sets(st.tuples(st.integers(0, 8), st.sampled_from(TASK_CELLS)), min_size=1, max_size=4),
)
def test_no_blank_in_the_tasks_betters_an_indicator(drawn, holes):
    full = [task(f"t{k}", *row[:6], evidence=row[6], mode=row[7]) for k, row in enumerate(drawn)]
    holed = [row | {column: None for k, column in holes if k == place} for place, row in enumerate(full)]
    assert better(*(tasks.measure(task_data(rows), RULES) for rows in (full, holed))) == {}


@pytest.mark.parametrize(
    ("blank", "indicator", "hours", "adoption"),
    [
        ("hours_per_year", "not_adopted_rate", 1000, 0.1),
        ("rework", "rework_oversight_rate", 24, 0.9),
        ("evidence", "measured_share", 24, 0.9),
    ],
)
def test_the_blank_that_would_have_helped_most_helps_not(blank, indicator, hours, adoption):
    good = [task(f"t{k}", 10, 0.5, 0.9, 0.5, 0.01, 0, evidence="measured") for k in range(4)]
    bad = task("bad", hours, 0.5, adoption, 0.9, 0.4, 0, evidence="reported")
    full, holed = (tasks.measure(task_data([*good, row]), RULES) for row in (bad, bad | {blank: None}))
    points = barriers.explain_indicators(holed, RULES, ["2026-Q3"]).set_index(["unit_id", "id"])
    assert points.loc[("claims", indicator), "points"] > 90
    assert earned(holed)[("claims", indicator)] <= earned(full)[("claims", indicator)] < 90


@pytest.mark.slow
@examples(15, phases=[Phase.generate])
@given(
    st.lists(st.tuples(st.integers(1, 60), share, share), min_size=3, max_size=6),
    st.sets(st.integers(0, 5), min_size=1, max_size=2),
)
def test_no_blank_of_trained_users_betters_an_indicator(drawn, holes):
    rows = [
        {"initiative_id": f"i{k}", "unit_id": "a", "intended_users": people, "active_users": round(people * active),
         "trained_users": round(people * trained)}
        for k, (people, active, trained) in enumerate(drawn)
    ]  # fmt: skip
    holed = [row | ({"trained_users": None} if k in holes else {}) for k, row in enumerate(rows)]
    full, left = (initiatives.measure(data_of({"usage": each}, {"a": None}), RULES) for each in (rows, holed))
    assert better(full, left) == {}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_no_blank_in_the_decision_log_betters_an_indicator(seed):
    random = np.random.default_rng(seed)
    log = random_log(seed, 400)
    holed = log.copy()
    for column in ("context_complete", "advice_at", "decided_at", "correct_decision", "autonomy_level"):
        # without the decision itself a case without its time is still open, and open cases are no gap in the record
        known = holed["final_decision"].notna() if column == "decided_at" else holed["advice"].notna()
        gone = known & (random.random(len(log)) < random.uniform(0, 0.3))
        holed[column] = holed[column].mask(gone, pd.NaT if column.endswith("_at") else None)
    assert better(*(decisions.measure(log_data(each), RULES) for each in (log, holed))) == {}


@pytest.mark.slow
def test_a_blank_that_hides_the_worst_cases_lifts_the_share_and_not_what_it_earns():
    log = random_log(3, 400).assign(unit_id="claims", advice="a", context_complete=[True] * 300 + [False] * 100)
    holed = log.assign(context_complete=log["context_complete"].where(log["context_complete"], None))
    full, left = (decisions.measure(log_data(each), RULES) for each in (log, holed))
    found = [
        made.query("measure == 'context_coverage' and unit_id == 'claims' and wave == '2026-Q3'").iloc[0]
        for made in (full, left)
    ]
    assert found[1]["value"] == 1 > found[0]["value"]
    assert found[1]["at_least"] == pytest.approx(found[0]["value"]) == pytest.approx(found[0]["at_least"])
    assert found[1]["low"] == pytest.approx(found[0]["low"])
    assert "widened" in found[1]["note"] and "widened" not in found[0]["note"]
    assert earned(left)[("claims", "context_coverage")] == pytest.approx(earned(full)[("claims", "context_coverage")])
