"""Check tables that fit in memory: parse them, and set aside rows that break a rule or repeat a key."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import ibis.expr.types as ir
import pandas as pd

from aiready.inputs.digit_grouping import AMBIGUOUS_NUMBER, could_be_thousands
from aiready.inputs.discover import date_of_form
from aiready.inputs.files import FILE, ROW, SUPERSEDED_BY
from aiready.inputs.parse import parse_table
from aiready.inputs.validate import Rule, duplicate_rows, fetch_quarantine, superseded_rows, table_rules
from aiready.model import waves
from aiready.model.schema import Table


@dataclass(frozen=True)
class CheckedTable:
    """One small table after checking: rows used, the `FILE` and `ROW` of each (`row_origins`), and rows left out.

    `superseded`: how many of the latter break no rule, because a notebook saved their slice anew.
    """

    n_read: int
    used: pd.DataFrame
    quarantine: pd.DataFrame
    row_origins: pd.DataFrame
    after_as_of: int = 0
    superseded: int = 0


def check_table(
    table: Table, raw: ir.Table, levels: Mapping[str, int], known_ids: Mapping[str, Sequence[str]], newest: str | None
) -> CheckedTable:
    """Parse a small table and set aside the rows that are superseded, break a rule or repeat a key."""
    parsed = rows = parse_table(table, raw, levels=levels).to_pandas()
    left_out = pd.DataFrame()
    if SUPERSEDED_BY in parsed:
        superseded = parsed[SUPERSEDED_BY].notna()
        rows = parsed[~superseded].reset_index(drop=True)
        left_out = superseded_rows(raw, parsed.loc[superseded, [FILE, ROW, SUPERSEDED_BY]])
    rules = table_rules(table, rows, levels=levels, known_ids=known_ids)
    rules += [
        Rule(name, AMBIGUOUS_NUMBER, cells) for name, cells in could_be_thousands(table, rows).items() if cells.any()
    ]
    masks = pd.DataFrame({f"{number}": rule.broken.fillna(False) for number, rule in enumerate(rules)})
    broken = masks.astype(bool).any(axis=1)
    if broken.any():
        broken_rows = fetch_quarantine(raw, rows[[FILE, ROW]].join(masks)[broken], rules)
        left_out = pd.concat([left_out, broken_rows], ignore_index=True)
    valid = _conform(table, levels, _sort_rows(rows[~broken] if broken.any() else rows))
    duplicates = _duplicate_keys(table, valid, newest)
    if len(duplicates):
        left_out = pd.concat([left_out, duplicate_rows(raw, duplicates, table.key)], ignore_index=True)
    used = valid.drop(index=duplicates.index).reset_index(drop=True) if len(duplicates) else valid
    return CheckedTable(
        len(parsed), used.drop(columns=[FILE, ROW]), left_out, used[[FILE, ROW]], superseded=len(parsed) - len(rows)
    )


def _sort_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows in the order of their files; rows with too few or many cells were read last."""
    if rows[ROW].is_monotonic_increasing and rows[FILE].nunique() <= 1:
        return rows.reset_index(drop=True)
    return rows.sort_values([FILE, ROW], ignore_index=True)


def _duplicate_keys(table: Table, rows: pd.DataFrame, newest: str | None) -> pd.DataFrame:
    """Rows whose key another row has that is used instead: `FILE`, `ROW`, and file and row of the one used.

    Used is the first row, or among forms the first of the newest: `newer` tells whether the date in its file name is
    later. People without a code are never duplicates.
    """
    key = rows[list(table.key)]
    if "wave" in key:
        blank = newest or newest_wave(key["wave"]) if table.name == "responses" else newest
        key = key.assign(wave=key["wave"].fillna(blank or ""))
    dated = rows[FILE].map({file: date_of_form(file) for file in rows[FILE].unique()})
    newest_first = dated.sort_values(ascending=False, kind="stable").index if dated.nunique() > 1 else dated.index
    ranked = key.loc[newest_first]
    is_duplicate = ranked.duplicated().reindex(rows.index) if table.key else pd.Series(False, index=rows.index)
    for name in set(table.key) & set(table.hashed):
        is_duplicate &= rows[name].notna()
    if not is_duplicate.any():
        return pd.DataFrame(columns=[FILE, ROW, "first"])
    candidates = rows.loc[ranked.index, [FILE, ROW]].assign(dated=dated)
    same = candidates.groupby([ranked[name] for name in ranked], dropna=False)
    first = {name: same[name].transform("first").reindex(rows.index) for name in (ROW, FILE, "dated")}
    duplicates = rows[[FILE, ROW]].assign(first=first[ROW], first_file=first[FILE], newer=first["dated"] > dated)
    return duplicates[is_duplicate]


def newest_wave(labels: pd.Series) -> str | None:
    """Newest wave among labels; None without any."""
    return next(iter(waves.sort_waves(labels.dropna())[-1:]), None)


def _conform(table: Table, items: Iterable[str], rows: pd.DataFrame) -> pd.DataFrame:
    """Every column of the schema and every item, with the types documented in `Data`, with `FILE` and `ROW`."""
    kinds = {**{column.name: column.kind for column in table.columns}, **dict.fromkeys(items, "number")}
    defaults = {**dict.fromkeys(kinds), **_DEFAULTS.get(table.name, {})}
    values = {name: rows.get(name, pd.Series(None, rows.index, dtype=object)) for name in kinds}
    filled = {
        name: value if defaults[name] is None else value.where(value.notna(), defaults[name])
        for name, value in values.items()
    }
    columns = {name: _as_dtype(kind, filled[name]) for name, kind in kinds.items()}
    return pd.DataFrame({**columns, FILE: rows[FILE], ROW: rows[ROW]}, index=rows.index)


_DEFAULTS: Mapping[str, Mapping[str, str | int]] = {
    "trials": {"trial_no": 1},
    "workflow_steps": {"version": "now"},
}
"""Meaning of a blank by the schema."""


def _as_dtype(kind: str, values: pd.Series) -> pd.Series:
    dtype = _DTYPES.get(kind)
    if dtype:
        return values.astype(dtype, copy=False)
    texts = values.astype(object)
    return _normalize(texts).where(texts.notna(), None)


def _normalize(texts: pd.Series) -> pd.Series:
    """Texts in normal form C: every accented letter as one character."""
    foreign = [text for text in texts.unique() if isinstance(text, str) and not text.isascii()]
    composed = {text: unicodedata.normalize("NFC", text) for text in foreign}
    if all(text == one for text, one in composed.items()):
        return texts
    return texts.map(lambda text: composed.get(text, text))


_DTYPES = {
    **dict.fromkeys(("integer", "number", "share"), "float64"),
    **dict.fromkeys(("date", "timestamp"), "datetime64[ns]"),
    "flag": "boolean",
}
