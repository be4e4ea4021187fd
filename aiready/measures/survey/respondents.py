"""Count the people behind each figure of a survey by own unit, wave and role, for the privacy gate."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aiready.instrument.model import Instrument
from aiready.measures.survey import distributions
from aiready.measures.survey.scales import Survey
from aiready.model.schema import ROLES
from aiready.privacy.gate import SurveyContributors

_NOBODY = pd.DataFrame(columns=["unit_id", "wave", "role"])


def contributors(survey: Survey | None, pattern: pd.DataFrame) -> SurveyContributors:
    """The people behind each figure of a survey, with the suppression pattern of the scales."""
    if survey is None:
        none = people_of_scales(None, np.zeros((0, 0), dtype=bool))
        return SurveyContributors(pattern, scored_by_roles(None), none, none, none, answered_people(None))
    themes, scores = distributions.scores_by_theme(survey)
    return SurveyContributors(
        pattern,
        scales=scored_by_roles(survey),
        answered=people_of_scales(survey, answers_given(survey) > 0),
        straightliners=people_of_scales(survey, straightliners(survey)[1]),
        themes=people_of_scales(survey, ~np.isnan(scores), themes),
        items=answered_people(survey),
    )


def straightliners(survey: Survey) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Who ticked one level throughout, and who answered plain and reversed items (respondents x scales)."""
    flagged, able = np.zeros((2, len(survey.respondents), len(survey.barriers)), dtype=bool)
    reverse = survey.rules.items["reverse_scored"].to_numpy(bool)
    for column, barrier in enumerate(survey.barriers):
        items = survey.answers.items_of(barrier)
        ticked = np.maximum(survey.answers.codes[:, items], 0)
        answered_both = (ticked[:, reverse[items]] > 0).any(axis=1) & (ticked[:, ~reverse[items]] > 0).any(axis=1)
        lowest = np.where(ticked > 0, ticked, np.iinfo(np.int8).max).min(axis=1)
        able[:, column], flagged[:, column] = answered_both, answered_both & (ticked.max(axis=1) == lowest)
    return flagged, able


def answers_given(survey: Survey) -> NDArray[np.int64]:
    """Answers of any kind that each respondent gave on each scale."""
    answered, scales = survey.answers.codes != 0, [survey.answers.items_of(barrier) for barrier in survey.barriers]
    return np.column_stack([answered[:, items].sum(axis=1) for items in scales])


def scored_people(survey: Survey | None) -> pd.DataFrame:
    """Respondents with a score, for the privacy gate: one row per own unit x wave x role, one column per scale.

    Only scales that every role is asked, since one pattern of cells has to hold for all of them; where there is none,
    one column of the respondents with a score on any scale.
    """
    if survey is None:
        return _NOBODY
    scored = ~np.isnan(survey.scores)
    asked_of_all = [roles == survey_roles(survey.rules) for roles in _roles_by_scale(survey).values()]
    if not any(asked_of_all):
        return _count_people(survey, np.asarray(scored.any(axis=1))[:, None], ["any"])
    return _count_people(survey, scored[:, asked_of_all], np.array(survey.barriers)[asked_of_all])


def people_by_roles(
    survey: Survey | None, counts_in: NDArray[np.bool_], roles_asked: Mapping[str, frozenset[str]]
) -> pd.DataFrame:
    """People behind figures, grouped by the roles that are asked for them, for the privacy gate.

    Parameters
    ----------
    counts_in
        Respondents x figures: whether the respondent counts in the figure.
    roles_asked
        Roles asked, by figure, in the order of the columns of `counts_in`.

    Returns
    -------
    pandas.DataFrame
        One row per `items` (figures joined by `;`) x own unit x wave x role, and one column per figure.
    """
    if survey is None:
        return _NOBODY.assign(items="")
    tables, names = [_NOBODY.assign(items="")], list(roles_asked)
    for roles in dict.fromkeys(roles_asked.values()):
        selected = [roles_asked[name] == roles for name in names]
        figures = [name for name, is_selected in zip(names, selected, strict=True) if is_selected]
        counts = _count_people(survey, counts_in[:, selected], figures)
        of_roles = counts["role"].isin(roles) | ~counts["role"].isin(ROLES)
        tables.append(counts.loc[of_roles].assign(items=";".join(figures)))
    return pd.concat(tables[1:], ignore_index=True)


def scored_by_roles(survey: Survey | None) -> pd.DataFrame:
    """Respondents with a score; see `people_by_roles`."""
    none = np.zeros((0, 0), dtype=bool)
    return people_by_roles(survey, none if survey is None else ~np.isnan(survey.scores),
                           {} if survey is None else _roles_by_scale(survey))  # fmt: skip


def answered_people(survey: Survey | None) -> pd.DataFrame:
    """Respondents who answered an item with a level; see `people_by_roles`."""
    if survey is None:
        return _NOBODY.assign(items="")
    roles_asked = dict(zip(survey.rules.items["item_id"], survey.rules.items["roles"].map(frozenset), strict=True))
    return people_by_roles(survey, survey.answers.codes > 0, roles_asked)


def people_of_scales(
    survey: Survey | None, counts_in: NDArray[np.bool_], names: Iterable[str] | None = None
) -> pd.DataFrame:
    """People by own unit x wave x role, one column per figure; `counts_in` as in `people_by_roles`."""
    return _NOBODY if survey is None else _count_people(survey, counts_in, survey.barriers if names is None else names)


def survey_roles(rules: Instrument) -> frozenset[str]:
    """Roles that are asked any item."""
    return frozenset(role for roles in rules.items["roles"] for role in roles)


def _roles_by_scale(survey: Survey) -> Mapping[str, frozenset[str]]:
    """Roles that are asked any item of each scale."""
    roles = survey.rules.items.explode("roles").groupby("barrier_id")["roles"].agg(frozenset)
    return {barrier: roles.get(barrier, frozenset()) for barrier in survey.barriers}


def _count_people(survey: Survey, counts_in: NDArray[np.bool_], names: Iterable[str]) -> pd.DataFrame:
    """People by own unit x wave x role, one column per figure."""
    counted = pd.DataFrame(counts_in, columns=list(names))
    keys = [survey.respondents[name] for name in ("unit_id", "wave", "role")]
    return counted.groupby(keys, dropna=False, sort=False).sum().astype(float).reset_index()
