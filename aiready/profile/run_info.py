"""What results hold besides tables: facts of the run (dates, versions, notes), and single numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiready.atomic_files import sha256
from aiready.instrument.model import Instrument
from aiready.model import waves
from aiready.model.registry import NOT_MEASURED, OK
from aiready.model.schema import TABLES

if TYPE_CHECKING:
    from aiready.inputs.dataset import Data

FROM_RECORDS, FROM_CALLER, FROM_WAVE = "records", "given", "wave"
"""Where the as-of date comes from: a date in the records, the caller, or the last day of the newest survey wave."""


@dataclass(frozen=True)
class Facts:
    """Facts of a run that apply to every number: dates, versions, and notes on what was left out.

    `as_of_basis`: where `as_of` comes from (`FROM_RECORDS`, `FROM_CALLER`, `FROM_WAVE`; empty without a date).
    """

    wave: str
    waves: tuple[str, ...]
    as_of: str
    instrument_version: str
    instrument_digest: str
    about: Mapping[str, str]
    notes: tuple[str, ...]
    input_digest: str
    as_of_basis: str = FROM_RECORDS

    @property
    def records_up_to(self) -> str:
        """The as-of date where any record is dated; else empty."""
        return self.as_of if self.as_of_basis == FROM_RECORDS else ""

    @property
    def reached_on(self) -> str:
        """The day that due dates are compared with; empty where the as-of date comes from a wave label.

        The last day of a wave such as `2026` may be in the future.
        """
        return self.as_of if self.as_of_basis in (FROM_RECORDS, FROM_CALLER) else ""


def facts_of(data: "Data", rules: Instrument, in_waves: tuple[str, ...], notes: tuple[str, ...]) -> Facts:
    """Facts of a run; `in_waves`: the waves of its results; `notes`: from computing them."""
    digests = "".join(sorted(data.inputs["sha256"])) if data.inputs is not None else ""
    return Facts(
        wave=data.wave if data.wave in in_waves else in_waves[-1],
        waves=in_waves,
        as_of=data.as_of.isoformat() if data.as_of else "",
        instrument_version=rules.version,
        instrument_digest=rules.digest,
        about=dict(data.about),
        notes=(*data.notes, *notes),
        input_digest=sha256(digests)[:12],
        as_of_basis=_basis(data),
    )


def _basis(data: "Data") -> str:
    """Where the as-of date of a dataset comes from."""
    if data.as_of is None:
        return ""
    happened = (
        data.tables[name][column.name].notna().any()
        for name in data.tables
        for column in TABLES[name].columns
        if column.happened and column.name in data.tables[name]
    )
    if data.decisions is not None or any(happened):
        return FROM_RECORDS
    return FROM_WAVE if data.waves and data.as_of == waves.last_day(data.waves[-1]) else FROM_CALLER


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
        """Whether there is a number."""
        return self.status == OK
