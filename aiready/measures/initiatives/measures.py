"""Measure initiatives: problem statements, checks, stages, adoption, from the register and `usage`."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from aiready.inputs.dataset import Data
from aiready.instrument.model import Instrument, Settings
from aiready.measures import stages
from aiready.measures.estimation import inference
from aiready.measures.initiatives.problem_statements import PARTS, inconsistency_of, problem_parts, stated_text
from aiready.measures.record_shares import (
    CELL,
    Judgements,
    all_of,
    by_reporting_unit,
    count_judgements,
    is_fresh,
    share_cells,
    yes_no,
)
from aiready.model import registry
from aiready.model.registry import INSUFFICIENT, NOT_MEASURED, OK, ORGANISATION, PEOPLE
from aiready.model.schema import GOVERNANCE_CHECKS, LIVE_STAGES, TABLES
from aiready.privacy.segments import flat_segments
from aiready.privacy.suppressed_cells import ENOUGH_PEOPLE, RecordContributors

__all__ = ["measure", "problem_parts", "register"]

BY_TRIALS = ("comparison_trials", "scaled_on_evidence")
"""Measures of the register that depend on verdicts, which `trials` computes."""
SCOPES = {
    "target_known_fresh": "live", "monitoring_fresh": "live", "workflow_mapped_share": "live",
    "limits_reviewed": "still going on", "stalled_share": "on its way to scale",
    "stopped_with_reason_share": "stopped", "big_bang_share": "scaled",
    "ready_before_pilot": "as far as a pilot", "baseline_before_pilot": "as far as a pilot",
}  # fmt: skip
BEFORE_PILOT = ("ready_before_pilot", "baseline_before_pilot")
USER_COLUMNS = ["unit_id", "wave", "part", "person"]
USAGE_COUNTS = ("intended", "active", "known", "trained")
COUNTED_TO_AS_OF = ("target_known_fresh", "monitoring_fresh", "limits_reviewed", "stalled_share")


def measure(data: Data, rules: Instrument) -> pd.DataFrame:
    """All measures of `initiatives` and `usage` except the two that depend on verdicts (see `trials`).

    Returns
    -------
    pandas.DataFrame
        Measures rows: one per reporting unit x wave x measure x segment. Initiatives count for the unit that
        owns them, `usage` for the unit that uses them. Rows of one initiative (segment initiative_id:
        `problem_quality`, `target_progress`, `governance_complete`) are given for the owning unit only. `people` is
        known for usage.

    Notes
    -----
    *Shares* are yes / known over the initiatives of their scope, n those known; low and high take the unknown ones
    as no and as yes; insufficient where less than `minimum_coverage` is known. Scope: live = pilot, limited, scaled
    (`target_known_fresh`, `monitoring_fresh`, `workflow_mapped_share`); not stopped (`limits_reviewed`); idea,
    defined, pilot, limited (`stalled_share`); stopped (`stopped_with_reason_share`); ever piloted
    (`ready_before_pilot`, `baseline_before_pilot`; for the band also those stopped at an unknown stage); ever scaled
    (`big_bang_share`); else all. A blank is unknown for a kind, a check, the date of a review or of a stage; it is a
    no for what has to be written down: the parts of the problem, the outcome and its date, the stop reason.
    `governance_complete` counts checks; n is the initiatives with a known one; blank `stakes` count as high.
    `ready_before_pilot`: READY and `defined_on` not after the pilot (or first use). `baseline_before_pilot`: with a
    baseline, and the same dates. `stalled_share`: days in stage above max(`stalled_stage_days`, p75 of that stage in
    the organisation; where p75 is not reached, the setting alone), or no activity for more than
    `stalled_idle_days`. `big_bang_share`: neither `pilot_on` nor `limited_on`; unknown where no stage has a date.

    `problem_quality`: mean of `problem_parts`. `target_progress` = (outcome_now - baseline) / (target -
    baseline) where the outcome is recent; `all` is their median. `stage_conversion` (segment `pilot>limited`): of those
    that reached a stage, by stage or dates, the share that has gone further so far; those still in it are counted.
    `time_in_stage_p50` (segment stage): Kaplan-Meier, until a later stage or the stop, open at `as_of`.
    `adoption` = active / intended users, `trained_share` = trained / intended; Wilson, where blank
    `trained_users` widen the interval to none and all trained. `people` are the intended users of the largest
    initiative, since several may be intended for the same person.
    """
    measures = registry.stack_measures(
        [_register_rows(data, rules), _usage_rows(data, rules.settings.minimum_coverage)]
    )
    unit_ids = [*data.units["unit_id"], ORGANISATION]
    filled = [
        registry.fill_not_measured(measures[measures["table"] == table], table, unit_ids, data.wave)
        for table in ("initiatives", "usage")
    ]
    stated = registry.stack_measures(filled)
    return stated[~stated["measure"].isin(BY_TRIALS)].reset_index(drop=True)


def register(data: Data, rules: Instrument) -> pd.DataFrame:
    """The register with assessments added: one row per initiative.

    Returns
    -------
    pandas.DataFrame
        The columns of `initiatives` and of `problem_parts`, `progress` (share of the way to the target, missing
        unless recent), `days_in_stage`, `stalled` (1, 0, missing: unknown). Empty where the table is absent.
    """
    initiatives = data.table("initiatives")
    if initiatives is None or initiatives.empty:
        assessed = problem_parts(pd.DataFrame(columns=list(TABLES["initiatives"].names)))
        columns = [*TABLES["initiatives"].names, *assessed, "progress", "days_in_stage", "stalled"]
        return pd.DataFrame(columns=columns)
    as_of = pd.Timestamp(data.as_of)
    assessed = initiatives.join(problem_parts(initiatives))
    is_recent = is_fresh(assessed["outcome_on"], as_of, rules.settings.target_fresh_days).eq(1)
    return assessed.assign(
        progress=_progress(assessed).where(is_recent),
        days_in_stage=stages.days_in_stage(assessed, as_of),
        stalled=stages.is_stalled(assessed, as_of, rules.settings),
    )


def _progress(initiatives: pd.DataFrame) -> pd.Series:
    """Share of the way from baseline to target; missing where the target is no improvement."""
    way = (initiatives["target"] - initiatives["baseline"]).where(inconsistency_of(initiatives).eq(""))
    return (initiatives["outcome_now"] - initiatives["baseline"]) / way.where(way != 0)


def _problem_judgements(initiatives: pd.DataFrame, as_of: pd.Timestamp, settings: Settings) -> Judgements:
    """Judge the problem statements and their dates."""
    all_rows, ever_piloted = pd.Series(True, initiatives.index), stages.ever_piloted(initiatives)
    ready = problem_parts(initiatives)["ready"].astype(float)
    defined, used = initiatives["defined_on"], initiatives[stages.IN_USE].min(axis=1)
    before = yes_no(defined <= used, defined.notna() & used.notna())
    kind, has_metric = initiatives["metric_kind"], stated_text(initiatives["outcome_metric"]).ne("")
    measured = initiatives[["outcome_now", "baseline", "target"]].notna().all(axis=1)
    is_recent = is_fresh(initiatives["outcome_on"], as_of, settings.target_fresh_days).eq(1)
    return {
        "problem_ready_share": (all_rows, ready),
        "business_metric_share": (all_rows, yes_no(kind.eq("business"), kind.notna() & has_metric)),
        "target_known_fresh": (
            initiatives["stage"].isin(LIVE_STAGES), yes_no(measured & is_recent, all_rows & pd.notna(as_of))
        ),
        "ready_before_pilot": (ever_piloted, all_of(ready, before)),
        "baseline_before_pilot": (ever_piloted, all_of(initiatives["baseline"].notna().astype(float), before)),
    }  # fmt: skip


def _firm_yes(initiatives: pd.DataFrame) -> Mapping[str, pd.Series]:
    """By measure, where a yes depends on no blank: the first use is dated, the kind of metric is stated."""
    dated, kind = initiatives["pilot_on"].notna(), initiatives["metric_kind"].notna()
    return {"ready_before_pilot": dated & kind, "baseline_before_pilot": dated}


def _practice_judgements(initiatives: pd.DataFrame, as_of: pd.Timestamp, settings: Settings) -> Judgements:
    """Judge how the initiatives are run."""
    stage, involved = initiatives["stage"], initiatives["users_involved"]
    reviewed = is_fresh(initiatives["limit_reviewed_on"], as_of, settings.limits_review_days)
    undated = initiatives[stages.ENTERED].isna().all(axis=1)
    at_once = initiatives[["pilot_on", "limited_on"]].isna().all(axis=1)
    reasoned = stated_text(initiatives["stop_reason"]).ne("").astype(float)
    return {
        "involved_from_start": (
            pd.Series(True, initiatives.index), yes_no(involved.isin(["design", "idea"]), involved.notna())
        ),
        "monitoring_fresh": (
            stage.isin(LIVE_STAGES), is_fresh(initiatives["monitored_on"], as_of, settings.monitoring_fresh_days)
        ),
        "limits_reviewed": (stage.ne("stopped"), reviewed.where(initiatives["limit_kind"].notna())),
        "stalled_share": (stage.isin(stages.OPEN_STAGES[:-1]), stages.is_stalled(initiatives, as_of, settings)),
        "stopped_with_reason_share": (stage.eq("stopped"), reasoned),
        "big_bang_share": (stages.ever_scaled(initiatives), yes_no(at_once, ~undated)),
    }  # fmt: skip


def _mapping_judgements(initiatives: pd.DataFrame, steps: pd.DataFrame | None) -> Judgements:
    """Judge whether the workflow of each initiative is mapped; unknown without the table of steps."""
    is_mapped = pd.Series(np.nan, initiatives.index)
    if steps is not None:
        is_mapped = initiatives["initiative_id"].isin(steps["initiative_id"].dropna()).astype(float)
    return {"workflow_mapped_share": (initiatives["stage"].isin(LIVE_STAGES), is_mapped)}


def _governance(initiatives: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Count the checks that apply by stakes: one row per initiative with asked, known and yes.

    Where the stakes are blank, only checks that apply whatever the stakes are firm.
    """
    low, applies = initiatives["stakes"].eq("low"), pd.DataFrame(index=initiatives.index)
    low_too = [check in settings.governance_checks_low for check in GOVERNANCE_CHECKS]
    for check, if_low in zip(GOVERNANCE_CHECKS, low_too, strict=True):
        applies[check] = np.where(low, if_low, check in settings.governance_checks_high)
    checks = initiatives[list(GOVERNANCE_CHECKS)]
    n_known = (checks.notna() & applies).sum(axis=1)
    counted = initiatives[["initiative_id", *CELL]].assign(measure="governance_complete", known=n_known)
    counted["asked"], counted["yes"] = applies.sum(axis=1), (checks.eq("yes") & applies).sum(axis=1)
    applies_surely = applies & (low_too | initiatives["stakes"].notna().to_numpy()[:, None])
    return counted.assign(n=n_known.gt(0).astype(int), doubted=0, firm=(checks.eq("yes") & applies_surely).sum(axis=1))


def _register_rows(data: Data, rules: Instrument) -> pd.DataFrame:
    initiatives, as_of, settings = data.table("initiatives"), pd.Timestamp(data.as_of), rules.settings
    if initiatives is None or initiatives.empty:
        return registry.stack_measures([])
    judgements = {
        **_problem_judgements(initiatives, as_of, settings), **_practice_judgements(initiatives, as_of, settings),
        **_mapping_judgements(initiatives, data.table("workflow_steps")),
    }  # fmt: skip
    records = initiatives[["initiative_id", *CELL]]
    undated = stages.possibly_piloted(initiatives)
    per_record = count_judgements(records, judgements, _firm_yes(initiatives), dict.fromkeys(BEFORE_PILOT, undated))
    counted = pd.concat([per_record, _governance(initiatives, settings)], ignore_index=True)
    assessed = register(data, rules)
    return registry.stack_measures([
        _quality_rows(assessed, data.membership),
        *_share_rows(counted, data, settings.minimum_coverage),
        _progress_rows(assessed, data.membership),
        stages.initiative_count_rows(initiatives, data.membership),
        stages.stage_conversion_rows(initiatives, data.membership),
        stages.time_in_stage_rows(initiatives, as_of, data.membership),
    ])  # fmt: skip


def _share_rows(counted: pd.DataFrame, data: Data, floor: float) -> Iterable[pd.DataFrame]:
    sums = by_reporting_unit(counted, data.membership).groupby(["measure", *CELL], as_index=False)
    cells = share_cells(sums[["asked", "known", "yes", "firm", "doubted", "n"]].sum(), floor, SCOPES)
    if data.as_of is None:
        cells["note"] = cells["note"].mask(cells["measure"].isin(COUNTED_TO_AS_OF), "no date to count to")
    if data.table("workflow_steps") is None:
        unmapped = cells["measure"].eq("workflow_mapped_share")
        cells["status"] = cells["status"].mask(unmapped, NOT_MEASURED)
        collect = f"collect `workflow_steps`: {TABLES['workflow_steps'].collect}"
        cells["note"] = cells["note"].mask(unmapped, collect)
    each = counted[counted["measure"].eq("governance_complete")]
    each = share_cells(each, floor, SCOPES).assign(segment=each["initiative_id"])
    yield from (registry.measure_rows(str(name), rows) for name, rows in cells.groupby("measure"))
    yield registry.measure_rows("governance_complete", each)


def _quality_rows(assessed: pd.DataFrame, membership: pd.DataFrame) -> pd.DataFrame:
    kind_unknown = assessed["metric_kind"].isna() & assessed["metric_part"].eq(2)
    rated = assessed.assign(firm=assessed["quality"] - kind_unknown * 100 / (2 * len(PARTS)))
    grouped = by_reporting_unit(rated, membership).groupby(CELL, as_index=False)
    unit_cells = grouped.agg(value=("quality", "mean"), at_least=("firm", "mean"), n=("quality", "size"))
    note = assessed["verdict"] + (": " + assessed["mend"]).mask(assessed["mend"].eq(""), "")
    each = assessed.assign(segment=assessed["initiative_id"], value=assessed["quality"], n=1, note=note)
    return registry.stack_measures([registry.measure_rows("problem_quality", cells) for cells in (unit_cells, each)])


def _progress_rows(assessed: pd.DataFrame, membership: pd.DataFrame) -> pd.DataFrame:
    grouped = by_reporting_unit(assessed, membership).groupby(CELL, as_index=False)
    unit_cells = grouped.agg(value=("progress", "median"), n=("progress", "count"), size=("progress", "size"))
    unit_cells["note"] = "known and fresh for " + unit_cells["n"].astype(str) + " of " + unit_cells["size"].astype(str)
    missing = "outcome, baseline or target missing, contradictory or not fresh"
    note = np.where(assessed["progress"].isna(), missing, "")
    each = assessed.assign(segment=assessed["initiative_id"], value=assessed["progress"], n=1, note=note)
    return registry.stack_measures([registry.measure_rows("target_progress", cells) for cells in (unit_cells, each)])


def _usage_rows(data: Data, floor: float) -> pd.DataFrame:
    usage = data.table("usage")
    if usage is None or usage.empty:
        return registry.stack_measures([])
    counted = usage.rename(columns={"intended_users": "intended", "active_users": "active"}).assign(
        known=usage["intended_users"].where(usage["trained_users"].notna(), 0.0),
        trained=usage["trained_users"].fillna(0.0),
    )
    by_unit = by_reporting_unit(counted, data.membership)
    by_unit["own"] = by_unit["member_id"].eq(by_unit["unit_id"])
    sums = dict.fromkeys(USAGE_COUNTS, "sum")
    grouped = by_unit.groupby([*CELL, "initiative_id"], as_index=False)
    each = grouped.agg({**sums, "own": "any", "member_id": "nunique"})
    totals = each.groupby(CELL, as_index=False).agg(sums)
    totals[PEOPLE] = each.groupby(CELL, as_index=False)["intended"].max()["intended"]
    # Where only one unit uses an initiative, its parent's row would repeat that unit's.
    shared = each[each["own"] | each["member_id"].gt(1)]
    cells = pd.concat([
        totals.assign(segment=registry.ALL).merge(_reasons(by_unit), on=CELL, how="left"),
        shared.assign(segment=shared["initiative_id"], reasons="", **{PEOPLE: shared["intended"]}),
    ], ignore_index=True)  # fmt: skip
    return registry.stack_measures([_adoption_rows(cells), _trained_rows(cells, floor)])


def users(data: Data, settings: Settings) -> RecordContributors:
    """The users behind adoption and training: one row per own unit x wave x initiative x user, for the privacy gate.

    Notes
    -----
    Users are not known by name, and the same people may use several initiatives: users of a smaller one are taken to
    be among those of the larger ones, so that nobody is counted twice. No more users are listed than the gate needs.
    """
    usage, figures = data.table("usage"), ("intended", "known")
    if usage is None or usage.empty:
        return RecordContributors(pd.DataFrame(columns=[*USER_COLUMNS, *figures]), figures, flat_segments([]))
    counted = usage.assign(
        intended=usage["intended_users"], known=usage["intended_users"].where(usage["trained_users"].notna(), 0.0)
    )
    counted = counted.groupby(["unit_id", "wave", "initiative_id"], as_index=False)[list(figures)].sum()
    counted = counted.rename(columns={"initiative_id": "part"})
    counted = counted.loc[counted["intended"] > 0]
    most = counted[list(figures)].clip(upper=max(ENOUGH_PEOPLE, settings.minimum_group))
    user_rows = counted.loc[counted.index.repeat(most["intended"].astype(int))]
    number = user_rows.groupby(level=0).cumcount()
    present = {name: number.lt(most[name].reindex(user_rows.index)).astype(float) for name in figures}
    rows = user_rows.assign(person=user_rows["unit_id"] + " " + number.astype(str), **present)[
        [*USER_COLUMNS, *figures]
    ]
    return RecordContributors(rows.reset_index(drop=True), figures, flat_segments(sorted(counted["part"].unique())))


def _reasons(by_unit: pd.DataFrame) -> pd.DataFrame:
    """Main reasons why intended users do not use an initiative, most frequent first: one row per unit x wave."""
    reason = by_unit["main_reason_not_used"]
    counted = by_unit[reason.notna()].groupby([*CELL, reason.name], as_index=False).size()
    counted = counted.sort_values([*CELL, "size", reason.name], ascending=[True, True, False, True])
    counted["reasons"] = counted[reason.name].str.replace("_", " ") + " (" + counted["size"].astype(str) + ")"
    return counted.groupby(CELL, as_index=False)["reasons"].agg(", ".join)


def _adoption_rows(cells: pd.DataFrame) -> pd.DataFrame:
    intended, active = cells["intended"], cells["active"]
    low, high = inference.wilson(active.where(active <= intended), intended)
    reasons = ("main reasons why not: " + cells["reasons"]).where(cells["reasons"].fillna("").ne(""), "")
    note = reasons.mask(active > intended, "more active than intended users")
    note = note.mask(intended.eq(0), "no intended users")
    value = active / intended.where(intended > 0)
    return registry.measure_rows("adoption", cells.assign(value=value, low=low, high=high, n=intended, note=note))


def _trained_rows(cells: pd.DataFrame, floor: float) -> pd.DataFrame:
    intended, n_known, trained = cells["intended"], cells["known"], cells["trained"]
    coverage = n_known / intended.where(intended > 0)
    possible = trained <= n_known
    low, _ = inference.wilson(trained.where(possible), intended)
    _, high = inference.wilson((trained + intended - n_known).where(possible), intended)
    whole_numbers = "{:.0f}".format
    note = "known for " + n_known.map(whole_numbers) + " of " + intended.map(whole_numbers) + " intended users"
    note = note.mask(coverage.eq(1), "").mask(coverage < floor, note + f", at least {floor:.0%} needed")
    note = note.mask(~possible, "more trained than intended users").mask(coverage.isna(), "no intended users")
    value = trained / n_known.where(n_known > 0)
    status = np.where(coverage < floor, INSUFFICIENT, OK)
    worst, best = trained / intended.where(intended > 0), (trained + intended - n_known) / intended.where(intended > 0)
    shares = cells.assign(
        value=value, low=low, high=high, n=n_known, at_least=worst, at_most=best, status=status, note=note
    )
    return registry.measure_rows("trained_share", shares)
