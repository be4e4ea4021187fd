"""Read sheets of workbooks as rows of text; every workbook is inspected before it is opened.

What a person sees is what is read: visible sheets, values (not formulas), merged cells filled downwards. Dates become
ISO text, in either date system of workbooks (1900, 1904).
"""

import struct
import zipfile
import zlib
from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers.expat import ExpatError

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

from aiready.errors import InputError
from aiready.inputs import legacy_workbooks, zip_workbooks
from aiready.inputs.file_signatures import ENCRYPTED, ODS, XLS, XLSX, FileKind, kind_of
from aiready.inputs.workbook_limits import MAX_CELLS, Inspection

_Merge = tuple[tuple[int, int], tuple[int, int]]
WORKBOOK_SUFFIXES = (".xlsx", ".xlsm", ".xls", ".ods")
_KINDS = {".xlsx": XLSX, ".xlsm": XLSX, ".xls": XLS, ".ods": ODS}


def open_workbook(path: Path, file: str) -> CalamineWorkbook:
    """Open a workbook after inspecting it.

    Raises
    ------
    InputError
        It is empty, damaged, locked by a password, or larger than the limits once unpacked; it has a cell far away
        from the others, or formulas that no spreadsheet program has calculated yet.
    """
    if not path.is_file():  # a pipe would never end
        raise InputError(f"{file}: this is no file with rows in it, or it is gone. Put the file itself there.")
    if not path.stat().st_size:
        raise InputError(f"{file}: the file is empty. Remove it, or save the workbook again.")
    try:
        kind = kind_of(path)
        if kind is not None and kind is not _KINDS[path.suffix.lower()]:
            raise InputError(f"{file}: {_wrong_kind_message(path, kind)}")
        if refusal := _inspect(path).refusal:
            raise InputError(f"{file}: {refusal}")
        return CalamineWorkbook.from_path(str(path))
    except PasswordError as problem:
        raise InputError(f"{file}: {_wrong_kind_message(path, ENCRYPTED)}") from problem
    except BaseException as problem:
        if not isinstance(problem, _DAMAGED) and type(problem).__name__ != _PANIC:
            raise
        raise InputError(
            f"{file}: cannot be read as a workbook ({_first_line(problem)}). It is cut off or damaged: open it in a "
            "spreadsheet program and save it anew, or export it again."
        ) from problem


_PANIC = "PanicException"
"""Name of the exception that calamine raises on a Rust panic; Python offers no class to catch."""
_DAMAGED = (
    CalamineError, OSError, zipfile.BadZipFile, zlib.error, EOFError, ElementTree.ParseError, ExpatError, KeyError,
    ValueError, RuntimeError, struct.error,
)  # fmt: skip


def _wrong_kind_message(path: Path, kind: FileKind) -> str:
    """Message for a file whose suffix promises another kind of workbook than it is."""
    if kind is ENCRYPTED:
        return "the workbook is locked by a password. Open it, take the password away, and save it."
    advice = kind.advice(".xlsx or CSV")
    return f"cannot be read as a workbook: this is {kind.description}, though its name ends in {path.suffix}. {advice}"


def _first_line(problem: BaseException) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0][:200]


def _inspect(path: Path) -> Inspection:
    status = path.stat()
    return _inspect_cached(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=256)
def _inspect_cached(path: Path, _changed: int, size: int) -> Inspection:
    """Inspect a workbook, again only after it changed."""
    if path.suffix.lower() == ".xls":
        return legacy_workbooks.inspect_xls(path)
    return zip_workbooks.inspect_zip(path, size)


def visible_and_hidden_sheets(path: Path, file: str) -> tuple[list[str], list[str]]:
    """Names of the visible sheets, in order, and of the hidden ones."""
    sheets = open_workbook(path, file).sheets_metadata
    visible = [sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible]
    return visible, [sheet.name for sheet in sheets if sheet.name not in visible]


def read_sheet_rows(book: CalamineWorkbook, sheet: str) -> list[list[str]]:
    """Every row of a sheet as text; a cell merged over several rows is repeated in each of them."""
    label = f'{Path(str(book.path)).name}: sheet "{sheet}"'
    try:
        worksheet = book.get_sheet_by_name(sheet)
        rows = [[_cell_text(cell) for cell in row] for row in worksheet.to_python(skip_empty_area=False)]
    except BaseException as problem:
        if not isinstance(problem, CalamineError) and type(problem).__name__ != _PANIC:
            raise
        raise InputError(f"{label} cannot be read ({_first_line(problem)}). Export it again.") from problem
    for (row_number, column), error_text in _inspect(Path(str(book.path))).error_cells.get(sheet, {}).items():
        if row_number <= len(rows) and column <= len(rows[row_number - 1]):
            rows[row_number - 1][column - 1] = error_text  # `#DIV/0!`, which calamine returns as a blank
    _fill_down(rows, worksheet.merged_cell_ranges or (), label)
    return rows


def _fill_down(rows: list[list[str]], merges: Sequence[_Merge], label: str) -> None:
    """Copy merged cells into every filled row that they span; a merge that runs on below the table adds no rows."""
    filled = [index for index, row in enumerate(rows) if any(row)] if merges else []
    written = 0
    for (top, left), (bottom, _) in merges:
        if top >= len(rows) or left >= len(rows[top]):
            continue
        spanned = filled[bisect_right(filled, top) : bisect_right(filled, bottom)]
        written += len(spanned)
        if written > MAX_CELLS:
            raise InputError(f"{label}: its merged cells lie over each other. Undo the merging, and save it again.")
        for index in spanned:
            rows[index][left] = rows[top][left]


def _cell_text(cell: object) -> str:
    """Text of a cell: whole numbers without `.0`, dates in ISO format."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    return str(cell)
