"""Notebook parameters as the text that was typed: `papermill -p` turns text that looks like a number into one.

`-p unit_id 12` arrives as the number 12, `007` as 7, `1e5` as 100000.0, `True` as a bool; `-r` leaves text alone.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from aiready.errors import UsageError

_WORDS = {"True": True, "False": False, "None": None}


def as_text(value: Any) -> str:
    """The value as text, for parameters without a list of possible values, such as folders."""
    return "" if value is None else str(value)


def parse_day(value: Any, kind: str = "as_of") -> date | None:
    """Parse a date; None where the value is blank.

    Raises
    ------
    UsageError
        It is no date.
    """
    if isinstance(value, date) or not as_text(value):
        return value or None
    try:
        return date.fromisoformat(as_text(value))
    except ValueError:
        raise UsageError(f'{kind} "{value}" is no date. Write it as 2026-09-30.') from None


def match_parameter(kind: str, value: Any, texts: Iterable[str]) -> str:
    """Find which of the possible texts a value was typed as; a value that is text is returned as it is.

    Parameters
    ----------
    kind
        Name of the parameter, for messages.

    Raises
    ------
    UsageError
        `papermill -p` reads several of the texts as this value.

    Examples
    --------
    >>> match_parameter("unit_id", 7, ["007", "12"]), match_parameter("wave", True, ["True"])
    ('007', 'True')
    """
    if isinstance(value, str):
        return value
    matches = sorted({text for text in texts if _equal_and_same_type(_read(text), value)})
    if len(matches) > 1:
        raise UsageError(
            f"{kind}: {value} may be {', '.join(matches)}: papermill -p reads all of them as one value. "
            f"Use -r in place of -p, which leaves text alone: papermill ... -r {kind} {matches[0]}"
        )
    return matches[0] if matches else as_text(value)


def _read(text: str) -> Any:
    """The value that `papermill -p` makes of a text."""
    if text in _WORDS:
        return _WORDS[text]
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _equal_and_same_type(one: Any, other: Any) -> bool:
    """Whether two values are equal and of the same type; NaN equals NaN."""
    return type(one) is type(other) and (one == other or (one != one and other != other))
