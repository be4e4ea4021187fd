"""Distinct cells of one question -> what each means: a word, a number by its place, several answers, or unknown."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from aiready.collection.questionnaire.questions import EXTRA_ANSWER_VALUES
from aiready.collection.survey_import.lexicon import (
    Lexicon,
    build_lexicon,
    loose_form,
    parse_integer,
    strip_question_number,
    strip_zero_decimals,
)
from aiready.collection.survey_import.map_file import ImportMap
from aiready.collection.survey_import.vocabulary import CODE, NO_ANSWER, Vocabulary
from aiready.model.cell_values import BLANK_WORDS

_PLACE_CODE = re.compile(r"(?:AO|SQ|A|L)0*(\d{1,3})", re.IGNORECASE)
_SEPARATORS = (";", "|", "\n")
"""What stands between choices where several may be ticked; a comma may also stand within one."""
_MOST_COMMAS = 40
_BLANKS_ONLY: Lexicon = build_lexicon(("nothing", text, NO_ANSWER) for text in BLANK_WORDS if text)
"""What can be answered where nothing is listed: anything, but for words that say nothing."""


@dataclass(frozen=True)
class QuestionCells:
    """A question as an export holds it: `counts` says how often each distinct cell stands there.

    `vocabulary` and `listed`: what can be answered, in words and by place. `units`: ids by place, for the question of
    units only.
    """

    name: str
    kind: str
    item: str
    counts: Mapping[str, int]
    lexicon: Lexicon
    ordered_values: tuple[str, ...]
    units: tuple[str, ...] = ()

    @property
    def numbers(self) -> dict[str, int]:
        """Cells that are a number or a code by place -> that number."""
        positions = {cell: _position(cell) for cell in self.counts if not self._is_own_code(cell)}
        return {cell: position for cell, position in positions.items() if position is not None}

    def _is_own_code(self, cell: str) -> bool:
        return parse_integer(cell) is None and any(kind == CODE for kind, _, _ in self.lexicon.entries(cell))


@dataclass
class CellMeanings:
    """What each distinct cell of a question means.

    `strange`: cells without a meaning, `unknown`: those of them to ask about. `several`: cells that hold more than
    one answer. `numbered`: some are read by their place in the questionnaire; `beyond`: by a place after the levels.
    `proven`: some are codes that only our questionnaire gives.
    """

    meanings: dict[str, str] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    several_answers: set[str] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    numbered: bool = False
    beyond_levels: bool = False
    proven: bool = False


def question_cells(name: str, counts: Mapping[str, int], vocabulary: Vocabulary) -> QuestionCells:
    """A question with what can be answered to it."""
    kinds = {"unit_id": "unit", "role": "role", "ai_use": "ai_use"}
    kind, item = (kinds[name], "") if name in kinds else ("answer", name)
    units = vocabulary.units if kind == "unit" else ()
    return QuestionCells(
        name,
        kind,
        item,
        counts,
        vocabulary.answers.get(name, _BLANKS_ONLY),
        vocabulary.ordered_values.get(name, ()),
        units,
    )


def doubtful_questions(questions: Collection[QuestionCells], import_map: ImportMap) -> set[str]:
    """Questions whose numbers cannot be read by their place, because some number has no place.

    A nought anywhere may mean that every item counts from it, also where nobody chose the first answer. What the map
    calls no answer, or an answer that is no level, shows nothing of the kind.
    """
    outside = {
        question.name: set(_numbers_outside(question, import_map)) for question in questions if question.ordered_values
    }
    shifted = any(
        0 in outside[question.name] for question in questions if question.kind == "answer" and question.ordered_values
    )
    return {
        question.name
        for question in questions
        if question.ordered_values and (outside[question.name] or (shifted and question.item))
    }


def _numbers_outside(question: QuestionCells, import_map: ImportMap) -> Iterator[int]:
    not_levels = (NO_ANSWER, *EXTRA_ANSWER_VALUES.values())
    for cell, position in question.numbers.items():
        if (
            not 0 < position <= len(question.ordered_values)
            and import_map.means(question.kind, question.item, cell) not in not_levels
        ):
            yield position


def read_cells(question: QuestionCells, import_map: ImportMap, *, doubtful: bool) -> CellMeanings:
    """Read the distinct cells of a question, the most frequent first."""
    reading = CellMeanings()
    by_id = _are_ids(question)
    for cell in question.counts:
        text = cell.rstrip("; ")  # Microsoft Forms ends each choice with a semicolon
        if not text:
            reading.meanings[cell] = ""
            continue
        means = import_map.means(question.kind, question.item, text)
        values = _meanings(question, text, doubtful=doubtful, by_id=by_id) if means is None else [means] * bool(means)
        if len(values) != 1 and means is None and (split_values := _split_answers(question, text, doubtful=doubtful)):
            values = split_values
            reading.several_answers |= {cell} if len(set(split_values)) > 1 else set()
        distinct = list(dict.fromkeys(values))
        if len(distinct) == 1:
            reading.meanings[cell] = "" if distinct[0] == NO_ANSWER else distinct[0]
            _record_evidence(reading, question, cell, distinct[0], from_map=means is not None)
            continue
        reading.meanings[cell] = text
        if cell not in reading.several_answers:
            reading.unreadable.add(cell)
            reading.unknown += [cell] if means is None else []
    return reading


def _record_evidence(reading: CellMeanings, question: QuestionCells, cell: str, value: str, *, from_map: bool) -> None:
    """How a cell was read, so that what the file does not prove can be said."""
    numbered = not from_map and bool(question.ordered_values) and cell in question.numbers
    reading.numbered |= numbered
    reading.beyond_levels |= numbered and value in EXTRA_ANSWER_VALUES.values()
    reading.proven |= any(kind == CODE for kind, _, _ in question.lexicon.entries(cell)) and parse_integer(cell) is None


def _position(text: str) -> int | None:
    """The number that a cell is, or that a tool's code for the place of a choice ends in."""
    code = _PLACE_CODE.fullmatch(strip_zero_decimals(text))
    return int(code[1]) if code else parse_integer(text)


def _meanings(question: QuestionCells, text: str, *, doubtful: bool, by_id: bool) -> list[str]:
    """Everything that a cell may mean, by its words and by its number."""
    entries = question.lexicon.entries(text)
    values = [value for _, _, value in entries]
    position = None if any(kind == CODE for kind, _, _ in entries) and parse_integer(text) is None else _position(text)
    if position is None:
        return values or list(question.lexicon.meanings(strip_question_number(text)))
    if question.ordered_values:
        return [] if doubtful else [*values, *question.ordered_values[max(position - 1, 0) : max(position, 0)]]
    if values and parse_integer(text) is not None and not by_id:
        return [*values, *question.units[max(position - 1, 0) : max(position, 0)]]
    return values


def _are_ids(question: QuestionCells) -> bool:
    """Whether numbers of units are ids: every one is, and one at least is no place in the list."""
    numbers = {cell: position for cell in question.counts if (position := parse_integer(cell)) is not None}
    return all(question.lexicon.entries(cell) for cell in numbers) and any(
        not 0 < position <= len(question.units) for position in numbers.values()
    )


def _split_answers(question: QuestionCells, text: str, *, doubtful: bool) -> list[str]:
    """Answers that a cell holds side by side, when it holds nothing else; else none."""

    def meaning(part: str) -> str:
        values = set(_meanings(question, part.strip(), doubtful=doubtful, by_id=False)) if part.strip() else set()
        return values.pop() if len(values) == 1 else ""

    for between in _SEPARATORS:
        parts = [part for part in text.split(between) if part.strip()]
        if len(parts) > 1 and all(values := [meaning(part) for part in parts]):
            return values
    ends = [0, *(match.end() for match in re.finditer(",", text)), len(text) + 1]
    if not 2 < len(ends) < _MOST_COMMAS:
        return []
    ways: dict[int, list[str]] = {0: []}  # answers that the text up to a comma is made of
    for position, end in enumerate(ends[1:], start=1):
        for start in (start for start in ends[:position] if start in ways):
            value = meaning(text[start : end - 1])
            if value and end not in ways:
                ways[end] = [*ways[start], value]
    return ways.get(len(text) + 1, [])


def variant_spellings(counts: Mapping[str, int]) -> dict[str, str]:
    """Texts that differ from a more frequent one in case, accents or punctuation only -> that one."""
    first: dict[str, str] = {}
    for text in counts:
        first.setdefault(loose_form(text) or text, text)
    return {text: first[loose_form(text) or text] for text in counts if first[loose_form(text) or text] != text}
