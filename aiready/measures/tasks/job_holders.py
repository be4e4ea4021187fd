"""List the holders of jobs behind each figure of hours, for the privacy gate."""

import pandas as pd

from aiready.inputs.dataset import Data
from aiready.instrument.model import Settings
from aiready.measures.tasks.hours import JOB, with_hours
from aiready.model.registry import ALL
from aiready.privacy.segments import Segments
from aiready.privacy.suppressed_cells import ENOUGH_PEOPLE, OWN, RecordContributors

TABLE, UNKNOWN = "tasks", "unknown"
SEPARATOR = "\x1f"
"""Joins the parts of a name; occurs in no id."""


def holders(data: Data, settings: Settings) -> RecordContributors:
    """The job holders behind hours: one row per own unit x wave x job and blocker x holder, for the privacy gate.

    Notes
    -----
    The holders of a job without a headcount are unknown, and count as nobody. No more holders of a job are listed than
    the gate needs.
    """
    figures, columns = ("hours", "gap"), ["unit_id", "wave", "part", "person"]
    tasks = data.table(TABLE)
    if tasks is None or tasks.empty:
        return RecordContributors(pd.DataFrame(columns=[*columns, *figures]), figures, Segments([ALL], {}, {}))
    rows = with_hours(tasks)
    rows = rows.assign(part=part_of(rows), blocker=rows["blocker"].fillna(UNKNOWN), hours=1.0)
    rows["gap"] = (rows["whole"] & rows["gap"].fillna(0).ne(0)).astype(float)
    parts = rows.groupby([*JOB, "blocker", "part", "holders"], dropna=False, as_index=False)[list(figures)].max()
    number = parts["holders"].fillna(0).clip(upper=max(ENOUGH_PEOPLE, settings.minimum_group)).astype(int)
    holder_rows = parts.loc[parts.index.repeat(number.clip(lower=1))]
    holder_no = holder_rows.groupby(level=0).cumcount().astype(str)
    person = holder_rows["unit_id"] + SEPARATOR + holder_rows["job"] + SEPARATOR + holder_no
    holder_rows = holder_rows.assign(person=person.mask(holder_rows["holders"].fillna(0) < 1))
    segments, cuts = _segments(parts)
    return RecordContributors(holder_rows[[*columns, *figures]].reset_index(drop=True), figures, segments, cuts)


def part_of(rows: pd.DataFrame) -> pd.Series:
    """Name of the finest part of a unit's hours that a task belongs to: job and blocker."""
    return rows["job"] + SEPARATOR + rows["blocker"].fillna(UNKNOWN)


def _segments(parts: pd.DataFrame) -> tuple[Segments, dict[str, tuple[str, str]]]:
    """How parts add up to jobs and to blockers, and these to all; and the kind and name of each segment."""
    keys = parts[["part", "job", "blocker"]].drop_duplicates()
    jobs = {job: f"job{SEPARATOR}{job}" for job in sorted(keys["job"].unique())}
    blockers = {name: f"blocker{SEPARATOR}{name}" for name in sorted(keys["blocker"].unique())}
    finest = {part: (part, jobs[job], blockers[name], ALL) for part, job, name in keys.itertuples(index=False)}
    ways = {
        "job": dict.fromkeys(jobs.values(), ALL),
        "blocker": dict.fromkeys(blockers.values(), ALL),
        "within a job": {part: sums[1] for part, sums in finest.items()},
        "within a blocker": {part: sums[2] for part, sums in finest.items()},
    }
    cuts = {name: ("job", job) for job, name in jobs.items()} | {name: ("blocker", b) for b, name in blockers.items()}
    return Segments([ALL, *jobs.values(), *blockers.values(), *sorted(finest)], ways, finest), cuts | {
        part: (OWN, part) for part in finest
    }
