"""The questionnaire as respondents meet it: introduction, opening questions, items in order, in one language."""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from aiready.instrument import Instrument
from aiready.instrument_files import level_columns
from aiready.languages import CLOSING, EXTRA_ANSWERS, INTRO_BLANKS, OPENING, Wording
from aiready.schema import AI_USE, ROLES

ANSWERS: Mapping[str, str] = {"does_not_apply": "does not apply", "dont_know": "don't know"}
"""What `responses` holds for the answers that are no level."""
_CODES: Mapping[str, str] = {"does_not_apply": "NA", "dont_know": "DK"}
CODE_LENGTH, ID_LENGTH = 5, 20
"""Longest codes of an answer and of a question that LimeSurvey takes."""


@dataclass(frozen=True)
class Choice:
    """One answer: `value` as `responses` holds it, `code` of at most five letters or digits, and its words."""

    value: str
    code: str
    text: str


@dataclass(frozen=True)
class Question:
    """One question: `id` is its column in `responses`; without choices it is answered in words.

    Survey tools that number choices number them from 1 in this order.
    """

    id: str
    wording: str
    choices: tuple[Choice, ...] = ()
    roles: tuple[str, ...] = ROLES

    @property
    def code(self) -> str:
        """Its id as tools take it that allow letters and digits alone, at most twenty, a letter first.

        Examples
        --------
        >>> Question("involvement_timing", "When?").code
        'involvementtiming'
        """
        plain = re.sub(r"[^a-z0-9]", "", self.id.casefold())
        if plain[:1].isalpha() and len(plain) <= ID_LENGTH:
            return plain
        return f"q{plain[: ID_LENGTH - 7]}{_digest(self.id, 6)}"

    @property
    def for_all(self) -> bool:
        """Whether every role is asked."""
        return set(self.roles) >= set(ROLES)

    def asked(self, role: str) -> bool:
        """Whether a role is asked; without a role everything is."""
        return not role or role in self.roles


@dataclass(frozen=True)
class Questionnaire:
    """What one language asks, in order: `opening` (unit, role, use of AI), `items`, `closing` (comment).

    `intro` is Markdown; `blanks` names what it still leaves open, shown as [name]. `words` are those of
    `languages.WORDS`.
    """

    language: str
    title: str
    intro: str
    blanks: tuple[str, ...]
    opening: tuple[Question, ...]
    items: tuple[Question, ...]
    closing: tuple[Question, ...]
    words: Mapping[str, str]

    @property
    def questions(self) -> tuple[Question, ...]:
        """Every question in the order asked."""
        return (*self.opening, *self.items, *self.closing)

    def roles_asked(self, question: Question) -> str:
        """Short names of the roles that a question is asked of."""
        return ", ".join(self.words[f"role_name.{role}"] for role in question.roles)


def questionnaire(
    rules: Instrument,
    language: str = "",
    *,
    units: Mapping[str, str] = MappingProxyType({}),
    about: Mapping[str, str] = MappingProxyType({}),
) -> Questionnaire:
    """State what respondents are asked in one language.

    Parameters
    ----------
    rules
        The instrument.
    language
        One of its languages; blank: the one its items are written in.
    units
        Names of the units by unit_id, offered as choices; none: the unit is written down.
    about
        What `about.csv` says: `organisation`, `contact`, `ai_examples`, `retention` fill the introduction.

    Examples
    --------
    >>> from aiready.instrument import read_instrument
    >>> asked = questionnaire(read_instrument(), "de")
    >>> asked.title, [question.id for question in asked.opening], len(asked.items)
    ('Wie passt KI zu Ihrer Arbeit?', ['unit_id', 'role', 'ai_use'], 25)
    """
    spoken = rules.in_language(language)
    blanks = {"minimum_group": str(rules.settings.minimum_group)} | {k: v for k, v in about.items() if v}
    title, intro = _introduction(spoken.intro, blanks)
    lists = {"unit_id": units, "role": _named(spoken, "role", ROLES), "ai_use": _named(spoken, "ai_use", AI_USE)}
    ask = {name: Question(name, spoken.words[f"question.{name}"], _choices(lists.get(name, {}))) for name in _ASKED}
    return Questionnaire(
        language=spoken.code,
        title=title,
        intro=intro,
        blanks=tuple(name for name in INTRO_BLANKS if f"{{{name}}}" in spoken.intro and name not in blanks),
        opening=tuple(ask[name] for name in OPENING),
        items=tuple(_items(rules, spoken)),
        closing=tuple(ask[name] for name in CLOSING),
        words=spoken.words,
    )


_ASKED = (*OPENING, *CLOSING)


def _introduction(text: str, blanks: Mapping[str, str]) -> tuple[str, str]:
    """Title and text of an introduction, its blanks filled or shown as [name]."""
    shown = {name: blanks.get(name, f"[{name}]") for name in INTRO_BLANKS}
    filled = text.format(**shown).strip()
    head, _, rest = filled.partition("\n")
    return (head.lstrip("# ").strip(), rest.strip()) if head.startswith("#") else ("", filled)


def _named(spoken: Wording, kind: str, ids: Iterable[str]) -> dict[str, str]:
    return {name: spoken.words[f"{kind}.{name}"] for name in ids}


def _items(rules: Instrument, spoken: Wording) -> Iterable[Question]:
    levels = level_columns(rules.settings.scale_points)
    extra = tuple(Choice(ANSWERS[name], _CODES[name], spoken.words[f"answer.{name}"]) for name in EXTRA_ANSWERS)
    for row, roles in zip(spoken.items.to_dict("records"), rules.items["roles"], strict=True):
        choices = tuple(Choice(str(k), str(k), row[level]) for k, level in enumerate(levels, start=1))
        yield Question(row["item_id"], row["wording"], choices + extra, tuple(role for role in ROLES if role in roles))


def _choices(texts: Mapping[str, str]) -> tuple[Choice, ...]:
    codes = _short_codes(texts)
    return tuple(Choice(value, code, text) for (value, text), code in zip(texts.items(), codes, strict=True))


def _short_codes(values: Iterable[str]) -> list[str]:
    """Codes of at most five letters or digits: how the ids begin, or a digest where two begin alike.

    Examples
    --------
    >>> _short_codes(["claims", "cards"]), len(set(_short_codes(["claims-north", "claims-south"])))
    (['claim', 'cards'], 2)
    """
    plain = [re.sub(r"[^A-Za-z0-9]", "", value) for value in values]
    begun = [code[:CODE_LENGTH] for code in plain]
    if "" not in begun and len({code.casefold() for code in begun}) == len(begun):
        return begun
    return [_digest(value, CODE_LENGTH) for value in values]


def _digest(text: str, length: int) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode().lower()[:length]
