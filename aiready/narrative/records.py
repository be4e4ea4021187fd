"""Sentences on what records show: hours, pilots, decisions, workflows, agreed actions, what is absent."""

import pandas as pd

from aiready import theme
from aiready.assessment import Assessment, Cell
from aiready.measures import MEASURES, NOT_MEASURED, OK, SUPPRESSED
from aiready.narrative.words import capital, counted, effect, in_words, listed, sentence
from aiready.schema import TABLES

_SECTION_TABLES = ("responses", "initiatives", "usage", "trials", "tasks", "workflow_steps", "decisions",
                   "feedback", "probes")  # fmt: skip
REASONS_TOLD = 3
VERDICTS = {
    "SCALE": "may grow",
    "EXTEND": "to extend",
    "FIX": "to mend",
    "STOP": "to stop",
    "NOT ASSESSABLE": "not assessable",
}
TABLE_WORDS = {
    "responses": "What people say",
    "initiatives": "AI initiatives",
    "usage": "Use and training",
    "trials": "Pilots",
    "tasks": "Tasks and hours",
    "workflow_steps": "Workflows",
    "decisions": "Decisions",
    "feedback": "Users' feedback",
    "probes": "What the AI knows of the organisation",
}


def initiative_name(unit: Assessment, initiative_id: str) -> str:
    """An initiative's name as readers know it."""
    named = unit.initiatives.set_index("initiative_id")["name"] if len(unit.initiatives) else {}
    return str(named.get(initiative_id, initiative_id))


def trial_words(trial: pd.Series) -> str:
    """What a trial showed: the improvement, its bounds and the target, in the measure's unit."""
    if pd.isna(trial["improvement"]):
        return sentence(str(trial["reason"]))
    target = f"; the target was {_bare(trial, 'target_effect')}" if pd.notna(trial["target_effect"]) else ""
    late = ", written down after the start" if target and trial["declared_before_start"] is False else ""
    point = effect(abs(trial["improvement"]), trial["unit"])
    spread = (
        f"at least {_bare(trial, 'lower')}, at most {_bare(trial, 'upper')}"
        if trial["lower"] >= 0
        else f"between {_turned(trial, 'lower')} and {_turned(trial, 'upper')}"
    )
    return sentence(f"{trial['outcome']}: {point} {_way(trial['improvement'])} ({spread}{target}{late})")


def _way(value: float) -> str:
    return "worse" if value < 0 else "better"


def _bare(trial: pd.Series, name: str) -> str:
    """A number of a trial without its unit, which stands beside it."""
    return effect(trial[name], trial["unit"]).removesuffix(" in 100")


def _turned(trial: pd.Series, name: str) -> str:
    """A bound of a trial without its sign, which is said in words."""
    return f"{_bare(trial, name).removeprefix(theme.MINUS)} {_way(trial[name])}"


def hours_heading(unit: Assessment) -> str:
    """Where the possible hours stand, or what is known of the tasks without hours."""
    rate, gap = unit.cell("realised_rate"), unit.cell("last_mile_gap_hours")
    if rate.ok and gap.ok and gap.value > 0:
        waits = blockers(unit)
        tail = f"; the largest part of the rest waits because {waits['label'].iloc[0]}" if len(waits) else ""
        return f"{theme.share(rate.value)} of the possible hours are realised{tail}"
    potential = unit.cell("potential_hours")
    if potential.status == SUPPRESSED:
        return "The hours are hidden: too few people hold the jobs"
    alone = unit.cell("exposure_alpha")
    if alone.ok:
        return f"A model alone could speed up {theme.share(alone.value)} of the work; what is used is not recorded"
    return "The work has not been broken into tasks yet"


def hours_sentences(unit: Assessment) -> list[str]:
    """Potential, realised and open hours in sentences."""
    potential, realised, gap = (
        unit.cell(name) for name in ("potential_hours", "realised_hours", "last_mile_gap_hours")
    )
    if not (potential.ok and realised.ok and gap.ok):
        return []
    week = per_week(unit, gap)
    text = (
        f"AI could save {theme.hours(potential.value)} a year here; {theme.hours(realised.value)} are realised, "
        f"{theme.hours(gap.value)} are open"
    )
    spread = f" ({theme.hours(week)} per person and week)" if pd.notna(week) else ""
    sentences = [f"{text}{spread}."]
    waits = blockers(unit)
    if len(waits) > 1:
        reasons = waits.head(REASONS_TOLD)
        told = listed(f"{theme.share(row.value / gap.value)} because {row.label}" for row in reasons.itertuples())
        sentences.append(f"Why the open hours wait, where a reason is on record: {told}.")
    measured = unit.cell("measured_share")
    if measured.ok:
        sentences.append(f"{theme.share(measured.value)} of the realised hours were measured; the rest is reported.")
    return sentences


def blockers(unit: Assessment) -> pd.DataFrame:
    """Open hours by the reason on record, largest first: segment (the blocker), label, value (hours a year)."""
    rows = unit.rows("measures")
    rows = rows.loc[(rows["measure"] == "gap_by_blocker") & (rows["status"] == OK) & (rows["value"] > 0)]
    named = unit.rules.blockers.rename(columns={"blocker": "segment"})
    return rows.merge(named[["segment", "label"]], on="segment").sort_values(
        "value", ascending=False, ignore_index=True
    )


def per_week(unit: Assessment, total: Cell) -> float:
    """Hours a year as hours per person and week; NaN where the holders of the jobs are not known."""
    held = unit.tasks.drop_duplicates(["unit_id", "job"])["people"] if len(unit.tasks) else pd.Series(dtype=float)
    return (
        total.value / held.sum() / 52 if total.ok and len(held) and held.notna().all() and held.sum() else float("nan")
    )


def pilots_heading(unit: Assessment) -> str:
    """How many pilots have shown enough to grow."""
    words = latest_trials(unit)["verdict"].value_counts()
    grow, stop, judged = (int(number) for number in (words.get("SCALE", 0), words.get("STOP", 0), words.sum()))
    some = f"{in_words(grow) if grow else 'none'} of {in_words(judged)} pilots {'have' if grow > 1 else 'has'}"
    if judged == 1:
        some = "the pilot has" if grow else "the pilot has not"
    head = f"{some} shown enough to grow"
    return capital(f"{head}, {in_words(stop)} should stop" if stop else head)


def latest_trials(unit: Assessment) -> pd.DataFrame:
    """The last trial of every initiative, whose verdict counts: one row per initiative."""
    return unit.verdicts.sort_values("trial_no").drop_duplicates("initiative_id", keep="last")


def metrics_heading(unit: Assessment) -> str:
    """What the decision log shows first: over-reliance, accuracy against the advice, else speed."""
    over, team, advice = (unit.cell(name) for name in ("over_reliance", "decision_accuracy", "advice_accuracy"))
    if over.ok and over.low > 0.5:
        return f"Where the advice is wrong, it is followed in {theme.share(over.value)} of cases"
    if team.ok and advice.ok:
        team_right, advice_right = theme.share(team.value), theme.share(advice.value)
        right = f"Final decisions are right in {team_right}, the advice alone in {advice_right}"
        return f"{right}: {NO_DIFFERENCE}" if overlap(team, advice) else right
    speed = unit.cell("decision_speed_p50")
    if speed.ok:
        return f"Half of the decisions are taken within {theme.duration(speed.value)}"
    for name in ("feedback_loop_p50", "effective_autonomy", "context_coverage"):
        if (cell := unit.cell(name)).ok:
            return f"{capital(MEASURES[name].label)}: {theme.value_text(cell.value, cell.unit)}"
    return "The newest quarter has too few records for any of the six metrics"


NO_DIFFERENCE = "no difference demonstrated"


def overlap(one: Cell, other: Cell) -> bool:
    """Whether two intervals share a value; also where one is not known."""
    return not (one.low > other.high or one.high < other.low)


def workflow_heading(unit: Assessment) -> str:
    """Whether work was re-cut around AI or AI was laid over it."""
    redesigned, claimed = unit.cell("operating_system_share"), unit.cell("redesign_claimed_share")
    if not redesigned.ok:
        return "No workflow with AI has been mapped yet"
    text = f"{theme.share(redesigned.value)} of the steps with AI were re-cut"
    if redesigned.value == 0:
        text = "None of the steps with AI was re-cut"
    if claimed.ok and claimed.value > 0:
        text += f"; for {theme.share(claimed.value)} more it is claimed, with no changed step"
    return text


def agreed_heading(unit: Assessment) -> str:
    """How many agreed actions are done and overdue."""
    rows = unit.actions
    kept = rows.loc[rows["status"] != "dropped"]
    done = int((kept["status"] == "done").sum())
    if kept.empty:
        return "Every agreed action was dropped"
    late = overdue(rows, unit.facts.as_of).sum()
    head = f"{in_words(done)} of {counted(len(kept), 'agreed action')} done"
    return capital(f"{head}, {in_words(late)} overdue" if late else head)


def overdue(actions: pd.DataFrame, as_of: str) -> pd.Series:
    """Which agreed actions are open past the day they were due."""
    day = pd.Timestamp(as_of) if as_of else pd.NaT
    return (actions["status"] == "open") & (pd.to_datetime(actions["due_on"]) < day)


def not_measured(unit: Assessment) -> pd.DataFrame:
    """What is absent and what to collect: one row per input table the unit has nothing of (what, collect)."""
    rows = unit.measures.loc[unit.measures["unit_id"] == unit.unit_id]
    absent = [
        (name, TABLES[name].collect)
        for name in _SECTION_TABLES
        if (rows.loc[rows["table"] == name, "status"] == NOT_MEASURED).all()
    ]
    return pd.DataFrame(absent, columns=["table", "collect"])


def absent_heading(unit: Assessment) -> str:
    """How many kinds of evidence are missing."""
    missing, kinds = len(not_measured(unit)), len(_SECTION_TABLES)
    some = f"all {counted(kinds, 'kind')}" if missing == kinds else f"{in_words(missing)} of {counted(kinds, 'kind')}"
    return capital(f"{some} of evidence {'is' if missing == 1 else 'are'} missing")
