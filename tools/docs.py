"""Pages written from the code: `docs/measures.md`, `docs/modules.md` and the tables of `docs/your-data.md`.

What is said of a measure beyond its name stands in `measure_notes.csv` beside this file, one row per measure;
what is said of a column stands in `schema`. `python -m tools.docs docs` writes all pages anew.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

import aiready
from aiready.atomic_files import write_file
from aiready.instrument.model import read_instrument
from aiready.model.registry import MEASURES, Measure, measures_of_table
from aiready.model.schema import TABLES, Column, Table

NOTES = Path(__file__).with_name("measure_notes.csv")
NOTE_COLUMNS = ("measure", "formula", "range", "missing", "misleads", "source")
CONVENTION = "convention"
"""Source of what is our own convention: a number in `settings.csv`, no standard."""

START, END = "<!-- generated: tables -->", "<!-- end of generated -->"
OPTIONAL_NOTES = {"share": "0-1", "flag": "yes or no", "check": "yes, no or the date it was done"}
PACKAGE = Path(aiready.__file__).parent
ROOMS = (
    "model", "messages", "instrument", "charts", "inputs", "privacy", "collection", "measures", "profile", "pages",
    "batch", "workbook", "cli",
)  # fmt: skip
"""In the order data flow: a room imports only from those before it."""
_MODULES_HEAD = """# Modules

Every module of the package, room by room in the order data flow. A room imports only from rooms before it, measures
never import each other, and charts see `messages` and `model` alone: contracts in pyproject.toml (`lint-imports`).
This page is written by `python -m tools.docs docs` from the docstrings of the modules; change those.
"""
_MEASURES_HEAD = """# Measures

Every number that `results/measures.csv` can hold, by the table it rests on. This page is written by
`python -m tools.docs docs` from `aiready/model/registry.py` and `tools/measure_notes.csv`; change those.

Read first: only rows with status `ok` carry numbers. A zero denominator gives `insufficient`, never 0; absent
data gives `not_measured`, never 0; too few people gives `suppressed`. Nothing is rounded in tables. Intervals are
95 % and are not clipped to the range. Limits in days, per cent and counts are the shipped values of
`data/instrument/settings.csv`; where no work is cited the measure is our own convention, not a standard. A parent
unit is computed from the rows of itself and all its descendants, never from averages of averages.
"""


def measure_notes() -> pd.DataFrame:
    """What is said of each measure: one row per measure, `NOTE_COLUMNS`; `source` holds source ids, `;` between."""
    return pd.read_csv(NOTES, dtype=str, keep_default_na=False)


def measures_page() -> str:
    """The page of measures as Markdown, by input table in the order of the closed list."""
    notes = measure_notes().set_index("measure")
    cited = read_instrument().sources.set_index("source_id")["citation"]
    parts = [_MEASURES_HEAD, _contents()]
    for table in TABLES.values():
        parts += [f"\n## {table.name}\n\nOne row per {table.grain}.\n"] if measures_of_table(table.name) else []
        parts += [_measure_entry(MEASURES[name], notes.loc[name], cited) for name in measures_of_table(table.name)]
    used = sorted({one for sources in notes["source"] for one in sources.split(";")} - {CONVENTION})
    parts.append("\n## Sources\n\n" + "".join(f"- {cited[one]}\n" for one in used))
    return "".join(parts)


def _contents() -> str:
    linked = [
        f"- [{table}](#{table}): " + ", ".join(f"[{name}](#{name})" for name in measures_of_table(table))
        for table in TABLES
        if measures_of_table(table)
    ]
    return "\n" + "\n".join(linked) + "\n"


def _measure_entry(measure: Measure, notes: pd.Series, cited: pd.Series) -> str:
    references = [one for one in notes["source"].split(";") if one != CONVENTION]
    source = "; ".join(_short(cited[one]) for one in references) or "Our own convention"
    entries = (
        ("Formula", notes["formula"]),
        ("Range", notes["range"] + "."),
        ("Missing data", notes["missing"]),
        ("When it misleads", notes["misleads"]),
        ("Source", source + "."),
    )
    lines = "".join(f"- **{about}.** {_escaped(text)}\n" for about, text in entries)
    return f"\n### {measure.name}\n\n{measure.label} · {measure.unit}\n\n{lines}"


def _short(citation: str) -> str:
    """Authors and year of a full citation; more than two authors as et al.

    Examples
    --------
    >>> _short("Brier, G. W. (1950). Verification of forecasts."), _short("Feng, D., & Cliff, N. (2004). Monte Carlo.")
    ('Brier (1950)', 'Feng & Cliff (2004)')
    """
    authors, _, rest = citation.partition(" (")
    surnames = [author.split(",")[0] for author in re.split(r"\.,\s+(?:&\s+)?", authors)]
    shortened = " & ".join(surnames) if len(surnames) < 3 else f"{surnames[0]} et al."
    return f"{shortened} ({rest.split(')')[0]})"


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is: no emphasis, no second cell."""
    return text.replace("*", r"\*").replace("|", r"\|")


def tables_section() -> str:
    """The input tables as Markdown: grain, columns, kinds, allowed values, meaning, example."""
    return "\n".join(line for table in TABLES.values() for line in _table_entry(table))


def _table_entry(table: Table) -> Iterator[str]:
    yield f"### {table.name}\n"
    unique = ", ".join(f"`{name}`" for name in table.key)
    yield f"One row per {table.grain}. " + (f"May not occur twice: {unique}. " if unique else "") + _gives(table)
    yield f"Who has it: {table.held_by}. Effort: {table.effort}.\n"
    for first, then in table.ordered:
        yield f"`{then}` may not lie {'before' if then.endswith(('_on', '_at')) else 'below'} `{first}`."
    yield "\n| column | kind | meaning | example |\n|---|---|---|---|"
    yield from (_column_row(column, table) for column in table.columns)
    if table.name == "responses":
        yield (
            "| one column per `item_id` | level | the answer: a level from 1 on, `does not apply`, `don't know`, or"
            " blank; a column whose item the role is not asked stays blank | 3 |"
        )
    yield ""


def _gives(table: Table) -> str:
    measured = measures_of_table(table.name)
    linked = ", ".join(f"[{name}](measures.md#{name})" for name in measured[:4])
    more = f" and {len(measured) - 4} more" if len(measured) > 4 else ""
    return f"Gives {linked}{more}." if measured else "No measure is named after it: others use it."


def _column_row(column: Column, table: Table) -> str:
    name = f"**`{column.name}`**" if column.required else f"`{column.name}`"
    marks = (" ●" if column.starter else "") + (" (hashed)" if column.name in table.hashed else "")
    allowed = ": " + ", ".join(f"`{one}`" for one in column.allowed) if column.allowed else ""
    cells = (name + marks, column.kind + _limits(column) + allowed, column.meaning, column.example)
    first, *others = cells
    return "| " + " | ".join([first, *map(_escaped, others)]) + " |"


def _limits(column: Column) -> str:
    if column.at_least is not None and column.at_most is not None:
        return f", {column.at_least:g} to {column.at_most:g}"
    if column.at_least is not None:
        return f", {column.at_least:g} or more"
    return f" ({OPTIONAL_NOTES[column.kind]})" if column.kind in OPTIONAL_NOTES else ""


def modules_page() -> str:
    """Every room in the order data flow, with its modules and what each says of itself, as Markdown."""
    parts = [_MODULES_HEAD]
    for room in ROOMS:
        folder = PACKAGE / room
        parts.append(f"\n## {room}\n\n{_purpose(folder / '__init__.py')}\n\n| module | what it does |\n| --- | --- |\n")
        for path in sorted(folder.rglob("*.py")):
            name = ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
            if name != "__init__":
                parts.append(f"| `{name}` | {_purpose(path)} |\n")
    parts.append("\n## Used by every room\n\n| module | what it does |\n| --- | --- |\n")
    parts += [f"| `{path.stem}` | {_purpose(path)} |\n" for path in sorted(PACKAGE.glob("*.py"))]
    return "".join(parts)


def _purpose(path: Path) -> str:
    """The first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0].replace("|", "\\|")


def with_tables(page: str) -> str:
    """A page with the part between its two marks written anew.

    Raises
    ------
    ValueError
        The page lacks a mark.
    """
    before, start, rest = page.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise ValueError(f"The page needs the marks {START} and {END}.")
    return f"{before}{START}\n\n{tables_section()}\n{END}{after}"


def write_docs(folder: Path) -> None:
    """Write `measures.md`, `modules.md` and the tables of `your-data.md` into a docs folder."""
    write_file(folder / "measures.md", measures_page().encode())
    write_file(folder / "modules.md", modules_page().encode())
    guide = folder / "your-data.md"
    write_file(guide, with_tables(guide.read_text(encoding="utf-8")).encode())


if __name__ == "__main__":
    write_docs(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
