"""One person's edit of slices: a draft that outlives the kernel, undo and redo, save, conflict, join, versions."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from aiready.atomic_files import file_stem, sha256, write_file
from aiready.workbook.capture.merging import MergeResult, merge
from aiready.workbook.capture.store import (
    HIDDEN,
    ConflictError,
    Slice,
    local_time,
    make_folder,
    save_slice,
    user,
)


@dataclass(frozen=True)
class Draft:
    """A file that keeps what one person has not saved yet, of any JSON type, so that a dead kernel loses nothing."""

    folder: Path
    subject: str
    key: Mapping[str, str] | None = None

    @property
    def path(self) -> Path:
        """The file; nobody else's."""
        digest = sha256(json.dumps([user(), *sorted((self.key or {}).items())]))[:16]
        return self.folder / HIDDEN / "drafts" / f"{file_stem(self.subject)}-{digest}.json"

    def save(self, state: Any) -> None:
        """Save a state in place of the one before."""
        make_folder(self.folder, HIDDEN, "drafts")
        at = datetime.now(UTC).isoformat(timespec="seconds")
        write_file(self.path, json.dumps({"at": at, "state": state}, ensure_ascii=False).encode())

    def read(self) -> tuple[str, Any] | None:
        """When it was saved, for display, and the state; None if there is none."""
        try:
            content = json.loads(self.path.read_bytes())
            return local_time(datetime.fromisoformat(content["at"])), content["state"]
        except (OSError, ValueError, KeyError):
            return None

    def delete(self) -> None:
        """Delete it once it was saved in its table or given up."""
        self.path.unlink(missing_ok=True)


class Editor:
    """The edit of one or more slices: `slices` as they were read, by table, and `state`, of any JSON type.

    `subject` tells drafts of different panels apart, `by` is who saves (default: the user).
    """

    def __init__(self, folder: Path, subject: str, by: str = ""):
        self.folder, self.subject, self.by = folder, f"{subject} {by}".strip(), by
        self.slices: dict[str, Slice] = {}
        self.state: Any = None
        self.conflict: tuple[Slice, pd.DataFrame, Slice] | None = None
        """What was read, what was to be saved, and what others had saved instead."""
        self.key: Mapping[str, str] = {}
        self._undo: list[Any] = []
        self._redo: list[Any] = []

    def draft(self, key: Mapping[str, str], subject: str = "") -> Draft:
        """The draft of this person under a key, or on another subject."""
        return Draft(self.folder, subject or self.subject, key)

    def open(self, key: Mapping[str, str], slices: Iterable[Slice]) -> None:
        """Take slices as read, under a key that tells drafts apart."""
        self.key, self.slices = dict(key), {part.table.name: part for part in slices}
        self.state, self.conflict, self._undo, self._redo = None, None, [], []

    def resume(self, state: Any) -> str:
        """Take the state of what was read, and on top of it the draft; when that was made, blank without one.

        A draft remembers what was read when it was made, so that what others saved since is noticed.
        """
        self.state, draft = state, self.draft(self.key).read()
        if draft is None or "slices" not in draft[1]:  # the draft of an earlier version of this program
            return ""
        when, content = draft
        for name, rows in content["slices"].items():
            columns = list(dict.fromkeys([*self.slices[name].rows, *(column for row in rows for column in row)]))
            read = pd.DataFrame(rows, columns=columns, dtype=object).fillna("")
            self.slices[name] = replace(self.slices[name], rows=read)
        self._undo, self.state = [state], content["state"]
        return when

    def edit(self, state: Any) -> None:
        """Change the state; it can be undone, and is a draft until it is saved."""
        self._undo.append(self.state)
        self._redo.clear()
        self.save_draft(state)

    def save_draft(self, state: Any) -> None:
        """Change the state without a step to undo."""
        self.state = state
        read = {name: part.rows.to_dict("records") for name, part in self.slices.items()}
        self.draft(self.key).save({"slices": read, "state": state})

    def delete_draft(self) -> None:
        """Give the draft up, or end it once everything is saved."""
        self.draft(self.key).delete()

    def undo(self) -> bool:
        """Go one edit back; False if there is none."""
        return self._step(self._undo, self._redo)

    def redo(self) -> bool:
        """Take the last undo back; False if there is none."""
        return self._step(self._redo, self._undo)

    def _step(self, source: list[Any], target: list[Any]) -> bool:
        if not source:
            return False
        target.append(self.state)
        self.save_draft(source.pop())
        return True

    def save(self, table: str, rows: pd.DataFrame) -> Slice:
        """Save the rows of one slice; the draft stays until it is deleted.

        Raises
        ------
        ConflictError
            Somebody else saved it since it was read; `join` merges both versions.
        """
        try:
            self.slices[table] = save_slice(self.slices[table], rows, self.by)
        except ConflictError as error:
            self.conflict = self.slices[table], rows.assign(**error.current.key), error.current
            raise
        return self.slices[table]

    def join(self) -> tuple[str, MergeResult]:
        """The table in conflict, and what was to be saved merged with what others saved, which now counts as read."""
        if self.conflict is None:
            raise ValueError("there is no conflict")
        base, rows, current = self.conflict
        self.take_theirs()
        return base.table.name, merge(base.rows, rows, current.rows, base.row_key)

    def take_theirs(self) -> None:
        """Take what others saved as read, in place of what was to be saved."""
        if self.conflict is not None:
            current = self.conflict[2]
            self.slices[current.table.name], self.conflict = current, None
