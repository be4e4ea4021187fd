"""Cell suppression: which cells must hide so that no hidden one can be worked out from the published totals.

A system is a set of cells with counts of people and the sums that bind them (a total and its children). The
source of the rules is Hundepool et al., Statistical Disclosure Control (2012), chapter 4.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from aiready.errors import PrivacyError

SEED = 20
SLOWING = 0.98
"""Cells are pushed apart together as long as each round settles more than 2 % of them."""
STEPS = 4
"""How many sums away from the cells in question others may move, where the far ones can stay as they are."""
ROUNDS = 20
"""How often bounds are passed on from sum to sum; fewer only leave more to the programmes."""


@dataclass(frozen=True)
class System:
    """Cells and the sums that bind them.

    `n`: people per cell. `published`: whether the cell would be printed at all; what is not printed counts as
    hidden from the start. `sums`: one row per sum x child, columns `total`, `child`, positions in `n`, and `by`,
    which tells the ways apart that a total is cut. `withheld`: cells to hide whatever their size, by default none.
    `names`: what an error calls the cells, by default their position.
    """

    n: np.ndarray
    published: np.ndarray
    sums: pd.DataFrame
    withheld: np.ndarray | None = None
    names: Sequence[str] = ()


def suppress(system: System, minimum: int) -> np.ndarray:
    """Hide small cells, then enough others, then prove it: the boolean mask of hidden cells.

    Parameters
    ----------
    minimum
        Fewest people a visible cell may stand for, and the narrowest interval in which an outsider may be able
        to place a hidden one.

    Raises
    ------
    PrivacyError
        A hidden cell can be worked out and nothing is left to hide.
    """
    merged, place = _merged(system)
    must = (merged.n < minimum) | ~merged.published
    if system.withheld is not None:
        must[place[system.withheld]] = True
    proven = np.zeros(len(must), dtype=bool)
    while True:
        mask = complementary(merged, must, minimum)
        failing = audit(merged, mask, minimum, ~proven, exact=False)["cell"].to_numpy()
        more = _more(merged, mask, failing)
        stuck = failing[more < 0]
        if stuck.size and len(unsafe := audit(merged, mask, minimum, np.isin(np.arange(len(mask)), stuck))):
            first = int(np.flatnonzero(place == unsafe["cell"].iloc[0])[0])
            name = system.names[first] if len(system.names) else f"Cell {first}"
            raise PrivacyError(f"{name} can be worked out from what would be published, and nothing is left to hide.")
        if (more < 0).all():
            return np.asarray(mask[place]) | ~system.published
        # hiding more only widens what an outsider can place: what has passed stays proven
        proven = mask.copy()
        proven[failing[more >= 0]] = False
        must = mask.copy()
        must[more[more >= 0]] = True


def _merged(system: System) -> tuple[System, np.ndarray]:
    """The system with totals of a single child and that child as one cell, and each old cell's new place."""
    size = system.sums.groupby(["total", "by"])["child"].transform("size")
    same = system.sums.loc[size == 1]
    links = coo_array((np.ones(len(same)), (same["total"], same["child"])), shape=(len(system.n),) * 2)
    count, place = connected_components(links, directed=False)
    n, published = np.zeros(count), np.zeros(count, dtype=bool)
    np.maximum.at(n, place, system.n)
    np.logical_or.at(published, place, system.published)
    sums = system.sums.loc[size > 1].assign(by=lambda table: table["by"].astype(str) + table["total"].astype(str))
    sums = sums.assign(total=place[sums["total"]], child=place[sums["child"]])
    return System(n, published, sums), place


def complementary(system: System, hidden: np.ndarray, minimum: int) -> np.ndarray:
    """Secondary suppression by rule: the mask grown until every visible total protects its hidden children.

    Notes
    -----
    Under a visible total the hidden children number 0 or at least 2 and jointly reach the minimum; else the
    smallest visible one is hidden too, and where none is left the total. Under a hidden total at least one child
    is hidden, else it is their sum. Small totals come first, so that what is hidden for them serves the larger
    ones above.
    """
    mask = hidden.copy()
    children, parents = _lists(system.sums)
    waiting = [(system.n[total], total) for total in children]
    heapify(waiting)
    while waiting:
        _, total = heappop(waiting)
        for group in children[total]:
            for cell in _settle(total, group, system.n, mask, minimum):
                for again in parents[cell] | ({cell} & children.keys()):
                    heappush(waiting, (system.n[again], again))
    return mask


def _settle(total: int, group: list[int], n: np.ndarray, mask: np.ndarray, minimum: int) -> list[int]:
    """Hide what one total needs hidden; returns the cells hidden."""
    changed: list[int] = []
    while True:
        out = [cell for cell in group if mask[cell]]
        seen = [cell for cell in group if not mask[cell]]
        known = not out and mask[total]  # the sum of what is seen
        alone = out and not mask[total] and (len(out) < 2 or n[out].sum() < minimum)
        if not (known or alone):
            return changed
        chosen = min(seen, key=lambda cell: (n[cell], cell)) if seen else total
        mask[chosen] = True
        changed.append(chosen)


def _lists(sums: pd.DataFrame) -> tuple[dict[int, list[list[int]]], dict[int, set[int]]]:
    groups: dict[tuple[int, str], list[int]] = defaultdict(list)
    parents: dict[int, set[int]] = defaultdict(set)
    for total, child, by in zip(sums["total"].tolist(), sums["child"].tolist(), sums["by"].tolist(), strict=True):
        groups[total, by].append(child)
        parents[child].add(total)
    children: dict[int, list[list[int]]] = defaultdict(list)
    for (total, _), group in groups.items():
        children[total].append(group)
    return children, parents


def audit(
    system: System, hidden: np.ndarray, minimum: int, among: np.ndarray | None = None, *, exact: bool = True
) -> pd.DataFrame:
    """Hidden cells that an outsider can place too narrowly: one row each (cell, low, high).

    `among` are the cells to look at, all by default. A cell that single sums place already keeps their bounds.
    Without `exact`, a cell whose room was not found quickly is named too: hiding more for it is never wrong.

    Notes
    -----
    Linear programme: the least and the greatest value of the cell under all sums, visible cells as printed and
    hidden ones not negative (`scipy.optimize.linprog`, HiGHS). Few cells need a programme of their own: where the
    sums taken one at a time already leave less than `minimum`, a cell fails; and every solution, the true counts
    first, is a witness for all cells at once, so that those seen at values `minimum` apart pass. Cells are pushed
    apart together, those far from them staying as they truly are; then what is left is solved exactly, one cell
    of every independent component at a time.
    """
    unknown, matrix, known = _equations(system, hidden)
    wanted = system.published[unknown] & (True if among is None else among[unknown])
    truth, ceiling = system.n[unknown], float(system.n.sum() + 2 * minimum)
    least, most = _propagated(matrix, known, ceiling)
    tight = wanted & (most - least < minimum - 1e-6)
    low, high = truth.copy(), truth.copy()
    rows, columns = matrix.tocsr(), matrix.tocsc()
    random = np.random.default_rng(SEED)

    def close(among: np.ndarray) -> np.ndarray:
        return np.flatnonzero(among & (high - low < minimum - 1e-6))

    def push(objective: np.ndarray, free: np.ndarray) -> None:
        part = np.flatnonzero(free)
        used = np.diff(columns[:, part].tocsr().indptr) > 0
        sums = columns[:, part].tocsr()[used]
        moved = sums @ truth[part]
        for sign in (1, -1):
            found = _solve(sums, moved, sign * objective[part], ceiling)
            low[part], high[part] = np.minimum(low[part], found), np.maximum(high[part], found)

    left, before = close(wanted & ~tight), len(unknown) + 1
    while 0 < left.size < SLOWING * before:
        objective = np.bincount(left, random.random(left.size), minlength=len(unknown))
        push(objective, _near(rows, objective > 0))
        left, before = close(wanted & ~tight), left.size
    if exact:
        labels, solved = _components(matrix, len(unknown)), tight.copy()
        while (left := close(wanted & ~solved)).size:
            chosen = left[np.unique(labels[left], return_index=True)[1]]
            push(np.bincount(chosen, minlength=len(unknown)), np.isin(labels, labels[chosen]))
            solved[chosen] = True
    low, high = np.where(tight, least, low), np.where(tight, most, high)
    failing = close(wanted)
    return pd.DataFrame({"cell": unknown[failing], "low": low[failing], "high": high[failing]})


def _near(matrix: csr_array, cells: np.ndarray) -> np.ndarray:
    """Cells and those within `STEPS` sums of them."""
    bound, reached = abs(matrix), cells
    for _ in range(STEPS):
        reached = bound.T @ (bound @ reached.astype(float)) > 0
    return reached | cells


def _equations(system: System, hidden: np.ndarray) -> tuple[np.ndarray, coo_array, np.ndarray]:
    """Sums as equations over hidden cells: hidden children - hidden total = visible total - visible children."""
    unknown = np.flatnonzero(hidden)
    position = np.full(len(system.n), -1)
    position[unknown] = np.arange(len(unknown))
    by = system.sums.groupby(["total", "by"], sort=False).ngroup().to_numpy()
    totals = system.sums.assign(row=by).drop_duplicates("row")
    rows = np.concatenate([by, totals["row"].to_numpy()])
    cells = np.concatenate([system.sums["child"].to_numpy(), totals["total"].to_numpy()])
    signs = np.concatenate([np.ones(len(by)), -np.ones(len(totals))])
    out = hidden[cells]
    known = -np.bincount(rows[~out], (signs * system.n[cells])[~out], minlength=len(totals))
    matrix = coo_array((signs[out], (rows[out], position[cells[out]])), shape=(len(totals), len(unknown)))
    used = np.bincount(rows[out], minlength=len(totals)) > 0
    return unknown, coo_array(matrix.tocsr()[used]), known[used]


def _propagated(matrix: coo_array, known: np.ndarray, ceiling: float) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest value of each hidden cell by one sum at a time, again and again: never too narrow."""
    row, cell, sign = matrix.row, matrix.col, matrix.data
    least, most = np.zeros(matrix.shape[1]), np.full(matrix.shape[1], ceiling)
    for _ in range(ROUNDS):
        before = least.copy(), most.copy()
        ends = sign * least[cell], sign * most[cell]
        small, large = np.minimum(*ends), np.maximum(*ends)
        smallest, largest = (np.bincount(row, part, minlength=len(known)) for part in (small, large))
        # what the rest of its sum leaves for each entry
        bounds = sign * (known - largest)[row] + sign * large, sign * (known - smallest)[row] + sign * small
        np.maximum.at(least, cell, np.minimum(*bounds))
        np.minimum.at(most, cell, np.maximum(*bounds))
        if np.array_equal(before, (least, most)):
            break
    return least, most


def _components(matrix: coo_array, size: int) -> np.ndarray:
    """Which hidden cells hang together through sums."""
    shape = (matrix.shape[0] + size,) * 2
    graph = coo_array((np.ones(matrix.nnz), (matrix.row, matrix.col + matrix.shape[0])), shape=shape)
    return connected_components(graph, directed=False)[1][matrix.shape[0] :]


def _solve(matrix: csr_array, known: np.ndarray, objective: np.ndarray, ceiling: float) -> np.ndarray:
    solved = linprog(objective, A_eq=matrix, b_eq=known, bounds=(0, ceiling), method="highs")
    if solved.x is None:
        raise PrivacyError(f"The privacy audit could not be solved ({solved.message}). Nothing was published.")
    return np.asarray(solved.x)


def _more(system: System, mask: np.ndarray, failing: np.ndarray) -> np.ndarray:
    """What to hide next for each cell that failed: the smallest visible one under its totals, else the total; or -1."""
    children, parents = _lists(system.sums)
    chosen = [_next(int(cell), children, parents, system.n, mask) for cell in failing]
    return np.array([-1 if cell is None else cell for cell in chosen], dtype=int)


def _next(
    cell: int,
    children: dict[int, list[list[int]]],
    parents: dict[int, set[int]],
    n: np.ndarray,
    mask: np.ndarray,
) -> int | None:
    """Smallest visible cell bound to a hidden one: first beside it, then its totals, then further through hidden."""
    reached, border = {cell}, {cell}
    while border:
        totals = {total for each in border for total in parents[each]}
        below = {other for each in border for group in children.get(each, []) for other in group}
        beside = {other for total in totals for group in children[total] for other in group}
        for candidates in (beside, totals, below):
            seen = [other for other in candidates if not mask[other]]
            if seen:
                return min(seen, key=lambda other: (n[other], other))
        border = (beside | totals | below) - reached
        reached |= border
    return None
