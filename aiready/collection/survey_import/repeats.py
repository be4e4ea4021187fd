"""Find rows that an earlier import holds under other codes: the same survey exported again, or equal answers.

Respondents get other codes when the tool writes no number of the answer sheet, when a column is left out of the
export, or with a new key. So rows are also compared by their answers, one to one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from aiready.collection.survey_import.files import SOURCES
from aiready.collection.survey_import.map_file import OTHER_PEOPLE, PART, SAME_SURVEY, ImportMap, MapRow
from aiready.collection.survey_import.vocabulary import COMMENT

_CONCLUSIVE_SHEETS = 5
"""Number of different sheets from which equal answers cannot be chance."""
_FEWEST_ANSWERS = 3
"""Number of different answers that a sheet must hold to distinguish one person from another."""
_NOT_COMPARED = ("respondent_id", "wave", COMMENT)


@dataclass(frozen=True)
class Repeats:
    """Rows of an import that an earlier part holds too: `rows` are dropped, `open_questions` must be answered first.

    `parts`: earlier part -> number of its rows that are repeated under other codes.
    """

    rows: pd.Index
    parts: Mapping[str, int]
    open_questions: tuple[MapRow, ...]


def find_repeats(
    new: pd.DataFrame, parts: Mapping[str, pd.DataFrame], import_map: ImportMap, own: pd.DataFrame | None = None
) -> Repeats:
    """Compare the answers of an import with earlier imports of the same wave.

    If all rows of the import, or all of an earlier part, match a row of the other, and they include five or more
    different sheets, it is the same survey. If only some match, or fewer sheets, the analyst is asked. Single sheets
    with few different answers prove nothing.

    Parameters
    ----------
    new
        Rows whose codes are in no earlier import.
    parts
        By file name, rows of earlier imports of the wave whose codes are not in this import.
    import_map
        The map, which may say `same` or `other` of a file name.
    own
        Rows of an earlier import of the same file: they were decided then, and are not asked about again.
    """
    new = new if own is None else new[~new["respondent_id"].isin(own["respondent_id"])]
    rows = new.index[:0]
    counts: dict[str, int] = {}
    questions: list[MapRow] = []
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
            questions.append(MapRow(PART, "", name, SAME_SURVEY if n_sheets >= _CONCLUSIVE_SHEETS else "", note))
    return Repeats(rows, counts, tuple(questions))


def repeats_of_other_waves(new: pd.DataFrame, parts: Mapping[str, pd.DataFrame]) -> dict[str, int]:
    """Parts of other waves that share all answers with an import -> number of rows: likely the same survey twice."""
    counts = {}
    for name, part in parts.items():
        matching, n_sheets = _matching_rows(new, part)
        if n_sheets >= _CONCLUSIVE_SHEETS and len(matching) in (len(new), len(part)):
            counts[name] = len(matching)
    return counts


def _matching_rows(new: pd.DataFrame, part: pd.DataFrame) -> tuple[pd.Index, int]:
    """Rows that match a row of a part, one to one, and how many different sheets with enough answers they include."""
    shared = [name for name in new if name in part and name not in _NOT_COMPARED]
    if len(shared) < _FEWEST_ANSWERS or new.empty or part.empty:
        return new.index[:0], 0
    new_keys, part_keys = _row_keys(new[shared]), _row_keys(part[shared])
    matching = new.index[new_keys.isin(part_keys)]
    sheets = new.loc[matching, shared].drop_duplicates()
    return matching, int((_distinct_answers(sheets) >= _FEWEST_ANSWERS).sum())


def _row_keys(rows: pd.DataFrame) -> pd.Series:
    """Key of each row's answers, with a counter that keeps equal rows distinct."""
    keys = pd.util.hash_pandas_object(rows.fillna(""), index=False)
    return keys.astype(str) + "#" + keys.groupby(keys).cumcount().astype(str)


def _distinct_answers(sheets: pd.DataFrame) -> pd.Series:
    """Number of different answers on each sheet; sheets with one answer throughout are not distinctive."""
    return sheets.where(sheets.ne("")).nunique(axis=1)


def split_by_wave(parts: Sequence[str], wave: str) -> tuple[list[str], list[str]]:
    """Split parts into those of a wave and those of other waves."""
    of_wave = [name for name in parts if name.removeprefix(f"{wave}-").startswith(tuple(SOURCES))]
    return of_wave, [name for name in parts if name not in of_wave]
