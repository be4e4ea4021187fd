"""Read text files and workbooks into raw tables of text: encodings, delimiters, headers; nothing is parsed or checked.

Grain of every raw table: one row per non-empty row of the file, every cell as trimmed text, with `FILE` and `ROW`
(1-based; the header and empty rows count) to find it again, and `SURPLUS`, the cells beyond the last column of the
header. Where a table has files of slices, `SUPERSEDED_BY` is the one that takes the place of a row of another file.
"""

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from aiready.errors import InputError
from aiready.inputs.file_signatures import GZIP_SUFFIX, kind_of
from aiready.inputs.workbooks import WORKBOOK_SUFFIXES, open_workbook, read_sheet_rows

FILE, ROW, SURPLUS, SUPERSEDED_BY = "_file", "_row", "_surplus", "_superseded_by"
DELIMITERS = ",;\t|"
_CHUNK = 1 << 22
_HEADING_ROWS = 4
"""Rows that show how wide a grid is: up to three heading rows, and one row of answers."""
_SEARCHED_ROWS = 20
"""Rows of a sheet among which its header is searched."""
_BOMS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
MAX_UNPACKED_BYTES = 1 << 34
"""Unpacked size in bytes above which a .gz file is refused."""
MAX_RATIO, RATIO_FROM = 200, 50 << 20
"""Highest ratio of unpacked to packed size above `RATIO_FROM` bytes; tables reach 3 to 40."""


@dataclass(frozen=True)
class RawTable:
    """One table of one file: its column names, made unique, and a stream of its rows that can be read once."""

    file: str
    columns: tuple[str, ...]
    batches: pa.RecordBatchReader


@dataclass
class _InvalidRows:
    """Collects rows with more or fewer cells than the header while a file is read."""

    numbers: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def handle(self, row: arrow_csv.InvalidRow) -> str:
        self.numbers.append(row.number)
        self.texts.append(row.text)
        return "skip"


def canonical(header: str) -> str:
    """Header in the spelling of schema names: lower case, trimmed, with underscores for spaces and hyphens.

    Examples
    --------
    >>> canonical(" Unit ID ")
    'unit_id'
    """
    return re.sub(r"[\s-]+", "_", header.strip().casefold())


def column_names(header: Sequence[str], schema_names: Collection[str], file: str) -> tuple[str, ...]:
    """Name every column: the schema name it stands for, else its own header, numbered if it repeats.

    Raises
    ------
    InputError
        A schema name occurs twice: which of the two columns is right cannot be guessed.
    """
    spelled = {canonical(name): name for name in schema_names}
    names = [spelled.get(canonical(cell), cell.strip()) or "no header" for cell in header]
    repeated = sorted({name for name in names if name in schema_names and names.count(name) > 1})
    if repeated:
        columns = ", ".join(f'"{name}"' for name in repeated)
        raise InputError(f"{file}: column {columns} occurs more than once. Rename or remove all but one.")
    counts = dict.fromkeys((FILE, ROW, SURPLUS, SUPERSEDED_BY), 1)
    unique = []
    for name in names:
        counts[name] = counts.get(name, 0) + 1
        unique.append(name if counts[name] == 1 else f"{name} ({counts[name]})")
    return tuple(unique)


def open_binary(path: Path) -> BinaryIO:
    """Open a text file in binary mode, unpacked if its name ends in .gz."""
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix.lower() == GZIP_SUFFIX else path.open("rb")


def detect_encoding(path: Path, file: str) -> str:
    """Encoding of a text file: UTF-8 (with or without byte order mark), UTF-16 with one, else cp1252.

    Raises
    ------
    InputError
        It is no file, empty, contains control bytes, or unpacks to more than the limits.
    """
    if not path.is_file():  # a pipe would never end
        raise InputError(f"{file}: this is no file with rows in it, or it is gone. Put the file itself there.")
    try:
        with open_binary(path) as stream:
            encoding = _first_that_decodes(stream, path, file)
    except (EOFError, gzip.BadGzipFile, zlib.error) as problem:
        raise InputError(f"{file}: cannot be unpacked ({problem}). Pack it again with gzip, or unpack it.") from problem
    if encoding is None:
        raise InputError(f"{file}: {_not_text(path)}")
    return encoding


def _first_that_decodes(stream: BinaryIO, path: Path, file: str) -> str | None:
    start = stream.read(_CHUNK)
    if not start.removeprefix(codecs.BOM_UTF8).strip():
        raise InputError(f"{file}: the file is empty. Remove it, or export it again.")
    marked = next((encoding for mark, encoding in _BOMS if start.startswith(mark)), None)
    for encoding in (marked,) if marked else ("utf-8", "cp1252"):
        stream.seek(0)
        if _decodes(stream, encoding, path, file):
            return encoding
    return None


def _not_text(path: Path) -> str:
    """Message for a file that is not text: what it is, and what to do."""
    with open_binary(path) as stream:
        marked = stream.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    if marked:
        return "this text is cut off or damaged. Save it as CSV (UTF-8)."
    kind = None if path.suffix.lower() == GZIP_SUFFIX else kind_of(path)
    if kind is None or kind.suffix in ("", ".csv"):
        return (
            f"this is no text file but {'a binary one' if kind is None or kind.suffix else kind.description}. "
            + _AS_CSV
        )
    if path.suffix.lower() in (*WORKBOOK_SUFFIXES, kind.suffix):  # a workbook where only text files are read
        return f"this is {kind.description}, and only a text file is read here. " + _AS_CSV
    return f"this is no text file but {kind.description}. Rename it to end in {kind.suffix}, or save it as CSV (UTF-8)."


_AS_CSV = "Save the table as CSV (UTF-8)."


def _decodes(stream: BinaryIO, encoding: str, path: Path, file: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    size, unpacked, packed = path.stat().st_size, 0, path.suffix.lower() == GZIP_SUFFIX
    try:
        while chunk := stream.read(_CHUNK):
            unpacked += len(chunk)
            if packed and (unpacked > MAX_UNPACKED_BYTES or (unpacked > RATIO_FROM and unpacked > MAX_RATIO * size)):
                raise InputError(
                    f"{file}: unpacks to more than {unpacked / 2**20:,.0f} MB from {size / 2**20:,.1f} MB. Unpack it, "
                    "look at it, and save the table alone, as CSV or Parquet."
                )
            text = decoder.decode(chunk)
            if "\x00" in text if encoding == "utf-16" else _CONTROL_BYTES.search(chunk):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


@dataclass(frozen=True)
class Dialect:
    """Format of a delimited text file: delimiter, quote, and escape (None: quotes inside cells are doubled)."""

    delimiter: str = ","
    quote: str = '"'
    escape: str | None = None

    @property
    def options(self) -> dict[str, Any]:
        """Arguments for the standard library's `csv`."""
        inside = {"escapechar": self.escape, "doublequote": self.escape is None}
        return {"delimiter": self.delimiter, "quotechar": self.quote, **inside}

    def rows(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """Split lines into rows of cells."""
        return csv.reader(lines, **self.options)


DEFAULT_DIALECT = Dialect()
"""The dialect of files that we create: commas, double quotes."""


def _detect_quoting(start: str) -> tuple[str, str | None]:
    """Quote and escape character that the start of a file suggests; escape None: quotes inside cells are doubled."""
    first = start.lstrip("\ufeff\r\n \t")
    quote = "'" if re.match(r"'[^'\"]*'[,;\t|]", first) else '"'
    # a path that ends a cell ("C:\\data\\") holds no escape; databases write one before a quote inside a cell
    escaped = re.search(rf"(?<![\\{quote}])\\{quote}(?=[^,;\t|\r\n{quote}])", start)
    return quote, "\\" if escaped else None


def find_header(path: Path, encoding: str) -> tuple[Dialect, int, list[str]]:
    """Dialect of a file, and row number and cells of its header, the first row that is not empty."""
    with _open_text(path, encoding) as stream:
        start = stream.read(_CHUNK)
    separator_line = re.match(r"sep=(.)\r?\n", start)  # Excel's own first line
    best: tuple[Dialect, int, list[str]] = (DEFAULT_DIALECT, 1, [])
    quoting = _detect_quoting(start)
    for delimiter in separator_line[1] if separator_line else DELIMITERS:
        dialect = Dialect(delimiter, *quoting)
        try:
            for number, cells in enumerate(dialect.rows(io.StringIO(start, newline="")), start=1):
                if any(cell.strip() for cell in cells) and not (separator_line and number == 1):
                    best = max(best, (dialect, number, cells), key=lambda candidate: len(candidate[2]))
                    break
        except csv.Error as problem:
            raise InputError(
                f"{path.name}: the first row cannot be read ({problem}). Is a quote never closed? Export it again."
            ) from problem
    return best


def _open_text(path: Path, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(open_binary(path), encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="")


def read_csv(path: Path, schema_names: Collection[str], file: str) -> RawTable:
    """Read a delimited text file into a raw table.

    Parameters
    ----------
    path, file
        Its path, and its name in messages and in `FILE`.
    known
        Column names of the table in the schema.
    """
    encoding = detect_encoding(path, file)
    dialect, header_row, header = find_header(path, encoding)
    while header and not header[-1].strip():
        header.pop()  # `a;b;;` is what spreadsheets write beside empty columns
    names = column_names(header, schema_names, file)
    return _raw_table(file, names, _csv_batches(path, encoding, dialect, len(names), file), after=header_row)


def read_grid(path: Path, file: str) -> RawTable:
    """Read a text file or the first non-empty sheet of a workbook as a grid: headings are rows like any other.

    Columns are named by their number from 0; the widest of the first rows sets how many there are.
    """
    if path.suffix.lower() in WORKBOOK_SUFFIXES:
        book = open_workbook(path, file)
        rows = next((rows for name in book.sheet_names if (rows := read_sheet_rows(book, name))), [])
        if not rows:
            raise InputError(f"{file}: no sheet holds a row. Export it again.")
        header_row, width = 1, max(map(len, rows[:_HEADING_ROWS]))
        parts = iter([(np.arange(1, len(rows) + 1), _cell_table(rows, width, ";"))])
    else:
        encoding = detect_encoding(path, file)
        dialect, header_row, _ = find_header(path, encoding)
        width = max(map(len, _first_rows(path, encoding, dialect, header_row - 1)))
        parts = _csv_batches(path, encoding, dialect, width, file)
    return _raw_table(file, tuple(str(number) for number in range(width)), parts, after=header_row - 1)


def _first_rows(path: Path, encoding: str, dialect: Dialect, after: int) -> list[list[str]]:
    with _open_text(path, encoding) as stream:
        try:
            return list(islice(dialect.rows(stream), after, after + _HEADING_ROWS))
        except csv.Error as problem:
            raise InputError(f"{path.name}: the first rows cannot be read ({problem}). Export it again.") from problem


def _csv_batches(
    path: Path, encoding: str, dialect: Dialect, width: int, file: str
) -> Iterator[tuple[np.ndarray, pa.Table]]:
    """Row numbers and cells of a text file, in batches."""
    invalid = _InvalidRows()
    slot_names = [f"c{i}" for i in range(width)]
    try:
        stream = arrow_csv.open_csv(
            open_binary(path) if path.suffix.lower() == GZIP_SUFFIX else path,
            arrow_csv.ReadOptions(
                use_threads=False, column_names=slot_names, encoding="utf8" if encoding == "utf-8" else encoding,
                block_size=_CHUNK,
            ),
            arrow_csv.ParseOptions(
                delimiter=dialect.delimiter, quote_char=dialect.quote, double_quote=dialect.escape is None,
                escape_char=dialect.escape or False, newlines_in_values=True, ignore_empty_lines=False,
                invalid_row_handler=invalid.handle,
            ),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(slot_names, pa.string()), strings_can_be_null=False, check_utf8=True
            ),
        )  # fmt: skip
    except pa.ArrowInvalid as problem:
        raise InputError(f"{file}: cannot be read as a table ({problem}). Export it again as CSV.") from problem
    return _number_rows(stream, invalid, dialect, width)


def _number_rows(
    stream: Iterable[pa.RecordBatch], invalid: _InvalidRows, dialect: Dialect, width: int
) -> Iterator[tuple[np.ndarray, pa.Table]]:
    """Row numbers and cells of each batch; invalid rows come last, padded or cut to the width of the header."""
    last = 0
    for batch in stream:
        ahead = np.arange(last + 1, last + 1 + len(batch) + len(invalid.numbers))
        numbers = np.setdiff1d(ahead, invalid.numbers, assume_unique=True)[: len(batch)]
        last = int(numbers[-1]) if len(numbers) else last
        yield numbers, pa.Table.from_batches([batch])
    if invalid.numbers:
        rows = [next(dialect.rows(io.StringIO(text, newline="")), []) for text in invalid.texts]
        yield np.array(invalid.numbers), _cell_table(rows, width, dialect.delimiter)


def _cell_table(rows: Sequence[Sequence[str]], width: int, delimiter: str) -> pa.Table:
    columns = {f"c{i}": [row[i] if i < len(row) else "" for row in rows] for i in range(width)}
    surplus = [delimiter.join(row[width:]).strip(delimiter + " ") or None for row in rows]
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    return table.append_column(SURPLUS, pa.array(surplus, pa.string()))


def _raw_table(
    file: str, names: tuple[str, ...], parts: Iterable[tuple[np.ndarray, pa.Table]], *, after: int
) -> RawTable:
    """Raw table of batches: columns named, `FILE` and `ROW` added, rows up to number `after` and empty ones dropped."""
    columns = (*names, SURPLUS, FILE, ROW)
    schema = pa.schema([(name, pa.int64() if name == ROW else pa.string()) for name in columns])

    def batches() -> Iterator[pa.RecordBatch]:
        for numbers, table in parts:
            if SURPLUS not in table.column_names:
                table = table.append_column(SURPLUS, pa.nulls(len(table), pa.string()))
            table = table.append_column(FILE, pa.repeat(file, len(table)))
            table = table.append_column(ROW, pa.array(numbers, pa.int64()))
            table = _trim_cells(table.rename_columns(list(columns)), names)
            filled = pc.and_(_has_text(table, names), pc.greater(table[ROW], after))
            yield from table.filter(filled).combine_chunks().to_batches()

    return RawTable(file, names, pa.RecordBatchReader.from_batches(schema, batches()))


def _trim_cells(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """Trim every cell, of no-break spaces too."""
    for position, name in enumerate(names):
        table = table.set_column(position, name, pc.utf8_trim_whitespace(table[name]))
    return table


def _has_text(table: pa.Table, names: Sequence[str]) -> pa.ChunkedArray:
    filled = pc.is_valid(table[SURPLUS])
    for name in names:
        filled = pc.or_(filled, pc.not_equal(table[name], ""))
    return filled


def read_workbook_sheet(path: Path, sheet: str, schema_names: Collection[str], file: str) -> RawTable | None:
    """Read one sheet of a workbook into a raw table; None if it is empty.

    The header is the first row that names most columns of the schema; rows above it (titles, explanations, examples)
    are skipped.
    """
    rows = read_sheet_rows(open_workbook(path, file), sheet)
    header_index = _header_row(rows, schema_names)
    if header_index is None:
        return None
    header = list(rows[header_index])
    while not header[-1].strip():
        header.pop()
    names = column_names(header, schema_names, file)
    numbers = np.arange(header_index + 2, len(rows) + 1)
    return _raw_table(
        file, names, [(numbers, _cell_table(rows[header_index + 1 :], len(names), ";"))], after=header_index + 1
    )


def _header_row(rows: Sequence[Sequence[str]], schema_names: Collection[str]) -> int | None:
    """Index of the header: of the first filled rows, the one with most schema names, at least two; else the first."""
    spelled = {canonical(name) for name in schema_names}
    filled = [index for index, row in enumerate(rows[:_SEARCHED_ROWS]) if any(cell.strip() for cell in row)]
    if not filled:
        return next((index for index, row in enumerate(rows) if any(cell.strip() for cell in row)), None)
    matches = {index: sum(canonical(cell) in spelled for cell in rows[index]) for index in filled}
    best = max(filled, key=lambda index: matches[index])
    return best if matches[best] > 1 else filled[0]
