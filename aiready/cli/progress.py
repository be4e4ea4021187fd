"""What a run prints while it goes on, and its last line."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from aiready.batch.page_job import AS_BEFORE, CANCELLED, CHANGED, NEW, OK, UNCHANGED, PageRecord
from aiready.batch.report import ReportRun
from aiready.cli import stopping
from aiready.cli.terminal import echo, visible

CHANGE_WORDS = {
    NEW: "new",
    CHANGED: "changed",
    AS_BEFORE: "made again as before",
    UNCHANGED: "unchanged",
}
"""A page compared with the run before, in the order and words of the last line."""


class Progress:
    """Print the rows read and a line per page; where it is to be quiet, failures only."""

    def __init__(self, *, quiet: bool):
        self.quiet, self.lines = quiet, not quiet
        self.total = self.finished = 0

    def start(self, counts: Sequence[Mapping[str, Any]], total: int) -> None:
        """Print the rows read, once these and the number of pages are known."""
        stopping.proceed()
        self.total = total
        if not self.quiet:
            echo_counts(counts)

    def update(self, page: PageRecord) -> None:
        """Print what became of a page; failures go to stderr."""
        self.finished += 1
        name = f"[{self.finished}/{self.total}] {page.page}"
        if page.status not in (OK, CANCELLED):
            echo(visible(f"{name}: {page.status}: {page.reason}"), err=True)
        elif self.lines:
            echo(f"{name}: {_words(page)}")

    def stop(self) -> None:
        """End the display."""


class Bar(Progress):
    """The same on a terminal: a bar with the time left, and lines for failures only."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        super().__init__(quiet=False)
        self.lines = False
        columns = (TextColumn("handouts"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("left"))
        self.bar = Progress(*columns)

    def start(self, counts: Sequence[Mapping[str, Any]], total: int) -> None:
        """Print the rows read, and show the bar."""
        super().start(counts, total)
        self.task = self.bar.add_task("handouts", total=total)
        self.bar.start()

    def update(self, page: PageRecord) -> None:
        """Move the bar on."""
        super().update(page)
        self.bar.update(self.task, completed=self.finished)

    def stop(self) -> None:
        """Leave the bar as it stands."""
        if self.total:
            self.bar.stop()


@contextmanager
def progress(*, quiet: bool) -> Iterator[Progress]:
    """Choose the display: a bar on a terminal, lines elsewhere, failures only where it is to be quiet."""
    display = Progress(quiet=quiet) if quiet or not sys.stdout.isatty() else Bar()
    try:
        yield display
    finally:
        display.stop()


def echo_counts(counts: Sequence[Mapping[str, Any]]) -> None:
    """Print the rows read of every table, and what became of them."""
    for row in counts:
        late = f" + {row['superseded']} superseded" if row.get("superseded") else ""
        late += f" + {row['after_as_of']} after the as-of date" if row["after_as_of"] else ""
        echo(f"{row['table']}: {row['read']} read = {row['used']} used + {row['quarantined']} quarantined{late}")


def _words(page: PageRecord) -> str:
    if page.status == CANCELLED:
        return page.reason
    return "unchanged" if page.unchanged else f"{page.why} ({page.seconds:.1f} s)"


def summary(run: ReportRun) -> str:
    """The last line of a run: what changed, what failed, and where to look.

    Examples
    --------
    >>> from pathlib import Path
    >>> summary(ReportRun(Path("reports"), [PageRecord("a", "a.html", change="changed")]))
    '1 page changed, 0 failed. Open reports/overview/index.html'
    """
    n_cancelled = sum(page.status == CANCELLED for page in run.pages)
    n_failed = len(run.failed) - n_cancelled
    counts = [(words, run.count(change)) for change, words in CHANGE_WORDS.items()]
    first, *others = [f"{number} {words}" for words, number in counts if number] or ["0 changed"]
    number, _, words = first.partition(" ")
    parts = [f"{number} {'page' if number == '1' else 'pages'} {words}", *others, f"{n_failed} failed"]
    parts += [f"{n_cancelled} not begun"] if n_cancelled else []
    parts += [f"{len(run.withdrawn)} withdrawn"] if run.withdrawn else []
    text = f"{', '.join(parts)}. Open {run.index}"
    return text + (f"; evidence in {run.out / 'records' / 'failed'}" if n_failed else "")


def run_as_json(run: ReportRun) -> dict[str, object]:
    """The run as one JSON object: every page with its status, why it was made, and how it compares with before."""
    counts = {words: run.count(change) for change, words in CHANGE_WORDS.items()}
    return {
        "pages": [_page_as_json(page) for page in run.pages],
        "counts": counts | {"failed": len(run.failed)},
        "withdrawn": run.withdrawn,
    }


def _page_as_json(page: PageRecord) -> dict[str, Any]:
    """What a run says of a page: `kept` if it is unchanged; digest and change only of a page that is ok."""
    content = {name: getattr(page, name) for name in ("unit_id", "page", "seconds", "status", "reason")}
    is_ok = page.status == OK
    content |= {"digest": page.digest if is_ok else "", "why": page.why, "kept": page.unchanged}
    return content | {"change": page.change if is_ok else ""}
