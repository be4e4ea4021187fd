"""From a data folder or workbook to checked tables: all that measures look at, and what was left out."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import ibis.expr.types as ir
import pandas as pd
from ibis.backends.duckdb import Backend

from aiready import decision_store, distant_log, hierarchy, loading, waves
from aiready.cells import typed
from aiready.checks import SUPERSEDED, quarantine, repeats, rules_of
from aiready.decision_store import Log
from aiready.errors import InputError, all_at_once
from aiready.instrument import Instrument
from aiready.places import Place, date_of_form, find_tables, instrument_folder
from aiready.readers import FILE, ROW
from aiready.schema import TABLES, Table
from aiready.warehouses import answering

__all__ = ["Data", "instrument_folder", "read_data", "safe_cells", "write_quarantine"]


@dataclass(frozen=True)
class Data:
    """Checked tables of one data folder.

    `tables`: every present table but `decisions`, typed as the schema says: text columns `object` with None,
    numbers `float64` with NaN, dates and timestamps `datetime64[ns]` (UTC, naive) with NaT, flags `boolean`,
    checks `object` ("yes", "no" or None; a date counts as yes); every schema column is there, absent optional
    ones empty. `wave` is filled in every table that has it: blank is `wave` below. `responses` holds one
    float64 column per item, and per item that one replaces: the level 1..L, `schema.DOES_NOT_APPLY`,
    `schema.DONT_KNOW`, or NaN (no answer).
    `decisions`: Ibis table on DuckDB, never pulled whole into pandas; None when absent. Columns as the schema
    says, all present; plus `wave`, the quarter of `opened_at`.
    `units`: one row per unit (unit_id, name, parent_id, headcount, formerly); made from the other tables when
    absent, with the unit_id as name.
    `membership`: one row per reporting unit x unit whose rows it comprises (unit_id, member_id); `*` has
    all, a parent itself and its descendants.
    `waves`: survey waves, oldest first. `wave`: the newest survey wave; without a survey the quarter of
    `as_of`; without any date `undated`.
    `as_of`: date that ages and freshness are counted to; None when nothing carries a date.
    `quarantine`: per table the rows left out, whole, with file, row, column, value and rule.
    `counts`: one row per table (table, read, used, quarantined, after_as_of). `inputs`: one row per file
    (file, sha256, bytes). `about`: what `about.csv` (key, value) says: organisation, notice, contact.
    `notes`: what the reader should know, a sentence each (extra columns ignored, rows after as_of).
    """

    tables: Mapping[str, pd.DataFrame]
    units: pd.DataFrame
    membership: pd.DataFrame
    waves: tuple[str, ...]
    wave: str
    as_of: date | None
    decisions: ir.Table | None = None
    quarantine: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    counts: pd.DataFrame | None = None
    inputs: pd.DataFrame | None = None
    about: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def table(self, name: str) -> pd.DataFrame | None:
        """A checked table by name, or None when it is absent."""
        return self.tables.get(name)


def read_data(location: str | Path, rules: Instrument, as_of: date | None = None) -> Data:
    """Read and check every table of a data folder or workbook.

    Parameters
    ----------
    location
        A folder of tables (CSV, Parquet, workbook, subfolders of forms) or one `.xlsx` workbook.
    rules
        The instrument: its items are columns of `responses`.
    as_of
        Date that ages are counted to; default: the newest date of something that happened.

    Raises
    ------
    InputError
        A file that cannot be read, a missing column, units in a circle: every problem at once.
    """
    found = find_tables(location)
    engine = loading.connect()
    raw, about, notes = loading.load(engine, found, rules)
    parts, log = _check_all(engine, raw, rules)
    as_of = as_of or _newest(parts, log)
    parts = {name: _cut(name, part, as_of) for name, part in parts.items()}
    log = decision_store.cut(log, as_of) if log and as_of else log
    decisions = decision_store.finished(log, TABLES["decisions"].names) if log else None
    survey_waves, wave, as_of = _waves(parts, as_of)
    tables = {name: _fill_wave(part.used, wave) for name, part in parts.items() if name != "units"}
    units = parts["units"].used if "units" in parts else _units_named(tables, decisions)
    counts = _counts(parts, log)
    return Data(
        tables={**tables, "units": units} if "units" in parts else tables,
        units=units,
        membership=hierarchy.membership(units),
        waves=survey_waves or ((wave,) if "responses" in tables else ()),
        wave=wave,
        as_of=as_of,
        decisions=decisions,
        quarantine=_quarantine(parts, log),
        counts=counts,
        inputs=_inputs(found.places, parts, log),
        about=about,
        notes=(*notes, *_said_of_counts(counts, as_of), *_said_of_forms(parts)),
    )


# Checking ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Part:
    """One small table after checking: rows used, rows left out, and how many of each."""

    read: int
    used: pd.DataFrame
    quarantine: pd.DataFrame
    after_as_of: int = 0


def _check_all(engine: Backend, raw: Mapping[str, ir.Table], rules: Instrument) -> tuple[dict[str, _Part], Log | None]:
    """Check in the order in which tables speak of each other: units, responses (waves), initiatives, rest."""
    known: dict[str, list[str]] = {"barrier_id": list(rules.barriers["barrier_id"])}
    parts: dict[str, _Part] = {}
    log = None
    newest = None
    for name in sorted(raw, key=_ORDER.index):
        table, given = TABLES[name], raw[name]
        names = {column: ids for column, ids in known.items() if table.key != (column,)}
        if name == "decisions":
            here = given.get_backend() is engine
            log = decision_store.read(engine, table, given, names) if here else distant_log.read(table, given, names)
        else:
            items = rules.answer_columns if name == "responses" else ()
            levels = dict.fromkeys(items, rules.settings.scale_points)
            parts[name] = _checked(table, given, levels, names, newest)
        loading.forget(engine, name)
        if name not in parts:
            continue
        used = parts[name].used
        if name == "units":
            all_at_once(InputError, hierarchy.contradictions(used))
            known["unit_id"] = [*used["unit_id"], *hierarchy.former_ids(used)["member_id"]]
        elif name == "initiatives":
            known["initiative_id"] = list(used["initiative_id"])
        elif name == "responses":
            newest = _newest_wave(used["wave"])
    return parts, log


_ORDER = ("units", "responses", *(name for name in TABLES if name not in ("units", "responses")))


def _checked(
    table: Table, raw: ir.Table, levels: Mapping[str, int], known: Mapping[str, Sequence[str]], newest: str | None
) -> _Part:
    """Type a small table and set aside the rows that break a rule or repeat a key."""
    rows = typed(table, raw, levels=levels).to_pandas()
    rules = rules_of(table, rows, levels=levels, known=known)
    masks = pd.DataFrame({f"{place}": rule.broken.fillna(False) for place, rule in enumerate(rules)})
    broken = masks.astype(bool).any(axis=1)
    left_out = pd.DataFrame()
    if broken.any():
        left_out = quarantine(raw, rows[[FILE, ROW]].join(masks)[broken], rules)
    kept = _as_promised(table, levels, _in_order(rows[~broken] if broken.any() else rows))
    again = _again(table, kept, newest)
    if len(again):
        left_out = pd.concat([left_out, repeats(raw, again, table.key)], ignore_index=True)
    used = kept.drop(columns=[FILE, ROW])
    used = used.drop(index=again.index).reset_index(drop=True) if len(again) else used
    return _Part(len(rows), used, left_out)


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows in the order of their files; odd ones were read last."""
    if rows[ROW].is_monotonic_increasing and rows[FILE].nunique() <= 1:
        return rows.reset_index(drop=True)
    return rows.sort_values([FILE, ROW], ignore_index=True)


def _again(table: Table, kept: pd.DataFrame, newest: str | None) -> pd.DataFrame:
    """Rows whose key stands in a row that counts instead: `FILE`, `ROW`, and that row's file and row.

    The row that counts is the first, or among forms the first of the newest: `newer` says that its file name
    bears a later date. People without a code are never the same.
    """
    key = kept[list(table.key)]
    if "wave" in key:
        blank = newest or _newest_wave(key["wave"]) if table.name == "responses" else newest
        key = key.assign(wave=key["wave"].fillna(blank or ""))
    dated = kept[FILE].map({file: date_of_form(file) for file in kept[FILE].unique()})
    newest_first = dated.sort_values(ascending=False, kind="stable").index if dated.nunique() > 1 else dated.index
    ranked = key.loc[newest_first]
    again = ranked.duplicated().reindex(kept.index) if table.key else pd.Series(False, index=kept.index)
    for name in set(table.key) & set(table.hashed):
        again &= kept[name].notna()
    if not again.any():
        return pd.DataFrame(columns=[FILE, ROW, "first"])
    counts = kept.loc[ranked.index, [FILE, ROW]].assign(dated=dated)
    same = counts.groupby([ranked[name] for name in ranked], dropna=False)
    first = {name: same[name].transform("first").reindex(kept.index) for name in (ROW, FILE, "dated")}
    found = kept[[FILE, ROW]].assign(first=first[ROW], first_file=first[FILE], newer=first["dated"] > dated)
    return found[again]


def _newest_wave(labels: pd.Series) -> str | None:
    return next(iter(waves.in_order(labels.dropna())[-1:]), None)


def _as_promised(table: Table, items: Iterable[str], kept: pd.DataFrame) -> pd.DataFrame:
    """Every column of the schema and every item, typed as `Data` says, with `FILE` and `ROW`."""
    kinds = {**{column.name: column.kind for column in table.columns}, **dict.fromkeys(items, "number")}
    blank = {**dict.fromkeys(kinds), **_BLANK_MEANS.get(table.name, {})}
    values = {name: kept.get(name, pd.Series(None, kept.index, dtype=object)) for name in kinds}
    filled = {
        name: value if blank[name] is None else value.where(value.notna(), blank[name])
        for name, value in values.items()
    }
    promised = {name: _typed_as(kind, filled[name]) for name, kind in kinds.items()}
    return pd.DataFrame({**promised, FILE: kept[FILE], ROW: kept[ROW]}, index=kept.index)


_BLANK_MEANS: Mapping[str, Mapping[str, str | int]] = {
    "trials": {"trial_no": 1},
    "workflow_steps": {"version": "now"},
}
"""What the schema says a blank stands for."""


def _typed_as(kind: str, values: pd.Series) -> pd.Series:
    dtype = _DTYPES.get(kind)
    if dtype:
        return values.astype(dtype, copy=False)
    texts = values.astype(object)
    return texts.where(texts.notna(), None)


_DTYPES = {
    **dict.fromkeys(("integer", "number", "share"), "float64"),
    **dict.fromkeys(("date", "timestamp"), "datetime64[ns]"),
    "flag": "boolean",
}


# As of a day ---------------------------------------------------------------------------------------------


def _newest(parts: Mapping[str, _Part], log: Log | None) -> date | None:
    """Newest date of something that happened, over all tables; None when nothing carries a date."""
    dates = [log.newest(column) for column in _happened("decisions")] if log else []
    dates += [part.used[column].max() for name, part in parts.items() for column in _happened(name)]
    known = [at for at in dates if pd.notna(at)]
    return max(known).date() if known else None


def _happened(table: str) -> list[str]:
    return [column.name for column in TABLES[table].columns if column.happened]


_GOVERNED_BY = {"feedback": "flagged_at", "probes": "asked_at", "trials": "started_on"}


def _cut(name: str, part: _Part, as_of: date | None) -> _Part:
    """The table as it was at the end of a day: without the rows that happened later, nor later answers."""
    if as_of is None or name not in _GOVERNED_BY:
        return part
    end = pd.Timestamp(as_of) + timedelta(days=1)
    used = part.used[~(part.used[_GOVERNED_BY[name]] >= end)].reset_index(drop=True)
    if name == "feedback":
        later = ["answered_at", "deployed_at", "declined_at"]
        used[later] = used[later].where(used[later] < end)
    return replace(part, used=used, after_as_of=len(part.used) - len(used))


def _waves(parts: Mapping[str, _Part], as_of: date | None) -> tuple[tuple[str, ...], str, date | None]:
    """Survey waves, the wave of rows that name none, and `as_of` where only waves carry a date."""
    labels = parts["responses"].used["wave"].dropna() if "responses" in parts else ()
    survey_waves = waves.in_order(labels)
    if not survey_waves:
        return (), waves.quarter(as_of) if as_of else waves.UNDATED, as_of
    return survey_waves, survey_waves[-1], as_of or waves.last_day(survey_waves[-1])


def _fill_wave(used: pd.DataFrame, wave: str) -> pd.DataFrame:
    return used.assign(wave=used["wave"].fillna(wave).astype(object)) if "wave" in used else used


# What was read, and what was left out -----------------------------------------------------------------------


@answering("decisions")
def _units_named(tables: Mapping[str, pd.DataFrame], decisions: ir.Table | None) -> pd.DataFrame:
    named = [table["unit_id"] for table in tables.values() if "unit_id" in table]
    if decisions is not None:
        named.append(decisions.select("unit_id").distinct().to_pandas()["unit_id"])
    return hierarchy.units_from_names(pd.concat(named) if named else ())


def _quarantine(parts: Mapping[str, _Part], log: Log | None) -> dict[str, pd.DataFrame]:
    left_out = {name: part.quarantine for name, part in parts.items()}
    if log:
        left_out["decisions"] = log.quarantine
    return {name: left_out[name] for name in TABLES if len(left_out.get(name, ()))}


def _counts(parts: Mapping[str, _Part], log: Log | None) -> pd.DataFrame:
    """One row per table: read = used + quarantined + after_as_of."""
    rows = {name: (part.read, len(part.quarantine), part.after_as_of) for name, part in parts.items()}
    if log:
        rows["decisions"] = (log.read, len(log.quarantine), log.after_as_of)
    ordered = [
        {"table": name, "read": read, "used": read - out - after, "quarantined": out, "after_as_of": after}
        for name, (read, out, after) in sorted(rows.items(), key=lambda row: list(TABLES).index(row[0]))
    ]
    return pd.DataFrame(ordered, columns=["table", "read", "used", "quarantined", "after_as_of"])


def _said_of_counts(counts: pd.DataFrame, as_of: date | None) -> list[str]:
    late = counts[counts["after_as_of"] > 0]
    return [
        f"{row.table}: {row.after_as_of} rows happened after {as_of} and are left out." for row in late.itertuples()
    ]


def _said_of_forms(parts: Mapping[str, _Part]) -> list[str]:
    """One line on rows that a later form took the place of."""
    counts = {name: part.quarantine.get("rule", pd.Series(dtype=str)) for name, part in parts.items()}
    later = {name: int(rules.str.startswith(SUPERSEDED).sum()) for name, rules in counts.items()}
    return [
        f"{name}: {count} {'row' if count == 1 else 'rows'} superseded by a later form, set aside in quarantine."
        for name, count in later.items()
        if count
    ]


def _inputs(places: Iterable[Place], parts: Mapping[str, _Part], log: Log | None) -> pd.DataFrame:
    """One row per file: its name, digest and size; of a table on a server the digest of what was read of it."""
    rows = [_read_of(place, parts, log) for place in places if place.engine is not None]
    paths = {place.file.split("[")[0]: place.path for place in places if place.engine is None}
    for file, path in paths.items():
        try:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            rows.append({"file": file, "sha256": digest, "bytes": path.stat().st_size})
        except OSError as problem:
            raise loading.unreadable(file, problem) from problem
    return pd.DataFrame(rows, columns=["file", "sha256", "bytes"])


def _read_of(place: Place, parts: Mapping[str, _Part], log: Log | None) -> dict[str, object]:
    """Digest of the rows used of a small table; of the log, of what was counted of it: it is not fetched."""
    if place.table in parts:
        text = parts[place.table].used.to_csv(index=False)
    else:
        text = log.facts.to_json(date_format="iso") if log else ""
    return {"file": place.file, "sha256": hashlib.sha256(text.encode()).hexdigest(), "bytes": len(text.encode())}


_RUNS_AS_FORMULA = re.compile(r"[=+\-@\t\r]")
_PLAIN_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?")


def safe_cell(text: str) -> str:
    """Text that a spreadsheet would run as a formula, made harmless by a leading apostrophe; numbers stay.

    Examples
    --------
    >>> [safe_cell(text) for text in ("=1+1", "-5", "fine")]
    ["'=1+1", '-5', 'fine']
    """
    return f"'{text}" if _RUNS_AS_FORMULA.match(text) and not _PLAIN_NUMBER.fullmatch(text) else text


def safe_cells(table: pd.DataFrame) -> pd.DataFrame:
    """A table whose text cells a spreadsheet will not run."""
    safe = table.copy()
    for name in safe.columns[[pd.api.types.is_string_dtype(dtype) for dtype in safe.dtypes]]:
        safer = {text: safe_cell(text) for text in {cell for cell in safe[name] if isinstance(cell, str)}}
        if any(text != cell for cell, text in safer.items()):  # seldom
            safe[name] = safe[name].map(lambda cell, safer=safer: safer[cell] if isinstance(cell, str) else cell)
    return safe


def write_quarantine(data: Data, folder: str | Path) -> list[Path]:
    """Write the rows left out, whole, to `<table>.csv` in a folder; returns the files written."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for name, rows in data.quarantine.items():
        safe_cells(rows).to_csv(target / f"{name}.csv", index=False)
    return [target / f"{name}.csv" for name in data.quarantine]
