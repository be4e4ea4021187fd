"""Record linkage: who is who in several releases, where codes and wave labels may change, and answers, too.

A figure is a sum over answers, so two rows with the same answers may be taken for the same person. Of several ways to
link two releases the one with the fewest differences is taken, since an attacker would use that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aiready.instrument.model import Settings
from aiready.privacy.release_keys import answer_marks
from aiready.privacy.release_record import CELL, People, Release, encrypted_figures, row_content

MATCH_KEYS = (
    ["answers", "unit_id", "role", "person"],
    ["answers", "unit_id", "role"],
    ["answers", "person"],
    ["answers"],
    ["person"],
)
"""Columns that must agree for two rows to be linked, surest first; by the last, a person with other answers."""
TODAYS_ANSWERS = np.uint64(1)
"""Version of answers that are the same as today's."""
SEED = 7


@dataclass(frozen=True)
class Run:
    """One wave of one release (or of today), linked to today's people.

    One row per respondent: `person` (a number common to all runs), `unit_id` and `role` (as objects), `counts` (people
    x figures of today) and `versions` (people x figures): 0 for people whose answers are the same in all runs, else a
    number per set of answers, `TODAYS_ANSWERS` where they are today's. `cells` (unit_id, wave, segment), and
    `shown_figures` (cells x figures of today): which of these each showed. `withheld`: cells that the run withheld.
    `unchanged`: whether it has exactly today's people and answers, units, roles and settings.
    """

    person: NDArray[np.intp]
    unit_id: NDArray[np.object_]
    role: NDArray[np.object_]
    counts: NDArray[np.bool_]
    versions: NDArray[np.uint64]
    membership: pd.DataFrame
    cells: pd.DataFrame
    shown_figures: NDArray[np.bool_]
    withheld: pd.DataFrame
    settings: Settings
    unchanged: bool = False


@dataclass
class _AnswerSet:
    """A person's answers in one release: numbers by figure, the code and item order behind them, the version."""

    code: str | None
    order: str
    answers: str
    numbers: NDArray[np.uint64]
    version: NDArray[np.uint64] | None = None

    def version_among(self, others: "list[_AnswerSet]") -> NDArray[np.uint64]:
        """Version by figure: that of another set with the same answers, else a new one."""
        version = self.numbers.copy()
        for other in others:
            if other.version is not None and other.answers == self.answers:
                return other.version
            if other.version is not None and (other.code, other.order) == (self.code, self.order):
                version = np.where(self.numbers == other.numbers, other.version, version)
        return version


@dataclass(frozen=True)
class _LinkedWave:
    """One wave of a release, the person of each row, and whether they are today's people in the same units."""

    release: Release
    rows: pd.DataFrame
    pool: "_Pool"
    person: NDArray[np.intp]
    unchanged: bool


@dataclass
class _Pool:
    """Everybody with digests under one key so far: a row per person and set of answers."""

    rows: pd.DataFrame
    key: bytes | None
    edited: set[int] = field(default_factory=set)


def linked_runs(
    people: People, membership: pd.DataFrame, wave: str, earlier: Sequence[Release], settings: Settings
) -> tuple[list[Run], str]:
    """Today's run of a wave, every earlier run that shares people with it, and the name of their common key.

    Earlier runs under another wave label need at least the minimum group of shared people: fewer are in no figure by
    themselves. The name is empty where no earlier run shares people.
    """
    return _Linker(people.select((people.table["wave"] == wave).to_numpy()), membership, settings).runs(wave, earlier)


class _Linker:
    """Links releases to today's people, from the newest to the oldest."""

    def __init__(self, people: People, membership: pd.DataFrame, settings: Settings):
        self.people, self.membership, self.settings = people, membership, settings
        self.next_person = len(people.table)
        self.pools = dict[tuple[str, bool], _Pool]()
        self.matched = list[_LinkedWave]()

    def runs(self, wave: str, earlier: Sequence[Release]) -> tuple[list[Run], str]:
        contents, names = set(), dict[str, str]()
        for release in reversed(earlier):
            for (label, name), rows in release.people.assign(key=_key_names(release)).groupby(
                ["wave", "key"], sort=True
            ):
                content = _wave_content(release, rows, str(label))
                if content not in contents and (name in release.keys or (release.first_format and not name)):
                    contents.add(content)
                    if self._match(release, rows.reset_index(drop=True), str(name), own=label == wave):
                        names.setdefault(str(label), str(name))
        edited = set().union(*(pool.edited for pool in self.pools.values()))
        versions = self._versions(edited)
        past = [self._run(one, edited, answered) for one, answered in zip(self.matched, versions, strict=True)]
        others = [name for label, name in sorted(names.items()) if label != wave]
        return [self._today(edited), *past], names[wave] if wave in names else next(iter(others), "")

    def _match(self, release: Release, rows: pd.DataFrame, name: str, *, own: bool) -> bool:
        """Link one wave of a release to the pool of people; False where it does not concern today's wave."""
        pool = self._pool(release, name)
        pairs = link_records(pool.rows, rows)
        same = pairs["same"] | rows["answers"].isna().to_numpy()[pairs["right"]]
        of_today = pool.rows["id"].to_numpy()[pairs["left"]] < len(self.people.table)
        if not own and (same & of_today).sum() < self.settings.minimum_group:
            return False
        person = np.full(len(rows), -1)
        person[pairs["right"]] = pool.rows["id"].to_numpy()[pairs["left"]]
        new_people = np.flatnonzero(person < 0)
        person[new_people] = np.arange(self.next_person, self.next_person + len(new_people))
        self.next_person += len(new_people)
        changed = pairs["right"][~same].to_numpy()
        pool.edited |= set(person[changed].tolist())
        other_code = pool.rows["person"].to_numpy()[pairs["left"]] != rows["person"].to_numpy()[pairs["right"]]
        new_rows = np.unique(np.concatenate([new_people, changed, pairs["right"][other_code]]).astype(int))
        pool.rows = pd.concat(
            [pool.rows, rows.iloc[new_rows][_MATCHED_COLUMNS].assign(id=person[new_rows])], ignore_index=True
        )  # for the next release to be linked to
        unit_id, role = rows["unit_id"].to_numpy(), rows["role"].fillna("").to_numpy()
        matched_rows = pool.rows.iloc[pairs["left"]]
        same_stratum = (matched_rows["unit_id"].to_numpy() == unit_id[pairs["right"]]).all()
        same_stratum &= (matched_rows["role"].fillna("").to_numpy() == role[pairs["right"]]).all()
        everybody = len(pairs) == len(rows) == len(self.people.table) and of_today.all()
        unchanged = own and everybody and same.all() and same_stratum
        self.matched.append(_LinkedWave(release, rows, pool, person, bool(unchanged)))
        return True

    def _pool(self, release: Release, name: str) -> _Pool:
        pool = self.pools.get((name, release.first_format))
        if pool is None:
            key = release.keys.get(name)
            people = self.people
            now = people.first_format_digests(key) if release.first_format else people.keyed_digests(key or b"")
            rows = pd.concat([people.table[["unit_id", "role"]], now], axis=1).assign(id=np.arange(len(now)))
            pool = self.pools[name, release.first_format] = _Pool(rows, key)
        return pool

    def _today(self, edited: set[int]) -> Run:
        table, none = self.people.table, pd.DataFrame(columns=CELL)
        person = np.arange(len(table))
        versions = np.full((sum(one < len(table) for one in edited), len(self.people.figures)), TODAYS_ANSWERS)
        return Run(
            person,
            *_units_and_roles(table),
            counts=self.people.counts,
            versions=_versions_of_all(versions, person, edited),
            membership=self.membership,
            cells=none,
            shown_figures=np.zeros((0, len(self.people.figures)), dtype=bool),
            withheld=none,
            settings=self.settings,
        )

    def _run(self, linked: _LinkedWave, edited: set[int], versions: NDArray[np.uint64]) -> Run:
        release, rows, person = linked.release, linked.rows, linked.person
        counts = self._counts(release, rows, person)
        wave = rows["wave"].iloc[0]
        cells = release.cells[release.cells["wave"] == wave]
        settings = release.settings_used(self.settings)
        before, now = (row_content(table[_MEMBERSHIP]) for table in (release.membership, self.membership))
        unchanged = linked.unchanged and before == now and _cut_settings(settings) == _cut_settings(self.settings)
        unchanged = unchanged and bool((counts == self.people.counts[person]).all())
        return Run(
            person,
            *_units_and_roles(rows),
            counts=counts,
            versions=_versions_of_all(versions, person, edited),
            membership=release.membership,
            cells=cells,
            shown_figures=self._shown_figures(release, cells),
            withheld=release.withheld[release.withheld["wave"] == wave],
            settings=settings,
            unchanged=unchanged,
        )

    def _counts(self, release: Release, rows: pd.DataFrame, person: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which of today's figures each person contributed to."""
        figures = self.people.figures["figure"]
        if release.first_format:  # to all of today's figures, or to the same as today
            counts = np.ones((len(rows), len(figures)), dtype=bool)
            is_today = person < len(self.people.table)
            counts[is_today] = self.people.counts[person[is_today]]
            return counts
        bits = encrypted_figures(rows, release.figures, release.keys[rows["key"].iloc[0]])
        return _unpack_bits(pd.Series(bits), release.figures["figure"], figures)

    def _shown_figures(self, release: Release, cells: pd.DataFrame) -> NDArray[np.bool_]:
        """Which of today's figures each cell showed; all, where the release does not record it."""
        figures = self.people.figures["figure"]
        if "figures" not in cells:
            return np.ones((len(cells), len(figures)), dtype=bool)
        return _unpack_bits(cells["figures"], release.figures["figure"], figures)

    def _versions(self, edited: set[int]) -> Iterator[NDArray[np.uint64]]:
        """For each release, the version of the answers of edited people, figure by figure."""
        past = dict[tuple[str, int], list[_AnswerSet]]()
        for linked in self.matched:
            edited_rows = np.flatnonzero(np.isin(linked.person, list(edited)))
            rows, person = linked.rows.iloc[edited_rows], linked.person[edited_rows]
            if linked.release.first_format:
                yield self._first_versions(linked, rows, person)
                continue
            order = str(linked.release.figures["order"].iloc[0])
            marks = np.frombuffer(b"".join(rows["marks"]), dtype="<u2").reshape(len(rows), order.count(";") + 1)
            numbers = _answer_numbers(marks, order.split(";"), self.people.figures)
            today = self._todays(linked.pool, person, order)
            for at, (row, number) in enumerate(zip(rows.itertuples(), person, strict=True)):
                entries = past.setdefault((row.key, int(number)), [])
                entry = _AnswerSet(row.person, order, row.answers, numbers[at])
                numbers[at] = entry.version = entry.version_among([*today.get(int(number), []), *entries])
                entries.append(entry)
            yield numbers

    def _first_versions(self, linked: _LinkedWave, rows: pd.DataFrame, person: NDArray[np.intp]) -> NDArray[np.uint64]:
        """Versions from a release of the first format, which shows only whether any answer changed."""
        now = linked.pool.rows.drop_duplicates("id").set_index("id")["answers"].reindex(person).to_numpy()
        before = rows["answers"]
        other = pd.util.hash_array(before.fillna("").to_numpy(object)) | np.uint64(2)
        version = np.where(before.isna() | (before.to_numpy() == now), TODAYS_ANSWERS, other)
        return np.repeat(version[:, None], len(self.people.figures), axis=1)

    def _todays(self, pool: _Pool, person: NDArray[np.intp], order: str) -> dict[int, list[_AnswerSet]]:
        """Today's answers of some people, numbered as a release numbers them."""
        items, figures = order.split(";"), self.people.figures
        people = np.unique(person[person < len(self.people.table)])
        numbers = _answer_numbers(self._marks(pool, people, items), items, figures)
        is_new = [item not in items for item in self.people.items]
        new_items = [item for item, new in zip(self.people.items, is_new, strict=True) if new]
        answered = (self.people.answers[people][:, is_new] != 0).astype(int)
        numbers[answered @ _items_by_figure(figures, new_items).T.astype(int) > 0] = 0
        rows, today = pool.rows.iloc[people], np.full(len(figures), TODAYS_ANSWERS)
        return {
            int(at): [_AnswerSet(row.person, order, row.answers, number, today)]
            for at, row, number in zip(people, rows.itertuples(), numbers, strict=True)
        }

    def _marks(self, pool: _Pool, person: NDArray[np.intp], items: list[str]) -> NDArray[np.uint16]:
        """Marks of today's answers of some people, with the key and in the item order of a release."""
        position = pd.Index(self.people.items).get_indexer(pd.Index(items))
        answers = np.where(position >= 0, self.people.answers[person][:, np.maximum(position, 0)], np.int8(0))
        codes = self.people.codes
        return answer_marks(pool.key or b"", [codes[one] for one in person], answers.astype(np.int8))


_MATCHED_COLUMNS = ["unit_id", "role", "person", "answers"]
_MEMBERSHIP = ["unit_id", "member_id"]


def _key_names(release: Release) -> pd.Series:
    """Name of the key of each row; blank in an unsealed release of the first format."""
    return release.people["key"] if "key" in release.people else pd.Series("", index=release.people.index)


def _wave_content(release: Release, rows: pd.DataFrame, wave: str) -> bytes:
    """Bytes that are equal for two releases with the same content of a wave."""
    cells = release.cells[release.cells["wave"] == wave]
    return b"|".join(row_content(table) for table in (rows, release.membership, cells, release.settings))


def _units_and_roles(table: pd.DataFrame) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    return table["unit_id"].to_numpy(object), table["role"].fillna("").to_numpy(object)


def _cut_settings(settings: Settings) -> tuple[object, ...]:
    minimums = settings.minimum_group, settings.minimum_distribution
    return set(settings.roles_doing), set(settings.roles_leading), *minimums


def _unpack_bits(rows: pd.Series, written: pd.Series, figures: pd.Series) -> NDArray[np.bool_]:
    """Bits in the order of the `written` figures as rows x `figures`; False for figures that were not written."""
    position = pd.Index(written).get_indexer(pd.Index(figures))
    bits = np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(rows), -1 if len(rows) else 0)
    if not bits.size:
        return np.zeros((len(rows), len(figures)), dtype=bool)
    unpacked = np.unpackbits(bits, axis=1).astype(bool)
    return np.asarray((position >= 0) & unpacked[:, np.maximum(position, 0)])


def _versions_of_all(versions: NDArray[np.uint64], person: NDArray[np.intp], edited: set[int]) -> NDArray[np.uint64]:
    """Versions of all people: 0 for those who never changed an answer."""
    all_versions = np.zeros((len(person), versions.shape[1]), dtype=np.uint64)
    all_versions[np.isin(person, list(edited))] = versions
    return all_versions


def _items_by_figure(figures: pd.DataFrame, items: Sequence[str]) -> NDArray[np.bool_]:
    """Figures x items: which items a figure is computed from."""
    of_figure = [set(str(names).split(";")) for names in figures["items"]]
    rows = [[item in names for item in items] for names in of_figure]
    return np.array(rows, dtype=bool).reshape(len(figures), len(items))


def _answer_numbers(marks: NDArray[np.uint16], items: Sequence[str], figures: pd.DataFrame) -> NDArray[np.uint64]:
    """A hash of the answers behind each figure: people x figures."""
    odd_factors = np.random.default_rng(SEED).integers(1, 2**62, len(items), dtype=np.uint64) * np.uint64(
        2
    ) + np.uint64(1)
    return (marks.astype(np.uint64) * odd_factors) @ _items_by_figure(figures, items).T.astype(np.uint64) + np.uint64(2)


def link_records(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    """Link the rows of two tables that belong to the same person.

    Parameters
    ----------
    left
        id (a person may have several rows), person, answers, unit_id, role.
    right
        person, answers, unit_id, role; one row per person.

    Returns
    -------
    pandas.DataFrame
        left, right (positions), same: whether the answers agree.
    """
    left_rows, right_rows = (_sorted(table) for table in (left, right))
    pairs = []
    for key in MATCH_KEYS:
        left_turns, right_turns = _with_turn(left_rows, key), _with_turn(right_rows, key).drop(columns="id")
        pair = left_turns.merge(right_turns, on=[*key, "turn"])[["at_x", "at_y", "id"]].drop_duplicates("id")
        pairs.append(pair.assign(same="answers" in key))
        left_rows, right_rows = (
            left_rows[~left_rows["id"].isin(pair["id"])],
            right_rows[~right_rows["at"].isin(pair["at_y"])],
        )
    all_pairs = pd.concat(pairs, ignore_index=True)
    positions = pd.DataFrame({"left": all_pairs["at_x"].astype(int), "right": all_pairs["at_y"].astype(int)})
    return positions.assign(same=all_pairs["same"].astype(bool))


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    """Rows in an order that does not depend on the order of input."""
    rows = table.assign(at=np.arange(len(table)), role=table["role"].fillna(""))
    rows = rows if "id" in rows else rows.assign(id=-1)
    return rows.sort_values(["unit_id", "role", "person", "answers"], kind="stable")


def _with_turn(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    complete = rows.dropna(subset=key)
    return complete.assign(turn=complete.groupby(key).cumcount())[[*key, "turn", "at", "id"]]
