"""The decision log, the one table too big for memory: checked and cut inside DuckDB, through Ibis."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from ibis.backends.duckdb import Backend

from aiready.checks import GIVEN, Checked, quarantine, repeated
from aiready.loading import store
from aiready.readers import FILE, ROW

KNOWN_LATER = {
    "decided_at": ("final_decision",),
    "advice_at": ("advice", "advice_confidence"),
    "outcome_at": ("correct_decision",),
    "reversed_at": (),
}  # fmt: skip
"""What was not known yet on a day before the time in the first column."""


@dataclass(frozen=True)
class Log:
    """Checked decisions: `rows` on the engine, with what was counted on the way."""

    rows: ir.Table
    read: int
    quarantine: pd.DataFrame
    newest: pd.Series
    after_as_of: int = 0


def read(checked: Checked, engine: Backend, *, stored: bool) -> Log:
    """Count, quarantine and type the decision log without fetching it.

    Parameters
    ----------
    checked
        The log's rows and rules.
    engine
        Where it lies.
    stored
        The log lies in a file that can be queried as it is (Parquet); else it is text, typed once here.
    """
    happened = [column.name for column in checked.table.columns if column.happened]
    rows, as_given = checked.rows, _comparable(checked)
    counted = {"read": rows.count(), "broken": checked.broken.sum().fill_null(0)}
    counted |= {name: rows[name].max(where=~checked.broken) for name in happened}
    counted |= {f"same {name}": _same(rows, name) for name in as_given}
    facts = rows.aggregate(**counted).to_pandas().iloc[0]
    left_out = quarantine(checked) if facts["broken"] else pd.DataFrame()
    kept = rows.filter(~checked.broken) if facts["broken"] else rows
    untouched = [name for name in as_given if facts[f"same {name}"]]
    used = kept.select(FILE, ROW, **{name: _column(kept, name, untouched) for name in checked.typed})
    if not stored:
        used = engine.create_table("decisions typed", used)
    again = _again(used)
    if len(again):
        left_out = pd.concat([left_out, repeated(checked, again)], ignore_index=True)
        used = used.anti_join(store(engine, "decisions again", pa.Table.from_pandas(again)), [FILE, ROW])
    return Log(used, int(facts["read"]), left_out, facts[happened])


def _comparable(checked: Checked) -> list[str]:
    """Columns given in the type the schema wants: used as they are where reading changes none of them."""
    rows = checked.rows
    return [
        name
        for name in checked.typed
        if GIVEN + name in rows.columns
        and name not in checked.table.hashed
        and rows[GIVEN + name].type() == rows[name].type()
    ]


def _same(rows: ir.Table, name: str) -> ir.BooleanValue:
    return rows[GIVEN + name].identical_to(rows[name]).all().fill_null(True)


def _column(rows: ir.Table, name: str, untouched: Sequence[str]) -> ir.Value:
    return rows[GIVEN + name] if name in untouched else rows[name]


def _again(used: ir.Table) -> pd.DataFrame:
    """Rows whose decision_id came before: FILE, ROW and the `first` row of that id.

    Hashes are grouped, not ids: a third of the memory; the few that collide are compared in full.
    """
    hashed = used.select(FILE, ROW, "decision_id", mark=used["decision_id"].hash())
    marks = hashed.group_by("mark").aggregate(n=hashed.count()).filter(ibis._.n > 1)
    found = hashed.semi_join(marks, "mark").select(FILE, ROW, "decision_id").to_pandas()
    found = found.sort_values([FILE, ROW], ignore_index=True)
    found["first"] = found.groupby("decision_id")[ROW].transform("first")
    return found.loc[found.duplicated("decision_id"), [FILE, ROW, "first"]]


def cut(log: Log, as_of: date) -> Log:
    """The log as it was known at the end of a day: later decisions left out, later events not yet there."""
    end = pd.Timestamp(as_of) + timedelta(days=1)
    rows, after = log.rows, 0
    if log.newest["opened_at"] >= end:
        after = int(rows.filter(rows["opened_at"] >= ibis.timestamp(end)).count().execute())
        rows = rows.filter(rows["opened_at"] < ibis.timestamp(end))
    for name, told in KNOWN_LATER.items():
        if log.newest[name] >= end:
            later = (rows[name] >= ibis.timestamp(end)).fill_null(False)
            rows = rows.mutate(
                **{known: later.ifelse(ibis.null(rows[known].type()), rows[known]) for known in (name, *told)}
            )
    return replace(log, rows=rows, after_as_of=after)


def finished(log: Log, columns: Sequence[str]) -> ir.Table:
    """The decisions that measures look at: the schema's columns and `wave`, the quarter of `opened_at`."""
    opened = log.rows["opened_at"]
    wave = opened.year().cast("string") + "-Q" + opened.quarter().cast("string")
    return log.rows.select(*columns, wave=wave)
