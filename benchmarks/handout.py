"""One handout: its cells, its rendering, its size, how soon it is seen, and the ratio to plain nbconvert.

    python benchmarks/handout.py --unit motor-claims --unit property-claims

Cells run as in a batch, each time in a fresh fork of a process that has imported everything; rendering and plain
`nbconvert --to html` of the same notebook are warm, in one process. Seconds are the best of some runs.
"""

import argparse
import importlib
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import nbformat
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, sync_playwright

from aiready import Assessment
from aiready.batch import preload
from aiready.batch.job_folders import JobFolder
from aiready.batch.notebook_page import export_page, run_notebook
from aiready.batch.page_inputs import PageInputsBuilder, instrument_files
from aiready.batch.page_job import PageJob
from aiready.package_files import package_file
from aiready.pages.pdf import BROWSERS

SAMPLE = package_file("data/sample")
LIMIT_KB, LIMIT_PAINT_MS = 300, 300
LIMIT_RENDERING_MS, LIMIT_CHART_MS = 60, 60


def seconds(run: Callable[[], object]) -> tuple[float, float]:
    """Processor and wall-clock seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    run()
    return time.process_time() - processor, time.perf_counter() - wall


def best(run: Callable[[], tuple[float, float]], times: int) -> tuple[float, float]:
    return min(run() for _ in range(times))


def executed_in_child(order: PageJob, folder: Path) -> tuple[float, float]:
    """The cells of an order in a fresh fork of this process."""
    shutil.rmtree(folder, ignore_errors=True)
    workplace = JobFolder(folder)
    laid_out = workplace.write_inputs(order)
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_measured, args=(laid_out, workplace, there))
    child.start()
    took = here.recv()
    child.join()
    return took


def _measured(order: PageJob, workplace: JobFolder, result: Connection) -> None:
    result.send(seconds(lambda: run_notebook(order, workplace)))


def first_paint(browser: Browser, page: Path) -> float:
    """Milliseconds until a page from disk is first seen, in a new browser context."""
    painted = "performance.getEntriesByName('first-contentful-paint').map(entry => entry.startTime)"
    opened = browser.new_context().new_page()
    opened.goto(page.as_uri())
    while not (took := opened.evaluate(painted)):  # the page's own policy forbids a script that waits
        opened.wait_for_timeout(10)
    opened.context.close()
    return float(took[0])


def show(browser: Browser, folder: Path, cells: tuple[float, float], times: int) -> None:
    """Render an executed notebook, measure, and print."""
    job_folder = JobFolder(folder)
    executed, path = job_folder.executed, job_folder.page
    notebook = nbformat.read(executed, as_version=4)
    page = export_page(notebook).encode()
    path.write_bytes(page)
    charts = page.count(b'<figure class="chart"')
    drawn = best(lambda: seconds(lambda: export_page(notebook)), times)
    plain = best(lambda: seconds(lambda: HTMLExporter().from_filename(str(executed))), times)
    paint = median(first_paint(browser, path) for _ in range(5))
    allowed = LIMIT_RENDERING_MS + LIMIT_CHART_MS * charts
    print(f"\n{folder.name}: {charts} charts, each in two widths")
    for name, (processor, wall) in (("cells", cells), ("rendering", drawn), ("plain nbconvert", plain)):
        print(f"  {name:16} {1000 * processor:6.0f} ms of processor, {1000 * wall:6.0f} ms")
    print(f"  cells and rendering together {1000 * (cells[0] + drawn[0]):.0f} ms of processor")
    print(f"  rendering may take {allowed} ms ({LIMIT_RENDERING_MS} and {LIMIT_CHART_MS} a chart)")
    print(f"  rendering takes {drawn[0] / plain[0]:.2f} times what plain nbconvert takes, which draws no chart")
    print(
        f"  size {len(page) / 1000:.0f} kB (at most {LIMIT_KB}); first paint {paint:.0f} ms (at most {LIMIT_PAINT_MS})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--unit", action="append")
    parser.add_argument("--times", type=int, default=3, help="runs of each, of which the best counts")
    asked = parser.parse_args()
    slicer = PageInputsBuilder(Assessment.open(SAMPLE), instrument_files(package_file("data/instrument")))
    notebook = (package_file("notebooks") / "unit_report.ipynb").read_bytes()
    for module in preload.MODULES:
        importlib.import_module(module)
    with tempfile.TemporaryDirectory() as scratch:
        made = {}
        for unit_id in asked.unit or ["motor-claims"]:
            order = PageJob(unit_id, notebook, {"unit_id": unit_id}, slicer.page_inputs(unit_id).files)
            folder = Path(scratch) / unit_id
            made[folder] = min(executed_in_child(order, folder) for _ in range(asked.times))
        with sync_playwright() as playwright:  # after the forks: its threads must not be forked
            found = next(filter(None, map(shutil.which, BROWSERS)), None)
            browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
            for folder, cells in made.items():
                show(browser, folder, cells, asked.times)
            browser.close()


if __name__ == "__main__":
    main()
