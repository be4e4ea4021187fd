"""One page to make: what it is made from, what comes back, and by which cause it can fail."""

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
"""A page is ok, or it failed by exactly one of these causes; cancelled: it was not begun."""

GIGABYTE = 1024**3


@dataclass(frozen=True)
class Order:
    """Everything one page is made from, as bytes: it can be carried to another machine that shares no disk.

    `files`: the unit's slice of the results by file name, which the notebook reads as its folder `results`.
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
class Made:
    """What came of an order: the page and its figures, or the cause of the failure with its evidence.

    `seconds` from the start of its process to its page; `peak`: bytes of memory its process held at most; `way`: how
    that process was started.
    """

    status: str = OK
    reason: str = ""
    page: bytes = field(default=b"", repr=False)
    figures: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    traceback: str = field(default="", repr=False)
    notebook: bytes = field(default=b"", repr=False)
    seconds: float = 0.0
    peak: int = 0
    way: str = ""

    def failed(self, status: str, reason: str, *, traceback: str = "", notebook: bytes = b"") -> "Made":
        """The same order, failed."""
        return replace(self, status=status, reason=reason, traceback=traceback, notebook=notebook)
