"""Tables of what records show, as charts and readers want them."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from aiready import narrative, theme, waves
from aiready.assessment import Assessment
from aiready.measures import ALL, MEASURES, OK
from aiready.views.survey import WORDS

SIX_METRICS = (
    "decision_speed_p50",
    "decision_accuracy",
    "over_reliance",
    "feedback_loop_p50",
    "effective_autonomy",
    "context_coverage",
)
"""One measure for each of decision speed, accuracy, collaboration, feedback, autonomy and understanding."""
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
SHORT_OF_PLAN = "below plan, rework, checking"
BLOCKERS_SHOWN = 3
VERSIONS = {"before": "Before AI", "now": "Now", "target": "Target"}
MODES = {"human": "by people", "augment": "with AI", "automate": "by AI"}
CHANGES = {
    "actor": "another actor",
    "reordered": "moved",
    "replaces": "new in place of another",
    "merged": "merged",
    "added": "added",
    "removed": "removed",
}
EXPOSURE = {
    "exposure_alpha": "A model alone",
    "exposure_beta": "Half weight for software",
    "exposure_zeta": "With added software",
}
EXPOSURE_WORDS = {"E1": "yes, a model alone", "E2": "with added software", "E0": "no"}
EXPOSED_SHOWN = 40
TASKS_SHOWN = 10


def blocks_of_hours(unit: Assessment) -> pd.DataFrame:
    """Where the possible hours of each task go: one row per task x part, the largest tasks first, the `rest` in one."""
    rows = _tasks_with_hours(unit)
    if rows.empty:
        return pd.DataFrame(columns=["task", "part", "kind", "hours", "rest"])
    rows = rows.sort_values("potential", ascending=False)
    largest = rows["potential"].rank(ascending=False, method="first") <= TASKS_SHOWN
    named = rows["task"] + (" (" + rows["job"] + ")" if rows.loc[largest, "job"].nunique() > 1 else "")
    rows = rows.assign(label=pd.Series(narrative.short_names(named), rows.index).where(largest))
    rest = narrative.counted(int(rows["label"].isna().sum()), "other task")
    rows["label"] = rows["label"].fillna(rest)
    parts = [rows[["label", "realised"]].rename(columns={"realised": "hours"}).assign(part="realised", kind="realised")]
    waiting = rows.assign(part=_waits_on(unit, rows), kind="waits", hours=rows["gap_not_adopted"])
    short = rows.assign(part=SHORT_OF_PLAN, kind="plan", hours=rows[list(HOUR_PARTS)].sum(axis=1))
    parts += [table[["label", "part", "kind", "hours"]] for table in (waiting, short)]
    stacked = pd.concat(parts, ignore_index=True)
    summed = stacked.groupby(["label", "kind", "part"], sort=False, as_index=False)["hours"].sum()
    told = summed.loc[summed["hours"].abs() > 1e-9].rename(columns={"label": "task"}).reset_index(drop=True)
    return told.assign(rest=told["task"] == rest)


def tasks_drawn(unit: Assessment) -> str:
    """Which tasks are drawn, where not all, and their job, where it is one of several: the tail of a subtitle."""
    rows = _tasks_with_hours(unit)
    jobs = rows.nlargest(TASKS_SHOWN, "potential", keep="first")["job"].unique()
    some = f" · the {TASKS_SHOWN} largest of {theme.number(len(rows))} tasks" if len(rows) > TASKS_SHOWN else ""
    return some + (f" · {jobs[0]}" if len(jobs) == 1 and rows["job"].nunique() > 1 else "")


def _tasks_with_hours(unit: Assessment) -> pd.DataFrame:
    rows = unit.rows("tasks")
    return rows.loc[(rows["status"] == OK) & rows["potential"].gt(0) & rows["gap"].notna()]


def _waits_on(unit: Assessment, rows: pd.DataFrame) -> pd.Series:
    """What the hours not adopted wait on, in words: the largest few by name, the rest together."""
    waits = dict(unit.rules.blockers[["blocker", "label"]].itertuples(index=False))
    named = rows["blocker"].map(waits).fillna("reason not recorded")
    most = rows.groupby(named)["gap_not_adopted"].sum().nlargest(BLOCKERS_SHOWN).index
    return named.where(named.isin(most), "waits on something else")


def modes(unit: Assessment) -> pd.DataFrame:
    """Tasks by who does them, today and as aimed at: one row per moment x mode."""
    rows = unit.rows("tasks")
    counts = []
    for column, moment in (("mode", "today"), ("target_mode", "target")):
        known = rows[column].value_counts() if column in rows else pd.Series(dtype=int)
        counts += [(moment, mode, int(known.get(mode, 0))) for mode in MODES if known.sum()]
    return pd.DataFrame(counts, columns=["row", "mode", "count"])


def exposure(unit: Assessment) -> pd.DataFrame:
    """Exposure per job: one row per job, and all jobs together where there are several, shares as text."""
    rows = unit.rows("measures")
    rows = rows.loc[rows["measure"].isin(EXPOSURE) & (rows["status"] == OK)]
    if rows["segment"].nunique() == 2:
        rows = rows.loc[rows["segment"] != ALL]
    if rows.empty:
        return pd.DataFrame(columns=["Job"])
    turned = rows.pivot_table(index="segment", columns="measure", values="value", sort=False).map(theme.share)
    turned = turned.rename(index={ALL: "all jobs"}).rename(columns=EXPOSURE).rename_axis("Job")
    return turned.rename_axis(columns=None).reset_index()


def exposed_tasks(unit: Assessment) -> pd.DataFrame:
    """Rated tasks, those a model alone could speed up first: one row per task (What AI could do, Task)."""
    rows = unit.rows("tasks")
    rated = rows.loc[rows["exposure"].isin(EXPOSURE_WORDS)].drop_duplicates(["job", "task"])
    order = {level: place for place, level in enumerate(EXPOSURE_WORDS)}
    rated = rated.assign(place=rated["exposure"].map(order)).sort_values(["place", "job"], kind="stable")
    words = rated["exposure"].map(EXPOSURE_WORDS)
    table = pd.DataFrame({"Task": rated["task"], "Halve its time?": words, "Job": rated["job"]})
    return (table if rated["job"].nunique() > 1 else table.drop(columns="Job")).head(EXPOSED_SHOWN)


def trials(unit: Assessment) -> pd.DataFrame:
    """Verdicts as the forest plot wants them: one row per trial that could be assessed or not."""
    rows = unit.verdicts
    named = unit.initiatives.set_index("initiative_id")["name"].to_dict() if len(unit.initiatives) else {}
    count = rows["initiative_id"].map(rows["initiative_id"].value_counts())
    shown = pd.DataFrame(
        {
            "trial": [
                named.get(row.initiative_id, row.initiative_id) + (f", trial {row.trial_no:.0f}" if many > 1 else "")
                for row, many in zip(rows.itertuples(), count, strict=True)
            ],
            "detail": [_arms(row) for row in rows.itertuples()],
            "bound": [_deciding(row) for row in rows.itertuples()],
            "why": [_why(row) for _, row in rows.iterrows()],
            "unit": rows["unit"].where(rows["unit"] == "share", rows["outcome"].fillna("")),
        }
    )
    taken = {"improvement": "value", "lower": "low90", "upper": "high90", "target_effect": "target"}
    bounds = ["value", "low", "high", "low90", "high90", "target"]
    numbers = rows.rename(columns=taken)[[*bounds, "verdict"]]
    numbers = numbers.assign(**numbers[bounds].mul(rows["unit"].map({"share": 100.0}).fillna(1.0), axis=0))
    order = {verdict: place for place, verdict in enumerate(narrative.VERDICTS)}
    table = pd.concat([shown, numbers.reset_index(drop=True)], axis=1)
    placed = table.assign(place=table["verdict"].map(order)).sort_values(["place", "trial"], ignore_index=True)
    return placed.assign(trial=narrative.short_names(placed["trial"])).drop(columns="place")


def one_unit(trials: pd.DataFrame) -> str:
    """What one unit of the scale is where all trials of a picture share it; empty where they do not."""
    units = trials["unit"].unique()
    if len(units) > 1:
        return ""
    return "in 100 cases" if units[0] == "share" else str(units[0])


def _arms(row: Any) -> str:
    arms = f"{row.n_treatment:.0f} with, {row.n_control:.0f} without" if pd.notna(row.n_control) else "no comparison"
    return f"{narrative.short_names([str(row.outcome)])[0]} · {arms}" if pd.notna(row.outcome) else arms


def _deciding(row: Any) -> str:
    """The bound that decided and what it was held against, in a few words."""
    if pd.isna(row.deciding_bound):
        return ""
    if row.deciding_kind != "outcome":
        return "a guardrail decided"
    word, bound = ("at most", row.upper) if row.verdict in ("FIX", "STOP") else ("at least", row.lower)
    scale = 100 if row.unit == "share" else 1
    shown = [narrative.effect(scale * number, "") for number in (bound, row.target_effect)]
    return f"{word} {shown[0]}, target {shown[1]}"


def _why(row: pd.Series) -> str:
    """What the trial showed, what decided, and the cases still needed."""
    reason = str(row["reason"])
    told = [narrative.trial_words(row)]
    if row["verdict"] not in ("SCALE", "NOT ASSESSABLE") and row["deciding_kind"] != "outcome":
        told.append(f"{reason[:1].upper()}{reason[1:]}.")
    if row["verdict"] == "EXTEND" and not row["compared"]:
        told.append("The cases were not dealt at random or matched, so it may not grow on this.")
    if row["verdict"] == "EXTEND" and pd.notna(row["n_needed"]):
        told.append(f"About {theme.number(row['n_needed'])} cases in each arm would show it, if the effect is as seen.")
    return " ".join(told)


def metrics(unit: Assessment) -> pd.DataFrame:
    """The six metrics by quarter: one row per metric x quarter with a number."""
    rows = _by_quarter(unit, SIX_METRICS).copy()
    rows["metric"] = [narrative.capital(MEASURES[name].label) for name in rows["measure"]]
    rows["place"] = rows["measure"].map({name: place for place, name in enumerate(SIX_METRICS)})
    return rows.rename(columns={"wave": "quarter"}).sort_values(["place", "quarter"], ignore_index=True)


def _by_quarter(unit: Assessment, names: Sequence[str]) -> pd.DataFrame:
    """Numbers of some measures up to the quarter shown, and in words (`shown`): one row per measure x quarter."""
    rows = unit.measures
    rows = rows.loc[
        (rows["unit_id"] == unit.unit_id)
        & rows["measure"].isin(names)
        & (rows["segment"] == ALL)
        & (rows["status"] == OK)
    ]
    upto = waves.last_day(waves.quarter_of_wave(unit.facts.wave))
    rows = rows.loc[[waves.last_day(wave) <= upto for wave in rows["wave"]]]
    return rows.assign(shown=[theme.value_text(row.value, row.unit) for row in rows.itertuples()])


def metric_numbers(unit: Assessment) -> pd.DataFrame:
    """Every decision, feedback and probe measure: one row each, earlier quarters too, absent ones with the reason."""
    numbers, now = _cells(unit, METRIC_DETAILS), waves.quarter_of_wave(unit.facts.wave)
    known = _by_quarter(unit, METRIC_DETAILS).pivot(index="measure", columns="wave", values="shown")
    earlier = known.reindex(METRIC_DETAILS).drop(columns=now, errors="ignore").fillna("").reset_index(drop=True)
    return pd.concat(
        [numbers[["Measure"]], earlier, numbers.drop(columns="Measure").rename(columns={"Value": now})], axis=1
    )


def metric_summary(unit: Assessment) -> pd.DataFrame:
    """The six metrics of the quarter: one row each, absent ones with the reason."""
    return _cells(unit, SIX_METRICS)


def _cells(unit: Assessment, names: Sequence[str]) -> pd.DataFrame:
    cells = [(narrative.capital(MEASURES[name].label), unit.cell(name)) for name in names]
    return pd.DataFrame(
        {
            "Measure": [label for label, _ in cells],
            "Value": [theme.value_text(cell.value, cell.unit) if cell.ok else WORDS[cell.status] for _, cell in cells],
            "95 % interval": [theme.interval(cell.low, cell.high, cell.unit) if cell.ok else "" for _, cell in cells],
            "n": [theme.number(cell.n) if cell.ok else "" for _, cell in cells],
        }
    )


def workflows(unit: Assessment) -> dict[str, pd.DataFrame]:
    """Steps of each workflow before, now and as aimed at: workflow name -> one row per version x step."""
    rows = unit.step_changes
    found = {}
    for name, steps in rows.groupby("workflow", sort=False):
        shown = steps.assign(
            place=steps["version"].map({version: place for place, version in enumerate(VERSIONS)}),
            words=steps["version"].map(VERSIONS),
        ).sort_values(["place", "step_no"])
        turns = shown.groupby("words")["actor"].transform(lambda actors: (actors != actors.shift()).sum() - 1)
        table = pd.DataFrame(
            {
                "version": shown["words"],
                "step": [narrative.short_names([step])[0] for step in shown["step"]],
                "actor": shown["actor"],
                "handoffs": turns,
                "note": shown["change"].map(CHANGES).fillna(""),
            }
        )
        found[str(name)] = table.reset_index(drop=True)
    return found


def agreed(unit: Assessment) -> pd.DataFrame:
    """Agreed actions and their state on the as-of date: one row per action."""
    rows = unit.actions
    late = narrative.overdue(rows, unit.facts.as_of)
    return pd.DataFrame(
        {
            "Action": rows["action"],
            "Barrier": [narrative.barrier_name(unit, name) for name in rows["barrier_id"]],
            "Owner": rows["owner"],
            "Due": [narrative.short_day(day) for day in pd.to_datetime(rows["due_on"])],
            "State": rows["status"].mask(late, "overdue"),
        }
    ).reset_index(drop=True)
