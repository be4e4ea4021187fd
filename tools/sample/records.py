"""Make the sample's records of states: initiatives, usage, trials, tasks and workflows."""

import numpy as np
import pandas as pd

from aiready.model.schema import BLOCKERS, GOVERNANCE_CHECKS, LIVE_STAGES, STAGES, TABLES
from tools.sample.seeds import LAST_DAY, WAVES, days_before, leaf_units, seed_table

_STAGE_DATES = [f"{stage}_on" for stage in STAGES]
_DATED_CHECKS = ("impact_assessed", "privacy_reviewed", "bias_tested")
_USE_BY_STAGE = {"pilot": 0.8, "limited": 0.95, "scaled": 1.05}
_REACH_BY_STAGE = {"pilot": 0.2, "limited": 0.45, "scaled": 0.7}
_WHY_NOT_USED = (0.08, 0.08, 0.22, 0.28, 0.18, 0.1, 0.06)
_FREED_FOR = ("complex cases", "calls to members", "learning", "less overtime")
# kind in tasks.csv -> mode, target mode, pattern, exposure, expected saving
_TASK_KINDS = pd.DataFrame(
    [
        ("h", "human", "human", None, "E0", np.nan),
        ("p", "human", "augment", None, "E2", np.nan),
        ("d", "augment", "augment", "ai_drafts", "E1", 0.45),
        ("s", "augment", "augment", "ai_suggests", "E2", 0.3),
        ("c", "augment", "augment", "ai_checks", "E2", 0.2),
        ("r", "augment", "augment", "second_reader", "E1", 0.15),
        ("a", "automate", "automate", "ai_samples", "E2", 0.65),
        ("x", "automate", "automate", "ai_exceptions", "E2", 0.6),
    ],
    columns=["kind", "mode", "target_mode", "pattern", "exposure", "expected_saving"],
)


def make_initiatives(rng: np.random.Generator) -> pd.DataFrame:
    """Make one row per initiative: the register, and `used_by` (units that use it besides the owner's)."""
    initiatives = seed_table("initiatives")
    initiatives = initiatives.join(_stage_dates(initiatives, rng))
    stopped = initiatives["stage"].eq("stopped")
    initiatives["stopped_in"] = [_stage_path("stopped", path)[-2] for path in initiatives["path"]]
    initiatives["stopped_in"] = initiatives["stopped_in"].where(stopped)
    n = len(initiatives)
    live = initiatives["stage"].isin(LIVE_STAGES)
    recorded = initiatives["unit_id"].map(leaf_units()["recorded"])
    due = days_before(rng, -270, 45, n) + pd.offsets.MonthEnd(0)
    initiatives["deadline"] = due.where(initiatives["target"].notna() & (rng.random(n) < 0.92))
    initiatives["outcome_on"] = days_before(rng, 5, 120, n).where(initiatives["outcome_now"].notna())
    initiatives["last_activity_on"] = _last_activity(initiatives, rng)
    initiatives = initiatives.join(_governance(initiatives, recorded, rng))
    monitored = live & (rng.random(n) < recorded * 0.85)
    initiatives["monitored_on"] = days_before(rng, 3, 130, n).where(monitored)
    reviewed = initiatives["limit_kind"].notna() & (rng.random(n) < 0.8)
    initiatives["limit_reviewed_on"] = days_before(rng, 10, 260, n).where(reviewed)
    link = "https://intranet.varnholt.example/ai/" + initiatives["initiative_id"]
    initiatives["evidence_url"] = link.where(live & (rng.random(n) < 0.5))
    names = [name for name in TABLES["initiatives"].names if name in initiatives]
    return initiatives[[*names, "used_by"]]


def _stage_dates(initiatives: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Dates of the stages passed, drawn backwards from the current stage."""
    dates = pd.DataFrame(pd.NaT, index=initiatives.index, columns=_STAGE_DATES, dtype="datetime64[ns]")
    for row, stage, path in initiatives[["stage", "path"]].itertuples():
        entered = LAST_DAY - pd.Timedelta(days=int(rng.integers(60, 400 if stage == "scaled" else 200)))
        for passed in reversed(_stage_path(stage, path)):
            dates.loc[row, f"{passed}_on"] = entered
            entered -= pd.Timedelta(days=int(rng.integers(35, 150)))
    return dates


def _stage_path(stage: str, path: str | float) -> list[str]:
    if isinstance(path, str):
        return path.split(";")
    if stage == "stopped":
        return ["idea", "defined", "pilot", "stopped"]
    return list(STAGES[: STAGES.index(stage) + 1])


def _last_activity(initiatives: pd.DataFrame, rng: np.random.Generator) -> pd.Series:
    # Initiatives without users involved lie idle longer.
    idle = rng.exponential(np.where(initiatives["users_involved"] == "never", 30, 7)).astype(int) + 1
    latest = initiatives[_STAGE_DATES].max(axis=1)
    active = pd.Series(LAST_DAY - pd.to_timedelta(idle, unit="D")).where(initiatives["stopped_on"].isna())
    return pd.concat([active, latest], axis=1).max(axis=1)


def _governance(initiatives: pd.DataFrame, recorded: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    """Governance checks: a date, yes or no, blank where not recorded."""
    n = len(initiatives)
    # Where users were involved early, checks are more often done.
    early = initiatives["users_involved"].isin(["idea", "design"])
    careful = initiatives["unit_id"].map(leaf_units()["trust_governance"]) / 100 + 0.1 + 0.15 * early
    checks = pd.DataFrame(index=initiatives.index)
    for check in GOVERNANCE_CHECKS:
        dates = days_before(rng, 20, 400, n).dt.strftime("%Y-%m-%d") if check in _DATED_CHECKS else "yes"
        values = pd.Series(np.where(rng.random(n) < careful, dates, "no"), index=initiatives.index)
        checks[check] = values.where(rng.random(n) < recorded)
    return checks


def make_usage(initiatives: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Make one row per live initiative, using unit and wave, for the two newest waves."""
    usage = _using_units(initiatives).merge(pd.DataFrame({"wave": WAVES[-2:]}), how="cross")
    unit = leaf_units().loc[usage["unit_id"]].reset_index(drop=True)
    n = len(usage)
    reach = usage["stage"].map(_REACH_BY_STAGE) * rng.uniform(0.7, 1.2, n)
    usage["intended_users"] = np.clip(np.rint(unit["headcount"] * reach), 3, unit["headcount"]).astype(int)
    growth = np.where(usage["wave"] == WAVES[-1], 1.0, 0.9)
    use = unit["adoption"] * usage["stage"].map(_USE_BY_STAGE) * growth * rng.uniform(0.8, 1.2, n)
    usage["active_users"] = rng.binomial(usage["intended_users"], use.clip(0.02, 0.95))
    usage["trained_users"] = rng.binomial(usage["intended_users"], (0.3 + 0.6 * use).clip(0, 0.97))
    trained_by = np.where(usage["wave"] == WAVES[-1], 10, 100)
    usage["trained_on"] = LAST_DAY - pd.to_timedelta(trained_by + rng.integers(0, 80, n), unit="D")
    reasons = pd.Series(rng.choice(BLOCKERS, n, p=_WHY_NOT_USED))
    usage["main_reason_not_used"] = reasons.where(rng.random(n) < 0.85)
    # Some registers hold one line only, with a blank wave.
    usage["wave"] = usage["wave"].where((usage["wave"] != WAVES[-1]) | (rng.random(n) < 0.9))
    return usage[list(TABLES["usage"].names)]


def _using_units(initiatives: pd.DataFrame) -> pd.DataFrame:
    """One row per live initiative and unit that uses it, without units that keep no records."""
    live = initiatives[initiatives["stage"].isin(LIVE_STAGES)].fillna({"used_by": ""})
    delivering = leaf_units().query("recorded > 0").index
    everybody = ";".join(delivering)
    central = live["unit_id"].eq("data-it") & live["used_by"].ne("")
    own = live["unit_id"].where(~central, "")
    using = own + ";" + live["used_by"].replace("all", everybody)
    pairs = live[["initiative_id", "stage"]].assign(unit_id=using.str.split(";")).explode("unit_id")
    return pairs[pairs["unit_id"] != ""].drop_duplicates(ignore_index=True)


def make_trials(initiatives: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Make one row per initiative, trial, measure and arm: results from the seeds, random dates."""
    trials = seed_table("trials")
    by_id = initiatives.set_index("initiative_id")
    started_on = by_id["pilot_on"].fillna(by_id["limited_on"]).fillna(by_id["scaled_on"])
    trial_dates = trials[["initiative_id", "trial_no"]].drop_duplicates(ignore_index=True)
    n = len(trial_dates)
    offset = rng.integers(4, 15, n) + 55 * (trial_dates["trial_no"] - 1)
    trial_dates["started_on"] = trial_dates["initiative_id"].map(started_on) + pd.to_timedelta(offset, unit="D")
    trial_dates["ended_on"] = trial_dates["started_on"] + pd.to_timedelta(rng.integers(28, 50, n), unit="D")
    trial_dates["ended_on"] = trial_dates["ended_on"].clip(upper=LAST_DAY - pd.Timedelta(days=2))
    declared = trial_dates["started_on"] - pd.to_timedelta(rng.integers(-6, 20, n), unit="D")
    trial_dates["declared_on"] = declared.where(rng.random(n) < 0.85)
    trials = trials.merge(trial_dates, on=["initiative_id", "trial_no"])
    arms = pd.concat([_arm(trials, arm) for arm in ("control", "treatment")]).sort_index(kind="stable")
    return arms[list(TABLES["trials"].names)].reset_index(drop=True)


def _arm(trials: pd.DataFrame, arm: str) -> pd.DataFrame:
    counted = trials[f"sd_{arm}"].isna()
    successes = np.rint(trials[f"n_{arm}"] * trials[arm]).where(counted).astype("Int64")
    mean, sd = trials[arm].where(~counted), trials[f"sd_{arm}"]
    return trials.assign(arm=arm, n=trials[f"n_{arm}"], successes=successes, mean=mean, sd=sd)


def make_tasks(rng: np.random.Generator) -> pd.DataFrame:
    """Make one row per unit, job and task: 15-20 tasks a job, its own first, then its library's and common ones."""
    jobs, library = seed_table("jobs"), seed_table("tasks")
    tasks = pd.concat([_tasks_of(job, library, rng) for _, job in jobs.iterrows()], ignore_index=True)
    tasks = tasks.merge(_TASK_KINDS, on="kind", how="left")
    n = len(tasks)
    share = tasks["size"] / tasks.groupby("job")["size"].transform("sum")
    tasks["hours_per_year"] = np.rint(1580 * share * rng.uniform(0.8, 1.2, n)).astype(int)
    tasks["weight"] = tasks["size"]
    model_alone = tasks["kind"].eq("s") & (rng.random(n) < 0.4)
    tasks["exposure"] = tasks["exposure"].mask(model_alone, "E1")
    tasks["initiative_id"] = tasks["kind"].map({"d": "writing-assistant"})
    tasks = _with_savings(tasks, rng)
    return tasks[[name for name in TABLES["tasks"].names if name in tasks]]


def _tasks_of(job: pd.Series, library: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    own = library[library["library"] == job["job"]]
    other = library[library["library"].isin([job["library"], "common"])]
    chosen = np.sort(rng.choice(len(other), int(rng.integers(15, 21)) - len(own), replace=False))
    tasks = pd.concat([own, other.iloc[chosen]])
    return tasks.assign(unit_id=job["unit_id"], job=job["job"], headcount=job["headcount"])


def _with_savings(tasks: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Add savings, adoption, rework, oversight and blockers to all tasks that are not done by people alone."""
    n = len(tasks)
    helped = tasks["mode"] != "human"
    use = tasks["unit_id"].map(leaf_units()["adoption"])
    expected = (tasks["expected_saving"] * rng.uniform(0.8, 1.2, n)).round(2)
    observed = (expected * rng.uniform(0.55, 1.1, n)).mask(rng.random(n) < 0.02, -0.05)
    checking = tasks["hours_per_year"] * np.where(tasks["kind"].isin(["s", "a", "x"]), 0.03, 0.0)
    waits = helped & (rng.random(n) < 0.85)
    return tasks.assign(
        expected_saving=expected,
        adoption=pd.Series(rng.beta(use * 6, (1 - use) * 6)).round(2).where(helped),
        observed_saving=observed.round(2).where(helped),
        rework=pd.Series(rng.beta(1.5, 14, n)).round(2).where(helped),
        oversight_hours=(checking * use * rng.uniform(0.2, 1.5, n)).round(1).where(helped),
        evidence=pd.Series(np.where(rng.random(n) < 0.35, "measured", "reported")).where(helped),
        blocker=pd.Series(rng.choice(BLOCKERS, n, p=_WHY_NOT_USED)).where(waits),
        freed_for=pd.Series(rng.choice(_FREED_FOR, n)).where(helped & (rng.random(n) < 0.1)),
    )


def make_workflow_steps() -> pd.DataFrame:
    """Make one row per workflow, version and step; all figures are in the seeds."""
    steps = seed_table("workflows")
    versions = [
        steps.assign(version=version, cell=steps[version])[steps[version].notna()]
        for version in ("before", "now", "target")
    ]
    table = pd.concat(versions, ignore_index=True)
    table[["actor", "ai_use", "work_minutes", "wait_minutes"]] = table["cell"].str.split(expand=True)
    minutes = ["work_minutes", "wait_minutes"]
    table[minutes] = table[minutes].astype(float)
    table["step_no"] = table.groupby(["workflow", "version"]).cumcount() + 1
    table["initiative_id"] = table["initiative_id"].where(table["ai_use"] != "none")
    return table[list(TABLES["workflow_steps"].names)]
