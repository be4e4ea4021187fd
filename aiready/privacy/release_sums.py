"""Published figures of several runs as small differences: equivalent rows with far fewer people each."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array, vstack

from aiready.model.registry import ALL
from aiready.privacy.record_linkage import Run
from aiready.privacy.release_groups import Strata
from aiready.privacy.segments import SIDES, segment_of_role

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Pieces:
    """Rows over parts, and the cells that each is made of: 1 for its own, -1 for subtracted ones (pieces x cells)."""

    rows: csr_array
    cells: csr_array


class CellRelations:
    """Relations of the cells of every run: to units and segments within, and to the same cell of the run before."""

    def __init__(self, runs: Sequence[Run], strata: Sequence[Strata]):
        self.steps = [_nestings(run, run_strata) for run, run_strata in zip(runs, strata, strict=True)]
        cells = [pd.MultiIndex.from_frame(run_strata.cells) for run_strata in strata]
        self.earlier_cell = [before.get_indexer(now) for now, before in pairwise(cells)]

    def pieces(
        self, run: int, rows: csr_array, visible: Flags, before: tuple[csr_array, Flags] | None = None
    ) -> Pieces:
        """Each visible cell less those within it, or less itself in the run before, whichever has the fewest parts.

        Parameters
        ----------
        run
            Its position; 0 is today.
        rows, shown
            Cells x parts, and which cells were visible.
        before
            The same of the run before, where its rows are published as well.

        Notes
        -----
        What is subtracted is published as well, and always finer or earlier, so the pieces and the figures can be
        derived from each other.
        """
        cells = np.flatnonzero(visible)
        own, number = csr_array(rows[cells]), len(cells)
        identity = csr_array(eye_array(number))
        within = [csr_array(step[cells][:, cells]) for step in self.steps[run]]
        choices = [(own, identity), *((own - step @ own, identity - step) for step in within)]
        if before is not None:
            earlier_cell = self.earlier_cell[run][cells]
            comparable = np.flatnonzero((earlier_cell >= 0) & before[1][earlier_cell])
            ones = np.ones(len(comparable))
            chosen = csr_array((ones, (comparable, comparable)), shape=(number, number))
            earlier = csr_array((ones, (comparable, earlier_cell[comparable])), shape=(number, before[0].shape[0]))
            change = csr_array(chosen @ own - earlier @ before[0])
            rest = identity - chosen
            choices += [
                (change - chosen @ step @ change + rest @ own, identity - chosen @ step @ chosen)
                for step in (0 * identity, *within)
            ]
        return _shortest(choices, cells, rows.shape[0])


def _shortest(choices: Sequence[tuple[csr_array, csr_array]], cells: NDArray[np.intp], number: int) -> Pieces:
    """Of several equivalents of each row the one with the fewest parts."""
    candidates, cells_used = (csr_array(vstack([csr_array(choice[at]) for choice in choices])) for at in (0, 1))
    candidates.eliminate_zeros()
    size = np.diff(candidates.indptr).reshape(len(choices), -1)
    best = size.argmin(axis=0) * len(cells) + np.arange(len(cells))
    rows, used = csr_array(candidates[best]), csr_array(cells_used[best])
    used.eliminate_zeros()
    return Pieces(rows, csr_array((used.data, cells[used.indices], used.indptr), shape=(len(cells), number)))


def _nestings(run: Run, strata: Strata) -> list[csr_array]:
    """Cells x cells: the children of each cell by unit (same segment), and by segment (same unit)."""
    cells = strata.cells.assign(cell=np.arange(len(strata.cells)))[strata.printed]
    parent = _parents(run.membership.astype(str))
    up = _wider_segment(run)
    above = cells.assign(unit_id=cells["unit_id"].map(parent)), cells.assign(segment=cells["segment"].map(up))
    return [_nesting_matrix(one.dropna().merge(cells, on=["unit_id", "segment"]), len(strata.cells)) for one in above]


def _nesting_matrix(pairs: pd.DataFrame, number: int) -> csr_array:
    positions = pairs["cell_y"].to_numpy(), pairs["cell_x"].to_numpy()
    return csr_array((np.ones(len(pairs)), positions), shape=(number, number))


def _parents(membership: pd.DataFrame) -> pd.Series:
    """Parent of each unit: the smallest unit that comprises it."""
    size = membership.groupby("unit_id")["member_id"].nunique()
    inner = membership[membership["member_id"].isin(size.index) & (membership["member_id"] != membership["unit_id"])]
    inner = inner.assign(size=inner["unit_id"].map(size)).sort_values(["size", "unit_id"], kind="stable")
    return inner.drop_duplicates("member_id").set_index("member_id")["unit_id"]


def _wider_segment(run: Run) -> dict[str, str]:
    """The next wider segment of each segment."""
    roles = np.unique(run.role.astype(str))
    return dict.fromkeys((*roles, *SIDES), ALL) | dict(segment_of_role(run.settings))
