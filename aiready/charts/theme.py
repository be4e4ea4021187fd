"""Colours, typeface, sizes and the Altair theme of every chart and page; number formats are in `messages`."""

from typing import Any

import altair as alt

from aiready.messages import ENGLISH, Language

PEOPLE, RECORDS, ORGANISATION = "#b4560b", "#0a6a8f", "#6f7d88"
"""Colours of what people say (and targets), of what records show (and what is realised), and of the rest."""
INK, MUTED, LINE, PAPER = "#1a2530", "#56646f", "#dfe5e9", "#ffffff"
ON_DARK, ON_LIGHT = "#fffffe", "#16202a"
"""Text on a filled mark: one shade off paper and ink, because dark mode swaps those and must not swap these."""
REALISED, WAITS = "#0a6a90", ("#b4560c", "#d08a3c", "#e3b273", "#f1d6ad", "#f7e8d1")
REST = ("#a9b5bd", "#c3ccd2", "#d9dfe3")
"""Fills that carry text: one shade off the colours of marks, because dark mode keeps these and swaps those."""
DARK = {INK: "#e6ecf0", MUTED: "#a3b1bb", LINE: "#3a4751", PAPER: "#131b22",
        PEOPLE: "#f0964a", RECORDS: "#54b4da", ORGANISATION: "#93a1ab"}  # fmt: skip
"""Colour -> its counterpart on a dark page; the style sheet swaps them, so one picture serves both."""
_LIGHTEST, _DARKEST = (0xDA, 0xE8, 0xF0), (0x0A, 0x56, 0x78)

FONT = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', 'Noto Sans', Arial, sans-serif"
SIZE, SMALL, LINE_HEIGHT = 12.5, 11.5, 15
WIDE, NARROW = 720, 340

number, share, score, hours, days, duration = (
    ENGLISH.number, ENGLISH.share, ENGLISH.score, ENGLISH.hours, ENGLISH.days, ENGLISH.duration
)  # fmt: skip
value_text, interval = ENGLISH.value, ENGLISH.interval
"""English formats, for the notebooks that analysts explore with; pages use those of their own language."""


def sequential_colours(count: int) -> tuple[str, ...]:
    """Sequential colours for the levels of a scale, light to dark: levels have no neutral middle.

    Examples
    --------
    >>> sequential_colours(2), len(sequential_colours(11))
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
    """Vega-Lite configuration of every chart: quiet axes, the page's typeface, the language's number format."""
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
        **language.vega_locale(),
    }


def _theme() -> alt.theme.ThemeConfig:
    return alt.theme.ThemeConfig({"config": config()})  # type: ignore[typeddict-item]


def enable() -> None:
    """Make this the theme of every Altair chart in the session; notebooks call it once."""
    alt.theme.register("aiready", enable=True)(_theme)
