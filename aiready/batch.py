"""The batch runner: every page in a fresh process, rendered by warm ones; one failure never stops the rest."""

import multiprocessing
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from aiready.errors import AireadyError
from aiready.publication import write

FORKED = ("papermill", "aiready.handout", "aiready.portfolio", "altair")
"""Imported once by the process that every notebook run is forked from."""

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")


@dataclass(frozen=True)
class Options:
    """How a run is carried out; `timeout` in seconds per handout."""

    jobs: int = 2
    engine: str | None = "aiready"
    timeout: float = 600
    fail_fast: bool = False
    max_failures: int = 0


@dataclass(frozen=True)
class Task:
    """One page to make: which notebook, which parameters, and where the page goes."""

    unit_id: str
    notebook: Path
    parameters: Mapping[str, str]
    page: Path
    scratch: Path

    @property
    def executed(self) -> Path:
        """Where the executed notebook is kept until it is rendered."""
        return self.scratch / "executed.ipynb"


@dataclass
class Outcome:
    """What became of a task: `status` is ok, or the true cause of its failure."""

    unit_id: str
    page: str
    status: str = "ok"
    reason: str = ""
    seconds: float = 0.0


@dataclass
class Run:
    """A finished run: outcomes by task and what the manifest says."""

    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def failed(self) -> list[Outcome]:
        """Outcomes that are not ok."""
        return [outcome for outcome in self.outcomes if outcome.status != "ok"]


def execute(task: Task, engine: str | None) -> None:
    """Run a task's notebook in this process; the child of the batch ends with exit code 1 where a cell fails."""
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
        (task.scratch / "error.txt").write_text(traceback.format_exc(), encoding="utf-8")
        sys.exit(1)


def render(executed: Path) -> bytes:
    """Turn an executed notebook into its page; runs in a long-lived renderer process."""
    from aiready.html import HandoutExporter

    page, _ = HandoutExporter().from_filename(str(executed))
    return page.encode()


def run(tasks: Sequence[Task], options: Options, done: Callable[[Outcome], None]) -> Run:
    """Carry out all tasks, each in its own fresh process; one that fails never stops the rest.

    Parameters
    ----------
    done
        Told of each outcome as it comes, for progress lines.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(FORKED))
    finished = Run()
    renderers = ProcessPoolExecutor(options.jobs, mp_context=multiprocessing.get_context("spawn"))
    pages: list[tuple[Task, Outcome, Future[bytes]]] = []
    try:
        for task, outcome in _executed(tasks, options, context):
            if outcome.status == "ok":
                pages.append((task, outcome, renderers.submit(render, task.executed)))
            else:
                finished.outcomes.append(_report(outcome, done))
            pages = _publish_ready(pages, finished, done)
            if _stop(finished, options):
                break
        _publish_ready(pages, finished, done, wait_for_all=True)
    finally:
        renderers.shutdown(cancel_futures=True)
    return finished


def _stop(finished: Run, options: Options) -> bool:
    failures = len(finished.failed)
    return (options.fail_fast and failures > 0) or (0 < options.max_failures <= failures)


def _report(outcome: Outcome, done: Callable[[Outcome], None]) -> Outcome:
    done(outcome)
    return outcome


def _executed(tasks: Sequence[Task], options: Options, context: ForkServerContext) -> Iterator[tuple[Task, Outcome]]:
    """Run up to `jobs` child processes at once, and yield each task as its process ends."""
    waiting, running = list(reversed(tasks)), {}
    try:
        while waiting or running:
            while waiting and len(running) < options.jobs:
                task = waiting.pop()
                process = context.Process(target=execute, args=(task, options.engine), daemon=False)
                process.start()
                running[process.sentinel] = (task, process, time.monotonic())
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
    if timed_out:
        process.kill()
    process.join()
    outcome = Outcome(task.unit_id, task.page.name, seconds=round(seconds, 3))
    evidence = task.scratch / "error.txt"
    if timed_out:
        outcome.status, outcome.reason = "time-out", f"stopped after {seconds:.0f} s"
    elif evidence.exists():
        outcome.status, outcome.reason = (
            "cell error",
            evidence.read_text(encoding="utf-8").strip().splitlines()[-1],
        )
    elif process.exitcode != 0 or not task.executed.exists():
        outcome.status, outcome.reason = "killed", f"the process ended with exit code {process.exitcode}"
    return outcome


def _publish_ready(
    pages: list[tuple[Task, Outcome, Future[bytes]]],
    finished: Run,
    done: Callable[[Outcome], None],
    *,
    wait_for_all: bool = False,
) -> list[tuple[Task, Outcome, Future[bytes]]]:
    later = []
    for task, outcome, page in pages:
        if not (wait_for_all or page.done()):
            later.append((task, outcome, page))
            continue
        try:
            write(task.page, page.result())
        except AireadyError:
            raise
        except Exception as error:
            outcome.status, outcome.reason = "render", f"{type(error).__name__}: {error}"
        finished.outcomes.append(_report(outcome, done))
    return later
