"""Save edited rows in the data folder: atomically, and never over what somebody else saved meanwhile.

    base = read_rows(folder, "tasks", {"unit_id": "claims", "job": "Claims handler"})
    saved = save_rows(base, rows)           # raises ConflictError, and writes nothing, if others saved in between

Other rows, columns that the schema does not know, empty lines and the spelling of unchanged cells stay as they are.
"""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from aiready.atomic_files import file_stem, write_file
from aiready.errors import AireadyError, InputError
from aiready.inputs import text_edits
from aiready.inputs.dataset import safe_cell, safe_cells
from aiready.inputs.text_edits import Line, TextTable
from aiready.workbook.capture import journal
from aiready.workbook.capture.scoped_rows import (
    ScopedRows,
    as_text,
    differences,
    journal_scope,
    matching_lines,
    read_text_table,
    row_key,
    select_rows,
    without_apostrophe,
)


class ConflictError(AireadyError):
    """Somebody else saved the same rows since they were read: nothing was written.

    `current` are the rows in the file now; save on top of them once the user has seen them. `differences` has one row
    per cell that others changed (`row`, `column`, `before`, `theirs`). `rejected_path` is the file that keeps the
    edit; None for tables about people.
    """

    def __init__(self, message: str, current: ScopedRows, differences: pd.DataFrame, rejected_path: Path | None):
        super().__init__(message)
        self.current = current
        self.differences = differences
        self.rejected_path = rejected_path


def save_rows(base: ScopedRows, rows: pd.DataFrame, by: str = "") -> ScopedRows:
    """Replace the rows that were read by edited ones, and return the rows as saved.

    Parameters
    ----------
    base
        The rows as they were read.
    rows
        The edited rows, matched by the table's key. Columns that they lack keep their cells; a row that they lack is
        removed from the file.
    by
        Who saves; default: the user.

    Raises
    ------
    ConflictError
        Somebody else saved these rows since they were read; nothing was written.
    InputError
        Two rows have the same key.
    InfrastructureError
        The disk is full or the folder cannot be written; the old file stays.
    """
    author = by.strip() or journal.user()
    new_rows = rows.map(as_text).assign(**base.scope)
    _check_keys(base, new_rows)
    with journal.save_lock(base.folder):
        path, text = read_text_table(base.folder, base.table)
        current = select_rows(base.folder, base.table, base.scope, text)
        if current.digest != base.digest:
            raise _conflict(base, current, new_rows, path, author)
        new_text = _replace_rows(text, current, new_rows)
        saved = select_rows(base.folder, base.table, base.scope, new_text)
        if saved.digest == current.digest:
            return saved
        write_file(path, new_text.content)
        journal.add_entry(base.folder, _journal_entry(current, saved, author))
    return saved


def _check_keys(base: ScopedRows, new_rows: pd.DataFrame) -> None:
    key = [name for name in base.table.key if name in new_rows]
    repeated = new_rows[new_rows.duplicated(key)]
    if len(repeated):
        repeated_keys = "; ".join(", ".join(filter(None, row)) for row in repeated[base.key].itertuples(index=False))
        raise InputError(
            f"{base.table.name}: {', '.join(base.key)} may not occur twice ({repeated_keys}). Rename one of them."
        )


def _replace_rows(text: TextTable, current: ScopedRows, new_rows: pd.DataFrame) -> TextTable:
    """The file with the rows of the scope changed, removed or added; every other line as it stands.

    Existing rows keep their line; a new row is inserted after the row that precedes it in `new_rows`.
    """
    text = text_edits.with_columns(text, [name for name in new_rows if new_rows[name].ne("").any()])
    numbers = matching_lines(text, current.scope)
    number_of_key = {row_key(current, text.values(number)): number for number in numbers}
    rows = {row_key(current, row): row for row in new_rows.to_dict("records")}
    added_after: dict[int, list[Line]] = {}
    previous = numbers[0] - 1 if numbers else len(text.lines) - 1
    for key, row in rows.items():
        previous = number_of_key.get(key, previous)
        if key not in number_of_key:
            safe = {name: safe_cell(cell) for name, cell in row.items()}
            added_after.setdefault(previous, []).append(text_edits.new_line(text, safe))
    updated = {number: _updated_line(text, number, rows.get(key)) for key, number in number_of_key.items()}
    removed = set(numbers) - {number for number, line in updated.items() if line is not None}
    lines = list(added_after.get(-1, []))
    for number, line in enumerate(text.lines):
        lines += [] if number in removed else [updated.get(number) or line]
        lines += added_after.get(number, [])
    return replace(text, lines=tuple(lines))


def _updated_line(text: TextTable, number: int, row: dict[str, str] | None) -> Line | None:
    """A line with its changed cells; the same line if no cell changed, None if the row was removed."""
    if row is None:
        return None
    before = text.values(number)
    cells = {name: cell for name, cell in row.items() if name in text.columns}
    changed = {name: safe_cell(cell) for name, cell in cells.items() if without_apostrophe(before[name]) != cell}
    return text_edits.new_line(text, before | changed) if changed else text.lines[number]


def _journal_entry(before: ScopedRows, after: ScopedRows, author: str) -> journal.Entry:
    entry = journal.Entry(journal.utc_now(), author, before.table.name, journal_scope(before), after.digest)
    return entry if before.table.hashed else replace(entry, before=_filled_cells(before), after=_filled_cells(after))


def _filled_cells(version: ScopedRows) -> tuple[dict[str, str], ...]:
    return tuple({name: cell for name, cell in row.items() if cell} for row in version.rows.to_dict("records"))


# Conflicts ------------------------------------------------------------------------------------------------------


def _conflict(base: ScopedRows, current: ScopedRows, new_rows: pd.DataFrame, path: Path, author: str) -> ConflictError:
    """The error for whoever saves second: who changed what and when, and which file keeps the rejected edit."""
    changes = differences(base, base.rows, current.rows)
    rejected_path = None if base.table.hashed else _save_rejected(base, new_rows, author)
    scope_text = ", ".join(value for value in base.scope.values() if value)
    cells = [
        f"{row.row}: {row.column} {row.before or '–'} → {row.theirs or '–'}" for row in changes.head(6).itertuples()
    ]
    more = f" and {len(changes) - 6} more" if len(changes) > 6 else ""
    hint = f" Your version is kept in {rejected_path.relative_to(base.folder)}." if rejected_path else ""
    message = (
        f"{path.name}, {scope_text}: somebody else saved this since you opened it ({_last_author(current, path)}). "
        f"Changed there: {'; '.join(cells)}{more}. Nothing was written.{hint}"
    )
    return ConflictError(message, current, changes, rejected_path)


def _last_author(current: ScopedRows, path: Path) -> str:
    saves = journal.entries(current.folder, current.table.name, journal_scope(current))
    authors = [entry.label for entry in saves if entry.digest == current.digest]
    at = datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.exists() else datetime.now(UTC)
    return authors[-1] if authors else f"outside this workbook, {journal.local_time(at)}"


def _save_rejected(base: ScopedRows, new_rows: pd.DataFrame, author: str) -> Path:
    stamp = datetime.now().strftime("%Y-%m-%d-%H%M%S-%f")
    path = journal.rejected_edit_path(base.folder, f"{base.table.name}-{file_stem(author)}-{stamp}.csv")
    write_file(path, safe_cells(new_rows).to_csv(index=False).encode())
    return path
