"""Write empty tables to fill in, and forms to mail out, derived from the schema (`aiready new`)."""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from aiready.atomic_files import file_stem, write_file
from aiready.collection.questionnaire.workbook import escape_formula, hidden_list
from aiready.errors import UsageError, unknown_name
from aiready.instrument.model import Instrument, read_instrument
from aiready.model.schema import TABLES, Column, Table

CODEBOOK = "codebook"
FORM_ROWS = 1000


def new_folder(folder: Path, *, starter: bool, workbook: bool) -> list[Path]:
    """Write an empty data folder and return the files written.

    Tables hold only their headers, so that an example cannot be mistaken for a record. Examples and the meaning of
    every column are in the codebook (CSV: `codebook.csv`; workbook: a sheet, and notes on the headers).

    Raises
    ------
    UsageError
        The folder already holds tables.
    """
    existing = [path.name for path in folder.glob("*") if path.stem in TABLES or path.suffix == ".xlsx"]
    if existing:
        raise UsageError(
            f"{folder} already holds {', '.join(sorted(existing))}. Choose another folder; nothing was written."
        )
    folder.mkdir(parents=True, exist_ok=True)
    instrument = read_instrument()
    columns_by_table = {table.name: columns_of(table, instrument, starter=starter) for table in TABLES.values()}
    if workbook:
        path = folder / "aiready.xlsx"
        _workbook(columns_by_table).save(path)
        return [path]
    return list(_files(folder, columns_by_table))


def columns_of(table: Table, instrument: Instrument, *, starter: bool) -> list[Column]:
    """Columns of a table to fill in: all, or its starter and required ones; for `responses` also the items."""
    columns = [column for column in table.columns if column.starter or column.required or not starter]
    if table.name == "responses":
        levels = instrument.settings.scale_points
        meaning = f"level 1-{levels}, `does not apply`, `don't know`, or blank: "
        items = instrument.items[["item_id", "wording"]].itertuples(index=False)
        columns += [Column(item_id, "integer", meaning + wording, "3") for item_id, wording in items]
    return columns


def codebook(columns_by_table: dict[str, list[Column]]) -> pd.DataFrame:
    """The codebook: one row per table x column."""
    return pd.DataFrame(
        [
            {
                "table": name,
                "one_row_per": TABLES[name].grain,
                "column": column.name,
                "required": "yes" if column.required else "",
                "kind": column.kind,
                "allowed": ";".join(column.allowed),
                "meaning": column.meaning,
                "example": column.example,
            }
            for name, columns in columns_by_table.items()
            for column in columns
        ]
    )


def _files(folder: Path, columns_by_table: dict[str, list[Column]]) -> Iterator[Path]:
    for name, columns in columns_by_table.items():
        path = folder / f"{name}.csv"
        pd.DataFrame(columns=[column.name for column in columns]).to_csv(path, index=False)
        yield path
    codebook(columns_by_table).to_csv(folder / f"{CODEBOOK}.csv", index=False)
    yield folder / f"{CODEBOOK}.csv"


def _workbook(columns_by_table: dict[str, list[Column]]) -> Workbook:
    book = Workbook()
    _write_codebook(book.active, columns_by_table)
    for name, columns in columns_by_table.items():
        sheet = book.create_sheet(name)
        _write_header(sheet, columns, row=1)
        for number, column in enumerate(columns, start=1):
            sheet.cell(1, number).comment = Comment(
                f"{column.meaning}. Example: {column.example or '(blank)'}", "aiready"
            )
        sheet.freeze_panes = "A2"
    return book


def _write_codebook(sheet: Worksheet, columns_by_table: dict[str, list[Column]]) -> None:
    """Write the codebook into a sheet: one row per table x column."""
    sheet.title = CODEBOOK
    notes = codebook(columns_by_table)
    sheet.append(list(notes.columns))
    for row in notes.itertuples(index=False):
        sheet.append([escape_formula(cell) for cell in row])


# Forms for records ------------------------------------------------------------------------------------------

_HEADER_ROW = 4
_TITLE, _QUIET = Font(bold=True, size=14), Font(italic=True, color="56646F")
_SHADED = PatternFill("solid", fgColor="EEF2F4")
_WRAPPED = Alignment(wrap_text=True, vertical="top")


def new_forms(folder: Path, *, table: str, units: Sequence[str], starter: bool) -> list[Path]:
    """Write forms to mail out, one per unit (without units: one for all), and return the files written.

    A form holds one table. Above its header are instructions, a sentence per column and an example; these are never
    read as records, because a table begins at its header.

    Raises
    ------
    UsageError
        There is no such table, or a form of that name exists already.
    """
    if table not in TABLES:
        raise unknown_name("table", table, TABLES)
    unwritable = [unit for unit in units if not unit.isprintable()]
    if unwritable:
        raise UsageError(
            f"Unit {unwritable[0]!r} holds a character that no cell can. Write the unit as units.csv has it."
        )
    columns = columns_of(TABLES[table], read_instrument(), starter=starter)
    forms = {
        folder / f"{table}-{file_stem(unit)}.xlsx" if unit else folder / f"{table}.xlsx": unit for unit in units or [""]
    }
    existing = [path.name for path in forms if path.exists()]
    if existing:
        raise UsageError(f"{folder} already holds {', '.join(existing)}. Choose another folder; nothing was written.")
    for path, unit in forms.items():
        write_file(path, _form(TABLES[table], columns, unit))
    return list(forms)


def _form(table: Table, columns: list[Column], unit: str) -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.title = table.name
    if unit:
        columns = [
            replace(column, allowed=(unit,), example=unit) if column.name == "unit_id" else column for column in columns
        ]
    sheet.cell(1, 1, f"{table.name}: {table.collect}").font = _TITLE
    sheet.row_dimensions[2].height = 75
    for number, column in enumerate(columns, start=1):
        meaning = sheet.cell(2, number, escape_formula(_sentence(column)))
        example = sheet.cell(3, number, escape_formula(f"e.g. {column.example}") if column.example else "")
        meaning.alignment, meaning.font, example.font = _WRAPPED, _QUIET, _QUIET
    _write_header(sheet, columns, row=_HEADER_ROW)
    sheet.freeze_panes = sheet.cell(_HEADER_ROW + 1, 2)
    _write_codebook(book.create_sheet(), {table.name: columns})
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _sentence(column: Column) -> str:
    """Sentence on a column: its meaning, how to write it, and whether it must be filled."""
    how = {
        "date": "a date", "share": "a share, as per cent", "integer": "a whole number", "number": "a number",
        "flag": "yes or no", "check": "yes, no, or the date it was done", "wave": "2026-Q3, 2026-09 or 2026",
        "timestamp": "date and time",
    }.get(column.kind, "")  # fmt: skip
    written = f" ({'choose from the list' if column.allowed else how})" if column.allowed or how else ""
    must = " Must be filled." if column.required else ""
    return f"{column.meaning[:1].upper()}{column.meaning[1:]}{written}.{must}"


# Typed columns ----------------------------------------------------------------------------------------------

_FORMATS = {"date": "yyyy-mm-dd", "timestamp": "yyyy-mm-dd hh:mm", "share": "0%", "id": "@", "wave": "@"}
_LONGEST_LIST = 255  # characters of a list inside a validation rule
_PLAIN_CHOICE = re.compile(r"[^\s,\"=+@-]([^,\"]*[^\s,\"])?")
"""A choice that a validation rule can hold: no comma or quote, no space at its ends, not the start of a formula."""


def _write_header(sheet: Worksheet, columns: Sequence[Column], *, row: int) -> None:
    """Write the header of a table into a row, and validate the cells below it by the column's type."""
    for number, column in enumerate(columns, start=1):
        cell = sheet.cell(row, number, column.name)
        cell.font, cell.fill = Font(bold=column.required), _SHADED
        letter = cell.column_letter
        sheet.column_dimensions[letter].width = max(14, len(column.name) + 2)
        sheet.column_dimensions[letter].number_format = _FORMATS.get(column.kind, "General")
        validation = _validation(sheet, column, f"{letter}{row + 1}")
        if validation is None:
            continue
        validation.allow_blank, validation.showErrorMessage, validation.showInputMessage = True, True, True
        validation.promptTitle, validation.prompt = column.name[:32], _sentence(column)[:255]
        validation.errorTitle = column.name[:32]
        validation.error = f"{_sentence(column)} Example: {column.example}"[:225]
        validation.add(f"{letter}{row + 1}:{letter}{row + FORM_ROWS}")
        sheet.add_data_validation(validation)


def _validation(sheet: Worksheet, column: Column, first: str) -> DataValidation | None:
    """Validation rule of a column; None where any value is allowed. `first` is the first cell it applies to."""
    choices = ("yes", "no") if column.kind == "flag" else column.allowed
    if choices:
        return DataValidation("list", formula1=_choices_formula(sheet, choices))
    if column.kind == "check":
        return DataValidation("custom", formula1=f'OR({first}="yes",{first}="no",ISNUMBER({first}))')
    if column.kind in ("date", "timestamp"):
        return DataValidation("date", operator="between", formula1="DATE(1900,1,1)", formula2="DATE(2199,12,31)")
    if column.kind not in ("share", "number", "integer"):
        return None
    kind = "whole" if column.kind == "integer" else "decimal"
    low = -1e15 if column.at_least is None else column.at_least
    high = 1e15 if column.at_most is None else column.at_most
    return DataValidation(kind, operator="between", formula1=f"{low:.15g}", formula2=f"{high:.15g}")


def _choices_formula(sheet: Worksheet, choices: Sequence[str]) -> str:
    """Formula of a drop-down: the choices themselves where a formula can hold them, else a range of the hidden sheet.

    A list in a formula is quoted and separated by commas, so a choice that holds either would be split or break it.
    """
    written = ",".join(choices)
    if len(written) <= _LONGEST_LIST and all(_PLAIN_CHOICE.fullmatch(choice) for choice in choices):
        return f'"{written}"'
    return hidden_list(sheet.parent, choices)
