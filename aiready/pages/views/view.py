"""The class `View`: one chart with its sentences and numbers, shown in a panel, a notebook cell or a report."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import altair as alt
import pandas as pd

from aiready.charts import theme
from aiready.charts.figures import html_id
from aiready.pages.markup.blocks import notes, paragraphs, table
from aiready.pages.parts import Section, figure


@dataclass(frozen=True)
class View:
    """The answer to a question about a unit.

    `words` are the finding, a sentence each; `chart` draws `rows` with `options`, None if the numbers suffice;
    `numbers` is the table to read, as text; `caution` says how not to misread it; if `choosable`, a click on a row of
    the chart opens its details. Nothing is computed here: every number comes from a table.
    """

    title: str
    subtitle: str = ""
    words: tuple[str, ...] = ()
    chart: Callable[..., alt.LayerChart] | None = None
    rows: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    numbers: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    caution: str = ""
    choosable: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    def draw(self, width: int = theme.WIDE) -> alt.LayerChart | None:
        """The chart alone, `width` pixels wide; None if the view has none."""
        return self.chart(self.rows, width=width, **self.options) if self.chart else None

    def section(self) -> Section:
        """The view as a section of a page: sentences, figure or table, caution."""
        parts = Section([paragraphs(*self.words)] if self.words else [])
        if self.chart:
            parts.append(
                figure(
                    self.chart, self.rows, html_id(self.title), self.title, self.subtitle, self.numbers, **self.options
                )
            )
        elif len(self.numbers):
            parts.append(table(self.numbers, self.title))
        return Section([*parts, notes(self.caution)] if self.caution else parts)

    def _ipython_display_(self) -> None:
        self.section()._ipython_display_()
