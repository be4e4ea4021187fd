"""What follows from published sums: which groups of people have a figure that somebody can work out exactly.

People are divided into parts that no published figure tells apart. Every published figure is a sum over parts, so it is
a row of noughts and ones. A group is *derivable* when its row is a weighted sum of published rows: then its sum, and
with its number of people its mean, follow exactly. Otherwise there is a *move*, a change of the parts' sums that no
published figure shows and that changes the group's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, eye_array
from scipy.sparse.linalg import splu

Floats = NDArray[np.float64]
SEED = 7
DENSE = 160
"""Parts up to which all moves are found; of more, `DRAWN` random ones, which miss nothing (with probability one)."""
DRAWN = 32
RIDGE = 1e-9
"""What is added to the squares of published rows, some of which say the same; taken out again by a second pass."""
NOTHING, PARALLEL = 1e-6, 1e-9
"""Below which a change is none, and how near to 1 the cosine of two moves in one direction is."""
PAIRED = 1_500
"""Parts up to which unions of three and four are looked for; of more, unions of two."""


@dataclass(frozen=True)
class Moves:
    """How the parts' sums can change with every published figure as it is: parts x directions."""

    of_parts: Floats

    @classmethod
    def under(cls, published: csr_array) -> "Moves":
        """All moves under published rows (rows x parts), or random ones where the parts are many."""
        rows, parts = published.shape
        if not rows or not parts:
            return cls(np.eye(parts)) if parts <= DENSE else cls(_drawn(parts))
        if parts <= DENSE:
            squares, directions = np.linalg.eigh((published.T @ published).toarray())
            return cls(np.ascontiguousarray(directions[:, squares < NOTHING * max(1.0, squares[-1])]))
        return cls(_projected(csr_array(published), _drawn(parts)))

    def of(self, groups: csr_array) -> Floats:
        """How much each group's sum (groups x parts) changes with each move."""
        return np.asarray(groups @ self.of_parts)

    def derivable(self, groups: csr_array) -> NDArray[np.bool_]:
        """Groups whose sum no move changes."""
        return _length(self.of(groups)) < NOTHING

    def derivable_by_members(self, groups: csr_array, members: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Groups whose sum follows for somebody who is alone in one of the parts `members`, and so knows its sum."""
        return self.informed(groups, members) >= 0

    def informed(self, groups: csr_array, members: NDArray[np.intp]) -> NDArray[np.intp]:
        """For each group a part out of `members` whose only member can work out its sum, or -1.

        Groups that anybody can work out are left out, and so is a part's own sum, no news to who is alone in it.
        """
        groups, moving = csr_array(groups), _length(self.of_parts[members]) >= NOTHING
        members, changes = members[moving], self.of(groups)
        who = np.full(groups.shape[0], -1)
        free = np.flatnonzero(_length(changes) >= NOTHING)
        if not free.size or not members.size:
            return who
        alone, single = np.full(groups.shape[0], -1), np.diff(groups.indptr) == 1
        alone[single] = groups.indices[groups.indptr[:-1][single]]
        for group, member in _parallel(changes[free], self.of_parts[members]):
            if alone[free[group]] != members[member]:
                who[free[group]] = members[member]
        return who

    def without(self, group: Floats) -> "Moves":
        """The moves left when one more figure is published, given how the moves change it."""
        length = float(group @ group)
        if length < NOTHING**2:
            return self
        # turned so that one direction carries all of the change, and that one dropped
        direction = group / np.sqrt(length)
        mirror = direction.copy()
        mirror[0] += 1.0 if direction[0] >= 0 else -1.0
        turned = self.of_parts - np.outer(self.of_parts @ mirror, mirror) * (2 / (mirror @ mirror))
        return Moves(turned[:, 1:])

    def unions(self, parts: NDArray[np.intp], people: Floats, fewer_than: float) -> list[tuple[int, ...]]:
        """Two to four of the parts, together fewer people than allowed, whose common sum is derivable.

        `people` in each of `parts`; parts that are derivable by themselves are left out.
        """
        moving = _length(self.of_parts[parts]) >= NOTHING
        parts, people = parts[moving], people[moving]
        if len(parts) < 2:
            return []
        random = np.random.default_rng(SEED)
        marks = self.of_parts[parts] @ random.standard_normal((self.of_parts.shape[1], 2))
        first, second = np.triu_indices(len(parts), 1)
        few = people[first] + people[second] < fewer_than
        first, second = first[few], second[few]
        pairs, size = marks[first] + marks[second], people[first] + people[second]
        unions = {(int(first[at]), int(second[at])) for at in np.flatnonzero(np.abs(pairs).max(axis=1) < NOTHING)}
        if len(parts) <= PAIRED:
            singles = [(at,) for at in range(len(parts))]
            doubles = list(zip(first.tolist(), second.tolist(), strict=True))
            unions |= _opposite(pairs, size, doubles, marks, people, singles, fewer_than)
            unions |= _opposite(pairs, size, doubles, pairs, size, doubles, fewer_than)
        smallest = {union for union in unions if not any(set(other) < set(union) for other in unions)}
        return [tuple(int(parts[at]) for at in union) for union in sorted(smallest)]


def weights(published: csr_array, groups: csr_array) -> tuple[Floats, NDArray[np.bool_]]:
    """Weights of the published rows that add up to each derivable group, and which rows no others could replace.

    Returns
    -------
    tuple
        rows x groups: the shortest weights; rows: whether a row is no weighted sum of the others, so that hiding it
        ends every sum that it has a weight in.
    """
    rows, parts = published.shape
    if parts <= DENSE:
        left, size, right = np.linalg.svd(published.toarray().astype(float), full_matrices=False)
        kept = size > NOTHING * max(1.0, size[0] if size.size else 1.0)
        left, size, right = left[:, kept], size[kept], right[kept]
        found = left @ ((right @ groups.T.toarray()) / size[:, None])
        return found, (left**2).sum(axis=1) > 1 - NOTHING
    solve = _solver(published)
    found = solve(np.asarray((published @ groups.T).toarray(), dtype=float))
    return found, np.ones(rows, dtype=bool)


def _drawn(parts: int) -> Floats:
    return np.random.default_rng(SEED).standard_normal((parts, DRAWN))


def _solver(published: csr_array):  # noqa: ANN202 - a function of arrays
    """Solve (rows rows') w = right side, where some rows say what others say: shortest w."""
    squares = csc_array(published @ published.T + RIDGE * eye_array(published.shape[0]))
    factors = splu(squares)

    def solve(right: Floats) -> Floats:
        weight = factors.solve(right)
        for _ in range(2):
            weight = weight + factors.solve(right - squares @ weight + RIDGE * weight)
        return np.asarray(weight)

    return solve


def _projected(published: csr_array, drawn: Floats) -> Floats:
    """Random numbers less what the published rows see of them."""
    solve = _solver(published)
    unseen = drawn
    for _ in range(3):
        unseen = unseen - published.T @ solve(np.asarray(published @ unseen))
    return np.asarray(unseen)


def _length(changes: Floats) -> Floats:
    return np.sqrt((changes**2).sum(axis=1))


def _parallel(changes: Floats, known: Floats) -> list[tuple[int, int]]:
    """Positions (in `changes`, in `known`) of moves in one direction, or in opposite ones."""
    ours, theirs = (rows / _length(rows)[:, None] for rows in (changes, known))
    random = np.random.default_rng(SEED)
    looks = random.standard_normal(changes.shape[1])
    # of opposite directions, the absolute value of one random look is the same
    place, mark = np.abs(ours @ looks), np.abs(theirs @ looks)
    order = np.argsort(mark, kind="stable")
    low = np.searchsorted(mark[order], place - NOTHING)
    high = np.searchsorted(mark[order], place + NOTHING)
    pairs = []
    for group in np.flatnonzero(high > low):
        near = order[low[group] : high[group]]
        aligned = np.abs(theirs[near] @ ours[group]) > 1 - PARALLEL
        pairs += [(int(group), int(member)) for member in near[aligned]]
    return pairs


def _opposite(  # noqa: PLR0913 - two lists of three columns
    ours: Floats, our_size: Floats, our_parts: list[tuple[int, ...]],
    theirs: Floats, their_size: Floats, their_parts: list[tuple[int, ...]], fewer_than: float,
) -> set[tuple[int, ...]]:  # fmt: skip
    """Unions of one of ours and one of theirs whose changes cancel out and who together are few."""
    if not len(ours) or not len(theirs):
        return set()
    order = np.argsort(theirs[:, 0], kind="stable")
    column = theirs[order, 0]
    low, high = (np.searchsorted(column, -ours[:, 0] + edge) for edge in (-NOTHING, NOTHING))
    unions = set()
    for at in np.flatnonzero(high > low):
        for other in order[low[at] : high[at]]:
            together = {*our_parts[at], *their_parts[other]}
            apart = len(together) == len(our_parts[at]) + len(their_parts[other])
            few = our_size[at] + their_size[other] < fewer_than
            if apart and few and abs(ours[at, 1] + theirs[other, 1]) < NOTHING:
                unions.add(tuple(sorted(together)))
    return unions


def rows_of(groups: list[tuple[int, ...]], parts: int) -> csr_array:
    """Groups of parts as rows of noughts and ones."""
    place = np.repeat(np.arange(len(groups)), [len(group) for group in groups]) if groups else np.zeros(0, dtype=int)
    column = np.array([part for group in groups for part in group], dtype=int)
    return csr_array((np.ones(len(column)), (place, column)), shape=(len(groups), parts))
