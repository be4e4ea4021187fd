"""The object that notebooks use: opens data, computes or reads results, and narrows them to one unit."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import pandas as pd
from pyarrow import feather

from aiready import errors, result_cache
from aiready.atomic_files import file_errors, write_file
from aiready.inputs.location import instrument_folder
from aiready.inputs.safe_text import safe_cells
from aiready.instrument.model import Instrument, read_instrument
from aiready.messages import ENGLISH, Language
from aiready.model import waves
from aiready.model.registry import ALL, NUMBERS, ORGANISATION, stack_nonempty
from aiready.package_files import package_file
from aiready.profile import parameters, translations
from aiready.profile.run_info import Cell, Facts

if TYPE_CHECKING:
    from aiready.privacy.release_record import Draft

T = TypeVar("T")
FACTS = "facts.json"
DATA = "AIREADY_DATA"
"""Environment variable: the folder that a notebook opens by default (`aiready lab DATA` sets it)."""
OF_UNIT = ("tasks", "step_changes", "actions")
"""Tables whose `unit_id` is the unit a record belongs to: a parent holds those of its members."""
OWN_AND_TOTAL = (
    "measures", "barriers", "items", "explain", "themes", "facets", "change_sources", "sensitivity"
)  # fmt: skip
"""Tables with the organisation's rows beside the unit's own."""
TOTALS = ("adoption",)
"""Measures of the organisation that a unit's page shows beside its own; its slice has no others."""


@dataclass(frozen=True)
class Assessment:
    """Protected results of one data folder, for the organisation or narrowed to one unit.

    `tables` maps a name to a table: `units` (one row per unit), `membership`, `counts` (one row per input
    table), `measures`, `barriers`, `items`, `explain` (design of the results folder), `themes` (unit x wave x
    theme), `change_sources` (unit x wave x barrier x source), `sensitivity` (unit x wave), `facets` (say and do),
    `recommended` (unit x wave x action), `initiatives` (one row per initiative, with the parts of its problem
    statement), `verdicts` (initiative x trial), `tasks` (unit x job x task),
    `step_changes` (unit x workflow x step), `actions` (agreed actions). Everything passed the privacy gate.
    """

    tables: Mapping[str, pd.DataFrame]
    rules: Instrument
    facts: Facts
    unit_id: str = ORGANISATION
    language: Language = ENGLISH
    quarantine: Mapping[str, pd.DataFrame] = field(default_factory=dict, repr=False)
    release: "Draft | None" = field(default=None, repr=False)
    """What publishing these results would disclose of the survey; None where they were read, not computed."""
    location: str | Path = field(default="", repr=False, compare=False)
    """Location of the data: actions that are agreed in a notebook are saved there."""
    _cache: dict[tuple[object, ...], Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __getattr__(self, name: str) -> pd.DataFrame:
        """Give a table by its name, as an attribute."""
        try:
            return self.__dict__["tables"][name]
        except KeyError:
            raise AttributeError(name) from None

    @classmethod
    def open(  # noqa: PLR0913 - what a notebook is given
        cls,
        data: str | Path = "",
        *,
        results: str | Path = "",
        wave: str = "",
        as_of: str | date | None = None,
        published: str | Path = "",
        lang: str = "",
    ) -> "Assessment":
        """Open a data folder (default: `AIREADY_DATA`, else the sample), or read its results where `results` is given.

        `published` is the folder that keeps what earlier runs published (`records/history`): cells that differ from
        theirs by a few people are withheld. `lang` is the language that pages are written in, English where blank;
        numbers are the same in all of them.

        Raises
        ------
        InputError
            The folder cannot be used; every problem at once.
        UsageError
            The wave does not exist, or there is nothing in that language.
        """
        data, results = parameters.as_text(data), parameters.as_text(results)
        language, location = Language.of(lang), data_location(data)
        if results and instrument_folder(results):  # a slice carries its questionnaire with it
            location = results
        rules = read_instrument(instrument_folder(location))
        if results:
            opened = cls.read(Path(results), rules)
        else:
            from aiready.profile import scoring  # here, since results that are read need none of it

            opened = scoring.open_data(location, rules, parameters.parse_day(as_of), published)
        opened = replace(opened.at(wave) if wave else opened, location=data_location(data))
        return opened if language == ENGLISH else opened.translated(language, instrument_folder(location))

    @classmethod
    def recall(cls, data: str | Path = "", *, wave: str = "", as_of: str = "", lang: str = "") -> "Assessment":
        """Open a data folder as `open` does, within a second where nothing changed since it was opened last.

        Protected results are stored for this user alone (`result_cache`), and used again while the data, the instrument
        and the package are the same; after a change in one table, what the others determine is used again.
        """
        language, location = Language.of(lang), data_location(data)
        opened = cls._recall(location, as_of)
        opened = opened.at(wave) if wave else opened
        return opened if language == ENGLISH else opened.translated(language, instrument_folder(location))

    @classmethod
    def _recall(cls, location: str | Path, as_of: str) -> "Assessment":
        instrument = instrument_folder(location)
        cached = result_cache.entry_path(location, instrument or package_file("data/instrument"), as_of)
        if cached is None:
            return cls.open(location, as_of=as_of)
        if (cached / FACTS).exists():
            with suppress(errors.InputError):
                return replace(cls.read(cached, read_instrument(instrument)), location=location)
            result_cache.remove(cached)
        from aiready.profile import scoring

        parts = result_cache.CachedParts(instrument or package_file("data/instrument"))
        day = parameters.parse_day(as_of)
        opened = scoring.open_data(location, read_instrument(instrument), day, parts=parts)
        opened = replace(opened, location=location)
        temporary = cached.with_name(f".{cached.name}-{os.getpid()}")
        opened.save(temporary)
        result_cache.store(temporary, cached)
        return opened

    def at(self, wave: str) -> "Assessment":
        """Show another wave."""
        wave = parameters.match_parameter("wave", wave, self.facts.waves)
        if wave not in self.facts.waves:
            raise errors.unknown_name("wave", wave, self.facts.waves)
        return replace(self, facts=replace(self.facts, wave=wave))

    def translated(self, language: Language, folder: Path | None = None) -> "Assessment":
        """The same results in the words of another language; `folder` holds the instrument, unless it is as shipped.

        Raises
        ------
        UsageError, InstrumentError
            The instrument is not there in that language, or not all of it.
        """
        rules = translations.translate_instrument(self.rules, folder, language)
        tables = translations.translate_tables(self.tables, rules, language)
        return replace(self, tables=tables, rules=rules, language=language)

    def unit(self, unit_id: str, *, children: bool = False) -> "Assessment":
        """Narrow to one unit and the organisation's total; of others, only names of the initiatives used here stay.

        `children`: the profiles of a parent's children stay too (`units`, `barriers`).

        Raises
        ------
        UsageError
            Unknown unit; with the nearest name.
        """
        unit_id = parameters.match_parameter("unit_id", unit_id, self.units["unit_id"])
        self.check_unit_ids([unit_id])
        if unit_id == self.unit_id != ORGANISATION:
            return self
        members = self._members(unit_id)
        narrowed = dict(self.tables)
        for name in OWN_AND_TOTAL:
            narrowed[name] = self._unit_rows(name, {unit_id, ORGANISATION})
        for name in (*OF_UNIT, "verdicts"):
            narrowed[name] = self._unit_rows(name, members)
        narrowed["recommended"] = self._unit_rows("recommended", (unit_id,))
        children_ids = self.units.loc[self.units["parent_id"] == unit_id, "unit_id"] if children else ()
        narrowed["units"] = self._unit_rows("units", (unit_id, *children_ids))
        narrowed["barriers"] = self._unit_rows("barriers", {unit_id, ORGANISATION, *children_ids})
        narrowed["membership"] = pd.DataFrame({"unit_id": [unit_id], "member_id": [unit_id]})
        used = self.initiatives["initiative_id"].isin(narrowed["measures"].loc[
            narrowed["measures"]["unit_id"] == unit_id, "segment"])  # fmt: skip
        owned = self._unit_rows("initiatives", members)
        borrowed = self.initiatives.loc[used & ~self.initiatives["unit_id"].isin(members), ["initiative_id", "name"]]
        narrowed["initiatives"] = stack_nonempty(owned, borrowed)
        return replace(self, tables=narrowed, unit_id=unit_id)

    def check_unit_ids(self, unit_ids: Iterable[str]) -> None:
        """Raise UsageError, with the nearest name, for the first unit that does not exist."""
        unit_names = {*self.units["unit_id"], ORGANISATION}
        for unit_id in unit_ids:
            if unit_id not in unit_names:
                raise errors.unknown_name("unit", unit_id, unit_names - {ORGANISATION})

    def cached(self, function: Callable[..., T], *arguments: str) -> T:
        """Result of a function of this assessment and `arguments`, computed once; the caller must not change it."""
        if (key := (function, *arguments)) not in self._cache:
            self._cache[key] = function(self, *arguments)
        return cast(T, self._cache[key])

    def _members(self, unit_id: str) -> tuple[str, ...]:
        return tuple(self.membership["member_id"].iloc[self.cached(_row_positions, "membership").get(unit_id, [])])

    def _unit_rows(self, name: str, unit_ids: Iterable[str]) -> pd.DataFrame:
        positions = self.cached(_row_positions, name)
        unit_positions = [positions[unit_id] for unit_id in unit_ids if unit_id in positions]
        rows = np.sort(np.concatenate(unit_positions)) if unit_positions else np.array([], dtype=int)
        return self.tables[name].iloc[rows].reset_index(drop=True)

    def cells(self, unit_id: str, measure: str) -> pd.DataFrame:
        """Rows of `measures` of one unit and measure."""
        return self.measures.iloc[self.cached(_row_positions, "measures", "measure").get((unit_id, measure), [])]

    def _left_out(self, unit_id: str, measure: str) -> bool:
        """Whether this is a slice, and the total asked for is not part of slices."""
        is_slice = "inputs" in self.tables and self.inputs.empty
        return is_slice and unit_id == ORGANISATION != self.unit_id and measure not in TOTALS

    @property
    def name(self) -> str:
        """The unit's name as readers know it."""
        names = self.units.loc[self.units["unit_id"] == self.unit_id, "name"]
        if len(names):
            return str(names.iloc[0])
        return self.facts.about.get("organisation", self.language.say("organisation.name"))

    def cell(
        self, measure: str, segment: str = ALL, *, barrier_id: str = "", unit_id: str = "", wave: str = ""
    ) -> Cell:
        """One number of the unit (or of `unit_id`) in the wave shown; not measured where there is no row.

        Decisions, feedback and probes are looked up in the quarter that holds the wave's last day.
        """
        in_waves = {(current := wave or self.facts.wave), waves.quarter_of_wave(current)}
        positions = self.cached(_row_positions, "measures", "measure")
        for position in reversed(positions.get((unit_id or self.unit_id, measure), ())):
            row = {name: column[position] for name, column in self.cached(_measure_columns).items()}
            if (row["segment"], row["barrier_id"]) == (segment, barrier_id) and row["wave"] in in_waves:
                return Cell(*(row[name] for name in (*NUMBERS, "unit", "status", "note")))
        if self._left_out(unit_id, measure):
            raise errors.UsageError(f"The organisation's \"{measure}\" is not in a unit's slice: add it to TOTALS.")
        return Cell()

    def rows(self, name: str, *, unit_id: str = "") -> pd.DataFrame:
        """Rows of a table for the unit (or `unit_id`) in the wave shown, where the table has units and waves."""
        return self.cached(_rows_shown, name, unit_id or self.unit_id).copy()

    def save(self, folder: Path, write: Callable[[Path, bytes], None] = write_file) -> None:
        """Write every table as CSV and Parquet, and the facts; each file whole or not at all."""
        for name, table in self.tables.items():
            write(folder / f"{name}.csv", safe_cells(table).to_csv(index=False).encode())
            write(folder / f"{name}.parquet", table.to_parquet(index=False))
        write(folder / FACTS, self.facts_json())

    def facts_json(self) -> bytes:
        """The facts and the unit as JSON, stored beside the tables."""
        facts = asdict(self.facts) | {"unit_id": self.unit_id}
        return json.dumps(facts, indent=1, ensure_ascii=False).encode()

    @classmethod
    def read(cls, folder: Path, rules: Instrument) -> "Assessment":
        """Read what `save` wrote.

        Raises
        ------
        UsageError
            There are no results in the folder.
        InputError
            What is there cannot be read: which file.
        """
        if not (folder / FACTS).is_file():
            raise errors.UsageError(
                f"{folder}: no results here. Name a folder written by `aiready score`, or leave `results` empty."
            )
        with file_errors(folder / FACTS, _AGAIN):
            facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
            unit_id = facts.pop("unit_id")
            run_facts = Facts(**facts | {"waves": tuple(facts["waves"]), "notes": tuple(facts["notes"])})
        paths = [path for path in sorted(folder.iterdir()) if path.suffix in (".parquet", ".feather")]
        tables = {path.stem: _read_table(path) for path in paths}
        return cls(tables, rules, run_facts, unit_id)


def _row_positions(assessment: Assessment, name: str, *more_columns: str) -> Mapping[Any, np.ndarray]:
    """Row positions of each unit (and further columns) in a table."""
    by = ["unit_id", *more_columns] if more_columns else "unit_id"
    return dict(assessment.tables[name].groupby(by, sort=False).indices)


def _measure_columns(assessment: Assessment) -> Mapping[Any, np.ndarray]:
    """Columns of `measures` as arrays: a page reads a hundred cells one by one."""
    return {name: column.to_numpy() for name, column in assessment.measures.items()}


def _rows_shown(assessment: Assessment, name: str, unit_id: str) -> pd.DataFrame:
    """Rows of a table for a unit in the wave shown."""
    rows, wave = assessment.tables[name], assessment.facts.wave
    if name in (*OWN_AND_TOTAL, "recommended"):
        rows = rows.loc[rows["unit_id"] == unit_id]
    if "wave" in rows:
        rows = rows.loc[rows["wave"].isin([wave, waves.quarter_of_wave(wave)])]
    return rows.reset_index(drop=True)


_AGAIN = "Write the results again: aiready score DATA --out FOLDER."


def _read_table(path: Path) -> pd.DataFrame:
    """Read a table of results or of a slice, in one thread: it is small, and this process may be a fork."""
    with file_errors(path, _AGAIN):
        if path.suffix == ".parquet":
            return pd.read_parquet(path, use_threads=False)
        return feather.read_table(path, memory_map=False, use_threads=False).to_pandas(use_threads=False)


def data_location(data: str | Path = "") -> str | Path:
    """Location of the data: as given, else from `AIREADY_DATA`, else the sample."""
    return data or os.environ.get(DATA) or package_file("data/sample")
