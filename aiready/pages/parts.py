"""Make the sections of a page: blocks and figures in order, as the value of one notebook cell."""

from collections.abc import Callable, Iterator
from typing import Any

import altair as alt
import pandas as pd

from aiready.charts import theme
from aiready.charts.figures import Figure
from aiready.charts.marks import layered_specification
from aiready.messages import ENGLISH, Language
from aiready.pages.markup.blocks import Block, Page, section
from aiready.profile.assessment import Assessment

Part = Block | Figure | Page
Chart = Callable[..., alt.LayerChart]


class Section(list[Part]):
    """Blocks and figures of one section, which a notebook cell displays in order."""

    def _ipython_display_(self) -> None:
        from IPython.display import display

        for part in self:
            display(part)


def chunked(rows: pd.DataFrame, size: int) -> Iterator[pd.DataFrame]:
    """Split a table into parts of about equal length, none longer than `size`, each with an index from 0.

    Examples
    --------
    >>> [len(part) for part in chunked(pd.DataFrame({"trial": range(25)}), 12)]
    [9, 9, 7]
    """
    parts = max(1, -(-len(rows) // size))
    length = -(-len(rows) // parts)
    for start in range(0, len(rows), length or 1):
        yield rows.iloc[start : start + length].reset_index(drop=True)


def section_heading(unit: Assessment, short: str, heading: str, *sentences: str) -> Block:
    """A section heading and the sentences below it; `short` gives its anchor, the same in every language."""
    return section(heading, *sentences, short=unit.language.say(f"short.{short}"), ident=ENGLISH.say(f"short.{short}"))


def labelled_columns(unit: Assessment, rows: pd.DataFrame, phrase_of: dict[str, str]) -> pd.DataFrame:
    """Some columns of a table under names for readers; `phrase_of`: column -> key in `column.*`."""
    return rows[list(phrase_of)].rename(
        columns={name: unit.language.say(f"column.{key}") for name, key in phrase_of.items()}
    )


def figure(  # noqa: PLR0913 - the parts of a figure
    chart: Chart,
    rows: pd.DataFrame,
    name: str,
    title: str,
    subtitle: str,
    numbers: pd.DataFrame,
    language: Language = ENGLISH,
    **options: Any,
) -> Figure:
    """A figure: a chart drawn in both widths, with its text and numbers; `options` go to the chart."""
    wide, narrow = (
        layered_specification(chart(rows, width=width, language=language, **options), language)
        for width in (theme.WIDE, theme.NARROW)
    )
    return Figure(name=name, title=title, subtitle=subtitle, wide=wide, narrow=narrow, table=numbers, language=language)
