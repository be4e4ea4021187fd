"""Databases that hold the tables: opened to be read only, their names translated, their faults told without secrets."""

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

from aiready.errors import AireadyError, InfrastructureError, InputError, UsageError, all_at_once
from aiready.inputs.files import ROW, canonical, column_names, read_csv
from aiready.model.schema import TABLES

EXTRAS = {"postgres": "postgres", "postgresql": "postgres", "spark": "spark"}
"""Databases that are opened through a driver, and the extra of this package that brings it."""
FILES = "duckdb"
MAP_COLUMNS = ("table", "column", "name")
_SECRET = re.compile(r"pass|secret|token|pwd|key", re.IGNORECASE)
_SECRETS_OF = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN", re.IGNORECASE)
_SYSTEM = re.compile(r"information_schema|pg_.*")
_OWN = ("aiready", "builtins", "duckdb", "_duckdb", "ibis", "numpy", "pandas", "pyarrow", "sqlglot")
"""Packages whose exceptions are faults of this program, not of a server: they keep their traceback."""


# Addresses -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Address:
    """Where a database is, and the file that says what its tables and columns are called: `URL#FILE`."""

    url: str
    map: Path | None = None

    @property
    def scheme(self) -> str:
        """What kind of database: `duckdb`, `postgres`, `spark`."""
        return self.url.partition("://")[0]


def address(location: str | Path) -> Address | None:
    """The address of a database; None for a folder or file."""
    if "://" not in str(location):
        return None
    url, _, names = str(location).partition("#")
    return Address(url, Path(names) if names else None)


def whole(location: str, names: Path | None = None) -> str:
    """A location as it reads from any folder: the whole path, or the address with its map."""
    return with_map(location, names) if address(location) or names or not location else str(Path(location).resolve())


def with_map(location: str, names: Path | None) -> str:
    """A database address with its map.

    Raises
    ------
    UsageError
        The location is no database.
    """
    where = address(location)
    if where and (names or where.map):
        return f"{where.url}#{(names or where.map or Path()).resolve()}"
    if names is not None:
        raise UsageError(f"{location}: a map goes with a database, and this is none. Rename columns in the files.")
    return location


# Names ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Names:
    """What things are called there, by what they are called here: tables, and columns of each table."""

    file: str = ""
    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_names(path: Path | None) -> Names:
    """Read a map: one row per table (`column` blank) or column, with its `name` in the database.

    Raises
    ------
    UsageError
        There is no such file.
    InputError
        A column is missing, or a row names what does not exist or what is named already: every such row.
    """
    if path is None:
        return Names()
    if not path.is_file():
        raise UsageError(f"{path}: there is no such map. Write one with the columns {', '.join(MAP_COLUMNS)}.")
    sheet = read_csv(path, MAP_COLUMNS, path.name)
    lacking = [name for name in MAP_COLUMNS if name not in sheet.columns]
    all_at_once(InputError, [f'{path.name}: the column "{name}" is missing. Add it.' for name in lacking])
    rows = sheet.batches.read_all().select([*MAP_COLUMNS, ROW]).to_pylist()
    given = [(row[ROW], *((row[name] or "").strip() for name in MAP_COLUMNS)) for row in rows]
    said = {(table, column): name for _, table, column, name in given}
    problems = [
        f"{path.name}, row {row}: {why}"
        for place, (row, *entry) in enumerate(given)
        if (why := _wrong(*entry, again=any(entry[:2] == earlier[1:3] for earlier in map(list, given[:place]))))
    ]
    all_at_once(InputError, problems)
    tables = {table: name for (table, column), name in said.items() if not column}
    columns = {
        table: {column: name for (of, column), name in said.items() if of == table and column}
        for table in dict.fromkeys(table for table, _ in said)
    }
    return Names(path.name, tables, columns)


def _wrong(table: str, column: str, name: str, *, again: bool) -> str:
    if table not in TABLES:
        return f'"{table}" is no table{_near(table, TABLES)}. Known: {", ".join(TABLES)}.'
    if again:
        return f"{table} {column}".strip() + " is named above already. Keep one of the rows."
    # the columns of responses are also the items, which the questionnaire names
    if column and table != "responses" and column not in TABLES[table].names:
        known = TABLES[table].names
        return f'"{column}" is no column of {table}{_near(column, known)}. Known: {", ".join(known)}.'
    return "" if name else f"{table} {column}".strip() + ": the name is blank. Say what it is called in the database."


def _near(text: str, known: Iterable[str]) -> str:
    near = get_close_matches(text, list(known), n=1)
    return f' (did you mean "{near[0]}"?)' if near else ""


def renamed(stored: ir.Table, names: Mapping[str, str], known: Sequence[str], file: str) -> dict[str, ir.Column]:
    """Columns of a stored table under the names they have here; `names` are those of the map.

    Raises
    ------
    InputError
        The map names a column that is not there, or a known one occurs twice.
    """
    problems = [
        f'{file}: there is no column "{there}", which the map names for {here}'
        f"{_near(there, tuple(stored.columns))}. It has: {', '.join(stored.columns[:40])}."
        for here, there in names.items()
        if there not in stored.columns
    ]
    all_at_once(InputError, problems)
    ours = {there: here for here, there in names.items()}
    header = [ours.get(name, f"{name} (not mapped)" if canonical(name) in names else name) for name in stored.columns]
    return {new: stored[old] for new, old in zip(column_names(header, known, file), stored.columns, strict=True)}


# Opening -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stored:
    """A table or view of a database: of which table here, where, and what messages call it."""

    table: str
    name: str
    schema: tuple[str, ...] = ()
    file: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


def connect(where: Address) -> BaseBackend:
    """Open a database to be read only; whoever may do so is known from the environment alone.

    Raises
    ------
    UsageError
        The address is of no known kind, holds a password, or its driver is not installed.
    InfrastructureError
        The database cannot be reached or lets nobody in.
    """
    if where.scheme not in EXTRAS:
        known = ", ".join((FILES, *EXTRAS))
        # an address may hold a password: it is not repeated
        raise UsageError(f"{where.scheme}:// is not read. Give a folder, an .xlsx workbook, or an address of {known}.")
    try:
        parts = urlsplit(where.url)
        _ = parts.port
    except ValueError as problem:
        raise UsageError(f"{where.scheme}://: this is no address ({problem}). Write host:port/database.") from None
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.password is not None or any(_SECRET.search(name) for name in asked):
        raise UsageError(
            f"{where.scheme}://: the address holds a password, which would be kept in shell histories and logs. "
            "Leave it out, and set it in the environment (PGPASSWORD) or a file only you can read (~/.pgpass)."
        )
    open_ = _spark if EXTRAS[where.scheme] == "spark" else _postgres
    try:
        with answering(where.scheme):
            return open_(parts, asked)
    except ImportError:
        raise UsageError(
            f'{where.scheme}:// needs a driver that is not installed: pip install "aiready[{EXTRAS[where.scheme]}]".'
        ) from None


def _postgres(parts: SplitResult, asked: Mapping[str, str]) -> BaseBackend:
    database, _, schema = unquote(parts.path.lstrip("/")).partition("/")
    given: dict[str, str | int | None] = {
        "host": parts.hostname,
        "port": parts.port,  # without one, what libpq takes from the environment
        "user": unquote(parts.username) if parts.username else None,
        "database": database or None,
        "schema": schema or None,
    }
    engine = ibis.postgres.connect(**(given | dict(asked)))
    engine.raw_sql("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY").close()
    return engine


def _spark(parts: SplitResult, asked: Mapping[str, str]) -> BaseBackend:
    """A session as Spark's own configuration says, or of the cluster that the address names."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("aiready").config("spark.ui.showConsoleProgress", "false")
    for name, value in asked.items():
        builder = builder.config(name, value)
    if parts.hostname:
        builder = builder.master(f"spark://{parts.netloc.rpartition('@')[2]}")
    return ibis.pyspark.connect(builder.getOrCreate())


def find(engine: BaseBackend, where: Address, names: Names) -> list[Stored]:
    """Tables and views of a database that are wanted: in the schema that the address names, else in all."""
    path = [part for part in unquote(urlsplit(where.url).path).split("/") if part]
    if where.scheme == "spark":
        schemas = path[:1] or [engine.current_database]
    else:
        schemas = path[1:2] or [name for name in sorted(engine.list_databases()) if not _SYSTEM.fullmatch(name)]
    listed = [(schema, name) for schema in schemas for name in sorted(engine.list_tables(database=schema))]
    if engine.name == "postgres":
        listed = sorted({*listed, *((schema, name) for schema, name in _materialized(engine) if schema in schemas)})
    return chosen(listed, names, where.scheme)


def _materialized(engine: Any) -> list[tuple[str, str]]:
    """Materialized views, which PostgreSQL does not list among tables and views."""
    with closing(engine.raw_sql("SELECT schemaname, matviewname FROM pg_matviews")) as answer:
        return answer.fetchall()


def chosen(listed: Iterable[tuple[str, str]], names: Names, file: str) -> list[Stored]:
    """Of tables by schema and name those that the map names, and those that are called like a table here."""
    mapped = [(table, tuple(name.split("."))) for table, name in names.tables.items()]
    alike = [(canonical(name), (schema, name)) for schema, name in listed]
    wanted = mapped + [(table, at) for table, at in alike if table in TABLES and table not in names.tables]
    return [
        Stored(table, at[-1], at[:-1], f"{file}[{'.'.join(at)}]", names.columns.get(table, {})) for table, at in wanted
    ]


def stored(engine: BaseBackend, one: Stored) -> ir.Table:
    """A table or view as it is stored.

    Raises
    ------
    InputError
        It is not there, or not for this user to see.
    """
    try:
        return engine.table(one.name, database=one.schema[0] if len(one.schema) == 1 else one.schema or None)
    except TableNotFound:
        raise InputError(
            f"{one.file}: there is no such table or view, or this user may not see it. Correct the map or the rights."
        ) from None


# Faults --------------------------------------------------------------------------------------------------


@contextmanager
def answering(what: str) -> Iterator[None]:
    """Tell what a database could not do in a sentence, without secrets and without where in the program it was.

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
        if type(problem).__module__.partition(".")[0] in _OWN:
            raise
        raise InfrastructureError(f"{what}: the database did not answer ({_plain(problem)}).") from None


def _plain(problem: Exception) -> str:
    """First line of what a driver says, with nothing in it that the environment keeps secret."""
    text = next(iter(str(problem).strip().splitlines()), type(problem).__name__)[:300]
    for name, value in os.environ.items():
        if _SECRETS_OF.search(name) and len(value) > 2:
            text = text.replace(value, "***")
    return text.rstrip(".")
