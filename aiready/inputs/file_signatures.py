"""What a file is by its first bytes, whatever its name says: so that a message about it is true."""

import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

TEXTS = (".csv", ".tsv", ".txt")
PACKED = ".gz"
"""Ending of a text file that is packed, and read so."""
_START = 1 << 12
_PART = 1 << 20
"""Bytes of one part of an archive that are looked at."""
_SEARCHED = 1 << 26
"""Bytes of an old workbook that are searched for the mark of a password."""


@dataclass(frozen=True)
class Kind:
    """What a file is, in words for the one who made it; `ending`: what such a file is called by where we read it."""

    words: str
    ending: str = ""

    def mend(self, wanted: str) -> str:
        """What to do where another kind is wanted."""
        return f"Rename it to end in {self.ending}." if self.ending else f"Save the table as {wanted}."


LOCKED = Kind("a workbook locked by a password")
XLSX, ODS, XLS = Kind("an .xlsx workbook", ".xlsx"), Kind("an OpenDocument sheet", ".ods"), Kind("an old .xls", ".xls")
_TEXT = Kind("a text file", ".csv")
_MAGIC = (
    (b"PAR1", Kind("a Parquet file", ".parquet")),
    (b"\x1f\x8b", Kind("a file packed by gzip", ".csv.gz")),
    (b"%PDF", Kind("a PDF document")),
    (b"BZh", Kind("a file packed by bzip2")),
    (b"\xfd7zXZ", Kind("a file packed by xz")),
    (b"\x28\xb5\x2f\xfd", Kind("a file packed by zstd")),
    (b"7z\xbc\xaf", Kind("a 7-Zip archive")),
    (b"Rar!", Kind("a RAR archive")),
    (b"$FL", Kind("a data file of SPSS")),
    (b"SQLite format 3", Kind("an SQLite database")),
    (b"ARROW1", Kind("an Arrow file")),
)
_IN_ZIP = (
    ("xl/workbook.bin", Kind("a binary workbook (.xlsb)")),
    ("xl/workbook.xml", XLSX),
    ("word/document.xml", Kind("a text document (.docx)")),
    ("Index/Document.iwa", Kind("a workbook of Numbers")),
)


def ending_of(path: Path) -> str:
    """Ending in small letters; of a packed file both: `.csv.gz`.

    Examples
    --------
    >>> ending_of(Path("Decisions.CSV")), ending_of(Path("decisions.csv.gz")), ending_of(Path("decisions.v2.gz"))
    ('.csv', '.csv.gz', '.gz')
    """
    last = path.suffix.lower()
    inner = Path(path.stem).suffix.lower()
    return inner + last if last == PACKED and inner in TEXTS else last


def stem_of(path: Path) -> str:
    """Name without that ending."""
    return path.name[: len(path.name) - len(ending_of(path))]


def kind_of(path: Path) -> Kind | None:
    """What a file is; None where nothing tells."""
    with path.open("rb") as stream:
        start = stream.read(_START)
    if start.startswith(b"PK\x03\x04"):
        return _in_zip(path)
    if start.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _old(path)
    kind = next((kind for mark, kind in _MAGIC if start.startswith(mark)), None)
    return kind or _of_text(start)


def _in_zip(path: Path) -> Kind | None:
    try:
        with zipfile.ZipFile(path) as packed:
            names = set(packed.namelist())
            if "mimetype" in names and b"opendocument.spreadsheet" in _begun(packed, "mimetype"):
                return LOCKED if b"encryption-data" in _begun(packed, "META-INF/manifest.xml") else ODS
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError):
        return None
    known = next((kind for name, kind in _IN_ZIP if name in names), None)
    return known or (None if "[Content_Types].xml" in names else Kind("a ZIP archive"))


def _begun(packed: zipfile.ZipFile, name: str) -> bytes:
    if name not in packed.namelist():
        return b""
    with packed.open(name) as part:
        return part.read(_PART)


def _old(path: Path) -> Kind | None:
    with path.open("rb") as stream:
        content = stream.read(_SEARCHED)
    if "EncryptedPackage".encode("utf-16-le") in content:
        return LOCKED
    return XLS if any(name.encode("utf-16-le") in content for name in ("Workbook", "Book")) else None


def _of_text(start: bytes) -> Kind | None:
    if re.match(rb"\s*(?:<!doctype html|<html|<table)", start, re.IGNORECASE):
        return Kind("an HTML page")
    if b"urn:schemas-microsoft-com:office:spreadsheet" in start:
        return Kind("a workbook in XML of 2003")
    return _TEXT if start.strip() and re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", start) is None else None
