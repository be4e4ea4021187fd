"""How things look: palette, type, the Altair theme. The one place. How numbers read stands in `phrases`."""

from typing import Any

import altair as alt

from aiready.messages import ENGLISH, Language

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

number, share, score, hours, days, duration = (
    ENGLISH.number, ENGLISH.share, ENGLISH.score, ENGLISH.hours, ENGLISH.days, ENGLISH.duration
)  # fmt: skip
value_text, interval = ENGLISH.value, ENGLISH.interval
"""Formats of the notebooks that analysts explore with, which are in English; pages have those of their language."""


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


def config(language: Language = ENGLISH) -> dict[str, Any]:
    """Vega-Lite configuration of every chart: quiet axes, direct labels, the page's type, the language's numbers."""
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
        **language.vega(),
    }


def _theme() -> alt.theme.ThemeConfig:
    return alt.theme.ThemeConfig({"config": config()})  # type: ignore[typeddict-item]


def enable() -> None:
    """Make this the theme of every Altair chart of the session (notebooks and templates call it once)."""
    alt.theme.register("aiready", enable=True)(_theme)
