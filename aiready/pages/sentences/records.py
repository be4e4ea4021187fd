"""Write sentences on what records show: hours, pilots, metrics, workflows, actions, evolution, what is missing."""

from typing import Any

import pandas as pd

from aiready.messages import MINUS, Language
from aiready.messages.verdict_reasons import verdict_reason
from aiready.model import waves
from aiready.model.registry import ALL, INSUFFICIENT, NOT_MEASURED, OK, SUPPRESSED
from aiready.pages.sentences.hiding import say_hidden, why_hidden
from aiready.profile.assessment import Assessment
from aiready.profile.run_info import Cell

_METRIC_TABLES = ("decisions", "feedback", "probes")
"""Input tables of the six metrics."""
_SECTION_TABLES = ("responses", "initiatives", "usage", "trials", "tasks", "workflow_steps", "decisions",
                   "feedback", "probes")  # fmt: skip
BLOCKERS_IN_SENTENCE = 3
GENERATIONS = ("rules", "machine_learning", "generative")
VERDICTS = ("SCALE", "EXTEND", "FIX", "STOP", "NOT ASSESSABLE")
"""Verdicts in the order shown."""


def initiative_name(unit: Assessment, initiative_id: str) -> str:
    """An initiative's name as readers know it."""
    names = unit.initiatives.set_index("initiative_id")["name"] if len(unit.initiatives) else {}
    return str(names.get(initiative_id, initiative_id))


def trial_words(trial: pd.Series, language: Language) -> str:
    """What a trial showed: improvement, bounds and target, in the measure's unit."""
    if pd.isna(trial["improvement"]):
        return reason_words(trial, language)
    kind = "worse" if trial["improvement"] < 0 else "better"
    point = language.effect(abs(trial["improvement"]), trial["unit"])
    facts = "; ".join(filter(None, [_spread(trial, language), _target(trial, language)]))
    return language.capitalize(language.say(f"trial.{kind}", outcome=str(trial["outcome"]), effect=point, facts=facts))


def reason_words(trial: pd.Series, language: Language) -> str:
    """Why the verdict is what it is, as a sentence."""
    row = next(trial.to_frame().T.infer_objects().itertuples())
    return f"{language.capitalize(verdict_reason(row, language))}."


def _spread(trial: pd.Series, language: Language) -> str:
    """The bounds of an improvement, with words (better, worse) in place of signs."""
    lower, upper = (language.bare_effect(trial[name], trial["unit"]).removeprefix(MINUS) for name in ("lower", "upper"))
    if trial["lower"] >= 0:
        return language.say("trial.at_least", lower=lower, upper=upper)
    return language.say("trial.both_worse" if trial["upper"] < 0 else "trial.mixed", lower=lower, upper=upper)


def _target(trial: pd.Series, language: Language) -> str:
    if pd.isna(trial["target_effect"]):
        return ""
    key = "trial.target_late" if trial["declared_before_start"] is False else "trial.target"
    return language.say(key, target=language.bare_effect(trial["target_effect"], trial["unit"]))


def hours_heading(unit: Assessment) -> str:
    """How much of the possible hours is realised, or what is known of the tasks if there are no hours."""
    language, rate, gap = unit.language, unit.cell("realised_rate"), unit.cell("last_mile_gap_hours")
    if rate.ok and gap.ok and gap.value > 0:
        share, waits = language.share(rate.value), blockers(unit)
        if waits.empty:
            return language.say("hours.realised", share=share)
        return language.say("hours.realised_waits", share=share, reason=waits["label"].iloc[0])
    if reason := why_hours_hidden(unit):
        return say_hidden(unit, "hours.hidden", reason)
    alone = unit.cell("exposure_alpha")
    if alone.ok:
        key = "hours.exposed_part" if use_recorded(unit) else "hours.exposed"
        return language.say(key, share=language.share(alone.value))
    return language.say("hours.unknown" if len(unit.tasks) else "hours.none")


def why_hours_hidden(unit: Assessment) -> str:
    """Why the hours that AI could save are hidden; empty if they are not."""
    potential = unit.cell("potential_hours")
    return why_hidden([potential.note]) if potential.status == SUPPRESSED else ""


def use_recorded(unit: Assessment) -> bool:
    """Whether anything is recorded about how far the tasks are done with AI."""
    return unit.cell("not_adopted_rate").ok or bool(len(unit.tasks) and unit.tasks["realised"].notna().any())


def hours_sentences(unit: Assessment) -> list[str]:
    """Potential, realised and open hours in sentences."""
    language = unit.language
    measures = {"potential": "potential_hours", "realised": "realised_hours", "open": "last_mile_gap_hours"}
    hours = {name: unit.cell(measure) for name, measure in measures.items()}
    if not all(cell.ok for cell in hours.values()):
        return []
    texts, gap = {name: language.hours(cell.value) for name, cell in hours.items()}, hours["open"]
    week = hours_per_week(unit, gap)
    sentences = [
        language.say("hours.open_week", week=language.hours(week), **texts)
        if pd.notna(week)
        else language.say("hours.open", **texts)
    ]
    waits = blockers(unit).head(BLOCKERS_IN_SENTENCE)
    if len(waits) > 1:
        shares = [(language.share(row.value / gap.value), row.label) for row in waits.itertuples()]
        reasons = language.join_names(
            language.say("hours.reason", share=share, reason=label) for share, label in shares
        )
        sentences.append(language.say("hours.reasons", reasons=reasons))
    measured = unit.cell("measured_share")
    if measured.ok:
        sentences.append(language.say("hours.measured", share=language.share(measured.value)))
    return sentences


def blockers(unit: Assessment) -> pd.DataFrame:
    """Open hours by the reason on record, largest first: segment (the blocker), label, value (hours a year)."""
    rows = unit.rows("measures")
    rows = rows.loc[(rows["measure"] == "gap_by_blocker") & (rows["status"] == OK) & (rows["value"] > 0)]
    labels = unit.rules.blockers.rename(columns={"blocker": "segment"})
    return rows.merge(labels[["segment", "label"]], on="segment").sort_values(
        "value", ascending=False, ignore_index=True
    )


def hours_per_week(unit: Assessment, total: Cell) -> float:
    """Hours a year as hours per person and week; NaN if the numbers of job holders are unknown."""
    holders = unit.tasks.drop_duplicates(["unit_id", "job"])["people"] if len(unit.tasks) else pd.Series(dtype=float)
    return (
        total.value / holders.sum() / 52
        if total.ok and len(holders) and holders.notna().all() and holders.sum()
        else float("nan")
    )


def pilots_heading(unit: Assessment) -> str:
    """How many pilots have shown enough to grow."""
    words = latest_trials(unit)["verdict"].value_counts()
    grow, stop, judged = (int(number) for number in (words.get("SCALE", 0), words.get("STOP", 0), words.sum()))
    if judged == 1:
        return unit.language.say(f"pilots.one_{'grows' if grow else 'stops' if stop else 'not'}")
    blanks = {"judged": judged} | ({"stop": stop} if stop else {})
    return unit.language.capitalize(unit.language.say("pilots.some_stop" if stop else "pilots.some", grow, **blanks))


def latest_trials(unit: Assessment) -> pd.DataFrame:
    """The last trial of each initiative, the one whose verdict counts: one row per initiative."""
    return unit.verdicts.sort_values("trial_no").drop_duplicates("initiative_id", keep="last")


def initiatives_heading(unit: Assessment) -> str:
    """What share of scaled initiatives had shown their effect first, else how many initiatives there are."""
    language, cell = unit.language, unit.cell("scaled_on_evidence")
    if cell.ok:
        return language.say("initiatives.evidence", cell.n, share=language.share(cell.value))
    return language.capitalize(language.say("initiatives.on_record", int(unit.initiatives["stage"].notna().sum())))


def first_step(action: Any, language: Language) -> str:
    """The first step of a recommended action, by whom and with what effort."""
    blanks = {"step": action.first_step.rstrip("."), "owner": action.owner_role}
    return language.say("todo.step", **blanks, effort=language.say(f"effort.{action.effort}"))


def metrics_heading(unit: Assessment) -> str:
    """The first finding there is: over-reliance, accuracy against the advice, speed, or one of the other metrics."""
    language = unit.language
    over, team, advice = (unit.cell(name) for name in ("over_reliance", "decision_accuracy", "advice_accuracy"))
    if over.ok and over.low > 0.5:
        return language.say("metrics.over", share=language.share(over.value))
    if team.ok and advice.ok:
        key = "metrics.right_unproven" if intervals_overlap(team, advice) else "metrics.right"
        return language.say(key, team=language.share(team.value), advice=language.share(advice.value))
    speed = unit.cell("decision_speed_p50")
    if speed.ok:
        return language.say("metrics.speed", time=language.duration(speed.value))
    for name in ("feedback_loop_p50", "effective_autonomy", "context_coverage"):
        if (cell := unit.cell(name)).ok:
            value = language.value(cell.value, cell.unit)
            return language.say("metrics.one", measure=measure_name(unit, name), value=value)
    return _no_metrics(unit)


def _no_metrics(unit: Assessment) -> str:
    """Why the quarter has none of the six metrics: too few records, hidden, or no records."""
    rows, quarter = unit.measures, waves.quarter_of_wave(unit.facts.wave)
    quarter_rows = rows.loc[(rows["unit_id"] == unit.unit_id) & (rows["segment"] == ALL) & (rows["wave"] == quarter)]
    statuses = set(quarter_rows.loc[quarter_rows["table"].isin(_METRIC_TABLES), "status"])
    if INSUFFICIENT in statuses and unit.facts.wave == unit.facts.waves[-1]:
        return unit.language.say("metrics.few")
    key = "few_in" if INSUFFICIENT in statuses else "hidden" if SUPPRESSED in statuses else "none"
    return unit.language.capitalize(unit.language.say(f"metrics.{key}", quarter=unit.language.wave(quarter)))


def measure_name(unit: Assessment, measure: str) -> str:
    """A measure's name as tables show it."""
    return unit.language.capitalize(unit.language.say(f"measure.{measure}"))


def intervals_overlap(one: Cell, other: Cell) -> bool:
    """Whether two intervals share a value; also true if a bound is unknown."""
    return not (one.low > other.high or one.high < other.low)


def workflow_heading(unit: Assessment) -> str:
    """Whether work was redesigned around AI or AI was added to it."""
    language = unit.language
    redesigned, claimed = unit.cell("operating_system_share"), unit.cell("redesign_claimed_share")
    if not redesigned.ok:
        return language.say("workflow.unmapped")
    key = "workflow.none" if redesigned.value == 0 else "workflow.redesigned"
    blanks = {} if redesigned.value == 0 else {"share": language.share(redesigned.value)}
    if claimed.ok and claimed.value > 0:
        return language.say(f"{key}_claimed", claimed=language.share(claimed.value), **blanks)
    return language.say(key, **blanks)


def agreed_heading(unit: Assessment) -> str:
    """How many agreed actions are done and how many overdue."""
    language, rows = unit.language, unit.actions
    active = rows.loc[rows["status"] != "dropped"]
    n_done, n_overdue = int((active["status"] == "done").sum()), int(overdue(rows, unit.facts.reached_on).sum())
    if active.empty:
        return language.say("agreed.dropped")
    if len(active) == 1:
        return language.say(f"agreed.one_{'done' if n_done else 'late' if n_overdue else 'open'}")
    blanks = {"total": len(active)} | ({"late": n_overdue} if n_overdue else {})
    return language.capitalize(language.say("agreed.some_late" if n_overdue else "agreed.some", n_done, **blanks))


def overdue(actions: pd.DataFrame, as_of: str) -> pd.Series:
    """Whether each agreed action is open after its due date."""
    day = pd.Timestamp(as_of) if as_of else pd.NaT  # without a date, nothing is overdue
    return (actions["status"] == "open") & (pd.to_datetime(actions["due_on"]) < day)


def not_measured(unit: Assessment) -> pd.DataFrame:
    """What is missing and what to collect: one row (table, what, collect) per input table with nothing on the unit."""
    rows = unit.measures.loc[unit.measures["unit_id"] == unit.unit_id]
    absent = [
        (name, unit.language.say(f"table.{name}"), unit.language.say(f"collect.{name}"))
        for name in _SECTION_TABLES
        if (rows.loc[rows["table"] == name, "status"] == NOT_MEASURED).all()
    ]
    return pd.DataFrame(absent, columns=["table", "what", "collect"])


def record_statuses(unit: Assessment) -> set[str]:
    """The statuses of all measures from the unit's records: ok, insufficient, suppressed, not measured."""
    rows = unit.measures.loc[unit.measures["unit_id"] == unit.unit_id]
    statuses = set(rows.loc[rows["table"] != "responses", "status"])
    return statuses | ({OK} if len(unit.actions) else set())


def absent_heading(unit: Assessment) -> str:
    """How many kinds of evidence are missing."""
    missing, kinds = len(not_measured(unit)), len(_SECTION_TABLES)
    if missing == kinds:
        return unit.language.say("absent.all", total=kinds)
    return unit.language.capitalize(unit.language.say("absent.some", missing, total=kinds))


def evolution_heading(unit: Assessment) -> str:
    """For how many trials it is recorded what was learned."""
    say, cell = unit.language.say, unit.cell("learning_recorded")
    if not cell.ok:
        return say("evolution.no_trials")
    learned = round(cell.value * cell.n)
    if cell.n == 1:
        return say("evolution.learned_from_one" if learned else "evolution.unlearned_from_one")
    return unit.language.capitalize(say("evolution.learned", learned, total=int(cell.n)))


def generations_sentence(unit: Assessment) -> str:
    """How many initiatives there are of each generation of AI; empty if none is recorded."""
    say, total = unit.language.say, unit.cell("initiatives_count")
    counts = {name: unit.cell("initiatives_count", name) for name in GENERATIONS}
    recorded = {name: int(cell.value) for name, cell in counts.items() if cell.ok}
    if not recorded:
        return ""
    unknown = int(total.value) - sum(recorded.values())
    counted = recorded | ({"unknown": unknown} if unknown else {})
    parts = unit.language.join_names(say(f"evolution.{name}", number) for name, number in counted.items())
    initiatives = unit.language.capitalize(say("initiatives.on_record", total.value))
    return say("evolution.generations", initiatives=initiatives, parts=parts)
