"""Rows of a table that belong together, read so that they can be written back: slices, their versions, and merging."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from aiready.errors import InputError
from aiready.inputs import text_edits
from aiready.inputs.database import address
from aiready.inputs.discover import Place, find_tables
from aiready.inputs.files import read_csv, read_workbook_sheet
from aiready.inputs.text_edits import TextTable
from aiready.model.schema import TABLES, Table
from aiready.package_files import shipped
from aiready.workbook.capture import journal

CLASHES = ["row", "column", "before", "theirs", "yours"]
ROW_ITSELF = "the row"
_RISKY = ("'=", "'+", "'-", "'@")


@dataclass(frozen=True)
class Slice:
    """Rows of a table whose cells equal `scope`, as they stood in the file when they were read.

    `rows`: one row per row of the file, every column of the file and of the schema, text ("" where blank).
    `digest` identifies what was read.
    """

    folder: Path
    table: Table
    scope: Mapping[str, str]
    rows: pd.DataFrame
    digest: str

    @property
    def key(self) -> list[str]:
        """Columns that tell the rows of the slice apart."""
        return [name for name in self.table.key if name not in self.scope] or list(self.table.key)


def writable(location: str | Path) -> Path:
    """The folder that captured rows go to: the data folder itself, or a copy of one's own of the shipped sample.

    Raises
    ------
    InputError
        The location is no folder.
    """
    where = address(location)
    if where is not None:
        raise InputError(f"A database ({where.scheme}) is only read. Give a folder of CSV files to write rows to.")
    folder = Path(location)
    if folder.resolve() == shipped("data/sample").resolve():
        own = Path.home() / ".local" / "share" / "aiready" / "sample"
        if not own.exists():
            shutil.copytree(folder, own)
        return own
    if not folder.is_dir():
        raise InputError(f"{location}: rows are written to folders of CSV files only. Give a folder.")
    return folder


def read_slice(folder: Path, table: str | Table, scope: Mapping[str, str]) -> Slice:
    """Read the rows of a table whose cells equal `scope`; a blank in `scope` means a blank cell.

    Parameters
    ----------
    folder
        The data folder.
    table
        A table of the data folder by name, or another one that is kept in its subfolder `plans`.

    Raises
    ------
    InputError
        The table lies in a workbook, a Parquet file, a folder of forms, or cannot be read.
    """
    described = TABLES[table] if isinstance(table, str) else table
    _, text = open_text(folder, described)
    return sliced(folder, described, scope, text)


def column_of(folder: Path, table: str, *names: str) -> list[list[str]]:
    """Cells of some columns of a table, as text, from whatever file holds it; without the table empty lists.

    A column that the table lacks is blank.
    """
    places = [place for place in find_tables(folder).places if place.table == table] if _any_file(folder) else []
    parts = [_cells(place, TABLES[table]) for place in places]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    rows = rows.reindex(columns=list(names)).astype(object)
    return [[as_text(cell) for cell in rows[name]] for name in names]


def _cells(place: Place, table: Table) -> pd.DataFrame:
    if place.path.suffix.lower() == ".parquet":
        return pd.read_parquet(place.path)
    if place.sheet is not None:
        sheet = read_workbook_sheet(place.path, place.sheet, table.names, place.file)
    else:
        sheet = read_csv(place.path, table.names, place.file)
    return sheet.batches.read_all().to_pandas() if sheet else pd.DataFrame()


def open_text(folder: Path, table: Table) -> tuple[Path, TextTable]:
    """Where a table lies, and its text; one that is not there yet is empty."""
    path = _path(folder, table) if table.name in TABLES else folder / "plans" / f"{table.name}.csv"
    if not path.exists():
        return path, text_edits.new_table(table.names)
    return path, text_edits.read_table(path, table.names, path.name)


def _path(folder: Path, table: Table) -> Path:
    """The CSV file that a table lies in, or would."""
    own = folder / f"{table.name}.csv"
    if own.exists():
        return own
    places = [place for place in find_tables(folder).places if place.table == table.name] if _any_file(folder) else []
    if [place.path.suffix.lower() for place in places if place.path.parent == folder] in _ONE_TEXT_FILE:
        return places[0].path
    if places:
        files = ", ".join(sorted({place.file.split("[")[0] for place in places}))
        raise InputError(
            f"{table.name} lies in {files}: rows are written to a CSV file only. "
            f"Save it as {own.name} in {folder}, and move the other file away."
        )
    return own


_ONE_TEXT_FILE = ([".csv"], [".tsv"], [".txt"])


def _any_file(folder: Path) -> bool:
    return any(not path.name.startswith(".") for path in folder.iterdir())


def sliced(folder: Path, table: Table, scope: Mapping[str, str], text: TextTable) -> Slice:
    """The rows of a file whose cells equal `scope`."""
    columns = list(dict.fromkeys([*table.names, *scope, *text.columns]))
    found = [text.values(place) for place in places_of(text, scope)]
    rows = pd.DataFrame([{name: harmless(row.get(name, "")) for name in columns} for row in found], columns=columns)
    return Slice(folder, table, dict(scope), rows.astype(object), _digest(rows))


def places_of(text: TextTable, scope: Mapping[str, str]) -> list[int]:
    """Which lines of a file belong to a scope."""
    if any(_plain(value) for name, value in scope.items() if name not in text.columns):
        return []
    places = text.filled
    for name, value in scope.items():
        if name in text.columns:
            at, wanted = text.columns.index(name), _plain(value)
            cells = ((place, text.lines[place].cells) for place in places)
            places = [place for place, row in cells if _plain(row[at] if at < len(row) else "") == wanted]
    return places


def _plain(cell: str) -> str:
    """A cell as ids are compared: spreadsheets write 11 as 11.0."""
    text = cell.strip()
    return text[:-2] if text.endswith(".0") and text[:-2].isdigit() else text


def harmless(cell: str) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from running it."""
    return cell[1:] if cell.startswith(_RISKY) else cell


def _digest(rows: pd.DataFrame) -> str:
    """Fingerprint of rows: blind to their order, to blank cells and to columns that hold nothing."""
    filled = [{name: cell for name, cell in row.items() if cell} for row in rows.to_dict("records")]
    lines = sorted(json.dumps(row, sort_keys=True, ensure_ascii=False) for row in filled)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def as_text(value: Any) -> str:
    """A value as a cell: blank where missing, dates in ISO form, whole numbers without decimals.

    Examples
    --------
    >>> [as_text(value) for value in (None, 12.0, 0.35, True, date(2026, 9, 30), " reply ")]
    ['', '12', '0.35', 'yes', '2026-09-30', 'reply']
    """
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float | int):
        return f"{value:.12g}"
    return str(value).strip()


def key_of(read: Slice, row: Mapping[str, str]) -> tuple[str, ...]:
    """What tells a row of the slice from the others."""
    return tuple(_plain(harmless(row.get(name, ""))) for name in read.key)


# Versions and merging ------------------------------------------------------------------------------------------------


def noted(part: Slice) -> dict[str, str]:
    """The scope as the journal names it: of people a digest only."""
    if not part.table.hashed:
        return dict(part.scope)
    return {"people": hashlib.sha256(json.dumps(sorted(part.scope.items())).encode()).hexdigest()[:12]}


def versions(read: Slice) -> list[tuple[str, pd.DataFrame]]:
    """Earlier versions of a slice, newest first: who saved it when, and the rows; none of tables about people."""
    saves = journal.entries(read.folder, read.table.name, noted(read))
    columns = list(read.rows)
    found = [(f"before {entry.said}", entry.before) for entry in saves[:1]]
    found += [(entry.said, entry.after) for entry in saves]
    made = [(said, pd.DataFrame(list(rows), columns=columns).fillna("")) for said, rows in found if rows is not None]
    return made[::-1]


def differences(read: Slice, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Cells that differ between two versions of a slice: one row per cell (row, column, before, theirs)."""
    old, new = _by_key(read, before), _by_key(read, after)
    found = []
    for key in dict.fromkeys([*old, *new]):
        named = ", ".join(filter(None, key))
        if key not in old or key not in new:
            found.append((named, ROW_ITSELF, "there" if key in old else "", "there" if key in new else "removed"))
            continue
        columns = dict.fromkeys([*old[key], *new[key]])
        pairs = ((name, old[key].get(name, ""), new[key].get(name, "")) for name in columns)
        found += [(named, name, one, other) for name, one, other in pairs if one != other]
    return pd.DataFrame(found, columns=CLASHES[:4])


def _by_key(read: Slice, rows: pd.DataFrame) -> dict[tuple[str, ...], dict[str, str]]:
    return {key_of(read, row): row for row in rows.map(as_text).to_dict("records")}


@dataclass(frozen=True)
class Merged:
    """Two edits of a slice in one: `rows`, and the cells that both changed (`CLASHES`), where theirs was taken."""

    rows: pd.DataFrame
    clashes: pd.DataFrame


def merge(read: Slice, mine: pd.DataFrame, theirs: Slice) -> Merged:
    """Join two edits of the same rows: what only one side changed is taken from it, cell by cell.

    Where both changed a cell, theirs stays and the clash is listed; a row that one side removed and the other changed
    stays.
    """
    base, own, other = (_by_key(read, rows) for rows in (read.rows, mine, theirs.rows))
    rows, clashes = [], []
    for key in dict.fromkeys([*other, *own]):
        joined, met = _joined(base.get(key), own.get(key), other.get(key))
        rows += [joined] if joined is not None else []
        clashes += [(", ".join(filter(None, key)), *clash) for clash in met]
    columns = list(dict.fromkeys([*theirs.rows, *mine]))
    return Merged(pd.DataFrame(rows, columns=columns).fillna(""), pd.DataFrame(clashes, columns=CLASHES))


_Row = Mapping[str, str] | None


def _joined(base: _Row, own: _Row, other: _Row) -> tuple[_Row, list[tuple[str, str, str, str]]]:
    """One row of both sides, and where they clash (column, before, theirs, yours)."""
    if own is None or other is None:
        left = own if other is None else other
        if base is None or left is None:
            return left, []
        shared = {name: base.get(name, "") for name in left}
        if shared == dict(left):
            return None, []
        gone = ("there", "removed", "changed") if other is None else ("there", "changed", "removed")
        return left, [(ROW_ITSELF, *gone)]
    row, clashes = dict(other), []
    for name in own:
        before, yours, their = (side.get(name, "") for side in (base or {}, own, other))
        if their == before:
            row[name] = yours
        elif yours not in (before, their):
            clashes.append((name, before, their, yours))
    return row, clashes
