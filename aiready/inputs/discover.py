"""Where the tables lie: a folder, its subfolders of forms, a workbook; only lists of sheets are opened."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote

from ibis.backends import BaseBackend

from aiready.errors import InputError, UsageError
from aiready.inputs import database, duckdb_engine
from aiready.inputs import unread_tables as unread
from aiready.inputs.database import Address, Names, Stored
from aiready.inputs.file_signatures import PACKED, TEXTS, ending_of, stem_of
from aiready.inputs.files import canonical
from aiready.inputs.unread_tables import did_you_mean, said
from aiready.inputs.workbooks import WORKBOOKS, sheets_of
from aiready.model.schema import TABLES

ABOUT = "about"
_FILES = (*TEXTS, *(ending + PACKED for ending in TEXTS), ".parquet", *WORKBOOKS)
_READ_ELSEWHERE = ("targets",)
_NAMES = (*TABLES, ABOUT)
_MOST_NOTES = 5
"""Notes that an error repeats, where there is nothing but them."""
_PARTITION = re.compile(r"([^=]+)=(.*)")
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
_MARKS = re.compile(r"_(?:SUCCESS|committed|started|metadata|common_metadata).*")
"""What programs that write folders of Parquet leave beside the parts."""


@dataclass(frozen=True)
class Place:
    """Where one part of a table lies: a file, a sheet of a workbook, or a table of a database (`stored`).

    `file` is what messages call it; `engine` is who holds a table that lies in no file; `folder` is what the parts of
    a table lie in; `partition` is what the folders around a part say of its rows (`unit_id=claims/`).
    """

    table: str
    path: Path
    file: str
    sheet: str | None = None
    stored: Stored | None = None
    engine: BaseBackend | None = None
    folder: Path | None = None
    partition: Mapping[str, str | None] = field(default_factory=dict)


def instrument_folder(location: str | Path) -> Path | None:
    """The folder `instrument` inside a data folder, which replaces the shipped one; None without one.

    Of a database, the folder of its map is the data folder.
    """
    where = database.address(location)
    if where is not None and where.map is None:
        return None
    folder = (where.map.parent if where and where.map else Path(location)) / "instrument"
    return folder if folder.is_dir() else None


@dataclass(frozen=True)
class Found:
    """Parts of tables, what else lies there (a sentence each), and what must be mended before reading."""

    places: tuple[Place, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def __add__(self, other: "Found") -> "Found":
        return Found(self.places + other.places, self.notes + other.notes, self.problems + other.problems)


def find_tables(location: str | Path) -> Found:
    """Every part of every table in a folder or workbook, and a note for each file that is no table.

    Raises
    ------
    UsageError
        When nothing is there, or it is no folder and no workbook.
    """
    where = database.address(location)
    if where is not None:
        return _at_address(where)
    path = Path(location)
    if not path.exists():
        raise UsageError(f"{location}: there is no such folder or workbook.")
    if path.is_file() and path.suffix.lower() not in WORKBOOKS:
        raise UsageError(f"{location}: give the folder that holds the tables, or one .xlsx workbook.")
    found = _in_folder(path) if path.is_dir() else _in_workbook(path)
    problems = _twice(found.places)
    if not found.problems and not any(place.table in TABLES for place in found.places):
        problems.append(
            f"{location}: no table found. Known tables: {', '.join(TABLES)}; each as <table>.csv, "
            "<table>.parquet, a sheet of one .xlsx workbook, or a folder <table>/ of forms."
        )
        problems += found.notes[:_MOST_NOTES]
    return found + Found(problems=tuple(problems))


def _at_address(where: Address) -> Found:
    """Tables of a database, and what lies beside its map: tables it lacks, `about`."""
    names = database.read_names(where.map)
    found = _in_file(where, names) if where.scheme == database.FILES else _in_warehouse(where, names)
    if where.map is not None:
        beside = _in_folder(where.map.parent)
        unread = f"{said(where.map)} is no table"
        notes = tuple(note for note in beside.notes if not note.startswith(unread))
        found += replace(beside, notes=notes)
    problems = _twice(found.places)
    if not any(place.table in TABLES for place in found.places):
        problems.append(
            f"{where.scheme}: no table there is one of {', '.join(TABLES)}. Make a view of that name, or say in a map "
            "which table is which (--map)."
        )
    return found + Found(problems=tuple(problems))


def _in_warehouse(where: Address, names: Names) -> Found:
    engine = database.connect(where)
    with database.answering(where.scheme):
        found = database.find(engine, where, names)
    return Found(tuple(Place(one.table, Path(), one.file, stored=one, engine=engine) for one in found))


def _in_file(where: Address, names: Names) -> Found:
    """Tables of a DuckDB file, which is opened to be read only; views count as tables."""
    path = Path(where.url.partition("://")[2])
    if not path.is_file():
        raise UsageError(f"{path}: there is no such database file.")
    found = database.chosen(duckdb_engine.tables_of(path), names, path.name)
    return Found(tuple(Place(one.table, path, one.file, stored=one) for one in found))


def _in_folder(folder: Path) -> Found:
    return sum((_at(path) if _inside(path, folder) else _link(path) for path in _visible(folder)), Found())


def _inside(path: Path, folder: Path) -> bool:
    """Whether a link, if it is one, stays in the folder: what lies elsewhere may be meant for nobody here."""
    return not path.is_symlink() or Path(os.path.realpath(path)).is_relative_to(folder.resolve())


def _link(path: Path, *, form: bool = False) -> Found:
    if not (form or canonical(path.stem) in _NAMES or path.suffix.lower() in WORKBOOKS):
        return Found()
    told = f"{said(path)}: this is a link to a place outside the folder, and was not followed. Copy the file there."
    return Found(problems=(told,))


def _at(path: Path) -> Found:
    if path.is_dir():
        return _at_folder(path)
    ending, name = ending_of(path), canonical(stem_of(path))
    if ending in _FILES and name in _NAMES:
        return _one(name, path, path.name)
    if name in _READ_ELSEWHERE:
        return Found()
    like = unread.table_like(path.name, _NAMES)
    if ending in WORKBOOKS:
        found = _in_workbook(path)
        return found if found.places or found.problems or not like else _noted(unread.of_copy(path, like))
    if like:
        return _noted(unread.of_copy(path, like) if ending in _FILES else unread.of_file(path, like))
    return _noted(f"{said(path)} is no table and was not read{did_you_mean(name)}.") if ending in _FILES else Found()


def _noted(*notes: str) -> Found:
    return Found(notes=tuple(note for note in notes if note))


def _at_folder(folder: Path) -> Found:
    """A folder: the parts of one table, or nothing that is read."""
    name = canonical(folder.stem if folder.suffix.lower() in (".parquet", ".csv") else folder.name)
    if name in TABLES:
        lake = unread.of_lake(folder)
        return _noted(lake) if lake else _forms(folder, name)
    if like := unread.table_like(folder.name, _NAMES):
        return _noted(unread.of_folder(folder, like))
    return _noted(unread.below(folder, _FILES, _NAMES))


def _visible(folder: Path) -> list[Path]:
    try:
        return [path for path in sorted(folder.iterdir()) if not path.name.startswith((".", "~$"))]
    except OSError as problem:
        raise UsageError(f"{folder}: cannot be listed ({problem.strerror}). Check that you may read it.") from problem


def _forms(folder: Path, table: str) -> Found:
    """Files in a folder, parts of one table; also in folders below that name a column and its value: `wave=2026`."""
    found = _parts(folder, table, said(folder), {})
    return replace(found, places=tuple(replace(place, folder=folder) for place in found.places))


def _parts(folder: Path, table: str, label: str, partition: Mapping[str, str | None]) -> Found:
    found, other = Found(), []
    for path in _visible(folder):
        column = _PARTITION.fullmatch(said(path))
        if not _inside(path, folder):
            found += _link(path, form=True) if path.is_dir() or ending_of(path) in _FILES else Found()
        elif path.is_dir() and column:
            value = None if column[2] == _NO_VALUE else unquote(column[2])
            found += _parts(path, table, f"{label}/{said(path)}", {**partition, unquote(column[1]): value})
        elif not path.is_dir() and ending_of(path) in _FILES:
            one = _one(table, path, f"{label}/{said(path)}")
            found += replace(one, places=tuple(replace(place, partition=partition) for place in one.places))
        elif not _MARKS.fullmatch(path.name):
            other.append(path)
    return found + _noted(*unread.of_parts(label, other))


def date_of_form(file: str) -> str:
    """Date in a file's name as ISO text, by which a later form takes the place of an earlier one; "" without one.

    Examples
    --------
    >>> date_of_form("initiatives/claims-2026-09-02.xlsx"), date_of_form("claims 20260902 v2.xlsx"), date_of_form("a")
    ('2026-09-02', '2026-09-02', '')
    """
    found = re.search(r"(?<!\d)(20\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)", file)
    return f"{found[1]}-{found[3]}-{found[4]}" if found else ""


def _one(table: str, path: Path, file: str) -> Found:
    """A file that is one table; of a workbook the sheet of that name, else the first."""
    if path.suffix.lower() not in WORKBOOKS:
        return Found((Place(table, path, file),))
    try:
        names, hidden = sheets_of(path, file)
    except InputError as problem:
        return Found(problems=(str(problem),))
    if not names:
        return Found(problems=(f"{file}: every sheet is hidden. Show the one that holds the table.",))
    sheet = next((name for name in names if canonical(name) == table), names[0])
    return Found((Place(table, path, file, sheet),), _hidden(file, hidden))


def _in_workbook(path: Path) -> Found:
    try:
        shown, hidden = sheets_of(path, path.name)
        names = {sheet: canonical(sheet) for sheet in shown}
    except InputError as problem:
        return Found(problems=(str(problem),))
    known = {sheet: name for sheet, name in names.items() if name in _NAMES}
    places = (Place(name, path, f"{path.name}[{sheet}]", sheet) for sheet, name in known.items())
    notes = (
        f'{path.name}: sheet "{sheet}" is no table and was not read{did_you_mean(name)}.'
        for sheet, name in names.items()
        if name not in _NAMES
    )
    return Found(tuple(places), (*notes, *_hidden(path.name, hidden)))


def _hidden(file: str, sheets: Sequence[str]) -> tuple[str, ...]:
    """A note for each hidden sheet that is named like a table: what nobody sees is not read."""
    tables = [sheet for sheet in sheets if canonical(sheet) in _NAMES]
    return tuple(f'{file}: sheet "{sheet}" is hidden and was not read. Show it if it counts.' for sheet in tables)


def _twice(places: Sequence[Place]) -> list[str]:
    """A table lies in one file, or in the parts of one folder."""
    problems = []
    for table in dict.fromkeys(place.table for place in places):
        files = [f"{said(place.folder)}/" if place.folder else place.file for place in places if place.table == table]
        if len(set(files)) > 1 or (len(files) > 1 and not files[0].endswith("/")):
            listed = ", ".join(dict.fromkeys(files))
            problems.append(f"{table} is there more than once ({listed}). Keep one of them.")
    return problems
