"""From an assessment to the reports folder: results, handouts, portfolio, index, evidence and manifest."""

import hashlib
import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiready.atomic_files import TOO_FEW, BlockedError, locked, private, slug, sweep
from aiready.batch import manifest
from aiready.batch.manifest import AS_BEFORE, CHANGED, EARLIER, KEPT, NEW, PORTFOLIO, Keeper, Known, PageRecord
from aiready.batch.notebook_run import importing
from aiready.batch.output_folder import PAGES, RECORDS, Owned
from aiready.batch.page_inputs import Slice, Slicer, digest, instrument_files, too_small
from aiready.batch.page_job import CANCELLED, OK, PUBLISH, Made, Order
from aiready.batch.rebuild import FORCED, library_digest, package_digest, why
from aiready.batch.schedule import ENDED, Maker, Options, Outcome, Task, press, run
from aiready.errors import AireadyError
from aiready.inputs.dataset import instrument_folder, safe_cells
from aiready.messages import ENGLISH, Language
from aiready.model.registry import ORGANISATION
from aiready.package_files import shipped
from aiready.pages.pdf import printer
from aiready.privacy import releases
from aiready.profile.assessment import FACTS, Assessment

PLACES = (*RECORDS, *PAGES)
"""Where a run writes."""
HISTORY = Path("records/history")
"""What was published, run by run, below the folder of reports."""


def save_results(assessment: Assessment, out: Path, owned: Owned | None = None) -> Path:
    """Write results and quarantine under `out/records`, for their owner alone; returns the records folder.

    Those of an earlier run that this one has not are taken away.

    Parameters
    ----------
    owned
        Which files in the folder are ours; by default what the manifest there says.

    Raises
    ------
    UsageError
        The folder holds somebody else's files where results go.
    """
    if owned is None:
        known = manifest.read(out, RECORDS)
        owned = Owned(out, known.files, lambda names: manifest.note_files(out, names))
    records = private(out / "records")
    results, quarantine = records / "results", records / "quarantine"
    names = {results / f"{name}{ending}" for name in assessment.tables for ending in (".csv", ".parquet")}
    names |= {results / FACTS, *(quarantine / f"{name}.csv" for name in assessment.quarantine)}
    owned.claim(*names)
    assessment.save(results, owned.write)
    for name, rows in assessment.quarantine.items():
        owned.write(quarantine / f"{name}.csv", safe_cells(rows).to_csv(index=False).encode())
    owned.remove(*{*owned.inside(results), *owned.inside(quarantine)} - names)
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
    manifest.read(out, PLACES)  # somebody else's folder is refused before anything is written
    with locked(out):
        known = manifest.read(out, PLACES)
        sweep(out)
        private(out / "records")
        reporter = _Reporter(assessment, spoken, request, known)
        reporter.claim()  # before anything is written, the manifest names it
        if assessment.release is not None:  # first, so that a run killed half-way still counts as published
            releases.keep(out / HISTORY, assessment.release, assessment.facts.as_of)
            releases.trim(out / HISTORY, request.keep)
        if request.make is not None:
            return reporter.run(request.make)
        with press(request.options.jobs) as made:
            return reporter.run(made.make)


def _spoken(assessment: Assessment, request: Request) -> Assessment:
    """The assessment in the words of the pages, for the index; pages translate their own slices."""
    if request.language == ENGLISH:
        return assessment
    return assessment.speaking(request.language, instrument_folder(request.data))


def _pages(out: Path, record: PageRecord) -> Path:
    return out / ("overview" if record.page == PORTFOLIO else "units") / record.page


class _Reporter:
    """One run in a folder that it holds."""

    def __init__(self, assessment: Assessment, spoken: Assessment, request: Request, known: Known):
        self.assessment, self.spoken, self.request = assessment, spoken, request
        self.earlier = known.pages
        self.keeper = Keeper(request.out, spoken, known)
        self.owned = self.keeper.owned
        self.failed = request.out / "records" / "failed"
        self.questionnaire = instrument_files(instrument_folder(request.data) or shipped("data/instrument"))
        self.slices: dict[str, Slice] = {}
        self.saved = False
        self.notebooks = {name: _notebook(name).read_bytes() for name in ("portfolio_report", "unit_report")}

    def claim(self) -> None:
        """Write down which pages this run will write; a name that is taken fails its page, when that is made."""
        pages = [_page_at(self.request.out, unit_id) for unit_id in (ORGANISATION, *self.request.unit_ids)]
        printed = [page.with_suffix(".pdf") for page in pages] if self.request.pdf else []
        self.owned.claim(self.request.out / "overview" / "index.html")
        self.owned.claim(*pages, *printed, strict=False)

    def run(self, make: Maker) -> Run:
        """Make pages, print them, withdraw what is stale, and write index and manifest."""
        outcomes, stop = run(self._plan(), make, self._publish, self._told, self.request.options)
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
                outcomes = self._print(outcomes)
        except (AireadyError, KeyboardInterrupt, SystemExit) as error:
            stop = error
        self._conclude(withdrawn, stop)
        changes = {outcome.page: self.keeper.pages[outcome.page].change for outcome in outcomes if outcome.status == OK}
        return Run(outcomes, changes, withdrawn)

    def _conclude(self, withdrawn: list[str], stop: BaseException | None) -> None:
        """Write index and manifest, also of a run that was stopped, which then ends as it was told to."""
        from aiready.pages import index

        shown = {page: record.shown() for page, record in self.keeper.pages.items()}
        try:
            self.keeper.write()
            page = index.index_page(self.spoken, shown, withdrawn)
            self.owned.write(self.request.out / "overview" / "index.html", page)
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
            importlib.import_module("aiready.pages.index")

    def _save(self) -> None:
        """Write the results, once."""
        if not self.saved:
            self.saved = True
            save_results(self.assessment, self.request.out, self.owned)

    def _task(self, unit_id: str, cut: Slice, notebook: bytes, parameters: Mapping[str, str]) -> Task:
        options, name, page = self.request.options, _name(unit_id), _page_at(self.request.out, unit_id)
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
        if not page.is_file() or _digest(page.read_bytes()) != before.digest:
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
        self.keeper.ways |= {made.way} - {""}
        try:
            self._keep_evidence(task, made)
            return self._put(task, made, outcome) if made.status == OK else outcome
        except BlockedError as error:
            return replace(outcome, status=PUBLISH, reason=str(error)) if made.status == OK else outcome

    def _put(self, task: Task, made: Made, outcome: Outcome) -> Outcome:
        """Write a page that was made, with its figures."""
        before = self.earlier.get(task.page.name, PageRecord(task.unit_id, task.page.name))
        digest_now = _digest(made.page)
        self.owned.write(task.page, made.page)
        record = PageRecord(
            task.unit_id,
            task.page.name,
            why=task.why,
            change=NEW if not before.digest else AS_BEFORE if before.digest == digest_now else CHANGED,
            seconds=made.seconds,
            peak=made.peak,
            digest=digest_now,
            inputs=task.inputs,
            as_of=self.assessment.facts.records_up_to,
            too_small=self.slices.pop(task.page.name).too_small,
            pdf_of=before.pdf_of,
            figures_of=before.figures_of,
        )
        if record.pdf_of != digest_now and not self.request.pdf:
            self.owned.remove(task.page.with_suffix(".pdf"))
        self.keeper.note(record)
        self.keeper.note(replace(record, figures_of=self._publish_figures(task.page, made, before, digest_now)))
        return replace(outcome, digest=digest_now)

    def _publish_figures(self, page: Path, made: Made, before: PageRecord, digest_now: str) -> str:
        """Write the figures of a page; without new ones, those of another page than this go. Gives whose they are."""
        folder = self.request.out / "figures" / page.stem
        if not self.request.options.figures:
            if before.figures_of != digest_now:
                self.owned.remove_folder(folder)
            return before.figures_of if before.figures_of == digest_now else ""
        files = {folder / name: content for name, content in made.figures.items()}
        self.owned.claim(*files)
        for path, content in files.items():
            self.owned.write(path, content)
        self.owned.remove(*set(self.owned.inside(folder)) - set(files))
        return digest_now

    def _keep_evidence(self, task: Task, made: Made) -> None:
        """Keep traceback and notebook of what failed; what works again loses its old evidence."""
        text, book = (self.failed / f"{task.page.stem}{ending}" for ending in (".txt", ".ipynb"))
        if made.status == OK or not made.notebook:
            self.owned.remove(*((text, book) if made.status == OK else (book,)))
        if made.status == OK:
            return
        given = task.order.parameters if task.order else {}
        parameters = "".join(f"{name} = {value}\n" for name, value in given.items())
        private(self.failed)
        self.owned.write(text, f"{made.status}: {made.reason}\n\n{parameters}\n{made.traceback}\n".encode())
        if made.notebook:
            self.owned.write(book, made.notebook)

    def _print(self, outcomes: list[Outcome]) -> list[Outcome]:
        """Print pages whose PDF is of another page than the one published; one whose PDF has no place has failed."""
        records = [record for record in self.keeper.pages.values() if record.digest and record.pdf_of != record.digest]
        if not self.request.pdf or not records:
            return outcomes
        blocked: dict[str, str] = {}
        with printer() as print_page:
            for record in records:
                path = _pages(self.request.out, record)
                if not path.is_file():
                    continue
                try:
                    self.owned.write(path.with_suffix(".pdf"), print_page(path))
                    self.keeper.note(replace(record, pdf_of=record.digest))
                except BlockedError as error:
                    blocked[record.page] = str(error)
                    self.keeper.note(replace(record, status=PUBLISH, reason=str(error)))
        return [
            replace(outcome, status=PUBLISH, reason=blocked[outcome.page]) if outcome.page in blocked else outcome
            for outcome in outcomes
        ]

    def _withdraw(self) -> list[str]:
        """Take away what is of units that are gone, or became too small and were not made anew.

        Gives the names of pages that were there; files that are not ours stay.
        """
        out, small = self.request.out, self._became_small()
        for page in small:
            self.keeper.note(PageRecord(self.keeper.pages[page].unit_id, page, CANCELLED, TOO_FEW))
        wanted = {_name(unit_id) for unit_id in self.assessment.units["unit_id"]} - small
        stems, known = {Path(page).stem for page in wanted}, wanted | small | {PORTFOLIO}
        gone = [path for path in self.owned.inside(out / "units") if path.stem not in stems]
        withdrawn = [path.stem for path in self.owned.remove(*gone) if path.suffix == ".html"]
        for stem in {path.relative_to(out / "figures").parts[0] for path in self.owned.inside(out / "figures")}:
            if stem not in {*stems, Path(PORTFOLIO).stem}:
                self.owned.remove_folder(out / "figures" / stem)
        for page in set(self.keeper.pages) - known:
            del self.keeper.pages[page]
        held = {Path(page).stem for page in known}
        self.owned.remove(*(path for path in self.owned.inside(self.failed) if path.stem not in held))
        return sorted(withdrawn)

    def _became_small(self) -> set[str]:
        """Pages not made anew, of units that what people say is hidden of now and was not when they were made."""
        old = {page for page, record in self.keeper.pages.items() if record.change == EARLIER and record.digest}
        small = set()
        for unit_id in self.assessment.units["unit_id"]:
            name = _name(unit_id)
            if name in old and not self.keeper.pages[name].too_small and too_small(self.assessment, unit_id):
                small.add(name)
        return small


def _page_at(out: Path, unit_id: str) -> Path:
    return out / ("overview" if unit_id == ORGANISATION else "units") / _name(unit_id)


def _name(unit_id: str) -> str:
    return PORTFOLIO if unit_id == ORGANISATION else f"{slug(unit_id)}.html"


def _digest(page: bytes) -> str:
    return hashlib.sha256(page).hexdigest()[:12]


def _notebook(name: str) -> Path:
    return shipped("notebooks") / f"{name}.ipynb"
