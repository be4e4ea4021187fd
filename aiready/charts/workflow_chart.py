"""Draw the steps of a workflow side by side, and initiatives by adoption and progress."""

from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from aiready.charts import theme
from aiready.charts.marks import (
    colour_channel,
    fixed_size_chart,
    layer,
    text_channel,
    x2_at,
    x_at,
    x_in_pixels,
    y2_at,
    y_at,
    y_in_pixels,
)
from aiready.charts.row_layout import LEFT, LINE_HEIGHT, SMALL, chart_description, checked_chart, wrap
from aiready.messages import ENGLISH, Language

_FILLS = {"human": "#f3ead9", "ai": theme.REALISED, "human_ai": "#b9d6e4", "system": "#d9dfe3"}
MIN_DISTANCE, MAX_ROUNDS = 18.0, 200
"""Pixels between the centres of two dots, and how many rounds of moving them apart are made at most."""
CORNERS = {(True, True): "used_moved", (True, False): "used", (False, True): "moved", (False, False): "neither"}
"""(Is used, moves its figure) -> phrase of the corner."""


@checked_chart("version", "actor", "handoffs", values="step")
def workflow_chart(steps: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE) -> alt.LayerChart:
    """The steps of one workflow before, now and as targeted, with who takes each.

    Parameters
    ----------
    steps
        One row per version x step in order: `version` (in words, at most three), `step`, `actor` (human, ai,
        human_ai, system), `handoffs` (of the version, repeated), optional `note` (such as
        `redesigned`).
    """
    boxes, heads, height = _boxes(steps, width, language)
    x, text_x = x_in_pixels("x"), x_in_pixels("text_x")
    y, words_y, actor_y, middle = map(y_in_pixels, ("y", "words_y", "actor_y", "middle"))
    followers, handoffs = boxes[~boxes["first"]], boxes[boxes["handoff"]]
    line = {"color": theme.ORGANISATION, "strokeWidth": 1.2}
    change = {"shape": "triangle-down", "filled": True, "opacity": 1, "size": 70, "color": theme.ORGANISATION}
    box, ends = {"cornerRadius": 3, "stroke": theme.LINE}, {"x2": alt.X2(field="x2"), "y2": alt.Y2(field="y2")}
    on, small, bold = colour_channel("on"), LEFT | {"fontSize": theme.SMALL}, LEFT | {"fontWeight": 600}
    layers = [
        layer(followers, "rule", line, x=text_x, y=y, y2=alt.Y2(field="before")),
        layer(boxes, "rect", box, x=x, y=y, color=colour_channel("fill"), **ends),
        layer(handoffs, "point", change, x=text_x, y=middle),
        layer(boxes, "text", LEFT, x=text_x, y=words_y, text=text_channel("words"), color=on),
        layer(boxes, "text", small, x=text_x, y=actor_y, text=text_channel("by"), color=on),
        layer(heads, "text", bold, x=x, y=y, text=text_channel("version")),
        layer(heads, "text", LEFT | SMALL, x=x, y=words_y, text=text_channel("count")),
    ]
    triples = zip(boxes["version"], boxes["step"], boxes["by"].str.replace("\n", " "), strict=True)
    parts = (f"{version}: {step} ({actor})" for version, step, actor in triples)
    return fixed_size_chart(layers, (width, height), chart_description(parts, language))


def _boxes(steps: pd.DataFrame, width: int, language: Language) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """Boxes of steps, headings of versions, and the chart's height, in pixels; versions side by side unless narrow."""
    narrow, versions = width < 500, list(dict.fromkeys(steps["version"]))
    box_width = width if narrow else (width + 24) / max(len(versions), 2) - 24
    boxes = steps.assign(words=[wrap(step, box_width - 24) for step in steps["step"]])
    boxes["by"] = boxes["actor"].map({actor: language.say(f"workflow.by_{actor}") for actor in _FILLS})
    if "note" in boxes:
        boxes["by"] = boxes["by"] + boxes["note"].fillna("").map(lambda note: f" · {note}" if note else "")
    boxes["by"] = [wrap(by, box_width - 14, theme.SMALL) for by in boxes["by"]]
    lines = boxes["words"].str.count("\n") + 1
    box_height = (lines + boxes["by"].str.count("\n") + 1) * LINE_HEIGHT + 14
    group = boxes.groupby("version", sort=False)
    reached = (box_height + 16).groupby(boxes["version"], sort=False).cumsum()
    blocks = (box_height + 16).groupby(boxes["version"], sort=False).sum() + 44
    above = (blocks.cumsum() - blocks) * narrow
    left = pd.Series(np.arange(len(versions)) * (box_width + 24) * (not narrow), versions)
    y = boxes["version"].map(above) + 44 + reached - box_height - 16
    x, fill = boxes["version"].map(left), boxes["actor"].map(_FILLS)
    first = group.cumcount() == 0
    boxes = boxes.assign(
        x=x,
        x2=x + box_width,
        text_x=x + 12,
        y=y,
        y2=y + box_height,
        before=y - 16,
        middle=y - 8,
        first=first,
        words_y=y + 14,
        actor_y=y + 14 + lines * LINE_HEIGHT,
        fill=fill,
        on=fill.map(theme.text_on),
        handoff=~first & (boxes["actor"] != group["actor"].shift()),
    )
    handoffs = group["handoffs"].first()
    counts = [language.say("workflow.handoffs", number) if pd.notna(number) else "" for number in handoffs]
    heads = pd.DataFrame(
        {
            "version": versions,
            "x": left[versions].to_numpy(),
            "count": counts,
            "y": above[versions].to_numpy() + 10,
            "words_y": above[versions].to_numpy() + 27,
        }
    )
    return boxes, heads, float(boxes["y2"].max() + 4)


@checked_chart("initiative", "progress", values="adoption")
def adoption_progress_chart(
    initiatives: pd.DataFrame,
    *,
    halves: tuple[float, float] = (0.5, 0.5),
    language: Language = ENGLISH,
    width: int = theme.WIDE,
) -> alt.LayerChart:
    """Each initiative by its adoption and its progress to the target, between four named corners.

    Parameters
    ----------
    initiatives
        One row per initiative in the order drawn: `initiative` (name), `adoption` (0-1), `progress` (share
        of the way from baseline to target; drawn between 0 and 1), optional `status`.
    halves
        Where the corners meet: a share of adoption, and one of progress.
    """
    measured = initiatives.dropna(subset=["adoption", "progress"]).reset_index(drop=True)
    narrow = width < 500
    plot = _Plot(24.0, 20.0, width - 26 if narrow else 390, 280 if narrow else 312)
    dots = measured.assign(
        number=[str(index + 1) for index in measured.index],
        px=plot.x(measured["adoption"]),
        py=plot.y(measured["progress"]),
    )
    dots[["px", "py"]] = _spread_dots(dots[["px", "py"]].to_numpy(float), plot)
    name_list = _name_list(dots, width, plot, narrow=narrow)
    height = float(max(name_list["list_end"].max() + 4, plot.top + plot.height + 48))
    x, y, row = x_in_pixels("px"), y_in_pixels("py"), y_in_pixels("list_y")
    dot = {"filled": True, "opacity": 1, "size": 300, "color": theme.REALISED}
    inside = {"color": theme.ON_DARK, "fontWeight": 600, "fontSize": theme.SMALL}
    key = {"align": "right", "fontWeight": 600, "color": theme.RECORDS}
    start = 20 if narrow else plot.left + plot.width + 48
    layers = [
        *_corner_layers(plot, halves, language),
        layer(dots, "point", dot, x=x, y=y),
        layer(dots, "text", inside, x=x, y=y, text=text_channel("number")),
        layer(name_list, "text", key, x=x_at(start - 8), y=row, text=text_channel("number")),
        layer(name_list, "text", LEFT, x=x_at(start), y=row, text=text_channel("words")),
    ]
    values = zip(measured["initiative"], measured["adoption"], measured["progress"], strict=True)
    parts = (
        language.say("chart.initiative", name=name, adoption=language.share(used), progress=language.share(moved))
        for name, used, moved in values
    )
    return fixed_size_chart(layers, (width, height), chart_description(parts, language))


@dataclass(frozen=True)
class _Plot:
    """The plot in pixels; shares 0-1 are placed inside it with a margin for the dots."""

    left: float
    top: float
    width: float
    height: float

    def x(self, share: Any) -> Any:
        return self.left + self.width * (0.05 + 0.9 * np.clip(share, 0, 1))

    def y(self, share: Any) -> Any:
        return self.top + self.height * (0.95 - 0.9 * np.clip(share, 0, 1))


def _spread_dots(dots: np.ndarray, plot: _Plot) -> np.ndarray:
    """Move dots (a row x, y each, in pixels) apart, within the plot, until none covers another's number."""
    first = np.triu(np.ones((len(dots), len(dots))), 1) - np.tril(np.ones((len(dots), len(dots))), -1)
    low, high = (plot.left, plot.top), (plot.left + plot.width, plot.top + plot.height)
    for _ in range(MAX_ROUNDS):
        offset = dots[:, None] - dots[None]
        distance = np.hypot(offset[..., 0], offset[..., 1])
        overlap = np.clip(MIN_DISTANCE - distance, 0, None) * (first != 0)
        if not overlap.any():
            break
        offset[..., 0] += (distance < 1) * first  # dots at the same point part sideways
        offset[..., 1] += (distance < 1) * first / 3
        length = np.maximum(np.hypot(offset[..., 0], offset[..., 1]), 1e-9)
        dots = np.clip(dots + (offset / length[..., None] * overlap[..., None] * 0.55).sum(axis=1), low, high)
    return dots


def _name_list(dots: pd.DataFrame, width: int, plot: _Plot, *, narrow: bool) -> pd.DataFrame:
    """The key: the dots' names and their positions, below one another beside the plot (narrow: under it)."""
    words = [wrap(name, width - 24 if narrow else width - plot.left - plot.width - 50) for name in dots["initiative"]]
    name_list = dots.assign(words=words)
    row_height = (name_list["words"].str.count("\n") + 1) * LINE_HEIGHT + 5
    start = plot.top + plot.height + 62 if narrow else plot.top + 10
    return name_list.assign(list_y=start + row_height.cumsum() - row_height, list_end=start + row_height.cumsum())


def _corner_layers(plot: _Plot, halves: tuple[float, float], language: Language) -> list[alt.Chart]:
    """Frame, lines between the corners, names of the corners, and titles of the two axes."""
    right, low = plot.left + plot.width, plot.top + plot.height
    middle_x, middle_y = float(plot.x(halves[0])), float(plot.y(halves[1]))
    one, dashed = pd.DataFrame({"one": [1]}), {"color": theme.ORGANISATION, "strokeDash": [3, 3]}
    level = {"x": x_at(plot.left), "x2": x2_at(right)}
    upright = {"y": y_at(plot.top), "y2": y2_at(low)}
    layers = [
        layer(one, "rect", {"color": theme.LINE, "fillOpacity": 0, "stroke": theme.LINE}, **level, **upright),
        layer(one, "rule", dashed, x=x_at(middle_x), **upright),
        layer(one, "rule", dashed, y=y_at(middle_y), **level),
    ]
    corners = [
        (
            language.say(f"chart.corner_{corner}"),
            right if used else plot.left,
            plot.top - 10 if moved else low + 12,
            "right" if used else "left",
            0,
        )
        for (used, moved), corner in CORNERS.items()
    ]
    sides = [
        (language.say("chart.side_used"), right, low + 32, "right", 0),
        (language.say("chart.side_moved"), 9.0, plot.top, "right", 270),
    ]
    for words, x, y, side, angle in [*corners, *sides]:
        look, text = SMALL | {"align": side, "angle": angle}, pd.DataFrame({"words": [words]})
        layers.append(layer(text, "text", look, x=x_at(x), y=y_at(y), text=text_channel("words")))
    return layers
