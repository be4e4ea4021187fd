"""Answers that came before under other codes: the same survey exported again, or people who answered alike.

A tool that writes no number of the answer sheet, a column left out of the export or a new key of pseudonyms gives
everybody another code. So rows are also compared by what they say, each with one row of an earlier import.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from aiready.collection.survey_import.files import SOURCES
from aiready.collection.survey_import.map_file import OTHER_PEOPLE, PART, SAME_SURVEY, ImportMap, OpenQuestion
from aiready.collection.survey_import.vocabulary import COMMENT

_CONCLUSIVE_SHEETS = 5
"""Different sheets from which equal answers, all of them, are no chance."""
_FEWEST_ANSWERS = 3
"""Different values that a sheet must hold to tell one person from another."""
_NOT_COMPARED = ("respondent_id", "wave", COMMENT)


@dataclass(frozen=True)
class Repeats:
    """Rows of an import that an earlier part holds too: `rows` are left out, `open` is to be asked first.

    `parts`: earlier parts -> how many rows of theirs came again under other codes.
    """

    rows: pd.Index
    parts: Mapping[str, int]
    open_questions: tuple[OpenQuestion, ...]


def find_repeats(
    new: pd.DataFrame, parts: Mapping[str, pd.DataFrame], import_map: ImportMap, own: pd.DataFrame | None = None
) -> Repeats:
    """Compare rows with earlier imports of their wave by what they say.

    When all rows of the import, or all of an earlier part, have their like in the other, and five or more different
    sheets are among them, it is the same survey. Where only some have, or fewer, it is asked. Single sheets that say
    little prove nothing.

    Parameters
    ----------
    new
        Rows whose codes no earlier import holds.
    parts
        Rows of earlier imports of the wave whose codes this one does not hold, by file name.
    mapped
        The map: `same` or `other` by file name.
    own
        What the very same file brought before: that was decided then, and is not asked again.
    """
    new = new if own is None else new[~new["respondent_id"].isin(own["respondent_id"])]
    rows = new.index[:0]
    counts: dict[str, int] = {}
    questions: list[OpenQuestion] = []
    for name, part in parts.items():
        left = new.drop(index=rows)
        matching, n_sheets = _matching_rows(left, part)
        if not len(matching):
            continue
        means = import_map.means(PART, "", name) if own is None else SAME_SURVEY
        complete = len(matching) in (len(left), len(part))
        if means is None and n_sheets >= _CONCLUSIVE_SHEETS and complete:
            means = SAME_SURVEY
        if means == SAME_SURVEY:
            rows, counts = rows.append(matching), {**counts, name: len(matching)}
        elif means != OTHER_PEOPLE and (n_sheets > 1 or (n_sheets and complete)):
            note = f"{len(matching):,} rows answer like rows of it: same (exported again, left out)"
            note += " or other (other people)"
            questions.append(OpenQuestion(PART, "", name, SAME_SURVEY if n_sheets >= _CONCLUSIVE_SHEETS else "", note))
    return Repeats(rows, counts, tuple(questions))


def repeats_of_other_waves(new: pd.DataFrame, parts: Mapping[str, pd.DataFrame]) -> dict[str, int]:
    """Parts of other waves that are contained in an import, and how many rows that are: likely counted twice."""
    counts = {}
    for name, part in parts.items():
        matching, n_sheets = _matching_rows(new, part)
        if n_sheets >= _CONCLUSIVE_SHEETS and len(matching) in (len(new), len(part)):
            counts[name] = len(matching)
    return counts


def _matching_rows(new: pd.DataFrame, part: pd.DataFrame) -> tuple[pd.Index, int]:
    """Rows that have their like in a part, one for one, and how many different sheets with much to say they are."""
    shared = [name for name in new if name in part and name not in _NOT_COMPARED]
    if len(shared) < _FEWEST_ANSWERS or new.empty or part.empty:
        return new.index[:0], 0
    new_keys, part_keys = _row_keys(new[shared]), _row_keys(part[shared])
    matching = new.index[new_keys.isin(part_keys)]
    sheets = new.loc[matching, shared].drop_duplicates()
    return matching, int((_distinct_answers(sheets) >= _FEWEST_ANSWERS).sum())


def _row_keys(rows: pd.DataFrame) -> pd.Series:
    """A key of what each row says, the second that says the same apart from the first."""
    keys = pd.util.hash_pandas_object(rows.fillna(""), index=False)
    return keys.astype(str) + "#" + keys.groupby(keys).cumcount().astype(str)


def _distinct_answers(sheets: pd.DataFrame) -> pd.Series:
    """How many different answers a sheet holds: who answers all alike looks like anybody else who does."""
    return sheets.where(sheets.ne("")).nunique(axis=1)


def split_by_wave(parts: Sequence[str], wave: str) -> tuple[list[str], list[str]]:
    """Parts of the wave, and those of others."""
    of_wave = [name for name in parts if name.removeprefix(f"{wave}-").startswith(tuple(SOURCES))]
    return of_wave, [name for name in parts if name not in of_wave]
