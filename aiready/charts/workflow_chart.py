"""Charts that place things: a workflow's steps side by side, initiatives between four named corners."""

from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from aiready.charts import theme
from aiready.charts.marks import coloured, from_left, from_top, layer, sized, worded
from aiready.charts.row_layout import LEFT, LINE_HEIGHT, SMALL, drawn, sentence, wrap
from aiready.messages import ENGLISH, Language

_FILLS = {"human": "#f3ead9", "ai": theme.REALISED, "human_ai": "#b9d6e4", "system": "#d9dfe3"}
APART, ROUNDS = 18.0, 200
"""Pixels between the middles of two dots, and how often they are pushed before they stay as they are."""
CORNERS = {(True, True): "used_moved", (True, False): "used", (False, True): "moved", (False, False): "neither"}
"""Used, and moving its figure: the phrase of each corner."""


@drawn("version", "actor", "handoffs", values="step")
def workflow_chart(steps: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE) -> alt.LayerChart:
    """The steps of one workflow before, now and as intended, with who takes each.

    Parameters
    ----------
    steps
        One row per version x step in order: `version` (in words, at most three), `step`, `actor` (human, ai,
        human_ai, system), `handoffs` (of the version, repeated), optional `note` (such as
        `redesigned`).
    """
    placed, heads, height = _boxes(steps, width, language)
    x, text_x = from_left("x"), from_left("text_x")
    y, words_y, actor_y, middle = map(from_top, ("y", "words_y", "actor_y", "middle"))
    moved, turned = placed[~placed["first"]], placed[placed["handoff"]]
    line = {"color": theme.ORGANISATION, "strokeWidth": 1.2}
    change = {"shape": "triangle-down", "filled": True, "opacity": 1, "size": 70, "color": theme.ORGANISATION}
    box, ends = {"cornerRadius": 3, "stroke": theme.LINE}, {"x2": alt.X2(field="x2"), "y2": alt.Y2(field="y2")}
    on, small, bold = coloured("on"), LEFT | {"fontSize": theme.SMALL}, LEFT | {"fontWeight": 600}
    layers = [
        layer(moved, "rule", line, x=text_x, y=y, y2=alt.Y2(field="before")),
        layer(placed, "rect", box, x=x, y=y, color=coloured("fill"), **ends),
        layer(turned, "point", change, x=text_x, y=middle),
        layer(placed, "text", LEFT, x=text_x, y=words_y, text=worded("words"), color=on),
        layer(placed, "text", small, x=text_x, y=actor_y, text=worded("by"), color=on),
        layer(heads, "text", bold, x=x, y=y, text=worded("version")),
        layer(heads, "text", LEFT | SMALL, x=x, y=words_y, text=worded("count")),
    ]
    told = zip(placed["version"], placed["step"], placed["by"].str.replace("\n", " "), strict=True)
    return sized(layers, (width, height), sentence((f"{v}: {s} ({b})" for v, s, b in told), language))


def _boxes(steps: pd.DataFrame, width: int, language: Language) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """Boxes below one another, versions side by side (narrow: below one another too), in pixels."""
    narrow, versions = width < 500, list(dict.fromkeys(steps["version"]))
    room = width if narrow else (width + 24) / max(len(versions), 2) - 24
    placed = steps.assign(words=[wrap(step, room - 24) for step in steps["step"]])
    placed["by"] = placed["actor"].map({actor: language.say(f"workflow.by_{actor}") for actor in _FILLS})
    if "note" in placed:
        placed["by"] = placed["by"] + placed["note"].fillna("").map(lambda note: f" · {note}" if note else "")
    placed["by"] = [wrap(by, room - 14, theme.SMALL) for by in placed["by"]]
    lines = placed["words"].str.count("\n") + 1
    tall, group = (lines + placed["by"].str.count("\n") + 1) * LINE_HEIGHT + 14, placed.groupby("version", sort=False)
    reached = (tall + 16).groupby(placed["version"], sort=False).cumsum()
    blocks = (tall + 16).groupby(placed["version"], sort=False).sum() + 44
    above = (blocks.cumsum() - blocks) * narrow
    left = pd.Series(np.arange(len(versions)) * (room + 24) * (not narrow), versions)
    y = placed["version"].map(above) + 44 + reached - tall - 16
    x, fill = placed["version"].map(left), placed["actor"].map(_FILLS)
    first = group.cumcount() == 0
    placed = placed.assign(
        x=x,
        x2=x + room,
        text_x=x + 12,
        y=y,
        y2=y + tall,
        before=y - 16,
        middle=y - 8,
        first=first,
        words_y=y + 14,
        actor_y=y + 14 + lines * LINE_HEIGHT,
        fill=fill,
        on=fill.map(theme.text_on),
        handoff=~first & (placed["actor"] != group["actor"].shift()),
    )
    counts = [
        language.say("workflow.handoffs", number) if pd.notna(number) else "" for number in group["handoffs"].first()
    ]
    heads = pd.DataFrame(
        {
            "version": versions,
            "x": left[versions].to_numpy(),
            "count": counts,
            "y": above[versions].to_numpy() + 10,
            "words_y": above[versions].to_numpy() + 27,
        }
    )
    return placed, heads, float(placed["y2"].max() + 4)


@drawn("initiative", "progress", values="adoption")
def adoption_progress_chart(
    initiatives: pd.DataFrame,
    *,
    halves: tuple[float, float] = (0.5, 0.5),
    language: Language = ENGLISH,
    width: int = theme.WIDE,
) -> alt.LayerChart:
    """Each initiative between its adoption and its way to the target, in four named corners.

    Parameters
    ----------
    initiatives
        One row per initiative in the order wanted: `initiative` (name), `adoption` (0-1), `progress` (share
        of the way from baseline to target; drawn between 0 and 1), optional `status`.
    halves
        Where the corners meet, on adoption and on progress.
    """
    known = initiatives.dropna(subset=["adoption", "progress"]).reset_index(drop=True)
    narrow = width < 500
    square = _Square(24.0, 20.0, width - 26 if narrow else 390, 280 if narrow else 312)
    spots = known.assign(
        number=[str(index + 1) for index in known.index],
        px=square.x(known["adoption"]),
        py=square.y(known["progress"]),
    )
    spots[["px", "py"]] = _apart(spots[["px", "py"]].to_numpy(float), square)
    listed = _listed(spots, width, square, narrow=narrow)
    height = float(max(listed["list_end"].max() + 4, square.top + square.tall + 48))
    x, y, row = from_left("px"), from_top("py"), from_top("list_y")
    dot = {"filled": True, "opacity": 1, "size": 300, "color": theme.REALISED}
    inside = {"color": theme.ON_DARK, "fontWeight": 600, "fontSize": theme.SMALL}
    key = {"align": "right", "fontWeight": 600, "color": theme.RECORDS}
    start = 20 if narrow else square.left + square.wide + 48
    layers = [
        *_cross(square, halves, language),
        layer(spots, "point", dot, x=x, y=y),
        layer(spots, "text", inside, x=x, y=y, text=worded("number")),
        layer(listed, "text", key, x=alt.XValue(start - 8), y=row, text=worded("number")),
        layer(listed, "text", LEFT, x=alt.XValue(start), y=row, text=worded("words")),
    ]
    told = zip(known["initiative"], known["adoption"], known["progress"], strict=True)
    words = (
        language.say("chart.initiative", name=name, adoption=language.share(used), progress=language.share(done))
        for name, used, done in told
    )
    return sized(layers, (width, height), sentence(words, language))


@dataclass(frozen=True)
class _Square:
    """The plot in pixels; shares of 0-1 fall inside it with a margin for the marks."""

    left: float
    top: float
    wide: float
    tall: float

    def x(self, share: Any) -> Any:
        return self.left + self.wide * (0.05 + 0.9 * np.clip(share, 0, 1))

    def y(self, share: Any) -> Any:
        return self.top + self.tall * (0.95 - 0.9 * np.clip(share, 0, 1))


def _apart(spots: np.ndarray, square: _Square) -> np.ndarray:
    """Places of dots (x, y), moved just so far apart that none lies on another's number, and all within the plot."""
    first = np.triu(np.ones((len(spots), len(spots))), 1) - np.tril(np.ones((len(spots), len(spots))), -1)
    low, high = (square.left, square.top), (square.left + square.wide, square.top + square.tall)
    for _ in range(ROUNDS):
        way = spots[:, None] - spots[None]
        distance = np.hypot(way[..., 0], way[..., 1])
        lack = np.clip(APART - distance, 0, None) * (first != 0)
        if not lack.any():
            break
        way[..., 0] += (distance < 1) * first  # dots in one place part sideways
        way[..., 1] += (distance < 1) * first / 3
        length = np.maximum(np.hypot(way[..., 0], way[..., 1]), 1e-9)
        spots = np.clip(spots + (way / length[..., None] * lack[..., None] * 0.55).sum(axis=1), low, high)
    return spots


def _listed(spots: pd.DataFrame, width: int, square: _Square, *, narrow: bool) -> pd.DataFrame:
    """The key: numbered names below one another, beside the plot (narrow: under it)."""
    words = [
        wrap(name, width - 24 if narrow else width - square.left - square.wide - 50) for name in spots["initiative"]
    ]
    listed = spots.assign(words=words)
    tall = (listed["words"].str.count("\n") + 1) * LINE_HEIGHT + 5
    start = square.top + square.tall + 62 if narrow else square.top + 10
    return listed.assign(list_y=start + tall.cumsum() - tall, list_end=start + tall.cumsum())


def _cross(square: _Square, halves: tuple[float, float], language: Language) -> list[alt.Chart]:
    """The frame, the lines between the corners, the corners' names, and what the two sides mean."""
    right, low = square.left + square.wide, square.top + square.tall
    middle_x, middle_y = float(square.x(halves[0])), float(square.y(halves[1]))
    one, dashed = pd.DataFrame({"one": [1]}), {"color": theme.ORGANISATION, "strokeDash": [3, 3]}
    level = {"x": alt.XValue(square.left), "x2": alt.X2Value(right)}
    upright = {"y": alt.YValue(square.top), "y2": alt.Y2Value(low)}
    made = [
        layer(one, "rect", {"fillOpacity": 0, "stroke": theme.LINE}, **level, **upright),
        layer(one, "rule", dashed, x=alt.XValue(middle_x), **upright),
        layer(one, "rule", dashed, y=alt.YValue(middle_y), **level),
    ]
    corners = [
        (
            language.say(f"chart.corner_{corner}"),
            right if used else square.left,
            square.top - 10 if done else low + 12,
            "right" if used else "left",
            0,
        )
        for (used, done), corner in CORNERS.items()
    ]
    sides = [
        (language.say("chart.side_used"), right, low + 32, "right", 0),
        (language.say("chart.side_moved"), 9.0, square.top, "right", 270),
    ]
    for words, x, y, side, angle in [*corners, *sides]:
        look, told = SMALL | {"align": side, "angle": angle}, pd.DataFrame({"words": [words]})
        made.append(layer(told, "text", look, x=alt.XValue(x), y=alt.YValue(y), text=worded("words")))
    return made
