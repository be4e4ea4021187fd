"""Charts of the barriers: both voices, items, groups, indicators, themes; units side by side."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import altair as alt
import pandas as pd

from aiready.charts import theme
from aiready.charts.marks import coloured, from_left, layer, worded
from aiready.charts.row_layout import (
    LEFT,
    SMALL,
    Layout,
    Mark,
    Rows,
    beside,
    drawn,
    legend_height,
    place,
    sentence,
    wrap,
)
from aiready.messages import ENGLISH, Language

POINTS = (0, 100)
TICKS = (0, 20, 40, 60, 80, 100)
_BANDS = pd.DataFrame({"at_least": [0, 40, 60, 80], "name": ["blocking", "slowing", "workable", "clear"]})
PEOPLE = Mark("", theme.PEOPLE)
RECORDS = Mark("", theme.RECORDS, "diamond", size=150)
_ORGANISATION = Mark("", theme.ORGANISATION, filled=False)


def named(mark: Mark, language: Language, key: str) -> Mark:
    """A mark with its words for a legend."""
    return replace(mark, words=language.say(f"legend.{key}"))


def points(rows: Rows, table: pd.DataFrame, field: str, mark: Mark, *, dy: int = 0) -> alt.Chart:
    """One mark per row at `field`; rows without a value are left out."""
    look = {"filled": mark.filled, "color": mark.colour, "shape": mark.shape, "size": mark.size}
    placed = {"strokeWidth": 1.6, "opacity": 1, "yOffset": dy}
    return layer(table, "point", look | placed, x=rows.x(field, POINTS), y=rows.y())


def spans(rows: Rows, table: pd.DataFrame, bounds: tuple[str, str], *, dy: int = 0) -> alt.Chart:
    """One interval of what people say per row, drawn no further than the scale reaches."""
    low, high = bounds
    seen = table.assign(**{bound: table[bound].clip(*POINTS) for bound in bounds})
    look = {"color": theme.PEOPLE, "strokeWidth": 2.2, "yOffset": dy}
    return layer(seen, "rule", look, x=rows.x(low, POINTS), x2=alt.X2(field=high), y=rows.y())


def grid(rows: Rows, bands: pd.DataFrame) -> list[alt.Chart]:
    """The bands: their edges as lines with numbers below, their names above."""
    tops = [*bands["at_least"].iloc[1:], 100]
    named = bands.assign(middle=(bands["at_least"] + tops) / 2, y=-12)
    edges = [float(edge) for edge in bands["at_least"].iloc[1:]]
    names = layer(named, "text", SMALL, x=rows.x("middle", POINTS), y=rows.y(), text=worded("name"))
    return [*rows.axis([0.0, *edges, 100.0], POINTS), names]


@drawn("barrier", "band", values="perception practice")
def say_do_chart(
    profile: pd.DataFrame, *, bands: pd.DataFrame = _BANDS, language: Language = ENGLISH, width: int = theme.WIDE
) -> alt.LayerChart:
    """Per barrier what people say, what records show, the organisation, and the score in words.

    Parameters
    ----------
    profile
        One row per barrier, in the order wanted: `barrier` (its name), `perception`, `perception_low`,
        `perception_high`, `practice`, `score` (0-100, missing where not known), `band` (the score's, in
        words, or empty), optional `organisation_perception`, `organisation_practice`, `status`.
    bands
        `at_least`, `name`, ascending.
    """
    marks = [named(PEOPLE, language, "people_interval"), named(RECORDS, language, "records"),
             named(_ORGANISATION, language, "organisation")]  # fmt: skip
    marks = marks[: 3 if "organisation_perception" in profile else 2]
    told = profile.assign(verdict=_verdict(profile, language), voices=_voices(profile, language))
    rows = place(
        told,
        "barrier",
        width,
        Layout(
            right=beside(told["verdict"], beside(told["voices"], 160, theme.SMALL)),
            step=50,
            reserve=120,
            foot=True,
            top=legend_height(marks, width) + 22,
        ),
        language,
    )
    low, high = (
        rows.table[["perception", "practice"]].min(axis=1),
        rows.table[["perception", "practice"]].max(axis=1),
    )
    both = rows.table[["perception", "practice"]].notna().all(axis=1)
    gap = rows.table.assign(gap_low=low, gap_high=high)[both]
    bar = {"color": theme.LINE, "strokeWidth": 6, "strokeCap": "round"}
    organisation = [
        points(
            rows,
            rows.table,
            f"organisation_{voice}",
            Mark("", theme.ORGANISATION, shape, filled=False, size=42),
            dy=13,
        )
        for voice, shape in (("perception", "circle"), ("practice", "diamond"))
        if f"organisation_{voice}" in rows.table
    ]
    layers = [
        *grid(rows, bands),
        layer(gap, "rule", bar, x=rows.x("gap_low", POINTS), x2=alt.X2(field="gap_high"), y=rows.y()),
        spans(rows, rows.table, ("perception_low", "perception_high")),
        *organisation,
        points(rows, rows.table, "practice", RECORDS),
        points(rows, rows.table, "perception", PEOPLE),
        *rows.labels(),
        *rows.aside("verdict", below="voices"),
        *rows.legend(marks),
    ]
    parts = (f"{b}: {v}, {w}" for b, v, w in told[["barrier", "verdict", "voices"]].values)
    return rows.finish(layers, sentence(parts, language))


def _verdict(profile: pd.DataFrame, language: Language) -> list[str]:
    return [
        _scored(score, band, language) if pd.notna(score) else language.say("chart.no_score")
        for score, band in zip(profile["score"], profile["band"].fillna(""), strict=True)
    ]


def _scored(score: float, band: str, language: Language) -> str:
    told = {"score": language.score(score)} | ({"band": band} if band else {})
    return language.say("chart.score" if band else "chart.score_alone", **told)


def _voices(profile: pd.DataFrame, language: Language) -> list[str]:
    pairs = zip(profile["perception"], profile["practice"], strict=True)
    return [language.say("voices.short", said=language.score(said), shown=language.score(done)) for said, done in pairs]


@drawn("item", "level", "low", "high", "dont_know", values="share")
def items_chart(answers: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE) -> alt.LayerChart:
    """How each item was answered: levels as a 100 % bar, the ends and `don't know` as numbers.

    Parameters
    ----------
    answers
        One row per item x level: `item` (in words), `level` (1 ... L), `share` (of answers on a level; sums
        to 1 per item), and repeated on each row of an item `low`, `high` (shares at the two ends) and
        `dont_know` (of everybody asked). An item without answers has one row with missing `share`.
    """
    top = int(answers["level"].max())
    fills = theme.levels(top)
    ends = tuple(language.say("chart.levels", low=str(low), high=str(low + 1)) for low in (1, top - 1))
    by_level = dict(enumerate(fills, start=1))
    marks = [Mark(_level(number, top, language), fill, "square") for number, fill in by_level.items()]
    texts = {name: [language.share(value) for value in answers[name]] for name in ("low", "high", "dont_know")}
    shown = answers.assign(**{f"{name}_words": text for name, text in texts.items()})
    shown["foot"] = [
        language.say("chart.answers", low_name=ends[0], low=low, high_name=ends[1], high=high, unsure=unsure)
        for low, high, unsure in zip(*texts.values(), strict=True)
    ]
    rows = place(
        shown,
        "item",
        width,
        Layout(
            left=200,
            right=205,
            step=34,
            foot=True,
            top=legend_height(marks, width) + (0 if width < 500 else 20),
            bottom=4,
        ),
        language,
    )
    layers = [
        *stacked(rows, Parts("share", "level", by_level, lambda value: language.number(100 * value)), (0, 1)),
        *rows.labels(),
        *rows.legend(marks),
        *_ends(rows, ends),
    ]
    parts = (f"{item}: {foot}" for item, foot in rows.once[["item", "foot"]].values)
    return rows.finish(layers, sentence(parts, language))


def _level(number: int, top: int, language: Language) -> str:
    return language.say("chart.level", level=str(number)) if number in (1, top) else str(number)


def _ends(rows: Rows, ends: tuple[str, ...]) -> list[alt.Chart]:
    """The two ends and `don't know` as columns of numbers; in one line below the bar when narrow."""
    once = rows.once
    if rows.narrow:
        return [layer(once, "text", LEFT | SMALL, text=worded("foot"), x=alt.XValue(0), y=rows.y("foot_y"))]
    layers: list[alt.Chart] = []
    right = {"align": "right"}
    for offset, field, head in (
        (62, "low", ends[0]),
        (127, "high", ends[1]),
        (200, "dont_know", rows.language.say("chart.dont_know")),
    ):
        at = alt.XValue(rows.plot + offset)
        top = pd.DataFrame({"head": [head]})
        layers += [
            layer(once, "text", right, text=worded(f"{field}_words"), x=at, y=rows.y()),
            layer(top, "text", SMALL | right, text=worded("head"), x=at, y=alt.YValue(-9)),
        ]
    return layers


@dataclass(frozen=True)
class Parts:
    """What a stacked bar is made of: columns of lengths and parts, each part's fill, the number's format."""

    field: str
    by: str
    fills: Mapping[Any, str]
    text: Callable[[float], str]


def stacked(rows: Rows, parts: Parts, domain: tuple[float, float]) -> list[alt.Chart]:
    """Bars of parts end to end, what is below zero to the left; a number in every part wide enough for it."""
    bars = _bars(rows.table, parts)
    per_unit = rows.plot / (domain[1] - domain[0])
    inside = [bar for bar in bars if abs(bar["end"] - bar["start"]) * per_unit >= 4 + 7 * len(bar["words"])]
    inside.sort(key=lambda bar: bar["on"])
    look = {"height": 24, "stroke": theme.PAPER, "strokeWidth": 1}
    y, ends = rows.y(), {"x": rows.x("start", domain), "x2": alt.X2(field="end")}
    words = {"x": rows.x("middle", domain), "text": worded("words"), "color": coloured("on")}
    return [
        layer(bars, "bar", look, y=y, color=coloured("fill"), **ends),
        layer(inside, "text", {"fontSize": theme.SMALL}, y=y, **words),
    ]


def _bars(table: pd.DataFrame, parts: Parts) -> list[dict[str, Any]]:
    """Start, end, fill and words of every part; parts that look alike stand together."""
    inks = {fill: theme.text_on(fill) for fill in parts.fills.values()}
    order = {part: place for place, part in enumerate(parts.fills)}
    reached: dict[tuple[float, bool], float] = {}
    bars: list[dict[str, Any]] = []
    for y, part, length in zip(table["y"], table[parts.by], table[parts.field], strict=True):
        if pd.notna(length):
            side, fill = (y, length < 0), parts.fills[part]
            start = reached.get(side, 0.0)
            reached[side] = end = start + float(length)
            place = {"y": y, "start": start, "end": end, "middle": (start + end) / 2}
            bars.append({**place, "fill": fill, "on": inks[fill], "words": parts.text(length), "order": order[part]})
    return sorted(bars, key=lambda bar: bar["order"])


@drawn("barrier", "group", "low", "high")
def groups_chart(groups: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE) -> alt.LayerChart:
    """What two groups of people say, side by side per barrier, each with its interval.

    Parameters
    ----------
    groups
        One row per barrier x group: `barrier`, `group` (in words; the first is drawn filled, the second
        hollow), `value`, `low`, `high` (0-100), optional `status`.
    """
    names = list(dict.fromkeys(groups["group"]))
    looks = (("circle", True), ("square", False))
    marks = [Mark(name, theme.PEOPLE, *look, size=85) for name, look in zip(names, looks, strict=False)]
    layout = Layout(right=110, step=44, reserve=90, top=legend_height(marks, width) + 4)
    rows = place(groups, "barrier", width, layout, language)
    spread = rows.table.assign(words=[language.score(value) for value in rows.table["value"]])
    once = spread.groupby("barrier", sort=False)["words"].agg("  ·  ".join)
    rows.table["verdict"] = rows.table["barrier"].map(once)
    layers = rows.axis(TICKS, POINTS)
    for name, mark, dy in zip(names, marks, (-7, 7), strict=False):
        group = rows.table[rows.table["group"] == name]
        layers += [
            spans(rows, group, ("low", "high"), dy=dy),
            _halo(rows, group, mark, dy),
            points(rows, group, "value", mark, dy=dy),
        ]
    layers += [*rows.labels(), *rows.aside("verdict"), *rows.legend(marks)]
    parts = (f"{b}, {g}: {w}" for b, g, w in spread[["barrier", "group", "words"]].values)
    return rows.finish(layers, sentence(parts, language))


def _halo(rows: Rows, group: pd.DataFrame, mark: Mark, dy: int) -> alt.Chart:
    """Paper under a hollow mark, so that its interval does not run through it."""
    return points(rows, group, "value", Mark("", theme.PAPER, mark.shape, size=mark.size), dy=dy)


@drawn("indicator", "value_text", values="points")
def indicators_chart(
    indicators: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE
) -> alt.LayerChart:
    """The records behind practice: each indicator's points, and its value in natural units.

    Parameters
    ----------
    indicators
        One row per indicator: `indicator` (in words), `points` (0-100, missing where it does not count),
        `value_text` (the value as text, or why it does not count), optional `detail` (n, coverage).
    """
    right = beside(indicators["value_text"], 150)
    rows = place(indicators, "indicator", width, Layout(left=250, right=right, step=38, reserve=130), language)
    stem = {"color": theme.RECORDS, "strokeWidth": 3}
    layers = [
        *rows.axis(TICKS, POINTS),
        layer(rows.table, "rule", stem, x=rows.x("points", POINTS), x2=alt.X2Datum(0), y=rows.y()),
        points(rows, rows.table, "points", RECORDS),
        *rows.labels(),
        *rows.aside("value_text"),
    ]
    told = zip(indicators["indicator"], indicators["value_text"], indicators["points"], strict=True)
    worded = (
        (name, language.say("chart.points", value=text, points=language.score(worth))) for name, text, worth in told
    )
    return rows.finish(layers, sentence((f"{name}: {words}" for name, words in worded), language))


@drawn("theme", "low", "high")
def themes_chart(themes: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE) -> alt.LayerChart:
    """Work, workforce and workplace: three scores of what people say.

    Parameters
    ----------
    themes
        One row per theme: `theme` (in words), `value`, `low`, `high` (0-100), optional `detail`, `status`.
    """
    told = themes.assign(words=[language.score(value) for value in themes["value"]])
    rows = place(told, "theme", width, Layout(right=60, step=38, reserve=40), language)
    layers = [
        *rows.axis(TICKS, POINTS),
        spans(rows, rows.table, ("low", "high")),
        points(rows, rows.table, "value", PEOPLE),
        *rows.labels(),
        *rows.aside("words"),
    ]
    parts = (f"{name}: {word}" for name, word in told[["theme", "words"]].values)
    return rows.finish(layers, sentence(parts, language))


@drawn("unit", "barrier", values="perception practice")
def barriers_units_chart(
    units: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE
) -> alt.LayerChart:
    """Barriers x units in the order given, both voices as numbers with their marks.

    Parameters
    ----------
    units
        One row per unit x barrier: `unit`, `barrier` (names), `perception`, `practice` (0-100), optional
        `status`.
    """
    barriers = list(dict.fromkeys(units["barrier"]))
    head = 54 if width < 500 else 40
    rows = place(units, "unit", width, Layout(left=160, step=36, top=head + 18, bottom=4), language)
    column = rows.plot / len(barriers)
    centres = {name: (index + 0.5) * column for index, name in enumerate(barriers)}
    cells = rows.table.assign(x=rows.table["barrier"].map(centres))
    heads = pd.DataFrame(
        {
            "x": centres.values(),
            "head": [wrap(name, column - 3, 10 if rows.narrow else theme.SMALL) for name in barriers],
            "y": -head + 10,
        }
    )
    text = {"fontSize": 10 if rows.narrow else theme.SMALL, "color": theme.MUTED, "lineHeight": 13}
    lines = [{"y": row["label_y"] - 14} for row in rows.names]
    ends = {"x": alt.XValue(-rows.left), "x2": alt.X2Value(rows.plot)}
    layers = [
        layer(lines, "rule", {"color": theme.LINE}, y=rows.y(), **ends),
        layer(heads, "text", text, x=from_left("x"), y=rows.y(), text=worded("head")),
        *rows.labels(),
        *_pair(rows, cells, "perception", PEOPLE, -1),
        *_pair(rows, cells, "practice", RECORDS, 1),
        *rows.legend([named(PEOPLE, language, "people"), named(RECORDS, language, "records")]),
    ]
    told = zip(units["unit"], units["barrier"], _voices(units, language), strict=True)
    return rows.finish(layers, sentence((f"{unit}, {barrier}: {voices}" for unit, barrier, voices in told), language))


def _pair(rows: Rows, cells: pd.DataFrame, field: str, mark: Mark, side: int) -> list[alt.Chart]:
    """One voice of every cell: a small mark and its number, left or right of the cell's middle."""
    near = 15 if rows.narrow else 24
    at = {"x": from_left("x"), "y": rows.y()}
    shown, cells = (
        cells.assign(words=[rows.language.score(value) for value in cells[field]]),
        cells.dropna(subset=[field]),
    )
    text = {"color": mark.colour, "fontWeight": 600, "xOffset": side * near + 5}
    point = {"filled": True, "opacity": 1, "color": mark.colour, "shape": mark.shape, "size": 34}
    return [
        layer(shown, "text", text, **at, text=worded("words")),
        layer(cells, "point", point | {"xOffset": side * near - 9}, **at),
    ]
