"""Kinds of stored columns: text that every engine compares as Python does, times and numbers that Python may not have.

A column without regard to case, one padded with spaces, an enumeration: here each is the plain text that it shows.
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

from aiready.inputs.database import Stored
from aiready.inputs.files import canonical
from aiready.model.schema import TABLES

_PADDED = "__CHAR_VARCHAR_TYPE_STRING"
"""Where Spark keeps that a text column is a `char` of fixed length."""
_BINARY = "UTF8_BINARY"
"""Spark's collation that compares signs and nothing else."""


def alike(engine: BaseBackend, there: ir.Table, one: Stored) -> ir.Table:
    """A stored table with the same columns, whose text compares as Python compares it, sign for sign.

    Numbers, flags and times stay; everything else becomes text.
    """
    odd = _ODD[engine.name](engine, there, one)
    numbers = {column.name for column in TABLES[one.table].columns if column.kind in ("integer", "number", "share")}
    mapped = {one.columns[number] for number in numbers if number in one.columns}
    columns = {}
    for name in there.columns:
        column = there[name]
        if column.type().is_decimal() and (name in mapped or canonical(name) in numbers):
            columns[name] = column.cast("float64")  # a decimal may be NaN too, which only floats are asked for
        elif column.type().is_string() or not _stays(column.type()):
            text = column if column.type() == dt.string else column.cast(dt.string)  # `varchar(12) not null` too
            columns[name] = _plain(engine.name, text) if name in odd else text
        else:
            columns[name] = column
    return there.select(**columns)


def _stays(kind: dt.DataType) -> bool:
    return kind.is_string() or kind.is_numeric() or kind.is_boolean() or kind.is_timestamp() or kind.is_date()


def legible(table: ir.Table) -> ir.Table:
    """The table with columns that hold what Python has not (`infinity`, year 294247) as the text they show.

    So are columns of any other kind than text, numbers, flags, dates and times.
    """
    tests = {
        name: test.any().fill_null(False) for name in table.columns if (test := _beyond_python(table[name])) is not None
    }
    beyond = table.aggregate(**tests).to_pandas().iloc[0] if tests else {}
    odd = [name for name in table.columns if beyond.get(name, not _stays(table[name].type()))]
    return table.mutate(**{name: shown(table[name]) for name in odd}) if odd else table


def as_texts(table: ir.Table) -> ir.Table:
    """The table with times and broken numbers as text, for rows that are shown and not counted."""
    changed = {name: shown(table[name]) for name in table.columns if not _plain_cell(table[name])}
    return table.mutate(**changed) if changed else table


def shown(column: ir.Value) -> ir.Value:
    """What a cell shows as text; whole numbers and flags stay as they are, NaN is blank, as data frames write it."""
    kind = column.type()
    if _plain_cell(column):
        return column
    if kind.is_floating():
        return column.nullif(float("nan")).cast("string")
    return column.cast("string").nullif("NaN") if kind.is_decimal() else column.cast("string")


def _plain_cell(column: ir.Value) -> bool:
    kind = column.type()
    return kind.is_string() or kind.is_integer() or kind.is_boolean()


def _beyond_python(column: ir.Value) -> ir.BooleanValue | None:
    """True where a time or number is one that Python lacks; None for kinds that have none."""
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


# What compares otherwise, engine by engine --------------------------------------------------------------------


def _of_postgres(engine: Any, there: ir.Table, one: Stored) -> Collection[str]:
    """Columns that are no plain text, or whose collation takes different texts for the same."""
    del there
    asked = (
        "SELECT a.attname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
        "LEFT JOIN pg_collation c ON c.oid = a.attcollation WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 "
        "AND NOT (t.typname IN ('text', 'varchar') AND coalesce(c.collisdeterministic, true))"
    )
    quoted = (part.replace('"', '""') for part in (*one.schema, one.name))
    with closing(engine.raw_sql(asked, params=[".".join(f'"{part}"' for part in quoted)])) as answer:
        return {name for (name,) in answer.fetchall()}


def _of_duckdb(engine: Any, there: ir.Table, one: Stored) -> Collection[str]:
    """Enumerations, and text columns that take `a` for `A` or `ä`; found out on no row at all."""
    del one
    nothing = there.limit(0)
    texts = [name for name in there.columns if there[name].type().is_string()]
    asked = {name: reduce(or_, (nothing[name].max().coalesce(a) == b for a, b in _ALIKE)) for name in texts}
    same = engine.execute(nothing.aggregate(**asked)).iloc[0] if asked else {}
    kinds = engine.con.execute(f"DESCRIBE {there.compile()}").fetchall()
    return {name for name in texts if same[name]} | {name for name, kind, *_ in kinds if kind.startswith("ENUM")}


_ALIKE = (("a", "A"), ("a", "ä"), ("\u00e4", "a\u0308"))
"""Pairs that Python tells apart."""


def _of_spark(engine: Any, there: ir.Table, one: Stored) -> Collection[str]:
    """Text columns of fixed length, and those whose collation is another."""
    del there
    fields = engine._session.table(".".join(f"`{part}`" for part in (*one.schema, one.name))).schema.fields
    return {
        field.name
        for field in fields
        if _PADDED in field.metadata or getattr(field.dataType, "collation", _BINARY) != _BINARY
    }


_ODD: dict[str, Callable[[Any, ir.Table, Stored], Collection[str]]] = {
    "postgres": _of_postgres, "duckdb": _of_duckdb, "pyspark": _of_spark,
}  # fmt: skip


def _plain(engine: str, text: ir.StringValue) -> ir.StringValue:
    """Text freed of its kind and collation: through bytes and back, which have neither."""
    if engine == "postgres":
        return _convert_from(_convert_to(_text(text), "UTF8"), "UTF8")
    return _decode(_encode(text)) if engine == "duckdb" else text.cast("binary").cast("string").rstrip()


# Functions that the databases have: Ibis takes their names and types.


@ibis.udf.scalar.builtin(name="text")
def _text(value: str) -> str:
    return value


@ibis.udf.scalar.builtin(name="convert_to")
def _convert_to(text: str, encoding: str) -> bytes:
    return text.encode(encoding)


@ibis.udf.scalar.builtin(name="convert_from")
def _convert_from(content: bytes, encoding: str) -> str:
    return content.decode(encoding)


@ibis.udf.scalar.builtin(name="encode")
def _encode(text: str) -> bytes:
    return text.encode()


@ibis.udf.scalar.builtin(name="decode")
def _decode(content: bytes) -> str:
    return content.decode()
