"""Save a slice (the rows of one job, initiative, unit or person) in a file of its own, never over somebody else's save.

    base = read_slice(folder, TABLES["tasks"], {"unit_id": "claims", "job": "Handler", "wave": ""})
    saved = save_slice(base, rows)          # raises ConflictError, and writes nothing, if others saved in between

The user's own files are only read: `tasks/claims--handler.csv` supersedes its rows there. Earlier versions lie in the
hidden folder `.aiready/`, as open as the data folder is; of tables about people it keeps no contents.
"""

import getpass
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock, Timeout
from platformdirs import user_data_path

from aiready.atomic_files import sha256, write_file
from aiready.errors import AireadyError, InfrastructureError, InputError
from aiready.inputs.discover import TablePart, date_of_form, find_tables
from aiready.inputs.files import FILE, ROW, SUPERSEDED_BY, SURPLUS
from aiready.inputs.load import read_text
from aiready.inputs.location import parse_address
from aiready.inputs.safe_text import safe_cell
from aiready.inputs.slices import comparable, is_slice_file, mark_superseded, slice_name
from aiready.model.schema import TABLES, Table
from aiready.package_files import package_file
from aiready.workbook.capture.merging import by_key, differences, row_key

HIDDEN = ".aiready"
"""Folder in the data folder for versions, drafts and the lock; no table is read from it."""
SOMEBODY = "somebody"
"""Who saved rows about people."""
LOCK_TIMEOUT = 10.0
"""Seconds to wait for somebody else's save; a save takes milliseconds."""
_APOSTROPHE = r"^'([=+\-@])"
_TIME = "%Y%m%dT%H%M%S%fZ"


@dataclass(frozen=True)
class Slice:
    """Rows of a table whose cells equal `key`, as they were read: every column of the schema and the file, as text."""

    folder: Path
    table: Table
    key: Mapping[str, str]
    rows: pd.DataFrame

    @property
    def name(self) -> str:
        """Name of the slice's file, without suffix."""
        return slice_name(self.table, [self.key[name] for name in self.table.slices])

    @property
    def path(self) -> Path:
        """File of the slice, which is there as soon as it was saved once."""
        return _home(self.folder, self.table) / self.table.name / f"{self.name}.csv"

    @property
    def row_key(self) -> list[str]:
        """Columns that identify a row within the slice."""
        return [name for name in self.table.key if name not in self.key] or list(self.table.key)

    @property
    def digest(self) -> str:
        """Fingerprint of the rows; ignores their order, blank cells and empty columns."""
        filled = [{name: cell for name, cell in row.items() if cell} for row in self.rows.to_dict("records")]
        lines = sorted(json.dumps(row, sort_keys=True, ensure_ascii=False) for row in filled)
        return sha256("\n".join(lines))


class ConflictError(AireadyError):
    """Somebody else saved the same slice since it was read: nothing was written.

    `current` is the slice as it is now; save on top of it once the user has seen it. `rejected_path` is the version
    that keeps the edit; None for tables about people.
    """

    def __init__(self, message: str, current: Slice, rejected_path: Path | None):
        super().__init__(message)
        self.current, self.rejected_path = current, rejected_path


# Reading --------------------------------------------------------------------------------------------------------


def writable_folder(location: str | Path) -> Path:
    """The folder to save in: the data folder itself, or for the shipped sample the user's own copy of it.

    Raises
    ------
    InputError
        The location is not a folder.
    """
    database = parse_address(location)
    if database is not None:
        raise InputError(f"A database ({database.scheme}) is only read. Give a folder of CSV files to write rows to.")
    folder = Path(location)
    if folder.resolve() == package_file("data/sample").resolve():
        own = user_data_path("aiready", appauthor=False) / "sample"
        if not own.exists():
            shutil.copytree(folder, own)
        return own
    if not folder.is_dir():
        raise InputError(f"{location}: rows are written to folders of CSV files only. Give a folder.")
    return folder


def read_rows(folder: Path, table: Table, where: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Rows of a table as text, from files of any kind, without superseded ones; `where`: only rows with these cells."""
    return _matching(_read_parts(table, _parts(folder, table)), where or {})


def read_slice(folder: Path, table: Table, key: Mapping[str, str]) -> Slice:
    """Read the slice whose cells equal `key`; a blank value matches blank cells.

    Raises
    ------
    InputError
        A file cannot be read, or the slice's file holds rows of another slice.
    """
    empty = Slice(folder, table, dict(key), pd.DataFrame())
    if not empty.path.exists():
        return replace(empty, rows=read_rows(folder, table, key))
    rows = _read_parts(table, [TablePart(table.name, empty.path, empty.path.name)])
    matching = _matching(rows, key)
    if len(matching) < len(rows):
        raise InputError(f"{empty.path}: a row is not of {', '.join(key.values())}. Move it to a file of its own.")
    return replace(empty, rows=matching)


def _home(folder: Path, table: Table) -> Path:
    """The folder of a table's files; plans are no table of the schema, and `aiready check` does not read them."""
    return folder if table.name in TABLES else folder / "plans"


def _parts(folder: Path, table: Table) -> list[TablePart]:
    """Files of a table, the newest forms first, files of slices last."""
    if table.name in TABLES:
        parts = [part for part in find_tables(folder).parts if part.table == table.name]
        newest_first = sorted(parts, key=lambda part: date_of_form(part.file), reverse=True)
        return sorted(newest_first, key=lambda part: part.is_slice)
    paths = [_home(folder, table) / f"{table.name}.csv", *sorted((_home(folder, table) / table.name).glob("*.csv"))]
    return [TablePart(table.name, path, path.name) for path in paths if path.exists()]


def _read_parts(table: Table, parts: Sequence[TablePart]) -> pd.DataFrame:
    """Rows of files as text, without superseded ones, with every column of the schema and the files."""
    texts = [text for part in parts if (text := _read_part(table, part)) is not None]
    if not texts:
        return pd.DataFrame(columns=list(table.names), dtype=object)
    files = [part.file for part in parts if is_slice_file(table, part.path)]
    rows = mark_superseded(table, pa.concat_tables(texts, promote_options="default"), files)
    if SUPERSEDED_BY in rows.column_names:
        rows = rows.filter(pc.is_null(rows[SUPERSEDED_BY]))
    names = [name for name in rows.column_names if name not in (FILE, ROW, SURPLUS, SUPERSEDED_BY)]
    cells = {name: pc.replace_substring_regex(rows[name].cast(pa.string()), _APOSTROPHE, r"\1") for name in names}
    frame = pd.DataFrame({name: column.to_pylist() for name, column in cells.items()}, dtype=object).fillna("")
    frame = frame.reindex(columns=list(dict.fromkeys([*table.names, *names])), fill_value="")
    superseded = frame.duplicated(list(table.key)) & (len({date_of_form(part.file) for part in parts}) > 1)
    for name in {*table.key} & {*table.hashed}:  # people without a code are never the same
        superseded &= frame[name] != ""
    return frame[~superseded].reset_index(drop=True)


def _read_part(table: Table, part: TablePart) -> pa.Table | None:
    if part.path.suffix.lower() != ".parquet":
        return read_text(part, table.names)
    rows = pa.Table.from_pandas(pd.read_parquet(part.path).map(as_text), preserve_index=False)
    return rows.append_column(FILE, pa.array([part.file] * len(rows), pa.string()))


def _matching(rows: pd.DataFrame, where: Mapping[str, str]) -> pd.DataFrame:
    matches = pd.Series(True, rows.index)
    for name, value in where.items():
        comparable_cells = {cell: comparable(cell) for cell in rows[name].unique()}
        matches &= rows[name].map(comparable_cells) == comparable(value)
    return rows[matches].reset_index(drop=True)


def as_text(value: Any) -> str:
    """A value as the text of a cell: blank if missing, dates in ISO format, whole numbers without decimals.

    Text is without the apostrophe by which spreadsheets know that it is no formula; files have it (`safe_cell`).

    Examples
    --------
    >>> [as_text(value) for value in (None, 12.0, 0.35, True, date(2026, 9, 30), " reply ", "'=1+1")]
    ['', '12', '0.35', 'yes', '2026-09-30', 'reply', '=1+1']
    """
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime | date):
        return value.isoformat().removesuffix("T00:00:00")
    if isinstance(value, float | int):
        return f"{value:.12g}"
    return re.sub(_APOSTROPHE, r"\1", str(value).strip())


# Saving ---------------------------------------------------------------------------------------------------------


def save_slice(base: Slice, rows: pd.DataFrame, by: str = "") -> Slice:
    """Replace the rows that were read by edited ones, and return the slice as saved.

    Parameters
    ----------
    base
        The slice as it was read.
    rows
        All its rows, edited. Columns that they lack keep their cells, by the table's key.
    by
        Who saves; default: the user. It is not noted in tables about people, where it would say whose rows they are.

    Raises
    ------
    ConflictError
        Somebody else saved this slice since it was read; nothing was written.
    InputError
        Two rows have the same key.
    InfrastructureError
        The disk is full or the folder cannot be written; the old file stays.
    """
    author = SOMEBODY if base.table.hashed else by.strip() or user()
    edited = replace(base, rows=_complete_rows(base, rows))
    with _save_lock(base.folder):
        current = read_slice(base.folder, base.table, base.key)
        if current.digest != base.digest:
            raise _conflict(base, current, edited, author)
        if edited.digest == current.digest:
            return current
        if not versions(current):
            _write_version(current, f"before {author}")
        _write_slice(edited)
        _write_version(edited, author)
    return edited


def _complete_rows(base: Slice, rows: pd.DataFrame) -> pd.DataFrame:
    """Edited rows as text, with the cells of columns that they lack, and of the key."""
    records = rows.map(as_text).assign(**base.key).to_dict("records")
    before = by_key(base.rows, base.row_key)
    keys = [row_key(row, base.row_key) for row in records]
    repeated = [key for number, key in enumerate(keys) if key in keys[:number]]
    if repeated:
        repeated_keys = "; ".join(", ".join(filter(None, key)) for key in repeated)
        raise InputError(
            f"{base.table.name}: {', '.join(base.row_key)} may not occur twice ({repeated_keys}). Rename one of them."
        )
    complete = [{**before.get(key, {}), **row} for key, row in zip(keys, records, strict=True)]
    columns = list(dict.fromkeys([*base.table.names, *base.rows, *rows]))
    return pd.DataFrame(complete, columns=columns, dtype=object).fillna("")


def _write_slice(edited: Slice) -> None:
    """Write the slice's file; one without rows stays where it removes rows of another file, else it goes."""
    others = [part for part in _parts(edited.folder, edited.table) if part.path != edited.path]
    if edited.rows.empty and _matching(_read_parts(edited.table, others), edited.key).empty:
        edited.path.unlink(missing_ok=True)
        return
    make_folder(edited.folder, *edited.path.parent.relative_to(edited.folder).parts)
    model = others[0].path if others else edited.folder  # who may read the table may read its slices
    write_file(edited.path, _csv(edited), model.stat().st_mode & 0o666)


def _csv(version: Slice) -> bytes:
    used = [name for name in version.rows if name in version.table.names or version.rows[name].ne("").any()]
    text: str = version.rows[used].map(safe_cell).to_csv(index=False, lineterminator="\n")
    return text.encode()


def user() -> str:
    """Name of the user, from JupyterHub or the operating system."""
    try:
        return os.environ.get("JUPYTERHUB_USER") or getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number without a name
        return f"user {os.getuid()}"


@contextmanager
def _save_lock(folder: Path) -> Iterator[None]:
    """Hold the lock for saving in a data folder; wait up to `LOCK_TIMEOUT` for another save."""
    path = make_folder(folder, HIDDEN) / "lock"
    try:
        if not path.exists():
            path.touch(exist_ok=True)
            path.chmod(folder.stat().st_mode & 0o666)
        lock = FileLock(path, timeout=LOCK_TIMEOUT, poll_interval=0.02).acquire()
    except Timeout:
        raise InfrastructureError(
            f"{folder}: somebody else's save does not end. Nothing was written; try again."
        ) from None
    except OSError as error:
        raise InfrastructureError(f"{path}: cannot be written ({error.strerror}). Nothing was saved.") from error
    with lock:
        yield


def make_folder(folder: Path, *names: str) -> Path:
    """A folder in a data folder; created, and those above it, with the permissions of that."""
    path = folder
    try:
        for name in names:
            path /= name
            if not path.exists():
                path.mkdir(exist_ok=True)
                path.chmod(folder.stat().st_mode & 0o777)
    except OSError as error:
        raise InfrastructureError(f"{folder}: cannot be written ({error.strerror}). Nothing was saved.") from error
    return path


# Versions and conflicts -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Version:
    """A slice as somebody saved it: a file named after the time, the fingerprint of the rows, and who saved."""

    path: Path
    table: Table

    @property
    def digest(self) -> str:
        """The start of the rows' fingerprint."""
        return self.path.stem.split("--")[1]

    @property
    def label(self) -> str:
        """Who saved and when, for display: `anna, 25 November 2026, 14:02`."""
        stamp, _, author = self.path.stem.split("--", 2)
        return f"{unquote(author)}, {local_time(datetime.strptime(stamp, _TIME).replace(tzinfo=UTC))}"

    @property
    def rows(self) -> pd.DataFrame:
        """The rows as saved."""
        return _read_parts(self.table, [TablePart(self.table.name, self.path, self.path.name)])


def local_time(at: datetime) -> str:
    """A time in this machine's time zone, for display: `25 November 2026, 14:02`."""
    local = at.astimezone()
    return f"{local.day} {local:%B %Y, %H:%M}"


def versions(base: Slice) -> list[Version]:
    """Versions of a slice, newest first; none for tables about people."""
    return [] if base.table.hashed else _versions(base)


def _versions(base: Slice) -> list[Version]:
    paths = (base.folder / HIDDEN / "versions" / base.table.name / base.name).glob("*--*--*.csv")
    return [Version(path, base.table) for path in sorted(paths, reverse=True)]


def _write_version(version: Slice, author: str) -> Path:
    """Keep a version; of people only when they were saved last, and nothing of those who withdrew."""
    earlier = _versions(version) if version.table.hashed else []
    folder = make_folder(version.folder, HIDDEN, "versions", version.table.name, version.name)
    name = f"{datetime.now(UTC):{_TIME}}--{version.digest[:12]}--{quote(author[:60], safe=' ')}.csv"
    write_file(folder / name, b"" if version.table.hashed else _csv(version), version.folder.stat().st_mode & 0o666)
    for old in earlier:
        old.path.unlink(missing_ok=True)
    if version.table.hashed and version.rows.empty:
        shutil.rmtree(folder)
    return folder / name


def _conflict(base: Slice, current: Slice, edited: Slice, author: str) -> ConflictError:
    """The error for whoever saves second: who changed what and when, and which file keeps the rejected edit."""
    changes = differences(base.rows, current.rows, base.row_key)
    rejected_path = None if base.table.hashed else _write_version(edited, f"not saved, {author}")
    cells = [
        f"{row.row}: {row.column} {row.before or '–'} → {row.theirs or '–'}" for row in changes.head(6).itertuples()
    ]
    more = f" and {len(changes) - 6} more" if len(changes) > 6 else ""
    hint = f" Your version is kept in {rejected_path.relative_to(base.folder)}." if rejected_path else ""
    message = (
        f"{base.table.name}, {', '.join(filter(None, base.key.values()))}: somebody else saved this since you opened "
        f"it ({_last_author(current)}). Changed there: {'; '.join(cells)}{more}. Nothing was written.{hint}"
    )
    return ConflictError(message, current, rejected_path)


def _last_author(current: Slice) -> str:
    label = next((version.label for version in _versions(current) if version.digest == current.digest[:12]), "")
    changed = [part.path.stat().st_mtime for part in _parts(current.folder, current.table)]
    return label or f"outside this workbook, {local_time(datetime.fromtimestamp(max(changed, default=0), UTC))}"
