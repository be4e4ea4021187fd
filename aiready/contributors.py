"""Who stands behind a figure: how many distinct people, and whether one of them makes it his or her own.

People stand in *parts*, which no published figure divides (the frontline of one team, one decider's decisions at one
level). A figure may rest on other people than the next one, so everything is counted figure by figure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Contributors(Protocol):
    """People behind parts, and behind groups of parts (rows of noughts and ones), figure by figure."""

    @property
    def exist(self) -> Flags:
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
    def exist(self) -> Flags:
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

    `shares`: for every figure, parts x persons: what each contributes. `counted`: parts x figures, whether the figure
    rests on anything there, be it of people of whom nothing is known. `dominance`: p of the p % rule, as a share.

    Notes
    -----
    p % rule: a figure is one person's where all but the two largest contributions are less than p of the largest, since
    the second could then place the largest within p (Hundepool et al. 2012, section 4.2.2).
    """

    shares: Sequence[csr_array]
    counted: Flags
    dominance: float

    @property
    def exist(self) -> Flags:
        """Where the figure rests on anything."""
        return self.counted

    def count(self, groups: csr_array) -> Floats:
        """Persons with a contribution, each once."""
        return np.column_stack([_per_row(csr_array(groups @ shares), np.count_nonzero) for shares in self.shares])

    def dominated(self, groups: csr_array) -> Flags:
        """By the p % rule."""
        return np.column_stack([self._dominated(csr_array(groups @ shares)) for shares in self.shares])

    def _dominated(self, contributions: csr_array) -> Flags:
        total = np.asarray(contributions.sum(axis=1)).ravel()
        largest = _per_row(contributions, lambda row: np.sort(row)[::-1][:1].sum())
        two = _per_row(contributions, lambda row: np.sort(row)[::-1][:2].sum())
        return (total > 0) & (total - two < self.dominance * largest)


def _per_row(table: csr_array, summary) -> Floats:  # noqa: ANN001 - an array to a number
    starts, values = table.indptr, table.data
    rows = zip(starts[:-1], starts[1:], strict=True)
    return np.array([summary(values[low:high]) for low, high in rows], dtype=float)
