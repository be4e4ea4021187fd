"""What if indicators weighed otherwise or were anchored elsewhere: the profile again, from what passed the gate."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from aiready import charts
from aiready.charts import theme
from aiready.errors import UsageError
from aiready.messages import ENGLISH
from aiready.pages import sentences
from aiready.profile import barriers
from aiready.profile.assessment import Assessment
from aiready.workbook.views.survey import where
from aiready.workbook.views.view import View

EQUAL = 0.5
CHANGED = ("weight", "value_at_0", "value_at_100")


def recomputed(
    unit: Assessment, changes: Mapping[str, Mapping[str, float]], people_weight: float = EQUAL
) -> pd.DataFrame:
    """The profile of the wave shown under other weights and anchors: one row per barrier.

    Parameters
    ----------
    changes
        indicator_id -> what is other than in the instrument: `weight` (0 or more), `value_at_0`, `value_at_100` (in
        the measure's unit).
    people_weight
        Weight of perception in the score (0-1); that of practice is the rest.

    Returns
    -------
    pandas.DataFrame
        barrier_id, `practice` and `score` as published, `practice_after` and `score_after`; missing where a voice is.

    Raises
    ------
    UsageError
        Both anchors are the same, or a weight is out of range.
    """
    if not 0 <= people_weight <= 1:
        raise UsageError(f"The weight of what people say is {people_weight:g}; it lies between 0 and 1.")
    rules = replace(unit.rules, indicators=_changed(unit, changes))
    points = barriers.explain_indicators(unit.rows("measures"), rules, (unit.facts.wave,))
    shown = barriers.practice(points, rules)[["barrier_id", "practice"]].rename(columns={"practice": "practice_after"})
    rows = unit.rows("barriers")[["barrier_id", "perception", "practice", "score"]].merge(shown, "left", "barrier_id")
    said = people_weight * rows["perception"]
    return rows.assign(score_after=said + (1 - people_weight) * rows["practice_after"])


def _changed(unit: Assessment, changes: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    table = unit.rules.indicators.set_index("indicator_id")
    table[list(CHANGED)] = table[list(CHANGED)].astype(float)
    for indicator_id, values in changes.items():
        for column, value in values.items():
            table.loc[indicator_id, column] = value
    wrong = table.index[(table["value_at_0"] == table["value_at_100"]) | (table["weight"] < 0)]
    if len(wrong):
        names = ENGLISH.listed(table.loc[wrong, "label"])
        raise UsageError(f"{names}: worth 0 and worth 100 must differ, and a weight is 0 or more. Move one of them.")
    return table.reset_index()


def what_if(unit: Assessment, changes: Mapping[str, Mapping[str, float]], people_weight: float = EQUAL) -> View:
    """What would the scores be under other weights and anchors."""
    rows = recomputed(unit, changes, people_weight)
    names = [sentences.barrier_name(unit, name) for name in rows["barrier_id"]]
    score = pd.DataFrame({"name": names, "before": rows["score"], "after": rows["score_after"]})
    shown = pd.DataFrame({"name": names, "before": rows["practice"], "after": rows["practice_after"]})
    known = score["before"].notna().any()
    drawn = (score if known else shown).assign(voice="score" if known else "practice")
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
        "Scores under other weights and anchors" if known else "What records show under other weights and anchors",
        f"{where(unit)} · points of 100, as the instrument has it and as set here",
        _weakest(drawn),
        charts.shift_chart,
        drawn,
        numbers,
        "A trial on what is published already; nothing is saved. What holds for everybody stands in the instrument.",
        options={"called": ("as in the instrument", "what if")},
    )


def _weakest(rows: pd.DataFrame) -> tuple[str, ...]:
    known = rows.dropna(subset=["before", "after"])
    if known.empty:
        return ("Neither voice allows a score here: nothing to weigh.",)
    before, after = (known.loc[known[moment].idxmin(), "name"] for moment in ("before", "after"))
    if before == after:
        return (f"{before} stays the weakest barrier.",)
    return (f"{after} would be the weakest barrier instead of {before.lower()}.",)
