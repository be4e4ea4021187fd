"""Recognise a run that repeats the one before by digests alone, and end it without reading the data.

A run that ends well leaves in the manifest the digest of everything that it depends on and the digest of everything
that it left; and beside the results the index as a repetition would write it, but for the age of the records.
"""

import html
import os
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from aiready.atomic_files import (
    digest,
    file_digest,
    folder_digest,
    folder_lock,
    make_private_folder,
    remove_partial_files,
)
from aiready.batch import manifest
from aiready.batch.manifest import EarlierRuns, ManifestWriter, Repeatable, unchanged_records
from aiready.batch.output_folder import HISTORY, INDEX, OUTPUT_PATTERNS
from aiready.batch.page_job import PageRecord
from aiready.messages import Language
from aiready.package_files import dependency_digest, package_digest, package_file
from aiready.pages.records_age import AGE_BLANK, records_age

UNDATED_INDEX = Path("records/index.html")
"""The index of a repetition, with a blank for the age of the records."""
READ_FILES = ("data/instrument", "notebooks/portfolio_report.ipynb", "notebooks/unit_report.ipynb")
"""Files of the package, besides its source, that a run reads."""
OnStart = Callable[[Sequence[Mapping[str, Any]], int], None]
"""Takes the rows read by table and the number of pages."""


def input_digest(data: str | Path, **options: object) -> str:
    """Digest of all that a run depends on: data, options, instrument, notebooks, package, libraries.

    Empty where that cannot be digested: a database, a link, a file that cannot be read.
    """
    if not str(data) or not Path(data).exists():
        return ""
    try:
        files = [folder_digest(path) for path in (Path(data), *map(package_file, READ_FILES))]
    except OSError:
        return ""
    texts = [f"{name}={option!r}" for name, option in sorted(options.items())]
    versions = (package_digest(), dependency_digest(), platform.python_version())
    return digest(Path(data).name, *files, *versions, *texts)


def output_digest(out: Path, files: Iterable[str]) -> str:
    """Digest of what a run left: our files, but for the index, and the history; empty where that cannot be read."""
    names = sorted({*files} - {INDEX.as_posix()})
    try:
        contents = [file_digest(out / name) if (out / name).is_file() else "" for name in names]
        return digest(*names, *contents, folder_digest(out / HISTORY))
    except OSError:
        return ""


def repeat(out: Path, inputs: str, on_start: OnStart, on_page: Callable[[PageRecord], None]) -> list[PageRecord] | None:
    """Bring index and manifest up to date if this run repeats the latest one, else do nothing and return None.

    Parameters
    ----------
    inputs
        What this run depends on, as `input_digest` gives it.

    Raises
    ------
    InfrastructureError
        The folder is locked by another run, or cannot be written.
    """
    if not inputs or not (out / manifest.FILE).is_file():
        return None
    if not _is_repeated(manifest.read(out, OUTPUT_PATTERNS), inputs):
        return None
    with folder_lock(out):
        earlier_runs = manifest.read(out, OUTPUT_PATTERNS)
        before = earlier_runs.repeatable
        if before is None or before.inputs != inputs or before.outputs != output_digest(out, earlier_runs.files):
            return None
        remove_partial_files(out)
        make_private_folder(out / "records")
        if before.release:  # published again, as the newest one
            os.utime(out / HISTORY / before.release)
        return _conclude(out, earlier_runs, before, on_start, on_page)


def _is_repeated(earlier_runs: EarlierRuns, inputs: str) -> bool:
    return earlier_runs.repeatable is not None and earlier_runs.repeatable.inputs == inputs


def _conclude(
    out: Path,
    earlier_runs: EarlierRuns,
    before: Repeatable,
    on_start: OnStart,
    on_page: Callable[[PageRecord], None],
) -> list[PageRecord]:
    """Report every page as unchanged, and write index and manifest."""
    writer = ManifestWriter(out, earlier_runs.facts, earlier_runs)
    writer.pages, writer.repeatable = unchanged_records(earlier_runs.pages, before.pages), before
    on_start(writer.facts["counts"], len(before.pages))
    records = [writer.pages[page] for page in before.pages]
    for record in records:
        on_page(record)
    age = html.escape(records_age(before.records_up_to, Language(writer.facts["language"])))
    index = (out / UNDATED_INDEX).read_text(encoding="utf-8").replace(AGE_BLANK, age)
    writer.own_files.write(out / INDEX, index.encode())
    writer.write()
    return records
