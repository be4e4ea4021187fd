"""What a page is made from, what comes back, and the causes by which it can fail."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

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
