"""What follows from published sums: which groups of people have a figure that somebody can work out exactly.

People are divided into parts that no published figure tells apart. Every published figure is a sum over parts, so it is
a row of noughts and ones. A group is *derivable* when its row is a weighted sum of published rows: then its sum, and
with its number of people its mean, follow exactly. Otherwise there is a *move*, a change of the parts' sums that no
published figure shows and that changes the group's.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, eye_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

Floats = NDArray[np.float64]
SEED = 7
DENSE = 250
"""Parts that hang together, up to which all their moves are found; of more, random ones."""
DRAWN = 32
"""Random moves drawn, of all there are: what they leave unchanged, all leave unchanged (with probability one)."""
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
        """Random moves under published rows (rows x parts)."""
        random = np.random.default_rng(SEED)
        rows, fixed = _without_singles(csr_array(published, dtype=float))
        moves = random.standard_normal((published.shape[1], DRAWN))
        moves[fixed] = 0.0
        rows = _without_lonely(rows, moves)
        blocks = _blocks(rows)
        for (block_rows, block_parts), block in zip(blocks, _dense(rows, blocks), strict=True):
            if len(block_parts) > DENSE:
                moves[block_parts] = _projected(csr_array(rows[block_rows][:, block_parts]), moves[block_parts])
                continue
            squares = block.T @ block
            free = _null_space(squares.tobytes(), len(block_parts))
            moves[block_parts] = free @ random.standard_normal((free.shape[1], DRAWN))
        return cls(moves)

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
        singles: list[tuple[int, ...]] = [(at,) for at in range(len(parts))]
        if len(parts) > PAIRED:
            unions = _opposite(marks, people, singles, marks, people, singles, fewer_than)
            return [tuple(int(parts[at]) for at in union) for union in sorted(unions)]
        first, second = np.triu_indices(len(parts), 1)
        few = people[first] + people[second] < fewer_than
        first, second = first[few], second[few]
        pairs, size = marks[first] + marks[second], people[first] + people[second]
        unions = {(int(first[at]), int(second[at])) for at in np.flatnonzero(np.abs(pairs).max(axis=1) < NOTHING)}
        doubles: list[tuple[int, ...]] = list(zip(first.tolist(), second.tolist(), strict=True))
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
    published = csr_array(published, dtype=float)
    found, alone = np.zeros((published.shape[0], groups.shape[0])), np.ones(published.shape[0], dtype=bool)
    touched = np.zeros(published.shape[1], dtype=bool)
    touched[csr_array(groups).indices] = True
    for rows, parts in _blocks(published):
        if not touched[parts].any():
            continue
        block, wanted = csr_array(published[rows][:, parts]), csr_array(groups)[:, parts].T.toarray()
        if max(block.shape) > DENSE:
            found[rows] = _solver(block)(np.asarray(block @ wanted))
            continue
        left, size, right = np.linalg.svd(block.toarray(), full_matrices=False)
        kept = size > NOTHING * max(1.0, size[0])
        left, size, right = left[:, kept], size[kept], right[kept]
        found[rows] = left @ ((right @ wanted) / size[:, None])
        alone[rows] = (left**2).sum(axis=1) > 1 - NOTHING
    return found, alone


@lru_cache(maxsize=256)  # figure after figure rests on the same parts, and round after round most of them stay
def _null_space(squares: bytes, size: int) -> Floats:
    """Directions that rows do not see, from the products of their columns."""
    found, directions = np.linalg.eigh(np.frombuffer(squares).reshape(size, size))
    return directions[:, found < NOTHING * max(1.0, found[-1])]


def _without_singles(rows: csr_array) -> tuple[csr_array, NDArray[np.bool_]]:
    """Rows without the parts that are published by themselves, or that this lays open; which parts they are."""
    fixed = np.zeros(rows.shape[1], dtype=bool)
    while True:
        single = np.flatnonzero(np.diff(rows.indptr) == 1)
        if not single.size:
            return rows, fixed
        fixed[rows.indices[rows.indptr[single]]] = True
        rows = csr_array(rows.multiply((~fixed).astype(float)[None, :]))
        rows.eliminate_zeros()


def _without_lonely(rows: csr_array, moves: Floats) -> csr_array:
    """Rows without those that share no part with another: what such a row sees of the moves is taken from them here."""
    shared = (np.bincount(rows.indices, minlength=rows.shape[1]) > 1).astype(float)
    lonely = (abs(rows) @ shared == 0) & (np.diff(rows.indptr) > 0)
    single = csr_array(rows[np.flatnonzero(lonely)])
    moves -= single.T @ ((single @ moves) / single.multiply(single).sum(axis=1)[:, None])
    return csr_array(rows[np.flatnonzero(~lonely)])


def _dense(rows: csr_array, blocks: list[tuple[NDArray[np.intp], NDArray[np.intp]]]) -> Iterator[Floats]:
    """Each block as an array; empty where it is large: many small ones are cut out one by one only slowly."""
    if not blocks:
        return
    ordered, column = rows[np.concatenate([block for block, _ in blocks])], np.zeros(rows.shape[1], dtype=int)
    for _, parts in blocks:
        column[parts] = np.arange(len(parts))
    row, columns = np.repeat(np.arange(ordered.shape[0]), np.diff(ordered.indptr)), column[ordered.indices]
    first = 0
    for block, parts in blocks:
        last = first + len(block)
        block_cells = slice(*ordered.indptr[[first, last]])
        array = np.zeros((len(block), len(parts)) if len(parts) <= DENSE else (0, 0))
        if array.size:
            array[row[block_cells] - first, columns[block_cells]] = ordered.data[block_cells]
        yield array
        first = last


def _blocks(rows: csr_array) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Rows and parts that hang together: pairs of positions."""
    used, parts = np.flatnonzero(np.diff(rows.indptr) > 0), np.unique(rows.indices)
    if not used.size:
        return []
    table = rows[used][:, parts].tocoo()
    size = len(used) + len(parts)
    graph = csr_array((np.ones(table.nnz), (table.row, table.col + len(used))), shape=(size, size))
    labels = connected_components(graph, directed=False)[1]
    order = np.argsort(labels, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    return [(used[group[group < len(used)]], parts[group[group >= len(used)] - len(used)]) for group in groups]


def _solver(published: csr_array) -> Callable[[Floats], Floats]:
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
