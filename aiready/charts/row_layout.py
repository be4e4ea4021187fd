"""The canvas charts are drawn on: rows placed in pixels, so that names of any length fit any width.

Wide, names stand in a column left of the plot, flush with the page's text; narrow, above their row.
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
from aiready.charts.marks import Records, across, coloured, from_left, from_top, layer, sized, worded
from aiready.messages import ENGLISH, Language, reason_of

LINE_HEIGHT = theme.LINE_HEIGHT
_NO_ROOM = ("Mn", "Me", "Cf")
"""Categories of signs that stand on the one before them, or are not drawn."""
_UNEVEN = 1.15
"""How much wider than the average the letters of a word may be that has no syllables to break at."""
_AVERAGE = 0.57
"""Width of an average sign in font sizes, on the generous side: the page's typeface differs by system."""

SMALL: dict[str, Any] = {"fontSize": theme.SMALL, "color": theme.MUTED}
LEFT: dict[str, Any] = {"align": "left"}
"""Looks of words that many charts share."""
_WORDED = frozenset({"band", "bound", "count", "detail", "shown", "value_text", "verdict"})

Options = ParamSpec("Options")
Draw = Callable[Concatenate[pd.DataFrame, Options], alt.LayerChart]
"""A chart function: a tidy table first, then its options."""


def text_width(text: str, size: float = theme.SIZE) -> float:
    """Estimated width of a text in pixels; wide signs (Chinese, Japanese, Korean) count double, accents nothing."""
    signs = len(text) if text.isascii() else sum(map(_sign_width, text))
    return signs * _AVERAGE * size


def _sign_width(sign: str) -> float:
    if unicodedata.category(sign) in _NO_ROOM:
        return 0
    return 1.75 if unicodedata.east_asian_width(sign) in "WF" else 1


def beside(words: Iterable[str], least: float, size: float = theme.SIZE) -> float:
    """Pixels right of the plot that words take there, with the space before them; never less than `least`."""
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
    """A word in pieces that each fit a line."""
    parts = []
    while text_width(word, size) > pixels and len(word) > 1:
        part, word = _split(word, pixels, size)
        parts.append(part)
    return [*parts, word]


_SYLLABLE = re.compile(
    r"(?<=\w\w)(?=[^\W\d_aeiouyäöüáàéèíóúâêô][aeiouyäöüáàéèíóúâêô]\w)|(?<=\w-)(?=\w\w)", re.IGNORECASE
)
"""Where a syllable begins in most European languages, a consonant before a vowel; or behind a hyphen."""


def _split(word: str, pixels: float, size: float) -> tuple[str, str]:
    """The longest beginning of a word that fits, and the rest: at a syllable, with a hyphen, where one begins."""
    heads = [f"{word[: at.start()].removesuffix('-')}-" for at in _SYLLABLE.finditer(word)]
    fitting = [head for head in heads if text_width(head, size) <= pixels]
    if fitting:
        rest = word[len(fitting[-1]) - 1 :]
        return fitting[-1], rest.removeprefix("-")
    ends = [end for end in range(1, len(word)) if unicodedata.category(word[end]) not in _NO_ROOM]
    room = pixels / _UNEVEN
    length = ([end for end in ends if text_width(word[:end], size) <= room] or ends[:1] or [len(word)])[-1]
    return word[:length], word[length:]


def drawn(*needed: str, values: str = "value") -> Callable[[Draw[Options]], Draw[Options]]:
    """Check a chart's columns, blank what is suppressed, and stand in for it when nothing can be drawn.

    `needed` are the columns a table must have, `values` those (separated by blanks) of which a row needs one.
    """

    def decorate(draw: Draw[Options]) -> Draw[Options]:
        @wraps(draw)
        def chart(table: pd.DataFrame, *args: Options.args, **options: Options.kwargs) -> alt.LayerChart:
            absent = [column for column in (*needed, *values.split()) if column not in table]
            if absent and len(table):
                raise KeyError(f"{draw.__name__} needs the columns {', '.join(absent)}")
            shown = _blanked(table)
            stated = options.get("language")
            why = _reason(shown, values.split(), stated if isinstance(stated, Language) else ENGLISH)
            with debug_mode(False):  # Altair proves every channel on its own; the tests prove whole charts
                if why:
                    return placeholder(why, width=int(str(options.get("width", theme.WIDE))))
                return draw(shown, *args, **options)

        return chart

    return decorate


def _blanked(table: pd.DataFrame) -> pd.DataFrame:
    """The table without a number or worded number in suppressed rows, whatever the caller left in them."""
    table = table.reset_index(drop=True)
    if "status" not in table or not (table["status"] == "suppressed").any():
        return table
    numbers = [*table.select_dtypes("number"), *_WORDED.intersection(table)]
    return table.assign(**{name: table[name].where(table["status"] != "suppressed") for name in numbers})


def _reason(table: pd.DataFrame, values: list[str], language: Language) -> str:
    """Why nothing can be drawn, or nothing when something can; notes of results are in English, and stay there."""
    if not len(table):
        return language.say("status.nothing")
    if any(table[name].notna().any() for name in values):
        return ""
    states = [state for state in dict.fromkeys(table.get("status", ())) if state != "ok"] or ["not_measured"]
    notes = [note for note in dict.fromkeys(table.get("note", ())) if note]
    if states[0] == "suppressed":
        reason = min(map(reason_of, notes), default="")
        return language.say(f"status.suppressed_chart_{reason}" if reason else "status.suppressed_chart")
    words = language.say(f"status.{states[0]}_chart")
    return f"{words} {notes[0]}" if notes and language == ENGLISH else words


def placeholder(reason: str, *, width: int = theme.WIDE) -> alt.LayerChart:
    """An empty frame that says why there is no chart."""
    lines = wrap(reason, width - 40)
    count = lines.count("\n") + 1
    height = 40 + count * LINE_HEIGHT
    first = height / 2 - (count - 1) * LINE_HEIGHT / 2
    table = pd.DataFrame({"text": [lines]})
    frame = {"stroke": theme.LINE, "fillOpacity": 0, "strokeDash": [4, 3], "cornerRadius": 3}
    corners = {"x": alt.XValue(0), "x2": alt.X2Value(width - 2), "y": alt.YValue(0), "y2": alt.Y2Value(height - 2)}
    told = {"align": "left", "color": theme.MUTED}
    layers = [
        layer(table, "rect", frame, **corners),
        layer(table, "text", told, text=worded("text"), x=alt.XValue(18), y=alt.YValue(first)),
    ]
    return sized(layers, (width, height), reason, (1, 1, 1, 1))


@dataclass(frozen=True)
class Mark:
    """One entry of a legend: the mark as it is drawn, and its words."""

    words: str
    colour: str
    shape: str = "circle"
    filled: bool = True
    size: int = 120


@dataclass(frozen=True)
class Layout:
    """Pixels that a chart of rows asks for.

    `left` is the column for names, `right` the one for words right of the plot, both when wide; `reserve` is
    what those words take of the name's line when narrow; `foot` keeps a line under each narrow row.
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
    """Rows placed on a canvas: `table` with `y`, `label_y`, `foot_y` in pixels from the plot's top.

    `names` holds each name once, with its `label` and `detail` as wrapped, and where they stand.
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
        """Whether names stand above their row."""
        return self.left == 0

    @property
    def plot(self) -> float:
        """Width of the plot in pixels."""
        return self.width - self.left - self.right

    @cached_property
    def once(self) -> pd.DataFrame:
        """The first row of each name."""
        return self.table.loc[~self.table["y"].duplicated()]

    def x(self, field: str, domain: Sequence[float]) -> alt.X:
        """Horizontal position on a scale of exactly this domain; `axis` draws its ticks."""
        return across(field, domain)

    def axis(
        self, ticks: Sequence[float], domain: Sequence[float], marked: Sequence[str] = (), title: str = ""
    ) -> list[alt.Chart]:
        """Light lines at the ticks, behind the marks only, with numbers below and a title under them."""
        reached = [(tick - domain[0]) / (domain[1] - domain[0]) for tick in ticks]
        sides = [
            "left" if at < 0.05 and self.narrow else "right" if at > 0.95 and self.narrow else "center"
            for at in reached
        ]
        numbers = marked or [self.language.number(tick) for tick in ticks]
        shown = [
            {"tick": tick, "words": number, "side": side}
            for tick, number, side in zip(ticks, numbers, sides, strict=True)
        ]
        look, below = SMALL | {"align": alt.expr("datum.side")}, alt.YValue(self.height + 10)
        layers = [
            self.lines(ticks, domain),
            layer(shown, "text", look, x=self.x("tick", domain), y=below, text=worded("words")),
        ]
        if title:
            at = {"x": alt.XValue(self.plot), "y": alt.YValue(self.height + 26)}
            layers.append(layer([{"words": title}], "text", SMALL | {"align": "right"}, text=worded("words"), **at))
        return layers

    def lines(self, ticks: Sequence[float], domain: Sequence[float], colour: str = theme.LINE) -> alt.Chart:
        """Vertical lines behind the marks; in pieces when narrow, so that none crosses a name."""
        pieces = [(row["y"], row["height"] / 2) for row in self.names] if self.narrow else [(self.height / 2,) * 2]
        crossed = [{"tick": tick, "start": y - half, "end": y + half} for tick in ticks for y, half in pieces]
        ends = {"y": self.y("start"), "y2": alt.Y2(field="end")}
        return layer(crossed, "rule", {"color": colour}, x=self.x("tick", domain), **ends)

    def y(self, field: str = "y") -> alt.Y:
        """Vertical position in pixels from the top of the plot."""
        return from_top(field)

    def labels(self) -> list[alt.Chart]:
        """Names, and their details in small type, at the left edge."""
        edge = alt.XValue(-self.left)
        layers = [layer(self.names, "text", LEFT, text=worded("label"), x=edge, y=self.y("label_y"))]
        if any(row["detail"] for row in self.names):
            layers.append(layer(self.names, "text", LEFT | SMALL, text=worded("detail"), x=edge, y=self.y("detail_y")))
        return layers

    def aside(self, field: str, *, below: str = "") -> list[alt.Chart]:
        """Words right of the plot (narrow: ending the name's line), `below` them a small line."""
        once, bold, small = self.once, LEFT | {"fontWeight": 600}, LEFT | SMALL
        if self.narrow:
            bold, at = bold | {"align": "right"}, {"x": alt.XValue(self.plot), "y": self.y("label_y")}
            beneath = {"x": alt.XValue(0), "y": self.y("foot_y")}
        else:
            at = beneath = {"x": alt.XValue(self.plot + 22), "y": self.y()}
            bold, small = (bold | {"dy": -8}, small | {"dy": 8}) if below else (bold, small)
        layers = [layer(once, "text", bold, text=worded(field), **at)]
        return [*layers, layer(once, "text", small, text=worded(below), **beneath)] if below else layers

    def legend(self, marks: Sequence[Mark]) -> list[alt.Chart]:
        """A legend above the plot, drawn with the marks themselves."""
        placed = [
            {**entry, "x": entry["x"] - self.left, "y": entry["y"] - self.top} for entry in _flow(marks, self.width)
        ]
        at = {"x": from_left("x"), "y": self.y()}
        shown = {**at, "shape": alt.Shape(field="shape", type="nominal", scale=None), "color": coloured("colour")}
        look = {"size": 75, "opacity": 1, "strokeWidth": 1.5}
        alike = {filled: [entry for entry in placed if entry["filled"] is filled] for filled in (False, True)}
        points = [
            layer(entries, "point", look | {"filled": filled}, **shown) for filled, entries in alike.items() if entries
        ]
        return [*points, layer(placed, "text", LEFT | SMALL | {"dx": 10}, text=worded("words"), **at)]

    def finish(self, layers: Iterable[alt.Chart], description: str) -> alt.LayerChart:
        """The layers as one chart of exactly this size."""
        outer = self.height + self.top + self.bottom
        padding = (self.left, self.right, self.top, self.bottom)
        return sized(layers, (self.width, outer), description, padding)


def place(table: pd.DataFrame, name: str, width: int, layout: Layout, language: Language = ENGLISH) -> Rows:
    """Place one row per distinct `name`, as high as its wrapped words need.

    A column `detail` is set in small type below the names.
    """
    narrow = width < 500
    room = width - layout.reserve if narrow else layout.left - 16
    zone, top, names = layout.step * 0.62, 0.0, []
    for text, detail in _named(table, name).items():
        label, small = wrap(text, room), wrap(detail, width if narrow else room, theme.SMALL)
        lines = label.count("\n") + 1
        words = (lines + (small.count("\n") + 1) * bool(small)) * LINE_HEIGHT
        height = words + zone + 19 * layout.foot + 16 if narrow else max(words + 10, layout.step)
        label_y = top + (9 if narrow else (height - words) / 2 + LINE_HEIGHT / 2)
        y = top + words + 5 + zone / 2 if narrow else top + height / 2
        names.append(
            {
                name: text,
                "label": label,
                "label_y": label_y,
                "detail": small,
                "detail_y": label_y + lines * LINE_HEIGHT + 1,
                "y": y,
                "foot_y": y + zone / 2 + 10,
                "height": zone if narrow else height,
            }
        )
        top += height
    spots = {row[name]: row for row in names}
    placed = table.assign(**{at: [spots[text][at] for text in table[name]] for at in ("y", "label_y", "foot_y")})
    left, right = (0.0, 0.0) if narrow else (layout.left, layout.right)
    return Rows(placed, names, width, left, right, layout.top, layout.bottom, top, language)


def _named(table: pd.DataFrame, name: str) -> dict[Any, str]:
    """Each name once, in order, with its detail."""
    named: dict[Any, str] = {}
    for text, detail in zip(table[name], table.get("detail", [""] * len(table)), strict=True):
        named.setdefault(text, "" if pd.isna(detail) else detail)
    return named


def _flow(marks: Sequence[Mark], width: int) -> list[dict[str, Any]]:
    """Legend entries set one after the other; a new line where the width ends."""
    x, line, placed = 6.0, 0, []
    for mark in marks:
        taken = 30 + text_width(mark.words, theme.SMALL)
        if x > 6 and x + taken - 14 > width:
            x, line = 6.0, line + 1
        placed.append({**vars(mark), "x": x, "y": 7.0 + line * 18})
        x += taken
    return placed


def legend_height(marks: Sequence[Mark], width: int) -> float:
    """Pixels a legend takes, with the space below it."""
    return float(_flow(marks, width)[-1]["y"]) + 17


TOLD = 12
"""Marks that a description tells one by one: more is no description, and the table of numbers holds them all."""


def sentence(parts: Iterable[str], language: Language = ENGLISH) -> str:
    """Parts joined to the description of a chart; beyond a dozen, how many more the table of its numbers holds.

    Examples
    --------
    >>> sentence(["Claims: 48", "", "Cards: 52"])
    'Claims: 48. Cards: 52.'
    >>> sentence(str(number) for number in range(1, 21))
    '1. 2. 3. 4. 5. 6. 7. 8. 9. 10. 11. 12. 8 more in the table of numbers.'
    """
    told = [part for part in parts if part]
    more = len(told) - TOLD
    if more > 1:
        told = [*told[:TOLD], language.say("chart.more", n=language.number(more))]
    return ". ".join(told) + "." if told else ""
