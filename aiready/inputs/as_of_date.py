"""Find the as-of date that ages are counted to (the newest date of an event), and cut tables at it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import ibis
import pandas as pd

from aiready.inputs.database import database_errors
from aiready.inputs.decision_log import DecisionLog
from aiready.inputs.files import FILE, ROW
from aiready.inputs.memory_tables import CheckedTable
from aiready.model import waves
from aiready.model.schema import TABLES, Table

_YEAR, _DECADE, _GENERATION = 4, 40, 120
"""Empty quarters before a date that make it isolated, that hardly any organisation has, and that none has."""
_FEW, _DENSE, _SOME = 3, 100, 3
"""Isolated cells at most; earlier cells for each of them, or for all after a decade, that make them typing errors."""
_YEARS_APART = 3
"""Years between the two newest waves from which a label looks wrong."""
_FIRST_CREDIBLE = 4 * 2000
"""Quarter before which dates are as often placeholders (1900-01-01, 1970-01-01) as facts."""
_DECISIONS = "decisions"


@dataclass(frozen=True)
class NewestDate:
    """The newest date of an event, and in words the cell that holds it."""

    at: pd.Timestamp
    cell: str


def _event_columns(table: str, columns: Iterable[str]) -> list[str]:
    return [column.name for column in TABLES[table].columns if column.happened and column.name in columns]


def newest_date(checked_tables: Mapping[str, CheckedTable], log: DecisionLog | None) -> NewestDate | None:
    """Newest date of an event over all tables, and the first cell that holds it; None without any date."""
    cells = [
        (table.used[column].max(), name, column)
        for name, table in checked_tables.items()
        for column in _event_columns(name, table.used)
    ]
    cells += (
        [(log.newest(column), _DECISIONS, column) for column in _event_columns(_DECISIONS, log.facts.index)]
        if log
        else []
    )
    dated = [cell for cell in cells if pd.notna(cell[0])]
    if not dated:
        return None
    at, name, column = max(dated, key=lambda cell: cell[0])
    row = (
        _first_row(checked_tables[name], column, at)
        if name in checked_tables
        else _first_row_in_log(log, column, at)
        if log
        else None
    )
    return NewestDate(at, _describe_cell(name, row, column, at))


def _first_row(table: CheckedTable, column: str, at: pd.Timestamp) -> pd.Series:
    return table.row_origins.loc[table.used.index[table.used[column] == at][0]]


@database_errors(_DECISIONS)
def _first_row_in_log(log: DecisionLog, column: str, at: pd.Timestamp) -> pd.Series | None:
    rows = log.rows.filter(log.rows[column] == ibis.timestamp(at))
    where = [name for name in (FILE, ROW) if name in rows.columns]
    first = rows.select(*where).order_by(where).limit(1).to_pandas()
    return first.iloc[0] if len(first) else None


def _describe_cell(table: str, row: pd.Series | None, column: str, at: pd.Timestamp) -> str:
    source = table if row is None else str(row[FILE])
    number = f", row {row[ROW]}" if row is not None and ROW in row.index else ""
    when = at.date().isoformat() if at == at.normalize() else at.isoformat(sep=" ", timespec="seconds")
    return f'{source}{number}, column "{column}": {when}'


def as_of_source(last: NewestDate | None, option: date | None, wave: str) -> str:
    """What sets the as-of date, in words: a cell, the option, or the newest wave where nothing else is dated."""
    return last.cell if last else "--as-of" if option else f"the last day of wave {wave}"


# Isolated dates ------------------------------------------------------------------------------------------


def count_by_quarter(checked_tables: Mapping[str, CheckedTable], log: DecisionLog | None) -> pd.DataFrame:
    """Count dated cells: one row per quarter (quarter, counted from year 0; n).

    A wave label counts as a date at the end of its wave.
    """
    events = [
        table.used[column] for name, table in checked_tables.items() for column in _event_columns(name, table.used)
    ]
    labels = [table.used["wave"].dropna() for table in checked_tables.values() if "wave" in table.used]
    moments = [*events, *(pd.to_datetime(column.map(waves.last_day), errors="coerce") for column in labels)]
    counts = [_count_quarters(column.dropna()) for column in moments] + ([_count_log_by_quarter(log)] if log else [])
    filled = [one for one in counts if len(one)]
    together = pd.concat(filled).groupby(level=0).sum() if filled else pd.Series(dtype="int64")
    return pd.DataFrame({"quarter": together.index, "n": together.to_numpy()})


def _count_quarters(moments: pd.Series) -> "pd.Series[int]":
    """Number of times in each quarter."""
    return (4 * moments.dt.year + moments.dt.quarter - 1).astype("int64").value_counts()


@database_errors(_DECISIONS)
def _count_log_by_quarter(log: DecisionLog) -> "pd.Series[int]":
    names = _event_columns(_DECISIONS, log.facts.index)
    if not names:
        return pd.Series(dtype="int64")
    quarters = {name: log.rows[name].year() * 4 + log.rows[name].quarter() - 1 for name in names}
    rows = log.rows.group_by(**quarters).aggregate(n=log.rows.count()).to_pandas()
    counts = [rows.dropna(subset=name).astype({name: "int64"}).groupby(name)["n"].sum() for name in names]
    return pd.concat([one for one in counts if len(one)]) if any(map(len, counts)) else pd.Series(dtype="int64")


def isolated_from(dated: pd.DataFrame) -> pd.Timestamp | None:
    """Time from which dates are taken for typing errors, or None.

    Parameters
    ----------
    dated
        One row per quarter, oldest first (quarter, n), as `count_by_quarter` counts.

    Notes
    -----
    Dates are isolated after four or more empty quarters. They are set aside where they are at most three cells and
    a hundred times as many cells have earlier dates; or after a gap of ten years, if there are at least three cells
    before the gap (one after a gap of thirty years) and no more cells after it than before. Only dates from 2000 on
    count as earlier. Sparse records keep all their dates. No clock is used: the same files give the same results on
    any day.
    """
    empty = dated["quarter"].diff().fillna(0) - 1
    after = dated["n"].sum() - dated["n"].cumsum() + dated["n"]
    recent = dated["n"].where(dated["quarter"] >= _FIRST_CREDIBLE, 0)
    before = recent.cumsum() - recent
    few = (empty >= _YEAR) & (after <= _FEW) & (before >= _DENSE * after)
    decade = (empty >= _DECADE) & (before >= _SOME) | (empty >= _GENERATION) & (before >= 1)
    wrong = few | (decade & (after <= before))
    return _first_day(dated.loc[wrong, "quarter"].iloc[0]) if wrong.any() else None


def _first_day(quarter: float) -> pd.Timestamp:
    year, quarter_of_year = divmod(int(quarter), 4)
    return pd.Timestamp(year, 3 * quarter_of_year + 1, 1)


def reject_dates_from(table: Table, time: pd.Timestamp | None) -> Table:
    """The table with a rule that sets aside events dated from a time on; the table itself without a time."""
    if time is None:
        return table
    at = time.to_pydatetime()
    return replace(table, columns=tuple(replace(c, before=at) if c.happened else c for c in table.columns))


def isolated_date_notes(last: NewestDate | None, dated: pd.DataFrame | None, time: pd.Timestamp | None) -> list[str]:
    """A note if dates were set aside, and one if the as-of date rests on a few isolated cells."""
    lines = []
    if time is not None:
        lines.append(
            f"Dates from {time.date()} on lie long after everything else and are set aside, so that not all ages are "
            "counted to them. Correct them, or give --as-of if they are right."
        )
    if last is None or dated is None or len(dated) < 2:
        return lines
    empty = dated["quarter"].diff() - 1
    rest = dated["n"].sum() - dated["n"].cumsum() + dated["n"]
    gap = dated[(empty >= _YEAR) & (rest <= _FEW)]
    if len(gap) and last.at >= _first_day(gap["quarter"].iloc[-1]):
        earlier = dated["quarter"][dated["quarter"] < gap["quarter"].iloc[-1]].max()
        lines.append(
            f"Ages are counted to {last.at.date()} because of {last.cell}; everything else is dated "
            f"{waves.quarter(_first_day(earlier).date())} or before. Correct it if it is wrong, or give --as-of."
        )
    return lines


def distant_wave_notes(survey_waves: Sequence[str]) -> list[str]:
    """A note if the newest wave is years after the one before: pages show the newest, so one wrong label matters."""
    if len(survey_waves) < 2:
        return []
    before, last = survey_waves[-2:]
    years = (waves.last_day(last) - waves.last_day(before)).days / 365
    if years < _YEARS_APART:
        return []
    return [f"The newest wave, {last}, lies {years:.0f} years after {before}. Correct its rows if a label is wrong."]


# As known on a day ---------------------------------------------------------------------------------------

_EVENT_DATE = {"feedback": "flagged_at", "probes": "asked_at", "trials": "started_on"}


def table_as_of(name: str, table: CheckedTable, as_of: date | None) -> CheckedTable:
    """The table as known at the end of a day: without later rows, and with later answers blank."""
    if as_of is None or name not in _EVENT_DATE:
        return table
    end = pd.Timestamp(as_of) + timedelta(days=1)
    used = table.used[~(table.used[_EVENT_DATE[name]] >= end)].reset_index(drop=True)
    if name == "feedback":
        later = ["answered_at", "deployed_at", "declined_at"]
        used[later] = used[later].where(used[later] < end)
    return replace(table, used=used, after_as_of=len(table.used) - len(used))


def survey_waves(
    checked_tables: Mapping[str, CheckedTable], as_of: date | None
) -> tuple[tuple[str, ...], str, date | None]:
    """Survey waves, the wave of rows without one, and the as-of date: of the newest wave if nothing else is dated."""
    labels = checked_tables["responses"].used["wave"].dropna() if "responses" in checked_tables else ()
    in_order = waves.sort_waves(labels)
    if not in_order:
        return (), waves.quarter(as_of) if as_of else waves.UNDATED, as_of
    return in_order, in_order[-1], as_of or waves.last_day(in_order[-1])
