"""Inspect OpenDocument sheets (.ods), whose rows and cells may be repeated many times, before they are opened."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aiready.inputs.workbook_limits import (
    MAX_CELLS,
    MAX_CHARACTERS,
    MAX_REPEATED_CELLS,
    DepthCounter,
    ErrorCells,
    LimitError,
    parse_xml,
    too_many_cells,
    too_many_repeats,
)  # fmt: skip


@dataclass
class _Row:
    """A row while it is read: its repetitions, its cells so far, its width up to the last filled cell, its content."""

    times: int
    column: int = 0
    width: int = 0
    filled: int = 0
    written: int = 0
    characters: int = 0


@dataclass
class _Cell:
    times: int
    filled: bool
    characters: int


class _ContentHandler:
    """Measures the tables of a document, with rows and cells as often as they are repeated.

    Empty rows and cells count only if filled ones follow, as calamine allocates only those.
    """

    def __init__(self) -> None:
        self.rows: list[_Row] = []
        self.cells: list[_Cell] = []
        self.depth = DepthCounter()
        self.name = ""
        self.row = self.last_row = self.width = self.room = self.repeated = self.characters = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self.depth.start(name, attributes)
        values = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        name = name.rpartition(":")[2]
        if name == "table":
            self.name = values.get("name", "")
            self.room += self.last_row * self.width
            self.row = self.last_row = self.width = 0
        elif name == "table-row":
            self.rows.append(_Row(_repeat_count(values, "number-rows-repeated")))
        elif name in ("table-cell", "covered-table-cell"):
            filled = any(key == "formula" or key.endswith("value") or key == "value-type" for key in values)
            characters = sum(map(len, attributes.values()))
            self.cells.append(_Cell(_repeat_count(values, "number-columns-repeated"), filled, characters))
        elif self.cells and name == "s":
            self.cells[-1].characters += _repeat_count(values, "c")

    def text(self, characters: str) -> None:
        if self.cells:
            self.cells[-1].characters += len(characters)
            self.cells[-1].filled = True

    def end(self, name: str) -> None:
        self.depth.end(name)
        name = name.rpartition(":")[2]
        if name in ("table-cell", "covered-table-cell") and self.cells:
            cell = self.cells.pop()
            row = self.rows[-1] if self.rows else _Row(1)
            row.column += cell.times
            if cell.filled or cell.characters > _EMPTY_CELL_CHARACTERS:
                row.width, row.filled, row.written = row.column, row.filled + cell.times, row.written + 1
                row.characters += cell.characters * cell.times
        elif name == "table-row" and self.rows:
            self._close(self.rows.pop())

    def _close(self, row: _Row) -> None:
        self.row += row.times
        if not row.width:
            return
        self.last_row, self.width = self.row, max(self.width, row.width)
        self.repeated += row.filled * row.times - row.written
        self.characters += row.characters * row.times
        if self.room + self.last_row * self.width > MAX_CELLS:
            raise too_many_cells(self.last_row, self.width)
        if self.characters > MAX_CHARACTERS or self.repeated > MAX_REPEATED_CELLS:
            raise too_many_repeats()


_EMPTY_CELL_CHARACTERS = 1000
"""Characters that the attributes of an empty cell may have."""


def _repeat_count(values: Mapping[str, str], name: str) -> int:
    return max(int(values.get(name, 1)), 1)


def inspect_content(content: Iterator[bytes]) -> ErrorCells:
    """Inspect the content of an OpenDocument file; it has no error cells.

    Raises
    ------
    TooMuchError
        Its tables have too many cells or characters.
    """
    handler = _ContentHandler()
    try:
        parse_xml(content, handler.start, handler.end, handler.text)
    except LimitError as problem:
        raise LimitError(f'sheet "{handler.name}": {problem}') from None
    return {}
