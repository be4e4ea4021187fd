"""The day that ages are counted to: the newest date of something that happened, and the cell that sets it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import ibis
import pandas as pd

from aiready.inputs.database import answering
from aiready.inputs.decision_log import Log
from aiready.inputs.files import FILE, ROW
from aiready.inputs.memory_tables import Part
from aiready.model import waves
from aiready.model.schema import TABLES, Table

_YEAR, _DECADE, _GENERATION = 4, 40, 120
"""Empty quarters that make a date stand alone, that hardly any organisation has, and that none has."""
_FEW, _DENSE, _SOME = 3, 100, 3
"""How many cells stand alone; how many others each of them, or all after a decade, take to be typing errors."""
_YEARS_APART = 3
"""Years between two waves that look like a wrong label."""
_NOW = 4 * 2000
"""The quarter before which dates are placeholders (1900-01-01, 1970-01-01) as often as memories."""
_DECISIONS = "decisions"


@dataclass(frozen=True)
class Newest:
    """The newest date of something that happened: when it is, and the cell that says so."""

    at: pd.Timestamp
    cell: str


def _happened(table: str, columns: Iterable[str]) -> list[str]:
    return [column.name for column in TABLES[table].columns if column.happened and column.name in columns]


def newest(parts: Mapping[str, Part], log: Log | None) -> Newest | None:
    """Newest date over all tables, with the first cell that has it; None when nothing carries a date."""
    cells = [
        (part.used[column].max(), name, column) for name, part in parts.items() for column in _happened(name, part.used)
    ]
    cells += (
        [(log.newest(column), _DECISIONS, column) for column in _happened(_DECISIONS, log.facts.index)] if log else []
    )
    dated = [cell for cell in cells if pd.notna(cell[0])]
    if not dated:
        return None
    at, name, column = max(dated, key=lambda cell: cell[0])
    row = _row_of(parts[name], column, at) if name in parts else _row_in_log(log, column, at) if log else None
    return Newest(at, _cell(name, row, column, at))


def _row_of(part: Part, column: str, at: pd.Timestamp) -> pd.Series:
    return part.places.loc[part.used.index[part.used[column] == at][0]]


@answering(_DECISIONS)
def _row_in_log(log: Log, column: str, at: pd.Timestamp) -> pd.Series | None:
    rows = log.rows.filter(log.rows[column] == ibis.timestamp(at))
    where = [name for name in (FILE, ROW) if name in rows.columns]
    first = rows.select(*where).order_by(where).limit(1).to_pandas()
    return first.iloc[0] if len(first) else None


def _cell(table: str, row: pd.Series | None, column: str, at: pd.Timestamp) -> str:
    place = table if row is None else str(row[FILE])
    number = f", row {row[ROW]}" if row is not None and ROW in row.index else ""
    when = at.date().isoformat() if at == at.normalize() else at.isoformat(sep=" ", timespec="seconds")
    return f'{place}{number}, column "{column}": {when}'


def origin(last: Newest | None, given: date | None, wave: str) -> str:
    """What sets the as-of date: a cell, the option, or the newest wave where nothing else is dated."""
    return last.cell if last else "--as-of" if given else f"the last day of wave {wave}"


# Dates that stand alone ----------------------------------------------------------------------------------


def times(parts: Mapping[str, Part], log: Log | None) -> pd.DataFrame:
    """How many cells are dated in each quarter: one row per quarter (quarter, counted on from year 0; n).

    Wave labels count too: somebody answered or wrote then.
    """
    happened = [part.used[column] for name, part in parts.items() for column in _happened(name, part.used)]
    labels = [part.used["wave"].dropna() for part in parts.values() if "wave" in part.used]
    moments = [*happened, *(pd.to_datetime(column.map(waves.last_day), errors="coerce") for column in labels)]
    counts = [_quarters(column.dropna()) for column in moments] + ([_times_of_log(log)] if log else [])
    filled = [one for one in counts if len(one)]
    together = pd.concat(filled).groupby(level=0).sum() if filled else pd.Series(dtype="int64")
    return pd.DataFrame({"quarter": together.index, "n": together.to_numpy()})


def _quarters(moments: pd.Series) -> "pd.Series[int]":
    """How many moments lie in each quarter."""
    return (4 * moments.dt.year + moments.dt.quarter - 1).astype("int64").value_counts()


@answering(_DECISIONS)
def _times_of_log(log: Log) -> "pd.Series[int]":
    names = _happened(_DECISIONS, log.facts.index)
    if not names:
        return pd.Series(dtype="int64")
    quarters = {name: log.rows[name].year() * 4 + log.rows[name].quarter() - 1 for name in names}
    rows = log.rows.group_by(**quarters).aggregate(n=log.rows.count()).to_pandas()
    counts = [rows.dropna(subset=name).astype({name: "int64"}).groupby(name)["n"].sum() for name in names]
    return pd.concat([one for one in counts if len(one)]) if any(map(len, counts)) else pd.Series(dtype="int64")


def alone_from(dated: pd.DataFrame) -> pd.Timestamp | None:
    """Moment from which dates are taken for typing errors, or None.

    Parameters
    ----------
    dated
        One row per quarter, oldest first (quarter, n), as `times` counts.

    Notes
    -----
    Dates stand alone after four or more quarters in which nothing happened. They are set aside where they are three
    cells at most and a hundred times as many are dated before; or where ten years lie between, and no more cells are
    dated after than before, of which there are three (one where thirty years lie between). Only what is dated from
    2000 on counts as before. Sparse records keep all their dates. No clock is asked: the same files give the same
    results on any day.
    """
    empty = dated["quarter"].diff().fillna(0) - 1
    after = dated["n"].sum() - dated["n"].cumsum() + dated["n"]
    recent = dated["n"].where(dated["quarter"] >= _NOW, 0)
    before = recent.cumsum() - recent
    few = (empty >= _YEAR) & (after <= _FEW) & (before >= _DENSE * after)
    decade = (empty >= _DECADE) & (before >= _SOME) | (empty >= _GENERATION) & (before >= 1)
    wrong = few | (decade & (after <= before))
    return _first_day(dated.loc[wrong, "quarter"].iloc[0]) if wrong.any() else None


def _first_day(quarter: float) -> pd.Timestamp:
    year, place = divmod(int(quarter), 4)
    return pd.Timestamp(year, 3 * place + 1, 1)


def until(table: Table, moment: pd.Timestamp | None) -> Table:
    """The table, with a rule that sets aside what is said to have happened from a moment on."""
    if moment is None:
        return table
    at = moment.to_pydatetime()
    return replace(table, columns=tuple(replace(c, before=at) if c.happened else c for c in table.columns))


def notes(last: Newest | None, dated: pd.DataFrame | None, moment: pd.Timestamp | None) -> list[str]:
    """A line where dates were set aside, and one where the as-of date rests on few cells that stand alone."""
    lines = []
    if moment is not None:
        lines.append(
            f"Dates from {moment.date()} on lie long after everything else and are set aside, so that not all ages are "
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


def notes_on_waves(in_order: Sequence[str]) -> list[str]:
    """A line where the newest wave lies years after the one before it: one wrong label makes all pages show it."""
    if len(in_order) < 2:
        return []
    before, last = in_order[-2:]
    years = (waves.last_day(last) - waves.last_day(before)).days / 365
    if years < _YEARS_APART:
        return []
    return [f"The newest wave, {last}, lies {years:.0f} years after {before}. Correct its rows if a label is wrong."]


# As it was on a day --------------------------------------------------------------------------------------

_GOVERNED_BY = {"feedback": "flagged_at", "probes": "asked_at", "trials": "started_on"}


def cut(name: str, part: Part, as_of: date | None) -> Part:
    """The table as it was at the end of a day: without the rows that happened later, nor later answers."""
    if as_of is None or name not in _GOVERNED_BY:
        return part
    end = pd.Timestamp(as_of) + timedelta(days=1)
    used = part.used[~(part.used[_GOVERNED_BY[name]] >= end)].reset_index(drop=True)
    if name == "feedback":
        later = ["answered_at", "deployed_at", "declined_at"]
        used[later] = used[later].where(used[later] < end)
    return replace(part, used=used, after_as_of=len(part.used) - len(used))


def survey_waves(parts: Mapping[str, Part], as_of: date | None) -> tuple[tuple[str, ...], str, date | None]:
    """Survey waves, the wave of rows that name none, and `as_of` where only waves carry a date."""
    labels = parts["responses"].used["wave"].dropna() if "responses" in parts else ()
    in_order = waves.in_order(labels)
    if not in_order:
        return (), waves.quarter(as_of) if as_of else waves.UNDATED, as_of
    return in_order, in_order[-1], as_of or waves.last_day(in_order[-1])
