"""How things look and how numbers read: palette, type, number formats, the Altair theme. The one place."""

from typing import Any

import altair as alt
import pandas as pd

PEOPLE, RECORDS, ORGANISATION = "#b4560b", "#0a6a8f", "#6f7d88"
"""What people say, and targets; what records show, and what is realised; the organisation and the rest."""
INK, MUTED, LINE, PAPER = "#1a2530", "#56646f", "#dfe5e9", "#ffffff"
ON_DARK, ON_LIGHT = "#fffffe", "#16202a"
"""Text on a filled mark: spelled apart from paper and ink, because dark mode turns those round, not these."""
REALISED, WAITS = "#0a6a90", ("#b4560c", "#d08a3c", "#e3b273", "#f1d6ad", "#f7e8d1")
REST = ("#a9b5bd", "#c3ccd2", "#d9dfe3")
"""Fills that carry text: a shade off the colours of marks, since they keep on a dark page what those change."""
DARK = {INK: "#e6ecf0", MUTED: "#a3b1bb", LINE: "#3a4751", PAPER: "#131b22",
        PEOPLE: "#f0964a", RECORDS: "#54b4da", ORGANISATION: "#93a1ab"}  # fmt: skip
"""Counterparts on a dark page; the style sheet swaps them in, so that one picture serves both."""
_LIGHTEST, _DARKEST = (0xDA, 0xE8, 0xF0), (0x0A, 0x56, 0x78)

FONT = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', 'Noto Sans', Arial, sans-serif"
SIZE, SMALL, LINE_HEIGHT = 12.5, 11.5, 15
WIDE, NARROW = 720, 340

NBSP, THIN, MINUS = "\u00a0", "\u202f", "\u2212"
NOTHING = "–"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def levels(count: int) -> tuple[str, ...]:
    """Sequential colours for the levels of a scale, light to dark: levels have no neutral middle.

    Examples
    --------
    >>> levels(2), len(levels(11))
    (('#dae8f0', '#0a5678'), 11)
    """
    steps = [index / max(count - 1, 1) for index in range(count)]
    mixed = ([round(a + (b - a) * step) for a, b in zip(_LIGHTEST, _DARKEST, strict=True)] for step in steps)
    return tuple("#{:02x}{:02x}{:02x}".format(*rgb) for rgb in mixed)


def text_on(fill: str) -> str:
    """Colour of text on a fill: whichever of dark and white contrasts more (WCAG relative luminance).

    Examples
    --------
    >>> text_on("#e4eff5") == ON_LIGHT, text_on("#0a5678") == ON_DARK
    (True, True)
    """
    linear = [_linear(int(fill[start : start + 2], 16) / 255) for start in (1, 3, 5)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return ON_DARK if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.0605 else ON_LIGHT


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def number(value: float, decimals: int = 0) -> str:
    """A number with thin spaces between thousands and a true minus; a missing one is a dash.

    Examples
    --------
    >>> number(4310) == f"4{THIN}310", number(-2.25, 1) == f"{MINUS}2.2", number(float("nan"))
    (True, True, '–')
    """
    if pd.isna(value):
        return NOTHING
    shown = f"{abs(value):,.{decimals}f}".replace(",", THIN)
    return f"{MINUS}{shown}" if value < 0 and any(sign in "123456789" for sign in shown) else shown


def share(value: float) -> str:
    """A share of 0-1 in per cent; what is not quite nothing or everything never reads 0 or 100.

    Examples
    --------
    >>> [share(value).replace(NBSP, " ") for value in (0.634, 0.001, 0, 0.999)]
    ['63 %', '< 1 %', '0 %', '> 99 %']
    """
    if pd.isna(value):
        return NOTHING
    if 0 < value < 0.005:
        return f"<{NBSP}1{NBSP}%"
    if 0.995 < value < 1:
        return f">{NBSP}99{NBSP}%"
    return f"{number(100 * value)}{NBSP}%"


def score(value: float) -> str:
    """A score of 0-100, or a difference of scores in points, as an integer.

    Examples
    --------
    >>> score(47.6), score(float("nan"))
    ('48', '–')
    """
    return number(value)


def hours(value: float) -> str:
    """Hours at the precision that estimates bear: tenths below 10, whole below 1 000, tens above.

    Examples
    --------
    >>> [hours(value).replace(NBSP, " ").replace(THIN, " ") for value in (4.83, 57.6, 12345)]
    ['4.8 h', '58 h', '12 340 h']
    """
    return NOTHING if pd.isna(value) else f"{_hours(value)}{NBSP}h"


def _hours(value: float) -> str:
    return number(round(value, -1)) if abs(value) >= 1000 else number(value, int(abs(value) < 10))


def days(value: float) -> str:
    """Whole days; tenths below 10.

    Examples
    --------
    >>> days(41).replace(NBSP, " "), days(1).replace(NBSP, " "), days(2.5).replace(NBSP, " ")
    ('41 days', '1 day', '2.5 days')
    """
    if pd.isna(value):
        return NOTHING
    shown = number(value, int(abs(value) < 10 and value != round(value)))
    return f"{shown}{NBSP}{'day' if shown == '1' else 'days'}"


def _scale(seconds: float) -> tuple[int, str]:
    """Seconds per unit of time in which a duration reads best, and the unit's sign."""
    for limit, size, sign in ((90, 1, "s"), (90 * _MINUTE, _MINUTE, "min"), (2 * _DAY, _HOUR, "h")):
        if abs(seconds) < limit:
            return size, sign
    return _DAY, "days"


def duration(seconds: float) -> str:
    """A duration in the unit that reads best: seconds, minutes, hours or days.

    Examples
    --------
    >>> [duration(seconds).replace(NBSP, " ") for seconds in (9.658, 720, 15_120, 3_542_400)]
    ['9.7 s', '12 min', '4.2 h', '41 days']
    """
    if pd.isna(seconds):
        return NOTHING
    size, sign = _scale(seconds)
    return f"{_tenths(seconds / size)}{NBSP}{sign}"


def _tenths(value: float) -> str:
    return number(value, int(abs(value) < 10 and round(value, 1) != round(value)))


def value_text(value: float, unit: str) -> str:
    """A value as its unit of measure asks (`measures.unit`).

    Examples
    --------
    >>> value_text(0.63, "share").replace(NBSP, " "), value_text(0.8017, "index"), value_text(9, "count")
    ('63 %', '0.80', '9')
    """
    formats = {"share": share, "seconds": duration, "days": days, "hours": hours}
    if unit in formats:
        return formats[unit](value)
    return number(value, 2 if unit in ("index", "delta") else 0)


def interval(low: float, high: float, unit: str) -> str:
    """An interval in the words of its unit, the unit left to the value beside it.

    Examples
    --------
    >>> import math
    >>> interval(14_040, 16_560, "seconds"), interval(0.52, 0.7312, "share"), interval(1, math.nan, "days")
    ('3.9 to 4.6', '52 to 73', '')
    """
    if pd.isna(low) or pd.isna(high):
        return ""
    return f"{_bare(low, high, unit)} to {_bare(high, high, unit)}"


def _bare(value: float, largest: float, unit: str) -> str:
    """A bound without its sign, both bounds in the unit of the larger one."""
    if unit == "seconds":
        return _tenths(value / _scale(largest)[0])
    if unit == "share":
        return number(100 * value)
    if unit == "hours":
        return _hours(value)
    return _tenths(value) if unit == "days" else number(value, 2 if unit in ("index", "delta") else 0)


def config() -> dict[str, Any]:
    """Vega-Lite configuration of every chart: quiet axes, direct labels, the page's type."""
    text = {"labelColor": MUTED, "titleColor": MUTED, "labelFontSize": SMALL, "titleFontSize": SMALL}
    quiet = {
        "domain": False,
        "ticks": False,
        "gridColor": LINE,
        "titleFontWeight": "normal",
        "labelPadding": 6,
    }
    return {
        "background": None,
        "font": FONT,
        "view": {"stroke": None},
        "axis": {**text, **quiet, "titlePadding": 8},
        "text": {"fontSize": SIZE, "color": INK, "lineBreak": "\n", "lineHeight": LINE_HEIGHT},
        "rule": {"color": LINE},
    }


def _theme() -> alt.theme.ThemeConfig:
    return alt.theme.ThemeConfig({"config": config()})  # type: ignore[typeddict-item]


def enable() -> None:
    """Make this the theme of every Altair chart of the session (notebooks and templates call it once)."""
    alt.theme.register("aiready", enable=True)(_theme)
