"""Compute shares of records judged yes, no or unknown, with bounds for the unknown ones."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from aiready.measures.estimation import inference
from aiready.model.registry import INSUFFICIENT, OK

CELL = ["unit_id", "wave"]
Judgements = Mapping[str, tuple[pd.Series, pd.Series]]
"""By measure: whether it applies to each record, and the judgement (1 yes, 0 no, missing: unknown)."""


def by_reporting_unit(rows: pd.DataFrame, membership: pd.DataFrame) -> pd.DataFrame:
    """Repeat each row for every reporting unit that its unit belongs to; the unit itself moves to `member_id`."""
    members = rows.rename(columns={"unit_id": "member_id"})
    return members.merge(membership[["unit_id", "member_id"]], on="member_id")


def yes_no(condition: pd.Series, is_known: pd.Series) -> pd.Series:
    """1 for yes, 0 for no, missing where unknown."""
    return condition.astype(float).where(is_known)


def all_of(*facts: pd.Series) -> pd.Series:
    """Three-valued and (Kleene): yes when all are yes, no when one is no, else unknown.

    Examples
    --------
    >>> unknown = pd.Series([np.nan, np.nan])
    >>> all_of(pd.Series([1.0, 0.0]), unknown).tolist()
    [nan, 0.0]
    """
    values = pd.concat(facts, axis=1)
    least = values.min(axis=1)
    return least.where(values.notna().all(axis=1) | least.eq(0))


def any_of(*facts: pd.Series) -> pd.Series:
    """Three-valued or (Kleene): yes when one is yes, no when all are no, else unknown."""
    return 1 - all_of(*(1 - fact for fact in facts))


def is_fresh(dates: pd.Series, as_of: pd.Timestamp, days: int) -> pd.Series:
    """Whether a date lies at most `days` before `as_of`; unknown without a date."""
    age = (as_of - dates).dt.days
    return yes_no(age <= days, age.notna())


def count_judgements(
    records: pd.DataFrame, judgements: Judgements, firm: Mapping[str, pd.Series], doubted: Mapping[str, pd.Series]
) -> pd.DataFrame:
    """One row per record x measure with 0 or 1 in asked (it applies), known, yes, firm, doubted and n.

    `firm`: by measure, the records whose yes would hold whatever their blanks stand for (default: all). `doubted`: by
    measure, the records to which it may apply, though nothing recorded says so (default: none).
    """
    parts = [
        records.assign(
            measure=name, asked=applies.astype(int), known=(applies & yes.notna()).astype(int),
            yes=yes.where(applies).fillna(0.0), n=(applies & yes.notna()).astype(int),
            firm=yes.where(applies & firm.get(name, True)).fillna(0.0),
            doubted=doubted.get(name, pd.Series(False, records.index)).astype(int),
        )
        for name, (applies, yes) in judgements.items()
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def share_cells(sums: pd.DataFrame, floor: float, scopes: Mapping[str, str]) -> pd.DataFrame:
    """Share of yes among the known records of each cell, with bounds for the unknown ones.

    Parameters
    ----------
    sums
        `measure`, `asked`, `known`, `yes`, `firm`, `doubted`, `n`, and the keys of the cell.
    floor
        Share of records that must be known; below it the cell is insufficient.
    scopes
        By measure, the words that complete the note "none is ..." of a cell to which no record applies.

    Returns
    -------
    pandas.DataFrame
        `sums` with value = yes / known, low = yes / asked, high = (yes + unknown) / asked, status, note; and, where
        some records are doubted or some yes is not firm, at_least = firm / (asked + doubted).
    """
    coverage = sums["known"] / sums["asked"].where(sums["asked"] > 0)
    value = sums["yes"] / sums["known"].where(sums["known"] > 0)
    low, high = inference.coverage_bounds(value, coverage)
    known_note = "known for " + sums["known"].astype(str) + " of " + sums["asked"].astype(str)
    note = known_note.mask(coverage.eq(1), "").mask(coverage < floor, known_note + f", at least {floor:.0%} needed")
    note = note.mask(coverage.isna(), "none is " + sums["measure"].map(scopes).fillna("recorded"))
    status = np.where(coverage < floor, INSUFFICIENT, OK)
    rests_on_blank = (sums["firm"] < sums["yes"]) | (sums["doubted"] > 0)
    at_least = (sums["firm"] / (sums["asked"] + sums["doubted"])).where(rests_on_blank)
    return sums.assign(value=value, low=low, high=high, at_least=at_least, status=status, note=note)
