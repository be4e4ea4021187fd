"""The command line: `check`, `score`, `report`, `import`, `new`, `questionnaire`, `sample`, `lab`."""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from aiready.cli import stopping
from aiready.cli.terminal import echo, echo_json
from aiready.errors import AireadyError, UsageError, unknown_name
from aiready.inputs.location import absolute_location, instrument_folder, with_map
from aiready.package_files import copy_sample
from aiready.profile.parameters import parse_day

DEBUG = "AIREADY_DEBUG"
FORMS = ("xlsx", "csv", "html", "qualtrics-txt", "limesurvey-tsv", "paste")
app = typer.Typer(
    help="Assess the last mile of AI transformation: data folder in, one handout per business unit out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class Engine(StrEnum):
    """How notebooks run."""

    aiready = "aiready"
    nbclient = "nbclient"


DataFolder = Annotated[
    str,
    typer.Argument(help="Data folder, one .xlsx workbook, or a database: duckdb:///file, postgres://, spark://."),
]
Names = Annotated[
    Path | None, typer.Option("--map", help="What tables and columns are called in the database (table,column,name).")
]
Out = Annotated[Path, typer.Option("--out", help="Folder to write to; made when absent.")]
AsOf = Annotated[
    str, typer.Option("--as-of", help="Date ages are counted to (YYYY-MM-DD); default: the newest record.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors and the last line.")]


@app.command()
def check(data: DataFolder, names: Names = None, as_of: AsOf = "", as_json: Json = False) -> None:
    """Validate a data folder: rows read, used, quarantined; answers by unit and role; who would be suppressed.

    Exit code 0: clean; 1: rows are quarantined; 2: the folder cannot be used.

    Example: aiready check data/sample
    """
    from aiready.profile import data_check

    result = data_check.check(with_map(data, names), _day(as_of))
    stopping.proceed()
    echo_json(result.as_json()) if as_json else echo(result.as_text())
    raise typer.Exit(1 if result.quarantined else 0)


@app.command()
def score(
    data: DataFolder, out: Out = Path("reports"), names: Names = None, as_of: AsOf = "", quiet: Quiet = False
) -> None:
    """Compute every measure, and write OUT/records/results only; what they show guards the next run, as a report's.

    Example: aiready score data/sample --out reports
    """
    from aiready.atomic_files import folder_lock
    from aiready.batch import manifest
    from aiready.batch.output_folder import HISTORY, RECORDS
    from aiready.batch.report_run import save_results
    from aiready.cli.progress import echo_counts
    from aiready.privacy import releases
    from aiready.profile.assessment import Assessment

    manifest.read(out, RECORDS)  # somebody else's folder is refused before anything is written
    assessment = Assessment.open(with_map(data, names), as_of=_day(as_of), published=out / HISTORY)
    stopping.proceed()
    with folder_lock(out):
        if assessment.release is not None:  # first, so that a run killed half-way counts as published
            releases.save(out / HISTORY, assessment.release, assessment.facts.as_of)
        records = save_results(assessment, out)
    if not quiet:
        echo_counts(assessment.counts.to_dict("records"))
    echo(f"{len(assessment.measures)} measures of {len(assessment.units)} units in {records / 'results'}")


@app.command()
def report(  # noqa: PLR0913 - the options of the command, one each
    data: DataFolder,
    out: Out = Path("reports"),
    names: Names = None,
    unit: Annotated[list[str] | None, typer.Option("--unit", help="Only this unit; may be repeated.")] = None,
    wave: Annotated[str, typer.Option(help="Wave to show; default: the newest.")] = "",
    lang: Annotated[str, typer.Option("--lang", help="Language of the pages: en, de or es.")] = "en",
    jobs: Annotated[int, typer.Option(help="Handouts made at once.", min=1)] = os.cpu_count() or 1,
    executor: Annotated[str, typer.Option(help="Make handouts on a cluster: dask:tcp://host:8786.")] = "",
    timeout: Annotated[float, typer.Option(help="Seconds a handout may take.", min=1)] = 600,
    memory: Annotated[float, typer.Option(help="GB a handout may hold; 0: its share of the machine.", min=0)] = 0,
    engine: Annotated[
        Engine, typer.Option(help="How notebooks run: aiready (in process) or nbclient (a kernel each).")
    ] = Engine.aiready,
    as_of: AsOf = "",
    children: Annotated[bool, typer.Option("--children", help="A parent's page shows its children, by name.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Make pages again that nothing has changed.")] = False,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first failure.")] = False,
    max_failures: Annotated[int, typer.Option(help="Stop after this many failures; 0: never.", min=0)] = 0,
    keep: Annotated[
        int, typer.Option(help="Releases kept in records/history; 0: all. Only what is kept guards the next.", min=0)
    ] = 0,
    pdf: Annotated[bool, typer.Option("--pdf", help="Also print every page; needs a Chromium.")] = False,
    figures: Annotated[bool, typer.Option("--figures", help="Also write every figure as files for slides.")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Write one handout per unit, the portfolio and the index; pages that nothing has changed are kept.

    Exit code 0: all done; 1: one or more units failed; 2: usage or input; 3: disk, lock, template or privacy;
    130 and 143: stopped by a signal, with whole pages, and taken up by the next run.

    Example: aiready report data/sample --out reports --unit claims
    """
    from aiready.batch.report import report as write_report
    from aiready.cli.progress import progress, run_as_json, summary

    with progress(quiet=quiet or as_json) as shown_progress:
        run = write_report(
            with_map(data, names),
            out,
            units=unit or (),
            wave=wave,
            language=lang,
            as_of=_day(as_of),
            jobs=jobs,
            executor=executor,
            timeout=timeout,
            memory=memory,
            engine=engine.value,
            children=children,
            force=force,
            fail_fast=fail_fast,
            max_failures=max_failures,
            keep=keep,
            pdf=pdf,
            figures=figures,
            on_start=shown_progress.start,
            on_page=shown_progress.update,
        )
    echo_json(run_as_json(run)) if as_json else echo(summary(run))
    if run.remark:
        echo(run.remark, err=True)
    raise typer.Exit(1 if run.failed else 0)


@app.command("import")
def import_(  # noqa: PLR0913 - the options of the command, one each
    file: Annotated[Path, typer.Argument(help="What the survey tool exported: CSV, TSV or .xlsx.")],
    to: Annotated[Path, typer.Option("--to", help="Data folder the answers go to; made when absent.")],
    wave: Annotated[str, typer.Option(help="Wave the answers belong to; default: quarter of the newest.")] = "",
    source: Annotated[
        str,
        typer.Option(help="auto, qualtrics, microsoft-forms, google-forms, surveymonkey or limesurvey."),
    ] = "auto",
    map_: Annotated[Path | None, typer.Option("--map", help="What columns, units and words mean; see below.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; write nothing.")] = False,
    key: Annotated[
        Path | None, typer.Option("--key", help="Key of the pseudonyms, outside the data folder; made when absent.")
    ] = None,
) -> None:
    """Add a survey tool's export to a data folder, as a part of its own.

    Names, mails and addresses are dropped; every row is used or quarantined. What the questionnaire does not name
    is written to a map file (FILE.map.csv) for you to fill in; run again with --map. The same file twice changes
    nothing. Exit code 0: every row is used; 1: some rows are set aside, or none is used; 2: something must be named
    or mended first; 3: disk.

    Example: aiready import survey.csv --to my-data
    """
    from aiready.collection.survey_import import ImportRequest, import_file
    from aiready.collection.survey_import.summary import summary_lines

    result = import_file(ImportRequest(file, to, wave, source, map_, key, dry_run))
    for line in summary_lines(result):
        echo(line)
    raise typer.Exit(result.exit_code)


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="Folder to make; must not hold tables yet.")],
    start: Annotated[bool, typer.Option("--start", help="Only the columns of the starter set.")] = False,
    xlsx: Annotated[bool, typer.Option("--xlsx", help="One workbook instead of CSV files.")] = False,
    table: Annotated[str, typer.Option("--table", help="With --xlsx: a form for this table alone, to mail out.")] = "",
    unit: Annotated[list[str] | None, typer.Option("--unit", help="A form for this unit; may be repeated.")] = None,
) -> None:
    """Make an empty data folder (every table with its headers, notes and an example), or forms to mail out.

    Example: aiready new my-data --start; aiready new forms --xlsx --table initiatives --unit claims --unit it
    """
    from aiready.collection import forms

    if (table and not xlsx) or (unit and not table):
        raise UsageError("Forms are workbooks of one table: aiready new DIR --xlsx --table initiatives --unit claims.")
    if table:
        for path in forms.new_forms(folder, table=table, units=unit or (), starter=start):
            echo(str(path))
        echo(f"Put what comes back into a folder {table}/ of your data; a later form bears its date in its name.")
        return
    for path in forms.new_folder(folder, starter=start, workbook=xlsx):
        echo(str(path))
    echo(f"Fill in what you have, leave out the rest, then: aiready check {folder}")


@app.command()
def questionnaire(
    data: Annotated[str, typer.Argument(help="Data folder with units and about, if there is one yet.")] = "",
    form: Annotated[str, typer.Option("--format", help=f"One of: {', '.join(FORMS)}.")] = "xlsx",
    lang: Annotated[str, typer.Option("--lang", help="Language; default: the one the items are written in.")] = "",
    out: Annotated[Path | None, typer.Option("--out", help="File to write; default: questionnaire-LANG.*")] = None,
) -> None:
    """Write the questionnaire for people, for a survey tool or for paper, with the units of DATA to choose from.

    Example: aiready questionnaire my-data --format limesurvey-tsv --lang de
    """
    from aiready.atomic_files import write_file
    from aiready.collection import questionnaire as forms
    from aiready.inputs.dataset import read_data
    from aiready.instrument.model import read_instrument

    if form not in forms.FORMATS:
        raise unknown_name("format", form, forms.FORMATS)
    rules = read_instrument(instrument_folder(data) if data else None)
    first = rules.in_language(lang).code
    dataset = read_data(data, rules) if data else None
    units = dataset.units.set_index("unit_id")[["name", "parent_id"]].fillna("").to_dict() if dataset else {}
    of_data = {"units": units.get("name", {}), "parents": units.get("parent_id", {})}
    codes = sorted(rules.languages, key=lambda code: code != first)
    about = dataset.about if dataset else {}
    translations = [forms.build_questionnaire(rules, code, **of_data, about=about) for code in codes]
    path = out or Path(f"questionnaire-{first}.{forms.FORMATS[form][0]}")
    write_file(path, forms.render(form, translations))
    echo(str(path))
    for note in forms.manual_steps(form, translations[0]):
        echo(note)


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(help="Folder to write the sample organisation to.")],
) -> None:
    """Write the synthetic sample organisation; the same bytes every time.

    Example: aiready sample my-sample
    """
    copy_sample(folder)
    echo(f"Synthetic sample organisation in {folder}. Next: aiready report {folder} --out reports")


@app.command()
def lab(
    data: Annotated[str, typer.Argument(help="Data folder or database to explore; default: the sample.")] = "",
    names: Names = None,
) -> NoReturn:
    """Open JupyterLab on the workbook, on this machine only, with its token.

    Example: aiready lab my-data
    """
    from aiready.package_files import package_file
    from aiready.profile.assessment import DATA, Assessment
    from aiready.workbook.lab import start

    location = absolute_location(data, names)
    echo("Reading the data, so that every notebook opens in a second.")
    Assessment.recall(location)
    stopping.proceed()
    start(package_file("notebooks"), {DATA: location} if data else {})


def _day(text: str) -> date | None:
    return parse_day(text, "--as-of")


def main(arguments: Iterable[str] | None = None) -> NoReturn:
    """Run the command line; every error this package raises is one to five lines and an exit code."""
    sys.path[:] = [folder for folder in sys.path if folder]  # the current folder may hold anybody's files
    code, words = 3, ""
    try:
        with stopping.listening(last=arguments is None):
            code, words = _run(arguments)
    except stopping.Stopped:
        pass
    if stopping.received():
        code, words = stopping.code(), stopping.line()
    with suppress(OSError):  # the terminal may be gone
        echo(words, err=True) if words else None
    sys.exit(code)


def _run(arguments: Iterable[str] | None) -> tuple[int, str]:
    """Run a command; returns its exit code and the error message, if any."""
    try:
        app(None if arguments is None else list(arguments))
    except AireadyError as error:
        return error.exit_code, str(error)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None), ""
    except Exception as error:
        if os.environ.get(DEBUG) and not stopping.received():
            raise
        message = f"Internal error, not your data's fault: {type(error).__name__}: {error}"
        return 3, f"{message}\nSet {DEBUG}=1 and run again to see where, and please report it."
    return 0, ""
