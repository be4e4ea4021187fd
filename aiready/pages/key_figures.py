"""Choose the key figures of the first page: up to four numbers in context."""

import pandas as pd

from aiready.model.registry import ORGANISATION
from aiready.pages import sentences, tables
from aiready.pages.markup.blocks import KeyFigure
from aiready.profile.assessment import Assessment


def key_figures(unit: Assessment) -> list[KeyFigure]:
    """The first four of the possible key figures that have a value."""
    makers = (_key_hours, _key_agreed, _key_pilots, _key_adoption, _key_speed, _key_accuracy, _key_exposure, _key_low,
              _key_answered)  # fmt: skip
    return [key for make in makers if (key := make(unit))][:4]


def _of(unit: Assessment, part: int, total: int) -> str:
    return unit.language.say("key.of", some=str(part), total=str(total))


def _key_hours(unit: Assessment) -> KeyFigure | None:
    language, rate, gap = unit.language, unit.cell("realised_rate"), unit.cell("last_mile_gap_hours")
    if not rate.ok:
        return None
    week = sentences.hours_per_week(unit, gap)
    key, hours = ("key.hours_week", week) if pd.notna(week) else ("key.hours_year", gap.value)
    return KeyFigure(
        language.say("key.hours"), language.share(rate.value), language.say(key, hours=language.hours(hours))
    )


def _key_agreed(unit: Assessment) -> KeyFigure | None:
    states = tables.state(unit)
    active = states.loc[states != "dropped"]
    if active.empty:
        return None
    n_done, n_overdue = int((active == "done").sum()), int((active == "overdue").sum())
    context = unit.language.say("key.overdue", n_overdue) if unit.facts.reached_on else ""
    return KeyFigure(unit.language.say("key.agreed"), _of(unit, n_done, len(active)), context)


def _key_pilots(unit: Assessment) -> KeyFigure | None:
    language, trials = unit.language, sentences.latest_trials(unit)
    if trials.empty:
        return None
    verdicts = trials["verdict"].value_counts()
    others = [
        language.say("key.pilots_other", n=str(count), verdict=language.label(f"verdict_words.{word}"))
        for word, count in verdicts.items()
        if word != "SCALE"
    ]
    return KeyFigure(language.say("key.pilots"), _of(unit, verdicts.get("SCALE", 0), len(trials)), ", ".join(others))


def _key_adoption(unit: Assessment) -> KeyFigure | None:
    language, cell, total = unit.language, unit.cell("adoption"), unit.cell("adoption", unit_id=ORGANISATION)
    if not cell.ok:
        return None
    n = language.number(cell.n)
    context = language.say("key.adoption_of", n=n)
    if total.ok and unit.unit_id != ORGANISATION:
        context = language.say("key.adoption_total", n=n, share=language.share(total.value))
    return KeyFigure(language.say("key.adoption"), language.share(cell.value), context)


def _key_speed(unit: Assessment) -> KeyFigure | None:
    language, cell = unit.language, unit.cell("decision_speed_p50")
    if not cell.ok:
        return None
    spread = language.interval(cell.low, cell.high, "seconds")
    context = language.say("key.speed_spread", interval=spread) if spread else language.say("key.speed_median")
    return KeyFigure(language.say("key.speed"), language.duration(cell.value), context)


def _key_accuracy(unit: Assessment) -> KeyFigure | None:
    language, cell = unit.language, unit.cell("decision_accuracy")
    if not cell.ok:
        return None
    context = language.say("key.accuracy_of", n=language.number(cell.n))
    return KeyFigure(language.say("key.accuracy"), language.share(cell.value), context)


def _key_exposure(unit: Assessment) -> KeyFigure | None:
    language, alone, software = unit.language, unit.cell("exposure_alpha"), unit.cell("exposure_zeta")
    if not alone.ok:
        return None
    context = language.say("key.exposure_software", share=language.share(software.value))
    return KeyFigure(language.say("key.exposure"), language.share(alone.value), context)


def _key_low(unit: Assessment) -> KeyFigure | None:
    language, rows = unit.language, sentences.ranked_barriers(unit)
    if rows.empty or rows["on"].iloc[0] == "practice":
        return None
    band, basis = {"score": ("band", "key.low_both"), "perception": ("perception_band", "key.low_people")}[
        rows["on"].iloc[0]
    ]
    low = int(rows[band].isin(sentences.bands_below_workable(unit)).sum())
    name = language.say("key.low", band=sentences.workable_band(unit))
    return KeyFigure(name, _of(unit, low, len(rows)), language.say(basis))


def _key_answered(unit: Assessment) -> KeyFigure | None:
    language, rate = unit.language, unit.cell("response_rate")
    if not rate.ok:
        return None
    context = language.say("key.answered_of", n=language.number(rate.n))
    return KeyFigure(language.say("key.answered"), language.share(rate.value), context)
