"""Build the layers of a chart as Altair objects, and write them as Vega-Lite, without Altair's validation.

Altair's `mark_*`, `encode`, `layer` and `to_dict` copy, validate and hash a chart at every step, which takes nine
tenths of the time of a handout's charts. The result here is the same: an ordinary Altair chart.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from aiready.charts import theme
from aiready.messages import ENGLISH, Language

Records = Sequence[Mapping[str, Any]]
"""A few rows that a chart makes itself (ticks, legends, headings): dictionaries with the same keys."""
_DATUM = re.compile(r"datum\.(\w+)")


class SharedRows(alt.InlineData):
    """Rows of a chart that are not copied with it: Altair copies charts often, and rows never change."""

    def __deepcopy__(self, _: object) -> "SharedRows":
        return self


def layer(table: pd.DataFrame | Records, mark: str, look: Mapping[str, Any], **channels: alt.SchemaBase) -> alt.Chart:
    """One layer: a mark per row of a table, with mark properties (`look`) and channels (`x`, `y2`, `text`, ...).

    The chart carries only the columns that channels and expressions name, and only rows with a value in each:
    missing values are not drawn.
    """
    columns = [_properties(channel).get("field") for channel in channels.values()]
    for value in look.values():
        columns += _DATUM.findall(value.expr) if isinstance(value, alt.ExprRef) else []
    return alt.Chart(
        SharedRows(values=_rows(table, [name for name in dict.fromkeys(columns) if name is not None])),
        mark=alt.MarkDef(**{"type": mark, **look}),
        encoding=alt.FacetedEncoding(**channels),
    )


def _rows(table: pd.DataFrame | Records, columns: list[str]) -> list[dict[str, Any]]:
    """Rows of a table as dictionaries of these columns, without rows where one is missing."""
    if not isinstance(table, pd.DataFrame):
        return [{name: row[name] for name in columns} for row in table]
    if not columns:
        return [{}] * len(table)
    records = zip(*(table[name].tolist() for name in columns), strict=True)
    return [dict(zip(columns, cells, strict=True)) for cells in records if not any(map(pd.isna, cells))]


def text_channel(field: str) -> alt.Text:
    """Text channel that shows the words of a column."""
    return alt.Text(field=field, type="nominal")


def colour_channel(field: str) -> alt.Color:
    """Colour channel that takes the colours a column names."""
    return alt.Color(field=field, type="nominal", scale=None)


def x_on_scale(field: str, domain: Sequence[float]) -> alt.X:
    """Horizontal position on a scale of exactly this domain, as wide as the plot."""
    scale = alt.Scale(domain=list(domain), nice=False, zero=False)
    return alt.X(field=field, type="quantitative", axis=None, scale=scale)


def x_in_pixels(field: str) -> alt.X:
    """Horizontal position from a column, in pixels from the plot's left."""
    return alt.X(field=field, type="quantitative", scale=None)


def y_in_pixels(field: str) -> alt.Y:
    """Vertical position from a column, in pixels from the plot's top."""
    return alt.Y(field=field, type="quantitative", scale=None)


def x_at(pixels: float) -> alt.XValue:
    """The same horizontal position for every row, in pixels from the plot's left."""
    return alt.XValue(pixels)


def x2_at(pixels: float) -> alt.X2Value:
    """The same right end for every row, in pixels from the plot's left."""
    return alt.X2Value(pixels)


def y_at(pixels: float) -> alt.YValue:
    """The same vertical position for every row, in pixels from the plot's top."""
    return alt.YValue(pixels)


def y2_at(pixels: float) -> alt.Y2Value:
    """The same lower end for every row, in pixels from the plot's top."""
    return alt.Y2Value(pixels)


def fixed_size_chart(
    layers: Iterable[alt.Chart],
    size: tuple[float, float],
    description: str,
    padding: Sequence[float] = (0, 0, 0, 0),
) -> alt.LayerChart:
    """The layers as one chart of exactly this outer size in pixels; padding is left, right, top, bottom."""
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


def layered_specification(chart: alt.TopLevelMixin, language: Language = ENGLISH) -> dict[str, Any]:
    """A chart of `layer`s as a Vega-Lite specification: what `to_dict` returns, without validation or copies.

    Only for charts built with `layer`: others may use shorthand and data frames that Altair has to resolve.
    """
    return {"$schema": alt.SCHEMA_URL, **_plain(chart), "config": theme.config(language)}


def _plain(part: Any) -> Any:
    if isinstance(part, SharedRows):
        return {"values": _properties(part)["values"]}
    if isinstance(part, alt.SchemaBase):
        return {name: _plain(value) for name, value in _properties(part).items()}
    if isinstance(part, dict):
        return {name: _plain(value) for name, value in part.items()}
    return [_plain(value) for value in part] if isinstance(part, list | tuple) else part


def _properties(part: alt.SchemaBase) -> dict[str, Any]:
    """The properties set on an Altair object."""
    return {name: value for name, value in part._kwds.items() if value is not alt.Undefined}
