"""Distinct cells of one question -> what each means: a word, a number by its place, several answers, or unknown."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from aiready.collection.questionnaire.questions import ANSWERS
from aiready.collection.survey_import.lexicon import Lexicon, lexicon, number, plain, unnumbered, whole_number
from aiready.collection.survey_import.mapping import Map
from aiready.collection.survey_import.words import CODE, NO_ANSWER, Words
from aiready.model.cell_values import NOTHING

_PLACE_CODE = re.compile(r"(?:AO|SQ|A|L)0*(\d{1,3})", re.IGNORECASE)
_SEVERAL = (";", "|", "\n")
"""What stands between choices where several may be ticked; a comma may also stand within one."""
_MOST_COMMAS = 40
_NOT_LISTED: Lexicon = lexicon(("nothing", text, NO_ANSWER) for text in NOTHING if text)
"""What can be answered where nothing is listed: anything, but for words that say nothing."""


@dataclass(frozen=True)
class Column:
    """A question as an export holds it: `counts` says how often each distinct cell stands there.

    `vocabulary` and `listed`: what can be answered, in words and by place. `units`: ids by place, for the question of
    units only.
    """

    name: str
    kind: str
    item: str
    counts: Mapping[str, int]
    vocabulary: Lexicon
    listed: tuple[str, ...]
    units: tuple[str, ...] = ()

    @property
    def numbers(self) -> dict[str, int]:
        """Cells that are a number or a code by place -> that number."""
        positions = {cell: _position(cell) for cell in self.counts if not self._is_own_code(cell)}
        return {cell: position for cell, position in positions.items() if position is not None}

    def _is_own_code(self, cell: str) -> bool:
        return number(cell) is None and any(kind == CODE for kind, _, _ in self.vocabulary.entries(cell))


@dataclass
class Reading:
    """What each distinct cell of a question means.

    `strange`: cells without a meaning, `unknown`: those of them to ask about. `several`: cells that hold more than
    one answer. `numbered`: some are read by their place in the questionnaire; `beyond`: by a place after the levels.
    `proven`: some are codes that only our questionnaire gives.
    """

    meanings: dict[str, str] = field(default_factory=dict)
    strange: set[str] = field(default_factory=set)
    several: set[str] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    numbered: bool = False
    beyond: bool = False
    proven: bool = False


def column_of(name: str, counts: Mapping[str, int], words: Words) -> Column:
    """A question with what can be answered to it."""
    kinds = {"unit_id": "unit", "role": "role", "ai_use": "ai_use"}
    kind, item = (kinds[name], "") if name in kinds else ("answer", name)
    units = words.units if kind == "unit" else ()
    return Column(name, kind, item, counts, words.answers.get(name, _NOT_LISTED), words.numbered.get(name, ()), units)


def doubtful(columns: Collection[Column], mapped: Map) -> set[str]:
    """Questions whose numbers cannot be read by their place, because some number has no place.

    A nought anywhere may mean that every item counts from it, also where nobody chose the first answer. What the map
    calls no answer, or an answer that is no level, shows nothing of the kind.
    """
    outside = {column.name: set(_outside(column, mapped)) for column in columns if column.listed}
    shifted = any(0 in outside[column.name] for column in columns if column.kind == "answer" and column.listed)
    return {column.name for column in columns if column.listed and (outside[column.name] or (shifted and column.item))}


def _outside(column: Column, mapped: Map) -> Iterator[int]:
    apart = (NO_ANSWER, *ANSWERS.values())
    for cell, position in column.numbers.items():
        if not 0 < position <= len(column.listed) and mapped.means(column.kind, column.item, cell) not in apart:
            yield position


def read(column: Column, mapped: Map, *, doubtful: bool) -> Reading:
    """Read the distinct cells of a question, the most frequent first."""
    reading = Reading()
    by_id = _are_ids(column)
    for cell in column.counts:
        text = cell.rstrip("; ")  # Microsoft Forms ends each choice with a semicolon
        if not text:
            reading.meanings[cell] = ""
            continue
        means = mapped.means(column.kind, column.item, text)
        values = _meanings(column, text, doubtful=doubtful, by_id=by_id) if means is None else [means] * bool(means)
        if len(values) != 1 and means is None and (several := _several(column, text, doubtful=doubtful)):
            values = several
            reading.several |= {cell} if len(set(several)) > 1 else set()
        distinct = list(dict.fromkeys(values))
        if len(distinct) == 1:
            reading.meanings[cell] = "" if distinct[0] == NO_ANSWER else distinct[0]
            _take_note(reading, column, cell, distinct[0], mapped=means is not None)
            continue
        reading.meanings[cell] = text
        if cell not in reading.several:
            reading.strange.add(cell)
            reading.unknown += [cell] if means is None else []
    return reading


def _take_note(reading: Reading, column: Column, cell: str, value: str, *, mapped: bool) -> None:
    """How a cell was read, so that what the file does not prove can be said."""
    numbered = not mapped and bool(column.listed) and cell in column.numbers
    reading.numbered |= numbered
    reading.beyond |= numbered and value in ANSWERS.values()
    reading.proven |= any(kind == CODE for kind, _, _ in column.vocabulary.entries(cell)) and number(cell) is None


def _position(text: str) -> int | None:
    """The number that a cell is, or that a tool's code for the place of a choice ends in."""
    code = _PLACE_CODE.fullmatch(whole_number(text))
    return int(code[1]) if code else number(text)


def _meanings(column: Column, text: str, *, doubtful: bool, by_id: bool) -> list[str]:
    """Everything that a cell may mean, by its words and by its number."""
    entries = column.vocabulary.entries(text)
    values = [value for _, _, value in entries]
    position = None if any(kind == CODE for kind, _, _ in entries) and number(text) is None else _position(text)
    if position is None:
        return values or list(column.vocabulary.meanings(unnumbered(text)))
    if column.listed:
        return [] if doubtful else [*values, *column.listed[max(position - 1, 0) : max(position, 0)]]
    if values and number(text) is not None and not by_id:
        return [*values, *column.units[max(position - 1, 0) : max(position, 0)]]
    return values


def _are_ids(column: Column) -> bool:
    """Whether numbers of units are ids: every one is, and one at least is no place in the list."""
    numbers = {cell: position for cell in column.counts if (position := number(cell)) is not None}
    return all(column.vocabulary.entries(cell) for cell in numbers) and any(
        not 0 < position <= len(column.units) for position in numbers.values()
    )


def _several(column: Column, text: str, *, doubtful: bool) -> list[str]:
    """Answers that a cell holds side by side, when it holds nothing else; else none."""

    def meaning(part: str) -> str:
        values = set(_meanings(column, part.strip(), doubtful=doubtful, by_id=False)) if part.strip() else set()
        return values.pop() if len(values) == 1 else ""

    for between in _SEVERAL:
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


def spellings(counts: Mapping[str, int]) -> dict[str, str]:
    """Texts that differ from a more frequent one in case, accents or punctuation only -> that one."""
    first: dict[str, str] = {}
    for text in counts:
        first.setdefault(plain(text) or text, text)
    return {text: first[plain(text) or text] for text in counts if first[plain(text) or text] != text}
