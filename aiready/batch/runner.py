"""Make pages on this machine with several processes: one fork server, and warm renderers beside it.

A process that dies is replaced, and its pages are started again: a page that keeps killing its renderer fails, and no
other page with it.
"""

import contextlib
import os
import shutil
import signal
import tempfile
import threading
import time
from collections import deque
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from statistics import fmean
from types import TracebackType
from typing import Any

from aiready.batch import fork_server, job_folders
from aiready.batch.child_process import ChildProcess, connection_pair
from aiready.batch.notebook_run import JobFolder, ProcessExit, run_result
from aiready.batch.page_job import OK, RENDER, START, PageJob, PageResult
from aiready.batch.renderer import RendererReady, RendererStarted, Rendering
from aiready.errors import InfrastructureError

MAX_TRIES, MAX_FORKS = 2, 3
"""How many renderers a page may kill, and how often it is started because the fork server died."""
POLL_SECONDS = 0.5
"""Between two checks of the renderers' time-outs."""
START_TIMEOUT = 120
"""Seconds that a new renderer may take for its first page, if the time-out is shorter."""
SLOW_FACTOR, RECENT_PAGES = 4, 20
"""More renderers are worth starting where drawing a page takes so many times as long as its notebook, on average over
the recent pages."""


@dataclass(eq=False)
class _PendingPage:
    """A job that is not done: its folder, its result so far, and how often it was started."""

    job: PageJob
    future: "Future[PageResult]"
    job_folder: JobFolder
    result: PageResult = field(default_factory=PageResult)
    started: float = 0.0
    tries: int = 0


@dataclass(eq=False)
class _Renderer:
    """A renderer: its connection, and the page it draws.

    `child`: its process, where the runner started it; else `pid`, where the fork server did. Until the pid is known,
    closing the connection is enough to end it.
    """

    connection: Connection
    child: ChildProcess | None = None
    pid: int = 0
    pending: _PendingPage | None = None
    started_at: float = 0.0
    warm: bool = False

    def kill(self) -> None:
        """Kill the renderer."""
        self.connection.close()
        if self.child is not None:
            self.child.kill()
        elif self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


class PageRunner:
    """Make pages from jobs; closed when its block ends.

    There are half as many renderers as notebook runs: a run takes longer than drawing its page, and one warm renderer
    is quicker than two cold ones. Where notebooks wait because drawing takes much longer, as with files for slides,
    there are as many renderers as runs.

    Parameters
    ----------
    jobs
        Notebook runs at once.
    start_method
        How runs are started: `forked`, where that is possible, or `spawned`.
    warm
        Whether the fork server forks renderers before there is anything to render. Others are started when needed.
    """

    def __init__(self, jobs: int = 1, *, start_method: str = fork_server.FORKED, warm: bool = False):
        self.jobs, self.start_method = jobs, start_method
        self.ready: fork_server.Ready | None = None
        self._unfinished: set[_PendingPage] = set()
        self._waiting: deque[_PendingPage] = deque()
        self._running: dict[int, _PendingPage] = {}
        self._awaiting_page: deque[_PendingPage] = deque()
        self._last_id = 0
        self._lock, self._closing = threading.Lock(), False
        self._error: BaseException | None = None
        try:
            job_folders.remove_abandoned(Path(tempfile.gettempdir()))
            self._scratch, self._lock_file = job_folders.make_scratch_folder()
        except OSError as error:
            raise InfrastructureError(f"{tempfile.gettempdir()}: cannot be written ({error.strerror}).") from error
        self._stderr_file = self._scratch / "stderr"
        self._wake_read, self._wake_write = os.pipe()
        self._warm, self._default_renderers, self._renderers = warm, (jobs + 1) // 2, list[_Renderer]()
        self._failures, self._failed_starts = 0, 0
        self._run_seconds, self._draw_seconds = deque[float](maxlen=RECENT_PAGES), deque[float](maxlen=RECENT_PAGES)
        self._thread = threading.Thread(target=self._serve, daemon=True, name="page-runner")
        self._thread.start()

    def __enter__(self) -> "PageRunner":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def submit(self, job: PageJob) -> "Future[PageResult]":
        """Queue a job; the future gives its page, or the cause of its failure."""
        future: Future[PageResult] = Future()
        with self._lock:
            self._last_id += 1
            pending = _PendingPage(job, future, JobFolder(self._scratch / f"job-{self._last_id}"))
            if self._closing:
                future.set_exception(self._error or CancelledError())
                return future
            self._unfinished.add(pending)
            self._waiting.append(pending)
        self._wake_thread()
        return future

    @property
    def remark(self) -> str:
        """A sentence on how runs were started, where that is not as requested."""
        if self.ready is None or self.ready.start_method == self.start_method:
            return ""
        return f"Notebooks ran {self.ready.start_method}, not {self.start_method}: {self.ready.threads} threads."

    def close(self) -> None:
        """End every process and cancel jobs that are not done; leaves no file behind."""
        self._closing = True
        self._wake_thread()
        self._thread.join()

    def _wake_thread(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self._wake_write, b"x")

    # Everything below runs in the runner's thread.

    def _serve(self) -> None:
        self._fork_server = self._start_fork_server(self._default_renderers if self._warm else 0)
        try:
            while not self._closing:
                self._dispatch()
                workers: list[ChildProcess | _Renderer] = [self._fork_server, *self._renderers]
                ready = wait([*(child.connection for child in workers), self._wake_read], timeout=self._wait_timeout())
                if self._wake_read in ready:
                    os.read(self._wake_read, 4096)
                for child in workers:
                    if child.connection in ready:
                        self._receive(child)
                self._stop_overdue()
        except BaseException as error:  # whoever waits for a future must get the error
            self._cancel_all(error)
        finally:
            self._shut_down()

    def _shut_down(self) -> None:
        for renderer in self._renderers:
            renderer.kill()
        if self.ready is None:  # nothing runs in it yet
            self._fork_server.kill()
        self._fork_server.end()
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._lock_file.close()
        self._cancel_all(None)
        os.close(self._wake_read)

    def _cancel_all(self, error: BaseException | None) -> None:
        with self._lock:
            self._closing, self._error = True, self._error or error
            for pending in self._unfinished:
                if not pending.future.done() and not pending.future.cancel():
                    pending.future.set_exception(error or CancelledError())

    def _start_fork_server(self, renderers: int = 0) -> ChildProcess:
        environment = {**os.environ, **fork_server.ENVIRONMENT}
        self.ready = None
        pairs = [connection_pair() for _ in range(renderers)]
        self._renderers += [_Renderer(own_end) for own_end, _ in pairs]
        with contextlib.ExitStack() as ends:
            extra_sockets = [ends.enter_context(child_end) for _, child_end in pairs]
            return ChildProcess(
                "aiready.batch.fork_server",
                str(self._scratch),
                self.start_method,
                environment=environment,
                stderr=self._stderr_file,
                extra_sockets=extra_sockets,
            )

    def _start_renderer(self) -> _Renderer:
        child = ChildProcess("aiready.batch.renderer", environment=dict(os.environ), stderr=self._stderr_file)
        return _Renderer(child.connection, child)

    def _wait_timeout(self) -> float | None:
        return POLL_SECONDS if any(renderer.pending for renderer in self._renderers) else None

    def _dispatch(self) -> None:
        """Start runs and drawings where there is room; notebooks do not run ahead of the renderers."""
        with self._lock:
            while self._waiting and self.ready and self._may_start_next() and len(self._awaiting_page) < self.jobs:
                self._start_run(self._waiting.popleft())
        while self._awaiting_page:
            if self._free_renderer() is None and len(self._renderers) < self._target_renderers():
                self._renderers.append(self._start_renderer())
            renderer = self._free_renderer()
            if renderer is None:
                return
            pending = self._awaiting_page.popleft()
            renderer.pending, renderer.started_at = pending, time.monotonic()
            with contextlib.suppress(OSError):  # a renderer that died is noticed by its closed connection
                renderer.connection.send((pending.job_folder.executed, pending.job.figures))

    def _free_renderer(self) -> _Renderer | None:
        """A renderer that draws no page; one that is still starting only while all are."""
        any_warm = any(renderer.warm for renderer in self._renderers)
        return next(
            (renderer for renderer in self._renderers if renderer.pending is None and renderer.warm >= any_warm), None
        )

    def _target_renderers(self) -> int:
        """How many renderers there should be: more than the default only where that is worth their starting time."""
        if self._failed_starts >= MAX_TRIES:  # make do with those that started
            return 1
        is_stalled = self._waiting and not self._running and len(self._awaiting_page) >= self.jobs
        if not is_stalled:
            return self._default_renderers
        now, draw_seconds = time.monotonic(), fmean(self._draw_seconds or [0.0])
        longest = max([draw_seconds, *(now - renderer.started_at for renderer in self._renderers if renderer.pending)])
        return self.jobs if longest > SLOW_FACTOR * fmean(self._run_seconds) else self._default_renderers

    def _may_start_next(self) -> bool:
        """Whether the next job may start; jobs that a fork server died under run alone, to find the cause."""
        is_alone = self._waiting[0].tries > 0 or any(pending.tries > 1 for pending in self._running.values())
        return len(self._running) < (1 if is_alone else self.jobs)

    def _start_run(self, pending: _PendingPage) -> None:
        if pending.tries == 0 and not pending.future.set_running_or_notify_cancel():
            self._unfinished.discard(pending)
            return
        run_id = self._last_id = self._last_id + 1
        pending.tries += 1
        pending.started = time.monotonic()
        shutil.rmtree(pending.job_folder.path, ignore_errors=True)
        try:
            job = pending.job_folder.write_inputs(pending.job)
        except OSError as error:
            raise _disk_error(error) from error
        self._running[run_id] = pending
        with contextlib.suppress(OSError):  # a fork server that died is noticed by its closed connection
            self._fork_server.connection.send((run_id, job, pending.job_folder.path))

    def _receive(self, child: ChildProcess | _Renderer) -> None:
        if isinstance(child, _Renderer):
            self._receive_from_renderer(child)
        else:
            self._receive_from_fork_server()

    def _receive_from_fork_server(self) -> None:
        try:
            message: Any = self._fork_server.connection.recv()
        except (EOFError, OSError):
            self._replace_fork_server()
            return
        if isinstance(message, fork_server.Ready):
            self.ready, self._failures = message, 0
            return
        run_id, process_exit = message
        self._finish_run(self._running.pop(run_id), process_exit)

    def _replace_fork_server(self) -> None:
        """Start a new fork server, and queue again what was running in the one that died."""
        self._fork_server.end()
        if self.ready is None:
            self._failures += 1
            if self._failures >= MAX_TRIES:
                stderr_lines = self._stderr_file.read_text(errors="replace").strip().splitlines()
                reason = stderr_lines[-1] if stderr_lines else "no reason"
                raise InfrastructureError(f"The template process does not start: {reason}")
        for pending in self._running.values():
            if pending.tries < MAX_FORKS:
                with self._lock:
                    self._waiting.appendleft(pending)
            else:
                reason = f"the template process ended {MAX_FORKS} times while it ran"
                self._finish(pending, pending.result.failed(START, reason))
        self._running.clear()
        self._fork_server = self._start_fork_server()

    def _finish_run(self, pending: _PendingPage, process_exit: ProcessExit) -> None:
        self._run_seconds.append(process_exit.seconds)
        try:
            pending.result = run_result(pending.job, pending.job_folder, process_exit)
        except OSError as error:
            raise _disk_error(error) from error
        if pending.result.status == OK:
            pending.tries = 0
            self._awaiting_page.append(pending)
        else:
            self._finish(pending, pending.result)

    def _receive_from_renderer(self, renderer: _Renderer) -> None:
        try:
            message: Rendering | RendererReady | RendererStarted = renderer.connection.recv()
        except (EOFError, OSError):
            self._replace_renderer(renderer)
            return
        if isinstance(message, RendererStarted):
            renderer.pid = message.pid
            return
        if isinstance(message, RendererReady):
            renderer.warm, renderer.started_at = True, time.monotonic()
            return
        pending, renderer.pending = renderer.pending, None
        if pending is None:
            return
        self._draw_seconds.append(time.monotonic() - renderer.started_at)
        if message.reason:
            self._finish_failed(pending, message.reason, message.traceback)
        else:
            self._finish(pending, replace(pending.result, page=message.page, figures=message.figures))

    def _replace_renderer(self, renderer: _Renderer) -> None:
        renderer.kill()
        self._renderers.remove(renderer)
        pending = renderer.pending
        if pending is None:  # another one is started when it is needed
            self._failed_starts += not renderer.warm
            return
        pending.tries += 1
        if pending.tries < MAX_TRIES:
            self._awaiting_page.appendleft(pending)
        else:
            code = f" (exit code {renderer.child.process.returncode})" if renderer.child else ""
            self._finish_failed(pending, f"its renderer was ended {MAX_TRIES} times{code}", "")

    def _stop_overdue(self) -> None:
        now = time.monotonic()
        for renderer in list(self._renderers):
            if renderer.pending is None:
                continue
            timeout = (
                renderer.pending.job.timeout if renderer.warm else max(renderer.pending.job.timeout, START_TIMEOUT)
            )
            if now - renderer.started_at > timeout:
                pending, renderer.pending = renderer.pending, None
                self._replace_renderer(renderer)
                self._finish_failed(pending, f"drawing was stopped after {timeout:g} s", "")

    def _finish_failed(self, pending: _PendingPage, reason: str, traceback: str) -> None:
        executed = pending.job_folder.executed
        notebook = executed.read_bytes() if executed.exists() else pending.job.notebook
        self._finish(pending, pending.result.failed(RENDER, reason, traceback=traceback, notebook=notebook))

    def _finish(self, pending: _PendingPage, result: PageResult) -> None:
        shutil.rmtree(pending.job_folder.path, ignore_errors=True)
        start_method = self.ready.start_method if self.ready else self.start_method
        seconds = round(time.monotonic() - pending.started, 3)
        self._unfinished.discard(pending)
        pending.future.set_result(replace(result, seconds=seconds, start_method=start_method))


def _disk_error(error: OSError) -> InfrastructureError:
    path = error.filename or tempfile.gettempdir()
    return InfrastructureError(
        f"{path}: cannot be written ({error.strerror}). Make room there, or set TMPDIR to another disk. "
        "Pages that were published stay."
    )
