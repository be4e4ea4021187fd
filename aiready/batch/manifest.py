"""What is known of every page, run after run: what it was made from, what became of it, and of the run as a whole."""

import json
import platform
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from aiready.atomic_files import write
from aiready.batch.output_folder import Owned, refuse_strangers
from aiready.batch.page_job import OK
from aiready.errors import InfrastructureError
from aiready.profile.assessment import Assessment

FILE = Path("records/manifest.json")
PORTFOLIO = "portfolio.html"
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
NEW, CHANGED, AS_BEFORE, KEPT, EARLIER = "new", "changed", "as before", "unchanged", "earlier"
"""What a page is beside the run before: `as before`, made again with the same bytes; `unchanged`, not made again since
nothing it depends on had changed; `earlier`, not made in this run, though it may have changed."""


@dataclass(frozen=True)
class PageRecord:
    """One page: the status of its latest run, and of the page that is published when and from what it was made.

    `status`, `reason`, `why`, `seconds` and `peak` (bytes) tell of the latest run that tried; `digest` (of the page;
    empty: there is none), `inputs` (digest by part), `as_of`, `too_small`, and the digests of the page that `pdf_of`
    and `figures_of` belong to tell of what is published.
    """

    unit_id: str
    page: str
    status: str = OK
    reason: str = ""
    why: str = ""
    change: str = EARLIER
    seconds: float = 0.0
    peak: int = 0
    digest: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    as_of: str = ""
    too_small: bool = False
    pdf_of: str = ""
    figures_of: str = ""

    def shown(self) -> dict[str, Any]:
        """As the index and the manifest read it."""
        return asdict(self) | {"pdf": bool(self.digest) and self.pdf_of == self.digest}


@dataclass(frozen=True)
class Known:
    """What earlier runs wrote down: every page they knew, and every file that is ours (paths below the folder)."""

    pages: Mapping[str, PageRecord] = field(default_factory=dict)
    files: frozenset[str] = frozenset()


def read(out: Path, places: Iterable[str]) -> Known:
    """What earlier runs wrote down in a folder.

    Parameters
    ----------
    places
        Where this run would write: what lies there, in a folder that has no manifest, is somebody else's.

    Raises
    ------
    UsageError
        There is no manifest, and something is in these places.
    InfrastructureError
        The manifest cannot be read: nobody can tell which files are ours.
    """
    content = _read(out)
    if content is None:
        refuse_strangers(out, places)
        return Known()
    names = {known.name for known in fields(PageRecord)}
    try:
        pages = {page: PageRecord(**{name: told[name] for name in names & set(told)})
                 for page, told in content["pages"].items()}  # fmt: skip
        files = content["files"] if "files" in content else _published(out, pages.values())
        return Known(pages, frozenset(map(str, files)))
    except (KeyError, TypeError, AttributeError) as error:
        raise _broken(out, f"{type(error).__name__}: {error}") from error


def _read(out: Path) -> dict[str, Any] | None:
    """The manifest as it stands; None where there is none."""
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


def _published(out: Path, records: Iterable[PageRecord]) -> Iterator[str]:
    """Files that a manifest of an earlier version means, which named pages only: theirs, and all results."""
    yield "overview/index.html"
    for record in records:
        folder, stem = "overview" if record.page == PORTFOLIO else "units", Path(record.page).stem
        yield from (f"{folder}/{stem}.html", f"{folder}/{stem}.pdf")
        yield from (path.relative_to(out).as_posix() for path in (out / "figures" / stem).glob("*"))
    for name in ("results", "quarantine", "failed"):
        yield from (path.relative_to(out).as_posix() for path in (out / "records" / name).glob("*"))


def note_files(out: Path, files: set[str]) -> None:
    """Write down which files are ours, beside what the manifest says already."""
    content = _read(out) or {"pages": {}}
    write(out / FILE, _as_json(content | {"files": sorted(files)}))


def _as_json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=1, ensure_ascii=False).encode("utf-8", "surrogatepass")


class Keeper:
    """Holds the records of a run, and writes them down every few seconds: a run that is killed is taken up there."""

    INTERVAL = 2.0

    def __init__(self, out: Path, assessment: Assessment, earlier: Known):
        self.out, self.assessment = out, assessment
        self.pages = {page: replace(record, change=EARLIER) for page, record in earlier.pages.items()}
        self.owned = Owned(out, earlier.files, lambda _: self.write())
        self.ways: set[str] = set()
        self._started, self._written = time.time(), time.monotonic()

    def note(self, record: PageRecord) -> None:
        """Take down what became of a page."""
        self.pages[record.page] = record
        if time.monotonic() - self._written > self.INTERVAL:
            self.write()

    def write(self) -> None:
        """Publish the manifest as it stands."""
        write(self.out / FILE, self._content())
        self._written = time.monotonic()

    def _content(self) -> bytes:
        content = {
            "started": datetime.fromtimestamp(self._started, UTC).isoformat(timespec="seconds"),
            "seconds": round(time.time() - self._started, 1),
            "notebooks": sorted(self.ways),
            "versions": {name: _version(name) for name in PACKAGES} | {"python": platform.python_version()},
            "language": self.assessment.language.code,
            "facts": asdict(self.assessment.facts),
            "counts": self.assessment.counts.to_dict("records"),
            "inputs": self.assessment.inputs.to_dict("records"),
            "pages": {page: record.shown() for page, record in self.pages.items()},
            "files": sorted(self.owned.names),
        }
        return _as_json(content)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
