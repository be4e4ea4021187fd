"""Format numbers, durations, dates and lists in one language, with separators and names from CLDR (babel)."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from functools import cache

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list

from aiready.messages.catalogue import phrases
from aiready.model import waves

NBSP, THIN, MINUS = "\u00a0", "\u202f", "\u2212"
MISSING = "–"
SPELLED_OUT_UP_TO = 10
"""Counts up to this number are written as words."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_TENTH_BELOW = 10
"""Numbers below this are written with one decimal where the unit is hours, days or a duration."""


def _is_missing(value: object) -> bool:
    """Whether a value is None, NaN or NaT; without pandas, which takes long to import."""
    return value is None or value != value


@cache
def locale_of(code: str) -> Locale:
    """CLDR locale of a language's pages."""
    return Locale.parse(phrases(code)["format.locale"])


class Formats:
    """Numbers, dates and lists as a reader of one language expects them; a missing value is a dash.

    Thousands are separated by a thin space in every language, as ISO 80000 recommends: points and commas mean
    different things in different countries.
    """

    code: str

    @property
    def locale(self) -> Locale:
        """CLDR locale of the language."""
        return locale_of(self.code)

    def _pattern(self, key: str, number: str) -> str:
        return phrases(self.code)[key].format(number=number)

    def number(self, value: float, decimals: int = 0) -> str:
        """A number with thin spaces between thousands and a true minus.

        Examples
        --------
        >>> from aiready.messages import ENGLISH
        >>> ENGLISH.number(4310) == f"4{THIN}310", ENGLISH.number(-2.25, 1) == f"{MINUS}2.2"
        (True, True)
        """
        if _is_missing(value):
            return MISSING
        digits = self._localize_digits(f"{abs(value):,.{decimals}f}", abs(value))
        return f"{MINUS}{digits}" if value < 0 and any(character in "123456789" for character in digits) else digits

    def _localize_digits(self, digits: str, size: float) -> str:
        """Replace Python's comma and point in a number by the language's separators."""
        group_separator = THIN if size >= int(phrases(self.code)["format.group_from"]) else ""
        decimal = self.locale.number_symbols["latn"]["decimal"]
        return digits.translate({ord(","): group_separator, ord("."): decimal})

    def brief(self, value: float) -> str:
        """A number at four significant digits, for text that explains a calculation.

        Examples
        --------
        >>> from aiready.messages import ENGLISH
        >>> ENGLISH.brief(0.123456), ENGLISH.brief(-12.5)
        ('0.1235', '-12.5')
        """
        return self._localize_digits(f"{value:.4g}", 0)

    def share(self, value: float) -> str:
        """A share of 0-1 in per cent; a share that is not exactly 0 or 1 never reads 0 % or 100 %.

        Examples
        --------
        >>> from aiready.messages import ENGLISH
        >>> [ENGLISH.share(value).replace(NBSP, " ") for value in (0.634, 0.001, 0, 0.999)]
        ['63 %', '< 1 %', '0 %', '> 99 %']
        """
        if _is_missing(value):
            return MISSING
        if 0 < value < 0.005:
            return phrases(self.code)["unit.share_low"]
        if 0.995 < value < 1:
            return phrases(self.code)["unit.share_high"]
        return self._pattern("unit.share", self.number(100 * value))

    def score(self, value: float) -> str:
        """A score of 0-100, or a difference of scores in points, as an integer.

        Examples
        --------
        >>> from aiready.messages import ENGLISH
        >>> ENGLISH.score(47.6), ENGLISH.score(float("nan"))
        ('48', '–')
        """
        return self.number(value)

    def hours(self, value: float) -> str:
        """Hours at the precision of an estimate: tenths below 10, whole hours below 1 000, tens above.

        Examples
        --------
        >>> from aiready.messages import ENGLISH
        >>> [ENGLISH.hours(value).replace(NBSP, " ").replace(THIN, " ") for value in (4.83, 57.6, 12345)]
        ['4.8 h', '58 h', '12 340 h']
        """
        return MISSING if _is_missing(value) else self._pattern("unit.hours", self.bare_hours(value))

    def bare_hours(self, value: float) -> str:
        """Hours without their unit."""
        if abs(value) >= 1000:
            return self.number(round(value, -1))
        return self.number(value, int(abs(value) < _TENTH_BELOW))

    def days(self, value: float) -> str:
        """Whole days; tenths below 10.

        Examples
        --------
        >>> from aiready.messages import ENGLISH
        >>> [ENGLISH.days(value).replace(NBSP, " ") for value in (41, 1, 2.5)]
        ['41 days', '1 day', '2.5 days']
        """
        if _is_missing(value):
            return MISSING
        number = self.number(value, int(abs(value) < _TENTH_BELOW and value != round(value)))
        return self._pattern("unit.days#one" if number == "1" else "unit.days#other", number)

    def duration(self, seconds: float) -> str:
        """A duration in the unit that reads best: seconds, minutes, hours or days.

        Examples
        --------
        >>> from aiready.messages import ENGLISH
        >>> [ENGLISH.duration(seconds).replace(NBSP, " ") for seconds in (9.658, 720, 15_120, 3_542_400)]
        ['9.7 s', '12 min', '4.2 h', '41 days']
        """
        if _is_missing(seconds):
            return MISSING
        size, unit = _scale(seconds)
        return self._pattern(unit, self._tenths(seconds / size))

    def _tenths(self, value: float) -> str:
        return self.number(value, int(abs(value) < _TENTH_BELOW and round(value, 1) != round(value)))

    def value(self, value: float, unit: str) -> str:
        """A value in the format of its unit (column `unit` of measures).

        Examples
        --------
        >>> from aiready.messages import ENGLISH
        >>> ENGLISH.value(0.63, "share").replace(NBSP, " "), ENGLISH.value(0.8017, "index"), ENGLISH.value(9, "count")
        ('63 %', '0.80', '9')
        """
        formats = {"share": self.share, "seconds": self.duration, "days": self.days, "hours": self.hours}
        if unit in formats:
            return formats[unit](value)
        return self.number(value, 2 if unit in ("index", "delta") else 0)

    def interval(self, low: float, high: float, unit: str) -> str:
        """An interval without its unit, which the value beside it carries; empty where a bound is missing.

        Examples
        --------
        >>> import math
        >>> from aiready.messages import ENGLISH
        >>> ENGLISH.interval(14_040, 16_560, "seconds"), ENGLISH.interval(0.52, 0.7312, "share")
        ('3.9 to 4.6', '52 to 73')
        >>> ENGLISH.interval(1, math.nan, "days")
        ''
        """
        if _is_missing(low) or _is_missing(high):
            return ""
        bounds = (self._bare(bound, high, unit) for bound in (low, high))
        return phrases(self.code)["unit.range"].format(low=next(bounds), high=next(bounds))

    def _bare(self, value: float, largest: float, unit: str) -> str:
        """A bound without its unit; durations in the unit that suits the largest bound."""
        if unit == "seconds":
            return self._tenths(value / _scale(largest)[0])
        if unit == "share":
            return self.number(100 * value)
        if unit == "hours":
            return self.bare_hours(value)
        return self._tenths(value) if unit == "days" else self.number(value, 2 if unit in ("index", "delta") else 0)

    def effect(self, value: float, unit: str) -> str:
        """An improvement in its unit; shares as so many in 100.

        Examples
        --------
        >>> from aiready.messages import ENGLISH
        >>> ENGLISH.effect(0.3085, "share"), ENGLISH.effect(5.069, "")
        ('31 in 100', '5.1')
        """
        bare = self.bare_effect(value, unit)
        return self._pattern("unit.effect", bare) if unit == "share" else bare

    def bare_effect(self, value: float, unit: str) -> str:
        """An improvement without its unit."""
        if unit == "share":
            return self.number(100 * value, int(abs(value) < 0.1))
        return self.number(value, 0 if abs(value) >= 100 else 1 if abs(value) >= 1 else 2)

    def in_words(self, number: float) -> str:
        """A count as a word up to ten, in digits above.

        Examples
        --------
        >>> from aiready.messages import ENGLISH
        >>> ENGLISH.in_words(3), ENGLISH.in_words(12)
        ('three', '12')
        """
        return phrases(self.code)[f"number.{int(number)}"] if number <= SPELLED_OUT_UP_TO else self.number(int(number))

    def join_names(self, names: Iterable[str]) -> str:
        """Join names into a list: commas, and "and" before the last.

        Examples
        --------
        >>> from aiready.messages import ENGLISH
        >>> ENGLISH.join_names(["trust", "fit", "measurement"])
        'trust, fit and measurement'
        """
        filled = [name for name in names if name]
        joined = format_list(filled, locale=self.locale) if filled else ""
        before, after = _EUPHONY.get(self.locale.language, (None, ""))
        return before.sub(after, joined) if before else joined

    def day(self, iso: str) -> str:
        """An ISO date in words; empty for a blank.

        Examples
        --------
        >>> from aiready.messages import ENGLISH
        >>> ENGLISH.day("2026-09-03")
        '3 September 2026'
        """
        return self._format_date(date.fromisoformat(iso[:10]), "format.day") if iso else ""

    def short_day(self, day: datetime) -> str:
        """A date for a table cell, with no-break spaces: 3 Sep 2026.

        Examples
        --------
        >>> from aiready.messages import ENGLISH
        >>> ENGLISH.short_day(datetime(2026, 9, 3)).replace(NBSP, " ")
        '3 Sep 2026'
        """
        return "" if _is_missing(day) else self._format_date(day.date(), "format.short_day")

    def _format_date(self, day: date, pattern: str) -> str:
        return format_date(day, phrases(self.code)[pattern], locale=self.locale)

    def wave(self, label: str) -> str:
        """A wave in words.

        Examples
        --------
        >>> from aiready.messages import ENGLISH
        >>> ENGLISH.wave("2026-Q3"), ENGLISH.wave("2026-09"), ENGLISH.wave("undated")
        ('third quarter 2026', 'September 2026', 'undated')
        """
        if "Q" in label:
            return phrases(self.code)[f"wave.quarter_{label[-1]}"].format(year=label[:4])
        if label == waves.UNDATED:
            return phrases(self.code)["wave.undated"]
        return self._format_date(waves.last_day(label), "format.month") if "-" in label else label


_EUPHONY = {"es": (re.compile(r" y (?=h?[ií](?![ae]))", re.IGNORECASE), " e ")}
"""Spanish writes `e` for `y` before the sound of i; CLDR's list patterns do not."""


def _scale(seconds: float) -> tuple[int, str]:
    """The unit of time in which a duration reads best: its length in seconds, and the key of its phrase."""
    for limit, size, unit in ((90, 1, "seconds"), (90 * _MINUTE, _MINUTE, "minutes"), (2 * _DAY, _HOUR, "hours")):
        if abs(seconds) < limit:
            return size, f"unit.{unit}"
    return _DAY, "unit.days#other"
