"""Feasibility intervals: the range of a hidden number of people that is compatible with everything published."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csc_array, csr_array
from scipy.sparse.csgraph import connected_components

from aiready.errors import PrivacyError

Floats = NDArray[np.float64]
SEED = 20
PROGRESS = 0.98
"""Intervals of all groups are widened together as long as each round settles more than 2 % of them."""
SINGLE_LIMIT = 40
"""Up to so many remaining groups get a linear programme each, also where the result need not be exact."""
TOLERANCE = 1e-6


@dataclass
class FeasibilityIntervals:
    """Least and greatest number of people that hidden groups can have, given what is published.

    `published` (rows x parts): the published sums. `n`: true number of people in each part. `groups` (rows x parts):
    the hidden groups. Every solution, beginning with the true numbers, widens all intervals at once.

    Notes
    -----
    Linear programme: the least and the greatest sum of the group's parts over all non-negative numbers of people that
    add up to everything published (`scipy.optimize.linprog`, HiGHS). Empty parts must be left out by the caller: an
    organisation chart shows that they are empty.
    """

    published: csr_array
    n: Floats
    groups: csr_array
    minimum_width: float
    low: Floats = field(init=False)
    high: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Start from the true numbers."""
        self.published, self.groups = csr_array(self.published), csr_array(self.groups)
        self.low = np.asarray(self.groups @ self.n)
        self.high = self.low.copy()
        self._random = np.random.default_rng(SEED)
        self._parts, self._rows = self._components()

    def too_narrow(self, *, exact: bool = True) -> NDArray[np.intp]:
        """Groups whose interval is less than `minimum_width` wide.

        Without `exact`, groups for which a wide interval was not found quickly are included.
        """
        narrow, before = self._narrow_groups(), np.inf
        while 0 < narrow.size < PROGRESS * before:
            weight = np.zeros(self.groups.shape[0])
            weight[narrow] = self._random.choice([-1.0, 1.0], narrow.size) * (0.5 + self._random.random(narrow.size))
            self._push(np.asarray(weight @ self.groups), narrow)
            narrow, before = self._narrow_groups(), narrow.size
        if narrow.size and (exact or narrow.size <= SINGLE_LIMIT):
            for group in narrow:
                self._push(self.groups[[group]].toarray().ravel(), np.array([group]))
            narrow = self._narrow_groups()
        return narrow

    def _narrow_groups(self) -> NDArray[np.intp]:
        return np.flatnonzero(self.high - self.low < self.minimum_width - TOLERANCE)

    def _components(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Connected component of each part and of each published row."""
        published = csc_array(self.published)
        rows, parts = published.shape
        links = csr_array((published.data, published.indices, published.indptr), shape=(parts, rows))
        shape = (parts + rows,) * 2
        coo = links.tocoo()
        graph = csr_array((np.ones(coo.nnz), (coo.row, coo.col + parts)), shape=shape)
        labels = connected_components(graph, directed=False)[1]
        return labels[:parts], labels[parts:]

    def _push(self, objective: Floats, groups: NDArray[np.intp]) -> None:
        """Minimise and maximise an objective over the components that contain the groups; widen all intervals."""
        touched = np.unique(self._parts[np.unique(self.groups[groups].indices)])
        parts, rows = np.isin(self._parts, touched), np.isin(self._rows, touched)
        sums = self.published[np.flatnonzero(rows)][:, np.flatnonzero(parts)]
        totals, ceiling = sums @ self.n[parts], float(self.n.sum() + 2 * self.minimum_width)
        for direction in (1, -1):
            solution = self.n.copy()
            solution[parts] = _solve(sums, totals, direction * objective[parts], ceiling)
            people = np.asarray(self.groups @ solution)
            self.low, self.high = np.minimum(self.low, people), np.maximum(self.high, people)


def _solve(sums: csr_array, totals: Floats, objective: Floats, ceiling: float) -> Floats:
    if not sums.shape[0]:
        return np.where(objective > 0, 0.0, ceiling)
    solved = linprog(objective, A_eq=sums, b_eq=totals, bounds=(0, ceiling), method="highs")
    if solved.x is None:
        raise PrivacyError(f"The privacy audit could not be solved ({solved.message}). Nothing was published.")
    return np.asarray(solved.x)
