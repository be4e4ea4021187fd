"""The batch runner: orders out, pages in as they are ready; one failure never stops the rest."""

import atexit
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from aiready.batch.page_job import CANCELLED, GIGABYTE, KILLED, OK, START, Made, Order
from aiready.errors import AireadyError, InfrastructureError

if TYPE_CHECKING:
    from aiready.batch.runner import Press
    from aiready.batch.serial_runner import Plain

AHEAD = 2
"""Orders in work or waiting, per page that is made at once."""
ENDED = "the run ended before it was made"


@dataclass(frozen=True)
class Options:
    """How a run is carried out; `timeout` in seconds per handout, `max_failures` 0 for no limit.

    `memory`: gigabytes a handout may hold, 0 for its share of this machine. `figures`: also write every figure of a
    page as files for slides. `force`: make pages anew that nothing has changed. `children`: a parent's page shows the
    profiles of its children.
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


@dataclass(frozen=True)
class Task:
    """One page to make: of which unit, where it goes, why it is made, and its order; none: the page is as it was.

    `inputs`: digests of what the page depends on, part by part.
    """

    unit_id: str
    page: Path
    why: str = ""
    order: Order | None = None
    inputs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of a task: `status` is ok, or the true cause of its failure.

    `why`: for which reason it was made; `kept`: it was not, since nothing had changed. `digest`: of the page that is
    published.
    """

    unit_id: str
    page: str
    seconds: float = 0.0
    status: str = OK
    reason: str = ""
    digest: str = ""
    why: str = ""
    kept: bool = False


Maker = Callable[[Order], "Future[Made]"]
"""Takes an order, and gives its page when it is made."""


@cache
def machine_memory() -> int:
    """Bytes of memory that this machine, or the control group it is confined to, has."""
    limits = [psutil.virtual_memory().total]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):  # of control groups, second and first version
        with suppress(OSError, ValueError):  # not of this version, or "max"
            limits.append(int(Path("/sys/fs/cgroup", name).read_text()))
    return min(limits)


def run(
    tasks: Iterable[Task],
    make: Maker,
    publish: Callable[[Task, Made], Outcome],
    done: Callable[[Outcome], None],
    options: Options,
) -> tuple[list[Outcome], BaseException | None]:
    """Carry out all tasks, and publish each page as it is ready.

    Parameters
    ----------
    tasks
        Taken one by one as there is room, so that what they need can be prepared while others run.
    publish
        Writes a page, or the evidence of a failure.
    done
        Told of each outcome as it comes, for progress lines.

    Returns
    -------
    tuple
        Every outcome, and what stopped the run (a signal, a full disk) where something did: what was not begun then is
        cancelled, and what was published stays.
    """
    outcomes: list[Outcome] = []
    under_way: dict[Future[Made], Task] = {}
    coming = iter(tasks)

    def settle(outcome: Outcome) -> None:
        outcomes.append(outcome)
        done(outcome)

    stop: BaseException | None = None
    try:
        while not _enough(outcomes, options):
            for task in _some(coming, options.jobs * AHEAD + 1 - len(under_way)):
                if task.order is None:
                    settle(Outcome(task.unit_id, task.page.name, kept=True, digest=task.inputs["page"]))
                else:
                    under_way[make(task.order)] = task
            if not under_way:
                break
            for answer in wait(under_way, timeout=1, return_when=FIRST_COMPLETED).done:
                settle(publish(under_way.pop(answer), _answered(answer)))
    except (AireadyError, KeyboardInterrupt, SystemExit) as error:
        stop = error
    for answer, task in under_way.items():
        answer.cancel()
        settle(Outcome(task.unit_id, task.page.name, status=CANCELLED, reason=ENDED))
    return outcomes, stop


def _some(tasks: Iterator[Task], number: int) -> Iterator[Task]:
    """The next tasks: as many to be made as there is room for, and those before them that are kept."""
    while number > 0 and (task := next(tasks, None)) is not None:
        number -= task.order is not None
        yield task


def _answered(answer: "Future[Made]") -> Made:
    try:
        return answer.result()
    except (AireadyError, KeyboardInterrupt, SystemExit):
        raise
    except BrokenExecutor as error:
        raise InfrastructureError(f"The executor is broken: {error}. Pages that were published stay.") from error
    except CancelledError:
        return Made(status=CANCELLED, reason="the executor cancelled it")
    except Exception as error:
        lost = type(error).__name__ == "KilledWorker"  # of dask.distributed, which need not be installed
        return Made(status=KILLED if lost else START, reason=f"{type(error).__name__}: {error}")


def _enough(outcomes: list[Outcome], options: Options) -> bool:
    failures = sum(outcome.status != OK for outcome in outcomes)
    return (options.fail_fast and failures > 0) or (0 < options.max_failures <= failures)


def on(executor: Executor) -> Maker:
    """Make pages on any executor: threads, processes, a cluster; each of its processes has a press of its own."""
    return lambda order: executor.submit(make_page, order)


def make_page(order: Order) -> Made:
    """Make one page in the process that is asked to: bytes in, bytes out."""
    return _press_of(os.getpid()).make(order).result()


def press(jobs: int, *, warm: bool = False) -> "Press | Plain":
    """Who makes pages on this machine: `jobs` at once; `warm`: with renderers ready before the first (see `Press`)."""
    try:
        from aiready.batch.runner import Press
    except ImportError:  # of what only Unix has
        from aiready.batch.serial_runner import Plain

        return Plain()
    return Press(jobs, warm=warm)


@cache
def _press_of(process: int) -> "Press | Plain":
    """The press of this process: one that was inherited over a fork has lost its thread."""
    del process
    made = press(os.cpu_count() or 1)
    atexit.register(made.close)
    return made
