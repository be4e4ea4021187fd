"""What a notebook reads of results besides tables: one number, and what stands beside all of them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aiready.inputs.dataset import Data
from aiready.instrument.model import Instrument
from aiready.model import waves
from aiready.model.registry import NOT_MEASURED, OK
from aiready.model.schema import TABLES

RECORDS, GIVEN, WAVE = "records", "given", "wave"
"""What the as-of date rests on: a date in the records, who ran it, or the last day of the newest survey wave."""


@dataclass(frozen=True)
class Facts:
    """What stands beside every number: dates, versions, and what was left out.

    `as_of_basis` is what `as_of` rests on (`RECORDS`, `GIVEN`, `WAVE`; empty without a date).
    """

    wave: str
    waves: tuple[str, ...]
    as_of: str
    instrument_version: str
    instrument_digest: str
    about: Mapping[str, str]
    notes: tuple[str, ...]
    input_digest: str
    as_of_basis: str = RECORDS

    @property
    def records_up_to(self) -> str:
        """The as-of date where any record bears a date; else empty, because no record reaches up to it."""
        return self.as_of if self.as_of_basis == RECORDS else ""

    @property
    def reached_on(self) -> str:
        """The day that due dates are held against; empty where nobody knows how far time has gone.

        A wave is only a label: the last day of `2026` may lie ahead.
        """
        return self.as_of if self.as_of_basis in (RECORDS, GIVEN) else ""


def facts_of(data: Data, rules: Instrument, in_waves: tuple[str, ...], notes: tuple[str, ...]) -> Facts:
    """The facts of some data; `in_waves` are the waves of its results, `notes` what computing them had to say."""
    digests = "".join(sorted(data.inputs["sha256"])) if data.inputs is not None else ""
    return Facts(
        wave=data.wave if data.wave in in_waves else in_waves[-1],
        waves=in_waves,
        as_of=data.as_of.isoformat() if data.as_of else "",
        instrument_version=rules.version,
        instrument_digest=rules.digest,
        about=dict(data.about),
        notes=(*data.notes, *notes),
        input_digest=hashlib.sha256(digests.encode()).hexdigest()[:12],
        as_of_basis=_basis(data),
    )


def _basis(data: Data) -> str:
    """What the as-of date of some data rests on."""
    if data.as_of is None:
        return ""
    happened = (
        data.tables[name][column.name].notna().any()
        for name in data.tables
        for column in TABLES[name].columns
        if column.happened and column.name in data.tables[name]
    )
    if data.decisions is not None or any(happened):
        return RECORDS
    return WAVE if data.waves and data.as_of == waves.last_day(data.waves[-1]) else GIVEN


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
