"""Temporary folders of page jobs; those left behind by killed runs are removed."""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

PREFIX, LOCK_NAME = "aiready-press-", "held"
"""How these folders are called, and the file in each that stays locked while its runner lives."""


def make_scratch_folder() -> tuple[Path, IO[bytes]]:
    """Make a folder for jobs, with its lock: the open file must be kept while the folder is in use.

    The file is locked before it gets its name, so that nobody finds it unlocked.
    """
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    file = (folder / "held.new").open("wb")
    fcntl.flock(file, fcntl.LOCK_EX)
    (folder / "held.new").rename(folder / LOCK_NAME)
    return folder, file


def remove_abandoned(folder: Path) -> None:
    """Remove job folders of runs that were killed together with everything that could have cleaned up.

    Only this user's folders that hold a regular lock file are touched, never a link or pipe of the same name.
    """
    with contextlib.suppress(OSError):  # the temporary folder may be writable and still not readable
        for candidate in folder.glob(f"{PREFIX}*"):
            with contextlib.suppress(OSError):  # still locked
                _remove_if_abandoned(candidate)


def _remove_if_abandoned(folder: Path) -> None:
    lock_path = folder / LOCK_NAME
    if not (_is_own(folder, stat.S_ISDIR) and _is_own(lock_path, stat.S_ISREG)):
        return
    descriptor = os.open(lock_path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor has no path
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)


def _is_own(path: Path, is_kind: Callable[[int], bool]) -> bool:
    status = path.lstat()
    return is_kind(status.st_mode) and status.st_uid == os.geteuid()
