"""Journal of a data folder: who saved which rows when, the rows before and after, drafts, and a lock for saving.

It lies in `.aiready/` inside the data folder with that folder's permissions, so that everybody who may write there can;
no table is read from it. For tables about people (those with a hashed code) it keeps no contents: withdrawn answers
leave no copy.
"""

import getpass
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from aiready.atomic_files import file_stem, write_file
from aiready.errors import InfrastructureError

FOLDER = ".aiready"
LOCK_TIMEOUT = 10.0
"""Seconds to wait for somebody else's save; a save takes milliseconds."""


@dataclass(frozen=True)
class Entry:
    """One save: rows of `table` whose cells equal `scope`, as they were before and after (None: not kept)."""

    at: str
    by: str
    table: str
    scope: Mapping[str, str]
    digest: str
    before: tuple[Mapping[str, str], ...] | None = None
    after: tuple[Mapping[str, str], ...] | None = None

    @property
    def label(self) -> str:
        """Who saved and when, for display: `anna, 25 November 2026, 14:02`."""
        return f"{self.by}, {local_time(datetime.fromisoformat(self.at))}"


def local_time(at: datetime) -> str:
    """A time in this machine's time zone, for display: `25 November 2026, 14:02`."""
    local = at.astimezone()
    return f"{local.day} {local:%B %Y, %H:%M}"


def utc_now() -> str:
    """The current time in UTC, in the journal's format."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def user() -> str:
    """Name of the user, from JupyterHub or the operating system."""
    try:
        return os.environ.get("JUPYTERHUB_USER") or getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number without a name
        return f"user {os.getuid()}"


@contextmanager
def save_lock(folder: Path) -> Iterator[None]:
    """Hold the lock for saving in a data folder; wait up to `LOCK_TIMEOUT` for another save.

    Raises
    ------
    InfrastructureError
        Another save does not end in time, or the folder cannot be written.
    """
    file = _shared_file(journal_folder(folder) / "lock")
    try:
        lock = FileLock(file, timeout=LOCK_TIMEOUT, poll_interval=0.02).acquire()
    except Timeout:
        raise InfrastructureError(
            f"{folder}: somebody else's save does not end. Nothing was written; try again."
        ) from None
    with lock:
        yield


def journal_folder(folder: Path) -> Path:
    """The journal's folder; created with the data folder's permissions.

    Raises
    ------
    InfrastructureError
        The data folder cannot be written.
    """
    path = folder / FOLDER
    try:
        if not path.exists():
            path.mkdir(exist_ok=True)
            path.chmod(folder.stat().st_mode & 0o777)
    except OSError as error:
        raise InfrastructureError(f"{folder}: cannot be written ({error.strerror}). Nothing was saved.") from error
    return path


def _shared_file(path: Path) -> Path:
    """Create a file, unless it exists, with the permissions of its folder."""
    try:
        if not path.exists():
            path.touch(exist_ok=True)
            path.chmod(path.parent.stat().st_mode & 0o666)
    except OSError as error:
        raise InfrastructureError(f"{path}: cannot be written ({error.strerror}). Nothing was saved.") from error
    return path


def add_entry(folder: Path, entry: Entry) -> None:
    """Add a save to the journal."""
    path = _shared_file(journal_folder(folder) / "journal.jsonl")
    line = json.dumps(asdict(entry), ensure_ascii=False) + "\n"
    with path.open("a", encoding="utf-8") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def entries(folder: Path, table: str, scope: Mapping[str, str]) -> list[Entry]:
    """Saves of the rows of exactly this scope, oldest first."""
    path = folder / FOLDER / "journal.jsonl"
    if not path.exists():
        return []
    parsed = (_parse_entry(line) for line in path.read_text(encoding="utf-8").splitlines())
    return [entry for entry in parsed if entry and entry.table == table and entry.scope == dict(scope)]


def _parse_entry(line: str) -> Entry | None:
    try:
        fields = json.loads(line)
        versions = {name: None if fields[name] is None else tuple(fields[name]) for name in ("before", "after")}
        return Entry(**(fields | versions))
    except (ValueError, TypeError, KeyError):  # a crash cut this line short
        return None


# Edits that are not saved yet -----------------------------------------------------------------------------------


def save_draft(folder: Path, kind: str, scope: Mapping[str, str], state: Any) -> None:
    """Save a draft (an edit that is not in its table yet), so that a dead kernel or a closed tab loses nothing."""
    path = _draft_path(folder, kind, scope)
    _make_subfolder(path.parent)
    write_file(path, json.dumps({"at": utc_now(), "scope": dict(scope), "state": state}, ensure_ascii=False).encode())


def read_draft(folder: Path, kind: str, scope: Mapping[str, str]) -> tuple[str, Any] | None:
    """Time and content of a draft; None if there is none."""
    path = _draft_path(folder, kind, scope)
    try:
        content = json.loads(path.read_bytes())
        return local_time(datetime.fromisoformat(content["at"])), content["state"]
    except (OSError, ValueError, KeyError):
        return None


def delete_draft(folder: Path, kind: str, scope: Mapping[str, str]) -> None:
    """Delete a draft that was saved in its table or given up."""
    _draft_path(folder, kind, scope).unlink(missing_ok=True)


def _make_subfolder(path: Path) -> None:
    """Create a subfolder of the journal with the journal's permissions."""
    parent = journal_folder(path.parents[1])
    if not path.exists():
        path.mkdir(exist_ok=True)
        path.chmod(parent.stat().st_mode & 0o777)


def rejected_edit_path(folder: Path, name: str) -> Path:
    """Path of a file that keeps an edit which could not be saved."""
    _make_subfolder(folder / FOLDER / "kept")
    return folder / FOLDER / "kept" / name


def _draft_path(folder: Path, kind: str, scope: Mapping[str, str]) -> Path:
    digest = hashlib.sha256(json.dumps([user(), *sorted(scope.items())]).encode()).hexdigest()[:16]
    return folder / FOLDER / "drafts" / f"{file_stem(kind)}-{digest}.json"
