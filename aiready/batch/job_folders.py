"""Temporary folders: one for this process's runners, one in it for each page; what killed runs left is removed."""

import contextlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from multiprocessing.util import Finalize, get_temp_dir
from pathlib import Path

from filelock import FileLock, Timeout

from aiready.batch.page_job import PageJob

PREFIX, LOCK_NAME = "aiready.", "held"
"""How a process's folder is called, short since a socket lies in it, and the file locked while the process lives."""
SECONDS_TO_LOCK = 60
"""An empty folder of that age will not be locked any more: whoever made it was killed."""
AFTER_MULTIPROCESSING = -200
"""Order in which `multiprocessing` cleans up when this process ends: after the folder of its socket, at -100."""


class JobFolder:
    """The folder of one job, removed when its page is made.

    `results`: the unit's part of the results, as the notebook reads it. `executed`: the executed notebook. `page`: the
    page, once it has been checked; `figures`: its figures as files for slides. `error`: status and traceback of a page
    that failed; `fault`: the stack of an interpreter that crashed; `stderr`: what the process printed. `step`: number
    of the running cell, or `page` once the notebook has run. `parent`: id of the process that forked the page's.
    """

    def __init__(self, path: Path):
        self.path = path
        self.results, self.figures = path / "results", path / "figures"
        self.executed, self.page = path / "executed.ipynb", path / "page.html"
        self.error, self.fault, self.stderr = path / "error.txt", path / "fault.txt", path / "stderr.txt"
        self.step, self.parent = path / "step", path / "parent"

    def write_inputs(self, job: PageJob) -> PageJob:
        """Write the job's files, and return the job without them: its parameter `results` names their folder."""
        self.results.mkdir(parents=True)
        for name, content in job.files.items():
            path = self.results / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        parameters = {**job.parameters, "results": str(self.results)} if job.files else job.parameters
        return replace(job, parameters=parameters, files={})

    def write_page(self, page: str, figures: Mapping[str, bytes]) -> None:
        """Write the page and its figures by file name."""
        self.figures.mkdir()
        for name, content in figures.items():
            (self.figures / name).write_bytes(content)
        self.page.write_text(page, encoding="utf-8")


def process_folder() -> Path:
    """The folder of this process, made at first use and removed when it ends.

    Raises
    ------
    OSError
        The folder of temporary files cannot be written.
    """
    return _process_folder(os.getpid(), tempfile.gettempdir())


@cache
def _process_folder(process: int, folder: str) -> Path:
    """Make and lock a folder; a process that was forked makes its own."""
    del process
    remove_abandoned(Path(folder))
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder))
        lock = FileLock(path / LOCK_NAME, thread_local=False)
        with contextlib.suppress(FileNotFoundError):
            lock.acquire()
            if (path / LOCK_NAME).exists():  # else another run removed it, not yet locked, as abandoned
                Finalize(None, _remove_at_exit, (path, lock), exitpriority=AFTER_MULTIPROCESSING)
                _hold_sockets_of_multiprocessing(path)
                return path


def _hold_sockets_of_multiprocessing(path: Path) -> None:
    """Have `multiprocessing` make its folder in ours, so that it, too, is removed after a kill."""
    before, tempfile.tempdir = tempfile.tempdir, str(path)
    try:
        get_temp_dir()
    finally:
        tempfile.tempdir = before


def _remove_at_exit(path: Path, lock: FileLock) -> None:
    with contextlib.suppress(OSError):  # somebody has removed it, or the next run will
        _remove(path)
    lock.release()


def _remove(folder: Path) -> None:
    """Remove a folder, its lock file last: what a kill in between leaves is seen to be abandoned."""
    for path in folder.iterdir():
        if path.name != LOCK_NAME:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    (folder / LOCK_NAME).unlink(missing_ok=True)
    folder.rmdir()


def remove_abandoned(folder: Path) -> None:
    """Remove folders of processes that were killed together with everything that could have cleaned up.

    Only this user's folders are touched that hold a regular lock file, or nothing at all for a while; never a link or
    pipe of the same name. Where files have no owners, as on Windows, nothing is removed.
    """
    if not hasattr(os, "geteuid"):
        return
    with contextlib.suppress(OSError):  # the temporary folder may be writable and still not readable
        for candidate in folder.glob(f"{PREFIX}*"):
            with contextlib.suppress(OSError, Timeout):  # still locked
                _remove_if_abandoned(candidate)


def _remove_if_abandoned(folder: Path) -> None:
    lock_path = folder / LOCK_NAME
    if not _is_own(folder, stat.S_ISDIR):
        return
    if not any(folder.iterdir()) and time.time() - folder.stat().st_mtime > SECONDS_TO_LOCK:
        folder.rmdir()
    elif _is_own(lock_path, stat.S_ISREG):
        with FileLock(lock_path, timeout=0):
            _remove(folder)


def _is_own(path: Path, is_kind: Callable[[int], bool]) -> bool:
    status = path.lstat()
    return is_kind(status.st_mode) and status.st_uid == os.geteuid()
