"""Read the seeds of the sample organisation: names, texts and effects, in CSV files beside this module."""

import zlib
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

SEED = 20260930
WAVES = ("2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3")
FIRST_DAY, LAST_DAY = pd.Timestamp("2025-10-01"), pd.Timestamp("2026-09-30")
CLOSING_TIME = LAST_DAY + pd.Timedelta(hours=18)
"""Time of the latest event in the sample."""


@cache
def _read(name: str) -> pd.DataFrame:
    return pd.read_csv(Path(__file__).parent / f"{name}.csv", keep_default_na=False, na_values=[""])


def seed_table(name: str) -> pd.DataFrame:
    """Read one hand-written table; only empty cells are missing values.

    Examples
    --------
    >>> len(seed_table("initiatives"))
    60
    """
    return _read(name).copy()


def leaf_units() -> pd.DataFrame:
    """Units without children, one row each, by unit_id: people by role, what they say, how they use AI."""
    units = seed_table("units")
    return units[units["parent_id"].notna()].set_index("unit_id")


def generator(seed: int, table: str) -> np.random.Generator:
    """Random generator of one table, so that changing one table leaves the bytes of the others unchanged."""
    return np.random.default_rng([seed, zlib.crc32(table.encode())])


def days_before(rng: np.random.Generator, low: float, high: float, n: int) -> pd.Series:
    """`n` dates that lie `low` to `high` days before the last day of the sample."""
    return pd.Series(LAST_DAY - pd.to_timedelta(rng.integers(int(low), int(high), n), unit="D"))
