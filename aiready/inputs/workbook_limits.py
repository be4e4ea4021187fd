"""What a workbook may ask for at most, and how its parts are read to find out: in pieces, to their real ends.

A small file can ask for all the memory of a machine. What is counted is what opening it would make room for: rows times
columns up to the farthest cell, texts as often as they stand in cells.
"""

import zipfile
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

MAX_BYTES = 1 << 30
"""Unpacked size from which a workbook is refused."""
MAX_RATIO, RATIO_FROM = 200, 50 << 20
"""Times a workbook may grow when it is unpacked, once it is larger than `RATIO_FROM`; most grow 5 to 40 times."""
MAX_CELLS = 20_000_000
"""Rows times columns of a sheet, up to its farthest cell: room is made for all of them."""
MAX_REPEATED_CELLS = 5_000_000
"""Filled cells that repeats may make of a few."""
MAX_CHARACTERS = 1 << 28
"""Signs in all cells together, where one text stands in many."""
MAX_SHEET_LIST_BYTES = 16 << 20
"""Bytes of the list of sheets, which is read as a whole."""
MAX_DEPTH = 200
"""How deep elements may lie in each other."""
_CHUNK = 1 << 20
_OVERLAP = 1 << 16

ErrorCells = dict[tuple[int, int], str]


class LimitError(Exception):
    """What a workbook asks for, in words for the one who made it."""


@dataclass(frozen=True)
class Inspection:
    """What a workbook is before it is opened: what forbids opening it, and by sheet the cells that failed."""

    refusal: str = ""
    error_cells: Mapping[str, ErrorCells] = field(default_factory=dict)


def too_many_cells(row: int, column: int) -> LimitError:
    """What to say of a cell that lies far from the others."""
    return LimitError(
        f"it reaches to row {row:,} and column {column:,}, which is more than {MAX_CELLS:,} cells. "
        "Delete what stands far from the table, or save the table as CSV."
    )


def too_many_repeats() -> LimitError:
    """What to say of little that stands in many cells."""
    return LimitError(
        f"what it repeats makes more than {MAX_REPEATED_CELLS:,} cells or {MAX_CHARACTERS:,} signs. Save the table as CSV."
    )


def read_chunks(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """A part of the archive to its real end, piece by piece.

    Raises
    ------
    TooMuchError
        It is longer than the archive says.
    """
    real = copy(part)
    real.file_size = MAX_BYTES * 2  # else reading ends where the archive claims that the part does
    length = 0
    with archive.open(real) as stream:
        while chunk := stream.read(_CHUNK):
            length += len(chunk)
            if length > part.file_size:
                raise LimitError("it unpacks to more than it says: no spreadsheet program writes such a file.")
            yield chunk


class DepthCounter:
    """Counts how deep elements lie."""

    depth = 0

    def start(self, _name: str, _attributes: Mapping[str, str]) -> None:
        """Count an element that begins."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise LimitError(f"its elements lie more than {MAX_DEPTH} deep in each other. Save it again as .xlsx.")

    def end(self, _name: str) -> None:
        """Count an element that ends."""
        self.depth -= 1


def parse_xml(
    content: Iterator[bytes],
    start: Callable[[str, Any], None],
    end: Callable[[str], None],
    text: Callable[[str], None] | None = None,
) -> None:
    """Read XML piece by piece, calling what is given at each start, end and text."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    for chunk in content:
        parser.Parse(chunk, False)
    parser.Parse(b"", True)
