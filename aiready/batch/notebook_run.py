"""A notebook run in a process of its own, from the folder of an order to an exit code that tells what happened."""

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
    Made,
    Order,
)

DONE, CELL, MEMORY, PARAMETERS, BEFORE, DISK, LATE, DEAD = 0, 71, 72, 73, 74, 75, 76, 77
"""Exit codes of a run; every other one was not given by this module."""
CAUSES = {CELL: CELL_ERROR, MEMORY: OUT_OF_MEMORY, PARAMETERS: INVALID_PARAMETERS, BEFORE: START, DEAD: KILLED}
_RAISED = {"PapermillExecutionError": CELL, "CellTimeoutError": LATE, "DeadKernelError": DEAD}


@dataclass(frozen=True)
class Workplace:
    """The folder of one order, thrown away when its page is made."""

    folder: Path

    @property
    def results(self) -> Path:
        """The unit's slice, as the notebook reads it."""
        return self.folder / "results"

    @property
    def executed(self) -> Path:
        """The executed notebook."""
        return self.folder / "executed.ipynb"

    @property
    def error(self) -> Path:
        """The traceback of a run that failed."""
        return self.folder / "error.txt"

    @property
    def fault(self) -> Path:
        """Where the interpreter stood when it crashed."""
        return self.folder / "fault.txt"

    @property
    def place(self) -> Path:
        """Number of the cell that runs."""
        return self.folder / "cell"

    @property
    def order(self) -> Path:
        """The order, for a process that was not forked."""
        return self.folder / "order.pickle"

    def lay_out(self, order: Order) -> Order:
        """Write the slice; gives the order with its parameter `results`, without the files."""
        self.results.mkdir(parents=True)
        for name, content in order.files.items():
            path = self.results / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        given = {**order.parameters, "results": str(self.results)} if order.files else order.parameters
        return replace(order, parameters=given, files={})


class InvalidParametersError(ValueError):
    """A notebook was given parameters that it does not have: papermill itself would only warn."""


def carry_out(order: Order, workplace: Workplace) -> int:
    """Run the notebook of an order that was laid out, in a process of its own; gives its exit code."""
    from aiready.charts.figures import CHARTS

    os.environ[CHARTS] = "json"
    faulthandler.enable(workplace.fault.open("w"), all_threads=False)
    limited(order.memory)
    return attempt(order, workplace)


def attempt(order: Order, workplace: Workplace) -> int:
    """Run the notebook of an order that was laid out; gives by which code it ended, and writes what was raised."""
    try:
        execute(order, workplace)
    except MemoryError:
        return _told(workplace, MEMORY)
    except InvalidParametersError:
        return _told(workplace, PARAMETERS)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (ENOSPC, EDQUOT):
            return DISK
        code = _RAISED.get(type(error).__name__, BEFORE)
        return _told(workplace, MEMORY if order.memory and code != LATE and _for_want_of_memory(error) else code)
    return DONE


def _for_want_of_memory(error: Exception) -> bool:
    """Whether what was raised says in other words that no more memory was to be had, or hardly any is left."""
    words = f"{getattr(error, 'ename', type(error).__name__)}: {getattr(error, 'evalue', error)}"
    return _WANT.search(words) is not None or _full()


def _full() -> bool:
    try:
        mmap.mmap(-1, _LITTLE).close()
    except (OSError, ValueError):
        return True
    return False


_LITTLE = 16 * 1024**2
_WANT = re.compile(
    r"MemoryError|OutOfMemory|Out of Memory|bad_alloc|[Cc]annot allocate memory|failed to map segment"
    r"|can't start new thread|Failed to launch worker thread|unable to allocate",
    re.IGNORECASE,
)
"""How libraries say that a limit of memory was reached; a thread that cannot start wants room for its stack."""


def _told(workplace: Workplace, code: int) -> int:
    try:
        workplace.error.write_text(traceback.format_exc(), encoding="utf-8")
    except OSError:
        return DISK
    return code


def limited(memory: int) -> None:
    """Let this process hold so many bytes and no more, and let the system end it before any other."""
    if memory:
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (memory, hard))
    try:
        Path("/proc/self/oom_score_adj").write_text("1000")
    except OSError:
        return  # elsewhere than Linux there is none


def execute(order: Order, workplace: Workplace) -> None:
    """Run the notebook of an order that was laid out, in this process or with the engine that it names."""
    import nbformat
    import papermill
    from papermill.engines import papermill_engines

    from aiready.batch.engine import InProcessEngine

    papermill_engines.register("aiready", InProcessEngine)  # also where the package lies on the path only
    book = nbformat.reads(order.notebook.decode(), as_version=4)
    known = list(papermill.inspect_notebook(book))
    strange = sorted(set(order.parameters) - set(known))
    if strange:
        raise InvalidParametersError(f"{', '.join(strange)}: not among the notebook's parameters {', '.join(known)}")
    papermill.execute_notebook(
        book,
        str(workplace.executed),
        parameters=dict(order.parameters),
        engine_name=order.engine,
        progress_bar=False,
        request_save_on_cell_execute=False,
        kernel_name="python3",
        **({"place": workplace.place} if order.engine == "aiready" else {"execution_timeout": ceil(order.timeout)}),
    )


@dataclass(frozen=True)
class Ended:
    """How the process of a run ended: `code` is negative for a signal, as in `subprocess`.

    `starved`: the system ended a process for want of memory while it ran.
    """

    code: int
    seconds: float
    peak: int = 0
    timed_out: bool = False
    starved: bool = False


def verdict(order: Order, workplace: Workplace, ended: Ended) -> Made:
    """What became of a run, from how its process ended and what it left: papermill's own marks are not trusted.

    Raises
    ------
    OSError
        The disk that holds the folders of orders is full.
    """
    made = Made(seconds=round(ended.seconds, 3), peak=ended.peak)
    if ended.timed_out or (ended.code == LATE and workplace.error.exists()):
        return made.failed(TIME_OUT, f"stopped after {order.timeout:g} s{_where(workplace)}", notebook=order.notebook)
    if ended.code == DISK:
        raise OSError(ENOSPC, os.strerror(ENOSPC), str(workplace.folder))
    if ended.code == DONE and workplace.executed.exists():
        return made
    if ended.code in CAUSES and workplace.error.exists():
        text = workplace.error.read_text(encoding="utf-8").strip()
        book = workplace.executed.read_bytes() if workplace.executed.exists() else order.notebook
        reason = text.splitlines()[-1].removeprefix(f"{__name__}.{InvalidParametersError.__name__}: ")
        reason += f": {_more_than(order)}" if ended.code == MEMORY and order.memory else ""
        return made.failed(CAUSES[ended.code], reason, traceback=text, notebook=book)
    status, reason = _died(order, ended)
    fault = workplace.fault.read_text(encoding="utf-8", errors="replace") if workplace.fault.exists() else ""
    return made.failed(status, reason + _where(workplace), traceback=fault, notebook=order.notebook)


def _died(order: Order, ended: Ended) -> tuple[str, str]:
    held = f"it held {ended.peak / GIGABYTE:.1f} GB"
    if ended.code == -signal.SIGKILL and ended.starved:
        return OUT_OF_MEMORY, f"ended by the system for want of memory (fewer --jobs leave more to each); {held}"
    if ended.code == -signal.SIGABRT and order.memory and ended.peak > order.memory / 2:
        return OUT_OF_MEMORY, f"{_more_than(order)}; {held}"
    if ended.code < 0:
        return KILLED, f"killed by {signal.Signals(-ended.code).name}"
    return KILLED, f"its process ended itself with exit code {ended.code}"


def _more_than(order: Order) -> str:
    """Which limit was reached, and which option moves it."""
    limit = f"{order.memory / GIGABYTE:.2g} GB"
    return f"a handout may hold {limit}, and this one needs more (--memory GB sets the limit, or fewer --jobs)"


def _where(workplace: Workplace) -> str:
    """In which cell it was, where that is known."""
    try:
        return f" in cell {int(workplace.place.read_text())}"
    except (OSError, ValueError):
        return ""


def main() -> None:
    """Carry out the order that lies in a folder: the entry of a process that was started, not forked."""
    workplace = Workplace(Path(sys.argv[1]))
    die_with_parent()
    sys.exit(carry_out(pickle.loads(workplace.order.read_bytes()), workplace))


@contextmanager
def importing() -> Iterator[None]:
    """Import in half the time: collect no garbage, which imports hardly make, and leave out a grammar of addresses.

    jsonschema takes a second to load that grammar (`rfc3987_syntax`), for a check of formats that no schema of a
    notebook or chart asks for. Once the block has ended it can be imported as ever, by whoever needs it.
    """
    known, collecting = _GRAMMAR in sys.modules, gc.isenabled()
    gc.disable()
    if not known:
        sys.modules[_GRAMMAR] = None  # type: ignore[assignment]  # how Python marks what cannot be imported
    try:
        yield
    finally:
        if not known:
            del sys.modules[_GRAMMAR]
        if collecting:
            gc.enable()


_GRAMMAR = "rfc3987_syntax"


def die_with_parent(sign: signal.Signals | None = None) -> None:
    """Have the system end this process when its parent ends (default: kill it); elsewhere than Linux do nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(sign or signal.SIGKILL))


_PR_SET_PDEATHSIG = 1
