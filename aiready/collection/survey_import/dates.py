"""Find the wave of an export from the dates that the survey tool wrote."""

from collections.abc import Sequence

import pandas as pd

from aiready.collection.survey_import.files import Export
from aiready.model.waves import quarter

_ISO = r"^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:\D|$)"
_LOCAL = r"^(\d{1,2})([./-])(\d{1,2})[./-](\d{4}|\d{2})(?:\D|$)"
_SERIAL = r"^[2-7]\d{4}(?:\.\d+)?$"
_EARLIEST = 2000
"""Dates of earlier years are not dates: LimeSurvey writes 1980-01-01 where a survey records no times."""
_ALONE_DAYS = 366
"""A newest answer more than this after all others has a wrong date."""


def detect_wave(export: Export) -> tuple[str, str] | None:
    """Quarter of the newest answer and the reason; None where it cannot be determined.

    `3/4/2026` is read when other cells show whether day or month comes first, or when both give the same quarter.
    """
    for position in export.positions_of("submitted", "date"):
        readings = [days[days.dt.year >= _EARLIEST] for days in _readings(export.rows[str(position)])]
        readings = [days for days in readings if len(days)]
        if any(_is_alone(days) for days in readings):
            return None
        quarters = {quarter(days.max().date()) for days in readings}
        if len(quarters) == 1:
            newest = " or ".join(str(days.max().date()) for days in readings)
            return quarters.pop(), f"the newest {export.name(position)} is {newest}{_earlier(readings)}"
    return None


def _earlier(readings: Sequence[pd.Series]) -> str:
    """Clause on how many answers are dated in earlier quarters than the wave; empty for none."""
    days = readings[0].dt
    quarters = days.year * 4 + days.quarter
    earlier = int((quarters < quarters.max()).sum()) if len(readings) == 1 else 0
    return f"; {earlier:,} are of earlier quarters" if earlier else ""


def _is_alone(days: pd.Series) -> bool:
    """Whether a single answer is dated more than a year after all others, which would shift the wave."""
    distinct = days.drop_duplicates().nlargest(2)
    return len(distinct) == 2 and len(days) > 2 and (distinct.iloc[0] - distinct.iloc[1]).days > _ALONE_DAYS


def why_undated(export: Export) -> str:
    """Why the wave cannot be determined, in a sentence."""
    positions = export.positions_of("submitted", "date")
    cells = pd.concat([export.rows[str(position)] for position in positions]) if positions else pd.Series(dtype=str)
    readings = _readings(cells)
    if cells.eq("").all():
        return "no column dates the answers."
    if readings and all(days.dt.year.lt(_EARLIEST).all() for days in readings):
        return "the survey recorded no dates (1980-01-01 stands for none)."
    if any(_is_alone(days) for days in readings):
        newest = max(days.max().date() for days in readings)
        return f"one answer is dated {newest}, more than a year after all others."
    return "the dates of the answers cannot be told (day or month first?)."


def _readings(cells: pd.Series) -> list[pd.Series]:
    """Possible readings of the cells as days: two where day and month may be swapped, none without a date."""
    cells = cells.astype(str)
    iso, local = cells.str.extract(_ISO), cells.str.extract(_LOCAL).dropna()
    serial = pd.to_numeric(cells[cells.str.fullmatch(_SERIAL)])
    sure = [_dates(iso[0], iso[1], iso[2]), pd.to_datetime(serial, unit="D", origin="1899-12-30")]
    readings = [pd.concat([*sure, days]).dropna() for days in _local(local)]
    return [days for days in readings if len(days)]


def _local(parts: pd.DataFrame) -> list[pd.Series]:
    """Readings of dates with the year last: `11.05.2026` has the day first; else a number above 12 is the day."""
    first, second = parts[0], parts[2]
    year = parts[3].where(parts[3].str.len() == 4, "20" + parts[3])
    day_first, month_first = _dates(year, second, first), _dates(year, first, second)
    if parts[1].eq(".").all() or first.astype(int).gt(12).any():
        return [day_first]
    return [month_first] if second.astype(int).gt(12).any() else [day_first, month_first]


def _dates(year: pd.Series, month: pd.Series, day: pd.Series) -> pd.Series:
    texts = year + "-" + month.str.zfill(2) + "-" + day.str.zfill(2)
    return pd.to_datetime(texts, format="%Y-%m-%d", errors="coerce")
