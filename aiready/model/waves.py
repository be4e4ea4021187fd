"""Parse and sort the labels of survey rounds and quarters (`2026-Q3`, `2026-09`, `2026`), called waves."""

import calendar
import re
from collections.abc import Iterable
from datetime import date
from functools import cache

UNDATED = "undated"
_PATTERN = re.compile(r"(?P<year>\d{4})(?:-(?:Q(?P<quarter>[1-4])|(?P<month>0[1-9]|1[0-2])))?")


def is_wave(label: str) -> bool:
    """Whether a label names a year, a quarter or a month.

    Examples
    --------
    >>> [is_wave(label) for label in ("2026-Q3", "2026-09", "2026", "2026-Q5", "autumn")]
    [True, True, True, False, False]
    """
    return _PATTERN.fullmatch(label) is not None


@cache
def last_day(label: str) -> date:
    """Last calendar day of a wave; `date.min` for `undated` and unknown labels, so that they sort first.

    Examples
    --------
    >>> last_day("2026-Q3"), last_day("2026-02"), last_day("2026")
    (datetime.date(2026, 9, 30), datetime.date(2026, 2, 28), datetime.date(2026, 12, 31))
    """
    match = _PATTERN.fullmatch(label)
    if match is None:
        return date.min
    year, month = int(match["year"]), int(match["month"] or 3 * int(match["quarter"] or 4))
    return date(year, month, calendar.monthrange(year, month)[1]) if year else date.min


def quarter(day: date) -> str:
    """Calendar quarter of a day.

    Examples
    --------
    >>> quarter(date(2026, 9, 30))
    '2026-Q3'
    """
    return f"{day.year}-Q{(day.month + 2) // 3}"


def sort_waves(labels: Iterable[str]) -> tuple[str, ...]:
    """Sort wave labels, oldest first, each once.

    Examples
    --------
    >>> sort_waves(["2026-Q3", "2025", "2026-06", "2026-Q3"])
    ('2025', '2026-06', '2026-Q3')
    """
    return tuple(sorted(set(labels), key=lambda label: (last_day(label), label)))


def quarter_of_wave(label: str) -> str:
    """Quarter whose decisions and feedback are shown with a survey wave: that of the wave's last day.

    Examples
    --------
    >>> quarter_of_wave("2026"), quarter_of_wave("undated")
    ('2026-Q4', 'undated')
    """
    return quarter(last_day(label)) if is_wave(label) else label
