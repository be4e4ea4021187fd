"""Draw charts over time, as small multiples: the six metrics by quarter, both voices by wave."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd

from aiready.charts import theme
from aiready.charts.marks import fixed_size_chart, layer, text_channel, x_in_pixels, y_in_pixels
from aiready.charts.row_layout import (
    LEFT,
    LINE_HEIGHT,
    SMALL,
    Mark,
    Rows,
    chart_description,
    checked_chart,
    legend_height,
    wrap,
)
from aiready.messages import ENGLISH, Language

PANEL_GAP = 62
"""Pixels between panels: room for the last value beside its line."""


@dataclass(frozen=True)
class PanelGrid:
    """The layout of small multiples, in pixels."""

    width: int
    """Of the whole chart."""
    across: int
    """Panels side by side."""
    head: int
    """Height of the names above a row of panels."""
    scale: tuple[float, float] | None = None
    """Vertical scale of all panels; by default each has its own, from its own numbers."""
    foot: int = 30
    """Pixels below a panel's base line."""

    @property
    def panel_width(self) -> float:
        """Width of one panel."""
        return self.width / self.across - PANEL_GAP


def lay_out_panels(points: pd.DataFrame, name: str, time: str, grid: PanelGrid) -> pd.DataFrame:
    """Lay out small multiples, one panel per value of column `name`, with column `time` from left to right.

    Adds, in pixels: `px`, `py`, `plow`, `phigh` of each point, `words_y` of its text; `left`, `top`, `room` (width)
    of its panel.
    """
    moments = {label: index for index, label in enumerate(dict.fromkeys(sorted(points[time])))}
    order = {label: index for index, label in enumerate(dict.fromkeys(points[name]))}
    panel_number = points[name].map(order)
    panel_width, head, across = grid.panel_width, grid.head, grid.across
    positions = points.assign(
        room=panel_width,
        left=panel_number % across * (panel_width + PANEL_GAP),
        top=panel_number // across * (head + 74 + grid.foot) + head,
    )
    values = positions[["value", "low", "high"]].to_numpy(float)
    values[np.isnan(values[:, 1:]).any(axis=1), 1:] = np.nan  # an interval without an end is not drawn
    low, high = np.full(len(values), np.nan), np.full(len(values), np.nan)
    for rows in positions.groupby(name, sort=False).indices.values():
        own_scale = np.fmin.reduce(values[rows], axis=None), np.fmax.reduce(values[rows], axis=None)
        low[rows], high[rows] = grid.scale or own_scale
    flat = ~(high > low)
    for field, to in (("value", "py"), ("low", "plow"), ("high", "phigh")):
        share = (positions[field] - low) / np.where(flat, np.nan, high - low)
        positions[to] = positions["top"] + 64 * (1 - share.mask(flat & positions[field].notna(), 0.5)) + 4
    positions["words_y"] = positions["py"]
    return positions.assign(
        px=positions["left"] + 4 + positions[time].map(moments) / max(len(moments) - 1, 1) * (panel_width - 22)
    )


def _lines(positions: pd.DataFrame, name: str, mark: Mark, dash: Sequence[int] = ()) -> list[alt.Chart]:
    """A line per panel with its intervals and points, and the newest value at its end."""
    ink = {"color": mark.colour}
    line = ink | {"strokeWidth": 2, "strokeDash": list(dash) or [1, 0]}
    point = ink | {"filled": True, "opacity": 1, "shape": mark.shape, "size": 38}
    newest = positions.dropna(subset=["py"]).drop_duplicates(name, keep="last")
    x, y, each = x_in_pixels("px"), y_in_pixels("py"), alt.Detail(field=name, type="nominal")
    bar, ends = ink | {"strokeWidth": 1.4, "opacity": 0.55}, {"y": y_in_pixels("plow"), "y2": alt.Y2(field="phigh")}
    last = LEFT | ink | {"dx": 8, "fontWeight": 600}
    return [
        layer(positions, "rule", bar, x=x, **ends),
        layer(positions, "line", line, x=x, y=y, detail=each),
        layer(positions, "point", point, x=x, y=y),
        layer(newest, "text", last, x=x, y=y_in_pixels("words_y"), text=text_channel("shown")),
    ]


def _frames(positions: pd.DataFrame, name: str, time: str) -> list[alt.Chart]:
    """Panels' names above, base line, first and last moment below it."""
    panels = positions.drop_duplicates(name)
    panel_width = float(panels["room"].iloc[0])
    names = panels.assign(head=[wrap(text, panel_width) for text in panels[name]])
    names["y"] = names["top"] - 12 - LINE_HEIGHT * names["head"].str.count("\n")
    base = panels.assign(y=panels["top"] + 74, end=panels["left"] + panel_width)
    moments = positions.sort_values(time)
    first, last = moments.drop_duplicates(name), moments.drop_duplicates(name, keep="last")
    starts = first.assign(side="left", at=first["left"])
    ends = last.assign(side="right", at=last["left"] + panel_width)
    edges = pd.concat([starts, ends])
    edges = edges.drop_duplicates([name, time]).assign(y=lambda table: table["top"] + 84)
    x, y, small = x_in_pixels("left"), y_in_pixels("y"), SMALL | {"align": alt.expr("datum.side")}
    return [
        layer(names, "text", LEFT | {"fontWeight": 600}, x=x, y=y, text=text_channel("head")),
        layer(base, "rule", {"color": theme.LINE}, x=x, x2=alt.X2(field="end"), y=y),
        layer(edges, "text", small, x=x_in_pixels("at"), y=y, text=text_channel(time)),
    ]


@checked_chart("metric", "quarter", "low", "high", "shown")
def metrics_chart(metrics: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE) -> alt.LayerChart:
    """The six metrics, one small panel each, by quarter; every panel has its own scale.

    Parameters
    ----------
    metrics
        One row per metric x quarter in the order of the panels: `metric` (in words), `quarter`, `value`,
        `low`, `high` (any unit), `shown` (the value as text, with its unit), optional `status`.
    """
    across = 3 if width > 500 else 2
    head = _name_height(metrics["metric"], width, across)
    positions = lay_out_panels(metrics, "metric", "quarter", PanelGrid(width, across, head, foot=44))
    height = float(positions["top"].max() + 110)
    mark = Mark("", theme.RECORDS, "diamond")
    layers = [*_frames(positions, "metric", "quarter"), *_lines(positions, "metric", mark)]
    layers.append(_first_values(positions))
    values = metrics.dropna(subset=["value"])[["metric", "quarter", "shown"]].values
    parts = (f"{metric}, {quarter}: {text}" for metric, quarter, text in values)
    return fixed_size_chart(layers, (width, height), chart_description(parts, language))


def _first_values(positions: pd.DataFrame) -> alt.Chart:
    """The first value, below its moment: with the last one, beside the line, it tells what the heights mean."""
    points = positions.dropna(subset=["py"]).sort_values("quarter")
    first = points.loc[points.duplicated("metric", keep="last")].drop_duplicates("metric")  # only before a later one
    first = first.assign(y=first["top"] + 98)
    return layer(first, "text", LEFT | SMALL, x=x_in_pixels("left"), y=y_in_pixels("y"), text=text_channel("shown"))


def _name_height(names: pd.Series, width: int, across: int) -> int:
    """Height of the names above a row of panels."""
    room = width / across - PANEL_GAP
    return 12 + LINE_HEIGHT * max(wrap(name, room).count("\n") + 1 for name in names)


@checked_chart("barrier", "wave", "voice", "low", "high")
def trend_chart(trend: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE) -> alt.LayerChart:
    """Both voices over the waves as separate lines, one small panel per barrier, all on 0 to 100.

    Parameters
    ----------
    trend
        One row per barrier x wave x voice, of waves with an equal basis: `barrier`, `wave`, `voice`
        (perception, practice), `value`, `low`, `high` (0-100), optional `status`.
    """
    marks = {
        "perception": Mark(language.say("legend.people_interval"), theme.PEOPLE),
        "practice": Mark(language.say("legend.records"), theme.RECORDS, "diamond"),
    }
    across = 3 if width > 500 else 2
    voices = {"perception": language.say("legend.people"), "practice": language.say("legend.records")}
    top = legend_height(list(marks.values()), width)
    labelled = trend.assign(shown=[language.score(value) for value in trend["value"]])
    head = _name_height(trend["barrier"], width, across)
    positions = lay_out_panels(labelled, "barrier", "wave", PanelGrid(width, across, head, (0, 100)))
    positions = _separate_labels(positions)
    height = float(positions["top"].max() + 96)
    frame = Rows(positions, (), width, 0, 0, top, 0, height, language)
    layers = _frames(positions, "barrier", "wave")
    for voice, mark in marks.items():
        layers += _lines(positions[positions["voice"] == voice], "barrier", mark, [4, 3] if voice == "practice" else ())
    layers += frame.legend(list(marks.values()))
    values = labelled.dropna(subset=["value"])[["barrier", "wave", "voice", "shown"]].values
    parts = (f"{b}, {w}, {voices[v]}: {s}" for b, w, v, s in values)
    return frame.finish(layers, chart_description(parts, language))


def _separate_labels(positions: pd.DataFrame) -> pd.DataFrame:
    """Move the newest numbers of the two voices of a panel apart where they would overlap."""
    points = positions.dropna(subset=["py"]).drop_duplicates(["barrier", "voice"], keep="last")
    newest = points.pivot(index="barrier", columns="voice", values="py").reindex(columns=["perception", "practice"])
    middle, distance = newest.mean(axis=1), newest["perception"] - newest["practice"]
    side = np.where(distance > 0, 7.0, -7.0)
    near = positions["barrier"].map(distance.abs() < 14)
    direction = positions["voice"].map({"perception": 1.0, "practice": -1.0})
    label_y = positions["barrier"].map(middle) + positions["barrier"].map(pd.Series(side, newest.index)) * direction
    return positions.assign(words_y=positions["words_y"].where(~near, label_y))
