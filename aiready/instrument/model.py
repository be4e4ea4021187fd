"""The instrument as data: barriers, items, indicators, bands, actions, patterns, sources and settings."""

import hashlib
import json
import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from aiready.errors import InstrumentError, all_at_once, unknown
from aiready.instrument.files import (
    FILES,
    SETTINGS,
    Tables,
    level_columns,
    listed,
    number,
    problems_of,
    read_table,
    repeated,
    sentence,
    strangers,
    with_numbers,
)
from aiready.instrument.languages import OPENING, Wording, read_languages
from aiready.messages import ENGLISH
from aiready.model.schema import GOVERNANCE_CHECKS, ROLES
from aiready.package_files import shipped


@dataclass(frozen=True)
class Settings:
    """Conventions an analyst may change in `settings.csv`; a missing or zero setting means the default here.

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
    """The questionnaire and its rules, read and proven.

    `barriers` (barrier_id, name, statement): one row per barrier, in order.
    `items` (item_id, barrier_id, facet, facet_label, theme, wording, level_1 ... level_L, roles,
    reverse_scored, replaces): one row per item in the order asked; `roles` a tuple, `reverse_scored` a bool.
    `indicators` (indicator_id, barrier_id, facet, measure, value_at_0, value_at_100, weight, label): one row
    each; facet blank where no item asks the same. `bands` (band, at_least, name): ascending.
    `twins` (barrier_id, facet, measure or register_column, says, says_from, label): one row per facet and
    record that tell of the same thing; answers at level `says_from` or above are those who `says`.
    `actions`, `patterns`, `sources`, `blockers`: one row each. `intro` is Markdown with {placeholders}.
    `digest` identifies the normalised wording; `version` is what the analyst calls it.
    `languages`: what respondents read, by language code; the first is that of `items` and `intro`.
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
        """What respondents read in a language; blank: the one the items are written in."""
        if code and code not in self.languages:
            raise unknown("language", code, self.languages)
        return self.languages[code or next(iter(self.languages))]

    @property
    def predecessors(self) -> Mapping[str, str]:
        """Items that replace one asked in earlier waves: item_id -> the id it had then."""
        named = self.items.reindex(columns=["item_id", "replaces"]).fillna("")
        named = named[named["replaces"].ne("") & ~named["replaces"].isin(self.items["item_id"])]
        return dict(zip(named["item_id"], named["replaces"], strict=True))

    @property
    def answer_columns(self) -> tuple[str, ...]:
        """Columns of `responses` that hold answers: the items, and those they replace."""
        return (*self.items["item_id"], *self.predecessors.values())

    def items_for(self, role: str) -> pd.DataFrame:
        """Items that a role is asked, in order; a blank role is asked them all."""
        if not role:
            return self.items
        if role not in ROLES:
            raise unknown("role", role, ROLES)
        return self.items[[role in asked for asked in self.items["roles"]]]

    def band_of(self, values: pd.Series) -> pd.Series:
        """Band id of each value on the 0-100 scale; None where the value is missing.

        A value on a boundary belongs to the band above it; one below the first band to the first.
        """
        at = np.searchsorted(self.bands["at_least"].to_numpy(), values.to_numpy(dtype=float), side="right")
        named = self.bands["band"].to_numpy(dtype=object)[np.clip(at - 1, 0, len(self.bands) - 1)]
        return pd.Series(np.where(values.isna(), None, named), index=values.index, dtype=object)


WORDS_PER_MINUTE = 200
"""Silent reading of plain non-fiction is about 238 words a minute (Brysbaert 2019); taken lower for care."""
SECONDS_PER_CHOICE = 5
"""Time to judge and mark an answer once it is read: a convention, to be replaced by times of a pretest."""


def minutes(instrument: Instrument, role: str) -> float:
    """Estimate the minutes that one role needs: introduction, opening questions and all its items read whole.

    Notes
    -----
    words / `WORDS_PER_MINUTE` + choices * `SECONDS_PER_CHOICE` / 60. Nobody reads every level of every item
    word by word, so it is an upper estimate for practised readers.
    """
    asked = instrument.items_for(role)
    texts = asked[["wording", *level_columns(instrument.settings.scale_points)]].to_numpy().ravel()
    words = " ".join([instrument.intro, *texts]).split()
    choices = len(asked) + len(OPENING)
    return len(words) / WORDS_PER_MINUTE + choices * SECONDS_PER_CHOICE / 60


def read_instrument(folder: Path | None = None) -> Instrument:
    """Read an instrument folder and prove that it does not contradict itself.

    Parameters
    ----------
    folder
        Holds `barriers.csv`, `items.csv`, `indicators.csv` and any of the other files; None: the shipped
        instrument. Of a file it leaves out, the shipped rows that fit its barriers and facets are taken.

    Raises
    ------
    InstrumentError
        With every problem found, each naming file, row, column, value and mend.

    Examples
    --------
    >>> len(read_instrument().items)
    25
    """
    base = shipped("data/instrument")
    own = folder or base
    all_at_once(InstrumentError, strangers(own) if own != base else ())
    files = [path for place in dict.fromkeys((own, base)) for path in sorted(place.glob("*.*"))]
    content = hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in files)).hexdigest()
    if content not in _PROVEN:
        _PROVEN.clear()
        _PROVEN[content] = _proven(own)
    return _PROVEN[content]


_PROVEN: dict[str, Instrument] = {}
"""The instrument last proven, by its content: every handout of a run reads the same."""


def _proven(own: Path) -> Instrument:
    settings, said, problems = _read_settings(own / "settings.csv")
    levels = level_columns(settings.scale_points)
    tables: dict[str, pd.DataFrame] = {}
    for name in FILES:
        table, found = _read_proven(name, own, tables, levels if name == "items" else ())
        problems += found
        if table is not None:
            tables[name] = table
    languages: dict[str, Wording] = {}
    if "items" in tables:
        languages, found = read_languages(own, tables["items"], levels, said.get("language", ENGLISH.code))
        problems += found
    all_at_once(InstrumentError, problems)
    return _typed(tables, settings, languages, said.get("version", ""))


def _read_proven(
    name: str, own: Path, before: Tables, levels: tuple[str, ...]
) -> tuple[pd.DataFrame | None, list[str]]:
    """One file's table (None when it cannot be used at all) and its problems, as sentences."""
    file, path = FILES[name], own / f"{name}.csv"
    borrowed = not path.exists() and not file.must_exist
    path = shipped("data/instrument") / path.name if borrowed else path
    table, found = read_table(path, file, levels)
    if found:
        return None, found
    table = _with_facets(table) if name == "items" else table
    wrong = list(problems_of(name, table, before, levels))
    if borrowed:  # a shipped row that does not fit belongs to another instrument: left out, not an error
        return table.drop(index=list({row for row, _, _ in wrong})), []
    return table, [sentence(path.name, problem) for problem in wrong]


def _with_facets(items: pd.DataFrame) -> pd.DataFrame:
    """Items whose blank facet is the item itself, and whose blank label is the facet in words."""
    facet = items["facet"].where(items["facet"] != "", items["item_id"])
    label = items["facet_label"].where(items["facet_label"] != "", facet.str.replace("_", " ").str.capitalize())
    return items.assign(facet=facet, facet_label=label)


def _typed(tables: Tables, settings: Settings, languages: Mapping[str, Wording], version: str) -> Instrument:
    typed = {name: with_numbers(table).reset_index(drop=True) for name, table in tables.items()}
    items = typed["items"]
    items["roles"] = items["roles"].map(listed)
    items["reverse_scored"] = items["reverse_scored"] == "yes"
    digest = _digest(items, level_columns(settings.scale_points))
    intro = next(iter(languages.values())).intro
    return Instrument(
        **typed, settings=settings, intro=intro, version=version or digest, digest=digest, languages=languages
    )


def _digest(items: pd.DataFrame, levels: tuple[str, ...]) -> str:
    """Fingerprint of what respondents read: blind to order, case and white space."""
    texts = items[["wording", *levels]].map(_plain).to_numpy().tolist()
    roles = [sorted(asked) for asked in items["roles"]]
    read = sorted(zip(items["item_id"].tolist(), texts, roles, strict=True))
    return hashlib.sha256(json.dumps(read, ensure_ascii=False).encode()).hexdigest()[:12]


def wording_digests(instrument: Instrument) -> dict[str, str]:
    """Fingerprint of each item's wording and levels, blind to case and white space: item_id -> twelve hex digits.

    Answers to an item are comparable over time as long as it stays the same.
    """
    columns = ["wording", *level_columns(instrument.settings.scale_points)]
    texts = instrument.items.reindex(columns=columns, fill_value="").map(_plain).to_numpy().tolist()
    digests = [hashlib.sha256(json.dumps(text, ensure_ascii=False).encode()).hexdigest()[:12] for text in texts]
    return dict(zip(instrument.items["item_id"], digests, strict=True))


def _plain(text: str) -> str:
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
"""Settings that are text: what the analyst calls this version, and the language of `items.csv`."""


def _read_settings(path: Path) -> tuple[Settings, dict[str, str], list[str]]:
    """Settings with the defaults filled in, those that are text and given, and every problem."""
    if not path.exists():
        return Settings(), {}, []
    table, problems = read_table(path, SETTINGS)
    if problems:
        return Settings(), {}, problems
    is_text = table["setting"].isin(_TEXTS)
    values = table[~is_text]
    wrong = [*repeated(table, SETTINGS.key)]
    chosen: dict[str, Any] = {}
    for row, name, text in values[["setting", "value"]].itertuples():
        value, complaint = _setting(name, text)
        chosen |= {name: value} if value else {}
        wrong += [(row, "value" if name in _DEFAULTS else "setting", complaint)] if complaint else []
    settings = Settings(**chosen)
    wrong += [
        (0, "value", f"{role} stands in roles_doing as well as in roles_leading. Keep one.")
        for role in settings.roles_doing
        if role in settings.roles_leading
    ]
    said = dict(table.loc[is_text & (table["value"] != ""), ["setting", "value"]].itertuples(index=False, name=None))
    return settings, said, [sentence(path.name, problem) for problem in wrong]


_DEFAULTS: Mapping[str, Any] = {setting.name: setting.default for setting in fields(Settings)}


def _setting(name: str, text: str) -> tuple[Any, str]:
    """Value of a setting, None where the default holds, and what is wrong with it."""
    if name not in _DEFAULTS:
        return None, str(unknown("setting", name, _DEFAULTS))
    default = _DEFAULTS[name]
    if not text or number(text) == 0:
        return None, ""
    if isinstance(default, tuple):
        kind, known = ("role", ROLES) if name.startswith("roles") else ("check", GOVERNANCE_CHECKS)
        strange = [part for part in listed(text) if part not in known]
        return (None, f"{name}: {unknown(kind, strange[0], known)}") if strange else (listed(text), "")
    return _number_setting(name, text, default)


def _number_setting(name: str, text: str, default: float) -> tuple[float | None, str]:
    value, whole = number(text), isinstance(default, int)
    low, high = _RANGES.get(name, (0, math.inf if whole or default > 1 else 1))
    if low <= value <= high and not (whole and value != int(value)):
        return (int(value) if whole else value), ""
    limits = f"of at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
    kind = "a whole number" if whole else "a number"
    return None, f'{name} is "{text}". Write {kind} {limits}, or leave it empty for {default}.'
