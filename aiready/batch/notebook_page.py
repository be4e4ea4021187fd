"""Run the notebook of a page job in this process, and turn it into the page."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil

from aiready.batch.job_folders import JobFolder
from aiready.batch.page_job import PageJob


class InvalidParametersError(ValueError):
    """A job has parameters that its notebook does not know: papermill itself would only warn."""


class FaultyPageError(ValueError):
    """A page is not fit to be published."""


def run_notebook(job: PageJob, job_folder: JobFolder) -> None:
    """Run the job's notebook with the engine that the job names; charts are left as specifications for the page."""
    import nbformat
    import papermill
    from papermill.engines import papermill_engines

    from aiready.batch.engine import InProcessEngine
    from aiready.charts.figures import CHARTS_VARIABLE

    os.environ[CHARTS_VARIABLE] = "json"
    papermill_engines.register(
        "aiready", InProcessEngine
    )  # entry points are missing where the package is not installed
    notebook = nbformat.reads(job.notebook.decode(), as_version=4)
    parameters = list(papermill.inspect_notebook(notebook))
    unknown_parameters = ", ".join(sorted(set(job.parameters) - set(parameters)))
    if unknown_parameters:
        raise InvalidParametersError(
            f"{unknown_parameters}: not among the notebook's parameters {', '.join(parameters)}"
        )
    engine_options: dict[str, object] = (
        {"cell_number_file": job_folder.step} if job.engine == "aiready" else {"execution_timeout": ceil(job.timeout)}
    )
    papermill.execute_notebook(
        notebook,
        str(job_folder.executed),
        parameters=dict(job.parameters),
        engine_name=job.engine,
        progress_bar=False,
        request_save_on_cell_execute=False,
        kernel_name="python3",
        **engine_options,
    )


def export_page(job_folder: JobFolder, *, figures: bool = False) -> None:
    """Turn the executed notebook of a job folder into its page, check it, and draw its figures as files for slides.

    Raises
    ------
    FaultyPageError
        The page is not complete.
    """
    import nbformat

    from aiready.batch.page_checks import page_faults
    from aiready.pages.markup import shared_exporter

    notebook = nbformat.read(job_folder.executed, as_version=4)
    page, _ = shared_exporter().from_notebook_node(notebook)
    if faults := page_faults(page, notebook):
        raise FaultyPageError(f"the page was not published: {'; '.join(faults)}")
    job_folder.figures.mkdir(exist_ok=True)
    if figures:
        from aiready.pages.figure_files import slide_files  # starts threads, which no fork server may have

        for name, content in slide_files(job_folder.executed).items():
            (job_folder.figures / name).write_bytes(content)
    job_folder.page.write_text(page, encoding="utf-8")


@contextmanager
def fast_imports() -> Iterator[None]:
    """Halve the time of imports in this block: no garbage collection, and no `rfc3987_syntax`.

    jsonschema takes a second to load that grammar of addresses, for a format check that no schema of a notebook or
    chart uses. It can be imported as usual after the block.
    """
    was_imported, gc_was_enabled = _ADDRESS_GRAMMAR in sys.modules, gc.isenabled()
    gc.disable()
    if not was_imported:
        sys.modules[_ADDRESS_GRAMMAR] = None  # type: ignore[assignment]  # Python's mark for "cannot be imported"
    try:
        yield
    finally:
        if not was_imported:
            del sys.modules[_ADDRESS_GRAMMAR]
        if gc_was_enabled:
            gc.enable()


_ADDRESS_GRAMMAR = "rfc3987_syntax"
