"""An export -> rows of `responses` and rows set aside, none lost: nothing is written here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from aiready.collection.survey_import.answers import Answers, translate
from aiready.collection.survey_import.dates import undated, wave_of
from aiready.collection.survey_import.files import SOURCES, Export
from aiready.collection.survey_import.lexicon import folded, plain
from aiready.collection.survey_import.mapping import COLUMN, IGNORE, OTHER, OWN_COLUMNS, PART, SAME, Map, Open
from aiready.collection.survey_import.matching import Columns, match_columns, with_own
from aiready.collection.survey_import.respondents import Shared, identify, pseudonyms
from aiready.collection.survey_import.words import COMMENT, NO_ANSWER, Words
from aiready.errors import InputError, UsageError, all_at_once
from aiready.inputs.files import ROW, SURPLUS
from aiready.instrument.languages import OPENING
from aiready.model.cell_values import YES
from aiready.model.waves import is_wave

TEST, INCOMPLETE, EMPTY, AGAIN = "preview or test", "not finished", "no question answered", "duplicate"
SEVERAL, HEADING = "several answers", "heading row again"
SURPLUS_CELLS, NO_UNIT = "more cells than headings", "unit_id is missing"
_TESTS = ("survey preview", "survey test", "survey preview spam", "offline survey preview", "1", "2", "9", "17")
_SPAM = ("spam", "possible spam", "imported spam", "8", "12", "40")
_TEST_CHANNELS = ("preview", "test")
_NO_DATE = "1980-01-01"
_FINISHED = (*YES, "complete", "completed", "finished")


@dataclass(frozen=True)
class Matched:
    """What was understood of an export, before it is told who answered: see `Columns` and `Answers`.

    `mapped`: what the map says. `persons`: columns that it says name the person. `idle`: rows of it that nothing in
    the file answers to.
    """

    export: Export
    words: Words
    columns: Columns
    answers: Answers
    wave: str
    wave_from: str
    mapped: Map = field(default_factory=Map)
    persons: tuple[int, ...] = ()
    idle: tuple[Open, ...] = ()

    @property
    def open(self) -> tuple[Open, ...]:
        """What the map must name first."""
        return self.columns.open + self.answers.open


@dataclass(frozen=True)
class Sorted:
    """Every row of an export: `used` (columns of responses), or `left_out` (with file, row, column, value, rule).

    `shared`: columns whose codes stand in many rows each, so that they are no persons.
    """

    used: pd.DataFrame
    left_out: pd.DataFrame
    shared: tuple[Shared, ...] = ()

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
    words, by_map = words.of_tool(export.source), with_own(export, mapped)
    persons = tuple(by_map.placed("person")) if _names_person(mapped) else ()
    columns = match_columns(by_map, words, mapped)
    if not columns.open:
        all_at_once(InputError, _missing(by_map, columns, words))
    told = (wave, "--wave") if wave else wave_of(by_map)
    answers = translate(by_map, columns, words, mapped)
    if told is None and not (columns.open or answers.open):
        raise InputError(f"{export.file}: {undated(by_map)} Say which wave they belong to, for example --wave 2026-Q3.")
    return Matched(
        by_map, words, columns, answers, *(told or ("", "")), mapped, persons, _idle(by_map, mapped, answers)
    )


def _idle(export: Export, mapped: Map, answers: Answers) -> tuple[Open, ...]:
    """Rows of the map whose text is no heading, or no answer to any question of their kind."""
    headings = [text for heading in export.headings for text in (heading.label, heading.code, heading.text) if text]
    texts = {COLUMN: headings, **answers.texts}
    keys = {kind: {key for text in these for key in (folded(text), plain(text))} for kind, these in texts.items()}
    return tuple(
        row
        for row in mapped.rows
        if row.means and row.kind != PART and not {folded(row.in_file), plain(row.in_file)} & keys.get(row.kind, set())
    )


def _names_person(mapped: Map) -> bool:
    return any(row.kind == COLUMN and OWN_COLUMNS.get(row.means) == "person" for row in mapped.rows)


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
        COLUMN: (*OPENING, *words.questions, COMMENT, *OWN_COLUMNS, IGNORE),
        "unit": (*words.units, NO_ANSWER) if words.units else None,
        "role": (*words.numbered["role"], NO_ANSWER),
        "ai_use": (*words.numbered["ai_use"], NO_ANSWER),
        PART: (SAME, OTHER),
    }
    problems = []
    for row in mapped.rows:
        if row.item and row.item not in words.questions:
            problems.append(f'map, {row.kind} "{row.in_file}": "{row.item}" is no item. Name one, or leave it blank.')
            continue
        if row.kind == "answer":
            known = words.numbered.get(row.item or next(iter(words.questions)), ())
            valid: Sequence[str] | None = (*known, NO_ANSWER)
        else:
            valid = allowed[row.kind]
        if row.means and valid is not None and row.means not in valid:
            listed = ", ".join(valid[:12]) + (f" and {len(valid) - 12} more" if len(valid) > 12 else "")
            problems.append(f'map, {row.kind} {row.item} "{row.in_file}": "{row.means}" is none of {listed}.')
    return problems


def sort_rows(matched: Matched, key: bytes) -> Sorted:
    """Say of every row whether it is used, and of each that is not, why."""
    export, values = matched.export, matched.answers.values
    identities = identify(export, matched.persons)
    respondent = pseudonyms(identities.codes, matched.wave, key)
    broken = _broken(export, matched.answers)
    fine = broken.eq("")
    again = respondent.where(fine).duplicated() & fine
    first = export.rows[ROW].groupby(respondent).transform("first")
    broken = broken.mask(again, AGAIN + ": the same respondent as in row " + first.astype(str))
    rows = pd.DataFrame({"respondent_id": respondent, **values, "wave": matched.wave})
    rows = rows[["respondent_id", *[name for name in OPENING[:2] if name in rows], "wave", *_after(rows)]]
    return Sorted(rows[broken.eq("")], _left_out(matched, rows, broken), identities.shared)


def _after(rows: pd.DataFrame) -> list[str]:
    return [name for name in rows if name not in ("respondent_id", *OPENING[:2], "wave")]


def _broken(export: Export, answers: Answers) -> pd.Series:
    """Rules that a row breaks, `; ` between, the first one the reason it counts under."""
    rows, values = export.rows, answers.values
    answered = values.drop(columns=[name for name in (*OPENING, COMMENT) if name in values])
    rules: dict[str, pd.Series] = {
        HEADING: pd.Series(rows.index.isin(export.headings_again), rows.index),
        TEST: _says(export, "status", _TESTS) | _says(export, "channel", _TEST_CHANNELS),
        "marked as spam": _says(export, "status", _SPAM),
        INCOMPLETE: _unfinished(export),
        EMPTY: answered.eq("").all(axis=1),
        SURPLUS_CELLS: rows[SURPLUS].notna(),
        NO_UNIT: values["unit_id"].eq(""),
    }
    rules |= {f"{SEVERAL}: {name}": rows for name, rows in answers.several.items()}
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
    """Rows that say they were not finished or sent; a column that is wholly blank says nothing.

    LimeSurvey writes 1980-01-01 for all answers where a survey records no times; beside real dates it is none.
    """
    rows = export.rows
    open_ = pd.Series(False, rows.index)
    for place in export.placed("submitted"):
        sent = rows[str(place)]
        undated = sent.str.startswith(_NO_DATE)
        blank = sent.isin(("", "N/A", "NULL"))
        open_ |= blank if (undated | blank).all() else blank | undated
    finished = [place for place in export.placed("finished") if rows[str(place)].ne("").any()]
    for place in finished:
        open_ |= ~rows[str(place)].str.casefold().isin(_FINISHED)
    if not finished:
        for place in export.placed("progress"):
            open_ |= pd.to_numeric(rows[str(place)], errors="coerce").lt(100)
    return open_


def _left_out(matched: Matched, rows: pd.DataFrame, broken: pd.Series) -> pd.DataFrame:
    """Rows set aside: what was recognised of them, and file, row, column, value and rule; nothing personal."""
    out = broken.ne("")
    aside = rows[out]
    column, value = pd.Series("", aside.index), pd.Series("", aside.index)
    for name, strange in (*matched.answers.several.items(), *matched.answers.unreadable.items()):
        here = strange[out]
        column[here] = column[here].where(column[here].eq(""), column[here] + "; ") + name
        value[here] = value[here].where(value[here].eq(""), value[here] + "; ") + aside.loc[here, name]
    row = matched.export.rows.loc[out, ROW]
    return aside.assign(file=matched.export.file, row=row, column=column, value=value, rule=broken[out])
