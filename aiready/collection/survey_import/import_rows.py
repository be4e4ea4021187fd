"""Turn an export into rows of `responses` and rows that are left out with a reason; nothing is written."""

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
    MapRow,
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
    """An export with its columns and answers matched to the questionnaire, before respondents are identified.

    `wave_from`: how the wave was determined. `person_positions`: columns that name the person, according to the map.
    `unused_map_rows`: rows of the map that match nothing in the file.
    """

    export: Export
    vocabulary: Vocabulary
    columns: MatchedColumns
    answers: Answers
    wave: str
    wave_from: str
    import_map: ImportMap = field(default_factory=ImportMap)
    person_positions: tuple[int, ...] = ()
    unused_map_rows: tuple[MapRow, ...] = ()

    @property
    def open_questions(self) -> tuple[MapRow, ...]:
        """What the map must answer before rows can be imported."""
        return self.columns.open_questions + self.answers.open_questions


@dataclass(frozen=True)
class SplitRows:
    """Every row of an export is `used` (columns of responses) or `left_out` (also file, row, column, value, rule).

    `shared`: columns whose codes occur in many rows each, so that they do not identify persons.
    """

    used: pd.DataFrame
    left_out: pd.DataFrame
    shared: tuple[SharedCodes, ...] = ()

    def reasons(self) -> Mapping[str, int]:
        """Number of rows left out by each rule; a row that breaks several counts under the first."""
        counts: dict[str, int] = self.left_out["rule"].str.split("[;:] ").str[0].value_counts().to_dict()
        return counts


def match_export(export: Export, vocabulary: Vocabulary, import_map: ImportMap, wave: str) -> MatchedExport:
    """Match the columns and answers of an export to the questionnaire, and find its wave.

    Raises
    ------
    InputError
        The file has no column of units or no question, or no wave is given and the dates do not tell it.
    UsageError
        The wave is invalid, or the map names what does not exist.
    """
    if wave and not is_wave(wave):
        raise UsageError(f'--wave "{wave}" is no wave. Write 2026-Q3, 2026-09 or 2026.')
    raise_all(UsageError, _unknown_meanings(import_map, vocabulary))
    vocabulary, export = vocabulary.for_tool(export.source), with_mapped_columns(export, import_map)
    person_positions = tuple(export.positions_of("person")) if _names_person(import_map) else ()
    columns = match_columns(export, vocabulary, import_map)
    if not columns.open_questions:
        raise_all(InputError, _missing_columns(export, columns, vocabulary))
    detected = (wave, "--wave") if wave else detect_wave(export)
    answers = read_answers(export, columns, vocabulary, import_map)
    if detected is None and not (columns.open_questions or answers.open_questions):
        raise InputError(
            f"{export.file}: {why_undated(export)} Say which wave they belong to, for example --wave 2026-Q3."
        )
    return MatchedExport(
        export,
        vocabulary,
        columns,
        answers,
        *(detected or ("", "")),
        import_map,
        person_positions,
        _unused_map_rows(export, import_map, answers),
    )


def _unused_map_rows(export: Export, import_map: ImportMap, answers: Answers) -> tuple[MapRow, ...]:
    """Rows of the map whose text is neither a heading nor an answer to a question of their kind."""
    headings = [text for heading in export.headings for text in (heading.label, heading.code, heading.text) if text]
    texts = {COLUMN: headings, **answers.texts}
    keys = {kind: {form(text) for text in texts[kind] for form in (folded_form, loose_form)} for kind in texts}
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
    """Problems of an export without a column of units, or without any question."""
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
    """Problems of map rows that name a column, unit, role or answer that does not exist."""
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
    """Split the rows of an export into those used and those left out, with the rules they break."""
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
    """Rules that each row breaks, separated by `; `, the first being its main reason; blank for a valid row."""
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
    """Rows marked as not finished or not sent; a column that is entirely blank is ignored.

    LimeSurvey writes 1980-01-01 for every answer where a survey records no times; next to real dates it means unsent.
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
    """Rows left out: their recognised answers, and file, row, column, value and rule; nothing personal."""
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
