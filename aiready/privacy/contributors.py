"""The contributors to a figure: how many distinct people there are, and whether one of them dominates it.

People belong to *parts*, which no published figure divides (the frontline of one team, one decider's decisions at one
level). Two figures may have different contributors, so everything is counted figure by figure.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Contributors(Protocol):
    """People in parts, and in groups of parts (rows of 0 and 1), figure by figure."""

    @property
    def nonempty(self) -> Flags:
        """Parts x figures: whether anything in the part contributes to the figure."""

    def count(self, groups: csr_array) -> Floats:
        """Groups x figures: distinct people; people who are not identified may count as 0."""

    def dominated(self, groups: csr_array) -> Flags:
        """Groups x figures: whether one person's contribution could be estimated too closely (p % rule)."""


@dataclass(frozen=True)
class Respondents:
    """People who belong to one part each and contribute equally, such as respondents of a survey.

    `n`: parts x figures.
    """

    n: Floats

    @property
    def nonempty(self) -> Flags:
        """Where there are any people."""
        return self.n > 0

    def count(self, groups: csr_array) -> Floats:
        """Sums, since nobody belongs to two parts."""
        return np.asarray(groups @ self.n)

    def dominated(self, groups: csr_array) -> Flags:
        """Never, since all contribute equally."""
        return np.zeros((groups.shape[0], self.n.shape[1]), dtype=bool)


@dataclass(frozen=True)
class Persons:
    """People who may belong to several parts and contribute unequally, such as deciders.

    `shares`: parts x (figures x persons), figure by figure: what each person contributes. `nonempty`: parts x figures,
    whether anything contributes there, whether or not the person is identified. `dominance`: p of the p % rule, as a
    share. `unidentified`: parts x (figures x units): contributions of people who are not identified, by their unit.
    `assumed_people`: by unit, how many people these count as where nobody in a group is identified (from headcounts).

    Notes
    -----
    p % rule: one person dominates a figure where all but the two largest contributions are less than p of the largest,
    since the second could then estimate the largest to within p (Hundepool et al. 2012, section 4.2.2).
    """

    shares: csr_array
    nonempty: Flags
    dominance: float
    unidentified: csr_array
    assumed_people: Floats

    def count(self, groups: csr_array) -> Floats:
        """Identified persons, each once; where there are none, the number assumed from headcounts."""
        group, _, _ = self._contributions(groups, self.shares)
        people = np.bincount(group, minlength=self._size(groups)).astype(float)
        unidentified, unit, _ = self._contributions(groups, self.unidentified)
        assumed = np.bincount(unidentified, self.assumed_people[unit], self._size(groups))
        return self._table(np.where(people > 0, people, assumed), groups)

    def dominated(self, groups: csr_array) -> Flags:
        """By the p % rule, among identified persons."""
        cell, _, share = self._contributions(groups, self.shares)
        size = self._size(groups)
        total, largest, second = (np.bincount(cell, share, size), np.zeros(size), np.zeros(size))
        order = np.lexsort((-share, cell))
        cell, share = cell[order], share[order]
        first = np.flatnonzero(np.diff(cell, prepend=-1))
        largest[cell[first]] = share[first]
        second_place = first[np.append(first[1:], len(cell)) - first > 1] + 1
        second[cell[second_place]] = share[second_place]
        remainder = total - largest - second
        return self._table((total > 0) & (remainder < self.dominance * largest - ROUNDING * total), groups)

    def _contributions(self, groups: csr_array, shares: csr_array) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
        """Every contribution to every group and figure: its position in group x figure, the person, the amount."""
        sums = (csr_array(groups) @ shares).tocoo()
        figures = self.nonempty.shape[1]
        persons = shares.shape[1] // figures
        return sums.row * figures + sums.col // persons, sums.col % persons, sums.data

    def _size(self, groups: csr_array) -> int:
        return int(groups.shape[0] * self.nonempty.shape[1])

    def _table(self, numbers: NDArray[np.generic], groups: csr_array) -> NDArray[Any]:
        return numbers.reshape(groups.shape[0], self.nonempty.shape[1])


ROUNDING = 1e-9
"""Rounding error of sums, as a share of the total."""
