"""Views of what-if: the profile recomputed with other weights and anchors, from published numbers only."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from aiready import charts
from aiready.errors import UsageError
from aiready.messages import ENGLISH, Language
from aiready.pages import sentences
from aiready.pages.views.survey import unit_and_wave
from aiready.pages.views.view import View
from aiready.profile import barriers
from aiready.profile.assessment import Assessment

EQUAL = 0.5
CHANGED = ("weight", "value_at_0", "value_at_100")


def recomputed(
    unit: Assessment, changes: Mapping[str, Mapping[str, float]], people_weight: float = EQUAL
) -> pd.DataFrame:
    """Recompute the profile with other weights and anchors: one row per barrier.

    Parameters
    ----------
    changes
        indicator_id -> values that differ from the instrument: `weight` (0 or more), `value_at_0`, `value_at_100` (in
        the measure's unit).
    people_weight
        Weight of perception in the score (0-1); practice gets the rest.

    Returns
    -------
    pandas.DataFrame
        barrier_id, `practice` and `score` as published, `practice_after` and `score_after`; missing if an input is.

    Raises
    ------
    UsageError
        The anchors of an indicator are equal, or a weight is out of range.
    """
    if not 0 <= people_weight <= 1:
        raise UsageError(f"The weight of what people say is {people_weight:g}; it lies between 0 and 1.")
    rules = replace(unit.rules, indicators=_changed(unit, changes))
    points = barriers.explain_indicators(unit.rows("measures"), rules, (unit.facts.wave,))
    practice_after = barriers.practice(points, rules)[["barrier_id", "practice"]].rename(
        columns={"practice": "practice_after"}
    )
    rows = unit.rows("barriers")[["barrier_id", "perception", "practice", "score"]].merge(
        practice_after, "left", "barrier_id"
    )
    perception_part = people_weight * rows["perception"]
    return rows.assign(score_after=perception_part + (1 - people_weight) * rows["practice_after"])


def _changed(unit: Assessment, changes: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    table = unit.rules.indicators.set_index("indicator_id")
    table[list(CHANGED)] = table[list(CHANGED)].astype(float)
    for indicator_id, values in changes.items():
        for column, value in values.items():
            table.loc[indicator_id, column] = value
    wrong = table.index[(table["value_at_0"] == table["value_at_100"]) | (table["weight"] < 0)]
    if len(wrong):
        names = ENGLISH.join_names(table.loc[wrong, "label"])
        raise UsageError(f"{names}: worth 0 and worth 100 must differ, and a weight is 0 or more. Move one of them.")
    return table.reset_index()


def what_if(unit: Assessment, changes: Mapping[str, Mapping[str, float]], people_weight: float = EQUAL) -> View:
    """What would the scores be with other weights and anchors?"""
    language, rows = unit.language, recomputed(unit, changes, people_weight)
    say, names = language.say, [sentences.barrier_name(unit, name) for name in rows["barrier_id"]]
    basis = "score" if rows["score"].notna().any() else "practice"
    points = pd.DataFrame({"name": names, "before": rows[basis], "after": rows[f"{basis}_after"], "voice": basis})
    moments = say("what_if.before"), say("what_if.after")
    numbers = {
        say("column.barrier"): names,
        say("column.records_show"): rows["practice"].map(language.score),
        f"{say('column.records')}, {moments[1]}": rows["practice_after"].map(language.score),
        say("column.score"): rows["score"].map(language.score),
        f"{say('column.score')}, {moments[1]}": rows["score_after"].map(language.score),
    }
    return View(
        "what-if",
        say("what_if.title" if basis == "score" else "what_if.records"),
        say("what_if.subtitle"),
        unit_and_wave(unit),
        (_weakest(points, language),),
        charts.shift_chart,
        points,
        pd.DataFrame(numbers),
        say("what_if.caution"),
        options={"moments": moments},
        language=language,
    )


def _weakest(rows: pd.DataFrame, language: Language) -> str:
    complete = rows.dropna(subset=["before", "after"])
    if complete.empty:
        return language.say("what_if.nothing")
    before, after = (complete.loc[complete[moment].idxmin(), "name"] for moment in ("before", "after"))
    if before == after:
        return language.say("what_if.same", barrier=before)
    return language.say("what_if.other", barrier=after, before=language.mid_sentence(before))
