"""Files to tables on the engine, every cell as given; what cannot be read, or lacks a column, is told."""

import re
from collections.abc import Sequence
from dataclasses import replace

import duckdb
import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends import BaseBackend
from ibis.backends.duckdb import Backend

from aiready.errors import InputError, all_at_once
from aiready.inputs import column_types, duckdb_engine
from aiready.inputs import database as warehouses
from aiready.inputs.database import Stored
from aiready.inputs.discover import ABOUT, Found, Place
from aiready.inputs.duckdb_engine import connect as connect
from aiready.inputs.files import FILE, ROW, SURPLUS, Sheet, column_names, read_csv, read_workbook_sheet
from aiready.instrument.model import Instrument
from aiready.model.schema import TABLES, Table

IN_PLACE = "decisions"
"""The one table that is never copied as a whole: it is counted where it lies."""
_LONGEST = 200
"""Signs of a name or reason that a message repeats."""


def load(engine: Backend, found: Found, rules: Instrument) -> tuple[dict[str, ir.Table], dict[str, str], list[str]]:
    """Every table as given, what `about` says, and notes; every unreadable file in one error.

    The engine is locked before it looks at the first table: it opens the files of `found` and no other.
    """
    database = next((place.path for place in found.places if place.stored and not place.engine), None)
    duckdb_engine.lock(engine, (place.path for place in found.places if _is_parquet(place)), database)
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
            with duckdb_engine.telling(own[0].file):
                given = _given(engine, TABLES[name], own, items)
        except InputError as problem:
            problems.append(str(problem))
            continue
        if given is None:
            notes.append(f"{', '.join(place.file for place in own)} holds no rows and counts as absent.")
            continue
        raw[name] = given if name == IN_PLACE else _fetched(engine, TABLES[name], given, items, own[0].file)
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
    for some in _together(places):
        try:
            part = _part(engine, some, known)
            lacking = _lacking(table, some[0], part.columns, items) if part is not None else []
            problems += lacking
            parts += [part] if part is not None and not lacking else []
        except InputError as problem:
            problems.append(str(problem))
    all_at_once(InputError, problems)
    return _stacked(engine, table, parts)


def _is_parquet(place: Place) -> bool:
    return place.stored is None and place.path.suffix.lower() == ".parquet"


def _together(places: Sequence[Place]) -> list[list[Place]]:
    """Places that are read at once: the parts of a folder of Parquet files, however many; every other alone."""
    if len(places) > 1 and all(map(_is_parquet, places)):
        return [list(places)]
    return [[place] for place in places]


def _part(engine: Backend, places: Sequence[Place], known: Sequence[str]) -> Sheet | ir.Table | None:
    try:
        return _read(engine, places, known)
    except OSError as problem:
        raise unreadable(places[0].file, problem) from problem


def unreadable(file: str, problem: OSError) -> InputError:
    """What to say of a file that is gone, locked, or on a disk that fails."""
    return InputError(
        f"{file}: cannot be opened ({problem.strerror}). Check that it is there and that you may read it."
    )


def _read(engine: Backend, places: Sequence[Place], known: Sequence[str]) -> Sheet | ir.Table | None:
    place = places[0]
    if place.stored is not None:
        if place.engine is not None:
            return _from_warehouse(place.engine, place.stored, known)
        return _from_database(engine, place.stored, known)
    if gone := next((place for place in places if not place.path.is_file()), None):
        raise InputError(f"{gone.file}: this is no file with rows in it, or it is gone. Put the file itself there.")
    if _is_parquet(place):
        return _parquet(engine, places, known)
    if place.sheet is not None:
        return _of_partition(read_workbook_sheet(place.path, place.sheet, known, place.file), place, known)
    return _of_partition(read_csv(place.path, known, place.file), place, known)


def _of_partition(sheet: Sheet | None, place: Place, known: Sequence[str]) -> Sheet | None:
    """A table with what the folders around its file say of every row (`unit_id=claims/`)."""
    if sheet is None or not place.partition:
        return sheet
    names = column_names(list(place.partition), known, place.file)
    rows = sheet.batches.read_all()
    added = [(name, said) for name, said in zip(names, place.partition.values(), strict=True) if name not in rows]
    for name, said in added:
        rows = rows.append_column(name, pa.array([said] * len(rows), pa.string()))
    columns = (*sheet.columns, *(name for name, _ in added))
    return Sheet(sheet.file, columns, pa.RecordBatchReader.from_batches(rows.schema, rows.to_batches()))


def _from_warehouse(engine: BaseBackend, one: Stored, known: Sequence[str]) -> ir.Table | None:
    """A table or view of a database server, where it lies; None where it holds no row."""
    with warehouses.answering(one.file):
        there = column_types.alike(engine, warehouses.stored(engine, one), one)
        columns = warehouses.renamed(there, one.columns, known, one.file)
        given = there.select(**columns, **{FILE: ibis.literal(one.file)})
        return given if given.limit(1).count().execute() else None


def _from_database(engine: Backend, one: Stored, known: Sequence[str]) -> ir.Table:
    """A table or view of the attached DuckDB file, where it lies."""
    inside = replace(one, schema=(duckdb_engine.DATABASE, *(one.schema or ("main",))))
    with duckdb_engine.telling(one.file):
        try:
            there = warehouses.stored(engine, inside)
        except duckdb.CatalogException as problem:
            raise InputError(
                f"{one.file}: the view names a table or function that is not there ({cause(problem)}). Write "
                "main.<table> in it; functions of extensions cannot be used."
            ) from problem
        asked = "SELECT count(*) FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? AND table_name = ?"
        ((is_table,),) = engine.con.execute(asked, [*inside.schema, one.name]).fetchall()
        row = there.rowid() if is_table else ibis.row_number()  # a view has no rows of its own to number
        alike = column_types.alike(engine, there.mutate(**{_NUMBER: row}), inside)
        columns = warehouses.renamed(alike, one.columns, known, one.file)
        columns[ROW] = columns.pop(_NUMBER) + 1
        return alike.select(**columns, **{FILE: ibis.literal(one.file)})


_NUMBER = "_aiready_number"


def _fetched(engine: Backend, table: Table, given: ir.Table, items: Sequence[str], file: str) -> ir.Table:
    """A small table copied here, its times and broken numbers as text; of a server its known columns alone.

    Rows have no order on a server: they are put into that of their key.
    """
    if given.get_backend() is engine:
        if not is_stored(given):
            return given
        with duckdb_engine.telling(file):
            return store(engine, f"{table.name} as given", column_types.legible(given).to_pyarrow())
    known = [name for name in _known(table, items) if name in given.columns]
    with warehouses.answering(table.name):
        rows = column_types.legible(given.select(FILE, *known)).to_pyarrow()
    order = [name for name in dict.fromkeys((*table.key, *known)) if name in known]
    rows = rows.sort_by([(name, "ascending") for name in order])
    return store(engine, f"{table.name} as given", rows.append_column(ROW, pa.array(range(1, len(rows) + 1))))


def _parquet(engine: Backend, places: Sequence[Place], known: Sequence[str]) -> ir.Table:
    """One Parquet file, or all parts of a folder, where they lie."""
    file = places[0].file
    several: dict[str, str | bool] = {"filename": _PATH, "union_by_name": True} if len(places) > 1 else {}
    paths = [duckdb_engine.pattern(place.path) for place in places]
    try:
        rows = engine.read_parquet(paths, file_row_number=True, hive_partitioning=False, **several)
    except Exception as problem:  # DuckDB and Ibis raise many kinds; all mean that the file is broken
        raise InputError(f"{file}: cannot be read as Parquet ({cause(problem)}). Write it again.") from problem
    given = [name for name in rows.columns if name not in ("file_row_number", *several.values())]
    columns = {new: rows[old] for new, old in zip(column_names(given, known, file), given, strict=True)}
    above = len(duckdb_engine.whole(places[0].path)) - len(file)
    label = rows[_PATH].substr(above) if several else ibis.literal(file)
    columns = _of_folders(label, places, known) | columns  # what stands in the files goes before
    return rows.select(**columns, **{FILE: label, ROW: rows["file_row_number"] + 2})


_PATH = "_path"


def _of_folders(label: ir.StringValue, places: Sequence[Place], known: Sequence[str]) -> dict[str, ir.Value]:
    """Columns that folders around the files name (`unit_id=claims/`), in the order of their names."""
    keys = list(dict.fromkeys(key for place in places for key in place.partition))
    columns: dict[str, ir.Value] = {}
    for name, key in zip(column_names(keys, known, places[0].file), keys, strict=True):
        written = f"/{re.escape(key)}=([^/]*)/"
        said = {found[1]: place.partition[key] for place in places if (found := re.search(written, place.file))}
        value = label.re_extract(written, 1).nullif("")
        other = [(raw, ibis.literal(text, "string")) for raw, text in said.items() if raw != text]
        columns[name] = value.cases(*other, else_=value) if other else value
    return columns


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
