"""Make the folder of reports from a data folder: what `aiready report` and `aiready.report` do."""

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from aiready.batch.notebook_run import fast_imports
from aiready.batch.schedule import PageOutcome, RunOptions, SubmitPage, page_runner
from aiready.errors import UsageError, raise_all
from aiready.profile.parameters import parse_day

if TYPE_CHECKING:
    from aiready.batch.report_run import ReportRun
    from aiready.profile.assessment import Assessment


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
    on_start: "Callable[[Assessment, int], None] | None" = None,
    on_page: Callable[[PageOutcome], None] | None = None,
) -> "ReportRun":
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
        Called once the data are read, with the assessment and the number of pages to come.
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
    reading_date = parse_day(as_of)

    def run(submit: SubmitPage, options: RunOptions) -> "ReportRun":
        with fast_imports():
            from aiready.batch.report_run import HISTORY, ReportRequest, run_report
            from aiready.messages import Language
            from aiready.profile.assessment import Assessment

        translation = Language.of(language)
        assessment = Assessment.open(data, as_of=reading_date, wave=wave, published=Path(out) / HISTORY)
        unit_ids = (units,) if isinstance(units, str) else tuple(units)
        unit_ids = tuple(dict.fromkeys(unit_ids or assessment.units["unit_id"]))
        assessment.check_unit_ids(unit_ids)
        if on_start is not None:
            on_start(assessment, len(unit_ids) + 1)
        request = ReportRequest(
            str(data),
            Path(out),
            unit_ids,
            options,
            on_page or (lambda _: None),
            pdf=pdf,
            submit=submit,
            keep_releases=keep,
            language=translation,
        )
        return run_report(assessment, request)

    if executor:
        from aiready.batch.dask_runner import cluster

        with cluster(executor) as (submit, threads):
            return run(submit, replace(options, jobs=threads))
    with page_runner(options.jobs, warm=True) as runner:  # it warms up while the data are read
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
