"""What was published of the survey, run by run: so that two runs side by side give nobody away.

A unit that was cut anew, or gained one late answer, differs from what was published before by a few people; the
two figures subtract to theirs. Such a cell is withheld (Hundepool et al. 2012, chapter 5: differencing).
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd

from aiready.errors import InfrastructureError
from aiready.instrument import Instrument, Settings, wording_digests
from aiready.measures import ALL
from aiready.publication import PART
from aiready.schema import ROLES

CELL = ["unit_id", "wave", "segment"]
BEFORE = "_before"


@dataclass(frozen=True)
class Release:
    """What one run published of the survey.

    `people`: one row per respondent and wave (person: a digest, wave, unit_id, role, whole: scored on every scale
    asked). `membership`: whose answers count for whom (unit_id, member_id). `cells`: unit_id, wave, segment of every
    cell that was shown. `wordings`: wave, item_id and digest of its wording as it was first published.
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
    The distance of two sets is their symmetric difference, n(A) + n(B) - 2 n(A and B). People who are not
    scored on every scale make two sets differ, but do not count as people who cover for others. A release of the
    very people of today is published again as it was: whatever its cells give away of each other is guarded already.
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
    return all(
        set(now.columns) == set(before.columns) and _rows(now) == _rows(before[list(now.columns)])
        for now, before in pairs
    )


def _rows(table: pd.DataFrame) -> bytes:
    return np.sort(pd.util.hash_pandas_object(table.astype(object), index=False).to_numpy()).tobytes()


def _distances(people: pd.DataFrame, membership: pd.DataFrame, past: Release, settings: Settings) -> pd.DataFrame:
    """Each cell of today beside each published one it shares people with: unit_id, wave, segment, differ, distance."""
    both = people.merge(past.people, on=["wave", "person"], how="outer", suffixes=("", BEFORE))
    whole = both["whole"].eq(True) | both["whole" + BEFORE].eq(True)
    same = ["wave", "unit_id", "role", "unit_id" + BEFORE, "role" + BEFORE]
    atoms = both.assign(whole=whole.astype(int), every=1).groupby(same, dropna=False, as_index=False)
    atoms = atoms[["whole", "every"]].sum().rename_axis("atom").reset_index()
    now = _cells_of(atoms, atoms["unit_id"], atoms["role"], membership, settings)
    before = _cells_of(atoms, atoms["unit_id" + BEFORE], atoms["role" + BEFORE], past.membership, settings)
    before = before.merge(past.cells, on=CELL)
    shared = now.merge(before, on=["atom", "wave", "whole", "every"], suffixes=("", BEFORE))
    pair = [*CELL, "unit_id" + BEFORE, "segment" + BEFORE]
    common = shared.groupby(pair, as_index=False)[["whole", "every"]].sum()
    ours, theirs = (side.groupby(CELL, as_index=False)[["whole", "every"]].sum() for side in (now, before))
    table = common.merge(ours, on=CELL, suffixes=("", "_ours")).merge(
        theirs, left_on=["unit_id" + BEFORE, "wave", "segment" + BEFORE], right_on=CELL, suffixes=("", "_theirs")
    )
    for name, count in (("differ", "every"), ("distance", "whole")):
        table[name] = table[f"{count}_ours"] + table[f"{count}_theirs"] - 2 * table[count]
    return table[[*CELL, "differ", "distance"]]


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
    return [Release(*(pd.read_parquet(path / f"{name}.parquet") for name in names)) for path in kept]


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
