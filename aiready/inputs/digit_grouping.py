"""Numbers that could be thousands: `1.200` is 1.2 to one country and 1200 to another."""

import pandas as pd

from aiready.inputs.files import FILE
from aiready.inputs.parse import RAW_PREFIX
from aiready.model.schema import Table

AMBIGUOUS_NUMBER = "could be thousands or decimals (write 1200 or 1.2)"
AMBIGUOUS_PATTERN = r"[+-]?[1-9]\d{0,2}\.\d{3}"
"""How a number is written whose point may stand before decimals or between thousands."""
_COMMA = r"[+-]?\d*,(?:\d{1,2}|\d{4,})(?:\s*%)?|[+-]?0\d*,\d{3}"
_OTHER_DECIMALS = r"[+-]?\d*\.(?:\d{1,2}|\d{4,})(?:\s*%)?"
_THREE_DECIMALS = r"[+-]?(?:0\d*|\d{4,})\.\d{3}"
_UNLIMITED = float("inf")


def could_be_thousands(table: Table, rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Cells of each number column whose point may stand before decimals or between thousands.

    Parameters
    ----------
    table, rows
        The schema's table and its typed rows, with cells as given and `FILE`.

    Notes
    -----
    Judged file by file, since each has one writer. `1.200` is ambiguous where a number of the file has a decimal
    comma; where no other number of the file surely has decimals and one of those in question ends in 0; and where
    whole numbers are wanted, unless the file writes three decimals throughout. What may not reach 1000, as a share,
    is never in question.
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
    """Numbers as they were given, of the columns that hold text; blank where a number is stored as one."""
    raw_cells = {column.name: rows.get(RAW_PREFIX + column.name) for column in table.columns if column.kind in _NUMBERS}
    return {
        name: cells.map(lambda cell: cell.strip() if isinstance(cell, str) else "")
        for name, cells in raw_cells.items()
        if cells is not None and not pd.api.types.is_numeric_dtype(cells.dtype)
    }


_NUMBERS = ("integer", "number", "share")


def _file_has(texts: dict[str, pd.Series], pattern: str, rows: pd.DataFrame) -> pd.Series:
    """True in every row of a file that has a number of a pattern."""
    matches = pd.DataFrame({name: cells.str.fullmatch(pattern) for name, cells in texts.items()}).any(axis=1)
    return matches.groupby(rows[FILE]).transform("any").astype(bool)
