"""Rows set aside, as what they are: records that exist and are not known."""

import unicodedata
from functools import partial

import numpy as np
import pandas as pd

from aiready.inputs.dataset import Data
from aiready.inputs.digit_grouping import COULD_BE
from aiready.inputs.validate import ALONE, SUPERSEDED
from aiready.measures.record_shares import reported
from aiready.model import waves
from aiready.model.cell_values import NOTHING as SAYS_NOTHING
from aiready.model.registry import ORGANISATION

COLUMNS = ("unit_id", "wave", "table", "added", "touched")
STAMPS = {"decisions": "opened_at", "feedback": "flagged_at", "probes": "asked_at"}
STATES = ("initiatives", "trials", "usage", "tasks", "workflow_steps")
EVERY_WAVE = ""
NOTHING = pd.DataFrame(columns=list(COLUMNS)).astype({"added": float, "touched": float})
_CELL = ["unit_id", "wave", "table"]


def unknown_records(data: Data) -> pd.DataFrame:
    """Records that a unit has and nothing is known of, since their rows broke a rule.

    Returns
    -------
    pandas.DataFrame
        One row per reporting unit x wave x table, `COLUMNS`: `added` is how much they would add to what a share is
        taken of, in its own terms (records; users meant for `usage`; infinite where a row may outweigh all others),
        `touched` how many of the known ones they could have turned into a no (initiatives with a trial, steps of a
        workflow). `wave` is empty where a time is unreadable or cannot be right: any quarter may be meant.

    Notes
    -----
    A row that repeats another one says nothing new and is not counted. An initiative that other rows name and the
    register lacks is a record of the unit that names it. A row that does not say whose it is counts for the
    organisation alone.
    """
    left_out = {name: _new(rows) for name, rows in data.quarantine.items()}
    made = [_of_table(name, rows, data) for name, rows in left_out.items() if name in (*STATES, *STAMPS) and len(rows)]
    made.append(_unregistered(left_out, data))
    own = pd.concat(made, ignore_index=True)
    nobody = own["unit_id"].isin(data.membership["member_id"])
    placed = pd.concat([reported(own[nobody], data.membership), own[~nobody].assign(unit_id=ORGANISATION)])
    return placed.groupby(_CELL, as_index=False)[["added", "touched"]].sum()


def _new(rows: pd.DataFrame) -> pd.DataFrame:
    """Without rows whose key stands in a row that counts."""
    again = rows["rule"].astype(str).str.startswith(("same ", SUPERSEDED))
    return rows[~again].reset_index(drop=True)


def _given(rows: pd.DataFrame, column: str) -> pd.Series:
    """A column as it was given; empty where the table has none, or where a cell says so in words."""
    cells = rows[column] if column in rows else pd.Series("", rows.index, dtype=object)
    texts = cells.astype(object).where(cells.notna(), "").astype(str).str.strip()
    return texts.mask(texts.str.lower().isin(SAYS_NOTHING), "").map(partial(unicodedata.normalize, "NFC"))


def _of_table(name: str, rows: pd.DataFrame, data: Data) -> pd.DataFrame:
    """What the rows of one table add and touch, at the unit they name."""
    cells = pd.DataFrame({"unit_id": _given(rows, "unit_id"), "wave": _wave(name, rows, data), "table": name})
    cells["added"], cells["touched"] = 1.0, 0.0
    if name == "usage":
        given = _given(rows, "intended_users")
        meant = pd.to_numeric(given.mask(given.str.fullmatch(COULD_BE), ""), errors="coerce")
        return cells.assign(added=meant.where(meant >= 0, np.inf))
    if name == "tasks":
        return cells.assign(added=np.inf)
    if name == "workflow_steps":
        return cells.assign(touched=_steps_beside(rows, data))
    if name == "trials":
        named = _given(rows, "initiative_id")
        cells = cells.assign(unit_id=named.map(_owners(data)).fillna(""), added=0.0, touched=1.0, named=named)
        return cells.drop_duplicates("named").drop(columns="named")
    return cells


def _wave(name: str, rows: pd.DataFrame, data: Data) -> pd.Series:
    if name in STAMPS:
        at = pd.to_datetime(_given(rows, STAMPS[name]), errors="coerce", utc=True, format="mixed")
        alone = rows["rule"].astype(str).str.contains(ALONE, regex=False)
        return at.map(waves.quarter, na_action="ignore").astype(object).where(at.notna() & ~alone, EVERY_WAVE)
    given = _given(rows, "wave")
    return given.where(given.map(waves.is_wave), data.wave)


def _owners(data: Data) -> pd.Series:
    register = data.table("initiatives")
    return pd.Series(dtype=object) if register is None else register.set_index("initiative_id")["unit_id"]


def _steps_beside(rows: pd.DataFrame, data: Data) -> pd.Series:
    """Steps now of the workflow that a row belongs to, once per workflow; of all where it names none."""
    flow = pd.DataFrame({"unit_id": _given(rows, "unit_id"), "workflow": _given(rows, "workflow")})
    steps = data.table("workflow_steps")
    if steps is None or steps.empty:
        return pd.Series(0.0, rows.index)
    now = steps[steps["version"].eq("now")].groupby(["unit_id", "workflow"]).size().rename("steps")
    beside = flow.join(now, on=["unit_id", "workflow"])["steps"].mask(flow["workflow"].eq(""), np.inf)
    return beside.fillna(0.0).mask(flow.duplicated(), 0.0)


def _unregistered(left_out: dict[str, pd.DataFrame], data: Data) -> pd.DataFrame:
    """Initiatives that rows set aside name and the register does not know: one row per unit x initiative."""
    register = data.table("initiatives")
    if register is None:
        return NOTHING
    named = [
        pd.DataFrame({"unit_id": _given(rows, "unit_id"), "named": _given(rows, "initiative_id")})
        for name, rows in left_out.items()
        if name != "initiatives"
    ]
    known = {"", *register["initiative_id"], *_given(left_out.get("initiatives", NOTHING), "initiative_id")}
    found = pd.concat([*named, pd.DataFrame(columns=["unit_id", "named"])]).drop_duplicates()
    found = found[~found["named"].isin(known)]
    return found.assign(wave=data.wave, table="initiatives", added=1.0, touched=0.0)[list(COLUMNS)]
