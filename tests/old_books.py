"""Old workbooks (.xls) made byte by byte: nothing installed writes them any more. [MS-CFB], [MS-XLS]."""

import struct
from collections.abc import Mapping, Sequence

SECTOR = 512
END, FREE, TABLE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def number(row: int, column: int, value: float) -> bytes:
    return record(0x203, struct.pack("<HHHd", row, column, 0, value))


def shared(row: int, column: int, place: int) -> bytes:
    return record(0xFD, struct.pack("<HHHI", row, column, 0, place))


def sized(rows: int, columns: int) -> bytes:
    return record(0x200, struct.pack("<IIHHH", 0, rows, 0, columns, 0))


def _begin(kind: int) -> bytes:
    return record(0x809, struct.pack("<HHHHII", 0x600, kind, 0, 0, 0, 0))


def book(sheets: Mapping[str, bytes], texts: Sequence[str] = (), extra: bytes = b"") -> bytes:
    """A workbook of sheets given as records, with the texts that cells share."""
    strings = b"".join(struct.pack("<HB", len(text), 0) + text.encode("latin-1") for text in texts)
    first = struct.pack("<II", len(texts), len(texts)) + strings
    parts = [first[at : at + 8000] for at in range(0, len(first), 8000)]
    table = record(0xFC, parts[0]) + b"".join(record(0x3C, b"\0" + part) for part in parts[1:])
    bodies = [_begin(0x10) + cells + record(0x0A, b"") for cells in sheets.values()]
    heads = [struct.pack("<BB", len(name), 0) + name.encode() for name in sheets]
    size = len(_begin(5)) + sum(4 + 6 + len(head) for head in heads) + len(extra) + len(table) + 4
    listed, at = b"", size
    for head, body in zip(heads, bodies, strict=True):
        listed += record(0x85, struct.pack("<IBB", at, 0, 0) + head)
        at += len(body)
    return _container(_begin(5) + listed + extra + table + record(0x0A, b"") + b"".join(bodies))


def _container(stream: bytes) -> bytes:
    """The file system around one stream `Workbook`."""
    stream = stream.ljust(4096, b"\0")
    length = -(-len(stream) // SECTOR)
    tables = next(n for n in range(1, 200) if n * SECTOR // 4 >= n + 1 + length)
    chain = [TABLE] * tables + [END] + [*range(tables + 2, tables + 1 + length), END]
    chain += [FREE] * (tables * SECTOR // 4 - len(chain))
    entries = _entry("Root Entry", 5, END, 0, child=1) + _entry("Workbook", 2, tables + 1, len(stream))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(10)
    head += struct.pack("<IIIIIIII", tables, tables, 0, 4096, END, 0, END, 0)
    places = [*range(tables)] + [FREE] * (109 - tables)
    content = head + struct.pack("<109I", *places) + struct.pack(f"<{len(chain)}I", *chain)
    return content + entries.ljust(SECTOR, b"\0") + stream.ljust(length * SECTOR, b"\0")


def _entry(name: str, kind: int, start: int, size: int, child: int = FREE) -> bytes:
    said = (name + "\0").encode("utf-16-le")
    tree = struct.pack("<HBBIII", len(said), kind, 1, FREE, FREE, child)
    return said.ljust(64, b"\0") + tree + bytes(36) + struct.pack("<IQ", start, size)
