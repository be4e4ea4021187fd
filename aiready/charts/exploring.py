"""Charts for exploring: said and recorded, sources of a change, intervals side by side, before and after."""

import altair as alt
import pandas as pd

from aiready import theme
from aiready.charts.canvas import Layout, Mark, drawn, legend_height, place, sentence
from aiready.charts.layers import layer
from aiready.charts.survey import PEOPLE_SAY, POINTS, RECORDS_SHOW, TICKS, Parts, points, stacked
from aiready.charts.work import extent, ticks

_SOURCES = {
    "role_mix": ("who answered", theme.REST[0]),
    "answers": ("what they answered", "#b4560c"),
    "items": ("other items asked", "#e3b273"),
    "records": ("what records show", theme.REALISED),
    "indicators": ("other indicators count", "#6fa9c4"),
}
_BETWEEN = {"color": theme.LINE, "strokeWidth": 6, "strokeCap": "round"}
SOURCE_WORDS = {source: words for source, (words, _) in _SOURCES.items()}
"""Where a change can come from, in words."""


@drawn("facet", "record", values="says record")
def facets_chart(facets: pd.DataFrame, *, width: int = theme.WIDE) -> alt.LayerChart:
    """Facet by facet, the share that says so and the share that records show.

    Parameters
    ----------
    facets
        One row per facet and record: `facet` (in words), `says`, `record` (shares 0-1, missing where not known),
        optional `detail`.
    """
    marks = [Mark(PEOPLE_SAY.words.split(",")[0], theme.PEOPLE), RECORDS_SHOW]
    scaled = facets.assign(said=100 * facets["says"], shown=100 * facets["record"], words=_both(facets))
    layout = Layout(left=290, right=120, step=44, reserve=120, top=legend_height(marks, width) + 4)
    rows = place(scaled, "facet", width, layout)
    ends = rows.table.dropna(subset=["said", "shown"])
    layers = [
        *rows.axis(TICKS, POINTS, [f"{tick} %" for tick in TICKS]),
        layer(ends, "rule", _BETWEEN, x=rows.x("said", POINTS), x2=alt.X2(field="shown"), y=rows.y()),
        points(rows, rows.table, "shown", RECORDS_SHOW),
        points(rows, rows.table, "said", PEOPLE_SAY),
        *rows.labels(),
        *rows.aside("words"),
        *rows.legend(marks, POINTS),
    ]
    return rows.finish(layers, sentence(f"{f}: {w}" for f, w in scaled[["facet", "words"]].values))


def _both(facets: pd.DataFrame) -> list[str]:
    pairs = zip(facets["says"], facets["record"], strict=True)
    return [f"{theme.share(said)} / {theme.share(shown)}" for said, shown in pairs]


@drawn("name", "source", values="points")
def sources_chart(sources: pd.DataFrame, *, width: int = theme.WIDE) -> alt.LayerChart:
    """Where a change came from: points up to the right, points down to the left.

    Parameters
    ----------
    sources
        One row per name x source: `name` (what changed, in words), `source` (role_mix, answers, items, records,
        indicators), `points` (of 100), optional `detail`, `status`.
    """
    used = [source for source in _SOURCES if source in set(sources["source"])]
    marks = [Mark(_SOURCES[source][0], _SOURCES[source][1], "square") for source in used]
    sums = sources.groupby([sources["name"], sources["points"] < 0])["points"].sum()
    domain = extent(sums)
    shown = ticks(*domain, 6 if width > 500 else 4)
    rows = place(
        sources, "name", width, Layout(left=230, right=14, step=38, top=legend_height(marks, width) + 2, bottom=36)
    )
    fills = {source: _SOURCES[source][1] for source in used}
    layers = [
        *rows.axis(shown, domain, [_signed(tick) for tick in shown], "points of 100"),
        *stacked(rows, Parts("points", "source", fills, _signed), domain),
        rows.lines([0.0], domain, theme.INK),
        *rows.labels(),
        *rows.legend(marks, domain),
    ]
    told = sources.dropna(subset=["points"])[["name", "source", "points"]].values
    return rows.finish(layers, sentence(f"{n}, {SOURCE_WORDS[s]}: {_signed(p)} points" for n, s, p in told))


def _signed(value: float) -> str:
    shown = theme.number(value, int(abs(value) < 10 and value != round(value)))
    return f"+{shown}" if value > 0 and any(sign in "123456789" for sign in shown) else shown


@drawn("name", "low", "high", "shown")
def intervals_chart(
    cells: pd.DataFrame, *, share: bool = True, colour: str = theme.RECORDS, width: int = theme.WIDE
) -> alt.LayerChart:
    """Numbers of one kind side by side, each with its interval.

    Parameters
    ----------
    cells
        One row per name, in the order drawn: `name`, `value`, `low`, `high`, `shown` (the value in words), optional
        `detail`, `status`.
    share
        Whether the numbers are shares 0-1.
    """
    rows = place(cells, "name", width, Layout(left=230, right=110, step=38, reserve=90, bottom=26))
    low, high = extent(cells[["value", "low", "high"]])
    domain = (low, min(1.0, high * 1.05) if share else high)
    marked = ticks(*domain, 6 if width > 500 else 4)
    known = rows.table.dropna(subset=["value"])
    spans = known.dropna(subset=["low", "high"])
    point = {"color": colour, "filled": True, "opacity": 1, "size": 110}
    layers = [
        *rows.axis(marked, domain, [theme.share(tick) if share else theme.number(tick) for tick in marked]),
        layer(
            spans,
            "rule",
            {"color": colour, "strokeWidth": 2},
            x=rows.x("low", domain),
            x2=alt.X2(field="high"),
            y=rows.y(),
        ),
        layer(known, "point", point, x=rows.x("value", domain), y=rows.y()),
        *rows.labels(),
        *rows.aside("shown"),
    ]
    return rows.finish(layers, sentence(f"{n}: {s}" for n, s in cells[["name", "shown"]].values))


@drawn("name", "voice", values="before after")
def shift_chart(
    shifts: pd.DataFrame, *, called: tuple[str, str] = ("before", "after"), width: int = theme.WIDE
) -> alt.LayerChart:
    """Points of 100 before and after, one row per name.

    Parameters
    ----------
    shifts
        One row per name: `name` (in words), `voice` (perception, practice or score), `before`, `after` (0-100,
        missing where not known), optional `detail`.
    called
        What the two moments are called.
    """
    before = Mark(called[0], theme.ORGANISATION, filled=False)
    people, records = (Mark(f"{called[1]}, {who}", mark.colour, mark.shape, size=mark.size)
                       for who, mark in (("people", PEOPLE_SAY), ("records", RECORDS_SHOW)))  # fmt: skip
    by_voice = {"perception": people, "practice": records, "score": Mark(called[1], theme.INK)}
    marks = [before, *(mark for voice, mark in by_voice.items() if voice in set(shifts["voice"]))]
    told = shifts.assign(words=[_moved(row.before, row.after) for row in shifts.itertuples()])
    layout = Layout(left=250, right=130, step=38, reserve=120, top=legend_height(marks, width) + 4)
    rows = place(told, "name", width, layout)
    ends = rows.table.dropna(subset=["before", "after"])
    layers = [
        *rows.axis(TICKS, POINTS),
        layer(ends, "rule", _BETWEEN, x=rows.x("before", POINTS), x2=alt.X2(field="after"), y=rows.y()),
        points(rows, rows.table, "before", before),
        *(points(rows, rows.table[rows.table["voice"] == voice], "after", mark) for voice, mark in by_voice.items()),
        *rows.labels(),
        *rows.aside("words"),
        *rows.legend(marks, POINTS),
    ]
    return rows.finish(layers, sentence(f"{n}: {w}" for n, w in told[["name", "words"]].values))


def _moved(before: float, after: float) -> str:
    return f"{theme.score(before)} → {theme.score(after)}"
