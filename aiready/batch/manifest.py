"""Read and write the manifest: what every page was made from and what became of it, and the run as a whole."""

import json
import platform
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiready.atomic_files import write_file
from aiready.batch.output_folder import OwnFiles, refuse_foreign_files
from aiready.batch.page_job import EARLIER, PageRecord
from aiready.errors import InfrastructureError
from aiready.package_files import version_of

FILE = Path("records/manifest.json")
PORTFOLIO = "portfolio.html"
FACTS = ("language", "facts", "counts", "inputs")
"""What the manifest says of the data and the results: language, facts, rows read by table, digests of the files."""
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


def unchanged_records(records: Mapping[str, PageRecord], pages: Sequence[str]) -> dict[str, PageRecord]:
    """The records after a run that has nothing to change on these pages, and does not look at the others."""
    return {
        page: record.as_unchanged() if page in pages else replace(record, change=EARLIER)
        for page, record in records.items()
    }


@dataclass(frozen=True)
class Repeatable:
    """How a run that repeats one that ended well is recognised, and what it then has to know (`repeated_run`).

    `inputs`, `outputs`: digests of what the run depended on and of what it left. `release`: name of its release in the
    history, empty without one. `records_up_to`: day of the newest record, blank without one. `pages` in their order.
    """

    inputs: str
    outputs: str
    release: str
    records_up_to: str
    pages: Sequence[str]


@dataclass(frozen=True)
class EarlierRuns:
    """The manifest of earlier runs: their pages by file name, and the files that are ours (paths below the folder).

    `facts` of the latest run, as its `ManifestWriter` got them. `repeatable`: None where it did not end well.
    """

    pages: Mapping[str, PageRecord] = field(default_factory=dict)
    files: frozenset[str] = frozenset()
    facts: Mapping[str, Any] = field(default_factory=dict)
    repeatable: Repeatable | None = None


def read(out: Path, patterns: Iterable[str]) -> EarlierRuns:
    """Read the manifest of a folder; empty where there is none.

    Parameters
    ----------
    patterns
        Where this run would write: in a folder without manifest, files there are somebody else's.

    Raises
    ------
    UsageError
        There is no manifest, but there are files at these patterns.
    InfrastructureError
        The manifest cannot be read, so nobody can tell which files are ours.
    """
    content = _read(out)
    if content is None:
        refuse_foreign_files(out, patterns)
        return EarlierRuns()
    names = {record_field.name for record_field in fields(PageRecord)}
    try:
        pages = {page: PageRecord(**{name: entry[name] for name in names & set(entry)})
                 for page, entry in content["pages"].items()}  # fmt: skip
        files = content["files"] if "files" in content else _files_of_old_manifest(out, pages.values())
        facts = {name: content[name] for name in FACTS if name in content}
        repeatable = Repeatable(**content["repeatable"]) if "repeatable" in content else None
        return EarlierRuns(pages, frozenset(map(str, files)), facts, repeatable)
    except (KeyError, TypeError, AttributeError) as error:
        raise _broken(out, f"{type(error).__name__}: {error}") from error


def _read(out: Path) -> dict[str, Any] | None:
    """The manifest's content; None where there is none."""
    path = out / FILE
    if not path.is_symlink() and not path.exists():
        return None
    if not path.is_file():
        raise _broken(out, "it is no file")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _broken(out, str(error)) from error
    if not isinstance(content, dict):
        raise _broken(out, "it holds no pages")
    return content


def _broken(out: Path, why: str) -> InfrastructureError:
    return InfrastructureError(
        f"{out / FILE}: cannot be read as a manifest of aiready ({why}). It says which files here are ours. Restore it "
        f"from a copy, or choose another folder with --out and copy {out / 'records' / 'history'} there."
    )


def _files_of_old_manifest(out: Path, records: Iterable[PageRecord]) -> Iterator[str]:
    """Our files where an old manifest lists pages only: those of its pages, and all results."""
    yield "overview/index.html"
    for record in records:
        folder, stem = "overview" if record.page == PORTFOLIO else "units", Path(record.page).stem
        yield from (f"{folder}/{stem}.html", f"{folder}/{stem}.pdf")
        yield from (path.relative_to(out).as_posix() for path in (out / "figures" / stem).glob("*"))
    for name in ("results", "quarantine", "failed"):
        yield from (path.relative_to(out).as_posix() for path in (out / "records" / name).glob("*"))


def write_file_list(out: Path, files: set[str]) -> None:
    """Write the list of our files to the manifest, and leave the rest of it as it is."""
    content = _read(out) or {"pages": {}}
    write_file(out / FILE, _as_json(content | {"files": sorted(files)}))


def _as_json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=1, ensure_ascii=False).encode("utf-8", "surrogatepass")


class ManifestWriter:
    """Hold the records of a run, and write them every few seconds, so that a killed run can be resumed.

    `facts`: one entry for each of `FACTS`. `repeatable` is set once a run has ended well.
    """

    INTERVAL = 2.0
    """Seconds between two writes."""

    def __init__(self, out: Path, facts: Mapping[str, Any], earlier: EarlierRuns):
        self.out, self.facts = out, facts
        self.repeatable: Repeatable | None = None
        self.pages = {page: replace(record, change=EARLIER) for page, record in earlier.pages.items()}
        self.own_files = OwnFiles(out, earlier.files, lambda _: self.write())
        self.start_methods: set[str] = set()
        self._started, self._written = time.time(), time.monotonic()

    def update(self, record: PageRecord) -> None:
        """Replace the record of a page."""
        self.pages[record.page] = record
        if time.monotonic() - self._written > self.INTERVAL:
            self.write()

    def write(self) -> None:
        """Write the manifest."""
        write_file(self.out / FILE, self._content())
        self._written = time.monotonic()

    def _content(self) -> bytes:
        content = {
            "started": datetime.fromtimestamp(self._started, UTC).isoformat(timespec="seconds"),
            "seconds": round(time.time() - self._started, 1),
            "notebooks": sorted(self.start_methods),
            "versions": {name: version_of(name) for name in PACKAGES} | {"python": platform.python_version()},
            **self.facts,
            "pages": {page: record.as_dict() for page, record in self.pages.items()},
            "files": sorted(self.own_files.names),
        }
        if self.repeatable is not None:
            content["repeatable"] = asdict(self.repeatable)
        return _as_json(content)
