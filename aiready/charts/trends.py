"""Charts over time, as small multiples: the six metrics by quarter, both voices by wave."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd

from aiready.charts import theme
from aiready.charts.marks import from_left, from_top, layer, sized, worded
from aiready.charts.row_layout import LEFT, LINE_HEIGHT, SMALL, Mark, Rows, drawn, legend_height, sentence, wrap
from aiready.messages import ENGLISH, Language

GAP = 62
"""Pixels between panels: room for the last value beside its line."""


@dataclass(frozen=True)
class Panels:
    """Small multiples: total width, panels side by side, height of the names, one scale or each its own, foot."""

    width: int
    across: int
    head: int
    scale: tuple[float, float] | None = None
    foot: int = 30
    """Pixels below a panel's base line."""

    @property
    def room(self) -> float:
        """Width of one panel."""
        return self.width / self.across - GAP


def panels(points: pd.DataFrame, name: str, time: str, frame: Panels) -> pd.DataFrame:
    """Place small multiples: `px`, `py`, `plow`, `phigh` in pixels, `left`, `top` of the panel, `room` of it.

    Each panel has its own vertical scale, from its own numbers, unless the frame's scale gives one for all.
    """
    moments = {label: index for index, label in enumerate(dict.fromkeys(sorted(points[time])))}
    order = {label: index for index, label in enumerate(dict.fromkeys(points[name]))}
    spot = points[name].map(order)
    room, head, across, scale = frame.room, frame.head, frame.across, frame.scale
    placed = points.assign(
        room=room, left=spot % across * (room + GAP), top=spot // across * (head + 74 + frame.foot) + head
    )
    seen = placed[["value", "low", "high"]].to_numpy(float)
    seen[np.isnan(seen[:, 1:]).any(axis=1), 1:] = np.nan  # an interval without an end is not drawn
    low, high = np.full(len(seen), np.nan), np.full(len(seen), np.nan)
    for rows in placed.groupby(name, sort=False).indices.values():
        low[rows], high[rows] = scale or (np.fmin.reduce(seen[rows], axis=None), np.fmax.reduce(seen[rows], axis=None))
    flat = ~(high > low)
    for field, to in (("value", "py"), ("low", "plow"), ("high", "phigh")):
        share = (placed[field] - low) / np.where(flat, np.nan, high - low)
        placed[to] = placed["top"] + 64 * (1 - share.mask(flat & placed[field].notna(), 0.5)) + 4
    placed["words_y"] = placed["py"]
    return placed.assign(px=placed["left"] + 4 + placed[time].map(moments) / max(len(moments) - 1, 1) * (room - 22))


def _lines(placed: pd.DataFrame, name: str, mark: Mark, dash: Sequence[int] = ()) -> list[alt.Chart]:
    """One line per panel with its intervals, its points, and the newest value at its end."""
    ink = {"color": mark.colour}
    line = ink | {"strokeWidth": 2, "strokeDash": list(dash) or [1, 0]}
    point = ink | {"filled": True, "opacity": 1, "shape": mark.shape, "size": 38}
    newest = placed.dropna(subset=["py"]).drop_duplicates(name, keep="last")
    x, y, each = from_left("px"), from_top("py"), alt.Detail(field=name, type="nominal")
    bar, ends = ink | {"strokeWidth": 1.4, "opacity": 0.55}, {"y": from_top("plow"), "y2": alt.Y2(field="phigh")}
    last = LEFT | ink | {"dx": 8, "fontWeight": 600}
    return [
        layer(placed, "rule", bar, x=x, **ends),
        layer(placed, "line", line, x=x, y=y, detail=each),
        layer(placed, "point", point, x=x, y=y),
        layer(newest, "text", last, x=x, y=from_top("words_y"), text=worded("shown")),
    ]


def _frames(placed: pd.DataFrame, name: str, time: str) -> list[alt.Chart]:
    """Panel names above, first and last moment below a base line."""
    once = placed.drop_duplicates(name)
    room = float(once["room"].iloc[0])
    names = once.assign(head=[wrap(text, room) for text in once[name]])
    names["y"] = names["top"] - 12 - LINE_HEIGHT * names["head"].str.count("\n")
    base = once.assign(y=once["top"] + 74, end=once["left"] + room)
    moments = placed.sort_values(time)
    first, last = moments.drop_duplicates(name), moments.drop_duplicates(name, keep="last")
    edges = pd.concat([first.assign(side="left", at=first["left"]), last.assign(side="right", at=last["left"] + room)])
    edges = edges.drop_duplicates([name, time]).assign(y=lambda table: table["top"] + 84)
    x, y, small = from_left("left"), from_top("y"), SMALL | {"align": alt.expr("datum.side")}
    return [
        layer(names, "text", LEFT | {"fontWeight": 600}, x=x, y=y, text=worded("head")),
        layer(base, "rule", {"color": theme.LINE}, x=x, x2=alt.X2(field="end"), y=y),
        layer(edges, "text", small, x=from_left("at"), y=y, text=worded(time)),
    ]


@drawn("metric", "quarter", "low", "high", "shown")
def metrics_chart(metrics: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE) -> alt.LayerChart:
    """The six metrics, one small panel each, by quarter; every panel has its own scale.

    Parameters
    ----------
    metrics
        One row per metric x quarter in the order of the panels: `metric` (in words), `quarter`, `value`,
        `low`, `high` (any unit), `shown` (the value as text, with its unit), optional `status`.
    """
    across = 3 if width > 500 else 2
    head = _head(metrics["metric"], width, across)
    placed = panels(metrics, "metric", "quarter", Panels(width, across, head, foot=44))
    height = float(placed["top"].max() + 110)
    mark = Mark("", theme.RECORDS, "diamond")
    layers = [*_frames(placed, "metric", "quarter"), *_lines(placed, "metric", mark)]
    layers.append(_began(placed))
    told = metrics.dropna(subset=["value"])[["metric", "quarter", "shown"]].values
    return sized(layers, (width, height), sentence((f"{m}, {q}: {s}" for m, q, s in told), language))


def _began(placed: pd.DataFrame) -> alt.Chart:
    """The first value below its moment: with the last one beside its line, it says what the heights mean."""
    known = placed.dropna(subset=["py"]).sort_values("quarter")
    first = known.loc[known.duplicated("metric", keep="last")].drop_duplicates("metric")
    first = first.assign(y=first["top"] + 98)
    return layer(first, "text", LEFT | SMALL, x=from_left("left"), y=from_top("y"), text=worded("shown"))


def _head(names: pd.Series, width: int, across: int) -> int:
    """Height of the names above a row of panels."""
    room = width / across - GAP
    return 12 + LINE_HEIGHT * max(wrap(name, room).count("\n") + 1 for name in names)


@drawn("barrier", "wave", "voice", "low", "high")
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
    shown = trend.assign(shown=[language.score(value) for value in trend["value"]])
    head = _head(trend["barrier"], width, across)
    placed = panels(shown, "barrier", "wave", Panels(width, across, head, (0, 100)))
    placed = _spread(placed)
    height = float(placed["top"].max() + 96)
    frame = Rows(placed, (), width, 0, 0, top, 0, height, language)
    layers = _frames(placed, "barrier", "wave")
    for voice, mark in marks.items():
        layers += _lines(placed[placed["voice"] == voice], "barrier", mark, [4, 3] if voice == "practice" else ())
    layers += frame.legend(list(marks.values()))
    told = shown.dropna(subset=["value"])[["barrier", "wave", "voice", "shown"]].values
    parts = (f"{b}, {w}, {voices[v]}: {s}" for b, w, v, s in told)
    return frame.finish(layers, sentence(parts, language))


def _spread(placed: pd.DataFrame) -> pd.DataFrame:
    """Push the two newest numbers of a panel apart where they would overlap."""
    known = placed.dropna(subset=["py"]).drop_duplicates(["barrier", "voice"], keep="last")
    newest = known.pivot(index="barrier", columns="voice", values="py").reindex(columns=["perception", "practice"])
    middle, distance = newest.mean(axis=1), newest["perception"] - newest["practice"]
    side = np.where(distance > 0, 7.0, -7.0)
    near = placed["barrier"].map(distance.abs() < 14)
    turn = placed["voice"].map({"perception": 1.0, "practice": -1.0})
    moved = placed["barrier"].map(middle) + placed["barrier"].map(pd.Series(side, newest.index)) * turn
    return placed.assign(words_y=placed["words_y"].where(~near, moved))
