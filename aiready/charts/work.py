"""Draw charts of the work: hours, tasks by mode, stages of initiatives, pilots."""

import altair as alt
import numpy as np
import pandas as pd

from aiready.charts import theme
from aiready.charts.marks import layer
from aiready.charts.row_layout import (
    Layout,
    Mark,
    chart_description,
    checked_chart,
    lay_out_rows,
    legend_height,
    right_margin,
)
from aiready.charts.survey import BarParts, stacked_bars
from aiready.messages import ENGLISH, Language

_FILLS = {"realised": (theme.REALISED,), "waits": theme.WAITS, "plan": theme.REST}
"""Kind of hours -> the fills of its parts, one after the other; further parts share the last."""
_MODES = {"human": "#c3ccd2", "augment": "#6fa9c4", "automate": theme.REALISED}


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round tick values within a range.

    Examples
    --------
    >>> ticks(0, 93)
    [0.0, 20.0, 40.0, 60.0, 80.0]
    """
    span = max(high - low, 1e-9)
    size = 10.0 ** np.floor(np.log10(span / count))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor * count >= span)
    first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
    return [float(np.round(index * step, 10)) + 0.0 for index in np.arange(first, last + 1)]


def extent(numbers: pd.DataFrame | pd.Series) -> tuple[float, float]:
    """The smallest and the largest number, the range widened to contain zero."""
    low, high = min(0.0, float(np.nanmin(numbers))), max(0.0, float(np.nanmax(numbers)))
    return (low, high) if high > low else (0.0, 1.0)


@checked_chart("task", "part", "kind", values="hours")
def hours_chart(hours: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE) -> alt.LayerChart:
    """Where the possible hours go: realised, waiting on something, or lost below plan, in rework and in oversight.

    Parameters
    ----------
    hours
        One row per task (or job) x part: `task`, `part` (in words, in the order drawn), `kind` (realised,
        waits, plan), `hours` (a part may be negative: more saved than planned), optional `detail`.
    """
    return _hours(hours, "task", width, language)


@checked_chart("unit", "part", "kind", values="hours")
def portfolio_hours_chart(
    hours: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE
) -> alt.LayerChart:
    """Where the possible hours go, one bar per business unit in the order given.

    Parameters
    ----------
    hours
        As for `hours_chart`, with `unit` (the unit's name) in place of `task`.
    """
    return _hours(hours, "unit", width, language)


def _hours(hours: pd.DataFrame, name: str, width: int, language: Language) -> alt.LayerChart:
    parts = hours.drop_duplicates("part")[["part", "kind"]]
    numbers = parts.groupby("kind").cumcount()
    fills = {
        part: _FILLS[kind][min(number, len(_FILLS[kind]) - 1)]
        for part, kind, number in zip(parts["part"], parts["kind"], numbers, strict=True)
    }
    marks = [Mark(part, fill, "square") for part, fill in fills.items()]
    ends = hours.groupby([hours[name], hours["hours"] < 0])["hours"].sum()
    domain = extent(ends)
    tick_values = ticks(*domain, 5 if width > 500 else 3)
    layout = Layout(left=190, right=14, step=36, top=legend_height(marks, width), bottom=36)
    rows = lay_out_rows(hours, name, width, layout, language)
    layers = [
        *rows.axis(tick_values, domain, title=language.say("hours.scale")),
        *stacked_bars(rows, BarParts("hours", "part", fills, language.bare_hours), domain),
        *rows.labels(),
        *rows.legend(marks),
    ]
    values = hours.dropna(subset=["hours"])[[name, "part", "hours"]].values
    return rows.finish(layers, chart_description((f"{n}, {p}: {language.hours(h)}" for n, p, h in values), language))


@checked_chart("row", "mode", values="count")
def modes_chart(modes: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE) -> alt.LayerChart:
    """Numbers of tasks done by people, with AI, or by AI: today and as targeted.

    Parameters
    ----------
    modes
        One row per row x mode: `row` (such as `today`, `target`, or a job's), `mode` (human, augment,
        automate), `count` (of tasks), optional `detail`.
    """
    names = {mode: language.say(f"modes.legend_{mode}") for mode in _MODES}
    marks = [Mark(names[mode], fill, "square") for mode, fill in _MODES.items()]
    layout = Layout(left=120, right=14, step=36, top=legend_height(marks, width), bottom=4)
    rows = lay_out_rows(modes, "row", width, layout, language)
    domain = (0.0, float(modes.groupby("row")["count"].sum().max()))
    layers = [
        *stacked_bars(rows, BarParts("count", "mode", _MODES, language.number), domain),
        *rows.labels(),
        *rows.legend(marks),
    ]
    parts = (f"{r}, {names[m]}: {language.number(c)}" for r, m, c in modes[["row", "mode", "count"]].values)
    return rows.finish(layers, chart_description(parts, language))


@checked_chart("stage", "count")
def funnel_chart(stages: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE) -> alt.LayerChart:
    """How many initiatives are at each stage, and how many moved on.

    Parameters
    ----------
    stages
        One row per stage in order: `stage`, `value` (initiatives), `count` (as text), optional `detail`
        (the conversion to the next stage with its interval, as text).
    """
    rows = lay_out_rows(stages, "stage", width, Layout(left=220, right=60, step=38, reserve=40, bottom=4), language)
    domain = (0.0, float(stages["value"].max()) or 1.0)
    bar = {"height": 20, "color": theme.RECORDS}
    layers = [
        layer(rows.table, "bar", bar, x=rows.x("value", domain), x2=alt.X2Datum(0), y=rows.y()),
        *rows.labels(),
        *rows.side_text("count"),
    ]
    parts = (f"{stage}: {count}" for stage, count in stages[["stage", "count"]].values)
    return rows.finish(layers, chart_description(parts, language))


@checked_chart("trial", "low", "high", "low90", "high90", "target", "verdict", "bound")
def forest_chart(
    trials: pd.DataFrame, *, unit: str = "", language: Language = ENGLISH, width: int = theme.WIDE
) -> alt.LayerChart:
    """Each trial's improvement with its intervals, its target and its verdict.

    Parameters
    ----------
    trials
        One row per trial: `trial` (name), `detail` (measure and n), `value`, `low`, `high` (improvement and
        its 95 % interval), `low90`, `high90`, `target` (missing where none was set), `verdict` (word),
        `bound` (what decided, in words), optional `unit`. Rows of different units are drawn as shares of
        their target, so that one scale fits all.
    unit
        Title of the scale when all rows have the same unit.
    """
    mixed = "unit" in trials and trials["unit"].nunique() > 1
    numbers = ["value", "low", "high", "low90", "high90", "target"]
    scaled = trials.assign(**{name: trials[name] / trials["target"] for name in numbers}) if mixed else trials
    domain = extent(scaled[numbers])
    tick_values = ticks(*domain, 6 if width > 500 else 4)
    marks = [
        Mark(language.say("chart.difference"), theme.RECORDS),
        Mark(language.say("chart.target"), theme.PEOPLE, "M0,-1L0,1", filled=False),
    ]
    right = max(right_margin(scaled["verdict"], 200), right_margin(scaled["bound"], 200, theme.SMALL))
    top = legend_height(marks, width) + 2
    layout = Layout(left=220, right=right, step=54, reserve=110, foot=True, top=top, bottom=38)
    rows = lay_out_rows(scaled, "trial", width, layout, language)
    y, blue = rows.y(), {"color": theme.RECORDS}
    thin, thick = blue | {"strokeWidth": 1.4}, blue | {"strokeWidth": 4}
    point = blue | {"filled": True, "opacity": 1, "size": 110}
    target = {"color": theme.PEOPLE, "thickness": 3, "size": 26, "orient": "vertical", "opacity": 1}
    words = [language.share(tick) if mixed else _tick_text(tick, language) for tick in tick_values]
    layers = [
        *rows.axis(tick_values, domain, words, language.say("chart.target_share") if mixed else unit),
        rows.vertical_lines([0.0], domain, theme.INK),
        layer(rows.table, "rule", thin, x=rows.x("low", domain), x2=alt.X2(field="high"), y=y),
        layer(rows.table, "rule", thick, x=rows.x("low90", domain), x2=alt.X2(field="high90"), y=y),
        layer(rows.table, "tick", target, x=rows.x("target", domain), y=y),
        layer(rows.table, "point", point, x=rows.x("value", domain), y=y),
        *rows.labels(),
        *rows.side_text("verdict", below="bound"),
        *rows.legend(marks),
    ]
    parts = (f"{t}: {v}, {b}" for t, v, b in trials[["trial", "verdict", "bound"]].values)
    return rows.finish(layers, chart_description(parts, language))


def _tick_text(tick: float, language: Language) -> str:
    return language.number(tick, 0 if tick == round(tick) else 1 if round(tick, 1) == tick else 2)
