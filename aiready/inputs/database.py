"""Open databases read-only, map their names to the schema, and report their errors without secrets."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import ibis
import ibis.expr.types as ir
from ibis.backends import BaseBackend
from ibis.common.exceptions import TableNotFound

from aiready.errors import AireadyError, InfrastructureError, InputError, UsageError, raise_all
from aiready.inputs.files import ROW, canonical, column_names, read_csv
from aiready.inputs.location import Address
from aiready.model.schema import TABLES

EXTRAS = {"postgres": "postgres", "postgresql": "postgres", "spark": "spark"}
"""Scheme of an address -> extra of this package that installs its driver."""
FILE_SCHEME = "duckdb"
MAP_COLUMNS = ("table", "column", "name")
_SECRET_OPTION = re.compile(r"pass|secret|token|pwd|key", re.IGNORECASE)
_SECRET_VARIABLE = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN", re.IGNORECASE)
_SYSTEM_SCHEMA = re.compile(r"information_schema|pg_.*")
_OWN_PACKAGES = ("aiready", "builtins", "duckdb", "_duckdb", "ibis", "numpy", "pandas", "pyarrow", "sqlglot")
"""Packages whose exceptions are errors of this program and not of a server: they keep their traceback."""


# Names ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NameMap:
    """Names in the schema -> names in the database: of tables, and of columns by table."""

    file: str = ""
    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_name_map(path: Path | None) -> NameMap:
    """Read a name map: one row per table (`column` blank) or column, with its `name` in the database.

    Raises
    ------
    UsageError
        There is no such file.
    InputError
        A column is missing, or rows name an unknown table or column or repeat one: every such row.
    """
    if path is None:
        return NameMap()
    if not path.is_file():
        raise UsageError(f"{path}: there is no such map. Write one with the columns {', '.join(MAP_COLUMNS)}.")
    sheet = read_csv(path, MAP_COLUMNS, path.name)
    missing = [name for name in MAP_COLUMNS if name not in sheet.columns]
    raise_all(InputError, [f'{path.name}: the column "{name}" is missing. Add it.' for name in missing])
    rows = sheet.batches.read_all().select([*MAP_COLUMNS, ROW]).to_pylist()
    entries = [(row[ROW], *((row[name] or "").strip() for name in MAP_COLUMNS)) for row in rows]
    names = {(table, column): name for _, table, column, name in entries}
    keys = [(table, column) for _, table, column, _ in entries]
    problems = [
        f"{path.name}, row {row}: {problem}"
        for index, (row, *entry) in enumerate(entries)
        if (problem := _entry_problem(*entry, repeated=keys[index] in keys[:index]))
    ]
    raise_all(InputError, problems)
    tables = {table: name for (table, column), name in names.items() if not column}
    columns = {
        table: {column: name for (of, column), name in names.items() if of == table and column}
        for table in dict.fromkeys(table for table, _ in names)
    }
    return NameMap(path.name, tables, columns)


def _entry_problem(table: str, column: str, name: str, *, repeated: bool) -> str:
    """What is wrong with a row of a name map; blank if nothing is."""
    if table not in TABLES:
        return f'"{table}" is no table{_did_you_mean(table, TABLES)}. Known: {", ".join(TABLES)}.'
    if repeated:
        return f"{table} {column}".strip() + " is named above already. Keep one of the rows."
    # the columns of responses are also the items, which the questionnaire names
    if column and table != "responses" and column not in TABLES[table].names:
        columns = TABLES[table].names
        return f'"{column}" is no column of {table}{_did_you_mean(column, columns)}. Known: {", ".join(columns)}.'
    return "" if name else f"{table} {column}".strip() + ": the name is blank. Say what it is called in the database."


def _did_you_mean(text: str, choices: Iterable[str]) -> str:
    near = get_close_matches(text, list(choices), n=1)
    return f' (did you mean "{near[0]}"?)' if near else ""


def rename_columns(
    stored: ir.Table, names: Mapping[str, str], schema_names: Sequence[str], file: str
) -> dict[str, ir.Column]:
    """Columns of a stored table by their names in the schema; `names` is the map for this table.

    Raises
    ------
    InputError
        The map names a column that does not exist, or two columns get the same name.
    """
    problems = [
        f'{file}: there is no column "{stored_name}", which the map names for {name_here}'
        f"{_did_you_mean(stored_name, tuple(stored.columns))}. It has: {', '.join(stored.columns[:40])}."
        for name_here, stored_name in names.items()
        if stored_name not in stored.columns
    ]
    raise_all(InputError, problems)
    names_here = {stored_name: name_here for name_here, stored_name in names.items()}
    header = [
        names_here.get(name, f"{name} (not mapped)" if canonical(name) in names else name) for name in stored.columns
    ]
    return {new: stored[old] for new, old in zip(column_names(header, schema_names, file), stored.columns, strict=True)}


# Opening -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StoredTable:
    """A table or view of a database: the schema table it holds, where it is, its name in messages, mapped columns."""

    table: str
    name: str
    schema: tuple[str, ...] = ()
    file: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


def connect(address: Address) -> BaseBackend:
    """Open a database read-only; credentials come from the environment only.

    Raises
    ------
    UsageError
        The address is of no known kind, holds a password, or its driver is not installed.
    InfrastructureError
        The database cannot be reached or refuses the connection.
    """
    if address.scheme not in EXTRAS:
        schemes = ", ".join((FILE_SCHEME, *EXTRAS))
        # an address may hold a password: it is not repeated
        raise UsageError(
            f"{address.scheme}:// is not read. Give a folder, an .xlsx workbook, or an address of {schemes}."
        )
    try:
        parts = urlsplit(address.url)
        _ = parts.port
    except ValueError as problem:
        raise UsageError(f"{address.scheme}://: this is no address ({problem}). Write host:port/database.") from None
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.password is not None or any(_SECRET_OPTION.search(name) for name in options):
        raise UsageError(
            f"{address.scheme}://: the address holds a password, which would be kept in shell histories and logs. "
            "Leave it out, and set it in the environment (PGPASSWORD) or a file only you can read (~/.pgpass)."
        )
    open_ = _spark if EXTRAS[address.scheme] == "spark" else _postgres
    try:
        with database_errors(address.scheme):
            return open_(parts, options)
    except ImportError:
        raise UsageError(
            f"{address.scheme}:// needs a driver that is not installed: "
            f'pip install "aiready[{EXTRAS[address.scheme]}]".'
        ) from None


def _postgres(parts: SplitResult, options: Mapping[str, str]) -> BaseBackend:
    database, _, schema = unquote(parts.path.lstrip("/")).partition("/")
    parameters: dict[str, str | int | None] = {
        "host": parts.hostname,
        "port": parts.port,  # without one, what libpq takes from the environment
        "user": unquote(parts.username) if parts.username else None,
        "database": database or None,
        "schema": schema or None,
    }
    engine = ibis.postgres.connect(**(parameters | dict(options)))
    engine.raw_sql("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY").close()
    return engine


def _spark(parts: SplitResult, options: Mapping[str, str]) -> BaseBackend:
    """Start a session by Spark's own configuration, or on the cluster that the address names."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("aiready").config("spark.ui.showConsoleProgress", "false")
    for name, value in options.items():
        builder = builder.config(name, value)
    if parts.hostname:
        builder = builder.master(f"spark://{parts.netloc.rpartition('@')[2]}")
    return ibis.pyspark.connect(builder.getOrCreate())


def list_tables(engine: BaseBackend, address: Address, names: NameMap) -> list[StoredTable]:
    """Tables and views that hold tables of ours: in the database schema that the address names, else in all."""
    path = [part for part in unquote(urlsplit(address.url).path).split("/") if part]
    if address.scheme == "spark":
        schemas = path[:1] or [engine.current_database]
    else:
        schemas = path[1:2] or [name for name in sorted(engine.list_databases()) if not _SYSTEM_SCHEMA.fullmatch(name)]
    tables = [(schema, name) for schema in schemas for name in sorted(engine.list_tables(database=schema))]
    if engine.name == "postgres":
        tables = sorted(
            {*tables, *((schema, name) for schema, name in _materialized_views(engine) if schema in schemas)}
        )
    return match_tables(tables, names, address.scheme)


def _materialized_views(engine: Any) -> list[tuple[str, str]]:
    """Schema and name of materialized views, which PostgreSQL does not list among tables and views."""
    with closing(engine.raw_sql("SELECT schemaname, matviewname FROM pg_matviews")) as answer:
        views: list[tuple[str, str]] = answer.fetchall()
        return views


def match_tables(tables: Iterable[tuple[str, str]], names: NameMap, file: str) -> list[StoredTable]:
    """Tables, given by schema and name, that the map names or that have the name of a schema table."""
    mapped = [(table, tuple(name.split("."))) for table, name in names.tables.items()]
    canonical_names = [(canonical(name), (schema, name)) for schema, name in tables]
    matches = mapped + [
        (table, path) for table, path in canonical_names if table in TABLES and table not in names.tables
    ]
    return [
        StoredTable(table, path[-1], path[:-1], f"{file}[{'.'.join(path)}]", names.columns.get(table, {}))
        for table, path in matches
    ]


def open_table(engine: BaseBackend, stored: StoredTable) -> ir.Table:
    """Open a table or view.

    Raises
    ------
    InputError
        It does not exist, or this user may not see it.
    """
    try:
        return engine.table(
            stored.name, database=stored.schema[0] if len(stored.schema) == 1 else stored.schema or None
        )
    except TableNotFound:
        raise InputError(
            f"{stored.file}: there is no such table or view, or this user may not see it. Correct the map or the "
            "rights."
        ) from None


# Errors --------------------------------------------------------------------------------------------------


@contextmanager
def database_errors(what: str) -> Iterator[None]:
    """Turn exceptions of a database driver into one sentence without secrets or traceback.

    Raises
    ------
    InfrastructureError
        In place of whatever the driver raised.
    """
    try:
        yield
    except (AireadyError, ImportError):
        raise
    except Exception as problem:
        if type(problem).__module__.partition(".")[0] in _OWN_PACKAGES:
            raise
        raise InfrastructureError(
            f"{what}: the database did not answer ({_message_without_secrets(problem)})."
        ) from None


def _message_without_secrets(problem: Exception) -> str:
    """First line of a driver's message, with secrets of the environment masked."""
    text = next(iter(str(problem).strip().splitlines()), type(problem).__name__)[:300]
    for name, value in os.environ.items():
        if _SECRET_VARIABLE.search(name) and len(value) > 2:
            text = text.replace(value, "***")
    return text.rstrip(".")
