"""Workbooks to rows of text: looked into before they are opened, because a small file can ask for all the memory.

What a person sees is what is read: visible sheets, values (not formulas), merged cells filled downwards. Dates come
as ISO text, whichever of the two date systems (1900, 1904) the workbook counts in.
"""

import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree

from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

from aiready.errors import InputError

WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".ods")
MOST_BYTES = 1 << 30
"""Unpacked size from which a workbook is refused."""
MOST_RATIO, RATIO_FROM = 200, 50 << 20
"""Times a workbook may grow when it is unpacked, once it is larger than `RATIO_FROM`; most grow 5 to 40 times."""
MOST_CELLS = 20_000_000
"""Rows times columns of a sheet, up to its farthest cell: room is made for all of them."""
_CHUNK = 1 << 20
_PLACES = (re.compile(rb' r="([A-Za-z]{1,3})\d'), re.compile(rb' r="[A-Za-z]{1,3}(\d+)'))
"""Columns and rows of cells as spreadsheet programs write them; and, at a third of the speed, as XML allows them."""
_ODD_PLACES = (
    re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{1,3})\d"""),
    re.compile(rb"""\sr\s*=\s*["'][A-Za-z]{1,3}(\d+)"""),
)
_FAILED = re.compile(
    rb"""<c\b(?=[^>]*\bt="e")[^>]*?\br="([A-Z]{1,3})(\d+)"[^>]*>(?:<f\b[^>]*(?:/>|>[^<]*</f>))?<v>([^<]*)</v>"""
)
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_NO_VALUE = re.compile(rb"""<c\b(?![^>]*\bt="str")[^>]*><f\b[^>]*(?:/>|>[^<]*</f>)(?:<v\s*/>|<v></v>)?</c>""")


def open_workbook(path: Path, file: str) -> CalamineWorkbook:
    """Open a workbook that is no larger than it looks.

    Raises
    ------
    InputError
        It is empty, damaged, locked by a password, unpacks to more than the limits, has a cell far away from the
        others, or formulas that no spreadsheet program has worked out yet.
    """
    try:
        if not path.stat().st_size:
            raise InputError(f"{file}: the file is empty. Remove it, or save the workbook again.")
        if complaint := _look(path).complaint:
            raise InputError(f"{file}: {complaint}")
        return CalamineWorkbook.from_path(str(path))
    except (CalamineError, OSError, zipfile.BadZipFile, ElementTree.ParseError, KeyError, ValueError) as problem:
        raise InputError(
            f"{file}: cannot be read as a workbook ({problem}). Save it again as .xlsx, without password."
        ) from problem


def sheets_of(path: Path, file: str) -> tuple[list[str], list[str]]:
    """Names of the sheets a person sees, in order, and of those that are hidden."""
    known = open_workbook(path, file).sheets_metadata
    seen = [sheet.name for sheet in known if sheet.visible == SheetVisibleEnum.Visible]
    return seen, [sheet.name for sheet in known if sheet.name not in seen]


def texts_of(book: CalamineWorkbook, sheet: str) -> list[list[str]]:
    """Every row of a sheet as text; a value merged over several rows stands in each of them."""
    try:
        found = book.get_sheet_by_name(sheet)
        rows = [[_text(cell) for cell in row] for row in found.to_python(skip_empty_area=False)]
    except CalamineError as problem:
        name = Path(str(book.path)).name
        raise InputError(f'{name}: the sheet "{sheet}" cannot be read. Save the workbook again as .xlsx.') from problem
    for (at, column), said in _look(Path(str(book.path))).failed.get(sheet, {}).items():
        rows[at - 1][column - 1] = said  # `#DIV/0!`: the reader itself would give a blank
    for (top, left), (bottom, _) in found.merged_cell_ranges or ():
        for row in rows[top + 1 : bottom + 1]:
            if any(row):  # a merge that runs on below the table makes no rows
                row[left] = rows[top][left]
    return rows


def _text(cell: object) -> str:
    """Text of a cell; whole numbers without their `.0`, dates in ISO form."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    return str(cell)


# Before it is opened -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Look:
    """What a workbook is before it is opened: what forbids opening it, and by sheet the cells that failed."""

    complaint: str = ""
    failed: Mapping[str, Mapping[tuple[int, int], str]] = field(default_factory=dict)


def _look(path: Path) -> _Look:
    status = path.stat()
    return _looked(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=256)
def _looked(path: Path, _changed: int, size: int) -> _Look:
    """Look into a workbook, again only when it changed."""
    if not zipfile.is_zipfile(path):
        return _Look()  # an old .xls, or no workbook at all: its reader says so
    with zipfile.ZipFile(path) as packed:
        parts = packed.infolist()
        unpacked = sum(part.file_size for part in parts)
        if unpacked > MOST_BYTES or (unpacked > RATIO_FROM and unpacked > MOST_RATIO * size):
            grown = f"{unpacked / 2**20:,.0f} MB from {size / 2**20:,.1f} MB"
            return _Look(f"unpacks to {grown}. Save the table alone, as CSV.")
        if sum(part.compress_size for part in parts) > size:
            return _Look("its parts overlap: no spreadsheet program writes such a file. Save it again as .xlsx.")
        failed = {}
        for part, name in _sheet_parts(packed).items():
            complaint, failed[name] = _measured(packed, part)
            if complaint:
                return _Look(f'sheet "{name}": {complaint}')
    return _Look(failed=failed)


def _sheet_parts(packed: zipfile.ZipFile) -> dict[str, str]:
    """Names of the sheets by the parts of the file that hold them."""
    if "xl/workbook.xml" not in packed.namelist():
        return {}
    links = ElementTree.fromstring(packed.read("xl/_rels/workbook.xml.rels"))
    targets = {link.get("Id"): f"{link.get('Target')}".removeprefix("/xl/").removeprefix("xl/") for link in links}
    sheets = ElementTree.fromstring(packed.read("xl/workbook.xml")).iterfind(".//{*}sheet")
    named = {f"xl/{targets.get(sheet.get(_LINK))}": f"{sheet.get('name')}" for sheet in sheets}
    return {part: name for part, name in named.items() if part in packed.namelist()}


def _measured(packed: zipfile.ZipFile, part: str) -> tuple[str, dict[tuple[int, int], str]]:
    """What is wrong with one sheet (a cell far away, a formula without a value), and its failed cells."""
    from openpyxl.utils.cell import column_index_from_string

    columns: set[bytes] = set()
    last, unworked = 0, 0
    failed: dict[tuple[int, int], str] = {}
    for cells in _cells(packed, part):
        column_of, row_of = _ODD_PLACES if _is_odd(cells) else _PLACES
        columns.update(column_of.findall(cells))
        last = max([last, *map(int, set(row_of.findall(cells)))])
        unworked += len(_NO_VALUE.findall(cells)) if b"<f" in cells else 0
        for column, row, said in _FAILED.findall(cells) if b't="e"' in cells else ():
            failed[int(row), column_index_from_string(column.decode())] = said.decode()
    width = max((column_index_from_string(column.decode().upper()) for column in columns), default=0)
    if last * width > MOST_CELLS:
        return (
            f"it reaches to row {last:,} and column {width:,}, which is more than {MOST_CELLS:,} cells. "
            "Delete what stands far from the table, or save the table as CSV."
        ), {}
    if unworked:
        count = "a formula has" if unworked == 1 else f"{unworked} formulas have"
        return f"{count} no value yet. Open the workbook in a spreadsheet program and save it.", {}
    return "", failed


def _is_odd(cells: bytes) -> bool:
    """Whether XML may write a cell's place in another way than ` r="A1"`."""
    spaced = b"\t" in cells or b"\n" in cells or b"\r" in cells or b" r " in cells
    return spaced or cells.count(b" r=") != cells.count(b' r="')


def _cells(packed: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """The XML of a sheet in pieces that end between two cells."""
    rest = b""
    with packed.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            rest += chunk
            cut = max(rest.rfind(b"<c "), 0)
            yield rest[:cut]
            rest = rest[cut:]
    yield rest
