"""Words of the questionnaire -> what they mean, in every shipped language: questions, levels, roles, use of AI."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiready.cells import SAYS_DOES_NOT_APPLY, SAYS_DONT_KNOW
from aiready.instrument import Instrument
from aiready.languages import CLOSING, OPENING, Language
from aiready.schema import AI_USE, ROLES

EXTRA = {"does_not_apply": "does not apply", "dont_know": "don't know"}
"""How the two answers that are no level stand in `responses`."""
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
    wording. `levels`: how many an item has.
    """

    ids: Mapping[str, str]
    wordings: Mapping[str, str]
    answers: Mapping[str, Mapping[str, str]]
    numbered: Mapping[str, tuple[str, ...]]
    questions: Mapping[str, str]
    levels: int


def words_of(rules: Instrument) -> Words:
    """Words of an instrument and of its translations."""
    languages = list(rules.languages.values())
    items = list(rules.items["item_id"])
    levels = [str(level) for level in range(1, rules.settings.scale_points + 1)]
    asked = [(name, language.words[f"question.{name}"]) for language in languages for name in (*OPENING, *CLOSING)]
    for language in languages:
        asked += zip(language.items["item_id"], language.items["wording"], strict=True)
    answers = {item: _answers(languages, row, levels) for row, item in enumerate(items)}
    return Words(
        ids={plain_id(name): name for name in (*OPENING, *items, *CLOSING)} | {"unit": "unit_id"},
        wordings={plain(text): name for name, text in asked},
        answers={**answers, "role": _named(languages, "role", ROLES), "ai_use": _named(languages, "ai_use", AI_USE)},
        numbered={**dict.fromkeys(items, (*levels, *EXTRA.values())), "role": ROLES, "ai_use": AI_USE},
        questions=dict(zip(items, rules.items["wording"], strict=True)),
        levels=rules.settings.scale_points,
    )


def _answers(languages: Sequence[Language], row: int, levels: Sequence[str]) -> dict[str, str]:
    """Plain answers of one item: what any data folder may say, then what its own languages say."""
    said = {plain(text): EXTRA["does_not_apply"] for text in SAYS_DOES_NOT_APPLY}
    said |= {plain(text): EXTRA["dont_know"] for text in SAYS_DONT_KNOW}
    for language in languages:
        said |= {plain(language.words[f"answer.{answer}"]): value for answer, value in EXTRA.items()}
        for level in levels:
            said |= {plain(language.items[f"level_{level}"].iloc[row]): level}
    return {text: value for text, value in said.items() if text}


def _named(languages: Sequence[Language], kind: str, values: Sequence[str]) -> dict[str, str]:
    """Plain names of a role or a use of AI: its id, and what each language calls it."""
    said = {plain(value): value for value in values}
    for language in languages:
        said |= {plain(language.words[f"{kind}.{value}"]): value for value in values}
        said |= {plain(language.words.get(f"{kind}_name.{value}", value)): value for value in values}
    return said
