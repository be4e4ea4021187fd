"""Define, read and check the files of an instrument folder."""

import os
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

import pandas as pd

from aiready.errors import InputError, unknown_name
from aiready.model.cell_values import parse_number
from aiready.model.registry import MEASURES
from aiready.model.schema import BLOCKERS, ROLES, TABLES
from aiready.package_files import read_rows

Tables = Mapping[str, pd.DataFrame]
Problem = tuple[int, str, str]
"""Line of the file (0: the file as a whole), column, and what is wrong with the value and how to correct it."""


@dataclass(frozen=True)
class FileSpec:
    """Columns of one file: `required` ones, `optional` ones with the value of a blank, and those of its `key`."""

    required: tuple[str, ...]
    optional: Mapping[str, str]
    key: tuple[str, ...]
    must_exist: bool = False


def _optional(*columns: str, **meaning: str) -> Mapping[str, str]:
    return dict.fromkeys(columns, "") | meaning


FILES: Mapping[str, FileSpec] = {
    "barriers": FileSpec(("barrier_id", "name"), _optional("statement"), ("barrier_id",), must_exist=True),
    "items": FileSpec(
        ("item_id", "barrier_id", "wording"),
        _optional("facet", "facet_label", "theme", "replaces", roles=";".join(ROLES), reverse_scored="no"),
        ("item_id",),
        must_exist=True,
    ),
    "indicators": FileSpec(
        ("indicator_id", "barrier_id", "measure", "value_at_0", "value_at_100"),
        _optional("facet", "label", weight="1"),
        ("indicator_id",),
        must_exist=True,
    ),
    "bands": FileSpec(("band", "at_least"), _optional("name"), ("band",)),
    "blockers": FileSpec(("blocker", "barrier_id"), _optional("label"), ("blocker",)),
    "patterns": FileSpec(
        ("pattern_id", "name"), _optional("fits_when", "oversight", "fails_by", "measure"), ("pattern_id",)
    ),
    "twins": FileSpec(
        ("barrier_id", "facet", "label"),
        _optional("measure", "register_column", "says", says_from="4"),
        ("barrier_id", "facet", "measure", "register_column"),
    ),
    "actions": FileSpec(
        ("template_id", "barrier_id", "trigger", "trigger_value", "action", "reason", "first_step"),
        _optional("owner_role", "effort", "strategy", "measure", "pattern_id"),
        ("template_id",),
    ),
    "sources": FileSpec(("source_id", "citation"), _optional("what", "used_for"), ("source_id",)),
}
"""In the order read: a file may refer to rows of the files before it."""

SETTINGS = FileSpec(("setting",), _optional("value", "meaning"), ("setting",))

STRATEGIES = (
    "problem_first", "users_from_start", "context_before_power", "ship_small", "trust_and_oversight",
)  # fmt: skip
PLACEHOLDERS = ("value", "n")
"""Placeholders in the reason of an action: the value that triggered it, and its n."""

_NUMBERS = ("value_at_0", "value_at_100", "weight", "at_least", "says_from")
_LISTS = ("roles", "register_column")
_VOCABULARY: Mapping[str, Collection[str]] = {
    "measure": tuple(MEASURES),
    "roles": ROLES,
    "theme": ("work", "workforce", "workplace"),
    "reverse_scored": ("yes", "no"),
    "blocker": BLOCKERS,
    "register_column": TABLES["initiatives"].names,
    "trigger": ("band", "facet", "indicator", "blocker"),
    "effort": ("small", "medium", "large"),
    "strategy": STRATEGIES,
}


def level_columns(scale_points: int) -> tuple[str, ...]:
    """Columns of `items.csv` that hold the wording of the levels, lowest first."""
    return tuple(f"level_{k}" for k in range(1, scale_points + 1))


def problem_line(file: str, problem: Problem) -> str:
    """One problem as a line: file, row, column, and what is wrong and how to correct it."""
    row, column, text = problem
    return f'{file}, {f"row {row}, " if row else ""}column "{column}": {text}'


# Folder ---------------------------------------------------------------------------------------------------


def foreign_entries(folder: Path) -> list[str]:
    """Problems with entries of an instrument folder that are not read: links out of the data folder, pipes."""
    data = Path(os.path.realpath(folder.parent))
    problems = [_outside_link(folder, data)]
    for path in () if any(problems) else sorted(folder.iterdir()):
        problems.append(_outside_link(path, data))
        if not problems[-1] and not path.is_file() and not path.is_dir():
            problems.append(f"{folder.name}/{path.name}: is no file, and was not read. Take it away.")
    return [problem for problem in problems if problem]


def _outside_link(path: Path, data: Path) -> str:
    """The problem with a link that leads out of the data folder; empty for anything else."""
    if not path.is_symlink() or Path(os.path.realpath(path)).is_relative_to(data):
        return ""
    return f"{path}: is a link to a place outside the data folder, and was not followed. Copy what it leads to there."


# Reading ----------------------------------------------------------------------------------------------------


def read_table(path: Path, file: FileSpec, levels: tuple[str, ...] = ()) -> tuple[pd.DataFrame, list[str]]:
    """Read one file as text, indexed by line number; with problems the table is empty.

    Blank cells of optional columns get their default.
    """
    if not path.exists():
        return pd.DataFrame(), [f"{path.name}: missing from {path.parent}. Copy the shipped one and edit it."]
    try:
        header, lines = _lines(path)
    except InputError as error:
        return pd.DataFrame(), [str(error)]
    problems = [f"{path.name}{text}" for text in _shape_problems(header, lines, (*file.required, *levels))]
    if levels:
        problems += [f"{path.name}{text}" for text in _surplus_levels(header, levels)]
    if problems:
        return pd.DataFrame(), problems
    padded = {row: cells + [""] * (len(header) - len(cells)) for row, cells in lines.items()}
    table = pd.DataFrame.from_dict(padded, orient="index", columns=header, dtype=object)
    for column, meaning in file.optional.items():
        table[column] = table[column].where(table[column] != "", meaning) if column in table else meaning
    return table[list(dict.fromkeys((*file.key, *file.required, *levels, *file.optional)))], []


def _lines(path: Path) -> tuple[list[str], dict[int, list[str]]]:
    """Header, and non-empty lines by line number; empty cells at the end of a line are dropped."""
    filled: dict[int, list[str]] = {}
    for number, row in read_rows(path):
        cells = [" ".join(unicodedata.normalize("NFC", cell).split()) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        filled |= {number: cells} if cells else {}
    header = filled.pop(min(filled)) if filled else []
    return [name.lower() for name in header], filled


def _shape_problems(header: list[str], lines: Mapping[int, list[str]], required: Iterable[str]) -> Iterator[str]:
    """Missing and repeated columns, and lines with more cells than the header."""
    for column in required:
        if column not in header:
            yield f': column "{column}" is missing. Add it to the first line.'
    for column in sorted({column for column in header if header.count(column) > 1}):
        yield f': column "{column}" is there twice. Remove one.'
    for row, cells in lines.items():
        if len(cells) > len(header):
            more = f"{len(cells)} cells for {len(header)} columns"
            yield f", row {row}: {more}. Quote a cell that holds the delimiter."


def _surplus_levels(header: list[str], levels: tuple[str, ...]) -> Iterator[str]:
    """Columns of levels beyond the number of points of the scale."""
    for column in header:
        if column.startswith("level_") and column not in levels:
            yield (
                f': column "{column}", but scale_points is {len(levels)}. '
                "Remove it, or set scale_points in settings.csv."
            )


def split_list(text: str) -> tuple[str, ...]:
    """Entries of a cell that holds a list separated by semicolons."""
    return tuple(part.strip() for part in text.split(";") if part.strip())


def convert_number_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Convert the number columns of a table to float64."""
    columns = table.columns.intersection(list(_NUMBERS))
    return table.assign(**{column: table[column].map(parse_number).astype(float) for column in columns})


# Checking ---------------------------------------------------------------------------------------------------


def table_problems(name: str, table: pd.DataFrame, earlier: Tables, levels: tuple[str, ...] = ()) -> Iterator[Problem]:
    """Everything wrong with the rows of one file, given the valid tables of the files read before it."""
    file = FILES[name]
    for column in (*file.required, *levels):
        for row in table.index[table[column] == ""]:
            yield row, column, "is empty. Fill it in."
    yield from duplicate_keys(table, file.key)
    for column in table.columns.intersection(list(_NUMBERS)):
        for row, text in table.loc[table[column].map(parse_number).isna() & (table[column] != ""), column].items():
            yield int(str(row)), column, f'"{text}" is not a number. Write one.'
    yield from _unknown_values(name, table, earlier)
    if name in _RULES:
        yield from _RULES[name](table, earlier)


def duplicate_keys(table: pd.DataFrame, key: tuple[str, ...]) -> Iterator[Problem]:
    """Rows that repeat the key of an earlier row."""
    duplicates = table.loc[table.duplicated(list(key)), list(key)]
    for row, *values in duplicates[(duplicates != "").any(axis=1)].itertuples():
        yield row, ", ".join(key), f'"{", ".join(values)}" is there already. Rename or remove one.'


def _unknown_values(name: str, table: pd.DataFrame, earlier: Tables) -> Iterator[Problem]:
    """Cells that are none of the allowed words, or name no barrier or pattern."""
    allowed = dict(_VOCABULARY)
    for other, column in (("barriers", "barrier_id"), ("patterns", "pattern_id")):
        if other in earlier and other != name:
            allowed[column] = tuple(earlier[other][column])
    for column in table.columns.intersection(list(allowed)):
        kind = column.removesuffix("_id").replace("_", " ").removesuffix("s")
        for row, text in table[column].items():
            for part in split_list(text) if column in _LISTS else filter(None, [text]):
                if part not in allowed[column]:
                    yield int(str(row)), column, str(unknown_name(kind, part, allowed[column]))


def _barrier_rules(barriers: pd.DataFrame, _earlier: Tables) -> Iterator[Problem]:
    if not len(barriers):
        yield 0, "barrier_id", "there is no barrier. Write at least one."


def _item_rules(items: pd.DataFrame, earlier: Tables) -> Iterator[Problem]:
    for row in items.index[items["item_id"].isin(TABLES["responses"].names)]:
        yield row, "item_id", f'"{items.at[row, "item_id"]}" is a column of every survey. Choose another id.'
    replaced = items["replaces"]
    for row in items.index[replaced.ne("") & (replaced.isin(items["item_id"]) | replaced.duplicated(keep=False))]:
        yield row, "replaces", f'"{replaced[row]}" is asked still, or replaced twice. Name an item that is gone, once.'
    barriers = earlier["barriers"]["barrier_id"] if "barriers" in earlier else pd.Series(dtype=object)
    for barrier in barriers[~barriers.isin(items["barrier_id"])]:
        yield 0, "barrier_id", f'barrier "{barrier}" has no item. Write one, or remove the barrier.'


def _indicator_rules(indicators: pd.DataFrame, earlier: Tables) -> Iterator[Problem]:
    numbers = convert_number_columns(indicators)
    for row in numbers.index[numbers["value_at_0"] == numbers["value_at_100"]]:
        value = indicators.at[row, "value_at_100"]
        yield row, "value_at_100", f'"{value}" is value_at_0 too. Write the values worth 0 and worth 100.'
    for row in numbers.index[numbers["weight"] <= 0]:
        yield row, "weight", f'"{indicators.at[row, "weight"]}" is not above 0. Remove the row instead.'
    yield from _unknown_facets(indicators, "facet", earlier)


def _unknown_facets(table: pd.DataFrame, column: str, earlier: Tables) -> Iterator[Problem]:
    if "items" not in earlier:
        return
    facets = earlier["items"].groupby("barrier_id")["facet"].agg(tuple)
    for row, barrier, facet in table[["barrier_id", column]].itertuples():
        if facet and barrier in facets.index and facet not in facets[barrier]:
            yield row, column, str(unknown_name(f"{barrier} facet", facet, facets[barrier]))


def _band_rules(bands: pd.DataFrame, _earlier: Tables) -> Iterator[Problem]:
    at_least = convert_number_columns(bands)["at_least"]
    if not len(bands) or at_least.iloc[0] != 0:
        yield int(bands.index[0]) if len(bands) else 0, "at_least", "the first band must begin at 0."
    for row in at_least.index[at_least.diff() <= 0]:
        yield row, "at_least", f'"{bands.at[row, "at_least"]}" is not above the row before. Sort upwards.'
    for row in at_least.index[at_least > 100]:
        yield row, "at_least", f'"{bands.at[row, "at_least"]}" is above 100. Bands are on the 0-100 scale.'


def _twin_rules(twins: pd.DataFrame, earlier: Tables) -> Iterator[Problem]:
    yield from _unknown_facets(twins, "facet", earlier)
    for row in twins.index[(twins["measure"] == "") == (twins["register_column"] == "")]:
        yield row, "measure", "name a measure or a register_column, one of the two."


def _action_rules(actions: pd.DataFrame, earlier: Tables) -> Iterator[Problem]:
    for trigger, name, column in (("band", "bands", "band"), ("indicator", "indicators", "indicator_id")):
        triggered = actions[actions["trigger"] == trigger]
        for row, value in triggered["trigger_value"].items() if name in earlier else ():
            if value and value not in tuple(earlier[name][column]):
                yield int(str(row)), "trigger_value", str(unknown_name(trigger, value, earlier[name][column]))
    yield from _unknown_facets(actions[actions["trigger"] == "facet"], "trigger_value", earlier)
    for row, value in actions.loc[actions["trigger"] == "blocker", "trigger_value"].items():
        if value not in BLOCKERS:
            yield int(str(row)), "trigger_value", str(unknown_name("blocker", value, BLOCKERS))
    for row, reason in actions["reason"].items():
        yield from ((int(str(row)), "reason", complaint) for complaint in _placeholder_problems(reason))


def _placeholder_problems(reason: str) -> Iterator[str]:
    try:
        names = [name for _, name, _, _ in Formatter().parse(reason) if name is not None]
    except ValueError:
        yield f'"{reason}" has a brace without its partner. Close it, or remove it.'
        return
    yield from (str(unknown_name("placeholder", name, PLACEHOLDERS)) for name in names if name not in PLACEHOLDERS)


_RULES: Mapping[str, Callable[[pd.DataFrame, Tables], Iterator[Problem]]] = {
    "barriers": _barrier_rules,
    "items": _item_rules,
    "indicators": _indicator_rules,
    "bands": _band_rules,
    "twins": _twin_rules,
    "actions": _action_rules,
}
