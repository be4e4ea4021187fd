"""Who stands behind hours: the holders of jobs, for the privacy gate."""

import pandas as pd

from aiready.inputs.dataset import Data
from aiready.instrument.model import Settings
from aiready.measures.tasks.hours import JOB, with_hours
from aiready.model.registry import ALL
from aiready.privacy.segments import Segments
from aiready.privacy.suppressed_cells import OWN, TOLD_APART, Behind

TABLE, UNKNOWN = "tasks", "unknown"
SEPARATOR = "\x1f"
"""Stands in no id: between what one name is made of."""


def holders(data: Data, settings: Settings) -> Behind:
    """Who stands behind hours: one row per own unit x wave x job and blocker x holder of the job, for the privacy gate.

    Notes
    -----
    Holders of a job that has no headcount are not known, and count as nobody. More holders than a figure must stand for
    need not be told apart.
    """
    figures, columns = ("hours", "gap"), ["unit_id", "wave", "part", "person"]
    tasks = data.table(TABLE)
    if tasks is None or tasks.empty:
        return Behind(pd.DataFrame(columns=[*columns, *figures]), figures, Segments([ALL], {}, {}))
    rows = with_hours(tasks)
    rows = rows.assign(part=part_of(rows), blocker=rows["blocker"].fillna(UNKNOWN), hours=1.0)
    rows["gap"] = (rows["whole"] & rows["gap"].fillna(0).ne(0)).astype(float)
    parts = rows.groupby([*JOB, "blocker", "part", "holders"], dropna=False, as_index=False)[list(figures)].max()
    number = parts["holders"].fillna(0).clip(upper=max(TOLD_APART, settings.minimum_group)).astype(int)
    several = parts.loc[parts.index.repeat(number.clip(lower=1))]
    place = several.groupby(level=0).cumcount().astype(str)
    person = several["unit_id"] + SEPARATOR + several["job"] + SEPARATOR + place
    several = several.assign(person=person.mask(several["holders"].fillna(0) < 1))
    segments, cuts = _segments(parts)
    return Behind(several[[*columns, *figures]].reset_index(drop=True), figures, segments, cuts)


def part_of(rows: pd.DataFrame) -> pd.Series:
    """What tasks are told apart by beside their unit: job and blocker."""
    return rows["job"] + SEPARATOR + rows["blocker"].fillna(UNKNOWN)


def _segments(parts: pd.DataFrame) -> tuple[Segments, dict[str, tuple[str, str]]]:
    """How jobs and blockers cut the hours of a unit, two ways; each unit's own tasks are told one by one besides."""
    named = parts[["part", "job", "blocker"]].drop_duplicates()
    jobs = {job: f"job{SEPARATOR}{job}" for job in sorted(named["job"].unique())}
    blockers = {name: f"blocker{SEPARATOR}{name}" for name in sorted(named["blocker"].unique())}
    finest = {part: (part, jobs[job], blockers[name], ALL) for part, job, name in named.itertuples(index=False)}
    ways = {
        "job": dict.fromkeys(jobs.values(), ALL),
        "blocker": dict.fromkeys(blockers.values(), ALL),
        "within a job": {part: held[1] for part, held in finest.items()},
        "within a blocker": {part: held[2] for part, held in finest.items()},
    }
    cuts = {name: ("job", job) for job, name in jobs.items()} | {name: ("blocker", b) for b, name in blockers.items()}
    return Segments([ALL, *jobs.values(), *blockers.values(), *sorted(finest)], ways, finest), cuts | {
        part: (OWN, part) for part in finest
    }
