"""Which cells and groups of people are sensitive, figure by figure, and whether visible cells disclose them.

A cell is *sensitive* when one of its figures has too few contributors, or one of them dominates it (Hundepool et al.,
Statistical Disclosure Control, 2012, chapter 4).
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array, vstack

from aiready.privacy.contributors import Contributors, Flags, Respondents
from aiready.privacy.derivability import Moves, incidence

Positions = NDArray[np.intp]
UNION_SIZE = 4
"""Most parts in a union that is searched."""
COMPARISON_LIMIT = 5_000_000
"""Totals are compared with the cells within them up to so many parts in all, where people are counted singly."""


@dataclass(frozen=True)
class System:
    """Cells that may be published, the parts they are sums of, and the contributors to these.

    `parts`: cells x parts, 1 where the part belongs to the cell; the order of cells decides between equals, so it must
    not depend on the order of input rows. `published`: whether a cell would be printed at all; one that is not, such as
    a parent's own people, is protected like others. `sums`: one row per total x child (positions of cells) and the
    dimension that the total is divided `by`; children of one total and dimension share no part. `withheld`: cells to
    hide whatever their size. `names` of the cells, for errors.
    """

    parts: csr_array
    contributors: Contributors
    published: Flags
    sums: pd.DataFrame
    withheld: Flags | None = None
    names: Sequence[str] = ()


@dataclass
class CellAnalysis:
    """A system with the sensitivity of its cells and the relations between them."""

    system: System
    minimum: int
    n: NDArray[np.float64] = field(init=False)
    exists: Flags = field(init=False)
    sensitive: Flags = field(init=False)

    def __post_init__(self) -> None:
        self.n, self.exists, self.sensitive = self.assess(self.system.parts)

    def assess(self, groups: csr_array) -> tuple[NDArray[np.float64], Flags, Flags]:
        """Groups x figures: people, whether anything contributes, and whether the figure is sensitive."""
        contributors = self.system.contributors
        people = contributors.count(groups)
        exists = np.asarray(groups @ contributors.nonempty.astype(float)) > 0
        return people, exists, exists & ((people < self.minimum) | contributors.dominated(groups))

    @cached_property
    def least(self) -> NDArray[np.float64]:
        """Contributors to the figure of each cell that has the fewest."""
        least = np.where(self.exists, self.n, np.inf).min(axis=1, initial=np.inf)
        return np.where(np.isfinite(least), least, 0.0)

    @cached_property
    def withheld(self) -> Flags:
        """Cells hidden whatever their size."""
        none = np.zeros(len(self.n), dtype=bool)
        return none if self.system.withheld is None else np.asarray(self.system.withheld & self.exists.any(axis=1))

    @cached_property
    def primary(self) -> Flags:
        """Primary suppression: cells that are sensitive or empty."""
        return np.asarray(self.sensitive.any(axis=1) | ~self.exists.any(axis=1))

    @cached_property
    def initial(self) -> Flags:
        """Cells hidden before secondary suppression."""
        return self.primary | self.withheld | ~self.system.published

    def jointly_sensitive(self, cells: list[int]) -> bool:
        """Whether the union of cells that share no part is sensitive."""
        if len(cells) == 1:
            return bool(self.sensitive[cells[0]].any())
        if isinstance(self.system.contributors, Respondents):
            people = self.n[cells].sum(axis=0)
            return bool(((people > 0) & (people < self.minimum)).any())
        key = tuple(sorted(cells))
        if key not in self._sensitive_unions:
            union = csr_array(self.system.parts[cells].sum(axis=0).reshape(1, -1))
            self._sensitive_unions[key] = bool(self.assess(union)[2].any())
        return self._sensitive_unions[key]

    @cached_property
    def _sensitive_unions(self) -> dict[tuple[int, ...], bool]:
        """Results of `jointly_sensitive`."""
        return {}

    @cached_property
    def relations(self) -> list[tuple[int, list[int]]]:
        """Every total with its non-empty children, once for each dimension that it is divided by."""
        groups: dict[tuple[int, str], list[int]] = defaultdict(list)
        nonempty, sums = np.asarray(self.exists.any(axis=1)), self.system.sums
        for total, child, by in zip(sums["total"].tolist(), sums["child"].tolist(), sums["by"].tolist(), strict=True):
            if nonempty[child]:
                groups[total, by].append(child)
        return [(total, cells) for (total, _), cells in groups.items()]

    @cached_property
    def relations_of_total(self) -> dict[int, list[int]]:
        """Positions in `relations` of those with the cell as total."""
        relations: dict[int, list[int]] = defaultdict(list)
        for relation, (total, _) in enumerate(self.relations):
            relations[total].append(relation)
        return relations

    @cached_property
    def relations_of_child(self) -> dict[int, list[int]]:
        """Positions in `relations` of those with the cell as child."""
        relations: dict[int, list[int]] = defaultdict(list)
        for relation, (_, cells) in enumerate(self.relations):
            for cell in cells:
                relations[cell].append(relation)
        return relations

    def differences(self, hidden: Flags) -> csr_array:
        """Visible cells (rows x cells), each less its visible children: equivalent rows with fewer parts.

        Of several relations of a total, the one that leaves the fewest children is used.
        """
        visible, (relation, total, child) = ~hidden, self.edges
        children_left = np.bincount(relation, hidden[child], len(self.relations))
        best = np.full(len(hidden), -1)
        order = np.argsort(-children_left, kind="stable")
        totals = np.array([cell for cell, _ in self.relations], dtype=int).reshape(-1)
        best[totals[order]] = order  # the last one written leaves the fewest
        used = (best[total] == relation) & visible[total] & visible[child]
        cells = np.flatnonzero(visible)
        row_of_cell = np.cumsum(visible) - 1
        rows, columns = np.append(np.arange(len(cells)), row_of_cell[total[used]]), np.append(cells, child[used])
        coefficients = np.append(np.ones(len(cells)), -np.ones(used.sum()))
        return csr_array((coefficients, (rows, columns)), shape=(len(cells), len(hidden)))

    @cached_property
    def edges(self) -> tuple[Positions, Positions, Positions]:
        """Every child in every relation: the relation, its total, the child."""
        size = [len(cells) for _, cells in self.relations]
        relation = np.repeat(np.arange(len(size)), size)
        total = np.repeat(np.array([cell for cell, _ in self.relations], dtype=int), size)
        return relation, total, np.array([cell for _, cells in self.relations for cell in cells], dtype=int)

    def priority(self, cell: int) -> tuple[float, int]:
        """Sort key for hiding: the smallest cell first, among equals the first."""
        return self.least[cell], cell

    @cached_property
    def figures(self) -> list["FigureGroup"]:
        """Figures grouped by the parts that contribute to them."""
        exist = self.system.contributors.nonempty
        patterns, which = np.unique(exist, axis=1, return_inverse=True)
        groups = csr_array(vstack([self.system.parts, eye_array(exist.shape[0])]))
        people, _, sensitive = self.assess(groups)
        sensitive[: len(self.n)] |= self.withheld[:, None] & self.exists
        which = which.ravel()
        total, child, between = self.nested
        return [
            FigureGroup.of(groups, patterns[:, at], people[:, which == at], sensitive[:, which == at], self,
                        np.column_stack([total, child])[between[:, which == at].any(axis=1)], which == at)
            for at in range(patterns.shape[1])
            if patterns[:, at].any()
        ]  # fmt: skip

    @cached_property
    def nested(self) -> tuple[Positions, Positions, Flags]:
        """Totals, cells within them, and by figure whether the total less the cell is sensitive."""
        total, child = _closure(self.system.sums[["total", "child"]].drop_duplicates().to_numpy(), len(self.n))
        nonempty = self.exists[child].any(axis=1)
        total, child = total[nonempty], child[nonempty]
        if isinstance(self.system.contributors, Respondents):
            beyond = self.n[total] - self.n[child]
            return total, child, (beyond > 0) & (beyond < self.minimum)
        size = np.diff(self.system.parts.indptr)
        fits = np.cumsum(size[total]) <= COMPARISON_LIMIT
        total, child = total[fits], child[fits]
        rest = csr_array(self.system.parts[total] - self.system.parts[child])
        rest.eliminate_zeros()
        return total, child, self.assess(rest)[2]


@dataclass(frozen=True)
class FigureGroup:
    """Figures with the same contributing parts.

    `cells`, `groups`: rows of cells and of sensitive groups over these parts. `members`: parts of one person. `people`:
    fewest in each part. `nested`: positions of total and cell whose difference is sensitive. `is_sensitive` tells
    which groups (rows over these parts) are sensitive in any of the figures. `additive`: nobody is in two parts.
    """

    cells: csr_array
    groups: csr_array
    members: Positions
    people: NDArray[np.float64]
    minimum: int
    nested: Positions
    is_sensitive: Callable[[csr_array], Flags]
    additive: bool

    @classmethod
    def of(  # noqa: PLR0913 - everything that the figures share
        cls, groups: csr_array, pattern: Flags, people: NDArray[np.float64], sensitive: Flags, analysis: CellAnalysis,
        nested: Positions, which: Flags,
    ) -> "FigureGroup":  # fmt: skip
        """`groups`: all cells, then all parts; `pattern`: parts that contribute; `which` of all figures these are."""
        present, cells = np.flatnonzero(pattern), len(analysis.n)
        few = csr_array(groups[np.flatnonzero(sensitive.any(axis=1))][:, present])
        few = few[np.flatnonzero(np.diff(few.indptr) > 0)]
        in_parts = people[cells:][present]
        alone = np.flatnonzero((in_parts == 1).any(axis=1))
        additive = isinstance(analysis.system.contributors, Respondents)
        # where people may belong to several parts, a union has at least as many as its largest part
        least = np.where(in_parts > 0, in_parts, np.inf).min(axis=1) if additive else in_parts.max(axis=1)
        rows = csr_array(groups[:cells][:, present])
        all_parts = csr_array(
            (np.ones(len(present)), (np.arange(len(present)), present)), shape=(len(present), len(pattern))
        )

        def is_sensitive(unions: csr_array) -> Flags:
            return np.asarray(analysis.assess(csr_array(unions @ all_parts))[2][:, which].any(axis=1))

        return cls(rows, few, alone, least, analysis.minimum, nested, is_sensitive, additive)

    def moves(self, differences: csr_array) -> Moves:
        """Moves of the parts under the visible cells (see `CellAnalysis.differences`)."""
        return Moves.under(self.rows(differences))

    def rows(self, differences: csr_array) -> csr_array:
        """The visible cells as rows over these parts."""
        rows = csr_array(differences @ self.cells)
        rows.eliminate_zeros()
        return rows

    def derivable(self, moves: Moves, hidden: Flags) -> csr_array:
        """Rows that can but must not be derived: sensitive groups (less an insider's part), differences, unions."""
        plain = moves.derivable(self.groups)
        insider = moves.informed_members(self.groups, self.members)
        total, cell = self.nested[~hidden[self.nested].any(axis=1)].T
        rows = [
            self.groups[np.flatnonzero(plain)],
            self._less_insiders_part(moves, np.flatnonzero(insider >= 0), insider),
            self.cells[total] - self.cells[cell],
        ]
        if not plain.any():
            rows.append(self._unions(moves))
        return csr_array(vstack(rows))

    def leaks(self, moves: Moves, hidden: Flags) -> bool:
        """Whether anything sensitive can be derived."""
        plain = moves.derivable(self.groups).any() or (~hidden[self.nested].any(axis=1)).any()
        return bool(
            plain or (moves.informed_members(self.groups, self.members) >= 0).any() or self._unions(moves).shape[0]
        )

    def _less_insiders_part(self, moves: Moves, groups: Positions, insider: Positions) -> csr_array:
        """Groups less the multiple of an insider's part that the insider can subtract."""
        if not groups.size:
            return csr_array((0, self.groups.shape[1]))
        rows, changes = self.groups[groups], moves.of(csr_array(self.groups[groups]))
        own = moves.of_parts[insider[groups]]
        multiple = (changes * own).sum(axis=1) / (own**2).sum(axis=1)
        share = csr_array((multiple, (np.arange(len(groups)), insider[groups])), shape=rows.shape)
        return csr_array(rows - share)

    def _unions(self, moves: Moves) -> csr_array:
        if self.additive:
            small = np.flatnonzero((self.people > 0) & (self.people < self.minimum))
            unions = moves.unions(small, self.people[small], self.minimum) if small.size else []
            return incidence(unions, self.cells.shape[1])
        # the same people may belong to several parts: any four may be few together, so each union is assessed
        small = np.flatnonzero(self.people < self.minimum)
        unions = moves.unions(small, np.ones(len(small)), UNION_SIZE + 1) if small.size else []
        rows = incidence(unions, self.cells.shape[1])
        return csr_array(rows[np.flatnonzero(self.is_sensitive(rows))]) if unions else rows


def _closure(pairs: Positions, size: int) -> tuple[Positions, Positions]:
    """Every total with every cell within it, at any depth."""
    step = csr_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    pairs_at_any_depth, reach = step, step
    while (reach := csr_array(reach @ step)).nnz:
        pairs_at_any_depth = csr_array(pairs_at_any_depth + reach)
    positions = pairs_at_any_depth.tocoo()
    return positions.row.astype(np.intp), positions.col.astype(np.intp)
