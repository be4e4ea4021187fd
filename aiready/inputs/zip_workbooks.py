"""Workbooks that are ZIP archives (.xlsx, .xlsm, .ods), looked into before they are opened."""

import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

import numpy as np

from aiready.inputs import opendocument
from aiready.inputs.workbook_limits import (
    MOST_BYTES,
    MOST_CELLS,
    MOST_OF_LISTS,
    MOST_RATIO,
    MOST_TEXT,
    RATIO_FROM,
    Depth,
    Failed,
    Look,
    TooMuchError,
    parse,
    pieces,
    repeated,
    too_far,
)  # fmt: skip

_OVERLAP = 1 << 16


def look(path: Path, size: int) -> Look:
    """Look into a workbook that is a ZIP archive: `.xlsx`, `.xlsm`, `.ods`.

    Raises
    ------
    zipfile.BadZipFile, xml.parsers.expat.ExpatError, and other errors of a damaged file
    """
    try:
        with zipfile.ZipFile(path) as packed:
            _weighed(packed, size)
            named = _sheet_parts(packed)
            texts = _shared_texts(packed)
            failed: dict[str, Failed] = {}
            for part in packed.infolist():
                name = named.get(part.filename.casefold(), part.filename)
                failed[name] = _of_part(packed, part, name, texts)
    except TooMuchError as problem:
        return Look(str(problem))
    return Look(failed={name: cells for name, cells in failed.items() if cells})


def _weighed(packed: zipfile.ZipFile, size: int) -> None:
    parts = packed.infolist()
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MOST_BYTES or (unpacked > RATIO_FROM and unpacked > MOST_RATIO * size):
        grown = f"{unpacked / 2**20:,.0f} MB from {size / 2**20:,.1f} MB"
        raise TooMuchError(f"unpacks to {grown}. Save the table alone, as CSV.")
    if sum(part.compress_size for part in parts) > size:
        raise TooMuchError("its parts overlap: no spreadsheet program writes such a file. Save it again as .xlsx.")


def _sheet_parts(packed: zipfile.ZipFile) -> dict[str, str]:
    """Names of the sheets by the parts of the file that hold them, in small letters."""
    parts = {part.filename.casefold(): part for part in packed.infolist()}
    if "xl/workbook.xml" not in parts or "xl/_rels/workbook.xml.rels" not in parts:
        return {}
    links = _tree(packed, parts["xl/_rels/workbook.xml.rels"])
    targets = {link.get("Id"): f"{link.get('Target')}".removeprefix("/xl/").removeprefix("xl/") for link in links}
    named = {}
    for sheet in _tree(packed, parts["xl/workbook.xml"]).iterfind(".//{*}sheet"):
        link = next((value for key, value in sheet.items() if key.endswith("}id")), "")
        named[f"xl/{targets.get(link)}".casefold()] = f"{sheet.get('name')}"
    return named


def _tree(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> ElementTree.Element:
    """A small part as a whole, once it is known to be neither long nor deep."""
    content = bytearray()
    for chunk in pieces(packed, part):
        content += chunk
        if len(content) > MOST_OF_LISTS:
            raise TooMuchError(
                f"the list of its sheets is longer than {MOST_OF_LISTS >> 20} MB. Save it again as .xlsx."
            )
    depth = Depth()
    parse(iter([bytes(content)]), depth.start, depth.end)
    return ElementTree.fromstring(bytes(content))


def _of_part(packed: zipfile.ZipFile, part: zipfile.ZipInfo, name: str, texts: np.ndarray) -> Failed:
    """Failed cells of a part; whatever it is called, it may be read as a sheet."""
    try:
        if part.filename.casefold() == "content.xml":
            name = ""  # of all sheets in one
            return opendocument.measure(pieces(packed, part))
        quick = _quickly(pieces(packed, part))
        if quick is None:
            return _exactly(pieces(packed, part), texts)
        failed, shared = quick
        if len(texts) and shared * int(texts.max()) > MOST_TEXT < _signs(pieces(packed, part), texts):
            raise repeated()
        return failed
    except TooMuchError as problem:
        raise TooMuchError(f'sheet "{name}": {problem}' if name else str(problem)) from None


# .xlsx -------------------------------------------------------------------------------------------------------

_PLACES = (re.compile(rb'<c r="([A-Za-z]+)\d'), re.compile(rb'<c r="[A-Za-z]+(\d+)"'))
"""Columns and rows of cells as spreadsheet programs write them; what is written otherwise is read as XML."""
_ELEMENTS = re.compile(rb"<(?:[^\s<>/!?]+:)?(?:c|row)[\s/>]")
_FAILED = re.compile(
    rb"""<c\b(?=[^>]*\bt="e")[^>]*?\br="([A-Z]{1,3})(\d+)"[^>]*>(?:<f\b[^>]*(?:/>|>[^<]*</f>))?<v>([^<]*)</v>"""
)
_NO_VALUE = re.compile(rb"""<c\b(?![^>]*\bt="str")[^>]*><f\b[^>]*(?:/>|>[^<]*</f>)(?:<v\s*/>|<v></v>)?</c>""")
_SHARED = re.compile(rb't="s"[^>]*><v>(\d+)</v>')


def _quickly(content: Iterator[bytes]) -> tuple[Failed, int] | None:
    """Failed cells of a sheet as spreadsheet programs write it, and how many cells share a text.

    None when it is written in another way.
    """
    columns: set[bytes] = set()
    last, unworked, shared = 0, 0, 0
    failed: Failed = {}
    column_of, row_of = _PLACES
    for cells in _between_cells(content):
        rows = row_of.findall(cells)
        if len(_ELEMENTS.findall(cells)) != len(rows) + cells.count(b'<row r="'):
            return None
        columns.update(column_of.findall(cells))
        last = max([last, *map(int, set(rows))])
        unworked += len(_NO_VALUE.findall(cells)) if b"<f" in cells else 0
        shared += cells.count(b't="s"')
        for column, row, said in _FAILED.findall(cells) if b't="e"' in cells else ():
            failed[int(row), column_number(column.decode())] = said.decode()
    width = max((column_number(column.decode()) for column in columns), default=0)
    _judge(last, width, unworked)
    return failed, shared


def _signs(content: Iterator[bytes], texts: np.ndarray) -> int:
    """Signs that the cells of a sheet share, each text as often as it stands in one."""
    signs = 0
    for cells in _between_cells(content):
        places = [int(place[:9]) for place in _SHARED.findall(cells)]
        signs += int(texts[np.minimum(places, len(texts) - 1)].sum()) if places else 0
        signs += int(texts.max()) * max(cells.count(b't="s"') - len(places), 0)
    return signs


def _judge(last: int, width: int, unworked: int) -> None:
    if last * width > MOST_CELLS:
        raise too_far(last, width)
    if unworked:
        count = "a formula has" if unworked == 1 else f"{unworked} formulas have"
        raise TooMuchError(f"{count} no value yet. Open the workbook in a spreadsheet program and save it.")


def column_number(letters: str) -> int:
    """Number of a column from 1: A is 1, XFD is 16,384."""
    number = 0
    for letter in letters[:8].upper():
        number = number * 26 + ord(letter) - 64
    return number


def _between_cells(content: Iterator[bytes]) -> Iterator[bytes]:
    """The XML of a sheet in pieces that end between two cells."""
    rest = b""
    for chunk in content:
        rest += chunk
        cut = max(rest.rfind(b"<c "), 0)
        if not cut and len(rest) > _OVERLAP:
            cut = rest.rfind(b">") + 1  # no sheet of ours, or one written in another way
        yield rest[:cut]
        rest = rest[cut:]
    yield rest


class _Sheet:
    """Measures a sheet as XML allows it to be written: cells without a place stand after the one before."""

    def __init__(self, texts: np.ndarray) -> None:
        self.texts, self.failed = texts, Failed()
        self.row = self.column = self.last = self.width = self.signs = self.unworked = 0
        self.kind, self.inside, self.value, self.formula = "", "", "", False

    def start(self, name: str, given: Mapping[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "row":
            self.row, self.column = int(given.get("r", self.row + 1)), 0
        elif name == "c":
            place = re.fullmatch(r"([A-Za-z]+)(\d+)", given.get("r", ""))
            self.column = column_number(place[1]) if place else self.column + 1
            self.row = int(place[2]) if place else max(self.row, 1)
            self.last, self.width = max(self.last, self.row), max(self.width, self.column)
            if self.last * self.width > MOST_CELLS:
                raise too_far(self.last, self.width)
            self.kind, self.value, self.formula = given.get("t", ""), "", False
        self.formula |= name == "f"
        self.inside = name

    def text(self, said: str) -> None:
        if self.inside == "v":
            self.value += said[:_OVERLAP]

    def end(self, name: str) -> None:
        self.inside = ""
        if name.rpartition(":")[2] != "c":
            return
        if self.kind == "e":
            self.failed[self.row, self.column] = self.value
        if self.kind == "s" and len(self.texts):
            self.signs += int(self.texts[min(int(self.value[:9] or 0), len(self.texts) - 1)])
            if self.signs > MOST_TEXT:
                raise repeated()
        self.unworked += self.formula and not self.value and self.kind != "str"


def _exactly(content: Iterator[bytes], texts: np.ndarray) -> Failed:
    """The same of any sheet; what is no XML is no sheet either."""
    sheet = _Sheet(texts)
    try:
        parse(content, sheet.start, sheet.end, sheet.text)
    except (expat.ExpatError, ValueError):
        return {}  # its reader says so
    _judge(sheet.last, sheet.width, sheet.unworked)
    return sheet.failed


def _shared_texts(packed: zipfile.ZipFile) -> np.ndarray:
    """Lengths, at most, of the texts that cells may share."""
    lengths = [np.empty(0, np.int64)]
    for part in packed.infolist():
        if part.filename.casefold().rpartition("/")[2] == "sharedstrings.xml":
            starts, begun, rest = [], 0, b""
            for chunk in pieces(packed, part):
                window = rest + chunk
                certain = len(window) - _LONGEST_TAG
                starts += [begun + at.start() for at in _TEXT.finditer(window) if at.start() < certain]
                rest, begun = window[max(certain, 0) :], begun + max(certain, 0)
            starts += [begun + at.start() for at in _TEXT.finditer(rest)]
            lengths.append(np.diff([*starts, begun + len(rest)]))
    return np.concatenate(lengths)


_TEXT = re.compile(rb"<(?:[^\s<>/!?:]{1,60}:)?si[\s/>]")
_LONGEST_TAG = 80
