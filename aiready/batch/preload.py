"""What the fork server does once for all pages: import what they need, and make a small page from start to end.

A process forked from it inherits all that. Where an import fails, pages meet the same error and report it.
"""

import atexit
import contextlib
import gc
import importlib
import os
import sys
from pathlib import Path

from aiready.batch.notebook_page import export_page, run_notebook
from aiready.batch.page_job import PageJob
from aiready.package_files import fast_imports

ENVIRONMENT = {
    "AIREADY_FORK_SERVER": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""Environment of the fork server: that it is one, and that no library starts a thread, since a fork copies none."""
MODULES = (
    "papermill",
    "aiready.batch.engine",
    "aiready.pages.handout",
    "aiready.pages.portfolio",
    "aiready.pages.markup.exporter",
    "altair",
    "pyarrow.feather",
)
WARM_UP_CODE = """
import pandas as pd
from aiready.charts.figures import Figure
from aiready.charts.marks import layered_specification
from aiready.charts.row_layout import placeholder
table = pd.DataFrame({"unit": ["a", "b", "a"], "wave": ["p", "q", "q"], "value": [1.0, 2.0, None]})
table.assign(high=table["value"] > 1).groupby(["unit", "wave"], sort=False).indices
table.pivot_table(index="unit", columns="wave", values="value", aggfunc="sum")
table.merge(table, on="unit").drop_duplicates().dropna().groupby("unit")["value_x"].mean()
table.loc[table["unit"].isin(["a"])].to_dict("records")
chart = layered_specification(placeholder("No page yet."))
Figure("rehearsal", "Rehearsal", "", chart, chart, pd.DataFrame({"n": [1]}))
"""
"""Uses once what libraries set up at first use: compiled schemas and templates, an IPython shell, ways to group."""

import_path = list(sys.path)
"""Where the fork server finds modules: installed packages only."""
is_prepared = False
"""Whether this process is a fork server that was started as it must be."""
n_threads = 0
"""Threads of the fork server once it has imported everything; 0 where that is not known, or this is none."""


def import_modules() -> None:
    """Import what every page needs."""
    for name in MODULES:
        importlib.import_module(name)


def warm_up() -> None:
    """Make a small page in this process, and read the shipped instrument, so that forks inherit what is set up once."""
    from nbformat import v4, writes

    from aiready import messages
    from aiready.instrument.model import read_instrument

    cells = [
        v4.new_markdown_cell("# Rehearsal"),
        v4.new_code_cell('name = ""', metadata={"tags": ["parameters"]}),
        v4.new_code_cell(WARM_UP_CODE),
    ]
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    notebook = writes(v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})).encode()
    export_page(run_notebook(PageJob("", notebook, {"name": "any"})))
    messages.warm_up()
    read_instrument()


def _count_threads() -> int:
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else 0


if os.environ.pop("AIREADY_FORK_SERVER", ""):
    is_prepared = True
    atexit.register(os._exit, 0)  # libraries would report what was frozen as leaked
    with contextlib.suppress(Exception), fast_imports():
        import_modules()
        warm_up()
    gc.collect()
    gc.freeze()
    n_threads = _count_threads()
