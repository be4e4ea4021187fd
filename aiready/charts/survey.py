"""Draw charts of the survey and the barriers: both voices, items, groups, indicators, themes, units side by side."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import altair as alt
import pandas as pd

from aiready.charts import theme
from aiready.charts.marks import colour_channel, layer, text_channel, x2_at, x_at, x_in_pixels, y_at
from aiready.charts.row_layout import (
    LEFT,
    SMALL,
    Layout,
    Mark,
    Rows,
    chart_description,
    checked_chart,
    lay_out_rows,
    legend_height,
    right_margin,
    wrap,
)
from aiready.messages import ENGLISH, Language
from aiready.package_files import package_file, read_records

SCORE_DOMAIN = (0, 100)
SCORE_TICKS = (0, 20, 40, 60, 80, 100)
PEOPLE_MARK = Mark("", theme.PEOPLE)
RECORDS_MARK = Mark("", theme.RECORDS, "diamond", size=150)
_ORGANISATION_MARK = Mark("", theme.ORGANISATION, filled=False)


def legend_mark(mark: Mark, language: Language, key: str) -> Mark:
    """A mark with its words in the legend, `legend.<key>` in the catalogue."""
    return replace(mark, words=language.say(f"legend.{key}"))


def point_layer(rows: Rows, table: pd.DataFrame, field: str, mark: Mark, *, dy: int = 0) -> alt.Chart:
    """A mark per row at the score in column `field`."""
    look = {"filled": mark.filled, "color": mark.colour, "shape": mark.shape, "size": mark.size}
    look |= {"strokeWidth": 1.6, "opacity": 1, "yOffset": dy}
    return layer(table, "point", look, x=rows.x(field, SCORE_DOMAIN), y=rows.y())


def interval_layer(rows: Rows, table: pd.DataFrame, bounds: tuple[str, str], *, dy: int = 0) -> alt.Chart:
    """An interval of what people say per row, clipped to the scale."""
    low, high = bounds
    clipped = table.assign(**{bound: table[bound].clip(*SCORE_DOMAIN) for bound in bounds})
    look = {"color": theme.PEOPLE, "strokeWidth": 2.2, "yOffset": dy}
    return layer(clipped, "rule", look, x=rows.x(low, SCORE_DOMAIN), x2=alt.X2(field=high), y=rows.y())


def band_grid(rows: Rows, bands: pd.DataFrame) -> list[alt.Chart]:
    """The bands of the score: lines at their edges with numbers below, their names above."""
    upper_edges = [*bands["at_least"].iloc[1:], 100]
    labelled = bands.assign(middle=(bands["at_least"] + upper_edges) / 2, y=-12)
    edges = [float(edge) for edge in bands["at_least"].iloc[1:]]
    names = layer(labelled, "text", SMALL, x=rows.x("middle", SCORE_DOMAIN), y=rows.y(), text=text_channel("name"))
    return [*rows.axis([0.0, *edges, 100.0], SCORE_DOMAIN), names]


@cache
def _shipped_bands() -> pd.DataFrame:
    """The bands of the instrument that comes with the package."""
    bands = pd.DataFrame(read_records(package_file("data/instrument/bands.csv")))
    return bands.astype({"at_least": float})


@checked_chart("barrier", "band", values="perception practice")
def say_do_chart(
    profile: pd.DataFrame,
    *,
    bands: pd.DataFrame | None = None,
    language: Language = ENGLISH,
    width: int = theme.WIDE,
) -> alt.LayerChart:
    """What people say and what records show per barrier, the organisation's beside them, and the score in words.

    Parameters
    ----------
    profile
        One row per barrier, in the order drawn: `barrier` (its name), `perception`, `perception_low`,
        `perception_high`, `practice`, `score` (0-100, missing where unknown), `band` (of the score, in
        words, or empty), optional `organisation_perception`, `organisation_practice`, `status`.
    bands
        `at_least`, `name`, ascending; by default those of the instrument that comes with the package.
    """
    marks = [legend_mark(PEOPLE_MARK, language, "people_interval"), legend_mark(RECORDS_MARK, language, "records"),
             legend_mark(_ORGANISATION_MARK, language, "organisation")]  # fmt: skip
    marks = marks[: 3 if "organisation_perception" in profile else 2]
    labelled = profile.assign(verdict=_score_texts(profile, language), voices=_voice_texts(profile, language))
    right = right_margin(labelled["verdict"], right_margin(labelled["voices"], 160, theme.SMALL))
    layout = Layout(right=right, step=50, reserve=120, foot=True, top=legend_height(marks, width) + 22)
    rows = lay_out_rows(labelled, "barrier", width, layout, language)
    voices = rows.table[["perception", "practice"]]
    gaps = rows.table.assign(gap_low=voices.min(axis=1), gap_high=voices.max(axis=1))[voices.notna().all(axis=1)]
    bar = {"color": theme.LINE, "strokeWidth": 6, "strokeCap": "round"}
    organisation = [
        point_layer(rows, rows.table, column, Mark("", theme.ORGANISATION, shape, filled=False, size=42), dy=13)
        for column, shape in (("organisation_perception", "circle"), ("organisation_practice", "diamond"))
        if column in rows.table
    ]
    layers = [
        *band_grid(rows, _shipped_bands() if bands is None else bands),
        layer(gaps, "rule", bar, x=rows.x("gap_low", SCORE_DOMAIN), x2=alt.X2(field="gap_high"), y=rows.y()),
        interval_layer(rows, rows.table, ("perception_low", "perception_high")),
        *organisation,
        point_layer(rows, rows.table, "practice", RECORDS_MARK),
        point_layer(rows, rows.table, "perception", PEOPLE_MARK),
        *rows.labels(),
        *rows.side_text("verdict", below="voices"),
        *rows.legend(marks),
    ]
    parts = (f"{b}: {v}, {w}" for b, v, w in labelled[["barrier", "verdict", "voices"]].values)
    return rows.finish(layers, chart_description(parts, language))


def _score_texts(profile: pd.DataFrame, language: Language) -> list[str]:
    return [
        _score_text(score, band, language) if pd.notna(score) else language.say("chart.no_score")
        for score, band in zip(profile["score"], profile["band"].fillna(""), strict=True)
    ]


def _score_text(score: float, band: str, language: Language) -> str:
    blanks = {"score": language.score(score)} | ({"band": band} if band else {})
    return language.say("chart.score" if band else "chart.score_alone", **blanks)


def _voice_texts(profile: pd.DataFrame, language: Language) -> list[str]:
    pairs = zip(profile["perception"], profile["practice"], strict=True)
    return [
        language.say("voices.short", said=language.score(perception), shown=language.score(practice))
        for perception, practice in pairs
    ]


@checked_chart("item", "level", "low", "high", "dont_know", values="share")
def items_chart(answers: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE) -> alt.LayerChart:
    """How each item was answered: shares of the levels as a 100 % bar, both ends and `don't know` as numbers.

    Parameters
    ----------
    answers
        One row per item x level: `item` (in words), `level` (1 ... L), `share` (of answers on a level; sums
        to 1 per item), and repeated on each row of an item `low`, `high` (shares at the two ends) and
        `dont_know` (of everybody asked). An item without answers has one row with missing `share`.
    """
    top = int(answers["level"].max())
    fills = theme.sequential_colours(top)
    ends = tuple(language.say("chart.levels", low=str(low), high=str(low + 1)) for low in (1, top - 1))
    by_level = dict(enumerate(fills, start=1))
    marks = [Mark(_level_text(number, top, language), fill, "square") for number, fill in by_level.items()]
    texts = {name: [language.share(value) for value in answers[name]] for name in ("low", "high", "dont_know")}
    labelled = answers.assign(**{f"{name}_words": text for name, text in texts.items()})
    labelled["foot"] = [
        language.say("chart.answers", low_name=ends[0], low=low, high_name=ends[1], high=high, unsure=unsure)
        for low, high, unsure in zip(*texts.values(), strict=True)
    ]
    above = legend_height(marks, width) + (0 if width < 500 else 20)
    layout = Layout(left=200, right=205, step=34, foot=True, top=above, bottom=4)
    rows = lay_out_rows(labelled, "item", width, layout, language)
    layers = [
        *stacked_bars(rows, BarParts("share", "level", by_level, lambda value: language.number(100 * value)), (0, 1)),
        *rows.labels(),
        *rows.legend(marks),
        *_end_columns(rows, ends),
    ]
    parts = (f"{item}: {foot}" for item, foot in rows.first_rows[["item", "foot"]].values)
    return rows.finish(layers, chart_description(parts, language))


def _level_text(number: int, top: int, language: Language) -> str:
    return language.say("chart.level", level=str(number)) if number in (1, top) else str(number)


def _end_columns(rows: Rows, ends: tuple[str, ...]) -> list[alt.Chart]:
    """Both ends and `don't know` as columns of numbers; when narrow, as one line below the bar."""
    items = rows.first_rows
    if rows.narrow:
        return [layer(items, "text", LEFT | SMALL, text=text_channel("foot"), x=x_at(0), y=rows.y("foot_y"))]
    layers: list[alt.Chart] = []
    right = {"align": "right"}
    for offset, field, head in (
        (62, "low", ends[0]),
        (127, "high", ends[1]),
        (200, "dont_know", rows.language.say("chart.dont_know")),
    ):
        at = x_at(rows.plot_width + offset)
        top = pd.DataFrame({"head": [head]})
        layers += [
            layer(items, "text", right, text=text_channel(f"{field}_words"), x=at, y=rows.y()),
            layer(top, "text", SMALL | right, text=text_channel("head"), x=at, y=y_at(-9)),
        ]
    return layers


@dataclass(frozen=True)
class BarParts:
    """The columns with the lengths and the parts of stacked bars, each part's fill, and the format of its number."""

    field: str
    by: str
    fills: Mapping[Any, str]
    text: Callable[[float], str]


def stacked_bars(rows: Rows, parts: BarParts, domain: tuple[float, float]) -> list[alt.Chart]:
    """Bars of parts end to end, negative ones to the left of zero; a number in each part wide enough for it."""
    bars = _bars(rows.table, parts)
    per_unit = rows.plot_width / (domain[1] - domain[0])
    inside = [bar for bar in bars if abs(bar["end"] - bar["start"]) * per_unit >= 4 + 7 * len(bar["words"])]
    inside.sort(key=lambda bar: bar["on"])
    look = {"height": 24, "stroke": theme.PAPER, "strokeWidth": 1}
    y, ends = rows.y(), {"x": rows.x("start", domain), "x2": alt.X2(field="end")}
    words = {"x": rows.x("middle", domain), "text": text_channel("words"), "color": colour_channel("on")}
    return [
        layer(bars, "bar", look, y=y, color=colour_channel("fill"), **ends),
        layer(inside, "text", {"fontSize": theme.SMALL}, y=y, **words),
    ]


def _bars(table: pd.DataFrame, parts: BarParts) -> list[dict[str, Any]]:
    """Start, end, fill and words of every part, ordered by part, so that those of one fill are neighbours."""
    inks = {fill: theme.text_on(fill) for fill in parts.fills.values()}
    order = {part: position for position, part in enumerate(parts.fills)}
    reached: dict[tuple[float, bool], float] = {}
    bars: list[dict[str, Any]] = []
    for y, part, length in zip(table["y"], table[parts.by], table[parts.field], strict=True):
        if pd.notna(length):
            side, fill = (y, length < 0), parts.fills[part]
            start = reached.get(side, 0.0)
            reached[side] = end = start + float(length)
            extent = {"y": y, "start": start, "end": end, "middle": (start + end) / 2}
            bars.append({**extent, "fill": fill, "on": inks[fill], "words": parts.text(length), "order": order[part]})
    return sorted(bars, key=lambda bar: bar["order"])


@checked_chart("barrier", "group", "low", "high")
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
    rows = lay_out_rows(groups, "barrier", width, layout, language)
    spread = rows.table.assign(words=[language.score(value) for value in rows.table["value"]])
    pair_texts = spread.groupby("barrier", sort=False)["words"].agg("  ·  ".join)
    rows.table["verdict"] = rows.table["barrier"].map(pair_texts)
    layers = rows.axis(SCORE_TICKS, SCORE_DOMAIN)
    for name, mark, dy in zip(names, marks, (-7, 7), strict=False):
        group = rows.table[rows.table["group"] == name]
        layers += [
            interval_layer(rows, group, ("low", "high"), dy=dy),
            _halo(rows, group, mark, dy),
            point_layer(rows, group, "value", mark, dy=dy),
        ]
    layers += [*rows.labels(), *rows.side_text("verdict"), *rows.legend(marks)]
    parts = (f"{b}, {g}: {w}" for b, g, w in spread[["barrier", "group", "words"]].values)
    return rows.finish(layers, chart_description(parts, language))


def _halo(rows: Rows, group: pd.DataFrame, mark: Mark, dy: int) -> alt.Chart:
    """A disc in the colour of the paper under a mark, so that its interval does not show through a hollow one."""
    return point_layer(rows, group, "value", Mark("", theme.PAPER, mark.shape, size=mark.size), dy=dy)


@checked_chart("indicator", "value_text", values="points")
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
    right = right_margin(indicators["value_text"], 150)
    rows = lay_out_rows(indicators, "indicator", width, Layout(left=250, right=right, step=38, reserve=130), language)
    stem = {"color": theme.RECORDS, "strokeWidth": 3}
    layers = [
        *rows.axis(SCORE_TICKS, SCORE_DOMAIN),
        layer(rows.table, "rule", stem, x=rows.x("points", SCORE_DOMAIN), x2=alt.X2Datum(0), y=rows.y()),
        point_layer(rows, rows.table, "points", RECORDS_MARK),
        *rows.labels(),
        *rows.side_text("value_text"),
    ]
    triples = zip(indicators["indicator"], indicators["value_text"], indicators["points"], strict=True)
    parts = (
        f"{name}: {language.say('chart.points', value=text, points=language.score(score))}"
        for name, text, score in triples
    )
    return rows.finish(layers, chart_description(parts, language))


@checked_chart("theme", "low", "high")
def themes_chart(themes: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE) -> alt.LayerChart:
    """Work, workforce and workplace: three scores of what people say.

    Parameters
    ----------
    themes
        One row per theme: `theme` (in words), `value`, `low`, `high` (0-100), optional `detail`, `status`.
    """
    labelled = themes.assign(words=[language.score(value) for value in themes["value"]])
    rows = lay_out_rows(labelled, "theme", width, Layout(right=60, step=38, reserve=40), language)
    layers = [
        *rows.axis(SCORE_TICKS, SCORE_DOMAIN),
        interval_layer(rows, rows.table, ("low", "high")),
        point_layer(rows, rows.table, "value", PEOPLE_MARK),
        *rows.labels(),
        *rows.side_text("words"),
    ]
    parts = (f"{name}: {word}" for name, word in labelled[["theme", "words"]].values)
    return rows.finish(layers, chart_description(parts, language))


@checked_chart("unit", "barrier", values="perception practice")
def barriers_units_chart(
    units: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE
) -> alt.LayerChart:
    """A table of units (rows) x barriers (columns) in the order given, with both voices as marks and numbers.

    Parameters
    ----------
    units
        One row per unit x barrier: `unit`, `barrier` (names), `perception`, `practice` (0-100), optional
        `status`.
    """
    barriers = list(dict.fromkeys(units["barrier"]))
    head = 54 if width < 500 else 40
    rows = lay_out_rows(units, "unit", width, Layout(left=160, step=36, top=head + 18, bottom=4), language)
    column = rows.plot_width / len(barriers)
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
    ends = {"x": x_at(-rows.left), "x2": x2_at(rows.plot_width)}
    layers = [
        layer(lines, "rule", {"color": theme.LINE}, y=rows.y(), **ends),
        layer(heads, "text", text, x=x_in_pixels("x"), y=rows.y(), text=text_channel("head")),
        *rows.labels(),
        *_voice_layers(rows, cells, "perception", PEOPLE_MARK, -1),
        *_voice_layers(rows, cells, "practice", RECORDS_MARK, 1),
        *rows.legend([legend_mark(PEOPLE_MARK, language, "people"), legend_mark(RECORDS_MARK, language, "records")]),
    ]
    triples = zip(units["unit"], units["barrier"], _voice_texts(units, language), strict=True)
    parts = (f"{unit}, {barrier}: {voices}" for unit, barrier, voices in triples)
    return rows.finish(layers, chart_description(parts, language))


def _voice_layers(rows: Rows, cells: pd.DataFrame, field: str, mark: Mark, side: int) -> list[alt.Chart]:
    """One voice of every cell: a small mark and its number, left or right of the cell's middle."""
    near = 15 if rows.narrow else 24
    at = {"x": x_in_pixels("x"), "y": rows.y()}
    labelled = cells.assign(words=[rows.language.score(value) for value in cells[field]])
    text = {"color": mark.colour, "fontWeight": 600, "xOffset": side * near + 5}
    point = {"filled": True, "opacity": 1, "color": mark.colour, "shape": mark.shape, "size": 34}
    return [
        layer(labelled, "text", text, **at, text=text_channel("words")),
        layer(cells.dropna(subset=[field]), "point", point | {"xOffset": side * near - 9}, **at),
    ]
