"""Cells of an export -> values of `responses`: words in any language, numbers by their place, units by table."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from aiready.collection.survey_import.files import Export
from aiready.collection.survey_import.lexicon import exact, number, whole_number
from aiready.collection.survey_import.mapping import Map, Open, nearest
from aiready.collection.survey_import.matching import Columns, is_ticked, order
from aiready.collection.survey_import.reading import Column, Reading, column_of, doubtful, read, spellings
from aiready.collection.survey_import.words import COMMENT, NO_ANSWER, Words

_NOT_SHOWN = {"limesurvey": ("N/A",)}
"""What stands in place of a question that was not shown: no answer."""
_MOST_SUGGESTIONS = 100
_NEVER_ANSWERED = (-9, -99, -999)
"""Numbers that tools and statisticians write where nobody answered; suggested, never assumed."""
_BETWEEN = " | "


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
    several: Mapping[str, pd.Series]
    open: tuple[Open, ...]
    by_place: tuple[str, ...]
    numbered: tuple[str, ...]
    proven: bool
    texts: Mapping[str, set[str]]


def translate(export: Export, columns: Columns, words: Words, mapped: Map) -> Answers:
    """Read every cell of every column found.

    Parameters
    ----------
    export, columns, words
        The file, where its questions stand, and what they can be answered with; without units their names are ids.
    mapped
        What the map file says.
    """
    cells_of = {name: list(_given(export, columns, name)) for name in order(columns, words)}
    questions = {name: column_of(name, _counts(cells), words) for name, cells in cells_of.items() if name != COMMENT}
    in_doubt = doubtful(questions.values(), mapped)
    readings = {
        name: read(column, mapped, doubtful=name in in_doubt)
        if name in words.answers
        else _names_as_ids(column, mapped)
        for name, column in questions.items()
    }
    values: dict[str, pd.Series] = {}
    unreadable: dict[str, pd.Series] = {}
    several: dict[str, pd.Series] = {}
    for name, cells in cells_of.items():
        if name == COMMENT:
            values[name] = _joined(cells)
            continue
        values[name], strange, many = _together(cells, readings[name])
        unreadable |= {name: strange} if strange.any() else {}
        several |= {name: many} if many.any() else {}
    return Answers(
        pd.DataFrame(values, index=export.rows.index),
        unreadable,
        several,
        _merged(list(_open(questions, readings)), questions.values()),
        tuple(name for name, reading in readings.items() if reading.beyond),
        tuple(name for name, reading in readings.items() if reading.numbered),
        any(reading.proven for reading in readings.values()),
        _texts(questions.values()),
    )


def _texts(columns: Collection[Column]) -> dict[str, set[str]]:
    texts: dict[str, set[str]] = {}
    for column in columns:
        texts.setdefault(column.kind, set()).update(whole_number(cell.rstrip("; ")) for cell in column.counts)
    return texts


def _given(export: Export, columns: Columns, name: str) -> Iterator[pd.Series]:
    """Cells of each column of a question; of a column that holds ticks, the choice that is ticked."""
    nothing = _NOT_SHOWN.get(export.source)
    for place in columns.places[name]:
        cells = export.rows[str(place)]
        cells = cells.mask(cells.isin(nothing), "") if nothing else cells
        choice = columns.choices.get(place)
        if choice is None:
            yield cells
            continue
        written = {cell: _ticked(cell, choice) for cell in cells.unique()}
        yield cells.map(written)


def _ticked(cell: str, choice: str) -> str:
    """The choice where it is ticked; where only its number is known, the cell's own words say more."""
    if not is_ticked(cell):
        return ""
    return cell if number(choice) is not None and len(cell) > len("selected") else choice


def _counts(cells: Sequence[pd.Series]) -> dict[str, int]:
    """How often each distinct cell stands in the columns of a question, the most frequent first."""
    together = pd.concat(cells) if len(cells) > 1 else cells[0]
    return {str(cell): int(rows) for cell, rows in together.value_counts().items()}


def _together(cells: Sequence[pd.Series], reading: Reading) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Value of each row, whether it cannot be read, and whether it holds several answers that differ."""
    value = cells[0].map(reading.meanings)
    strange, several = cells[0].isin(reading.strange), cells[0].isin(reading.several)
    for column in cells[1:]:
        further = column.map(reading.meanings)
        differ = value.ne("") & further.ne("") & value.ne(further)
        several |= differ | column.isin(reading.several)
        strange |= column.isin(reading.strange)
        value = value.mask(differ, value + _BETWEEN + further).mask(value.eq(""), further)
    return value, strange, several


def _joined(cells: Sequence[pd.Series]) -> pd.Series:
    """Remarks of one person in several columns, one after the other."""
    joined = cells[0]
    for column in cells[1:]:
        both = joined.ne("") & column.ne("") & joined.ne(column)
        joined = joined.mask(both, joined + _BETWEEN + column).mask(joined.eq(""), column)
    return joined


def _names_as_ids(column: Column, mapped: Map) -> Reading:
    """Units of a data folder that names none: as written, but asked where only the spelling tells two apart."""
    written = {cell: exact(cell.rstrip("; ")) for cell in column.counts}
    counts: dict[str, int] = {}
    for cell, text in written.items():
        counts[text] = counts.get(text, 0) + column.counts[cell]
    alike = spellings(counts)
    reading = Reading()
    for cell, text in written.items():
        means = mapped.means(column.kind, "", cell) if text else ""
        nothing = means is None and bool(column.vocabulary.entries(text))
        reading.meanings[cell] = "" if nothing or means == NO_ANSWER else means or text
        if (means is None and text in alike) or (means == "" and text):
            reading.strange.add(cell)
            reading.unknown += [cell] if means is None else []
    return reading


# What is asked ----------------------------------------------------------------------------------------------


def _open(columns: Mapping[str, Column], readings: Mapping[str, Reading]) -> Iterator[Open]:
    from_nought = _counts_from_nought(columns.values())
    for name, reading in readings.items():
        for rank, cell in enumerate(reading.unknown):
            yield _question(columns[name], cell, near=rank < _MOST_SUGGESTIONS, from_nought=from_nought)


def _question(column: Column, cell: str, *, near: bool, from_nought: bool) -> Open:
    """What to ask about a cell: the likeliest meaning, and what it can mean."""
    text = cell.rstrip("; ")
    rows = f"{column.counts[cell]:,} row{'s' if column.counts[cell] != 1 else ''}"
    meanings = column.vocabulary.meanings(text)
    position = column.numbers.get(cell)
    if column.kind == "unit":
        means, note = _unit(column, text, position, near=near)
        return Open(column.kind, column.item, text, means, f"{rows}; {note}")
    choices = ", ".join((*column.listed, NO_ANSWER))
    if position is None:
        means = nearest(text, column.vocabulary.readings) if near and not meanings else ""
        return Open(column.kind, column.item, text, means, f"{rows}; {choices}")
    by_place = column.listed[position] if from_nought and 0 <= position < len(column.listed) else ""
    if not from_nought and 0 < position <= len(column.listed):
        by_place = column.listed[position - 1]
    means = NO_ANSWER if position in _NEVER_ANSWERED else by_place
    return Open(column.kind, column.item, text, "" if len(meanings) > 1 else means, f"{rows}; {choices}")


def _unit(column: Column, text: str, position: int | None, *, near: bool) -> tuple[str, str]:
    meanings = column.vocabulary.meanings(text)
    by_place = column.units[position - 1] if position is not None and 0 < position <= len(column.units) else ""
    could = list(dict.fromkeys([*meanings, *([by_place] if by_place and meanings else [])]))
    if len(could) > 1:
        return "", f"could be {' or '.join(could[:6])}"
    if by_place:  # choices are listed as the table lists the units
        return by_place, "a unit_id of the table units"
    if not column.units:
        return spellings({exact(cell): rows for cell, rows in column.counts.items()}).get(exact(text), ""), "as written"
    return nearest(text, column.vocabulary.readings) if near else "", "a unit_id of the table units"


def _counts_from_nought(columns: Collection[Column]) -> bool:
    """Whether the items' numbers look counted from 0: a nought stands among them, and the last place does not."""
    items = [column for column in columns if column.kind == "answer" and column.listed]
    numbers = {position for column in items for position in column.numbers.values() if position not in _NEVER_ANSWERED}
    return bool(numbers) and min(numbers) == 0 and max(numbers) < min(len(column.listed) for column in items)


def _merged(rows: Sequence[Open], columns: Collection[Column]) -> tuple[Open, ...]:
    """One row for a word that is open in every question where it stands, and may mean the same in all."""
    standing = Counter(
        (column.kind, text) for column in columns for text in {cell.rstrip("; ") for cell in column.counts}
    )
    same: dict[tuple[str, str, str], list[Open]] = {}
    for one in rows:
        same.setdefault((one.kind, one.in_file, one.means), []).append(one)
    merged: list[Open] = []
    for (kind, text, _), many in same.items():
        if len(many) == 1 or len(many) < standing[kind, text]:
            merged += many
        else:
            merged.append(replace(many[0], item="", note=f"in {len(many)} questions; {many[0].note}"))
    return tuple(merged)
