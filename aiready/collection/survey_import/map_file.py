"""Write and read the map file, in which the analyst explains columns, units, roles and words of an export.

Grain: one row per text that the questionnaire does not explain: `kind` (column, unit, role, ai_use, answer, part),
`item` (the question of an answer; blank: all), `in_file` (the text), `means` (its meaning; `ignore` for a column;
`no answer`), `note`. A file saved by any spreadsheet is read, and rows are added in its own format.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import accumulate
from pathlib import Path

from aiready.atomic_files import write_file
from aiready.collection.survey_import.lexicon import (
    Entry,
    Lexicon,
    build_lexicon,
    exact_form,
    loose_form,
    strip_zero_decimals,
)
from aiready.errors import InputError, UsageError, raise_all
from aiready.inputs.files import DEFAULT_DIALECT, ROW, column_names, detect_encoding, find_header, read_csv
from aiready.inputs.safe_text import safe_cell

IGNORE, RESPONDENT = "ignore", "respondent"
OWN_COLUMNS = {"date": "date", "submitted": "submitted", "finished": "finished", "person": "person",
               RESPONDENT: "person"}  # fmt: skip
"""What the map may call a column that the tool added -> the meaning of that column."""
COLUMN, PART = "column", "part"
SAME_SURVEY, OTHER_PEOPLE = "same", "other"
"""What the map may say about an earlier part with the same answers: the same survey, or other people."""
KINDS = (COLUMN, "unit", "role", "ai_use", "answer", PART)
COLUMNS = ("kind", "item", "in_file", "means", "note")
FINISH_UNKNOWN = "Nothing says who finished"
"""Start of the note that asks which column shows who finished."""
_LONGEST = 3_000
"""Most characters of questions in a message; the map has every row."""
_MARK = "\ufeff"
"""The byte order mark, by which spreadsheets recognise UTF-8."""
_APOSTROPHES = str.maketrans("’‘", "''")


@dataclass(frozen=True)
class MapRow:
    """One row of the map file. In an open question `means` is a suggestion or blank, and `note` what is possible."""

    kind: str
    item: str
    in_file: str
    means: str = ""
    note: str = ""


@dataclass(frozen=True)
class ImportMap:
    """Content of a map file: its rows, and by kind and item the lexicon of their texts (blank meaning: left open)."""

    rows: tuple[MapRow, ...] = ()
    lexicons: Mapping[tuple[str, str], Lexicon] = field(default_factory=dict)

    def means(self, kind: str, item: str, text: str) -> str | None:
        """Meaning of a text, first for its item, then for all items; blank where left open, None where not in the map.

        Texts match when only case, punctuation and accents differ, and no other row matches more closely.
        """
        for key in ((kind, item), (kind, "")):
            if key in self.lexicons and (meanings := self.lexicons[key].meanings(text)):
                filled = [meaning for meaning in meanings if meaning]
                return filled[0] if len(filled) == 1 else ""
        return None


def read_map(path: Path | None) -> ImportMap:
    """Read a map file; rows with a blank `means` are left open.

    Raises
    ------
    UsageError
        There is no such file.
    InputError
        A column is missing, a kind is unknown, or two rows contradict each other; lists every wrong row.
    """
    if path is None:
        return ImportMap()
    if not path.is_file():
        raise UsageError(f"{path}: there is no such map. Leave out --map, and one is written where it is needed.")
    sheet = read_csv(path, COLUMNS, path.name)
    lacking = [name for name in COLUMNS[:4] if name not in sheet.columns]
    raise_all(InputError, [f'{path.name}: the column "{name}" is missing. Add it.' for name in lacking])
    table = sheet.batches.read_all().to_pandas()
    wrong = table.loc[~table["kind"].isin(KINDS)]
    problems = [
        f'{path.name}, row {row}, column "kind": "{kind}" is none of {", ".join(KINDS)}.'
        for row, kind in zip(wrong[ROW], wrong["kind"], strict=True)
    ]
    rows = [
        MapRow(row.kind, row.item, row.in_file, strip_zero_decimals(row.means).translate(_APOSTROPHES))
        for row in table.itertuples(index=False)
    ]
    problems += _contradictions(path.name, rows, table[ROW].tolist())
    raise_all(InputError, problems)
    return ImportMap(tuple(rows), _by_kind(rows))


def _contradictions(file: str, rows: Sequence[MapRow], numbers: Sequence[int]) -> list[str]:
    """Problems of rows that give different meanings to the same text."""
    first: dict[tuple[str, str, str], tuple[int, str]] = {}
    problems = []
    for row, line in zip(rows, numbers, strict=True):
        if not row.means:
            continue
        before, means = first.setdefault((row.kind, row.item, exact_form(row.in_file)), (line, row.means))
        if means != row.means:
            problems.append(
                f'{file}, rows {before} and {line}: "{row.in_file}" is said to mean {means} and {row.means}. '
                "Remove one of the rows."
            )
    return problems


def _by_kind(rows: Iterable[MapRow]) -> dict[tuple[str, str], Lexicon]:
    entries: dict[tuple[str, str], list[Entry]] = {}
    for row in rows:
        entries.setdefault((row.kind, row.item), []).append(("map", row.in_file, row.means))
    return {key: build_lexicon(row_entries) for key, row_entries in entries.items()}


def nearest(text: str, meanings: Mapping[str, str]) -> str:
    """Meaning of the most similar known text; blank when none is similar."""
    close = get_close_matches(loose_form(text), list(meanings), n=1, cutoff=0.6)
    return meanings[close[0]] if close else ""


def write_questions(questions: Sequence[MapRow], path: Path, file: str) -> InputError:
    """Append open questions to a map file, and return the error that says what to do."""
    added = _append_questions(questions, path)
    suggested = any(question.means for question in added)
    do = "Suggestions are filled in: correct the column `means`" if suggested else "Fill in the column `means`"
    return InputError(
        f"{describe_questions(questions, file)}\n{do} in {path}, then run again with --map {path}. "
        "Nothing was imported."
    )


def _append_questions(questions: Sequence[MapRow], path: Path) -> list[MapRow]:
    """Append the rows that a map file lacks, in its own format and leaving the rest as it is; return them."""
    exists = path.is_file()
    encoding = detect_encoding(path, path.name) if exists else "utf-8"
    dialect, _, header = find_header(path, encoding) if exists else (DEFAULT_DIALECT, 1, list(COLUMNS))
    rows = read_csv(path, COLUMNS, path.name).batches.read_all().to_pylist() if exists else []
    keys = {(row.get("kind"), row.get("item", ""), exact_form(row.get("in_file", ""))) for row in rows}
    added = [
        question for question in questions if (question.kind, question.item, exact_form(question.in_file)) not in keys
    ]
    text = path.read_bytes().decode(encoding) if exists else _MARK + ",".join(COLUMNS) + "\n"
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, **dialect.options, lineterminator=newline)
    while header and not header[-1].strip():
        header.pop()
    names = column_names(header, COLUMNS, path.name)
    writer.writerows([_cells(question).get(name, "") for name in names] for question in added)
    text += lines.getvalue() if text.endswith(("\n", "\r")) else newline + lines.getvalue()
    try:
        content = text.encode(encoding)
    except UnicodeEncodeError:
        content = (_MARK + text).encode()
    write_file(path, content)
    return added


def _cells(row: MapRow) -> dict[str, str]:
    texts = {
        "kind": row.kind,
        "item": row.item,
        "in_file": strip_zero_decimals(row.in_file),
        "means": row.means,
        "note": row.note,
    }
    return {name: safe_cell(text) for name, text in texts.items()}


def describe_questions(questions: Sequence[MapRow], file: str) -> str:
    """List open questions, a line each, with suggestions."""
    one = len(questions) == 1
    lines = [f"{file}: {len(questions)} {'thing is' if one else 'things are'} not known, and must be named in a map:"]
    sentences = [_sentence(question) for question in questions]
    fitting = sum(1 for size in accumulate(len(text) for text in sentences) if size <= _LONGEST)
    lines += sentences[:fitting]
    notes = [question.note for question in questions if question.note.startswith(FINISH_UNKNOWN)]
    lines += [f"  {note}" for note in dict.fromkeys(notes)]
    more = len(questions) - fitting
    return "\n".join(lines + [f"  and {more} more, each a row of the map"] * (more > 0))


def _sentence(question: MapRow) -> str:
    suggestion = f"; {question.means}?" if question.means else ""
    note = question.note if question.kind in (PART, "unit") else question.note.partition(";")[0]
    why = f" ({note})" if note and question.kind != COLUMN else ""
    where = f" of {question.item}" if question.item else ""
    return f'  {question.kind}{where} "{_short(question.in_file)}"{suggestion}{_short(why)}'


def _short(text: str) -> str:
    return text if len(text) <= 100 else text[:97] + "..."
