"""Find numbers whose point may separate thousands: `1.200` is 1.2 in one country and 1200 in another."""

import pandas as pd

from aiready.inputs.files import FILE
from aiready.inputs.parse import RAW_PREFIX
from aiready.model.schema import Table

AMBIGUOUS_NUMBER = "could be thousands or decimals (write 1200 or 1.2)"
AMBIGUOUS_PATTERN = r"[+-]?[1-9]\d{0,2}\.\d{3}"
"""Numbers whose point may stand before decimals or between thousands."""
_COMMA = r"[+-]?\d*,(?:\d{1,2}|\d{4,})(?:\s*%)?|[+-]?0\d*,\d{3}"
_OTHER_DECIMALS = r"[+-]?\d*\.(?:\d{1,2}|\d{4,})(?:\s*%)?"
_THREE_DECIMALS = r"[+-]?(?:0\d*|\d{4,})\.\d{3}"
_UNLIMITED = float("inf")


def could_be_thousands(table: Table, rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Mask of the ambiguous cells of each number column; {} if there are none.

    Parameters
    ----------
    table, rows
        The schema's table and its parsed rows, with raw cells and `FILE`.

    Notes
    -----
    Decided file by file, since a file has one writer. `1.200` is ambiguous if a number of the file has a decimal comma;
    if no other number of the file certainly has decimals and one of the doubtful numbers ends in 0; and in columns of
    integers, unless the file writes three decimals throughout. Columns limited to less than 1000, such as shares, are
    never ambiguous.
    """
    texts = _number_texts(table, rows)
    number_columns = [
        column for column in table.columns if column.name in texts and (column.at_most or _UNLIMITED) >= 1000
    ]
    ambiguous = {column.name: texts[column.name].str.fullmatch(AMBIGUOUS_PATTERN) for column in number_columns}
    if not any(cells.any() for cells in ambiguous.values()):
        return {}
    comma, other, three = (_file_has(texts, pattern, rows) for pattern in (_COMMA, _OTHER_DECIMALS, _THREE_DECIMALS))
    round_number = _file_has(
        {name: texts[name] for name in ambiguous}, AMBIGUOUS_PATTERN.removesuffix(r"\d{3}") + r"\d\d0", rows
    )
    number = comma | (~(other | three) & round_number)
    doubtful = {"number": number, "integer": number | other | ~three}
    return {
        column.name: ambiguous[column.name] & doubtful[column.kind]
        for column in number_columns
        if column.kind in doubtful
    }


def _number_texts(table: Table, rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Raw cells of the number columns that hold text; blank where a cell is stored as a number."""
    raw_cells = {column.name: rows.get(RAW_PREFIX + column.name) for column in table.columns if column.kind in _NUMBERS}
    return {
        name: cells.map(lambda cell: cell.strip() if isinstance(cell, str) else "")
        for name, cells in raw_cells.items()
        if cells is not None and not pd.api.types.is_numeric_dtype(cells.dtype)
    }


_NUMBERS = ("integer", "number", "share")


def _file_has(texts: dict[str, pd.Series], pattern: str, rows: pd.DataFrame) -> pd.Series:
    """True in every row of a file in which a number matches the pattern."""
    matches = pd.DataFrame({name: cells.str.fullmatch(pattern) for name, cells in texts.items()}).any(axis=1)
    return matches.groupby(rows[FILE]).transform("any").astype(bool)
