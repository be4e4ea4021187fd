"""The groups of people that no run tells apart, figure by figure, and which few of them follow from published sums."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array, vstack

from aiready.instrument.model import Settings
from aiready.model.registry import ALL
from aiready.model.schema import ROLES
from aiready.privacy.derivability import PARALLEL, Floats, Moves, rows_of
from aiready.privacy.record_linkage import Run
from aiready.privacy.segments import SIDES, segment_of_role

SEED = 7
LEVELS = "levels:"
"""Kind of the figures that are distributions."""
_SIDES = (ALL, *SIDES)
SEEN_IN = {"item:": _SIDES, "any:": _SIDES, LEVELS: _SIDES, "theme:": (ALL,)}
"""Segments that figures are printed for; all others in every one."""
Numbers = NDArray[np.uint64]


def kind_of(figure: str) -> str:
    """Kind of a figure that is printed for some segments only; empty for all others.

    Examples
    --------
    >>> kind_of("item:team_goal"), kind_of("scale:measurement")
    ('item:', '')
    """
    return next((kind for kind in SEEN_IN if figure.startswith(kind)), "")


def minimum_of(kind: str, settings: Settings) -> int:
    """Fewest people that a figure of this kind may stand for."""
    own = settings.minimum_distribution if kind == LEVELS else settings.minimum_group
    return max(own, settings.minimum_group)


@dataclass(frozen=True)
class Places:
    """Where the people of a run stand, and in which cells these places count.

    `place`: of each person, his or her position in the places (unit and role). `cells`: unit_id and segment of every
    reporting unit; then groups that are never printed: every role of a unit's own people, and they all. `holds`: cells
    x places. `printed`: which cells may be printed at all.
    """

    place: NDArray[np.intp]
    cells: pd.DataFrame
    holds: csr_array
    printed: NDArray[np.bool_]

    @classmethod
    def of(cls, run: Run) -> "Places":
        """Those of a run, in an order that does not rest on the order of its rows."""
        stands = pd.DataFrame({"unit_id": run.unit_id, "role": run.role}).astype(str)
        there = stands.drop_duplicates().sort_values(["unit_id", "role"]).reset_index(drop=True)
        place = pd.MultiIndex.from_frame(there).get_indexer(pd.MultiIndex.from_frame(stands))
        own = there.rename_axis("place").reset_index().rename(columns={"unit_id": "member_id"})
        placed = own.merge(run.membership.astype(str), on="member_id").merge(_segments(run, there), on="role")
        spread = placed[["unit_id", "segment", "place"]].drop_duplicates()
        roles = own.assign(unit_id=own["member_id"], segment="own " + own["role"])
        everybody = own.assign(unit_id=own["member_id"], segment="own")
        never = pd.concat([roles, everybody])[["unit_id", "segment", "place"]]
        every = pd.concat([spread.assign(printed=True), never.assign(printed=False)], ignore_index=True)
        every = every.sort_values(["printed", "unit_id", "segment", "place"], ascending=[False, True, True, True])
        cell = every.groupby(["printed", "unit_id", "segment"], sort=False).ngroup().to_numpy()
        cells = every.drop_duplicates(["printed", "unit_id", "segment"]).reset_index(drop=True)
        holds = csr_array((np.ones(len(every)), (cell, every["place"])), shape=(len(cells), len(there)))
        roles = cells["segment"].isin(ROLES) & cells["unit_id"].isin(_leaves(run.membership))
        return cls(place, cells[["unit_id", "segment"]], holds, (cells["printed"] & ~roles).to_numpy(bool))

    def shown(self, cells: pd.DataFrame, figures: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Every cell x figure: whether it was shown; `figures`: the same of `cells` (unit_id, segment)."""
        index = pd.MultiIndex.from_frame(cells[["unit_id", "segment"]].astype(str))
        place = np.where(self.printed, index.get_indexer(pd.MultiIndex.from_frame(self.cells)), -1)
        seen = np.zeros((len(self.cells), figures.shape[1]), dtype=bool)
        seen[place >= 0] = figures[place[place >= 0]]
        return seen


def _leaves(membership: pd.DataFrame) -> set[str]:
    """Units that no other unit is part of: their single roles are never printed."""
    inner = membership["member_id"].isin(membership["unit_id"]) & (membership["member_id"] != membership["unit_id"])
    return set(membership["unit_id"]) - set(membership.loc[inner, "unit_id"])


def _segments(run: Run, there: pd.DataFrame) -> pd.DataFrame:
    """Every segment that each role counts in, by the settings of the run."""
    side_of = segment_of_role(run.settings)
    pairs = [
        (role, segment)
        for role in there["role"].unique()
        for segment in sorted({ALL, *({role, side_of.get(role, ALL)} if role in ROLES else set())})
    ]
    return pd.DataFrame(pairs, columns=["role", "segment"], dtype=object)


@dataclass(frozen=True)
class Figure:
    """One figure in all runs: its people by part, and every cell of every run as a row over parts.

    `kind` as in `kind_of`. `seen`: in which cells earlier runs showed it, run by run. `edited`: parts x parts, how many
    people stand in the first with today's answers and in the second with others. `number`: of each part, equal in two
    figures where the parts are.
    """

    kind: str
    seen: Sequence[NDArray[np.bool_]]
    people: Floats
    rows: list[csr_array]
    edited: csr_array
    number: Numbers

    def of(self, shown: NDArray[np.bool_], segments: pd.Series) -> NDArray[np.bool_]:
        """Those of some cells in which this figure may be printed."""
        only = SEEN_IN.get(self.kind)
        return shown if only is None else shown & segments.isin(only).to_numpy()

    def marks(self, rows: csr_array) -> Floats:
        """A number for each row that only the same row has."""
        drawn = np.random.default_rng(SEED).standard_normal(len(self.people))
        return np.round(np.asarray(rows @ drawn), 9)

    def signature(self, enough: int) -> tuple[object, ...]:
        """Equal in figures that need to be looked at once: so many people are enough for every purpose."""
        edits = self.edited.indptr.tobytes(), self.edited.indices.tobytes(), self.edited.data.tobytes()
        seen = (shown.tobytes() for shown in self.seen)
        return self.kind, self.number.tobytes(), np.minimum(self.people, enough).tobytes(), *edits, *seen

    def sensitive(self, minimum: int) -> csr_array:
        """Groups that must not follow: parts, cells of every run and roles of few people; changes of few answers."""
        groups = csr_array(vstack([eye_array(len(self.people)), *self.rows]))
        size = groups @ self.people
        few = groups[np.flatnonzero((size > 0) & (size < minimum))]
        changes = self._changes(minimum)
        every = csr_array(vstack([few, changes])) if changes.shape[0] else few
        return every[np.sort(np.unique(self.marks(every), return_index=True)[1])] if every.shape[0] else every

    def _changes(self, minimum: int) -> csr_array:
        """Today's answers less the earlier ones, where few people stand behind both."""
        pairs = self.edited.tocoo()
        after, before = pairs.coords
        few = self.people[after] + self.people[before] - pairs.data < minimum
        row = np.arange(few.sum())
        ends = np.concatenate([np.ones(len(row)), -np.ones(len(row))])
        place = np.concatenate([row, row]), np.concatenate([after[few], before[few]])
        return csr_array((ends, place), shape=(len(row), len(self.people)))


class Parts:
    """Who stands where in all runs, for every figure."""

    def __init__(self, runs: list[Run], places: list[Places]):
        self.runs, self.places = runs, places
        self.persons = 1 + max((int(run.person.max(initial=-1)) for run in runs), default=-1)
        random = np.random.default_rng(SEED)
        self.drawn = [random.integers(1, 2**63, one.holds.shape[1] + 1, dtype=np.uint64) for one in places]

    def signature(self, place: int) -> int:
        """Equal in figures that count the same people, with the same answers changed."""
        return hash(b"|".join(part[:, place].tobytes() for run in self.runs for part in (run.counts, run.versions)))

    def figure(self, place: int, kind: str, seen: Sequence[NDArray[np.bool_]]) -> Figure:
        """The parts of one figure: whoever it does not count is nobody in it."""
        stands, person = self._stands(place)
        if not len(stands):
            empty = csr_array((0, 0))
            rows = [csr_array((one.holds.shape[0], 0)) for one in self.places]
            return Figure(kind, seen, np.zeros(0), rows, empty, np.zeros(0, dtype=np.uint64))
        number = np.zeros(len(stands), dtype=np.uint64)
        for run, drawn in enumerate(self.drawn):
            number += drawn[stands[:, run] + 1]
        number, first, part, people = np.unique(number, return_index=True, return_inverse=True, return_counts=True)
        where = stands[first]
        rows = [csr_array(one.holds @ _at(where[:, run], one.holds.shape[1])) for run, one in enumerate(self.places)]
        edited = _edited(person, part, stands[:, 0] >= 0, len(people))
        return Figure(kind, seen, people.astype(float), rows, edited, number)

    def _stands(self, figure: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Where each set of answers stands, run by run (-1: nowhere), and whose it is."""
        once = np.full((self.persons, len(self.runs)), -1)
        person, version, stands, run_at = [], [], [], []
        for at, (run, places) in enumerate(zip(self.runs, self.places, strict=True)):
            counted, versions = run.counts[:, figure], run.versions[:, figure]
            plain, more = counted & (versions == 0), counted & (versions != 0)
            once[run.person[plain], at] = places.place[plain]
            person.append(run.person[more])
            version.append(versions[more])
            stands.append(places.place[more])
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


def _at(where: NDArray[np.intp], places: int) -> csr_array:
    """Places x parts: 1 where the part stands."""
    there = np.flatnonzero(where >= 0)
    return csr_array((np.ones(len(there)), (where[there], there)), shape=(places, len(where)))


def _edited(person: NDArray[np.intp], part: NDArray[np.intp], today: NDArray[np.bool_], number: int) -> csr_array:
    twice = np.flatnonzero(np.bincount(person)[person] > 1)
    if not twice.size:
        return csr_array((number, number))
    table = pd.DataFrame({"person": person[twice], "part": part[twice], "today": today[twice]})
    pairs = table[table["today"]].merge(table[~table["today"]], on="person")
    return csr_array((np.ones(len(pairs)), (pairs["part_x"], pairs["part_y"])), shape=(number, number))


def followed(published: csr_array, sums: csr_array) -> NDArray[np.bool_]:
    """Which of some sums over parts follow from published ones."""
    if not sums.shape[0] or not published.shape[0]:
        return np.zeros(sums.shape[0], dtype=bool)
    return Moves.under(published).derivable(sums)


def findings(published: csr_array, figure: Figure, groups: csr_array, minimum: int, several: int) -> csr_array:
    """What follows of few people: sums over parts, less what somebody knows who is alone in one.

    Unions of up to four small parts are looked for among so many (`several`), of more two at a time.
    """
    moves = Moves.under(published)
    apart = moves.derivable(groups)
    free = groups[np.flatnonzero(~apart)]
    small = np.flatnonzero(figure.people < minimum)
    unions = (
        _unions(moves, small, figure.people, minimum)
        if len(small) > several
        else (moves.unions(small, figure.people[small], minimum))
    )
    found = [groups[np.flatnonzero(apart)], rows_of(unions, len(figure.people)), _to_members(moves, figure, free)]
    return csr_array(vstack(found))


def _unions(moves: Moves, small: NDArray[np.intp], people: Floats, minimum: int) -> list[tuple[int, ...]]:
    """Two small parts that follow together, in little memory."""
    drawn = np.random.default_rng(SEED).standard_normal(moves.of_parts.shape[1])
    mark = moves.of_parts[small] @ drawn
    order = np.argsort(mark, kind="stable")
    small, mark = small[order], mark[order]
    low, high = (np.searchsorted(mark, -mark + edge) for edge in (-1e-7, 1e-7))
    pairs = [(at, other) for at in np.flatnonzero(high > low) for other in range(low[at], high[at]) if at < other]
    few = [(small[one], small[two]) for one, two in pairs if people[small[one]] + people[small[two]] < minimum]
    some = np.array(few, dtype=int).reshape(-1, 2)
    still = np.abs(moves.of_parts[some[:, 0]] + moves.of_parts[some[:, 1]]).max(axis=1, initial=0) < 1e-6
    moving = np.abs(moves.of_parts[some[:, 0]]).max(axis=1, initial=0) > 1e-6
    return [(int(one), int(two)) for one, two in some[still & moving]]


def _to_members(moves: Moves, figure: Figure, groups: csr_array) -> csr_array:
    """What follows for whoever is alone in a part, less her own share of it."""
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
        near = np.abs(own @ change) > (1 - PARALLEL) * length * np.linalg.norm(change)
        alone = group.indices[0] if group.nnz == 1 else -1
        for member in np.flatnonzero(near & (length > 1e-6) & (members != alone))[:1]:
            share = float(own[member] @ change) / float(length[member] ** 2)
            known = csr_array(([share], ([0], [members[member]])), shape=group.shape)
            sums.append(group - known)
    return csr_array(vstack(sums)) if sums else nothing
