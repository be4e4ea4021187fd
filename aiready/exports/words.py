"""Words of the questionnaire -> what they mean, in every shipped language: questions, levels, roles, use of AI."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from aiready.cells import SAYS_DOES_NOT_APPLY, SAYS_DONT_KNOW
from aiready.instrument import Instrument
from aiready.languages import CLOSING
from aiready.questionnaire import Question, questionnaire
from aiready.questionnaire.questions import ANSWERS
from aiready.schema import ROLES

COMMENT = CLOSING[0]


def plain(text: str) -> str:
    """Text as it is compared: case, marks, accents and spaces say nothing.

    Examples
    --------
    >>> plain("<b>They were   not asked.</b> *"), plain("Sí, así es")
    ('they were not asked', 'si asi es')
    """
    without = re.sub(r"<[^<>]*>|&nbsp;", " ", text)
    folded = unicodedata.normalize("NFKD", without.replace("ß", "ss")).casefold()
    letters = "".join(sign for sign in folded if not unicodedata.combining(sign))
    return " ".join(re.findall(r"[^\W_]+", letters))


def unnumbered(text: str) -> str:
    """Plain text without the number of its question or choice.

    Examples
    --------
    >>> unnumbered("12. What is counted?"), unnumbered("Q3: Nothing."), unnumbered("4")
    ('what is counted', 'nothing', '4')
    """
    return re.sub(r"^q? ?\d{1,3} (?=\D)", "", plain(text))


def plain_id(text: str) -> str:
    """An id as tools keep it: LimeSurvey allows letters and digits only.

    Examples
    --------
    >>> plain_id("team_goal"), plain_id("TeamGoal")
    ('teamgoal', 'teamgoal')
    """
    return re.sub(r"[^a-z0-9]", "", text.casefold())


@dataclass(frozen=True)
class Words:
    """What is asked and what can be answered, plainly written, whatever the language.

    `ids` and `wordings`: plain id or plain question -> column of `responses`. `answers`: column -> plain answer ->
    value. `numbered`: column -> values in the order in which the questionnaire lists them. `questions`: item ->
    wording. `units`: ids in the order of the table; none where the data folder has no units. `levels`: how many an
    item has.
    """

    ids: Mapping[str, str]
    wordings: Mapping[str, str]
    answers: Mapping[str, Mapping[str, str]]
    numbered: Mapping[str, tuple[str, ...]]
    questions: Mapping[str, str]
    units: tuple[str, ...]
    levels: int


def words_of(rules: Instrument, units: Mapping[str, str]) -> Words:
    """Words of the questionnaire in every language of an instrument, with the units (name by id) to choose from."""
    spoken = [questionnaire(rules, code, units=units) for code in rules.languages]
    asked = [question for one in spoken for question in one.questions]
    items = {question.id: question.wording for question in spoken[0].items}
    answers: dict[str, dict[str, str]] = {name: dict(_WRITTEN_ANYWHERE) for name in items}
    for one in spoken:
        answers.setdefault("role", {}).update({plain(one.words[f"role_name.{role}"]): role for role in ROLES})
        for question in one.questions:
            if question.choices:
                answers.setdefault(question.id, {}).update(_said(question))
    numbered = {question.id: tuple(choice.value for choice in question.choices) for question in spoken[0].questions}
    return Words(
        ids={plain_id(question.id): question.id for question in asked} | {"unit": "unit_id"},
        wordings={plain(question.wording): question.id for question in asked},
        answers=answers,
        numbered={name: values for name, values in numbered.items() if values and name != "unit_id"},
        questions=items,
        units=tuple(units),
        levels=rules.settings.scale_points,
    )


_WRITTEN_ANYWHERE = {plain(text): ANSWERS["does_not_apply"] for text in SAYS_DOES_NOT_APPLY} | {
    plain(text): ANSWERS["dont_know"] for text in SAYS_DONT_KNOW
}
"""Answers that any data folder may hold."""


def _said(question: Question) -> dict[str, str]:
    """Plain answer -> value: by its code, its value, its words; the words win."""
    said = {plain(choice.code): choice.value for choice in question.choices}
    said |= {plain(choice.value): choice.value for choice in question.choices}
    return said | {plain(choice.text): choice.value for choice in question.choices}
