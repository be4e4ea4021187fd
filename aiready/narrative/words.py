"""Counts, dates, names and effects as a reader says them."""

import textwrap
from collections.abc import Iterable
from datetime import date

import pandas as pd

from aiready import theme, waves

MANY = 10
"""Up to here numbers are written as words where they count things."""
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def counted(number: float, one: str, many: str = "") -> str:
    """A count with its noun.

    Examples
    --------
    >>> counted(1, "pilot"), counted(0, "pilot"), counted(12, "person", "people")
    ('one pilot', 'no pilots', '12 people')
    """
    return f"{in_words(number)} {one if int(number) == 1 else many or one + 's'}"


def in_words(number: float) -> str:
    """A count as a word up to ten, as a number beyond.

    Examples
    --------
    >>> in_words(3), in_words(12)
    ('three', '12')
    """
    return _WORDS[int(number)] if number <= MANY else theme.number(int(number))


def capital(text: str) -> str:
    """A text with a capital at its start, all else as it is.

    Examples
    --------
    >>> capital("AI steps"), capital("users in from idea")
    ('AI steps', 'Users in from idea')
    """
    return f"{text[:1].upper()}{text[1:]}"


LONG_NAME = 72
"""Characters of a name from which on a picture shortens it; tables and sentences say it whole."""


def short_names(names: Iterable[str], longest: int = LONG_NAME) -> list[str]:
    """Names for the rows of a picture: long ones cut at a word, equal ones told apart by a number.

    Examples
    --------
    >>> short_names(["Triage", "Triage", "Sorting"])
    ['Triage', 'Triage (2)', 'Sorting']
    >>> short_names(["A department whose name nobody who has ever worked in it could say in one breath"])
    ['A department whose name nobody who has ever worked in it could say in …']
    """
    seen: dict[str, int] = {}
    made = []
    for name in names:
        text = textwrap.shorten(name, longest, placeholder=" …")
        text = text if len(text) > 2 else f"{name[: longest - 2]}…"  # one word without a break
        seen[text] = seen.get(text, 0) + 1
        made.append(text if seen[text] == 1 else f"{text} ({seen[text]})")
    return made


def sentence(*parts: str) -> str:
    """Parts joined and ended as a sentence, with a capital.

    Examples
    --------
    >>> sentence("one pilot may grow", "", "two may not")
    'One pilot may grow, two may not.'
    """
    text = ", ".join(part for part in parts if part)
    return f"{capital(text)}." if text else ""


def listed(names: Iterable[str], last: str = "and") -> str:
    """Names in a row.

    Examples
    --------
    >>> listed(["trust", "fit", "measurement"])
    'trust, fit and measurement'
    """
    known = list(names)
    return f" {last} ".join(filter(None, [", ".join(known[:-1]), *known[-1:]]))


def wave_words(label: str) -> str:
    """A wave as a reader says it.

    Examples
    --------
    >>> wave_words("2026-Q3"), wave_words("2026-09"), wave_words("undated")
    ('third quarter 2026', 'September 2026', 'undated')
    """
    if "Q" in label:
        ordinal = ("first", "second", "third", "fourth")[int(label[-1]) - 1]
        return f"{ordinal} quarter {label[:4]}"
    return f"{waves.last_day(label):%B %Y}" if "-" in label else label


def day_words(iso: str) -> str:
    """An ISO date as a reader says it; empty for none.

    Examples
    --------
    >>> day_words("2026-09-03")
    '3 September 2026'
    """
    if not iso:
        return ""
    day = date.fromisoformat(iso[:10])
    return f"{day.day} {day:%B %Y}"


def short_day(day: pd.Timestamp) -> str:
    """A date for a table cell, which must not break: 3 Sep 2026.

    Examples
    --------
    >>> short_day(pd.Timestamp("2026-09-03")).replace(theme.NBSP, " ")
    '3 Sep 2026'
    """
    return "" if pd.isna(day) else f"{day.day}{theme.NBSP}{day:%b}{theme.NBSP}{day:%Y}"


def effect(value: float, unit: str) -> str:
    """An improvement in its unit: shares as points of a hundred.

    Examples
    --------
    >>> effect(0.3085, "share"), effect(5.069, "")
    ('31 in 100', '5.1')
    """
    if unit == "share":
        return f"{theme.number(100 * value, int(abs(value) < 0.1))} in 100"
    return theme.number(value, 0 if abs(value) >= 100 else 1 if abs(value) >= 1 else 2)
