"""The batch beside what people do today: handouts per second, cost over bare work, growth, memory, a cold start.

    python benchmarks/batch.py                 # all, about half an hour on two cores
    python benchmarks/batch.py --part growth   # cold, rates or growth alone
    python benchmarks/batch.py --reduced       # every figure at a small size, none of them to be quoted

Units of the sample organisation, again and again; every handout is made, none is kept. Growth is taken from the unit
with the least to show: what a longer run adds to each handout shows most where there is least work in it.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import psutil

from aiready import Assessment
from aiready.batch.job_folders import process_folder
from aiready.batch.page_inputs import PageInputsBuilder, instrument_files
from aiready.batch.page_job import OK, PageJob, PageRecord, PageResult
from aiready.batch.runner import PageRunner
from aiready.batch.schedule import RunOptions, run_pages
from aiready.package_files import package_digest, package_file

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
AT_ONCE = 2
TIMES, BARE, GROWTH, COLD = 12, 2.0, 1.10, 20.0
"""Goals: times the rate of separate processes, cost over bare work, time per handout at ten times the size, seconds."""


@dataclass(frozen=True)
class Sizes:
    """How many handouts each figure is taken from: rates from whole rounds of the sample's eighteen units."""

    separate: int = 18
    batch: int = 126
    bare: int = 36
    growth: tuple[int, int] = (100, 1000)
    memory: int = 2000
    cold: bool = True


REDUCED = Sizes(separate=1, batch=2, bare=1, growth=(2, 4), memory=6, cold=False)


def orders(whole: Assessment) -> list[PageJob]:
    """One order for each unit of the sample."""
    slicer = PageInputsBuilder(whole, instrument_files(package_file("data/instrument")))
    notebook = package_file("notebooks/unit_report.ipynb").read_bytes()
    return [
        PageJob(unit_id, notebook, {"unit_id": unit_id}, slicer.page_inputs(unit_id).files)
        for unit_id in whole.units["unit_id"]
    ]


def size(order: PageJob) -> int:
    """Bytes of its slice."""
    return sum(map(len, order.files.values()))


def separate_processes(wanted: list[PageJob], folder: Path) -> float:
    """Seconds per handout of `papermill` and `jupyter nbconvert`, two units at a time."""

    def one(place: int, order: PageJob) -> None:
        own = folder / str(place)
        for name, content in order.files.items():
            path = own / "results" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        given = ["-p", "unit_id", order.unit_id, "-p", "results", str(own / "results")]
        notebook, out = package_file("notebooks/unit_report.ipynb"), own / "out.ipynb"
        environment = os.environ | {"AIREADY_CHARTS": "json"}
        for command in (
            ["papermill", str(notebook), str(out), *given, "--no-progress-bar"],
            ["jupyter", "nbconvert", "--to", "aiready", str(out)],
        ):
            subprocess.run([sys.executable, "-m", *command], check=True, capture_output=True, env=environment)

    start = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, range(len(wanted)), wanted))
    return (time.perf_counter() - start) / len(wanted)


BARE_CODE = """
import os, sys, time
from pathlib import Path
import papermill
from aiready.batch.notebook_page import export_page
os.environ["AIREADY_CHARTS"] = "json"
folders = [Path(line) for line in sys.stdin.read().split()]
def one(folder):
    executed = papermill.execute_notebook(sys.argv[1], str(folder / "executed.ipynb"), engine_name="aiready",
        progress_bar=False, request_save_on_cell_execute=False, kernel_name="python3",
        parameters={"unit_id": (folder / "unit").read_text(), "results": str(folder / "results")})
    export_page(executed)
one(folders[0])
start = time.perf_counter()
for folder in folders[1:]:
    one(folder)
print((time.perf_counter() - start) / len(folders[1:]))
"""


def bare(wanted: list[PageJob], folder: Path) -> float:
    """Seconds per handout of cells and rendering alone, in one warm process that does nothing else."""
    folders = []
    for place, order in enumerate([wanted[0], *wanted]):
        own = folder / f"bare-{place}"
        for name, content in order.files.items():
            path = own / "results" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (own / "unit").write_text(order.unit_id)
        folders.append(str(own))
    command = [sys.executable, "-c", BARE_CODE, str(package_file("notebooks/unit_report.ipynb"))]
    done = subprocess.run(command, input="\n".join(folders), capture_output=True, text=True, check=True)
    return float(done.stdout)


def in_batch(
    press: PageRunner, wanted: list[PageJob], folder: Path, seen: Callable[[int], None] = lambda _: None
) -> float:
    """Seconds per handout of the batch, pages published."""
    done = 0

    def publish(before: PageRecord, _: PageJob, made: PageResult) -> PageRecord:
        if made.status != OK:
            raise SystemExit(f"{made.status}: {made.reason}")
        (folder / before.page).write_bytes(made.page)
        return before

    def told(_: PageRecord) -> None:
        nonlocal done
        done += 1
        seen(done)

    tasks = ((PageRecord(order.unit_id, f"{order.unit_id}.html"), order) for order in wanted)
    start = time.perf_counter()
    _, stop = run_pages(tasks, press.submit, publish, told, RunOptions(jobs=AT_ONCE))
    if stop:
        raise stop
    return (time.perf_counter() - start) / len(wanted)


def held() -> float:
    """Megabytes this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def whole_run(folder: Path) -> float:
    """Seconds of `aiready report` on the sample: from nothing, and when called again with nothing changed."""
    command = [sys.executable, "-c", "from aiready.cli.commands import main; main()", "report", str(SAMPLE), "--quiet"]
    start = time.perf_counter()
    subprocess.run([*command, "--out", str(folder / "cold")], check=True, capture_output=True)
    return time.perf_counter() - start


def left_over() -> list[str]:
    """Folders of orders that lie about, and processes of pages that live, after the batch has ended."""
    processes = psutil.Process().children(recursive=True)
    pages = [process for process in processes if "multiprocessing" not in " ".join(process.cmdline())]
    return [f"process {page.pid}" for page in pages] + [path.name for path in process_folder().glob("job-*")]


def told(name: str, figure: str, goal: str) -> None:
    print(f"{name:52} {figure:>16}   {goal}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--reduced", action="store_true")
    parser.add_argument("--part", choices=("cold", "rates", "growth"))
    asked = parser.parse_args()
    sizes, parts = REDUCED if asked.reduced else Sizes(), (asked.part,) if asked.part else ("cold", "rates", "growth")
    print(f"package {package_digest()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        if sizes.cold and "cold" in parts:
            told("cold `aiready report data/sample`, s", f"{whole_run(folder):.1f}", f"under {COLD:g}")
            told("the same with nothing changed, s", f"{whole_run(folder):.1f}", "little more than scoring")
        if parts != ("cold",):
            measure(Assessment.open(SAMPLE), sizes, folder, parts)


def measure(whole: Assessment, sizes: Sizes, folder: Path, parts: tuple[str, ...]) -> None:
    """Take every figure, side by side in one run."""
    made = orders(whole)
    if "rates" in parts:
        rates(made, sizes, folder)
    if "growth" in parts:
        growing(min(made, key=size), sizes, folder)
    told("left over", str(left_over() or "nothing"), "nothing")


@contextmanager
def pressing(first: list[PageJob], folder: Path) -> Iterator[PageRunner]:
    """A press that has made its first pages."""
    with PageRunner(AT_ONCE) as press:
        in_batch(press, first, folder)
        yield press


def rates(made: list[PageJob], sizes: Sizes, folder: Path) -> None:
    """The batch, separate processes and bare work, one after the other."""
    coming = cycle(made)
    with pressing(made[:AT_ONCE], folder) as press:
        ours = in_batch(press, list(islice(coming, sizes.batch)), folder)
        told("batch, handouts/s", f"{1 / ours:.2f}", f"notebooks {press.start_method}")
    theirs = separate_processes(list(islice(coming, sizes.separate)), folder)
    told("papermill and nbconvert, two at a time, handouts/s", f"{1 / theirs:.2f}", "")
    told("times as many", f"{theirs / ours:.1f}", f"at least {TIMES}")
    alone = bare(list(islice(coming, sizes.bare)), folder)
    told("cells and rendering alone in one process, s", f"{alone:.2f}", "")
    told("seconds of a core per handout, over that", f"{ours * AT_ONCE / alone:.2f}", f"at most {BARE:g}")


def growing(order: PageJob, sizes: Sizes, folder: Path) -> None:
    """One long run between two short ones, each with a press of its own: time per handout, and memory on the way.

    A machine is quicker at one time than at another, by more than what is looked for: the short runs stand on both
    sides of the long one.
    """
    (few, many), marks = sizes.growth, dict[int, tuple[float, float]]()

    def short() -> float:
        with pressing([order] * AT_ONCE, folder) as press:
            return in_batch(press, [order] * few, folder)

    def seen(done: int) -> None:
        marks[done] = (time.perf_counter() - start, held())

    before = short()
    with pressing([order] * AT_ONCE, folder) as press:
        start = time.perf_counter()
        in_batch(press, [order] * sizes.memory, folder, seen)
    ratio = marks[many][0] / many / ((before + short()) / 2)
    told(f"time per handout of {many:,} over that of {few:,}", f"{ratio:.2f}", f"at most {GROWTH:g}")
    told(
        f"memory of the parent at {few:,} and {sizes.memory:,}, MB",
        f"{marks[few][1]:.0f}, {marks[sizes.memory][1]:.0f}",
        "flat",
    )


if __name__ == "__main__":
    main()
