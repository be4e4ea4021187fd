"""Shares of records: yes, no or unknown per record, and what may be said of all when some are unknown."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from aiready.measures.estimation import inference
from aiready.model.registry import INSUFFICIENT, OK

CELL = ["unit_id", "wave"]
Judgements = Mapping[str, tuple[pd.Series, pd.Series]]
"""Measure -> whether it applies to a record, and 1 yes, 0 no, missing unknown."""


def reported(rows: pd.DataFrame, membership: pd.DataFrame) -> pd.DataFrame:
    """Give every reporting unit the rows of its members, who are named in `member_id`."""
    named = rows.rename(columns={"unit_id": "member_id"})
    return named.merge(membership[["unit_id", "member_id"]], on="member_id")


def yes_no(condition: pd.Series, known: pd.Series) -> pd.Series:
    """1 yes, 0 no, missing where it is not known."""
    return condition.astype(float).where(known)


def all_of(*facts: pd.Series) -> pd.Series:
    """Yes when all are; no when one is not, whatever the rest; else unknown.

    Examples
    --------
    >>> unknown = pd.Series([np.nan, np.nan])
    >>> all_of(pd.Series([1.0, 0.0]), unknown).tolist()
    [nan, 0.0]
    """
    side_by_side = pd.concat(facts, axis=1)
    least = side_by_side.min(axis=1)
    return least.where(side_by_side.notna().all(axis=1) | least.eq(0))


def any_of(*facts: pd.Series) -> pd.Series:
    """Yes when one is, whatever the rest; no when none is; else unknown."""
    return 1 - all_of(*(1 - fact for fact in facts))


def fresh(dates: pd.Series, as_of: pd.Timestamp, days: int) -> pd.Series:
    """Whether a date lies at most `days` before `as_of`; unknown where there is none."""
    age = (as_of - dates).dt.days
    return yes_no(age <= days, age.notna())


def counts(
    records: pd.DataFrame, judged: Judgements, firm: Mapping[str, pd.Series], doubted: Mapping[str, pd.Series]
) -> pd.DataFrame:
    """Count judgements: one row per record x measure (asked, known, yes, firm, doubted, n: 0 or 1).

    `firm` says of some measures which yes would stay one whatever the blanks beside it turned out to be, `doubted`
    to which records it may apply although it is not asked of them.
    """
    made = [
        records.assign(
            measure=name, asked=applies.astype(int), known=(applies & yes.notna()).astype(int),
            yes=yes.where(applies).fillna(0.0), n=(applies & yes.notna()).astype(int),
            firm=yes.where(applies & firm.get(name, True)).fillna(0.0),
            doubted=doubted.get(name, pd.Series(False, records.index)).astype(int),
        )
        for name, (applies, yes) in judged.items()
    ]  # fmt: skip
    return pd.concat(made, ignore_index=True)


def share_cells(sums: pd.DataFrame, floor: float, scopes: Mapping[str, str]) -> pd.DataFrame:
    """Share of yes among the known records of each cell, with bounds over the unknown ones.

    Parameters
    ----------
    sums
        `measure`, `asked`, `known`, `yes`, `firm`, `doubted`, `n`, and the keys of the cell.
    floor
        Share of records that must be known; below it the cell is insufficient.
    scopes
        Measure -> the words that complete "none is ..." where nothing is asked.

    Returns
    -------
    pandas.DataFrame
        `sums` with value = yes / known, low = yes / asked, high = (yes + unknown) / asked, status, note; where a yes
        or being asked rests on a blank, at_least = firm / (asked + doubted).
    """
    coverage = sums["known"] / sums["asked"].where(sums["asked"] > 0)
    value = sums["yes"] / sums["known"].where(sums["known"] > 0)
    low, high = inference.coverage_bounds(value, coverage)
    known = "known for " + sums["known"].astype(str) + " of " + sums["asked"].astype(str)
    note = known.mask(coverage.eq(1), "").mask(coverage < floor, known + f", at least {floor:.0%} needed")
    note = note.mask(coverage.isna(), "none is " + sums["measure"].map(scopes).fillna("recorded"))
    status = np.where(coverage < floor, INSUFFICIENT, OK)
    rests = (sums["firm"] < sums["yes"]) | (sums["doubted"] > 0)
    at_least = (sums["firm"] / (sums["asked"] + sums["doubted"])).where(rests)
    return sums.assign(value=value, low=low, high=high, at_least=at_least, status=status, note=note)
