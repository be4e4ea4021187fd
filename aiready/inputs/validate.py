"""Typed rows -> rules broken and quarantine: one list of rules, derived from the schema, for every engine.

A rule is a column, a sentence and a mask that is true where a row breaks it. The masks are written with what
pandas and Ibis spell alike, so small tables and the decision log are judged by the same lines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import ibis
import ibis.expr.types as ir
import pandas as pd

from aiready.inputs.files import FILE, ROW, SURPLUS
from aiready.inputs.parse import GIVEN, NO_LEVEL, says_nothing
from aiready.model.registry import ORGANISATION
from aiready.model.schema import Column, Table

Rows: TypeAlias = pd.DataFrame | ir.Table
Mask = Any
"""A boolean pandas Series or Ibis column: rules use only what both spell alike."""

_WANTED = {
    "integer": "is no whole number",
    "number": "is no number (a point or a comma before decimals, nothing between thousands)",
    "share": "is no number (write 0.45 or 45 %)",
    "date": "is no date between 1900 and 2199 (write 2026-05-11)",
    "timestamp": "is no time between 1900 and 2199 (write 2026-05-11T09:30:00)",
    "wave": "is no wave (write 2026-Q3, 2026-09 or 2026)",
    "flag": "is neither yes nor no",
    "check": "is neither yes nor no nor the date it was done",
}
ALONE = "is dated long after everything else (correct it, or give --as-of if it is right)"
"""The rule that sets aside a date by which all ages would be counted too long."""
_EARLIEST, _LATEST = datetime(1900, 1, 1), datetime(2200, 1, 1)
_UNKNOWN = {
    "unit_id": "is not in the table units",
    "initiative_id": "is not in the table initiatives",
    "barrier_id": "is no barrier of the instrument",
}


@dataclass(frozen=True)
class Rule:
    """What a row may not do: where it shows, what is said, and the mask that is true where it does."""

    column: str
    text: str
    broken: Mask


def rules_of(table: Table, rows: Rows, *, levels: Mapping[str, int], known: Mapping[str, Sequence[str]]) -> list[Rule]:
    """Rules of a typed table.

    Parameters
    ----------
    table, rows
        The schema's table and its typed rows, in pandas or on the engine.
    levels
        Scale points of each item column.
    known
        Ids that a column may name, by column.
    """
    there = [column for column in table.columns if column.name in rows.columns]
    rules = [rule for column in there for rule in _column_rules(column, rows, known)]
    for item, top in levels.items():
        if item in rows.columns:
            text = f"is no level from 1 to {top} (leave it empty for no answer)"
            rules.append(Rule(item, text, rows[item] == NO_LEVEL))
    kinds = {column.name: column.kind for column in table.columns}
    for early, late in table.ordered:
        if early in rows.columns and late in rows.columns:
            word = "below" if kinds[late] in ("number", "integer", "share") else "before"
            rules.append(Rule(late, f"is {word} {early}", rows[late] < rows[early]))
    if table.name == "trials":
        rules += _trial_rules(rows)
    if SURPLUS in rows.columns:
        rules.append(Rule(SURPLUS, "more cells than the header has columns", rows[SURPLUS].notnull()))
    return rules


def _column_rules(column: Column, rows: Rows, known: Mapping[str, Sequence[str]]) -> list[Rule]:
    name, value = column.name, rows[column.name]
    rules = []
    blank = says_nothing(column, rows[GIVEN + name]) if GIVEN + name in rows.columns else value.isnull()
    if column.required:
        rules.append(Rule(name, "is missing", blank))
    wanted = f"is none of {', '.join(column.allowed)}" if column.allowed else _WANTED.get(column.kind)
    if wanted and GIVEN + name in rows.columns:
        rules.append(Rule(name, wanted, value.isnull() & ~blank))
    if column.kind == "integer":
        rules.append(Rule(name, _WANTED["integer"], value.notnull() & (value % 1 != 0)))
    if column.kind in ("date", "timestamp"):
        # beyond lie typing errors and placeholders such as 9999-12-31
        rules.append(Rule(name, _WANTED[column.kind], (value < _EARLIEST) | (value >= _LATEST)))
    if column.before is not None:
        rules.append(Rule(name, ALONE, (value >= column.before) & (value < _LATEST)))
    if column.at_least is not None:
        rules.append(Rule(name, f"is below {column.at_least:g}", value < column.at_least))
    if column.at_most is not None:
        rules.append(Rule(name, f"is above {column.at_most:g}", value > column.at_most))
    if name == "unit_id":
        rules.append(Rule(name, "`*` stands for the organisation", value == ORGANISATION))
    if name in known:
        found = value.isin([*known[name], ORGANISATION])
        rules.append(Rule(name, _UNKNOWN[name], value.notnull() & ~found))
    return rules


def _trial_rules(rows: Rows) -> list[Rule]:
    """An arm is counted (successes of n) or measured (mean and sd)."""
    counted = _filled(rows, "successes")
    either = counted | (_filled(rows, "mean") & _filled(rows, "sd"))
    rules = [Rule("successes", "neither successes nor mean and sd are given", ~either)]
    if "successes" in rows.columns:
        rules.append(Rule("successes", "is above n", rows["successes"] > rows["n"]))
    return rules


def _filled(rows: Rows, name: str) -> Mask:
    return rows[name].notnull() if name in rows.columns else rows["n"] != rows["n"]


# Quarantine ----------------------------------------------------------------------------------------------


def quarantine(raw: ir.Table, broken: pd.DataFrame, rules: Sequence[Rule]) -> pd.DataFrame:
    """Rows that break a rule, whole: cells as given, then file, row, column, value and rule.

    Grain: one row per row left out; several breaches are joined by `; `.

    Parameters
    ----------
    raw
        The table as given.
    broken
        One row per row left out: `FILE`, `ROW` and, per rule by its place in the list, whether it is broken.
    """
    return told(_fetched(raw, broken), raw.columns, rules)


def told(found: pd.DataFrame, columns: Sequence[str], rules: Sequence[Rule]) -> pd.DataFrame:
    """The same of rows that are at hand: cells as given (`GIVEN`), `FILE`, `ROW`, and per rule whether it is broken."""
    joined = pd.DataFrame("", index=found.index, columns=["column", "value", "rule"], dtype=object)
    for place, rule in enumerate(rules):
        at = found[f"{place}"].astype(bool)
        if at.any():
            mark = joined["rule"][at].map(lambda text: "; " if text else "")
            named = "" if rule.column == SURPLUS else rule.column
            joined.loc[at, "column"] += mark + named
            joined.loc[at, "value"] += mark + _shown(found, rule.column)[at]
            joined.loc[at, "rule"] += mark + f"{named} {rule.text}".strip()
    return evidence(found, columns, joined)


SUPERSEDED = "superseded by"
"""How the rule begins that sets a row of an earlier form aside."""


def repeats(raw: ir.Table, again: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """Rows whose key stands in another row that counts, whole.

    `again` has `FILE`, `ROW` and `first`, the row that counts; where tables have several files also `first_file`,
    its file, and `newer`, whether that is a later form.
    """
    found = _fetched(raw, again)
    shown = [_shown(found, name) for name in key if name in raw.columns]
    value = pd.concat(shown, axis=1).agg(", ".join, axis=1)
    row = "row " + found["first"].astype(str)
    if "first_file" in found:
        elsewhere = " of " + found["first_file"].astype(str)
        row = row.where(found["first_file"] == found[FILE], row + elsewhere)
    rule = f"same {', '.join(key)} as " + row
    if "newer" in found:
        rule = rule.mask(found["newer"].astype(bool), f"{SUPERSEDED} " + row + f": same {', '.join(key)}, later form")
    said = pd.DataFrame({"column": ", ".join(key), "value": value, "rule": rule}, index=found.index)
    return evidence(found, raw.columns, said)


def _fetched(raw: ir.Table, wanted: pd.DataFrame) -> pd.DataFrame:
    """The wanted rows as given, in the order of their files, with what `wanted` says of them."""
    places = ibis.memtable(wanted[[FILE, ROW]].reset_index(drop=True))
    found = raw.semi_join(places, [FILE, ROW]).to_pandas().astype(object)
    found[ROW] = found[ROW].astype("int64")
    found = found.rename(columns={name: GIVEN + name for name in raw.columns if name not in (FILE, ROW)})
    return found.merge(wanted, on=[FILE, ROW]).sort_values([FILE, ROW], ignore_index=True)


def _shown(found: pd.DataFrame, column: str) -> pd.Series:
    given = found.get(GIVEN + column, pd.Series("", index=found.index))
    return given.map(lambda value: "" if pd.isna(value) else str(value))


def evidence(found: pd.DataFrame, columns: Sequence[str], said: pd.DataFrame) -> pd.DataFrame:
    """Rows left out, whole: their cells as given, file, row, and what is `said` of each."""
    names = [name for name in columns if name not in (FILE, ROW)]
    cells = found[[GIVEN + name for name in names]].set_axis(names, axis=1)
    if SURPLUS in cells and cells[SURPLUS].isna().all():
        cells = cells.drop(columns=SURPLUS)
    said = pd.DataFrame({"file": found[FILE], "row": found[ROW], **said})
    cells = cells.rename(columns={name: f"{name} (given)" for name in cells if name in said})
    return pd.concat([cells.rename(columns={SURPLUS: "more cells"}), said], axis=1)
