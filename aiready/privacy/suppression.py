"""Cell suppression: which cells to hide so that no small group's figure can be derived from the published ones.

Sensitive cells are hidden (*primary* suppression), and others to protect them (*secondary* suppression); see
`sensitivity` and `derivability`.
"""

from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import numpy as np
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

from aiready.errors import PrivacyError
from aiready.privacy.contributors import Flags, Respondents
from aiready.privacy.derivability import DENSE_LIMIT, RANDOM_MOVES, TOLERANCE, Moves, derivation_weights
from aiready.privacy.feasibility_intervals import FeasibilityIntervals
from aiready.privacy.sensitivity import CellAnalysis, FigureGroup, System

__all__ = ["Suppression", "System", "suppress"]

BATCH_DIVISOR = 2
"""One in so many derivable groups is protected at once, so that rounds grow with the logarithm."""
REVEAL_LIMIT = 200
"""Where parts are many, secondary suppressions are reconsidered only up to this number."""


@dataclass(frozen=True)
class Suppression:
    """All `hidden` cells, and the `primary` ones among them: empty, too few people, or one dominates."""

    hidden: Flags
    primary: Flags


# many small matrices: threads would only wait for each other
@threadpool_limits.wrap(limits=1, user_api="blas")
def suppress(system: System, minimum: int) -> Suppression:
    """Hide sensitive cells, then as few others as protect them, and prove that nothing small is left derivable.

    Parameters
    ----------
    minimum
        Fewest contributors to a published figure, and the least width of the feasibility interval of the number of
        people in a sensitive cell (where people belong to one part each).

    Notes
    -----
    An attacker may know which parts are empty (from an organisation chart), and may be an insider: the only person in a
    part knows its figure. Neither protects a cell: see `derivability`. A group that cannot be derived stays so while
    more is hidden, since hiding only removes published sums.

    Raises
    ------
    PrivacyError
        A small group's figure can be derived and nothing is left to hide.
    """
    analysis = CellAnalysis(system, minimum)
    hidden = _protect_totals(analysis, analysis.initial)
    hidden = _protect_small_groups(analysis, hidden)
    hidden = _reveal_unneeded(analysis, hidden)
    hidden = _widen_intervals(analysis, hidden)
    return Suppression(hidden, analysis.primary & hidden)


def _protect_totals(analysis: CellAnalysis, hidden: Flags) -> Flags:
    """Hide cells until no relation between a total and its children discloses a sensitive one.

    Notes
    -----
    The hidden children of a visible total jointly reach the minimum, and are at least two where one is withheld; else
    the smallest visible child is hidden too, and where none is left the total. Under a total hidden by primary
    suppression at least one child is hidden, else the total is their sum. Small totals come first, so that what is
    hidden for them also serves the larger ones. Empty children do not count.
    """
    mask = hidden.copy()
    hidden_in = [sum(mask[cell] for cell in cells) for _, cells in analysis.relations]
    waiting = [(analysis.priority(total), total) for total in analysis.relations_of_total]
    heapify(waiting)
    queued = set(analysis.relations_of_total)
    while waiting:
        _, total = heappop(waiting)
        queued.discard(total)
        for relation in analysis.relations_of_total[total]:
            for cell in _protect_total(analysis, relation, mask, hidden_in):
                again = {analysis.relations[other][0] for other in analysis.relations_of_child[cell]} | (
                    {cell} & analysis.relations_of_total.keys()
                )
                for each in again - queued:
                    heappush(waiting, (analysis.priority(each), each))
                queued |= again
    return mask


def _protect_total(analysis: CellAnalysis, relation: int, mask: Flags, hidden_in: list[int]) -> list[int]:
    """Hide cells until one relation is safe; returns the cells hidden.

    Preferred are cells with hidden siblings in other relations, which they protect as well.
    """
    total, cells = analysis.relations[relation]
    changed: list[int] = []
    while _is_exposed(analysis, relation, mask):
        visible = [cell for cell in cells if not mask[cell]]
        hidden_neighbours = {
            cell: sum(other != relation and hidden_in[other] > 0 for other in analysis.relations_of_child[cell])
            for cell in visible
        }
        chosen = (
            min(visible, key=lambda cell: (-hidden_neighbours[cell], analysis.priority(cell))) if visible else total
        )
        mask[chosen] = True
        for other in analysis.relations_of_child[chosen]:
            hidden_in[other] += 1
        changed.append(chosen)
    return changed


def _is_exposed(analysis: CellAnalysis, relation: int, mask: Flags) -> bool:
    """Whether a relation discloses a sensitive or withheld cell."""
    total, cells = analysis.relations[relation]
    hidden = [cell for cell in cells if mask[cell]]
    if mask[total]:
        return not hidden and bool(cells) and bool(analysis.sensitive[total].any() or analysis.withheld[total])
    return bool(hidden) and (
        analysis.jointly_sensitive(hidden) or (len(hidden) == 1 and bool(analysis.withheld[hidden[0]]))
    )


def _protect_small_groups(analysis: CellAnalysis, hidden: Flags) -> Flags:
    """Hide more until no small group's figure is a linear combination of visible cells."""
    mask, pending = hidden.copy(), list(analysis.figures)
    while pending:
        chosen, left, differences = set(), [], analysis.differences(mask)
        for figures in pending:
            rows = figures.derivable(figures.moves(differences), mask)
            if rows.shape[0]:
                chosen |= set(_next_cells(analysis, figures, rows, differences, mask))
                left.append(figures)
        pending = left
        mask[sorted(chosen)] = True
        mask = _protect_totals(analysis, mask) if chosen else mask
    return mask


def _next_cells(
    analysis: CellAnalysis, figures: FigureGroup, rows: csr_array, differences: csr_array, mask: Flags
) -> list[int]:
    """For derivable rows, the smallest cells used in deriving them, irreplaceable ones first."""
    some = csr_array(rows[: 1 + rows.shape[0] // BATCH_DIVISOR])
    cell_weights, irreplaceable = derivation_weights(figures.rows(differences), some)
    chosen: list[int] = []
    for column in (np.abs(cell_weights) > TOLERANCE).T:
        ending = column & irreplaceable if (column & irreplaceable).any() else column
        cells = np.unique(differences[np.flatnonzero(ending)].indices)
        if not cells.size:
            _raise_unprotectable(analysis, mask)
        if not set(cells.tolist()) & set(chosen):
            chosen.append(min(cells.tolist(), key=analysis.priority))
    return chosen


def _raise_unprotectable(analysis: CellAnalysis, mask: Flags) -> None:
    first = int(np.flatnonzero(mask & analysis.sensitive.any(axis=1))[0])
    name = analysis.system.names[first] if len(analysis.system.names) else f"Cell {first}"
    raise PrivacyError(f"{name} can be worked out from what would be published, and nothing is left to hide.")


def _reveal_unneeded(analysis: CellAnalysis, hidden: Flags) -> Flags:
    """Show again secondary suppressions that turned out to be unnecessary, the largest first."""
    mask, candidates = hidden.copy(), np.flatnonzero(hidden & ~analysis.initial)
    if not candidates.size or (analysis.system.parts.shape[1] > DENSE_LIMIT and len(candidates) > REVEAL_LIMIT):
        return mask
    moves = [figures.moves(analysis.differences(mask)) for figures in analysis.figures]
    for cell in sorted(candidates.tolist(), key=analysis.priority, reverse=True):
        mask[cell] = False
        less = None if _breaks_rule(analysis, cell, mask) else _moves_if_shown(analysis, cell, moves, mask)
        mask[cell] = less is None
        moves = less or moves
        if min(now.of_parts.shape[1] for now in moves) < RANDOM_MOVES // 2:
            moves = [figures.moves(analysis.differences(mask)) for figures in analysis.figures]
    return mask


def _moves_if_shown(analysis: CellAnalysis, cell: int, moves: list[Moves], hidden: Flags) -> list[Moves] | None:
    """The moves that remain when one more cell is shown; None where that would disclose a sensitive group."""
    less = []
    for figures, before in zip(analysis.figures, moves, strict=True):
        after = before.restricted(before.of(csr_array(figures.cells[[cell]])).ravel())
        if figures.leaks(after, hidden) if after is not before else (~hidden[figures.nested].any(axis=1)).any():
            return None
        less.append(after)
    return less


def _breaks_rule(analysis: CellAnalysis, cell: int, mask: Flags) -> bool:
    """Whether any relation of a cell is exposed."""
    return any(
        _is_exposed(analysis, relation, mask)
        for relation in [*analysis.relations_of_child[cell], *analysis.relations_of_total.get(cell, [])]
    )


def _widen_intervals(analysis: CellAnalysis, hidden: Flags) -> Flags:
    """Hide more until the feasibility interval of every sensitive cell is wide enough."""
    if not isinstance(analysis.system.contributors, Respondents):
        return hidden
    mask, waiting = hidden.copy(), analysis.sensitive.any(axis=1) & analysis.system.published
    present = np.flatnonzero(analysis.system.contributors.nonempty.any(axis=1))
    people = analysis.system.contributors.n[present].min(axis=1)
    rows = csr_array(analysis.system.parts[:, present])
    while (cells := np.flatnonzero(waiting)).size:
        visible = csr_array(analysis.differences(mask) @ rows)
        visible.eliminate_zeros()
        intervals = FeasibilityIntervals(visible, people, csr_array(rows[cells]), analysis.minimum)
        failing = cells[intervals.too_narrow(exact=False)]
        more = {cell: _nearest_visible(analysis, int(cell), mask) for cell in failing}
        if any(other is None for other in more.values()):
            failing = cells[
                FeasibilityIntervals(visible, people, csr_array(rows[cells]), analysis.minimum).too_narrow()
            ]
            more = {cell: other for cell, other in more.items() if cell in set(failing)}
            if any(other is None for other in more.values()):
                _raise_unprotectable(analysis, mask)
        mask[sorted({other for other in more.values() if other is not None})] = True
        waiting = np.zeros_like(waiting)
        waiting[list(more)] = True
    return mask


def _nearest_visible(analysis: CellAnalysis, cell: int, mask: Flags) -> int | None:
    """Smallest visible cell related to a hidden one: siblings first, then totals, then children, then further away."""
    reached, border = {cell}, {cell}
    while border:
        totals = {analysis.relations[relation][0] for each in border for relation in analysis.relations_of_child[each]}
        children = {
            other
            for each in border
            for relation in analysis.relations_of_total.get(each, [])
            for other in analysis.relations[relation][1]
        }
        beside = {
            other
            for each in border
            for relation in analysis.relations_of_child[each]
            for other in analysis.relations[relation][1]
        }
        for candidates in (beside, totals, children):
            visible = [other for other in candidates if not mask[other]]
            if visible:
                return min(visible, key=analysis.priority)
        border = (beside | totals | children) - reached
        reached |= border
    return None
