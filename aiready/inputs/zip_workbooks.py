"""Inspect workbooks that are ZIP archives (.xlsx, .xlsm, .ods) before they are opened."""

import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

import numpy as np

from aiready.inputs import opendocument
from aiready.inputs.workbook_limits import (
    MAX_BYTES,
    MAX_CELLS,
    MAX_CHARACTERS,
    MAX_RATIO,
    MAX_SHEET_LIST_BYTES,
    RATIO_FROM,
    DepthCounter,
    ErrorCells,
    Inspection,
    LimitError,
    parse_xml,
    read_chunks,
    too_many_cells,
    too_many_repeats,
)  # fmt: skip

_OVERLAP = 1 << 16


def inspect_zip(path: Path, size: int) -> Inspection:
    """Inspect a workbook that is a ZIP archive: `.xlsx`, `.xlsm`, `.ods`.

    Raises
    ------
    zipfile.BadZipFile, xml.parsers.expat.ExpatError, and other errors of a damaged file
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_size(archive, size)
            sheet_names = _sheet_names_by_part(archive)
            text_lengths = _shared_text_lengths(archive)
            error_cells: dict[str, ErrorCells] = {}
            for part in archive.infolist():
                name = sheet_names.get(part.filename.casefold(), part.filename)
                error_cells[name] = _inspect_part(archive, part, name, text_lengths)
    except LimitError as problem:
        return Inspection(str(problem))
    return Inspection(error_cells={name: cells for name, cells in error_cells.items() if cells})


def _check_size(archive: zipfile.ZipFile, size: int) -> None:
    parts = archive.infolist()
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MAX_BYTES or (unpacked > RATIO_FROM and unpacked > MAX_RATIO * size):
        grown = f"{unpacked / 2**20:,.0f} MB from {size / 2**20:,.1f} MB"
        raise LimitError(f"unpacks to {grown}. Save the table alone, as CSV.")
    if sum(part.compress_size for part in parts) > size:
        raise LimitError("its parts overlap: no spreadsheet program writes such a file. Save it again as .xlsx.")


def _sheet_names_by_part(archive: zipfile.ZipFile) -> dict[str, str]:
    """Name of the sheet by the part of the archive that holds it, in lower case."""
    parts = {part.filename.casefold(): part for part in archive.infolist()}
    if "xl/workbook.xml" not in parts or "xl/_rels/workbook.xml.rels" not in parts:
        return {}
    links = _parse_small_part(archive, parts["xl/_rels/workbook.xml.rels"])
    targets = {link.get("Id"): f"{link.get('Target')}".removeprefix("/xl/").removeprefix("xl/") for link in links}
    sheet_names = {}
    for sheet in _parse_small_part(archive, parts["xl/workbook.xml"]).iterfind(".//{*}sheet"):
        link = next((value for key, value in sheet.items() if key.endswith("}id")), "")
        sheet_names[f"xl/{targets.get(link)}".casefold()] = f"{sheet.get('name')}"
    return sheet_names


def _parse_small_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> ElementTree.Element:
    """Parse a part that must be small, after checking that it is neither long nor deeply nested."""
    content = bytearray()
    for chunk in read_chunks(archive, part):
        content += chunk
        if len(content) > MAX_SHEET_LIST_BYTES:
            raise LimitError(
                f"the list of its sheets is longer than {MAX_SHEET_LIST_BYTES >> 20} MB. Save it again as .xlsx."
            )
    depth = DepthCounter()
    parse_xml(iter([bytes(content)]), depth.start, depth.end)
    return ElementTree.fromstring(bytes(content))


def _inspect_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo, name: str, text_lengths: np.ndarray) -> ErrorCells:
    """Error cells of a part; any part may be read as a sheet, whatever its name."""
    try:
        if part.filename.casefold() == "content.xml":
            name = ""  # holds all sheets
            return opendocument.inspect_content(read_chunks(archive, part))
        scan = _scan_by_pattern(read_chunks(archive, part))
        if scan is None:
            return _scan_as_xml(read_chunks(archive, part), text_lengths)
        error_cells, shared = scan
        if len(text_lengths) and shared * int(text_lengths.max()) > MAX_CHARACTERS < _count_shared_characters(
            read_chunks(archive, part), text_lengths
        ):
            raise too_many_repeats()
        return error_cells
    except LimitError as problem:
        raise LimitError(f'sheet "{name}": {problem}' if name else str(problem)) from None


# .xlsx -------------------------------------------------------------------------------------------------------

_CELL_REFERENCES = (re.compile(rb'<c r="([A-Za-z]+)\d'), re.compile(rb'<c r="[A-Za-z]+(\d+)"'))
"""Columns and rows of cells as spreadsheet programs write them; sheets written otherwise are parsed as XML."""
_CELL_OR_ROW_TAG = re.compile(rb"<(?:[^\s<>/!?]+:)?(?:c|row)[\s/>]")
_ERROR_CELL = re.compile(
    rb"""<c\b(?=[^>]*\bt="e")[^>]*?\br="([A-Z]{1,3})(\d+)"[^>]*>(?:<f\b[^>]*(?:/>|>[^<]*</f>))?<v>([^<]*)</v>"""
)
_FORMULA_WITHOUT_VALUE = re.compile(
    rb"""<c\b(?![^>]*\bt="str")[^>]*><f\b[^>]*(?:/>|>[^<]*</f>)(?:<v\s*/>|<v></v>)?</c>"""
)
_SHARED_TEXT_INDEX = re.compile(rb't="s"[^>]*><v>(\d+)</v>')


def _scan_by_pattern(content: Iterator[bytes]) -> tuple[ErrorCells, int] | None:
    """Error cells of a sheet, and how many cells use shared texts, by patterns; None if these do not fit.

    The patterns fit sheets as spreadsheet programs write them, and take a fraction of the time of XML parsing.
    """
    columns: set[bytes] = set()
    last_row, valueless_formulas, shared_cells = 0, 0, 0
    error_cells: ErrorCells = {}
    column_of, row_of = _CELL_REFERENCES
    for cells in _split_between_cells(content):
        rows = row_of.findall(cells)
        if len(_CELL_OR_ROW_TAG.findall(cells)) != len(rows) + cells.count(b'<row r="'):
            return None
        columns.update(column_of.findall(cells))
        last_row = max([last_row, *map(int, set(rows))])
        valueless_formulas += len(_FORMULA_WITHOUT_VALUE.findall(cells)) if b"<f" in cells else 0
        shared_cells += cells.count(b't="s"')
        for column, row, error_text in _ERROR_CELL.findall(cells) if b't="e"' in cells else ():
            error_cells[int(row), column_number(column.decode())] = error_text.decode()
    width = max((column_number(column.decode()) for column in columns), default=0)
    _check_sheet(last_row, width, valueless_formulas)
    return error_cells, shared_cells


def _count_shared_characters(content: Iterator[bytes], text_lengths: np.ndarray) -> int:
    """Characters in the cells of a sheet that use shared texts."""
    characters = 0
    for cells in _split_between_cells(content):
        indexes = [int(index[:9]) for index in _SHARED_TEXT_INDEX.findall(cells)]
        characters += int(text_lengths[np.minimum(indexes, len(text_lengths) - 1)].sum()) if indexes else 0
        characters += int(text_lengths.max()) * max(cells.count(b't="s"') - len(indexes), 0)
    return characters


def _check_sheet(last_row: int, width: int, valueless_formulas: int) -> None:
    if last_row * width > MAX_CELLS:
        raise too_many_cells(last_row, width)
    if valueless_formulas:
        count = "a formula has" if valueless_formulas == 1 else f"{valueless_formulas} formulas have"
        raise LimitError(f"{count} no value yet. Open the workbook in a spreadsheet program and save it.")


def column_number(letters: str) -> int:
    """Number of a column from 1: A is 1, XFD is 16,384."""
    number = 0
    for letter in letters[:8].upper():
        number = number * 26 + ord(letter) - 64
    return number


def _split_between_cells(content: Iterator[bytes]) -> Iterator[bytes]:
    """Split the XML of a sheet into chunks that end between two cells."""
    rest = b""
    for chunk in content:
        rest += chunk
        cut = max(rest.rfind(b"<c "), 0)
        if not cut and len(rest) > _OVERLAP:
            cut = rest.rfind(b">") + 1  # no sheet, or one written in another way
        yield rest[:cut]
        rest = rest[cut:]
    yield rest


class _SheetHandler:
    """Measures a sheet in any valid XML: a cell without a reference follows the one before."""

    def __init__(self, text_lengths: np.ndarray) -> None:
        self.text_lengths, self.error_cells = text_lengths, ErrorCells()
        self.row = self.column = self.last_row = self.width = self.characters = self.valueless_formulas = 0
        self.kind, self.element, self.value, self.formula = "", "", "", False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "row":
            self.row, self.column = int(attributes.get("r", self.row + 1)), 0
        elif name == "c":
            reference = re.fullmatch(r"([A-Za-z]+)(\d+)", attributes.get("r", ""))
            self.column = column_number(reference[1]) if reference else self.column + 1
            self.row = int(reference[2]) if reference else max(self.row, 1)
            self.last_row, self.width = max(self.last_row, self.row), max(self.width, self.column)
            if self.last_row * self.width > MAX_CELLS:
                raise too_many_cells(self.last_row, self.width)
            self.kind, self.value, self.formula = attributes.get("t", ""), "", False
        self.formula |= name == "f"
        self.element = name

    def text(self, characters: str) -> None:
        if self.element == "v":
            self.value += characters[:_OVERLAP]

    def end(self, name: str) -> None:
        self.element = ""
        if name.rpartition(":")[2] != "c":
            return
        if self.kind == "e":
            self.error_cells[self.row, self.column] = self.value
        if self.kind == "s" and len(self.text_lengths):
            self.characters += int(self.text_lengths[min(int(self.value[:9] or 0), len(self.text_lengths) - 1)])
            if self.characters > MAX_CHARACTERS:
                raise too_many_repeats()
        self.valueless_formulas += self.formula and not self.value and self.kind != "str"


def _scan_as_xml(content: Iterator[bytes], text_lengths: np.ndarray) -> ErrorCells:
    """Error cells of a sheet in any valid XML; {} for a part that is no XML, and so no sheet."""
    sheet = _SheetHandler(text_lengths)
    try:
        parse_xml(content, sheet.start, sheet.end, sheet.text)
    except (expat.ExpatError, ValueError):
        return {}  # opening it reports the error
    _check_sheet(sheet.last_row, sheet.width, sheet.valueless_formulas)
    return sheet.error_cells


def _shared_text_lengths(archive: zipfile.ZipFile) -> np.ndarray:
    """Upper bounds of the lengths of the shared texts."""
    lengths = [np.empty(0, np.int64)]
    for part in archive.infolist():
        if part.filename.casefold().rpartition("/")[2] == "sharedstrings.xml":
            starts, offset, rest = [], 0, b""
            for chunk in read_chunks(archive, part):
                window = rest + chunk
                certain = len(window) - _LONGEST_TAG
                starts += [
                    offset + match.start() for match in _SHARED_TEXT_START.finditer(window) if match.start() < certain
                ]
                rest, offset = window[max(certain, 0) :], offset + max(certain, 0)
            starts += [offset + match.start() for match in _SHARED_TEXT_START.finditer(rest)]
            lengths.append(np.diff([*starts, offset + len(rest)]))
    return np.concatenate(lengths)


_SHARED_TEXT_START = re.compile(rb"<(?:[^\s<>/!?:]{1,60}:)?si[\s/>]")
_LONGEST_TAG = 80
