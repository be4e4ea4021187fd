"""Decision measures: reference values, independent implementations, and properties."""

from datetime import date, timedelta
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from aiready import decisions
from aiready.instrument import Instrument, Settings
from aiready.measures import names
from aiready.schema import TABLES
from aiready.sources import Data

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
    cells = (
        pd.to_datetime(values) if kind == "timestamp" else values.astype(object).where(values.notna(), None)
    )
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
    table = table.mutate(
        wave=table.opened_at.year().cast("string") + "-Q" + table.opened_at.quarter().cast("string")
    )
    return Data({}, units, membership, (), "2026-Q3", as_of, decisions=table)


def measured(log: pd.DataFrame, units=None, as_of=date(2026, 9, 30), **settings) -> pd.DataFrame:
    return decisions.measure(data_of(log, units, as_of), rules(**settings))


def row(made: pd.DataFrame, measure: str, unit="claims", segment="all", wave="2026-Q3") -> pd.Series:
    found = made.query("measure == @measure and unit_id == @unit and segment == @segment and wave == @wave")
    assert len(found) == 1, f"{len(found)} rows of {measure}"
    return found.iloc[0]


def twenty_cases() -> pd.DataFrame:
    patterns = (
        [(1, 1, 1)] * 8 + [(0, 1, 1)] * 4 + [(0, 1, 0)] * 2 + [(1, 0, 1)] * 3 + [(1, 0, 0)] + [(0, 0, 0)] * 2
    )
    initial, advice, final = zip(*patterns, strict=True)
    text = {
        k: [str(x) for x in v]
        for k, v in {"initial_decision": initial, "advice": advice, "final_decision": final}.items()
    }
    return log_of(**text, correct_decision=["1"] * 20)


@pytest.mark.parametrize(
    ("measure", "value"),
    [
        ("reliance_on_right_advice", 2 / 3), ("self_reliance", 0.75), ("over_reliance", 0.5),
        ("under_reliance", 1 / 7), ("override_rate", 0.25), ("override_correct", 0.6),
        ("net_override_value", 0.05), ("human_accuracy", 0.6), ("advice_accuracy", 0.7),
        ("decision_accuracy", 0.75), ("label_coverage", 1.0), ("complementarity", 0.05),
    ],
)  # fmt: skip
def test_twenty_cases(measure, value):
    assert row(measured(twenty_cases()), measure)["value"] == pytest.approx(value, abs=1e-12)


def test_speed_reference():
    t, closed = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12], [1, 1, 0, 1, 1, 0, 1, 0, 1, 0]
    end = pd.Timestamp("2026-10-01")
    opened = [end - pd.Timedelta(seconds=s) for s in t]
    decided = [end if c else pd.NaT for c in closed]
    made = measured(log_of(opened_at=opened, decided_at=decided))
    assert row(made, "decision_speed_p50")["value"] == 7
    p90 = row(made, "decision_speed_p90")
    assert p90["status"] == "insufficient" and "not reached" in p90["note"]
