"""Define the measures table: its columns, the closed list of measures, and functions that make and stack its rows.

Grain of every measures table: one row per unit x wave x measure x barrier x segment.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from aiready.model.schema import TABLES

COLUMNS = (
    "unit_id", "wave", "table", "barrier_id", "measure", "segment",
    "value", "low", "high", "n", "unit", "status", "note",
)  # fmt: skip
KEY = ("unit_id", "wave", "measure", "barrier_id", "segment")
NUMBERS = ("value", "low", "high", "n")
PEOPLE = "people"
"""Extra column until the privacy gate: number of people behind the row; missing where it does not rest on people."""
BOUNDS = ("at_least", "at_most")
"""Extra columns until the privacy gate: the value if every unknown answer were no, and if every one were yes;
missing where nothing is unknown, or where `low` and `high` hold these bounds already."""
UNGATED_COLUMNS = (*COLUMNS, PEOPLE, *BOUNDS)
"""Columns of measures rows until the privacy gate."""

ORGANISATION = "*"
ALL = "all"

OK, SUPPRESSED, INSUFFICIENT, NOT_MEASURED = "ok", "suppressed", "insufficient", "not_measured"
NO_RECORDS = pd.DataFrame(columns=["unit_id", "wave", "table", "added", "touched"]).astype(
    {"added": float, "touched": float}
)
"""Records of which nothing is known (`measures.unknown_records`): none."""
ANY_WAVE = ""
"""Wave of such a record whose time is unreadable or impossible: it may belong to any quarter."""

Unit = Literal["score", "points", "share", "hours", "seconds", "days", "count", "index", "delta"]


@dataclass(frozen=True)
class Measure:
    """One measure: the input table it rests on, its unit, and its name in a sentence."""

    name: str
    table: str
    unit: Unit
    label: str


def _measures(table: str, unit: Unit, **labels: str) -> Iterable[Measure]:
    return (Measure(name, table, unit, label) for name, label in labels.items())


MEASURES: Mapping[str, Measure] = {
    measure.name: measure
    for group in (
        _measures("responses", "score", perception="what people say", perception_shrunk="what people say, shrunk"),
        _measures("responses", "share", response_rate="response rate", straightliner_share="same answer throughout",
            not_applicable_share="does not apply", dont_know_share="don't know"),
        _measures("responses", "index", cronbach_alpha="Cronbach's alpha", mcdonald_omega="McDonald's omega",
            rwg_j="agreement within the unit", icc1="ICC(1)", icc2="ICC(2)"),
        _measures("responses", "points", difference_from_rest="difference from the rest of the organisation",
            change="change since the wave before"),
        _measures("responses", "delta", role_gap="gap between those doing and those leading"),
        _measures("initiatives", "score", problem_quality="quality of problem statements"),
        _measures("initiatives", "share", problem_ready_share="problem statements that are ready",
            business_metric_share="initiatives with a business metric", target_progress="way to the target covered",
            target_known_fresh="initiatives with a fresh outcome", involved_from_start="users involved from the start",
            governance_complete="governance checks done", monitoring_fresh="live initiatives monitored lately",
            limits_reviewed="limits reviewed lately", workflow_mapped_share="initiatives with a mapped workflow",
            stage_conversion="moved on to the next stage", stalled_share="stalled",
            stopped_with_reason_share="stopped with a reason", ready_before_pilot="problem ready before the pilot",
            baseline_before_pilot="baseline recorded before the pilot", comparison_trials="tried against a comparison",
            scaled_on_evidence="scaled on evidence", big_bang_share="scaled without pilot or limited use"),
        _measures("initiatives", "count", initiatives_count="initiatives"),
        _measures("initiatives", "days", time_in_stage_p50="median time in stage"),
        _measures("usage", "share", adoption="intended users who use it", trained_share="intended users trained"),
        _measures("trials", "index", verdict="verdict"),
        _measures("trials", "count", trials_per_quarter="trials per quarter"),
        _measures("trials", "days", days_to_first_verdict="days to a first verdict"),
        _measures("trials", "share", learning_recorded="trials with what was learned"),
        _measures("tasks", "share", exposure_alpha="exposure, a model alone", exposure_beta="exposure, half with software",
            exposure_zeta="exposure, with software", realised_rate="possible hours realised",
            not_adopted_rate="possible hours not adopted", rework_oversight_rate="adopted hours lost to rework and checks",
            measured_share="realised hours that were measured"),
        _measures("tasks", "hours", potential_hours="possible hours", realised_hours="realised hours",
            last_mile_gap_hours="last-mile gap", gap_not_adopted="gap: not adopted",
            gap_saving_below_plan="gap: saving below plan", gap_rework="gap: rework", gap_oversight="gap: oversight",
            gap_by_blocker="gap by what it waits on"),
        _measures("tasks", "count", task_count="core tasks"),
        _measures("workflow_steps", "share", operating_system_share="AI steps redesigned", wait_share="time spent waiting",
            redesign_claimed_share="redesign claimed, no changed step", ai_step_share="steps with AI"),
        _measures("workflow_steps", "count", handoffs="changes of actor"),
        _measures("decisions", "seconds", decision_speed_p50="median time to a decision",
            decision_speed_p90="time within which nine of ten are decided"),
        _measures("decisions", "share", label_coverage="decisions whose outcome is known", human_accuracy="people right before advice",
            advice_accuracy="advice right", decision_accuracy="final decisions right",
            accuracy_bounds="final decisions right, bounds", reliance_on_right_advice="right advice taken up",
            self_reliance="wrong advice withstood", over_reliance="wrong advice followed",
            under_reliance="right advice not followed", override_rate="advice overridden",
            override_correct="overrides that were right", net_override_value="net value of overrides",
            complementarity="better together", autonomy_share="decided by AI alone or by exception",
            effective_autonomy="touch-free and not reversed", error_rate="wrong decisions by level",
            context_coverage="cases with all context", unsafe_answer_rate="advice without the context",
            advice_in_time_share="advice there in time"),
        _measures("decisions", "index", autonomy_index="autonomy index", brier="Brier score of stated confidence"),
        _measures("feedback", "days", feedback_loop_p50="median time from flag to change"),
        _measures("feedback", "share", feedback_closed_30d="flags closed within 30 days",
            feedback_declined_share="flags declined", insight_used_share="ideas and insights used",
            user_changes="live initiatives changed by users"),
        _measures("probes", "share", probe_accuracy="questions about the organisation answered right"),
    )
    for measure in group
}  # fmt: skip


def measures_of_table(table: str) -> tuple[str, ...]:
    """Names of the measures that rest on one input table, in the order of the list."""
    return tuple(measure.name for measure in MEASURES.values() if measure.table == table)


def measure_rows(measure: str, cells: pd.DataFrame) -> pd.DataFrame:
    """Make measures rows from computed cells.

    Parameters
    ----------
    measure
        Name from the closed list; gives `table` and `unit`.
    cells
        One row per cell with `unit_id`, `wave`, `value`, `n`; optional `barrier_id`, `segment`, `low`, `high`,
        `people`, `at_least`, `at_most`, `status`, `note`. A missing value without a status becomes `insufficient`.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS` plus `people` and `BOUNDS`. Only `ok` rows keep value, low, high and n.
    """
    definition = MEASURES[measure]
    nothing = np.full(len(cells), np.nan)
    columns: dict[str, Any] = {
        "barrier_id": "",
        "segment": ALL,
        "low": nothing,
        "high": nothing,
        "note": "",
        **dict.fromkeys((PEOPLE, *BOUNDS), nothing),
    }
    columns |= {name: cells[name].to_numpy() for name in UNGATED_COLUMNS if name in cells}
    columns |= {"table": definition.table, "measure": measure, "unit": definition.unit}
    given_status = cells["status"].to_numpy() if "status" in cells else np.full(len(cells), OK, dtype=object)
    status = np.where((given_status == OK) & cells["value"].isna().to_numpy(), INSUFFICIENT, given_status).astype(
        object
    )
    numbers = {name: np.where(status == OK, columns[name], np.nan).astype(float) for name in NUMBERS}
    return pd.DataFrame(
        {**columns, **numbers, "status": status}, columns=list(UNGATED_COLUMNS), index=range(len(cells))
    )


def stack_measures(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Concatenate measures tables; without any rows, an empty table with the columns of measures rows."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(UNGATED_COLUMNS))


def stack_nonempty(first: pd.DataFrame, *others: pd.DataFrame) -> pd.DataFrame:
    """Concatenate tables, with the columns of all of them; when none has a row, return the first unchanged.

    Empty tables do not influence the column types.

    Examples
    --------
    >>> stack_nonempty(pd.DataFrame({"n": []}, dtype=object), pd.DataFrame({"n": [4]}))["n"].dtype
    dtype('int64')
    """
    filled = [table for table in (first, *others) if len(table)]
    columns = dict.fromkeys(column for table in (first, *others) for column in table)
    return pd.concat(filled, ignore_index=True).reindex(columns=list(columns)) if filled else first


def fill_not_measured(measures: pd.DataFrame, table: str, unit_ids: Iterable[str], wave: str) -> pd.DataFrame:
    """Add one `not_measured` row per unit x measure of a table that has no row at all for that unit.

    `note` says what to collect. The given rows come first, unchanged.
    """
    key = ["measure", "unit_id"]
    expected = pd.MultiIndex.from_product([list(measures_of_table(table)), list(unit_ids)], names=key)
    present = pd.MultiIndex.from_frame(measures[key]) if len(measures) else expected[:0]
    absent = expected.difference(present, sort=False).to_frame(index=False)
    if absent.empty:
        return stack_measures([measures])
    absent = absent.assign(wave=wave, value=np.nan, n=np.nan, status=NOT_MEASURED)
    absent["note"] = f"collect `{table}`: {TABLES[table].collect}"
    # one call for all measures of the table: they share everything but name and unit
    filled = measure_rows(str(absent["measure"].iloc[0]), absent)
    filled["measure"] = absent["measure"]
    filled["unit"] = [MEASURES[name].unit for name in absent["measure"]]
    return stack_measures([measures, filled])


def fill_quarters(measures: pd.DataFrame, table: str, unit_ids: Iterable[str], newest: str) -> pd.DataFrame:
    """Add `not_measured` rows as `fill_not_measured` does, in every quarter that occurs and in the newest."""
    quarters = sorted({*measures["wave"], newest})
    return stack_measures(
        fill_not_measured(measures[measures["wave"] == quarter], table, unit_ids, quarter) for quarter in quarters
    )
