"""Orders to pages on this machine: one template process, and warm renderers beside it.

A process that dies is replaced, and what it had in hand is begun again, twice at most: a page that ends its renderer
each time has failed, and only that page.
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
from aiready.batch.child_process import Worker, pair
from aiready.batch.notebook_run import Ended, Workplace, verdict
from aiready.batch.page_job import OK, RENDER, START, Made, Order
from aiready.batch.renderer import Begun, Drawn, Warm
from aiready.errors import InfrastructureError

TRIES, FORKS = 2, 3
"""How often a page may end its renderer, and be begun anew because the template process ended."""
PATIENCE = 0.5
STARTING = 120
"""Seconds a renderer may take before its first page, whatever the time-out of that is."""
SLOW, RECENT = 4, 20
"""Drawing holds notebooks up where a page takes so many times as long as a run, of the last so many."""


@dataclass
class _Job:
    """An order in work: where it is carried out, what is known of it, how often it was begun."""

    order: Order
    answer: "Future[Made]"
    workplace: Workplace
    made: Made = field(default_factory=Made)
    started: float = 0.0
    tries: int = 0


@dataclass(eq=False)
class _Renderer:
    """The line to a renderer, and what it draws; `worker` where it was started from here, not by the template process.

    `pid` is known as soon as it has begun; before, closing the line is enough.
    """

    line: Connection
    worker: Worker | None = None
    pid: int = 0
    job: _Job | None = None
    began: float = 0.0
    warm: bool = False

    def kill(self) -> None:
        """End it at once."""
        self.line.close()
        if self.worker is not None:
            self.worker.kill()
        elif self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


class Press:
    """Makes pages from orders; closed when its block ends.

    There are half as many renderers as notebook runs: a run takes longer than a drawing, and a renderer draws its
    tenth page in half the time of its first, so that one is quicker than two. Where notebooks stand still because
    drawing takes much longer, as with files for slides, there are as many as runs.

    Parameters
    ----------
    jobs
        Notebook runs at once.
    way
        How runs are started: forked where that is possible, or `spawned`.
    warm
        Whether to have renderers before there is anything to render: the template process forks them. Others, and
        those that replace one that died, are started when they are needed.
    """

    def __init__(self, jobs: int = 1, *, way: str = fork_server.FORKED, warm: bool = False):
        self.jobs, self.way = jobs, way
        self.ready: fork_server.Ready | None = None
        self._waiting: deque[_Job] = deque()
        self._running: dict[int, _Job] = {}
        self._executed: deque[_Job] = deque()
        self._idents = 0
        self._lock, self._closing = threading.Lock(), False
        self._error: BaseException | None = None
        try:
            job_folders.sweep(Path(tempfile.gettempdir()))
            self._scratch, self._held = job_folders.made()
        except OSError as error:
            raise InfrastructureError(f"{tempfile.gettempdir()}: cannot be written ({error.strerror}).") from error
        self._errors = self._scratch / "stderr"
        self._woken, self._wake = os.pipe()
        self._warm, self._usual, self._renderers, self._failures = warm, (jobs + 1) // 2, list[_Renderer](), 0
        self._stillborn = 0
        self._run_for, self._drawn_for = deque[float](maxlen=RECENT), deque[float](maxlen=RECENT)
        self._thread = threading.Thread(target=self._serve, daemon=True, name="press")
        self._thread.start()

    def __enter__(self) -> "Press":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def make(self, order: Order) -> "Future[Made]":
        """Take an order; the future gives the page, or by which cause it failed."""
        answer: Future[Made] = Future()
        with self._lock:
            self._idents += 1
            job = _Job(order, answer, Workplace(self._scratch / f"order-{self._idents}"))
            if self._closing:
                answer.set_exception(self._error or CancelledError())
                return answer
            self._waiting.append(job)
        self._stir()
        return answer

    @property
    def remark(self) -> str:
        """What to tell of how runs were started, where that was another way than asked for."""
        if self.ready is None or self.ready.way == self.way:
            return ""
        return f"Notebooks ran {self.ready.way}, not {self.way}: {self.ready.threads} threads."

    def close(self) -> None:
        """End every process; orders that are not done are cancelled. Nothing is left on disk."""
        self._closing = True
        self._stir()
        self._thread.join()

    def _stir(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self._wake, b"x")

    # Everything below runs in the thread of the press.

    def _serve(self) -> None:
        self._template = self._start_template(self._usual if self._warm else 0)
        try:
            while not self._closing:
                self._hand_out()
                workers: list[Worker | _Renderer] = [self._template, *self._renderers]
                ready = wait([*(worker.line for worker in workers), self._woken], timeout=self._patience())
                if self._woken in ready:
                    os.read(self._woken, 4096)
                for worker in workers:
                    if worker.line in ready:
                        self._hear(worker)
                self._end_late()
        except BaseException as error:  # whoever waits for an answer must hear of it
            self._give_up(error)
        finally:
            self._clear_up()

    def _clear_up(self) -> None:
        for renderer in self._renderers:
            renderer.kill()
        if self.ready is None:  # nothing runs in it yet
            self._template.kill()
        self._template.end()
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._held.close()
        self._give_up(None)
        os.close(self._woken)

    def _give_up(self, error: BaseException | None) -> None:
        with self._lock:
            self._closing, self._error = True, self._error or error
            drawing = [renderer.job for renderer in self._renderers if renderer.job]
            for job in (*self._waiting, *self._running.values(), *self._executed, *drawing):
                if not job.answer.done() and not job.answer.cancel():
                    job.answer.set_exception(error or CancelledError())

    def _start_template(self, renderers: int = 0) -> Worker:
        environment = {**os.environ, **fork_server.SETTINGS}
        self.ready = None
        pairs = [pair() for _ in range(renderers)]
        self._renderers += [_Renderer(ours) for ours, _ in pairs]
        with contextlib.ExitStack() as ends:
            further = [ends.enter_context(theirs) for _, theirs in pairs]
            return Worker("aiready.batch.fork_server", str(self._scratch), self.way,
                           environment=environment, errors=self._errors, further=further)  # fmt: skip

    def _start_renderer(self) -> _Renderer:
        worker = Worker("aiready.batch.renderer", environment=dict(os.environ), errors=self._errors, further=())
        return _Renderer(worker.line, worker)

    def _patience(self) -> float | None:
        return PATIENCE if any(renderer.job for renderer in self._renderers) else None

    def _hand_out(self) -> None:
        """Give work to whoever is free; notebooks do not run ahead of the renderers."""
        with self._lock:
            while self._waiting and self.ready and self._room() and len(self._executed) < self.jobs:
                self._begin(self._waiting.popleft())
        while self._executed:
            if self._free() is None and len(self._renderers) < self._wanted():
                self._renderers.append(self._start_renderer())
            free = self._free()
            if free is None:
                return
            job = self._executed.popleft()
            free.job, free.began = job, time.monotonic()
            with contextlib.suppress(OSError):  # a dead renderer is heard of by its line
                free.line.send((job.workplace.executed, job.order.figures))

    def _free(self) -> _Renderer | None:
        """A renderer for the next page: none that still has to start, while others have."""
        warm = any(worker.warm for worker in self._renderers)
        return next((worker for worker in self._renderers if worker.job is None and worker.warm >= warm), None)

    def _wanted(self) -> int:
        """How many renderers there should be: more than usual only where that is worth the seconds they start in."""
        if self._stillborn >= TRIES:  # those that started must do
            return 1
        standing = self._waiting and not self._running and len(self._executed) >= self.jobs
        if not standing:
            return self._usual
        now, drawn_for = time.monotonic(), fmean(self._drawn_for or [0.0])
        longest = max([drawn_for, *(now - worker.began for worker in self._renderers if worker.job)])
        return self.jobs if longest > SLOW * fmean(self._run_for) else self._usual

    def _room(self) -> bool:
        """Whether the next order may begin: one that the template process ended under runs alone, to find the cause."""
        alone = self._waiting[0].tries > 0 or any(job.tries > 1 for job in self._running.values())
        return len(self._running) < (1 if alone else self.jobs)

    def _begin(self, job: _Job) -> None:
        if job.tries == 0 and not job.answer.set_running_or_notify_cancel():
            return
        ident = self._idents = self._idents + 1
        job.tries += 1
        job.started = time.monotonic()
        shutil.rmtree(job.workplace.folder, ignore_errors=True)
        try:
            laid_out = job.workplace.lay_out(job.order)
        except OSError as error:
            raise _no_room(error) from error
        self._running[ident] = job
        with contextlib.suppress(OSError):  # a dead template process is heard of by its line
            self._template.line.send((ident, laid_out, job.workplace.folder))

    def _hear(self, worker: Worker | _Renderer) -> None:
        if isinstance(worker, _Renderer):
            self._hear_renderer(worker)
        else:
            self._hear_template()

    def _hear_template(self) -> None:
        try:
            heard: Any = self._template.line.recv()
        except (EOFError, OSError):
            self._replace_template()
            return
        if isinstance(heard, fork_server.Ready):
            self.ready, self._failures = heard, 0
            return
        ident, ended = heard
        self._ran(self._running.pop(ident), ended)

    def _replace_template(self) -> None:
        """Start the template process again, and what was running in the one that died."""
        self._template.end()
        if self.ready is None:
            self._failures += 1
            if self._failures >= TRIES:
                said = self._errors.read_text(errors="replace").strip().splitlines()
                raise InfrastructureError(f"The template process does not start: {said[-1] if said else 'no reason'}")
        for job in self._running.values():
            if job.tries < FORKS:
                with self._lock:
                    self._waiting.appendleft(job)
            else:
                self._done(job, job.made.failed(START, f"the template process ended {FORKS} times while it ran"))
        self._running.clear()
        self._template = self._start_template()

    def _ran(self, job: _Job, ended: Ended) -> None:
        self._run_for.append(ended.seconds)
        try:
            job.made = verdict(job.order, job.workplace, ended)
        except OSError as error:
            raise _no_room(error) from error
        if job.made.status == OK:
            job.tries = 0
            self._executed.append(job)
        else:
            self._done(job, job.made)

    def _hear_renderer(self, worker: _Renderer) -> None:
        try:
            drawn: Drawn | Warm | Begun = worker.line.recv()
        except (EOFError, OSError):
            self._replace_renderer(worker)
            return
        if isinstance(drawn, Begun):
            worker.pid = drawn.pid
            return
        if isinstance(drawn, Warm):
            worker.warm, worker.began = True, time.monotonic()
            return
        job, worker.job = worker.job, None
        if job is None:
            return
        self._drawn_for.append(time.monotonic() - worker.began)
        if drawn.reason:
            self._failed(job, drawn.reason, drawn.traceback)
        else:
            self._done(job, replace(job.made, page=drawn.page, figures=drawn.figures))

    def _replace_renderer(self, worker: _Renderer) -> None:
        worker.kill()
        self._renderers.remove(worker)
        job = worker.job
        if job is None:  # another is started when it is needed
            self._stillborn += not worker.warm
            return
        job.tries += 1
        if job.tries < TRIES:
            self._executed.appendleft(job)
        else:
            code = f" (exit code {worker.worker.process.returncode})" if worker.worker else ""
            self._failed(job, f"its renderer was ended {TRIES} times{code}", "")

    def _end_late(self) -> None:
        now = time.monotonic()
        for worker in list(self._renderers):
            if worker.job is None:
                continue
            allowed = worker.job.order.timeout if worker.warm else max(worker.job.order.timeout, STARTING)
            if now - worker.began > allowed:
                job, worker.job = worker.job, None
                self._replace_renderer(worker)
                self._failed(job, f"drawing was stopped after {allowed:g} s", "")

    def _failed(self, job: _Job, reason: str, said: str) -> None:
        book = job.workplace.executed.read_bytes() if job.workplace.executed.exists() else job.order.notebook
        self._done(job, job.made.failed(RENDER, reason, traceback=said, notebook=book))

    def _done(self, job: _Job, made: Made) -> None:
        shutil.rmtree(job.workplace.folder, ignore_errors=True)
        way = self.ready.way if self.ready else self.way
        job.answer.set_result(replace(made, seconds=round(time.monotonic() - job.started, 3), way=way))


def _no_room(error: OSError) -> InfrastructureError:
    place = error.filename or tempfile.gettempdir()
    return InfrastructureError(
        f"{place}: cannot be written ({error.strerror}). Make room there, or set TMPDIR to another disk. "
        "Pages that were published stay."
    )
