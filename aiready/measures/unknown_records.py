"""Count the records of quarantined rows: they exist, but nothing valid is known about them."""

import unicodedata
from functools import partial

import numpy as np
import pandas as pd

from aiready.inputs.dataset import Data
from aiready.inputs.digit_grouping import AMBIGUOUS_PATTERN
from aiready.inputs.validate import ISOLATED_DATE, SUPERSEDED
from aiready.measures.record_shares import by_reporting_unit
from aiready.model import waves
from aiready.model.cell_values import BLANK_WORDS
from aiready.model.registry import ANY_WAVE, NO_RECORDS, ORGANISATION

TIME_COLUMNS = {"decisions": "opened_at", "feedback": "flagged_at", "probes": "asked_at"}
STATE_TABLES = ("initiatives", "trials", "usage", "tasks", "workflow_steps")
_CELL = ["unit_id", "wave", "table"]


def unknown_records(data: Data) -> pd.DataFrame:
    """Count each unit's records of which nothing is known because their rows broke a rule.

    Returns
    -------
    pandas.DataFrame
        One row per unit x wave x table, as in `NO_RECORDS`. `added`: how much they would add to the denominator of
        a share, in its own unit (records; intended users for `usage`; infinite where a row may outweigh all others).
        `touched`: how many known records they could have turned into a no (initiatives with a trial, steps of a
        workflow). `wave` is `ANY_WAVE` where the time is unreadable or impossible.

    Notes
    -----
    A row that repeats another one adds no record. An initiative that other rows name but the register lacks is a
    record of the unit that names it. A row without a known unit counts for the organisation only.
    """
    quarantined = {name: _without_repeats(rows) for name, rows in data.quarantine.items()}
    parts = [
        _of_table(name, rows, data)
        for name, rows in quarantined.items()
        if name in (*STATE_TABLES, *TIME_COLUMNS) and len(rows)
    ]
    parts.append(_unregistered(quarantined, data))
    records = pd.concat(parts, ignore_index=True)
    has_unit = records["unit_id"].isin(data.membership["member_id"])
    by_unit = pd.concat([
        by_reporting_unit(records[has_unit], data.membership), records[~has_unit].assign(unit_id=ORGANISATION),
    ])  # fmt: skip
    return by_unit.groupby(_CELL, as_index=False)[["added", "touched"]].sum()


def _without_repeats(rows: pd.DataFrame) -> pd.DataFrame:
    """Drop rows whose key is that of a valid row."""
    is_repeat = rows["rule"].astype(str).str.startswith(("same ", SUPERSEDED))
    return rows[~is_repeat].reset_index(drop=True)


def _raw_text(rows: pd.DataFrame, column: str) -> pd.Series:
    """Stripped text of a raw column; empty where the column is absent and where a cell holds a word for blank."""
    cells = rows[column] if column in rows else pd.Series("", rows.index, dtype=object)
    texts = cells.astype(object).where(cells.notna(), "").astype(str).str.strip()
    return texts.mask(texts.str.lower().isin(BLANK_WORDS), "").map(partial(unicodedata.normalize, "NFC"))


def _of_table(name: str, rows: pd.DataFrame, data: Data) -> pd.DataFrame:
    """The columns of `NO_RECORDS` of each quarantined row of one table, at the unit that it names."""
    cells = pd.DataFrame({"unit_id": _raw_text(rows, "unit_id"), "wave": _wave(name, rows, data), "table": name})
    cells["added"], cells["touched"] = 1.0, 0.0
    if name == "usage":
        raw_users = _raw_text(rows, "intended_users")
        users = pd.to_numeric(raw_users.mask(raw_users.str.fullmatch(AMBIGUOUS_PATTERN), ""), errors="coerce")
        return cells.assign(added=users.where(users >= 0, np.inf))
    if name == "tasks":
        return cells.assign(added=np.inf)
    if name == "workflow_steps":
        return cells.assign(touched=_known_steps(rows, data))
    if name == "trials":
        initiative_ids = _raw_text(rows, "initiative_id")
        cells = cells.assign(unit_id=initiative_ids.map(_owners(data)).fillna(""), added=0.0, touched=1.0)
        return cells[~initiative_ids.duplicated()]
    return cells


def _wave(name: str, rows: pd.DataFrame, data: Data) -> pd.Series:
    """Wave of each row: the quarter of its time, else its column `wave`, else the wave of the data."""
    if name in TIME_COLUMNS:
        at = pd.to_datetime(_raw_text(rows, TIME_COLUMNS[name]), errors="coerce", utc=True, format="mixed")
        is_isolated = rows["rule"].astype(str).str.contains(ISOLATED_DATE, regex=False)
        return at.map(waves.quarter, na_action="ignore").astype(object).where(at.notna() & ~is_isolated, ANY_WAVE)
    raw_wave = _raw_text(rows, "wave")
    return raw_wave.where(raw_wave.map(waves.is_wave), data.wave)


def _owners(data: Data) -> pd.Series:
    """Owning unit by initiative."""
    register = data.table("initiatives")
    return pd.Series(dtype=object) if register is None else register.set_index("initiative_id")["unit_id"]


def _known_steps(rows: pd.DataFrame, data: Data) -> pd.Series:
    """Known steps (version `now`) of each row's workflow, once per workflow; infinite where it names none."""
    flow = pd.DataFrame({"unit_id": _raw_text(rows, "unit_id"), "workflow": _raw_text(rows, "workflow")})
    steps = data.table("workflow_steps")
    if steps is None or steps.empty:
        return pd.Series(0.0, rows.index)
    sizes = steps[steps["version"].eq("now")].groupby(["unit_id", "workflow"]).size().rename("steps")
    known_steps = flow.join(sizes, on=["unit_id", "workflow"])["steps"].mask(flow["workflow"].eq(""), np.inf)
    return known_steps.fillna(0.0).mask(flow.duplicated(), 0.0)


def _unregistered(quarantined: dict[str, pd.DataFrame], data: Data) -> pd.DataFrame:
    """Initiatives that quarantined rows name but the register lacks: one row per unit x initiative."""
    register = data.table("initiatives")
    if register is None:
        return NO_RECORDS
    references = [
        pd.DataFrame({"unit_id": _raw_text(rows, "unit_id"), "initiative_id": _raw_text(rows, "initiative_id")})
        for name, rows in quarantined.items()
        if name != "initiatives"
    ]
    own_rows = _raw_text(quarantined.get("initiatives", NO_RECORDS), "initiative_id")
    keys = ["unit_id", "initiative_id"]
    unregistered = pd.concat([*references, pd.DataFrame(columns=keys)]).drop_duplicates()
    unregistered = unregistered[~unregistered["initiative_id"].isin({"", *register["initiative_id"], *own_rows})]
    return unregistered.assign(wave=data.wave, table="initiatives", added=1.0, touched=0.0)[list(NO_RECORDS)]
