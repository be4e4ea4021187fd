"""What differs only in how it is written: labels of the log become one, ids and names are pointed out."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import replace

import ibis
import ibis.expr.types as ir
import pandas as pd

from aiready.errors import told_apart
from aiready.inputs.database import answering
from aiready.inputs.decision_log import Log
from aiready.model.cell_values import NOTHING, plain
from aiready.model.schema import LABELS

NAMES = ("unit_id", "initiative_id", "job", "task_id", "workflow", "measure", "question_id", "pattern")
"""Columns whose words bring rows together, in every table."""
_CLASSES = 2000
"""Labels beyond this many are no classes but amounts or texts."""
_LISTED = 5


def composed(raw: ir.Table) -> ir.Table:
    """A log of a server whose ids are written with accented letters as one sign, as everywhere else."""
    written = {name: _foreign(raw, name) for name in ("unit_id", "initiative_id") if name in raw.columns}
    changed = {name: raw[name].substitute(words, else_=raw[name]) for name, words in written.items() if words}
    return raw.mutate(**changed) if changed else raw


@answering("decisions")
def _foreign(raw: ir.Table, name: str) -> dict[str, str]:
    """Ids that are composed otherwise than we write them, as they are and as we write them."""
    if not raw[name].type().is_string():
        return {}
    ids = raw.filter(raw[name].length() > 0).select(name).distinct().limit(_CLASSES).to_pandas()[name]
    normal = {text: unicodedata.normalize("NFC", text) for text in ids if not text.isascii()}
    return {text: one for text, one in normal.items() if text != one}


@answering("decisions")
def one_label_each(log: Log) -> tuple[Log, list[str]]:
    """The log with labels that differ only in case, normal form or spaces written as the most frequent of them."""
    names = [name for name in LABELS if log.rows[name].type().is_string()]
    counts = _labels(log, names)
    if counts.empty:
        return log, []
    spelled = {label: alike for alike in groups(counts) for label in alike}
    written = {label: alike[0] for label, alike in spelled.items() if label != alike[0]}
    if not written:
        return log, []
    rows = log.rows.mutate(**{name: log.rows[name].substitute(written, else_=log.rows[name]) for name in names})
    several = dict.fromkeys(spelled.values())
    return replace(log, rows=rows), [
        f"decisions: {_listed(told_apart(alike))} differ only in how they are written and count as one label."
        for alike in list(several)[:_LISTED]
    ]


def _labels(log: Log, names: Iterable[str]) -> "pd.Series[int]":
    """Rows by label, most frequent first, over all label columns."""
    parts = []
    for name in names:
        labels = log.rows.filter(log.rows[name].notnull()).group_by(label=log.rows[name])
        parts.append(labels.aggregate(n=ibis._.count()).order_by(ibis.desc("n"), "label").limit(_CLASSES))
    rows = ibis.union(*parts).to_pandas() if len(parts) > 1 else parts[0].to_pandas() if parts else pd.DataFrame()
    if rows.empty:
        return pd.Series(dtype=int)
    return rows.groupby("label")["n"].sum()


def groups(counts: "pd.Series[int]") -> list[tuple[str, ...]]:
    """Words that are one to a reader, several spellings of each: most frequent first, then by the alphabet."""
    ordered = counts.rename_axis("word").rename("n").reset_index()
    ordered = ordered.sort_values(["n", "word"], ascending=[False, True])
    alike = ordered.groupby(ordered["word"].map(_look), sort=True)["word"].agg(tuple)
    return [words for words in alike if len(words) > 1]


def _look(text: str) -> str:
    """Text as a reader sees it: without signs that do not show, wide letters as plain ones."""
    seen = "".join(sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) != "Cf")
    return plain(seen)


def notes(tables: Mapping[str, pd.DataFrame], left_out: Mapping[str, pd.DataFrame]) -> list[str]:
    """A line on each column of names with words that differ only in how they are written."""
    lines = []
    for column in NAMES:
        cells = [table[column] for table in (*tables.values(), *left_out.values()) if column in table]
        words = pd.concat(cells).dropna().astype(str).str.strip() if cells else pd.Series(dtype=object)
        counts = (
            words[~words.str.lower().isin(NOTHING)].map(lambda text: unicodedata.normalize("NFC", text)).value_counts()
        )
        lines += [
            f"{column}: {_listed(told_apart(alike))} differ only in how they are written and count as different. "
            "Write them alike if they are the same."
            for alike in groups(counts)[:_LISTED]
        ]
    return lines


def _listed(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"
