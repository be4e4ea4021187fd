"""Files of survey tools -> headings and rows: which tool wrote it, how many rows head it, what its own columns mean.

What each tool writes beside the questions stands in `columns.csv` (one row per tool x heading): `meaning` is
`response` (identifies the answer sheet), `part-of-response` (identifies it together with that), `person`
(identifies who answered), `personal`, `date`, `submitted` (a date, blank until sent), `finished`, `progress`,
`status`, `channel` or `other`; `tells` marks headings that give the tool away, `first` only as first column.

References
----------
Qualtrics, "Understanding Your Dataset": three heading rows in CSV and TSV (id, question, import id), two in a
workbook; Status, Finished, Progress, ResponseId. Microsoft, "Check and share your form results": a workbook with
ID, Start time, Completion time, Email, Name, then the questions. Google, "View & manage form responses": the
question as heading, rows of a grid in brackets. SurveyMonkey, "Exporting data: file formats": two heading rows;
one column a question (condensed) or one an answer choice (expanded). LimeSurvey manual, "Export responses":
headings as code, text, or both; answers as codes or in full; `submitdate` blank until the survey is sent.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from aiready.errors import InputError, UsageError, unknown
from aiready.readers import FILE, ROW, SURPLUS, WORKBOOKS, read_grid

AUTO = "auto"
SOURCES: Mapping[str, str] = {
    "qualtrics": "Qualtrics",
    "microsoft-forms": "Microsoft Forms",
    "google-forms": "Google Forms",
    "surveymonkey": "SurveyMonkey",
    "limesurvey": "LimeSurvey",
}
COLUMNS = Path(__file__).with_name("columns.csv")
_TEXT_FILES = (".csv", ".tsv", ".txt")
_TELLING = 2
"""Telling headings from which a tool counts as recognised; one that stands first is enough."""


@dataclass(frozen=True)
class Heading:
    """What the heading rows say of one column: a code, the question, a row or choice of it; `label` is unique."""

    place: int
    code: str = ""
    text: str = ""
    part: str = ""
    label: str = ""


@dataclass(frozen=True)
class Export:
    """A survey tool's file, read: one row per answer sheet, a column per heading (named by its place), and `ROW`."""

    file: str
    source: str
    heading_rows: int
    headings: tuple[Heading, ...]
    own: Mapping[int, str]
    rows: pd.DataFrame
    digest: str

    def name(self, place: int) -> str:
        """Short name of a column: its code, else its question."""
        return self.headings[place].code or self.headings[place].text

    def placed(self, *meanings: str) -> list[int]:
        """Columns of the tool's own that mean one of these, in order."""
        return [place for place, meaning in self.own.items() if meaning in meanings]


def read_export(path: Path, source: str = AUTO) -> Export:
    """Read what a survey tool wrote.

    Raises
    ------
    UsageError
        There is no such file, or no such source.
    InputError
        It cannot be read, holds no answers, or no tool is recognised.
    """
    if source not in (AUTO, *SOURCES):
        raise unknown("source", source, (AUTO, *SOURCES))
    grid, digest = _grid(path)
    first = _texts(grid, 0)
    found = _recognised(first) if source == AUTO else source
    if found is None:
        raise InputError(
            f"{path.name}: no survey tool recognised in the first row ({', '.join(filter(None, first[:6]))}, ...). "
            f"Name it with --source ({', '.join(SOURCES)}), and leave the heading rows as the tool wrote them."
        )
    height = _heading_rows(found, grid)
    headings = _headings(found, [_texts(grid, number) for number in range(min(height, len(grid)))])
    own = _own(found, headings)
    rows = grid.iloc[height:].reset_index(drop=True)
    if rows.empty:
        raise InputError(f"{path.name}: there is no row of answers below the headings. Export it again.")
    return Export(path.name, found, height, headings, own, rows, digest)


def _grid(path: Path) -> tuple[pd.DataFrame, str]:
    """Every row as text, and the file's digest; what cannot be read at all is said in one sentence."""
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file.")
    if path.suffix.lower() not in (*_TEXT_FILES, *WORKBOOKS):
        raise InputError(f"{path.name}: give the CSV, TSV or .xlsx file that the tool exports; unpack a .zip first.")
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        table = read_grid(path, path.name).batches.read_all()
    except OSError as problem:
        raise InputError(f"{path.name}: cannot be read ({problem.strerror}). Check that you may open it.") from problem
    except ValueError as problem:  # Arrow's own errors are of this kind
        raise InputError(f"{path.name}: cannot be read as a table ({problem}). Export it again.") from problem
    grid = table.drop_columns([FILE]).to_pandas()
    return grid.sort_values(ROW, ignore_index=True), digest


def _texts(grid: pd.DataFrame, number: int) -> list[str]:
    """Cells of a row; [] beyond the last."""
    return [] if number >= len(grid) else grid.drop(columns=[ROW, SURPLUS]).iloc[number].tolist()


# Which tool ------------------------------------------------------------------------------------------------


def _known(source: str) -> dict[str, tuple[str, str]]:
    """Headings of a tool's own, plainly written: meaning, and whether it tells."""
    table = pd.read_csv(COLUMNS, dtype=str, keep_default_na=False)
    own = table[table["source"] == source]
    return {
        heading.casefold(): (meaning, tells)
        for heading, meaning, tells in zip(own["heading"], own["meaning"], own["tells"], strict=True)
    }


def _recognised(first: Sequence[str]) -> str | None:
    """The tool whose telling headings the first row holds most of; None when too few tell."""
    scores = {source: _telling(_known(source), first) for source in SOURCES}
    best = max(scores, key=lambda source: scores[source])
    return best if scores[best] >= _TELLING else None


def _telling(known: Mapping[str, tuple[str, str]], first: Sequence[str]) -> int:
    names = [known.get(_own_name(cell).casefold(), ("", ""))[1] for cell in first]
    return names.count("yes") + (_TELLING if names[:1] == ["first"] else 0)


def _own_name(cell: str) -> str:
    """`submitdate. Date submitted` is the column `submitdate`: LimeSurvey can write code and text."""
    return re.sub(r"^([a-z]+)\. .*", r"\1", cell)


def _heading_rows(source: str, grid: pd.DataFrame) -> int:
    first, second, third = (_texts(grid, number) for number in range(3))
    if source == "qualtrics":
        if any(_import_id(cell) for cell in third):
            return 3
        return 1 if _is_data(first, second, ("StartDate", "EndDate", "RecordedDate", "ResponseId")) else 2
    if source == "surveymonkey":
        return 1 if not second or _is_data(first, second, ("Respondent ID", "RespondentID")) else 2
    return 1


def _is_data(first: Sequence[str], row: Sequence[str], names: Sequence[str]) -> bool:
    """Whether a row holds an answer sheet: digits stand where its date or number belongs."""
    cells = [cell for name, cell in zip(first, row, strict=False) if name in names]
    return any(re.match(r"R_|\d", cell) for cell in cells)


def _import_id(cell: str) -> str:
    """Qualtrics' own name of a column, from the third heading row; blank where there is none."""
    if not cell.startswith('{"ImportId"'):
        return ""
    try:
        return str(json.loads(cell)["ImportId"])
    except (ValueError, KeyError):
        return "?"


# What the headings say ----------------------------------------------------------------------------------------


def _headings(source: str, rows: Sequence[Sequence[str]]) -> tuple[Heading, ...]:
    second = rows[1] if len(rows) > 1 else [""] * len(rows[0])
    say = {"qualtrics": _qualtrics, "limesurvey": _limesurvey, "surveymonkey": _surveymonkey}.get(source, _plain)
    found = say(rows[0], second)
    labels: dict[str, int] = {}
    unique = []
    for place, (code, text, part) in enumerate(found):
        label = " | ".join(filter(None, (code, text, part))) or "no heading"
        labels[label] = labels.get(label, 0) + 1
        label += f" ({labels[label]})" if labels[label] > 1 else ""
        unique.append(Heading(place, code, text, part, label))
    return tuple(unique)


Said = list[tuple[str, str, str]]
"""Code, question and part of each column."""


def _plain(first: Sequence[str], second: Sequence[str]) -> Said:  # noqa: ARG001 - one row of headings
    """`Question`, or `Question [row]` in a grid."""
    return [("", *_bracketed(cell)) for cell in first]


def _bracketed(cell: str) -> tuple[str, str]:
    match = re.fullmatch(r"(?s)(.*\S)\s*\[(.*)\]", cell)
    return (match[1], match[2]) if match else (cell, "")


def _qualtrics(first: Sequence[str], second: Sequence[str]) -> Said:
    """Code above, question below; `Question - Row` in a matrix."""
    said = []
    for code, text in zip(first, second, strict=True):
        question, dash, row = text.rpartition(" - ")
        said.append((code, question, row) if dash and re.search(r"_\d+$", code) else (code, text, ""))
    return said


def _limesurvey(first: Sequence[str], second: Sequence[str]) -> Said:  # noqa: ARG001
    """`code`, `code[sub]`, `code. Question`, or the question alone."""
    said = []
    for cell in first:
        match = re.fullmatch(r"(?s)([A-Za-z]\w*(?:\[\w+\])?)(?:\.\s+(.*))?", cell)
        said.append((match[1], *_bracketed(match[2] or "")) if match else ("", *_bracketed(cell)))
    return said


def _surveymonkey(first: Sequence[str], second: Sequence[str]) -> Said:
    """The question above its first column, below it `Response`, or a row or choice of each column."""
    said, question = [], ""
    for cell, below in zip(first, second, strict=True):
        question = cell or question
        said.append(("", question, "" if below in ("Response", "Open-Ended Response") else below))
    return said


def _own(source: str, headings: Sequence[Heading]) -> dict[int, str]:
    """Columns of the tool's own, and what they mean; each name counts once, so a question may repeat it."""
    known = _known(source)
    own: dict[int, str] = {}
    for heading in headings:
        meaning, _ = known.pop((heading.code or heading.text).casefold(), ("", ""))
        if meaning:
            own[heading.place] = meaning
    return own
