"""Decision measures: reference values, independent implementations, and properties."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from aiready.inputs.dataset import Data
from aiready.instrument.model import Instrument, Settings
from aiready.measures import decisions
from aiready.measures.decisions.counts import decider_counts
from aiready.measures.decisions.times import filter_by_join, filter_by_key, step_counts, time_counts, timed_decisions
from aiready.measures.estimation.inference import wilson
from aiready.measures.estimation.survival import kaplan_meier_quantile
from aiready.model.registry import KEY, measures_of_table
from aiready.model.schema import TABLES

SHARED = Path(__file__).parents[1].parent / "shared" / "data"
ARROW = {"share": pa.float64(), "integer": pa.int64(), "timestamp": pa.timestamp("us"), "flag": pa.bool_()}


def rules(**settings) -> Instrument:
    table = pd.DataFrame()
    return Instrument(*[table] * 8, settings=Settings(**settings), intro="", version="", digest="")


def log_of(**columns) -> pd.DataFrame:
    """A decision log from some columns; the rest as simple as can be."""
    size = max(len(values) for values in columns.values() if not isinstance(values, str))
    log = pd.DataFrame(index=range(size)).assign(**columns)
    if "opened_at" not in log:
        log["opened_at"] = pd.Timestamp("2026-07-06 09:00")
    if "decided_at" not in log:
        log["decided_at"] = log["opened_at"] + pd.Timedelta(seconds=60)
    if "unit_id" not in log:
        log["unit_id"] = "claims"
    log["decision_id"] = [f"d{i}" for i in range(size)]
    return log.reindex(columns=TABLES["decisions"].names)


def _typed(values: pd.Series, kind: str) -> pa.Array:
    cells = pd.to_datetime(values) if kind == "timestamp" else values.astype(object).where(values.notna(), None)
    return pa.array(cells, type=ARROW.get(kind, pa.string()), from_pandas=True)


def data_of(log: pd.DataFrame, units: pd.DataFrame | None = None, as_of=date(2026, 9, 30)) -> Data:
    """Checked data from a log; `units` with unit_id and perhaps parent_id and headcount."""
    if units is None:
        units = pd.DataFrame({"unit_id": sorted(log["unit_id"].unique())})
    units = units.reindex(columns=["unit_id", "name", "parent_id", "headcount", "formerly"])
    pairs = [("*", unit) for unit in units["unit_id"]]
    parents = units.set_index("unit_id")["parent_id"].to_dict()
    for unit in units["unit_id"]:
        above = unit
        while isinstance(above, str):
            pairs.append((above, unit))
            above = parents[above]
    membership = pd.DataFrame(pairs, columns=["unit_id", "member_id"])
    con, typed = ibis.duckdb.connect(threads=2), {}
    for name in log.columns:
        typed[name] = _typed(log[name], TABLES["decisions"].column(name).kind)
    con.con.register("log", pa.table(typed))
    table = con.table("log")
    table = table.mutate(wave=table.opened_at.year().cast("string") + "-Q" + table.opened_at.quarter().cast("string"))
    return Data({}, units, membership, (), "2026-Q3", as_of, decisions=table)


def measured(log: pd.DataFrame, units=None, as_of=date(2026, 9, 30), **settings) -> pd.DataFrame:
    return decisions.measure(data_of(log, units, as_of), rules(**settings))


def row(made: pd.DataFrame, measure: str, unit="claims", segment="all", wave="2026-Q3") -> pd.Series:
    found = made.query("measure == @measure and unit_id == @unit and segment == @segment and wave == @wave")
    assert len(found) == 1, f"{len(found)} rows of {measure}"
    return found.iloc[0]


def twenty_cases() -> pd.DataFrame:
    patterns = [(1, 1, 1)] * 8 + [(0, 1, 1)] * 4 + [(0, 1, 0)] * 2 + [(1, 0, 1)] * 3 + [(1, 0, 0)] + [(0, 0, 0)] * 2
    initial, advice, final = zip(*patterns, strict=True)
    text = {
        k: [str(x) for x in v]
        for k, v in {"initial_decision": initial, "advice": advice, "final_decision": final}.items()
    }
    return log_of(**text, correct_decision=["1"] * 20)


@pytest.fixture(scope="module")
def of_twenty_cases() -> pd.DataFrame:
    return measured(twenty_cases())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("measure", "value"),
    [
        ("reliance_on_right_advice", 2 / 3), ("self_reliance", 0.75), ("over_reliance", 0.5),
        ("under_reliance", 1 / 7), ("override_rate", 0.25), ("override_correct", 0.6),
        ("net_override_value", 0.05), ("human_accuracy", 0.6), ("advice_accuracy", 0.7),
        ("decision_accuracy", 0.75), ("label_coverage", 1.0), ("complementarity", 0.05),
    ],
)  # fmt: skip
def test_twenty_cases(of_twenty_cases, measure, value):
    assert row(of_twenty_cases, measure)["value"] == pytest.approx(value, abs=1e-12)


@pytest.mark.slow
def test_speed_reference():
    t, closed = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12], [1, 1, 0, 1, 1, 0, 1, 0, 1, 0]
    end = pd.Timestamp("2026-10-01")
    opened = [end - pd.Timedelta(seconds=s) for s in t]
    decided = [end if c else pd.NaT for c in closed]
    made = measured(log_of(opened_at=opened, decided_at=decided))
    assert row(made, "decision_speed_p50")["value"] == 7
    p90 = row(made, "decision_speed_p90")
    assert p90["status"] == "insufficient" and "not reached" in p90["note"]


def public_log() -> pd.DataFrame:
    file = SHARED / "advice_log" / "accuracy_dates.csv"
    if not file.exists():
        pytest.skip(f"the public advice log is not there: {file.name}")
    raw = pd.read_csv(file)
    raw = raw[raw["final"].notna() & (raw["attention_check"].astype(str) == "False")].reset_index(drop=True)
    opened = pd.to_datetime(raw["started_utc"], format="ISO8601", utc=True).dt.tz_localize(None)
    text = {
        name: raw[column].astype(int).astype(str)
        for name, column in (
            ("advice", "advice"),
            ("initial_decision", "initial"),
            ("final_decision", "final"),
            ("correct_decision", "correct"),
        )
    }
    decided = opened + pd.to_timedelta(raw["t_final_ms"], unit="ms")
    return log_of(unit_id="lab", decider_id=raw["pid"], opened_at=opened, decided_at=decided, **text)


@pytest.fixture(scope="module")
def of_public_log() -> pd.DataFrame:
    return measured(public_log(), as_of=date(2020, 6, 22))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("measure", "value", "n"),
    [
        ("human_accuracy", 0.595975, 1938), ("advice_accuracy", 0.697110, 1938),
        ("decision_accuracy", 0.684211, 1938), ("reliance_on_right_advice", 338 / 545, 545),
        ("self_reliance", 189 / 349, 349), ("over_reliance", 396 / 587, 587),
        ("under_reliance", 216 / 1351, 1351), ("override_rate", 407 / 1938, 1938),
        ("override_correct", 0.469287, 407), ("net_override_value", -0.012900, 1938),
        ("complementarity", -0.012900, 1938), ("label_coverage", 1.0, 1938),
        ("decision_speed_p50", 9.658, 1938), ("decision_speed_p90", 16.543, 1938),
    ],
)  # fmt: skip
def test_public_advice_log(of_public_log, measure, value, n):
    found = row(of_public_log, measure, "lab", wave="2020-Q2")
    assert found["value"] == pytest.approx(value, abs=5e-7)
    assert found["n"] == n
    assert found["people"] == 51 or n < 1938


def test_public_advice_log_draws_people_and_demonstrates_no_complementarity(of_public_log):
    accuracy = row(of_public_log, "decision_accuracy", "lab", wave="2020-Q2")
    assert "deciders" in accuracy["note"] and accuracy["low"] < accuracy["value"] < accuracy["high"]
    assert row(of_public_log, "complementarity", "lab", wave="2020-Q2")["note"].startswith("not demonstrated")


@pytest.mark.slow
def test_accuracy_bounds_reference():
    log = log_of(final_decision=["a"] * 100, correct_decision=["a"] * 54 + ["b"] * 6 + [None] * 40)
    made = measured(log)
    accuracy, bounds = row(made, "decision_accuracy"), row(made, "accuracy_bounds")
    assert (accuracy["value"], accuracy["n"]) == (0.9, 60)
    assert [accuracy["low"], accuracy["high"]] == pytest.approx([0.798505, 0.953357], abs=5e-7)
    assert [bounds["value"], bounds["low"], bounds["high"]] == pytest.approx([0.9, 0.54, 0.94])


@pytest.mark.slow
def test_accuracy_is_weighted_where_automatic_decisions_were_audited():
    audited = ["a"] * 38 + ["b"] * 2 + [None] * 760
    log = log_of(
        final_decision=["a"] * 1000,
        correct_decision=audited + ["a"] * 120 + ["b"] * 80,
        autonomy_level=[4] * 800 + [1] * 200,
    )
    found = row(measured(log), "decision_accuracy")
    assert found["value"] == pytest.approx(0.88)
    assert (found["high"] - found["low"]) / 2 / 1.959964 == pytest.approx(0.027212, abs=5e-7)


@pytest.mark.slow
def test_accuracy_is_not_measured_where_one_kind_was_never_reviewed():
    log = log_of(
        final_decision=["a"] * 30,
        correct_decision=["a"] * 10 + [None] * 20,
        autonomy_level=[1] * 10 + [4] * 20,
    )
    assert row(measured(log), "decision_accuracy")["status"] == "not_measured"


@pytest.mark.slow
def test_young_decisions_do_not_count_until_label_days_have_passed():
    opened = [pd.Timestamp("2026-09-20 23:59"), pd.Timestamp("2026-09-21 00:00")]
    log = log_of(opened_at=opened, final_decision=["a", "a"], correct_decision=["a", "b"])
    assert row(measured(log, label_days=10), "decision_accuracy")["n"] == 1
    assert row(measured(log), "decision_accuracy")["n"] == 2


@pytest.mark.slow
def test_autonomy_reference():
    decided = pd.Timestamp("2026-07-06 09:01")
    back = [decided + timedelta(days=30)] * 30 + [decided + timedelta(days=31)] * 10 + [pd.NaT] * 960
    made = measured(log_of(autonomy_level=[4] * 600 + [2] * 400, reversed_at=back))
    share, lasting = row(made, "autonomy_share"), row(made, "effective_autonomy")
    assert [share["value"], share["low"], share["high"]] == pytest.approx([0.6, 0.569309, 0.629925], abs=5e-7)
    assert [lasting["value"], lasting["low"], lasting["high"]] == pytest.approx([0.57, 0.539105, 0.600359], abs=5e-7)
    assert row(made, "autonomy_index")["value"] == pytest.approx(0.8)


@pytest.mark.slow
def test_a_missing_level_is_unknown():
    made = measured(log_of(autonomy_level=[4, 4, 0, 0, None], final_decision=["a"] * 5))
    share = row(made, "autonomy_share")
    assert (share["value"], share["n"]) == (0.5, 4) and "left out" in share["note"]
    assert (share["at_least"], share["at_most"]) == pytest.approx((0.4, 0.6))
    assert share["low"] == pytest.approx(wilson(2, 5)[0]) and share["high"] == pytest.approx(wilson(3, 5)[1])
    thin = measured(log_of(autonomy_level=[4, 0, None, None], final_decision=["a"] * 4))
    for measure in ("autonomy_share", "effective_autonomy", "autonomy_index"):
        assert row(thin, measure)["status"] == "insufficient"


@pytest.mark.slow
def test_context_and_brier_reference():
    log = log_of(
        context_complete=[True] * 6 + [False] * 4,
        advice=["1"] * 6 + ["1", "1", None, None],
        advice_confidence=[0.9, 0.8, 0.7, 0.6, 0.95, 0.55] + [None] * 4,
        correct_decision=["1", "1", "0", "1", "1", "0"] + [None] * 4,
    )
    made = measured(log)
    context = row(made, "context_coverage")
    assert [context["value"], context["low"], context["high"]] == pytest.approx([0.6, 0.312674, 0.831820], abs=5e-7)
    assert row(made, "unsafe_answer_rate")["value"] == 0.5
    assert row(made, "brier")["value"] == pytest.approx(0.1675, abs=1e-12)


@pytest.mark.slow
def test_a_blank_is_never_better_than_a_no():
    log = log_of(context_complete=[True] * 5 + [None] * 5, advice=["1"] * 10)
    assert row(measured(log), "context_coverage")["status"] == "insufficient"
    log = log_of(context_complete=[False] * 10)
    assert row(measured(log), "unsafe_answer_rate")["status"] == "insufficient"


@pytest.mark.slow
def test_without_a_first_answer_the_two_reliances_are_not_measured():
    log = twenty_cases().drop(columns="initial_decision").reindex(columns=TABLES["decisions"].names)
    made = measured(log)
    for measure in ("reliance_on_right_advice", "self_reliance", "human_accuracy", "complementarity"):
        assert row(made, measure)["status"] == "not_measured"
    assert row(made, "over_reliance")["value"] == 0.5


def random_log(seed: int, size: int = 3000) -> pd.DataFrame:
    random = np.random.default_rng(seed)

    def some(values, missing):
        drawn = pd.Series(random.choice(values, size), dtype=object)
        return drawn.mask(random.random(size) < missing, None)

    opened = pd.Timestamp("2026-04-01") + pd.to_timedelta(random.integers(0, 180 * 86400, size), "s")
    opened = pd.Series(opened)
    decided = (opened + pd.to_timedelta(random.exponential(3e5, size).round(3), "s")).mask(random.random(size) < 0.2)
    advice_at = (opened + pd.to_timedelta(random.exponential(1e5, size).round(3), "s")).mask(random.random(size) < 0.1)
    late = pd.Timestamp("2026-10-01")
    return log_of(
        unit_id=random.choice(["claims", "cards", "post"], size),
        decider_id=some([f"p{i}" for i in range(30)], 0.1),
        opened_at=opened, decided_at=decided.where(decided < late), advice_at=advice_at,
        advice=some(["a", "b", "c"], 0.1), initial_decision=some(["a", "b", "c"], 0.2),
        final_decision=some(["a", "b", "c"], 0).where(decided.notna() & (decided < late), None),
        correct_decision=some(["a", "b", "c"], 0.3), autonomy_level=some([0, 1, 2, 3, 4], 0.1),
        advice_confidence=some(np.linspace(0, 1, 11), 0.1), context_complete=some([True, False], 0.1),
        reversed_at=(decided + pd.to_timedelta(random.integers(0, 60, size), "D")).mask(
            random.random(size) < 0.7
        ),
    )  # fmt: skip


HIERARCHY = pd.DataFrame({"unit_id": ["claims", "cards", "post", "front"], "parent_id": ["front", "front", None, None]})


def by_pandas(log: pd.DataFrame) -> dict[str, tuple[float, int]]:
    """Every ratio again, decision by decision."""
    truth, a, i, f = (log[c] for c in ("correct_decision", "advice", "initial_decision", "final_decision"))
    level, conf = log["autonomy_level"].astype(float), log["advice_confidence"].astype(float)
    decided = log["decided_at"].notna() | f.notna()
    labelled = truth.notna()
    judged = labelled & a.notna() & f.notna()
    full = judged & i.notna()
    back = log["reversed_at"] <= log["decided_at"] + pd.Timedelta(days=30)
    context = log["context_complete"]

    def share(true, among):
        return float(np.mean(true[among].astype(float))), int(among.sum())

    return {
        "label_coverage": share(labelled, decided),
        "human_accuracy": share(i == truth, labelled & i.notna()),
        "advice_accuracy": share(a == truth, labelled & a.notna()),
        "reliance_on_right_advice": share(f == truth, full & (i != truth) & (a == truth)),
        "self_reliance": share(f == truth, full & (i == truth) & (a != truth)),
        "over_reliance": share(f == a, judged & (a != truth)),
        "under_reliance": share(f != a, judged & (a == truth)),
        "override_rate": share(f != a, a.notna() & f.notna()),
        "override_correct": share(f == truth, judged & (f != a)),
        "net_override_value": share((f == truth).astype(float) - (a == truth).astype(float), judged),
        "autonomy_share": share(level >= 3, decided & level.notna()),
        "effective_autonomy": share((level >= 3) & ~back, decided & level.notna()),
        "autonomy_index": share(level / 4, decided & level.notna()),
        "context_coverage": share(context == True, context.notna()),  # noqa: E712
        "unsafe_answer_rate": share(a.notna() | log["advice_at"].notna(), context == False),  # noqa: E712
        "advice_in_time_share": share(
            log["advice_at"] <= log["decided_at"], log["advice_at"].notna() & log["decided_at"].notna()
        ),
        "brier": share(((a == truth) - conf) ** 2, labelled & a.notna() & conf.notna()),
        **{f"error_rate level {k}": share(f != truth, labelled & f.notna() & (level == k)) for k in range(5)},
    }


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_every_ratio_and_speed_against_other_implementations(seed):
    from lifelines import KaplanMeierFitter

    log = random_log(seed)
    made = measured(log, HIERARCHY)
    members = {"claims": ["claims"], "front": ["claims", "cards"], "*": ["claims", "cards", "post"]}
    for unit, own in members.items():
        part = log[log["unit_id"].isin(own) & (log["opened_at"] >= "2026-07-01")].reset_index(drop=True)
        part = part[part["opened_at"] < "2026-10-01"]
        for name, (value, n) in by_pandas(part).items():
            measure, _, segment = name.partition(" ")
            found = row(made, measure, unit, segment or "all")
            assert (found["value"], found["n"]) == (pytest.approx(value, abs=1e-9), n), (unit, name)
            assert found["low"] <= found["value"] <= found["high"]
        end = pd.Timestamp("2026-10-01")
        seconds = (part["decided_at"].fillna(end) - part["opened_at"]) / pd.Timedelta(seconds=1)
        for measure, p in (("decision_speed_p50", 0.5), ("decision_speed_p90", 0.9)):
            closed = part["decided_at"].notna()
            kmf = KaplanMeierFitter().fit(seconds, closed)
            expected = kaplan_meier_quantile(seconds, closed, p)
            found = row(made, measure, unit)
            if np.isfinite(kmf.percentile(1 - p)):
                assert found["value"] == pytest.approx(kmf.percentile(1 - p), rel=1e-9)
                np.testing.assert_allclose([found["low"], found["high"]], [expected.low, expected.high], rtol=1e-9)
            else:
                assert found["status"] == "insufficient"


@pytest.mark.slow
def test_speed_of_logs_of_every_size_and_share_of_open_cases_is_kaplan_meiers():
    random = np.random.default_rng(11)
    parts = []
    for place in range(60):
        size, spread, still_open = random.integers(1, 400), random.uniform(0.01, 3), random.uniform(0, 0.7)
        seconds = np.ceil(np.exp(random.uniform(2, 14) + spread * random.standard_normal(size)).clip(1, 4e6))
        opened = pd.Timestamp("2026-10-01") - pd.to_timedelta(np.ceil(random.uniform(1, 90 * 86400, size)), unit="s")
        closes = opened + pd.to_timedelta(seconds, unit="s")
        closed = (random.random(size) >= still_open) & (closes < pd.Timestamp("2026-10-01"))
        unit = f"unit-{place}"
        parts.append(pd.DataFrame({"unit_id": unit, "opened_at": opened, "decided_at": closes.where(closed)}))
    log = pd.concat(parts, ignore_index=True)
    made = measured(log_of(**{name: log[name] for name in log}))
    for unit, part in [("*", log), *log.groupby("unit_id")]:
        seconds = (part["decided_at"].fillna(pd.Timestamp("2026-10-01")) - part["opened_at"]).dt.total_seconds()
        for measure, p in (("decision_speed_p50", 0.5), ("decision_speed_p90", 0.9)):
            expected, found = kaplan_meier_quantile(seconds, part["decided_at"].notna(), p), row(made, measure, unit)
            numbers = [expected.value, expected.low, expected.high]
            if np.isnan(expected.value):
                assert found["status"] == "insufficient"
            else:
                np.testing.assert_allclose(found[["value", "low", "high"]].astype(float), numbers, rtol=1e-9)


@pytest.mark.slow
def test_people_are_the_distinct_deciders_behind_a_row():
    log = log_of(
        decider_id=["p1", "p1", "p2", "p3"],
        autonomy_level=[1, 1, 2, 2],
        final_decision=["a"] * 4,
        correct_decision=["a"] * 4,
    )
    made = measured(log)
    assert row(made, "decision_speed_p50")["people"] == 3
    assert row(made, "error_rate", segment="level 1")["people"] == 1


@pytest.mark.slow
@pytest.mark.parametrize(("headcount", "level", "people"), [(19, 1, 0), (20, 1, np.nan), (None, 1, 0), (19, 4, np.nan)])
def test_unknown_deciders_of_a_small_unit_are_hidden(headcount, level, people):
    units = pd.DataFrame({"unit_id": ["claims"], "headcount": [headcount]})
    made = measured(log_of(autonomy_level=[level] * 8, final_decision=["a"] * 8), units)
    assert row(made, "autonomy_share")["people"] == pytest.approx(people, nan_ok=True)


@pytest.mark.slow
def test_one_decider_in_two_units_is_one_person_above():
    log = log_of(unit_id=["claims", "cards"], decider_id=["p1", "p1"])
    assert row(measured(log), "decision_speed_p50", "*")["people"] == 1


def clustered(people: int, seed: int, spread: float) -> pd.DataFrame:
    """40 decisions of each person, whose own rates differ by `spread`."""
    random = np.random.default_rng(seed)
    rates = np.clip(0.6 + spread * random.standard_normal(people), 0.02, 0.98)
    right = random.random((people, 40)) < rates[:, None]
    deciders = np.repeat([f"p{i}" for i in range(people)], 40)
    finals = np.where(right.ravel(), "a", "b")
    return log_of(decider_id=deciders, final_decision=finals, correct_decision=["a"] * len(finals))


@pytest.mark.slow
def test_drawing_people_agrees_with_wilson_where_people_do_not_differ():
    log = clustered(100, 1, 0.0)
    found = row(measured(log), "decision_accuracy")
    low, high = wilson(round(found["value"] * found["n"]), found["n"])
    assert found["high"] - found["low"] == pytest.approx(float(high - low), rel=0.2)


@pytest.mark.slow
def test_drawing_people_is_as_wide_as_the_spread_between_them():
    log = clustered(100, 1, 0.2)
    found = row(measured(log), "decision_accuracy")
    means = (log["final_decision"] == "a").groupby(log["decider_id"]).mean()
    analytic = 2 * 1.96 * means.std() / np.sqrt(len(means))
    assert found["high"] - found["low"] == pytest.approx(analytic, rel=0.15)


@pytest.mark.slow
def test_few_deciders_leave_a_case_level_interval():
    assert "case-level" in row(measured(clustered(19, 1, 0.1)), "decision_accuracy")["note"]
    assert "case-level" not in row(measured(clustered(20, 1, 0.1)), "decision_accuracy")["note"]


@pytest.mark.slow
def test_the_same_log_in_any_order_gives_the_same_rows():
    log = random_log(5, 800)
    again = log.sample(frac=1, random_state=1).reset_index(drop=True)
    pd.testing.assert_frame_equal(measured(log, HIERARCHY), measured(again, HIERARCHY), check_exact=True)


@pytest.mark.slow
def test_complementarity_is_demonstrated_when_together_beats_both():
    size = 400
    initial = ["a" if i % 2 else "b" for i in range(size)]
    advice = ["b" if i % 2 else "a" for i in range(size)]
    log = log_of(
        initial_decision=initial,
        advice=advice,
        final_decision=["a"] * 390 + ["b"] * 10,
        correct_decision=["a"] * size,
    )
    found = row(measured(log), "complementarity")
    assert found["value"] == pytest.approx(0.475)
    assert found["note"].startswith("demonstrated") and found["low"] > 0


@pytest.mark.slow
def test_every_unit_has_every_measure_in_the_current_quarter():
    units = pd.DataFrame({"unit_id": ["claims", "silent"]})
    made = measured(twenty_cases(), units).query("wave == '2026-Q3'")
    assert set(zip(made["unit_id"], made["measure"], strict=True)) == {
        (unit, name) for unit in ("claims", "silent", "*") for name in measures_of_table("decisions")
    }
    assert set(made.query("unit_id == 'silent'")["status"]) == {"not_measured"}
    assert not made.duplicated([*KEY]).any()


def test_no_log_is_not_measured():
    data = data_of(twenty_cases())
    made = decisions.measure(replace(data, decisions=None), rules())
    assert set(made["status"]) == {"not_measured"} and set(made["measure"]) == set(measures_of_table("decisions"))


@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "pyspark"])
def test_every_pass_compiles_for_every_database(dialect, monkeypatch):
    # The Spark compiler asks for an option that exists only where Spark is installed.
    options = SimpleNamespace(pyspark=SimpleNamespace(treat_nan_as_null=False))
    monkeypatch.setattr("ibis.backends.sql.compilers.pyspark.options", options)
    log = ibis.table(data_of(twenty_cases()).decisions.schema(), name="decisions")
    counts = decider_counts(log, date(2026, 9, 30), Settings())
    assert "GROUP BY" in str(ibis.to_sql(counts, dialect=dialect)).upper()
    timed = timed_decisions(log, date(2026, 9, 30))
    steps = pd.DataFrame({"unit_id": ["claims"], "quarter": [pd.Timestamp("2026-07-01")], "step": [3]})
    finer = time_counts(filter_by_join(timed, steps)), time_counts(filter_by_key(timed, steps))
    for times in (step_counts(timed), *finer):
        assert "GROUP BY" in str(ibis.to_sql(times, dialect=dialect)).upper()
