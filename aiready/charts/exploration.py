"""Draw charts for exploring: facets, sources of a change, intervals side by side, before and after."""

from dataclasses import replace

import altair as alt
import pandas as pd

from aiready.charts import theme
from aiready.charts.marks import layer
from aiready.charts.row_layout import Layout, Mark, chart_description, checked_chart, lay_out_rows, legend_height
from aiready.charts.survey import (
    PEOPLE_MARK,
    RECORDS_MARK,
    SCORE_DOMAIN,
    SCORE_TICKS,
    BarParts,
    legend_mark,
    point_layer,
    stacked_bars,
)
from aiready.charts.work import extent, ticks
from aiready.messages import ENGLISH, Language

_SOURCES = {"role_mix": theme.REST[0], "answers": "#b4560c", "items": "#e3b273", "records": theme.REALISED,
            "indicators": "#6fa9c4"}  # fmt: skip
"""Where a change can come from, and the colour of each."""
_BAR_BETWEEN = {"color": theme.LINE, "strokeWidth": 6, "strokeCap": "round"}


@checked_chart("facet", "record", values="says record")
def facets_chart(facets: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE) -> alt.LayerChart:
    """Per facet, the share of people who say so and the share that records show.

    Parameters
    ----------
    facets
        One row per facet and record: `facet` (in words), `says`, `record` (shares 0-1, missing where not known),
        optional `detail`.
    """
    marks = [legend_mark(PEOPLE_MARK, language, "people"), legend_mark(RECORDS_MARK, language, "records")]
    scores = {"said": 100 * facets["says"], "shown": 100 * facets["record"]}
    scaled = facets.assign(**scores, words=_share_pairs(facets, language))
    layout = Layout(left=290, right=120, step=44, reserve=120, top=legend_height(marks, width) + 4)
    rows = lay_out_rows(scaled, "facet", width, layout, language)
    ends = rows.table.dropna(subset=["said", "shown"])
    layers = [
        *rows.axis(SCORE_TICKS, SCORE_DOMAIN, [language.share(tick / 100) for tick in SCORE_TICKS]),
        layer(ends, "rule", _BAR_BETWEEN, x=rows.x("said", SCORE_DOMAIN), x2=alt.X2(field="shown"), y=rows.y()),
        point_layer(rows, rows.table, "shown", RECORDS_MARK),
        point_layer(rows, rows.table, "said", PEOPLE_MARK),
        *rows.labels(),
        *rows.side_text("words"),
        *rows.legend(marks),
    ]
    parts = (f"{facet}: {words}" for facet, words in scaled[["facet", "words"]].values)
    return rows.finish(layers, chart_description(parts, language))


def _share_pairs(facets: pd.DataFrame, language: Language) -> list[str]:
    pairs = zip(facets["says"], facets["record"], strict=True)
    return [f"{language.share(says)} / {language.share(record)}" for says, record in pairs]


@checked_chart("name", "source", values="points")
def sources_chart(sources: pd.DataFrame, *, language: Language = ENGLISH, width: int = theme.WIDE) -> alt.LayerChart:
    """Where a change came from: rising points to the right, falling points to the left.

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
    tick_values = ticks(*domain, 6 if width > 500 else 4)
    layout = Layout(left=230, right=14, step=38, top=legend_height(marks, width) + 2, bottom=36)
    rows = lay_out_rows(sources, "name", width, layout, language)
    fills = {source: _SOURCES[source] for source in used}
    tick_texts = [_signed(tick, language) for tick in tick_values]
    layers = [
        *rows.axis(tick_values, domain, tick_texts, language.say("chart.points_scale")),
        *stacked_bars(rows, BarParts("points", "source", fills, lambda value: _signed(value, language)), domain),
        rows.vertical_lines([0.0], domain, theme.INK),
        *rows.labels(),
        *rows.legend(marks),
    ]
    values = sources.dropna(subset=["points"])[["name", "source", "points"]].values
    parts = (
        language.say("chart.source_told", name=name, source=words[source], points=_signed(moved, language))
        for name, source, moved in values
    )
    return rows.finish(layers, chart_description(parts, language))


def _signed(value: float, language: Language) -> str:
    text = language.number(value, int(abs(value) < 10 and value != round(value)))
    return f"+{text}" if value > 0 and any(character in "123456789" for character in text) else text


@checked_chart("name", "low", "high", "shown")
def intervals_chart(
    cells: pd.DataFrame,
    *,
    share: bool = True,
    colour: str = theme.RECORDS,
    language: Language = ENGLISH,
    width: int = theme.WIDE,
) -> alt.LayerChart:
    """Numbers of one kind below each other, each with its interval.

    Parameters
    ----------
    cells
        One row per name, in the order drawn: `name`, `value`, `low`, `high`, `shown` (the value in words), optional
        `detail`, `status`.
    share
        Whether the numbers are shares 0-1.
    """
    rows = lay_out_rows(cells, "name", width, Layout(left=230, right=110, step=38, reserve=90, bottom=26), language)
    low, high = extent(cells[["value", "low", "high"]])
    domain = (low, min(1.0, high * 1.05) if share else high)
    tick_values = ticks(*domain, 6 if width > 500 else 4)
    with_value = rows.table.dropna(subset=["value"])
    with_interval = with_value.dropna(subset=["low", "high"])
    tick_texts = [language.share(tick) if share else language.number(tick) for tick in tick_values]
    point, bar = {"color": colour, "filled": True, "opacity": 1, "size": 110}, {"color": colour, "strokeWidth": 2}
    layers = [
        *rows.axis(tick_values, domain, tick_texts),
        layer(with_interval, "rule", bar, x=rows.x("low", domain), x2=alt.X2(field="high"), y=rows.y()),
        layer(with_value, "point", point, x=rows.x("value", domain), y=rows.y()),
        *rows.labels(),
        *rows.side_text("shown"),
    ]
    return rows.finish(layers, chart_description((f"{n}: {s}" for n, s in cells[["name", "shown"]].values), language))


@checked_chart("name", "voice", values="before after")
def shift_chart(
    shifts: pd.DataFrame, *, moments: tuple[str, str] = ("", ""), language: Language = ENGLISH, width: int = theme.WIDE
) -> alt.LayerChart:
    """Points of 100 before and after, one row per name.

    Parameters
    ----------
    shifts
        One row per name: `name` (in words), `voice` (perception, practice or score), `before`, `after` (0-100,
        missing where not known), optional `detail`.
    moments
        Names of the two moments; by default before and after.
    """
    first, then = moments[0] or language.say("chart.before"), moments[1] or language.say("chart.after")
    before = Mark(first, theme.ORGANISATION, filled=False)
    people, records = (replace(mark, words=language.say(f"chart.after_{who}", moment=then))
                       for who, mark in (("people", PEOPLE_MARK), ("records", RECORDS_MARK)))  # fmt: skip
    by_voice = {"perception": people, "practice": records, "score": Mark(then, theme.INK)}
    marks = [before, *(mark for voice, mark in by_voice.items() if voice in set(shifts["voice"]))]
    labelled = shifts.assign(words=[_before_and_after(row.before, row.after, language) for row in shifts.itertuples()])
    layout = Layout(left=250, right=130, step=38, reserve=120, top=legend_height(marks, width) + 4)
    rows = lay_out_rows(labelled, "name", width, layout, language)
    ends = rows.table.dropna(subset=["before", "after"])
    layers = [
        *rows.axis(SCORE_TICKS, SCORE_DOMAIN),
        layer(ends, "rule", _BAR_BETWEEN, x=rows.x("before", SCORE_DOMAIN), x2=alt.X2(field="after"), y=rows.y()),
        point_layer(rows, rows.table, "before", before),
        *(
            point_layer(rows, rows.table[rows.table["voice"] == voice], "after", mark)
            for voice, mark in by_voice.items()
        ),
        *rows.labels(),
        *rows.side_text("words"),
        *rows.legend(marks),
    ]
    return rows.finish(
        layers, chart_description((f"{n}: {w}" for n, w in labelled[["name", "words"]].values), language)
    )


def _before_and_after(before: float, after: float, language: Language) -> str:
    return f"{language.score(before)} → {language.score(after)}"
