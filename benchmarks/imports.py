"""A survey tool's export at size, imported: seconds and peak memory.

    python benchmarks/imports.py --responses 200_000 --format csv

A Qualtrics export as its documentation describes it: 17 columns of its own, unit, role, use of AI, 25 items and a
comment; answers as words, in the shipped instrument's wording. `--format xlsx` reads the same from a workbook.
"""

import argparse
import csv
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from openpyxl import Workbook

from aiready.exports import Imported, Request, import_file
from aiready.instrument import read_instrument

LIMIT_SECONDS, LIMIT_GB = 30, 2
OWN = ("StartDate", "EndDate", "Status", "IPAddress", "Progress", "Duration (in seconds)", "Finished", "RecordedDate",
       "ResponseId", "RecipientLastName", "RecipientFirstName", "RecipientEmail")  # fmt: skip
UNITS = 400


def rows(people: int) -> Iterator[list[str]]:
    """Heading rows and answers: 40 columns; one in a hundred is a preview, one in fifty was not finished."""
    rules = read_instrument()
    language = rules.in_language()
    items = list(rules.items["item_id"])
    asked = [*OWN, "unit_id", "role", *items, "comment"]
    words = [language.words[f"question.{name}"] for name in ("unit_id", "role")]
    yield asked
    yield [*OWN, *words, *language.items["wording"], language.words["question.comment"]]
    yield [f'{{"ImportId":"QID{place}"}}' for place in range(len(asked))]
    random = np.random.default_rng(42)
    said = language.items[[f"level_{level}" for level in range(1, rules.settings.scale_points + 1)]].to_numpy()
    choices = np.column_stack([said, np.full(len(items), language.words["answer.dont_know"]), np.full(len(items), "")])
    roles = [text for key, text in language.words.items() if key.startswith("role.")]
    for person in range(people):
        at = f"2026-09-{1 + person % 28:02d} {person % 24:02d}:{person % 60:02d}:00"
        status = "Survey Preview" if person % 100 == 0 else "IP Address"
        finished = str(person % 50 != 1)
        own = [at, at, status, f"203.0.113.{person % 250}", "100", "540", finished, at, f"R_{person:015d}"]
        own += ["Doe", "Jane", f"person{person}@example.org"]
        answers = choices[np.arange(len(items)), random.integers(0, choices.shape[1], len(items))]
        comment = "It takes a step more than before." if person % 20 == 0 else ""
        yield [*own, f"unit {person % UNITS}", roles[person % len(roles)], *answers, comment]


def write_export(path: Path, people: int) -> None:
    if path.suffix == ".xlsx":
        book = Workbook(write_only=True)
        sheet = book.create_sheet("responses")
        for row in rows(people):
            sheet.append(row)
        book.save(path)
        return
    with path.open("w", newline="", encoding="utf-8-sig") as stream:
        csv.writer(stream).writerows(rows(people))


def imported(folder: Path, file: Path) -> tuple[Imported, float]:
    """What became of the file, and the seconds it took."""
    start = time.perf_counter()
    done = import_file(Request(file, folder / "data", key=folder / "key"))
    return done, time.perf_counter() - start


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--responses", type=int, default=200_000)
    options.add_argument("--format", choices=("csv", "xlsx"), default="csv")
    options.add_argument("--file", type=Path, help="an export made before, read alone so that its memory is measured")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        file = asked.file or Path(name) / f"export.{asked.format}"
        if not file.exists():
            write_export(file, asked.responses)
        done, seconds = imported(Path(name), file)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        print(f"{file.name}: {file.stat().st_size / 1e6:.0f} MB, {len(done.matched.export.headings)} columns")
        print(f"{done.counts}: {seconds:.1f} s (limit {LIMIT_SECONDS}), peak {peak:.2f} GB (limit {LIMIT_GB})")


if __name__ == "__main__":
    main()
