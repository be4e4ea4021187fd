"""Folders of orders among the temporary files of this machine; those of runs that were killed are taken away."""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

SCRATCH, HELD = "aiready-press-", "held"
"""How folders of orders are named, and in each the file that is locked while its press lives."""


def made() -> tuple[Path, IO[bytes]]:
    """Make a folder of orders, marked as in use while this process lives: the file that marks it is to be held.

    That file is locked before it gets its name.
    """
    folder = Path(tempfile.mkdtemp(prefix=SCRATCH))
    file = (folder / "held.new").open("wb")
    fcntl.flock(file, fcntl.LOCK_EX)
    (folder / "held.new").rename(folder / HELD)
    return folder, file


def sweep(folder: Path) -> None:
    """Take away folders of orders of processes that were killed with all who could have cleared up.

    Only what such a process of this user made is looked at: a folder of theirs with a file in it, never what only has
    its name (a link, a pipe that would be waited for).
    """
    with contextlib.suppress(OSError):  # a folder that may be written to need not be one to read
        for left in folder.glob(f"{SCRATCH}*"):
            with contextlib.suppress(OSError):  # somebody lives
                _sweep_one(left)


def _sweep_one(left: Path) -> None:
    held = left / HELD
    if not (_own(left, stat.S_ISDIR) and _own(held, stat.S_ISREG)):
        return
    with open(os.open(held, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW), "rb") as file:  # noqa: PTH123 - of a number
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(left, ignore_errors=True)


def _own(path: Path, kind: Callable[[int], bool]) -> bool:
    status = path.lstat()
    return kind(status.st_mode) and status.st_uid == os.geteuid()
