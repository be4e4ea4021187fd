"""Compute how each item was answered (distribution, level) and scores by theme."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aiready.measures.estimation.inference import mean_interval
from aiready.measures.survey.groups import Floats, by_barrier
from aiready.measures.survey.scales import Survey
from aiready.model.registry import ALL, INSUFFICIENT, OK
from aiready.privacy.segments import DOING, LEADING

NA, DK = "na", "dont_know"
COLUMNS = ["unit_id", "wave", "item_id", "segment", "level", "n", "share", "status", "people"]
LEVELS = ["unit_id", "wave", "segment", "item_id", "level", "share_low", "share_high", "n"]
THEMES = ["unit_id", "wave", "theme", "value", "low", "high", "n", "status", "people"]
_ITEM = ["unit_id", "wave", "segment", "item_id"]


def distributions(survey: Survey) -> pd.DataFrame:
    """Answers to each item, by unit, wave and segment (all, doing, leading).

    The `share` of a level is of the answers that are a level; of `na` and `dont_know`, of all answers given. Levels
    are as ticked, also of reversed items. Answers to items that the role is not asked are ignored.

    Returns
    -------
    pandas.DataFrame
        One row per unit x wave x item x segment x level (`1` ... `L`, `na`, `dont_know`): n, share, status,
        people (who gave a level; for `na` and `dont_know` who gave any answer).
    """
    is_reported = survey.groups.table["segment"].isin([ALL, DOING, LEADING]).to_numpy()
    groups = survey.groups.where(is_reported)
    points = survey.rules.settings.scale_points
    levels = np.array([*(str(level) for level in range(1, points + 1)), NA, DK], dtype=object)
    level_no = np.array([points + 1, points, -1, *range(points)])  # of the codes -2, -1, 0, 1 ... L
    parts = []
    for item_no, item_id in enumerate(survey.rules.items["item_id"]):
        counts = groups.counts(level_no[survey.answers.own(item_no) + 2], points + 2)
        parts.append(_shares(groups.table, counts, levels).assign(item_id=item_id))
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def _shares(table: pd.DataFrame, counts: Floats, levels: NDArray[np.object_]) -> pd.DataFrame:
    """Counts (groups x levels) of one item as the rows of `distributions`."""
    answered = np.repeat(counts.sum(axis=1, keepdims=True), counts.shape[1], axis=1)
    answered[:, :-2] = counts[:, :-2].sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        share = counts / answered
    long = table.loc[np.repeat(table.index.to_numpy(), len(levels)), ["unit_id", "wave", "segment"]]
    status = np.where(answered > 0, OK, INSUFFICIENT).astype(object)
    return long.assign(
        level=np.tile(levels, len(table)),
        n=np.where(answered > 0, counts, np.nan).ravel(),
        share=share.ravel(),
        status=status.ravel(),
        people=answered.ravel(),
    )


def levels_of(items: pd.DataFrame, *, minimum: int) -> pd.DataFrame:
    """The level of each item with at least `minimum` answers: the lower median of its answers.

    Parameters
    ----------
    items
        Item distributions, before or after the privacy gate; rows that are not `ok` are ignored.
    minimum
        Answers needed, `settings.minimum_distribution`.

    Returns
    -------
    pandas.DataFrame
        One row per unit x wave x segment x item: unit_id, wave, segment, item_id, level (1 ... L), share_low
        (levels 1 and 2), share_high (the top two), n.
    """
    rated = items[~items["level"].isin([NA, DK]) & (items["status"] == OK)]
    rated = rated.assign(level=rated["level"].astype(int)).sort_values("level", kind="stable")
    counts = rated.pivot(index=_ITEM, columns="level", values="n").dropna()
    n = counts.sum(axis=1)
    counts, n = counts[n >= minimum], n[n >= minimum]
    half = counts.cumsum(axis=1).ge(n / 2, axis=0)
    item_levels = pd.DataFrame(index=counts.index)
    item_levels["level"] = half.idxmax(axis=1).astype(int) if len(counts) else pd.Series(dtype=int)
    item_levels["share_low"] = counts.iloc[:, :2].sum(axis=1) / n
    item_levels["share_high"] = counts.iloc[:, -2:].sum(axis=1) / n
    return item_levels.assign(n=n).reset_index()[LEVELS]


def theme_scores(survey: Survey, population: Floats) -> pd.DataFrame:
    """Scores by theme (work, workforce, workplace) across the barriers, for each unit's `all`.

    Scored like a scale: half rule over the items of the theme that the respondent's role is asked.

    Parameters
    ----------
    survey
        The survey.
    population
        Invitations per group of the survey, `nan` where unknown.

    Returns
    -------
    pandas.DataFrame
        One row per unit x wave x theme: unit_id, wave, theme, value (0-100), low, high, n, status, people.
    """
    is_all = survey.groups.is_all
    groups = survey.groups.where(is_all)
    names, scores = scores_by_theme(survey)
    moments = groups.moments(scores)
    low, high = mean_interval(moments.mean, moments.sd, moments.n, population[is_all][:, None])
    cells = {"value": moments.mean, "low": low, "high": high, "n": moments.n, "people": moments.n}
    by_theme = by_barrier(groups.table[["unit_id", "wave"]], names, **cells).rename(columns={"barrier_id": "theme"})
    return by_theme.assign(status=np.where(by_theme["n"] > 0, OK, INSUFFICIENT))[THEMES]


def scores_by_theme(survey: Survey) -> tuple[tuple[str, ...], Floats]:
    """The themes, and each respondent's score on them (respondents x themes)."""
    theme = survey.rules.items["theme"]
    names = tuple(theme.dropna().unique())
    if not names:
        return (), np.empty((len(survey.respondents), 0))
    return names, np.column_stack([survey.answers.score((theme == name).to_numpy()) for name in names])
