"""The class `View`: one chart with its sentences and numbers, shown in a panel, a notebook cell or a page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import altair as alt
import pandas as pd

from aiready.charts import theme
from aiready.charts.figures import Figure
from aiready.charts.marks import layered_specification
from aiready.messages import ENGLISH, Language
from aiready.pages.markup.blocks import notes, paragraphs, table
from aiready.pages.parts import Section


@dataclass(frozen=True)
class View:
    """The answer to a question about a unit, in the words of a language.

    `name` is the id of its figure, `title` and `subtitle` are the figure's; `scope` (unit and wave) stands before the
    subtitle where no page says it. `words` are the finding, a sentence each, the first fit for a heading; `chart` draws
    `rows` with `options`, None if the numbers suffice; `numbers` is the table to read, as text; `caution` says how not
    to misread it; if `choosable`, a click on a row of the chart opens its details. Nothing is computed here: every
    number comes from a table.
    """

    name: str
    title: str
    subtitle: str = ""
    scope: str = ""
    words: tuple[str, ...] = ()
    chart: Callable[..., alt.LayerChart] | None = None
    rows: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    numbers: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    caution: str = ""
    choosable: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    language: Language = ENGLISH

    @property
    def scoped_subtitle(self) -> str:
        """The subtitle with unit and wave before it."""
        return " · ".join(filter(None, [self.scope, self.subtitle]))

    def draw(self, width: int = theme.WIDE) -> alt.LayerChart | None:
        """The chart alone, `width` pixels wide; None if the view has none."""
        return self.chart(self.rows, width=width, language=self.language, **self.options) if self.chart else None

    def figure(self) -> Figure:
        """The figure of a page: the chart drawn in both widths, with its text and numbers."""
        charts = (self.draw(width) for width in (theme.WIDE, theme.NARROW))
        wide, narrow = (layered_specification(chart, self.language) for chart in charts if chart)
        return Figure(self.name, self.title, self.subtitle, wide, narrow, self.numbers, language=self.language)

    def section(self) -> Section:
        """The view as a notebook cell shows it: sentences, figure or table, caution."""
        parts = Section([paragraphs(*self.words)] if self.words else [])
        if self.chart:
            parts.append(replace(self, subtitle=self.scoped_subtitle).figure())
        elif len(self.numbers):
            parts.append(table(self.numbers, self.title, self.language))
        return Section([*parts, notes(self.caution)] if self.caution else parts)

    def _ipython_display_(self) -> None:
        self.section()._ipython_display_()
