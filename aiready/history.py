"""What was published of the survey, run by run: so that two runs side by side give nobody away.

A unit that was cut anew, or gained one late answer, differs from what was published before by a few people; the
two figures subtract to theirs. Such a cell is withheld (Hundepool et al. 2012, chapter 5: differencing), and so is
one that gives a few people away only together with several others, of any run.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, eye_array, vstack
from scipy.sparse.linalg import lsmr

from aiready.errors import InfrastructureError
from aiready.instrument import Instrument, Settings, wording_digests
from aiready.measures import ALL
from aiready.publication import PART
from aiready.schema import ROLES

CELL = ["unit_id", "wave", "segment"]
BEFORE = "_before"
SEED = 7
EXACT, TINY, TURNS = 1e-12, 1e-6, 10
"""How near weights come to their sum, what counts as no weight, and turns allowed per figure and group of people."""
PEOPLE = ["person", "answers", "wave", "unit_id", "role", "whole"]


@dataclass(frozen=True)
class Release:
    """What one run published of the survey.

    `people`: one row per respondent and wave (person: a digest, answers: one too, wave, unit_id, role, whole: scored on
    every scale asked). `membership`: whose answers count for whom (unit_id, member_id). `cells`: unit_id, wave, segment
    of every cell that was shown. `wordings`: wave, item_id and digest of its wording as it was first published.
    """

    people: pd.DataFrame
    membership: pd.DataFrame
    cells: pd.DataFrame
    wordings: pd.DataFrame

    @property
    def digest(self) -> str:
        """Twelve hex digits that two runs share when they published the same cells of the same people."""
        found = hashlib.sha256()
        for table in (getattr(self, field.name) for field in fields(self)):
            found.update(_rows(table))
        return found.hexdigest()[:12]


def withheld(
    people: pd.DataFrame, membership: pd.DataFrame, earlier: Sequence[Release], settings: Settings
) -> pd.DataFrame:
    """Cells that differ from a published one of the same wave by fewer people than the minimum group.

    Parameters
    ----------
    people, membership
        As in `Release`, of today.

    Returns
    -------
    pandas.DataFrame
        unit_id, wave, segment. A cell of exactly the people that were published before is none of them: it gives
        away nothing new.

    Notes
    -----
    The distance of two sets is their symmetric difference, n(A) + n(B) - 2 n(A and B); people whose answers changed
    since count as one, though they stand in both. People who are not scored on every scale make two sets differ, but
    do not count as people who cover for others. A release of the very people and answers of today is published again
    as it was: whatever its cells give away of each other is guarded already.
    """
    found = [
        _distances(people, membership, release, settings).assign(same=_same(people, membership, release))
        for release in earlier
    ]
    if not found:
        return pd.DataFrame(columns=CELL)
    nearest = pd.concat(found, ignore_index=True)
    near = nearest["differ"].gt(0) & nearest["distance"].lt(settings.minimum_group) & ~nearest["same"]
    again = pd.MultiIndex.from_frame(nearest.loc[nearest["differ"] == 0, CELL])
    close = nearest.loc[near, CELL].drop_duplicates()
    return close.loc[~pd.MultiIndex.from_frame(close).isin(again)].reset_index(drop=True)


def _same(people: pd.DataFrame, membership: pd.DataFrame, past: Release) -> bool:
    """Whether a release tells of exactly these people, in these units."""
    pairs = ((people, past.people), (membership, past.membership))
    return all(set(now.columns) == set(before.columns) and _rows(now) == _rows(before) for now, before in pairs)


def _rows(table: pd.DataFrame) -> bytes:
    cells = table[sorted(table.columns)].astype(object)
    return np.sort(pd.util.hash_pandas_object(cells, index=False).to_numpy()).tobytes()


def _distances(people: pd.DataFrame, membership: pd.DataFrame, past: Release, settings: Settings) -> pd.DataFrame:
    """Each cell of today beside each published one it shares people with: unit_id, wave, segment, differ, distance."""
    both = people.merge(past.people, on=["wave", "person"], how="outer", suffixes=("", BEFORE))
    edited = both["answers"].notna() & both["answers" + BEFORE].notna() & both["answers"].ne(both["answers" + BEFORE])
    whole = (both["whole"].eq(True) | both["whole" + BEFORE].eq(True)).astype(int)
    # half of one who changed is shared: the sum of both sides less twice that counts them once
    parts = both.assign(whole=whole, every=1, shared_whole=whole * (1 - edited / 2), shared_every=1 - edited / 2)
    same = ["wave", "unit_id", "role", "unit_id" + BEFORE, "role" + BEFORE]
    atoms = parts.groupby(same, dropna=False, as_index=False)[[*_COUNTS, *_SHARED]].sum()
    atoms = atoms.rename_axis("atom").reset_index()
    now = _cells_of(atoms, atoms["unit_id"], atoms["role"], membership, settings)
    before = _cells_of(atoms, atoms["unit_id" + BEFORE], atoms["role" + BEFORE], past.membership, settings)
    before = before.merge(past.cells, on=CELL)
    shared = now.merge(before, on=["atom", "wave", *_COUNTS], suffixes=("", BEFORE))
    shared = shared.merge(atoms[["atom", *_SHARED]], on="atom")
    pair = [*CELL, "unit_id" + BEFORE, "segment" + BEFORE]
    common = shared.groupby(pair, as_index=False)[_SHARED].sum()
    ours, theirs = (side.groupby(CELL, as_index=False)[_COUNTS].sum() for side in (now, before))
    table = common.merge(ours, on=CELL).merge(
        theirs, left_on=["unit_id" + BEFORE, "wave", "segment" + BEFORE], right_on=CELL, suffixes=("", "_theirs")
    )
    for name, count in (("differ", "every"), ("distance", "whole")):
        table[name] = table[count] + table[f"{count}_theirs"] - 2 * table[f"shared_{count}"]
    return table[[*CELL, "differ", "distance"]]


_COUNTS, _SHARED = ["whole", "every"], ["shared_whole", "shared_every"]


def _cells_of(
    atoms: pd.DataFrame, unit: pd.Series, role: pd.Series, membership: pd.DataFrame, settings: Settings
) -> pd.DataFrame:
    """Every cell that people of one unit and role are counted in: atom, wave, whole, every, unit_id, segment."""
    own = atoms[["atom", "wave", "whole", "every"]].assign(member_id=unit, role=role).dropna(subset="member_id")
    groups = dict.fromkeys(settings.roles_doing, "doing") | dict.fromkeys(settings.roles_leading, "leading")
    segments = [(name, segment) for name in ROLES for segment in {ALL, name, groups.get(name, ALL)}]
    by_role = pd.DataFrame([*segments, (None, ALL)], columns=["role", "segment"])
    placed = own.merge(membership, on="member_id").merge(by_role, on="role")
    return placed[["atom", "wave", "whole", "every", "unit_id", "segment"]]


def given_away(
    people: pd.DataFrame, membership: pd.DataFrame, shown: pd.DataFrame, earlier: Sequence[Release], settings: Settings
) -> pd.DataFrame:
    """Cells that are to be shown and would, with all that was published before, give a few people away.

    Parameters
    ----------
    people, membership
        As in `Release`, of today.
    shown
        unit_id, wave, segment of every cell that would be shown.

    Returns
    -------
    pandas.DataFrame
        unit_id, wave, segment of cells to hide besides.

    Notes
    -----
    `withheld` compares two figures; this adds up any number. Every figure of all runs is a sum over the same groups of
    people, those that no run tells apart. A group or a cell of fewer people than the minimum must not be a weighted sum
    of figures; where it is, the smallest of today's figures that it takes is hidden. What earlier runs alone give away
    cannot be taken back.
    """
    today = Release(people, membership, shown, pd.DataFrame())
    others = [release for release in earlier if not _same(people, membership, release) or _says_more(release, today)]
    found = [pd.DataFrame(columns=CELL)]
    for wave in people["wave"].unique() if others else ():
        cells, parts, few = _together([today, *others], wave, settings)
        found.append(cells.loc[_too_much(cells, parts, few), CELL])
    return pd.concat(found, ignore_index=True)


def _too_much(cells: pd.DataFrame, parts: csr_array, few: csr_array) -> np.ndarray:
    """Places of today's figures to hide, so that none of the `few` is a weighted sum of what is left."""
    visible, today = cells["visible"].to_numpy(bool), cells["run"].eq(0).to_numpy()
    few = few[~_worked_out(parts[visible & ~today], few)]
    hidden = np.zeros(len(cells), dtype=bool)
    random = np.random.default_rng(SEED)
    while (told := few[_worked_out(parts[visible & ~hidden], few)]).shape[0]:
        left = np.flatnonzero(visible & ~hidden)
        wanted = told.T @ random.standard_normal(told.shape[0])
        used = left[today[left] & (np.abs(_weights(parts[left], wanted)) > TINY)]
        mine = used if used.size else left[today[left]]
        first = cells["whole"].to_numpy()[mine].argsort(kind="stable")
        hidden[mine[first[: 1 + told.shape[0] // 8]]] = True  # an eighth at once: rounds grow with its logarithm
    return np.flatnonzero(hidden)


def _worked_out(figures: csr_array, sums: csr_array) -> np.ndarray:
    """Which sums are weighted sums of the figures: what no figure sees changes none of them.

    Random numbers for the people less their projection on the figures are such a thing; a sum that they do change is
    not determined (with probability one).
    """
    random = np.random.default_rng(SEED)
    unchanged = np.ones(sums.shape[0], dtype=bool)
    for _ in range(2):
        drawn = random.standard_normal(sums.shape[1])
        unseen = drawn - figures.T @ _weights(figures, drawn)
        unchanged &= np.abs(sums @ unseen) < TINY
    return unchanged


def _weights(figures: csr_array, wanted: np.ndarray) -> np.ndarray:
    """Weights of the figures whose sum comes nearest to what is wanted (LSMR: Fong and Saunders 2011)."""
    return np.asarray(lsmr(figures.T, wanted, atol=EXACT, btol=EXACT, conlim=0, maxiter=TURNS * sum(figures.shape))[0])


def _says_more(release: Release, today: Release) -> bool:
    """Whether a release showed cells that are hidden today."""
    then, now = (pd.MultiIndex.from_frame(one.cells[CELL]) for one in (release, today))
    return not then.isin(now).all()


def _together(releases: Sequence[Release], wave: str, settings: Settings) -> tuple[pd.DataFrame, csr_array, csr_array]:
    """Cells of every run of a wave, the groups of people they are sums of, and the sums that stand for too few.

    One row per cell (run: 0 is the first release; unit_id, wave, segment, whole, visible); cells x groups, 1 where the
    group is part of the cell; too small groups and hidden cells x groups.
    """
    places = [_places(release.people, wave, run) for run, release in enumerate(releases)]
    table = pd.concat(places, axis=1)
    whole = table[[f"whole{run}" for run in range(len(releases))]].eq(True).any(axis=1).astype(int)
    keys = [f"{name}{run}" for run in range(len(releases)) for name in ("unit_id", "role")]
    groups = table.assign(wave=wave, whole=whole, every=1).groupby(["wave", *keys], dropna=False, as_index=False)
    atoms = groups[_COUNTS].sum().rename_axis("atom").reset_index()
    parts = pd.concat(
        _cells_of(atoms, atoms[f"unit_id{run}"], atoms[f"role{run}"], release.membership, settings).assign(run=run)
        for run, release in enumerate(releases)
    )
    key = ["run", *CELL]
    printed = pd.concat(release.cells[CELL].assign(run=run, visible=True) for run, release in enumerate(releases))
    cells = parts.groupby(key, as_index=False)["whole"].sum().merge(printed, on=key, how="left")
    cells["visible"] = cells["visible"].eq(True)
    place = parts.merge(cells[key].reset_index(names="cell"), on=key)
    shape = len(cells), len(atoms)
    matrix = csr_array((np.ones(len(place)), (place["cell"], place["atom"])), shape=shape)
    small = [one["whole"].to_numpy() < settings.minimum_group for one in (atoms, cells)]
    few = vstack([csr_array(eye_array(len(atoms)))[small[0]], matrix[small[1] & ~cells["visible"].to_numpy()]])
    return cells, matrix, csr_array(few)


def _places(people: pd.DataFrame, wave: str, run: int) -> pd.DataFrame:
    """Where the people of one run stood; whoever changed an answer is another one."""
    those = people.loc[people["wave"] == wave].set_index(["person", "answers"])
    return those[["unit_id", "role", "whole"]].add_suffix(f"{run}")


def wordings(earlier: Sequence[Release], waves: Sequence[str], rules: Instrument) -> pd.DataFrame:
    """In which words each wave was asked: one row per wave x item (wave, item_id, digest).

    The oldest release that knows a wave decides; a wave that none knows was asked in the words of today.
    """
    today = pd.Series(wording_digests(rules), name="digest").rename_axis("item_id").reset_index()
    now = pd.DataFrame({"wave": list(waves)}, dtype=object).merge(today, how="cross")
    known = pd.concat([*(release.wordings for release in earlier), now], ignore_index=True)
    first = known.drop_duplicates(["wave", "item_id"])
    return first.loc[first["wave"].isin(waves)].reset_index(drop=True)


def read(folder: Path) -> list[Release]:
    """Every release that was kept, in the order of their names; none where the folder is not there."""
    names = [field.name for field in fields(Release)]
    kept = (path for path in sorted(folder.glob("*")) if path.is_dir() and not path.name.startswith("."))
    found = [Release(*(pd.read_parquet(path / f"{name}.parquet") for name in names)) for path in kept]
    # releases of earlier versions do not know what was answered
    return [replace(release, people=release.people.reindex(columns=PEOPLE)) for release in found]


def keep(folder: Path, release: Release, as_of: str) -> None:
    """Add a release, whole or not at all; one that says nothing new is not kept twice.

    Raises
    ------
    InfrastructureError
        The folder cannot be written.
    """
    for kept in folder.glob(f"*{release.digest}"):
        os.utime(kept)
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".", suffix=PART, dir=folder))
        try:
            for field in fields(Release):
                getattr(release, field.name).to_parquet(made / f"{field.name}.parquet", index=False)
            made.rename(folder / "-".join(filter(None, [as_of, release.digest])))
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise InfrastructureError(f"{folder}: cannot be written ({error.strerror}). Nothing was published.") from error


def trim(folder: Path, number: int) -> None:
    """Keep the releases published last, 0 for all; one that is not kept no longer guards the next."""
    kept = [path for path in folder.glob("*") if path.is_dir() and not path.name.startswith(".")]
    kept.sort(key=lambda path: path.stat().st_mtime_ns)
    for path in kept[:-number] if number else ():
        shutil.rmtree(path, ignore_errors=True)
