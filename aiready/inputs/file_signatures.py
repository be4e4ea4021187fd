"""Tell what a file is by its first bytes, whatever its name says, so that messages about it are true."""

import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
GZIP_SUFFIX = ".gz"
"""Suffix of packed text files, which are read without unpacking them first."""
_START_BYTES = 1 << 12
_MEMBER_BYTES = 1 << 20
"""Bytes of one member of an archive that are inspected."""
_SEARCHED_BYTES = 1 << 26
"""Bytes of an old workbook that are searched for the mark of encryption."""


@dataclass(frozen=True)
class FileKind:
    """Kind of a file, described in words; `suffix`: that of the kinds that we read."""

    description: str
    suffix: str = ""

    def advice(self, format_name: str) -> str:
        """What to do with such a file where another format is expected."""
        return f"Rename it to end in {self.suffix}." if self.suffix else f"Save the table as {format_name}."


ENCRYPTED = FileKind("a workbook locked by a password")
XLSX, ODS, XLS = (
    FileKind("an .xlsx workbook", ".xlsx"),
    FileKind("an OpenDocument sheet", ".ods"),
    FileKind("an old .xls", ".xls"),
)
_TEXT = FileKind("a text file", ".csv")
_MAGIC = (
    (b"PAR1", FileKind("a Parquet file", ".parquet")),
    (b"\x1f\x8b", FileKind("a file packed by gzip", ".csv.gz")),
    (b"%PDF", FileKind("a PDF document")),
    (b"BZh", FileKind("a file packed by bzip2")),
    (b"\xfd7zXZ", FileKind("a file packed by xz")),
    (b"\x28\xb5\x2f\xfd", FileKind("a file packed by zstd")),
    (b"7z\xbc\xaf", FileKind("a 7-Zip archive")),
    (b"Rar!", FileKind("a RAR archive")),
    (b"$FL", FileKind("a data file of SPSS")),
    (b"SQLite format 3", FileKind("an SQLite database")),
    (b"ARROW1", FileKind("an Arrow file")),
)
_ZIP_MEMBERS = (
    ("xl/workbook.bin", FileKind("a binary workbook (.xlsb)")),
    ("xl/workbook.xml", XLSX),
    ("word/document.xml", FileKind("a text document (.docx)")),
    ("Index/Document.iwa", FileKind("a workbook of Numbers")),
)


def suffix_of(path: Path) -> str:
    """Suffix in lower case; of a packed text file both: `.csv.gz`.

    Examples
    --------
    >>> suffix_of(Path("Decisions.CSV")), suffix_of(Path("decisions.csv.gz")), suffix_of(Path("decisions.v2.gz"))
    ('.csv', '.csv.gz', '.gz')
    """
    last = path.suffix.lower()
    inner = Path(path.stem).suffix.lower()
    return inner + last if last == GZIP_SUFFIX and inner in TEXT_SUFFIXES else last


def stem_of(path: Path) -> str:
    """Name without that suffix."""
    return path.name[: len(path.name) - len(suffix_of(path))]


def kind_of(path: Path) -> FileKind | None:
    """Kind of a file; None if it is not recognised."""
    with path.open("rb") as stream:
        start = stream.read(_START_BYTES)
    if start.startswith(b"PK\x03\x04"):
        return _zip_kind(path)
    if start.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _ole_kind(path)
    kind = next((kind for mark, kind in _MAGIC if start.startswith(mark)), None)
    return kind or _text_kind(start)


def _zip_kind(path: Path) -> FileKind | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and b"opendocument.spreadsheet" in _first_bytes(archive, "mimetype"):
                return ENCRYPTED if b"encryption-data" in _first_bytes(archive, "META-INF/manifest.xml") else ODS
    except (
        OSError,
        zipfile.BadZipFile,
        zlib.error,
        RuntimeError,
    ):  # RuntimeError: encrypted, or an unknown compression
        return None
    kind_of_member = next((kind for name, kind in _ZIP_MEMBERS if name in names), None)
    return kind_of_member or (None if "[Content_Types].xml" in names else FileKind("a ZIP archive"))


def _first_bytes(archive: zipfile.ZipFile, name: str) -> bytes:
    if name not in archive.namelist():
        return b""
    with archive.open(name) as part:
        return part.read(_MEMBER_BYTES)


def _ole_kind(path: Path) -> FileKind | None:
    with path.open("rb") as stream:
        content = stream.read(_SEARCHED_BYTES)
    if "EncryptedPackage".encode("utf-16-le") in content:
        return ENCRYPTED
    return XLS if any(name.encode("utf-16-le") in content for name in ("Workbook", "Book")) else None


def _text_kind(start: bytes) -> FileKind | None:
    if re.match(rb"\s*(?:<!doctype html|<html|<table)", start, re.IGNORECASE):
        return FileKind("an HTML page")
    if b"urn:schemas-microsoft-com:office:spreadsheet" in start:
        return FileKind("a workbook in XML of 2003")
    return _TEXT if start.strip() and re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", start) is None else None
