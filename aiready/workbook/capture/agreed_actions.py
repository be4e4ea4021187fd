"""Agreed actions: add a row to the `actions` table (owner, due date, measure that should move) and set its status."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pandas as pd

from aiready.atomic_files import file_stem
from aiready.errors import InputError, raise_all
from aiready.model.registry import MEASURES
from aiready.workbook.capture.store import Slice

STATES = ("open", "done", "dropped")


@dataclass(frozen=True)
class Agreement:
    """An action agreed in a meeting: `measure` is the number that should move, `template_id` its recommendation."""

    barrier_id: str
    action: str
    owner: str
    due_on: date | None
    measure: str = ""
    template_id: str = ""

    def problems(self, today: date) -> list[str]:
        """What is missing or impossible, a sentence each; empty if the agreement can be saved."""
        sentences = []
        if not self.action.strip():
            sentences.append("Say what will be done.")
        if not self.owner.strip():
            sentences.append("Name who answers for it: without an owner it is a wish.")
        if self.due_on is None:
            sentences.append("Give the date it is due.")
        elif self.due_on < today:
            sentences.append(f"It is due on {self.due_on.isoformat()}, which is past: give a date still to come.")
        if self.measure and self.measure not in MEASURES:
            sentences.append(f'There is no measure "{self.measure}".')
        return sentences


def with_action(base: Slice, agreement: Agreement, today: date) -> pd.DataFrame:
    """The agreed actions of a unit with one more.

    Raises
    ------
    InputError
        Something is missing; lists every problem.
    """
    raise_all(InputError, agreement.problems(today))
    row = {
        "action_id": _next_id(base),
        "barrier_id": agreement.barrier_id,
        "action": agreement.action.strip(),
        "owner": agreement.owner.strip(),
        "due_on": agreement.due_on.isoformat() if agreement.due_on else "",
        "status": "open",
        "template_id": agreement.template_id,
        "agreed_on": today.isoformat(),
        "measure": agreement.measure,
    }
    return pd.concat([base.rows, pd.DataFrame([row])], ignore_index=True).fillna("")


def with_status(base: Slice, action_id: str, status: str, today: date) -> pd.DataFrame:
    """The agreed actions with one of them open, done (today, unless a date is recorded) or dropped.

    Raises
    ------
    InputError
        There is no such action or status.
    """
    rows = base.rows
    chosen = rows["action_id"] == action_id
    if not chosen.any():
        raise InputError(f'There is no agreed action "{action_id}" here. Read the actions again.')
    if status not in STATES:
        raise InputError(f'"{status}" is no state of an action. It is one of {", ".join(STATES)}.')
    done_on = rows["done_on"].where(rows["done_on"] != "", today.isoformat()) if status == "done" else ""
    return rows.assign(status=rows["status"].mask(chosen, status), done_on=rows["done_on"].mask(chosen, done_on))


def _next_id(base: Slice) -> str:
    """The next free id of the unit: `claims-1`, `claims-2`, ...; ids of two units never collide."""
    start = f"{file_stem(base.key['unit_id'])}-"
    matches = [re.fullmatch(rf"{re.escape(start)}(\d+)", name) for name in base.rows["action_id"]]
    return f"{start}{1 + max((int(match[1]) for match in matches if match), default=0)}"


def display_table(rows: pd.DataFrame, names: Mapping[str, str], today: date) -> pd.DataFrame:
    """Agreed actions for display: one row per action; open actions past their date are "overdue".

    Parameters
    ----------
    rows
        Rows of the `actions` table, as text.
    names
        barrier_id -> name of the barrier.
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
