"""Files of survey tools -> headings and rows: which tool wrote it, how many rows head it, what its own columns mean.

What each tool writes beside the questions stands in `columns.csv` (one row per tool x heading): `meaning` is
`response` (identifies the answer sheet), `part-of-response` (identifies it together with that), `person`
(identifies who answered), `personal`, `date`, `submitted` (a date, blank until sent), `finished`, `progress`,
`status`, `channel` or `other`; `tells` marks headings that give the tool away, `first` only as first column.
Qualtrics' old export heads its own columns V1 to V10, with their names in the second row.

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
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pandas as pd

from aiready.collection.survey_import.lexicon import folded_form
from aiready.errors import InputError, UsageError, unknown_name
from aiready.inputs.files import FILE, ROW, SURPLUS, read_grid
from aiready.inputs.workbooks import WORKBOOK_SUFFIXES

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
_ENOUGH_HEADINGS = 2
"""Telling headings from which a tool counts as recognised; one that stands first is enough."""


@dataclass(frozen=True)
class Heading:
    """What the heading rows say of one column: a code, the question, a row or choice of it; `label` is unique."""

    position: int
    code: str = ""
    text: str = ""
    part: str = ""
    label: str = ""


@dataclass(frozen=True)
class Export:
    """A survey tool's file, read: one row per answer sheet, a column per heading (named by its place), and `ROW`.

    `headings_again`: rows, blank here, that repeat a heading row: two exports were put below each other.
    """

    file: str
    source: str
    heading_rows: int
    headings: tuple[Heading, ...]
    tool_columns: Mapping[int, str]
    rows: pd.DataFrame
    digest: str
    repeated_headings: frozenset[int] = frozenset()

    def name(self, position: int) -> str:
        """Short name of a column: its code, else its question."""
        return self.headings[position].code or self.headings[position].text

    def positions_of(self, *meanings: str) -> list[int]:
        """Columns of the tool's own that mean one of these, in order."""
        return [position for position, meaning in self.tool_columns.items() if meaning in meanings]


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
        raise unknown_name("source", source, (AUTO, *SOURCES))
    grid, digest = _read_cells(path)
    first = _texts(grid, 0)
    tool = _recognise_tool(first, _texts(grid, 1)) if source == AUTO else source
    if tool is None:
        raise InputError(
            f"{path.name}: no survey tool recognised in the first row ({', '.join(filter(None, first[:6]))}, ...). "
            f"Name it with --source ({', '.join(SOURCES)}), and leave the heading rows as the tool wrote them."
        )
    height = _heading_rows(tool, grid)
    headings = _headings(tool, [_texts(grid, row) for row in range(min(height, len(grid)))])
    own = _own_columns(tool, headings)
    rows = grid.iloc[height:].reset_index(drop=True)
    if rows.empty:
        raise InputError(f"{path.name}: there is no row of answers below the headings. Export it again.")
    repeated = _repeats_heading(rows, grid.iloc[:height])
    rows.loc[repeated, [str(heading.position) for heading in headings]] = ""
    return Export(path.name, tool, height, headings, own, rows, digest, frozenset(rows.index[repeated]))


def _repeats_heading(rows: pd.DataFrame, heads: pd.DataFrame) -> pd.Series:
    """Which rows of answers are a heading row once more."""
    is_heading = pd.Series(False, rows.index)
    for _, head in heads.drop(columns=[ROW, SURPLUS]).iterrows():
        filled = head[head != ""]
        if len(filled) > 1:
            likely = rows[rows[filled.index[0]] == filled.iloc[0]]
            is_heading[likely.index] |= (likely[head.index] == head).all(axis=1)
    return is_heading


def _read_cells(path: Path) -> tuple[pd.DataFrame, str]:
    """Every row as text, and the file's digest; what cannot be read at all is said in one sentence."""
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file.")
    if path.suffix.lower() not in (*_TEXT_FILES, *WORKBOOK_SUFFIXES):
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
    """Cells of a row, character entities read; [] beyond the last."""
    if number >= len(grid):
        return []
    return [html.unescape(cell).strip() for cell in grid.drop(columns=[ROW, SURPLUS]).iloc[number]]


# Which tool ------------------------------------------------------------------------------------------------


def _tool_headings(source: str) -> dict[str, tuple[str, str]]:
    """Headings of a tool's own, plainly written: meaning, and whether it tells."""
    table = pd.read_csv(COLUMNS, dtype=str, keep_default_na=False)
    rows = table[table["source"] == source]
    return {
        _heading_key(heading): (meaning, tells)
        for heading, meaning, tells in zip(rows["heading"], rows["meaning"], rows["tells"], strict=True)
    }


def _heading_key(heading: str) -> str:
    """A heading as it is compared; LimeSurvey can write underscores for spaces."""
    return " ".join(folded_form(heading).replace("_", " ").split())


def _recognise_tool(first: Sequence[str], second: Sequence[str]) -> str | None:
    """The tool whose telling headings the first row holds most of; None when too few tell."""
    scores = {source: _recognition_score(source, first) for source in SOURCES}
    if _is_legacy(first, second):
        return "qualtrics"
    best = max(scores, key=lambda source: scores[source])
    return best if scores[best] >= _ENOUGH_HEADINGS else None


def _recognition_score(source: str, first: Sequence[str]) -> int:
    tool_headings, separator = _tool_headings(source), _separator(first)
    names = [tool_headings.get(_heading_key(_split_code(cell, separator)[0]), ("", ""))[1] for cell in first]
    return names.count("yes") + (_ENOUGH_HEADINGS if names[:1] == ["first"] else 0)


def _is_legacy(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether V1, V2 ... stand above names that Qualtrics gave its own columns."""
    tool_headings = _tool_headings("qualtrics")
    under = [cell for code, cell in zip(first, second, strict=False) if _LEGACY.fullmatch(code)]
    return sum(_heading_key(cell) in tool_headings for cell in under) >= _ENOUGH_HEADINGS


_LEGACY = re.compile(r"V\d{1,2}")


def _separator(first: Sequence[str]) -> str:
    """What LimeSurvey wrote between code and text; it is a setting of the export, told by the tool's own columns."""
    for cell in first:
        match = re.fullmatch(r"(?:submitdate|lastpage|startlanguage|datestamp|startdate)([\W_]+)\w.*", cell)
        if match:
            return match[1]
    return ". "


def _split_code(cell: str, separator: str) -> tuple[str, str]:
    """Code and text of a heading that has both: `submitdate. Date submitted`."""
    code, found_separator, text = cell.partition(separator)
    return (code, text) if found_separator and re.fullmatch(_SURVEY_CODE, code) else (cell, "")


_SURVEY_CODE = r"[A-Za-z]\w*(?:\[\w+\])*"


def _heading_rows(source: str, grid: pd.DataFrame) -> int:
    first, second, third = (_texts(grid, number) for number in range(3))
    if source == "qualtrics":
        if any(_is_import_id(cell) for cell in third):
            return 3
        dated = ("StartDate", "EndDate", "RecordedDate", "ResponseId", "ResponseID", "V1", "V8", "V9")
        return 1 if _is_data(first, second, dated) else 2
    if source == "surveymonkey":
        return 1 if not second or _is_data(first, second, ("Respondent ID", "RespondentID")) else 2
    return 1


def _is_data(first: Sequence[str], row: Sequence[str], names: Sequence[str]) -> bool:
    """Whether a row holds an answer sheet: digits stand where its date or number belongs."""
    cells = [cell for name, cell in zip(first, row, strict=False) if name in names]
    return any(re.match(r"R_|\d", cell) for cell in cells)


def _is_import_id(cell: str) -> bool:
    """Whether a cell is Qualtrics' own name of a column, however a spreadsheet or program has quoted it since."""
    return re.match(r"""[\s"']*\{\s*[\s"'\\]*ImportId\b""", cell) is not None


# What the headings say ----------------------------------------------------------------------------------------


def _headings(source: str, rows: Sequence[Sequence[str]]) -> tuple[Heading, ...]:
    second = rows[1] if len(rows) > 1 else [""] * len(rows[0])
    split = {"qualtrics": _qualtrics, "limesurvey": _limesurvey, "surveymonkey": _surveymonkey}.get(source, _plain)
    labels: set[str] = set()
    unique = []
    for position, (code, text, part) in enumerate(split(rows[0], second)):
        label = " | ".join(filter(None, (code, text, part))) or "no heading"
        numbered = (f"{label} ({number})" for number in count(2))
        label = label if label not in labels else next(text for text in numbered if text not in labels)
        labels.add(label)
        unique.append(Heading(position, code, text, part, label))
    return tuple(unique)


HeadingParts = list[tuple[str, str, str]]
"""Code, question and part of each column."""


def _plain(first: Sequence[str], second: Sequence[str]) -> HeadingParts:  # noqa: ARG001 - one row of headings
    """`Question`, or `Question [row]` in a grid."""
    return [("", *_bracketed(cell)) for cell in first]


def _bracketed(cell: str) -> tuple[str, str]:
    match = re.fullmatch(r"(?s)(.*\S)\s*\[(.*)\]", cell)
    return (match[1], match[2]) if match else (cell, "")


def _qualtrics(first: Sequence[str], second: Sequence[str]) -> HeadingParts:
    """Code above, question below; `Question - Row` in a matrix."""
    parts = []
    for code, text in zip(first, second, strict=True):
        question, dash, row = text.rpartition(" - ")
        parts.append((code, question, row) if dash and re.search(r"_\d+$", code) else (code, text, ""))
    return parts


def _limesurvey(first: Sequence[str], second: Sequence[str]) -> HeadingParts:  # noqa: ARG001
    """`code`, `code[sub]`, `code. Question`, or the question alone."""
    separator = _separator(first)
    parts = []
    for cell in first:
        code, text = _split_code(cell, separator)
        if not text and not re.fullmatch(_SURVEY_CODE, cell):
            code, text = _split_code(cell, ". ")
        is_code = bool(text) or bool(re.fullmatch(_SURVEY_CODE, cell))
        parts.append((code, *_bracketed(text)) if is_code else ("", *_bracketed(cell)))
    return parts


def _surveymonkey(first: Sequence[str], second: Sequence[str]) -> HeadingParts:
    """The question above its first column, below it `Response`, or a row or choice of each column."""
    parts, question = [], ""
    for cell, below in zip(first, second, strict=True):
        question = cell or question
        parts.append(("", question, "" if below in ("Response", "Open-Ended Response") else below))
    return parts


def _own_columns(source: str, headings: Sequence[Heading]) -> dict[int, str]:
    """Columns of the tool's own, and what they mean; each name counts once, so a question may repeat it."""
    tool_headings = _tool_headings(source)
    columns: dict[int, str] = {}
    for heading in headings:
        name = heading.text if _LEGACY.fullmatch(heading.code) and heading.text else heading.code or heading.text
        meaning, _ = tool_headings.pop(_heading_key(name), ("", ""))
        if meaning:
            columns[heading.position] = meaning
    return columns
