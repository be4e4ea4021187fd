"""Cells of an export -> values of `responses`: words in any language, numbers by their place, units by table."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from aiready.exports.files import Export
from aiready.exports.mapping import Map, Open, nearest
from aiready.exports.matching import Columns, order
from aiready.exports.words import Words, plain, unnumbered
from aiready.questionnaire.questions import ANSWERS

_CODE = re.compile(r"(?:AO|SQ|A|L)?0*([1-9]\d?)", re.IGNORECASE)
_NOT_SHOWN = {"limesurvey": ("N/A",)}
"""What stands in place of a question that was not shown: no answer."""
_MOST_WORDS = 60


@dataclass(frozen=True)
class Answers:
    """Cells read: `values`, one row per answer sheet and a column per column found.

    `unreadable`: column -> rows whose cell stays as given, because nothing says what it means. `open`: words to ask
    about. `by_place`: columns with numbers beyond their levels.
    """

    values: pd.DataFrame
    unreadable: Mapping[str, pd.Series]
    open: tuple[Open, ...]
    by_place: tuple[str, ...]


def translate(export: Export, columns: Columns, words: Words, mapped: Map) -> Answers:
    """Read every cell of every column found.

    Parameters
    ----------
    export, columns, words
        The file, where its questions stand, and what they can be answered with; without units their names are ids.
    mapped
        What the map file says.
    """
    values: dict[str, pd.Series] = {}
    unreadable: dict[str, pd.Series] = {}
    asked: list[Open] = []
    by_place: list[str] = []
    for name in order(columns, words):
        given = _given(export, columns.places[name])
        values[name] = given
        if name not in words.answers:  # a comment; a unit where the data folder names none
            continue
        read = _read(name, given, words.answers[name], words.numbered.get(name, ()), mapped)
        values[name] = given.map(read.meanings)
        if read.strange:
            unreadable[name] = given.isin(read.strange)
        asked += [_open(name, text, rows, words) for text, rows in read.unknown[:_MOST_WORDS]]
        by_place += [name] if read.beyond else []
    return Answers(pd.DataFrame(values, index=export.rows.index), unreadable, _together(asked), tuple(by_place))


def _together(asked: Sequence[Open]) -> tuple[Open, ...]:
    """One row for a word that is open in several questions and may mean the same in all."""
    same: dict[tuple[str, str, str], list[Open]] = {}
    for one in asked:
        same.setdefault((one.kind, one.in_file, one.means), []).append(one)
    return tuple(
        many[0] if len(many) == 1 else replace(many[0], item="", note=f"in {len(many)} questions; {many[0].note}")
        for many in same.values()
    )


def _given(export: Export, places: Sequence[int]) -> pd.Series:
    """Cells of a question; where every choice has a column, the choice whose column is filled."""
    rows = export.rows
    if len(places) == 1:
        cells, nothing = rows[str(places[0])], _NOT_SHOWN.get(export.source)
        return cells.mask(cells.isin(nothing), "") if nothing else cells
    said = pd.Series("", rows.index)
    for place in places:
        said = said.mask(said.eq("") & rows[str(place)].ne(""), export.headings[place].part)
    return said


@dataclass
class _Reading:
    """Value of each distinct cell of a column, which have none, which of those to ask about, and how often each is."""

    meanings: dict[str, str] = field(default_factory=dict)
    strange: set[str] = field(default_factory=set)
    unknown: list[tuple[str, int]] = field(default_factory=list)
    beyond: bool = False


def _read(name: str, given: pd.Series, known: Mapping[str, str], listed: Sequence[str], mapped: Map) -> _Reading:
    """Read the distinct cells of a column, the most frequent first."""
    kind, item = _kind(name)
    read = _Reading()
    for cell, rows in given.value_counts().items():
        text = str(cell).rstrip("; ")  # Microsoft Forms ends each choice with a semicolon
        if not text:
            read.meanings[str(cell)] = ""
            continue
        written = mapped.get((kind, item, plain(text)), mapped.get((kind, "", plain(text))))
        value = written or known.get(plain(text)) or known.get(unnumbered(text)) or _by_place(text, listed)
        read.meanings[str(cell)] = value or text
        read.beyond |= value in ANSWERS.values() and plain(text) not in known
        if not value:
            read.strange.add(str(cell))
        if not value and written is None and not (listed and _CODE.fullmatch(text)):
            read.unknown.append((text, rows))
    return read


def _by_place(text: str, listed: Sequence[str]) -> str:
    """What a number or code stands for: the answer at that place of the list; blank beyond its end."""
    number = _CODE.fullmatch(text)
    return listed[int(number[1]) - 1] if number and int(number[1]) <= len(listed) else ""


def _kind(name: str) -> tuple[str, str]:
    """Kind and item under which the map speaks of a column's cells."""
    kinds = {"unit_id": "unit", "role": "role", "ai_use": "ai_use"}
    return (kinds[name], "") if name in kinds else ("answer", name)


def _open(name: str, text: str, rows: int, words: Words) -> Open:
    kind, item = _kind(name)
    known = words.answers[name]
    means = nearest(text, known)
    if kind == "unit" and text.isdigit() and 0 < int(text) <= len(words.units):
        means = words.units[int(text) - 1]  # choices are listed as the table lists the units
    choices = "a unit_id of the table units" if kind == "unit" else ", ".join(dict.fromkeys(known.values()))
    return Open(kind, item, text, means, f"{rows} rows; {choices}")
