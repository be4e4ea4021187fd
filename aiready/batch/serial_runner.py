"""Make pages with papermill alone, one after the other: for systems that cannot fork, such as Windows.

Each notebook has a kernel of its own; its page is drawn in this process. A unit that breaks its kernel fails with the
cause; a page whose drawing kills this process ends the run.
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

from aiready.batch.child_process import SAFE_PATH
from aiready.batch.notebook_run import JobFolder, ProcessExit, exit_code_of, run_result
from aiready.batch.page_job import OK, RENDER, PageJob, PageResult
from aiready.batch.renderer import try_render

PAPERMILL = "with papermill alone"
"""How notebooks were run, for the manifest."""


class SerialRunner:
    """Makes pages one at a time; jobs not yet started are cancelled when its block ends."""

    remark = "Notebooks ran with papermill alone, one after the other: this system has no forks."

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, "plain")  # two threads would crash vl-convert

    def __enter__(self) -> "SerialRunner":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def submit(self, job: PageJob) -> "Future[PageResult]":
        """Queue a job; the future gives its page, or the cause of its failure."""
        return self._executor.submit(make_page, job)

    def close(self) -> None:
        """Wait for the page that is being made, and cancel the others."""
        self._executor.shutdown(cancel_futures=True)


def make_page(job: PageJob) -> PageResult:
    """Make one page in this process, with a kernel for its notebook.

    Raises
    ------
    OSError
        The disk is full.
    """
    started = time.monotonic()
    with (
        _kernel_environment(),
        tempfile.TemporaryDirectory(prefix="aiready-plain-", ignore_cleanup_errors=True) as folder,
    ):
        job_folder = JobFolder(Path(folder) / "job")
        unlimited_job = replace(job, engine=None, memory=0)
        code = exit_code_of(job_folder.write_inputs(unlimited_job), job_folder)
        result = run_result(unlimited_job, job_folder, ProcessExit(code, time.monotonic() - started))
        if result.status == OK:
            rendering = try_render(job_folder.executed, figures=job.figures)
            result = replace(result, page=rendering.page, figures=rendering.figures)
            if rendering.reason:
                notebook = job_folder.executed.read_bytes()
                result = result.failed(RENDER, rendering.reason, traceback=rendering.traceback, notebook=notebook)
    return replace(result, seconds=round(time.monotonic() - started, 3), start_method=PAPERMILL)


@contextmanager
def _kernel_environment() -> Iterator[None]:
    """Have kernels started in this block leave charts to the renderer, and import installed packages only."""
    from aiready.charts.figures import CHARTS_VARIABLE

    settings = {CHARTS_VARIABLE: "json", **SAFE_PATH}
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
