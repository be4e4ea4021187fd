"""Workbooks to rows of text, each looked into before it is opened.

What a person sees is what is read: visible sheets, values (not formulas), merged cells filled downwards. Dates come
as ISO text, whichever of the two date systems (1900, 1904) the workbook counts in.
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
from aiready.inputs.file_signatures import LOCKED, ODS, XLS, XLSX, Kind, kind_of
from aiready.inputs.workbook_limits import MOST_CELLS, Look

_Merge = tuple[tuple[int, int], tuple[int, int]]
WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".ods")
_KINDS = {".xlsx": XLSX, ".xlsm": XLSX, ".xls": XLS, ".ods": ODS}


def open_workbook(path: Path, file: str) -> CalamineWorkbook:
    """Open a workbook that is no larger than it looks.

    Raises
    ------
    InputError
        It is empty, damaged, locked by a password, unpacks to more than the limits, has a cell far away from the
        others, or formulas that no spreadsheet program has worked out yet.
    """
    if not path.is_file():  # a pipe would never end
        raise InputError(f"{file}: this is no file with rows in it, or it is gone. Put the file itself there.")
    if not path.stat().st_size:
        raise InputError(f"{file}: the file is empty. Remove it, or save the workbook again.")
    try:
        kind = kind_of(path)
        if kind is not None and kind is not _KINDS[path.suffix.lower()]:
            raise InputError(f"{file}: {_other_kind(path, kind)}")
        if complaint := _look(path).complaint:
            raise InputError(f"{file}: {complaint}")
        return CalamineWorkbook.from_path(str(path))
    except PasswordError as problem:
        raise InputError(f"{file}: {_other_kind(path, LOCKED)}") from problem
    except BaseException as problem:
        if not isinstance(problem, _DAMAGED) and type(problem).__name__ != _PANIC:
            raise
        raise InputError(
            f"{file}: cannot be read as a workbook ({_cause(problem)}). It is cut off or damaged: open it in a "
            "spreadsheet program and save it anew, or export it again."
        ) from problem


_PANIC = "PanicException"
"""What the reader raises when it gives up; Python knows it by name only."""
_DAMAGED = (
    CalamineError, OSError, zipfile.BadZipFile, zlib.error, EOFError, ElementTree.ParseError, ExpatError, KeyError,
    ValueError, NotImplementedError, RuntimeError, struct.error,
)  # fmt: skip


def _other_kind(path: Path, kind: Kind) -> str:
    """What a file is that is called a workbook and is another one, or none."""
    if kind is LOCKED:
        return "the workbook is locked by a password. Open it, take the password away, and save it."
    mend = kind.mend(".xlsx or CSV")
    return f"cannot be read as a workbook: this is {kind.words}, though its name ends in {path.suffix}. {mend}"


def _cause(problem: BaseException) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0][:200]


def _look(path: Path) -> Look:
    status = path.stat()
    return _looked(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=256)
def _looked(path: Path, _changed: int, size: int) -> Look:
    """Look into a workbook, again only when it changed."""
    if path.suffix.lower() == ".xls":
        return legacy_workbooks.look(path)
    return zip_workbooks.look(path, size)


def sheets_of(path: Path, file: str) -> tuple[list[str], list[str]]:
    """Names of the sheets a person sees, in order, and of those that are hidden."""
    known = open_workbook(path, file).sheets_metadata
    seen = [sheet.name for sheet in known if sheet.visible == SheetVisibleEnum.Visible]
    return seen, [sheet.name for sheet in known if sheet.name not in seen]


def texts_of(book: CalamineWorkbook, sheet: str) -> list[list[str]]:
    """Every row of a sheet as text; a value merged over several rows stands in each of them."""
    where = f'{Path(str(book.path)).name}: sheet "{sheet}"'
    try:
        found = book.get_sheet_by_name(sheet)
        rows = [[_text(cell) for cell in row] for row in found.to_python(skip_empty_area=False)]
    except BaseException as problem:
        if not isinstance(problem, CalamineError) and type(problem).__name__ != _PANIC:
            raise
        raise InputError(f"{where} cannot be read ({_cause(problem)}). Export it again.") from problem
    for (at, column), said in _look(Path(str(book.path))).failed.get(sheet, {}).items():
        if at <= len(rows) and column <= len(rows[at - 1]):
            rows[at - 1][column - 1] = said  # `#DIV/0!`: the reader itself would give a blank
    _fill_down(rows, found.merged_cell_ranges or (), where)
    return rows


def _fill_down(rows: list[list[str]], merges: Sequence[_Merge], where: str) -> None:
    """Write a merged value into every filled row it spans: a merge that runs on below the table makes no rows."""
    filled = [at for at, row in enumerate(rows) if any(row)] if merges else []
    written = 0
    for (top, left), (bottom, _) in merges:
        if top >= len(rows) or left >= len(rows[top]):
            continue
        spanned = filled[bisect_right(filled, top) : bisect_right(filled, bottom)]
        written += len(spanned)
        if written > MOST_CELLS:
            raise InputError(f"{where}: its merged cells lie over each other. Undo the merging, and save it again.")
        for at in spanned:
            rows[at][left] = rows[top][left]


def _text(cell: object) -> str:
    """Text of a cell; whole numbers without their `.0`, dates in ISO form."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    return str(cell)
