"""The template process: it has imported everything once, and every notebook run is a fresh fork of it.

So are the first renderers, forked before they have drawn anything. It holds one thread, since a fork copies no other.
Where it cannot (elsewhere than Linux, or when something has started a thread in it), each run is a process started
anew. It ends, and its runs with it, when whoever started it is gone, however that happened.
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
from aiready.batch.child_process import SAFE, python
from aiready.batch.notebook_run import BEFORE, Ended, Workplace, carry_out, die_with_parent, execute, importing
from aiready.batch.page_job import Order

IMPORTED = (
    "papermill",
    "aiready.batch.engine",
    "aiready.pages.handout",
    "aiready.pages.portfolio",
    "altair",
    "pyarrow.feather",
)
FORKED, SPAWNED = "forked", "spawned"
RENDERER = "aiready-render"
"""What a forked renderer is called in a list of processes."""
SETTINGS = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""Environment of the template process: no library starts a thread when it is imported."""


REHEARSED = """
import pandas as pd
table = pd.DataFrame({"unit": ["a", "b", "a"], "wave": ["p", "q", "q"], "value": [1.0, 2.0, None]})
table.assign(high=table["value"] > 1).groupby(["unit", "wave"], sort=False).indices
table.pivot_table(index="unit", columns="wave", values="value", aggfunc="sum")
table.merge(table, on="unit").drop_duplicates().dropna().groupby("unit")["value_x"].mean()
table.loc[table["unit"].isin(["a"])].to_dict("records")
table
"""
"""What libraries make ready when they are first used: compiled schemas, a shell, ways to group and to join."""


@dataclass(frozen=True)
class Ready:
    """The template process has imported everything; `way`: how it will start runs."""

    way: str
    threads: int


@dataclass
class _Run:
    ident: int
    folder: Path
    started: float
    deadline: float
    kills: int
    timed_out: bool = False


class _Template:
    """Runs under way, by process id."""

    def __init__(self, line: Connection, way: str):
        self.line, self.way = line, way
        self.runs: dict[int, _Run] = {}

    def serve(self, woken: int) -> None:
        """Start runs as they are asked for, and tell how each ended, until the line is closed (EOFError)."""
        while True:
            for ready in wait([self.line, woken], timeout=self._patience()):
                if ready is not self.line:
                    os.read(woken, 4096)
                    continue
                ident, order, folder = self.line.recv()
                self._start(ident, order, Workplace(folder))
            self._reap()
            self._end_late()

    def close(self) -> None:
        """End every run."""
        for pid in self.runs:
            _end(pid)

    def _patience(self) -> float | None:
        deadlines = [run.deadline for run in self.runs.values()]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def _start(self, ident: int, order: Order, workplace: Workplace) -> None:
        _prove(workplace)
        pid = self._fork(order, workplace) if self.way == FORKED else _spawn(order, workplace)
        now = time.monotonic()
        self.runs[pid] = _Run(ident, workplace.folder, now, now + order.timeout, starved())

    def _fork(self, order: Order, workplace: Workplace) -> int:
        parent = os.getpid()
        pid = os.fork()
        if pid:
            return pid
        code = BEFORE
        try:
            os.setpgid(0, 0)
            die_with_parent()
            if os.getppid() != parent:
                os._exit(BEFORE)
            self.line.close()
            _listen_no_more()
            gc.disable()
            code = carry_out(order, workplace)
        except BaseException:
            workplace.error.write_text(traceback.format_exc(), encoding="utf-8")
        finally:
            os._exit(code)

    def _reap(self) -> None:
        for pid, status, used in _ended():
            run = self.runs.pop(pid, None)
            if run is None:
                continue
            scale = 1024 if sys.platform == "linux" else 1
            ended = Ended(
                os.waitstatus_to_exitcode(status),
                time.monotonic() - run.started,
                used * scale,
                timed_out=run.timed_out,
                starved=starved() > run.kills,
            )
            self.line.send((run.ident, ended))

    def _end_late(self) -> None:
        now = time.monotonic()
        for pid, run in self.runs.items():
            if now >= run.deadline:
                run.timed_out, run.deadline = True, now + 1
                _end(pid)


def _ended() -> Iterator[tuple[int, int, int]]:
    """Children that have ended: process id, status, most memory held."""
    while True:
        try:
            pid, status, used = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, status, used.ru_maxrss


def _end(pid: int) -> None:
    """Kill a run and what it started."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError):
            kill(pid, signal.SIGKILL)


def _listen_no_more() -> None:
    """Let a fork take signals as any process does."""
    signal.set_wakeup_fd(-1)
    for sign in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(sign, signal.SIG_DFL)


def _fork_renderers(lines: list[int], template_line: Connection) -> None:
    """Fork a renderer for each line: what it shares with this process it need not import."""
    while lines:
        line = lines.pop()
        if os.fork():
            os.close(line)
            continue
        try:
            template_line.close()
            for other in lines:
                os.close(other)
            _listen_no_more()
            with contextlib.suppress(OSError):
                Path("/proc/self/comm").write_text(RENDERER)
            renderer.serve(Connection(line))
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)


def _spawn(order: Order, workplace: Workplace) -> int:
    workplace.order.write_bytes(pickle.dumps(order))
    code = "from aiready.batch.notebook_run import main; main()"
    command = python("-c", code, str(workplace.folder))
    return os.posix_spawn(command[0], command, os.environ | SAFE, setpgroup=0)


def _prove(workplace: Workplace) -> None:
    """Read the questionnaire once, here: every fork remembers it as long as its files are the same."""
    from aiready.instrument.model import read_instrument

    own = workplace.results / "instrument"
    with contextlib.suppress(Exception):  # the notebook meets the same error, and tells it
        read_instrument(own if own.is_dir() else None)


def rehearse(scratch: Path) -> None:
    """Run a notebook of two cells here, so that no fork does again what is done once in a process's life."""
    from nbformat import v4, writes

    cells = [v4.new_code_cell('name = ""', metadata={"tags": ["parameters"]}), v4.new_code_cell(REHEARSED)]
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    notebook = writes(v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})).encode()
    workplace = Workplace(scratch / "rehearsal")
    execute(workplace.lay_out(Order("", notebook, {"name": "any"})), workplace)
    shutil.rmtree(workplace.folder)


def starved() -> int:
    """How many processes this machine has ended for want of memory since it started; 0 where it does not say."""
    try:
        counts = dict(line.split() for line in Path("/proc/vmstat").read_text().splitlines())
    except OSError:
        return 0
    return int(counts.get("oom_kill", 0))


def threads() -> int:
    """How many threads this process holds; 0 where that cannot be known."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else 0


def main() -> None:
    """Serve: the arguments are the line, the folder of orders, how to start runs, and lines of renderers to fork."""
    line, scratch, asked, starter = Connection(int(sys.argv[1])), Path(sys.argv[2]), sys.argv[3], os.getppid()
    renderers = [int(given) for given in sys.argv[4:]]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started this one decides
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGCHLD, lambda *_: None)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    template, alone = None, False
    try:
        die_with_parent(signal.SIGTERM)  # while it imports it does not listen
        with importing():
            for name in IMPORTED:
                importlib.import_module(name)
            if asked != SPAWNED and threads() == 1:
                gc.freeze()
                _fork_renderers(renderers, line)
            for unused in renderers:
                os.close(unused)
            rehearse(scratch)
            importlib.import_module("aiready.messages").warm()
        gc.collect()
        gc.freeze()
        way = FORKED if asked != SPAWNED and threads() == 1 else SPAWNED
        template = _Template(line, way)
        line.send(Ready(way, threads()))
        template.serve(woken)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        alone = True
    finally:
        if template is not None:
            template.close()
        if alone or os.getppid() != starter:  # who started this one is gone, and cannot clear up
            shutil.rmtree(scratch, ignore_errors=True)
