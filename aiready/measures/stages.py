"""Stages: how far initiatives came, how long they stayed, and which of them are stuck."""

from itertools import pairwise

import numpy as np
import pandas as pd

from aiready.instrument.model import Settings
from aiready.measures.estimation import inference
from aiready.measures.estimation.survival import kaplan_meier_quantile
from aiready.measures.record_shares import CELL, any_of, reported, yes_no
from aiready.model import registry
from aiready.model.schema import LIVE_STAGES, STAGES

OPEN_STAGES = STAGES[:-1]
ENTERED = [f"{stage}_on" for stage in OPEN_STAGES]
IN_USE = [f"{stage}_on" for stage in LIVE_STAGES]


def piloted(initiatives: pd.DataFrame) -> pd.Series:
    """Whether an initiative ever came to a pilot or further, by its stage, the one it was stopped in, or its dates."""
    stood = initiatives[["stage", "stopped_in"]].isin(LIVE_STAGES).any(axis=1)
    return stood | initiatives[IN_USE].notna().any(axis=1)


def perhaps_piloted(initiatives: pd.DataFrame) -> pd.Series:
    """Whether an initiative was stopped and nothing says how far it had come."""
    return _stopped_unsaid(initiatives) & ~piloted(initiatives)


def perhaps_scaled(initiatives: pd.DataFrame) -> pd.Series:
    """Whether an initiative was stopped and nothing says that it had been scaled, or had not."""
    return _stopped_unsaid(initiatives) & ~ever_scaled(initiatives)


def _stopped_unsaid(initiatives: pd.DataFrame) -> pd.Series:
    return initiatives["stage"].eq("stopped") & initiatives["stopped_in"].isna()


def ever_scaled(initiatives: pd.DataFrame) -> pd.Series:
    """Whether an initiative is scaled, or was before it was stopped."""
    stood = initiatives[["stage", "stopped_in"]].eq("scaled").any(axis=1)
    return stood | initiatives["scaled_on"].notna()


def spells(initiatives: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Time in stage: one row per initiative x stage entered, with `days` and `left` (else still there).

    A stage is left at the next date of a later stage or of `stopped`. Spells without a start, without an end
    though the initiative stands elsewhere, or that end before they start are left out.
    """
    made = []
    for place, stage in enumerate(OPEN_STAGES):
        later = initiatives[[f"{name}_on" for name in STAGES[place + 1 :]]].min(axis=1)
        end = later.fillna(as_of).where(later.notna() | initiatives["stage"].eq(stage))
        days = (end - initiatives[f"{stage}_on"]).dt.days
        made.append(initiatives[CELL].assign(stage=stage, days=days, left=later.notna())[days >= 0])
    return pd.concat(made, ignore_index=True)


def days_in_stage(initiatives: pd.DataFrame, as_of: pd.Timestamp) -> pd.Series:
    """Days since an initiative entered the stage it is in; missing without that date."""
    entered = pd.Series(pd.NaT, initiatives.index, dtype="datetime64[ns]")
    for stage in STAGES:
        entered = entered.mask(initiatives["stage"].eq(stage), initiatives[f"{stage}_on"])
    return (as_of - entered).dt.days


def stalled(initiatives: pd.DataFrame, as_of: pd.Timestamp, settings: Settings) -> pd.Series:
    """1 stalled, 0 not, missing unknown: too long in its stage, or no activity for too long.

    Too long: above max(`stalled_stage_days`, p75 of time in that stage over all initiatives). A p75 that is
    not reached sets no limit: where everything stands still, nothing would be stalled.
    """
    p75 = {
        stage: kaplan_meier_quantile(rows["days"], rows["left"], 0.75).value
        for stage, rows in spells(initiatives, as_of).groupby("stage")
    }
    floor = settings.stalled_stage_days
    limit = initiatives["stage"].map(p75).astype(float).clip(lower=floor).fillna(floor)
    days, idle = days_in_stage(initiatives, as_of), (as_of - initiatives["last_activity_on"]).dt.days
    return any_of(yes_no(days > limit, days.notna()), yes_no(idle > settings.stalled_idle_days, idle.notna()))


def count_rows(initiatives: pd.DataFrame, membership: pd.DataFrame) -> pd.DataFrame:
    """`initiatives_count`: in all, by stage, by generation; segments nobody is in have no row."""
    segments = [initiatives.assign(segment=registry.ALL)]
    segments += [initiatives.assign(segment=initiatives[column]) for column in ("stage", "generation")]
    placed = reported(pd.concat(segments), membership)
    cells = placed.groupby([*CELL, "segment"], as_index=False).agg(value=("initiative_id", "size"))
    return registry.rows("initiatives_count", cells.assign(n=cells["value"]))


def conversion_rows(initiatives: pd.DataFrame, membership: pd.DataFrame) -> pd.DataFrame:
    """`stage_conversion`: of those that came to a stage, the share that came further so far."""
    place = {stage: number for number, stage in enumerate(OPEN_STAGES)}
    dated = (initiatives[ENTERED].notna() * np.arange(len(ENTERED))).max(axis=1)
    stood = initiatives[["stage", "stopped_in"]].apply(lambda column: column.map(place)).max(axis=1)
    furthest = dated.clip(lower=stood.fillna(0))
    steps = [
        initiatives[CELL].assign(
            segment=f"{stage}>{further}", came=furthest >= place[stage], moved=furthest > place[stage],
            there=initiatives["stage"].eq(stage),
        )
        for stage, further in pairwise(OPEN_STAGES)
    ]  # fmt: skip
    placed = reported(pd.concat(steps), membership)
    cells = placed.groupby([*CELL, "segment"], as_index=False)[["came", "moved", "there"]].sum()
    low, high = inference.wilson(cells["moved"], cells["came"])
    value = cells["moved"] / cells["came"].where(cells["came"] > 0)
    note = (cells["there"].astype(str) + " still there").where(cells["there"] > 0, "")
    note = note.mask(cells["came"].eq(0), "none came to this stage")
    cells = cells.assign(value=value, low=low, high=high, n=cells["came"], note=note)
    return registry.rows("stage_conversion", cells)


def time_rows(initiatives: pd.DataFrame, as_of: pd.Timestamp, membership: pd.DataFrame) -> pd.DataFrame:
    """`time_in_stage_p50`: Kaplan-Meier median per reporting unit and stage."""
    made = []
    placed = reported(spells(initiatives, as_of), membership)
    for (unit_id, wave, stage), rows in placed.groupby([*CELL, "stage"]):
        median = kaplan_meier_quantile(rows["days"], rows["left"], 0.5)
        note = f"not reached within {median.follow_up:.0f} days" if np.isnan(median.value) else ""
        made.append((unit_id, wave, stage, median.value, median.low, median.high, median.n, note))
    cells = pd.DataFrame(made, columns=[*CELL, "segment", "value", "low", "high", "n", "note"])
    every = reported(initiatives[CELL], membership)[CELL].drop_duplicates()
    undated = ~pd.MultiIndex.from_frame(every).isin(pd.MultiIndex.from_frame(placed[CELL]))
    none = every[undated].assign(value=np.nan, n=np.nan, note="no stage has a date")
    return registry.collect([registry.rows("time_in_stage_p50", cells) for cells in (cells, none)])
