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

MOST_BYTES = 1 << 30
"""Unpacked size from which a workbook is refused."""
MOST_RATIO, RATIO_FROM = 200, 50 << 20
"""Times a workbook may grow when it is unpacked, once it is larger than `RATIO_FROM`; most grow 5 to 40 times."""
MOST_CELLS = 20_000_000
"""Rows times columns of a sheet, up to its farthest cell: room is made for all of them."""
MOST_REPEATED = 5_000_000
"""Filled cells that repeats may make of a few."""
MOST_TEXT = 1 << 28
"""Signs in all cells together, where one text stands in many."""
MOST_OF_LISTS = 16 << 20
"""Bytes of the list of sheets, which is read as a whole."""
MOST_DEEP = 200
"""How deep elements may lie in each other."""
_CHUNK = 1 << 20
_OVERLAP = 1 << 16

Failed = dict[tuple[int, int], str]


class TooMuchError(Exception):
    """What a workbook asks for, in words for the one who made it."""


@dataclass(frozen=True)
class Look:
    """What a workbook is before it is opened: what forbids opening it, and by sheet the cells that failed."""

    complaint: str = ""
    failed: Mapping[str, Failed] = field(default_factory=dict)


def too_far(row: int, column: int) -> TooMuchError:
    """What to say of a cell that lies far from the others."""
    return TooMuchError(
        f"it reaches to row {row:,} and column {column:,}, which is more than {MOST_CELLS:,} cells. "
        "Delete what stands far from the table, or save the table as CSV."
    )


def repeated() -> TooMuchError:
    """What to say of little that stands in many cells."""
    return TooMuchError(
        f"what it repeats makes more than {MOST_REPEATED:,} cells or {MOST_TEXT:,} signs. Save the table as CSV."
    )


def pieces(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """A part of the archive to its real end, piece by piece.

    Raises
    ------
    TooMuchError
        It is longer than the archive says.
    """
    real = copy(part)
    real.file_size = MOST_BYTES * 2  # else reading ends where the archive claims that the part does
    length = 0
    with packed.open(real) as stream:
        while chunk := stream.read(_CHUNK):
            length += len(chunk)
            if length > part.file_size:
                raise TooMuchError("it unpacks to more than it says: no spreadsheet program writes such a file.")
            yield chunk


class Depth:
    """Counts how deep elements lie."""

    depth = 0

    def start(self, _name: str, _given: Mapping[str, str]) -> None:
        """Count an element that begins."""
        self.depth += 1
        if self.depth > MOST_DEEP:
            raise TooMuchError(f"its elements lie more than {MOST_DEEP} deep in each other. Save it again as .xlsx.")

    def end(self, _name: str) -> None:
        """Count an element that ends."""
        self.depth -= 1


def parse(
    content: Iterator[bytes],
    start: Callable[[str, Any], None],
    end: Callable[[str], None],
    text: Callable[[str], None] | None = None,
) -> None:
    """Read XML piece by piece, calling what is given at each start, end and text."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    for piece in content:
        parser.Parse(piece, False)
    parser.Parse(b"", True)
