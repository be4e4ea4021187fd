"""Numbers that could be thousands: `1.200` is 1.2 to one country and 1200 to another."""

import pandas as pd

from aiready.inputs.files import FILE
from aiready.inputs.parse import GIVEN
from aiready.model.schema import Table

TEXT = "could be thousands or decimals (write 1200 or 1.2)"
COULD_BE = r"[+-]?[1-9]\d{0,2}\.\d{3}"
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
    texts = _texts(table, rows)
    asked = [column for column in table.columns if column.name in texts and (column.at_most or _UNLIMITED) >= 1000]
    shaped = {column.name: texts[column.name].str.fullmatch(COULD_BE) for column in asked}
    if not any(cells.any() for cells in shaped.values()):
        return {}
    comma, other, three = (_in_file(texts, pattern, rows) for pattern in (_COMMA, _OTHER_DECIMALS, _THREE_DECIMALS))
    a_round_one = _in_file({name: texts[name] for name in shaped}, COULD_BE.removesuffix(r"\d{3}") + r"\d\d0", rows)
    number = comma | (~(other | three) & a_round_one)
    doubtful = {"number": number, "integer": number | other | ~three}
    return {column.name: shaped[column.name] & doubtful[column.kind] for column in asked if column.kind in doubtful}


def _texts(table: Table, rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Numbers as they were given, of the columns that hold text; blank where a number is stored as one."""
    given = {column.name: rows.get(GIVEN + column.name) for column in table.columns if column.kind in _NUMBERS}
    return {
        name: cells.map(lambda cell: cell.strip() if isinstance(cell, str) else "")
        for name, cells in given.items()
        if cells is not None and not pd.api.types.is_numeric_dtype(cells.dtype)
    }


_NUMBERS = ("integer", "number", "share")


def _in_file(texts: dict[str, pd.Series], pattern: str, rows: pd.DataFrame) -> pd.Series:
    """True in every row of a file that has a number of a pattern."""
    marks = pd.DataFrame({name: cells.str.fullmatch(pattern) for name, cells in texts.items()}).any(axis=1)
    return marks.groupby(rows[FILE]).transform("any").astype(bool)
