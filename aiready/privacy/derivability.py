"""Which groups of people have a figure that can be derived exactly from published sums.

People are divided into parts that no published figure divides. Every published figure is a sum over parts, that is, a
row of 0 and 1. A group is *derivable* when its row is a linear combination of published rows: then its sum, and
with its number of people its mean, follow exactly. Otherwise there is a *move*: a change of the parts' sums that
changes the group's sum and no published one (a vector in the null space of the published rows).
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
DENSE_LIMIT = 250
"""Largest block of connected parts whose null space is computed in full; larger ones get random moves."""
RANDOM_MOVES = 32
"""Random moves: a sum that these leave unchanged is left unchanged by every move (with probability one)."""
RIDGE = 1e-9
"""Ridge added to the normal equations, since published rows may be dependent; corrected by iterative refinement."""
TOLERANCE, PARALLEL_TOLERANCE = 1e-6, 1e-9
"""Changes below the first are zero; two moves are parallel where their cosine is within the second of 1."""
UNION_LIMIT = 1_500
"""Up to so many parts, unions of three and four are searched; of more, unions of two."""


@dataclass(frozen=True)
class Moves:
    """Changes of the parts' sums that leave every published figure unchanged: parts x directions."""

    of_parts: Floats

    @classmethod
    def under(cls, published: csr_array) -> "Moves":
        """Random moves under published rows (rows x parts)."""
        random = np.random.default_rng(SEED)
        rows, fixed = _without_single_parts(csr_array(published, dtype=float))
        moves = random.standard_normal((published.shape[1], RANDOM_MOVES))
        moves[fixed] = 0.0
        rows = _without_isolated_rows(rows, moves)
        blocks = _connected_blocks(rows)
        for (block_rows, block_parts), block in zip(blocks, _block_arrays(rows, blocks), strict=True):
            if len(block_parts) > DENSE_LIMIT:
                moves[block_parts] = _project_out(csr_array(rows[block_rows][:, block_parts]), moves[block_parts])
                continue
            squares = block.T @ block
            free = _null_space(squares.tobytes(), len(block_parts))
            moves[block_parts] = free @ random.standard_normal((free.shape[1], RANDOM_MOVES))
        return cls(moves)

    def of(self, groups: csr_array) -> Floats:
        """How much each group's sum (groups x parts) changes with each move."""
        return np.asarray(groups @ self.of_parts)

    def derivable(self, groups: csr_array) -> NDArray[np.bool_]:
        """Groups whose sum no move changes: anybody can derive it."""
        return _length(self.of(groups)) < TOLERANCE

    def derivable_by_members(self, groups: csr_array, members: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Groups whose sum can be derived by an insider: the only person in one of the parts `members`."""
        return self.informed_members(groups, members) >= 0

    def informed_members(self, groups: csr_array, members: NDArray[np.intp]) -> NDArray[np.intp]:
        """For each group a part out of `members` whose only member can derive the group's sum, or -1.

        -1 also for groups that anybody can derive, and for a part's own sum, which its only member knows anyway.
        """
        groups, moving = csr_array(groups), _length(self.of_parts[members]) >= TOLERANCE
        members, changes = members[moving], self.of(groups)
        insider = np.full(groups.shape[0], -1)
        free = np.flatnonzero(_length(changes) >= TOLERANCE)
        if not free.size or not members.size:
            return insider
        only_part, single = np.full(groups.shape[0], -1), np.diff(groups.indptr) == 1
        only_part[single] = groups.indices[groups.indptr[:-1][single]]
        for group, member in _parallel_pairs(changes[free], self.of_parts[members]):
            if only_part[free[group]] != members[member]:
                insider[free[group]] = members[member]
        return insider

    def restricted(self, change: Floats) -> "Moves":
        """The moves that remain when one more figure is published; `change`: of that figure by each move."""
        length = float(change @ change)
        if length < TOLERANCE**2:
            return self
        # Householder reflection: one direction then carries all of the change, and is dropped
        direction = change / np.sqrt(length)
        mirror = direction.copy()
        mirror[0] += 1.0 if direction[0] >= 0 else -1.0
        turned = self.of_parts - np.outer(self.of_parts @ mirror, mirror) * (2 / (mirror @ mirror))
        return Moves(turned[:, 1:])

    def unions(self, parts: NDArray[np.intp], people: Floats, fewer_than: float) -> list[tuple[int, ...]]:
        """Unions of two to four parts with fewer people than `fewer_than` whose common sum is derivable.

        `people`: number in each of `parts`. Parts that are derivable by themselves are left out.
        """
        moving = _length(self.of_parts[parts]) >= TOLERANCE
        parts, people = parts[moving], people[moving]
        if len(parts) < 2:
            return []
        random = np.random.default_rng(SEED)
        projections = self.of_parts[parts] @ random.standard_normal((self.of_parts.shape[1], 2))
        singles: list[tuple[int, ...]] = [(at,) for at in range(len(parts))]
        if len(parts) > UNION_LIMIT:
            unions = _cancelling_unions(projections, people, singles, projections, people, singles, fewer_than)
            return [tuple(int(parts[at]) for at in union) for union in sorted(unions)]
        first, second = np.triu_indices(len(parts), 1)
        few = people[first] + people[second] < fewer_than
        first, second = first[few], second[few]
        pairs, size = projections[first] + projections[second], people[first] + people[second]
        unions = {(int(first[at]), int(second[at])) for at in np.flatnonzero(np.abs(pairs).max(axis=1) < TOLERANCE)}
        doubles: list[tuple[int, ...]] = list(zip(first.tolist(), second.tolist(), strict=True))
        unions |= _cancelling_unions(pairs, size, doubles, projections, people, singles, fewer_than)
        unions |= _cancelling_unions(pairs, size, doubles, pairs, size, doubles, fewer_than)
        minimal = {union for union in unions if not any(set(other) < set(union) for other in unions)}
        return [tuple(int(parts[at]) for at in union) for union in sorted(minimal)]


def derivation_weights(published: csr_array, groups: csr_array) -> tuple[Floats, NDArray[np.bool_]]:
    """Weights of the published rows in the linear combination for each derivable group; and irreplaceable rows.

    Returns
    -------
    tuple
        rows x groups: the weights of least norm; rows: whether a row is linearly independent of the others, so that
        no group in which it has a weight can be derived once it is hidden.
    """
    published = csr_array(published, dtype=float)
    weights, irreplaceable = np.zeros((published.shape[0], groups.shape[0])), np.ones(published.shape[0], dtype=bool)
    affected = np.zeros(published.shape[1], dtype=bool)
    affected[csr_array(groups).indices] = True
    for rows, parts in _connected_blocks(published):
        if not affected[parts].any():
            continue
        block, targets = csr_array(published[rows][:, parts]), csr_array(groups)[:, parts].T.toarray()
        if max(block.shape) > DENSE_LIMIT:
            weights[rows] = _solver(block)(np.asarray(block @ targets))
            continue
        left, singular, right = np.linalg.svd(block.toarray(), full_matrices=False)
        nonzero = singular > TOLERANCE * max(1.0, singular[0])
        left, singular, right = left[:, nonzero], singular[nonzero], right[nonzero]
        weights[rows] = left @ ((right @ targets) / singular[:, None])
        irreplaceable[rows] = (left**2).sum(axis=1) > 1 - TOLERANCE
    return weights, irreplaceable


@lru_cache(maxsize=256)  # many figures have the same parts, and most blocks stay the same from round to round
def _null_space(squares: bytes, size: int) -> Floats:
    """Orthonormal basis of the null space of rows, from the products of their columns (bytes of a matrix)."""
    eigenvalues, directions = np.linalg.eigh(np.frombuffer(squares).reshape(size, size))
    return directions[:, eigenvalues < TOLERANCE * max(1.0, eigenvalues[-1])]


def _without_single_parts(rows: csr_array) -> tuple[csr_array, NDArray[np.bool_]]:
    """Rows without parts that are published by themselves or follow by subtraction; and which parts those are."""
    fixed = np.zeros(rows.shape[1], dtype=bool)
    while True:
        single = np.flatnonzero(np.diff(rows.indptr) == 1)
        if not single.size:
            return rows, fixed
        fixed[rows.indices[rows.indptr[single]]] = True
        rows = csr_array(rows.multiply((~fixed).astype(float)[None, :]))
        rows.eliminate_zeros()


def _without_isolated_rows(rows: csr_array, moves: Floats) -> csr_array:
    """Rows without those that share no part with another; `moves` are projected off these in place."""
    shared = (np.bincount(rows.indices, minlength=rows.shape[1]) > 1).astype(float)
    lonely = (abs(rows) @ shared == 0) & (np.diff(rows.indptr) > 0)
    single = csr_array(rows[np.flatnonzero(lonely)])
    moves -= single.T @ ((single @ moves) / single.multiply(single).sum(axis=1)[:, None])
    return csr_array(rows[np.flatnonzero(~lonely)])


def _block_arrays(rows: csr_array, blocks: list[tuple[NDArray[np.intp], NDArray[np.intp]]]) -> Iterator[Floats]:
    """Each block as a dense array, empty where it is large; slicing many small ones out singly would be slow."""
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
        array = np.zeros((len(block), len(parts)) if len(parts) <= DENSE_LIMIT else (0, 0))
        if array.size:
            array[row[block_cells] - first, columns[block_cells]] = ordered.data[block_cells]
        yield array
        first = last


def _connected_blocks(rows: csr_array) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Connected components of rows and parts: pairs of positions."""
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
    """Solver of (rows rows') w = right side for dependent rows: gives the w of least norm."""
    squares = csc_array(published @ published.T + RIDGE * eye_array(published.shape[0]))
    factors = splu(squares)

    def solve(right: Floats) -> Floats:
        weight = factors.solve(right)
        for _ in range(2):
            weight = weight + factors.solve(right - squares @ weight + RIDGE * weight)
        return np.asarray(weight)

    return solve


def _project_out(published: csr_array, random_numbers: Floats) -> Floats:
    """Project random numbers onto the null space of the published rows."""
    solve = _solver(published)
    unseen = random_numbers
    for _ in range(3):
        unseen = unseen - published.T @ solve(np.asarray(published @ unseen))
    return np.asarray(unseen)


def _length(changes: Floats) -> Floats:
    return np.asarray(np.sqrt((changes**2).sum(axis=1)))


def _parallel_pairs(changes: Floats, directions: Floats) -> list[tuple[int, int]]:
    """Pairs of positions (in `changes`, in `directions`) of parallel or opposite rows."""
    left, right = (rows / _length(rows)[:, None] for rows in (changes, directions))
    random = np.random.default_rng(SEED)
    projection = random.standard_normal(changes.shape[1])
    # parallel and opposite unit vectors have the same absolute projection on a random vector
    left_mark, right_mark = np.abs(left @ projection), np.abs(right @ projection)
    order = np.argsort(right_mark, kind="stable")
    low = np.searchsorted(right_mark[order], left_mark - TOLERANCE)
    high = np.searchsorted(right_mark[order], left_mark + TOLERANCE)
    pairs = []
    for group in np.flatnonzero(high > low):
        near = order[low[group] : high[group]]
        aligned = np.abs(right[near] @ left[group]) > 1 - PARALLEL_TOLERANCE
        pairs += [(int(group), int(member)) for member in near[aligned]]
    return pairs


def _cancelling_unions(  # noqa: PLR0913 - two lists of three columns
    left: Floats, left_size: Floats, left_parts: list[tuple[int, ...]],
    right: Floats, right_size: Floats, right_parts: list[tuple[int, ...]], fewer_than: float,
) -> set[tuple[int, ...]]:  # fmt: skip
    """Unions of one group on the left and one on the right whose changes cancel and that have few people."""
    if not len(left) or not len(right):
        return set()
    order = np.argsort(right[:, 0], kind="stable")
    column = right[order, 0]
    low, high = (np.searchsorted(column, -left[:, 0] + edge) for edge in (-TOLERANCE, TOLERANCE))
    unions = set()
    for at in np.flatnonzero(high > low):
        for other in order[low[at] : high[at]]:
            union = {*left_parts[at], *right_parts[other]}
            disjoint = len(union) == len(left_parts[at]) + len(right_parts[other])
            few = left_size[at] + right_size[other] < fewer_than
            if disjoint and few and abs(left[at, 1] + right[other, 1]) < TOLERANCE:
                unions.add(tuple(sorted(union)))
    return unions


def incidence(groups: list[tuple[int, ...]], parts: int) -> csr_array:
    """Groups of parts as rows of 0 and 1."""
    row = np.repeat(np.arange(len(groups)), [len(group) for group in groups]) if groups else np.zeros(0, dtype=int)
    column = np.array([part for group in groups for part in group], dtype=int)
    return csr_array((np.ones(len(column)), (row, column)), shape=(len(groups), parts))
