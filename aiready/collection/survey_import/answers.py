"""Translate the cells of an export into values of `responses`: words of any language, numbers, names of units."""

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
from aiready.collection.survey_import.map_file import ImportMap, MapRow, nearest
from aiready.collection.survey_import.matching import MatchedColumns, in_questionnaire_order, is_ticked
from aiready.collection.survey_import.vocabulary import COMMENT, NO_ANSWER, Vocabulary

_NOT_SHOWN = {"limesurvey": ("N/A",)}
"""What tools write for a question that was not shown: no answer."""
_MOST_SUGGESTIONS = 100
_NEVER_ANSWERED = (-9, -99, -999)
"""Numbers that often stand for "no answer": suggested as such, never assumed."""
_SEPARATOR = " | "


@dataclass(frozen=True)
class Answers:
    """Answers of an export: `values` has one row per answer sheet and one column per column of `responses`.

    `unreadable`: column -> rows whose cell is kept as it is, because its meaning is unknown. `several_answers`:
    column -> rows that hold more than one answer. `open_questions`: texts whose meaning is to be asked. `numbered`:
    questions answered by numbers, which are read as positions; `beyond_levels`: those of them with numbers above the
    last level; `proven`: the file holds codes that only our questionnaire gives, so its numbers are positions in it.
    `texts`: kind of the map -> every distinct cell.
    """

    values: pd.DataFrame
    unreadable: Mapping[str, pd.Series]
    several_answers: Mapping[str, pd.Series]
    open_questions: tuple[MapRow, ...]
    beyond_levels: tuple[str, ...]
    numbered: tuple[str, ...]
    proven: bool
    texts: Mapping[str, set[str]]


def read_answers(export: Export, columns: MatchedColumns, vocabulary: Vocabulary, import_map: ImportMap) -> Answers:
    """Read every cell of every question of an export.

    Parameters
    ----------
    export, columns
        The file, and the positions of its questions.
    vocabulary
        What can be answered. Without units, the names in the file become the ids of units.
    import_map
        The analyst's map.
    """
    cells_of = {
        name: list(_columns_of_question(export, columns, name)) for name in in_questionnaire_order(columns, vocabulary)
    }
    questions = {
        name: question_cells(name, _counts(cells), vocabulary) for name, cells in cells_of.items() if name != COMMENT
    }
    doubtful = doubtful_questions(questions.values(), import_map)
    readings = {
        name: read_cells(question, import_map, doubtful=name in doubtful)
        if name in vocabulary.answers
        else _names_as_ids(question, import_map)
        for name, question in questions.items()
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


def _texts(questions: Collection[QuestionCells]) -> dict[str, set[str]]:
    texts: dict[str, set[str]] = {}
    for question in questions:
        texts.setdefault(question.kind, set()).update(
            strip_zero_decimals(cell.rstrip("; ")) for cell in question.counts
        )
    return texts


def _columns_of_question(export: Export, columns: MatchedColumns, name: str) -> Iterator[pd.Series]:
    """Cells of each column of a question; in a column of ticks, the choice where it is ticked."""
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
    """The choice of a ticked cell, or the cell itself where it holds words and the choice is only a number."""
    if not is_ticked(cell):
        return ""
    return cell if parse_integer(choice) is not None and len(cell) > len("selected") else choice


def _counts(cells: Sequence[pd.Series]) -> dict[str, int]:
    """Number of rows of each distinct cell in the columns of a question, the most frequent first."""
    all_cells = pd.concat(cells) if len(cells) > 1 else cells[0]
    return {str(cell): int(rows) for cell, rows in all_cells.value_counts().items()}


def _combine_columns(cells: Sequence[pd.Series], reading: CellMeanings) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Value of each row over all columns of a question, whether it is unreadable, and whether its answers differ."""
    value = cells[0].map(reading.meanings)
    unreadable, has_several = cells[0].isin(reading.unreadable), cells[0].isin(reading.several_answers)
    for column in cells[1:]:
        other = column.map(reading.meanings)
        differ = value.ne("") & other.ne("") & value.ne(other)
        has_several |= differ | column.isin(reading.several_answers)
        unreadable |= column.isin(reading.unreadable)
        value = value.mask(differ, value + _SEPARATOR + other).mask(value.eq(""), other)
    return value, unreadable, has_several


def _join_comments(cells: Sequence[pd.Series]) -> pd.Series:
    """Join the comments of each row that stand in several columns."""
    joined = cells[0]
    for column in cells[1:]:
        differ = joined.ne("") & column.ne("") & joined.ne(column)
        joined = joined.mask(differ, joined + _SEPARATOR + column).mask(joined.eq(""), column)
    return joined


def _names_as_ids(question: QuestionCells, import_map: ImportMap) -> CellMeanings:
    """Units of a data folder without a table `units`: names as written; variants of another name are asked about."""
    texts = {cell: exact_form(cell.rstrip("; ")) for cell in question.counts}
    counts: dict[str, int] = {}
    for cell, text in texts.items():
        counts[text] = counts.get(text, 0) + question.counts[cell]
    variants = variant_spellings(counts)
    reading = CellMeanings()
    for cell, text in texts.items():
        means = import_map.means(question.kind, "", cell) if text else ""
        is_blank = means is None and bool(question.lexicon.entries(text))
        reading.meanings[cell] = "" if is_blank or means == NO_ANSWER else means or text
        if (means is None and text in variants) or (means == "" and text):
            reading.unreadable.add(cell)
            reading.unknown += [cell] if means is None else []
    return reading


# Open questions ---------------------------------------------------------------------------------------------


def _open_questions(questions: Mapping[str, QuestionCells], readings: Mapping[str, CellMeanings]) -> Iterator[MapRow]:
    from_zero = _counts_from_zero(questions.values())
    for name, reading in readings.items():
        for rank, cell in enumerate(reading.unknown):
            yield _open_question(questions[name], cell, suggest=rank < _MOST_SUGGESTIONS, from_zero=from_zero)


def _open_question(question: QuestionCells, cell: str, *, suggest: bool, from_zero: bool) -> MapRow:
    """The question about an unknown cell, with a suggested meaning and the possible ones."""
    text = cell.rstrip("; ")
    rows = f"{question.counts[cell]:,} row{'s' if question.counts[cell] != 1 else ''}"
    meanings = question.lexicon.meanings(text)
    position = question.numbers.get(cell)
    if question.kind == "unit":
        means, note = _suggest_unit(question, text, position, suggest=suggest)
        return MapRow(question.kind, question.item, text, means, f"{rows}; {note}")
    choices = ", ".join((*question.ordered_values, NO_ANSWER))
    if position is None:
        means = nearest(text, question.lexicon.unambiguous) if suggest and not meanings else ""
        return MapRow(question.kind, question.item, text, means, f"{rows}; {choices}")
    by_position = (
        question.ordered_values[position] if from_zero and 0 <= position < len(question.ordered_values) else ""
    )
    if not from_zero and 0 < position <= len(question.ordered_values):
        by_position = question.ordered_values[position - 1]
    means = NO_ANSWER if position in _NEVER_ANSWERED else by_position
    return MapRow(question.kind, question.item, text, "" if len(meanings) > 1 else means, f"{rows}; {choices}")


def _suggest_unit(question: QuestionCells, text: str, position: int | None, *, suggest: bool) -> tuple[str, str]:
    meanings = question.lexicon.meanings(text)
    by_position = question.units[position - 1] if position is not None and 0 < position <= len(question.units) else ""
    candidates = list(dict.fromkeys([*meanings, *([by_position] if by_position and meanings else [])]))
    if len(candidates) > 1:
        return "", f"could be {' or '.join(candidates[:6])}"
    if by_position:  # choices are listed as the table lists the units
        return by_position, "a unit_id of the table units"
    if not question.units:
        counts = {exact_form(cell): rows for cell, rows in question.counts.items()}
        return variant_spellings(counts).get(exact_form(text), ""), "as written"
    return nearest(text, question.lexicon.unambiguous) if suggest else "", "a unit_id of the table units"


def _counts_from_zero(questions: Collection[QuestionCells]) -> bool:
    """Whether the items' numbers seem to start at 0: a 0 occurs among them, and the last position does not."""
    items = [question for question in questions if question.kind == "answer" and question.ordered_values]
    numbers = {
        position for question in items for position in question.numbers.values() if position not in _NEVER_ANSWERED
    }
    return (
        bool(numbers) and min(numbers) == 0 and max(numbers) < min(len(question.ordered_values) for question in items)
    )


def _merge_questions(questions: Sequence[MapRow], columns: Collection[QuestionCells]) -> tuple[MapRow, ...]:
    """Ask once about a text that is open in every question where it occurs, with the same suggested meaning."""
    n_columns = Counter(
        (column.kind, text) for column in columns for text in {cell.rstrip("; ") for cell in column.counts}
    )
    groups: dict[tuple[str, str, str], list[MapRow]] = {}
    for question in questions:
        groups.setdefault((question.kind, question.in_file, question.means), []).append(question)
    merged: list[MapRow] = []
    for (kind, text, _), equal in groups.items():
        if len(equal) == 1 or len(equal) < n_columns[kind, text]:
            merged += equal
        else:
            merged.append(replace(equal[0], item="", note=f"in {len(equal)} questions; {equal[0].note}"))
    return tuple(merged)
