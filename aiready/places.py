"""Where the tables lie: a folder, its subfolders of forms, a workbook; only lists of sheets are opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from aiready.errors import InputError, UsageError, all_at_once
from aiready.readers import canonical, sheet_names
from aiready.schema import TABLES

ABOUT = "about"
WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".ods")
_FILES = (".csv", ".tsv", ".txt", ".parquet", *WORKBOOKS)
_READ_ELSEWHERE = ("targets",)
_NAMES = (*TABLES, ABOUT)


@dataclass(frozen=True)
class Place:
    """Where one part of a table lies: a file, or a sheet of a workbook; `file` is what messages call it."""

    table: str
    path: Path
    file: str
    sheet: str | None = None


def instrument_folder(location: str | Path) -> Path | None:
    """The folder `instrument` inside a data folder, which replaces the shipped one; None without one."""
    folder = Path(location) / "instrument"
    return folder if folder.is_dir() else None


def find_tables(location: str | Path) -> tuple[list[Place], list[str]]:
    """Every part of every table in a folder or workbook, and a note for each file that is no table.

    Raises
    ------
    UsageError
        When nothing is there, or it is no folder and no workbook.
    InputError
        When no table is found, or one is there twice: all at once.
    """
    path = Path(location)
    if "://" in str(location) or str(location).startswith("duckdb:"):
        raise UsageError(f"{location}: databases are not read yet. Give a folder or an .xlsx workbook.")
    if not path.exists():
        raise UsageError(f"{location}: there is no such folder or workbook.")
    if path.is_file() and path.suffix.lower() not in WORKBOOKS:
        raise UsageError(f"{location}: give the folder that holds the tables, or one .xlsx workbook.")
    places, notes = _in_folder(path) if path.is_dir() else _in_workbook(path)
    problems = _twice(places)
    if not any(place.table in TABLES for place in places):
        problems.append(
            f"{location}: no table found. Known tables: {', '.join(TABLES)}; each as <table>.csv, "
            "<table>.parquet, a sheet of one .xlsx workbook, or a folder <table>/ of forms."
        )
    all_at_once(InputError, problems)
    return places, notes


def _in_folder(folder: Path) -> tuple[list[Place], list[str]]:
    places: list[Place] = []
    notes: list[str] = []
    for path in _visible(folder):
        name, ending = canonical(path.stem), path.suffix.lower()
        if path.is_dir() and canonical(path.name) in TABLES:
            places += _forms(path)
        elif path.is_dir() or ending not in _FILES or name in _READ_ELSEWHERE:
            continue
        elif name in _NAMES:
            places.append(_place(name, path, path.name))
        elif ending in WORKBOOKS:
            found, said = _in_workbook(path)
            places, notes = places + found, notes + said
        else:
            notes.append(f"{path.name} is no table and was not read{_did_you_mean(name)}.")
    return places, notes


def _visible(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if not path.name.startswith((".", "~$"))]


def _forms(folder: Path) -> list[Place]:
    table = canonical(folder.name)
    paths = [path for path in _visible(folder) if path.suffix.lower() in _FILES]
    return [_place(table, path, f"{folder.name}/{path.name}") for path in paths]


def _place(table: str, path: Path, file: str) -> Place:
    """A file that is one table; of a workbook the sheet of that name, else the first."""
    if path.suffix.lower() not in WORKBOOKS:
        return Place(table, path, file)
    names = sheet_names(path, file)
    return Place(table, path, file, next((name for name in names if canonical(name) == table), names[0]))


def _in_workbook(path: Path) -> tuple[list[Place], list[str]]:
    names = {sheet: canonical(sheet) for sheet in sheet_names(path, path.name)}
    places = [
        Place(name, path, f"{path.name}[{sheet}]", sheet) for sheet, name in names.items() if name in _NAMES
    ]
    notes = [
        f'{path.name}: sheet "{sheet}" is no table and was not read{_did_you_mean(name)}.'
        for sheet, name in names.items()
        if name not in _NAMES
    ]
    return places, notes


def _did_you_mean(name: str) -> str:
    near = get_close_matches(name, TABLES, n=1, cutoff=0.8)
    return f" (did you mean {near[0]}?)" if near else ""


def _twice(places: Sequence[Place]) -> list[str]:
    """A table lies in one file, or in the forms of one folder."""
    problems = []
    for table in dict.fromkeys(place.table for place in places):
        files = [place.file for place in places if place.table == table]
        if len(files) > 1 and not all(file.startswith(f"{table}/") for file in files):
            problems.append(f"{table} is there more than once ({', '.join(files)}). Keep one of them.")
    return problems
