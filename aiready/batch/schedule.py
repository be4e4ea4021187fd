"""Submit page jobs as there is room, and publish pages as they are ready; one failure never stops the rest."""

import atexit
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from aiready.batch.page_job import CANCELLED, GIGABYTE, KILLED, OK, START, PageJob, PageRecord, PageResult
from aiready.errors import AireadyError, InfrastructureError

if TYPE_CHECKING:
    from aiready.batch.runner import PageRunner

QUEUED_PER_JOB = 2
"""Jobs submitted and not yet published, per page that is made at once."""
NOT_STARTED = "the run ended before it was made"


@dataclass(frozen=True)
class RunOptions:
    """How a run is carried out; `jobs`: pages made at once; `timeout` in seconds per handout.

    `memory`: gigabytes a handout may hold, 0 for its share of this machine. `max_failures`: 0 for no limit. `figures`:
    also write every figure of a page as files for slides. `force`: make unchanged pages again. `children`: a parent's
    page shows the profiles of its children.
    """

    jobs: int = 2
    engine: str | None = "aiready"
    timeout: float = 600
    memory: float = 0
    fail_fast: bool = False
    max_failures: int = 0
    figures: bool = False
    force: bool = False
    children: bool = False

    @property
    def bytes(self) -> int:
        """Bytes a handout may hold."""
        return int((self.memory or machine_memory() * 0.8 / self.jobs / GIGABYTE) * GIGABYTE)


SubmitPage = Callable[[PageJob], "Future[PageResult]"]
"""Takes a job; the future gives its page, or the cause of its failure."""


@cache
def machine_memory() -> int:
    """Bytes of memory of this machine, or of the control group that this process is confined to."""
    limits = [psutil.virtual_memory().total]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):  # control groups version 2 and 1
        with suppress(OSError, ValueError):  # the other version, or "max"
            limits.append(int(Path("/sys/fs/cgroup", name).read_text()))
    return int(min(limits))


def run_pages(
    planned: Iterable[tuple[PageRecord, PageJob | None]],
    submit: SubmitPage,
    publish: Callable[[PageRecord, PageJob, PageResult], PageRecord],
    on_page: Callable[[PageRecord], None],
    options: RunOptions,
) -> tuple[list[PageRecord], BaseException | None]:
    """Make all planned pages, and publish each as it is ready.

    Parameters
    ----------
    planned
        The record of each page as it is published, and the job that makes it anew; without one it stays. Taken one by
        one as there is room, so that later ones are prepared while earlier ones run.
    publish
        Writes a page, or the evidence of a failure; returns its record.
    on_page
        Called with each record as it comes, for progress lines.

    Returns
    -------
    tuple
        Every record, and the exception that stopped the run (a signal, a full disk), if any: pages not started by then
        are cancelled, published ones stay.
    """
    records: list[PageRecord] = []
    running: dict[Future[PageResult], tuple[PageRecord, PageJob]] = {}
    remaining = iter(planned)

    def add(record: PageRecord) -> None:
        records.append(record)
        on_page(record)

    stop: BaseException | None = None
    try:
        while not _limit_reached(records, options):
            for before, job in _next_pages(remaining, options.jobs * QUEUED_PER_JOB + 1 - len(running)):
                if job is None:
                    add(before.as_unchanged())
                else:
                    running[submit(job)] = (before, job)
            if not running:
                break
            for future in wait(running, timeout=1, return_when=FIRST_COMPLETED).done:
                add(publish(*running.pop(future), _result_of(future)))
    except (AireadyError, KeyboardInterrupt, SystemExit) as error:
        stop = error
    for future, (before, _) in running.items():
        future.cancel()
        add(before.failed(CANCELLED, NOT_STARTED))
    return records, stop


def _next_pages(
    remaining: Iterator[tuple[PageRecord, PageJob | None]], room: int
) -> Iterator[tuple[PageRecord, PageJob | None]]:
    """The next pages: as many with a job as there is room for, and any without one before them."""
    while room > 0 and (page := next(remaining, None)) is not None:
        room -= page[1] is not None
        yield page


def _result_of(future: "Future[PageResult]") -> PageResult:
    try:
        return future.result()
    except (AireadyError, KeyboardInterrupt, SystemExit):
        raise
    except BrokenExecutor as error:
        raise InfrastructureError(f"The executor is broken: {error}. Pages that were published stay.") from error
    except CancelledError:
        return PageResult(status=CANCELLED, reason="the executor cancelled it")
    except Exception as error:
        is_lost = type(error).__name__ == "KilledWorker"  # dask.distributed may not be installed
        return PageResult(status=KILLED if is_lost else START, reason=f"{type(error).__name__}: {error}")


def _limit_reached(records: list[PageRecord], options: RunOptions) -> bool:
    failures = sum(record.status != OK for record in records)
    return (options.fail_fast and failures > 0) or (0 < options.max_failures <= failures)


def submit_to(executor: Executor) -> SubmitPage:
    """Make pages on any executor (threads, processes, a cluster); each of its processes gets its own page runner."""
    return lambda job: executor.submit(make_page, job)


def make_page(job: PageJob) -> PageResult:
    """Make one page on this machine: bytes in, bytes out."""
    return _runner_of_process(os.getpid()).submit(job).result()


def page_runner(jobs: int) -> "PageRunner":
    """A page runner: `jobs` at once."""
    from aiready.batch.runner import PageRunner

    return PageRunner(jobs)


@cache
def _runner_of_process(process: int) -> "PageRunner":
    """The page runner of this process: one inherited by a fork would lack its threads."""
    del process
    runner = page_runner(os.cpu_count() or 1)
    atexit.register(runner.close)
    return runner
