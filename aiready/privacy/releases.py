"""What was published of the survey, run by run: so that several runs side by side give nobody away.

A unit that was cut anew, or gained one late answer, differs from what was published before by a few people; the
two figures subtract to theirs. Such a cell is withheld (Hundepool et al. 2012, chapter 5: differencing), and so is
one that gives a few people away only together with several others, of any run.
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
from aiready.privacy.derivability import PAIRED, Floats, Moves, weights
from aiready.privacy.record_linkage import Run, runs_of
from aiready.privacy.release_groups import LEVELS, Figure, Parts, Places, findings, followed, kind_of, minimum_of
from aiready.privacy.release_keys import missing
from aiready.privacy.release_record import CELL, Draft, People, Release, keep, read, trim, wordings
from aiready.privacy.release_sums import Bonds, Pieces

__all__ = ["CELL", "Comparison", "Draft", "People", "Release", "compare", "keep", "read", "trim", "wordings"]

TINY = 1e-6
"""What counts as no weight."""
SEVERAL = 250
"""Small parts among which unions of three and four are looked for; in the figure with the most parts, `PAIRED`."""
AT_ONCE = 128
"""Sums that are looked at together when it is chosen what to hide."""


@dataclass(frozen=True)
class Comparison:
    """Today beside everything that was published before.

    `waves`: those that share people with an earlier release. `closed`: those that cannot be compared any more, with
    all of their cells; `keys`: name of each wave's key where it is not its own; `seen`: names of the releases.
    """

    waves: Mapping[str, "_Wave"]
    closed: pd.DataFrame
    keys: Mapping[str, str] = field(default_factory=dict)
    seen: frozenset[str] = frozenset()

    def withheld(self) -> pd.DataFrame:
        """Cells that differ from a published one by fewer people than the minimum group (unit_id, wave, segment).

        Notes
        -----
        The distance of two cells is counted figure by figure, since each has its own people: those who stand in one of
        the two only, and those in both whose answers changed. A figure of exactly the people and answers that was
        published before gives away nothing new, whatever it is near to. Where a release holds the very people of
        today, the same cells are withheld again. Distributions are no part of it: see `besides`.
        """
        return _stacked([self.closed, *(wave.near() for wave in self.waves.values())])

    @threadpool_limits.wrap(limits=1, user_api="blas")  # many small sums: threads would only wait for each other
    def given_away(self, shown: pd.DataFrame) -> pd.DataFrame:
        """Cells of those to be shown that would, with all that was published before, give a few people away.

        Parameters
        ----------
        shown
            unit_id, wave, segment of every cell that would be shown; any of its figures is taken to be.

        Notes
        -----
        `withheld` compares two figures; this adds up any number. Every figure of all runs is a sum over groups of
        people, those that no run tells apart. None of fewer people than the minimum may be a weighted sum of figures:
        no such group, no two to four of them together, no cell of any run, no role of a unit; nor may it become one
        for somebody who is alone in a group. What earlier runs alone give away cannot be taken back; what today alone
        would is for the privacy gate.
        """
        return _stacked(
            [pd.DataFrame(columns=CELL), *(wave.given_away(shown) for wave in self.waves.values())],
        )

    @threadpool_limits.wrap(limits=1, user_api="blas")
    def besides(self, cells: pd.DataFrame, shown: NDArray[np.bool_]) -> pd.DataFrame:
        """Figures of today to hide besides, now that it is known which would be shown where.

        Parameters
        ----------
        cells
            unit_id, wave, segment.
        shown
            Cells x figures of today's people: whether it would be shown there.

        Returns
        -------
        pandas.DataFrame
            unit_id, wave, segment, figure.

        Notes
        -----
        `withheld` and `given_away` take every figure to be shown wherever a scale is. Here distributions are compared
        by their own minimum, and all others once more, since what follows from figures that are shown may also
        follow from others that turned out to be hidden.
        """
        rows = cells["wave"].to_numpy()
        tables = [wave.besides(cells[rows == name], shown[rows == name]) for name, wave in self.waves.items()]
        return pd.concat([pd.DataFrame(columns=[*CELL, "figure"], dtype=object), *tables], ignore_index=True)

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know of it, a sentence each."""
        return tuple(
            f"responses: nothing of the wave {wave} is shown, since the key of what was published of it is gone and "
            "nobody can compare: put it back into records/history/keys, or publish nothing more of this wave"
            for wave in sorted(self.closed["wave"].unique())
        )


def _stacked(tables: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [table for table in tables if not table.empty]
    return pd.concat(filled or tables[:1], ignore_index=True)[CELL].drop_duplicates(ignore_index=True)


def compare(people: People, membership: pd.DataFrame, earlier: Sequence[Release], settings: Settings) -> Comparison:
    """Today's people beside those of every earlier release, of whatever wave it called them.

    A wave one of whose releases has lost its key is closed: nothing of it can be compared, so nothing of it is shown.
    """
    waves, keys, closed = dict[str, _Wave](), dict[str, str](), [pd.DataFrame(columns=CELL)]
    for wave in sorted(people.table["wave"].unique()) if earlier else ():
        runs, name = runs_of(people, membership, wave, earlier, settings)
        compared = _Wave(wave, runs, people.figures, settings)
        if _without_key(wave, earlier):
            closed.append(compared.cells)
        elif len(runs) > 1:
            waves[wave] = compared
            keys |= {wave: name} if name else {}
    return Comparison(waves, _stacked(closed), keys, frozenset(release.name for release in earlier))


def _without_key(wave: str, earlier: Sequence[Release]) -> bool:
    for release in earlier:
        if "key" in release.people:
            of_wave = release.people.loc[release.people["wave"] == wave, "key"]
            if missing(of_wave.unique().tolist(), release.keys):
                return True
    return False


class _Wave:
    """A wave of today with every run that shares people with it; run 0 is today."""

    def __init__(self, wave: str, runs: list[Run], figures: pd.DataFrame, settings: Settings):
        self.wave, self.runs, self.figures, self.settings = wave, runs, figures, settings
        self.places = [Places.of(run) for run in runs]
        self.parts, self.bonds = Parts(runs, self.places), Bonds(runs, self.places)
        self.printed = self.places[0].printed
        self.past = [place.shown(run.cells, run.shown) for place, run in zip(self.places[1:], runs[1:], strict=True)]
        self.again = next((at for at, run in enumerate(runs[1:], start=1) if run.alike), None)
        self.settled = dict[int, NDArray[np.bool_]]()

    @property
    def cells(self) -> pd.DataFrame:
        """Every cell of today that may be printed at all."""
        return self._named(self.printed)

    def _named(self, chosen: NDArray[np.bool_]) -> pd.DataFrame:
        return self.places[0].cells[chosen].assign(wave=self.wave)[CELL]

    def near(self) -> pd.DataFrame:
        """Cells that differ from a published one by few; where all is as it was, those withheld then."""
        if self.again is not None:
            return self.runs[self.again].withheld[CELL]
        close = np.zeros(len(self.printed), dtype=bool)
        for figure in self.distinct:
            close |= self._near(figure) if figure.kind != LEVELS else False
        return self._named(close)

    @property
    def distinct(self) -> list[Figure]:
        """The figures that differ in the people behind them, or in where they were shown."""
        return self._distinct[0]

    @cached_property
    def _distinct(self) -> tuple[list[Figure], NDArray[np.intp]]:
        """Distinct figures, and which of them each figure is; -1 where nobody is behind it."""
        enough = max(minimum_of(kind, run.settings) for run in self.runs for kind in ("", LEVELS))
        counted, figures, order = dict[object, int](), dict[object, int](), list[Figure]()
        which = np.full(len(self.figures), -1)
        for place, name in enumerate(self.figures["figure"]):
            seen = [np.ascontiguousarray(shown[:, place]) for shown in self.past]
            same = kind_of(str(name)), self.parts.signature(place), *(shown.tobytes() for shown in seen)
            if same not in counted:
                figure = self.parts.figure(place, kind_of(str(name)), seen)
                counted[same] = figures.setdefault(figure.signature(enough), len(order))
                order += [figure] if counted[same] == len(order) else []
            which[place] = counted[same]
        there = np.array([len(figure.people) > 0 for figure in order], dtype=bool).reshape(-1)
        number = np.append(np.where(there, np.cumsum(there) - 1, -1), -1)
        return [figure for figure in order if len(figure.people)], number[which]

    def _published(self, figure: Figure) -> csr_array:
        """Rows of everything that earlier runs published of a figure, each once."""
        shown = enumerate(self._shown_before(figure), start=1)
        rows = [figure.rows[at][np.flatnonzero(cells)] for at, cells in shown]
        every = csr_array(vstack(rows)) if rows else csr_array((0, len(figure.people)))
        return every[np.unique(figure.marks(every), return_index=True)[1]] if every.shape[0] else every

    def _shown_before(self, figure: Figure) -> list[NDArray[np.bool_]]:
        """Cells of each earlier run in which it showed a figure."""
        return [
            figure.of(shown, self.places[at].cells["segment"])
            & (figure.rows[at] @ figure.people >= minimum_of(figure.kind, self.runs[at].settings))
            for at, shown in enumerate(figure.seen, start=1)
        ]

    def _near(self, figure: Figure) -> NDArray[np.bool_]:
        minimum = minimum_of(figure.kind, self.settings)
        today, before = figure.rows[0], self._published(figure)
        size, theirs = today @ figure.people, before @ figure.people
        shared = csr_array(today @ (2 * diags_array(figure.people) + figure.edited) @ before.T).tocoo()
        ours, other = shared.coords
        apart = size[ours] + theirs[other] - shared.data
        few = (apart > 0) & (apart < minimum)
        close = np.zeros(len(size), dtype=bool)
        close[ours[few]] = True
        published = np.isin(figure.marks(today), figure.marks(before))
        return close & self.printed & (size >= minimum) & ~published

    def given_away(self, shown: pd.DataFrame) -> pd.DataFrame:
        """Cells to hide besides, so that no few people follow from all runs."""
        of_wave = shown[shown["wave"] == self.wave]
        visible = self.places[0].shown(of_wave, np.ones((len(of_wave), 1), dtype=bool))[:, 0]
        if self.again is not None:  # as it was: what was hidden then
            cells = self.runs[self.again].cells
            return self._named(visible & ~self.places[0].shown(cells, np.ones((len(cells), 1), dtype=bool))[:, 0])
        hidden = np.zeros(len(self.printed), dtype=bool)
        for at, figure in enumerate(self.distinct):
            if figure.kind != LEVELS:
                self._guard(at, visible, hidden)
        return self._named(hidden)

    def _again(self) -> NDArray[np.bool_]:
        """Cells of today x figures: whether they were shown in the run that was like today's."""
        run = self.runs[self.again or 0]
        return self.places[0].shown(run.cells, run.shown)

    def _guard(self, at: int, visible: NDArray[np.bool_], hidden: NDArray[np.bool_]) -> None:
        """Add to the hidden cells what a figure needs hidden that is shown in the visible ones."""
        figure = self.distinct[at]
        minimum = minimum_of(figure.kind, self.settings)
        seen = figure.of(visible, self.places[0].cells["segment"]) & (figure.rows[0] @ figure.people >= minimum)
        if at in self.settled and not (seen & ~self.settled[at]).any():
            return  # fewer figures than were looked at before
        guard = _Guard(figure, self.bonds, self._shown_before(figure), minimum)
        guard.several = PAIRED if len(figure.people) == self.largest else SEVERAL
        guard.hide(seen, hidden)
        if not guard.left_to_gate:
            self.settled[at] = seen & ~hidden

    @cached_property
    def largest(self) -> int:
        """Parts of the figure with the most."""
        return max((len(figure.people) for figure in self.distinct), default=0)

    def besides(self, cells: pd.DataFrame, shown: NDArray[np.bool_]) -> pd.DataFrame:
        """Figures to hide besides, given the cells in which each would be shown."""
        seen, which = self.places[0].shown(cells, shown), self._distinct[1]
        more, judged = np.zeros_like(seen), dict[tuple[int, bytes], NDArray[np.bool_]]()
        for place, at in enumerate(which):
            same = int(at), seen[:, place].tobytes()
            if at >= 0 and same not in judged:
                judged[same] = self._besides(*same[:1], seen[:, place])
            more[:, place] = judged[same] if at >= 0 else False
        if self.again is not None:
            more = seen & ~self._again()
        cell, figure = np.nonzero(more)
        named = self.places[0].cells.iloc[cell].assign(wave=self.wave)[CELL].reset_index(drop=True)
        return named.assign(figure=self.figures["figure"].to_numpy(object)[figure])

    def _besides(self, at: int, visible: NDArray[np.bool_]) -> NDArray[np.bool_]:
        figure = self.distinct[at]
        hidden = self._near(figure) & visible if figure.kind == LEVELS else np.zeros(len(visible), dtype=bool)
        self._guard(at, visible & ~hidden, hidden)
        return hidden & visible


class _Guard:
    """One figure in all runs: what follows from it, and what of today to hide so that it does not."""

    def __init__(self, figure: Figure, bonds: Bonds, before: list[NDArray[np.bool_]], minimum: int):
        self.figure, self.bonds, self.minimum = figure, bonds, minimum
        self.today, self.size = figure.rows[0], figure.rows[0] @ figure.people
        self.groups = figure.sensitive(minimum)
        runs = list(zip(figure.rows[1:], before, strict=True))
        self.last = runs[0]
        pieces = [bonds.pieces(at, *run, *runs[at : at + 1]).rows for at, run in enumerate(runs, start=1)]
        self.before = csr_array(vstack(pieces))
        old = np.concatenate([figure.marks(csr_array(rows[np.flatnonzero(shown)])) for rows, shown in runs])
        self.fresh = ~np.isin(figure.marks(self.today), old)
        self.several, self.left_to_gate = PAIRED, False

    @cached_property
    def known(self) -> Moves:
        """How the parts can change under what earlier runs published."""
        return Moves.under(self.before)

    def hide(self, shown: NDArray[np.bool_], hidden: NDArray[np.bool_]) -> None:
        """Add to the hidden cells of today until nothing follows that did not before."""
        if not self.before.shape[0]:
            return
        while (shown & ~hidden & self.fresh).any():
            visible = shown & ~hidden
            rows, _ = self._rows(visible)
            sums = findings(rows, self.figure, self.groups, self.minimum, self.several)
            sums = sums[np.flatnonzero(~self.known.derivable(sums))]
            by_itself = followed(self.bonds.pieces(0, self.today, visible).rows, sums)
            self.left_to_gate |= bool(by_itself.any())
            sums = sums[np.flatnonzero(~by_itself)]
            if not sums.shape[0]:
                return
            self._end(sums, shown, hidden)

    def _rows(self, visible: NDArray[np.bool_]) -> tuple[csr_array, Pieces]:
        """Everything that would be published, in pieces; and those of today."""
        pieces = self.bonds.pieces(0, self.today, visible, self.last)
        return csr_array(vstack([self.before, pieces.rows])), pieces

    def _end(self, sums: csr_array, shown: NDArray[np.bool_], hidden: NDArray[np.bool_]) -> None:
        """Hide cells until none of some sums follows any more."""
        while sums.shape[0] and (shown & ~hidden & self.fresh).any():
            rows, pieces = self._rows(shown & ~hidden)
            used, single = weights(rows, sums[: min(AT_ONCE, sums.shape[0])])
            old = self.before.shape[0]
            chosen = self._chosen(pieces, used[old:], single[old:])
            hidden[chosen] = True
            sums = sums[followed(self._rows(shown & ~hidden)[0], sums)] if chosen else sums[AT_ONCE:]

    def _chosen(self, pieces: Pieces, used: Floats, single: NDArray[np.bool_]) -> list[int]:
        """For each sum the smallest cell it takes, of those without which it ends where there are any."""
        taken = (np.abs(pieces.cells.T @ used) > TINY) & self.fresh[:, None]
        ends = (abs(pieces.cells).T @ ((np.abs(used) > TINY) & single[:, None]).astype(float) > 0) & taken
        chosen = list[int]()
        for column, ending in zip(taken.T, ends.T, strict=True):
            if not column[chosen].any():
                cells = np.flatnonzero(ending if ending.any() else column)
                chosen += cells[np.argsort(self.size[cells], kind="stable")[:1]].tolist()
        return chosen
