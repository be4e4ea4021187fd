"""The instrument's names, labels and actions in another language, and results with these texts."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from aiready.errors import InstrumentError, raise_all
from aiready.instrument.files import FILES, FileSpec, Problem, duplicate_keys, level_columns, problem_line, read_table
from aiready.instrument.model import Instrument
from aiready.messages import Language
from aiready.messages.catalogue import blanks
from aiready.package_files import package_file
from aiready.profile import actions, facets

Tables = Mapping[str, pd.DataFrame]

TRANSLATED = {
    "barriers": ("name", "statement"),
    "indicators": ("label",),
    "bands": ("name",),
    "blockers": ("label",),
    "patterns": ("name", "fits_when", "oversight", "fails_by"),
    "twins": ("says", "label"),
    "actions": ("action", "reason", "first_step", "owner_role"),
}
"""Columns with texts for readers, file by file: `<file>.<lang>.csv` has the key of the file and these."""


def translate_instrument(rules: Instrument, folder: Path | None, language: Language) -> Instrument:
    """Translate an instrument into another language; returned as it is where that is its own language.

    Parameters
    ----------
    folder
        The instrument's own folder; None: the shipped one. A file that it lacks is taken from the shipped ones.

    Raises
    ------
    UsageError
        There is no questionnaire in the language.
    InstrumentError
        Translations are missing or wrong; all problems at once.
    """
    translation = rules.in_language(language.code)
    if language.code == next(iter(rules.languages)):
        return rules
    problems: list[str] = []
    tables: dict[str, pd.DataFrame] = {}
    for name, columns in TRANSLATED.items():
        tables[name], table_problems = _translate_table(name, columns, getattr(rules, name), folder, language.code)
        problems += table_problems
    raise_all(InstrumentError, problems)
    item_columns = ["facet_label", "wording", *level_columns(rules.settings.scale_points)]
    words = translation.items.set_index("item_id")[item_columns].reindex(rules.items["item_id"])
    return replace(rules, items=rules.items.assign(**{name: words[name].to_numpy() for name in item_columns}), **tables)


def _translate_table(
    name: str, columns: tuple[str, ...], first: pd.DataFrame, folder: Path | None, code: str
) -> tuple[pd.DataFrame, list[str]]:
    """Translate one table; returns it with the problems of the file of translations."""
    file = f"{name}.{code}.csv"
    candidates = [
        folder_or_shipped / file
        for folder_or_shipped in (folder, package_file("data/instrument"))
        if folder_or_shipped is not None
    ]
    path = next((folder_or_shipped for folder_or_shipped in candidates if folder_or_shipped.exists()), candidates[0])
    key = list(FILES[name].key)
    read, problems = read_table(path, FileSpec((), dict.fromkeys((*key, *columns), ""), FILES[name].key))
    if problems:
        return first, problems
    keys = first[key].astype(str)
    joined = keys.merge(read.drop_duplicates(key), on=key, how="left").fillna("").set_index(first.index)
    problems = [problem_line(file, problem) for problem in _problems(first, joined, read, key, columns)]
    return first.assign(**{column: joined[column] for column in columns if column in first}), problems


def _problems(
    first: pd.DataFrame, joined: pd.DataFrame, read: pd.DataFrame, key: list[str], columns: tuple[str, ...]
) -> Iterator[Problem]:
    yield from duplicate_keys(read, tuple(key))
    for column in columns:
        for row, text, words in zip(first.index, first[column], joined[column], strict=True):
            if (not text or words) and blanks(words) == blanks(text):
                continue
            row_name = ", ".join(filter(None, map(str, first.loc[row, key])))
            if not words:
                yield 0, column, f'"{row_name}" is missing or has no words for “{text}”. Translate it.'
            else:
                yield 0, column, f'"{row_name}": “{words}” leaves other blanks open than “{text}”. Write the same.'


def translate_tables(tables: Tables, rules: Instrument, language: Language) -> Tables:
    """Replace the texts in results by those of a translated instrument with the same ids.

    Concerns `facets` (labels of what is said and recorded) and `recommended` (actions; their numbers are formatted for
    the language).
    """
    return {**tables, "facets": _facets(tables["facets"], rules),
            "recommended": _recommended(tables["recommended"], rules, language)}  # fmt: skip


def _facets(rows: pd.DataFrame, rules: Instrument) -> pd.DataFrame:
    words = facets.with_record_ids(rules.twins).rename(columns={"says": "says_label", "label": "record_label"})
    words = words[[*facets.RECORD_KEY, "says_label", "record_label"]]
    unworded = rows.drop(columns=["says_label", "record_label"])
    return unworded.merge(words, on=facets.RECORD_KEY, how="left")[list(rows.columns)]


def _recommended(rows: pd.DataFrame, rules: Instrument, language: Language) -> pd.DataFrame:
    about = rules.actions.set_index("template_id")
    words = {name: rows["template_id"].map(about[name]) for name in ("action", "first_step", "owner_role")}
    return rows.assign(**words, reason=actions.reasons(rows, rules, language))
