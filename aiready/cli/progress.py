"""What a run says while it goes on, and the last line, which may be all that somebody reads of it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from aiready.batch.manifest import AS_BEFORE, CHANGED, KEPT, NEW
from aiready.batch.page_job import CANCELLED, OK
from aiready.batch.report_run import Run
from aiready.batch.schedule import Outcome
from aiready.cli.terminal import echo, visible

SHOWN = {
    NEW: "new",
    CHANGED: "changed",
    AS_BEFORE: "made again as before",
    KEPT: "unchanged",
}
"""What a page is beside the run before, in the order and words of the last line."""


class Progress:
    """Tells of each page as it comes: a line of a log, or on a terminal a bar with the time that is left."""

    def __init__(self, total: int, *, lines: bool):
        self.total, self.lines, self.done = total, lines, 0

    def told(self, outcome: Outcome) -> None:
        """Take one outcome; failures are always told, on stderr."""
        self.done += 1
        place = f"[{self.done}/{self.total}] {outcome.page}"
        if outcome.status not in (OK, CANCELLED):
            echo(visible(f"{place}: {outcome.status}: {outcome.reason}"), err=True)
        elif self.lines:
            echo(f"{place}: {_words(outcome)}")


class Bar(Progress):
    """The same on a terminal: one bar, and lines for failures only."""

    def __init__(self, total: int):
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        super().__init__(total, lines=False)
        columns = (TextColumn("handouts"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("left"))
        self.bar = Progress(*columns)
        self.task = self.bar.add_task("handouts", total=total)

    def told(self, outcome: Outcome) -> None:
        """Move the bar on."""
        super().told(outcome)
        self.bar.update(self.task, completed=self.done)


@contextmanager
def progress(total: int, *, quiet: bool) -> Iterator[Progress]:
    """Choose how to tell: a bar on a terminal, lines elsewhere, failures alone where it is to be quiet."""
    if quiet or not sys.stdout.isatty():
        yield Progress(total, lines=not quiet)
        return
    bar = Bar(total)
    with bar.bar:
        yield bar


def _words(outcome: Outcome) -> str:
    if outcome.status == CANCELLED:
        return outcome.reason
    return "unchanged" if outcome.kept else f"{outcome.why} ({outcome.seconds:.1f} s)"


def summary(run: Run, out: Path) -> str:
    """The last line of a run: what changed first, then what failed, and where to look.

    Examples
    --------
    >>> summary(Run([Outcome("a", "a.html")], {"a.html": "changed"}), Path("reports"))
    '1 page changed, 0 failed. Open reports/overview/index.html'
    """
    cancelled = sum(outcome.status == CANCELLED for outcome in run.outcomes)
    failed = len(run.failed) - cancelled
    counts = [(words, run.count(change)) for change, words in SHOWN.items()]
    told = [f"{number} {words}" for words, number in counts if number] or ["0 changed"]
    first, *others = told
    number, _, words = first.partition(" ")
    parts = [f"{number} {'page' if number == '1' else 'pages'} {words}", *others, f"{failed} failed"]
    parts += [f"{cancelled} not begun"] if cancelled else []
    parts += [f"{len(run.withdrawn)} withdrawn"] if run.withdrawn else []
    text = f"{', '.join(parts)}. Open {out / 'overview' / 'index.html'}"
    return text + (f"; evidence in {out / 'records' / 'failed'}" if failed else "")


def as_json(run: Run) -> dict[str, object]:
    """The run as one JSON object: every page with its status, why it was made, and what it is beside the run before."""
    pages = [asdict(outcome) | {"change": run.changes.get(outcome.page, "")} for outcome in run.outcomes]
    counts = {words: run.count(change) for change, words in SHOWN.items()}
    return {"pages": pages, "counts": counts | {"failed": len(run.failed)}, "withdrawn": run.withdrawn}
