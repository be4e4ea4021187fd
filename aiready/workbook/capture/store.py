"""Writing rows back to the data folder: whole or not at all, and never over what somebody else saved meanwhile.

    read = read_slice(folder, "tasks", {"unit_id": "claims", "job": "Claims handler"})
    saved = save_slice(read, rows)          # raises ConflictError, and writes nothing, where others were there

A slice is the rows of a table that belong together: a job, an initiative, a respondent. Other rows, columns that the
schema does not know, empty lines and spellings of the file stay as they are.
"""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from aiready.atomic_files import slug, write
from aiready.errors import AireadyError, InputError
from aiready.inputs import text_edits
from aiready.inputs.dataset import safe_cell, safe_cells
from aiready.inputs.text_edits import Line, TextTable
from aiready.workbook.capture import journal
from aiready.workbook.capture.slices import (
    Slice,
    as_text,
    differences,
    harmless,
    key_of,
    noted,
    open_text,
    places_of,
    sliced,
)


class ConflictError(AireadyError):
    """Somebody else saved the same rows since they were read: nothing was written.

    `theirs` is what stands there now; saving on top of it, once seen, is allowed. `differences` has one row per cell
    that they changed (`row`, `column`, `before`, `theirs`). `kept` is the file that holds the edit that was refused.
    """

    def __init__(self, message: str, theirs: Slice, differences: pd.DataFrame, kept: Path | None):
        super().__init__(message)
        self.theirs = theirs
        self.differences = differences
        self.kept = kept


def save_slice(read: Slice, rows: pd.DataFrame, by: str = "") -> Slice:
    """Put rows in the place of those that were read, and give them back as they stand now.

    Parameters
    ----------
    read
        The slice as it was read.
    rows
        What should stand there. Rows are matched by the table's key; columns that are not given keep their cells, and a
        row that is not given any more is removed.
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
    who = by.strip() or journal.user()
    given = rows.map(as_text).assign(**read.scope)
    _distinct(read, given)
    with journal.alone(read.folder):
        path, text = open_text(read.folder, read.table)
        there = sliced(read.folder, read.table, read.scope, text)
        if there.digest != read.digest:
            raise _changed(read, there, given, path, who)
        changed = _replaced(text, there, given)
        after = sliced(read.folder, read.table, read.scope, changed)
        if after.digest == there.digest:
            return after
        write(path, changed.content)
        journal.note(read.folder, _entry(there, after, who))
    return after


def _distinct(read: Slice, given: pd.DataFrame) -> None:
    key = [name for name in read.table.key if name in given]
    repeated = given[given.duplicated(key)]
    if len(repeated):
        listed = "; ".join(", ".join(filter(None, row)) for row in repeated[read.key].itertuples(index=False))
        raise InputError(
            f"{read.table.name}: {', '.join(read.key)} may not occur twice ({listed}). Rename one of them."
        )


def _replaced(text: TextTable, there: Slice, given: pd.DataFrame) -> TextTable:
    """The file with the slice's rows changed, removed or added; every other line as it stands.

    A row that is new stands behind the one it was given behind; those that were there keep their places.
    """
    text = text_edits.with_columns(text, [name for name in given if given[name].ne("").any()])
    places = places_of(text, there.scope)
    at = {key_of(there, text.values(place)): place for place in places}
    rows = {key_of(there, row): row for row in given.to_dict("records")}
    behind: dict[int, list[Line]] = {}
    last = places[0] - 1 if places else len(text.lines) - 1
    for key, row in rows.items():
        last = at.get(key, last)
        if key not in at:
            safe = {name: safe_cell(cell) for name, cell in row.items()}
            behind.setdefault(last, []).append(text_edits.line_of(text, safe))
    held = {place: _line(text, place, rows.get(key)) for key, place in at.items()}
    removed = set(places) - {place for place, line in held.items() if line is not None}
    lines = list(behind.get(-1, []))
    for place, line in enumerate(text.lines):
        lines += [] if place in removed else [held.get(place) or line]
        lines += behind.get(place, [])
    return replace(text, lines=tuple(lines))


def _line(text: TextTable, place: int, row: dict[str, str] | None) -> Line | None:
    """A line with the cells that changed; the very line where none did, None where the row is not given any more."""
    if row is None:
        return None
    before = text.values(place)
    kept = {name: cell for name, cell in row.items() if name in text.columns}
    changed = {name: safe_cell(cell) for name, cell in kept.items() if harmless(before[name]) != cell}
    return text_edits.line_of(text, before | changed) if changed else text.lines[place]


def _entry(before: Slice, after: Slice, who: str) -> journal.Entry:
    said = journal.Entry(journal.now(), who, before.table.name, noted(before), after.digest)
    return said if before.table.hashed else replace(said, before=_kept(before), after=_kept(after))


def _kept(part: Slice) -> tuple[dict[str, str], ...]:
    return tuple({name: cell for name, cell in row.items() if cell} for row in part.rows.to_dict("records"))


# Others were there ----------------------------------------------------------------------------------------------


def _changed(read: Slice, there: Slice, given: pd.DataFrame, path: Path, who: str) -> ConflictError:
    """What is told to the second who saves: who, what, when, and where their own edit is kept."""
    seen = differences(read, read.rows, there.rows)
    kept = None if read.table.hashed else _keep(read, given, who)
    named = ", ".join(value for value in read.scope.values() if value)
    cells = [f"{row.row}: {row.column} {row.before or '–'} → {row.theirs or '–'}" for row in seen.head(6).itertuples()]
    more = f" and {len(seen) - 6} more" if len(seen) > 6 else ""
    own = f" Your version is kept in {kept.relative_to(read.folder)}." if kept else ""
    message = (
        f"{path.name}, {named}: somebody else saved this since you opened it ({_author(there, path)}). "
        f"Changed there: {'; '.join(cells)}{more}. Nothing was written.{own}"
    )
    return ConflictError(message, there, seen, kept)


def _author(there: Slice, path: Path) -> str:
    saves = journal.entries(there.folder, there.table.name, noted(there))
    known = [entry.said for entry in saves if entry.digest == there.digest]
    at = datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.exists() else datetime.now(UTC)
    return known[-1] if known else f"outside this workbook, {journal.moment(at)}"


def _keep(read: Slice, given: pd.DataFrame, who: str) -> Path:
    stamp = datetime.now().strftime("%Y-%m-%d-%H%M%S-%f")
    path = journal.kept_path(read.folder, f"{read.table.name}-{slug(who)}-{stamp}.csv")
    write(path, safe_cells(given).to_csv(index=False).encode())
    return path
