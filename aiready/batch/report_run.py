"""Write the reports of an assessment: results, handouts, portfolio, index, evidence of failures, manifest."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from aiready.atomic_files import (
    TOO_FEW,
    BlockedError,
    digest,
    file_stem,
    folder_lock,
    make_private_folder,
    remove_partial_files,
    sha256,
)
from aiready.batch import manifest
from aiready.batch.manifest import (
    PORTFOLIO,
    EarlierRuns,
    ManifestWriter,
    Repeatable,
    unchanged_records,
)
from aiready.batch.output_folder import HISTORY, INDEX, OUTPUT_PATTERNS, RECORDS, OwnFiles
from aiready.batch.page_inputs import PageInputs, PageInputsBuilder, instrument_files, too_small
from aiready.batch.page_job import (
    AS_BEFORE,
    CANCELLED,
    CHANGED,
    EARLIER,
    NEW,
    OK,
    PUBLISH,
    PageJob,
    PageRecord,
    PageResult,
)
from aiready.batch.rebuild import FORCED, NEW_PAGE, reason_to_rebuild
from aiready.batch.repeated_run import UNDATED_INDEX, output_digest
from aiready.batch.report import ReportRun
from aiready.batch.schedule import NOT_STARTED, RunOptions, SubmitPage, page_runner, run_pages
from aiready.errors import AireadyError, InfrastructureError
from aiready.inputs.location import instrument_folder
from aiready.inputs.safe_text import safe_cells
from aiready.messages import ENGLISH, Language
from aiready.model.registry import ORGANISATION
from aiready.package_files import fast_imports, library_digest, package_digest, package_file
from aiready.pages.pdf import pdf_printer
from aiready.pages.records_age import AGE_BLANK
from aiready.privacy import releases
from aiready.profile.assessment import FACTS, Assessment


def save_results(assessment: Assessment, out: Path, own_files: OwnFiles | None = None) -> Path:
    """Write results and quarantine to `out/records`, readable by their owner only, and return that folder.

    Files of an earlier run that this one does not write are removed.

    Parameters
    ----------
    own_files
        Which files in the folder are ours; by default those that its manifest lists.

    Raises
    ------
    UsageError
        The folder holds somebody else's files where results are written.
    """
    if own_files is None:
        earlier_runs = manifest.read(out, RECORDS)
        own_files = OwnFiles(out, earlier_runs.files, lambda names: manifest.write_file_list(out, names))
    records = make_private_folder(out / "records")
    results, quarantine = records / "results", records / "quarantine"
    names = {results / f"{name}{ending}" for name in assessment.tables for ending in (".csv", ".parquet")}
    names |= {results / FACTS, *(quarantine / f"{name}.csv" for name in assessment.quarantine)}
    own_files.claim(*names)
    assessment.save(results, own_files.write)
    for name, rows in assessment.quarantine.items():
        own_files.write(quarantine / f"{name}.csv", safe_cells(rows).to_csv(index=False).encode())
    own_files.remove(*{*own_files.inside(results), *own_files.inside(quarantine)} - names)
    return records


@dataclass(frozen=True)
class ReportRequest:
    """What a run shall make: the handouts of `units` in this order, and the portfolio.

    `data`: where the data were read from. `on_page`: called with each page as it is published or fails. `pdf`: also
    print every page. `submit`: takes a job and makes its page; by default on this machine. `keep_releases`: how many
    releases the history holds, 0 for all. `language` of the pages; results are the same in all languages.
    `input_digest`: gives the digest of all that the run depends on; where that is empty, no run is recognised as a
    repetition of this one.
    """

    data: str
    out: Path
    units: tuple[str, ...]
    options: RunOptions
    on_page: Callable[[PageRecord], None] = lambda _: None
    pdf: bool = False
    submit: SubmitPage | None = None
    keep_releases: int = 0
    language: Language = ENGLISH
    input_digest: Callable[[], str] = str


def run_report(assessment: Assessment, request: ReportRequest) -> ReportRun:
    """Make the handouts of some units, the portfolio, the index and the manifest.

    Whatever units are requested, handouts are withdrawn whose unit no longer exists, or became too small and whose
    page is not made again. A run that is stopped leaves complete pages, and an index and a manifest that say so.

    Raises
    ------
    InfrastructureError
        The folder is locked by another run, or cannot be written; or there is no browser to print with.
    InstrumentError, UsageError
        The instrument is not, or not completely, translated into the language.
    """
    out, translated = request.out, _translated(assessment, request)
    if request.pdf:
        with pdf_printer():  # fails without a browser, before anything is written
            pass
    manifest.read(out, OUTPUT_PATTERNS)  # somebody else's folder is refused before anything is written
    with folder_lock(out):
        earlier_runs = manifest.read(out, OUTPUT_PATTERNS)
        remove_partial_files(out)
        make_private_folder(out / "records")
        reporter = _Reporter(assessment, translated, request, earlier_runs)
        reporter.claim()  # the manifest names files before they are written
        if assessment.release is not None:  # first, so that a run killed half-way counts as published
            reporter.release = releases.save(out / HISTORY, assessment.release, assessment.facts.as_of)
            releases.trim(out / HISTORY, request.keep_releases)
        if request.submit is not None:
            return reporter.run(request.submit)
        with page_runner(request.options.jobs) as runner:
            return reporter.run(runner.submit)


def _translated(assessment: Assessment, request: ReportRequest) -> Assessment:
    """The assessment in the language of the pages, for the index; every page translates its own inputs."""
    if request.language == ENGLISH:
        return assessment
    return assessment.translated(request.language, instrument_folder(request.data))


def _facts(assessment: Assessment) -> dict[str, Any]:
    """What the manifest says of the data and the results."""
    return {
        "language": assessment.language.code,
        "facts": asdict(assessment.facts),
        "counts": assessment.counts.to_dict("records"),
        "inputs": assessment.inputs.to_dict("records"),
    }


def _record_path(out: Path, record: PageRecord) -> Path:
    return out / ("overview" if record.page == PORTFOLIO else "units") / record.page


class _Reporter:
    """One run, in an output folder that it has locked."""

    def __init__(
        self, assessment: Assessment, translated: Assessment, request: ReportRequest, earlier_runs: EarlierRuns
    ):
        self.assessment, self.translated, self.request = assessment, translated, request
        self.earlier = earlier_runs.pages
        self.manifest = ManifestWriter(request.out, _facts(translated), earlier_runs)
        self.own_files = self.manifest.own_files
        self.failed = request.out / "records" / "failed"
        self.questionnaire = instrument_files(instrument_folder(request.data) or package_file("data/instrument"))
        self.planned: dict[str, PageRecord] = {}
        self.saved, self.release = False, ""
        self.notebooks = {name: _notebook(name).read_bytes() for name in ("portfolio_report", "unit_report")}

    def claim(self) -> None:
        """List the pages that this run will write; where somebody else's file is in the way, that page fails later."""
        pages = [_page_path(self.request.out, unit_id) for unit_id in (ORGANISATION, *self.request.units)]
        printed = [page.with_suffix(".pdf") for page in pages] if self.request.pdf else []
        self.own_files.claim(self.request.out / INDEX)
        self.own_files.claim(*pages, *printed, strict=False)

    def run(self, submit: SubmitPage) -> ReportRun:
        """Make pages, print them, withdraw what is stale, and write index and manifest."""
        pages, stop = run_pages(self._plan(), submit, self._publish, self._add, self.request.options)
        try:
            self._save()
        except AireadyError as error:
            stop = stop or error
        started_units = {page.unit_id for page in pages}
        for unit_id in (ORGANISATION, *self.request.units):
            if unit_id not in started_units:
                pages.append(self._before(unit_id).failed(CANCELLED, NOT_STARTED))
                self._add(pages[-1])
        withdrawn = self._withdraw()
        try:
            if stop is None:
                pages = self._print(pages)
        except (AireadyError, KeyboardInterrupt, SystemExit) as error:
            stop = error
        self._conclude(withdrawn, stop)
        if all(page.status == OK for page in pages):
            self._prepare_repetition([_page_name(unit_id) for unit_id in (ORGANISATION, *self.request.units)])
        return ReportRun(self.request.out, pages, withdrawn)

    def _before(self, unit_id: str) -> PageRecord:
        """The record of a page as the run before left it."""
        name = _page_name(unit_id)
        return self.earlier.get(name, PageRecord(unit_id, name))

    def _conclude(self, withdrawn: list[str], stop: BaseException | None) -> None:
        """Write index and manifest, then raise what stopped the run, if anything did."""
        try:
            self.manifest.write()
            self.own_files.write(self.request.out / INDEX, self._index(self.manifest.pages, withdrawn))
        except AireadyError as error:
            stop = stop or error
        if stop is not None:
            raise stop

    def _index(self, pages: Mapping[str, PageRecord], withdrawn: list[str], age: str = "") -> bytes:
        from aiready.pages import index

        statuses = {page: record.as_dict() for page, record in pages.items()}
        return index.index_page(self.translated, statuses, withdrawn, age)

    def _prepare_repetition(self, pages: list[str]) -> None:
        """After a run that ended well, have the next one recognised if it repeats this one."""
        out, inputs = self.request.out, self.request.input_digest()
        if not inputs:
            return
        index = self._index(unchanged_records(self.manifest.pages, pages), [], AGE_BLANK)
        if index.count(AGE_BLANK.encode()) != 1:  # somebody has called an organisation so
            return
        with suppress(InfrastructureError):  # all that was requested is there
            self.own_files.write(out / UNDATED_INDEX, index)
            outputs = output_digest(out, self.own_files.names)
            records_up_to = self.assessment.facts.records_up_to
            self.manifest.repeatable = Repeatable(inputs, outputs, self.release, records_up_to, pages)
            self.manifest.write()

    def _plan(self) -> Iterator[tuple[PageRecord, PageJob | None]]:
        """Every page's record, and a job where it must be made; write the results once all runners are busy."""
        builder = PageInputsBuilder(self.assessment, self.questionnaire, children=self.request.options.children)
        for position, unit_id in enumerate((ORGANISATION, *self.request.units)):
            if position > self.request.options.jobs:
                self._save()
            inputs = builder.page_inputs(unit_id)
            notebook = self.notebooks["portfolio_report" if unit_id == ORGANISATION else "unit_report"]
            parameters = {"wave": self.assessment.facts.wave}
            if unit_id != ORGANISATION:
                parameters["unit_id"] = unit_id
            yield self._before(unit_id), self._job(unit_id, inputs, notebook, parameters)
        with fast_imports():  # for the index, while the last pages are made
            importlib.import_module("aiready.pages.index")

    def _save(self) -> None:
        """Write the results, once."""
        if not self.saved:
            self.saved = True
            save_results(self.assessment, self.request.out, self.own_files)

    def _job(self, unit_id: str, inputs: PageInputs, notebook: bytes, parameters: Mapping[str, str]) -> PageJob | None:
        """The job that makes a page; None where it is up to date."""
        options, before = self.request.options, self._before(unit_id)
        digests = dict(inputs.parts) | {
            "notebook": digest(notebook),
            "parameters": digest(*(f"{key}={value}" for key, value in sorted(parameters.items()))),
            "language": self.request.language.code,
            "questionnaire": digest(*self.questionnaire, *self.questionnaire.values()),
            "package": package_digest(),
            "libraries": library_digest(),
        }
        reason = self._reason(before, digests)
        if not reason:
            return None
        self.planned[before.page] = replace(
            before,
            status=OK,
            reason="",
            why=reason,
            inputs=digests,
            as_of=self.assessment.facts.records_up_to,
            too_small=inputs.too_small,
        )
        if self.request.language != ENGLISH:
            parameters = {**parameters, "lang": self.request.language.code}
        return PageJob(
            unit_id,
            notebook,
            parameters,
            inputs.files,
            engine=options.engine,
            timeout=options.timeout,
            memory=options.bytes,
            figures=options.figures,
        )

    def _reason(self, before: PageRecord, inputs: Mapping[str, str]) -> str:
        """Why a page must be made; empty where the existing one is up to date."""
        page = _record_path(self.request.out, before)
        if not before.digest:
            return NEW_PAGE
        if self.request.options.force:
            return FORCED
        if before.status not in (OK, CANCELLED):
            return "failed before"
        if changed := reason_to_rebuild(inputs, before.inputs):
            return changed
        if not page.is_file() or _digest(page.read_bytes()) != before.digest:
            return "the page was not as it was published"
        return "figures asked for" if self.request.options.figures and before.figures_of != before.digest else ""

    def _add(self, page: PageRecord) -> None:
        """Add the record of a page to the manifest, and report it."""
        self.manifest.update(page)
        self.request.on_page(page)

    def _publish(self, before: PageRecord, job: PageJob, result: PageResult) -> PageRecord:
        """Write a page and its figures, or the evidence of its failure; returns its record."""
        planned = self.planned.pop(before.page)
        self.manifest.start_methods |= {result.start_method} - {""}
        failed = before.failed(result.status, result.reason, why=planned.why, seconds=result.seconds)
        try:
            self._keep_evidence(before, job, result)
            return self._publish_page(planned, result) if result.status == OK else failed
        except BlockedError as error:
            return replace(failed, status=PUBLISH, reason=str(error)) if result.status == OK else failed

    def _publish_page(self, planned: PageRecord, result: PageResult) -> PageRecord:
        """Write a page and its figures; returns its record."""
        page, before, digest_now = _record_path(self.request.out, planned), planned.digest, _digest(result.page)
        self.own_files.write(page, result.page)
        record = replace(
            planned,
            change=NEW if not before else AS_BEFORE if before == digest_now else CHANGED,
            seconds=result.seconds,
            peak=result.peak,
            digest=digest_now,
        )
        if record.pdf_of != digest_now and not self.request.pdf:
            self.own_files.remove(page.with_suffix(".pdf"))
        self.manifest.update(record)
        return replace(record, figures_of=self._publish_figures(page, result, record))

    def _publish_figures(self, page: Path, result: PageResult, record: PageRecord) -> str:
        """Write the figures of a page or remove outdated ones; returns the digest of the page that figures are of."""
        folder = self.request.out / "figures" / page.stem
        if not self.request.options.figures:
            if record.figures_of == record.digest:
                return record.digest
            self.own_files.remove_folder(folder)
            return ""
        files = {folder / name: content for name, content in result.figures.items()}
        self.own_files.claim(*files)
        for path, content in files.items():
            self.own_files.write(path, content)
        self.own_files.remove(*set(self.own_files.inside(folder)) - set(files))
        return record.digest

    def _keep_evidence(self, page: PageRecord, job: PageJob, result: PageResult) -> None:
        """Write traceback and notebook of a page that failed; remove those of a page that works again."""
        text, notebook = (self.failed / Path(page.page).with_suffix(ending) for ending in (".txt", ".ipynb"))
        if result.status == OK or not result.notebook:
            self.own_files.remove(*((text, notebook) if result.status == OK else (notebook,)))
        if result.status == OK:
            return
        parameters = "".join(f"{name} = {value}\n" for name, value in job.parameters.items())
        make_private_folder(self.failed)
        self.own_files.write(text, f"{result.status}: {result.reason}\n\n{parameters}\n{result.traceback}\n".encode())
        if result.notebook:
            self.own_files.write(notebook, result.notebook)

    def _print(self, pages: list[PageRecord]) -> list[PageRecord]:
        """Print the pages whose PDF is missing or outdated; a page whose PDF cannot be written has failed."""
        records = [
            record for record in self.manifest.pages.values() if record.digest and record.pdf_of != record.digest
        ]
        if not self.request.pdf or not records:
            return pages
        blocked: dict[str, str] = {}
        with pdf_printer() as print_page:
            for record in records:
                path = _record_path(self.request.out, record)
                if not path.is_file():
                    continue
                try:
                    self.own_files.write(path.with_suffix(".pdf"), print_page(path))
                    self.manifest.update(replace(record, pdf_of=record.digest))
                except BlockedError as error:
                    blocked[record.page] = str(error)
                    self.manifest.update(replace(record, status=PUBLISH, reason=str(error)))
        return [
            replace(page, status=PUBLISH, reason=blocked[page.page]) if page.page in blocked else page for page in pages
        ]

    def _withdraw(self) -> list[str]:
        """Remove the files of units that no longer exist, or became too small and were not made again.

        Returns the names of the handouts removed. Files that are not ours stay.
        """
        out, too_small_pages = self.request.out, self._pages_too_small_now()
        for page in too_small_pages:
            self.manifest.update(PageRecord(self.manifest.pages[page].unit_id, page, CANCELLED, TOO_FEW))
        expected = {_page_name(unit_id) for unit_id in self.assessment.units["unit_id"]} - too_small_pages
        stems, current_pages = {Path(page).stem for page in expected}, expected | too_small_pages | {PORTFOLIO}
        stale = [path for path in self.own_files.inside(out / "units") if path.stem not in stems]
        withdrawn = [path.stem for path in self.own_files.remove(*stale) if path.suffix == ".html"]
        for stem in {path.relative_to(out / "figures").parts[0] for path in self.own_files.inside(out / "figures")}:
            if stem not in {*stems, Path(PORTFOLIO).stem}:
                self.own_files.remove_folder(out / "figures" / stem)
        for page in set(self.manifest.pages) - current_pages:
            del self.manifest.pages[page]
        evidence_stems = {Path(page).stem for page in current_pages}
        self.own_files.remove(*(path for path in self.own_files.inside(self.failed) if path.stem not in evidence_stems))
        return sorted(withdrawn)

    def _pages_too_small_now(self) -> set[str]:
        """Pages not made in this run whose unit's answers must be hidden now, and did not have to be on the page."""
        old = {page for page, record in self.manifest.pages.items() if record.change == EARLIER and record.digest}
        too_small_pages = set()
        for unit_id in self.assessment.units["unit_id"]:
            name = _page_name(unit_id)
            if name in old and not self.manifest.pages[name].too_small and too_small(self.assessment, unit_id):
                too_small_pages.add(name)
        return too_small_pages


def _page_path(out: Path, unit_id: str) -> Path:
    return out / ("overview" if unit_id == ORGANISATION else "units") / _page_name(unit_id)


def _page_name(unit_id: str) -> str:
    return PORTFOLIO if unit_id == ORGANISATION else f"{file_stem(unit_id)}.html"


def _digest(page: bytes) -> str:
    return sha256(page)[:12]


def _notebook(name: str) -> Path:
    return package_file("notebooks") / f"{name}.ipynb"
