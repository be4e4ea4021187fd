"""Read the file of a survey tool: recognise the tool, its heading rows and the columns that the tool itself adds.

The columns that tools add to the questions are in `columns.csv` (one row per tool x heading): `meaning` is
`response` (identifies the answer sheet), `part-of-response` (identifies it together with that), `person`
(identifies who answered), `personal`, `date`, `submitted` (a date, blank until sent), `finished`, `progress`,
`status`, `channel` or `other`; `tells` marks headings by which the tool is recognised (`first`: only as the first
column). Qualtrics' legacy export calls its own columns V1 to V10, with their names in the second row.

References
----------
Qualtrics, "Understanding Your Dataset": three heading rows in CSV and TSV (id, question, import id), two in a
workbook; Status, Finished, Progress, ResponseId. Microsoft, "Check and share your form results": a workbook with
ID, Start time, Completion time, Email, Name, then the questions. Google, "View & manage form responses": the
question as heading, rows of a grid in brackets. SurveyMonkey, "Exporting data: file formats": two heading rows;
one column a question (condensed) or one an answer choice (expanded). LimeSurvey manual, "Export responses":
headings as code, text, or both; answers as codes or in full; `submitdate` blank until the survey is sent.
"""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pandas as pd

from aiready.atomic_files import file_digest
from aiready.collection.survey_import.lexicon import folded_form
from aiready.errors import InputError, UsageError, unknown_name
from aiready.inputs.files import FILE, ROW, SURPLUS, read_grid
from aiready.inputs.workbooks import WORKBOOK_SUFFIXES
from aiready.package_files import read_records

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
"""Number of a tool's typical headings by which it is recognised; one marked `first` is enough."""


@dataclass(frozen=True)
class Heading:
    """Heading of one column: code, text of the question, `part` (a row or choice of it), and a unique `label`."""

    position: int
    code: str = ""
    text: str = ""
    part: str = ""
    label: str = ""


@dataclass(frozen=True)
class Export:
    """Content of a survey tool's file: one row per answer sheet, one column per heading (named by position), and `ROW`.

    `tool_columns`: position -> meaning of columns that the tool added. `repeated_headings`: rows, blanked here, that
    repeat a heading row, where two exports were pasted below each other.
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
        """Positions of the tool's columns with one of these meanings, in order."""
        return [position for position, meaning in self.tool_columns.items() if meaning in meanings]


def read_export(path: Path, source: str = AUTO) -> Export:
    """Read the export of a survey tool.

    Raises
    ------
    UsageError
        There is no such file, or no such source.
    InputError
        The file cannot be read, holds no answers, or no tool is recognised.
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
    """Which rows of answers repeat a heading row."""
    is_heading = pd.Series(False, rows.index)
    for _, head in heads.drop(columns=[ROW, SURPLUS]).iterrows():
        filled = head[head != ""]
        if len(filled) > 1:
            likely = rows[rows[filled.index[0]] == filled.iloc[0]]
            is_heading[likely.index] |= (likely[head.index] == head).all(axis=1)
    return is_heading


def _read_cells(path: Path) -> tuple[pd.DataFrame, str]:
    """Read every row of a file as text; return the rows and the digest of the file."""
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file.")
    if path.suffix.lower() not in (*_TEXT_FILES, *WORKBOOK_SUFFIXES):
        raise InputError(f"{path.name}: give the CSV, TSV or .xlsx file that the tool exports; unpack a .zip first.")
    try:
        digest = file_digest(path)
        table = read_grid(path, path.name).batches.read_all()
    except OSError as problem:
        raise InputError(f"{path.name}: cannot be read ({problem.strerror}). Check that you may open it.") from problem
    except ValueError as problem:  # Arrow's own errors are of this kind
        raise InputError(f"{path.name}: cannot be read as a table ({problem}). Export it again.") from problem
    grid = table.drop_columns([FILE]).to_pandas()
    return grid.sort_values(ROW, ignore_index=True), digest


def _texts(grid: pd.DataFrame, number: int) -> list[str]:
    """Cells of a row with character entities decoded; [] beyond the last row."""
    if number >= len(grid):
        return []
    return [html.unescape(cell).strip() for cell in grid.drop(columns=[ROW, SURPLUS]).iloc[number]]


# Which tool ------------------------------------------------------------------------------------------------


def _tool_headings(source: str) -> dict[str, tuple[str, str]]:
    """Headings that a tool adds, as keys for comparison -> their meaning, and their mark in `tells`."""
    rows = (row for row in read_records(COLUMNS) if row["source"] == source)
    return {_heading_key(row["heading"]): (row["meaning"], row["tells"]) for row in rows}


def _heading_key(heading: str) -> str:
    """A heading for comparison; LimeSurvey can write underscores for spaces."""
    return " ".join(folded_form(heading).replace("_", " ").split())


def _recognise_tool(first: Sequence[str], second: Sequence[str]) -> str | None:
    """The tool with the most typical headings in the first row; None when they are too few."""
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
    """Whether this is Qualtrics' legacy export: V1, V2 ... above the names of its own columns."""
    tool_headings = _tool_headings("qualtrics")
    under = [cell for code, cell in zip(first, second, strict=False) if _LEGACY.fullmatch(code)]
    return sum(_heading_key(cell) in tool_headings for cell in under) >= _ENOUGH_HEADINGS


_LEGACY = re.compile(r"V\d{1,2}")


def _separator(first: Sequence[str]) -> str:
    """Separator of code and text in LimeSurvey's headings (a setting of the export), seen in the tool's own columns."""
    for cell in first:
        match = re.fullmatch(r"(?:submitdate|lastpage|startlanguage|datestamp|startdate)([\W_]+)\w.*", cell)
        if match:
            return match[1]
    return ". "


def _split_code(cell: str, separator: str) -> tuple[str, str]:
    """Code and text of a heading such as `submitdate. Date submitted`; one without a code is returned whole."""
    code, between, text = cell.partition(separator)
    return (code, text) if between and re.fullmatch(_SURVEY_CODE, code) else (cell, "")


_SURVEY_CODE = r"[A-Za-z]\w*(?:\[\w+\])*"


def _heading_rows(source: str, grid: pd.DataFrame) -> int:
    """Number of heading rows."""
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
    """Whether a row is an answer sheet: its dates or numbers begin with a digit."""
    cells = [cell for name, cell in zip(first, row, strict=False) if name in names]
    return any(re.match(r"R_|\d", cell) for cell in cells)


def _is_import_id(cell: str) -> bool:
    """Whether a cell is Qualtrics' import id, however it was quoted by a spreadsheet or program."""
    return re.match(r"""[\s"']*\{\s*[\s"'\\]*ImportId\b""", cell) is not None


# Headings -----------------------------------------------------------------------------------------------------


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
"""Code, text of the question and part of each column."""


def _plain(first: Sequence[str], second: Sequence[str]) -> HeadingParts:  # noqa: ARG001 - one row of headings
    """`Question`, or `Question [row]` in a grid."""
    return [("", *_bracketed(cell)) for cell in first]


def _bracketed(cell: str) -> tuple[str, str]:
    match = re.fullmatch(r"(?s)(.*\S)\s*\[(.*)\]", cell)
    return (match[1], match[2]) if match else (cell, "")


def _qualtrics(first: Sequence[str], second: Sequence[str]) -> HeadingParts:
    """Code in the first row, question in the second; `Question - Row` in a matrix."""
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
    """Position -> meaning of the columns that the tool added. A name counts once: a question may repeat it."""
    tool_headings = _tool_headings(source)
    columns: dict[int, str] = {}
    for heading in headings:
        name = heading.text if _LEGACY.fullmatch(heading.code) and heading.text else heading.code or heading.text
        meaning, _ = tool_headings.pop(_heading_key(name), ("", ""))
        if meaning:
            columns[heading.position] = meaning
    return columns
