"""From an assessment to the reports folder: results, handouts, portfolio, index, evidence and manifest."""

import json
import platform
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from aiready import overview
from aiready.assessment import Assessment
from aiready.batch import Options, Outcome, Run, Task, run
from aiready.measures import ORGANISATION
from aiready.publication import locked, private, slug, write
from aiready.shipped import shipped

PACKAGES = (
    "aiready",
    "altair",
    "duckdb",
    "ibis-framework",
    "nbconvert",
    "numpy",
    "pandas",
    "papermill",
    "vl-convert-python",
)
PORTFOLIO = "portfolio.html"


def save_results(assessment: Assessment, out: Path) -> Path:
    """Write results and quarantine under `out/records`, for their owner alone; returns the records folder."""
    records = private(out / "records")
    assessment.save(records / "results")
    quarantine = records / "quarantine"
    for name, rows in assessment.quarantine.items():
        write(quarantine / f"{name}.csv", rows.to_csv(index=False).encode())
    _withdraw(quarantine.glob("*.csv"), {f"{name}.csv" for name in assessment.quarantine})
    return records


@dataclass(frozen=True)
class Request:
    """What a run is asked for: units in order, and whom to tell of each page as it is published or has failed."""

    data: str
    out: Path
    unit_ids: tuple[str, ...]
    options: Options
    done: Callable[[Outcome], None] = lambda _: None


def report(assessment: Assessment, request: Request) -> Run:
    """Make the handouts of some units, the portfolio, the index and the manifest.

    The handouts of units that no longer exist are withdrawn, whatever is asked for.

    Raises
    ------
    InfrastructureError
        The folder is locked by another run, or cannot be written.
    """
    out, started = request.out, time.time()
    out.mkdir(parents=True, exist_ok=True)
    with locked(out), tempfile.TemporaryDirectory(prefix="aiready-") as scratch:
        records = save_results(assessment, out)
        tasks = plan(assessment, request, Path(scratch))
        finished = run(tasks, request.options, request.done)
        _keep_evidence(finished, tasks, private(records / "failed"))
        pages = {f"{slug(unit_id)}.html": unit_id for unit_id in assessment.units["unit_id"]}
        withdrawn = _withdraw((out / "units").glob("*.html"), set(pages))
        statuses = _statuses(records / "manifest.json", finished, {*pages, PORTFOLIO})
        write(out / "overview" / "index.html", overview.index_page(assessment, statuses, withdrawn))
        write(records / "manifest.json", _manifest(assessment, statuses, started))
    return finished


def plan(assessment: Assessment, request: Request, scratch: Path) -> list[Task]:
    """Write each unit's slice of the results, and name the notebook, parameters and page of every task."""
    portfolio = request.out / "overview" / PORTFOLIO
    pages = {unit_id: request.out / "units" / f"{slug(unit_id)}.html" for unit_id in request.unit_ids}
    tasks = [Task(ORGANISATION, _notebook("portfolio_report"), {}, portfolio, scratch / "organisation")]
    for unit_id, page in pages.items():
        tasks.append(Task(unit_id, _notebook("unit_report"), {"unit_id": unit_id}, page, scratch / f"unit-{page.stem}"))
    return [_sliced(task, assessment, request.data) for task in tasks]


def _notebook(name: str) -> Path:
    return shipped("notebooks") / f"{name}.ipynb"


def _sliced(task: Task, assessment: Assessment, data: str) -> Task:
    own = assessment if task.unit_id == ORGANISATION else assessment.unit(task.unit_id)
    results = task.scratch / "results"
    own.save(results, spreadsheets=False)
    given = {"data": data, "results": str(results), "wave": assessment.facts.wave}
    return replace(task, parameters={**task.parameters, **given})


def _keep_evidence(finished: Run, tasks: Sequence[Task], folder: Path) -> None:
    by_page = {task.page.name: task for task in tasks}
    kept = set()
    for outcome in finished.failed:
        task = by_page[outcome.page]
        stem = task.page.stem
        error = task.scratch / "error.txt"
        text = error.read_text(encoding="utf-8") if error.exists() else outcome.reason
        write(folder / f"{stem}.txt", f"{outcome.status}: {outcome.reason}\n\n{text}\n".encode())
        kept.add(f"{stem}.txt")
        if task.executed.exists():
            write(folder / f"{stem}.ipynb", task.executed.read_bytes())
            kept.add(f"{stem}.ipynb")
    fine = {task.page.stem for task in tasks} - {Path(name).stem for name in kept}
    for path in folder.iterdir():
        if path.stem in fine:
            path.unlink()


def _withdraw(present: Iterable[Path], wanted: set[str]) -> list[str]:
    gone = [path for path in present if path.name not in wanted]
    for path in gone:
        path.unlink()
    return sorted(path.stem for path in gone)


def _statuses(manifest: Path, finished: Run, pages: set[str]) -> dict[str, dict]:
    """Latest outcome of every page, this run's first; pages of an earlier run keep theirs."""
    earlier = json.loads(manifest.read_text(encoding="utf-8"))["pages"] if manifest.exists() else {}
    kept = {page: status for page, status in earlier.items() if page in pages}
    return kept | {outcome.page: asdict(outcome) for outcome in finished.outcomes}


def _manifest(assessment: Assessment, statuses: dict[str, dict], started: float) -> bytes:
    content = {
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "seconds": round(time.time() - started, 1),
        "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        "facts": asdict(assessment.facts),
        "counts": assessment.counts.to_dict("records"),
        "inputs": assessment.inputs.to_dict("records"),
        "pages": statuses,
    }
    return json.dumps(content, indent=1, ensure_ascii=False).encode()
