"""What is known of every page, run after run: what it was made from, what became of it, and of the run as a whole."""

import json
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from aiready.assessment import Assessment
from aiready.orders import OK
from aiready.publication import write

FILE = Path("records/manifest.json")
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


def read(out: Path) -> dict[str, PageRecord]:
    """Every page that earlier runs knew, by page; none where there is no manifest that can be read."""
    names = {known.name for known in fields(PageRecord)}
    try:
        pages = json.loads((out / FILE).read_text(encoding="utf-8"))["pages"]
        return {page: PageRecord(**{name: told[name] for name in names & set(told)}) for page, told in pages.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


class Keeper:
    """Holds the records of a run, and writes them down every few seconds: a run that is killed is taken up there."""

    INTERVAL = 2.0

    def __init__(self, out: Path, assessment: Assessment, earlier: Mapping[str, PageRecord]):
        self.out, self.assessment = out, assessment
        self.pages = {page: replace(record, change=EARLIER) for page, record in earlier.items()}
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
        }
        return json.dumps(content, indent=1, ensure_ascii=False).encode()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
