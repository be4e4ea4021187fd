"""Published figures of several runs in their smallest pieces: they tell as much, of far fewer people each."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array, vstack

from aiready.model.registry import ALL
from aiready.privacy.record_linkage import Run
from aiready.privacy.release_groups import Places
from aiready.privacy.segments import SIDES, segment_of_role

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Pieces:
    """Rows over parts, and the cells that each is made of: 1 for its own, -1 for those taken away (pieces x cells)."""

    rows: csr_array
    cells: csr_array


class Bonds:
    """How the cells of every run hang together: by units, by segments, and with the same cell of the run before it."""

    def __init__(self, runs: Sequence[Run], places: Sequence[Places]):
        self.steps = [_steps(run, place) for run, place in zip(runs, places, strict=True)]
        named = [pd.MultiIndex.from_frame(place.cells) for place in places]
        self.same = [before.get_indexer(now) for now, before in pairwise(named)]

    def pieces(self, run: int, rows: csr_array, shown: Flags, before: tuple[csr_array, Flags] | None = None) -> Pieces:
        """Each shown cell less those within it, or less the same cell of the run before, whichever leaves the least.

        Parameters
        ----------
        run
            Its position; 0 is today.
        rows, shown
            Cells x parts, and which of them were shown.
        before
            The same of the run that is next in line, where its rows are published too.

        Notes
        -----
        What is taken away is published as well, and always something finer or earlier: the pieces and the figures
        follow from each other.
        """
        cells = np.flatnonzero(shown)
        own, number = csr_array(rows[cells]), len(cells)
        one = csr_array(eye_array(number))
        within = [csr_array(step[cells][:, cells]) for step in self.steps[run]]
        choices = [(own, one), *((own - step @ own, one - step) for step in within)]
        if before is not None:
            same = self.same[run][cells]
            there = np.flatnonzero((same >= 0) & before[1][same])
            both = csr_array((np.ones(len(there)), (there, there)), shape=(number, number))
            chosen = csr_array((np.ones(len(there)), (there, same[there])), shape=(number, before[0].shape[0]))
            change = csr_array(both @ own - chosen @ before[0])
            rest = one - both
            choices += [
                (change - both @ step @ change + rest @ own, one - both @ step @ both) for step in (0 * one, *within)
            ]
        return _least(choices, cells, rows.shape[0])


def _least(choices: Sequence[tuple[csr_array, csr_array]], cells: NDArray[np.intp], number: int) -> Pieces:
    """Of several ways to write each row the one with the fewest parts."""
    every, made = (csr_array(vstack([csr_array(choice[at]) for choice in choices])) for at in (0, 1))
    every.eliminate_zeros()
    size = np.diff(every.indptr).reshape(len(choices), -1)
    best = size.argmin(axis=0) * len(cells) + np.arange(len(cells))
    rows, used = csr_array(every[best]), csr_array(made[best])
    used.eliminate_zeros()
    return Pieces(rows, csr_array((used.data, cells[used.indices], used.indptr), shape=(len(cells), number)))


def _steps(run: Run, places: Places) -> list[csr_array]:
    """Cells x cells: units right below a unit in the same segment, and segments right within one of the same unit."""
    cells = places.cells.assign(cell=np.arange(len(places.cells)))[places.printed]
    parent = _parents(run.membership.astype(str))
    up = _wider(run)
    above = cells.assign(unit_id=cells["unit_id"].map(parent)), cells.assign(segment=cells["segment"].map(up))
    return [_bound(one.dropna().merge(cells, on=["unit_id", "segment"]), len(places.cells)) for one in above]


def _bound(pairs: pd.DataFrame, number: int) -> csr_array:
    place = pairs["cell_y"].to_numpy(), pairs["cell_x"].to_numpy()
    return csr_array((np.ones(len(pairs)), place), shape=(number, number))


def _parents(membership: pd.DataFrame) -> pd.Series:
    """The smallest unit that each unit is part of."""
    size = membership.groupby("unit_id")["member_id"].nunique()
    inner = membership[membership["member_id"].isin(size.index) & (membership["member_id"] != membership["unit_id"])]
    inner = inner.assign(size=inner["unit_id"].map(size)).sort_values(["size", "unit_id"], kind="stable")
    return inner.drop_duplicates("member_id").set_index("member_id")["unit_id"]


def _wider(run: Run) -> dict[str, str]:
    """The next wider segment of each."""
    roles = np.unique(run.role.astype(str))
    return dict.fromkeys((*roles, *SIDES), ALL) | dict(segment_of_role(run.settings))
