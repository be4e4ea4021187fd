"""Every distinct value of the columns that have few: what a reader looks through before believing a number."""

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir
import pandas as pd

from aiready.inputs.database import answering
from aiready.model.schema import LABELS, TABLES, Column

COLUMNS = ["table", "column", "value", "rows"]
EMPTY = "(empty)"
_CODES = 10
"""Whole numbers up to here are codes, such as the autonomy level."""
_FEW = 8
"""Distinct texts beyond this many are no classes, unless the schema lists them."""
_SHOWN, _COUNTED = 20, 2000
"""Values shown per column, and how many are counted before the rest of a log is let go."""
_FREE = ("comment", "name", "problem_statement", "learned", "stop_reason", "freed_for", "guardrail")


def values_of(tables: Mapping[str, pd.DataFrame], decisions: ir.Table | None) -> pd.DataFrame:
    """How often each value stands in each column of few values: one row per table x column x value.

    Choices, labels, flags, checks, waves and codes, with `(empty)` for rows that say nothing; other texts where at most
    eight differ and each stands twice on average. Columns that say nothing in any row are left out.
    """
    counts = [_of_table(name, tables[name]) for name in TABLES if name in tables]
    counts += [_of_log(decisions)] if decisions is not None else []
    filled = [one for one in counts if len(one)]
    if not filled:
        return pd.DataFrame(columns=COLUMNS)
    together = pd.concat(filled, ignore_index=True)
    order = together["table"].map(list(TABLES).index)
    return together.loc[order.sort_values(kind="stable").index, COLUMNS].reset_index(drop=True)


def _is_class(column: Column) -> bool:
    codes = column.kind == "integer" and (column.at_most or _CODES + 1) <= _CODES
    return bool(column.allowed) or column.kind in ("flag", "check", "wave") or column.name in LABELS or codes


def _of_table(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    counts = []
    for column in TABLES[name].columns:
        few = column.kind == "text" and column.name not in _FREE
        if column.name not in rows or not (few or _is_class(column)):
            continue
        cells = rows[column.name]
        if few and not _is_class(column) and not 0 < cells.nunique() <= min(_FEW, len(rows) / 2):
            continue
        counts.append(_counted(name, column, cells.value_counts(dropna=False)))
    return pd.concat(counts, ignore_index=True) if counts else pd.DataFrame(columns=COLUMNS)


def _counted(table: str, column: Column, counts: "pd.Series[int]") -> pd.DataFrame:
    """Rows by value, most frequent first; nothing where no row says anything."""
    words = [_word(column, value) for value in counts.index]
    listed = pd.DataFrame({"table": table, "column": column.name, "value": words, "rows": counts.to_numpy()})
    listed = listed.sort_values(["rows", "value"], ascending=[False, True])
    return listed if (listed["value"] != EMPTY).any() else listed.iloc[:0]


def _word(column: Column, value: object) -> str:
    if pd.isna(value):
        return EMPTY
    if column.kind == "flag":
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


@answering("decisions")
def _of_log(decisions: ir.Table) -> pd.DataFrame:
    """The same of the decision log, counted where it lies."""
    columns = [column for column in TABLES["decisions"].columns if _is_class(column)]
    parts = []
    for column in columns:
        values = decisions.group_by(value=decisions[column.name]).aggregate(n=ibis._.count())
        most = values.order_by(ibis.desc("n"), "value").limit(_COUNTED)
        parts.append(most.mutate(value=most["value"].cast("string"), column=ibis.literal(column.name)))
    rows = ibis.union(*parts).to_pandas()
    counts = []
    for column in columns:
        mine = rows[rows["column"] == column.name].set_index("value")["n"]
        if column.kind == "flag":
            mine.index = mine.index.map({"true": True, "false": False}, na_action="ignore")
        counts.append(_counted("decisions", column, mine))
    return pd.concat(counts, ignore_index=True)


def as_lines(values: pd.DataFrame) -> list[str]:
    """The values for a terminal: a line per table, and one per column."""
    lines = []
    for table, columns in values.groupby("table", sort=False):
        lines.append(f"  {table}")
        for column, rows in columns.groupby("column", sort=False):
            said = [f"{row.value} {row.rows}" for row in rows.itertuples()]
            lines.append(f"    {column}: {capped(said, _SHOWN)}")
    return lines


def capped(words: Sequence[str], most: int) -> str:
    """Words in a sentence, the first ones, and how many more there are.

    Examples
    --------
    >>> capped(["9", "12", "many"], 2), capped(["9"], 2)
    ('9, 12 and 1 more', '9')
    """
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more
