"""Inspect old workbooks (.xls) before they are opened: a compound file whose streams consist of records.

calamine allocates all sheets at once, each up to its farthest cell or to the size that a record claims.
Formats: [MS-CFB] for the compound file, [MS-XLS] for the records.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from aiready.inputs.file_signatures import ENCRYPTED
from aiready.inputs.workbook_limits import (
    MAX_CELLS,
    MAX_CHARACTERS,
    ErrorCells,
    Inspection,
    LimitError,
    too_many_cells,
    too_many_repeats,
)

MAX_FILE_BYTES = 1 << 28
"""Far beyond any genuine workbook of 65,536 rows and 256 columns."""
_FIRST_RESERVED = 0xFFFFFFFA
"""Sector numbers from here on are marks, such as the end of a chain."""
_ROOT = 5
_BOUNDSHEET, _EOF, _CONTINUE, _SST, _LABELSST, _DIMENSIONS, _FILEPASS = 0x85, 0x0A, 0x3C, 0xFC, 0xFD, 0x200, 0x2F
_FORMULA, _BOOLERR, _MULTIPLE = 0x06, 0x205, (0xBD, 0xBE)
_CELLS = (_FORMULA, 0x201, 0x202, 0x203, 0x204, _BOOLERR, 0x27E, 0xD6, _LABELSST, *_MULTIPLE)
"""Records that begin with the row and column of a cell."""


def inspect_xls(path: Path) -> Inspection:
    """Inspect an old workbook.

    Raises
    ------
    struct.error, ValueError
        It is damaged.
    """
    if path.stat().st_size > MAX_FILE_BYTES:
        return Inspection(f"is larger than {MAX_FILE_BYTES >> 20} MB. Save the table alone, as CSV.")
    content = path.read_bytes()
    error_cells: dict[str, ErrorCells] = {}
    try:
        for stream in _CompoundFile(content).workbook_streams():
            error_cells |= _measure(stream)
    except LimitError as problem:
        return Inspection(str(problem))
    return Inspection(error_cells={name: cells for name, cells in error_cells.items() if cells})


def _overlap_error() -> LimitError:
    return LimitError("its parts lie over each other: no spreadsheet program writes such a file. Save it as .xlsx.")


class _CompoundFile:
    """Reads streams of a compound file: chains of sectors, listed in a file allocation table (FAT)."""

    def __init__(self, content: bytes) -> None:
        if content[:8] != b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
            raise ValueError("no old workbook")
        self.content = content
        power, mini_power = struct.unpack_from("<HH", content, 30)
        if power not in (9, 12) or mini_power != 6:
            raise ValueError("sectors of an unknown size")
        self.sector_size = 1 << power
        header = struct.unpack_from("<I4xIIII", content, 48)
        self.directory_start, self.mini_cutoff, self.mini_fat_start, _, self.first_difat_sector = header
        self.fat = self._read_fat()

    def _sector(self, number: int) -> bytes:
        return self.content[(number + 1) * self.sector_size : (number + 2) * self.sector_size]

    def _read_fat(self) -> list[int]:
        fat_sectors = [number for number in struct.unpack_from("<109I", self.content, 76) if number < _FIRST_RESERVED]
        difat_sector, difat_length = self.first_difat_sector, 0
        while difat_sector < _FIRST_RESERVED:
            sector = self._sector(difat_sector).ljust(self.sector_size, b"\xff")
            numbers = struct.unpack(f"<{self.sector_size // 4}I", sector)
            fat_sectors += [number for number in numbers[:-1] if number < _FIRST_RESERVED]
            difat_sector, difat_length = numbers[-1], difat_length + 1
            if difat_length * self.sector_size > len(self.content):
                raise _overlap_error()
        if len(fat_sectors) * self.sector_size > len(self.content):
            raise _overlap_error()
        joined = b"".join(self._sector(number) for number in fat_sectors)
        return list(struct.unpack(f"<{len(joined) // 4}I", joined[: len(joined) // 4 * 4]))

    def chain(self, number: int, fat: list[int], max_length: int) -> list[int]:
        """Numbers of the sectors of a stream, from its first one; a chain that is too long runs in a circle."""
        chain: list[int] = []
        while number < _FIRST_RESERVED:
            chain.append(number)
            if len(chain) > max_length:
                raise _overlap_error()
            number = fat[number] if number < len(fat) else _FIRST_RESERVED
        return chain

    def read(self, number: int) -> bytes:
        """Content of a stream, in whole sectors."""
        max_length = len(self.content) // self.sector_size + 1
        return b"".join(self._sector(sector) for sector in self.chain(number, self.fat, max_length))

    def workbook_streams(self) -> Iterator[bytes]:
        """Every stream with the name that workbooks give to theirs."""
        entries = self.read(self.directory_start)
        streams: list[tuple[int, int]] = []
        root = 0
        for offset in range(0, len(entries) - 127, 128):
            length, kind = struct.unpack_from("<HB", entries, offset + 64)
            start, size = struct.unpack_from("<II", entries, offset + 116)
            name = entries[offset : offset + max(min(length, 64) - 2, 0)].decode("utf-16-le", "replace")
            root = start if kind == _ROOT else root
            if name.casefold() in ("workbook", "book"):
                streams.append((start, size))
        for start, size in streams:
            yield self._stream(root, start, size)

    def _stream(self, root: int, start: int, size: int) -> bytes:
        """Content of a stream; a small one lies in 64-byte sectors of the root stream, with a FAT of its own."""
        if size >= self.mini_cutoff:
            return self.read(start)[:size]
        mini_stream = self.read(root)
        table = self.read(self.mini_fat_start)
        mini_fat = list(struct.unpack(f"<{len(table) // 4}I", table))
        chain = self.chain(start, mini_fat, len(mini_stream) // 64 + 1)
        return b"".join(mini_stream[sector * 64 : sector * 64 + 64] for sector in chain)[:size]


@dataclass
class _WorkbookTotals:
    """Sheets of a workbook (offsets and names), lengths of shared texts, and cells and characters so far."""

    sheets: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    text_lengths: list[int] = field(default_factory=list)
    cells: int = 0
    characters: int = 0


def _records(stream: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """Kind and content of each record, up to the end of the sheet."""
    offset = start
    while offset + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, offset)
        yield kind, stream[offset + 4 : offset + 4 + length]
        offset += 4 + length
        if kind == _EOF:
            return


def _measure(stream: bytes) -> dict[str, ErrorCells]:
    """Error cells of every sheet."""
    totals = _WorkbookTotals()
    shared_texts: list[bytes] = []
    for kind, content in _records(stream, 0):
        if kind == _FILEPASS:
            raise LimitError(f"this is {ENCRYPTED.description}. Open it, take the password away, and save it.")
        if kind == _BOUNDSHEET:
            totals.sheets.append(struct.unpack_from("<I", content)[0])
            totals.names.append(content[8:].decode("utf-16-le" if content[7:8] == b"\x01" else "latin-1", "replace"))
        elif kind == _SST or (kind == _CONTINUE and shared_texts):
            shared_texts.append(content)
        elif shared_texts and not totals.text_lengths:
            totals.text_lengths = list(_shared_text_lengths(shared_texts))
    if len(totals.sheets) != len(set(totals.sheets)):
        raise _overlap_error()
    sheets = zip(totals.names, totals.sheets, strict=True)
    return {name: _measure_sheet(stream, start, totals) for name, start in sheets}


def _measure_sheet(stream: bytes, start: int, totals: _WorkbookTotals) -> ErrorCells:
    last_row = width = 0
    error_cells: ErrorCells = {}
    for kind, content in _records(stream, start):
        if kind == _DIMENSIONS and len(content) >= 10:
            claimed = struct.unpack_from("<IIHH" if len(content) >= 14 else "<HHHH", content)
            if (claimed[1] - claimed[0]) * (claimed[3] - claimed[2]) > MAX_CELLS:
                raise too_many_cells(claimed[1], claimed[3])
        elif kind in _CELLS and len(content) >= 6:
            row, column = struct.unpack_from("<HH", content)
            if kind in _MULTIPLE:
                column = max(column, struct.unpack_from("<H", content, len(content) - 2)[0])
            last_row, width = max(last_row, row + 1), max(width, column + 1)
            if error_text := _error_text(kind, content):
                error_cells[row + 1, column + 1] = error_text
            if kind == _LABELSST and len(content) >= 10:
                index = struct.unpack_from("<I", content, 6)[0]
                totals.characters += totals.text_lengths[index] if index < len(totals.text_lengths) else 0
    totals.cells += last_row * width
    if totals.cells > MAX_CELLS:
        raise too_many_cells(last_row, width)
    if totals.characters > MAX_CHARACTERS:
        raise too_many_repeats()
    return error_cells


def _error_text(kind: int, content: bytes) -> str:
    """Text of an error cell (a constant or the result of a formula); blank for any other."""
    if kind == _BOOLERR and content[7:8] == b"\x01":
        return _ERRORS.get(content[6], "#ERROR!")
    if kind == _FORMULA and content[12:14] == b"\xff\xff" and content[6:7] == b"\x02":
        return _ERRORS.get(content[8], "#ERROR!")
    return ""


_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}


def _shared_text_lengths(parts: list[bytes]) -> Iterator[int]:
    """Characters of each shared text; a text may continue over several records."""
    reader = _RecordReader(parts, 8)
    (count,) = struct.unpack_from("<I", parts[0], 4)
    for _ in islice(range(count), MAX_FILE_BYTES):
        head = reader.take(3)
        if len(head) < 3:
            return
        characters, flags = struct.unpack("<HB", head)
        formatting_runs = struct.unpack("<H", reader.take(2).ljust(2, b"\0"))[0] if flags & 8 else 0
        phonetic_size = struct.unpack("<I", reader.take(4).ljust(4, b"\0"))[0] if flags & 4 else 0
        reader.skip_text(characters, 2 if flags & 1 else 1)
        reader.skip(formatting_runs * 4 + phonetic_size)
        yield characters


class _RecordReader:
    """Reads through a record and the records that continue it."""

    def __init__(self, parts: list[bytes], offset: int) -> None:
        self.parts, self.part, self.offset = parts, 0, offset

    def take(self, length: int) -> bytes:
        content = b""
        while length > len(content) and self.part < len(self.parts):
            piece = self.parts[self.part][self.offset : self.offset + length - len(content)]
            content += piece
            self.offset += len(piece)
            if len(content) < length:
                self.part, self.offset = self.part + 1, 0
        return content

    def skip(self, length: int) -> None:
        while length > 0 and self.part < len(self.parts):
            step = min(length, len(self.parts[self.part]) - self.offset)
            self.offset, length = self.offset + step, length - step
            if length:
                self.part, self.offset = self.part + 1, 0

    def skip_text(self, characters: int, width: int) -> None:
        """Skip characters of one or two bytes; every continued record begins with a flag for their width."""
        while characters > 0 and self.part < len(self.parts):
            step = min(characters, (len(self.parts[self.part]) - self.offset) // width)
            self.offset, characters = self.offset + step * width, characters - step
            if characters:
                self.part, self.offset = self.part + 1, 0
                first = self.take(1)
                width = 2 if first and first[0] & 1 else 1
