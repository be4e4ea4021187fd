"""Load raw tables from files and databases onto the engine; report every unreadable file and missing column."""

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

from aiready.errors import InputError, raise_all
from aiready.inputs import column_types, database, duckdb_engine, slices
from aiready.inputs.database import StoredTable
from aiready.inputs.discover import ABOUT, Discovery, TablePart
from aiready.inputs.files import (
    FILE,
    ROW,
    SUPERSEDED_BY,
    SURPLUS,
    RawTable,
    column_names,
    read_csv,
    read_workbook_sheet,
)
from aiready.instrument.model import Instrument
from aiready.model.schema import TABLES, Table

IN_PLACE = "decisions"
"""The one table that is never copied: it is counted where it is stored."""
_INTERNAL = (FILE, ROW, SURPLUS, SUPERSEDED_BY)
_MAX_CHARACTERS = 200
"""Length of a name or reason that a message repeats."""


def load(
    engine: Backend, discovery: Discovery, rules: Instrument
) -> tuple[dict[str, ir.Table], dict[str, str], list[str]]:
    """Load every raw table, the entries of `about`, and notes; one error names every unreadable file.

    The engine is locked before it opens the first table: it can open the files of `discovery` and no others.
    """
    database_file = next((part.path for part in discovery.parts if part.stored and not part.engine), None)
    duckdb_engine.lock(engine, (part.path for part in discovery.parts if _is_parquet(part)), database_file)
    items = rules.answer_columns
    raw: dict[str, ir.Table] = {}
    about: dict[str, str] = {}
    problems, notes = list(discovery.problems), list(discovery.notes)
    for name in dict.fromkeys(part.table for part in discovery.parts):
        parts = sorted((part for part in discovery.parts if part.table == name), key=lambda part: part.is_slice)
        try:
            if name == ABOUT:
                about = _read_about(parts)
                continue
            with duckdb_engine.duckdb_errors(parts[0].file):
                rows = _stored_rows(engine, TABLES[name], parts, items)
        except InputError as problem:
            problems.append(str(problem))
            continue
        if rows is None:
            notes.append(f"{', '.join(part.file for part in parts)} holds no rows and counts as absent.")
            continue
        raw[name] = rows if name == IN_PLACE else _copy_small_table(engine, TABLES[name], rows, items, parts[0].file)
        notes += _ignored_columns_note(TABLES[name], rows, items, parts)
    if not raw and not problems:
        problems.append(f"{discovery.parts[0].path.parent}: no table holds a row. Fill at least one.")
    raise_all(InputError, problems)
    return raw, about, notes


def _schema_names(table: Table, items: Sequence[str]) -> tuple[str, ...]:
    return (*table.names, *items) if table.name == "responses" else table.names


def _stored_rows(engine: Backend, table: Table, parts: Sequence[TablePart], items: Sequence[str]) -> ir.Table | None:
    """Raw table from its parts; None if they hold no row.

    Raises
    ------
    InputError
        A file cannot be read or lacks a required column; every such file is named.
    """
    schema_names = _schema_names(table, items)
    problems: list[str] = []
    tables = []
    for group in _read_groups(parts):
        try:
            part = _read_group(engine, group, schema_names)
            missing = _missing_columns(table, group[0], part.columns, items) if part is not None else []
            problems += missing
            tables += [part] if part is not None and not missing else []
        except InputError as problem:
            problems.append(str(problem))
    raise_all(InputError, problems)
    return _stack(engine, table, tables, [part.file for part in parts if part.is_slice])


def _is_parquet(part: TablePart) -> bool:
    return part.stored is None and part.path.suffix.lower() == ".parquet"


def _read_groups(parts: Sequence[TablePart]) -> list[list[TablePart]]:
    """Parts that one call reads: all Parquet files of a folder together, every other part by itself."""
    if len(parts) > 1 and all(map(_is_parquet, parts)):
        return [list(parts)]
    return [[part] for part in parts]


def _read_group(engine: Backend, parts: Sequence[TablePart], schema_names: Sequence[str]) -> RawTable | ir.Table | None:
    try:
        return _read_by_kind(engine, parts, schema_names)
    except OSError as problem:
        raise unreadable(parts[0].file, problem) from problem


def unreadable(file: str, problem: OSError) -> InputError:
    """Error for a file that is gone, locked, or on a failing disk."""
    return InputError(
        f"{file}: cannot be opened ({problem.strerror}). Check that it is there and that you may read it."
    )


def _read_by_kind(
    engine: Backend, parts: Sequence[TablePart], schema_names: Sequence[str]
) -> RawTable | ir.Table | None:
    part = parts[0]
    if part.stored is not None:
        if part.engine is not None:
            return _server_table(part.engine, part.stored, schema_names)
        return _duckdb_table(engine, part.stored, schema_names)
    if missing := next((part for part in parts if not part.path.is_file()), None):
        raise InputError(f"{missing.file}: this is no file with rows in it, or it is gone. Put the file itself there.")
    if _is_parquet(part):
        return _read_parquet(engine, parts, schema_names)
    if part.sheet is not None:
        sheet = read_workbook_sheet(part.path, part.sheet, schema_names, part.file)
        return _with_partition_columns(sheet, part, schema_names)
    return _with_partition_columns(read_csv(part.path, schema_names, part.file), part, schema_names)


def _with_partition_columns(table: RawTable | None, part: TablePart, schema_names: Sequence[str]) -> RawTable | None:
    """A table with constant columns from the folders around its file (`unit_id=claims/`)."""
    if table is None or not part.partition:
        return table
    names = column_names(list(part.partition), schema_names, part.file)
    rows = table.batches.read_all()
    added = [(name, value) for name, value in zip(names, part.partition.values(), strict=True) if name not in rows]
    for name, value in added:
        rows = rows.append_column(name, pa.array([value] * len(rows), pa.string()))
    columns = (*table.columns, *(name for name, _ in added))
    return RawTable(table.file, columns, pa.RecordBatchReader.from_batches(rows.schema, rows.to_batches()))


def _server_table(engine: BaseBackend, stored: StoredTable, schema_names: Sequence[str]) -> ir.Table | None:
    """A table or view on a database server; None if it holds no row."""
    with database.database_errors(stored.file):
        rows = column_types.comparable_as_in_python(engine, database.open_table(engine, stored), stored)
        columns = database.rename_columns(rows, stored.columns, schema_names, stored.file)
        renamed = rows.select(**columns, **{FILE: ibis.literal(stored.file)})
        return renamed if renamed.limit(1).count().execute() else None


def _duckdb_table(engine: Backend, stored: StoredTable, schema_names: Sequence[str]) -> ir.Table:
    """A table or view of the attached DuckDB file."""
    attached = replace(stored, schema=(duckdb_engine.DATABASE, *(stored.schema or ("main",))))
    with duckdb_engine.duckdb_errors(stored.file):
        try:
            rows = database.open_table(engine, attached)
        except duckdb.CatalogException as problem:
            raise InputError(
                f"{stored.file}: the view names a table or function that is not there ({cause(problem)}). Write "
                "main.<table> in it; functions of extensions cannot be used."
            ) from problem
        query = "SELECT count(*) FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? AND table_name = ?"
        ((is_table,),) = engine.con.execute(query, [*attached.schema, stored.name]).fetchall()
        row_id = rows.rowid() if is_table else ibis.row_number()  # a view has no row ids
        comparable = column_types.comparable_as_in_python(engine, rows.mutate(**{_ROW_ID: row_id}), attached)
        columns = database.rename_columns(comparable, stored.columns, schema_names, stored.file)
        columns[ROW] = columns.pop(_ROW_ID) + 1
        return comparable.select(**columns, **{FILE: ibis.literal(stored.file)})


_ROW_ID = "_aiready_number"


def _copy_small_table(engine: Backend, table: Table, rows: ir.Table, items: Sequence[str], file: str) -> ir.Table:
    """Copy a small table to the engine, with values that Python cannot hold as text.

    From a server only columns of the schema are copied, and the rows, which have no order there, are sorted by key.
    """
    if rows.get_backend() is engine:
        if not is_in_place(rows):
            return rows
        with duckdb_engine.duckdb_errors(file):
            copied = column_types.representable_in_python(rows).to_pyarrow()
            return store_table(engine, f"{table.name} as given", copied)
    names = [name for name in _schema_names(table, items) if name in rows.columns]
    with database.database_errors(table.name):
        copied = column_types.representable_in_python(rows.select(FILE, *names)).to_pyarrow()
    order = [name for name in dict.fromkeys((*table.key, *names)) if name in names]
    copied = copied.sort_by([(name, "ascending") for name in order])
    return store_table(engine, f"{table.name} as given", copied.append_column(ROW, pa.array(range(1, len(copied) + 1))))


def _read_parquet(engine: Backend, parts: Sequence[TablePart], schema_names: Sequence[str]) -> ir.Table:
    """One Parquet file, or all parts of a folder, read in place."""
    file = parts[0].file
    folder_options: dict[str, str | bool] = {"filename": _PATH, "union_by_name": True} if len(parts) > 1 else {}
    paths = [duckdb_engine.glob_pattern(part.path) for part in parts]
    try:
        rows = engine.read_parquet(paths, file_row_number=True, hive_partitioning=False, **folder_options)
    except Exception as problem:  # DuckDB and Ibis raise many types; all mean that the file is damaged
        raise InputError(f"{file}: cannot be read as Parquet ({cause(problem)}). Write it again.") from problem
    names = [name for name in rows.columns if name not in ("file_row_number", *folder_options.values())]
    columns = {new: rows[old] for new, old in zip(column_names(names, schema_names, file), names, strict=True)}
    prefix = len(duckdb_engine.absolute_path(parts[0].path)) - len(file)
    label = rows[_PATH].substr(prefix) if folder_options else ibis.literal(file)
    columns = _partition_columns(label, parts, schema_names) | columns  # columns in the files take precedence
    return rows.select(**columns, **{FILE: label, ROW: rows["file_row_number"] + 2})


_PATH = "_path"


def _partition_columns(
    label: ir.StringValue, parts: Sequence[TablePart], schema_names: Sequence[str]
) -> dict[str, ir.Value]:
    """Columns from the folders around the files (`unit_id=claims/`), extracted from `label`, the file of each row."""
    keys = list(dict.fromkeys(key for part in parts for key in part.partition))
    columns: dict[str, ir.Value] = {}
    for name, key in zip(column_names(keys, schema_names, parts[0].file), keys, strict=True):
        pattern = f"/{re.escape(key)}=([^/]*)/"
        values = {match[1]: part.partition[key] for part in parts if (match := re.search(pattern, part.file))}
        value = label.re_extract(pattern, 1).nullif("")
        other = [(raw, ibis.literal(text, "string")) for raw, text in values.items() if raw != text]
        columns[name] = value.cases(*other, else_=value) if other else value
    return columns


def _stack(
    engine: Backend, table: Table, parts: Sequence[RawTable | ir.Table], slice_files: Sequence[str]
) -> ir.Table | None:
    """Store the parts on the engine as one table of text; a single stored table is not copied."""
    if not parts:
        return None
    if len(parts) == 1 and isinstance(parts[0], ir.Table) and parts[0].get_backend() is not engine:
        return parts[0]
    if len(parts) == 1 and isinstance(parts[0], ir.Table):
        return parts[0] if parts[0].limit(1).count().execute() else None
    try:
        if len(parts) == 1:
            stored = store_table(engine, f"{table.name} as given", parts[0].batches)
        else:
            texts = [part.batches.read_all() if isinstance(part, RawTable) else _as_text(part) for part in parts]
            combined = slices.mark_superseded(table, pa.concat_tables(texts, promote_options="default"), slice_files)
            stored = store_table(engine, f"{table.name} as given", combined)
    except (pa.ArrowException, duckdb.Error) as problem:
        files = ", ".join(part.file for part in parts if isinstance(part, RawTable)) or table.name
        raise InputError(f"{files}: cannot be read as a table ({cause(problem)}). Export it again.") from problem
    return stored if stored.limit(1).count().execute() else None


def cause(problem: Exception) -> str:
    """Reason why a table cannot be read, in words for its author."""
    text = str(problem)
    if "straddling" in text:
        return "a cell is longer than four million characters, or a quote is never closed"
    return text.splitlines()[0][:_MAX_CHARACTERS] if text else type(problem).__name__


def _as_text(part: ir.Table) -> pa.Table:
    return part.mutate(**{name: part[name].cast("string") for name in part.columns if name != ROW}).to_pyarrow()


def drop_raw_table(engine: Backend, name: str) -> None:
    """Drop a raw table from the engine once it is parsed."""
    engine.con.execute(f'DROP TABLE IF EXISTS "{name} as given"')


def store_table(engine: Backend, name: str, rows: pa.Table | pa.RecordBatchReader) -> ir.Table:
    """Store rows as a table of the engine, batch by batch."""
    engine.con.register("incoming", rows)
    engine.con.execute(f'CREATE TABLE "{name}" AS SELECT * FROM incoming')
    engine.con.unregister("incoming")
    return engine.table(name)


def _missing_columns(table: Table, part: TablePart, columns: Sequence[str], items: Sequence[str]) -> list[str]:
    """A problem for each required column that a file lacks, with the columns that it has."""
    absent = [column.name for column in table.columns if column.required and column.name not in columns]
    columns_there = f"It has: {abbreviated_names([name for name in columns if name not in _INTERNAL], 40)}."
    problems = [f'{part.file}: the column "{name}" is missing. {columns_there} Add or rename it.' for name in absent]
    if table.name == "responses" and not set(items) & set(columns):
        problems.append(
            f"{part.file}: no column is an item of the questionnaire ({', '.join(items[:3])}, ...). {columns_there} "
            "Name each answer column after its item_id; `aiready import` does it for survey tools."
        )
    return problems


def _ignored_columns_note(table: Table, rows: ir.Table, items: Sequence[str], parts: Sequence[TablePart]) -> list[str]:
    """A note on the columns that are not in the schema; [] without one."""
    used = {*_schema_names(table, items), *_INTERNAL}
    extra = [name for name in rows.columns if name not in used and not re.fullmatch(r"no header( \(\d+\))?", name)]
    if not extra:
        return []
    names = abbreviated_names(extra, 8)
    word = "column is" if len(extra) == 1 else "columns are"
    return [f"{parts[0].file}: {len(extra)} {word} not known and ignored ({names})."]


def abbreviated_names(names: Sequence[str], most: int) -> str:
    """The first names for a sentence, very long ones cut off."""
    short = [name if len(name) <= _MAX_CHARACTERS else name[:_MAX_CHARACTERS] + "..." for name in names[:most]]
    return ", ".join(short) + (", ..." if len(names) > most else "")


def _read_about(parts: Sequence[TablePart]) -> dict[str, str]:
    """Keys and values of the file `about`: organisation, notice, contact."""
    part = parts[0]
    try:
        table = read_text(part, ("key", "value"))
    except (OSError, pa.ArrowException) as problem:
        raise InputError(f"{part.file}: cannot be read ({cause(problem)}). Write it again.") from problem
    if table is None or not {"key", "value"} <= set(table.column_names):
        raise InputError(f'{part.file}: two columns are wanted, "key" and "value". Add or rename them.')
    keys, values = table["key"].to_pylist(), table["value"].to_pylist()
    return {key.strip(): (value or "").strip() for key, value in zip(keys, values, strict=True) if key}


def read_text(part: TablePart, schema_names: Sequence[str]) -> pa.Table | None:
    """All rows of a text file or sheet, as text; None for an empty sheet."""
    if part.sheet is not None:
        table = read_workbook_sheet(part.path, part.sheet, schema_names, part.file)
    else:
        table = read_csv(part.path, schema_names, part.file)
    return table.batches.read_all() if table else None


def is_in_place(rows: ir.Table) -> bool:
    """Whether a table is queried in place, with types (Parquet, server); otherwise it is text copied to the engine."""
    return not isinstance(rows.op(), ops.DatabaseTable)
