"""Lay out a chart of rows in pixels, so that names of any length fit any width.

On a wide chart, names stand in a column left of the plot; on a narrow one (under 500 pixels), above their row.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, Concatenate, ParamSpec

import altair as alt
import pandas as pd
from altair.utils.schemapi import debug_mode

from aiready.charts import theme
from aiready.charts.marks import (
    Records,
    colour_channel,
    fixed_size_chart,
    layer,
    text_channel,
    x2_at,
    x_at,
    x_in_pixels,
    x_on_scale,
    y2_at,
    y_at,
    y_in_pixels,
)
from aiready.messages import ENGLISH, Language, suppression_reason

LINE_HEIGHT = theme.LINE_HEIGHT
_ZERO_WIDTH = ("Mn", "Me", "Cf")
"""Unicode categories of characters without a width of their own: combining marks and format characters."""
_WIDE_LETTERS = 1.15
"""How much wider than average the letters of a word without syllables may be."""
_AVERAGE_WIDTH = 0.57
"""Average width of a character in font sizes, generous because the page's typeface differs by system."""

SMALL: dict[str, Any] = {"fontSize": theme.SMALL, "color": theme.MUTED}
LEFT: dict[str, Any] = {"align": "left"}
"""Mark properties of text that many charts share."""
_NUMBER_TEXTS = frozenset({"band", "bound", "count", "detail", "shown", "value_text", "verdict"})
"""Text columns that state a number: blanked with it in suppressed rows."""

Options = ParamSpec("Options")
ChartFunction = Callable[Concatenate[pd.DataFrame, Options], alt.LayerChart]
"""A chart function: a tidy table first, then its options."""


def text_width(text: str, size: float = theme.SIZE) -> float:
    """Estimated width of a text in pixels: Chinese, Japanese, Korean characters are wide, combining marks take none."""
    characters = len(text) if text.isascii() else sum(map(_character_width, text))
    return characters * _AVERAGE_WIDTH * size


def _character_width(character: str) -> float:
    if unicodedata.category(character) in _ZERO_WIDTH:
        return 0
    return 1.75 if unicodedata.east_asian_width(character) in "WF" else 1


def right_margin(words: Iterable[str], least: float, size: float = theme.SIZE) -> float:
    """Pixels that the longest of these words needs right of the plot, space included; at least `least`."""
    return max([least, *(22 + text_width(str(text), size) for text in words)])


def wrap(text: str, pixels: float, size: float = theme.SIZE) -> str:
    r"""Break a text into lines that fit; a word longer than a line is broken too.

    Examples
    --------
    >>> wrap("Trust and governance", 100)
    'Trust and\ngovernance'
    >>> wrap("Problemdefinition", 100)
    'Problemdefini-\ntion'
    """
    lines = [""]
    for word in str(text).split(" "):
        for part in _parts(word, pixels, size):
            joined = f"{lines[-1]} {part}".strip()
            if lines[-1] and text_width(joined, size) > pixels:
                lines.append(part)
            else:
                lines[-1] = joined
    return "\n".join(lines)


def _parts(word: str, pixels: float, size: float) -> list[str]:
    """Split a word into parts that each fit a line."""
    parts = []
    while text_width(word, size) > pixels and len(word) > 1:
        part, word = _split(word, pixels, size)
        parts.append(part)
    return [*parts, word]


_SYLLABLE = re.compile(
    r"(?<=\w\w)(?=[^\W\d_aeiouyäöüáàéèíóúâêô][aeiouyäöüáàéèíóúâêô]\w)|(?<=\w-)(?=\w\w)", re.IGNORECASE
)
"""Start of a syllable in most European languages (a consonant before a vowel), or the place after a hyphen."""


def _split(word: str, pixels: float, size: float) -> tuple[str, str]:
    """Split a word after the longest start that fits: hyphenated at a syllable if possible, else at any character."""
    heads = [f"{word[: match.start()].removesuffix('-')}-" for match in _SYLLABLE.finditer(word)]
    fitting = [head for head in heads if text_width(head, size) <= pixels]
    if fitting:
        rest = word[len(fitting[-1]) - 1 :]
        return fitting[-1], rest.removeprefix("-")
    ends = [end for end in range(1, len(word)) if unicodedata.category(word[end]) not in _ZERO_WIDTH]
    room = pixels / _WIDE_LETTERS
    length = ([end for end in ends if text_width(word[:end], size) <= room] or ends[:1] or [len(word)])[-1]
    return word[:length], word[length:]


def checked_chart(*required: str, values: str = "value") -> Callable[[ChartFunction[Options]], ChartFunction[Options]]:
    """Decorate a chart function: check columns, blank suppressed rows, return a placeholder if nothing can be drawn.

    `values` are the value columns, separated by spaces: nothing can be drawn when none holds a value. `required` are
    the other columns that the table must have.
    """

    def decorate(draw: ChartFunction[Options]) -> ChartFunction[Options]:
        @wraps(draw)
        def chart(table: pd.DataFrame, /, *args: Options.args, **options: Options.kwargs) -> alt.LayerChart:
            missing = [column for column in (*required, *values.split()) if column not in table]
            if missing and len(table):
                raise KeyError(f"{draw.__name__} needs the columns {', '.join(missing)}")
            visible = _blank_suppressed(table)
            language = options.get("language")
            reason = _why_empty(visible, values.split(), language if isinstance(language, Language) else ENGLISH)
            with debug_mode(False):  # Altair would validate each channel; the tests validate whole charts
                if reason:
                    return placeholder(reason, width=int(str(options.get("width", theme.WIDE))))
                return draw(visible, *args, **options)

        return chart

    return decorate


def _blank_suppressed(table: pd.DataFrame) -> pd.DataFrame:
    """Blank numbers, and texts that state a number, in suppressed rows, whatever the caller left in them."""
    table = table.reset_index(drop=True)
    if "status" not in table or not (table["status"] == "suppressed").any():
        return table
    numbers = [*table.select_dtypes("number"), *_NUMBER_TEXTS.intersection(table)]
    return table.assign(**{name: table[name].where(table["status"] != "suppressed") for name in numbers})


def _why_empty(table: pd.DataFrame, values: list[str], language: Language) -> str:
    """Why nothing can be drawn; empty if something can. Notes are in English, so only English charts quote them."""
    if not len(table):
        return language.say("status.nothing")
    if any(table[name].notna().any() for name in values):
        return ""
    states = [state for state in dict.fromkeys(table.get("status", ())) if state != "ok"] or ["not_measured"]
    notes = [note for note in dict.fromkeys(table.get("note", ())) if note]
    if states[0] == "suppressed":
        reason = min(map(suppression_reason, notes), default="")
        return language.say(f"status.suppressed_chart_{reason}" if reason else "status.suppressed_chart")
    words = language.say(f"status.{states[0]}_chart")
    return f"{words} {notes[0]}" if notes and language == ENGLISH else words


def placeholder(reason: str, *, width: int = theme.WIDE) -> alt.LayerChart:
    """An empty frame with the reason why there is no chart."""
    lines = wrap(reason, width - 40)
    count = lines.count("\n") + 1
    height = 40 + count * LINE_HEIGHT
    first = height / 2 - (count - 1) * LINE_HEIGHT / 2
    table = pd.DataFrame({"text": [lines]})
    frame = {"stroke": theme.LINE, "fillOpacity": 0, "strokeDash": [4, 3], "cornerRadius": 3}
    corners = {"x": x_at(0), "x2": x2_at(width - 2), "y": y_at(0), "y2": y2_at(height - 2)}
    text = {"align": "left", "color": theme.MUTED}
    layers = [
        layer(table, "rect", frame, **corners),
        layer(table, "text", text, text=text_channel("text"), x=x_at(18), y=y_at(first)),
    ]
    return fixed_size_chart(layers, (width, height), reason, (1, 1, 1, 1))


@dataclass(frozen=True)
class Mark:
    """How a mark is drawn, and its words in the legend."""

    words: str
    colour: str
    shape: str = "circle"
    filled: bool = True
    size: int = 120


@dataclass(frozen=True)
class Layout:
    """The space, in pixels, that a chart of rows needs.

    `left` (for names) and `right` (for words beside the plot) apply when wide; `reserve` is what those words take
    of the name's line when narrow; `step` is the least height of a row; `foot` adds a line of text under each
    narrow row.
    """

    left: float = 170
    right: float = 0
    step: float = 40
    top: float = 0
    bottom: float = 24
    reserve: float = 0
    foot: bool = False


@dataclass(frozen=True)
class Rows:
    """Rows with their positions: `table` has `y`, `label_y`, `foot_y` in pixels from the plot's top.

    `names` holds each name once, with its wrapped `label` and `detail` and their positions.
    """

    table: pd.DataFrame
    names: Records
    width: int
    left: float
    right: float
    top: float
    bottom: float
    height: float
    language: Language = ENGLISH

    @property
    def narrow(self) -> bool:
        """Whether the chart is narrow, with names above their rows."""
        return self.left == 0

    @property
    def plot_width(self) -> float:
        """Width of the plot in pixels."""
        return self.width - self.left - self.right

    @cached_property
    def first_rows(self) -> pd.DataFrame:
        """The first row of each name."""
        return self.table.loc[~self.table["y"].duplicated()]

    def x(self, field: str, domain: Sequence[float]) -> alt.X:
        """Horizontal position on a scale of exactly this domain."""
        return x_on_scale(field, domain)

    def axis(
        self, ticks: Sequence[float], domain: Sequence[float], words: Sequence[str] = (), title: str = ""
    ) -> list[alt.Chart]:
        """Light lines at the ticks, numbers (or `words`) below them, and a title below those."""
        positions = [(tick - domain[0]) / (domain[1] - domain[0]) for tick in ticks]
        sides = [
            "left" if position < 0.05 and self.narrow else "right" if position > 0.95 and self.narrow else "center"
            for position in positions
        ]
        numbers = words or [self.language.number(tick) for tick in ticks]
        labels = [
            {"tick": tick, "words": number, "side": side}
            for tick, number, side in zip(ticks, numbers, sides, strict=True)
        ]
        look, below = SMALL | {"align": alt.expr("datum.side")}, y_at(self.height + 10)
        layers = [
            self.vertical_lines(ticks, domain),
            layer(labels, "text", look, x=self.x("tick", domain), y=below, text=text_channel("words")),
        ]
        if title:
            look, words_channel = SMALL | {"align": "right"}, text_channel("words")
            x, y = x_at(self.plot_width), y_at(self.height + 26)
            layers.append(layer([{"words": title}], "text", look, text=words_channel, x=x, y=y))
        return layers

    def vertical_lines(self, ticks: Sequence[float], domain: Sequence[float], colour: str = theme.LINE) -> alt.Chart:
        """Vertical lines behind the marks; when narrow, one piece per row, so that none crosses a name."""
        pieces = [(row["y"], row["height"] / 2) for row in self.names] if self.narrow else [(self.height / 2,) * 2]
        segments = [{"tick": tick, "start": y - half, "end": y + half} for tick in ticks for y, half in pieces]
        ends = {"y": self.y("start"), "y2": alt.Y2(field="end")}
        return layer(segments, "rule", {"color": colour}, x=self.x("tick", domain), **ends)

    def y(self, field: str = "y") -> alt.Y:
        """Vertical position in pixels from the top of the plot."""
        return y_in_pixels(field)

    def labels(self) -> list[alt.Chart]:
        """Names at the left edge, each with its detail in small type below."""
        edge = x_at(-self.left)
        layers = [layer(self.names, "text", LEFT, text=text_channel("label"), x=edge, y=self.y("label_y"))]
        if any(row["detail"] for row in self.names):
            detail = text_channel("detail")
            layers.append(layer(self.names, "text", LEFT | SMALL, text=detail, x=edge, y=self.y("detail_y")))
        return layers

    def side_text(self, field: str, *, below: str = "") -> list[alt.Chart]:
        """Words right of the plot (narrow: at the end of the name's line), column `below` under them in small type."""
        rows, bold, small = self.first_rows, LEFT | {"fontWeight": 600}, LEFT | SMALL
        if self.narrow:
            bold, at = bold | {"align": "right"}, {"x": x_at(self.plot_width), "y": self.y("label_y")}
            beneath = {"x": x_at(0), "y": self.y("foot_y")}
        else:
            at = beneath = {"x": x_at(self.plot_width + 22), "y": self.y()}
            bold, small = (bold | {"dy": -8}, small | {"dy": 8}) if below else (bold, small)
        layers = [layer(rows, "text", bold, text=text_channel(field), **at)]
        return [*layers, layer(rows, "text", small, text=text_channel(below), **beneath)] if below else layers

    def legend(self, marks: Sequence[Mark]) -> list[alt.Chart]:
        """A legend above the plot that shows the marks as they are drawn."""
        entries = [
            {**entry, "x": entry["x"] - self.left, "y": entry["y"] - self.top}
            for entry in _flow_legend(marks, self.width)
        ]
        position = {"x": x_in_pixels("x"), "y": self.y()}
        shape, colour = alt.Shape(field="shape", type="nominal", scale=None), colour_channel("colour")
        layers = []
        for filled in (False, True):
            if some := [entry for entry in entries if entry["filled"] is filled]:
                look = {"size": 75, "opacity": 1, "strokeWidth": 1.5, "filled": filled}
                layers.append(layer(some, "point", look, **position, shape=shape, color=colour))
        return [*layers, layer(entries, "text", LEFT | SMALL | {"dx": 10}, text=text_channel("words"), **position)]

    def finish(self, layers: Iterable[alt.Chart], description: str) -> alt.LayerChart:
        """The layers as one chart of exactly this size."""
        outer = self.height + self.top + self.bottom
        padding = (self.left, self.right, self.top, self.bottom)
        return fixed_size_chart(layers, (self.width, outer), description, padding)


def lay_out_rows(table: pd.DataFrame, name: str, width: int, layout: Layout, language: Language = ENGLISH) -> Rows:
    """Lay out one row per distinct value of column `name`, as high as its wrapped text needs.

    A column `detail` is shown in small type below the name.
    """
    narrow = width < 500
    room = width - layout.reserve if narrow else layout.left - 16
    plot_height, top, names = layout.step * 0.62, 0.0, []
    for text, detail in _detail_by_name(table, name).items():
        label, small = wrap(text, room), wrap(detail, width if narrow else room, theme.SMALL)
        lines = label.count("\n") + 1
        text_height = (lines + (small.count("\n") + 1) * bool(small)) * LINE_HEIGHT
        height = text_height + plot_height + 19 * layout.foot + 16 if narrow else max(text_height + 10, layout.step)
        label_y = top + (9 if narrow else (height - text_height) / 2 + LINE_HEIGHT / 2)
        y = top + text_height + 5 + plot_height / 2 if narrow else top + height / 2
        names.append(
            {
                name: text,
                "label": label,
                "label_y": label_y,
                "detail": small,
                "detail_y": label_y + lines * LINE_HEIGHT + 1,
                "y": y,
                "foot_y": y + plot_height / 2 + 10,
                "height": plot_height if narrow else height,
            }
        )
        top += height
    row_of = {row[name]: row for row in names}
    columns = {column: [row_of[text][column] for text in table[name]] for column in ("y", "label_y", "foot_y")}
    left, right = (0.0, 0.0) if narrow else (layout.left, layout.right)
    return Rows(table.assign(**columns), names, width, left, right, layout.top, layout.bottom, top, language)


def _detail_by_name(table: pd.DataFrame, name: str) -> dict[Any, str]:
    """Name -> detail of its first row, in order."""
    details: dict[Any, str] = {}
    for text, detail in zip(table[name], table.get("detail", [""] * len(table)), strict=True):
        details.setdefault(text, "" if pd.isna(detail) else detail)
    return details


def _flow_legend(marks: Sequence[Mark], width: int) -> list[dict[str, Any]]:
    """Legend entries with their positions, one after the other, on a new line where the width ends."""
    x, line, entries = 6.0, 0, []
    for mark in marks:
        entry_width = 30 + text_width(mark.words, theme.SMALL)
        if x > 6 and x + entry_width - 14 > width:
            x, line = 6.0, line + 1
        entries.append({**vars(mark), "x": x, "y": 7.0 + line * 18})
        x += entry_width
    return entries


def legend_height(marks: Sequence[Mark], width: int) -> float:
    """Height of a legend in pixels, including the space below it."""
    return float(_flow_legend(marks, width)[-1]["y"]) + 17


MOST_DESCRIBED = 12
"""Sentences in a description: nobody listens to more, and the table of numbers holds everything."""


def chart_description(parts: Iterable[str], language: Language = ENGLISH) -> str:
    """Join sentences to a chart's description; beyond twelve, say how many more the table of numbers holds.

    Examples
    --------
    >>> chart_description(["Claims: 48", "", "Cards: 52"])
    'Claims: 48. Cards: 52.'
    >>> chart_description(str(number) for number in range(1, 21))
    '1. 2. 3. 4. 5. 6. 7. 8. 9. 10. 11. 12. 8 more in the table of numbers.'
    """
    sentences = [part for part in parts if part]
    n_more = len(sentences) - MOST_DESCRIBED
    if n_more > 1:
        sentences = [*sentences[:MOST_DESCRIBED], language.say("chart.more", n=language.number(n_more))]
    return ". ".join(sentences) + "." if sentences else ""
