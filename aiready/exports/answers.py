"""Cells of an export -> values of `responses`: words in any language, numbers by their place, units by table."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from aiready.exports.files import Export
from aiready.exports.mapping import Map, Open, nearest
from aiready.exports.matching import Columns, order
from aiready.exports.words import COMMENT, EXTRA, Words, plain, unnumbered

UNREADABLE = "\0"
"""Stands before a cell that cannot be read, until its row is set aside."""
_CODE = re.compile(r"(?:AO|SQ|A|L)?0*([1-9]\d?)", re.IGNORECASE)
_NOT_SHOWN = {"limesurvey": ("N/A", "NA")}
"""What stands in place of a question that was not shown: no answer."""
_MOST_WORDS = 60


@dataclass(frozen=True)
class Answers:
    """`values`: one row per answer sheet, a column per column found; what is unreadable is marked. `open`: to ask."""

    values: pd.DataFrame
    open: tuple[Open, ...]
    by_place: tuple[str, ...]


def translate(export: Export, columns: Columns, words: Words, units: pd.DataFrame | None, mapped: Map) -> Answers:
    """Read every cell of every column found.

    Parameters
    ----------
    export, columns, words
        The file, where its questions stand, and what they can be answered with.
    units
        Table `units` of the data folder (unit_id, name), or None: the names in the file are the ids.
    mapped
        What the map file says.
    """
    known: dict[str, Mapping[str, str]] = dict(words.answers)
    listed = dict(words.numbered)
    if units is not None:
        names = {plain(name): one for one, name in zip(units["unit_id"], units["name"], strict=True)}
        known["unit_id"] = names | {plain(one): one for one in units["unit_id"]}
    values: dict[str, pd.Series] = {}
    asked: list[Open] = []
    by_place: list[str] = []
    for name in order(columns, words):
        given = _given(export, columns.places[name])
        if name == COMMENT or name not in known:
            values[name] = given
            continue
        meanings, unknown, counted = _meanings(name, _counts(given), known[name], listed.get(name, ()), mapped)
        values[name] = given.map(meanings)
        asked += [_open(name, text, rows, known[name], units) for text, rows in unknown[:_MOST_WORDS]]
        by_place += [name] if counted else []
    return Answers(pd.DataFrame(values, index=export.rows.index), _together(asked), tuple(by_place))


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
        # Microsoft Forms ends each choice with a semicolon
        cells = rows[str(places[0])].str.rstrip("; ")
        return cells.mask(cells.isin(_NOT_SHOWN.get(export.source, ())), "")
    said = pd.Series("", rows.index)
    for place in places:
        said = said.mask(said.eq("") & rows[str(place)].ne(""), export.headings[place].part)
    return said


def _counts(given: pd.Series) -> Mapping[str, int]:
    return given.value_counts().to_dict()


def _meanings(
    name: str, given: Mapping[str, int], known: Mapping[str, str], listed: Sequence[str], mapped: Map
) -> tuple[dict[str, str], list[tuple[str, int]], bool]:
    """Value of each distinct cell, the words nobody knows (the most frequent first), and whether places counted."""
    kind, item = _kind(name)
    meanings, unknown, beyond = {"": ""}, [], False
    for text, rows in given.items():
        if text in meanings:
            continue
        written = mapped.get((kind, item, plain(text)), mapped.get((kind, "", plain(text))))
        value = written or known.get(plain(text)) or known.get(unnumbered(text))
        number = _CODE.fullmatch(text)
        if not value and number and listed:
            place = int(number[1])
            value = listed[place - 1] if place <= len(listed) else UNREADABLE + text
            beyond |= value in EXTRA.values()
        meanings[text] = value or UNREADABLE + text
        if not value and written is None:
            unknown.append((text, rows))
    return meanings, unknown, beyond


def _kind(name: str) -> tuple[str, str]:
    """Kind and item under which the map speaks of a column's cells."""
    kinds = {"unit_id": "unit", "role": "role", "ai_use": "ai_use"}
    return (kinds[name], "") if name in kinds else ("answer", name)


def _open(name: str, text: str, rows: int, known: Mapping[str, str], units: pd.DataFrame | None) -> Open:
    kind, item = _kind(name)
    means = nearest(text, known)
    if kind == "unit" and units is not None and text.isdigit() and 0 < int(text) <= len(units):
        means = str(units["unit_id"].iloc[int(text) - 1])  # choices are listed as the table lists the units
    choices = dict.fromkeys(known.values()) if kind != "unit" else {"a unit_id of the table units": None}
    return Open(kind, item, text, means, f"{rows} rows; {', '.join(choices)}")
