"""The decision log, the one table too big for memory: checked and cut inside DuckDB, through Ibis."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from ibis.backends.duckdb import Backend

from aiready.checks import Checked, quarantine, repeated, unlike
from aiready.loading import store
from aiready.readers import FILE, ROW
from aiready.schema import Table

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


def stored_as_wanted(table: Table, raw: ir.Table) -> list[str]:
    """Columns of a stored log that are already what the schema wants, so that no query has to read them."""
    tests = {c.name: unlike(c, raw[c.name]) for c in table.columns if c.name in raw.columns}
    asked = {name: odd.any().fill_null(False) for name, odd in tests.items() if not isinstance(odd, bool)}
    found = raw.aggregate(**asked).to_pandas().iloc[0] if asked else {}
    return [name for name, odd in tests.items() if not found.get(name, odd)]


def read(checked: Checked, engine: Backend) -> Log:
    """Count, quarantine and type the decision log without fetching it.

    Parameters
    ----------
    checked
        The log's typed rows, stored or queried where they lie, and its rules.
    engine
        Where they lie.
    """
    rows = checked.rows.mutate(**{_BROKEN: checked.broken})
    happened = [column.name for column in checked.table.columns if column.happened]
    counted = {"read": rows.count(), "broken": rows[_BROKEN].sum().fill_null(0)}
    counted |= {name: rows[name].max(where=~rows[_BROKEN]) for name in happened}
    facts = rows.aggregate(**counted).to_pandas().iloc[0]
    left_out = quarantine(checked) if facts["broken"] else pd.DataFrame()
    kept = checked.rows.filter(~checked.broken) if facts["broken"] else checked.rows
    used = kept.select(FILE, ROW, *checked.typed)
    again = _again(used)
    if len(again):
        left_out = pd.concat([left_out, repeated(checked, again)], ignore_index=True)
        used = used.anti_join(store(engine, "decisions again", pa.Table.from_pandas(again)), [FILE, ROW])
    return Log(used, int(facts["read"]), left_out, facts[happened])


_BROKEN = "_broken"


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
