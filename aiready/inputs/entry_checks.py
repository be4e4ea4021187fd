"""Check cells typed by hand before they are saved, by the rules of `aiready check`, one cell at a time."""

import re
from datetime import date
from functools import partial
from typing import Any

import pandas as pd

from aiready.inputs.digit_grouping import AMBIGUOUS_PATTERN
from aiready.inputs.parse import blank_words
from aiready.model.cell_values import NO_WORDS, YES_WORDS, parse_number
from aiready.model.schema import Column, Table
from aiready.model.waves import is_wave

NUMBERS = ("integer", "number", "share")


def value_of(column: Column, text: str) -> float | None:
    """Number in a cell of a column: a share may be written in per cent.

    Examples
    --------
    >>> from aiready.model.schema import TABLES
    >>> value_of(TABLES["tasks"].column("adoption"), "45 %"), value_of(TABLES["tasks"].column("headcount"), "45 %")
    (0.45, None)
    """
    cell = text.strip()
    if column.kind == "share" and cell.endswith("%"):
        value = parse_number(cell.removesuffix("%"))
        return None if value is None else value / 100
    return parse_number(cell)


def is_blank(column: Column, text: str) -> bool:
    """Whether a cell is blank or says so in words."""
    return text.strip().lower() in blank_words(column)


def cell_problem(column: Column, text: str) -> str:
    """Why a cell would be set aside, and how to fix it; blank for a valid cell.

    Examples
    --------
    >>> from aiready.model.schema import TABLES
    >>> cell_problem(TABLES["tasks"].column("adoption"), "60")
    'adoption: 60 is above 1. Write a share from 0 to 1, such as 0.6.'
    """
    cell = text.strip()
    if is_blank(column, cell):
        return f"{column.name} is missing. Fill it in." if column.required else ""
    if column.allowed:
        return "" if cell in column.allowed else f"{column.name}: {cell} is none of {', '.join(column.allowed)}."
    if column.kind in NUMBERS:
        return _number_problem(column, cell)
    if column.kind == "date":
        return "" if _is_date(cell) else f"{column.name}: {cell} is no date. Write it as 2026-05-11."
    if column.kind == "wave":
        return "" if is_wave(cell.upper()) else f"{column.name}: {cell} is no wave. Write 2026-Q3, 2026-09 or 2026."
    if column.kind == "check" and cell.lower() not in (*YES_WORDS, *NO_WORDS) and not _is_date(cell):
        return f"{column.name}: {cell} is neither yes nor no nor the date it was done."
    return ""


def _number_problem(column: Column, cell: str) -> str:
    value = value_of(column, cell)
    if column.kind == "integer" and re.fullmatch(AMBIGUOUS_PATTERN, cell):
        return f'{column.name}: "{cell}" could be thousands or decimals. Write it without a point.'
    if value is None:
        return f'{column.name}: "{cell}" is no number. Write it as {column.example or "12.5"}.'
    if column.kind == "integer" and value % 1:
        return f"{column.name}: {cell} is no whole number."
    hint = " Write a share from 0 to 1, such as 0.6." if column.kind == "share" else ""
    if column.at_least is not None and value < column.at_least:
        return f"{column.name}: {cell} is below {column.at_least:g}.{hint}"
    if column.at_most is not None and value > column.at_most:
        return f"{column.name}: {cell} is above {column.at_most:g}.{hint}"
    return ""


def _is_date(text: str) -> bool:
    try:
        return 1900 <= date.fromisoformat(text).year < 2200
    except ValueError:
        return False


def row_problems(table: Table, rows: pd.DataFrame, name: str) -> list[str]:
    """A problem for each cell of text rows that would be set aside, headed by the cell in the column `name`."""
    columns = [column for column in table.columns if column.name in rows]
    problems = []
    for row in rows.to_dict("records"):
        of_row = [cell_problem(column, row[column.name]) for column in columns]
        numbers = {column.name: value_of(column, row[column.name]) for column in columns if column.kind in NUMBERS}
        for early, late in table.ordered:
            low, high = numbers.get(early), numbers.get(late)
            if low is not None and high is not None and high < low:
                of_row.append(f"{late} is below {early}.")
        problems += [f"{row[name]}: {text}" for text in of_row if text]
    return problems


def typed_rows(table: Table, rows: pd.DataFrame) -> pd.DataFrame:
    """Convert text rows to types of measures: numbers float64, text `object` with None, dates `datetime64[ns]`."""
    typed: dict[str, Any] = {}
    for column in table.columns:
        cells = rows[column.name] if column.name in rows else pd.Series("", rows.index)
        if column.kind in NUMBERS:
            typed[column.name] = pd.Series([value_of(column, cell) for cell in cells], cells.index, dtype="float64")
        elif column.kind == "date":
            typed[column.name] = pd.to_datetime(cells.where(cells != ""), errors="coerce").astype("datetime64[ns]")
        else:
            typed[column.name] = cells.astype(object).mask(cells.map(partial(is_blank, column)), None)
    return pd.DataFrame(typed, index=rows.index)
