"""Edit delimited text files row by row, leaving unchanged rows as they are, character by character."""

import csv
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from aiready.inputs.files import DEFAULT_DIALECT, Dialect, column_names, detect_encoding, find_header

LINE_INDEX = "_line"
"""Column with the index of a row among the lines below the header."""


@dataclass(frozen=True)
class Line:
    """One row below the header: its exact text with line end, and its cells (none for an empty line)."""

    text: str
    cells: tuple[str, ...] = ()


@dataclass(frozen=True)
class TextTable:
    """A delimited text file: its columns, its text up to and including the header (`head`), and the lines below."""

    columns: tuple[str, ...]
    head: str
    lines: tuple[Line, ...] = ()
    dialect: Dialect = DEFAULT_DIALECT
    newline: str = "\n"
    encoding: str = "utf-8"

    def values(self, index: int) -> dict[str, str]:
        """Trimmed cells of a line by column; cells that a short line lacks are empty."""
        cells = self.lines[index].cells
        padded = (*cells, *[""] * (len(self.columns) - len(cells)))
        return {name: cell.strip() for name, cell in zip(self.columns, padded, strict=False)}

    @property
    def filled(self) -> list[int]:
        """Indexes of the lines that are not empty."""
        return [index for index, line in enumerate(self.lines) if "".join(line.cells).strip()]

    @property
    def content(self) -> bytes:
        """The file's bytes; UTF-8 if its own encoding lacks a new character."""
        parts = [self.head, *(line.text for line in self.lines)]
        complete = [text if not text or text.endswith(("\n", "\r")) else text + self.newline for text in parts[:-1]]
        text = "".join([*complete, parts[-1]])
        try:
            return text.encode(self.encoding)
        except UnicodeEncodeError:
            return text.encode("utf-8-sig")


def new_table(columns: Sequence[str]) -> TextTable:
    """A new file with a header only."""
    return TextTable(tuple(columns), _encode_row(columns, DEFAULT_DIALECT, "\n"))


def read_table(path: Path, schema_names: Collection[str], file: str) -> TextTable:
    """Read a delimited text file so that it can be written back with only edited rows changed.

    Raises
    ------
    InputError
        The file is empty, binary, or has a schema column twice.
    """
    encoding = detect_encoding(path, file)
    dialect, header_row, header = find_header(path, encoding)
    text = path.read_bytes().decode(encoding).removeprefix("\ufeff")
    has_mark = encoding == "utf-8" and path.read_bytes().startswith(b"\xef\xbb\xbf")
    lines = _records(text, dialect)
    while header and not header[-1].strip():
        header = header[:-1]
    return TextTable(
        columns=column_names(header, schema_names, file),
        head="".join(line.text for line in lines[:header_row]),
        lines=tuple(lines[header_row:]),
        dialect=dialect,
        newline="\r\n" if "\r\n" in lines[header_row - 1].text else "\n",
        encoding="utf-8-sig" if has_mark else encoding,
    )


def _records(text: str, dialect: Dialect) -> list[Line]:
    """Split text into rows, each with its text; a quoted cell may span several lines of the file."""
    physical = list(io.StringIO(text, newline=""))
    reader = csv.reader(physical, **dialect.options)
    ends, rows = [0], []
    for cells in reader:
        rows.append(tuple(cells))
        ends.append(reader.line_num)
    return [Line("".join(physical[a:b]), cells) for (a, b), cells in zip(pairwise(ends), rows, strict=True)]


def with_columns(table: TextTable, names: Iterable[str]) -> TextTable:
    """The table with missing columns added at the right; if there are any, every row is rewritten."""
    added = [name for name in names if name not in table.columns]
    if not added:
        return table
    columns = (*table.columns, *added)
    before = table.head.removesuffix(_last_record(table))
    wider = replace(table, columns=columns, head=before + _encode_row(columns, table.dialect, table.newline))
    width = len(table.columns)
    lines = []
    for line in table.lines:
        if not line.cells:
            lines.append(line)
            continue
        beyond = [cell for cell in line.cells[width:] if cell.strip()]
        cells = [*line.cells[:width], *[""] * (width - len(line.cells)), *[""] * len(added), *beyond]
        lines.append(Line(_encode_row(cells, table.dialect, table.newline), tuple(cells)))
    return replace(wider, lines=tuple(lines))


def _last_record(table: TextTable) -> str:
    return _records(table.head, table.dialect)[-1].text


def new_line(table: TextTable, values: Mapping[str, str]) -> Line:
    """A line from cells by column; other columns are empty."""
    cells = [values.get(name, "") for name in table.columns]
    return Line(_encode_row(cells, table.dialect, table.newline), tuple(cells))


def _encode_row(cells: Sequence[str], dialect: Dialect, newline: str) -> str:
    written = io.StringIO(newline="")
    csv.writer(written, **dialect.options, lineterminator=newline).writerow(cells)
    return written.getvalue()
