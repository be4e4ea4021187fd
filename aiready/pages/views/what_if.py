"""Views of what-if: the profile recomputed with other weights and anchors, from published numbers only."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from aiready import charts
from aiready.charts import theme
from aiready.errors import UsageError
from aiready.messages import ENGLISH
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
    rows = recomputed(unit, changes, people_weight)
    names = [sentences.barrier_name(unit, name) for name in rows["barrier_id"]]
    score = pd.DataFrame({"name": names, "before": rows["score"], "after": rows["score_after"]})
    practice = pd.DataFrame({"name": names, "before": rows["practice"], "after": rows["practice_after"]})
    has_score = score["before"].notna().any()
    points = (score if has_score else practice).assign(voice="score" if has_score else "practice")
    numbers = pd.DataFrame(
        {
            "Barrier": names,
            "Records show": rows["practice"].map(theme.score),
            "Records, what if": rows["practice_after"].map(theme.score),
            "Score": rows["score"].map(theme.score),
            "Score, what if": rows["score_after"].map(theme.score),
        }
    )
    return View(
        "Scores under other weights and anchors" if has_score else "What records show under other weights and anchors",
        f"{unit_and_wave(unit)} · points of 100, as the instrument has it and as set here",
        _weakest(points),
        charts.shift_chart,
        points,
        numbers,
        "A trial on what is published already; nothing is saved. What holds for everybody stands in the instrument.",
        options={"moments": ("as in the instrument", "what if")},
    )


def _weakest(rows: pd.DataFrame) -> tuple[str, ...]:
    complete = rows.dropna(subset=["before", "after"])
    if complete.empty:
        return ("Neither voice allows a score here: nothing to weigh.",)
    before, after = (complete.loc[complete[moment].idxmin(), "name"] for moment in ("before", "after"))
    if before == after:
        return (f"{before} stays the weakest barrier.",)
    return (f"{after} would be the weakest barrier instead of {before.lower()}.",)
