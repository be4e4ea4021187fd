"""An export -> rows of `responses` and rows set aside, none lost: nothing is written here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from aiready.collection.survey_import.answers import Answers, read_answers
from aiready.collection.survey_import.dates import detect_wave, why_undated
from aiready.collection.survey_import.files import SOURCES, Export
from aiready.collection.survey_import.lexicon import folded_form, loose_form
from aiready.collection.survey_import.map_file import (
    COLUMN,
    IGNORE,
    OTHER_PEOPLE,
    OWN_COLUMNS,
    PART,
    SAME_SURVEY,
    ImportMap,
    OpenQuestion,
)
from aiready.collection.survey_import.matching import MatchedColumns, match_columns, with_mapped_columns
from aiready.collection.survey_import.respondents import SharedCodes, identify, pseudonyms
from aiready.collection.survey_import.vocabulary import COMMENT, NO_ANSWER, Vocabulary
from aiready.errors import InputError, UsageError, raise_all
from aiready.inputs.files import ROW, SURPLUS
from aiready.instrument.languages import OPENING
from aiready.model.cell_values import YES_WORDS
from aiready.model.waves import is_wave

TEST, INCOMPLETE, EMPTY, DUPLICATE = "preview or test", "not finished", "no question answered", "duplicate"
SEVERAL_ANSWERS, HEADING = "several answers", "heading row again"
SURPLUS_CELLS, NO_UNIT = "more cells than headings", "unit_id is missing"
_TESTS = ("survey preview", "survey test", "survey preview spam", "offline survey preview", "1", "2", "9", "17")
_SPAM = ("spam", "possible spam", "imported spam", "8", "12", "40")
_TEST_CHANNELS = ("preview", "test")
_NO_DATE = "1980-01-01"
_FINISHED = (*YES_WORDS, "complete", "completed", "finished")


@dataclass(frozen=True)
class MatchedExport:
    """What was understood of an export, before it is told who answered: see `MatchedColumns` and `Answers`.

    `mapped`: what the map says. `persons`: columns that it says name the person. `idle`: rows of it that nothing in
    the file answers to.
    """

    export: Export
    vocabulary: Vocabulary
    columns: MatchedColumns
    answers: Answers
    wave: str
    wave_from: str
    import_map: ImportMap = field(default_factory=ImportMap)
    person_positions: tuple[int, ...] = ()
    unused_map_rows: tuple[OpenQuestion, ...] = ()

    @property
    def open_questions(self) -> tuple[OpenQuestion, ...]:
        """What the map must name first."""
        return self.columns.open_questions + self.answers.open_questions


@dataclass(frozen=True)
class SplitRows:
    """Every row of an export: `used` (columns of responses), or `left_out` (with file, row, column, value, rule).

    `shared`: columns whose codes stand in many rows each, so that they are no persons.
    """

    used: pd.DataFrame
    left_out: pd.DataFrame
    shared: tuple[SharedCodes, ...] = ()

    def reasons(self) -> Mapping[str, int]:
        """How many rows were left out by which rule; a row with several counts under the first."""
        counts: dict[str, int] = self.left_out["rule"].str.split("[;:] ").str[0].value_counts().to_dict()
        return counts


def match_export(export: Export, vocabulary: Vocabulary, import_map: ImportMap, wave: str) -> MatchedExport:
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
    raise_all(UsageError, _unknown_meanings(import_map, vocabulary))
    vocabulary, export_with_map = vocabulary.for_tool(export.source), with_mapped_columns(export, import_map)
    person_positions = tuple(export_with_map.positions_of("person")) if _names_person(import_map) else ()
    columns = match_columns(export_with_map, vocabulary, import_map)
    if not columns.open_questions:
        raise_all(InputError, _missing_columns(export_with_map, columns, vocabulary))
    detected = (wave, "--wave") if wave else detect_wave(export_with_map)
    answers = read_answers(export_with_map, columns, vocabulary, import_map)
    if detected is None and not (columns.open_questions or answers.open_questions):
        raise InputError(
            f"{export.file}: {why_undated(export_with_map)} Say which wave they belong to, for example --wave 2026-Q3."
        )
    return MatchedExport(
        export_with_map,
        vocabulary,
        columns,
        answers,
        *(detected or ("", "")),
        import_map,
        person_positions,
        _unused_map_rows(export_with_map, import_map, answers),
    )


def _unused_map_rows(export: Export, import_map: ImportMap, answers: Answers) -> tuple[OpenQuestion, ...]:
    """Rows of the map whose text is no heading, or no answer to any question of their kind."""
    headings = [text for heading in export.headings for text in (heading.label, heading.code, heading.text) if text]
    texts = {COLUMN: headings, **answers.texts}
    keys = {
        kind: {key for text in these for key in (folded_form(text), loose_form(text))} for kind, these in texts.items()
    }
    return tuple(
        row
        for row in import_map.rows
        if row.means
        and row.kind != PART
        and not {folded_form(row.in_file), loose_form(row.in_file)} & keys.get(row.kind, set())
    )


def _names_person(import_map: ImportMap) -> bool:
    return any(row.kind == COLUMN and OWN_COLUMNS.get(row.means) == "person" for row in import_map.rows)


def _missing_columns(export: Export, columns: MatchedColumns, vocabulary: Vocabulary) -> list[str]:
    """What no export may lack: a unit, and a question."""
    problems = []
    if "unit_id" not in columns.positions:
        problems.append(
            f"{export.file}: no column says which unit people work in. Name it in a map: a row with kind column, the "
            "heading under in_file, and unit_id under means."
        )
    if not set(columns.positions) & set(vocabulary.questions):
        problems.append(f"{export.file}: no column is a question of the questionnaire ({SOURCES[export.source]}).")
    return problems


def _unknown_meanings(import_map: ImportMap, vocabulary: Vocabulary) -> list[str]:
    """Rows of the map that name a column, unit, role or answer that does not exist."""
    allowed: dict[str, Sequence[str] | None] = {
        COLUMN: (*OPENING, *vocabulary.questions, COMMENT, *OWN_COLUMNS, IGNORE),
        "unit": (*vocabulary.units, NO_ANSWER) if vocabulary.units else None,
        "role": (*vocabulary.ordered_values["role"], NO_ANSWER),
        "ai_use": (*vocabulary.ordered_values["ai_use"], NO_ANSWER),
        PART: (SAME_SURVEY, OTHER_PEOPLE),
    }
    problems = []
    for row in import_map.rows:
        if row.item and row.item not in vocabulary.questions:
            problems.append(f'map, {row.kind} "{row.in_file}": "{row.item}" is no item. Name one, or leave it blank.')
            continue
        if row.kind == "answer":
            levels = vocabulary.ordered_values.get(row.item or next(iter(vocabulary.questions)), ())
            valid: Sequence[str] | None = (*levels, NO_ANSWER)
        else:
            valid = allowed[row.kind]
        if row.means and valid is not None and row.means not in valid:
            choices = ", ".join(valid[:12]) + (f" and {len(valid) - 12} more" if len(valid) > 12 else "")
            problems.append(f'map, {row.kind} {row.item} "{row.in_file}": "{row.means}" is none of {choices}.')
    return problems


def split_rows(matched: MatchedExport, key: bytes) -> SplitRows:
    """Say of every row whether it is used, and of each that is not, why."""
    export, values = matched.export, matched.answers.values
    identities = identify(export, matched.person_positions)
    respondent = pseudonyms(identities.codes, matched.wave, key)
    broken_rules = _broken_rules(export, matched.answers)
    is_valid = broken_rules.eq("")
    is_duplicate = respondent.where(is_valid).duplicated() & is_valid
    first_row = export.rows[ROW].groupby(respondent).transform("first")
    broken_rules = broken_rules.mask(
        is_duplicate, DUPLICATE + ": the same respondent as in row " + first_row.astype(str)
    )
    rows = pd.DataFrame({"respondent_id": respondent, **values, "wave": matched.wave})
    rows = rows[["respondent_id", *[name for name in OPENING[:2] if name in rows], "wave", *_after(rows)]]
    return SplitRows(rows[broken_rules.eq("")], _left_out(matched, rows, broken_rules), identities.shared)


def _after(rows: pd.DataFrame) -> list[str]:
    return [name for name in rows if name not in ("respondent_id", *OPENING[:2], "wave")]


def _broken_rules(export: Export, answers: Answers) -> pd.Series:
    """Rules that a row breaks, `; ` between, the first one the reason it counts under."""
    rows, values = export.rows, answers.values
    answered = values.drop(columns=[name for name in (*OPENING, COMMENT) if name in values])
    rules: dict[str, pd.Series] = {
        HEADING: pd.Series(rows.index.isin(export.repeated_headings), rows.index),
        TEST: _has_value(export, "status", _TESTS) | _has_value(export, "channel", _TEST_CHANNELS),
        "marked as spam": _has_value(export, "status", _SPAM),
        INCOMPLETE: _unfinished(export),
        EMPTY: answered.eq("").all(axis=1),
        SURPLUS_CELLS: rows[SURPLUS].notna(),
        NO_UNIT: values["unit_id"].eq(""),
    }
    rules |= {f"{SEVERAL_ANSWERS}: {name}": rows for name, rows in answers.several_answers.items()}
    rules |= {f"{name} cannot be read": rows for name, rows in answers.unreadable.items()}
    broken = pd.Series("", rows.index)
    for rule, mask in rules.items():
        broken[mask] = broken[mask].where(broken[mask].eq(""), broken[mask] + "; ") + rule
    return broken


def _has_value(export: Export, meaning: str, values: Sequence[str]) -> pd.Series:
    has_value = pd.Series(False, export.rows.index)
    for position in export.positions_of(meaning):
        has_value |= export.rows[str(position)].str.casefold().isin(values)
    return has_value


def _unfinished(export: Export) -> pd.Series:
    """Rows that say they were not finished or sent; a column that is wholly blank says nothing.

    LimeSurvey writes 1980-01-01 for all answers where a survey records no times; beside real dates it is none.
    """
    rows = export.rows
    unfinished = pd.Series(False, rows.index)
    for position in export.positions_of("submitted"):
        sent = rows[str(position)]
        undated = sent.str.startswith(_NO_DATE)
        blank = sent.isin(("", "N/A", "NULL"))
        unfinished |= blank if (undated | blank).all() else blank | undated
    finished = [position for position in export.positions_of("finished") if rows[str(position)].ne("").any()]
    for position in finished:
        unfinished |= ~rows[str(position)].str.casefold().isin(_FINISHED)
    if not finished:
        for position in export.positions_of("progress"):
            unfinished |= pd.to_numeric(rows[str(position)], errors="coerce").lt(100)
    return unfinished


def _left_out(matched: MatchedExport, rows: pd.DataFrame, broken_rules: pd.Series) -> pd.DataFrame:
    """Rows set aside: what was recognised of them, and file, row, column, value and rule; nothing personal."""
    is_out = broken_rules.ne("")
    aside = rows[is_out]
    column, value = pd.Series("", aside.index), pd.Series("", aside.index)
    for name, mask in (*matched.answers.several_answers.items(), *matched.answers.unreadable.items()):
        affected = mask[is_out]
        column[affected] = column[affected].where(column[affected].eq(""), column[affected] + "; ") + name
        value[affected] = (
            value[affected].where(value[affected].eq(""), value[affected] + "; ") + aside.loc[affected, name]
        )
    row = matched.export.rows.loc[is_out, ROW]
    return aside.assign(file=matched.export.file, row=row, column=column, value=value, rule=broken_rules[is_out])
