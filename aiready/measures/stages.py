"""Measure the stages of initiatives: how far they came, how long they stayed, which are stalled."""

from itertools import pairwise

import numpy as np
import pandas as pd

from aiready.instrument.model import Settings
from aiready.measures.estimation import inference
from aiready.measures.estimation.survival import kaplan_meier_quantile
from aiready.measures.record_shares import CELL, any_of, by_reporting_unit, yes_no
from aiready.model import registry
from aiready.model.schema import LIVE_STAGES, STAGES

OPEN_STAGES = STAGES[:-1]
ENTERED = [f"{stage}_on" for stage in OPEN_STAGES]
IN_USE = [f"{stage}_on" for stage in LIVE_STAGES]


def ever_piloted(initiatives: pd.DataFrame) -> pd.Series:
    """Whether an initiative ever reached a pilot or later stage, by its stage, `stopped_in` or its dates."""
    reached_pilot = initiatives[["stage", "stopped_in"]].isin(LIVE_STAGES).any(axis=1)
    return reached_pilot | initiatives[IN_USE].notna().any(axis=1)


def possibly_piloted(initiatives: pd.DataFrame) -> pd.Series:
    """Whether an initiative was stopped at an unknown stage, and may have been piloted."""
    return _stopped_at_unknown_stage(initiatives) & ~ever_piloted(initiatives)


def possibly_scaled(initiatives: pd.DataFrame) -> pd.Series:
    """Whether an initiative was stopped at an unknown stage, and may have been scaled."""
    return _stopped_at_unknown_stage(initiatives) & ~ever_scaled(initiatives)


def _stopped_at_unknown_stage(initiatives: pd.DataFrame) -> pd.Series:
    return initiatives["stage"].eq("stopped") & initiatives["stopped_in"].isna()


def ever_scaled(initiatives: pd.DataFrame) -> pd.Series:
    """Whether an initiative is scaled, or was before it was stopped."""
    reached_scale = initiatives[["stage", "stopped_in"]].eq("scaled").any(axis=1)
    return reached_scale | initiatives["scaled_on"].notna()


def stage_spells(initiatives: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Time in stage: one row per initiative x stage entered, with `days` and `left` (false: still in it).

    A stage is left at the first date of a later stage or of `stopped`. Spells are dropped that have no start, that
    have no end although the initiative is in another stage, or that end before they start.
    """
    parts = []
    for position, stage in enumerate(OPEN_STAGES):
        later = initiatives[[f"{name}_on" for name in STAGES[position + 1 :]]].min(axis=1)
        end = later.fillna(as_of).where(later.notna() | initiatives["stage"].eq(stage))
        days = (end - initiatives[f"{stage}_on"]).dt.days
        parts.append(initiatives[CELL].assign(stage=stage, days=days, left=later.notna())[days >= 0])
    return pd.concat(parts, ignore_index=True)


def days_in_stage(initiatives: pd.DataFrame, as_of: pd.Timestamp) -> pd.Series:
    """Days since an initiative entered the stage it is in; missing without that date."""
    entered = pd.Series(pd.NaT, initiatives.index, dtype="datetime64[ns]")
    for stage in STAGES:
        entered = entered.mask(initiatives["stage"].eq(stage), initiatives[f"{stage}_on"])
    return (as_of - entered).dt.days


def is_stalled(initiatives: pd.DataFrame, as_of: pd.Timestamp, settings: Settings) -> pd.Series:
    """Whether an initiative is too long in its stage or inactive for too long: 1, 0, or missing (unknown).

    Too long: above max(`stalled_stage_days`, p75 of time in that stage over all initiatives). A p75 that is not
    reached is ignored: otherwise nothing would count as stalled where everything is.
    """
    p75 = {
        stage: kaplan_meier_quantile(rows["days"], rows["left"], 0.75).value
        for stage, rows in stage_spells(initiatives, as_of).groupby("stage")
    }
    floor = settings.stalled_stage_days
    limit = initiatives["stage"].map(p75).astype(float).clip(lower=floor).fillna(floor)
    days, idle = days_in_stage(initiatives, as_of), (as_of - initiatives["last_activity_on"]).dt.days
    return any_of(yes_no(days > limit, days.notna()), yes_no(idle > settings.stalled_idle_days, idle.notna()))


def initiative_count_rows(initiatives: pd.DataFrame, membership: pd.DataFrame) -> pd.DataFrame:
    """`initiatives_count`: in total, by stage and by generation; empty segments have no row."""
    segments = [initiatives.assign(segment=registry.ALL)]
    segments += [initiatives.assign(segment=initiatives[column]) for column in ("stage", "generation")]
    by_unit = by_reporting_unit(pd.concat(segments), membership)
    cells = by_unit.groupby([*CELL, "segment"], as_index=False).agg(value=("initiative_id", "size"))
    return registry.measure_rows("initiatives_count", cells.assign(n=cells["value"]))


def stage_conversion_rows(initiatives: pd.DataFrame, membership: pd.DataFrame) -> pd.DataFrame:
    """`stage_conversion`: of the initiatives that reached a stage, the share that has gone further so far."""
    stage_rank = {stage: number for number, stage in enumerate(OPEN_STAGES)}
    dated = (initiatives[ENTERED].notna() * np.arange(len(ENTERED))).max(axis=1)
    stated = initiatives[["stage", "stopped_in"]].apply(lambda column: column.map(stage_rank)).max(axis=1)
    furthest = dated.clip(lower=stated.fillna(0))
    steps = [
        initiatives[CELL].assign(
            segment=f"{stage}>{further}", reached=furthest >= stage_rank[stage], passed=furthest > stage_rank[stage],
            still_in=initiatives["stage"].eq(stage),
        )
        for stage, further in pairwise(OPEN_STAGES)
    ]  # fmt: skip
    by_unit = by_reporting_unit(pd.concat(steps), membership)
    cells = by_unit.groupby([*CELL, "segment"], as_index=False)[["reached", "passed", "still_in"]].sum()
    low, high = inference.wilson(cells["passed"], cells["reached"])
    value = cells["passed"] / cells["reached"].where(cells["reached"] > 0)
    note = (cells["still_in"].astype(str) + " still there").where(cells["still_in"] > 0, "")
    note = note.mask(cells["reached"].eq(0), "none came to this stage")
    cells = cells.assign(value=value, low=low, high=high, n=cells["reached"], note=note)
    return registry.measure_rows("stage_conversion", cells)


def time_in_stage_rows(initiatives: pd.DataFrame, as_of: pd.Timestamp, membership: pd.DataFrame) -> pd.DataFrame:
    """`time_in_stage_p50`: Kaplan-Meier median per reporting unit and stage."""
    medians = []
    by_unit = by_reporting_unit(stage_spells(initiatives, as_of), membership)
    for (unit_id, wave, stage), rows in by_unit.groupby([*CELL, "stage"]):
        median = kaplan_meier_quantile(rows["days"], rows["left"], 0.5)
        note = f"not reached within {median.follow_up:.0f} days" if np.isnan(median.value) else ""
        medians.append((unit_id, wave, stage, median.value, median.low, median.high, median.n, note))
    cells = pd.DataFrame(medians, columns=[*CELL, "segment", "value", "low", "high", "n", "note"])
    all_cells = by_reporting_unit(initiatives[CELL], membership)[CELL].drop_duplicates()
    undated = ~pd.MultiIndex.from_frame(all_cells).isin(pd.MultiIndex.from_frame(by_unit[CELL]))
    none = all_cells[undated].assign(value=np.nan, n=np.nan, note="no stage has a date")
    return registry.stack_measures([registry.measure_rows("time_in_stage_p50", cells) for cells in (cells, none)])
