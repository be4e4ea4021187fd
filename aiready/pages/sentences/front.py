"""Write the first page: the finding, what works, whose it is and of when; and what every handout says."""

import pandas as pd

from aiready.model import waves
from aiready.model.registry import INSUFFICIENT, MEASURES, NOT_MEASURED, OK, ORGANISATION, SUPPRESSED
from aiready.model.schema import LIVE_STAGES
from aiready.pages.sentences.hiding import say_hidden, why_survey_hidden
from aiready.pages.sentences.records import (
    initiative_name,
    intervals_overlap,
    latest_trials,
    not_measured,
    pilots_heading,
    record_statuses,
    trial_words,
    use_recorded,
    why_hours_hidden,
)
from aiready.pages.sentences.survey import (
    bands_below_workable,
    barrier_name,
    flag_side,
    measured_barriers,
    ranked_barriers,
    widest_facet,
)
from aiready.profile.assessment import Assessment


def scope(unit: Assessment) -> str:
    """Whom the page is for."""
    if unit.unit_id == ORGANISATION:
        return unit.language.say("scope.organisation")
    return unit.language.say("scope.unit", name=unit.name)


def running_head(unit: Assessment) -> str:
    """The heading of every printed page."""
    return unit.language.say("scope.running", name=unit.name, wave=unit.language.wave(unit.facts.wave))


def meta(unit: Assessment) -> str:
    """The line under the title: organisation, wave, how many answered, initiatives in use, date of the last record."""
    language, organisation = unit.language, unit.facts.about.get("organisation", "")
    live = int(unit.initiatives["stage"].isin(LIVE_STAGES).sum()) if len(unit.initiatives) else 0
    facts = [
        organisation if organisation != unit.name else "",
        language.wave(unit.facts.wave) if unit.facts.wave != waves.UNDATED else "",
        response_words(unit),
        language.say("meta.live", live) if live else "",
        language.say("meta.records", day=language.day(upto)) if (upto := unit.facts.records_up_to) else "",
    ]
    return " · ".join(fact for fact in facts if fact)


def response_words(unit: Assessment) -> str:
    """How many people answered and, if known, of how many."""
    language, n = unit.language, unit.rows("barriers")["n"].max()
    if pd.isna(n):
        return ""
    rate = unit.cell("response_rate")
    if rate.ok and rate.n:
        people = {"people": language.number(rate.value * rate.n), "asked": language.number(rate.n)}
        return language.say("answered.share", share=language.share(rate.value), **people)
    return language.say("answered.some", people=language.number(n))


def lead(unit: Assessment) -> str:
    """The finding in one or two sentences, from the richest evidence available."""
    reason = why_survey_hidden(unit)
    hidden = say_hidden(unit, "lead.hidden", reason) if reason else ""
    for finding in (_lead_barrier, _lead_decisions, _lead_hours, _lead_exposure, _lead_pilots):
        if text := finding(unit):
            return _join(hidden, text)
    return hidden or _lead_nothing(unit)


def _lead_nothing(unit: Assessment) -> str:
    """Why there is no finding (no records, too few, or all hidden), and that the page says what to collect."""
    statuses = record_statuses(unit)
    measured = {OK, INSUFFICIENT} & statuses
    key = "records_some" if measured else "records_hidden" if SUPPRESSED in statuses else "nothing"
    collect = "" if not_measured(unit).empty else unit.language.say("lead.collect")
    return _join(unit.language.say(f"lead.{key}"), collect)


def _join(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def _lead_barrier(unit: Assessment) -> str:
    rows = ranked_barriers(unit)
    if rows.empty:
        return ""
    lowest = rows.iloc[0]
    name = barrier_name(unit, lowest["barrier_id"])
    if lowest["on"] == "practice":
        return _lead_records(unit, name, lowest["practice"], alone=len(rows) == 1)
    first = pd.isna(lowest["priority_high"]) or lowest["priority_high"] == 1
    if lowest["on"] == "perception":
        key = "lead.people_lowest" if first else "lead.people_among"
        records = "lead.few_records" if record_statuses(unit) - {NOT_MEASURED} else "lead.no_records"
        finding = unit.language.say(key, name=name, voices=_voices_clause(unit, lowest))
        return _join(finding, unit.language.say(records))
    return _join(_lead_both(unit, rows, name, first=first), widest_facet(unit, lowest["barrier_id"]))


def _lead_records(unit: Assessment, name: str, practice: float, *, alone: bool) -> str:
    """The barrier with the lowest practice, if nobody answered."""
    language = unit.language
    key = "lead.records_one" if alone else "lead.records_least"
    head = language.say(key, barrier=language.mid_sentence(name), shown=language.score(practice))
    return head if why_survey_hidden(unit) else _join(head, language.say("lead.nobody_asked"))


def _lead_both(unit: Assessment, rows: pd.DataFrame, name: str, *, first: bool) -> str:
    """The barrier with the lowest score; it is only said to hold the unit back if its band is below workable."""
    language, lowest = unit.language, rows.iloc[0]
    whom = language.say("organisation.inside") if unit.name == language.say("organisation.name") else unit.name
    blanks = {"barrier": language.mid_sentence(name), "voices": _voices_clause(unit, lowest)}
    if len(rows) < len(measured_barriers(unit)):
        return language.say("lead.of_some", len(rows), **blanks)
    if lowest["band"] not in bands_below_workable(unit):
        return language.say("lead.none", whom=whom, **blanks)
    return language.say("lead.most" if first else "lead.among", name=name, whom=whom, voices=blanks["voices"])


def _voices_clause(unit: Assessment, row: pd.Series) -> str:
    """What people say of a barrier and, if known, what records show, as a clause."""
    language, flag = unit.language, flag_side(row["flag"])
    kind = "said" if row["on"] == "perception" else "both"
    numbers = {"said": language.score(row["perception"])}
    numbers |= {"shown": language.score(row["practice"])} if kind == "both" else {}
    return language.say(f"voices.{kind}_{flag}" if flag else f"voices.{kind}", **numbers)


def _lead_decisions(unit: Assessment) -> str:
    language, team, advice = unit.language, unit.cell("decision_accuracy"), unit.cell("advice_accuracy")
    if not team.ok:
        speed = unit.cell("decision_speed_p50")
        return language.say("lead.decided_within", time=language.duration(speed.value)) if speed.ok else ""
    blanks = {"team": language.share(team.value), "n": language.number(team.n)}
    key = "lead.right"
    if advice.ok:
        key = "lead.right_unproven" if intervals_overlap(team, advice) else "lead.right_advice"
        blanks["advice"] = language.share(advice.value)
    over = unit.cell("over_reliance")
    followed = language.say("lead.followed", share=language.share(over.value)) if over.ok else ""
    return _join(language.say(key, **blanks), followed)


def _lead_hours(unit: Assessment) -> str:
    language, potential, rate = unit.language, unit.cell("potential_hours"), unit.cell("realised_rate")
    if not potential.ok or not rate.ok:
        return ""
    return language.say("lead.hours", potential=language.hours(potential.value), share=language.share(rate.value))


def _lead_exposure(unit: Assessment) -> str:
    language, alone, software = unit.language, unit.cell("exposure_alpha"), unit.cell("exposure_zeta")
    if not alone.ok:
        return ""
    if software.value == 0:
        return language.say("lead.exposure_none")
    shares = {"alone": language.share(alone.value), "software": language.share(software.value)}
    if reason := why_hours_hidden(unit):
        return say_hidden(unit, "lead.exposure_hidden", reason, **shares)
    return language.say("lead.exposure_part" if use_recorded(unit) else "lead.exposure_unrecorded", **shares)


def _lead_pilots(unit: Assessment) -> str:
    """What pilots have shown."""
    return "" if latest_trials(unit).empty else f"{pilots_heading(unit)}."


def what_works(unit: Assessment) -> str:
    """What works: a pilot that may grow, else a barrier above the rest, else a strong indicator, else nothing."""
    return _works_pilot(unit) or _works_barrier(unit) or _works_indicator(unit)


def _works_pilot(unit: Assessment) -> str:
    latest = latest_trials(unit)
    grown = latest.loc[latest["verdict"] == "SCALE"]
    if grown.empty:
        return ""
    best = grown.assign(ratio=grown["lower"] / grown["target_effect"]).sort_values("ratio").iloc[-1]
    register = unit.initiatives.loc[unit.initiatives["initiative_id"] == best["initiative_id"], "stage"]
    key = "works.pilot" if register.isin(["scaled", "stopped"]).any() else "works.pilot_grows"
    name = initiative_name(unit, best["initiative_id"])
    return unit.language.say(key, initiative=name, trial=trial_words(best, unit.language))


def _works_barrier(unit: Assessment) -> str:
    rows = unit.rows("barriers")
    above = rows.loc[rows["flag"].str.startswith("above")].sort_values("perception", ascending=False)
    if above.empty:
        return ""
    best = above.iloc[0]
    voices = _voices_clause(unit, pd.concat([best, pd.Series({"on": "perception"})]))
    return unit.language.say("works.barrier", name=barrier_name(unit, best["barrier_id"]), voices=voices)


def _works_indicator(unit: Assessment) -> str:
    language, evidence = unit.language, unit.rows("explain")
    strong = evidence.loc[(evidence["kind"] == "indicator") & (evidence["status"] == OK) & (evidence["points"] >= 80)]
    if strong.empty:
        return ""
    best = strong.sort_values(["points", "n"], ascending=False).iloc[0]
    about = unit.rules.indicators.set_index("indicator_id").loc[best["id"]]
    measure = MEASURES[about["measure"]]
    key = "works.indicator_uses" if measure.table == "usage" else "works.indicator"
    value = language.value(best["value"], measure.unit)
    return language.say(key, value=value, indicator=about["label"], n=language.number(best["n"]))


STANDING = ("purpose", "comparison", "hours", "speed", "units", "validated")


def standing_sentences(unit: Assessment) -> list[str]:
    """Sentences that every handout ends with."""
    return [unit.language.say(f"standing.{name}") for name in STANDING]


def formulas(unit: Assessment) -> str:
    """Where the formulas are documented, with the names of the measures that have a value here."""
    rows = unit.rows("measures")
    measures = set(rows.loc[rows["status"] == OK, "measure"])
    names = ", ".join(name for name in MEASURES if name in measures)
    return unit.language.say("method.formulas_used", names=names) if names else unit.language.say("method.formulas")


def reliability_notes(unit: Assessment) -> list[str]:
    """What reliability, agreement and ICC mean, and when units may be ranked."""
    say, settings = unit.language.say, unit.rules.settings
    if unit.unit_id != ORGANISATION:
        return [say("reliability.unit")]
    rwg, icc, p = (unit.language.number(limit, 2) for limit in (settings.rank_rwg, settings.rank_icc2, settings.rank_p))
    return [say("reliability.organisation"), say("reliability.ranks", rwg=rwg, icc=icc, p=p)]


def method_facts(unit: Assessment, hidden: int) -> pd.DataFrame:
    """The facts behind the numbers: one row per fact, with its name and what it is."""
    facts, language, settings = unit.facts, unit.language, unit.rules.settings
    say, left_out = language.say, int(unit.counts["quarantined"].sum())
    nobody = say("method.answers_hidden") if why_survey_hidden(unit) else say("method.nobody")
    smallest = {"people": str(settings.minimum_group), "distribution": str(settings.minimum_distribution)}
    version = {"version": facts.instrument_version, "digest": facts.instrument_digest}
    stated = {
        "wave": language.wave(facts.wave) if facts.wave != waves.UNDATED else say("method.undated"),
        "records": language.day(facts.records_up_to) or say("method.no_date"),
        "answered": response_words(unit) or nobody,
        "groups": say("method.groups_stated", **smallest),
        "hidden": language.number(hidden),
        "left_out": language.number(left_out),
        "questionnaire": say("method.questionnaire_stated", **version),
        "data": say("method.data_stated", digest=facts.input_digest),
        "intervals": say("method.intervals_stated"),
    }
    rows = [(say(f"method.{fact}"), text) for fact, text in stated.items()]
    return pd.DataFrame(rows, columns=[say("column.about"), say("column.stated")])
