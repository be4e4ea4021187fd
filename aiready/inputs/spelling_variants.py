"""Find words that differ only in spelling: merge labels of the decision log, and report ids and names."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import replace

import ibis
import ibis.expr.types as ir
import pandas as pd

from aiready.errors import quote_distinctly
from aiready.inputs.database import database_errors
from aiready.inputs.decision_log import DecisionLog
from aiready.model.cell_values import BLANK_WORDS, fold_text
from aiready.model.schema import LABELS

NAMES = ("unit_id", "initiative_id", "job", "task_id", "workflow", "measure", "question_id", "pattern")
"""Columns whose values link or group rows, in every table."""
_MAX_CLASSES = 2000
"""Number of labels beyond which they are no classes but amounts or free text."""
_MAX_NOTES = 5


def normalize_ids(raw: ir.Table) -> ir.Table:
    """A log on a server with its ids in normal form C, as in every other table."""
    replacements = {name: _denormalized_ids(raw, name) for name in ("unit_id", "initiative_id") if name in raw.columns}
    changed = {name: raw[name].substitute(words, else_=raw[name]) for name, words in replacements.items() if words}
    return raw.mutate(**changed) if changed else raw


@database_errors("decisions")
def _denormalized_ids(raw: ir.Table, name: str) -> dict[str, str]:
    """Ids that are not in normal form C -> the same in that form."""
    if not raw[name].type().is_string():
        return {}
    ids = raw.filter(raw[name].length() > 0).select(name).distinct().limit(_MAX_CLASSES).to_pandas()[name]
    normal = {text: unicodedata.normalize("NFC", text) for text in ids if not text.isascii()}
    return {text: one for text, one in normal.items() if text != one}


@database_errors("decisions")
def merge_label_variants(log: DecisionLog) -> tuple[DecisionLog, list[str]]:
    """The log with labels that differ only in case, normal form or spaces replaced by the most frequent, and notes."""
    names = [name for name in LABELS if log.rows[name].type().is_string()]
    counts = _count_labels(log, names)
    if counts.empty:
        return log, []
    spelled = {label: variants for variants in variant_groups(counts) for label in variants}
    replacements = {label: variants[0] for label, variants in spelled.items() if label != variants[0]}
    if not replacements:
        return log, []
    rows = log.rows.mutate(**{name: log.rows[name].substitute(replacements, else_=log.rows[name]) for name in names})
    groups = dict.fromkeys(spelled.values())
    return replace(log, rows=rows), [
        f"decisions: {_joined(quote_distinctly(variants))} differ only in how they are written and count as one label."
        for variants in list(groups)[:_MAX_NOTES]
    ]


def _count_labels(log: DecisionLog, names: Iterable[str]) -> "pd.Series[int]":
    """Rows by label, most frequent first, over all label columns."""
    parts = []
    for name in names:
        labels = log.rows.filter(log.rows[name].notnull()).group_by(label=log.rows[name])
        parts.append(labels.aggregate(n=ibis._.count()).order_by(ibis.desc("n"), "label").limit(_MAX_CLASSES))
    rows = ibis.union(*parts).to_pandas() if len(parts) > 1 else parts[0].to_pandas() if parts else pd.DataFrame()
    if rows.empty:
        return pd.Series(dtype=int)
    return rows.groupby("label")["n"].sum()


def variant_groups(counts: "pd.Series[int]") -> list[tuple[str, ...]]:
    """Groups of words that look the same to a reader: in each, the most frequent first, then by the alphabet."""
    ordered = counts.rename_axis("word").rename("n").reset_index()
    ordered = ordered.sort_values(["n", "word"], ascending=[False, True])
    groups = ordered.groupby(ordered["word"].map(_visible_form), sort=True)["word"].agg(tuple)
    return [words for words in groups if len(words) > 1]


def _visible_form(text: str) -> str:
    """Text as a reader sees it: without invisible characters, wide letters as plain ones."""
    visible = "".join(
        character for character in unicodedata.normalize("NFKC", text) if unicodedata.category(character) != "Cf"
    )
    return fold_text(visible)


def notes(tables: Mapping[str, pd.DataFrame], left_out: Mapping[str, pd.DataFrame]) -> list[str]:
    """A note on each group of words, in a column of ids or names, that differ only in spelling."""
    lines = []
    for column in NAMES:
        cells = [table[column] for table in (*tables.values(), *left_out.values()) if column in table]
        words = pd.concat(cells).dropna().astype(str).str.strip() if cells else pd.Series(dtype=object)
        counts = (
            words[~words.str.lower().isin(BLANK_WORDS)]
            .map(lambda text: unicodedata.normalize("NFC", text))
            .value_counts()
        )
        lines += [
            f"{column}: {_joined(quote_distinctly(variants))} differ only in how they are written and count as "
            "different. Write them alike if they are the same."
            for variants in variant_groups(counts)[:_MAX_NOTES]
        ]
    return lines


def _joined(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"
