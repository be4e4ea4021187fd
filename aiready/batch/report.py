"""Make the folder of reports from a data folder: what `aiready report` and `aiready.report` do."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Literal

from aiready.batch.output_folder import HISTORY, INDEX
from aiready.batch.page_job import OK, PageRecord
from aiready.batch.repeated_run import OnStart, input_digest, repeat
from aiready.batch.schedule import RunOptions, SubmitPage, page_runner
from aiready.errors import UsageError, raise_all
from aiready.package_files import fast_imports
from aiready.profile.parameters import parse_day


@dataclass(frozen=True)
class ReportRun:
    """What became of a run.

    `pages`: the outcome of every page. `withdrawn`: names of pages that were removed. `remark`: a sentence on how the
    run was carried out, where that is not as requested.
    """

    out: Path
    pages: list[PageRecord]
    withdrawn: list[str] = field(default_factory=list)
    remark: str = ""

    @property
    def failed(self) -> list[PageRecord]:
        """Pages that could not be made, for whatever cause."""
        return [page for page in self.pages if page.status != OK]

    @property
    def index(self) -> Path:
        """The page that links all others."""
        return self.out / INDEX

    def count(self, change: str) -> int:
        """Number of pages with this change (new, changed, as before, unchanged)."""
        return sum(page.change == change for page in self.pages)


def report(  # noqa: PLR0913 - the options of the command, one each
    data: str | Path,
    out: str | Path = "reports",
    *,
    units: str | Iterable[str] = (),
    wave: str = "",
    language: str = "en",
    as_of: date | str | None = None,
    jobs: int | None = None,
    executor: str = "",
    timeout: float = 600,
    memory: float = 0,
    engine: Literal["aiready", "nbclient"] = "aiready",
    children: bool = False,
    force: bool = False,
    fail_fast: bool = False,
    max_failures: int = 0,
    keep: int = 0,
    pdf: bool = False,
    figures: bool = False,
    on_start: OnStart | None = None,
    on_page: Callable[[PageRecord], None] | None = None,
) -> ReportRun:
    """Write one handout per unit, the portfolio and the index; pages that nothing has changed are kept.

    Parameters
    ----------
    data
        Data folder, workbook or database address.
    out
        Folder to write to; made when absent.
    units
        Ids of the units to report on; default: all.
    wave
        Wave to show; default: the newest.
    language
        Language of the pages: `en`, `de` or `es`.
    as_of
        Date ages are counted to; default: the newest record.
    jobs
        Handouts made at once; default: one per processor.
    executor
        Cluster to make handouts on: `dask:tcp://host:8786`.
    timeout
        Seconds a handout may take.
    memory
        Gigabytes a handout may hold; 0: its share of the machine.
    engine
        How notebooks run: `aiready` (in process) or `nbclient` (a kernel each).
    children
        Whether a parent's page shows its children, by name.
    force
        Whether to make pages again that nothing has changed.
    fail_fast, max_failures
        Stop at the first failure, or after so many (0: never).
    keep
        Releases kept in `records/history`; 0: all.
    pdf, figures
        Whether to also print every page, and to write every figure as files for slides.
    on_start
        Called before the first page, with the rows read of each table (table, read, used, quarantined, after_as_of) and
        the number of pages.
    on_page
        Called with each page as it is published or fails.

    Raises
    ------
    UsageError, InputError
        The data or a parameter must be repaired; nothing was written.
    InfrastructureError
        Disk, lock, browser or cluster; pages that were published stay.
    PrivacyError
        Publishing would let somebody work out a hidden number.

    Notes
    -----
    A unit whose page fails raises nothing: it is in `failed` of the result, with its cause.
    """
    options = RunOptions(
        jobs=os.cpu_count() or 1 if jobs is None else jobs,
        engine=None if engine == "nbclient" else engine,
        timeout=timeout,
        memory=memory,
        fail_fast=fail_fast,
        max_failures=max_failures,
        figures=figures,
        force=force,
        children=children,
    )
    _check_numbers(options, keep)
    reading_date, out = parse_day(as_of), Path(out)
    unit_ids = (units,) if isinstance(units, str) else tuple(units)
    on_start, on_page = on_start or (lambda *_: None), on_page or (lambda _: None)
    inputs_now = partial(input_digest, data, units=unit_ids, wave=wave, language=language, as_of=reading_date,
                         children=children, keep=keep, pdf=pdf, figures=figures)  # fmt: skip
    inputs = inputs_now()
    if not force and not executor and (outcomes := repeat(out, inputs, on_start, on_page)) is not None:
        return ReportRun(out, outcomes)

    def run(submit: SubmitPage, options: RunOptions) -> ReportRun:
        with fast_imports():
            from aiready.batch.report_run import ReportRequest, run_report
            from aiready.messages import Language
            from aiready.profile.assessment import Assessment

        translation = Language.of(language)
        assessment = Assessment.open(data, as_of=reading_date, wave=wave, published=out / HISTORY)
        requested = tuple(dict.fromkeys(unit_ids or assessment.units["unit_id"]))
        assessment.check_unit_ids(requested)
        on_start(assessment.counts.to_dict("records"), len(requested) + 1)
        request = ReportRequest(
            str(data),
            out,
            requested,
            options,
            on_page,
            pdf=pdf,
            submit=submit,
            keep_releases=keep,
            language=translation,
            input_digest=lambda: inputs if inputs_now() == inputs else "",
        )
        return run_report(assessment, request)

    if executor:
        from aiready.batch.dask_runner import cluster

        with cluster(executor) as (submit, threads):
            return run(submit, replace(options, jobs=threads))
    with page_runner(options.jobs) as runner:  # it warms up while the data are read
        return replace(run(runner.submit, options), remark=runner.remark)


def _check_numbers(options: RunOptions, keep: int) -> None:
    """Refuse numbers that the command line would refuse."""
    least = {
        "jobs": (options.jobs, 1),
        "timeout": (options.timeout, 1),
        "memory": (options.memory, 0),
        "max_failures": (options.max_failures, 0),
        "keep": (keep, 0),
    }
    problems = [f"{name} {value:g}: must be {minimum} or more." for name, (value, minimum) in least.items()
                if value < minimum]  # fmt: skip
    if options.engine not in ("aiready", None):
        problems.append(f'engine "{options.engine}": must be aiready or nbclient.')
    raise_all(UsageError, problems)
