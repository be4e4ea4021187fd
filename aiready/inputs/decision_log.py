"""Check the decision log, the one table too big for memory, on the engine that holds it: DuckDB or a server."""

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

from aiready.errors import InputError, raise_all
from aiready.inputs.column_types import cell_text, cell_texts
from aiready.inputs.database import database_errors
from aiready.inputs.duckdb_engine import duckdb_errors
from aiready.inputs.files import FILE, ROW
from aiready.inputs.load import is_in_place, store_table
from aiready.inputs.parse import RAW_PREFIX, is_native, needs_parsing, parse_columns, parse_table, with_all_columns
from aiready.inputs.validate import (
    Rule,
    duplicate_rows,
    fetch_quarantine,
    quarantine_rows,
    quarantine_table,
    table_rules,
)
from aiready.model.schema import Table

KNOWN_FROM = {
    "decided_at": ("final_decision",),
    "advice_at": ("advice", "advice_confidence"),
    "outcome_at": ("correct_decision",),
    "reversed_at": (),
}  # fmt: skip
"""Time column -> columns whose values were not known before that time."""


@dataclass(frozen=True)
class DecisionLog:
    """The checked decisions: `rows` on the engine, rows read, rows left out, and the newest time of each event."""

    rows: ir.Table
    n_read: int
    quarantine: pd.DataFrame
    facts: pd.Series
    after_as_of: int = 0

    def newest(self, name: str) -> pd.Timestamp:
        """Newest time in a column; NaT where it holds none."""
        return pd.Timestamp(self.facts.get(name, pd.NaT))


def clean_columns(table: Table, raw: ir.Table) -> list[str]:
    """Columns of a stored log whose cells already are values of the schema, so that no query has to parse them."""
    tests = {c.name: needs_parsing(c, raw[c.name]) for c in table.columns if c.name in raw.columns}
    engine_tests = {name: test.any().fill_null(False) for name, test in tests.items() if not isinstance(test, bool)}
    results = raw.aggregate(**engine_tests).to_pandas().iloc[0] if engine_tests else {}
    return [name for name, test in tests.items() if not results.get(name, test)]


def check_log(engine: Backend, table: Table, raw: ir.Table, known_ids: Mapping[str, Sequence[str]]) -> DecisionLog:
    """Parse, count and quarantine the decision log of a file without fetching it.

    A log whose columns are clean stays where it is; any other is parsed once into a table of the engine.

    Raises
    ------
    InputError
        A view of the database file fails, or the file is damaged.
    """
    with duckdb_errors(table.name):
        return _check_log(engine, table, raw, known_ids)


def _check_log(engine: Backend, table: Table, raw: ir.Table, known_ids: Mapping[str, Sequence[str]]) -> DecisionLog:
    as_is = clean_columns(table, raw) if is_in_place(raw) else []
    rows = parse_table(table, raw, as_is=as_is)
    if set(as_is) != set(table.names) & set(raw.columns):
        rows = engine.create_table(f"{table.name} typed", rows)
    rules = table_rules(table, rows, levels={}, known_ids=known_ids)
    masks, broken, facts = evaluate_rules(table, rows, rules)
    left_out = pd.DataFrame()
    if facts["broken"]:
        left_out = fetch_quarantine(cell_texts(raw), rows.filter(broken).select(FILE, ROW, **masks).to_pandas(), rules)
        rows = rows.filter(~broken)
    duplicates = _duplicate_ids(rows)
    if len(duplicates):
        left_out = pd.concat([left_out, duplicate_rows(cell_texts(raw), duplicates, table.key)], ignore_index=True)
        rows = rows.anti_join(store_table(engine, "decisions again", pa.Table.from_pandas(duplicates)), [FILE, ROW])
    return DecisionLog(with_all_columns(table, rows), int(facts["read"]), left_out, facts)


def evaluate_rules(
    table: Table, rows: ir.Table, rules: Sequence[Rule]
) -> tuple[dict[str, ir.BooleanValue], ir.BooleanValue, pd.Series]:
    """Masks of the rows that break each rule (by its number) and that break any, and facts about the rows.

    Facts: rows in all (`read`), rows that break a rule (`broken`), and the newest time of each event in the others.
    """
    masks = {f"{number}": rule.broken.fill_null(False) for number, rule in enumerate(rules)}
    broken = reduce(or_, masks.values())
    marked = rows.mutate(_broken=broken)
    counted = {"read": marked.count(), "broken": marked["_broken"].sum().fill_null(0)}
    event_columns = [column.name for column in table.columns if column.happened and column.name in rows.columns]
    newest = {name: marked[name].max(where=~marked["_broken"]) for name in event_columns}
    return masks, broken, marked.aggregate(**counted, **newest).to_pandas().iloc[0]


def _duplicate_ids(used: ir.Table) -> pd.DataFrame:
    """Rows that repeat an earlier decision_id: FILE, ROW and the `first` row of that id.

    Grouping hashes takes a third of the memory of grouping ids; ids of equal hashes are then compared in full.
    """
    hashed = used.select(FILE, ROW, "decision_id", hash=used["decision_id"].hash())
    repeated = hashed.group_by("hash").aggregate(n=hashed.count()).filter(ibis._.n > 1)
    rows = hashed.semi_join(repeated, "hash").select(FILE, ROW, "decision_id").to_pandas()
    rows = rows.sort_values([FILE, ROW], ignore_index=True)
    rows["first"] = rows.groupby("decision_id")[ROW].transform("first")
    return rows.loc[rows.duplicated("decision_id"), [FILE, ROW, "first"]]


# On a database server, by reading alone -------------------------------------------------------------------

_STORED = "stored "
_TURN = "turn"
_EXPECTED_TYPES = {
    "integer": "a whole number", "number": "a number", "share": "a number", "date": "a date", "timestamp": "a time",
}  # fmt: skip


@database_errors("decisions")
def check_remote_log(table: Table, raw: ir.Table, known_ids: Mapping[str, Sequence[str]]) -> DecisionLog:
    """Parse, count and quarantine a decision log on a server without writing there; only rows left out are fetched.

    Of several rows with one id the earliest counts. Rows on a server have no number, so quarantine leaves it blank.

    Raises
    ------
    InputError
        Times or numbers are stored as text: every such column, and how to fix it.
    """
    raise_all(InputError, _type_problems(table, raw))
    names = [name for name in table.names if name in raw.columns]
    cells = parse_columns(table, raw, clean_columns(table, raw))
    rows = raw.select(FILE, **{_STORED + name: cell_text(raw[name]) for name in names}, **cells)
    rules = table_rules(table, rows, levels={}, known_ids=known_ids)
    masks, broken, facts = evaluate_rules(table, rows, rules)
    left_out = []
    if facts["broken"]:
        left_out.append(quarantine_rows(_fetch_rows(rows.filter(broken), masks), names, rules))
        rows = rows.filter(~broken)
    ids = rows.group_by("decision_id").aggregate(n=rows.count())
    if ids.filter(ids["n"] > 1).count().execute():
        turns = rows.mutate(**{_TURN: _turn_within_id(table, rows)})
        left_out.append(_duplicates(_fetch_rows(turns.filter(turns[_TURN] > 0), {}), names))
        rows = turns.filter(turns[_TURN] == 0)
    quarantine = pd.concat(left_out, ignore_index=True) if left_out else pd.DataFrame()
    return DecisionLog(with_all_columns(table, rows), int(facts["read"]), quarantine, facts)


def _type_problems(table: Table, raw: ir.Table) -> list[str]:
    """One sentence that names every column whose times or numbers are stored as another type; [] without one."""
    mismatches = [
        f"{column.name} is {raw[column.name].type()}, wanted is {_EXPECTED_TYPES[column.kind]}"
        for column in table.columns
        if column.name in raw.columns and column.kind in _EXPECTED_TYPES and not is_native(column, raw[column.name])
    ]
    if not mismatches:
        return []
    file = raw.select(FILE).limit(1).to_pandas()[FILE].iloc[0]
    return [
        f"{file}: {'; '.join(mismatches)}. A log is counted where it lies, and nothing is written there: make a view "
        "that casts them (CREATE VIEW ... AS SELECT CAST(... AS timestamp) ...), and name it in the map (--map)."
    ]


def _turn_within_id(table: Table, rows: ir.Table) -> ir.IntegerColumn:
    """Number of a row among the rows with its id, from 0, ordered by time and then by all other columns."""
    names = [name for name in table.names if name in rows.columns and name != "decision_id"]
    time_first = sorted(names, key=lambda name: name != "opened_at")
    return ibis.row_number().over(ibis.window(group_by="decision_id", order_by=time_first))


def _fetch_rows(rows: ir.Table, masks: Mapping[str, ir.BooleanValue]) -> pd.DataFrame:
    """Fetch rows with their cells as stored and the masks, sorted by their cells."""
    names = {name: RAW_PREFIX + name.removeprefix(_STORED) for name in rows.columns if name.startswith(_STORED)}
    fetched = rows.select(FILE, *names, **masks).to_pandas().astype(object).rename(columns=names)
    order = fetched[list(names.values())].astype(str).sort_values(list(names.values())).index
    return fetched.loc[order].reset_index(drop=True).assign(**{ROW: ""})


def _duplicates(rows: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    reasons = {
        "column": "decision_id",
        "value": rows[RAW_PREFIX + "decision_id"],
        "rule": "same decision_id as another row",
    }
    return quarantine_table(rows, columns, pd.DataFrame(reasons, index=rows.index))


# As known on a day ----------------------------------------------------------------------------------------


@database_errors("decisions")
def log_as_of(log: DecisionLog, as_of: date) -> DecisionLog:
    """The log as known at the end of a day: without later decisions, and with later events blank."""
    end = pd.Timestamp(as_of) + timedelta(days=1)
    rows, after = log.rows, 0
    if log.newest("opened_at") >= end:
        after = int(rows.filter(rows["opened_at"] >= ibis.timestamp(end)).count().execute())
        rows = rows.filter(rows["opened_at"] < ibis.timestamp(end))
    for name, dependents in KNOWN_FROM.items():
        if log.newest(name) >= end:
            later = (rows[name] >= ibis.timestamp(end)).fill_null(False)
            columns = {column: rows[column] for column in (name, *dependents)}
            rows = rows.mutate(**{name: later.ifelse(ibis.null(cell.type()), cell) for name, cell in columns.items()})
    return replace(log, rows=rows, after_as_of=after)


def with_wave(log: DecisionLog, columns: Sequence[str]) -> ir.Table:
    """The decisions as measures use them: the schema's columns and `wave`, the quarter of `opened_at`."""
    opened = log.rows["opened_at"]
    wave = opened.year().cast("string") + "-Q" + opened.quarter().cast("string")
    return log.rows.select(*columns, wave=wave)
