"""Who saved what and when in a data folder, what was there before, and edits that are not saved yet.

It lies in `.aiready/` inside the data folder, as open as that folder is, so that all who may write there can; no table
is read from it. Of tables about people (those with a hashed code) it keeps no contents, so that what is withdrawn is
gone.
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

from aiready.atomic_files import slug, write
from aiready.errors import InfrastructureError

FOLDER = ".aiready"
PATIENCE = 10.0
"""Seconds to wait for somebody else's save to end; one takes milliseconds."""


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
    def said(self) -> str:
        """Who and when, for people: `anna, 25 November 2026, 14:02`."""
        return f"{self.by}, {moment(datetime.fromisoformat(self.at))}"


def moment(at: datetime) -> str:
    """A time of this machine's zone, for people."""
    local = at.astimezone()
    return f"{local.day} {local:%B %Y, %H:%M}"


def now() -> str:
    """The present, UTC, as the journal writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def user() -> str:
    """Who works here, as JupyterHub or the system says."""
    try:
        return os.environ.get("JUPYTERHUB_USER") or getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number without a name
        return f"user {os.getuid()}"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the only one who saves in a data folder, waiting for another save to end.

    Raises
    ------
    InfrastructureError
        Another save does not end, or the folder cannot be written.
    """
    file = _shared(place_of(folder) / "lock")
    try:
        held = FileLock(file, timeout=PATIENCE, poll_interval=0.02).acquire()
    except Timeout:
        raise InfrastructureError(
            f"{folder}: somebody else's save does not end. Nothing was written; try again."
        ) from None
    with held:
        yield


def place_of(folder: Path) -> Path:
    """The journal's own folder, as open as the data folder.

    Raises
    ------
    InfrastructureError
        The data folder cannot be written.
    """
    place = folder / FOLDER
    try:
        if not place.exists():
            place.mkdir(exist_ok=True)
            place.chmod(folder.stat().st_mode & 0o777)
    except OSError as error:
        raise InfrastructureError(f"{folder}: cannot be written ({error.strerror}). Nothing was saved.") from error
    return place


def _shared(path: Path) -> Path:
    """A file made, if it is not there, as open as the folder it lies in."""
    try:
        if not path.exists():
            path.touch(exist_ok=True)
            path.chmod(path.parent.stat().st_mode & 0o666)
    except OSError as error:
        raise InfrastructureError(f"{path}: cannot be written ({error.strerror}). Nothing was saved.") from error
    return path


def note(folder: Path, entry: Entry) -> None:
    """Add a save to the journal."""
    path = _shared(place_of(folder) / "journal.jsonl")
    line = json.dumps(asdict(entry), ensure_ascii=False) + "\n"
    with path.open("a", encoding="utf-8") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def entries(folder: Path, table: str, scope: Mapping[str, str]) -> list[Entry]:
    """Saves of these very rows, oldest first."""
    path = folder / FOLDER / "journal.jsonl"
    if not path.exists():
        return []
    found = (_entry(line) for line in path.read_text(encoding="utf-8").splitlines())
    return [entry for entry in found if entry and entry.table == table and entry.scope == dict(scope)]


def _entry(line: str) -> Entry | None:
    try:
        told = json.loads(line)
        kept = {name: None if told[name] is None else tuple(told[name]) for name in ("before", "after")}
        return Entry(**(told | kept))
    except (ValueError, TypeError, KeyError):  # a line cut short by a crash says nothing
        return None


# Edits that are not saved yet -----------------------------------------------------------------------------------


def keep_draft(folder: Path, kind: str, scope: Mapping[str, str], state: Any) -> None:
    """Keep an unsaved edit, so that a dead kernel or a closed tab loses nothing."""
    path = _draft(folder, kind, scope)
    _inside(path.parent)
    write(path, json.dumps({"at": now(), "scope": dict(scope), "state": state}, ensure_ascii=False).encode())


def draft(folder: Path, kind: str, scope: Mapping[str, str]) -> tuple[str, Any] | None:
    """When an unsaved edit was kept, and the edit; None without one."""
    path = _draft(folder, kind, scope)
    try:
        told = json.loads(path.read_bytes())
        return moment(datetime.fromisoformat(told["at"])), told["state"]
    except (OSError, ValueError, KeyError):
        return None


def drop_draft(folder: Path, kind: str, scope: Mapping[str, str]) -> None:
    """Forget an unsaved edit: it was saved or given up."""
    _draft(folder, kind, scope).unlink(missing_ok=True)


def _inside(place: Path) -> None:
    """A subfolder of the journal, as open as it."""
    above = place_of(place.parents[1])
    if not place.exists():
        place.mkdir(exist_ok=True)
        place.chmod(above.stat().st_mode & 0o777)


def kept_path(folder: Path, name: str) -> Path:
    """Where an edit that was refused is kept."""
    _inside(folder / FOLDER / "kept")
    return folder / FOLDER / "kept" / name


def _draft(folder: Path, kind: str, scope: Mapping[str, str]) -> Path:
    marked = hashlib.sha256(json.dumps([user(), *sorted(scope.items())]).encode()).hexdigest()[:16]
    return folder / FOLDER / "drafts" / f"{slug(kind)}-{marked}.json"
