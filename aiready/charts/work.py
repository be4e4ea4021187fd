"""Charts of the work: where its hours go, its tasks by mode, the stages and the pilots of initiatives."""

import altair as alt
import numpy as np
import pandas as pd

from aiready.charts import theme
from aiready.charts.marks import layer
from aiready.charts.row_layout import Layout, Mark, beside, drawn, legend_height, place, sentence
from aiready.charts.survey import Parts, stacked
from aiready.messages import ENGLISH, Language

_KINDS = {"realised": (theme.REALISED,), "waits": theme.WAITS, "plan": theme.REST}
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
    """From the smallest to the largest number, zero always within."""
    low, high = min(0.0, float(np.nanmin(numbers))), max(0.0, float(np.nanmax(numbers)))
    return (low, high) if high > low else (0.0, 1.0)


@drawn("task", "part", "kind", values="hours")
def hours_chart(hours: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE) -> alt.LayerChart:
    """Where the possible hours go: realised, waiting on something, or below plan, rework and oversight.

    Parameters
    ----------
    hours
        One row per task (or job) x part: `task`, `part` (in words, in the order drawn), `kind` (realised,
        waits, plan), `hours` (a part may be negative: more saved than planned), optional `detail`.
    """
    return _hours(hours, "task", width, language)


@drawn("unit", "part", "kind", values="hours")
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
    turn = parts.groupby("kind").cumcount()
    fills = {
        part: _KINDS[kind][min(index, len(_KINDS[kind]) - 1)]
        for part, kind, index in zip(parts["part"], parts["kind"], turn, strict=True)
    }
    marks = [Mark(part, fill, "square") for part, fill in fills.items()]
    ends = hours.groupby([hours[name], hours["hours"] < 0])["hours"].sum()
    domain = extent(ends)
    marked = ticks(*domain, 5 if width > 500 else 3)
    layout = Layout(left=190, right=14, step=36, top=legend_height(marks, width), bottom=36)
    rows = place(hours, name, width, layout, language)
    layers = [
        *rows.axis(marked, domain, title=language.say("hours.scale")),
        *stacked(rows, Parts("hours", "part", fills, language.bare_hours), domain),
        *rows.labels(),
        *rows.legend(marks),
    ]
    told = hours.dropna(subset=["hours"])[[name, "part", "hours"]].values
    return rows.finish(layers, sentence((f"{n}, {p}: {language.hours(h)}" for n, p, h in told), language))


@drawn("row", "mode", values="count")
def modes_chart(modes: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE) -> alt.LayerChart:
    """Tasks done by people, with AI, or by AI: today beside the target.

    Parameters
    ----------
    modes
        One row per row x mode: `row` (such as `today`, `target`, or a job's), `mode` (human, augment,
        automate), `count` (of tasks), optional `detail`.
    """
    names = {mode: language.say(f"modes.legend_{mode}") for mode in _MODES}
    marks = [Mark(names[mode], fill, "square") for mode, fill in _MODES.items()]
    layout = Layout(left=120, right=14, step=36, top=legend_height(marks, width), bottom=4)
    rows = place(modes, "row", width, layout, language)
    domain = (0.0, float(modes.groupby("row")["count"].sum().max()))
    layers = [
        *stacked(rows, Parts("count", "mode", _MODES, language.number), domain),
        *rows.labels(),
        *rows.legend(marks),
    ]
    parts = (f"{r}, {names[m]}: {language.number(c)}" for r, m, c in modes[["row", "mode", "count"]].values)
    return rows.finish(layers, sentence(parts, language))


@drawn("stage", "count")
def funnel_chart(stages: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE) -> alt.LayerChart:
    """How many initiatives stand at each stage, and how many moved on.

    Parameters
    ----------
    stages
        One row per stage in order: `stage`, `value` (initiatives), `count` (as text), optional `detail`
        (the conversion to the next stage with its interval, as text).
    """
    rows = place(stages, "stage", width, Layout(left=220, right=60, step=38, reserve=40, bottom=4), language)
    domain = (0.0, float(stages["value"].max()) or 1.0)
    bar = {"height": 20, "color": theme.RECORDS}
    layers = [
        layer(rows.table, "bar", bar, x=rows.x("value", domain), x2=alt.X2Datum(0), y=rows.y()),
        *rows.labels(),
        *rows.aside("count"),
    ]
    parts = (f"{stage}: {count}" for stage, count in stages[["stage", "count"]].values)
    return rows.finish(layers, sentence(parts, language))


@drawn("trial", "low", "high", "low90", "high90", "target", "verdict", "bound")
def forest_chart(
    trials: pd.DataFrame, *, unit: str = "", language: Language = ENGLISH, width: int = theme.WIDE
) -> alt.LayerChart:
    """Did it work: each trial's improvement with its intervals, its target, and the verdict.

    Parameters
    ----------
    trials
        One row per trial: `trial` (name), `detail` (measure and n), `value`, `low`, `high` (improvement and
        its 95 % interval), `low90`, `high90`, `target` (missing where none was set), `verdict` (word),
        `bound` (what decided, in words), optional `unit`. Rows of different units are drawn as shares of
        their target, so that one scale serves all.
    unit
        What one unit of the scale is, when all rows share one.
    """
    mixed = "unit" in trials and trials["unit"].nunique() > 1
    numbers = ["value", "low", "high", "low90", "high90", "target"]
    scaled = trials.assign(**{name: trials[name] / trials["target"] for name in numbers}) if mixed else trials
    domain = extent(scaled[numbers])
    marked = ticks(*domain, 6 if width > 500 else 4)
    marks = [
        Mark(language.say("chart.difference"), theme.RECORDS),
        Mark(language.say("chart.target"), theme.PEOPLE, "M0,-1L0,1", filled=False),
    ]
    rows = place(
        scaled,
        "trial",
        width,
        Layout(
            left=220,
            right=max(beside(scaled["verdict"], 200), beside(scaled["bound"], 200, theme.SMALL)),
            step=54,
            reserve=110,
            foot=True,
            top=legend_height(marks, width) + 2,
            bottom=38,
        ),
        language,
    )
    at, blue = {"y": rows.y()}, {"color": theme.RECORDS}
    point = blue | {"filled": True, "opacity": 1, "size": 110}
    target = {"color": theme.PEOPLE, "thickness": 3, "size": 26, "orient": "vertical", "opacity": 1}
    words = [language.share(tick) if mixed else _plain(tick, language) for tick in marked]
    layers = [
        *rows.axis(marked, domain, words, language.say("chart.target_share") if mixed else unit),
        rows.lines([0.0], domain, theme.INK),
        layer(rows.table, "rule", blue | {"strokeWidth": 1.4}, x=rows.x("low", domain), x2=alt.X2(field="high"), **at),
        layer(
            rows.table, "rule", blue | {"strokeWidth": 4}, x=rows.x("low90", domain), x2=alt.X2(field="high90"), **at
        ),
        layer(rows.table, "tick", target, x=rows.x("target", domain), **at),
        layer(rows.table, "point", point, x=rows.x("value", domain), **at),
        *rows.labels(),
        *rows.aside("verdict", below="bound"),
        *rows.legend(marks),
    ]
    parts = (f"{t}: {v}, {b}" for t, v, b in trials[["trial", "verdict", "bound"]].values)
    return rows.finish(layers, sentence(parts, language))


def _plain(tick: float, language: Language) -> str:
    return language.number(tick, 0 if tick == round(tick) else 1 if round(tick, 1) == tick else 2)
