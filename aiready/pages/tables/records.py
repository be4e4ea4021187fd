"""Make the tables of what records show: tasks, pilots, metrics, workflows, actions, exploration and evolution."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pandas as pd

from aiready.messages import Language
from aiready.model import waves
from aiready.model.registry import ALL, INSUFFICIENT, OK, SUPPRESSED
from aiready.model.schema import STAGES
from aiready.pages import sentences
from aiready.pages.tables.cells import value_cell
from aiready.profile.assessment import Assessment
from aiready.profile.run_info import Cell

SIX_METRICS = (
    "decision_speed_p50",
    "decision_accuracy",
    "over_reliance",
    "feedback_loop_p50",
    "effective_autonomy",
    "context_coverage",
)
"""One measure each of decision speed, accuracy, collaboration, feedback, autonomy and understanding."""
METRIC_DETAILS = (
    "decision_speed_p50",
    "decision_speed_p90",
    "advice_in_time_share",
    "decision_accuracy",
    "advice_accuracy",
    "human_accuracy",
    "label_coverage",
    "complementarity",
    "reliance_on_right_advice",
    "self_reliance",
    "over_reliance",
    "under_reliance",
    "override_rate",
    "override_correct",
    "net_override_value",
    "feedback_loop_p50",
    "feedback_closed_30d",
    "feedback_declined_share",
    "insight_used_share",
    "user_changes",
    "autonomy_share",
    "effective_autonomy",
    "autonomy_index",
    "context_coverage",
    "unsafe_answer_rate",
    "probe_accuracy",
    "brier",
)
HOUR_PARTS = ("gap_saving_below_plan", "gap_rework", "gap_oversight")
EVOLUTION = (
    "trials_per_quarter",
    "days_to_first_verdict",
    "learning_recorded",
    "limits_reviewed",
    "stalled_share",
    "stopped_with_reason_share",
    "big_bang_share",
)
"""The measures of exploration and evolution, in the order shown."""
BLOCKERS_SHOWN = 3
VERSIONS = ("before", "now", "target")
MODES = ("human", "augment", "automate")
CHANGES = ("actor", "reordered", "replaces", "merged", "added", "removed")
EXPOSURE = ("exposure_alpha", "exposure_beta", "exposure_zeta")
LEVELS = ("E1", "E2", "E0")
"""Levels of exposure: first what a model alone could speed up."""
EXPOSED_SHOWN = 40
TASKS_SHOWN = 10


def blocks_of_hours(unit: Assessment) -> pd.DataFrame:
    """Where the possible hours go: one row per task x part, the largest tasks first, all others as one (`rest`)."""
    rows = _tasks_with_hours(unit)
    if rows.empty:
        return pd.DataFrame(columns=["task", "part", "kind", "hours", "rest"])
    language, rows = unit.language, rows.sort_values("potential", ascending=False)
    largest = rows["potential"].rank(ascending=False, method="first") <= TASKS_SHOWN
    full_names = rows["task"] + (" (" + rows["job"] + ")" if rows.loc[largest, "job"].nunique() > 1 else "")
    rows = rows.assign(label=pd.Series(sentences.short_names(full_names), rows.index).where(largest))
    rest = language.say("hours.other_tasks", int(rows["label"].isna().sum()))
    rows["label"] = rows["label"].fillna(rest)
    realised = rows[["label", "realised"]].rename(columns={"realised": "hours"})
    parts = [realised.assign(part=language.say("hours.part_realised"), kind="realised")]
    waiting = rows.assign(part=_waits_on(unit, rows), kind="waits", hours=rows["gap_not_adopted"])
    short = rows.assign(part=language.say("hours.part_plan"), kind="plan", hours=rows[list(HOUR_PARTS)].sum(axis=1))
    parts += [table[["label", "part", "kind", "hours"]] for table in (waiting, short)]
    stacked = pd.concat(parts, ignore_index=True)
    summed = stacked.groupby(["label", "kind", "part"], sort=False, as_index=False)["hours"].sum()
    nonzero = summed.loc[summed["hours"].abs() > 1e-9].rename(columns={"label": "task"}).reset_index(drop=True)
    return nonzero.assign(rest=nonzero["task"] == rest)


def tasks_drawn(unit: Assessment) -> list[str]:
    """Parts of a subtitle: which tasks are drawn, if not all; their job, if it is one of several."""
    rows, language = _tasks_with_hours(unit), unit.language
    if rows.empty:
        return []
    jobs = rows.nlargest(TASKS_SHOWN, "potential", keep="first")["job"].unique()
    key = "hours.largest_shown" if unit.rows("tasks")["status"].eq(SUPPRESSED).any() else "hours.largest"
    largest = language.say(key, shown=str(TASKS_SHOWN), total=language.number(len(rows)))
    parts = [largest] if len(rows) > TASKS_SHOWN else []
    return [*parts, str(jobs[0])] if len(jobs) == 1 and rows["job"].nunique() > 1 else parts


def _tasks_with_hours(unit: Assessment) -> pd.DataFrame:
    rows = unit.rows("tasks")
    return rows.loc[(rows["status"] == OK) & rows["potential"].gt(0) & rows["gap"].notna()]


def _waits_on(unit: Assessment, rows: pd.DataFrame) -> pd.Series:
    """What each task's hours not adopted wait on, in words: the largest few reasons by name, the others as one."""
    labels = dict(unit.rules.blockers[["blocker", "label"]].itertuples(index=False))
    reasons = rows["blocker"].map(labels).fillna(unit.language.say("hours.part_unrecorded"))
    largest = rows.groupby(reasons)["gap_not_adopted"].sum().nlargest(BLOCKERS_SHOWN).index
    return reasons.where(reasons.isin(largest), unit.language.say("hours.part_other"))


def modes(unit: Assessment) -> pd.DataFrame:
    """Numbers of tasks by who does them, today and as targeted: one row per moment x mode."""
    rows = unit.rows("tasks")
    counts = []
    for column, moment in (("mode", "today"), ("target_mode", "target")):
        tasks_by_mode = rows[column].value_counts() if column in rows else pd.Series(dtype=int)
        words = unit.language.say(f"modes.{moment}")
        counts += [(words, mode, int(tasks_by_mode.get(mode, 0))) for mode in MODES if tasks_by_mode.sum()]
    return pd.DataFrame(counts, columns=["row", "mode", "count"])


def exposure(unit: Assessment) -> pd.DataFrame:
    """Exposure per job: one row per job, and all jobs together where there are several, shares as text."""
    language, rows = unit.language, unit.rows("measures")
    rows = rows.loc[rows["measure"].isin(EXPOSURE) & (rows["status"] == OK)]
    if rows["segment"].nunique() == 2:
        rows = rows.loc[rows["segment"] != ALL]
    if rows.empty:
        return pd.DataFrame(columns=[language.say("column.job")])
    turned = rows.pivot_table(index="segment", columns="measure", values="value", sort=False).map(language.share)
    words = {measure: language.say(f"exposure.{measure}") for measure in EXPOSURE}
    turned = turned.rename(index={ALL: language.say("exposure.all_jobs")}, columns=words)
    return turned.rename_axis(language.say("column.job")).rename_axis(columns=None).reset_index()


def exposed_tasks(unit: Assessment) -> pd.DataFrame:
    """Rated tasks, first those a model alone could speed up: one row per task, with what AI could do and its job."""
    say, rows = unit.language.say, unit.rows("tasks")
    rated = rows.loc[rows["exposure"].isin(LEVELS)].drop_duplicates(["job", "task"])
    order = {level: position for position, level in enumerate(LEVELS)}
    rated = rated.assign(place=rated["exposure"].map(order)).sort_values(["place", "job"], kind="stable")
    words = rated["exposure"].map({level: say(f"exposure.{level}") for level in LEVELS})
    table = pd.DataFrame({say("column.task"): rated["task"], say("column.halve"): words})
    has_jobs = rated["job"].nunique() > 1
    return (table.assign(**{say("column.job"): rated["job"]}) if has_jobs else table).head(EXPOSED_SHOWN)


def trials(unit: Assessment) -> pd.DataFrame:
    """Trials for the forest plot: one row per trial, assessable or not.

    `verdict` is the word that readers know, `verdict_id` the one in the results.
    """
    language, rows = unit.language, unit.verdicts
    names = unit.initiatives.set_index("initiative_id")["name"].to_dict() if len(unit.initiatives) else {}
    count = rows["initiative_id"].map(rows["initiative_id"].value_counts())
    texts = pd.DataFrame(
        {
            "trial": [
                _numbered(names.get(row.initiative_id, row.initiative_id), row.trial_no if many > 1 else 0, language)
                for row, many in zip(rows.itertuples(), count, strict=True)
            ],
            "detail": [_arms(row, language) for row in rows.itertuples()],
            "bound": [_deciding(row, language) for row in rows.itertuples()],
            "why": [_why(row, language) for _, row in rows.iterrows()],
            "verdict": [language.label(f"verdict.{verdict}") for verdict in rows["verdict"]],
            "unit": rows["unit"].where(rows["unit"] == "share", rows["outcome"].fillna("")),
        }
    )
    new_names = {"improvement": "value", "lower": "low90", "upper": "high90", "target_effect": "target"}
    bounds = ["value", "low", "high", "low90", "high90", "target"]
    numbers = rows.rename(columns=new_names | {"verdict": "verdict_id"})[[*bounds, "verdict_id"]]
    numbers = numbers.assign(**numbers[bounds].mul(rows["unit"].map({"share": 100.0}).fillna(1.0), axis=0))
    order = {verdict: position for position, verdict in enumerate(sentences.VERDICTS)}
    table = pd.concat([texts, numbers.reset_index(drop=True)], axis=1)
    ordered = table.assign(place=table["verdict_id"].map(order)).sort_values(["place", "trial"], ignore_index=True)
    return ordered.assign(trial=sentences.short_names(ordered["trial"])).drop(columns="place")


def _numbered(name: str, trial_no: float, language: Language) -> str:
    """A trial's name, with its number if that is not 0."""
    return language.say("trial.numbered", name=name, number=f"{trial_no:.0f}") if trial_no else name


def one_unit(trials: pd.DataFrame, language: Language) -> str:
    """The unit of the scale, if all trials of a picture share it; otherwise empty."""
    units = trials["unit"].unique()
    if len(units) != 1:
        return ""
    return language.say("trial.unit") if units[0] == "share" else str(units[0])


def _arms(row: Any, language: Language) -> str:
    arms = language.say("trial.no_comparison")
    if pd.notna(row.n_control):
        n = {"treatment": f"{row.n_treatment:.0f}", "control": f"{row.n_control:.0f}"}
        arms = language.say("trial.arms", **n)
    return f"{sentences.short_names([str(row.outcome)])[0]} · {arms}" if pd.notna(row.outcome) else arms


def _deciding(row: Any, language: Language) -> str:
    """The bound that decided and the target it was compared with, in a few words."""
    if pd.isna(row.deciding_bound):
        return ""
    if row.deciding_kind != "outcome":
        return language.say("trial.guardrail")
    most = row.verdict in ("FIX", "STOP")
    scale = 100 if row.unit == "share" else 1
    bound, target = (
        language.bare_effect(scale * number, "") for number in (row.upper if most else row.lower, row.target_effect)
    )
    return language.say("trial.bound_most" if most else "trial.bound_least", bound=bound, target=target)


def _why(row: pd.Series, language: Language) -> str:
    """What the trial showed, what decided, and how many cases are still needed."""
    sentences_said = [sentences.trial_words(row, language)]
    if row["verdict"] not in ("SCALE", "NOT ASSESSABLE") and row["deciding_kind"] != "outcome":
        sentences_said.append(sentences.reason_words(row, language))
    if row["verdict"] == "EXTEND" and not row["compared"]:
        sentences_said.append(language.say("trial.unfair"))
    if row["verdict"] == "EXTEND" and pd.notna(row["n_needed"]):
        sentences_said.append(language.say("trial.needed", n=language.number(row["n_needed"])))
    return " ".join(sentences_said)


def metrics(unit: Assessment) -> pd.DataFrame:
    """The six metrics by quarter: one row per metric x quarter with a number."""
    rows = _by_quarter(unit, SIX_METRICS).copy()
    rows["metric"] = [sentences.measure_name(unit, name) for name in rows["measure"]]
    rows["place"] = rows["measure"].map({name: position for position, name in enumerate(SIX_METRICS)})
    return rows.rename(columns={"wave": "quarter"}).sort_values(["place", "quarter"], ignore_index=True)


def _by_quarter(unit: Assessment, names: Sequence[str]) -> pd.DataFrame:
    """Values of measures up to the quarter shown, also as text (`shown`): one row per measure x quarter."""
    rows = unit.measures
    rows = rows.loc[
        (rows["unit_id"] == unit.unit_id)
        & rows["measure"].isin(names)
        & (rows["segment"] == ALL)
        & (rows["status"] == OK)
    ]
    upto = waves.last_day(waves.quarter_of_wave(unit.facts.wave))
    rows = rows.loc[[waves.last_day(wave) <= upto for wave in rows["wave"]]]
    return rows.assign(shown=[unit.language.value(row.value, row.unit) for row in rows.itertuples()])


def metric_numbers(unit: Assessment) -> pd.DataFrame:
    """Every decision, feedback and probe measure with its earlier quarters: one row each, with the reason if absent."""
    numbers, now = _cells(unit, METRIC_DETAILS), waves.quarter_of_wave(unit.facts.wave)
    by_quarter = _by_quarter(unit, METRIC_DETAILS).pivot(index="measure", columns="wave", values="shown")
    earlier = by_quarter.reindex(METRIC_DETAILS).drop(columns=now, errors="ignore").fillna("").reset_index(drop=True)
    measure, value = (unit.language.say(f"column.{name}") for name in ("measure", "value"))
    later = numbers.drop(columns=measure).rename(columns={value: now})
    return pd.concat([numbers[[measure]], earlier, later], axis=1)


def metric_summary(unit: Assessment) -> pd.DataFrame:
    """The six metrics of the quarter: one row each, with the reason if absent."""
    return _cells(unit, SIX_METRICS)


def _cells(unit: Assessment, names: Sequence[str]) -> pd.DataFrame:
    language = unit.language
    say, cells = language.say, [unit.cell(name) for name in names]
    values = [language.value(cell.value, cell.unit) if cell.ok else say(f"status.{cell.status}") for cell in cells]
    return pd.DataFrame(
        {
            say("column.measure"): [sentences.measure_name(unit, name) for name in names],
            say("column.value"): values,
            say("column.interval"): [
                language.interval(cell.low, cell.high, cell.unit) if cell.ok else "" for cell in cells
            ],
            say("column.n"): [language.number(cell.n) if cell.ok else "" for cell in cells],
        }
    )


def workflows(unit: Assessment) -> dict[str, pd.DataFrame]:
    """Steps of each workflow before, now and as targeted: workflow name -> one row per version x step.

    A workflow name that several units use is followed by the unit's.
    """
    rows, say = unit.step_changes, unit.language.say
    versions = {version: say(f"workflow.{version}") for version in VERSIONS}
    changes = {change: say(f"workflow.{change}") for change in CHANGES}
    owners = rows.groupby("workflow")["unit_id"].nunique()
    names = dict(unit.units[["unit_id", "name"]].itertuples(index=False))
    maps = {}
    for (unit_id, name), steps in rows.groupby(["unit_id", "workflow"], sort=False):
        ordered = steps.assign(
            place=steps["version"].map({version: position for position, version in enumerate(VERSIONS)}),
            words=steps["version"].map(versions),
        ).sort_values(["place", "step_no"])
        turns = ordered.groupby("words")["actor"].transform(lambda actors: (actors != actors.shift()).sum() - 1)
        table = pd.DataFrame(
            {
                "version": ordered["words"],
                "step": [sentences.short_names([step])[0] for step in ordered["step"]],
                "actor": ordered["actor"],
                "handoffs": turns,
                "note": ordered["change"].map(changes).fillna(""),
            }
        )
        title = str(name) if owners[name] == 1 else f"{name} ({names.get(unit_id, unit_id)})"
        maps[title] = table.reset_index(drop=True)
    return maps


def state(unit: Assessment) -> pd.Series:
    """The state of every agreed action on the as-of date: open, done, dropped or overdue."""
    return unit.actions["status"].mask(sentences.overdue(unit.actions, unit.facts.reached_on), "overdue")


def agreed(unit: Assessment) -> pd.DataFrame:
    """Agreed actions and their state on the as-of date: one row per action."""
    language, rows = unit.language, unit.actions
    table = {
        "action": rows["action"],
        "barrier": [sentences.barrier_name(unit, name) for name in rows["barrier_id"]],
        "owner": rows["owner"],
        "due": [language.short_day(day) for day in pd.to_datetime(rows["due_on"])],
        "state": [language.label(f"state.{name}") for name in state(unit)],
    }
    return pd.DataFrame({language.say(f"column.{name}"): cells for name, cells in table.items()}).reset_index(drop=True)


def evolution(unit: Assessment) -> pd.DataFrame:
    """The measures of exploration: one row each, with the reason if absent; no rows without initiatives and trials."""
    say, cells = unit.language.say, {name: unit.cell(name) for name in EVOLUTION}
    rows = [
        (sentences.measure_name(unit, name), _value_or_reason(name, cell, unit.language))
        for name, cell in cells.items()
    ]
    has_records = unit.cell("initiatives_count").ok or any(cell.ok for cell in cells.values())
    return pd.DataFrame(rows if has_records else [], columns=[say("column.measure"), say("column.value_bounds")])


def initiatives_by_stage(counts: pd.Series, language: Language) -> pd.DataFrame:
    """Numbers of initiatives (stage -> number) for the chart of stages: one row per stage."""
    values = [int(counts.get(stage, 0)) for stage in STAGES]
    words = {"stage": [language.label(f"stage.{stage}") for stage in STAGES], "value": values}
    return pd.DataFrame({**words, "count": [language.number(value) for value in values]})


def stages(unit: Assessment) -> pd.DataFrame:
    """The share of initiatives that moved on and the time spent there: one row per stage that any has reached."""
    say, rows = unit.language.say, []
    for stage, further in pairwise(STAGES[:-1]):
        moved = unit.cell("stage_conversion", f"{stage}>{further}")
        if moved.ok:
            time = value_cell(unit.cell("time_in_stage_p50", stage), unit.language) or say("evolution.no_time")
            words = unit.language.capitalize(unit.language.label(f"stage.{stage}"))
            rows.append((words, value_cell(moved, unit.language), time))
    return pd.DataFrame(rows, columns=[say(f"column.{name}") for name in ("stage", "moved_on", "time_there")])


def _value_or_reason(measure: str, cell: Cell, language: Language) -> str:
    """A measure in one cell of a table, or the reason why it has no value."""
    if cell.ok:
        return value_cell(cell, language)
    status = language.say(f"status.{cell.status}")
    return language.label(f"evolution.why_{measure}", status) if cell.status == INSUFFICIENT else status
