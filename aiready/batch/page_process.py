"""Make the page of a job in a process of its own, and tell from what that process left how it went."""

import faulthandler
import gc
import json
import mmap
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from errno import EDQUOT, ENOSPC
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from aiready.batch import notebook_page, preload
from aiready.batch.job_folders import JobFolder
from aiready.batch.notebook_page import export_page, run_notebook
from aiready.batch.page_job import (
    CELL_ERROR,
    GIGABYTE,
    INVALID_PARAMETERS,
    KILLED,
    OUT_OF_MEMORY,
    RENDER,
    START,
    TIME_OUT,
    PageJob,
    PageResult,
)
from aiready.package_files import fast_imports

if TYPE_CHECKING:
    from nbformat import NotebookNode

SAFE_PATH = {"PYTHONSAFEPATH": "1"}
"""Environment of every process: neither it nor the kernels it starts import from the current folder, where other
people's files may lie."""
SUCCESS, FAILED, DISK_FULL, UNSAFE_FORK = 0, 70, 75, 77
"""Exit codes: the page is there; the cause of its failure is there; nothing can be written; the process was forked from
one with several threads, and must not be. Any other comes from the notebook's own code."""
DRAWING = "page"
"""The step after the last cell."""
ALARM_SECONDS, MAX_ALARM = 5, 2**31 - 1
"""A process whose runner was killed, and whose code lets no thread notice, ends so long after its time-out; the largest
number of seconds that an alarm takes."""
_CAUSES = {
    "PapermillExecutionError": CELL_ERROR,
    "InvalidParametersError": INVALID_PARAMETERS,
    "CellTimeoutError": TIME_OUT,
    "DeadKernelError": KILLED,
    "MemoryError": OUT_OF_MEMORY,
}
"""Status of a page by the exception that its notebook ended with; any other: it could not start."""


def main(job: PageJob, job_folder: JobFolder, environment: Mapping[str, str], *, forked: bool) -> NoReturn:
    """Make the page of a job in this process, which was started for it, and exit with one of the codes above.

    Parameters
    ----------
    environment
        The runner's environment: a fork server's may be older.
    forked
        Whether this process is a fork of a fork server.
    """
    code = FAILED
    try:
        _separate(job, job_folder, environment, forked=forked)
        code = _exit_code(job, job_folder, forked=forked)
    except BaseException:
        code = _write_failure(job_folder, START)
    finally:
        os._exit(code)  # threads that the notebook started are not waited for


def _separate(job: PageJob, job_folder: JobFolder, environment: Mapping[str, str], *, forked: bool) -> None:
    """Make this process independent of whoever started it, but for ending with the runner."""
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)
        job_folder.parent.write_text(str(os.getppid()))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(min(ceil(job.timeout) + ALARM_SECONDS, MAX_ALARM))
    threading.Thread(target=_end_with_runner, daemon=True).start()
    os.environ.update(environment, **SAFE_PATH)
    sys.path[:] = preload.import_path if forked else _installed_path()
    with job_folder.stderr.open("wb") as file:
        for descriptor in (1, 2):
            os.dup2(file.fileno(), descriptor)
    faulthandler.enable(job_folder.fault.open("w"), all_threads=False)
    gc.disable()


def _installed_path() -> list[str]:
    """Where this Python finds installed packages: `multiprocessing` gives a new process the runner's own path."""
    code = "import json, sys; print(json.dumps(sys.path))"
    printed = subprocess.run([sys.executable, "-P", "-c", code], check=True, capture_output=True).stdout
    return [str(folder) for folder in json.loads(printed)]


def _end_with_runner() -> None:
    """Kill this process and those it started when the runner is gone, however that happened."""
    runner = multiprocessing.parent_process()
    if runner is not None:
        runner.join()
        kill_group(os.getpid())
        os._exit(FAILED)


def kill_group(pid: int | None) -> None:
    """Kill the processes of a page's group, where there are groups."""
    if pid and hasattr(os, "killpg"):
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _exit_code(job: PageJob, job_folder: JobFolder, *, forked: bool) -> int:
    if not forked:
        with fast_imports():
            preload.import_modules()
    elif not preload.is_prepared or preload.n_threads > 1:
        return UNSAFE_FORK
    limit_memory(job.memory)
    try:
        notebook = run_notebook(job, job_folder)
    except Exception as error:
        return DISK_FULL if _is_disk_full(error) else _write_failure(job_folder, _cause_of(job, error))
    job_folder.step.write_text(DRAWING)
    try:
        job_folder.write_page(export_page(notebook), _slides(notebook) if job.figures else {})
    except Exception as error:
        cause = OUT_OF_MEMORY if job.memory and _is_memory_error(error) else RENDER
        return DISK_FULL if _is_disk_full(error) else _write_failure(job_folder, cause)
    return SUCCESS


def _slides(notebook: "NotebookNode") -> Mapping[str, bytes]:
    from aiready.pages.figure_files import slide_files  # starts threads, which no fork server may have

    return slide_files(notebook)


def _cause_of(job: PageJob, error: Exception) -> str:
    """The status of a page whose notebook ended with an exception."""
    status = _CAUSES.get(type(error).__name__, START)
    return OUT_OF_MEMORY if job.memory and status != TIME_OUT and _is_memory_error(error) else status


def _is_disk_full(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in (ENOSPC, EDQUOT)


def _is_memory_error(error: Exception) -> bool:
    """Whether the error says in any words that memory ran out, or hardly any memory is left."""
    words = f"{getattr(error, 'ename', type(error).__name__)}: {getattr(error, 'evalue', error)}"
    return _MEMORY_ERROR_WORDS.search(words) is not None or _memory_exhausted()


def _memory_exhausted() -> bool:
    try:
        mmap.mmap(-1, _PROBE_BYTES).close()
    except (OSError, ValueError):
        return True
    return False


_PROBE_BYTES = 16 * 1024**2
_MEMORY_ERROR_WORDS = re.compile(
    r"MemoryError|OutOfMemory|Out of Memory|bad_alloc|[Cc]annot allocate memory|failed to map segment"
    r"|can't start new thread|Failed to launch worker thread|unable to allocate|memory allocation of",
    re.IGNORECASE,
)
"""How libraries say that the memory limit was reached; a thread that cannot start lacks room for its stack."""


def _write_failure(job_folder: JobFolder, status: str) -> int:
    """Write the status and the traceback of the exception that is being handled; returns the exit code."""
    try:
        job_folder.error.write_text(f"{status}\n{traceback.format_exc()}", encoding="utf-8")
    except OSError:
        return DISK_FULL
    return FAILED


def limit_memory(memory: int) -> None:
    """Limit this process to so many bytes (0: no limit), and let the system kill it before any other."""
    if memory and sys.platform != "win32":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (memory, hard))
    try:
        Path("/proc/self/oom_score_adj").write_text("1000")
    except OSError:
        return  # Linux alone has this file


@dataclass(frozen=True)
class ProcessExit:
    """How the process of a page ended: `code` is negative for a signal, as in `subprocess`.

    `peak`: most memory that it was seen to hold, in bytes; `oom_killed`: meanwhile the system killed some process for
    lack of memory.
    """

    code: int
    peak: int = 0
    timed_out: bool = False
    oom_killed: bool = False


def page_result(job: PageJob, job_folder: JobFolder, process_exit: ProcessExit) -> PageResult:
    """The page of a job, or the cause of its failure, from how its process ended and the files it left.

    Raises
    ------
    OSError
        The disk that holds the job folders is full.
    """
    result = PageResult(peak=process_exit.peak)
    error = job_folder.error.read_text(encoding="utf-8") if job_folder.error.exists() else ""
    status, _, text = error.partition("\n")
    if process_exit.timed_out or status == TIME_OUT:
        reason = f"stopped after {job.timeout:g} s{_step_words(job_folder)}"
        return result.failed(TIME_OUT, reason, notebook=job.notebook)
    if process_exit.code == DISK_FULL:
        job_folder.stderr.write_bytes(bytes(_PROBE_BYTES // 64))  # raises the error that the process had
    if process_exit.code == SUCCESS and job_folder.page.exists():
        figures = {path.name: path.read_bytes() for path in sorted(job_folder.figures.iterdir())}
        return PageResult(page=job_folder.page.read_bytes(), figures=figures, peak=process_exit.peak)
    if process_exit.code == FAILED and error:
        notebook = job_folder.executed.read_bytes() if job_folder.executed.exists() else job.notebook
        reason = _OWN_ERROR.sub("", text.strip().splitlines()[-1])
        reason += f": {_limit_words(job)}" if status == OUT_OF_MEMORY and job.memory else ""
        return result.failed(status, reason, traceback=text.strip(), notebook=notebook)
    status, reason = _crash_cause(job, job_folder, process_exit)
    fault = job_folder.fault.read_text(encoding="utf-8", errors="replace") if job_folder.fault.exists() else ""
    return result.failed(status, reason + _step_words(job_folder), traceback=fault, notebook=job.notebook)


_OWN_ERROR = re.compile(rf"^{re.escape(notebook_page.__name__)}\.\w+: ")
"""How Python names an exception of this package before its message."""


def _crash_cause(job: PageJob, job_folder: JobFolder, process_exit: ProcessExit) -> tuple[str, str]:
    memory_words = f"it held {process_exit.peak / GIGABYTE:.1f} GB"
    if process_exit.code >= 0:
        return KILLED, f"its process ended itself with exit code {process_exit.code}"
    name = signal.Signals(-process_exit.code).name
    if name == "SIGKILL" and process_exit.oom_killed:
        return (
            OUT_OF_MEMORY,
            f"ended by the system for want of memory (fewer --jobs leave more to each); {memory_words}",
        )
    stderr = job_folder.stderr.read_text(errors="replace") if job_folder.stderr.exists() else ""
    aborted_for_memory = process_exit.peak > job.memory / 2 or _MEMORY_ERROR_WORDS.search(stderr)
    if name in ("SIGABRT", "SIGTRAP") and job.memory and aborted_for_memory:
        return OUT_OF_MEMORY, f"{_limit_words(job)}; {memory_words}"
    return KILLED, f"killed by {name}"


def _limit_words(job: PageJob) -> str:
    """Which memory limit was reached, and which option changes it."""
    limit = f"{job.memory / GIGABYTE:.2g} GB"
    return f"a handout may hold {limit}, and this one needs more (--memory GB sets the limit, or fewer --jobs)"


def _step_words(job_folder: JobFolder) -> str:
    """The running cell, or the drawing of the page, as a clause; blank where it is not known."""
    step = job_folder.step.read_text() if job_folder.step.exists() else ""
    if step == DRAWING:
        return " while its page was drawn"
    return f" in cell {step}" if step.isdigit() else ""
