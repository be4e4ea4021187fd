"""Orders to pages with papermill alone, one after the other: for systems that cannot fork, as Windows.

Each notebook has a kernel of its own, and its page is drawn in this process. What a unit does to its kernel is told by
its cause; a page that cannot be drawn without ending this process ends the run.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from aiready.batch.child_process import SAFE
from aiready.batch.notebook_run import Ended, Workplace, attempt, verdict
from aiready.batch.page_job import OK, RENDER, Made, Order
from aiready.batch.renderer import drawn

PAPERMILL = "with papermill alone"
"""How pages were made, for the manifest."""


class Plain:
    """Makes pages from orders, one at a time; what was not begun is cancelled when its block ends."""

    remark = "Notebooks ran with papermill alone, one after the other: this system has no forks."

    def __init__(self) -> None:
        self._one = ThreadPoolExecutor(1, "plain")  # two threads at once would end vl-convert

    def __enter__(self) -> "Plain":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def make(self, order: Order) -> "Future[Made]":
        """Take an order; the future gives the page, or by which cause it failed."""
        return self._one.submit(page_of, order)

    def close(self) -> None:
        """Wait for the page that is being made, and cancel the others."""
        self._one.shutdown(cancel_futures=True)


def page_of(order: Order) -> Made:
    """Make one page in this process, with a kernel for its notebook.

    Raises
    ------
    OSError
        There is no room for it on the disk.
    """
    started = time.monotonic()
    with _undrawn(), tempfile.TemporaryDirectory(prefix="aiready-plain-", ignore_cleanup_errors=True) as folder:
        workplace = Workplace(Path(folder) / "order")
        alone = replace(order, engine=None, memory=0)
        code = attempt(workplace.lay_out(alone), workplace)
        made = verdict(alone, workplace, Ended(code, time.monotonic() - started))
        if made.status == OK:
            page = drawn(workplace.executed, figures=order.figures)
            made = replace(made, page=page.page, figures=page.figures)
            if page.reason:
                book = workplace.executed.read_bytes()
                made = made.failed(RENDER, page.reason, traceback=page.traceback, notebook=book)
    return replace(made, seconds=round(time.monotonic() - started, 3), way=PAPERMILL)


@contextmanager
def _undrawn() -> Iterator[None]:
    """Have kernels that are started meanwhile leave charts to the renderer, and import nothing that lies about.

    Afterwards all is as it was.
    """
    from aiready.charts.figures import CHARTS

    meanwhile = {CHARTS: "json", **SAFE}
    before = {name: os.environ.get(name) for name in meanwhile}
    os.environ.update(meanwhile)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
