"""What a notebook reads of results besides tables: one number, and what stands beside all of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aiready.measures import NOT_MEASURED, OK


@dataclass(frozen=True)
class Facts:
    """What stands beside every number: dates, versions, and what was left out."""

    wave: str
    waves: tuple[str, ...]
    as_of: str
    instrument_version: str
    instrument_digest: str
    about: Mapping[str, str]
    notes: tuple[str, ...]
    input_digest: str


@dataclass(frozen=True)
class Cell:
    """One number with its interval, n, unit of measure and status; the numbers are NaN unless `status` is ok."""

    value: float = np.nan
    low: float = np.nan
    high: float = np.nan
    n: float = np.nan
    unit: str = ""
    status: str = NOT_MEASURED
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether there is a number to show."""
        return self.status == OK
