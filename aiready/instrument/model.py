"""Read and check an instrument: barriers, items, indicators, bands, actions, patterns, sources and settings."""

import json
import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from aiready.atomic_files import sha256
from aiready.errors import InstrumentError, raise_all, unknown_name
from aiready.instrument.files import (
    FILES,
    SETTINGS,
    Tables,
    convert_number_columns,
    duplicate_keys,
    foreign_entries,
    level_columns,
    problem_line,
    read_table,
    split_list,
    table_problems,
)
from aiready.instrument.languages import Wording, read_languages
from aiready.messages import ENGLISH
from aiready.model.cell_values import parse_number
from aiready.model.schema import GOVERNANCE_CHECKS, ROLES
from aiready.package_files import package_file


@dataclass(frozen=True)
class Settings:
    """Conventions that an analyst may change in `settings.csv`; a missing, blank or zero setting keeps its default.

    Durations are days, shares 0-1, points on the 0-100 scale.
    """

    scale_points: int = 5
    minimum_group: int = 5
    minimum_distribution: int = 10
    minimum_headcount_unknown_deciders: int = 20
    dominance_share: float = 0.10
    response_rate_floor: float = 0.30
    dont_know_finding: float = 0.30
    talk_apart: float = 0.25
    talk_missing: float = 0.60
    flag_fdr: float = 0.10
    flag_points: float = 5.0
    rank_rwg: float = 0.70
    rank_p: float = 0.05
    rank_icc2: float = 0.70
    minimum_shrinkage_units: int = 5
    minimum_records: int = 3
    minimum_coverage: float = 0.60
    minimum_indicators: int = 2
    minimum_probes: int = 30
    minimum_deciders_bootstrap: int = 20
    target_fresh_days: int = 90
    monitoring_fresh_days: int = 90
    user_changes_days: int = 90
    limits_review_days: int = 180
    stalled_stage_days: int = 180
    stalled_idle_days: int = 30
    label_days: int = 0
    reversal_days: int = 30
    feedback_closed_days: int = 30
    indicator_action_points: float = 60.0
    sensitivity_draws: int = 2000
    sensitivity_concentration: float = 50.0
    bootstrap_draws: int = 1000
    seed: int = 20260930
    roles_doing: tuple[str, ...] = ("frontline", "technical")
    roles_leading: tuple[str, ...] = ("manager", "executive")
    governance_checks_low: tuple[str, ...] = ("privacy_reviewed", "human_oversight", "feedback_channel")
    governance_checks_high: tuple[str, ...] = GOVERNANCE_CHECKS


@dataclass(frozen=True)
class Instrument:
    """The questionnaire and its rules, read and checked.

    `barriers` (barrier_id, name, statement): one row per barrier, in order.
    `items` (item_id, barrier_id, facet, facet_label, theme, wording, level_1 ... level_L, roles,
    reverse_scored, replaces): one row per item in the order asked; `roles` a tuple, `reverse_scored` a bool.
    `indicators` (indicator_id, barrier_id, facet, measure, value_at_0, value_at_100, weight, label): one row
    each; facet blank where no item asks about the same thing. `bands` (band, at_least, name): ascending.
    `twins` (barrier_id, facet, measure or register_column, says, says_from, label): one row per pair of a facet and
    a record about the same thing; `says` is what respondents who answer at level `says_from` or above claim.
    `actions`, `patterns`, `sources`, `blockers`: one row each. `intro` is Markdown with {placeholders}.
    `digest` identifies the normalised wording; `version` is the analyst's own name for it.
    `languages`: what respondents read, by language code; the first is the language of `items` and `intro`.
    """

    barriers: pd.DataFrame
    items: pd.DataFrame
    indicators: pd.DataFrame
    bands: pd.DataFrame
    actions: pd.DataFrame
    patterns: pd.DataFrame
    sources: pd.DataFrame
    blockers: pd.DataFrame
    settings: Settings
    intro: str
    version: str
    digest: str
    twins: pd.DataFrame = field(default_factory=pd.DataFrame)
    languages: Mapping[str, Wording] = field(default_factory=dict)

    def in_language(self, code: str = "") -> Wording:
        """What respondents read in a language; blank: the language of `items.csv`."""
        if code and code not in self.languages:
            raise unknown_name("language", code, self.languages)
        return self.languages[code or next(iter(self.languages))]

    @property
    def predecessors(self) -> Mapping[str, str]:
        """Items that replace an item of earlier waves: item_id -> id of the item replaced."""
        items = self.items.reindex(columns=["item_id", "replaces"]).fillna("")
        items = items[items["replaces"].ne("") & ~items["replaces"].isin(self.items["item_id"])]
        return dict(zip(items["item_id"], items["replaces"], strict=True))

    @property
    def answer_columns(self) -> tuple[str, ...]:
        """Columns of `responses` that hold answers: the items, and those they replace."""
        return (*self.items["item_id"], *self.predecessors.values())

    def items_for(self, role: str) -> pd.DataFrame:
        """Items asked of a role, in order; of a blank role, all items."""
        if not role:
            return self.items
        if role not in ROLES:
            raise unknown_name("role", role, ROLES)
        return self.items[[role in roles for roles in self.items["roles"]]]

    def band_of(self, values: pd.Series) -> pd.Series:
        """Band id of each value on the 0-100 scale; None where the value is missing.

        A value on a boundary belongs to the band above it; one below the first band to the first.
        """
        band_after = np.searchsorted(self.bands["at_least"].to_numpy(), values.to_numpy(dtype=float), side="right")
        bands = self.bands["band"].to_numpy(dtype=object)[np.clip(band_after - 1, 0, len(self.bands) - 1)]
        return pd.Series(np.where(values.isna(), None, bands), index=values.index, dtype=object)


def read_instrument(folder: Path | None = None) -> Instrument:
    """Read an instrument folder and check that it is complete and consistent.

    Parameters
    ----------
    folder
        Holds `barriers.csv`, `items.csv`, `indicators.csv` and any of the other files; None: the shipped instrument.
        Other files are taken from the shipped instrument, without rows that do not fit its barriers and facets.

    Raises
    ------
    InstrumentError
        Lists every problem, each with file, row, column, value and correction.

    Examples
    --------
    >>> len(read_instrument().items)
    25
    """
    shipped_folder = package_file("data/instrument")
    folder = folder or shipped_folder
    raise_all(InstrumentError, foreign_entries(folder) if folder != shipped_folder else ())
    own, shipped = ({path.name: path.read_bytes() for path in sorted(directory.glob("*.*"))}
                    for directory in (folder, shipped_folder))  # fmt: skip
    if own == shipped:  # a copy of the shipped instrument, as every page is given
        folder, own = shipped_folder, shipped
    digest = sha256(repr([own, shipped]))
    if digest not in _CACHE:
        _CACHE.clear()
        _CACHE[digest] = _read_and_check(folder)
    return _CACHE[digest]


_CACHE: dict[str, Instrument] = {}
"""The instrument read last, by the digest of its files: every handout of a run uses the same one."""


def _read_and_check(folder: Path) -> Instrument:
    """Read an instrument folder, raising every problem of all its files at once."""
    settings, texts, problems = _read_settings(folder / "settings.csv")
    levels = level_columns(settings.scale_points)
    tables: dict[str, pd.DataFrame] = {}
    for name in FILES:
        table, file_problems = _read_file(name, folder, tables, levels if name == "items" else ())
        problems += file_problems
        if table is not None:
            tables[name] = table
    languages: dict[str, Wording] = {}
    if "items" in tables:
        languages, file_problems = read_languages(folder, tables["items"], levels, texts.get("language", ENGLISH.code))
        problems += file_problems
    raise_all(InstrumentError, problems)
    return _instrument(tables, settings, languages, texts.get("version", ""))


def _read_file(
    name: str, folder: Path, earlier: Tables, levels: tuple[str, ...]
) -> tuple[pd.DataFrame | None, list[str]]:
    """Table of one file (None when it cannot be read as a table), and its problems, a line each."""
    file, path = FILES[name], folder / f"{name}.csv"
    borrowed = not path.exists() and not file.must_exist
    path = package_file("data/instrument") / path.name if borrowed else path
    table, problems = read_table(path, file, levels)
    if problems:
        return None, problems
    table = _with_facets(table) if name == "items" else table
    row_problems = list(table_problems(name, table, earlier, levels))
    if borrowed:  # a shipped row that does not fit belongs to another instrument: left out, not an error
        return table.drop(index=list({row for row, _, _ in row_problems})), []
    return table, [problem_line(path.name, problem) for problem in row_problems]


def _with_facets(items: pd.DataFrame) -> pd.DataFrame:
    """Items with blank facets filled by the item's id, and blank labels by the facet in words."""
    facet = items["facet"].where(items["facet"] != "", items["item_id"])
    label = items["facet_label"].where(items["facet_label"] != "", facet.str.replace("_", " ").str.capitalize())
    return items.assign(facet=facet, facet_label=label)


def _instrument(tables: Tables, settings: Settings, languages: Mapping[str, Wording], version: str) -> Instrument:
    """Assemble the instrument from checked tables of text."""
    typed = {name: convert_number_columns(table).reset_index(drop=True) for name, table in tables.items()}
    items = typed["items"]
    items["roles"] = items["roles"].map(split_list)
    items["reverse_scored"] = items["reverse_scored"] == "yes"
    digest = _digest(items, level_columns(settings.scale_points))
    intro = next(iter(languages.values())).intro
    return Instrument(
        **typed, settings=settings, intro=intro, version=version or digest, digest=digest, languages=languages
    )


def _digest(items: pd.DataFrame, levels: tuple[str, ...]) -> str:
    """Digest of all that respondents read, regardless of order, case and white space."""
    texts = items[["wording", *levels]].map(normalize_wording).to_numpy().tolist()
    roles = [sorted(roles_asked) for roles_asked in items["roles"]]
    content = sorted(zip(items["item_id"].tolist(), texts, roles, strict=True))
    return sha256(json.dumps(content, ensure_ascii=False))[:12]


def wording_digests(instrument: Instrument) -> dict[str, str]:
    """Digest of each item's wording and levels, regardless of case and white space: item_id -> twelve hex digits.

    Answers to an item are comparable over time as long as its digest stays the same.
    """
    columns = ["wording", *level_columns(instrument.settings.scale_points)]
    texts = instrument.items.reindex(columns=columns, fill_value="").map(normalize_wording).to_numpy().tolist()
    digests = [sha256(json.dumps(text, ensure_ascii=False))[:12] for text in texts]
    return dict(zip(instrument.items["item_id"], digests, strict=True))


def normalize_wording(text: str) -> str:
    """Text for comparison: Unicode form (NFKC), case and white space do not matter."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


# Settings ---------------------------------------------------------------------------------------------------

_RANGES: Mapping[str, tuple[float, float]] = {
    "scale_points": (2, 11),
    "minimum_group": (3, math.inf),  # of two people, each learns the other's answer from the mean
    "minimum_distribution": (3, math.inf),
    "flag_points": (0, 100),
    "indicator_action_points": (0, 100),
}


_TEXTS = ("version", "language")
"""Settings that are text: the analyst's name of this version, and the language of `items.csv`."""


def _read_settings(path: Path) -> tuple[Settings, dict[str, str], list[str]]:
    """Settings with defaults filled in, the text settings that are not blank, and every problem."""
    if not path.exists():
        return Settings(), {}, []
    table, problems = read_table(path, SETTINGS)
    if problems:
        return Settings(), {}, problems
    is_text = table["setting"].isin(_TEXTS)
    values = table[~is_text]
    row_problems = [*duplicate_keys(table, SETTINGS.key)]
    chosen: dict[str, Any] = {}
    for row, name, text in values[["setting", "value"]].itertuples():
        value, complaint = _setting(name, text)
        chosen |= {name: value} if value else {}
        row_problems += [(row, "value" if name in _DEFAULTS else "setting", complaint)] if complaint else []
    settings = Settings(**chosen)
    row_problems += [
        (0, "value", f"{role} stands in roles_doing as well as in roles_leading. Keep one.")
        for role in settings.roles_doing
        if role in settings.roles_leading
    ]
    texts = table[is_text & (table["value"] != "")]
    text_settings = dict(zip(texts["setting"], texts["value"], strict=True))
    return settings, text_settings, [problem_line(path.name, problem) for problem in row_problems]


_DEFAULTS: Mapping[str, Any] = {setting.name: setting.default for setting in fields(Settings)}


def _setting(name: str, text: str) -> tuple[Any, str]:
    """Value of a setting (None for the default), and what is wrong with it (blank when nothing is)."""
    if name not in _DEFAULTS:
        return None, str(unknown_name("setting", name, _DEFAULTS))
    default = _DEFAULTS[name]
    if not text or parse_number(text) == 0:
        return None, ""
    if isinstance(default, tuple):
        kind, allowed = ("role", ROLES) if name.startswith("roles") else ("check", GOVERNANCE_CHECKS)
        entries = split_list(text)
        invalid = next((entry for entry in entries if entry not in allowed), None)
        return (entries, "") if invalid is None else (None, f"{name}: {unknown_name(kind, invalid, allowed)}")
    return _number_setting(name, text, default)


def _number_setting(name: str, text: str, default: float) -> tuple[float | None, str]:
    value, is_integer = parse_number(text), isinstance(default, int)
    low, high = _RANGES.get(name, (0, math.inf if is_integer or default > 1 else 1))
    if value is not None and low <= value <= high and not (is_integer and value != int(value)):
        return (int(value) if is_integer else value), ""
    limits = f"of at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
    kind = "a whole number" if is_integer else "a number"
    return None, f'{name} is "{text}". Write {kind} {limits}, or leave it empty for {default}.'
