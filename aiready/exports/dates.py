"""Dates as survey tools write them -> the wave that the answers belong to."""

import pandas as pd

from aiready.exports.files import Export
from aiready.waves import quarter

_ISO = r"^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:\D|$)"
_LOCAL = r"^(\d{1,2})([./-])(\d{1,2})[./-](\d{4}|\d{2})(?:\D|$)"
_SERIAL = r"^[2-7]\d{4}(?:\.\d+)?$"
_EARLIEST = 2000
"""LimeSurvey dates anonymous answers 1980-01-01: no date."""


def wave_of(export: Export) -> tuple[str, str] | None:
    """Quarter of the newest answer and how it was told; None where it cannot be told.

    `3/4/2026` is told when other cells show whether the day or the month comes first, or the quarter is the same.
    """
    for place in export.placed("submitted", "date"):
        readings = [days.max().date() for days in _readings(export.rows[str(place)].drop_duplicates())]
        quarters = {quarter(day) for day in readings if day.year >= _EARLIEST}
        if len(quarters) == 1:
            return quarters.pop(), f"the newest {export.name(place)} is {' or '.join(map(str, readings))}"
    return None


def _readings(cells: pd.Series) -> list[pd.Series]:
    """Days of the cells; two readings where day and month could stand either way; none without a date."""
    iso, local = cells.str.extract(_ISO), cells.str.extract(_LOCAL).dropna()
    serial = pd.to_numeric(cells[cells.str.fullmatch(_SERIAL)])
    sure = [_dates(iso[0], iso[1], iso[2]), pd.to_datetime(serial, unit="D", origin="1899-12-30")]
    readings = [pd.concat([*sure, days]).dropna() for days in _local(local)]
    return [days for days in readings if len(days)]


def _local(parts: pd.DataFrame) -> list[pd.Series]:
    """`11.05.2026` begins with the day; with slashes, whichever number goes beyond twelve is the day."""
    first, second = parts[0], parts[2]
    year = parts[3].where(parts[3].str.len() == 4, "20" + parts[3])
    day_first, month_first = _dates(year, second, first), _dates(year, first, second)
    if parts[1].eq(".").all() or first.astype(int).gt(12).any():
        return [day_first]
    return [month_first] if second.astype(int).gt(12).any() else [day_first, month_first]


def _dates(year: pd.Series, month: pd.Series, day: pd.Series) -> pd.Series:
    texts = year + "-" + month.str.zfill(2) + "-" + day.str.zfill(2)
    return pd.to_datetime(texts, format="%Y-%m-%d", errors="coerce")
