"""Cell suppression: which cells must hide so that no hidden one can be worked out from the published totals.

A system is a set of cells with counts of people and the sums that bind them (a total and its children). The
source of the rules is Hundepool et al., Statistical Disclosure Control (2012), chapter 4.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from aiready.errors import PrivacyError


@dataclass(frozen=True)
class System:
    """Cells and the sums that bind them.

    `n`: people per cell. `published`: whether the cell would be printed at all; what is not printed counts as
    hidden from the start. `sums`: one row per sum x child, columns `total` and `child`, positions in `n`.
    """

    n: np.ndarray
    published: np.ndarray
    sums: pd.DataFrame


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
    while True:
        mask = complementary(merged, must, minimum)
        failing = audit(merged, mask, minimum)
        if failing.empty:
            return np.asarray(mask[place]) | ~system.published
        must = mask | _more(merged, mask, failing)


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
    smallest visible one is hidden too, and where none is left the total. Small totals come first, so that what
    is hidden for them serves the larger ones above.
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
    """Hide what one visible total needs hidden; returns the cells hidden."""
    changed: list[int] = []
    while not mask[total]:
        out = [cell for cell in group if mask[cell]]
        if not out or (len(out) >= 2 and n[out].sum() >= minimum):
            break
        seen = [cell for cell in group if not mask[cell]]
        chosen = min(seen, key=lambda cell: (n[cell], cell)) if seen else total
        mask[chosen] = True
        changed.append(chosen)
    return changed


def _lists(sums: pd.DataFrame) -> tuple[dict[int, list[list[int]]], dict[int, set[int]]]:
    children: dict[int, list[list[int]]] = defaultdict(list)
    parents: dict[int, set[int]] = defaultdict(set)
    for (total, _), rows in sums.groupby(["total", "by"], sort=False):
        children[int(total)].append([int(child) for child in rows["child"]])
    for total, child in sums[["total", "child"]].itertuples(index=False):
        parents[int(child)].add(int(total))
    return children, parents


def audit(system: System, hidden: np.ndarray, minimum: int) -> pd.DataFrame:
    """Hidden cells that an outsider can place too narrowly: one row each (cell, low, high).

    Notes
    -----
    Linear programme: the least and the greatest value of the cell under all sums, visible cells as printed and
    hidden ones not negative (`scipy.optimize.linprog`, HiGHS). Cells of independent components are solved
    together, one of each at a time.
    """
    unknown, matrix, known = _equations(system, hidden)
    wanted = np.flatnonzero(system.published[unknown])
    if wanted.size == 0:
        return pd.DataFrame(columns=["cell", "low", "high"])
    labels = _components(matrix, len(unknown))
    turn = pd.Series(labels[wanted]).groupby(labels[wanted]).cumcount().to_numpy()
    low, high = np.full(len(unknown), np.nan), np.full(len(unknown), np.nan)
    ceiling = float(system.n.sum() + 2 * minimum)
    for number in range(turn.max() + 1):
        chosen = wanted[turn == number]
        solved = [_solve(matrix, known, chosen, ceiling, sign) for sign in (1, -1)]
        low[chosen], high[chosen] = solved
    narrow = wanted[(high - low)[wanted] < minimum - 1e-6]
    return pd.DataFrame({"cell": unknown[narrow], "low": low[narrow], "high": high[narrow]})


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


def _components(matrix: coo_array, size: int) -> np.ndarray:
    """Which hidden cells hang together through sums."""
    shape = (matrix.shape[0] + size,) * 2
    graph = coo_array((np.ones(matrix.nnz), (matrix.row, matrix.col + matrix.shape[0])), shape=shape)
    return connected_components(graph, directed=False)[1][matrix.shape[0] :]


def _solve(matrix: coo_array, known: np.ndarray, chosen: np.ndarray, ceiling: float, sign: int) -> np.ndarray:
    objective = np.zeros(matrix.shape[1])
    objective[chosen] = sign
    solved = linprog(objective, A_eq=matrix.tocsr(), b_eq=known, bounds=(0, ceiling), method="highs")
    if solved.x is None:
        raise PrivacyError(f"The privacy audit could not be solved ({solved.message}). Nothing was published.")
    return np.asarray(solved.x[chosen])


def _more(system: System, mask: np.ndarray, failing: pd.DataFrame) -> np.ndarray:
    """What to hide next for cells that failed: the smallest visible one under their totals, else the total."""
    children, parents = _lists(system.sums)
    grown = np.zeros(len(mask), dtype=bool)
    for cell in failing["cell"]:
        chosen = _next(int(cell), children, parents, system.n, mask)
        if chosen is None:
            raise PrivacyError(
                f"Cell {int(cell)} can be worked out from what would be published, and nothing is left to hide."
            )
        grown[chosen] = True
    return grown


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


def tree_sums(parent: pd.Series, by: str) -> pd.DataFrame:
    """Sums of a tree given as child position -> total position (missing: no total); `by` names the direction."""
    bound = parent.dropna().astype(int)
    return pd.DataFrame({"total": bound.to_numpy(), "child": bound.index.to_numpy(), "by": by})


def stacked(systems: Iterable[System]) -> System:
    """Independent systems as one, in order."""
    parts, start = [], 0
    for system in systems:
        sums = system.sums.assign(total=system.sums["total"] + start, child=system.sums["child"] + start)
        parts.append(replace(system, sums=sums))
        start += len(system.n)
    return System(
        np.concatenate([part.n for part in parts]),
        np.concatenate([part.published for part in parts]),
        pd.concat([part.sums for part in parts], ignore_index=True),
    )
