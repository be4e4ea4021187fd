"""Cells of an export -> values of `responses`: words in any language, numbers by their place, units by table."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from aiready.collection.survey_import.cell_meanings import (
    CellMeanings,
    QuestionCells,
    doubtful_questions,
    question_cells,
    read_cells,
    variant_spellings,
)
from aiready.collection.survey_import.files import Export
from aiready.collection.survey_import.lexicon import exact_form, parse_integer, strip_zero_decimals
from aiready.collection.survey_import.map_file import ImportMap, OpenQuestion, nearest
from aiready.collection.survey_import.matching import MatchedColumns, in_questionnaire_order, is_ticked
from aiready.collection.survey_import.vocabulary import COMMENT, NO_ANSWER, Vocabulary

_NOT_SHOWN = {"limesurvey": ("N/A",)}
"""What stands in place of a question that was not shown: no answer."""
_MOST_SUGGESTIONS = 100
_NEVER_ANSWERED = (-9, -99, -999)
"""Numbers that tools and statisticians write where nobody answered; suggested, never assumed."""
_SEPARATOR = " | "


@dataclass(frozen=True)
class Answers:
    """Cells read: `values`, one row per answer sheet and a column per column found.

    `unreadable`: column -> rows whose cell stays as given, because nothing says what it means. `several`: column ->
    rows that hold more than one answer. `open`: words to ask about. `numbered`: questions answered by number, read by
    their place, `by_place`: those of them with numbers beyond the levels; `proven`: codes of our own questionnaire
    stand in the file, so its numbers are ours. `texts`: by kind of the map, every distinct cell.
    """

    values: pd.DataFrame
    unreadable: Mapping[str, pd.Series]
    several_answers: Mapping[str, pd.Series]
    open_questions: tuple[OpenQuestion, ...]
    beyond_levels: tuple[str, ...]
    numbered: tuple[str, ...]
    proven: bool
    texts: Mapping[str, set[str]]


def read_answers(export: Export, columns: MatchedColumns, vocabulary: Vocabulary, import_map: ImportMap) -> Answers:
    """Read every cell of every column found.

    Parameters
    ----------
    export, columns, words
        The file, where its questions stand, and what they can be answered with; without units their names are ids.
    mapped
        What the map file says.
    """
    cells_of = {
        name: list(_columns_of_question(export, columns, name)) for name in in_questionnaire_order(columns, vocabulary)
    }
    questions = {
        name: question_cells(name, _counts(cells), vocabulary) for name, cells in cells_of.items() if name != COMMENT
    }
    doubtful = doubtful_questions(questions.values(), import_map)
    readings = {
        name: read_cells(column, import_map, doubtful=name in doubtful)
        if name in vocabulary.answers
        else _names_as_ids(column, import_map)
        for name, column in questions.items()
    }
    values: dict[str, pd.Series] = {}
    unreadable: dict[str, pd.Series] = {}
    several_answers: dict[str, pd.Series] = {}
    for name, cells in cells_of.items():
        if name == COMMENT:
            values[name] = _join_comments(cells)
            continue
        values[name], is_unreadable, has_several = _combine_columns(cells, readings[name])
        unreadable |= {name: is_unreadable} if is_unreadable.any() else {}
        several_answers |= {name: has_several} if has_several.any() else {}
    return Answers(
        pd.DataFrame(values, index=export.rows.index),
        unreadable,
        several_answers,
        _merge_questions(list(_open_questions(questions, readings)), questions.values()),
        tuple(name for name, reading in readings.items() if reading.beyond_levels),
        tuple(name for name, reading in readings.items() if reading.numbered),
        any(reading.proven for reading in readings.values()),
        _texts(questions.values()),
    )


def _texts(columns: Collection[QuestionCells]) -> dict[str, set[str]]:
    texts: dict[str, set[str]] = {}
    for column in columns:
        texts.setdefault(column.kind, set()).update(strip_zero_decimals(cell.rstrip("; ")) for cell in column.counts)
    return texts


def _columns_of_question(export: Export, columns: MatchedColumns, name: str) -> Iterator[pd.Series]:
    """Cells of each column of a question; of a column that holds ticks, the choice that is ticked."""
    not_shown = _NOT_SHOWN.get(export.source)
    for position in columns.positions[name]:
        cells = export.rows[str(position)]
        cells = cells.mask(cells.isin(not_shown), "") if not_shown else cells
        choice = columns.choices.get(position)
        if choice is None:
            yield cells
            continue
        texts = {cell: _ticked(cell, choice) for cell in cells.unique()}
        yield cells.map(texts)


def _ticked(cell: str, choice: str) -> str:
    """The choice where it is ticked; where only its number is known, the cell's own words say more."""
    if not is_ticked(cell):
        return ""
    return cell if parse_integer(choice) is not None and len(cell) > len("selected") else choice


def _counts(cells: Sequence[pd.Series]) -> dict[str, int]:
    """How often each distinct cell stands in the columns of a question, the most frequent first."""
    together = pd.concat(cells) if len(cells) > 1 else cells[0]
    return {str(cell): int(rows) for cell, rows in together.value_counts().items()}


def _combine_columns(cells: Sequence[pd.Series], reading: CellMeanings) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Value of each row, whether it cannot be read, and whether it holds several answers that differ."""
    value = cells[0].map(reading.meanings)
    unreadable, has_several = cells[0].isin(reading.unreadable), cells[0].isin(reading.several_answers)
    for column in cells[1:]:
        further = column.map(reading.meanings)
        differ = value.ne("") & further.ne("") & value.ne(further)
        has_several |= differ | column.isin(reading.several_answers)
        unreadable |= column.isin(reading.unreadable)
        value = value.mask(differ, value + _SEPARATOR + further).mask(value.eq(""), further)
    return value, unreadable, has_several


def _join_comments(cells: Sequence[pd.Series]) -> pd.Series:
    """Remarks of one person in several columns, one after the other."""
    joined = cells[0]
    for column in cells[1:]:
        differ = joined.ne("") & column.ne("") & joined.ne(column)
        joined = joined.mask(differ, joined + _SEPARATOR + column).mask(joined.eq(""), column)
    return joined


def _names_as_ids(column: QuestionCells, import_map: ImportMap) -> CellMeanings:
    """Units of a data folder that names none: as written, but asked where only the spelling tells two apart."""
    texts = {cell: exact_form(cell.rstrip("; ")) for cell in column.counts}
    counts: dict[str, int] = {}
    for cell, text in texts.items():
        counts[text] = counts.get(text, 0) + column.counts[cell]
    variants = variant_spellings(counts)
    reading = CellMeanings()
    for cell, text in texts.items():
        means = import_map.means(column.kind, "", cell) if text else ""
        is_blank = means is None and bool(column.lexicon.entries(text))
        reading.meanings[cell] = "" if is_blank or means == NO_ANSWER else means or text
        if (means is None and text in variants) or (means == "" and text):
            reading.unreadable.add(cell)
            reading.unknown += [cell] if means is None else []
    return reading


# What is asked ----------------------------------------------------------------------------------------------


def _open_questions(
    columns: Mapping[str, QuestionCells], readings: Mapping[str, CellMeanings]
) -> Iterator[OpenQuestion]:
    from_zero = _counts_from_zero(columns.values())
    for name, reading in readings.items():
        for rank, cell in enumerate(reading.unknown):
            yield _question(columns[name], cell, near=rank < _MOST_SUGGESTIONS, from_zero=from_zero)


def _question(column: QuestionCells, cell: str, *, near: bool, from_zero: bool) -> OpenQuestion:
    """What to ask about a cell: the likeliest meaning, and what it can mean."""
    text = cell.rstrip("; ")
    rows = f"{column.counts[cell]:,} row{'s' if column.counts[cell] != 1 else ''}"
    meanings = column.lexicon.meanings(text)
    position = column.numbers.get(cell)
    if column.kind == "unit":
        means, note = _suggest_unit(column, text, position, near=near)
        return OpenQuestion(column.kind, column.item, text, means, f"{rows}; {note}")
    choices = ", ".join((*column.ordered_values, NO_ANSWER))
    if position is None:
        means = nearest(text, column.lexicon.unambiguous) if near and not meanings else ""
        return OpenQuestion(column.kind, column.item, text, means, f"{rows}; {choices}")
    by_place = column.ordered_values[position] if from_zero and 0 <= position < len(column.ordered_values) else ""
    if not from_zero and 0 < position <= len(column.ordered_values):
        by_place = column.ordered_values[position - 1]
    means = NO_ANSWER if position in _NEVER_ANSWERED else by_place
    return OpenQuestion(column.kind, column.item, text, "" if len(meanings) > 1 else means, f"{rows}; {choices}")


def _suggest_unit(column: QuestionCells, text: str, position: int | None, *, near: bool) -> tuple[str, str]:
    meanings = column.lexicon.meanings(text)
    by_place = column.units[position - 1] if position is not None and 0 < position <= len(column.units) else ""
    candidates = list(dict.fromkeys([*meanings, *([by_place] if by_place and meanings else [])]))
    if len(candidates) > 1:
        return "", f"could be {' or '.join(candidates[:6])}"
    if by_place:  # choices are listed as the table lists the units
        return by_place, "a unit_id of the table units"
    if not column.units:
        return variant_spellings({exact_form(cell): rows for cell, rows in column.counts.items()}).get(
            exact_form(text), ""
        ), "as written"
    return nearest(text, column.lexicon.unambiguous) if near else "", "a unit_id of the table units"


def _counts_from_zero(columns: Collection[QuestionCells]) -> bool:
    """Whether the items' numbers look counted from 0: a nought stands among them, and the last place does not."""
    items = [column for column in columns if column.kind == "answer" and column.ordered_values]
    numbers = {position for column in items for position in column.numbers.values() if position not in _NEVER_ANSWERED}
    return bool(numbers) and min(numbers) == 0 and max(numbers) < min(len(column.ordered_values) for column in items)


def _merge_questions(questions: Sequence[OpenQuestion], columns: Collection[QuestionCells]) -> tuple[OpenQuestion, ...]:
    """One row for a word that is open in every question where it stands, and may mean the same in all."""
    n_columns = Counter(
        (column.kind, text) for column in columns for text in {cell.rstrip("; ") for cell in column.counts}
    )
    groups: dict[tuple[str, str, str], list[OpenQuestion]] = {}
    for question in questions:
        groups.setdefault((question.kind, question.in_file, question.means), []).append(question)
    merged: list[OpenQuestion] = []
    for (kind, text, _), equal in groups.items():
        if len(equal) == 1 or len(equal) < n_columns[kind, text]:
            merged += equal
        else:
            merged.append(replace(equal[0], item="", note=f"in {len(equal)} questions; {equal[0].note}"))
    return tuple(merged)
