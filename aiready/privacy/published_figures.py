"""Which survey figures are shown in which cells, figure by figure, as a release records it.

A figure's name is its kind, a colon, and the scale, item or theme (`scale:measurement`), as the survey names them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aiready.model.registry import ALL
from aiready.privacy.gate import SuppressionPattern
from aiready.privacy.release_groups import PRINTED_SEGMENTS, kind_of
from aiready.privacy.releases import Comparison
from aiready.privacy.suppressed_cells import CELL

SCALE_KINDS = ("scale", "given", "straight")
"""Kinds of figures that are computed by scale."""
Flags = NDArray[np.bool_]


def compare_releases(
    comparison: Comparison, hidden: SuppressionPattern, figures: Sequence[str]
) -> tuple[SuppressionPattern, pd.DataFrame]:
    """Hide further figures after comparison with earlier releases; returns also what is shown (`Release.cells`)."""
    hidden = hide_figures(hidden, comparison.figures_to_hide(*shown_figures(hidden, figures)))
    cells, flags = shown_figures(hidden, figures)
    return hidden, cells.assign(figures=[row.tobytes() for row in np.packbits(flags, axis=1)])


def shown_figures(hidden: SuppressionPattern, figures: Sequence[str]) -> tuple[pd.DataFrame, Flags]:
    """Survey cells that are shown, and which figures each shows.

    Returns
    -------
    tuple
        unit_id, wave, segment; cells x figures.

    Notes
    -----
    An item is disclosed by its mean or by its distribution, from which the mean follows; either is printed with the
    share of answers on a level, which discloses how many answered at all.
    """
    cells = hidden.survey.loc[~hidden.survey["hidden"].astype(bool), CELL].reset_index(drop=True)
    columns = list(_shown_by_figure(hidden, cells, figures))
    flags = np.column_stack(columns) if columns else np.zeros((len(cells), 0), dtype=bool)
    return cells, flags


def _shown_by_figure(hidden: SuppressionPattern, cells: pd.DataFrame, figures: Sequence[str]) -> Iterator[Flags]:
    index = pd.MultiIndex.from_frame(cells.astype(str))
    segment = cells["segment"].to_numpy()
    scales, means = _hidden_by(index, hidden.scales, "barrier_id"), _hidden_by(index, hidden.item_means, "item_id")
    levels = _hidden_by(index, hidden.distributions, "item_id")
    by_kind = {
        "given": _hidden_by(index, hidden.shares, "")[""],
        "straight": _hidden_by(index, hidden.straightliners, "")[""],
        "theme": _hidden_by(index, hidden.themes, "")[""],
    }
    nothing = np.zeros(len(cells), dtype=bool)
    for figure in figures:
        kind, _, name = figure.partition(":")
        segments = PRINTED_SEGMENTS.get(kind_of(figure))
        printed = ~nothing if segments is None else np.isin(segment, segments)
        if kind in SCALE_KINDS or kind == "theme":
            hidden_flags = scales.get(name, nothing) | by_kind.get(kind, nothing)
        elif kind == "levels":
            hidden_flags = levels.get(name, nothing)
        else:
            hidden_flags = levels.get(name, nothing) & (means.get(name, nothing) | (segment != ALL))
        yield printed & ~hidden_flags


def _hidden_by(index: pd.MultiIndex, table: pd.DataFrame, column: str) -> dict[str, Flags]:
    """Which cells a table hides, by the values of a column; without a column, under a blank name."""
    rows = table.loc[table["hidden"].astype(bool)]
    position = index.get_indexer(pd.MultiIndex.from_frame(rows[CELL].astype(str)))
    names = rows[column].to_numpy(object) if column else np.full(len(rows), "", dtype=object)
    flags = {"": np.zeros(len(index), dtype=bool)}
    for name, at in pd.Series(position[position >= 0]).groupby(names[position >= 0], sort=False):
        flags[str(name)] = np.isin(np.arange(len(index)), at)
    return flags


def hide_figures(hidden: SuppressionPattern, figures: pd.DataFrame) -> SuppressionPattern:
    """Hide further figures (unit_id, wave, segment, figure), each with all others that disclose it.

    A scale is hidden with its shares, a theme with all themes of the cell, an item's mean with its distribution.
    """
    if figures.empty:
        return hidden
    parts = figures["figure"].str.partition(":")
    rows = figures[CELL].assign(n=np.nan, hidden=True, primary=False)
    scale, theme = parts[0].isin(SCALE_KINDS), parts[0].eq("theme")
    mean, item = parts[0].isin(["item", "any"]), parts[0].isin(["item", "any", "levels"])
    return replace(
        hidden,
        scales=_append(hidden.scales, rows[scale].assign(barrier_id=parts.loc[scale, 2])),
        themes=_append(hidden.themes, rows[theme]),
        item_means=_append(hidden.item_means, rows[mean].assign(item_id=parts.loc[mean, 2])),
        distributions=_append(hidden.distributions, rows[item].assign(item_id=parts.loc[item, 2])),
    )


def _append(table: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([table, rows.drop_duplicates()], ignore_index=True) if len(rows) else table
