"""Convert stored columns to types that compare as in Python and that Python can hold.

Case-insensitive columns, columns padded with spaces and enumerations become the plain text that they show.
"""

from collections.abc import Callable, Collection
from contextlib import closing
from functools import reduce
from operator import or_
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
from ibis.backends import BaseBackend

from aiready.inputs.database import StoredTable
from aiready.inputs.files import canonical
from aiready.inputs.parse import engine_function
from aiready.model.schema import TABLES

_PADDED = "__CHAR_VARCHAR_TYPE_STRING"
"""Key of a field's metadata by which Spark marks a `char` of fixed length."""
_BINARY = "UTF8_BINARY"
"""Spark's collation that compares character by character."""


def comparable_as_in_python(engine: BaseBackend, rows: ir.Table, stored: StoredTable) -> ir.Table:
    """A stored table with the same columns, whose text compares character by character, as in Python.

    Numbers, flags and times keep their types; every other type becomes text.
    """
    unusual = _UNUSUAL_COLUMNS[engine.name](engine, rows, stored)
    numbers = {column.name for column in TABLES[stored.table].columns if column.kind in ("integer", "number", "share")}
    mapped = {stored.columns[name] for name in numbers if name in stored.columns}
    columns = {}
    for name in rows.columns:
        column = rows[name]
        if column.type().is_decimal() and (name in mapped or canonical(name) in numbers):
            columns[name] = column.cast("float64")  # a decimal may be NaN, which only floats are tested for
        elif column.type().is_string() or not _keeps_type(column.type()):
            text = column if column.type() == dt.string else column.cast(dt.string)  # `varchar(12) not null` too
            columns[name] = _plain_text(engine.name, text) if name in unusual else text
        else:
            columns[name] = column
    return rows.select(**columns)


def _keeps_type(kind: dt.DataType) -> bool:
    tests = (kind.is_string, kind.is_numeric, kind.is_boolean, kind.is_timestamp, kind.is_date)
    return any(test() for test in tests)


def representable_in_python(table: ir.Table) -> ir.Table:
    """The table with columns that Python cannot hold (`infinity`, year 294247) as text.

    So are columns of any type but text, numbers, flags, dates and times.
    """
    tests = {
        name: test.any().fill_null(False) for name in table.columns if (test := _beyond_python(table[name])) is not None
    }
    out_of_range = table.aggregate(**tests).to_pandas().iloc[0] if tests else {}
    names = [name for name in table.columns if out_of_range.get(name, not _keeps_type(table[name].type()))]
    return table.mutate(**{name: cell_text(table[name]) for name in names}) if names else table


def cell_texts(table: ir.Table) -> ir.Table:
    """The table with times and fractional numbers as text, for rows that are shown and not counted."""
    changed = {name: cell_text(table[name]) for name in table.columns if not _shows_as_stored(table[name])}
    return table.mutate(**changed) if changed else table


def cell_text(column: ir.Value) -> ir.Value:
    """Cells as text, NaN as blank; text, whole numbers and flags stay as they are."""
    kind = column.type()
    if _shows_as_stored(column):
        return column
    if kind.is_floating():
        return column.nullif(float("nan")).cast("string")
    return column.cast("string").nullif("NaN") if kind.is_decimal() else column.cast("string")


def _shows_as_stored(column: ir.Value) -> bool:
    kind = column.type()
    return any(test() for test in (kind.is_string, kind.is_integer, kind.is_boolean))


def _beyond_python(column: ir.Value) -> ir.BooleanValue | None:
    """True where Python has no such time or number; None for types that it covers in full."""
    kind = column.type()
    if kind.is_timestamp():
        return (column < ibis.timestamp("1000-01-01")) | (column > ibis.timestamp("9999-12-31 00:00:00"))
    if kind.is_date():
        return (column < ibis.date("1000-01-01")) | (column > ibis.date("9999-12-31"))
    if kind.is_floating():
        return column.isinf()
    if kind.is_decimal():
        number = column.cast("float64")
        return number.isinf() | number.isnan()
    return None


# Columns that do not compare as in Python, by engine ----------------------------------------------------------


def _unusual_in_postgres(engine: Any, rows: ir.Table, stored: StoredTable) -> Collection[str]:
    """Columns that are no plain text, or whose collation takes different texts as equal."""
    del rows
    query = (
        "SELECT a.attname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
        "LEFT JOIN pg_collation c ON c.oid = a.attcollation WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 "
        "AND NOT (t.typname IN ('text', 'varchar') AND coalesce(c.collisdeterministic, true))"
    )
    quoted = (part.replace('"', '""') for part in (*stored.schema, stored.name))
    with closing(engine.raw_sql(query, params=[".".join(f'"{part}"' for part in quoted)])) as answer:
        return {name for (name,) in answer.fetchall()}


def _unusual_in_duckdb(engine: Any, rows: ir.Table, stored: StoredTable) -> Collection[str]:
    """Enumerations, and text columns whose collation takes `a` as equal to `A` or `ä`; tested without reading a row."""
    del stored
    no_rows = rows.limit(0)
    texts = [name for name in rows.columns if rows[name].type().is_string()]
    tests = {name: reduce(or_, (no_rows[name].max().coalesce(a) == b for a, b in _DISTINCT_PAIRS)) for name in texts}
    equal = engine.execute(no_rows.aggregate(**tests)).iloc[0] if tests else {}
    kinds = engine.con.execute(f"DESCRIBE {rows.compile()}").fetchall()
    return {name for name in texts if equal[name]} | {name for name, kind, *_ in kinds if kind.startswith("ENUM")}


_DISTINCT_PAIRS = (("a", "A"), ("a", "ä"), ("\u00e4", "a\u0308"))
"""Pairs that differ in Python."""


def _unusual_in_spark(engine: Any, rows: ir.Table, stored: StoredTable) -> Collection[str]:
    """Text columns of fixed length, and those with another collation."""
    del rows
    fields = engine._session.table(".".join(f"`{part}`" for part in (*stored.schema, stored.name))).schema.fields
    return {
        field.name
        for field in fields
        if _PADDED in field.metadata or getattr(field.dataType, "collation", _BINARY) != _BINARY
    }


_UNUSUAL_COLUMNS: dict[str, Callable[[Any, ir.Table, StoredTable], Collection[str]]] = {
    "postgres": _unusual_in_postgres, "duckdb": _unusual_in_duckdb, "pyspark": _unusual_in_spark,
}  # fmt: skip


def _plain_text(engine: str, text: ir.StringValue) -> ir.StringValue:
    """Text without its type and collation: converted to bytes, which have neither, and back."""
    if engine == "postgres":
        return _convert_from(_convert_to(_text(text), "UTF8"), "UTF8")
    return _decode(_encode(text)) if engine == "duckdb" else text.cast("binary").cast("string").rstrip()


# Functions of the databases: Ibis uses only the names and types of these definitions.


@engine_function("text")
def _text(value: str) -> str:
    return value


@engine_function("convert_to")
def _convert_to(text: str, encoding: str) -> bytes:
    return text.encode(encoding)


@engine_function("convert_from")
def _convert_from(content: bytes, encoding: str) -> str:
    return content.decode(encoding)


@engine_function("encode")
def _encode(text: str) -> bytes:
    return text.encode()


@engine_function("decode")
def _decode(content: bytes) -> str:
    return content.decode()
