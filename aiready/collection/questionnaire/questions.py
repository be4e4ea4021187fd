"""Build the questionnaire of one language: introduction, opening questions, items in order, closing question."""

import base64
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from aiready.atomic_files import sha256
from aiready.instrument.files import level_columns
from aiready.instrument.languages import CLOSING, EXTRA_ANSWERS, INTRO_BLANKS, OPENING, Wording
from aiready.instrument.model import Instrument, normalize_wording
from aiready.model.schema import AI_USE, ROLES

EXTRA_ANSWER_VALUES: Mapping[str, str] = {"does_not_apply": "does not apply", "dont_know": "don't know"}
"""Values in `responses` of the answers that are not a level."""
_CODES: Mapping[str, str] = {"does_not_apply": "NA", "dont_know": "DK"}
CODE_LENGTH, ID_LENGTH = 5, 20
"""Longest codes that LimeSurvey takes: of an answer, of a question."""


@dataclass(frozen=True)
class Choice:
    """One answer: its `value` in `responses`, a `code` of at most five letters or digits, and its wording."""

    value: str
    code: str
    text: str


@dataclass(frozen=True)
class Question:
    """One question: `id` is its column in `responses`; without choices it is answered in free text.

    Survey tools that number the choices do so from 1 in this order.
    """

    id: str
    wording: str
    choices: tuple[Choice, ...] = ()
    roles: tuple[str, ...] = ROLES

    @property
    def code(self) -> str:
        """The id for tools that allow only letters and digits, at most twenty, a letter first.

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

    def is_asked_of(self, role: str) -> bool:
        """Whether a role is asked; a blank role is asked everything."""
        return not role or role in self.roles


@dataclass(frozen=True)
class Questionnaire:
    """All questions in one language, in order: `opening` (unit, role, use of AI), `items`, `closing` (comment).

    `intro` is Markdown; `blanks` names the placeholders not filled, shown as [name]. `words`: text of every word_id
    of `languages.WORDS`.
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
        """All questions in the order asked."""
        return (*self.opening, *self.items, *self.closing)

    def roles_asked(self, question: Question) -> str:
        """Short names of the roles that a question is asked of."""
        return ", ".join(self.words[f"role_name.{role}"] for role in question.roles)


def build_questionnaire(
    instrument: Instrument,
    language: str = "",
    *,
    units: Mapping[str, str] = MappingProxyType({}),
    parents: Mapping[str, str] = MappingProxyType({}),
    about: Mapping[str, str] = MappingProxyType({}),
) -> Questionnaire:
    """Build the questionnaire in one language.

    Parameters
    ----------
    instrument
        The instrument.
    language
        One of its languages; blank: the language of `items.csv`.
    units
        Names of the units by unit_id, offered as choices; empty: respondents write down their unit.
    parents
        Parent ids by unit_id, to distinguish units of the same name.
    about
        Rows of `about.csv`: `organisation`, `contact`, `ai_examples`, `retention` fill the introduction.

    Examples
    --------
    >>> from aiready.instrument.model import read_instrument
    >>> german = build_questionnaire(read_instrument(), "de")
    >>> german.title, [question.id for question in german.opening], len(german.items)
    ('Wie passt KI zu Ihrer Arbeit?', ['unit_id', 'role', 'ai_use'], 25)
    """
    wording = instrument.in_language(language)
    blanks = {"minimum_group": str(instrument.settings.minimum_group)} | {k: v for k, v in about.items() if v}
    title, intro = _introduction(wording.intro, blanks)
    labels = {
        "unit_id": unit_labels(units, parents),
        "role": _labels(wording, "role", ROLES),
        "ai_use": _labels(wording, "ai_use", AI_USE),
    }
    questions = {
        name: Question(name, wording.words[f"question.{name}"], _choices(labels.get(name, {})))
        for name in (*OPENING, *CLOSING)
    }
    return Questionnaire(
        language=wording.code,
        title=title,
        intro=intro,
        blanks=tuple(name for name in INTRO_BLANKS if f"{{{name}}}" in wording.intro and name not in blanks),
        opening=tuple(questions[name] for name in OPENING),
        items=tuple(_items(instrument, wording)),
        closing=tuple(questions[name] for name in CLOSING),
        words=wording.words,
    )


def _introduction(text: str, blanks: Mapping[str, str]) -> tuple[str, str]:
    """Title and text of an introduction, its blanks filled or shown as [name]."""
    values = {name: blanks.get(name, f"[{name}]") for name in INTRO_BLANKS}
    filled = text.format(**values).strip()
    head, _, rest = filled.partition("\n")
    return (head.lstrip("# ").strip(), rest.strip()) if head.startswith("#") else ("", filled)


def _labels(wording: Wording, kind: str, ids: Iterable[str]) -> dict[str, str]:
    return {name: wording.words[f"{kind}.{name}"] for name in ids}


def _items(instrument: Instrument, wording: Wording) -> Iterable[Question]:
    levels = level_columns(instrument.settings.scale_points)
    extra = tuple(
        Choice(EXTRA_ANSWER_VALUES[name], _CODES[name], wording.words[f"answer.{name}"]) for name in EXTRA_ANSWERS
    )
    for row, roles in zip(wording.items.to_dict("records"), instrument.items["roles"], strict=True):
        choices = tuple(Choice(str(k), str(k), row[level]) for k, level in enumerate(levels, start=1))
        yield Question(row["item_id"], row["wording"], choices + extra, tuple(role for role in ROLES if role in roles))


def unit_labels(names: Mapping[str, str], parents: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """Unique labels of units: equal names are followed by the parent's name, or else by the unit's id.

    Names count as equal when they differ only in case, Unicode form or spaces.

    Examples
    --------
    >>> unit_labels({"de": "Germany", "de-claims": "Claims", "at-claims": "claims"}, {"de-claims": "de"})
    {'de': 'Germany', 'de-claims': 'Claims (Germany)', 'at-claims': 'claims (at-claims)'}
    """
    labels = {unit: " ".join((name or unit).split()) for unit, name in names.items()}
    parent_names = {unit: labels.get(parents.get(unit) or "", "") or unit for unit in labels}
    for suffixes in (parent_names, {unit: unit for unit in labels}):
        labels = _with_suffixes_where_equal(labels, suffixes)
    return labels


def _with_suffixes_where_equal(labels: Mapping[str, str], suffixes: Mapping[str, str]) -> dict[str, str]:
    """Add a suffix to every label that equals another one."""
    counts = Counter(map(normalize_wording, labels.values()))
    return {
        unit: f"{label} ({suffixes[unit]})" if counts[normalize_wording(label)] > 1 else label
        for unit, label in labels.items()
    }


def _choices(texts: Mapping[str, str]) -> tuple[Choice, ...]:
    codes = _short_codes(texts)
    return tuple(Choice(value, code, text) for (value, text), code in zip(texts.items(), codes, strict=True))


def _short_codes(texts: Mapping[str, str]) -> list[str]:
    """Codes of at most five letters or digits: the first ones of each id, or digests where those are ambiguous.

    A code never equals another code, nor the id or label of another choice, nor a number, which tools also use for
    the position of a choice.

    Examples
    --------
    >>> _short_codes({"claims": "Claims", "cards": "Cards"})
    ['claim', 'cards']
    >>> len(set(_short_codes({"claims-north": "", "claims-south": ""}))), _short_codes({"3": "", "1": ""})
    (2, ['jydub', 'nodle'])
    """
    prefixes = [re.sub(r"[^A-Za-z0-9]", "", value)[:CODE_LENGTH] for value in texts]
    candidates: list[Sequence[str]] = [prefixes]
    candidates += [[_digest(value + salt, CODE_LENGTH) for value in texts] for salt in ("", "1", "2", "3")]
    return list(next(codes for codes in candidates if codes is candidates[-1] or _are_unambiguous(codes, texts)))


def _are_unambiguous(codes: Sequence[str], texts: Mapping[str, str]) -> bool:
    """Whether no code reads like another code, like the id or label of another choice, or like a position."""
    owners: dict[str, set[str]] = {}
    for code, (value, text) in zip(codes, texts.items(), strict=True):
        for name in (code, value, text):
            owners.setdefault(normalize_wording(name), set()).add(value)
    return all(len(owners[normalize_wording(code)]) == 1 and not _POSITION_CODE.fullmatch(code) for code in codes)


_POSITION_CODE = re.compile(r"(?:AO|SQ|A|L)?\d*", re.IGNORECASE)
"""Codes that survey tools derive from the position of a choice."""


def _digest(text: str, length: int) -> str:
    return base64.b32encode(bytes.fromhex(sha256(text))).decode().lower()[:length]
