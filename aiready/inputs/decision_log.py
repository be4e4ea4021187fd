"""The decision log, the one table too big for memory: checked and cut inside DuckDB, through Ibis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import reduce
from operator import or_

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from ibis.backends.duckdb import Backend

from aiready.inputs.column_types import as_texts
from aiready.inputs.database import answering
from aiready.inputs.duckdb_engine import telling
from aiready.inputs.files import FILE, ROW
from aiready.inputs.load import is_stored, store
from aiready.inputs.parse import complete, typed, unlike
from aiready.inputs.validate import Rule, quarantine, repeats, rules_of
from aiready.model.schema import Table

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
    facts: pd.Series
    after_as_of: int = 0

    def newest(self, name: str) -> pd.Timestamp:
        """Newest time in a column; NaT where it holds none."""
        return pd.Timestamp(self.facts.get(name, pd.NaT))


def stored_as_wanted(table: Table, raw: ir.Table) -> list[str]:
    """Columns of a stored log that are already what the schema wants, so that no query has to read them."""
    tests = {c.name: unlike(c, raw[c.name]) for c in table.columns if c.name in raw.columns}
    asked = {name: odd.any().fill_null(False) for name, odd in tests.items() if not isinstance(odd, bool)}
    found = raw.aggregate(**asked).to_pandas().iloc[0] if asked else {}
    return [name for name, odd in tests.items() if not found.get(name, odd)]


def read(engine: Backend, table: Table, raw: ir.Table, known: Mapping[str, Sequence[str]]) -> Log:
    """Type, count and quarantine the decision log without fetching it.

    A log stored as the schema wants it stays where it is; any other is read once into the engine.

    Raises
    ------
    InputError
        A view of a database file fails, or a file is damaged within.
    """
    with telling(table.name):
        return _read(engine, table, raw, known)


def _read(engine: Backend, table: Table, raw: ir.Table, known: Mapping[str, Sequence[str]]) -> Log:
    as_is = stored_as_wanted(table, raw) if is_stored(raw) else []
    rows = typed(table, raw, as_is=as_is)
    if set(as_is) != set(table.names) & set(raw.columns):
        rows = engine.create_table(f"{table.name} typed", rows)
    rules = rules_of(table, rows, levels={}, known=known)
    masks, broken, facts = judged(table, rows, rules)
    left_out = pd.DataFrame()
    if facts["broken"]:
        left_out = quarantine(as_texts(raw), rows.filter(broken).select(FILE, ROW, **masks).to_pandas(), rules)
        rows = rows.filter(~broken)
    again = _again(rows)
    if len(again):
        left_out = pd.concat([left_out, repeats(as_texts(raw), again, table.key)], ignore_index=True)
        rows = rows.anti_join(store(engine, "decisions again", pa.Table.from_pandas(again)), [FILE, ROW])
    return Log(complete(table, rows), int(facts["read"]), left_out, facts)


def judged(
    table: Table, rows: ir.Table, rules: Sequence[Rule]
) -> tuple[dict[str, ir.BooleanValue], ir.BooleanValue, pd.Series]:
    """Which rows break each rule (by its place), which any, and what was counted on the way.

    Counted: how many rows there are (`read`), how many are broken, and the newest date of each kind among the others.
    """
    masks = {f"{place}": rule.broken.fill_null(False) for place, rule in enumerate(rules)}
    broken = reduce(or_, masks.values())
    marked = rows.mutate(_broken=broken)
    counted = {"read": marked.count(), "broken": marked["_broken"].sum().fill_null(0)}
    happened = [column.name for column in table.columns if column.happened and column.name in rows.columns]
    newest = {name: marked[name].max(where=~marked["_broken"]) for name in happened}
    return masks, broken, marked.aggregate(**counted, **newest).to_pandas().iloc[0]


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


@answering("decisions")
def cut(log: Log, as_of: date) -> Log:
    """The log as it was known at the end of a day: later decisions left out, later events not yet there."""
    end = pd.Timestamp(as_of) + timedelta(days=1)
    rows, after = log.rows, 0
    if log.newest("opened_at") >= end:
        after = int(rows.filter(rows["opened_at"] >= ibis.timestamp(end)).count().execute())
        rows = rows.filter(rows["opened_at"] < ibis.timestamp(end))
    for name, told in KNOWN_LATER.items():
        if log.newest(name) >= end:
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
