"""Read the rows of a table that belong together (one job, one initiative, one person); compare and merge versions."""

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
from aiready.inputs.database import parse_address
from aiready.inputs.discover import TablePart, find_tables
from aiready.inputs.files import read_csv, read_workbook_sheet
from aiready.inputs.text_edits import TextTable
from aiready.model.schema import TABLES, Table
from aiready.package_files import package_file
from aiready.workbook.capture import journal

CONFLICT_COLUMNS = ["row", "column", "before", "theirs", "yours"]
ROW_ITSELF = "the row"
_RISKY = ("'=", "'+", "'-", "'@")


@dataclass(frozen=True)
class ScopedRows:
    """Rows of a table whose cells equal `scope`, as they stood in the file when they were read.

    `rows`: one per row of the file, with every column of the file and of the schema, as text ("" if blank).
    `digest` is the fingerprint of `rows`.
    """

    folder: Path
    table: Table
    scope: Mapping[str, str]
    rows: pd.DataFrame
    digest: str

    @property
    def key(self) -> list[str]:
        """Columns that identify a row within the scope."""
        return [name for name in self.table.key if name not in self.scope] or list(self.table.key)


def writable_folder(location: str | Path) -> Path:
    """The folder to save rows in: the data folder itself, or for the shipped sample the user's own copy of it.

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
        own = Path.home() / ".local" / "share" / "aiready" / "sample"
        if not own.exists():
            shutil.copytree(folder, own)
        return own
    if not folder.is_dir():
        raise InputError(f"{location}: rows are written to folders of CSV files only. Give a folder.")
    return folder


def read_rows(folder: Path, table: str | Table, scope: Mapping[str, str]) -> ScopedRows:
    """Read the rows of a table whose cells equal `scope`; a blank value in `scope` matches blank cells.

    Parameters
    ----------
    folder
        The data folder.
    table
        The name of a table of the schema, or a table that is kept in the subfolder `plans`.

    Raises
    ------
    InputError
        The table lies in a workbook, a Parquet file, a folder of forms, or cannot be read.
    """
    described = TABLES[table] if isinstance(table, str) else table
    _, text = read_text_table(folder, described)
    return select_rows(folder, described, scope, text)


def read_columns(folder: Path, table: str, *names: str) -> list[list[str]]:
    """Read columns of a table as text, a list per name, from files of any kind; empty lists if there is no table.

    A column that the table lacks is blank.
    """
    parts = [part for part in find_tables(folder).parts if part.table == table] if _has_files(folder) else []
    frames = [_read_part(part, TABLES[table]) for part in parts]
    rows = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    rows = rows.reindex(columns=list(names)).astype(object)
    return [[as_text(cell) for cell in rows[name]] for name in names]


def _read_part(part: TablePart, table: Table) -> pd.DataFrame:
    if part.path.suffix.lower() == ".parquet":
        return pd.read_parquet(part.path)
    if part.sheet is not None:
        sheet = read_workbook_sheet(part.path, part.sheet, table.names, part.file)
    else:
        sheet = read_csv(part.path, table.names, part.file)
    return sheet.batches.read_all().to_pandas() if sheet else pd.DataFrame()


def read_text_table(folder: Path, table: Table) -> tuple[Path, TextTable]:
    """Path and text of a table's CSV file; an empty table if there is no file yet."""
    path = _csv_path(folder, table) if table.name in TABLES else folder / "plans" / f"{table.name}.csv"
    if not path.exists():
        return path, text_edits.new_table(table.names)
    return path, text_edits.read_table(path, table.names, path.name)


def _csv_path(folder: Path, table: Table) -> Path:
    """The delimited file that holds a table; if there is none, the path for a new one."""
    own = folder / f"{table.name}.csv"
    if own.exists():
        return own
    parts = [part for part in find_tables(folder).parts if part.table == table.name] if _has_files(folder) else []
    if [part.path.suffix.lower() for part in parts if part.path.parent == folder] in _ONE_TEXT_FILE:
        return parts[0].path
    if parts:
        files = ", ".join(sorted({part.file.split("[")[0] for part in parts}))
        raise InputError(
            f"{table.name} lies in {files}: rows are written to a CSV file only. "
            f"Save it as {own.name} in {folder}, and move the other file away."
        )
    return own


_ONE_TEXT_FILE = ([".csv"], [".tsv"], [".txt"])


def _has_files(folder: Path) -> bool:
    return any(not path.name.startswith(".") for path in folder.iterdir())


def select_rows(folder: Path, table: Table, scope: Mapping[str, str], text: TextTable) -> ScopedRows:
    """Select the rows of a file whose cells equal `scope`."""
    columns = list(dict.fromkeys([*table.names, *scope, *text.columns]))
    records = [text.values(number) for number in matching_lines(text, scope)]
    rows = pd.DataFrame(
        [{name: without_apostrophe(row.get(name, "")) for name in columns} for row in records], columns=columns
    )
    return ScopedRows(folder, table, dict(scope), rows.astype(object), _digest(rows))


def matching_lines(text: TextTable, scope: Mapping[str, str]) -> list[int]:
    """Numbers of the lines of a file whose cells equal `scope`; the first line below the header is 0."""
    if any(_comparable(value) for name, value in scope.items() if name not in text.columns):
        return []
    numbers = text.filled
    for name, value in scope.items():
        if name in text.columns:
            position, target = text.columns.index(name), _comparable(value)
            cells = ((number, text.lines[number].cells) for number in numbers)
            numbers = [
                number for number, row in cells if _comparable(row[position] if position < len(row) else "") == target
            ]
    return numbers


def _comparable(cell: str) -> str:
    """A cell in the form in which ids are compared: spreadsheets write 11 as 11.0."""
    text = cell.strip()
    return text[:-2] if text.endswith(".0") and text[:-2].isdigit() else text


def without_apostrophe(cell: str) -> str:
    """A cell without the apostrophe that `safe_cell` puts before what a spreadsheet would run as a formula."""
    return cell[1:] if cell.startswith(_RISKY) else cell


def _digest(rows: pd.DataFrame) -> str:
    """Fingerprint of rows; ignores their order, blank cells and empty columns."""
    filled = [{name: cell for name, cell in row.items() if cell} for row in rows.to_dict("records")]
    lines = sorted(json.dumps(row, sort_keys=True, ensure_ascii=False) for row in filled)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def as_text(value: Any) -> str:
    """A value as the text of a cell: blank if missing, dates in ISO format, whole numbers without decimals.

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


def row_key(base: ScopedRows, row: Mapping[str, str]) -> tuple[str, ...]:
    """Key of a row within its scope, as compared."""
    return tuple(_comparable(without_apostrophe(row.get(name, ""))) for name in base.key)


# Versions and merging ------------------------------------------------------------------------------------------------


def journal_scope(base: ScopedRows) -> dict[str, str]:
    """The scope as written to the journal: only a digest of it for tables about people."""
    if not base.table.hashed:
        return dict(base.scope)
    return {"people": hashlib.sha256(json.dumps(sorted(base.scope.items())).encode()).hexdigest()[:12]}


def versions(base: ScopedRows) -> list[tuple[str, pd.DataFrame]]:
    """Saved versions of the rows, newest first: (who saved when, rows); none for tables about people."""
    saves = journal.entries(base.folder, base.table.name, journal_scope(base))
    columns = list(base.rows)
    states = [(f"before {entry.label}", entry.before) for entry in saves[:1]]
    states += [(entry.label, entry.after) for entry in saves]
    tables = [
        (label, pd.DataFrame(list(rows), columns=columns).fillna("")) for label, rows in states if rows is not None
    ]
    return tables[::-1]


def differences(base: ScopedRows, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Cells that differ between two versions of the same rows: one row per cell (row, column, before, theirs)."""
    old, new = _by_key(base, before), _by_key(base, after)
    cells = []
    for key in dict.fromkeys([*old, *new]):
        row_name = ", ".join(filter(None, key))
        if key not in old or key not in new:
            cells.append((row_name, ROW_ITSELF, "there" if key in old else "", "there" if key in new else "removed"))
            continue
        columns = dict.fromkeys([*old[key], *new[key]])
        pairs = ((name, old[key].get(name, ""), new[key].get(name, "")) for name in columns)
        cells += [(row_name, name, old_cell, new_cell) for name, old_cell, new_cell in pairs if old_cell != new_cell]
    return pd.DataFrame(cells, columns=CONFLICT_COLUMNS[:4])


def _by_key(base: ScopedRows, rows: pd.DataFrame) -> dict[tuple[str, ...], dict[str, str]]:
    return {row_key(base, row): row for row in rows.map(as_text).to_dict("records")}


@dataclass(frozen=True)
class MergeResult:
    """Merged `rows`, and `conflicts`: one row per cell that both sides changed (`CONFLICT_COLUMNS`)."""

    rows: pd.DataFrame
    conflicts: pd.DataFrame


def merge(base: ScopedRows, edited: pd.DataFrame, current: ScopedRows) -> MergeResult:
    """Three-way merge, cell by cell: what was read (`base`), one's own edit, and what others saved since (`current`).

    If both sides changed a cell, the saved value stays and the conflict is listed; a row that one side removed and the
    other changed stays.
    """
    old_rows, edited_rows, current_rows = (_by_key(base, rows) for rows in (base.rows, edited, current.rows))
    rows, conflicts = [], []
    for key in dict.fromkeys([*current_rows, *edited_rows]):
        merged_row, row_conflicts = _merge_row(old_rows.get(key), edited_rows.get(key), current_rows.get(key))
        rows += [merged_row] if merged_row is not None else []
        conflicts += [(", ".join(filter(None, key)), *conflict) for conflict in row_conflicts]
    columns = list(dict.fromkeys([*current.rows, *edited]))
    return MergeResult(
        pd.DataFrame(rows, columns=columns).fillna(""), pd.DataFrame(conflicts, columns=CONFLICT_COLUMNS)
    )


_Row = Mapping[str, str] | None


def _merge_row(old: _Row, edited: _Row, current: _Row) -> tuple[_Row, list[tuple[str, str, str, str]]]:
    """Merge one row (None: removed or not there) and list its conflicts (column, before, theirs, yours)."""
    if edited is None or current is None:
        remaining = edited if current is None else current
        if old is None or remaining is None:
            return remaining, []
        shared = {name: old.get(name, "") for name in remaining}
        if shared == dict(remaining):
            return None, []
        cells = ("there", "removed", "changed") if current is None else ("there", "changed", "removed")
        return remaining, [(ROW_ITSELF, *cells)]
    row, conflicts = dict(current), []
    for name in edited:
        old_cell, edited_cell, current_cell = (side.get(name, "") for side in (old or {}, edited, current))
        if current_cell == old_cell:
            row[name] = edited_cell
        elif edited_cell not in (old_cell, current_cell):
            conflicts.append((name, old_cell, current_cell, edited_cell))
    return row, conflicts
