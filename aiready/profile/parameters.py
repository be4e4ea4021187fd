"""Values of notebook parameters as the text they were written as: `papermill -p` makes numbers of what looks like one.

`-p unit_id 12` arrives as the number 12, `007` as 7, `1e5` as 100000.0, `True` as a truth value; `-r` leaves text
alone.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from aiready.errors import UsageError

_WORDS = {"True": True, "False": False, "None": None}


def as_text(value: Any) -> str:
    """The value as text, where there is nothing to choose from, as of a folder."""
    return "" if value is None else str(value)


def parse_day(value: Any, kind: str = "as_of") -> date | None:
    """The date that a value was written as; None where it is blank.

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


def match_parameter(kind: str, value: Any, known: Iterable[str]) -> str:
    """The one of the known texts that a value was written as; a text as it is.

    Parameters
    ----------
    kind
        The parameter, for messages.

    Raises
    ------
    UsageError
        Several of them are read as this value.

    Examples
    --------
    >>> chosen("unit_id", 7, ["007", "12"]), chosen("unit_id", "12", ["007"]), match_parameter("wave", True, ["True"])
    ('007', '12', 'True')
    """
    if isinstance(value, str):
        return value
    alike = sorted({text for text in known if _equal_and_same_type(_read(text), value)})
    if len(alike) > 1:
        raise UsageError(
            f"{kind}: {value} may be {', '.join(alike)}: papermill -p reads all of them as one value. "
            f"Use -r in place of -p, which leaves text alone: papermill ... -r {kind} {alike[0]}"
        )
    return alike[0] if alike else as_text(value)


def _read(text: str) -> Any:
    """What `papermill -p` makes of a text."""
    if text in _WORDS:
        return _WORDS[text]
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _equal_and_same_type(one: Any, other: Any) -> bool:
    """Equal and of one type; what is no number is not equal to itself."""
    return type(one) is type(other) and (one == other or (one != one and other != other))
