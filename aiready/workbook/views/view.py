"""A view: one picture with its words and numbers, drawn in a panel, in a cell or in a report alike."""

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
    """What a question about a unit is answered with.

    `words` are the finding in sentences; `chart` draws `rows`, or is none where `numbers` say it all; `numbers` is
    the table to read, as text; `caution` says what must not be read into it; where `choosable`, a row of the picture
    that is clicked opens what stands behind it. Nothing is computed here: every number stood in a table before.
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
        """The chart alone, in any width; nothing where the view has none."""
        return self.chart(self.rows, width=width, **self.options) if self.chart else None

    def section(self) -> Section:
        """The same view as part of a page: sentences, figure, caution."""
        parts = Section([paragraphs(*self.words)] if self.words else [])
        if self.chart:
            parts.append(figure(self.chart, self.rows, html_id(self.title), self.title, self.subtitle, self.numbers,
                                **self.options))  # fmt: skip
        elif len(self.numbers):
            parts.append(table(self.numbers, self.title))
        return Section([*parts, notes(self.caution)] if self.caution else parts)

    def _ipython_display_(self) -> None:
        self.section()._ipython_display_()
