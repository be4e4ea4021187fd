"""Limit what opening a workbook may allocate, and read its parts in chunks to find out.

A small file can claim all memory of a machine. Counted is what opening it would allocate: rows times columns up to the
farthest cell, and shared texts once for every cell that uses them.
"""

import zipfile
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

MAX_BYTES = 1 << 30
"""Unpacked size above which a workbook is refused."""
MAX_RATIO, RATIO_FROM = 200, 50 << 20
"""Highest ratio of unpacked to packed size above `RATIO_FROM` bytes; most workbooks reach 5 to 40."""
MAX_CELLS = 20_000_000
"""Rows times columns of a sheet, up to its farthest cell: all of them are allocated."""
MAX_REPEATED_CELLS = 5_000_000
"""Filled cells that come from repeating others."""
MAX_CHARACTERS = 1 << 28
"""Characters in all cells together, where many cells share a text."""
MAX_SHEET_LIST_BYTES = 16 << 20
"""Size of the list of sheets, which is read in one piece."""
MAX_DEPTH = 200
"""How deep elements may be nested."""
_CHUNK = 1 << 20
_OVERLAP = 1 << 16

ErrorCells = dict[tuple[int, int], str]
"""(row, column), from 1 -> text of a cell whose formula failed: `#DIV/0!`."""


class LimitError(Exception):
    """A workbook exceeds a limit; the message tells its author which, and what to do."""


@dataclass(frozen=True)
class Inspection:
    """Why a workbook must not be opened (`refusal`, blank if it may), and its error cells by sheet."""

    refusal: str = ""
    error_cells: Mapping[str, ErrorCells] = field(default_factory=dict)


def too_many_cells(row: int, column: int) -> LimitError:
    """Error for a sheet with a cell far from the others."""
    return LimitError(
        f"it reaches to row {row:,} and column {column:,}, which is more than {MAX_CELLS:,} cells. "
        "Delete what stands far from the table, or save the table as CSV."
    )


def too_many_repeats() -> LimitError:
    """Error for content that is repeated in too many cells."""
    return LimitError(
        f"what it repeats makes more than {MAX_REPEATED_CELLS:,} cells or {MAX_CHARACTERS:,} characters. "
        "Save the table as CSV."
    )


def read_chunks(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """Read a part of an archive in chunks, to its real end.

    Raises
    ------
    TooMuchError
        It is longer than the archive says.
    """
    real = copy(part)
    real.file_size = MAX_BYTES * 2  # otherwise reading ends where the archive claims that the part ends
    length = 0
    with archive.open(real) as stream:
        while chunk := stream.read(_CHUNK):
            length += len(chunk)
            if length > part.file_size:
                raise LimitError("it unpacks to more than it says: no spreadsheet program writes such a file.")
            yield chunk


class DepthCounter:
    """Handler that counts how deep elements are nested."""

    depth = 0

    def start(self, _name: str, _attributes: Mapping[str, str]) -> None:
        """Count the start of an element."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise LimitError(f"its elements lie more than {MAX_DEPTH} deep in each other. Save it again as .xlsx.")

    def end(self, _name: str) -> None:
        """Count the end of an element."""
        self.depth -= 1


def parse_xml(
    content: Iterator[bytes],
    start: Callable[[str, Any], None],
    end: Callable[[str], None],
    text: Callable[[str], None] | None = None,
) -> None:
    """Parse XML in chunks, calling the handlers at the start and end of elements and for text."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    for chunk in content:
        parser.Parse(chunk, False)
    parser.Parse(b"", True)
