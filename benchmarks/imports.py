"""A survey tool's export at size, imported: seconds and peak memory.

    python benchmarks/imports.py --tool limesurvey --responses 200_000 --format csv

An export as the tool's documentation describes it: its own columns, unit, role, use of AI where Qualtrics has room for
it, 25 items and a comment; answers as words, in the shipped instrument's wording. `--format xlsx` reads the same from a
workbook, which is all that Microsoft Forms writes.
"""

import argparse
import csv
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from openpyxl import Workbook

from aiready.collection.survey_import import ImportRequest, ImportResult, import_file
from aiready.instrument.languages import Wording
from aiready.instrument.model import read_instrument

LIMIT_SECONDS, LIMIT_GB = 30, 2
UNITS = 400


@dataclass(frozen=True)
class Tool:
    """What a tool writes beside the answers: headings of its own, and their cells for one person.

    `named`: the first heading row holds ids, not questions. `below`: what stands under each question.
    """

    own: tuple[str, ...]
    cells: Callable[[int, datetime], list[object]]
    named: bool = False
    below: str = ""


def _qualtrics(person: int, at: datetime) -> list[object]:
    status = "Survey Preview" if person % 100 == 0 else "IP Address"
    own = [at, at, status, f"203.0.113.{person % 250}", "100", "540", person % 50 != 1, at, f"R_{person:015d}"]
    return [*own, "Doe", "Jane", f"person{person}@example.org"]


def _limesurvey(person: int, at: datetime) -> list[object]:
    sent = "" if person % 50 == 1 else at
    return [person + 1, sent, 7, "en", 10**9 + person, at, at, f"203.0.113.{person % 250}"]


TOOLS = {
    "qualtrics": Tool(
        ("StartDate", "EndDate", "Status", "IPAddress", "Progress", "Duration (in seconds)", "Finished",
         "RecordedDate", "ResponseId", "RecipientLastName", "RecipientFirstName", "RecipientEmail"),
        _qualtrics, named=True,
    ),
    "microsoft-forms": Tool(
        ("ID", "Start time", "Completion time", "Email", "Name", "Last modified time"),
        lambda person, at: [person + 1, at, at, "anonymous", "", ""],
    ),
    "google-forms": Tool(("Timestamp",), lambda _, at: [at.strftime("%Y/%m/%d %I:%M:%S %p GMT+2")]),
    "surveymonkey": Tool(
        ("Respondent ID", "Collector ID", "Start Date", "End Date", "IP Address", "Email Address", "First Name",
         "Last Name", "Custom Data 1"),
        lambda person, at: [118_000_000_000 + person, 451_233, *[at.strftime("%m/%d/%Y %I:%M:%S %p")] * 2,
                            "203.0.113.7", "", "Jane", "Doe", ""],
        below="Response",
    ),
    "limesurvey": Tool(
        ("id", "submitdate", "lastpage", "startlanguage", "seed", "startdate", "datestamp", "ipaddr"),
        _limesurvey, named=True,
    ),
}  # fmt: skip


def rows(tool: str, people: int) -> Iterator[list[object]]:
    """Heading rows and answers; of Qualtrics one in a hundred is a preview, and one in fifty was not finished."""
    rules = read_instrument()
    language = rules.in_language()
    items = list(rules.items["item_id"])
    kind = TOOLS[tool]
    yield from _headings(tool, items, language)
    random = np.random.default_rng(42)
    said = language.items[[f"level_{level}" for level in range(1, rules.settings.scale_points + 1)]].to_numpy()
    choices = np.column_stack([said, np.full(len(items), language.words["answer.dont_know"]), np.full(len(items), "")])
    roles = [text for key, text in language.words.items() if key.startswith("role.")]
    for person in range(people):
        at = datetime(2026, 9, 14) + timedelta(seconds=6 * person)
        answers = choices[np.arange(len(items)), random.integers(0, choices.shape[1], len(items))]
        comment = "It takes a step more than before." if person % 20 == 0 else ""
        yield [*kind.cells(person, at), f"unit {person % UNITS}", roles[person % len(roles)], *answers, comment]


def _headings(tool: str, items: list[str], language: Wording) -> Iterator[list[object]]:
    kind, words = TOOLS[tool], language.words
    texts = [words["question.unit_id"], words["question.role"], *language.items["wording"], words["question.comment"]]
    names = ["unit_id", "role", *items, "comment"]
    codes = [name.replace("_", "") for name in names] if tool == "limesurvey" else names
    yield [*kind.own, *(codes if kind.named else texts)]
    if tool == "qualtrics":
        yield [*kind.own, *texts]
        yield [f'{{"ImportId":"QID{place}"}}' for place in range(len(kind.own) + len(names))]
    if kind.below:
        yield [*[""] * len(kind.own), *[kind.below] * (len(names) - 1), "Open-Ended Response"]


def write_export(path: Path, tool: str, people: int) -> None:
    if path.suffix == ".xlsx":
        book = Workbook(write_only=True)
        sheet = book.create_sheet("responses")
        for row in rows(tool, people):
            sheet.append(row)
        book.save(path)
        return
    with path.open("w", newline="", encoding="utf-8-sig") as stream:
        csv.writer(stream).writerows(rows(tool, people))


def imported(folder: Path, file: Path) -> tuple[ImportResult, float]:
    """What became of the file, and the seconds it took; by itself it says which tool wrote it."""
    start = time.perf_counter()
    done = import_file(ImportRequest(file, folder / "data", key=folder / "key"))
    return done, time.perf_counter() - start


def peak_memory() -> float:
    """GB this program took at most; what `getrusage` tells includes the program it was started from."""
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(peak) / 1024**2


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tool", choices=tuple(TOOLS), default="qualtrics")
    options.add_argument("--responses", type=int, default=200_000)
    options.add_argument("--format", choices=("csv", "xlsx"), default="csv")
    options.add_argument("--file", type=Path, help="an export made before, read alone so that its memory is measured")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        file = asked.file or Path(name) / f"export.{asked.format}"
        if not file.exists():
            write_export(file, asked.tool, asked.responses)
        done, seconds = imported(Path(name), file)
        peak = peak_memory()
        export = done.matched.export
        size = file.stat().st_size / 1e6
        print(f"{export.source}: {file.name}: {size:.0f} MB, {len(export.headings)} columns")
        print(f"{done.counts}: {seconds:.1f} s (limit {LIMIT_SECONDS}), peak {peak:.2f} GB (limit {LIMIT_GB})")


if __name__ == "__main__":
    main()
