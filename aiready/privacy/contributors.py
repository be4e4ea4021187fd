"""Who stands behind a figure: how many distinct people, and whether one of them makes it his or her own.

People stand in *parts*, which no published figure divides (the frontline of one team, one decider's decisions at one
level). A figure may rest on other people than the next one, so everything is counted figure by figure.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Contributors(Protocol):
    """People behind parts, and behind groups of parts (rows of noughts and ones), figure by figure."""

    @property
    def nonempty(self) -> Flags:
        """Parts x figures: whether the figure rests on anything there at all."""

    def count(self, groups: csr_array) -> Floats:
        """Groups x figures: distinct people; of some nothing may be known, who then count as nobody."""

    def dominated(self, groups: csr_array) -> Flags:
        """Groups x figures: whether one person's contribution could be told too closely (p % rule)."""


@dataclass(frozen=True)
class Respondents:
    """People who stand in one part each and contribute alike, such as respondents of a survey.

    `n`: parts x figures.
    """

    n: Floats

    @property
    def nonempty(self) -> Flags:
        """Where anybody is."""
        return self.n > 0

    def count(self, groups: csr_array) -> Floats:
        """Sums."""
        return np.asarray(groups @ self.n)

    def dominated(self, groups: csr_array) -> Flags:
        """Nobody's, since all contribute alike."""
        return np.zeros((groups.shape[0], self.n.shape[1]), dtype=bool)


@dataclass(frozen=True)
class Persons:
    """People who may stand in several parts and contribute more than others, such as deciders.

    `shares`: parts x (figures x persons), figure by figure: what each person contributes. `nonempty`: parts x figures,
    whether the figure rests on anything there, be it of people of whom nothing is known. `dominance`: p of the p %
    rule, as a share. `unidentified`: parts x (figures x units), where a figure rests on people who are not known, and in
    which unit; `assumed_people`: by unit, as how many people its headcount lets them count, where nobody is named in a group.

    Notes
    -----
    p % rule: a figure is one person's where all but the two largest contributions are less than p of the largest, since
    the second could then place the largest within p (Hundepool et al. 2012, section 4.2.2).
    """

    shares: csr_array
    nonempty: Flags
    dominance: float
    unidentified: csr_array
    assumed_people: Floats

    def count(self, groups: csr_array) -> Floats:
        """Persons with a contribution, each once; where there are none, those whom headcounts vouch for."""
        group, _, _ = self._contributions(groups, self.shares)
        people = np.bincount(group, minlength=self._size(groups)).astype(float)
        unidentified, unit, _ = self._contributions(groups, self.unidentified)
        assumed = np.bincount(unidentified, self.assumed_people[unit], self._size(groups))
        return self._table(np.where(people > 0, people, assumed), groups)

    def dominated(self, groups: csr_array) -> Flags:
        """By the p % rule, among those who are named."""
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
        """Of everyone in every group and figure: the place group x figure, who it is, and the contribution."""
        sums = (csr_array(groups) @ shares).tocoo()
        figures = self.nonempty.shape[1]
        persons = shares.shape[1] // figures
        return sums.row * figures + sums.col // persons, sums.col % persons, sums.data

    def _size(self, groups: csr_array) -> int:
        return groups.shape[0] * self.nonempty.shape[1]

    def _table(self, numbers: NDArray[np.generic], groups: csr_array) -> NDArray[Any]:
        return numbers.reshape(groups.shape[0], self.nonempty.shape[1])


ROUNDING = 1e-9
"""Share of the whole that sums may be off by."""
