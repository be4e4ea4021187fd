"""The batch runner: each page in a fresh process, drawn by warm ones; one failure never stops the rest."""

import hashlib
import multiprocessing
import os
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from aiready.errors import AireadyError
from aiready.publication import write

FORKED = ("papermill", "aiready.handout", "aiready.portfolio", "altair")
"""Imported once by the process that every notebook run is forked from."""
OK = "ok"

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")


@dataclass(frozen=True)
class Options:
    """How a run is carried out; `timeout` in seconds per handout, `max_failures` 0 for no limit.

    `figures`: also write every figure of a page as files for slides.
    """

    jobs: int = 2
    engine: str | None = "aiready"
    timeout: float = 600
    fail_fast: bool = False
    max_failures: int = 0
    figures: bool = False


@dataclass(frozen=True)
class Task:
    """One page to make: which notebook, which parameters, and where the page goes.

    `scratch` is the task's own folder; it is removed when the task is done.
    """

    unit_id: str
    notebook: Path
    parameters: Mapping[str, str]
    page: Path
    scratch: Path

    @property
    def executed(self) -> Path:
        """Where the executed notebook is kept until it is rendered."""
        return self.scratch / "executed.ipynb"

    @property
    def figures(self) -> Path:
        """Where the page's figures go, where they are asked for."""
        return self.page.parent.parent / "figures" / self.page.stem

    @property
    def error(self) -> Path:
        """Where the traceback of a failed notebook is kept."""
        return self.scratch / "error.txt"


@dataclass(frozen=True)
class Outcome:
    """What became of a task: `status` is ok, or the true cause of its failure, with its evidence.

    `digest`: of the page that was published.
    """

    unit_id: str
    page: str
    seconds: float = 0.0
    status: str = OK
    reason: str = ""
    traceback: str = ""
    notebook: bytes = b""
    digest: str = ""

    def failed(self, status: str, reason: str) -> "Outcome":
        """The same task, failed."""
        return replace(self, status=status, reason=reason)


def execute(task: Task, engine: str | None) -> None:
    """Run a task's notebook in this process, which ends with exit code 1 where a cell fails."""
    import papermill

    os.environ["AIREADY_CHARTS"] = "json"
    try:
        papermill.execute_notebook(
            str(task.notebook),
            str(task.executed),
            parameters=dict(task.parameters),
            engine_name=engine,
            progress_bar=False,
            request_save_on_cell_execute=False,
            kernel_name="python3",
        )
    except Exception:
        task.error.write_text(traceback.format_exc(), encoding="utf-8")
        sys.exit(1)


Drawn = tuple[bytes, Mapping[str, bytes]]
"""A page, and the files of its figures by name."""


def render(executed: Path, *, figures: bool = False) -> Drawn:
    """Turn an executed notebook into its page; runs in a long-lived renderer process."""
    from aiready.html import HandoutExporter
    from aiready.slides import slides

    page, _ = HandoutExporter().from_filename(str(executed))
    return page.encode(), slides(executed) if figures else {}


def run(tasks: Iterable[Task], options: Options, done: Callable[[Outcome], None]) -> list[Outcome]:
    """Carry out all tasks, each in its own fresh process, and publish each page as it is ready.

    Parameters
    ----------
    tasks
        Taken one by one as there is room, so that what they need can be prepared while others run.
    done
        Told of each outcome as it comes, for progress lines.

    Raises
    ------
    InfrastructureError
        A page cannot be written.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(FORKED))
    outcomes: list[Outcome] = []
    drawing: list[tuple[Task, Outcome, Future[Drawn]]] = []

    def settle(outcome: Outcome, task: Task) -> None:
        shutil.rmtree(task.scratch, ignore_errors=True)
        outcomes.append(outcome)
        done(outcome)

    renderers = ProcessPoolExecutor(options.jobs, mp_context=multiprocessing.get_context("spawn"))
    try:
        for task, outcome in _executed(tasks, options, context):
            if outcome.status == OK:
                drawing.append((task, outcome, renderers.submit(render, task.executed, figures=options.figures)))
            else:
                settle(outcome, task)
            ready = [entry for entry in drawing if entry[2].done()]
            drawing = [entry for entry in drawing if entry not in ready]
            for entry in ready:
                settle(_published(*entry), entry[0])
            if _enough(outcomes, options):
                break
        for entry in drawing:
            settle(_published(*entry), entry[0])
    finally:
        renderers.shutdown(cancel_futures=True)
    return outcomes


def _enough(outcomes: list[Outcome], options: Options) -> bool:
    failures = sum(outcome.status != OK for outcome in outcomes)
    return (options.fail_fast and failures > 0) or (0 < options.max_failures <= failures)


def _published(task: Task, outcome: Outcome, drawn: Future[Drawn]) -> Outcome:
    try:
        page, figures = drawn.result()
        write(task.page, page)
        for name, content in figures.items():
            write(task.figures / name, content)
        for old in set(task.figures.glob("*")) - {task.figures / name for name in figures}:
            old.unlink()
    except AireadyError:
        raise
    except Exception as error:
        failed = outcome.failed("render", f"{type(error).__name__}: {error}")
        return replace(failed, notebook=task.executed.read_bytes())
    return replace(outcome, digest=hashlib.sha256(page).hexdigest()[:12])


def _executed(tasks: Iterable[Task], options: Options, context: ForkServerContext) -> Iterator[tuple[Task, Outcome]]:
    """Run up to `jobs` child processes at once, and yield each task as its process ends."""
    coming = iter(tasks)
    running: dict[Any, tuple[Task, BaseProcess, float]] = {}
    try:
        while True:
            while len(running) < options.jobs and (task := next(coming, None)) is not None:
                child = context.Process(target=execute, args=(task, options.engine))
                child.start()
                running[child.sentinel] = (task, child, time.monotonic())
            if not running:
                return
            ended = wait(list(running), timeout=0.5)
            late = [key for key, (_, _, start) in running.items() if time.monotonic() - start > options.timeout]
            for key in {*ended, *late}:
                task, process, start = running.pop(key)
                yield task, _outcome(task, process, time.monotonic() - start, timed_out=key not in ended)
    finally:
        for _, process, _ in running.values():
            process.kill()
            process.join()


def _outcome(task: Task, process: BaseProcess, seconds: float, *, timed_out: bool) -> Outcome:
    """Status from the process itself: papermill's own marks are not to be trusted after a crash."""
    if timed_out:
        process.kill()
    process.join()
    outcome = Outcome(task.unit_id, task.page.name, seconds=round(seconds, 3))
    if timed_out:
        return outcome.failed("time-out", f"stopped after {seconds:.0f} s")
    if task.error.exists():
        text = task.error.read_text(encoding="utf-8").strip()
        executed = task.executed.read_bytes() if task.executed.exists() else b""
        failed = outcome.failed("cell error", text.splitlines()[-1])
        return replace(failed, traceback=text, notebook=executed)
    if process.exitcode != 0 or not task.executed.exists():
        return outcome.failed("killed", f"the process ended with exit code {process.exitcode}")
    return outcome
