"""Run the notebook of a page job in this process, and turn it into the page."""

import os
from math import ceil
from typing import TYPE_CHECKING

from aiready.batch.job_folders import JobFolder
from aiready.batch.page_job import PageJob

if TYPE_CHECKING:
    from nbformat import NotebookNode


class InvalidParametersError(ValueError):
    """A job has parameters that its notebook does not know: papermill itself would only warn."""


class FaultyPageError(ValueError):
    """A page is not fit to be published."""


def run_notebook(job: PageJob, job_folder: JobFolder | None = None) -> "NotebookNode":
    """Run the job's notebook with the engine that the job names, and return it executed, charts as specifications.

    Parameters
    ----------
    job_folder
        Where the executed notebook is written, also where a cell failed, and the number of the running cell; by default
        nothing is written.
    """
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
    step = job_folder and job_folder.step
    engine_options: dict[str, object] = (
        {"cell_number_file": step} if job.engine == "aiready" else {"execution_timeout": ceil(job.timeout)}
    )
    executed: NotebookNode = papermill.execute_notebook(
        notebook,
        str(job_folder.executed) if job_folder else None,
        parameters=dict(job.parameters),
        engine_name=job.engine,
        progress_bar=False,
        request_save_on_cell_execute=False,
        kernel_name="python3",
        **engine_options,
    )
    return executed


def export_page(notebook: "NotebookNode") -> str:
    """Turn an executed notebook into its page, and check it.

    Raises
    ------
    FaultyPageError
        The page is not complete.
    """
    from aiready.batch.page_checks import page_faults
    from aiready.pages.markup import shared_exporter

    page, _ = shared_exporter().from_notebook_node(notebook)
    if faults := page_faults(page, notebook):
        raise FaultyPageError(f"the page was not published: {'; '.join(faults)}")
    return page
