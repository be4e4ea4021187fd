"""Cells of every unit x segment, the parts that each cell is the sum of, and the sums between cells.

A part is a unit's own people (or decisions, or users) in one finest segment: no published figure divides it. A cell is
the sum of the parts of a unit and of all units below it in one segment. A parent's own people form cells, too, which
are never published.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, kron

from aiready.model.registry import ORGANISATION
from aiready.model.units import former_ids
from aiready.privacy.segments import Segments

CUT_BY_UNIT = "unit"


@dataclass
class CellTree:
    """Cells of a hierarchy of units, without the people in them.

    `parents`: the parent of every unit by its id, missing at the top. `cells`: unit_id, segment, `leaf` (no unit
    below), `own_people` (a parent's own people only); ordered by id, so that no result depends on the order of input
    rows. `sums`: one row per total x child (positions in `cells`) and the dimension that the total is divided `by`.
    """

    parents: pd.Series
    segments: Segments
    cells: pd.DataFrame = field(init=False)
    sums: pd.DataFrame = field(init=False)

    def __post_init__(self) -> None:
        self.parents = self.parents.sort_index()
        units = self.parents.index
        parent_ids = set(self.parents.dropna())
        parent_units = [unit_id for unit_id in units if unit_id in parent_ids]
        self.nodes = pd.Index([ORGANISATION, *units, *(f"{unit_id}\x1fown" for unit_id in parent_units)])
        segments = list(self.segments.names)
        self.cells = pd.DataFrame({
            "unit_id": np.repeat([ORGANISATION, *units, *parent_units], len(segments)),
            "segment": np.tile(np.array(segments, dtype=object), len(self.nodes)),
            "own_people": np.repeat([False] * (1 + len(units)) + [True] * len(parent_units), len(segments)),
        })  # fmt: skip
        self.cells["leaf"] = ~self.cells["unit_id"].isin({*parent_units, ORGANISATION})
        self.sums = pd.concat([self._by_unit(parent_units), *self._by_segment()], ignore_index=True)

    def parts(self, bottom: pd.DataFrame) -> csr_array:
        """Cells x rows of `bottom` (unit_id: an own unit, segment: a finest one)."""
        units, finest = self.parents.index, list(self.segments.finest)
        lineage = lineage_of(self.parents)
        node_of_unit = _incidence(self.nodes.get_indexer(lineage["ancestor"]), units.get_indexer(lineage["unit_id"]),
                           (len(self.nodes), len(units)))  # fmt: skip
        position = {name: at for at, name in enumerate(self.segments.names)}
        pairs = [
            (position[name], at) for at, finest_at in enumerate(finest) for name in self.segments.finest[finest_at]
        ]
        segment_at, finest_at = np.array(pairs, dtype=int).reshape(-1, 2).T
        segment_of_finest = _incidence(segment_at, finest_at, (len(position), len(finest)))
        column = units.get_indexer(bottom["unit_id"]) * len(finest) + pd.Index(finest).get_indexer(bottom["segment"])
        return csr_array(csr_array(kron(node_of_unit, segment_of_finest, format="csr"))[:, column])

    def _by_unit(self, parent_units: Sequence[str]) -> pd.DataFrame:
        parents = self.parents.where(self.parents.notna(), ORGANISATION)
        totals = self.nodes.get_indexer([*parents, *parent_units])
        children = self.nodes.get_indexer([*self.parents.index, *(f"{unit_id}\x1fown" for unit_id in parent_units)])
        size, segments = len(self.segments.names), np.arange(len(self.segments.names))
        total, child = ((nodes[:, None] * size + segments).ravel() for nodes in (totals, children))
        return pd.DataFrame({"total": total, "child": child, "by": CUT_BY_UNIT})

    def _by_segment(self) -> list[pd.DataFrame]:
        position = {name: at for at, name in enumerate(self.segments.names)}
        nodes = np.arange(len(self.nodes))[:, None] * len(position)
        return [
            pd.DataFrame({
                "total": (nodes + [position[total] for total in wider.values()]).ravel(),
                "child": (nodes + [position[child] for child in wider]).ravel(),
                "by": way,
            })
            for way, wider in self.segments.within.items()
            if wider
        ]  # fmt: skip


def parents_of(units: pd.DataFrame, used: pd.Series) -> pd.Series:
    """Parent of every unit, missing at the top; units that only the tables name are placed at the top."""
    parents = units.set_index("unit_id")["parent_id"].astype(object)
    parents = parents.where(parents.notna() & (parents != ""), None)
    unlisted_ids = [unit_id for unit_id in used.unique() if unit_id not in parents.index and unit_id != ORGANISATION]
    return pd.concat([parents, pd.Series(None, index=unlisted_ids, dtype=object)])


def current_ids(unit_ids: pd.Series, units: pd.DataFrame) -> pd.Series:
    """Today's unit ids, for ids of units that were merged or renamed since."""
    current = former_ids(units).set_index("member_id")["unit_id"]
    return unit_ids.map(current).fillna(unit_ids)


def lineage_of(parents: pd.Series) -> pd.DataFrame:
    """Every unit with each of its ancestors, itself, the organisation and its parent's own node (unit_id, ancestor)."""
    ancestors = pd.Series(parents.index, index=parents.index, dtype=object)
    levels = [ancestors]
    while ancestors.notna().any():
        ancestors = ancestors.map(parents)
        levels.append(ancestors.dropna())
    levels.append(pd.Series(ORGANISATION, index=parents.index))
    parent_units = parents.index[parents.index.isin(parents.dropna())]
    levels.append(pd.Series([f"{unit_id}\x1fown" for unit_id in parent_units], index=parent_units, dtype=object))
    lineage = pd.concat(levels).rename("ancestor").rename_axis("unit_id").reset_index()
    return lineage.dropna()


def _incidence(rows: NDArray[np.intp], columns: NDArray[np.intp], shape: tuple[int, int]) -> csr_array:
    return csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
