"""Charts for exploring: said and recorded, sources of a change, intervals side by side, before and after."""

from dataclasses import replace

import altair as alt
import pandas as pd

from aiready.charts import theme
from aiready.charts.marks import layer
from aiready.charts.row_layout import Layout, Mark, drawn, legend_height, place, sentence
from aiready.charts.survey import PEOPLE, POINTS, RECORDS, TICKS, Parts, named, points, stacked
from aiready.charts.work import extent, ticks
from aiready.messages import ENGLISH, Language

_SOURCES = {"role_mix": theme.REST[0], "answers": "#b4560c", "items": "#e3b273", "records": theme.REALISED,
            "indicators": "#6fa9c4"}  # fmt: skip
"""Where a change can come from, and the colour of each."""
_BETWEEN = {"color": theme.LINE, "strokeWidth": 6, "strokeCap": "round"}


@drawn("facet", "record", values="says record")
def facets_chart(facets: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE) -> alt.LayerChart:
    """Facet by facet, the share that says so and the share that records show.

    Parameters
    ----------
    facets
        One row per facet and record: `facet` (in words), `says`, `record` (shares 0-1, missing where not known),
        optional `detail`.
    """
    marks = [named(PEOPLE, language, "people"), named(RECORDS, language, "records")]
    scaled = facets.assign(said=100 * facets["says"], shown=100 * facets["record"], words=_both(facets, language))
    layout = Layout(left=290, right=120, step=44, reserve=120, top=legend_height(marks, width) + 4)
    rows = place(scaled, "facet", width, layout, language)
    ends = rows.table.dropna(subset=["said", "shown"])
    layers = [
        *rows.axis(TICKS, POINTS, [language.share(tick / 100) for tick in TICKS]),
        layer(ends, "rule", _BETWEEN, x=rows.x("said", POINTS), x2=alt.X2(field="shown"), y=rows.y()),
        points(rows, rows.table, "shown", RECORDS),
        points(rows, rows.table, "said", PEOPLE),
        *rows.labels(),
        *rows.aside("words"),
        *rows.legend(marks),
    ]
    return rows.finish(layers, sentence((f"{f}: {w}" for f, w in scaled[["facet", "words"]].values), language))


def _both(facets: pd.DataFrame, language: Language) -> list[str]:
    pairs = zip(facets["says"], facets["record"], strict=True)
    return [f"{language.share(said)} / {language.share(shown)}" for said, shown in pairs]


@drawn("name", "source", values="points")
def sources_chart(sources: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE) -> alt.LayerChart:
    """Where a change came from: points up to the right, points down to the left.

    Parameters
    ----------
    sources
        One row per name x source: `name` (what changed, in words), `source` (role_mix, answers, items, records,
        indicators), `points` (of 100), optional `detail`, `status`.
    """
    used = [source for source in _SOURCES if source in set(sources["source"])]
    words = {source: language.say(f"chart.source_{source}") for source in used}
    marks = [Mark(words[source], _SOURCES[source], "square") for source in used]
    sums = sources.groupby([sources["name"], sources["points"] < 0])["points"].sum()
    domain = extent(sums)
    shown = ticks(*domain, 6 if width > 500 else 4)
    layout = Layout(left=230, right=14, step=38, top=legend_height(marks, width) + 2, bottom=36)
    rows = place(sources, "name", width, layout, language)
    fills = {source: _SOURCES[source] for source in used}
    layers = [
        *rows.axis(shown, domain, [_signed(tick, language) for tick in shown], language.say("chart.points_scale")),
        *stacked(rows, Parts("points", "source", fills, lambda value: _signed(value, language)), domain),
        rows.lines([0.0], domain, theme.INK),
        *rows.labels(),
        *rows.legend(marks),
    ]
    told = sources.dropna(subset=["points"])[["name", "source", "points"]].values
    parts = (
        language.say("chart.source_told", name=name, source=words[source], points=_signed(moved, language))
        for name, source, moved in told
    )
    return rows.finish(layers, sentence(parts, language))


def _signed(value: float, language: Language) -> str:
    shown = language.number(value, int(abs(value) < 10 and value != round(value)))
    return f"+{shown}" if value > 0 and any(sign in "123456789" for sign in shown) else shown


@drawn("name", "low", "high", "shown")
def intervals_chart(
    cells: pd.DataFrame,
    *,
    share: bool = True,
    colour: str = theme.RECORDS,
    language: Language = ENGLISH,
    width: int = theme.WIDE,
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
    rows = place(cells, "name", width, Layout(left=230, right=110, step=38, reserve=90, bottom=26), language)
    low, high = extent(cells[["value", "low", "high"]])
    domain = (low, min(1.0, high * 1.05) if share else high)
    marked = ticks(*domain, 6 if width > 500 else 4)
    known = rows.table.dropna(subset=["value"])
    spans = known.dropna(subset=["low", "high"])
    point = {"color": colour, "filled": True, "opacity": 1, "size": 110}
    layers = [
        *rows.axis(marked, domain, [language.share(tick) if share else language.number(tick) for tick in marked]),
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
    return rows.finish(layers, sentence((f"{n}: {s}" for n, s in cells[["name", "shown"]].values), language))


@drawn("name", "voice", values="before after")
def shift_chart(
    shifts: pd.DataFrame, *, called: tuple[str, str] = ("", ""), language: Language = ENGLISH, width: int = theme.WIDE
) -> alt.LayerChart:
    """Points of 100 before and after, one row per name.

    Parameters
    ----------
    shifts
        One row per name: `name` (in words), `voice` (perception, practice or score), `before`, `after` (0-100,
        missing where not known), optional `detail`.
    called
        What the two moments are called; blank: before and after.
    """
    first, then = called[0] or language.say("chart.before"), called[1] or language.say("chart.after")
    before = Mark(first, theme.ORGANISATION, filled=False)
    people, records = (replace(mark, words=language.say(f"chart.after_{who}", moment=then))
                       for who, mark in (("people", PEOPLE), ("records", RECORDS)))  # fmt: skip
    by_voice = {"perception": people, "practice": records, "score": Mark(then, theme.INK)}
    marks = [before, *(mark for voice, mark in by_voice.items() if voice in set(shifts["voice"]))]
    told = shifts.assign(words=[_moved(row.before, row.after, language) for row in shifts.itertuples()])
    layout = Layout(left=250, right=130, step=38, reserve=120, top=legend_height(marks, width) + 4)
    rows = place(told, "name", width, layout, language)
    ends = rows.table.dropna(subset=["before", "after"])
    layers = [
        *rows.axis(TICKS, POINTS),
        layer(ends, "rule", _BETWEEN, x=rows.x("before", POINTS), x2=alt.X2(field="after"), y=rows.y()),
        points(rows, rows.table, "before", before),
        *(points(rows, rows.table[rows.table["voice"] == voice], "after", mark) for voice, mark in by_voice.items()),
        *rows.labels(),
        *rows.aside("words"),
        *rows.legend(marks),
    ]
    return rows.finish(layers, sentence((f"{n}: {w}" for n, w in told[["name", "words"]].values), language))


def _moved(before: float, after: float, language: Language) -> str:
    return f"{language.score(before)} → {language.score(after)}"
