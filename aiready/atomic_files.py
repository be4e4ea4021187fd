"""Publishing files: whole or not at all, one run at a time, and nothing stale left behind."""

import errno
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from aiready.errors import InfrastructureError, InputError

LONGEST = 100
"""Signs of a file name that a unit may have: with endings, and while it is written, it stays below what disks allow."""
PART = ".part"
"""Ending of what is being written; no reader ever sees it."""
TOO_FEW = "too few people now"
"""Why a page of a unit that is still there is taken away."""
DIGEST = 6
_OF_ONE_NAME = (errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ENAMETOOLONG, errno.ELOOP)
"""What is wrong with one name alone."""
_HALF = re.compile(rf"\..*[a-z0-9_]{{8}}{re.escape(PART)}")
"""How files and folders are called that are being written."""


class BlockedError(InfrastructureError):
    """This one name cannot be written, whatever else can: a folder has it, or somebody else's file."""


def slug(unit_id: str) -> str:
    """File name of a unit: lower-case ascii, other signs `-`, with a digest where that changed the id.

    Examples
    --------
    >>> slug("claims"), slug("Claims/North")
    ('claims', 'claims-north-414cbf')
    """
    plain = re.sub(r"[^a-z0-9]+", "-", unit_id.lower()).strip("-")
    if plain == unit_id and len(plain) <= LONGEST:
        return plain
    told_apart = hashlib.sha256(unit_id.encode()).hexdigest()[:DIGEST]
    return f"{plain[: LONGEST - DIGEST - 1].strip('-')}-{told_apart}".lstrip("-")


def write(path: Path, content: bytes) -> None:
    """Replace a file at once: a reader meets the old one or the new one, never a half; who may read it stays.

    Raises
    ------
    InfrastructureError
        The disk is full or the folder cannot be written; the old file stays.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=PART, delete=False) as file:
            temporary = Path(file.name)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        temporary.replace(path)
        temporary = None
    except OSError as error:
        kind = BlockedError if error.errno in _OF_ONE_NAME else InfrastructureError
        raise kind(f"{path}: cannot be written ({error.strerror}). What was there stays.") from error
    finally:  # also when the run is told to stop
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def legible(path: Path, mend: str) -> Iterator[None]:
    """Read a file that this package wrote.

    Raises
    ------
    InputError
        It is not what was written: it was cut short, changed, or written by something else; `mend` says what to do.
    """
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(f"{path}: cannot be read ({why}). {mend}") from error


def private(folder: Path) -> Path:
    """Make a folder that only its owner may enter (mode 0700)."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise InfrastructureError(f"{folder}: cannot be made ({error.strerror}).") from error
    return folder


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the only run in a folder; the lock ends with the process, however it ends.

    Raises
    ------
    InfrastructureError
        Another run holds the folder.
    """
    lock = folder / ".lock"
    if lock.is_symlink() or (lock.exists() and (not lock.is_file() or lock.stat().st_size)):  # would be emptied
        raise InfrastructureError(f"{lock}: is not a lock of aiready. Move it away, or choose another --out.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = FileLock(lock, timeout=0).acquire()
    except Timeout:
        raise InfrastructureError(
            f"{folder}: another run is writing here. Wait for it to end, or choose another --out."
        ) from None
    except OSError as error:
        raise InfrastructureError(f"{folder}: cannot be written ({error.strerror}). Nothing was changed.") from error
    with held:
        yield


def sweep(out: Path) -> None:
    """Clear away what a run that was killed had begun to write: files and folders that end in `PART`."""
    for folder in ("units", "overview", "figures", "records"):
        for path in (out / folder).rglob(f".*{PART}"):
            if not _HALF.fullmatch(path.name):
                continue
            with suppress(FileNotFoundError):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
