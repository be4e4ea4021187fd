"""Find the meaning of each distinct cell of a question: words, positions of choices, several answers, or unknown."""

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
"""Separators between several ticked choices; a comma may also be part of a choice."""
_MOST_COMMAS = 40
_BLANKS_ONLY: Lexicon = build_lexicon(("nothing", text, NO_ANSWER) for text in BLANK_WORDS if text)
"""Lexicon of a question without choices: only the words for blanks have a meaning."""


@dataclass(frozen=True)
class QuestionCells:
    """Cells of one question in an export: `counts` is the number of rows of each distinct cell.

    `lexicon`: words that can be answered. `ordered_values`: values by position. `units`: ids of units by position,
    for the question of the unit only.
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
        """Cells that are a number, or a tool's code of a position -> that number."""
        positions = {cell: _position(cell) for cell in self.counts if not self._is_own_code(cell)}
        return {cell: position for cell, position in positions.items() if position is not None}

    def _is_own_code(self, cell: str) -> bool:
        return parse_integer(cell) is None and any(kind == CODE for kind, _, _ in self.lexicon.entries(cell))


@dataclass
class CellMeanings:
    """Meaning of each distinct cell of a question.

    `unreadable`: cells without a meaning; `unknown`: those of them to ask about. `several_answers`: cells that hold
    more than one answer. `numbered`: some cells are read as positions; `beyond_levels`: as positions after the levels.
    `proven`: some cells are codes that only our questionnaire gives.
    """

    meanings: dict[str, str] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    several_answers: set[str] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    numbered: bool = False
    beyond_levels: bool = False
    proven: bool = False


def question_cells(name: str, counts: Mapping[str, int], vocabulary: Vocabulary) -> QuestionCells:
    """The cells of a question, with the answers that are possible."""
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
    """Questions whose numbers cannot be read as positions, because some number is none.

    A 0 in one item may mean that the numbers of all items start at 0, even where nobody chose the first answer.
    Numbers that the map declares to be no answer, or not a level, do not count.
    """
    with_choices = [question for question in questions if question.ordered_values]
    outside = {question.name: set(_numbers_outside(question, import_map)) for question in with_choices}
    from_zero = any(0 in outside[question.name] for question in with_choices if question.kind == "answer")
    return {question.name for question in with_choices if outside[question.name] or (from_zero and question.item)}


def _numbers_outside(question: QuestionCells, import_map: ImportMap) -> Iterator[int]:
    """Numbers in the cells that are no position of a choice."""
    not_levels = (NO_ANSWER, *EXTRA_ANSWER_VALUES.values())
    for cell, position in question.numbers.items():
        means = import_map.means(question.kind, question.item, cell)
        if not 0 < position <= len(question.ordered_values) and means not in not_levels:
            yield position


def read_cells(question: QuestionCells, import_map: ImportMap, *, doubtful: bool) -> CellMeanings:
    """Find the meaning of the distinct cells of a question, the most frequent first."""
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
    """Record how a cell was read, so that the summary can warn about assumptions."""
    numbered = not from_map and bool(question.ordered_values) and cell in question.numbers
    reading.numbered |= numbered
    reading.beyond_levels |= numbered and value in EXTRA_ANSWER_VALUES.values()
    reading.proven |= any(kind == CODE for kind, _, _ in question.lexicon.entries(cell)) and parse_integer(cell) is None


def _position(text: str) -> int | None:
    """The number in a cell, or in a tool's code of a position (`AO03`); None for other text."""
    code = _PLACE_CODE.fullmatch(strip_zero_decimals(text))
    return int(code[1]) if code else parse_integer(text)


def _meanings(question: QuestionCells, text: str, *, doubtful: bool, by_id: bool) -> list[str]:
    """All values that a cell may stand for, as words and as a number."""
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
    """Whether numbers are ids of units: all are ids, and at least one is not a position in the list."""
    numbers = {cell: position for cell in question.counts if (position := parse_integer(cell)) is not None}
    return all(question.lexicon.entries(cell) for cell in numbers) and any(
        not 0 < position <= len(question.units) for position in numbers.values()
    )


def _split_answers(question: QuestionCells, text: str, *, doubtful: bool) -> list[str]:
    """Answers in a cell that consists of several answers; empty if any part of it is not an answer."""

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
    """Texts that differ only in case, accents or punctuation from a more frequent text -> that text."""
    first: dict[str, str] = {}
    for text in counts:
        first.setdefault(loose_form(text) or text, text)
    return {text: first[loose_form(text) or text] for text in counts if first[loose_form(text) or text] != text}
