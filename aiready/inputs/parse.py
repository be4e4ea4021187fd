"""Parse raw cells into the types of the schema, as Ibis expressions that run on any engine."""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from aiready.inputs.files import FILE, ROW, SUPERSEDED_BY, SURPLUS
from aiready.model.cell_values import (
    BLANK_WORDS,
    BLANK_WORDS_EXCEPT_IN_NAMES,
    DECIMAL_COMMAS,
    DOES_NOT_APPLY_WORDS,
    DONT_KNOW_WORDS,
    FORMULA_ERRORS,
    NO_ANSWER_WORDS,
    NO_WORDS,
    YES_WORDS,
)
from aiready.model.schema import DOES_NOT_APPLY, DONT_KNOW, LABELS, PERSON_COLUMNS, Column, Table

NO_LEVEL = -9.0
"""Stands for an answer that cannot be parsed, until its row is quarantined."""

RAW_PREFIX = "given "
"""Prefix of the columns that hold raw cells, beside the columns of their values."""

_SALT = "aiready:person:"
_IBIS_TYPES = {
    "text": "string", "id": "string", "url": "string", "check": "string", "wave": "string", "flag": "boolean",
    "integer": "int64", "number": "float64", "share": "float64", "date": "timestamp",
    "timestamp": "timestamp",
}  # fmt: skip


_QUANTITY_KINDS = ("integer", "number", "share", "date", "timestamp")
"""Kinds of columns in which a failed formula is an unreadable value; in others it is a blank."""

# An expression names its text as seldom as it can: engines plan every copy of a subexpression anew.


def blank_words(column: Column) -> tuple[str, ...]:
    """Words, in lower case, that mean a blank in a column."""
    names = column.kind == "id" or (column.kind == "text" and column.required)
    also = () if names and column.name not in PERSON_COLUMNS and not column.allowed else BLANK_WORDS_EXCEPT_IN_NAMES
    failed = FORMULA_ERRORS if column.kind in _QUANTITY_KINDS else ()
    return tuple(word for word in (*BLANK_WORDS, *also) if word not in (*column.allowed, *failed))


def is_blank(column: Column, cells: Any) -> Any:
    """True where a raw cell is blank or says so in words, in pandas or on an engine."""
    if isinstance(cells, pd.Series):
        if not (pd.api.types.is_string_dtype(cells.dtype) or cells.dtype == object):
            return cells.isna()
        texts = cells.map(lambda cell: cell.strip().lower() if isinstance(cell, str) else cell)
        return cells.isna() | texts.isin(blank_words(column))
    if cells.type().is_string():
        return cells.isnull() | cells.strip().lower().isin(blank_words(column))
    return cells.isnull() | cells.isnan() if cells.type().is_floating() else cells.isnull()


def _text_or_null(column: Column, cell: ir.Value) -> ir.StringValue:
    """Text of a cell; null where it is blank or says so in words."""
    text = _text(cell)
    text = _nfc_normalize(text) if column.kind == "id" and _can_normalize(text) else text
    return _is_one_of(text, blank_words(column)).ifelse(ibis.null("string"), text)


def _is_one_of(text: ir.StringValue, words: Collection[str]) -> ir.BooleanValue:
    """Whether a text is one of `words`, given in lower case; engines plan one pattern faster than many words."""
    return text.lower().re_search(f"^(?:{'|'.join(map(re.escape, words))})$")


def _can_normalize(text: ir.StringValue) -> bool:
    return bool(text.get_backend().name == "duckdb")


def _text(cell: ir.Value) -> ir.StringValue:
    """A cell as trimmed text."""
    return cell.strip() if cell.type().is_string() else _without_nan(cell).cast("string")


def _without_nan(cell: ir.Value) -> ir.Value:
    return cell.nullif(float("nan")) if cell.type().is_floating() else cell


def parse_number(text: ir.StringValue) -> ir.FloatingValue:
    """Number in a cell, with decimal point or comma; null for no number and for possible thousands (12,500)."""
    text = text.re_replace("^.*_.*$", "")  # some engines cast 1_000, others do not
    for pattern in DECIMAL_COMMAS:
        text = text.re_replace(pattern, r"\1.\2")
    value = text.try_cast("float64")
    for no_number in ("nan", "inf", "-inf"):
        value = value.nullif(float(no_number))
    return value


def parse_share(text: ir.StringValue) -> ir.FloatingValue:
    """Share in a cell, as a fraction or in per cent: `0.45` or `45 %`; null for no share."""
    divisor = ibis.cases((text.endswith("%"), 100.0), else_=1.0)
    return parse_number(text.re_replace(r"[\s\x{a0}\x{202f}]*%$", "")) / divisor


def parse_time(text: ir.StringValue) -> ir.TimestampValue:
    """Time in a cell, UTC without zone: ISO, 11.05.2026, or the serial number of a spreadsheet."""
    iso = text.re_replace(r"^(\d{1,2})\.(\d{1,2})\.(\d{4})", r"\3-\2-\1")
    # engines also cast `infinity`, `epoch`, years BC and after 9999: times that Python does not have
    iso = iso.re_extract(r"^\s*[12]\d{3}[^\d(][^(]*$", 0)
    # 20000-79999 are the days of 1954-2119 in the 1900 date system; 25569 is 1 January 1970
    serial = text.re_extract(r"^[2-7]\d{4}(?:\.\d+)?$", 0).try_cast("float64")
    from_serial = ((serial - 25569) * 86400).round().cast("int64").as_timestamp("s")
    return ibis.coalesce(iso.try_cast("timestamp('UTC')").cast("timestamp"), from_serial.cast("timestamp"))


def _without_zero_decimal(text: ir.StringValue) -> ir.StringValue:
    """`11.0` as `11`: spreadsheets and data frames write either for the same name."""
    group = "$1" if text.get_backend().name == "pyspark" else r"\1"  # how each refers to a group
    return text.re_replace(r"^(-?\d+)\.0$", group)


def _parse_wave(text: ir.StringValue) -> ir.StringValue:
    """Wave label; the first of a month becomes the month, as spreadsheets turn `2026-09` into a date."""
    label = text.upper().re_replace(r"^(\d{4}-\d{2})-01(T00:00:00)?$", r"\1")
    return label.re_extract(r"^\d{4}(?:-(?:Q[1-4]|0[1-9]|1[0-2]))?$", 0).nullif("")


def _parse_choice(allowed: tuple[str, ...], text: ir.StringValue) -> ir.StringValue:
    spelled = text.lower() if allowed[0].islower() else text.upper()
    return spelled.re_extract(f"^(?:{'|'.join(allowed)})$", 0).nullif("")


def _parse_flag(text: ir.StringValue) -> ir.BooleanValue:
    return ibis.cases(
        (_is_one_of(text, YES_WORDS), True), (_is_one_of(text, NO_WORDS), False), else_=ibis.null("boolean")
    )


def _parse_check(text: ir.StringValue) -> ir.StringValue:
    is_date = parse_time(text).notnull()
    words = ((_is_one_of(text, YES_WORDS), "yes"), (_is_one_of(text, NO_WORDS), "no"))
    return ibis.cases(*words, (is_date, "yes"), else_=ibis.null("string"))


def _native_value(cell: ir.Value, kind: str) -> ir.Value | None:
    """Value of a cell that is stored as a number, flag or time of the right kind; None if it must be parsed."""
    stored = cell.type()
    if kind in ("integer", "number", "share") and stored.is_numeric():
        return _without_nan(cell) if stored.is_floating() else cell
    if kind == "flag" and stored.is_boolean():
        return cell
    if kind in ("date", "timestamp") and (stored.is_timestamp() or stored.is_date()):
        utc = cell.cast("timestamp('UTC')") if stored.is_timestamp() and stored.timezone else cell
        return utc.cast("timestamp")
    return None


def is_native(column: Column, cell: ir.Value) -> bool:
    """Whether a column is stored in its type in the schema, so that its cells are values and no text."""
    return _native_value(cell, column.kind) is not None


def parse_cell(column: Column, cell: ir.Value) -> ir.Value:
    """Value of a cell in the type of the schema; null where it is blank or cannot be parsed."""
    native = _native_value(cell, column.kind)
    if column.kind in ("date", "timestamp"):
        time = parse_time(_text(cell)) if native is None else native
        return time.truncate("D") if column.kind == "date" else time
    if native is not None:
        return native
    if column.allowed:
        return _parse_choice(column.allowed, _text(cell))
    if _is_name(column):
        return _without_zero_decimal(_text_or_null(column, cell))
    parsers = {
        "integer": parse_number, "number": parse_number, "share": parse_share,
        "wave": _parse_wave, "flag": _parse_flag, "check": _parse_check,
    }  # fmt: skip
    return parsers[column.kind](_text(cell)) if column.kind in parsers else _text_or_null(column, cell)


def needs_parsing(column: Column, cell: ir.Value) -> ir.BooleanValue | bool:
    """True where a stored cell is no value of the schema yet; cheaper than parsing it."""
    native = _native_value(cell, column.kind)
    if native is not None:
        return cell.isnan() if cell.type().is_floating() else False
    if column.kind not in ("text", "id", "url") or column.allowed or not cell.type().is_string():
        return True
    if _can_normalize(cell):
        distinct_texts = cell.name("cell").as_table().distinct().limit(_MAX_DISTINCT + 1).to_pandas()["cell"].dropna()
        if len(distinct_texts) <= _MAX_DISTINCT:
            return any(_text_needs_parsing(column, text) for text in distinct_texts)
    differs = cell.startswith(" ") | cell.endswith(" ") | _is_one_of(cell, blank_words(column))
    if column.kind == "id" and _can_normalize(cell):
        differs = differs | (cell != _nfc_normalize(cell))
    return differs | cell.endswith(".0") if _is_name(column) else differs


_MAX_DISTINCT = 2000
"""Distinct texts of a local column that are tested one by one, which is faster than testing every row."""


def _is_name(column: Column) -> bool:
    return column.kind == "id" or column.name in LABELS


def _text_needs_parsing(column: Column, text: str) -> bool:
    """Whether a stored text is no value of the schema yet."""
    plain = text.strip()
    composed = unicodedata.normalize("NFC", plain) if column.kind == "id" else plain
    return text != composed or plain.lower() in blank_words(column) or (_is_name(column) and text.endswith(".0"))


def parse_answer(cell: ir.Value, levels: int) -> ir.FloatingValue:
    """Level answered to an item, or the code of an answer without a level; null for no answer."""
    text = _text(cell).lower().replace("’", "'").fill_null("")
    scale = [float(level) for level in range(1, levels + 1)]
    level, with_comma = _text(cell).try_cast("float64"), text.replace(",", ".").try_cast("float64")
    codes = ((DOES_NOT_APPLY_WORDS, DOES_NOT_APPLY), (DONT_KNOW_WORDS, DONT_KNOW), (NO_ANSWER_WORDS, None))
    others = [(_is_one_of(text, words), ibis.literal(code, "float64")) for words, code in codes]
    return ibis.cases(
        (level.isin(scale), level),
        *others,
        (with_comma.isin(scale), with_comma),
        else_=ibis.literal(NO_LEVEL, "float64"),
    )


def hash_person_code(text: ir.StringValue) -> ir.StringValue:
    """Twelve hex digits in place of a person's code, the same on every engine."""
    salted = ibis.literal(_SALT) + text
    if text.get_backend().name == "postgres":  # its digest takes and returns bytes only
        return _encode(_sha256(_convert_to(salted, "UTF8")), "hex").substr(0, 12)
    return salted.hexdigest("sha256").substr(0, 12)


def engine_function(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator for a function that the engine has: Ibis uses the types; the body only documents what it does."""
    decorator: Callable[[Callable[..., Any]], Callable[..., Any]] = ibis.udf.scalar.builtin(name=name)
    return decorator


@engine_function("convert_to")
def _convert_to(text: str, encoding: str) -> bytes:
    return text.encode(encoding)


@engine_function("nfc_normalize")
def _nfc_normalize(text: str) -> str:
    return unicodedata.normalize("NFC", text)


@engine_function("sha256")
def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


@engine_function("encode")
def _encode(content: bytes, how: str) -> str:
    return {"hex": content.hex}[how]()


def parse_table(
    table: Table,
    raw: ir.Table,
    *,
    levels: Mapping[str, int] = MappingProxyType({}),
    as_is: Collection[str] = (),
) -> ir.Table:
    """Parse a raw table: the columns of the schema and items that it has, with `FILE` and `ROW`.

    Parameters
    ----------
    table, raw
        The schema's table, and its raw cells with `FILE` and `ROW`.
    levels
        Scale points of each item column of `responses`.
    as_is
        Columns whose stored cells already are values: used without parsing.

    Returns
    -------
    ibis.expr.types.Table
        Each column that parsing may fail for comes with its raw cells (`RAW_PREFIX` and its name).
    """
    answers = {item: parse_answer(raw[item], top) for item, top in levels.items() if item in raw.columns}
    positions = [name for name in (FILE, ROW, SURPLUS, SUPERSEDED_BY) if name in raw.columns]
    return raw.select(*positions, **parse_columns(table, raw, as_is), **answers)


def parse_columns(table: Table, raw: ir.Table, as_is: Collection[str]) -> dict[str, ir.Value]:
    """Values of the schema's columns that the raw table has, with the raw cells of those that parsing may fail for."""
    columns = [column for column in table.columns if column.name in raw.columns]
    raw_cells = {RAW_PREFIX + c.name: raw[c.name] for c in columns if c.name not in as_is and _may_fail(c)}
    return raw_cells | {column.name: _column_value(table, column, raw[column.name], as_is) for column in columns}


def with_all_columns(table: Table, rows: ir.Table) -> ir.Table:
    """Parsed rows with every column of the schema: absent ones null, integers as int64."""
    kinds = {column.name: _IBIS_TYPES[column.kind] for column in table.columns}
    absent = {name: ibis.null(kind) for name, kind in kinds.items() if name not in rows.columns}
    integers = {name: rows[name].cast(kind) for name, kind in kinds.items() if name in rows.columns and kind == "int64"}
    return rows.mutate(**absent, **integers)


def _may_fail(column: Column) -> bool:
    return column.required or bool(column.allowed) or column.kind not in ("text", "id", "url")


def _column_value(table: Table, column: Column, cell: ir.Value, as_is: Collection[str]) -> ir.Value:
    native = _native_value(cell, column.kind) if column.name in as_is else None
    value = parse_cell(column, cell) if column.name not in as_is else cell if native is None else native
    return hash_person_code(value) if column.name in table.hashed else value
