"""Run the notebook of a page job in a process of its own, and tell from its exit code what happened."""

import ctypes
import faulthandler
import gc
import mmap
import os
import pickle
import re
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from errno import EDQUOT, ENOSPC
from math import ceil
from pathlib import Path

from aiready.batch.page_job import (
    CELL_ERROR,
    GIGABYTE,
    INVALID_PARAMETERS,
    KILLED,
    OUT_OF_MEMORY,
    START,
    TIME_OUT,
    PageJob,
    PageResult,
)

SUCCESS = 0
CELL_RAISED = 71
NO_MEMORY = 72
WRONG_PARAMETERS = 73
START_FAILED = 74
DISK_FULL = 75
TIMED_OUT = 76
KERNEL_DIED = 77
"""Exit codes of a run; any other comes from the notebook's own code."""
CAUSES = {
    CELL_RAISED: CELL_ERROR,
    NO_MEMORY: OUT_OF_MEMORY,
    WRONG_PARAMETERS: INVALID_PARAMETERS,
    START_FAILED: START,
    KERNEL_DIED: KILLED,
}
_ERROR_CODES = {"PapermillExecutionError": CELL_RAISED, "CellTimeoutError": TIMED_OUT, "DeadKernelError": KERNEL_DIED}


@dataclass(frozen=True)
class JobFolder:
    """The folder of one job, removed when its page is made."""

    path: Path

    @property
    def results(self) -> Path:
        """The unit's part of the results, as the notebook reads it."""
        return self.path / "results"

    @property
    def executed(self) -> Path:
        """The executed notebook."""
        return self.path / "executed.ipynb"

    @property
    def error(self) -> Path:
        """The traceback of a run that failed."""
        return self.path / "error.txt"

    @property
    def fault(self) -> Path:
        """The stack of an interpreter that crashed."""
        return self.path / "fault.txt"

    @property
    def cell_number_file(self) -> Path:
        """Number of the running cell."""
        return self.path / "cell"

    @property
    def job_file(self) -> Path:
        """The job, for a process that was not forked."""
        return self.path / "job.pickle"

    def write_inputs(self, job: PageJob) -> PageJob:
        """Write the job's files, and return the job without them: its parameter `results` names their folder."""
        self.results.mkdir(parents=True)
        for name, content in job.files.items():
            path = self.results / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        parameters = {**job.parameters, "results": str(self.results)} if job.files else job.parameters
        return replace(job, parameters=parameters, files={})


class InvalidParametersError(ValueError):
    """A job has parameters that its notebook does not know: papermill itself would only warn."""


def run_notebook(job: PageJob, job_folder: JobFolder) -> int:
    """Run the job's notebook in this process, which was started for it: set its limits, return its exit code."""
    from aiready.charts.figures import CHARTS_VARIABLE

    os.environ[CHARTS_VARIABLE] = "json"
    faulthandler.enable(job_folder.fault.open("w"), all_threads=False)
    limit_memory(job.memory)
    return exit_code_of(job, job_folder)


def exit_code_of(job: PageJob, job_folder: JobFolder) -> int:
    """Run the job's notebook and return the exit code; on failure write the traceback to `job_folder.error`."""
    try:
        execute(job, job_folder)
    except MemoryError:
        return _write_traceback(job_folder, NO_MEMORY)
    except InvalidParametersError:
        return _write_traceback(job_folder, WRONG_PARAMETERS)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (ENOSPC, EDQUOT):
            return DISK_FULL
        code = _ERROR_CODES.get(type(error).__name__, START_FAILED)
        if job.memory and code != TIMED_OUT and _is_memory_error(error):
            code = NO_MEMORY
        return _write_traceback(job_folder, code)
    return SUCCESS


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
    r"|can't start new thread|Failed to launch worker thread|unable to allocate",
    re.IGNORECASE,
)
"""How libraries say that the memory limit was reached; a thread that cannot start lacks room for its stack."""


def _write_traceback(job_folder: JobFolder, code: int) -> int:
    try:
        job_folder.error.write_text(traceback.format_exc(), encoding="utf-8")
    except OSError:
        return DISK_FULL
    return code


def limit_memory(memory: int) -> None:
    """Limit this process to so many bytes (0: no limit), and let the system kill it before any other."""
    if memory:
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (memory, hard))
    try:
        Path("/proc/self/oom_score_adj").write_text("1000")
    except OSError:
        return  # Linux alone has this file


def execute(job: PageJob, job_folder: JobFolder) -> None:
    """Run the job's notebook with the engine that the job names."""
    import nbformat
    import papermill
    from papermill.engines import papermill_engines

    from aiready.batch.engine import InProcessEngine

    papermill_engines.register(
        "aiready", InProcessEngine
    )  # entry points are missing where the package is not installed
    notebook = nbformat.reads(job.notebook.decode(), as_version=4)
    parameters = list(papermill.inspect_notebook(notebook))
    unknown_parameters = ", ".join(sorted(set(job.parameters) - set(parameters)))
    if unknown_parameters:
        raise InvalidParametersError(
            f"{unknown_parameters}: not among the notebook's parameters {', '.join(parameters)}"
        )
    engine_options: dict[str, object] = (
        {"cell_number_file": job_folder.cell_number_file}
        if job.engine == "aiready"
        else {"execution_timeout": ceil(job.timeout)}
    )
    papermill.execute_notebook(
        notebook,
        str(job_folder.executed),
        parameters=dict(job.parameters),
        engine_name=job.engine,
        progress_bar=False,
        request_save_on_cell_execute=False,
        kernel_name="python3",
        **engine_options,
    )


@dataclass(frozen=True)
class ProcessExit:
    """How the process of a run ended: `code` is negative for a signal, as in `subprocess`.

    `seconds` it ran; `peak`: most memory it held, in bytes; `oom_killed`: meanwhile the system killed some process for
    lack of memory.
    """

    code: int
    seconds: float
    peak: int = 0
    timed_out: bool = False
    oom_killed: bool = False


def run_result(job: PageJob, job_folder: JobFolder, process_exit: ProcessExit) -> PageResult:
    """The result of a run, without its page, from its exit code and the files it left.

    Raises
    ------
    OSError
        The disk that holds the job folders is full.
    """
    result = PageResult(seconds=round(process_exit.seconds, 3), peak=process_exit.peak)
    if process_exit.timed_out or (process_exit.code == TIMED_OUT and job_folder.error.exists()):
        return result.failed(
            TIME_OUT, f"stopped after {job.timeout:g} s{_cell_words(job_folder)}", notebook=job.notebook
        )
    if process_exit.code == DISK_FULL:
        raise OSError(ENOSPC, os.strerror(ENOSPC), str(job_folder.path))
    if process_exit.code == SUCCESS and job_folder.executed.exists():
        return result
    if process_exit.code in CAUSES and job_folder.error.exists():
        text = job_folder.error.read_text(encoding="utf-8").strip()
        notebook = job_folder.executed.read_bytes() if job_folder.executed.exists() else job.notebook
        reason = text.splitlines()[-1].removeprefix(f"{__name__}.{InvalidParametersError.__name__}: ")
        reason += f": {_limit_words(job)}" if process_exit.code == NO_MEMORY and job.memory else ""
        return result.failed(CAUSES[process_exit.code], reason, traceback=text, notebook=notebook)
    status, reason = _crash_cause(job, process_exit)
    fault = job_folder.fault.read_text(encoding="utf-8", errors="replace") if job_folder.fault.exists() else ""
    return result.failed(status, reason + _cell_words(job_folder), traceback=fault, notebook=job.notebook)


def _crash_cause(job: PageJob, process_exit: ProcessExit) -> tuple[str, str]:
    memory_words = f"it held {process_exit.peak / GIGABYTE:.1f} GB"
    if process_exit.code == -signal.SIGKILL and process_exit.oom_killed:
        return (
            OUT_OF_MEMORY,
            f"ended by the system for want of memory (fewer --jobs leave more to each); {memory_words}",
        )
    if process_exit.code == -signal.SIGABRT and job.memory and process_exit.peak > job.memory / 2:
        return OUT_OF_MEMORY, f"{_limit_words(job)}; {memory_words}"
    if process_exit.code < 0:
        return KILLED, f"killed by {signal.Signals(-process_exit.code).name}"
    return KILLED, f"its process ended itself with exit code {process_exit.code}"


def _limit_words(job: PageJob) -> str:
    """Which memory limit was reached, and which option changes it."""
    limit = f"{job.memory / GIGABYTE:.2g} GB"
    return f"a handout may hold {limit}, and this one needs more (--memory GB sets the limit, or fewer --jobs)"


def _cell_words(job_folder: JobFolder) -> str:
    """The running cell as a clause; blank where it is not known."""
    try:
        return f" in cell {int(job_folder.cell_number_file.read_text())}"
    except (OSError, ValueError):
        return ""


def main() -> None:
    """Run the job whose folder is the first argument: the entry point of a process that was not forked."""
    job_folder = JobFolder(Path(sys.argv[1]))
    die_with_parent()
    sys.exit(run_notebook(pickle.loads(job_folder.job_file.read_bytes()), job_folder))


@contextmanager
def fast_imports() -> Iterator[None]:
    """Halve the time of imports in this block: no garbage collection, and no `rfc3987_syntax`.

    jsonschema takes a second to load that grammar of addresses, for a format check that no schema of a notebook or
    chart uses. It can be imported as usual after the block.
    """
    was_imported, gc_was_enabled = _ADDRESS_GRAMMAR in sys.modules, gc.isenabled()
    gc.disable()
    if not was_imported:
        sys.modules[_ADDRESS_GRAMMAR] = None  # type: ignore[assignment]  # Python's mark for "cannot be imported"
    try:
        yield
    finally:
        if not was_imported:
            del sys.modules[_ADDRESS_GRAMMAR]
        if gc_was_enabled:
            gc.enable()


_ADDRESS_GRAMMAR = "rfc3987_syntax"


def die_with_parent(death_signal: signal.Signals | None = None) -> None:
    """Have Linux send this process a signal (default: SIGKILL) when its parent dies; elsewhere do nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(death_signal or signal.SIGKILL))


_PR_SET_PDEATHSIG = 1
