"""Key figures of the first page: up to four numbers in context."""

import pandas as pd

from aiready.model.registry import ORGANISATION
from aiready.pages import sentences, tables
from aiready.pages.markup.blocks import Key
from aiready.profile.assessment import Assessment


def key_figures(unit: Assessment) -> list[Key]:
    """Up to four figures in context, the first that there are."""
    makers = (_key_hours, _key_agreed, _key_pilots, _key_adoption, _key_speed, _key_accuracy, _key_exposure, _key_low,
              _key_answered)  # fmt: skip
    return [key for make in makers if (key := make(unit))][:4]


def _of(unit: Assessment, some: int, total: int) -> str:
    return unit.language.say("key.of", some=str(some), total=str(total))


def _key_hours(unit: Assessment) -> Key | None:
    language, rate, gap = unit.language, unit.cell("realised_rate"), unit.cell("last_mile_gap_hours")
    if not rate.ok:
        return None
    week = sentences.per_week(unit, gap)
    key, hours = ("key.hours_week", week) if pd.notna(week) else ("key.hours_year", gap.value)
    return Key(language.say("key.hours"), language.share(rate.value), language.say(key, hours=language.hours(hours)))


def _key_agreed(unit: Assessment) -> Key | None:
    states = tables.state(unit)
    kept = states.loc[states != "dropped"]
    if kept.empty:
        return None
    done, late = int((kept == "done").sum()), int((kept == "overdue").sum())
    context = unit.language.say("key.overdue", late) if unit.facts.reached_on else ""
    return Key(unit.language.say("key.agreed"), _of(unit, done, len(kept)), context)


def _key_pilots(unit: Assessment) -> Key | None:
    language, judged = unit.language, sentences.latest_trials(unit)
    if judged.empty:
        return None
    words = judged["verdict"].value_counts()
    others = [
        language.say("key.pilots_other", n=str(count), verdict=language.known(f"verdict_words.{word}"))
        for word, count in words.items()
        if word != "SCALE"
    ]
    return Key(language.say("key.pilots"), _of(unit, words.get("SCALE", 0), len(judged)), ", ".join(others))


def _key_adoption(unit: Assessment) -> Key | None:
    language, cell, total = unit.language, unit.cell("adoption"), unit.cell("adoption", unit_id=ORGANISATION)
    if not cell.ok:
        return None
    n = language.number(cell.n)
    context = language.say("key.adoption_of", n=n)
    if total.ok and unit.unit_id != ORGANISATION:
        context = language.say("key.adoption_total", n=n, share=language.share(total.value))
    return Key(language.say("key.adoption"), language.share(cell.value), context)


def _key_speed(unit: Assessment) -> Key | None:
    language, cell = unit.language, unit.cell("decision_speed_p50")
    if not cell.ok:
        return None
    spread = language.interval(cell.low, cell.high, "seconds")
    context = language.say("key.speed_spread", interval=spread) if spread else language.say("key.speed_median")
    return Key(language.say("key.speed"), language.duration(cell.value), context)


def _key_accuracy(unit: Assessment) -> Key | None:
    language, cell = unit.language, unit.cell("decision_accuracy")
    if not cell.ok:
        return None
    context = language.say("key.accuracy_of", n=language.number(cell.n))
    return Key(language.say("key.accuracy"), language.share(cell.value), context)


def _key_exposure(unit: Assessment) -> Key | None:
    language, alone, software = unit.language, unit.cell("exposure_alpha"), unit.cell("exposure_zeta")
    if not alone.ok:
        return None
    context = language.say("key.exposure_software", share=language.share(software.value))
    return Key(language.say("key.exposure"), language.share(alone.value), context)


def _key_low(unit: Assessment) -> Key | None:
    language, rows = unit.language, sentences.ranked_barriers(unit)
    if rows.empty or rows["on"].iloc[0] == "practice":
        return None
    band, basis = {"score": ("band", "key.low_both"), "perception": ("perception_band", "key.low_people")}[
        rows["on"].iloc[0]
    ]
    low = int(rows[band].isin(sentences.below_workable(unit)).sum())
    name = language.say("key.low", band=sentences.workable(unit))
    return Key(name, _of(unit, low, len(rows)), language.say(basis))


def _key_answered(unit: Assessment) -> Key | None:
    language, rate = unit.language, unit.cell("response_rate")
    if not rate.ok:
        return None
    context = language.say("key.answered_of", n=language.number(rate.n))
    return Key(language.say("key.answered"), language.share(rate.value), context)
