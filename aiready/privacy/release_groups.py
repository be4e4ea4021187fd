"""Groups of people that no run distinguishes, figure by figure, and which small ones published sums disclose."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array, vstack

from aiready.instrument.model import Settings
from aiready.model.registry import ALL
from aiready.model.schema import ROLES
from aiready.privacy.derivability import PARALLEL_TOLERANCE, Floats, Moves, incidence
from aiready.privacy.record_linkage import Run
from aiready.privacy.segments import SIDES, segment_of_role

SEED = 7
LEVELS = "levels:"
"""Kind of figures that are distributions."""
_WHOLE_AND_SIDES = (ALL, *SIDES)
PRINTED_SEGMENTS = {"item:": _WHOLE_AND_SIDES, "any:": _WHOLE_AND_SIDES, LEVELS: _WHOLE_AND_SIDES, "theme:": (ALL,)}
"""Segments that figures of these kinds are printed for; other figures are printed for all."""
Numbers = NDArray[np.uint64]


def kind_of(figure: str) -> str:
    """Kind of a figure that is printed for some segments only; empty for all others.

    Examples
    --------
    >>> kind_of("item:team_goal"), kind_of("scale:measurement")
    ('item:', '')
    """
    return next((kind for kind in PRINTED_SEGMENTS if figure.startswith(kind)), "")


def minimum_of(kind: str, settings: Settings) -> int:
    """Fewest contributors to a figure of this kind."""
    own = settings.minimum_distribution if kind == LEVELS else settings.minimum_group
    return max(own, settings.minimum_group)


@dataclass(frozen=True)
class Strata:
    """Strata (unit x role) of the people of a run, and the cells that these strata belong to.

    `stratum`: of each person. `cells`: unit_id and segment of every reporting unit; then groups that are never printed:
    every role of a unit's own people, and all its own people. `incidence`: cells x strata. `printed`: which cells may
    be printed at all.
    """

    stratum: NDArray[np.intp]
    cells: pd.DataFrame
    incidence: csr_array
    printed: NDArray[np.bool_]

    @classmethod
    def of(cls, run: Run) -> "Strata":
        """Strata of a run, in an order that does not depend on the order of its rows."""
        people = pd.DataFrame({"unit_id": run.unit_id, "role": run.role}).astype(str)
        strata = people.drop_duplicates().sort_values(["unit_id", "role"]).reset_index(drop=True)
        stratum = pd.MultiIndex.from_frame(strata).get_indexer(pd.MultiIndex.from_frame(people))
        own = strata.rename_axis("place").reset_index().rename(columns={"unit_id": "member_id"})
        counted = own.merge(run.membership.astype(str), on="member_id").merge(_segments(run, strata), on="role")
        reporting = counted[["unit_id", "segment", "place"]].drop_duplicates()
        roles = own.assign(unit_id=own["member_id"], segment="own " + own["role"])
        everybody = own.assign(unit_id=own["member_id"], segment="own")
        unprinted = pd.concat([roles, everybody])[["unit_id", "segment", "place"]]
        all_rows = pd.concat([reporting.assign(printed=True), unprinted.assign(printed=False)], ignore_index=True)
        all_rows = all_rows.sort_values(["printed", "unit_id", "segment", "place"], ascending=[False, True, True, True])
        cell = all_rows.groupby(["printed", "unit_id", "segment"], sort=False).ngroup().to_numpy()
        cells = all_rows.drop_duplicates(["printed", "unit_id", "segment"]).reset_index(drop=True)
        incidence = csr_array((np.ones(len(all_rows)), (cell, all_rows["place"])), shape=(len(cells), len(strata)))
        roles = cells["segment"].isin(ROLES) & cells["unit_id"].isin(_leaves(run.membership))
        return cls(stratum, cells[["unit_id", "segment"]], incidence, (cells["printed"] & ~roles).to_numpy(bool))

    def shown_matrix(self, cells: pd.DataFrame, figures: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Rearrange `figures` (rows of `cells`: unit_id, segment) to all cells; False for cells that are missing."""
        index = pd.MultiIndex.from_frame(cells[["unit_id", "segment"]].astype(str))
        position = np.where(self.printed, index.get_indexer(pd.MultiIndex.from_frame(self.cells)), -1)
        matrix = np.zeros((len(self.cells), figures.shape[1]), dtype=bool)
        matrix[position >= 0] = figures[position[position >= 0]]
        return matrix


def _leaves(membership: pd.DataFrame) -> set[str]:
    """Units without units below: their single roles are never printed."""
    inner = membership["member_id"].isin(membership["unit_id"]) & (membership["member_id"] != membership["unit_id"])
    return set(membership["unit_id"]) - set(membership.loc[inner, "unit_id"])


def _segments(run: Run, strata: pd.DataFrame) -> pd.DataFrame:
    """Segments that each role belongs to, by the settings of the run."""
    side_of = segment_of_role(run.settings)
    pairs = [
        (role, segment)
        for role in strata["role"].unique()
        for segment in sorted({ALL, *({role, side_of.get(role, ALL)} if role in ROLES else set())})
    ]
    return pd.DataFrame(pairs, columns=["role", "segment"], dtype=object)


@dataclass(frozen=True)
class Figure:
    """One figure in all runs: its people by part, and every cell of every run as a row over parts.

    `kind` as in `kind_of`. `earlier_shown`: cells in which earlier runs showed it, run by run. `edited`: parts x parts,
    how many people are in the first with today's answers and in the second with others. `part_ids`: of each part,
    equal in two figures for the same part.
    """

    kind: str
    earlier_shown: Sequence[NDArray[np.bool_]]
    people: Floats
    rows: list[csr_array]
    edited: csr_array
    part_ids: Numbers

    def printed(self, cells: NDArray[np.bool_], segments: pd.Series) -> NDArray[np.bool_]:
        """Restrict flags of cells to those in which this figure may be printed."""
        only = PRINTED_SEGMENTS.get(self.kind)
        return cells if only is None else cells & segments.isin(only).to_numpy()

    def row_hashes(self, rows: csr_array) -> Floats:
        """A number for each row, equal only for equal rows."""
        random_numbers = np.random.default_rng(SEED).standard_normal(len(self.people))
        return np.round(np.asarray(rows @ random_numbers), 9)

    def signature(self, enough: int) -> tuple[object, ...]:
        """Equal for figures that need the same protection; numbers of people above `enough` make no difference."""
        edits = self.edited.indptr.tobytes(), self.edited.indices.tobytes(), self.edited.data.tobytes()
        earlier = (cells.tobytes() for cells in self.earlier_shown)
        return self.kind, self.part_ids.tobytes(), np.minimum(self.people, enough).tobytes(), *edits, *earlier

    def sensitive(self, minimum: int) -> csr_array:
        """Sensitive groups: small parts, cells of every run and roles; and changes of few answers."""
        groups = csr_array(vstack([eye_array(len(self.people)), *self.rows]))
        size = groups @ self.people
        few = groups[np.flatnonzero((size > 0) & (size < minimum))]
        changes = self._changes(minimum)
        rows = csr_array(vstack([few, changes])) if changes.shape[0] else few
        return rows[np.sort(np.unique(self.row_hashes(rows), return_index=True)[1])] if rows.shape[0] else rows

    def _changes(self, minimum: int) -> csr_array:
        """Today's answers less the earlier ones, where both together have few contributors."""
        pairs = self.edited.tocoo()
        after, before = pairs.coords
        few = self.people[after] + self.people[before] - pairs.data < minimum
        row = np.arange(few.sum())
        ends = np.concatenate([np.ones(len(row)), -np.ones(len(row))])
        positions = np.concatenate([row, row]), np.concatenate([after[few], before[few]])
        return csr_array((ends, positions), shape=(len(row), len(self.people)))


class Parts:
    """The parts of every figure: people in the same strata in all runs."""

    def __init__(self, runs: list[Run], strata: list[Strata]):
        self.runs, self.strata = runs, strata
        self.persons = 1 + max((int(run.person.max(initial=-1)) for run in runs), default=-1)
        random = np.random.default_rng(SEED)
        self.stratum_ids = [
            random.integers(1, 2**63, in_run.incidence.shape[1] + 1, dtype=np.uint64) for in_run in strata
        ]

    def signature(self, figure: int) -> int:
        """Equal for figures with the same contributors and the same changes of answers."""
        return hash(b"|".join(part[:, figure].tobytes() for run in self.runs for part in (run.counts, run.versions)))

    def figure(self, position: int, kind: str, earlier_shown: Sequence[NDArray[np.bool_]]) -> Figure:
        """The parts of one figure, made of its contributors only."""
        strata, person = self._strata_by_run(position)
        if not len(strata):
            empty = csr_array((0, 0))
            rows = [csr_array((one.incidence.shape[0], 0)) for one in self.strata]
            return Figure(kind, earlier_shown, np.zeros(0), rows, empty, np.zeros(0, dtype=np.uint64))
        part_ids = np.zeros(len(strata), dtype=np.uint64)
        for run, stratum_ids in enumerate(self.stratum_ids):
            part_ids += stratum_ids[strata[:, run] + 1]
        part_ids, first, part, people = np.unique(part_ids, return_index=True, return_inverse=True, return_counts=True)
        where = strata[first]
        rows = [
            csr_array(one.incidence @ _stratum_columns(where[:, run], one.incidence.shape[1]))
            for run, one in enumerate(self.strata)
        ]
        edited = _edit_pairs(person, part, strata[:, 0] >= 0, len(people))
        return Figure(kind, earlier_shown, people.astype(float), rows, edited, part_ids)

    def _strata_by_run(self, figure: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Stratum of each set of answers, run by run (-1: absent), and the person it belongs to."""
        once = np.full((self.persons, len(self.runs)), -1)
        person, version, stands, run_at = [], [], [], []
        for at, (run, strata) in enumerate(zip(self.runs, self.strata, strict=True)):
            counted, versions = run.counts[:, figure], run.versions[:, figure]
            plain, more = counted & (versions == 0), counted & (versions != 0)
            once[run.person[plain], at] = strata.stratum[plain]
            person.append(run.person[more])
            version.append(versions[more])
            stands.append(strata.stratum[more])
            run_at.append(np.full(more.sum(), at))
        whose, answers = np.concatenate(person), np.concatenate(version)
        order = np.lexsort((answers, whose))
        fresh = np.ones(len(order), dtype=bool)
        fresh[1:] = (np.diff(whose[order]) != 0) | (answers[order][1:] != answers[order][:-1])
        which = np.empty(len(order), dtype=int)
        which[order] = np.cumsum(fresh) - 1
        extra = np.full((int(fresh.sum()), len(self.runs)), -1)
        extra[which, np.concatenate(run_at)] = np.concatenate(stands)
        some = (once >= 0).any(axis=1)
        return np.concatenate([once[some], extra]), np.concatenate([np.flatnonzero(some), whose[order][fresh]])


def _stratum_columns(strata: NDArray[np.intp], n_strata: int) -> csr_array:
    """Strata x parts: 1 for the stratum that a part belongs to; `strata` of each part, -1 for none."""
    present = np.flatnonzero(strata >= 0)
    return csr_array((np.ones(len(present)), (strata[present], present)), shape=(n_strata, len(strata)))


def _edit_pairs(person: NDArray[np.intp], part: NDArray[np.intp], today: NDArray[np.bool_], number: int) -> csr_array:
    """Parts x parts: people in the first with today's answers and in the second with others."""
    twice = np.flatnonzero(np.bincount(person)[person] > 1)
    if not twice.size:
        return csr_array((number, number))
    table = pd.DataFrame({"person": person[twice], "part": part[twice], "today": today[twice]})
    pairs = table[table["today"]].merge(table[~table["today"]], on="person")
    return csr_array((np.ones(len(pairs)), (pairs["part_x"], pairs["part_y"])), shape=(number, number))


def are_derivable(published: csr_array, sums: csr_array) -> NDArray[np.bool_]:
    """Which of some sums over parts can be derived from published ones."""
    if not sums.shape[0] or not published.shape[0]:
        return np.zeros(sums.shape[0], dtype=bool)
    return Moves.under(published).derivable(sums)


def derivable_sums(
    published: csr_array, figure: Figure, groups: csr_array, minimum: int, union_limit: int
) -> csr_array:
    """Sums over parts of few people that can be derived, by anybody or by an insider (less the insider's own part).

    Among up to `union_limit` small parts, unions of up to four are searched; among more, unions of two.
    """
    moves = Moves.under(published)
    derivable = moves.derivable(groups)
    underivable = groups[np.flatnonzero(~derivable)]
    small = np.flatnonzero(figure.people < minimum)
    unions = (
        _small_pairs(moves, small, figure.people, minimum)
        if len(small) > union_limit
        else moves.unions(small, figure.people[small], minimum)
    )
    sums = [
        groups[np.flatnonzero(derivable)],
        incidence(unions, len(figure.people)),
        _insider_sums(moves, figure, underivable),
    ]
    return csr_array(vstack(sums))


def _small_pairs(moves: Moves, small: NDArray[np.intp], people: Floats, minimum: int) -> list[tuple[int, ...]]:
    """Pairs of small parts whose sum can be derived, found in little memory."""
    random_numbers = np.random.default_rng(SEED).standard_normal(moves.of_parts.shape[1])
    mark = moves.of_parts[small] @ random_numbers
    order = np.argsort(mark, kind="stable")
    small, mark = small[order], mark[order]
    low, high = (np.searchsorted(mark, -mark + edge) for edge in (-1e-7, 1e-7))
    pairs = [(at, other) for at in np.flatnonzero(high > low) for other in range(low[at], high[at]) if at < other]
    few = [(small[one], small[two]) for one, two in pairs if people[small[one]] + people[small[two]] < minimum]
    some = np.array(few, dtype=int).reshape(-1, 2)
    still = np.abs(moves.of_parts[some[:, 0]] + moves.of_parts[some[:, 1]]).max(axis=1, initial=0) < 1e-6
    moving = np.abs(moves.of_parts[some[:, 0]]).max(axis=1, initial=0) > 1e-6
    return [(int(one), int(two)) for one, two in some[still & moving]]


def _insider_sums(moves: Moves, figure: Figure, groups: csr_array) -> csr_array:
    """Groups that the only person in a part can derive, less the multiple of that part."""
    members = np.flatnonzero(figure.people == 1)
    nothing = csr_array((0, len(figure.people)))
    if not len(members) or not groups.shape[0]:
        return nothing
    sums = []
    for at in np.flatnonzero(moves.derivable_by_members(groups, members)):
        group = groups[[at]]
        change = moves.of(group)[0]
        own = moves.of_parts[members]
        length = np.linalg.norm(own, axis=1)
        near = np.abs(own @ change) > (1 - PARALLEL_TOLERANCE) * length * np.linalg.norm(change)
        alone = group.indices[0] if group.nnz == 1 else -1
        for member in np.flatnonzero(near & (length > 1e-6) & (members != alone))[:1]:
            share = float(own[member] @ change) / float(length[member] ** 2)
            own_share = csr_array(([share], ([0], [members[member]])), shape=group.shape)
            sums.append(group - own_share)
    return csr_array(vstack(sums)) if sums else nothing
