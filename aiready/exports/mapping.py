"""The table that says what an export's own columns, units, roles and words mean: written to be edited, read back.

Grain: one row per thing that the questionnaire does not name: `kind` (column, unit, role, ai_use, answer), `item`
(of an answer: the question; blank: all), `in_file` (as it stands there), `means` (what it is; `ignore` for a column),
`note`.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from difflib import get_close_matches
from pathlib import Path

import pandas as pd

from aiready.errors import InputError, UsageError, all_at_once
from aiready.exports.words import plain
from aiready.publication import write
from aiready.readers import ROW, read_csv
from aiready.sources import safe_cells

IGNORE, RESPONDENT = "ignore", "respondent"
KINDS = ("column", "unit", "role", "ai_use", "answer")
COLUMNS = ("kind", "item", "in_file", "means", "note")
_LISTED = 6


@dataclass(frozen=True)
class Open:
    """Something in the file that nobody has named yet: what it may be, and how often it stands there."""

    kind: str
    item: str
    in_file: str
    means: str = ""
    note: str = ""


Map = Mapping[tuple[str, str, str], str]
"""(kind, item, plain text in the file) -> what it means."""


def read_map(path: Path | None) -> Map:
    """What the analyst wrote in a map file; rows with a blank `means` are left open.

    Raises
    ------
    UsageError
        There is no such file.
    InputError
        A column is missing or a kind is unknown: every row that is wrong.
    """
    if path is None:
        return {}
    if not path.is_file():
        raise UsageError(f"{path}: there is no such map. Leave out --map, and one is written where it is needed.")
    sheet = read_csv(path, COLUMNS, path.name)
    lacking = [name for name in COLUMNS[:4] if name not in sheet.columns]
    all_at_once(InputError, [f'{path.name}: the column "{name}" is missing. Add it.' for name in lacking])
    rows = sheet.batches.read_all().to_pandas()
    wrong = rows.loc[~rows["kind"].isin(KINDS)]
    all_at_once(
        InputError,
        [
            f'{path.name}, row {row}, column "kind": "{kind}" is none of {", ".join(KINDS)}.'
            for row, kind in zip(wrong[ROW], wrong["kind"], strict=True)
        ],
    )
    keys = zip(rows["kind"], rows["item"], map(plain, rows["in_file"]), strict=True)
    return dict(zip(keys, rows["means"], strict=True))


def nearest(text: str, known: Mapping[str, str]) -> str:
    """What the nearest known text stands for; blank when nothing is near."""
    near = get_close_matches(plain(text), list(known), n=1, cutoff=0.6)
    return known[near[0]] if near else ""


def ask(questions: Sequence[Open], path: Path, file: str, *, keep: bool) -> InputError:
    """Write what is open into a map file, below what it says already when `keep`, and say what to do."""
    kept = _kept(path) if keep else []
    write(path, _csv([*kept, *questions]))
    suggested = any(question.means for question in questions)
    do = "Suggestions are filled in: correct the column `means`" if suggested else "Fill in the column `means`"
    return InputError(
        f"{listed(questions, file)}\n{do} in {path}, then run again with --map {path}. Nothing was imported."
    )


def listed(questions: Sequence[Open], file: str) -> str:
    """What is open, one line each, and what it may be."""
    one = len(questions) == 1
    lines = [f"{file}: {len(questions)} {'thing is' if one else 'things are'} not known, and must be named in a map:"]
    lines += [_sentence(question) for question in questions[:_LISTED]]
    more = len(questions) - _LISTED
    return "\n".join(lines + [f"  and {more} more"] * (more > 0))


def _sentence(question: Open) -> str:
    near = f"; {question.means}?" if question.means else ""
    where = f" of {question.item}" if question.item else ""
    return f'  {question.kind}{where} "{_short(question.in_file)}"{near}'


def _short(text: str) -> str:
    return text if len(text) <= 70 else text[:67] + "..."


def _kept(path: Path) -> list[Open]:
    """Rows of the map that say something already."""
    if not path.is_file():
        return []
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    rows = rows[rows["means"] != ""].reindex(columns=list(COLUMNS), fill_value="")
    return [Open(*row) for row in rows.itertuples(index=False)]


def _csv(rows: Iterable[Open]) -> bytes:
    table = safe_cells(pd.DataFrame([astuple(row) for row in rows], columns=list(COLUMNS)))
    buffer = io.StringIO()
    table.to_csv(buffer, index=False)
    return buffer.getvalue().encode("utf-8-sig")  # spreadsheets read it right
