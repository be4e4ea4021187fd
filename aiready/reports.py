"""From an assessment to the reports folder: results, handouts, portfolio, index, evidence and manifest."""

import json
import platform
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from aiready import history, overview
from aiready.assessment import Assessment
from aiready.batch import OK, Options, Outcome, Task, run
from aiready.measures import ORGANISATION
from aiready.pdf import printer
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
NEW, CHANGED, AS_BEFORE, EARLIER = "new", "changed", "as before", "earlier"
"""What a page is beside the run before; `earlier`: not made in this run."""
HISTORY = Path("records/history")
"""What was published, run by run, below the folder of reports."""


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
    """What a run is asked for: units in order, and whom to tell of each page as it is published or has failed.

    `pdf`: also print every page that was made.
    """

    data: str
    out: Path
    unit_ids: tuple[str, ...]
    options: Options
    done: Callable[[Outcome], None] = lambda _: None
    pdf: bool = False


@dataclass(frozen=True)
class Run:
    """What became of a run: every outcome, and by page what it is beside the run before (new, changed, as before)."""

    outcomes: list[Outcome]
    changes: Mapping[str, str]

    def count(self, change: str) -> int:
        """Pages with this change."""
        return sum(found == change for found in self.changes.values())


def report(assessment: Assessment, request: Request) -> Run:
    """Make the handouts of some units, the portfolio, the index and the manifest.

    The handouts of units that no longer exist are withdrawn, whatever is asked for.

    Raises
    ------
    InfrastructureError
        The folder is locked by another run, or cannot be written; or there is no browser to print with.
    """
    out, started = request.out, time.time()
    out.mkdir(parents=True, exist_ok=True)
    with (
        locked(out),
        tempfile.TemporaryDirectory(prefix="aiready-") as scratch,
        printer() if request.pdf else nullcontext() as print_page,
    ):
        records = save_results(assessment, out)
        if assessment.release is not None:  # first, so that a run killed half-way still counts as published
            history.keep(out / HISTORY, assessment.release, assessment.facts.as_of)
        outcomes = run(plan(assessment, request, Path(scratch)), request.options, request.done)
        _keep_evidence(outcomes, private(records / "failed"))
        pages = {f"{slug(unit_id)}.html" for unit_id in assessment.units["unit_id"]}
        if print_page:
            for path in _made(out, outcomes):
                write(path.with_suffix(".pdf"), print_page(path))
        withdrawn = _withdraw((out / "units").glob("*.html"), pages)
        _withdraw((out / "units").glob("*.pdf"), {Path(page).with_suffix(".pdf").name for page in pages})
        earlier = _earlier(records / "manifest.json")
        changes = {outcome.page: _change(outcome, earlier) for outcome in outcomes if outcome.status == OK}
        statuses = _statuses(out, earlier, outcomes, {*pages, PORTFOLIO}, changes)
        write(out / "overview" / "index.html", overview.index_page(assessment, statuses, withdrawn))
        write(records / "manifest.json", _manifest(assessment, statuses, started))
    return Run(outcomes, changes)


def _made(out: Path, outcomes: Iterable[Outcome]) -> Iterator[Path]:
    """Files of the pages that were made in this run."""
    for outcome in outcomes:
        if outcome.status == OK:
            yield out / ("overview" if outcome.page == PORTFOLIO else "units") / outcome.page


def _change(outcome: Outcome, earlier: Mapping[str, dict]) -> str:
    before = earlier.get(outcome.page, {}).get("digest")
    return NEW if not before else AS_BEFORE if before == outcome.digest else CHANGED


def plan(assessment: Assessment, request: Request, scratch: Path) -> Iterator[Task]:
    """Name the notebook, parameters and page of every task, each with its slice of the results just written."""
    portfolio = request.out / "overview" / PORTFOLIO
    yield _sliced(
        Task(ORGANISATION, _notebook("portfolio_report"), {}, portfolio, scratch / "organisation"),
        assessment,
        request.data,
    )
    for unit_id in request.unit_ids:
        page = request.out / "units" / f"{slug(unit_id)}.html"
        task = Task(unit_id, _notebook("unit_report"), {"unit_id": unit_id}, page, scratch / f"unit-{page.stem}")
        yield _sliced(task, assessment, request.data)


def _notebook(name: str) -> Path:
    return shipped("notebooks") / f"{name}.ipynb"


def _sliced(task: Task, assessment: Assessment, data: str) -> Task:
    own = assessment if task.unit_id == ORGANISATION else assessment.unit(task.unit_id)
    results = task.scratch / "results"
    own.save_slice(results)
    given = {"data": data, "results": str(results), "wave": assessment.facts.wave}
    return replace(task, parameters={**task.parameters, **given})


def _keep_evidence(outcomes: Sequence[Outcome], folder: Path) -> None:
    """Keep traceback and notebook of what failed; what works again loses its old evidence."""
    for outcome in outcomes:
        stem = Path(outcome.page).stem
        for path in folder.glob(f"{stem}.*"):
            path.unlink()
        if outcome.status != OK:
            text = f"{outcome.status}: {outcome.reason}\n\n{outcome.traceback}\n"
            write(folder / f"{stem}.txt", text.encode())
        if outcome.notebook:
            write(folder / f"{stem}.ipynb", outcome.notebook)


def _withdraw(present: Iterable[Path], wanted: set[str]) -> list[str]:
    gone = [path for path in present if path.name not in wanted]
    for path in gone:
        path.unlink()
    return sorted(path.stem for path in gone)


def _earlier(manifest: Path) -> dict[str, dict]:
    """Status of every page in the run before, by page."""
    return json.loads(manifest.read_text(encoding="utf-8"))["pages"] if manifest.exists() else {}


def _statuses(
    out: Path, earlier: Mapping[str, dict], outcomes: Sequence[Outcome], pages: set[str], changes: Mapping[str, str]
) -> dict[str, dict]:
    """Latest outcome of every page, this run's first; pages of an earlier run keep theirs, and say so."""
    told = ("unit_id", "page", "status", "reason", "seconds", "digest")
    statuses = {page: status | {"change": EARLIER} for page, status in earlier.items() if page in pages}
    for outcome in outcomes:
        status = {name: getattr(outcome, name) for name in told} | {"change": changes.get(outcome.page, EARLIER)}
        if outcome.status != OK:  # the last good page is still there
            status["digest"] = earlier.get(outcome.page, {}).get("digest", "")
        statuses[outcome.page] = status
    folders = {PORTFOLIO: "overview"}
    for page, status in statuses.items():
        status["pdf"] = (out / folders.get(page, "units") / page).with_suffix(".pdf").exists()
    return statuses


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
