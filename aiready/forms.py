"""Empty tables to fill in: what `aiready new` writes, derived from the schema."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.worksheet.datavalidation import DataValidation

from aiready.errors import UsageError
from aiready.instrument import Instrument, read_instrument
from aiready.schema import TABLES, Column, Table

CODEBOOK = "codebook"
FORM_ROWS = 1000


def new_folder(folder: Path, *, starter: bool, workbook: bool) -> list[Path]:
    """Write an empty data folder and return the files made.

    Tables hold their headers only, so that an example is never taken for a record: examples and the meaning of
    every column stand in the codebook (as CSV: `codebook.csv`; in a workbook: a sheet and notes on the headers).

    Raises
    ------
    UsageError
        The folder holds tables already.
    """
    taken = [path.name for path in folder.glob("*") if path.stem in TABLES or path.suffix == ".xlsx"]
    if taken:
        raise UsageError(
            f"{folder} already holds {', '.join(sorted(taken))}. Choose another folder; nothing was written."
        )
    folder.mkdir(parents=True, exist_ok=True)
    rules = read_instrument()
    chosen = {table.name: columns_of(table, rules, starter=starter) for table in TABLES.values()}
    if workbook:
        path = folder / "aiready.xlsx"
        _workbook(chosen).save(path)
        return [path]
    return list(_files(folder, chosen))


def columns_of(table: Table, rules: Instrument, *, starter: bool) -> list[Column]:
    """Columns of a form: those of the schema (or of its starter set); for responses the items too."""
    columns = [column for column in table.columns if column.starter or column.required or not starter]
    if table.name == "responses":
        levels = rules.settings.scale_points
        meaning = f"level 1-{levels}, `does not apply`, `don't know`, or blank: "
        items = rules.items[["item_id", "wording"]].itertuples(index=False)
        columns += [Column(item_id, "integer", meaning + wording, "3") for item_id, wording in items]
    return columns


def codebook(chosen: dict[str, list[Column]]) -> pd.DataFrame:
    """Every column of every table: one row per table x column."""
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
            for name, columns in chosen.items()
            for column in columns
        ]
    )


def _files(folder: Path, chosen: dict[str, list[Column]]) -> Iterator[Path]:
    for name, columns in chosen.items():
        path = folder / f"{name}.csv"
        pd.DataFrame(columns=[column.name for column in columns]).to_csv(path, index=False)
        yield path
    codebook(chosen).to_csv(folder / f"{CODEBOOK}.csv", index=False)
    yield folder / f"{CODEBOOK}.csv"


def _workbook(chosen: dict[str, list[Column]]) -> Workbook:
    book = Workbook()
    about = book.active
    about.title = CODEBOOK
    notes = codebook(chosen)
    about.append(list(notes.columns))
    for row in notes.itertuples(index=False):
        about.append([_plain(cell) for cell in row])
    for name, columns in chosen.items():
        sheet = book.create_sheet(name)
        for number, column in enumerate(columns, start=1):
            cell = sheet.cell(1, number, column.name)
            cell.font = Font(bold=column.required)
            cell.comment = Comment(f"{column.meaning}. Example: {column.example or '(blank)'}", "aiready")
            if column.allowed:
                choices = DataValidation("list", formula1=f'"{",".join(column.allowed)}"', allow_blank=True)
                sheet.add_data_validation(choices)
                letter = cell.column_letter
                choices.add(f"{letter}2:{letter}{FORM_ROWS}")
        sheet.freeze_panes = "A2"
    return book


def _plain(text: str) -> str:
    """A text cell that a spreadsheet will not run as a formula."""
    return f"'{text}" if text[:1] in "=+-@" and text else text
