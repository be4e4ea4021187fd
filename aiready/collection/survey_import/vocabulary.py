"""Build the vocabulary of the questionnaire in every language: ids, wordings and answers, and their meanings."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from aiready.collection.questionnaire import Question, build_questionnaire
from aiready.collection.questionnaire.questions import EXTRA_ANSWER_VALUES, unit_labels
from aiready.collection.survey_import.lexicon import Entry, Lexicon, build_lexicon
from aiready.instrument.languages import CLOSING, EXTRA_ANSWERS, shipped_words
from aiready.instrument.model import Instrument
from aiready.model.cell_values import BLANK_WORDS, DOES_NOT_APPLY_WORDS, DONT_KNOW_WORDS
from aiready.model.schema import AI_USE, ROLES
from aiready.package_files import read_records

COMMENT = CLOSING[0]
NO_ANSWER = "no answer"
"""Meaning of a cell, in a map, that stands for a question not answered."""
CODE = "code"
"""Kind of entry: a code that our questionnaire gives to a choice, and no survey tool by itself."""
PHRASES = Path(__file__).with_name("phrases.csv")
"""What people and tools write for answers that are not a level, besides the words of the questionnaire."""


def plain_id(text: str) -> str:
    """An id in lower case without punctuation, as LimeSurvey keeps it.

    Examples
    --------
    >>> plain_id("team_goal"), plain_id("TeamGoal")
    ('teamgoal', 'teamgoal')
    """
    return re.sub(r"[^a-z0-9]", "", text.casefold())


@dataclass(frozen=True)
class Vocabulary:
    """What is asked and what can be answered, in all languages at once.

    `ids` and `wordings`: id or wording of a question -> column of `responses`. `answers`: column -> lexicon of its
    answers -> value, where `NO_ANSWER` is a blank. `ordered_values`: column -> values in the order of the
    questionnaire. `questions`: item -> wording. `units`: ids in the order of the table; empty without units.
    `levels`: number of levels of an item.
    """

    ids: Lexicon
    wordings: Lexicon
    answers: Mapping[str, Lexicon]
    ordered_values: Mapping[str, tuple[str, ...]]
    questions: Mapping[str, str]
    units: tuple[str, ...]
    levels: int

    def for_tool(self, source: str) -> "Vocabulary":
        """The vocabulary of a tool's exports: only LimeSurvey uses our codes; in others `NA` is a blank."""
        if source == "limesurvey":
            return self
        return replace(self, answers={name: lexicon.without_kind(CODE) for name, lexicon in self.answers.items()})

    def column(self, text: str) -> str:
        """Column of an id, as it is or without punctuation."""
        return self.ids.meaning(text) or self.ids.meaning(plain_id(text))


def build_vocabulary(
    instrument: Instrument, units: Mapping[str, str], parents: Mapping[str, str] = MappingProxyType({})
) -> Vocabulary:
    """Build the vocabulary of an instrument in all its languages, with the units to choose from.

    Parameters
    ----------
    instrument
        The instrument.
    units, parents
        Name, and id of the parent, by unit_id.
    """
    questionnaires = [
        build_questionnaire(instrument, code, units=units, parents=parents) for code in instrument.languages
    ]
    questions = [question for questionnaire in questionnaires for question in questionnaire.questions]
    items = {question.id: question.wording for question in questionnaires[0].items}
    answers: dict[str, list[Entry]] = {"unit_id": list(_unit_names(units, parents))}
    for name in items:
        answers[name] = list(_common_answers())
    for question in questions:
        if question.choices:
            answers.setdefault(question.id, []).extend(_choice_spellings(question))
    for words in (*(questionnaire.words for questionnaire in questionnaires), *shipped_words().values()):
        answers["role"] += [("name", words[f"{kind}.{role}"], role) for kind in ("role", "role_name") for role in ROLES]
        answers["ai_use"] += [("name", words[f"ai_use.{use}"], use) for use in AI_USE]
        for name in items:
            answers[name] += [("name", words[f"answer.{extra}"], EXTRA_ANSWER_VALUES[extra]) for extra in EXTRA_ANSWERS]
    ordered_values = {
        question.id: tuple(choice.value for choice in question.choices) for question in questionnaires[0].questions
    }
    lexicons = {name: build_lexicon([*entries, *_blank_words(entries)]) for name, entries in answers.items()}
    return Vocabulary(
        ids=build_lexicon(_ids({question.id: None for question in questions})),
        wordings=build_lexicon(("wording", question.wording, question.id) for question in questions),
        answers=lexicons if units else {name: lexicon for name, lexicon in lexicons.items() if name != "unit_id"},
        ordered_values={name: values for name, values in ordered_values.items() if values and name != "unit_id"},
        questions=items,
        units=tuple(units),
        levels=instrument.settings.scale_points,
    )


def _ids(names: Mapping[str, None]) -> Iterator[Entry]:
    for name in names:
        yield ("id", name, name)
        yield ("plain id", plain_id(name), name)
    yield ("id", "unit", "unit_id")


def _unit_names(names: Mapping[str, str], parents: Mapping[str, str]) -> Iterator[Entry]:
    """Unique labels of the units, and their names; a name shared by several units means each of them."""
    for unit, label in unit_labels(names, parents).items():
        yield from (("name", text, unit) for text in dict.fromkeys((label, names[unit])) if text)


def _common_answers() -> Iterator[Entry]:
    """Words for answers that are not a level, for any item; `NA` is a blank to R, so it is left out."""
    yield from (("name", text, EXTRA_ANSWER_VALUES["does_not_apply"]) for text in DOES_NOT_APPLY_WORDS if text != "na")
    yield from (("name", text, EXTRA_ANSWER_VALUES["dont_know"]) for text in DONT_KNOW_WORDS)
    yield from (("name", row["text"], row["means"]) for row in read_records(PHRASES))


def _blank_words(entries: list[Entry]) -> Iterator[Entry]:
    """Words for blanks, except those that are an answer."""
    answers = build_lexicon(entries)
    yield from (("nothing", text, NO_ANSWER) for text in BLANK_WORDS if text and not answers.entries(text))


def _choice_spellings(question: Question) -> Iterator[Entry]:
    """Entries of every choice: its value, its wording, and its code where it differs from the value."""
    for choice in question.choices:
        yield ("id", choice.value, choice.value)
        yield ("name", choice.text, choice.value)
        if choice.code != choice.value:
            yield (CODE, choice.code, choice.value)
