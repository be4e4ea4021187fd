"""Bytes to raw text tables: delimiters, encodings, workbooks, odd rows; nothing is typed or judged here.

Grain of every raw table: one row per filled row of the file, every cell as the text that stands there,
trimmed, with `FILE` and `ROW` (1-based, the header and empty rows count) to find it again, and `SURPLUS`, the
cells beyond the header's last column.
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
from aiready.inputs.file_signatures import PACKED, kind_of
from aiready.inputs.workbooks import WORKBOOKS, open_workbook, texts_of

FILE, ROW, SURPLUS = "_file", "_row", "_surplus"
DELIMITERS = ",;\t|"
_CHUNK = 1 << 22
_HEADING_ROWS = 4
"""How far heading rows reach: three in the widest of exports, and one row of answers."""
_SEARCHED_ROWS = 20
"""How far down a sheet its header is looked for."""
_BOMS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
MOST_UNPACKED = 1 << 34
"""Bytes of text from which a packed file is refused."""
MOST_RATIO, RATIO_FROM = 200, 50 << 20
"""Times a text may grow when it is unpacked, once it is larger than `RATIO_FROM`; tables grow 3 to 40 times."""


@dataclass(frozen=True)
class Sheet:
    """One table as it stands in one file: its header made unique, and its rows in batches, read once."""

    file: str
    columns: tuple[str, ...]
    batches: pa.RecordBatchReader


@dataclass
class _OddRows:
    """Rows with more or fewer cells than the header, met while a file is read."""

    numbers: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def take(self, row: arrow_csv.InvalidRow) -> str:
        self.numbers.append(row.number)
        self.texts.append(row.text)
        return "skip"


def canonical(header: str) -> str:
    """Header as schema names are written: case, surrounding spaces and inner spaces do not matter.

    Examples
    --------
    >>> canonical(" Unit ID ")
    'unit_id'
    """
    return re.sub(r"[\s-]+", "_", header.strip().casefold())


def column_names(header: Sequence[str], known: Collection[str], file: str) -> tuple[str, ...]:
    """Give every column one name: the known one it stands for, else its own, numbered where it repeats.

    Raises
    ------
    InputError
        When a known column occurs twice: which of the two holds the answer cannot be guessed.
    """
    spelled = {canonical(name): name for name in known}
    wanted = [spelled.get(canonical(cell), cell.strip()) or "no header" for cell in header]
    repeated = sorted({name for name in wanted if name in known and wanted.count(name) > 1})
    if repeated:
        listed = ", ".join(f'"{name}"' for name in repeated)
        raise InputError(f"{file}: column {listed} occurs more than once. Rename or remove all but one.")
    seen = dict.fromkeys((FILE, ROW, SURPLUS), 1)
    names = []
    for name in wanted:
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(names)


def opened(path: Path) -> BinaryIO:
    """The bytes of a text file, unpacked where its name ends in .gz."""
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix.lower() == PACKED else path.open("rb")


def encoding_of(path: Path, file: str) -> str:
    """Encoding of a text file: UTF-8 (with or without mark), UTF-16 with its mark, else cp1252.

    Raises
    ------
    InputError
        When it is no file, empty, holds bytes that no text has, or unpacks to more than the limits.
    """
    if not path.is_file():  # a pipe would never end
        raise InputError(f"{file}: this is no file with rows in it, or it is gone. Put the file itself there.")
    try:
        with opened(path) as stream:
            encoding = _encoding(stream, path, file)
    except (EOFError, gzip.BadGzipFile, zlib.error) as problem:
        raise InputError(f"{file}: cannot be unpacked ({problem}). Pack it again with gzip, or unpack it.") from problem
    if encoding is None:
        raise InputError(f"{file}: {_not_text(path)}")
    return encoding


def _encoding(stream: BinaryIO, path: Path, file: str) -> str | None:
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
    """What a file is that is no text, and what to do about it."""
    with opened(path) as stream:
        marked = stream.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    if marked:
        return "this text is cut off or damaged. Save it as CSV (UTF-8)."
    kind = None if path.suffix.lower() == PACKED else kind_of(path)
    if kind is None or kind.ending in ("", ".csv"):
        return f"this is no text file but {'a binary one' if kind is None or kind.ending else kind.words}. " + _AS_CSV
    if path.suffix.lower() in (*WORKBOOKS, kind.ending):  # the name is right: the place is not
        return f"this is {kind.words}, and only a text file is read here. " + _AS_CSV
    return f"this is no text file but {kind.words}. Rename it to end in {kind.ending}, or save it as CSV (UTF-8)."


_AS_CSV = "Save the table as CSV (UTF-8)."


def _decodes(stream: BinaryIO, encoding: str, path: Path, file: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    size, unpacked, packed = path.stat().st_size, 0, path.suffix.lower() == PACKED
    try:
        while chunk := stream.read(_CHUNK):
            unpacked += len(chunk)
            if packed and (unpacked > MOST_UNPACKED or (unpacked > RATIO_FROM and unpacked > MOST_RATIO * size)):
                raise InputError(
                    f"{file}: unpacks to more than {unpacked / 2**20:,.0f} MB from {size / 2**20:,.1f} MB. Unpack it, "
                    "look at it, and save the table alone, as CSV or Parquet."
                )
            text = decoder.decode(chunk)
            if "\x00" in text if encoding == "utf-16" else _CONTROL.search(chunk):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


@dataclass(frozen=True)
class Dialect:
    """How a text file sets cells apart: what stands between them, around them, and before a quote inside one."""

    delimiter: str = ","
    quote: str = '"'
    escape: str | None = None

    @property
    def options(self) -> dict[str, Any]:
        """The same as the standard library's `csv` calls it."""
        inside = {"escapechar": self.escape, "doublequote": self.escape is None}
        return {"delimiter": self.delimiter, "quotechar": self.quote, **inside}

    def rows(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """Rows of cells."""
        return csv.reader(lines, **self.options)


PLAIN = Dialect()
"""What we write: commas, double quotes."""


def _quoting(start: str) -> tuple[str, str | None]:
    """What stands around a cell, and before the same sign inside one; None: the sign is doubled."""
    first = start.lstrip("\ufeff\r\n \t")
    quote = "'" if re.match(r"'[^'\"]*'[,;\t|]", first) else '"'
    # a path that ends a cell ("C:\\data\\") is no escape; databases write one before a quote within words
    escaped = re.search(rf"(?<![\\{quote}])\\{quote}(?=[^,;\t|\r\n{quote}])", start)
    return quote, "\\" if escaped else None


def find_header(path: Path, encoding: str) -> tuple[Dialect, int, list[str]]:
    """Dialect of the file, and row number and cells of the header: the first row that is not empty."""
    with _opened_text(path, encoding) as stream:
        start = stream.read(_CHUNK)
    told = re.match(r"sep=(.)\r?\n", start)  # Excel's own first line
    best: tuple[Dialect, int, list[str]] = (PLAIN, 1, [])
    quoting = _quoting(start)
    for delimiter in told[1] if told else DELIMITERS:
        dialect = Dialect(delimiter, *quoting)
        try:
            for number, cells in enumerate(dialect.rows(io.StringIO(start, newline="")), start=1):
                if any(cell.strip() for cell in cells) and not (told and number == 1):
                    best = max(best, (dialect, number, cells), key=lambda found: len(found[2]))
                    break
        except csv.Error as problem:
            raise InputError(
                f"{path.name}: the first row cannot be read ({problem}). Is a quote never closed? Export it again."
            ) from problem
    return best


def _opened_text(path: Path, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(opened(path), encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="")


def read_csv(path: Path, known: Collection[str], file: str) -> Sheet:
    """Read a delimited text file as text, row by row numbered.

    Parameters
    ----------
    path, file
        Where it is, and what messages and rows call it.
    known
        Column names the table uses.
    """
    encoding = encoding_of(path, file)
    dialect, header_row, header = find_header(path, encoding)
    while header and not header[-1].strip():
        header.pop()  # `a;b;;` is what spreadsheets write beside empty columns
    names = column_names(header, known, file)
    return _sheet(file, names, _parts(path, encoding, dialect, len(names), file), after=header_row)


def read_grid(path: Path, file: str) -> Sheet:
    """Read a text file or the first filled sheet of a workbook with its heading rows as rows like any other.

    Columns are numbered from 0; there are as many as the widest of the first rows has cells.
    """
    if path.suffix.lower() in WORKBOOKS:
        book = open_workbook(path, file)
        rows = next((rows for name in book.sheet_names if (rows := texts_of(book, name))), [])
        if not rows:
            raise InputError(f"{file}: no sheet holds a row. Export it again.")
        header_row, width = 1, max(map(len, rows[:_HEADING_ROWS]))
        parts = iter([(np.arange(1, len(rows) + 1), _cells(rows, width, ";"))])
    else:
        encoding = encoding_of(path, file)
        dialect, header_row, _ = find_header(path, encoding)
        width = max(map(len, _first_rows(path, encoding, dialect, header_row - 1)))
        parts = _parts(path, encoding, dialect, width, file)
    return _sheet(file, tuple(str(place) for place in range(width)), parts, after=header_row - 1)


def _first_rows(path: Path, encoding: str, dialect: Dialect, after: int) -> list[list[str]]:
    with _opened_text(path, encoding) as stream:
        try:
            return list(islice(dialect.rows(stream), after, after + _HEADING_ROWS))
        except csv.Error as problem:
            raise InputError(f"{path.name}: the first rows cannot be read ({problem}). Export it again.") from problem


def _parts(path: Path, encoding: str, dialect: Dialect, width: int, file: str) -> Iterator[tuple[np.ndarray, pa.Table]]:
    """Row numbers and cells of a text file, batch by batch."""
    odd = _OddRows()
    slots = [f"c{i}" for i in range(width)]
    try:
        stream = arrow_csv.open_csv(
            opened(path) if path.suffix.lower() == PACKED else path,
            arrow_csv.ReadOptions(
                use_threads=False, column_names=slots, encoding="utf8" if encoding == "utf-8" else encoding,
                block_size=_CHUNK,
            ),
            arrow_csv.ParseOptions(
                delimiter=dialect.delimiter, quote_char=dialect.quote, double_quote=dialect.escape is None,
                escape_char=dialect.escape or False, newlines_in_values=True, ignore_empty_lines=False,
                invalid_row_handler=odd.take,
            ),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(slots, pa.string()), strings_can_be_null=False, check_utf8=True
            ),
        )  # fmt: skip
    except pa.ArrowInvalid as problem:
        raise InputError(f"{file}: cannot be read as a table ({problem}). Export it again as CSV.") from problem
    return _numbered(stream, odd, dialect, width)


def _numbered(
    stream: Iterable[pa.RecordBatch], odd: _OddRows, dialect: Dialect, width: int
) -> Iterator[tuple[np.ndarray, pa.Table]]:
    """Row numbers and cells of each batch; the odd rows last, padded or cut to the header's width."""
    last = 0
    for batch in stream:
        ahead = np.arange(last + 1, last + 1 + len(batch) + len(odd.numbers))
        numbers = np.setdiff1d(ahead, odd.numbers, assume_unique=True)[: len(batch)]
        last = int(numbers[-1]) if len(numbers) else last
        yield numbers, pa.Table.from_batches([batch])
    if odd.numbers:
        rows = [next(dialect.rows(io.StringIO(text, newline="")), []) for text in odd.texts]
        yield np.array(odd.numbers), _cells(rows, width, dialect.delimiter)


def _cells(rows: Sequence[Sequence[str]], width: int, delimiter: str) -> pa.Table:
    columns = {f"c{i}": [row[i] if i < len(row) else "" for row in rows] for i in range(width)}
    surplus = [delimiter.join(row[width:]).strip(delimiter + " ") or None for row in rows]
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    return table.append_column(SURPLUS, pa.array(surplus, pa.string()))


def _sheet(file: str, names: tuple[str, ...], parts: Iterable[tuple[np.ndarray, pa.Table]], *, after: int) -> Sheet:
    """Name the columns, leave out the header and empty rows, and keep where each row stands."""
    columns = (*names, SURPLUS, FILE, ROW)
    schema = pa.schema([(name, pa.int64() if name == ROW else pa.string()) for name in columns])

    def batches() -> Iterator[pa.RecordBatch]:
        for numbers, table in parts:
            if SURPLUS not in table.column_names:
                table = table.append_column(SURPLUS, pa.nulls(len(table), pa.string()))
            table = table.append_column(FILE, pa.repeat(file, len(table)))
            table = table.append_column(ROW, pa.array(numbers, pa.int64()))
            table = _trimmed(table.rename_columns(list(columns)), names)
            filled = pc.and_(_any_filled(table, names), pc.greater(table[ROW], after))
            yield from table.filter(filled).combine_chunks().to_batches()

    return Sheet(file, names, pa.RecordBatchReader.from_batches(schema, batches()))


def _trimmed(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """Spaces around a cell, hard ones too, say nothing."""
    for at, name in enumerate(names):
        table = table.set_column(at, name, pc.utf8_trim_whitespace(table[name]))
    return table


def _any_filled(table: pa.Table, names: Sequence[str]) -> pa.ChunkedArray:
    filled = pc.is_valid(table[SURPLUS])
    for name in names:
        filled = pc.or_(filled, pc.not_equal(table[name], ""))
    return filled


def read_workbook_sheet(path: Path, sheet: str, known: Collection[str], file: str) -> Sheet | None:
    """Read one sheet of a workbook as text; None when it is empty.

    The header is the first row that names most of the known columns: titles, explanations and examples may stand
    above it, and are no records.
    """
    rows = texts_of(open_workbook(path, file), sheet)
    at = _header_row(rows, known)
    if at is None:
        return None
    header = list(rows[at])
    while not header[-1].strip():
        header.pop()
    names = column_names(header, known, file)
    numbers = np.arange(at + 2, len(rows) + 1)
    return _sheet(file, names, [(numbers, _cells(rows[at + 1 :], len(names), ";"))], after=at + 1)


def _header_row(rows: Sequence[Sequence[str]], known: Collection[str]) -> int | None:
    """Place of the header: of the first filled rows the one with most known columns, two at least; else the first."""
    spelled = {canonical(name) for name in known}
    filled = [at for at, row in enumerate(rows[:_SEARCHED_ROWS]) if any(cell.strip() for cell in row)]
    if not filled:
        return next((at for at, row in enumerate(rows) if any(cell.strip() for cell in row)), None)
    named = {at: sum(canonical(cell) in spelled for cell in rows[at]) for at in filled}
    best = max(filled, key=lambda at: named[at])
    return best if named[best] > 1 else filled[0]
