"""OpenDocument sheets (.ods), whose rows and cells say how often they are repeated, measured before they are opened."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aiready.inputs.workbook_limits import (
    MOST_CELLS,
    MOST_REPEATED,
    MOST_TEXT,
    Depth,
    Failed,
    TooMuchError,
    parse,
    repeated,
    too_far,
)  # fmt: skip


@dataclass
class _Row:
    """A row as it is read: how often it stands there, where its last filled cell ends, what it holds."""

    times: int
    column: int = 0
    width: int = 0
    filled: int = 0
    written: int = 0
    signs: int = 0


@dataclass
class _Cell:
    times: int
    filled: bool
    signs: int


class _Tables:
    """Measures the tables of an OpenDocument sheet, whose rows and cells say how often they are repeated.

    Empty rows and cells count only where filled ones follow, as its reader makes room for those alone.
    """

    def __init__(self) -> None:
        self.rows: list[_Row] = []
        self.cells: list[_Cell] = []
        self.depth = Depth()
        self.name = ""
        self.row = self.last = self.width = self.room = self.repeated = self.signs = 0

    def start(self, name: str, given: Mapping[str, str]) -> None:
        self.depth.start(name, given)
        told = {key.rpartition(":")[2]: value for key, value in given.items()}
        name = name.rpartition(":")[2]
        if name == "table":
            self.name = told.get("name", "")
            self.room += self.last * self.width
            self.row = self.last = self.width = 0
        elif name == "table-row":
            self.rows.append(_Row(_times(told, "number-rows-repeated")))
        elif name in ("table-cell", "covered-table-cell"):
            filled = any(key == "formula" or key.endswith("value") or key == "value-type" for key in told)
            signs = sum(map(len, given.values()))
            self.cells.append(_Cell(_times(told, "number-columns-repeated"), filled, signs))
        elif self.cells and name == "s":
            self.cells[-1].signs += _times(told, "c")

    def text(self, said: str) -> None:
        if self.cells:
            self.cells[-1].signs += len(said)
            self.cells[-1].filled = True

    def end(self, name: str) -> None:
        self.depth.end(name)
        name = name.rpartition(":")[2]
        if name in ("table-cell", "covered-table-cell") and self.cells:
            cell = self.cells.pop()
            row = self.rows[-1] if self.rows else _Row(1)
            row.column += cell.times
            if cell.filled or cell.signs > _BARE:
                row.width, row.filled, row.written = row.column, row.filled + cell.times, row.written + 1
                row.signs += cell.signs * cell.times
        elif name == "table-row" and self.rows:
            self._close(self.rows.pop())

    def _close(self, row: _Row) -> None:
        self.row += row.times
        if not row.width:
            return
        self.last, self.width = self.row, max(self.width, row.width)
        self.repeated += row.filled * row.times - row.written
        self.signs += row.signs * row.times
        if self.room + self.last * self.width > MOST_CELLS:
            raise too_far(self.last, self.width)
        if self.signs > MOST_TEXT or self.repeated > MOST_REPEATED:
            raise repeated()


_BARE = 1000
"""Signs in the attributes of a cell that says nothing."""


def _times(told: Mapping[str, str], name: str) -> int:
    return max(int(told.get(name, 1)), 1)


def measure(content: Iterator[bytes]) -> Failed:
    """Read the content of an OpenDocument file; no cell of it fails.

    Raises
    ------
    TooMuchError
        Its tables would take more room than allowed.
    """
    tables = _Tables()
    try:
        parse(content, tables.start, tables.end, tables.text)
    except TooMuchError as problem:
        raise TooMuchError(f'sheet "{tables.name}": {problem}') from None
    return {}
