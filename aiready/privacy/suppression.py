"""Cell suppression: which cells must hide so that no small group's figure follows from what is published.

Sensitive cells are hidden, and others to protect them (*secondary* suppression); see `sensitivity` and `derivation`.
"""

from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import numpy as np
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

from aiready.errors import PrivacyError
from aiready.privacy.contributors import Flags, Respondents
from aiready.privacy.derivability import DENSE, DRAWN, NOTHING, Moves, weights
from aiready.privacy.feasibility_intervals import Intervals
from aiready.privacy.sensitivity import Figures, Gate, System

__all__ = ["Suppression", "System", "suppress"]

AT_ONCE = 2
"""Of many derivable groups every second is protected at once: rounds grow with the logarithm."""
RECONSIDERED = 200
"""Hidden cells, where parts are many, up to which each is tried whether it could be shown after all."""


@dataclass(frozen=True)
class Suppression:
    """`hidden` cells, and those of them that are hidden for their `own` sake: nobody, too few, or one dominates."""

    hidden: Flags
    own: Flags


@threadpool_limits.wrap(limits=1, user_api="blas")  # many small tables: threads would only wait for each other
def suppress(system: System, minimum: int) -> Suppression:
    """Hide sensitive cells, then as few others as protect them, and prove that nothing small is left derivable.

    Parameters
    ----------
    minimum
        Fewest people a published figure may stand for, and the narrowest interval in which an outsider may be able to
        place the number of people in a sensitive cell (where people stand in one part each).

    Notes
    -----
    Nobody can be assumed not to know which parts are empty (an organisation chart tells), nor to be nobody's colleague:
    whoever is alone in a part knows its figure. Neither counts as cover: see `derivation`. What has passed stays so
    while more is hidden, since hiding only takes sums away.

    Raises
    ------
    PrivacyError
        A small group's figure could be worked out and nothing is left to hide.
    """
    gate = Gate(system, minimum)
    hidden = _by_rule(gate, gate.primary)
    hidden = _protected(gate, hidden)
    hidden = _shown_after_all(gate, hidden)
    hidden = _placed_widely(gate, hidden)
    return Suppression(hidden, gate.own & hidden)


def _by_rule(gate: Gate, hidden: Flags) -> Flags:
    """Grow the mask until under every visible total the hidden children are together enough people.

    Notes
    -----
    The hidden children of a visible total jointly reach the minimum, and are at least two where one is withheld; else
    the smallest visible one is hidden too, and where none is left the total. Under a total that is hidden for its own
    sake at least one child is hidden, else it is their sum. Small totals come first, so that what is hidden for them
    serves the larger ones above. Nobody is needed to hide behind nobody: children without people do not count.
    """
    mask = hidden.copy()
    hidden_in = [sum(mask[cell] for cell in cells) for _, cells in gate.ways]
    waiting = [(gate.order(total), total) for total in gate.below]
    heapify(waiting)
    queued = set(gate.below)
    while waiting:
        _, total = heappop(waiting)
        queued.discard(total)
        for way in gate.below[total]:
            for cell in _settle(gate, way, mask, hidden_in):
                again = {gate.ways[other][0] for other in gate.above[cell]} | ({cell} & gate.below.keys())
                for each in again - queued:
                    heappush(waiting, (gate.order(each), each))
                queued |= again
    return mask


def _settle(gate: Gate, way: int, mask: Flags, hidden_in: list[int]) -> list[int]:
    """Hide what one total, cut one way, needs hidden; returns the cells hidden.

    First comes a cell that has hidden ones beside it in other sums too: there it serves two ends.
    """
    total, cells = gate.ways[way]
    changed: list[int] = []
    while _exposed(gate, way, mask):
        seen = [cell for cell in cells if not mask[cell]]
        company = {cell: sum(other != way and hidden_in[other] > 0 for other in gate.above[cell]) for cell in seen}
        chosen = min(seen, key=lambda cell: (-company[cell], gate.order(cell))) if seen else total
        mask[chosen] = True
        for other in gate.above[chosen]:
            hidden_in[other] += 1
        changed.append(chosen)
    return changed


def _exposed(gate: Gate, way: int, mask: Flags) -> bool:
    """Whether one total and its children give away a few people, or each other."""
    total, cells = gate.ways[way]
    out = [cell for cell in cells if mask[cell]]
    if mask[total]:
        return not out and bool(cells) and bool(gate.sensitive[total].any() or gate.withheld[total])
    return bool(out) and (gate.joint(out) or (len(out) == 1 and bool(gate.withheld[out[0]])))


def _protected(gate: Gate, hidden: Flags) -> Flags:
    """Hide more until no small group's figure is a weighted sum of what is shown."""
    mask, pending = hidden.copy(), list(gate.figures)
    while pending:
        chosen, left, differences = set(), [], gate.differences(mask)
        for figures in pending:
            rows = figures.derivable(figures.moves(differences), mask)
            if rows.shape[0]:
                chosen |= set(_next(gate, figures, rows, differences, mask))
                left.append(figures)
        pending = left
        mask[sorted(chosen)] = True
        mask = _by_rule(gate, mask) if chosen else mask
    return mask


def _next(gate: Gate, figures: Figures, rows: csr_array, differences: csr_array, mask: Flags) -> list[int]:
    """The smallest cells that derivable rows take: each ends one of them, or brings it nearer to its end."""
    some = csr_array(rows[: 1 + rows.shape[0] // AT_ONCE])
    taken, alone = weights(figures.rows(differences), some)
    chosen: list[int] = []
    for column in (np.abs(taken) > NOTHING).T:
        ending = column & alone if (column & alone).any() else column
        cells = np.unique(differences[np.flatnonzero(ending)].indices)
        if not cells.size:
            _give_up(gate, mask)
        if not set(cells.tolist()) & set(chosen):
            chosen.append(min(cells.tolist(), key=gate.order))
    return chosen


def _give_up(gate: Gate, mask: Flags) -> None:
    first = int(np.flatnonzero(mask & gate.sensitive.any(axis=1))[0])
    name = gate.system.names[first] if len(gate.system.names) else f"Cell {first}"
    raise PrivacyError(f"{name} can be worked out from what would be published, and nothing is left to hide.")


def _shown_after_all(gate: Gate, hidden: Flags) -> Flags:
    """Show what was hidden for others and need not be, the largest first."""
    mask, candidates = hidden.copy(), np.flatnonzero(hidden & ~gate.primary)
    if not candidates.size or (gate.system.parts.shape[1] > DENSE and len(candidates) > RECONSIDERED):
        return mask
    moves = [figures.moves(gate.differences(mask)) for figures in gate.figures]
    for cell in sorted(candidates.tolist(), key=gate.order, reverse=True):
        mask[cell] = False
        less = None if _breaks_rule(gate, cell, mask) else _with_cell(gate, cell, moves, mask)
        mask[cell] = less is None
        moves = less or moves
        if min(now.of_parts.shape[1] for now in moves) < DRAWN // 2:
            moves = [figures.moves(gate.differences(mask)) for figures in gate.figures]
    return mask


def _with_cell(gate: Gate, cell: int, moves: list[Moves], hidden: Flags) -> list[Moves] | None:
    """The moves that are left when one more cell is shown; none where that would give somebody away."""
    less = []
    for figures, before in zip(gate.figures, moves, strict=True):
        after = before.without(before.of(csr_array(figures.cells[[cell]])).ravel())
        if figures.leaks(after, hidden) if after is not before else (~hidden[figures.nested].any(axis=1)).any():
            return None
        less.append(after)
    return less


def _breaks_rule(gate: Gate, cell: int, mask: Flags) -> bool:
    return any(_exposed(gate, way, mask) for way in [*gate.above[cell], *gate.below.get(cell, [])])


def _placed_widely(gate: Gate, hidden: Flags) -> Flags:
    """Hide more until the number of people in every sensitive cell could lie anywhere in a wide enough interval."""
    if not isinstance(gate.system.contributors, Respondents):
        return hidden
    mask, waiting = hidden.copy(), gate.sensitive.any(axis=1) & gate.system.published
    there = np.flatnonzero(gate.system.contributors.exist.any(axis=1))
    people = gate.system.contributors.n[there].min(axis=1)
    rows = csr_array(gate.system.parts[:, there])
    while (cells := np.flatnonzero(waiting)).size:
        visible = csr_array(gate.differences(mask) @ rows)
        visible.eliminate_zeros()
        intervals = Intervals(visible, people, csr_array(rows[cells]), gate.minimum)
        failing = cells[intervals.narrow(exact=False)]
        more = {cell: _beside(gate, int(cell), mask) for cell in failing}
        if any(other is None for other in more.values()):
            failing = cells[Intervals(visible, people, csr_array(rows[cells]), gate.minimum).narrow()]
            more = {cell: other for cell, other in more.items() if cell in set(failing)}
            if any(other is None for other in more.values()):
                _give_up(gate, mask)
        mask[sorted({other for other in more.values() if other is not None})] = True
        waiting = np.zeros_like(waiting)
        waiting[list(more)] = True
    return mask


def _beside(gate: Gate, cell: int, mask: Flags) -> int | None:
    """Smallest visible cell bound to a hidden one: first beside it, then its totals, then further through hidden."""
    reached, border = {cell}, {cell}
    while border:
        totals = {gate.ways[way][0] for each in border for way in gate.above[each]}
        children = {other for each in border for way in gate.below.get(each, []) for other in gate.ways[way][1]}
        beside = {other for each in border for way in gate.above[each] for other in gate.ways[way][1]}
        for candidates in (beside, totals, children):
            seen = [other for other in candidates if not mask[other]]
            if seen:
                return min(seen, key=gate.order)
        border = (beside | totals | children) - reached
        reached |= border
    return None
