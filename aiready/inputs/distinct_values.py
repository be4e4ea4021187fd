"""Count the distinct values of columns that have few, for a reader who checks the data before trusting a figure."""

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir
import pandas as pd

from aiready.inputs.database import database_errors
from aiready.model.schema import LABELS, TABLES, Column

COLUMNS = ["table", "column", "value", "rows"]
EMPTY = "(empty)"
_MAX_CODE = 10
"""Integer columns with at most this maximum hold codes, such as the autonomy level."""
_MAX_CLASSES = 8
"""Distinct texts of a column beyond this number are no classes, unless the schema lists them."""
_MAX_SHOWN, _MAX_COUNTED = 20, 2000
"""Values shown per column, and most frequent values of the log that are counted."""
_FREE_TEXT = ("comment", "name", "problem_statement", "learned", "stop_reason", "freed_for", "guardrail")


def count_values(tables: Mapping[str, pd.DataFrame], decisions: ir.Table | None) -> pd.DataFrame:
    """Count the values of each column that has few: one row per table x column x value.

    Choices, labels, flags, checks, waves and codes, with `(empty)` for blank cells; other texts if there are at most
    eight values that occur twice on average. Columns without any value are left out.
    """
    counts = [_count_table(name, tables[name]) for name in TABLES if name in tables]
    counts += [_count_log(decisions)] if decisions is not None else []
    filled = [one for one in counts if len(one)]
    if not filled:
        return pd.DataFrame(columns=COLUMNS)
    together = pd.concat(filled, ignore_index=True)
    order = together["table"].map(list(TABLES).index)
    return together.loc[order.sort_values(kind="stable").index, COLUMNS].reset_index(drop=True)


def _is_class(column: Column) -> bool:
    codes = column.kind == "integer" and (column.at_most or _MAX_CODE + 1) <= _MAX_CODE
    return bool(column.allowed) or column.kind in ("flag", "check", "wave") or column.name in LABELS or codes


def _count_table(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    counts = []
    for column in TABLES[name].columns:
        few = column.kind == "text" and column.name not in _FREE_TEXT
        if column.name not in rows or not (few or _is_class(column)):
            continue
        cells = rows[column.name]
        if few and not _is_class(column) and not 0 < cells.nunique() <= min(_MAX_CLASSES, len(rows) / 2):
            continue
        counts.append(_value_rows(name, column, cells.value_counts(dropna=False)))
    return pd.concat(counts, ignore_index=True) if counts else pd.DataFrame(columns=COLUMNS)


def _value_rows(table: str, column: Column, counts: "pd.Series[int]") -> pd.DataFrame:
    """Rows by value, most frequent first; no rows if every cell is blank."""
    words = [_word(column, value) for value in counts.index]
    rows = pd.DataFrame({"table": table, "column": column.name, "value": words, "rows": counts.to_numpy()})
    rows = rows.sort_values(["rows", "value"], ascending=[False, True])
    return rows if (rows["value"] != EMPTY).any() else rows.iloc[:0]


def _word(column: Column, value: object) -> str:
    if pd.isna(value):
        return EMPTY
    if column.kind == "flag":
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


@database_errors("decisions")
def _count_log(decisions: ir.Table) -> pd.DataFrame:
    """The same for the decision log, counted on its engine."""
    columns = [column for column in TABLES["decisions"].columns if _is_class(column)]
    parts = []
    for column in columns:
        values = decisions.group_by(value=decisions[column.name]).aggregate(n=ibis._.count())
        most = values.order_by(ibis.desc("n"), "value").limit(_MAX_COUNTED)
        parts.append(most.mutate(value=most["value"].cast("string"), column=ibis.literal(column.name)))
    rows = ibis.union(*parts).to_pandas()
    counts = []
    for column in columns:
        column_counts = rows[rows["column"] == column.name].set_index("value")["n"]
        if column.kind == "flag":
            column_counts.index = column_counts.index.map({"true": True, "false": False}, na_action="ignore")
        counts.append(_value_rows("decisions", column, column_counts))
    return pd.concat(counts, ignore_index=True)


def as_lines(values: pd.DataFrame) -> list[str]:
    """The values for a terminal: a line per table, and one per column."""
    lines = []
    for table, columns in values.groupby("table", sort=False):
        lines.append(f"  {table}")
        for column, rows in columns.groupby("column", sort=False):
            value_counts = [f"{row.value} {row.rows}" for row in rows.itertuples()]
            lines.append(f"    {column}: {abbreviated_list(value_counts, _MAX_SHOWN)}")
    return lines


def abbreviated_list(words: Sequence[str], most: int) -> str:
    """The first words for a sentence, and how many more there are.

    Examples
    --------
    >>> abbreviated_list(["9", "12", "many"], 2), abbreviated_list(["9"], 2)
    ('9, 12 and 1 more', '9')
    """
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more
