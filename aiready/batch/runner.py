"""Make pages on this machine, each in a process of its own, forked from one that has imported everything.

Where there is no fork server, as on Windows, or a library has started a thread in it, each process is started anew.
"""

import multiprocessing
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, MutableMapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count
from multiprocessing import forkserver
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from aiready.batch import page_process, preload
from aiready.batch.job_folders import JobFolder, process_folder
from aiready.batch.page_job import START, PageJob, PageResult
from aiready.batch.page_process import SAFE_PATH, UNSAFE_FORK, ProcessExit, kill_group, page_result
from aiready.errors import InfrastructureError

FORKED, SPAWNED = "forked", "spawned"
MAX_TRIES = 3
"""How often a page is started because the fork server died."""
MAX_STARTS, START_PAUSE = 5, 0.2
"""How often the fork server itself is started, and the seconds between."""
POLL_SECONDS = 0.25
"""Between two looks at a page's process: its memory, its time-out, and whether the runner is being closed."""
_FORK_SERVER_GONE = 255
"""Exit code that `multiprocessing` gives a process whose fork server died."""
_multiprocessing_lock = threading.Lock()
"""Held while a process is started and while its exit code is read: `multiprocessing` does neither in two threads."""
_job_numbers = count(1)


class PageRunner:
    """Make pages from jobs, so many at once; closed when its block ends.

    Parameters
    ----------
    jobs
        Pages at once.
    start_method
        How their processes are started: `forked`, where that is possible, or `spawned`.
    """

    def __init__(self, jobs: int = 1, *, start_method: str = FORKED):
        self.start_method, self.remark = start_method, ""
        self._retrying, self._closing = threading.Lock(), threading.Event()
        with _disk_errors():
            self._folder = process_folder()
        if start_method == FORKED:
            self._warm_up()
        self._threads = ThreadPoolExecutor(jobs, "page")

    def __enter__(self) -> "PageRunner":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def submit(self, job: PageJob) -> "Future[PageResult]":
        """Queue a job; the future gives its page, or the cause of its failure."""
        return self._threads.submit(self._make_page, job)

    def close(self) -> None:
        """End every process and cancel jobs that are not done."""
        self._closing.set()
        self._threads.shutdown(cancel_futures=True)

    def _warm_up(self) -> None:
        """Have the fork server import everything while nothing needs it yet."""
        if not hasattr(os, "fork"):
            self._use_spawn("this system cannot fork")
            return
        multiprocessing.set_forkserver_preload([preload.__name__])
        try:
            with _multiprocessing_lock:
                _ensure_fork_server()
        except OSError as error:  # this process is a fork itself, or the path of temporary files is too long
            self._use_spawn(f"{error.strerror or error}")

    def _use_spawn(self, reason: str) -> None:
        self.start_method, self.remark = SPAWNED, f"Notebooks ran {SPAWNED}, not {FORKED}: {reason}."

    # Everything below runs in a thread of the page.

    def _make_page(self, job: PageJob) -> PageResult:
        started = time.monotonic()
        result = self._try(job)
        for _ in range(MAX_TRIES - 1):
            if result is None:  # alone among those that are made again: one of them may end the fork server each time
                with self._retrying:
                    result = self._try(job)
        if result is None:
            result = PageResult().failed(START, f"the fork server ended {MAX_TRIES} times while it ran")
        return replace(result, seconds=round(time.monotonic() - started, 3), start_method=self.start_method)

    def _try(self, job: PageJob) -> PageResult | None:
        """Make a page; None where its fork server died, or must not be forked."""
        job_folder = JobFolder(self._folder / f"job-{next(_job_numbers)}")
        forked = self.start_method == FORKED
        try:
            with _disk_errors():
                inner_job = job_folder.write_inputs(job)
            process_exit = self._run_process(inner_job, job_folder, forked=forked)
            if process_exit is None:
                return None
            with _disk_errors():
                return page_result(job, job_folder, process_exit)
        finally:
            shutil.rmtree(job_folder.path, ignore_errors=True)

    def _run_process(self, job: PageJob, job_folder: JobFolder, *, forked: bool) -> ProcessExit | None:
        get_context = multiprocessing.get_context
        context = get_context("forkserver") if forked else get_context("spawn")
        process = context.Process(
            target=page_process.main, args=(job, job_folder, dict(os.environ)), kwargs={"forked": forked}
        )
        oom_kills, peak, timed_out = oom_kill_count(), 0, False
        self._start(process, forked=forked)
        deadline = time.monotonic() + job.timeout
        while not wait([process.sentinel], timeout=min(POLL_SECONDS, max(0.0, deadline - time.monotonic()))):
            peak = max(peak, _memory_of(process))
            timed_out = time.monotonic() >= deadline
            if timed_out or self._closing.is_set():
                break
        code = _end(process)
        if self._closing.is_set():
            raise CancelledError
        if forked and code == UNSAFE_FORK:
            self._use_spawn("a library started threads in the fork server")
            return None
        if forked and code == _FORK_SERVER_GONE and _is_gone(job_folder.parent):
            return None
        return ProcessExit(code, peak, timed_out=timed_out, oom_killed=oom_kill_count() > oom_kills)

    def _start(self, process: BaseProcess, *, forked: bool) -> None:
        """Start a process, and the fork server anew if it is gone or just dying."""
        for tries_left in reversed(range(MAX_STARTS)):
            try:
                with _multiprocessing_lock:
                    self._start_once(process, forked=forked)
                return
            except (EOFError, OSError) as error:
                if not tries_left:
                    raise InfrastructureError(f"No process for a page can be started: {error!r}.") from error
            time.sleep(START_PAUSE)

    @staticmethod
    def _start_once(process: BaseProcess, *, forked: bool) -> None:
        """Start a process, which does not import the script that runs here: it may lack the `__main__` guard."""
        if forked:
            _ensure_fork_server()
        hidden_script = _replaced(vars(sys.modules["__main__"]), {"__spec__": None, "__file__": None})
        with hidden_script, _replaced(os.environ, {} if forked else SAFE_PATH):
            process.start()


def _end(process: BaseProcess) -> int:
    """Kill a process, unless it has exited, and those that it started; return its exit code."""
    with _multiprocessing_lock:
        kill_group(process.pid)
        process.kill()  # where it has not yet become a group
        process.join()
        code = process.exitcode
        process.close()
    return _FORK_SERVER_GONE if code is None else code


def _is_gone(pid_file: Path) -> bool:
    """Whether the process whose id a file holds is no more, or is just ending."""
    with suppress(OSError, ValueError, psutil.NoSuchProcess):
        server = psutil.Process(int(pid_file.read_text()))
        for _ in range(10):
            if str(server.status()) == psutil.STATUS_ZOMBIE:
                return True
            time.sleep(START_PAUSE / 10)
        return False
    return True


def _memory_of(process: BaseProcess) -> int:
    """Bytes of memory that a process holds."""
    with suppress(psutil.Error):
        return int(psutil.Process(process.pid).memory_info().rss)
    return 0


def oom_kill_count() -> int:
    """Processes that this machine has killed for lack of memory since it started; 0 where it does not say."""
    try:
        counts = dict(line.split() for line in Path("/proc/vmstat").read_text().splitlines())
    except OSError:
        return 0
    return int(counts.get("oom_kill", 0))


def _ensure_fork_server() -> None:
    """Start the fork server unless it runs; it starts no threads and imports nothing from the current folder.

    Raises
    ------
    OSError
        There can be none here.
    """
    with _replaced(os.environ, SAFE_PATH | preload.ENVIRONMENT):
        forkserver.ensure_running()


@contextmanager
def _replaced(mapping: MutableMapping[str, Any], values: Mapping[str, Any]) -> Iterator[None]:
    """Replace values of a mapping in this block."""
    before = {name: mapping[name] for name in values if name in mapping}
    mapping.update(values)
    try:
        yield
    finally:
        for name in values:
            del mapping[name]
        mapping.update(before)


@contextmanager
def _disk_errors() -> Iterator[None]:
    """Turn errors of the disk that holds the job folders into errors of the infrastructure."""
    try:
        yield
    except OSError as error:
        path = error.filename or tempfile.gettempdir()
        raise InfrastructureError(
            f"{path}: cannot be written ({error.strerror}). Make room there, or set TMPDIR to another disk. "
            "Pages that were published stay."
        ) from error
