"""An export -> rows of `responses` and rows set aside, none lost: nothing is written here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from aiready.errors import InputError, UsageError, all_at_once
from aiready.exports.answers import Answers, translate
from aiready.exports.dates import wave_of
from aiready.exports.files import SOURCES, Export
from aiready.exports.mapping import IGNORE, RESPONDENT, Map, Open
from aiready.exports.matching import Columns, match_columns
from aiready.exports.respondents import codes, pseudonyms
from aiready.exports.words import COMMENT, Words
from aiready.languages import OPENING
from aiready.readers import ROW, SURPLUS
from aiready.waves import is_wave

TEST, INCOMPLETE, EMPTY, AGAIN = "preview or test", "not finished", "no question answered", "duplicate"
SURPLUS_CELLS, NO_UNIT = "more cells than headings", "unit_id is missing"
_TESTS = ("survey preview", "survey test", "survey preview spam", "offline survey preview", "1", "2", "9", "17")
_SPAM = ("spam", "possible spam", "imported spam", "8", "12", "40")
_TEST_CHANNELS = ("preview", "test")
_NOT_FINISHED = ("0", "false", "no", "falsch", "falso")


@dataclass(frozen=True)
class Matched:
    """What was understood of an export, before it is told who answered: see `Columns` and `Answers`."""

    export: Export
    words: Words
    columns: Columns
    answers: Answers
    wave: str
    wave_from: str

    @property
    def open(self) -> tuple[Open, ...]:
        """What the map must name first."""
        return self.columns.open + self.answers.open


@dataclass(frozen=True)
class Sorted:
    """Every row of an export: `used` (columns of responses), or `left_out` (with file, row, column, value, rule)."""

    used: pd.DataFrame
    left_out: pd.DataFrame

    def reasons(self) -> Mapping[str, int]:
        """How many rows were left out by which rule; a row with several counts under the first."""
        return self.left_out["rule"].str.split("[;:] ").str[0].value_counts().to_dict()


def understand(export: Export, words: Words, mapped: Map, wave: str) -> Matched:
    """Match columns and words, and tell the wave.

    Raises
    ------
    InputError
        Nothing of the questionnaire is in the file, or its date cannot be read and no wave is given.
    UsageError
        The wave is none, or the map names what does not exist.
    """
    if wave and not is_wave(wave):
        raise UsageError(f'--wave "{wave}" is no wave. Write 2026-Q3, 2026-09 or 2026.')
    all_at_once(UsageError, _unknown_meanings(mapped, words))
    columns = match_columns(export, words, mapped)
    if not columns.open:
        all_at_once(InputError, _missing(export, columns, words))
    told = (wave, "--wave") if wave else wave_of(export)
    if told is None:
        raise InputError(
            f"{export.file}: the dates of the answers cannot be told (day or month first?). "
            "Say which wave they belong to, for example --wave 2026-Q3."
        )
    return Matched(export, words, columns, translate(export, columns, words, mapped), *told)


def _missing(export: Export, columns: Columns, words: Words) -> list[str]:
    """What no export may lack: a unit, and a question."""
    problems = []
    if "unit_id" not in columns.places:
        problems.append(
            f"{export.file}: no column says which unit people work in. Name it in a map: a row with kind column, the "
            "heading under in_file, and unit_id under means."
        )
    if not set(columns.places) & set(words.questions):
        problems.append(f"{export.file}: no column is a question of the questionnaire ({SOURCES[export.source]}).")
    return problems


def _unknown_meanings(mapped: Map, words: Words) -> list[str]:
    """Rows of the map that name a column, unit, role or answer that does not exist."""
    allowed: dict[str, Sequence[str] | None] = {
        "column": (*OPENING, *words.questions, COMMENT, RESPONDENT, IGNORE),
        "unit": words.units or None,
        "role": words.numbered["role"],
        "ai_use": words.numbered["ai_use"],
    }
    problems = []
    for (kind, item, text), means in mapped.items():
        known = words.numbered.get(item or next(iter(words.questions)), ()) if kind == "answer" else allowed[kind]
        if means and known is not None and means not in known:
            problems.append(f'map, {kind} {item} "{text}": "{means}" is none of {", ".join(known[:12])}.')
    return problems


def sort_rows(matched: Matched, key: bytes) -> Sorted:
    """Say of every row whether it is used, and of each that is not, why."""
    export, values = matched.export, matched.answers.values
    respondent = pseudonyms(codes(export, matched.columns.respondent), matched.wave, key)
    broken = _broken(export, matched.answers)
    fine = broken.eq("")
    again = respondent.where(fine).duplicated() & fine
    first = export.rows[ROW].groupby(respondent).transform("first")
    broken = broken.mask(again, AGAIN + ": the same respondent as in row " + first.astype(str))
    rows = pd.DataFrame({"respondent_id": respondent, **values, "wave": matched.wave})
    rows = rows[["respondent_id", *[name for name in OPENING[:2] if name in rows], "wave", *_after(rows)]]
    return Sorted(rows[broken.eq("")], _left_out(matched, rows, broken))


def _after(rows: pd.DataFrame) -> list[str]:
    return [name for name in rows if name not in ("respondent_id", *OPENING[:2], "wave")]


def _broken(export: Export, answers: Answers) -> pd.Series:
    """Rules that a row breaks, `; ` between, the first one the reason it counts under."""
    rows, values = export.rows, answers.values
    answered = values.drop(columns=[name for name in (*OPENING, COMMENT) if name in values])
    rules: dict[str, pd.Series] = {
        TEST: _says(export, "status", _TESTS) | _says(export, "channel", _TEST_CHANNELS),
        "marked as spam": _says(export, "status", _SPAM),
        INCOMPLETE: _unfinished(export),
        EMPTY: answered.eq("").all(axis=1),
        SURPLUS_CELLS: rows[SURPLUS].notna(),
        NO_UNIT: values["unit_id"].eq(""),
    }
    rules |= {f"{name} cannot be read": rows for name, rows in answers.unreadable.items()}
    broken = pd.Series("", rows.index)
    for rule, mask in rules.items():
        broken[mask] = broken[mask].where(broken[mask].eq(""), broken[mask] + "; ") + rule
    return broken


def _says(export: Export, meaning: str, values: Sequence[str]) -> pd.Series:
    said = pd.Series(False, export.rows.index)
    for place in export.placed(meaning):
        said |= export.rows[str(place)].str.casefold().isin(values)
    return said


def _unfinished(export: Export) -> pd.Series:
    open_ = _says(export, "finished", _NOT_FINISHED)
    for place in export.placed("submitted"):
        open_ |= export.rows[str(place)].isin(("", "N/A"))
    if not export.placed("finished"):
        for place in export.placed("progress"):
            open_ |= pd.to_numeric(export.rows[str(place)], errors="coerce").lt(100)
    return open_


def _left_out(matched: Matched, rows: pd.DataFrame, broken: pd.Series) -> pd.DataFrame:
    """Rows set aside: what was recognised of them, and file, row, column, value and rule; nothing personal."""
    out = broken.ne("")
    aside = rows[out]
    column, value = pd.Series("", aside.index), pd.Series("", aside.index)
    for name, strange in matched.answers.unreadable.items():
        here = strange[out]
        column[here] = column[here].where(column[here].eq(""), column[here] + "; ") + name
        value[here] = value[here].where(value[here].eq(""), value[here] + "; ") + aside.loc[here, name]
    row = matched.export.rows.loc[out, ROW]
    return aside.assign(file=matched.export.file, row=row, column=column, value=value, rule=broken[out])
