"""Recommended actions for the barrier profile, ranked, each with the evidence that triggers it."""

import numpy as np
import pandas as pd

from aiready.instrument.model import Instrument
from aiready.messages import ENGLISH, Language
from aiready.model.registry import ALL, MEASURES, OK

UNIT = ["unit_id", "wave"]
BARRIER = [*UNIT, "barrier_id"]
COLUMNS = (
    "unit_id", "wave", "rank", "template_id", "barrier_id", "action", "reason", "first_step", "owner_role",
    "effort", "strategy", "measure", "trigger", "trigger_value", "evidence_value", "evidence_n", "pattern_id",
)  # fmt: skip
EVIDENCE_COLUMNS = (
    *BARRIER,
    "trigger",
    "trigger_value",
    "facet",
    "points",
    "evidence_value",
    "evidence_n",
)
AMOUNTS = ("points", "evidence_value", "evidence_n")
EFFORTS = ("small", "medium", "large")
UNKNOWN = "unknown"
TOP_BLOCKERS = 2
ANSWERS = "answers"
NEARLY_ALL = 0.95
COUNT_LIMIT = 20
FIRST_ACTIONS = 3


def recommend(
    barriers: pd.DataFrame,
    measures: pd.DataFrame,
    items: pd.DataFrame,
    explain: pd.DataFrame,
    rules: Instrument,
) -> pd.DataFrame:
    """Recommend the actions that the evidence triggers: one row per unit x wave x action, ranked from 1.

    Parameters
    ----------
    barriers
        Protected barrier profile; `perception`, `practice`, `score` and `n` are read.
    measures
        Protected measures rows; `gap_by_blocker` is read.
    items
        Protected item distributions; segment `all` is read. `n` is the answers a share is among.
    explain
        Items and indicators with their points (0-100).

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`. `evidence_value` is the number behind the reason in its own unit: points of 100 (band),
        share of answers on the lowest levels (facet), value of the measure (indicator), hours a year
        (blocker); `evidence_n` the answers, records or tasks behind it, missing for a band from records.

    Notes
    -----
    Only `ok` cells trigger an action. *band*: the lower voice lies in that
    band. *facet*: its weakest item lies below `indicator_action_points`; the share is given of answers on the
    lower two of five levels. *indicator*: it counts and lies below the same points. *blocker*: the two that
    hold most of the gap; its points are the percentage of the gap held by everything else.

    Rank: weakest barrier first (score, else the voice there is; none comes last), then fewest points, then
    least effort. A barrier and facet have one action before any has a second, and of the first three a
    barrier has two at most, unless it alone lies below `indicator_action_points`.
    """
    evidence = pd.concat(
        [
            _bands(barriers, rules),
            _facets(items, explain, rules),
            _indicators(explain, rules),
            _blockers(measures, rules),
        ],
        ignore_index=True,
    )
    triggered = rules.actions.merge(evidence, on=["barrier_id", "trigger", "trigger_value"])
    triggered["reason"] = reasons(triggered, rules, ENGLISH)
    return _ranked(triggered, barriers, rules)[list(COLUMNS)]


def reasons(triggered: pd.DataFrame, rules: Instrument, language: Language) -> list[str]:
    """Reason of every triggered action: the instrument's text with the numbers filled in.

    Parameters
    ----------
    called
        One row per action: `template_id`, `trigger`, `trigger_value`, `evidence_value`, `evidence_n`.
    """
    templates = triggered["template_id"].map(rules.actions.set_index("template_id")["reason"])
    evidence = zip(
        templates, triggered["evidence_value"], _evidence_units(triggered, rules), triggered["evidence_n"], strict=True
    )
    return [_fill_in(reason, value, unit, n, language) for reason, value, unit, n in evidence]


def _evidence_units(triggered: pd.DataFrame, rules: Instrument) -> pd.Series:
    """Unit of measure of the evidence for each action."""
    units = {row.indicator_id: MEASURES[row.measure].unit for row in rules.indicators.itertuples()}
    by_trigger = triggered["trigger"].map({"band": "score", "facet": ANSWERS, "blocker": "hours"})
    return by_trigger.fillna(triggered["trigger_value"].map(units))


def _bands(barriers: pd.DataFrame, rules: Instrument) -> pd.DataFrame:
    """Evidence of kind *band*: the lower of perception and practice of every barrier, and its band."""
    lower = barriers[["perception", "practice"]].astype(float).min(axis=1)
    from_survey = barriers["perception"].astype(float).eq(lower)
    cells = barriers[BARRIER].assign(
        trigger="band",
        trigger_value=rules.band_of(lower),
        points=lower,
        evidence_value=lower,
        evidence_n=barriers["n"].astype(float).where(from_survey),
    )
    return _evidence(cells[lower.notna()])


def _facets(items: pd.DataFrame, explain: pd.DataFrame, rules: Instrument) -> pd.DataFrame:
    """Evidence of kind *facet*: its weakest item, with the share of answers on the lowest levels."""
    weak = _weak(explain, "item", rules).merge(_low_answers(items, rules), on=[*UNIT, "id"])
    weakest = weak.sort_values("points", kind="stable").drop_duplicates([*BARRIER, "facet"])
    cells = weakest.assign(trigger="facet", trigger_value=weakest["facet"])
    return _evidence(cells)


def _low_answers(items: pd.DataFrame, rules: Instrument) -> pd.DataFrame:
    """Share of an item's answers that are on the lowest levels: one row per unit x wave x item.

    A blurred share (0 or 1, blanked by the privacy gate) is read from its note; the result is blurred again.
    """
    level = pd.to_numeric(items["level"], errors="coerce")
    rows = items[items["segment"].eq(ALL) & items["status"].eq(OK) & level.notna()]
    rows = rows.merge(rules.items[["item_id", "reverse_scored"]], on="item_id")
    top, lowest = rules.settings.scale_points, max(1, (rules.settings.scale_points - 1) // 2)
    level = pd.to_numeric(rows["level"])
    low = level.where(~rows["reverse_scored"].astype(bool), top + 1 - level) <= lowest
    blurred = rows["note"].str.startswith(">=").astype(float)
    share = rows["share"].fillna(blurred).where(low, 0.0)
    sums = rows.assign(share=share).groupby([*UNIT, "item_id"]).agg(share=("share", "sum"), n=("n", "max"))
    shares = sums.assign(evidence_value=sums["share"].clip(upper=NEARLY_ALL), evidence_n=sums["n"])
    positive = shares.loc[shares["share"] > 0, ["evidence_value", "evidence_n"]]
    return positive.rename_axis([*UNIT, "id"]).reset_index()


def _indicators(explain: pd.DataFrame, rules: Instrument) -> pd.DataFrame:
    """Evidence of kind *indicator*: every practice indicator that counts and is too low."""
    weak = _weak(explain, "indicator", rules)
    cells = weak.assign(
        trigger="indicator",
        trigger_value=weak["id"],
        evidence_value=weak["value"].astype(float),
        evidence_n=weak["n"].astype(float),
    )
    return _evidence(cells)


def _weak(explain: pd.DataFrame, kind: str, rules: Instrument) -> pd.DataFrame:
    counts = explain["kind"].eq(kind) & explain["status"].eq(OK)
    return explain[counts & explain["points"].astype(float).lt(rules.settings.indicator_action_points)]


def _blockers(measures: pd.DataFrame, rules: Instrument) -> pd.DataFrame:
    """Evidence of kind *blocker*: those with the most hours in the gap."""
    rows = measures[measures["measure"].eq("gap_by_blocker") & measures["status"].eq(OK)]
    rows = rows[rows["segment"].ne(ALL) & rows["value"].gt(0)]
    total = rows.groupby(UNIT)["value"].transform("sum")
    candidates = rows.assign(points=100 * (1 - rows["value"] / total))[rows["segment"].ne(UNKNOWN)]
    largest = candidates.sort_values(["value", "segment"], ascending=[False, True])
    largest = largest[largest.groupby(UNIT).cumcount() < TOP_BLOCKERS].drop(columns="barrier_id")
    with_barrier = largest.merge(rules.blockers[["blocker", "barrier_id"]], left_on="segment", right_on="blocker")
    renamed = with_barrier.rename(columns={"value": "evidence_value", "n": "evidence_n", "segment": "trigger_value"})
    return _evidence(renamed.assign(trigger="blocker"))


def _evidence(cells: pd.DataFrame) -> pd.DataFrame:
    """Evidence of all kinds with the same columns; `facet` is blank where it does not apply."""
    shaped = cells.reindex(columns=EVIDENCE_COLUMNS).astype(
        {column: float if column in AMOUNTS else object for column in EVIDENCE_COLUMNS}
    )
    return shaped.fillna({"facet": ""})


def _fill_in(reason: str, value: float, unit: str, n: float, language: Language = ENGLISH) -> str:
    """Fill the numbers into a reason; a share of a few records is given as a count.

    Examples
    --------
    >>> _fill_in("It is so for {value} of {n} tools.", 0.25, "share", 4.0)
    'It is so for 1 of 4 tools.'
    """
    count = value * n
    if unit == "share" and n <= COUNT_LIMIT and abs(count - round(count)) < 1e-6:
        phrase, count_phrase = (
            language.say("answers.value_of", count=count_text, n="{n}") for count_text in ("{value}", f"{count:.0f}")
        )
        reason = reason.replace(phrase, count_phrase if round(count) else language.say("answers.none_of", n="{n}"))
    return reason.format(value=_format_evidence(value, unit, language), n="" if np.isnan(n) else language.number(n))


def _format_evidence(value: float, unit: str, language: Language = ENGLISH) -> str:
    """Format a number for a sentence.

    Examples
    --------
    >>> [_format_evidence(number, unit) for number, unit in ((61.6, "score"), (2.5, "days"))]
    ['62', '2.5']
    >>> [_format_evidence(value, ANSWERS).split() for value in (0.634, NEARLY_ALL)]
    [['63', '%'], ['95', '%', 'or', 'more']]
    """
    if unit == ANSWERS and value >= NEARLY_ALL:
        return language.say("answers.nearly_all")
    if unit in ("share", ANSWERS):
        return language.share(value)
    return language.number(value, 0 if unit in ("hours", "score", "points", "count") else 1)


def _ranked(triggered: pd.DataFrame, barriers: pd.DataFrame, rules: Instrument) -> pd.DataFrame:
    """Rank the actions of every unit and wave so that the first ones concern different barriers."""
    voice = barriers[["perception", "practice"]].astype(float).min(axis=1)
    severity = barriers[BARRIER].assign(severity=barriers["score"].astype(float).fillna(voice))
    order = ["severity", "points", "effort_order", "template_id"]
    rows = triggered.merge(severity, on=BARRIER)
    rows["effort_order"] = rows["effort"].map({effort: position for position, effort in enumerate(EFFORTS)})
    rows = rows.sort_values([*UNIT, *order], kind="stable", na_position="last", ignore_index=True)
    about = rows["facet"].where(rows["facet"].ne(""), rows["template_id"])
    again = rows.assign(about=about).groupby([*BARRIER, "about"]).cumcount()
    position = rows[again.eq(0)].groupby(BARRIER).cumcount().reindex(rows.index)
    weak = rows["barrier_id"].where(rows["severity"] < rules.settings.indicator_action_points)
    alone = weak.notna() & weak.groupby([rows[key] for key in UNIT]).transform("nunique").eq(1)
    later = np.select([again.gt(0), position.ge(np.where(alone, FIRST_ACTIONS, FIRST_ACTIONS - 1))], [2, 1], 0)
    rows = rows.assign(later=later).sort_values([*UNIT, "later", *order], kind="stable", ignore_index=True)
    return rows.assign(rank=rows.groupby(UNIT).cumcount() + 1)
