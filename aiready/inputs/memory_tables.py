"""Tables that fit in memory: typed, judged row by row, and what stands in them twice."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import ibis.expr.types as ir
import pandas as pd

from aiready.inputs.digit_grouping import TEXT, could_be_thousands
from aiready.inputs.discover import date_of_form
from aiready.inputs.files import FILE, ROW
from aiready.inputs.parse import typed
from aiready.inputs.validate import Rule, quarantine, repeats, rules_of
from aiready.model import waves
from aiready.model.schema import Table


@dataclass(frozen=True)
class Part:
    """One small table after checking: rows used, where each stands (`FILE`, `ROW`), and rows left out."""

    read: int
    used: pd.DataFrame
    quarantine: pd.DataFrame
    places: pd.DataFrame
    after_as_of: int = 0


def checked(
    table: Table, raw: ir.Table, levels: Mapping[str, int], known: Mapping[str, Sequence[str]], newest: str | None
) -> Part:
    """Type a small table and set aside the rows that break a rule or repeat a key."""
    rows = typed(table, raw, levels=levels).to_pandas()
    rules = rules_of(table, rows, levels=levels, known=known)
    rules += [Rule(name, TEXT, cells) for name, cells in could_be_thousands(table, rows).items() if cells.any()]
    masks = pd.DataFrame({f"{place}": rule.broken.fillna(False) for place, rule in enumerate(rules)})
    broken = masks.astype(bool).any(axis=1)
    left_out = pd.DataFrame()
    if broken.any():
        left_out = quarantine(raw, rows[[FILE, ROW]].join(masks)[broken], rules)
    kept = _as_promised(table, levels, _in_order(rows[~broken] if broken.any() else rows))
    again = _again(table, kept, newest)
    if len(again):
        left_out = pd.concat([left_out, repeats(raw, again, table.key)], ignore_index=True)
    used = kept.drop(index=again.index).reset_index(drop=True) if len(again) else kept
    return Part(len(rows), used.drop(columns=[FILE, ROW]), left_out, used[[FILE, ROW]])


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows in the order of their files; odd ones were read last."""
    if rows[ROW].is_monotonic_increasing and rows[FILE].nunique() <= 1:
        return rows.reset_index(drop=True)
    return rows.sort_values([FILE, ROW], ignore_index=True)


def _again(table: Table, kept: pd.DataFrame, newest: str | None) -> pd.DataFrame:
    """Rows whose key stands in a row that counts instead: `FILE`, `ROW`, and that row's file and row.

    The row that counts is the first, or among forms the first of the newest: `newer` says that its file name
    bears a later date. People without a code are never the same.
    """
    key = kept[list(table.key)]
    if "wave" in key:
        blank = newest or newest_wave(key["wave"]) if table.name == "responses" else newest
        key = key.assign(wave=key["wave"].fillna(blank or ""))
    dated = kept[FILE].map({file: date_of_form(file) for file in kept[FILE].unique()})
    newest_first = dated.sort_values(ascending=False, kind="stable").index if dated.nunique() > 1 else dated.index
    ranked = key.loc[newest_first]
    again = ranked.duplicated().reindex(kept.index) if table.key else pd.Series(False, index=kept.index)
    for name in set(table.key) & set(table.hashed):
        again &= kept[name].notna()
    if not again.any():
        return pd.DataFrame(columns=[FILE, ROW, "first"])
    counts = kept.loc[ranked.index, [FILE, ROW]].assign(dated=dated)
    same = counts.groupby([ranked[name] for name in ranked], dropna=False)
    first = {name: same[name].transform("first").reindex(kept.index) for name in (ROW, FILE, "dated")}
    found = kept[[FILE, ROW]].assign(first=first[ROW], first_file=first[FILE], newer=first["dated"] > dated)
    return found[again]


def newest_wave(labels: pd.Series) -> str | None:
    """Newest wave that a column names; None where it names none."""
    return next(iter(waves.in_order(labels.dropna())[-1:]), None)


def _as_promised(table: Table, items: Iterable[str], kept: pd.DataFrame) -> pd.DataFrame:
    """Every column of the schema and every item, typed as `Data` says, with `FILE` and `ROW`."""
    kinds = {**{column.name: column.kind for column in table.columns}, **dict.fromkeys(items, "number")}
    blank = {**dict.fromkeys(kinds), **_BLANK_MEANS.get(table.name, {})}
    values = {name: kept.get(name, pd.Series(None, kept.index, dtype=object)) for name in kinds}
    filled = {
        name: value if blank[name] is None else value.where(value.notna(), blank[name])
        for name, value in values.items()
    }
    promised = {name: _typed_as(kind, filled[name]) for name, kind in kinds.items()}
    return pd.DataFrame({**promised, FILE: kept[FILE], ROW: kept[ROW]}, index=kept.index)


_BLANK_MEANS: Mapping[str, Mapping[str, str | int]] = {
    "trials": {"trial_no": 1},
    "workflow_steps": {"version": "now"},
}
"""What the schema says a blank stands for."""


def _typed_as(kind: str, values: pd.Series) -> pd.Series:
    dtype = _DTYPES.get(kind)
    if dtype:
        return values.astype(dtype, copy=False)
    texts = values.astype(object)
    return _composed(texts).where(texts.notna(), None)


def _composed(texts: pd.Series) -> pd.Series:
    """Texts with every accented letter written as one sign."""
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
