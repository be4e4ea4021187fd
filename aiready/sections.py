"""Sections of a page: blocks and figures in order, as the value of one notebook cell."""

from collections.abc import Callable, Iterator
from typing import Any

import altair as alt
import pandas as pd

from aiready import theme
from aiready.charts.layers import written
from aiready.figures import Figure
from aiready.html.blocks import Block, Page
from aiready.phrases import ENGLISH, Language

Part = Block | Figure | Page
Chart = Callable[..., alt.LayerChart]


class Section(list[Part]):
    """Blocks and figures of one section, shown in order as the value of a notebook's cell."""

    def _ipython_display_(self) -> None:
        from IPython.display import display

        for part in self:
            display(part)


def chunked(rows: pd.DataFrame, size: int) -> Iterator[pd.DataFrame]:
    """A table in parts of about equal length, none longer than `size`, each with an index of its own.

    Examples
    --------
    >>> [len(part) for part in chunked(pd.DataFrame({"trial": range(25)}), 12)]
    [9, 9, 7]
    """
    parts = max(1, -(-len(rows) // size))
    length = -(-len(rows) // parts)
    for start in range(0, len(rows), length or 1):
        yield rows.iloc[start : start + length].reset_index(drop=True)


def figure(  # noqa: PLR0913 - the parts of one figure, in the order they are read
    chart: Chart,
    rows: pd.DataFrame,
    name: str,
    title: str,
    subtitle: str,
    numbers: pd.DataFrame,
    language: Language = ENGLISH,
    **options: Any,
) -> Figure:
    """A chart in both widths with its words and numbers."""
    wide, narrow = (
        written(chart(rows, width=width, language=language, **options), language)
        for width in (theme.WIDE, theme.NARROW)
    )
    return Figure(name=name, title=title, subtitle=subtitle, wide=wide, narrow=narrow, table=numbers, language=language)
