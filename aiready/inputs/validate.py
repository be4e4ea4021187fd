"""Check parsed rows against rules derived from the schema, and quarantine the rows that break one.

A rule is a column, a sentence and a mask that is true where a row breaks it. Masks use only operations that pandas and
Ibis share, so the same code checks small tables and the decision log.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import ibis
import ibis.expr.types as ir
import pandas as pd

from aiready.inputs.files import FILE, ROW, SUPERSEDED_BY, SURPLUS
from aiready.inputs.parse import NO_LEVEL, RAW_PREFIX, is_blank
from aiready.model.registry import ORGANISATION
from aiready.model.schema import Column, Table

Rows: TypeAlias = pd.DataFrame | ir.Table
Mask = Any
"""A boolean pandas Series or Ibis column."""

_TYPE_RULES = {
    "integer": "is no whole number",
    "number": "is no number (a point or a comma before decimals, nothing between thousands)",
    "share": "is no number (write 0.45 or 45 %)",
    "date": "is no date between 1900 and 2199 (write 2026-05-11)",
    "timestamp": "is no time between 1900 and 2199 (write 2026-05-11T09:30:00)",
    "wave": "is no wave (write 2026-Q3, 2026-09 or 2026)",
    "flag": "is neither yes nor no",
    "check": "is neither yes nor no nor the date it was done",
}
ISOLATED_DATE = "is dated long after everything else (correct it, or give --as-of if it is right)"
"""Rule for isolated dates, which would move the as-of date and so lengthen all ages."""
_EARLIEST, _LATEST = datetime(1900, 1, 1), datetime(2200, 1, 1)
_UNKNOWN_ID_RULES = {
    "unit_id": "is not in the table units",
    "initiative_id": "is not in the table initiatives",
    "barrier_id": "is no barrier of the instrument",
}


@dataclass(frozen=True)
class Rule:
    """A rule: its column, the sentence on a breach, and the mask of the rows that break it."""

    column: str
    text: str
    broken: Mask


def table_rules(
    table: Table, rows: Rows, *, levels: Mapping[str, int], known_ids: Mapping[str, Sequence[str]]
) -> list[Rule]:
    """Rules for a parsed table.

    Parameters
    ----------
    table, rows
        The schema's table and its parsed rows, in pandas or on the engine.
    levels
        Scale points of each item column.
    known
        Ids that a column may name, by column.
    """
    columns = [column for column in table.columns if column.name in rows.columns]
    rules = [rule for column in columns for rule in _column_rules(column, rows, known_ids)]
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


def _column_rules(column: Column, rows: Rows, known_ids: Mapping[str, Sequence[str]]) -> list[Rule]:
    name, value = column.name, rows[column.name]
    rules = []
    blank = is_blank(column, rows[RAW_PREFIX + name]) if RAW_PREFIX + name in rows.columns else value.isnull()
    if column.required:
        rules.append(Rule(name, "is missing", blank))
    expected = f"is none of {', '.join(column.allowed)}" if column.allowed else _TYPE_RULES.get(column.kind)
    if expected and RAW_PREFIX + name in rows.columns:
        rules.append(Rule(name, expected, value.isnull() & ~blank))
    if column.kind == "integer":
        rules.append(Rule(name, _TYPE_RULES["integer"], value.notnull() & (value % 1 != 0)))
    if column.kind in ("date", "timestamp"):
        # beyond lie typing errors and placeholders such as 9999-12-31
        rules.append(Rule(name, _TYPE_RULES[column.kind], (value < _EARLIEST) | (value >= _LATEST)))
    if column.before is not None:
        rules.append(Rule(name, ISOLATED_DATE, (value >= column.before) & (value < _LATEST)))
    if column.at_least is not None:
        rules.append(Rule(name, f"is below {column.at_least:g}", value < column.at_least))
    if column.at_most is not None:
        rules.append(Rule(name, f"is above {column.at_most:g}", value > column.at_most))
    if name == "unit_id":
        rules.append(Rule(name, "`*` stands for the organisation", value == ORGANISATION))
    if name in known_ids:
        is_known = value.isin([*known_ids[name], ORGANISATION])
        rules.append(Rule(name, _UNKNOWN_ID_RULES[name], value.notnull() & ~is_known))
    return rules


def _trial_rules(rows: Rows) -> list[Rule]:
    """Rules for an arm of a trial, which is counted (successes of n) or measured (mean and sd)."""
    counted = _is_filled(rows, "successes")
    either = counted | (_is_filled(rows, "mean") & _is_filled(rows, "sd"))
    rules = [Rule("successes", "neither successes nor mean and sd are given", ~either)]
    if "successes" in rows.columns:
        rules.append(Rule("successes", "is above n", rows["successes"] > rows["n"]))
    return rules


def _is_filled(rows: Rows, name: str) -> Mask:
    return rows[name].notnull() if name in rows.columns else rows["n"] != rows["n"]


# Quarantine ----------------------------------------------------------------------------------------------


def fetch_quarantine(raw: ir.Table, broken: pd.DataFrame, rules: Sequence[Rule]) -> pd.DataFrame:
    """Fetch rows that break a rule: their raw cells, then file, row, column, value and rule.

    Grain: one row per row left out; several breaches are joined by `; `.

    Parameters
    ----------
    raw
        The raw table.
    broken
        One row per row left out: `FILE`, `ROW` and, under the number of each rule, whether the row breaks it.
    """
    return quarantine_rows(_fetch_rows(raw, broken), raw.columns, rules)


def quarantine_rows(rows: pd.DataFrame, columns: Sequence[str], rules: Sequence[Rule]) -> pd.DataFrame:
    """The same for rows already fetched: raw cells (`RAW_PREFIX`), `FILE`, `ROW`, and per rule whether it is broken."""
    reasons = pd.DataFrame("", index=rows.index, columns=["column", "value", "rule"], dtype=object)
    for number, rule in enumerate(rules):
        broken = rows[f"{number}"].astype(bool)
        if broken.any():
            separator = reasons["rule"][broken].map(lambda text: "; " if text else "")
            column = "" if rule.column == SURPLUS else rule.column
            reasons.loc[broken, "column"] += separator + column
            reasons.loc[broken, "value"] += separator + _raw_text(rows, rule.column)[broken]
            reasons.loc[broken, "rule"] += separator + f"{column} {rule.text}".strip()
    return quarantine_table(rows, columns, reasons)


SUPERSEDED = "superseded by"
"""Start of the rule that sets aside a row of an earlier form, or of a slice that has a file of its own."""


def superseded_rows(raw: ir.Table, rows: pd.DataFrame) -> pd.DataFrame:
    """Fetch rows whose slice is in a file of its own (`FILE`, `ROW`, `SUPERSEDED_BY`): raw cells, file, row, rule."""
    fetched = _fetch_rows(raw.drop(SUPERSEDED_BY), rows)
    rule = f"{SUPERSEDED} " + fetched[SUPERSEDED_BY].astype(str) + ", saved in a notebook"
    return quarantine_table(fetched, raw.columns, pd.DataFrame({"column": "", "value": "", "rule": rule}))


def duplicate_rows(raw: ir.Table, duplicates: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """Fetch rows whose key is that of another row, which is the one used: raw cells, file, row, column, value, rule.

    `duplicates` has `FILE`, `ROW` and `first`, the row used; for tables of several files also `first_file`, its file,
    and `newer`, whether that is a later form.
    """
    rows = _fetch_rows(raw, duplicates)
    key_cells = [_raw_text(rows, name) for name in key if name in raw.columns]
    value = pd.concat(key_cells, axis=1).agg(", ".join, axis=1)
    other_row = "row " + rows["first"].astype(str)
    if "first_file" in rows:
        of_file = " of " + rows["first_file"].astype(str)
        other_row = other_row.where(rows["first_file"] == rows[FILE], other_row + of_file)
    rule = f"same {', '.join(key)} as " + other_row
    if "newer" in rows:
        rule = rule.mask(
            rows["newer"].astype(bool), f"{SUPERSEDED} " + other_row + f": same {', '.join(key)}, later form"
        )
    reasons = pd.DataFrame({"column": ", ".join(key), "value": value, "rule": rule}, index=rows.index)
    return quarantine_table(rows, raw.columns, reasons)


def _fetch_rows(raw: ir.Table, keys: pd.DataFrame) -> pd.DataFrame:
    """Raw rows with the `FILE` and `ROW` of `keys`, sorted by them, with the other columns of `keys`."""
    key_table = ibis.memtable(keys[[FILE, ROW]].reset_index(drop=True))
    rows = raw.semi_join(key_table, [FILE, ROW]).to_pandas().astype(object)
    rows[ROW] = rows[ROW].astype("int64")
    rows = rows.rename(columns={name: RAW_PREFIX + name for name in raw.columns if name not in (FILE, ROW)})
    return rows.merge(keys, on=[FILE, ROW]).sort_values([FILE, ROW], ignore_index=True)


def _raw_text(rows: pd.DataFrame, column: str) -> pd.Series:
    cells = rows.get(RAW_PREFIX + column, pd.Series("", index=rows.index))
    return cells.map(lambda value: "" if pd.isna(value) else str(value))


def quarantine_table(rows: pd.DataFrame, columns: Sequence[str], reasons: pd.DataFrame) -> pd.DataFrame:
    """Rows left out: their raw cells, file, row, and the reasons (column, value, rule)."""
    names = [name for name in columns if name not in (FILE, ROW, SUPERSEDED_BY)]
    cells = rows[[RAW_PREFIX + name for name in names]].set_axis(names, axis=1)
    if SURPLUS in cells and cells[SURPLUS].isna().all():
        cells = cells.drop(columns=SURPLUS)
    reasons = pd.DataFrame({"file": rows[FILE], "row": rows[ROW], **reasons})
    cells = cells.rename(columns={name: f"{name} (given)" for name in cells if name in reasons})
    return pd.concat([cells.rename(columns={SURPLUS: "more cells"}), reasons], axis=1)
