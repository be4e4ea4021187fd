"""Read a data folder, workbook or database into checked tables, with the rows left out and the as-of date."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import ibis.expr.types as ir
import pandas as pd
from ibis.backends.duckdb import Backend

from aiready.atomic_files import file_digest, sha256
from aiready.errors import InputError, raise_all
from aiready.inputs import as_of_date, decision_log, duckdb_engine, load, row_accounting, spelling_variants
from aiready.inputs.database import database_errors
from aiready.inputs.decision_log import DecisionLog
from aiready.inputs.discover import Discovery, TablePart, find_tables
from aiready.inputs.location import instrument_folder
from aiready.inputs.memory_tables import CheckedTable, check_table, newest_wave
from aiready.inputs.row_accounting import count_rows, verify_counts
from aiready.inputs.safe_text import safe_cells
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
    `quarantine`: per table the complete rows left out, with file, row, column, value and rule.
    `counts`: one row per table (table, read, used, quarantined, after_as_of, and superseded where notebooks saved
    slices anew; those rows are in `quarantine` too). `inputs`: one row per file
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
    discovery = find_tables(location)
    loaded = _load_and_check(discovery, rules, as_of)
    day = loaded.newest.at.date() if loaded.newest else as_of
    checked_tables = {name: as_of_date.table_as_of(name, table, day) for name, table in loaded.checked_tables.items()}
    log = decision_log.log_as_of(loaded.log, day) if loaded.log and day else loaded.log
    counts = verify_counts(count_rows(checked_tables, log))
    log, labels = spelling_variants.merge_label_variants(log) if log else (None, [])
    decisions = decision_log.with_wave(log, TABLES["decisions"].names) if log else None
    survey_waves, wave, last_day = as_of_date.survey_waves(checked_tables, day)
    tables = {name: _fill_wave(table.used, wave) for name, table in checked_tables.items() if name != "units"}
    units = checked_tables["units"].used if "units" in checked_tables else _units_without_table(tables, decisions)
    left_out = _quarantined_rows(checked_tables, log)
    names = spelling_variants.notes({**tables, "units": units}, left_out)
    return Data(
        tables={**tables, "units": units} if "units" in checked_tables else tables,
        units=units,
        membership=hierarchy.membership(units),
        waves=survey_waves or ((wave,) if "responses" in tables else ()),
        wave=wave,
        as_of=last_day,
        as_of_from=as_of_date.as_of_source(loaded.newest, as_of, wave) if last_day else "",
        decisions=decisions,
        quarantine=left_out,
        counts=counts,
        inputs=_inputs(discovery.parts, checked_tables, log),
        about=loaded.about,
        notes=(
            *loaded.notes,
            *as_of_date.distant_wave_notes(survey_waves),
            *row_accounting.notes(counts, checked_tables, day),
            *labels,
            *names,
        ),
    )


@dataclass(frozen=True)
class _CheckedData:
    """Tables as checked, before they are cut at the as-of date; `newest` is None where that date was given."""

    checked_tables: Mapping[str, CheckedTable]
    log: DecisionLog | None
    newest: as_of_date.NewestDate | None
    about: Mapping[str, str]
    notes: Sequence[str]


def _load_and_check(discovery: Discovery, rules: Instrument, as_of: date | None) -> _CheckedData:
    """Load and check every table; if there are isolated dates, once more with a rule that sets them aside."""
    engine = duckdb_engine.connect()
    raw, about, notes = load.load(engine, discovery, rules)
    checked_tables, log = _check_all(engine, raw, rules)
    if as_of:
        return _CheckedData(checked_tables, log, None, about, notes)
    dated = as_of_date.count_by_quarter(checked_tables, log)
    isolated_from = as_of_date.isolated_from(dated)
    if isolated_from is not None:
        engine = duckdb_engine.connect()
        checked_tables, log = _check_all(engine, load.load(engine, discovery, rules)[0], rules, isolated_from)
    newest = as_of_date.newest_date(checked_tables, log)
    return _CheckedData(
        checked_tables, log, newest, about, [*notes, *as_of_date.isolated_date_notes(newest, dated, isolated_from)]
    )


# Checking ------------------------------------------------------------------------------------------------


def _check_all(
    engine: Backend, raw: Mapping[str, ir.Table], rules: Instrument, isolated_from: pd.Timestamp | None = None
) -> tuple[dict[str, CheckedTable], DecisionLog | None]:
    """Check tables in the order in which they refer to each other: units, responses (waves), initiatives, rest.

    Rows with events dated from `isolated_from` on are set aside.
    """
    known_ids: dict[str, list[str]] = {"barrier_id": list(rules.barriers["barrier_id"])}
    checked_tables: dict[str, CheckedTable] = {}
    log = None
    newest = None
    for name in sorted(raw, key=_ORDER.index):
        table, raw_table = as_of_date.reject_dates_from(TABLES[name], isolated_from), raw[name]
        names = {column: ids for column, ids in known_ids.items() if table.key != (column,)}
        if name == "decisions":
            if raw_table.get_backend() is engine:
                log = decision_log.check_log(engine, table, raw_table, names)
            else:
                log = decision_log.check_remote_log(table, spelling_variants.normalize_ids(raw_table), names)
        else:
            items = rules.answer_columns if name == "responses" else ()
            levels = dict.fromkeys(items, rules.settings.scale_points)
            checked_tables[name] = check_table(table, raw_table, levels, names, newest)
        load.drop_raw_table(engine, name)
        if name not in checked_tables:
            continue
        used = checked_tables[name].used
        if name == "units":
            raise_all(InputError, hierarchy.hierarchy_problems(used))
            known_ids["unit_id"] = [*used["unit_id"], *hierarchy.former_ids(used)["member_id"]]
        elif name == "initiatives":
            known_ids["initiative_id"] = list(used["initiative_id"])
        elif name == "responses":
            newest = newest_wave(used["wave"])
    return checked_tables, log


_ORDER = ("units", "responses", *(name for name in TABLES if name not in ("units", "responses")))


def _fill_wave(used: pd.DataFrame, wave: str) -> pd.DataFrame:
    return used.assign(wave=used["wave"].fillna(wave).astype(object)) if "wave" in used else used


# What was read and left out ---------------------------------------------------------------------------------


@database_errors("decisions")
def _units_without_table(tables: Mapping[str, pd.DataFrame], decisions: ir.Table | None) -> pd.DataFrame:
    unit_ids = [table["unit_id"] for table in tables.values() if "unit_id" in table]
    if decisions is not None:
        unit_ids.append(decisions.select("unit_id").distinct().to_pandas()["unit_id"])
    return hierarchy.units_from_names(pd.concat(unit_ids) if unit_ids else ())


def _quarantined_rows(checked_tables: Mapping[str, CheckedTable], log: DecisionLog | None) -> dict[str, pd.DataFrame]:
    left_out = {name: table.quarantine for name, table in checked_tables.items()}
    if log:
        left_out["decisions"] = log.quarantine
    return {name: left_out[name] for name in TABLES if len(left_out.get(name, ()))}


def _inputs(
    parts: Iterable[TablePart], checked_tables: Mapping[str, CheckedTable], log: DecisionLog | None
) -> pd.DataFrame:
    """One row per file: its name, digest and size; for a table on a server, of the rows or facts read from it."""
    rows = [_server_input(part, checked_tables, log) for part in parts if part.engine is not None]
    paths = {part.file.split("[")[0]: part.path for part in parts if part.engine is None}
    for file, path in paths.items():
        try:
            rows.append({"file": file, "sha256": file_digest(path), "bytes": path.stat().st_size})
        except OSError as problem:
            raise load.unreadable(file, problem) from problem
    return pd.DataFrame(rows, columns=["file", "sha256", "bytes"])


def _server_input(
    part: TablePart, checked_tables: Mapping[str, CheckedTable], log: DecisionLog | None
) -> dict[str, object]:
    """Digest and size of the rows used of a small table; of the log, which is not fetched, of its facts."""
    if part.table in checked_tables:
        text = checked_tables[part.table].used.to_csv(index=False)
    else:
        text = log.facts.to_json(date_format="iso") if log else ""
    return {"file": part.file, "sha256": sha256(text), "bytes": len(text.encode())}


def write_quarantine(data: Data, folder: str | Path) -> list[Path]:
    """Write the complete rows left out to `<table>.csv` in a folder; return the files written."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for name, rows in data.quarantine.items():
        safe_cells(rows).to_csv(target / f"{name}.csv", index=False)
    return [target / f"{name}.csv" for name in data.quarantine]
