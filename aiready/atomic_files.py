"""Write files atomically, one run at a time, remove what a killed run had begun; names and digests of files."""

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

MAX_STEM_LENGTH = 100
"""Characters in the file name of a unit, so that with suffixes, also while it is written, disks accept it."""
PART = ".part"
"""Suffix of a file that is being written; no reader ever opens one."""
TOO_FEW = "too few people now"
"""Why the page of a unit that still exists is withdrawn."""
DIGEST = 6
"""Hex digits that tell apart units whose names would be the same."""
_NAME_ERRNOS = (errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ENAMETOOLONG, errno.ELOOP)
"""Errors that concern one path; any other error means that nothing can be written."""
_PARTIAL_NAME = re.compile(rf"\..*[a-z0-9_]{{8}}{re.escape(PART)}")
"""Names of files and folders that are being written."""


class BlockedError(InfrastructureError):
    """This one path cannot be written, though others can: a folder or somebody else's file is there."""


def slug(text: str) -> str:
    """A text as lower-case ASCII letters and digits, all else as hyphens; empty where nothing is left.

    Examples
    --------
    >>> slug("Trust & governance: say, do"), slug("信任")
    ('trust-governance-say-do', '')
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def file_stem(unit_id: str) -> str:
    """File name of a unit without suffix: its slug, with a digest where that differs from the id.

    Examples
    --------
    >>> file_stem("claims"), file_stem("Claims/North")
    ('claims', 'claims-north-414cbf')
    """
    plain = slug(unit_id)
    if plain == unit_id and len(plain) <= MAX_STEM_LENGTH:
        return plain
    return f"{plain[: MAX_STEM_LENGTH - DIGEST - 1].strip('-')}-{sha256(unit_id)[:DIGEST]}".lstrip("-")


def sha256(content: bytes | str) -> str:
    """SHA-256 of a text or of bytes, in hex."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def digest(*parts: bytes | str) -> str:
    """Digest of several parts: twelve hex digits."""
    return sha256(b"".join(bytes.fromhex(sha256(part)) for part in parts))[:12]


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def folder_digest(location: Path) -> str:
    """SHA-256, in hex, of a file, or of the names and contents of all in a folder; of nothing where it is absent.

    Raises
    ------
    OSError
        A file cannot be read, or is a link: what that leads to may lie anywhere.
    """
    combined = hashlib.sha256()
    for path in (location, *sorted(location.rglob("*"))):
        if path.is_symlink() and path != location:
            raise OSError(f"{path} is a link")
        content = file_digest(path) if path.is_file() else str(path.is_dir())
        combined.update(f"{path.relative_to(location).as_posix()}\n{content}\n".encode("utf-8", "surrogateescape"))
    return combined.hexdigest()


def write_file(path: Path, content: bytes, new_mode: int | None = None) -> None:
    """Replace a file atomically and keep its permissions: a reader gets the old content or the new, never half of it.

    `new_mode`: permissions of a file that is not there yet; default: those that the process gives to new files.

    Raises
    ------
    InfrastructureError
        The disk is full or the folder cannot be written; the old file stays. `BlockedError` where only this path is
        the problem.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=PART, delete=False) as file:
            temporary = Path(file.name)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new_mode = 0o666 & ~_umask() if new_mode is None else new_mode
        temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else new_mode)
        temporary.replace(path)
        temporary = None
    except OSError as error:
        kind = BlockedError if error.errno in _NAME_ERRNOS else InfrastructureError
        raise kind(f"{path}: cannot be written ({error.strerror}). What was there stays.") from error
    finally:  # also when the run is stopped by a signal
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def file_errors(path: Path, repair_hint: str) -> Iterator[None]:
    """Turn errors while reading a file of this package into one that names the file.

    Raises
    ------
    InputError
        The file is cut short, changed, or written by something else; `repair_hint` says what to do.
    """
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(f"{path}: cannot be read ({why}). {repair_hint}") from error


def make_private_folder(folder: Path) -> Path:
    """Make a folder that only its owner may enter (mode 0700)."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise InfrastructureError(f"{folder}: cannot be made ({error.strerror}).") from error
    return folder


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Lock a folder for one run; the lock ends with the process, however that ends.

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
        lock_handle = FileLock(lock, timeout=0).acquire()
    except Timeout:
        raise InfrastructureError(
            f"{folder}: another run is writing here. Wait for it to end, or choose another --out."
        ) from None
    except OSError as error:
        raise InfrastructureError(f"{folder}: cannot be written ({error.strerror}). Nothing was changed.") from error
    with lock_handle:
        yield


def remove_partial_files(out: Path) -> None:
    """Remove files and folders that a killed run had begun to write (their names end in `PART`)."""
    for folder in ("units", "overview", "figures", "records"):
        for path in (out / folder).rglob(f".*{PART}"):
            if not _PARTIAL_NAME.fullmatch(path.name):
                continue
            with suppress(FileNotFoundError):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
