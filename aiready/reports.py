"""From an assessment to the reports folder: results, handouts, portfolio, index, evidence and manifest."""

import hashlib
import importlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiready import history, manifest
from aiready.assessment import Assessment
from aiready.batch import ENDED, Maker, Options, Outcome, Task, press, run
from aiready.errors import AireadyError
from aiready.execution import importing
from aiready.freshness import FORCED, library_digest, package_digest, why
from aiready.manifest import AS_BEFORE, CHANGED, EARLIER, KEPT, NEW, Keeper, PageRecord
from aiready.measures import ORGANISATION
from aiready.orders import CANCELLED, OK, Made, Order
from aiready.pdf import printer
from aiready.phrases import ENGLISH, Language
from aiready.publication import TOO_FEW, locked, private, slug, sweep, write
from aiready.shipped import shipped
from aiready.sources import instrument_folder, safe_cells
from aiready.unit_slice import Slice, Slicer, digest, instrument_files, too_small

PORTFOLIO = "portfolio.html"
HISTORY = Path("records/history")
"""What was published, run by run, below the folder of reports."""


def save_results(assessment: Assessment, out: Path) -> Path:
    """Write results and quarantine under `out/records`, for their owner alone; returns the records folder."""
    records = private(out / "records")
    assessment.save(records / "results")
    quarantine = records / "quarantine"
    for name, rows in assessment.quarantine.items():
        write(quarantine / f"{name}.csv", safe_cells(rows).to_csv(index=False).encode())
    _withdraw(quarantine.glob("*.csv"), {f"{name}.csv" for name in assessment.quarantine})
    return records


@dataclass(frozen=True)
class Request:
    """What a run is asked for: units in order, and whom to tell of each page as it is published or has failed.

    `pdf`: also print every page. `make`: who makes pages; by default this machine. `keep`: how many releases the
    history holds, 0 for all. `language`: what the pages are written in; results are the same in all of them.
    """

    data: str
    out: Path
    unit_ids: tuple[str, ...]
    options: Options
    done: Callable[[Outcome], None] = lambda _: None
    pdf: bool = False
    make: Maker | None = None
    keep: int = 0
    language: Language = ENGLISH


@dataclass(frozen=True)
class Run:
    """What became of a run: every outcome, and by page what it is beside the run before (new, changed, as before)."""

    outcomes: list[Outcome]
    changes: Mapping[str, str]
    withdrawn: list[str] = field(default_factory=list)

    def count(self, change: str) -> int:
        """Pages with this change."""
        return sum(found == change for found in self.changes.values())

    @property
    def failed(self) -> list[Outcome]:
        """Outcomes of pages that could not be made."""
        return [outcome for outcome in self.outcomes if outcome.status != OK]


def report(assessment: Assessment, request: Request) -> Run:
    """Make the handouts of some units, the portfolio, the index and the manifest.

    The handouts of units that no longer exist are withdrawn, and those of units that became too small and are not
    made anew, whatever is asked for. A run that is stopped leaves whole pages, an index and a manifest that say so.

    Raises
    ------
    InfrastructureError
        The folder is locked by another run, or cannot be written; or there is no browser to print with.
    InstrumentError, UsageError
        The instrument is not there in the language, or not all of it.
    """
    out, spoken = request.out, _spoken(assessment, request)
    if request.pdf:
        with printer():  # is there a browser? better known before anything is written
            pass
    with locked(out):
        sweep(out)
        private(out / "records")
        if assessment.release is not None:  # first, so that a run killed half-way still counts as published
            history.keep(out / HISTORY, assessment.release, assessment.facts.as_of)
            history.trim(out / HISTORY, request.keep)
        if request.make is not None:
            return _Reporter(assessment, spoken, request, request.make).run()
        with press(request.options.jobs) as made:
            return _Reporter(assessment, spoken, request, made.make).run()


def _spoken(assessment: Assessment, request: Request) -> Assessment:
    """The assessment in the words of the pages, for the index; pages translate their own slices."""
    if request.language == ENGLISH:
        return assessment
    return assessment.speaking(request.language, instrument_folder(request.data))


def _pages(out: Path, record: PageRecord) -> Path:
    return out / ("overview" if record.page == PORTFOLIO else "units") / record.page


class _Reporter:
    """One run in a folder that it holds."""

    def __init__(self, assessment: Assessment, spoken: Assessment, request: Request, make: Maker):
        self.assessment, self.spoken, self.request, self.make = assessment, spoken, request, make
        self.earlier = manifest.read(request.out)
        self.keeper = Keeper(request.out, spoken, self.earlier)
        self.failed = private(request.out / "records" / "failed")
        self.questionnaire = instrument_files(instrument_folder(request.data) or shipped("data/instrument"))
        self.slices: dict[str, Slice] = {}
        self.saved = False
        self.notebooks = {name: _notebook(name).read_bytes() for name in ("portfolio_report", "unit_report")}

    def run(self) -> Run:
        """Make pages, print them, withdraw what is stale, and write index and manifest."""
        outcomes, stop = run(self._plan(), self.make, self._publish, self._told, self.request.options)
        try:
            self._save()
        except AireadyError as error:
            stop = stop or error
        begun = {outcome.unit_id for outcome in outcomes}
        for unit_id in (ORGANISATION, *self.request.unit_ids):
            if unit_id not in begun:
                outcome = Outcome(unit_id, _name(unit_id), status=CANCELLED, reason=ENDED)
                outcomes.append(outcome)
                self._told(outcome)
        withdrawn = self._withdraw()
        try:
            if stop is None:
                self._print()
        except (AireadyError, KeyboardInterrupt, SystemExit) as error:
            stop = error
        self._conclude(withdrawn, stop)
        changes = {outcome.page: self.keeper.pages[outcome.page].change for outcome in outcomes if outcome.status == OK}
        return Run(outcomes, changes, withdrawn)

    def _conclude(self, withdrawn: list[str], stop: BaseException | None) -> None:
        """Write index and manifest, also of a run that was stopped, which then ends as it was told to."""
        from aiready import overview

        shown = {page: record.shown() for page, record in self.keeper.pages.items()}
        try:
            self.keeper.write()
            page = overview.index_page(self.spoken, shown, withdrawn)
            write(self.request.out / "overview" / "index.html", page)
        except AireadyError as error:
            stop = stop or error
        if stop is not None:
            raise stop

    def _plan(self) -> Iterator[Task]:
        """Name every page, with its slice of the results where it must be made; when all are busy, write results."""
        slicer = Slicer(self.assessment, self.questionnaire, children=self.request.options.children)
        for place, unit_id in enumerate((ORGANISATION, *self.request.unit_ids)):
            if place > self.request.options.jobs:
                self._save()
            cut = slicer.slice_of(unit_id)
            notebook = self.notebooks["portfolio_report" if unit_id == ORGANISATION else "unit_report"]
            parameters = {"wave": self.assessment.facts.wave}
            if unit_id != ORGANISATION:
                parameters["unit_id"] = unit_id
            yield self._task(unit_id, cut, notebook, parameters)
        with importing():  # of what draws the index: while the last pages are made
            importlib.import_module("aiready.overview")

    def _save(self) -> None:
        """Write the results, once."""
        if not self.saved:
            self.saved = True
            save_results(self.assessment, self.request.out)

    def _task(self, unit_id: str, cut: Slice, notebook: bytes, parameters: Mapping[str, str]) -> Task:
        options, name = self.request.options, _name(unit_id)
        page = self.request.out / ("overview" if unit_id == ORGANISATION else "units") / name
        inputs = dict(cut.parts) | {
            "notebook": digest(notebook),
            "parameters": digest(*(f"{key}={value}" for key, value in sorted(parameters.items()))),
            "language": self.request.language.code,
            "questionnaire": digest(*self.questionnaire, *self.questionnaire.values()),
            "package": package_digest(),
            "libraries": library_digest(),
        }
        reason = self._reason(page, inputs)
        before = self.earlier.get(name)
        if before and not reason:
            return Task(unit_id, page, inputs=inputs | {"page": before.digest})
        if self.request.language != ENGLISH:
            parameters = {**parameters, "lang": self.request.language.code}
        order = Order(unit_id, notebook, parameters, cut.files, options.engine, options.timeout, options.bytes,
                      options.figures)  # fmt: skip
        self.slices[name] = replace(cut, files={})
        return Task(unit_id, page, reason, order, inputs)

    def _reason(self, page: Path, inputs: Mapping[str, str]) -> str:
        """Why a page must be made; empty where the one there is, is right."""
        before = self.earlier.get(page.name)
        if before is None or not before.digest:
            return NEW
        if self.request.options.force:
            return FORCED
        if before.status not in (OK, CANCELLED):
            return "failed before"
        if changed := why(inputs, before.inputs):
            return changed
        if not page.exists() or _digest(page.read_bytes()) != before.digest:
            return "the page was not as it was published"
        return "figures asked for" if self.request.options.figures and before.figures_of != before.digest else ""

    def _told(self, outcome: Outcome) -> None:
        before = self.earlier.get(outcome.page, PageRecord(outcome.unit_id, outcome.page))
        if outcome.kept:
            self.keeper.note(replace(before, status=OK, reason="", why="", change=KEPT))
        elif outcome.status != OK:
            told = replace(before, status=outcome.status, reason=outcome.reason, why=outcome.why)
            self.keeper.note(replace(told, seconds=outcome.seconds, change=EARLIER))
        self.request.done(outcome)

    def _publish(self, task: Task, made: Made) -> Outcome:
        """Write a page and what belongs to it; of a failure, the evidence."""
        outcome = Outcome(task.unit_id, task.page.name, made.seconds, made.status, made.reason, why=task.why)
        self._keep_evidence(task, made)
        self.keeper.ways |= {made.way} - {""}
        if made.status != OK:
            return outcome
        before = self.earlier.get(task.page.name, PageRecord(task.unit_id, task.page.name))
        found = _digest(made.page)
        write(task.page, made.page)
        record = PageRecord(
            task.unit_id,
            task.page.name,
            why=task.why,
            change=NEW if not before.digest else AS_BEFORE if before.digest == found else CHANGED,
            seconds=made.seconds,
            peak=made.peak,
            digest=found,
            inputs=task.inputs,
            as_of=self.assessment.facts.as_of,
            too_small=self.slices.pop(task.page.name).too_small,
            pdf_of=before.pdf_of,
            figures_of=self._publish_figures(task.page, made, before, found),
        )
        if record.pdf_of != found and not self.request.pdf:
            task.page.with_suffix(".pdf").unlink(missing_ok=True)
        self.keeper.note(record)
        return replace(outcome, digest=found)

    def _publish_figures(self, page: Path, made: Made, before: PageRecord, found: str) -> str:
        """Write the figures of a page; without new ones, those of another page than this go. Gives whose they are."""
        folder = self._figures(page)
        if not self.request.options.figures:
            if before.figures_of != found:
                shutil.rmtree(folder, ignore_errors=True)
            return before.figures_of if before.figures_of == found else ""
        for name, content in made.figures.items():
            write(folder / name, content)
        _withdraw(folder.glob("*"), set(made.figures))
        return found

    def _figures(self, page: Path) -> Path:
        return self.request.out / "figures" / page.stem

    def _keep_evidence(self, task: Task, made: Made) -> None:
        """Keep traceback and notebook of what failed; what works again loses its old evidence."""
        stem = task.page.stem
        kept = {f"{stem}.txt"} if made.status != OK else set()
        if made.status != OK:
            given = task.order.parameters if task.order else {}
            parameters = "".join(f"{name} = {value}\n" for name, value in given.items())
            text = f"{made.status}: {made.reason}\n\n{parameters}\n{made.traceback}\n"
            write(self.failed / f"{stem}.txt", text.encode())
        if made.notebook and made.status != OK:
            write(self.failed / f"{stem}.ipynb", made.notebook)
            kept.add(f"{stem}.ipynb")
        _withdraw((self.failed / f"{stem}{end}" for end in (".txt", ".ipynb")), kept)

    def _print(self) -> None:
        """Print the pages whose PDF is of another page than the one published, with one browser."""
        records = [record for record in self.keeper.pages.values() if record.digest and record.pdf_of != record.digest]
        if not self.request.pdf or not records:
            return
        with printer() as print_page:
            for record in records:
                path = _pages(self.request.out, record)
                if path.exists():
                    write(path.with_suffix(".pdf"), print_page(path))
                    self.keeper.note(replace(record, pdf_of=record.digest))

    def _withdraw(self) -> list[str]:
        """Take away what is of units that are gone, or became too small and were not made anew."""
        out, small = self.request.out, self._became_small()
        for page in small:
            self.keeper.note(PageRecord(self.keeper.pages[page].unit_id, page, CANCELLED, TOO_FEW))
        wanted = {_name(unit_id) for unit_id in self.assessment.units["unit_id"]} - small
        stems = {Path(page).stem for page in wanted}
        withdrawn = _withdraw((out / "units").glob("*.html"), wanted)
        _withdraw((out / "units").glob("*.pdf"), {f"{stem}.pdf" for stem in stems})
        for folder in (out / "figures").glob("*"):
            if folder.name not in {*stems, Path(PORTFOLIO).stem}:
                shutil.rmtree(folder, ignore_errors=True)
        known = wanted | small | {PORTFOLIO}
        for page in set(self.keeper.pages) - known:
            del self.keeper.pages[page]
        stems |= {Path(page).stem for page in known}
        _withdraw((path for path in self.failed.iterdir() if path.stem not in stems), set())
        return withdrawn

    def _became_small(self) -> set[str]:
        """Pages not made anew, of units that what people say is hidden of now and was not when they were made."""
        old = {page for page, record in self.keeper.pages.items() if record.change == EARLIER and record.digest}
        small = set()
        for unit_id in self.assessment.units["unit_id"]:
            name = _name(unit_id)
            if name in old and not self.keeper.pages[name].too_small and too_small(self.assessment, unit_id):
                small.add(name)
        return small


def _name(unit_id: str) -> str:
    return PORTFOLIO if unit_id == ORGANISATION else f"{slug(unit_id)}.html"


def _digest(page: bytes) -> str:
    return hashlib.sha256(page).hexdigest()[:12]


def _notebook(name: str) -> Path:
    return shipped("notebooks") / f"{name}.ipynb"


def _withdraw(present: Iterable[Path], wanted: set[str]) -> list[str]:
    gone = [path for path in present if path.name not in wanted]
    for path in gone:
        path.unlink(missing_ok=True)
    return sorted(path.stem for path in gone)
