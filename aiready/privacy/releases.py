"""Differencing across releases: no comparison of several runs may disclose a few people.

A unit that was reorganised, or gained one late answer, differs from its published figure by a few people, and the
difference of the two figures is theirs. Such a cell is withheld (Hundepool et al. 2012, chapter 5: differencing), and
so is one that discloses a few people only together with several others, of any run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array, vstack
from threadpoolctl import threadpool_limits

from aiready.instrument.model import Settings
from aiready.privacy.derivability import UNION_LIMIT, Floats, Moves, derivation_weights
from aiready.privacy.record_linkage import Run, linked_runs
from aiready.privacy.release_groups import (
    LEVELS,
    Figure,
    Parts,
    Strata,
    are_derivable,
    derivable_sums,
    kind_of,
    minimum_of,
)
from aiready.privacy.release_keys import missing_keys
from aiready.privacy.release_record import CELL, Draft, People, Release, read, save, trim, wordings
from aiready.privacy.release_sums import CellRelations, Pieces

__all__ = ["CELL", "Comparison", "Draft", "People", "Release", "compare", "read", "save", "trim", "wordings"]

ZERO_WEIGHT = 1e-6
"""Weights below this are zero."""
SMALL_UNION_LIMIT = 250
"""As `UNION_LIMIT`, for all figures but the one with the most parts."""
SUMS_AT_ONCE = 128
"""Sums considered at once when choosing the cells to hide."""


@dataclass(frozen=True)
class Comparison:
    """Today's people compared with all earlier releases.

    `waves`: those that share people with an earlier release. `closed`: all cells of waves that can no longer be
    compared. `keys`: name of each wave's key where it is not its own. `release_names`: of the earlier releases.
    """

    waves: Mapping[str, "_Wave"]
    closed: pd.DataFrame
    keys: Mapping[str, str] = field(default_factory=dict)
    release_names: frozenset[str] = frozenset()

    def differencing_risks(self) -> pd.DataFrame:
        """Cells that differ from a published one by fewer people than the minimum group (unit_id, wave, segment).

        Notes
        -----
        The distance of two cells is counted figure by figure, since each has its own contributors: people in only one
        of the two, and people in both whose answers changed. A figure that was published before with exactly the same
        people and answers discloses nothing new, whatever it is close to. Where a release has exactly today's people,
        the same cells are withheld again. Distributions are left to `figures_to_hide`.
        """
        return _distinct_cells([self.closed, *(wave.differencing_risks() for wave in self.waves.values())])

    # many small matrices: threads would only wait for each other
    @threadpool_limits.wrap(limits=1, user_api="blas")
    def derivable_cells(self, cells_to_show: pd.DataFrame) -> pd.DataFrame:
        """Cells of those to be shown that would, with everything published before, disclose a few people.

        Parameters
        ----------
        shown
            unit_id, wave, segment of every cell to be shown; all of its figures are assumed to be shown.

        Notes
        -----
        `differencing_risks` compares two figures; this considers linear combinations of any number. Every figure of all
        runs is a sum over parts: groups of people that no run distinguishes. With fewer people than the minimum, no
        part, no union of two to four parts, no cell of any run and no role of a unit may be derivable, not even by
        the only person in a part. What earlier runs alone disclose cannot be undone; what today alone would disclose is
        left to the privacy gate.
        """
        return _distinct_cells(
            [pd.DataFrame(columns=CELL), *(wave.derivable_cells(cells_to_show) for wave in self.waves.values())],
        )

    @threadpool_limits.wrap(limits=1, user_api="blas")
    def figures_to_hide(self, cells: pd.DataFrame, figures_shown: NDArray[np.bool_]) -> pd.DataFrame:
        """Further figures of today to hide, given which would be shown in which cells.

        Parameters
        ----------
        cells
            unit_id, wave, segment.
        shown
            Cells x figures of today: whether it would be shown there.

        Returns
        -------
        pandas.DataFrame
            unit_id, wave, segment, figure.

        Notes
        -----
        `differencing_risks` and `derivable_cells` assume that every figure is shown wherever a scale is. Here
        distributions are compared by their own minimum, and all other figures once more, given what is hidden by now.
        """
        rows = cells["wave"].to_numpy()
        tables = [
            wave.figures_to_hide(cells[rows == name], figures_shown[rows == name]) for name, wave in self.waves.items()
        ]
        return pd.concat([pd.DataFrame(columns=[*CELL, "figure"], dtype=object), *tables], ignore_index=True)

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks for the reader, a sentence each."""
        return tuple(
            f"responses: nothing of the wave {wave} is shown, since the key of what was published of it is gone and "
            "nobody can compare: put it back into records/history/keys, or publish nothing more of this wave"
            for wave in sorted(self.closed["wave"].unique())
        )


def _distinct_cells(tables: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [table for table in tables if not table.empty]
    return pd.concat(filled or tables[:1], ignore_index=True)[CELL].drop_duplicates(ignore_index=True)


def compare(people: People, membership: pd.DataFrame, earlier: Sequence[Release], settings: Settings) -> Comparison:
    """Compare today's people with those of every earlier release, under whatever wave label.

    A wave is closed where the key of one of its releases is lost: it cannot be compared, so none of it is shown.
    """
    waves, keys, closed = dict[str, _Wave](), dict[str, str](), [pd.DataFrame(columns=CELL)]
    for wave in sorted(people.table["wave"].unique()) if earlier else ():
        runs, name = linked_runs(people, membership, wave, earlier, settings)
        wave_comparison = _Wave(wave, runs, people.figures, settings)
        if _key_is_lost(wave, earlier):
            closed.append(wave_comparison.cells)
        elif len(runs) > 1:
            waves[wave] = wave_comparison
            keys |= {wave: name} if name else {}
    return Comparison(waves, _distinct_cells(closed), keys, frozenset(release.name for release in earlier))


def _key_is_lost(wave: str, earlier: Sequence[Release]) -> bool:
    for release in earlier:
        if "key" in release.people:
            of_wave = release.people.loc[release.people["wave"] == wave, "key"]
            if missing_keys(of_wave.unique().tolist(), release.keys):
                return True
    return False


class _Wave:
    """A wave of today with all runs that share people with it; run 0 is today."""

    def __init__(self, wave: str, runs: list[Run], figures: pd.DataFrame, settings: Settings):
        self.wave, self.runs, self.figures, self.settings = wave, runs, figures, settings
        self.strata = [Strata.of(run) for run in runs]
        self.parts, self.relations = Parts(runs, self.strata), CellRelations(runs, self.strata)
        self.printed = self.strata[0].printed
        self.earlier_shown = [
            strata.shown_matrix(run.cells, run.shown_figures)
            for strata, run in zip(self.strata[1:], runs[1:], strict=True)
        ]
        self.repeated = next((at for at, run in enumerate(runs[1:], start=1) if run.unchanged), None)
        self.proven = dict[int, NDArray[np.bool_]]()

    @property
    def cells(self) -> pd.DataFrame:
        """Every cell of today that may be printed at all."""
        return self._cells_at(self.printed)

    def _cells_at(self, chosen: NDArray[np.bool_]) -> pd.DataFrame:
        return self.strata[0].cells[chosen].assign(wave=self.wave)[CELL]

    def differencing_risks(self) -> pd.DataFrame:
        """Cells that differ from a published one by few people; where nothing changed, those withheld then."""
        if self.repeated is not None:
            return self.runs[self.repeated].withheld[CELL]
        close = np.zeros(len(self.printed), dtype=bool)
        for figure in self.distinct:
            close |= self._close_cells(figure) if figure.kind != LEVELS else False
        return self._cells_at(close)

    @property
    def distinct(self) -> list[Figure]:
        """Figures that differ in their contributors, or in where they were shown."""
        return self._distinct[0]

    @cached_property
    def _distinct(self) -> tuple[list[Figure], NDArray[np.intp]]:
        """Distinct figures, and which of them each figure is; -1 for a figure without contributors."""
        enough = max(minimum_of(kind, run.settings) for run in self.runs for kind in ("", LEVELS))
        counted, figures, order = dict[object, int](), dict[object, int](), list[Figure]()
        which = np.full(len(self.figures), -1)
        for position, name in enumerate(self.figures["figure"]):
            earlier = [np.ascontiguousarray(cells[:, position]) for cells in self.earlier_shown]
            key = kind_of(str(name)), self.parts.signature(position), *(cells.tobytes() for cells in earlier)
            if key not in counted:
                figure = self.parts.figure(position, kind_of(str(name)), earlier)
                counted[key] = figures.setdefault(figure.signature(enough), len(order))
                order += [figure] if counted[key] == len(order) else []
            which[position] = counted[key]
        nonempty = np.array([len(figure.people) > 0 for figure in order], dtype=bool).reshape(-1)
        number = np.append(np.where(nonempty, np.cumsum(nonempty) - 1, -1), -1)
        return [figure for figure in order if len(figure.people)], number[which]

    def _published(self, figure: Figure) -> csr_array:
        """Rows of all cells in which earlier runs published a figure, each once."""
        earlier = enumerate(self._earlier_cells(figure), start=1)
        rows = [figure.rows[at][np.flatnonzero(cells)] for at, cells in earlier]
        published = csr_array(vstack(rows)) if rows else csr_array((0, len(figure.people)))
        if not published.shape[0]:
            return published
        return published[np.unique(figure.row_hashes(published), return_index=True)[1]]

    def _earlier_cells(self, figure: Figure) -> list[NDArray[np.bool_]]:
        """Cells of each earlier run in which it showed a figure."""
        return [
            figure.printed(cells, self.strata[at].cells["segment"])
            & (figure.rows[at] @ figure.people >= minimum_of(figure.kind, self.runs[at].settings))
            for at, cells in enumerate(figure.earlier_shown, start=1)
        ]

    def _close_cells(self, figure: Figure) -> NDArray[np.bool_]:
        """Cells of today that differ from a published one by few people, counted for one figure."""
        minimum = minimum_of(figure.kind, self.settings)
        today, before = figure.rows[0], self._published(figure)
        size, earlier_size = today @ figure.people, before @ figure.people
        shared = csr_array(today @ (2 * diags_array(figure.people) + figure.edited) @ before.T).tocoo()
        cell, earlier_cell = shared.coords
        distance = size[cell] + earlier_size[earlier_cell] - shared.data
        few = (distance > 0) & (distance < minimum)
        close = np.zeros(len(size), dtype=bool)
        close[cell[few]] = True
        published = np.isin(figure.row_hashes(today), figure.row_hashes(before))
        return np.asarray(close & self.printed & (size >= minimum) & ~published)

    def derivable_cells(self, cells_to_show: pd.DataFrame) -> pd.DataFrame:
        """Further cells to hide, so that all runs together disclose no small group."""
        of_wave = cells_to_show[cells_to_show["wave"] == self.wave]
        visible = self.strata[0].shown_matrix(of_wave, np.ones((len(of_wave), 1), dtype=bool))[:, 0]
        if self.repeated is not None:  # nothing changed: hide what was hidden then
            cells = self.runs[self.repeated].cells
            return self._cells_at(
                visible & ~self.strata[0].shown_matrix(cells, np.ones((len(cells), 1), dtype=bool))[:, 0]
            )
        hidden = np.zeros(len(self.printed), dtype=bool)
        for at, figure in enumerate(self.distinct):
            if figure.kind != LEVELS:
                self._protect(at, visible, hidden)
        return self._cells_at(hidden)

    def _shown_in_repeated(self) -> NDArray[np.bool_]:
        """Cells of today x figures: whether they were shown in the run with the same people."""
        run = self.runs[self.repeated or 0]
        return self.strata[0].shown_matrix(run.cells, run.shown_figures)

    def _protect(self, at: int, visible: NDArray[np.bool_], hidden: NDArray[np.bool_]) -> None:
        """Add to `hidden` the cells that must be hidden for one figure, given the visible ones."""
        figure = self.distinct[at]
        minimum = minimum_of(figure.kind, self.settings)
        to_show = figure.printed(visible, self.strata[0].cells["segment"]) & (figure.rows[0] @ figure.people >= minimum)
        if at in self.proven and not (to_show & ~self.proven[at]).any():
            return  # a subset of cells that were found to be safe
        guard = _FigureGuard(figure, self.relations, self._earlier_cells(figure), minimum)
        guard.union_limit = UNION_LIMIT if len(figure.people) == self.largest else SMALL_UNION_LIMIT
        guard.hide(to_show, hidden)
        if not guard.left_to_gate:
            self.proven[at] = to_show & ~hidden

    @cached_property
    def largest(self) -> int:
        """Number of parts of the figure with the most."""
        return max((len(figure.people) for figure in self.distinct), default=0)

    def figures_to_hide(self, cells: pd.DataFrame, figures_shown: NDArray[np.bool_]) -> pd.DataFrame:
        """Further figures to hide, given the cells in which each would be shown."""
        visible, which = self.strata[0].shown_matrix(cells, figures_shown), self._distinct[1]
        to_hide, decided = np.zeros_like(visible), dict[tuple[int, bytes], NDArray[np.bool_]]()
        for position, at in enumerate(which):
            key = int(at), visible[:, position].tobytes()
            if at >= 0 and key not in decided:
                decided[key] = self._figure_cells_to_hide(int(at), visible[:, position])
            to_hide[:, position] = decided[key] if at >= 0 else False
        if self.repeated is not None:
            to_hide = visible & ~self._shown_in_repeated()
        cell, figure = np.nonzero(to_hide)
        cells_of_wave = self.strata[0].cells.iloc[cell].assign(wave=self.wave)[CELL].reset_index(drop=True)
        return cells_of_wave.assign(figure=self.figures["figure"].to_numpy(object)[figure])

    def _figure_cells_to_hide(self, at: int, visible: NDArray[np.bool_]) -> NDArray[np.bool_]:
        figure = self.distinct[at]
        hidden = self._close_cells(figure) & visible if figure.kind == LEVELS else np.zeros(len(visible), dtype=bool)
        self._protect(at, visible & ~hidden, hidden)
        return hidden & visible


class _FigureGuard:
    """Protection of one figure in all runs: what it discloses, and which of today's cells to hide."""

    def __init__(self, figure: Figure, relations: CellRelations, before: list[NDArray[np.bool_]], minimum: int):
        self.figure, self.relations, self.minimum = figure, relations, minimum
        self.today, self.size = figure.rows[0], figure.rows[0] @ figure.people
        self.groups = figure.sensitive(minimum)
        runs = list(zip(figure.rows[1:], before, strict=True))
        self.last = runs[0]
        pieces = [relations.pieces(at, *run, *runs[at : at + 1]).rows for at, run in enumerate(runs, start=1)]
        self.before = csr_array(vstack(pieces))
        old = np.concatenate([figure.row_hashes(csr_array(rows[np.flatnonzero(cells)])) for rows, cells in runs])
        self.unpublished = ~np.isin(figure.row_hashes(self.today), old)
        self.union_limit, self.left_to_gate = UNION_LIMIT, False

    @cached_property
    def earlier_moves(self) -> Moves:
        """Moves under everything that earlier runs published."""
        return Moves.under(self.before)

    def hide(self, cells_to_show: NDArray[np.bool_], hidden: NDArray[np.bool_]) -> None:
        """Add to `hidden` until today's cells disclose nothing that was not disclosed before."""
        if not self.before.shape[0]:
            return
        while (cells_to_show & ~hidden & self.unpublished).any():
            visible = cells_to_show & ~hidden
            rows, _ = self._rows(visible)
            sums = derivable_sums(rows, self.figure, self.groups, self.minimum, self.union_limit)
            sums = sums[np.flatnonzero(~self.earlier_moves.derivable(sums))]
            from_today_alone = are_derivable(self.relations.pieces(0, self.today, visible).rows, sums)
            self.left_to_gate |= bool(from_today_alone.any())
            sums = sums[np.flatnonzero(~from_today_alone)]
            if not sums.shape[0]:
                return
            self._break_sums(sums, cells_to_show, hidden)

    def _rows(self, visible: NDArray[np.bool_]) -> tuple[csr_array, Pieces]:
        """Everything that would be published, in pieces; and the pieces of today."""
        pieces = self.relations.pieces(0, self.today, visible, self.last)
        return csr_array(vstack([self.before, pieces.rows])), pieces

    def _break_sums(self, sums: csr_array, cells_to_show: NDArray[np.bool_], hidden: NDArray[np.bool_]) -> None:
        """Hide cells until none of some sums can be derived."""
        while sums.shape[0] and (cells_to_show & ~hidden & self.unpublished).any():
            rows, pieces = self._rows(cells_to_show & ~hidden)
            used, irreplaceable = derivation_weights(rows, sums[: min(SUMS_AT_ONCE, sums.shape[0])])
            old = self.before.shape[0]
            chosen = self._cells_to_hide(pieces, used[old:], irreplaceable[old:])
            hidden[chosen] = True
            sums = sums[are_derivable(self._rows(cells_to_show & ~hidden)[0], sums)] if chosen else sums[SUMS_AT_ONCE:]

    def _cells_to_hide(self, pieces: Pieces, used: Floats, irreplaceable: NDArray[np.bool_]) -> list[int]:
        """For each sum the smallest cell used in deriving it, an irreplaceable one where there are any."""
        used_cells = (np.abs(pieces.cells.T @ used) > ZERO_WEIGHT) & self.unpublished[:, None]
        ends = (
            abs(pieces.cells).T @ ((np.abs(used) > ZERO_WEIGHT) & irreplaceable[:, None]).astype(float) > 0
        ) & used_cells
        chosen = list[int]()
        for column, ending in zip(used_cells.T, ends.T, strict=True):
            if not column[chosen].any():
                cells = np.flatnonzero(ending if ending.any() else column)
                chosen += cells[np.argsort(self.size[cells], kind="stable")[:1]].tolist()
        return chosen
