"""Sentences on what records show: hours, pilots, decisions, workflows, agreed actions, what is absent."""

import pandas as pd

from aiready import theme
from aiready.assessment import Assessment, Cell
from aiready.measures import NOT_MEASURED, OK, SUPPRESSED
from aiready.narrative.words import counted, effect, listed
from aiready.schema import TABLES

_SECTION_TABLES = ("responses", "initiatives", "usage", "trials", "tasks", "workflow_steps", "decisions",
                   "feedback", "probes")  # fmt: skip
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
        return f"{str(trial['reason'])[:1].upper()}{str(trial['reason'])[1:]}."
    point, low, high = (effect(trial[name], trial["unit"]) for name in ("improvement", "lower", "upper"))
    target = (
        f"; the target was {effect(trial['target_effect'], trial['unit'])}" if pd.notna(trial["target_effect"]) else ""
    )
    late = ", written down after the start" if target and trial["declared_before_start"] is False else ""
    outcome = str(trial["outcome"])
    return f"{outcome[:1].upper()}{outcome[1:]}: {point} better (at least {low}, at most {high}{target}{late})."


def hours_heading(unit: Assessment) -> str:
    """Where the possible hours stand, or what is known of the tasks without hours."""
    rate, gap = unit.cell("realised_rate"), unit.cell("last_mile_gap_hours")
    if rate.ok and gap.ok and gap.value > 0:
        waits = blockers(unit)
        tail = f"; most of the rest waits because {waits['label'].iloc[0]}" if len(waits) else ""
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
    measured = unit.cell("measured_share")
    if measured.ok:
        sentences.append(f"{theme.share(measured.value)} of the realised hours were measured; the rest is reported.")
    return sentences


def blockers(unit: Assessment) -> pd.DataFrame:
    """Open hours by what they wait on, largest first: blocker, label, value (hours a year)."""
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
    judged = unit.verdicts
    if judged.empty:
        return "No pilot has been tried with a comparison yet"
    words = judged["verdict"].value_counts()
    grow, stop = int(words.get("SCALE", 0)), int(words.get("STOP", 0))
    head = "No pilot has shown enough to grow"
    if grow:
        head = f"{counted(grow, 'pilot has', 'pilots have')} shown enough to grow"
    text = f"{head}, {counted(stop, 'should stop', 'should stop')}" if stop else head
    return text[:1].upper() + text[1:]


def no_pilots() -> str:
    """What a pilot needs before it can be judged."""
    return TABLES["trials"].collect.capitalize() + "; at best with cases dealt to the arms at random."


def metrics_heading(unit: Assessment) -> str:
    """What the decision log shows first: over-reliance, accuracy against the advice, else speed."""
    over, team, advice = (unit.cell(name) for name in ("over_reliance", "decision_accuracy", "advice_accuracy"))
    if over.ok and over.low > 0.5:
        return f"Wrong advice is followed in {theme.share(over.value)} of cases: help is taken, not weighed"
    if team.ok and advice.ok:
        return (
            f"Final decisions are right in {theme.share(team.value)}, the advice alone in {theme.share(advice.value)}"
        )
    speed = unit.cell("decision_speed_p50")
    return f"Half of the decisions are taken within {theme.duration(speed.value)}" if speed.ok else ""


def workflow_heading(unit: Assessment) -> str:
    """Whether work was re-cut around AI or AI was laid over it."""
    redesigned, claimed = unit.cell("operating_system_share"), unit.cell("redesign_claimed_share")
    if not redesigned.ok:
        return "No workflow with AI has been mapped yet"
    text = f"{theme.share(redesigned.value)} of the steps with AI were re-cut"
    if claimed.ok and claimed.value > 0:
        text += f"; for {theme.share(claimed.value)} more it is claimed, with no changed step"
    return text


def agreed_heading(unit: Assessment) -> str:
    """How many agreed actions are done and overdue."""
    rows = unit.actions
    kept = rows.loc[rows["status"] != "dropped"]
    done = int((kept["status"] == "done").sum())
    return f"{done} of {len(kept)} agreed action{'' if len(kept) == 1 else 's'} done"


def not_measured(unit: Assessment) -> pd.DataFrame:
    """What is absent and what to collect: one row per input table the unit has nothing of (what, collect)."""
    rows = unit.measures.loc[unit.measures["unit_id"] == unit.unit_id]
    absent = [
        (name, TABLES[name].collect)
        for name in _SECTION_TABLES
        if (rows.loc[rows["table"] == name, "status"] == NOT_MEASURED).all()
    ]
    return pd.DataFrame(absent, columns=["table", "collect"])


def collect_first(unit: Assessment) -> str:
    """What to collect first, where nothing measured calls for an action."""
    absent = not_measured(unit)
    if absent.empty:
        return "Nothing that has been measured calls for an action."
    first = listed(absent["collect"].head(2))
    return f"Nothing measured so far calls for an action. The next step is to collect {first}."


def absent_heading(unit: Assessment) -> str:
    """How many kinds of evidence are missing."""
    return f"Not measured yet: {counted(len(not_measured(unit)), 'kind', 'kinds')} of evidence"
