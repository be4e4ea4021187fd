"""What a page is made from, what comes back, what is recorded of it, and the causes by which it can fail."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

OK = "ok"
CELL_ERROR = "cell error"
TIME_OUT = "time-out"
KILLED = "killed"
OUT_OF_MEMORY = "out of memory"
START = "start"
RENDER = "render"
PUBLISH = "publish"
INVALID_PARAMETERS = "invalid parameters"
CANCELLED = "cancelled"
"""Status of a page: ok, or the one cause of its failure; cancelled: it was never started."""

NEW, CHANGED, AS_BEFORE, UNCHANGED, EARLIER = "new", "changed", "as before", "unchanged", "earlier"
"""A page compared with the run before: `as before`, made again with the same bytes; `unchanged`, not made again since
nothing it depends on had changed; `earlier`, not made in this run, though its inputs may have changed."""

GIGABYTE = 1024**3


@dataclass(frozen=True)
class PageJob:
    """Everything one page is made from, as bytes, so that it can be sent to a machine that shares no disk.

    `files`: the unit's part of the results by file name, which the notebook reads as its folder `results`.
    `timeout` in seconds; `memory` in bytes, 0 for no limit; `figures`: also draw every figure as files for slides.
    """

    unit_id: str
    notebook: bytes = field(repr=False)
    parameters: Mapping[str, str]
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    engine: str | None = "aiready"
    timeout: float = 600
    memory: int = 0
    figures: bool = False


@dataclass(frozen=True)
class PageResult:
    """The page of a job and its figures, or the cause of its failure with the evidence.

    `seconds` from the start of the notebook's process to the page; `peak`: most memory that process held, in bytes;
    `start_method`: how it was started.
    """

    status: str = OK
    reason: str = ""
    page: bytes = field(default=b"", repr=False)
    figures: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    traceback: str = field(default="", repr=False)
    notebook: bytes = field(default=b"", repr=False)
    seconds: float = 0.0
    peak: int = 0
    start_method: str = ""

    def failed(self, status: str, reason: str, *, traceback: str = "", notebook: bytes = b"") -> "PageResult":
        """This result with the cause of a failure."""
        return replace(self, status=status, reason=reason, traceback=traceback, notebook=notebook)


@dataclass(frozen=True)
class PageRecord:
    """One page: how its latest run ended, and what the published page was made from.

    Of the latest run that tried to make it: `status`, `reason`, `why`, `seconds`, `peak` (bytes). Of the published
    page: `digest` (empty: there is none), `inputs` (digest by part), `as_of`, `too_small`; `pdf_of` and `figures_of`
    are the digests of the pages that the PDF and the figure files were made from.
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

    def as_dict(self) -> dict[str, Any]:
        """The record as it stands in the manifest, and whether its PDF is of this page."""
        return asdict(self) | {"pdf": bool(self.digest) and self.pdf_of == self.digest}

    @property
    def unchanged(self) -> bool:
        """Whether the latest run did not make the page again, since nothing it depends on had changed."""
        return self.change == UNCHANGED

    def as_unchanged(self) -> "PageRecord":
        """The record after a run that has nothing to change on the page."""
        return replace(self, status=OK, reason="", why="", change=UNCHANGED)

    def failed(self, status: str, reason: str, *, why: str = "", seconds: float = 0.0) -> "PageRecord":
        """The record after a run that did not make the page: what is published stays."""
        return replace(self, status=status, reason=reason, why=why, seconds=seconds, change=EARLIER)
