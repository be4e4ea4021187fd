"""The first page: the finding, what works, whose and when; and what stands on every handout."""

import pandas as pd

from aiready import theme, waves
from aiready.assessment import Assessment
from aiready.measures import MEASURES, OK, ORGANISATION, SUPPRESSED
from aiready.narrative.records import NO_DIFFERENCE, initiative_name, latest_trials, overlap, trial_words
from aiready.narrative.survey import (
    against_rest,
    barrier_name,
    below_workable,
    measured_barriers,
    ranked_barriers,
    survey_hidden,
    widest_twin,
)
from aiready.narrative.words import counted, day_words, wave_words
from aiready.schema import LIVE_STAGES


def scope(unit: Assessment) -> str:
    """Whom the page is for."""
    whom = "the whole organisation" if unit.unit_id == ORGANISATION else f"{unit.name} only"
    return f"AI last-mile assessment · for {whom}"


def meta(unit: Assessment) -> str:
    """Under the title: whose, when, who answered, how many initiatives, records up to when."""
    organisation = unit.facts.about.get("organisation", "")
    live = int(unit.initiatives["stage"].isin(LIVE_STAGES).sum()) if len(unit.initiatives) else 0
    facts = [
        organisation if organisation != unit.name else "",
        wave_words(unit.facts.wave) if unit.facts.wave != waves.UNDATED else "",
        answered(unit),
        counted(live, "live initiative") if live else "",
        f"records up to {day_words(unit.facts.as_of)}" if unit.facts.as_of else "",
    ]
    return " · ".join(fact for fact in facts if fact)


def answered(unit: Assessment) -> str:
    """How many people answered, of how many where that is known."""
    rows = unit.rows("barriers")
    n = rows["n"].max()
    if pd.isna(n):
        return ""
    rate = unit.cell("response_rate")
    if rate.ok and rate.n:
        people = rate.value * rate.n
        return f"{theme.number(people)} of {theme.number(rate.n)} people answered ({theme.share(rate.value)})"
    return f"{theme.number(n)} people answered"


def lead(unit: Assessment) -> str:
    """The finding in a sentence or two, from the richest evidence there is."""
    hidden = ""
    if survey_hidden(unit):
        hidden = (
            "What people answered here is not shown: the group is too small, or it would give a small one away. "
            "Nobody should be recognisable in a number. "
        )
    for finding in (_lead_barrier, _lead_decisions, _lead_hours, _lead_exposure):
        text = finding(unit)
        if text:
            return hidden + text
    if hidden:
        return hidden.strip()
    return "Nothing that can be judged has been measured here yet. Below it says what to collect first."


def _lead_barrier(unit: Assessment) -> str:
    rows = ranked_barriers(unit)
    if rows.empty:
        return ""
    lowest, name = rows.iloc[0], barrier_name(unit, rows.iloc[0]["barrier_id"])
    alone = pd.isna(lowest["priority_high"]) or lowest["priority_high"] == 1
    if lowest["on"] == "practice":
        shown = f"{theme.score(lowest['practice'])} of 100"
        head = f"The records show least for {name.lower()}: {shown}. "
        if len(rows) == 1:
            head = f"The records put {name.lower()} at {shown}, and say too little of the other barriers. "
        return head + ("" if survey_hidden(unit) else "Nobody has been asked yet.")
    said = f"people put it at {theme.score(lowest['perception'])} of 100{against_rest(lowest['flag'])}"
    if lowest["on"] == "perception":
        rank = "is what people rate lowest" if alone else "is among what people rate lowest"
        return f"{name} {rank}: {said}. No records say yet what is done."
    whom = unit.name if unit.name != "The organisation" else "the organisation"
    head = f"{name} holds {whom} back most" if alone else f"{name} is among what holds {whom} back"
    if len(rows) < len(measured_barriers(unit)):
        head = f"Of {counted(len(rows), 'barrier')} with both voices, {name.lower()} has the lowest score"
    elif lowest["band"] not in below_workable(unit):
        head = f"No barrier holds {whom} back; {name.lower()} has the lowest score"
    voices = f"{said}, and the records show {theme.score(lowest['practice'])}"
    return f"{head}: {voices}. {widest_twin(unit, lowest['barrier_id'])}".strip()


def _lead_decisions(unit: Assessment) -> str:
    team, advice = unit.cell("decision_accuracy"), unit.cell("advice_accuracy")
    if not team.ok:
        speed = unit.cell("decision_speed_p50")
        return f"Half of the decisions are taken within {theme.duration(speed.value)}." if speed.ok else ""
    known = f"{theme.number(team.n)} cases whose outcome is known"
    text = f"Final decisions were right in {theme.share(team.value)} of {known}"
    if advice.ok:
        unproven = f" ({NO_DIFFERENCE})" if overlap(team, advice) else ""
        text += f"; the advice alone was right in {theme.share(advice.value)}{unproven}"
    over = unit.cell("over_reliance")
    if over.ok:
        text += f". Where the advice was wrong, it was followed in {theme.share(over.value)} of cases"
    return text + "."


def _lead_hours(unit: Assessment) -> str:
    potential, rate = unit.cell("potential_hours"), unit.cell("realised_rate")
    if not potential.ok or not rate.ok:
        return ""
    return (
        f"Of {theme.hours(potential.value)} a year that AI could save here, {theme.share(rate.value)} are "
        "realised; the rest is the last mile."
    )


def _lead_exposure(unit: Assessment) -> str:
    alone, software = unit.cell("exposure_alpha"), unit.cell("exposure_zeta")
    if not alone.ok:
        return ""
    hidden = unit.cell("potential_hours").status == SUPPRESSED
    if software.value == 0:
        return "No task here is rated as one that a language model could do in half the time, even with added software."
    return (
        f"A language model alone could halve the time of {theme.share(alone.value)} of this work at equal quality; "
        f"with added software around it, of {theme.share(software.value)}. That is what could be, not what is: how "
        f"much is really used {'is hidden, because too few hold the jobs' if hidden else 'has not been recorded'}."
    )


def what_works(unit: Assessment) -> str:
    """What works, from the firmest evidence: a pilot that may grow, else a barrier that is clear, else nothing."""
    latest = latest_trials(unit)
    grown = latest.loc[latest["verdict"] == "SCALE"]
    if len(grown):
        best = grown.assign(ratio=grown["lower"] / grown["target_effect"]).sort_values("ratio").iloc[-1]
        register = unit.initiatives.loc[unit.initiatives["initiative_id"] == best["initiative_id"], "stage"]
        grows = "" if register.isin(["scaled", "stopped"]).any() else " It may grow."
        return f"{initiative_name(unit, best['initiative_id'])} did what it promised. {trial_words(best)}{grows}"
    rows = unit.rows("barriers")
    above = rows.loc[rows["flag"].str.startswith("above")].sort_values("perception", ascending=False)
    if len(above):
        best = above.iloc[0]
        return (
            f"{barrier_name(unit, best['barrier_id'])}: people put it at {theme.score(best['perception'])} of 100"
            f"{against_rest(best['flag'])}."
        )
    shown = unit.rows("explain")
    strong = shown.loc[(shown["kind"] == "indicator") & (shown["status"] == OK) & (shown["points"] >= 80)]
    if strong.empty:
        return ""
    best = strong.sort_values(["points", "n"], ascending=False).iloc[0]
    label = unit.rules.indicators.set_index("indicator_id")["label"][best["id"]]
    unit_of = MEASURES[unit.rules.indicators.set_index("indicator_id")["measure"][best["id"]]].unit
    return (
        f"The records show {theme.value_text(best['value'], unit_of)} for {label} ({theme.number(best['n'])} records)."
    )


STANDING: tuple[str, ...] = (
    "This page was made to find what to mend. Once it is used for targets, bonus or appraisal, people answer to the "
    "target and it stops measuring.",
    "There is no outside comparison: compare with your own organisation and your own past.",
    "Hours are minutes spread over many people and tasks. They are not positions, and they assume that the "
    "checking is done.",
    "Speed and overrides describe how the work is set up, not how well a person works.",
    "Units differ in their work, their data and in who answered.",
    "The questionnaire has not been validated yet.",
)
"""Sentences that stand on every handout."""


def formulas(unit: Assessment) -> str:
    """Where the formulas stand, with the names of the measures that have a number here."""
    rows = unit.rows("measures")
    shown = set(rows.loc[rows["status"] == OK, "measure"])
    names = ", ".join(name for name in MEASURES if name in shown)
    where = "Every formula, with its source, stands in docs/measures.md of the project aiready under the measure's name"
    return f"{where}. Used here: {names}." if names else f"{where}."


def method_facts(unit: Assessment, hidden: int) -> pd.DataFrame:
    """What stands behind the numbers: one row per fact (About, Stated)."""
    facts = unit.facts
    left_out = int(unit.counts["quarantined"].sum())
    settings = unit.rules.settings
    return pd.DataFrame(
        [
            ("Wave shown", wave_words(facts.wave) if facts.wave != waves.UNDATED else "not dated"),
            ("Records up to", day_words(facts.as_of) or "the records carry no date"),
            (
                "Who answered",
                answered(unit) or ("hidden" if survey_hidden(unit) else "nobody was asked"),
            ),
            (
                "Groups shown from",
                f"{settings.minimum_group} people; distributions from {settings.minimum_distribution}",
            ),
            ("Figures hidden here", theme.number(hidden)),
            ("Rows left out as faulty, whole organisation", theme.number(left_out)),
            (
                "Questionnaire",
                f"version {facts.instrument_version}, digest {facts.instrument_digest}; not yet validated",
            ),
            ("Data", f"digest {facts.input_digest}"),
            (
                "Intervals",
                "95 %: t for means of answers, Wilson for shares of decisions, Welch and Newcombe for pilots",
            ),
        ],
        columns=["About", "Stated"],
    )
