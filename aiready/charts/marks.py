"""Layers of a chart as Altair objects, built and written out directly.

Altair's `mark_*`, `encode`, `layer` and `to_dict` copy, prove and hash a chart at every step: nine tenths of the
time of a handout's charts. What comes out here is the same, and a chart like any other in a notebook.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from aiready.charts import theme
from aiready.messages import ENGLISH, Language

Records = Sequence[Mapping[str, Any]]
"""A few rows that a chart makes itself (ticks, legends, heads): dictionaries with the same names."""
_DATUM = re.compile(r"datum\.(\w+)")


class SharedRows(alt.InlineData):
    """Rows of a chart, not copied with it: Altair copies a chart at every step, and rows never change."""

    def __deepcopy__(self, _: object) -> "SharedRows":
        return self


def layer(table: pd.DataFrame | Records, mark: str, look: Mapping[str, Any], **channels: alt.SchemaBase) -> alt.Chart:
    """One layer: a mark per row of a table, with its look, placed by its channels (`x`, `y2`, `text`, ...).

    Channels and expressions name columns of the table; the others do not travel with the chart, nor do rows that
    lack one of them: what is missing is not drawn.
    """
    used = [_stated(channel).get("field") for channel in channels.values()]
    used += [found for value in look.values() if isinstance(value, alt.ExprRef) for found in _DATUM.findall(value.expr)]
    return alt.Chart(
        SharedRows(values=_rows(table, [name for name in dict.fromkeys(used) if name is not None])),
        mark=alt.MarkDef(**{"type": mark, **look}),
        encoding=alt.FacetedEncoding(**channels),
    )


def _rows(table: pd.DataFrame | Records, columns: list[str]) -> list[dict[str, Any]]:
    """Some columns of a table as records, of the rows where none is missing."""
    if not isinstance(table, pd.DataFrame):
        return [{name: row[name] for name in columns} for row in table]
    if not columns:
        return [{}] * len(table)
    records = zip(*(table[name].tolist() for name in columns), strict=True)
    return [dict(zip(columns, cells, strict=True)) for cells in records if not any(map(pd.isna, cells))]


def worded(field: str) -> alt.Text:
    """The words of a column."""
    return alt.Text(field=field, type="nominal")


def coloured(field: str) -> alt.Color:
    """The colours that a column names."""
    return alt.Color(field=field, type="nominal", scale=None)


def across(field: str, domain: Sequence[float]) -> alt.X:
    """Horizontal position on a scale of exactly this domain, as wide as the plot."""
    scale = alt.Scale(domain=list(domain), nice=False, zero=False)
    return alt.X(field=field, type="quantitative", axis=None, scale=scale)


def from_left(field: str) -> alt.X:
    """Horizontal position in pixels from the plot's left."""
    return alt.X(field=field, type="quantitative", scale=None)


def from_top(field: str) -> alt.Y:
    """Vertical position in pixels from the plot's top."""
    return alt.Y(field=field, type="quantitative", scale=None)


def sized(
    layers: Iterable[alt.Chart],
    size: tuple[float, float],
    description: str,
    padding: Sequence[float] = (0, 0, 0, 0),
) -> alt.LayerChart:
    """The layers as one chart of exactly this outer size; padding is left, right, top, bottom."""
    (width, height), (left, right, top, bottom) = size, padding
    chart = alt.LayerChart(
        width=width - left - right,
        height=height - top - bottom,
        padding={"left": left, "right": right, "top": top, "bottom": bottom},
        autosize={"type": "none"},
        description=description,
    )
    chart.layer = list(layers)
    return chart


def written(chart: alt.TopLevelMixin, language: Language = ENGLISH) -> dict[str, Any]:
    """A chart of `layer`s as Vega-Lite in this package's look: what `to_dict` gives, without proof or copies.

    Not for charts made in other ways, which may leave to Altair what their shorthand and data frames mean.
    """
    return {"$schema": alt.SCHEMA_URL, **_plain(chart), "config": theme.config(language)}


def _plain(part: Any) -> Any:
    if isinstance(part, SharedRows):
        return {"values": _stated(part)["values"]}
    if isinstance(part, alt.SchemaBase):
        return {name: _plain(value) for name, value in _stated(part).items()}
    if isinstance(part, dict):
        return {name: _plain(value) for name, value in part.items()}
    return [_plain(value) for value in part] if isinstance(part, list | tuple) else part


def _stated(part: alt.SchemaBase) -> dict[str, Any]:
    """What has been stated of an Altair object."""
    return {name: value for name, value in part._kwds.items() if value is not alt.Undefined}
