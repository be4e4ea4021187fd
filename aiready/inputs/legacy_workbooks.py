"""Old workbooks (.xls), looked into before they are opened: records in a stream, in a file system in a file.

Their reader makes room for every sheet at once, up to its farthest cell or to the size that a record claims.
Formats: [MS-CFB] the container, [MS-XLS] the records.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from aiready.inputs.file_signatures import LOCKED
from aiready.inputs.workbook_limits import MOST_CELLS, MOST_TEXT, Failed, Look, TooMuchError, repeated, too_far

MOST_FILE = 1 << 28
"""Bytes; no workbook of 65,536 rows and 256 columns comes near it by itself."""
_FREE = 0xFFFFFFFA
"""Sector numbers from which on they mean something else."""
_ROOT = 5
_BOUNDSHEET, _EOF, _CONTINUE, _SST, _LABELSST, _DIMENSIONS, _FILEPASS = 0x85, 0x0A, 0x3C, 0xFC, 0xFD, 0x200, 0x2F
_FORMULA, _BOOLERR, _MULTIPLE = 0x06, 0x205, (0xBD, 0xBE)
_CELLS = (_FORMULA, 0x201, 0x202, 0x203, 0x204, _BOOLERR, 0x27E, 0xD6, _LABELSST, *_MULTIPLE)
"""Records that begin with the row and column of a cell."""


def look(path: Path) -> Look:
    """Look into an old workbook.

    Raises
    ------
    struct.error, ValueError
        It is damaged.
    """
    if path.stat().st_size > MOST_FILE:
        return Look(f"is larger than {MOST_FILE >> 20} MB. Save the table alone, as CSV.")
    content = path.read_bytes()
    failed: dict[str, Failed] = {}
    try:
        for stream in _Container(content).streams():
            failed |= _measure(stream)
    except TooMuchError as problem:
        return Look(str(problem))
    return Look(failed={name: cells for name, cells in failed.items() if cells})


def _twice() -> TooMuchError:
    return TooMuchError("its parts lie over each other: no spreadsheet program writes such a file. Save it as .xlsx.")


class _Container:
    """The file system inside the file: chains of sectors, none of which may run in a circle."""

    def __init__(self, content: bytes) -> None:
        if content[:8] != b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
            raise ValueError("no old workbook")
        self.content = content
        power, small = struct.unpack_from("<HH", content, 30)
        if power not in (9, 12) or small != 6:
            raise ValueError("sectors of an unknown size")
        self.size = 1 << power
        self.directory, self.cutoff, self.mini, _, self.more = struct.unpack_from("<I4xIIII", content, 48)
        self.table = self._table()

    def _sector(self, number: int) -> bytes:
        return self.content[(number + 1) * self.size : (number + 2) * self.size]

    def _table(self) -> list[int]:
        sectors = [number for number in struct.unpack_from("<109I", self.content, 76) if number < _FREE]
        more, seen = self.more, 0
        while more < _FREE:
            numbers = struct.unpack(f"<{self.size // 4}I", self._sector(more).ljust(self.size, b"\xff"))
            sectors += [number for number in numbers[:-1] if number < _FREE]
            more, seen = numbers[-1], seen + 1
            if seen * self.size > len(self.content):
                raise _twice()
        if len(sectors) * self.size > len(self.content):
            raise _twice()
        joined = b"".join(self._sector(number) for number in sectors)
        return list(struct.unpack(f"<{len(joined) // 4}I", joined[: len(joined) // 4 * 4]))

    def chain(self, number: int, table: list[int], most: int) -> list[int]:
        """Sectors from the first on."""
        chain: list[int] = []
        while number < _FREE:
            chain.append(number)
            if len(chain) > most:
                raise _twice()
            number = table[number] if number < len(table) else _FREE
        return chain

    def read(self, number: int) -> bytes:
        """A stream of whole sectors."""
        most = len(self.content) // self.size + 1
        return b"".join(self._sector(at) for at in self.chain(number, self.table, most))

    def streams(self) -> Iterator[bytes]:
        """Every stream that is called as workbooks call theirs."""
        entries = self.read(self.directory)
        places: list[tuple[int, int]] = []
        root = 0
        for at in range(0, len(entries) - 127, 128):
            length, kind = struct.unpack_from("<HB", entries, at + 64)
            start, size = struct.unpack_from("<II", entries, at + 116)
            name = entries[at : at + max(min(length, 64) - 2, 0)].decode("utf-16-le", "replace")
            root = start if kind == _ROOT else root
            if name.casefold() in ("workbook", "book"):
                places.append((start, size))
        for start, size in places:
            yield self._stream(root, start, size)

    def _stream(self, root: int, start: int, size: int) -> bytes:
        if size >= self.cutoff:
            return self.read(start)[:size]
        small = self.read(root)
        table = self.read(self.mini)
        numbers = list(struct.unpack(f"<{len(table) // 4}I", table))
        chain = self.chain(start, numbers, len(small) // 64 + 1)
        return b"".join(small[at * 64 : at * 64 + 64] for at in chain)[:size]


@dataclass
class _Book:
    """What is counted of a workbook: where sheets begin, lengths of shared texts, room for cells, signs in them."""

    sheets: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    room: int = 0
    signs: int = 0


def _records(stream: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """Kind and content of each record, up to the end of the sheet."""
    at = start
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        yield kind, stream[at + 4 : at + 4 + length]
        at += 4 + length
        if kind == _EOF:
            return


def _measure(stream: bytes) -> dict[str, Failed]:
    """Failed cells of every sheet."""
    book = _Book()
    shared: list[bytes] = []
    for kind, content in _records(stream, 0):
        if kind == _FILEPASS:
            raise TooMuchError(f"this is {LOCKED.words}. Open it, take the password away, and save it.")
        if kind == _BOUNDSHEET:
            book.sheets.append(struct.unpack_from("<I", content)[0])
            book.names.append(content[8:].decode("utf-16-le" if content[7:8] == b"\x01" else "latin-1", "replace"))
        elif kind == _SST or (kind == _CONTINUE and shared):
            shared.append(content)
        elif shared and not book.lengths:
            book.lengths = list(_lengths(shared))
    if len(book.sheets) != len(set(book.sheets)):
        raise _twice()
    return {name: _measure_sheet(stream, start, book) for name, start in zip(book.names, book.sheets, strict=True)}


def _measure_sheet(stream: bytes, start: int, book: _Book) -> Failed:
    last = width = 0
    failed: Failed = {}
    for kind, content in _records(stream, start):
        if kind == _DIMENSIONS and len(content) >= 10:
            claimed = struct.unpack_from("<IIHH" if len(content) >= 14 else "<HHHH", content)
            if (claimed[1] - claimed[0]) * (claimed[3] - claimed[2]) > MOST_CELLS:
                raise too_far(claimed[1], claimed[3])
        elif kind in _CELLS and len(content) >= 6:
            row, column = struct.unpack_from("<HH", content)
            if kind in _MULTIPLE:
                column = max(column, struct.unpack_from("<H", content, len(content) - 2)[0])
            last, width = max(last, row + 1), max(width, column + 1)
            if said := _error(kind, content):
                failed[row + 1, column + 1] = said
            if kind == _LABELSST and len(content) >= 10:
                place = struct.unpack_from("<I", content, 6)[0]
                book.signs += book.lengths[place] if place < len(book.lengths) else 0
    book.room += last * width
    if book.room > MOST_CELLS:
        raise too_far(last, width)
    if book.signs > MOST_TEXT:
        raise repeated()
    return failed


def _error(kind: int, content: bytes) -> str:
    """What a cell shows that failed, by itself or as the result of a formula; blank of any other."""
    if kind == _BOOLERR and content[7:8] == b"\x01":
        return _ERRORS.get(content[6], "#ERROR!")
    if kind == _FORMULA and content[12:14] == b"\xff\xff" and content[6:7] == b"\x02":
        return _ERRORS.get(content[8], "#ERROR!")
    return ""


_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}


def _lengths(parts: list[bytes]) -> Iterator[int]:
    """Signs of each shared text; one may run on over several records."""
    left = _Left(parts, 8)
    (count,) = struct.unpack_from("<I", parts[0], 4)
    for _ in islice(range(count), MOST_FILE):
        head = left.take(3)
        if len(head) < 3:
            return
        signs, how = struct.unpack("<HB", head)
        runs = struct.unpack("<H", left.take(2).ljust(2, b"\0"))[0] if how & 8 else 0
        spoken = struct.unpack("<I", left.take(4).ljust(4, b"\0"))[0] if how & 4 else 0
        left.skip_text(signs, 2 if how & 1 else 1)
        left.skip(runs * 4 + spoken)
        yield signs


class _Left:
    """What is left to read of records that continue each other."""

    def __init__(self, parts: list[bytes], at: int) -> None:
        self.parts, self.part, self.at = parts, 0, at

    def take(self, length: int) -> bytes:
        taken = b""
        while length > len(taken) and self.part < len(self.parts):
            piece = self.parts[self.part][self.at : self.at + length - len(taken)]
            taken += piece
            self.at += len(piece)
            if len(taken) < length:
                self.part, self.at = self.part + 1, 0
        return taken

    def skip(self, length: int) -> None:
        while length > 0 and self.part < len(self.parts):
            step = min(length, len(self.parts[self.part]) - self.at)
            self.at, length = self.at + step, length - step
            if length:
                self.part, self.at = self.part + 1, 0

    def skip_text(self, signs: int, width: int) -> None:
        """Signs are of one or two bytes, said anew where a record begins."""
        while signs > 0 and self.part < len(self.parts):
            step = min(signs, (len(self.parts[self.part]) - self.at) // width)
            self.at, signs = self.at + step * width, signs - step
            if signs:
                self.part, self.at = self.part + 1, 0
                first = self.take(1)
                width = 2 if first and first[0] & 1 else 1
