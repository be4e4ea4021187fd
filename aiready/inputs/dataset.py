"""From a data folder or workbook to checked tables: all that measures look at, and what was left out."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import ibis.expr.types as ir
import pandas as pd
from ibis.backends.duckdb import Backend

from aiready.errors import InputError, all_at_once
from aiready.inputs import as_of_date as days
from aiready.inputs import decision_log, load, remote_decision_log, row_accounting, spelling_variants
from aiready.inputs.database import answering
from aiready.inputs.decision_log import Log
from aiready.inputs.discover import Found, Place, find_tables, instrument_folder
from aiready.inputs.memory_tables import Part, checked, newest_wave
from aiready.inputs.row_accounting import accounted, counts_of
from aiready.instrument.model import Instrument
from aiready.model import units as hierarchy
from aiready.model.schema import TABLES

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
    `as_of`: date that ages and freshness are counted to; None when nothing carries a date. `as_of_from`: what sets
    it: the first cell with that date, the option, or a wave.
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
    as_of_from: str = ""
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
    read = _read(found, rules, as_of)
    day = read.newest.at.date() if read.newest else as_of
    parts = {name: days.cut(name, part, day) for name, part in read.parts.items()}
    log = decision_log.cut(read.log, day) if read.log and day else read.log
    counts = accounted(counts_of(parts, log))
    log, labels = spelling_variants.one_label_each(log) if log else (None, [])
    decisions = decision_log.finished(log, TABLES["decisions"].names) if log else None
    survey_waves, wave, last_day = days.survey_waves(parts, day)
    tables = {name: _fill_wave(part.used, wave) for name, part in parts.items() if name != "units"}
    units = parts["units"].used if "units" in parts else _units_named(tables, decisions)
    left_out = _quarantine(parts, log)
    names = spelling_variants.notes({**tables, "units": units}, left_out)
    return Data(
        tables={**tables, "units": units} if "units" in parts else tables,
        units=units,
        membership=hierarchy.membership(units),
        waves=survey_waves or ((wave,) if "responses" in tables else ()),
        wave=wave,
        as_of=last_day,
        as_of_from=days.origin(read.newest, as_of, wave) if last_day else "",
        decisions=decisions,
        quarantine=left_out,
        counts=counts,
        inputs=_inputs(found.places, parts, log),
        about=read.about,
        notes=(
            *read.notes,
            *days.notes_on_waves(survey_waves),
            *row_accounting.notes(counts, parts, day),
            *labels,
            *names,
        ),
    )


@dataclass(frozen=True)
class _Read:
    """Tables as checked, before they are cut at a day; `newest` where no day was given."""

    parts: Mapping[str, Part]
    log: Log | None
    newest: days.Newest | None
    about: Mapping[str, str]
    notes: Sequence[str]


def _read(found: Found, rules: Instrument, as_of: date | None) -> _Read:
    """Load and check every table; where dates stand alone, once more with a rule that sets them aside."""
    engine = load.connect()
    raw, about, notes = load.load(engine, found, rules)
    parts, log = _check_all(engine, raw, rules)
    if as_of:
        return _Read(parts, log, None, about, notes)
    dated = days.times(parts, log)
    alone = days.alone_from(dated)
    if alone is not None:
        engine = load.connect()
        parts, log = _check_all(engine, load.load(engine, found, rules)[0], rules, alone)
    newest = days.newest(parts, log)
    return _Read(parts, log, newest, about, [*notes, *days.notes(newest, dated, alone)])


# Checking ------------------------------------------------------------------------------------------------


def _check_all(
    engine: Backend, raw: Mapping[str, ir.Table], rules: Instrument, alone: pd.Timestamp | None = None
) -> tuple[dict[str, Part], Log | None]:
    """Check in the order in which tables speak of each other: units, responses (waves), initiatives, rest.

    From the moment `alone` on nothing has happened: rows that say so are set aside.
    """
    known: dict[str, list[str]] = {"barrier_id": list(rules.barriers["barrier_id"])}
    parts: dict[str, Part] = {}
    log = None
    newest = None
    for name in sorted(raw, key=_ORDER.index):
        table, given = days.until(TABLES[name], alone), raw[name]
        names = {column: ids for column, ids in known.items() if table.key != (column,)}
        if name == "decisions":
            here = given.get_backend() is engine
            there = given if here else spelling_variants.composed(given)
            log = (
                decision_log.read(engine, table, given, names)
                if here
                else remote_decision_log.read(table, there, names)
            )
        else:
            items = rules.answer_columns if name == "responses" else ()
            levels = dict.fromkeys(items, rules.settings.scale_points)
            parts[name] = checked(table, given, levels, names, newest)
        load.forget(engine, name)
        if name not in parts:
            continue
        used = parts[name].used
        if name == "units":
            all_at_once(InputError, hierarchy.contradictions(used))
            known["unit_id"] = [*used["unit_id"], *hierarchy.former_ids(used)["member_id"]]
        elif name == "initiatives":
            known["initiative_id"] = list(used["initiative_id"])
        elif name == "responses":
            newest = newest_wave(used["wave"])
    return parts, log


_ORDER = ("units", "responses", *(name for name in TABLES if name not in ("units", "responses")))


def _fill_wave(used: pd.DataFrame, wave: str) -> pd.DataFrame:
    return used.assign(wave=used["wave"].fillna(wave).astype(object)) if "wave" in used else used


# What was read, and what was left out -----------------------------------------------------------------------


@answering("decisions")
def _units_named(tables: Mapping[str, pd.DataFrame], decisions: ir.Table | None) -> pd.DataFrame:
    named = [table["unit_id"] for table in tables.values() if "unit_id" in table]
    if decisions is not None:
        named.append(decisions.select("unit_id").distinct().to_pandas()["unit_id"])
    return hierarchy.units_from_names(pd.concat(named) if named else ())


def _quarantine(parts: Mapping[str, Part], log: Log | None) -> dict[str, pd.DataFrame]:
    left_out = {name: part.quarantine for name, part in parts.items()}
    if log:
        left_out["decisions"] = log.quarantine
    return {name: left_out[name] for name in TABLES if len(left_out.get(name, ()))}


def _inputs(places: Iterable[Place], parts: Mapping[str, Part], log: Log | None) -> pd.DataFrame:
    """One row per file: its name, digest and size; of a table on a server the digest of what was read of it."""
    rows = [_read_of(place, parts, log) for place in places if place.engine is not None]
    paths = {place.file.split("[")[0]: place.path for place in places if place.engine is None}
    for file, path in paths.items():
        try:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            rows.append({"file": file, "sha256": digest, "bytes": path.stat().st_size})
        except OSError as problem:
            raise load.unreadable(file, problem) from problem
    return pd.DataFrame(rows, columns=["file", "sha256", "bytes"])


def _read_of(place: Place, parts: Mapping[str, Part], log: Log | None) -> dict[str, object]:
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


_AFTER_SEPARATOR = re.compile(r'([;\t\r\n]"*)(?=[=+\-@])(?![+-]?\d+(?:[.,]\d+)?[;\t\r\n])')
"""Where a spreadsheet of another country begins a new cell within one of ours, whatever quotes stand around it."""


def _safe_throughout(text: str) -> str:
    return _AFTER_SEPARATOR.sub(r"\1'", safe_cell(text))


def _safe_in_front(text: str) -> str:
    """The same where a line begins: to that spreadsheet a number there goes on into the next cell (`-5,0+cmd|...`)."""
    return f"'{text}" if text.startswith(("+", "-")) else _safe_throughout(text)


def safe_cells(table: pd.DataFrame) -> pd.DataFrame:
    """A table whose text cells and headers a spreadsheet will not run, be commas, semicolons or tabs its separators.

    Examples
    --------
    >>> safe_cells(pd.DataFrame({"id": ["-5", "a"], "=1+1": ["x;=2+2;y", "-5"]})).to_dict("list")
    {'id': ["'-5", 'a'], "'=1+1": ["x;'=2+2;y", '-5']}
    """
    safe = table.copy()
    for place in [place for place, dtype in enumerate(safe.dtypes) if pd.api.types.is_string_dtype(dtype)]:
        cells, harmless = safe.iloc[:, place], _safe_throughout if place else _safe_in_front
        safer = {text: harmless(text) for text in {cell for cell in cells if isinstance(cell, str)}}
        if any(text != cell for cell, text in safer.items()):  # seldom
            said = cells.map(lambda cell, safer=safer: safer[cell] if isinstance(cell, str) else cell)
            safe.isetitem(place, said)
    return safe.set_axis([_safe_throughout(f"{name}") for name in safe], axis=1)


def write_quarantine(data: Data, folder: str | Path) -> list[Path]:
    """Write the rows left out, whole, to `<table>.csv` in a folder; returns the files written."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for name, rows in data.quarantine.items():
        safe_cells(rows).to_csv(target / f"{name}.csv", index=False)
    return [target / f"{name}.csv" for name in data.quarantine]
