"""Mark text that a spreadsheet would run as a formula, wherever its cells begin."""

import re

import pandas as pd

_RUNS_AS_FORMULA = re.compile(r"[=+\-@\t\r]")
_PLAIN_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?")


def safe_cell(text: str) -> str:
    """Prefix text that a spreadsheet would run as a formula with an apostrophe; numbers stay.

    Examples
    --------
    >>> [safe_cell(text) for text in ("=1+1", "-5", "fine")]
    ["'=1+1", '-5', 'fine']
    """
    return f"'{text}" if _RUNS_AS_FORMULA.match(text) and not _PLAIN_NUMBER.fullmatch(text) else text


_AFTER_SEPARATOR = re.compile(r'([;\t\r\n]"*)(?=[=+\-@])(?![+-]?\d+(?:[.,]\d+)?[;\t\r\n])')
"""Where a spreadsheet with another separator, which may ignore our quotes, begins a new cell inside one of ours."""


def _safe_throughout(text: str) -> str:
    return _AFTER_SEPARATOR.sub(r"\1'", safe_cell(text))


def _safe_in_front(text: str) -> str:
    """The same at the start of a line, where such a spreadsheet reads a number into the next cell (`-5,0+cmd|...`)."""
    return f"'{text}" if text.startswith(("+", "-")) else _safe_throughout(text)


def safe_cells(table: pd.DataFrame) -> pd.DataFrame:
    """A table whose text cells and headers no spreadsheet runs, whether it separates by comma, semicolon or tab.

    Examples
    --------
    >>> safe_cells(pd.DataFrame({"id": ["-5", "a"], "=1+1": ["x;=2+2;y", "-5"]})).to_dict("list")
    {'id': ["'-5", 'a'], "'=1+1": ["x;'=2+2;y", '-5']}
    """
    safe = table.copy()
    for position in [position for position, dtype in enumerate(safe.dtypes) if pd.api.types.is_string_dtype(dtype)]:
        cells, make_safe = safe.iloc[:, position], _safe_throughout if position else _safe_in_front
        safer = {text: make_safe(text) for text in {cell for cell in cells if isinstance(cell, str)}}
        if any(text != cell for cell, text in safer.items()):  # seldom
            safe_column = cells.map(lambda cell, safer=safer: safer[cell] if isinstance(cell, str) else cell)
            safe.isetitem(position, safe_column)
    return safe.set_axis([_safe_throughout(f"{name}") for name in safe], axis=1)
