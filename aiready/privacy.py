"""Nobody identifiable: minimum groups on every table, before anything is written or drawn."""

import numpy as np
import pandas as pd

from aiready.instrument import Settings
from aiready.measures import COLUMNS, NOT_MEASURED, NUMBERS, PEOPLE, SUPPRESSED

SURVEY_KEY = ["unit_id", "wave", "segment"]


def survey_pattern(made: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Which survey cells are hidden: one row per unit x wave x segment with `n` and `hidden`.

    Notes
    -----
    One pattern covers everything from `responses`: n is the smallest number of scored respondents over the
    barriers the group is asked.
    """
    rows = made.loc[(made["measure"] == "perception") & (made["status"] != NOT_MEASURED)]
    cells = rows.groupby(SURVEY_KEY, as_index=False)[PEOPLE].min().rename(columns={PEOPLE: "n"})
    return cells.assign(hidden=cells["n"] < settings.minimum_group)


def protect_measures(made: pd.DataFrame, pattern: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Suppress measures rows: those behind which too few people stand, and every row of a hidden survey cell.

    Returns
    -------
    pandas.DataFrame
        Same grain, `COLUMNS`; a hidden row keeps no number and no note that could give one back.
    """
    few = made[PEOPLE].lt(settings.minimum_group)
    hidden = (few | _in_pattern(made, pattern)) & (made["status"] != NOT_MEASURED)
    return _blank(made, hidden, list(NUMBERS))[list(COLUMNS)]


def protect_counts(
    table: pd.DataFrame, pattern: pd.DataFrame, minimum: int, numbers: list[str]
) -> pd.DataFrame:
    """Blank `numbers` of survey tables (items, explain, themes) in hidden cells or below `minimum` people.

    `table` has unit_id, wave, segment, people, status; the column `people` is dropped.
    """
    hidden = (table[PEOPLE].lt(minimum) | _in_pattern(table, pattern, every=True)) & (
        table["status"] != NOT_MEASURED
    )
    return _blank(table, hidden, numbers).drop(columns=PEOPLE)


def _in_pattern(table: pd.DataFrame, pattern: pd.DataFrame, *, every: bool = False) -> pd.Series:
    hidden = pd.MultiIndex.from_frame(pattern.loc[pattern["hidden"], SURVEY_KEY])
    found = pd.Series(pd.MultiIndex.from_frame(table[SURVEY_KEY]).isin(hidden), index=table.index)
    return found if every else found & (table["table"] == "responses")


def _blank(table: pd.DataFrame, hidden: pd.Series, numbers: list[str]) -> pd.DataFrame:
    shown = table.copy()
    shown[numbers] = shown[numbers].mask(hidden, np.nan)
    shown["status"] = shown["status"].mask(hidden, SUPPRESSED)
    if "note" in shown:
        shown["note"] = shown["note"].mask(hidden, "fewer people than may be shown")
    return shown
