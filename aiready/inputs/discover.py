"""Find the tables in a folder, its subfolders of forms, a workbook or a database, without reading their rows."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote

from ibis.backends import BaseBackend

from aiready.errors import InputError, UsageError
from aiready.inputs import database, duckdb_engine, slices
from aiready.inputs import unread_tables as unread
from aiready.inputs.database import NameMap, StoredTable
from aiready.inputs.file_signatures import GZIP_SUFFIX, TEXT_SUFFIXES, stem_of, suffix_of
from aiready.inputs.files import canonical
from aiready.inputs.location import Address, parse_address
from aiready.inputs.unread_tables import did_you_mean, display_name
from aiready.inputs.workbooks import WORKBOOK_SUFFIXES, visible_and_hidden_sheets
from aiready.model.schema import TABLES

ABOUT = "about"
_TABLE_SUFFIXES = (*TEXT_SUFFIXES, *(suffix + GZIP_SUFFIX for suffix in TEXT_SUFFIXES), ".parquet", *WORKBOOK_SUFFIXES)
_READ_ELSEWHERE = ("targets",)
_TABLE_NAMES = (*TABLES, ABOUT)
_MAX_NOTES = 5
"""Notes that the error repeats when no table is found."""
_PARTITION = re.compile(r"([^=]+)=(.*)")
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
_WRITER_MARKERS = re.compile(r"_(?:SUCCESS|committed|started|metadata|common_metadata).*")
"""Files that programs leave beside the parts when they write a folder of Parquet."""


@dataclass(frozen=True)
class TablePart:
    """Location of one part of a table: a file, a sheet of a workbook, or a table of a database (`stored`).

    `file`: its name in messages. `engine`: the server that holds the table, None for files. `folder`: the table folder
    that holds the part. `partition`: columns and values from folders named `unit_id=claims/`.
    """

    table: str
    path: Path
    file: str
    sheet: str | None = None
    stored: StoredTable | None = None
    engine: BaseBackend | None = None
    folder: Path | None = None
    partition: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def is_slice(self) -> bool:
        """Whether the part is the file of a slice that a notebook saved: `tasks/claims--handler.csv`."""
        return self.path.parent == self.folder and slices.is_slice_file(TABLES.get(self.table), self.path)


@dataclass(frozen=True)
class Discovery:
    """Parts of tables, notes on files that are not read, and problems to fix before reading (a sentence each)."""

    parts: tuple[TablePart, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def __add__(self, other: "Discovery") -> "Discovery":
        return Discovery(self.parts + other.parts, self.notes + other.notes, self.problems + other.problems)


def find_tables(location: str | Path) -> Discovery:
    """Every part of every table in a folder or workbook, and a note for each file that is no table.

    Raises
    ------
    UsageError
        The location does not exist, or is neither folder nor workbook.
    """
    address = parse_address(location)
    if address is not None:
        return _in_database(address)
    path = Path(location)
    if not path.exists():
        raise UsageError(f"{location}: there is no such folder or workbook.")
    if path.is_file() and path.suffix.lower() not in WORKBOOK_SUFFIXES:
        raise UsageError(f"{location}: give the folder that holds the tables, or one .xlsx workbook.")
    discovery = _in_folder(path) if path.is_dir() else _in_workbook(path)
    problems = _duplicate_tables(discovery.parts)
    if not discovery.problems and not any(part.table in TABLES for part in discovery.parts):
        problems.append(
            f"{location}: no table found. Known tables: {', '.join(TABLES)}; each as <table>.csv, "
            "<table>.parquet, a sheet of one .xlsx workbook, or a folder <table>/ of forms."
        )
        problems += discovery.notes[:_MAX_NOTES]
    return discovery + Discovery(problems=tuple(problems))


def _in_database(address: Address) -> Discovery:
    """Tables of a database, and files beside its map: tables that the database lacks, `about`."""
    names = database.read_name_map(address.map)
    find = _in_duckdb_file if address.scheme == database.FILE_SCHEME else _on_server
    discovery = find(address, names)
    if address.map is not None:
        beside = _in_folder(address.map.parent)
        map_note = f"{display_name(address.map)} is no table"
        notes = tuple(note for note in beside.notes if not note.startswith(map_note))
        discovery += replace(beside, notes=notes)
    problems = _duplicate_tables(discovery.parts)
    if not any(part.table in TABLES for part in discovery.parts):
        problems.append(
            f"{address.scheme}: no table there is one of {', '.join(TABLES)}. Make a view of that name, or say in a "
            "map which table is which (--map)."
        )
    return discovery + Discovery(problems=tuple(problems))


def _on_server(address: Address, names: NameMap) -> Discovery:
    engine = database.connect(address)
    with database.database_errors(address.scheme):
        stored_tables = database.list_tables(engine, address, names)
    return Discovery(
        tuple(TablePart(stored.table, Path(), stored.file, stored=stored, engine=engine) for stored in stored_tables)
    )


def _in_duckdb_file(address: Address, names: NameMap) -> Discovery:
    """Tables and views of a DuckDB file, which is opened read-only."""
    path = Path(address.url.partition("://")[2])
    if not path.is_file():
        raise UsageError(f"{path}: there is no such database file.")
    stored_tables = database.match_tables(duckdb_engine.list_tables(path), names, path.name)
    return Discovery(tuple(TablePart(stored.table, path, stored.file, stored=stored) for stored in stored_tables))


def _in_folder(folder: Path) -> Discovery:
    return sum(
        (_at_path(path) if _stays_inside(path, folder) else _link_problem(path) for path in _visible_entries(folder)),
        Discovery(),
    )


def _stays_inside(path: Path, folder: Path) -> bool:
    """Whether a path is no link out of the folder: files elsewhere may not be meant for readers of this folder."""
    return not path.is_symlink() or Path(os.path.realpath(path)).is_relative_to(folder.resolve())


def _link_problem(path: Path, *, in_table_folder: bool = False) -> Discovery:
    """A problem for a link out of the folder that is named like a table or lies among its parts."""
    if not (in_table_folder or canonical(path.stem) in _TABLE_NAMES or path.suffix.lower() in WORKBOOK_SUFFIXES):
        return Discovery()
    name = display_name(path)
    return Discovery(
        problems=(f"{name}: this is a link to a place outside the folder, and was not followed. Copy the file there.",)
    )


def _at_path(path: Path) -> Discovery:
    if path.is_dir():
        return _in_subfolder(path)
    suffix, name = suffix_of(path), canonical(stem_of(path))
    if suffix in _TABLE_SUFFIXES and name in _TABLE_NAMES:
        return _single_file(name, path, path.name)
    if name in _READ_ELSEWHERE:
        return Discovery()
    like = unread.table_like(path.name, _TABLE_NAMES)
    if suffix in WORKBOOK_SUFFIXES:
        discovery = _in_workbook(path)
        if discovery.parts or discovery.problems or not like:
            return discovery
    if like:
        return _notes_only(unread.copy_note(path, like) if suffix in _TABLE_SUFFIXES else unread.file_note(path, like))
    if suffix in _TABLE_SUFFIXES:
        return _notes_only(f"{display_name(path)} is no table and was not read{did_you_mean(name)}.")
    return Discovery()


def _notes_only(*notes: str) -> Discovery:
    return Discovery(notes=tuple(note for note in notes if note))


def _in_subfolder(folder: Path) -> Discovery:
    """Parts of the table that a subfolder is named after; of any other subfolder a note at most."""
    name = canonical(folder.stem if folder.suffix.lower() in (".parquet", ".csv") else folder.name)
    if name in TABLES:
        lake = unread.lake_note(folder)
        return _notes_only(lake) if lake else _in_table_folder(folder, name)
    if like := unread.table_like(folder.name, _TABLE_NAMES):
        return _notes_only(unread.folder_note(folder, like))
    return _notes_only(unread.nested_tables_note(folder, _TABLE_SUFFIXES, _TABLE_NAMES))


def _visible_entries(folder: Path) -> list[Path]:
    try:
        return [path for path in sorted(folder.iterdir()) if not path.name.startswith((".", "~$"))]
    except OSError as problem:
        raise UsageError(f"{folder}: cannot be listed ({problem.strerror}). Check that you may read it.") from problem


def _in_table_folder(folder: Path, table: str) -> Discovery:
    """Files of a table folder, and of folders below it that name a column and its value: `wave=2026`."""
    discovery = _partitioned_files(folder, table, display_name(folder), {})
    return replace(discovery, parts=tuple(replace(part, folder=folder) for part in discovery.parts))


def _partitioned_files(folder: Path, table: str, label: str, partition: Mapping[str, str | None]) -> Discovery:
    discovery, other_files = Discovery(), []
    for path in _visible_entries(folder):
        key_value = _PARTITION.fullmatch(display_name(path))
        if not _stays_inside(path, folder):
            if path.is_dir() or suffix_of(path) in _TABLE_SUFFIXES:
                discovery += _link_problem(path, in_table_folder=True)
        elif path.is_dir() and key_value:
            value = None if key_value[2] == _NO_VALUE else unquote(key_value[2])
            inner = {**partition, unquote(key_value[1]): value}
            discovery += _partitioned_files(path, table, f"{label}/{display_name(path)}", inner)
        elif not path.is_dir() and suffix_of(path) in _TABLE_SUFFIXES:
            file = _single_file(table, path, f"{label}/{display_name(path)}")
            discovery += replace(file, parts=tuple(replace(part, partition=partition) for part in file.parts))
        elif not _WRITER_MARKERS.fullmatch(path.name):
            other_files.append(path)
    return discovery + _notes_only(*unread.part_notes(label, other_files))


def date_of_form(file: str) -> str:
    """Date in a file name as ISO text, by which a later form supersedes an earlier one; "" without a date.

    Examples
    --------
    >>> date_of_form("initiatives/claims-2026-09-02.xlsx"), date_of_form("claims 20260902 v2.xlsx"), date_of_form("a")
    ('2026-09-02', '2026-09-02', '')
    """
    match = re.search(r"(?<!\d)(20\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)", file)
    return f"{match[1]}-{match[3]}-{match[4]}" if match else ""


def _single_file(table: str, path: Path, file: str) -> Discovery:
    """A file that holds one table; in a workbook, the sheet named like the table, else the first visible one."""
    if path.suffix.lower() not in WORKBOOK_SUFFIXES:
        return Discovery((TablePart(table, path, file),))
    try:
        names, hidden = visible_and_hidden_sheets(path, file)
    except InputError as problem:
        return Discovery(problems=(str(problem),))
    if not names:
        return Discovery(problems=(f"{file}: every sheet is hidden. Show the one that holds the table.",))
    sheet = next((name for name in names if canonical(name) == table), names[0])
    return Discovery((TablePart(table, path, file, sheet),), _hidden_sheet_notes(file, hidden))


def _in_workbook(path: Path) -> Discovery:
    try:
        visible, hidden = visible_and_hidden_sheets(path, path.name)
        names = {sheet: canonical(sheet) for sheet in visible}
    except InputError as problem:
        return Discovery(problems=(str(problem),))
    tables = {sheet: name for sheet, name in names.items() if name in _TABLE_NAMES}
    parts = (TablePart(name, path, f"{path.name}[{sheet}]", sheet) for sheet, name in tables.items())
    notes = (
        f'{path.name}: sheet "{sheet}" is no table and was not read{did_you_mean(name)}.'
        for sheet, name in names.items()
        if name not in _TABLE_NAMES
    )
    return Discovery(tuple(parts), (*notes, *_hidden_sheet_notes(path.name, hidden)))


def _hidden_sheet_notes(file: str, sheets: Sequence[str]) -> tuple[str, ...]:
    """A note on each hidden sheet that is named like a table: hidden sheets are not read."""
    tables = [sheet for sheet in sheets if canonical(sheet) in _TABLE_NAMES]
    return tuple(f'{file}: sheet "{sheet}" is hidden and was not read. Show it if it counts.' for sheet in tables)


def _duplicate_tables(parts: Sequence[TablePart]) -> list[str]:
    """A problem for each table that is in more than one file and not in one folder; files of slices may lie beside."""
    problems = []
    for table in dict.fromkeys(part.table for part in parts):
        stored = any(part.stored for part in parts if part.table == table)
        homes = [part for part in parts if part.table == table and (stored or not part.is_slice)]
        files = [f"{display_name(part.folder)}/" if part.folder else part.file for part in homes]
        if len(set(files)) > 1 or (len(files) > 1 and not files[0].endswith("/")):
            file_names = ", ".join(dict.fromkeys(files))
            problems.append(f"{table} is there more than once ({file_names}). Keep one of them.")
    return problems
