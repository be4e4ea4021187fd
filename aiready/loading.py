"""Files to tables on the engine, every cell as given; what cannot be read, or lacks a column, is told."""

import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends import BaseBackend
from ibis.backends.duckdb import Backend

from aiready import warehouses
from aiready.errors import InputError, all_at_once
from aiready.instrument import Instrument
from aiready.places import ABOUT, Found, Place
from aiready.readers import FILE, ROW, SURPLUS, Sheet, column_names, read_csv, read_workbook_sheet
from aiready.schema import TABLES, Table
from aiready.warehouses import Stored

IN_PLACE = "decisions"
"""The one table that is never copied as a whole: it is counted where it lies."""
_WAREHOUSE = "warehouse"
_LONGEST = 200
"""Signs of a name or reason that a message repeats."""


def connect() -> Backend:
    """A DuckDB of its own, in memory up to a limit and on disk beyond it."""
    engine = ibis.duckdb.connect(
        threads=min(4, os.cpu_count() or 1), memory_limit="3GB", temp_directory=tempfile.gettempdir()
    )
    engine.raw_sql("SET TimeZone = 'UTC'")  # naive times are UTC, whatever the machine says
    engine.raw_sql("SET enable_progress_bar = false")  # it goes to stdout, where --json and notebooks speak
    return engine


def load(engine: Backend, found: Found, rules: Instrument) -> tuple[dict[str, ir.Table], dict[str, str], list[str]]:
    """Every table as given, what `about` says, and notes; every unreadable file in one error."""
    items = rules.answer_columns
    raw: dict[str, ir.Table] = {}
    about: dict[str, str] = {}
    problems, notes = list(found.problems), list(found.notes)
    for name in dict.fromkeys(place.table for place in found.places):
        own = [place for place in found.places if place.table == name]
        try:
            if name == ABOUT:
                about = _about(own)
                continue
            given = _given(engine, TABLES[name], own, items)
        except InputError as problem:
            problems.append(str(problem))
            continue
        if given is None:
            notes.append(f"{', '.join(place.file for place in own)} holds no rows and counts as absent.")
            continue
        raw[name] = given if name == IN_PLACE else _fetched(engine, TABLES[name], given, items)
        notes += _ignored(TABLES[name], given, items, own)
    if not raw and not problems:
        problems.append(f"{found.places[0].path.parent}: no table holds a row. Fill at least one.")
    all_at_once(InputError, problems)
    return raw, about, notes


def _known(table: Table, items: Sequence[str]) -> tuple[str, ...]:
    return (*table.names, *items) if table.name == "responses" else table.names


def _given(engine: Backend, table: Table, places: Sequence[Place], items: Sequence[str]) -> ir.Table | None:
    """A table as its files give it, or None when they hold no row.

    Raises
    ------
    InputError
        When a file cannot be read or lacks a required column; every such file is named.
    """
    known = _known(table, items)
    problems: list[str] = []
    parts = []
    for place in places:
        try:
            part = _part(engine, place, known)
            lacking = _lacking(table, place, part.columns, items) if part is not None else []
            problems += lacking
            parts += [part] if part is not None and not lacking else []
        except InputError as problem:
            problems.append(str(problem))
    all_at_once(InputError, problems)
    return _stacked(engine, table, parts)


def _part(engine: Backend, place: Place, known: Sequence[str]) -> Sheet | ir.Table | None:
    try:
        return _read(engine, place, known)
    except OSError as problem:
        raise unreadable(place.file, problem) from problem


def unreadable(file: str, problem: OSError) -> InputError:
    """What to say of a file that is gone, locked, or on a disk that fails."""
    return InputError(
        f"{file}: cannot be opened ({problem.strerror}). Check that it is there and that you may read it."
    )


def _read(engine: Backend, place: Place, known: Sequence[str]) -> Sheet | ir.Table | None:
    if place.stored is not None and place.engine is not None:
        return _from_warehouse(place.engine, place.stored, known)
    if not place.path.is_file():
        raise InputError(f"{place.file}: this is no file with rows in it, or it is gone. Put the file itself there.")
    if place.stored is not None:
        return _from_database(engine, place.path, place.stored, known)
    if place.path.suffix.lower() == ".parquet":
        return _parquet(engine, place, known)
    if place.sheet is not None:
        return read_workbook_sheet(place.path, place.sheet, known, place.file)
    return read_csv(place.path, known, place.file)


def _from_warehouse(engine: BaseBackend, stored: Stored, known: Sequence[str]) -> ir.Table | None:
    """A table or view of a database server, where it lies; None where it holds no row."""
    with warehouses.answering(stored.file):
        there = warehouses.stored(engine, stored)
        named = warehouses.renamed(there, stored.columns, known, stored.file)
        given = there.select(**named, **{FILE: ibis.literal(stored.file)})
        return given if given.limit(1).count().execute() else None


def _from_database(engine: Backend, path: Path, stored: Stored, known: Sequence[str]) -> ir.Table:
    """A table or view of a DuckDB file, where it lies: attached to be read only."""
    quoted = str(path).replace("'", "''")
    engine.con.execute(f"ATTACH IF NOT EXISTS '{quoted}' AS {_WAREHOUSE} (READ_ONLY)")
    inside = replace(stored, schema=(_WAREHOUSE, *(stored.schema or ("main",))))
    try:
        there = warehouses.stored(engine, inside)
    except duckdb.Error as problem:
        raise InputError(
            f"{stored.file}: the view names a table without its schema. Write main.<table> in it."
        ) from problem
    asked = "SELECT count(*) FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? AND table_name = ?"
    ((is_table,),) = engine.con.execute(asked, [*inside.schema, stored.name]).fetchall()
    row = there.rowid() if is_table else ibis.row_number()  # a view has no rows of its own to number
    named = warehouses.renamed(there, stored.columns, known, stored.file)
    return there.select(**named, **{FILE: ibis.literal(stored.file), ROW: row + 1})


def _fetched(engine: Backend, table: Table, given: ir.Table, items: Sequence[str]) -> ir.Table:
    """A small table of a server, copied here: its known columns, in the order of its key, as rows have none there."""
    if given.get_backend() is engine:
        return given
    known = [name for name in _known(table, items) if name in given.columns]
    columns = {name: given[name] for name in known}
    plain = {name: column if _is_plain(column.type()) else column.cast("string") for name, column in columns.items()}
    with warehouses.answering(table.name):
        rows = given.select(FILE, **plain).to_pyarrow()
    order = [name for name in dict.fromkeys((*table.key, *known)) if name in known]
    rows = rows.sort_by([(name, "ascending") for name in order])
    return store(engine, f"{table.name} as given", rows.append_column(ROW, pa.array(range(1, len(rows) + 1))))


def _is_plain(kind: dt.DataType) -> bool:
    return kind.is_string() or kind.is_numeric() or kind.is_boolean() or kind.is_temporal()


def _parquet(engine: Backend, place: Place, known: Sequence[str]) -> ir.Table:
    try:
        stored = engine.read_parquet(place.path, file_row_number=True)
    except Exception as problem:  # DuckDB and Ibis raise many kinds; all mean that the file is broken
        why = str(problem).splitlines()[0]
        raise InputError(f"{place.file}: cannot be read as Parquet ({why}). Write it again.") from problem
    given = [name for name in stored.columns if name != "file_row_number"]
    names = column_names(given, known, place.file)
    named = {new: stored[old] for new, old in zip(names, given, strict=True)}
    return stored.select(**named, **{FILE: ibis.literal(place.file), ROW: stored["file_row_number"] + 2})


def _stacked(engine: Backend, table: Table, parts: Sequence[Sheet | ir.Table]) -> ir.Table | None:
    """The parts below each other, stored as text on the engine; a single Parquet file stays where it is."""
    if not parts:
        return None
    if len(parts) == 1 and isinstance(parts[0], ir.Table) and parts[0].get_backend() is not engine:
        return parts[0]
    if len(parts) == 1 and isinstance(parts[0], ir.Table):
        return parts[0] if parts[0].limit(1).count().execute() else None
    try:
        if len(parts) == 1:
            stored = store(engine, f"{table.name} as given", parts[0].batches)
        else:
            texts = [part.batches.read_all() if isinstance(part, Sheet) else _as_text(part) for part in parts]
            together = pa.concat_tables(texts, promote_options="default")
            stored = store(engine, f"{table.name} as given", together)
    except (pa.ArrowException, duckdb.Error) as problem:
        files = ", ".join(part.file for part in parts if isinstance(part, Sheet)) or table.name
        raise InputError(f"{files}: cannot be read as a table ({cause(problem)}). Export it again.") from problem
    return stored if stored.limit(1).count().execute() else None


def cause(problem: Exception) -> str:
    """Why a table cannot be read, in words for the one who made it."""
    text = str(problem)
    if "straddling" in text:
        return "a cell is longer than four million signs, or a quote is never closed"
    return text.splitlines()[0][:_LONGEST] if text else type(problem).__name__


def _as_text(part: ir.Table) -> pa.Table:
    return part.mutate(**{name: part[name].cast("string") for name in part.columns if name != ROW}).to_pyarrow()


def forget(engine: Backend, name: str) -> None:
    """Let the rows as given go, once they are typed."""
    engine.con.execute(f'DROP TABLE IF EXISTS "{name} as given"')


def store(engine: Backend, name: str, rows: pa.Table | pa.RecordBatchReader) -> ir.Table:
    """A table on the engine, streamed there batch by batch."""
    engine.con.register("incoming", rows)
    engine.con.execute(f'CREATE TABLE "{name}" AS SELECT * FROM incoming')
    engine.con.unregister("incoming")
    return engine.table(name)


def _lacking(table: Table, place: Place, columns: Sequence[str], items: Sequence[str]) -> list[str]:
    """Required columns that a file does not have, and what it has instead."""
    absent = [column.name for column in table.columns if column.required and column.name not in columns]
    has = f"It has: {named([name for name in columns if name not in (FILE, ROW, SURPLUS)], 40)}."
    problems = [f'{place.file}: the column "{name}" is missing. {has} Add or rename it.' for name in absent]
    if table.name == "responses" and not set(items) & set(columns):
        problems.append(
            f"{place.file}: no column is an item of the questionnaire ({', '.join(items[:3])}, ...). {has} "
            "Name each answer column after its item_id; `aiready import` does it for survey tools."
        )
    return problems


def _ignored(table: Table, given: ir.Table, items: Sequence[str], places: Sequence[Place]) -> list[str]:
    """One line on the columns that the table does not know."""
    known = {*_known(table, items), FILE, ROW, SURPLUS}
    extra = [name for name in given.columns if name not in known and not re.fullmatch(r"no header( \(\d+\))?", name)]
    if not extra:
        return []
    listed = named(extra, 8)
    word = "column is" if len(extra) == 1 else "columns are"
    return [f"{places[0].file}: {len(extra)} {word} not known and ignored ({listed})."]


def named(names: Sequence[str], most: int) -> str:
    """Names in a sentence: the first ones, each cut where it is endless."""
    short = [name if len(name) <= _LONGEST else name[:_LONGEST] + "..." for name in names[:most]]
    return ", ".join(short) + (", ..." if len(names) > most else "")


def _about(places: Sequence[Place]) -> dict[str, str]:
    """Organisation, notice and contact, as the file `about` says."""
    place = places[0]
    try:
        part = _part_as_text(place, ("key", "value"))
    except (OSError, pa.ArrowException) as problem:
        raise InputError(f"{place.file}: cannot be read ({cause(problem)}). Write it again.") from problem
    if part is None or not {"key", "value"} <= set(part.column_names):
        raise InputError(f'{place.file}: two columns are wanted, "key" and "value". Add or rename them.')
    keys, values = part["key"].to_pylist(), part["value"].to_pylist()
    return {key.strip(): (value or "").strip() for key, value in zip(keys, values, strict=True) if key}


def _part_as_text(place: Place, known: Sequence[str]) -> pa.Table | None:
    if place.sheet is not None:
        sheet = read_workbook_sheet(place.path, place.sheet, known, place.file)
    else:
        sheet = read_csv(place.path, known, place.file)
    return sheet.batches.read_all() if sheet else None


def is_stored(given: ir.Table) -> bool:
    """Whether a table is queried where it lies (Parquet), typed; else it is text that was copied here."""
    return not isinstance(given.op(), ops.DatabaseTable)
