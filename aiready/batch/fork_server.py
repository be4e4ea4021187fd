"""The fork server: a process that has imported everything once, and forks itself for every notebook run.

The first renderers are forks of it, too, made before it has drawn anything. It keeps to one thread, since a fork copies
no other. Where it cannot (on systems other than Linux, or when a library has started a thread), each run is a new
process. It ends, with its runs, when its parent is gone, however that happened.
"""

import contextlib
import gc
import importlib
import os
import pickle
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

from aiready.batch import renderer
from aiready.batch.child_process import SAFE_PATH, python_command
from aiready.batch.notebook_run import (
    START_FAILED,
    JobFolder,
    ProcessExit,
    die_with_parent,
    execute,
    fast_imports,
    run_notebook,
)
from aiready.batch.page_job import PageJob

PRELOADED_MODULES = (
    "papermill",
    "aiready.batch.engine",
    "aiready.pages.handout",
    "aiready.pages.portfolio",
    "altair",
    "pyarrow.feather",
)
FORKED, SPAWNED = "forked", "spawned"
RENDERER_PROCESS_NAME = "aiready-render"
"""What a forked renderer is called in a list of processes."""
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""Environment of the fork server: no library starts a thread when it is imported."""
WARM_UP_CODE = """
import pandas as pd
table = pd.DataFrame({"unit": ["a", "b", "a"], "wave": ["p", "q", "q"], "value": [1.0, 2.0, None]})
table.assign(high=table["value"] > 1).groupby(["unit", "wave"], sort=False).indices
table.pivot_table(index="unit", columns="wave", values="value", aggfunc="sum")
table.merge(table, on="unit").drop_duplicates().dropna().groupby("unit")["value_x"].mean()
table.loc[table["unit"].isin(["a"])].to_dict("records")
table
"""
"""Uses once what libraries set up at first use: compiled schemas, an IPython shell, ways to group and to join."""


@dataclass(frozen=True)
class Ready:
    """Message: the fork server has imported everything. `start_method`: how it will start runs."""

    start_method: str
    threads: int


@dataclass
class _Run:
    run_id: int
    started: float
    deadline: float
    oom_kills_before: int
    timed_out: bool = False


class _ForkServer:
    """The runs in progress, by process id, and the connection to the runner that asked for them."""

    def __init__(self, connection: Connection, start_method: str):
        self.connection, self.start_method = connection, start_method
        self.runs: dict[int, _Run] = {}

    def serve(self, wake_read: int) -> None:
        """Start the runs that are asked for, and send how each ended, until the connection closes (EOFError).

        `wake_read`: file descriptor that becomes readable with every signal.
        """
        while True:
            for ready in wait([self.connection, wake_read], timeout=self._seconds_to_deadline()):
                if ready is not self.connection:
                    os.read(wake_read, 4096)
                    continue
                run_id, job, folder = self.connection.recv()
                self._start(run_id, job, JobFolder(folder))
            self._reap()
            self._stop_overdue()

    def close(self) -> None:
        """Kill every run."""
        for pid in self.runs:
            _kill_group(pid)

    def _seconds_to_deadline(self) -> float | None:
        deadlines = [run.deadline for run in self.runs.values()]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def _start(self, run_id: int, job: PageJob, job_folder: JobFolder) -> None:
        _read_instrument_once(job_folder)
        pid = self._fork(job, job_folder) if self.start_method == FORKED else _spawn(job, job_folder)
        now = time.monotonic()
        self.runs[pid] = _Run(run_id, now, now + job.timeout, oom_kill_count())

    def _fork(self, job: PageJob, job_folder: JobFolder) -> int:
        parent = os.getpid()
        pid = os.fork()
        if pid:
            return pid
        code = START_FAILED
        try:
            os.setpgid(0, 0)
            die_with_parent()
            if os.getppid() != parent:
                os._exit(START_FAILED)
            self.connection.close()
            _reset_signals()
            gc.disable()
            code = run_notebook(job, job_folder)
        except BaseException:
            job_folder.error.write_text(traceback.format_exc(), encoding="utf-8")
        finally:
            os._exit(code)

    def _reap(self) -> None:
        for pid, status, used in _exited_children():
            run = self.runs.pop(pid, None)
            if run is None:
                continue
            scale = 1024 if sys.platform == "linux" else 1
            process_exit = ProcessExit(
                os.waitstatus_to_exitcode(status),
                time.monotonic() - run.started,
                used * scale,
                timed_out=run.timed_out,
                oom_killed=oom_kill_count() > run.oom_kills_before,
            )
            self.connection.send((run.run_id, process_exit))

    def _stop_overdue(self) -> None:
        now = time.monotonic()
        for pid, run in self.runs.items():
            if now >= run.deadline:
                run.timed_out, run.deadline = True, now + 1
                _kill_group(pid)


def _exited_children() -> Iterator[tuple[int, int, int]]:
    """Children that have exited: process id, status, most memory held (kilobytes on Linux, bytes on macOS)."""
    while True:
        try:
            pid, status, used = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, status, used.ru_maxrss


def _kill_group(pid: int) -> None:
    """Kill a run and the processes it started."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError):
            kill(pid, signal.SIGKILL)


def _reset_signals() -> None:
    """Give a fork the default signal handlers."""
    signal.set_wakeup_fd(-1)
    for signal_number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(signal_number, signal.SIG_DFL)


def _fork_renderers(descriptors: list[int], connection: Connection) -> None:
    """Fork a renderer for each connection's descriptor: it need not import what this process has imported.

    `connection`: this process's own, which renderers close.
    """
    while descriptors:
        descriptor = descriptors.pop()
        if os.fork():
            os.close(descriptor)
            continue
        try:
            connection.close()
            for other in descriptors:
                os.close(other)
            _reset_signals()
            with contextlib.suppress(OSError):
                Path("/proc/self/comm").write_text(RENDERER_PROCESS_NAME)
            renderer.serve(Connection(descriptor))
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)


def _spawn(job: PageJob, job_folder: JobFolder) -> int:
    job_folder.job_file.write_bytes(pickle.dumps(job))
    code = "from aiready.batch.notebook_run import main; main()"
    command = python_command("-c", code, str(job_folder.path))
    return os.posix_spawn(command[0], command, os.environ | SAFE_PATH, setpgroup=0)


def _read_instrument_once(job_folder: JobFolder) -> None:
    """Read the instrument into this process's cache, which every fork inherits."""
    from aiready.instrument.model import read_instrument

    own = job_folder.results / "instrument"
    with contextlib.suppress(Exception):  # the notebook will meet the same error and report it
        read_instrument(own if own.is_dir() else None)


def warm_up(scratch: Path) -> None:
    """Run a small notebook in this process, so that forks inherit what is set up at first use."""
    from nbformat import v4, writes

    cells = [v4.new_code_cell('name = ""', metadata={"tags": ["parameters"]}), v4.new_code_cell(WARM_UP_CODE)]
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    notebook = writes(v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})).encode()
    job_folder = JobFolder(scratch / "warm-up")
    execute(job_folder.write_inputs(PageJob("", notebook, {"name": "any"})), job_folder)
    shutil.rmtree(job_folder.path)


def oom_kill_count() -> int:
    """Processes that this machine has killed for lack of memory since it started; 0 where it does not say."""
    try:
        counts = dict(line.split() for line in Path("/proc/vmstat").read_text().splitlines())
    except OSError:
        return 0
    return int(counts.get("oom_kill", 0))


def threads() -> int:
    """Threads of this process; 0 where that cannot be known."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else 0


def main() -> None:
    """Serve: arguments are the connection, the scratch folder, the start method, and connections of renderers to fork.

    Connections are given as file descriptors.
    """
    connection, scratch, requested_method = Connection(int(sys.argv[1])), Path(sys.argv[2]), sys.argv[3]
    renderers, parent = [int(descriptor) for descriptor in sys.argv[4:]], os.getppid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGCHLD, lambda *_: None)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    server, orphaned = None, False
    try:
        die_with_parent(signal.SIGTERM)  # while it imports, it does not notice that its connection closes
        with fast_imports():
            for name in PRELOADED_MODULES:
                importlib.import_module(name)
            if requested_method != SPAWNED and threads() == 1:
                gc.freeze()
                _fork_renderers(renderers, connection)
            for unused in renderers:
                os.close(unused)
            warm_up(scratch)
            importlib.import_module("aiready.messages").warm_up()
        gc.collect()
        gc.freeze()
        start_method = FORKED if requested_method != SPAWNED and threads() == 1 else SPAWNED
        server = _ForkServer(connection, start_method)
        connection.send(Ready(start_method, threads()))
        server.serve(wake_read)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        orphaned = True
    finally:
        if server is not None:
            server.close()
        if orphaned or os.getppid() != parent:  # the parent is gone and cannot clean up
            shutil.rmtree(scratch, ignore_errors=True)
