"""Recommended actions become agreed ones: rows of the `actions` table, with an owner, a date and what should move."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from aiready.atomic_files import slug
from aiready.errors import InputError, all_at_once
from aiready.model.registry import MEASURES
from aiready.workbook.capture.slices import Slice, read_slice
from aiready.workbook.capture.store import save_slice

STATES = ("open", "done", "dropped")


@dataclass(frozen=True)
class Agreement:
    """What a meeting agreed: `measure` is the number that should move, `template_id` what it was recommended as."""

    barrier_id: str
    action: str
    owner: str
    due_on: date | None
    measure: str = ""
    template_id: str = ""

    def problems(self, today: date) -> list[str]:
        """What is missing or cannot be, in words; nothing where it can be saved."""
        found = []
        if not self.action.strip():
            found.append("Say what will be done.")
        if not self.owner.strip():
            found.append("Name who answers for it: without an owner it is a wish.")
        if self.due_on is None:
            found.append("Give the date it is due.")
        elif self.due_on < today:
            found.append(f"It is due on {self.due_on.isoformat()}, which is past: give a date still to come.")
        if self.measure and self.measure not in MEASURES:
            found.append(f'There is no measure "{self.measure}".')
        return found


def agreed(folder: Path, unit_id: str) -> Slice:
    """The agreed actions of one unit as they stand in the data folder."""
    return read_slice(folder, "actions", {"unit_id": unit_id})


def agree(read: Slice, made: Agreement, today: date, by: str = "") -> Slice:
    """Add an action to those that were read, and save it; never over what somebody else saved meanwhile.

    Raises
    ------
    InputError
        Something is missing; every problem at once.
    ConflictError
        Somebody else saved actions of this unit since they were read.
    """
    all_at_once(InputError, made.problems(today))
    row = {
        "action_id": _next_id(read),
        "barrier_id": made.barrier_id,
        "action": made.action.strip(),
        "owner": made.owner.strip(),
        "due_on": made.due_on.isoformat() if made.due_on else "",
        "status": "open",
        "template_id": made.template_id,
        "agreed_on": today.isoformat(),
        "measure": made.measure,
        "done_on": "",
    }
    return save_slice(read, pd.concat([read.rows, pd.DataFrame([row])], ignore_index=True).fillna(""), by)


def move(read: Slice, action_id: str, status: str, today: date, by: str = "") -> Slice:
    """Say where an agreed action stands: open, done (today, where no date is known) or dropped; and save it.

    Raises
    ------
    InputError
        No such action or state.
    ConflictError
        Somebody else saved actions of this unit since they were read.
    """
    rows = read.rows.copy()
    place = rows["action_id"] == action_id
    if not place.any():
        raise InputError(f'There is no agreed action "{action_id}" here. Read the actions again.')
    if status not in STATES:
        raise InputError(f'"{status}" is no state of an action. It is one of {", ".join(STATES)}.')
    rows.loc[place, "status"] = status
    known = rows.loc[place, "done_on"].iloc[0]
    rows.loc[place, "done_on"] = (known or today.isoformat()) if status == "done" else ""
    return save_slice(read, rows, by)


def _next_id(read: Slice) -> str:
    """An id of the unit's own, so that two units never meet: `claims-1`, `claims-2`, ..."""
    start = f"{slug(read.scope['unit_id'])}-"
    taken = [re.fullmatch(rf"{re.escape(start)}(\d+)", name) for name in read.rows["action_id"]]
    return f"{start}{1 + max((int(found[1]) for found in taken if found), default=0)}"


def as_listed(rows: pd.DataFrame, names: Mapping[str, str], today: date) -> pd.DataFrame:
    """Agreed actions as people read them: one row per action, overdue said so.

    Parameters
    ----------
    rows
        Rows of the `actions` table, text.
    names
        barrier_id -> name.
    """
    late = (rows["status"] == "open") & (rows["due_on"].str[:10] < today.isoformat()) & rows["due_on"].ne("")
    measures = {name: measure.label for name, measure in MEASURES.items()}
    return pd.DataFrame(
        {
            "Action": rows["action"],
            "Barrier": rows["barrier_id"].map(names).fillna(rows["barrier_id"]),
            "Owner": rows["owner"],
            "Due": rows["due_on"].str[:10],
            "State": rows["status"].mask(late, "overdue"),
            "Should move": rows["measure"].map(measures).fillna(""),
        }
    ).reset_index(drop=True)
