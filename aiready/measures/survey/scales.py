"""Score answers: levels, reversed items, the half rule, one score per respondent and scale."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aiready.inputs.dataset import Data
from aiready.instrument.model import Instrument
from aiready.measures.survey.groups import Floats, Groups, Moments, groups_of
from aiready.model.schema import ROLES
from aiready.privacy.release_record import People
from aiready.privacy.segments import segment_of_role

MAX_ITEMS_LISTED = 5
"""Most items that a sentence lists."""


@dataclass(frozen=True)
class Answers:
    """The answers of a survey as small integers.

    `codes` (respondents x items): the level as ticked, `schema.DOES_NOT_APPLY`, `schema.DONT_KNOW`, or 0 for
    no answer and for an item that the role is not asked. `role`: position in `schema.ROLES`, -1 without a role.
    `role_items` (roles x items): which items a role is asked; the last row is 'no role', asked all. `not_asked`: by
    item, the number of answers from roles that are not asked it; they are not scored. `inherited`: by position of an
    item that replaces an earlier one, the respondents who answered that one: it counts in their score only.
    """

    rules: Instrument
    codes: NDArray[np.int8]
    role: NDArray[np.intp]
    role_items: NDArray[np.bool_]
    not_asked: Mapping[str, int] = field(default_factory=dict)
    inherited: Mapping[int, NDArray[np.bool_]] = field(default_factory=dict)

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles that somebody has."""
        return tuple(role for code, role in enumerate(ROLES) if (self.role == code).any())

    def common(self, roles: tuple[str, ...]) -> NDArray[np.bool_]:
        """Items that all of these roles are asked."""
        return np.asarray(self.role_items[[ROLES.index(role) for role in roles]].all(axis=0))

    def take(self, respondents: NDArray[np.bool_]) -> "Answers":
        """Answers of some of the respondents."""
        inherited = {item: mask[respondents] for item, mask in self.inherited.items()}
        return Answers(
            self.rules, self.codes[respondents], self.role[respondents], self.role_items, inherited=inherited
        )

    def own(self, item: int) -> NDArray[np.int8]:
        """Answers to one item itself; 0 for those to the item that it replaces."""
        codes = self.codes[:, item]
        return np.where(self.inherited[item], np.int8(0), codes) if item in self.inherited else codes

    def items_of(self, barrier_id: str) -> NDArray[np.bool_]:
        """Items of one scale, as a mask over the items."""
        return np.asarray(self.rules.items["barrier_id"] == barrier_id)

    def keyed(self, items: NDArray[np.bool_]) -> NDArray[np.int8]:
        """Levels of these items, those of reversed items reversed; 0 where there is none."""
        ticked = np.maximum(self.codes[:, items], 0)
        reverse = self.rules.items.loc[items, "reverse_scored"].to_numpy(bool)
        reversed_levels = np.int8(self.rules.settings.scale_points + 1) - ticked
        return np.where(reverse & (ticked > 0), reversed_levels, ticked)

    def score(self, items: NDArray[np.bool_]) -> Floats:
        """Score 0-100 of each respondent over these items, by the half rule."""
        keyed = self.keyed(items)
        answered = (keyed > 0).sum(axis=1)
        n_asked = self.role_items[:, items].sum(axis=1)[self.role]
        with np.errstate(invalid="ignore"):
            mean = keyed.sum(axis=1, dtype=float) / answered
        enough = (answered > 0) & (2 * answered >= n_asked)
        return np.where(enough, 100 * (mean - 1) / (self.rules.settings.scale_points - 1), np.nan)


@dataclass(frozen=True)
class Survey:
    """One survey, read and scored once.

    `respondents` (unit_id, wave, role, respondent_id): one row per respondent. `scores` (respondents x `barriers`), and
    their `moments` in the `groups`. `visible` (groups): which ones the privacy gate publishes; None until it has
    decided. `wordings`: digest of every item's wording by wave; where it is empty, wordings are taken as unchanged.
    """

    rules: Instrument
    respondents: pd.DataFrame
    answers: Answers
    barriers: tuple[str, ...]
    scores: Floats
    groups: Groups
    moments: Moments
    visible: NDArray[np.bool_] | None = None
    wordings: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)

    @property
    def waves(self) -> tuple[str, ...]:
        """Waves with answers, oldest first."""
        return tuple(self.groups.table["wave"].unique())

    def eligible(self) -> NDArray[np.bool_]:
        """Visible groups with enough scored respondents on every scale that has scores in the wave."""
        n = pd.DataFrame(self.moments.n)
        used = n.groupby(self.groups.table["wave"]).transform("max").gt(0)
        smallest = n.where(used).min(axis=1)
        enough = (smallest >= self.rules.settings.minimum_group).to_numpy()
        return np.asarray(enough if self.visible is None else enough & self.visible)


def read_survey(data: Data, rules: Instrument) -> Survey | None:
    """Read a survey and score it; None when nobody answered."""
    responses = data.table("responses")
    if responses is None or responses.empty:
        return None
    respondents = responses.reindex(columns=["unit_id", "wave", "role", "respondent_id"]).reset_index(drop=True)
    answers = read_answers(responses, rules)
    barriers = tuple(rules.barriers["barrier_id"])
    scores = np.column_stack([answers.score(answers.items_of(barrier)) for barrier in barriers])
    groups = groups_of(respondents, data, rules.settings)
    return Survey(rules, respondents, answers, barriers, scores, groups, groups.moments(scores))


def read_answers(responses: pd.DataFrame, rules: Instrument) -> Answers:
    """Encode typed answers as small integers, item by item, so that the table is never copied as a whole."""
    role = pd.Categorical(responses["role"], categories=ROLES).codes.astype(np.intp)
    by_role = [[name in roles for roles in rules.items["roles"]] for name in ROLES]
    role_items = np.array([*by_role, [True] * len(rules.items)])
    codes, not_asked = np.zeros((len(responses), len(rules.items)), dtype=np.int8, order="F"), {}
    nothing, inherited = np.full(len(responses), np.nan), {}
    for column, item in enumerate(rules.items["item_id"]):
        predecessor = rules.predecessors.get(item)
        if item in responses or predecessor in responses:
            values = responses[item].to_numpy(float) if item in responses else nothing
            if predecessor in responses:
                inherited[column] = np.isnan(values) & responses[predecessor].notna().to_numpy()
                values = np.where(inherited[column], responses[predecessor].to_numpy(float), values)
            unasked = ~role_items[role, column] & ~np.isnan(values)
            codes[:, column] = np.where(np.isnan(values) | unasked, 0, values)
            if unasked.any():
                not_asked[str(item)] = int(unasked.sum())
    return Answers(rules, codes, role, role_items, not_asked, inherited)


def answer_notes(survey: Survey | None) -> tuple[str, ...]:
    """Notes on the answers as a whole: how many were not asked for, and to which items."""
    if survey is None or not survey.answers.not_asked:
        return ()
    not_asked, least = survey.answers.not_asked, survey.answers.rules.settings.minimum_group
    total = sum(not_asked.values())
    count = f"{total:,}" if total >= least else f"fewer than {least}"
    frequent = sorted(
        (item for item in not_asked if not_asked[item] >= least), key=lambda item: (-not_asked[item], item)
    )
    examples = ", ".join(f"{item} ({not_asked[item]:,})" for item in frequent[:MAX_ITEMS_LISTED])
    where = f"; most often {examples}" if examples else ""
    return (f"responses: {count} answers to items that the role is not asked were kept and not scored{where}",)


def scale_scores(data: Data, rules: Instrument) -> pd.DataFrame:
    """Score of each respondent on each scale.

    S = 100 (mean(x*) - 1)/(L - 1), x* = L + 1 - x for reversed items. Half rule: a scale is scored when at
    least half of the items that the respondent's role is asked are answered with a level, as the mean of these
    answers. `does not apply`, `don't know` and blanks are missing; items that the role is not asked never count.

    Returns
    -------
    pandas.DataFrame
        One row per respondent x barrier: unit_id, wave, role, segment (doing, leading or None), respondent
        (row number in `responses`), barrier_id, score (0-100 or missing), n_items (levels given).
    """
    survey = read_survey(data, rules)
    columns = ["unit_id", "wave", "role", "segment", "respondent", "barrier_id", "score", "n_items"]
    if survey is None:
        return pd.DataFrame(columns=columns)
    people, scales = survey.scores.shape
    long = survey.respondents.loc[np.repeat(np.arange(people), scales)]
    n_levels = [(survey.answers.keyed(survey.answers.items_of(barrier)) > 0).sum(axis=1) for barrier in survey.barriers]
    return long.assign(
        segment=long["role"].map(segment_of_role(rules.settings)),
        respondent=long.index,
        barrier_id=np.tile(np.array(survey.barriers, dtype=object), people),
        score=survey.scores.ravel(),
        n_items=np.column_stack(n_levels).ravel(),
    ).reset_index(drop=True)[columns]


def people_by_figure(survey: Survey | None) -> People:
    """Who answered, and which figures count whom: each scale, its shares, each item and each theme has its own people.

    Prefixes of figures: `scale:` (scored), `given:` (any answer on the scale), `straight:` (plain and reversed items
    answered), `item:` (a level, for its mean), `levels:` (for its distribution), `any:` (any answer to the item),
    `theme:` (scored).
    """
    if survey is None:
        columns = ["wave", "unit_id", "role", "code"]
        nothing = pd.DataFrame(columns=["figure", "items"], dtype=object)
        table = pd.DataFrame(columns=columns, dtype=object)
        return People(table, np.zeros((0, 0), np.int8), (), np.zeros((0, 0), bool), nothing)
    counted = list(_figures(survey))
    names, masks, counts = zip(*counted, strict=True)
    items = survey.rules.items
    figures = pd.DataFrame({
        "figure": names,
        "items": [";".join(items.loc[mask, "item_id"]) for mask in masks],
    }).astype(object)  # fmt: skip
    table = survey.respondents.rename(columns={"respondent_id": "code"})[["wave", "unit_id", "role", "code"]]
    return People(table, survey.answers.codes, tuple(items["item_id"]), np.column_stack(counts), figures)


def _figures(survey: Survey) -> Iterator[tuple[str, NDArray[np.bool_], NDArray[np.bool_]]]:
    """Each figure with its items and the respondents that it counts."""
    answers, items = survey.answers, survey.rules.items
    reverse = items["reverse_scored"].to_numpy(bool)
    for column, barrier in enumerate(survey.barriers):
        mask = answers.items_of(barrier)
        yield f"scale:{barrier}", mask, ~np.isnan(survey.scores[:, column])
        yield f"given:{barrier}", mask, (answers.codes[:, mask] != 0).any(axis=1)
        turned, plain = ((answers.codes[:, mask & side] > 0).any(axis=1) for side in (reverse, ~reverse))
        yield f"straight:{barrier}", mask, np.logical_and(turned, plain)
    for column, item in enumerate(items["item_id"]):
        mask, own = np.arange(len(items)) == column, answers.own(column)
        yield f"item:{item}", mask, own > 0
        yield f"levels:{item}", mask, own > 0
        yield f"any:{item}", mask, own != 0
    for theme in items["theme"].dropna().unique():
        mask = (items["theme"] == theme).to_numpy()
        yield f"theme:{theme}", mask, ~np.isnan(answers.score(mask))
