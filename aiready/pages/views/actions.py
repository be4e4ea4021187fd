"""Views of actions: what is recommended and why, what is agreed, and how the agreed measure moved."""

from collections.abc import Mapping

import pandas as pd

from aiready.model.registry import MEASURES
from aiready.pages import sentences
from aiready.pages.views.records import followed
from aiready.pages.views.survey import unit_and_wave
from aiready.pages.views.view import View
from aiready.profile.assessment import Assessment


def offered(unit: Assessment, barrier_id: str) -> pd.DataFrame:
    """Recommended actions on one barrier, by rank: one row per action."""
    rows = unit.rows("recommended")
    return rows.loc[rows["barrier_id"] == barrier_id].sort_values("rank", ignore_index=True)


def recommended(unit: Assessment, barrier_id: str, template_id: str) -> View:
    """What is recommended on a barrier, and why; details of the action with `template_id`, if it is one of them."""
    rows = offered(unit, barrier_id)
    title = f"Recommended on {sentences.barrier_name(unit, barrier_id).lower()}"
    if rows.empty:
        none = "Nothing is recommended here: no number calls for it, or none may be shown."
        return View(title, unit_and_wave(unit), (none,))
    chosen = rows.loc[rows["template_id"] == template_id]
    words = tuple(
        text
        for row in chosen.itertuples()
        for text in (row.reason, f"First step: {row.first_step}", f"{row.owner_role} · {row.effort} effort")
    )
    columns = {"action": "Action", "reason": "Why", "owner_role": "Who", "effort": "Effort"}
    numbers = rows[list(columns)].rename(columns=columns)
    return View(title, unit_and_wave(unit), words, numbers=numbers)


def agreed(unit: Assessment, action: Mapping[str, str], table: pd.DataFrame) -> View:
    """Agreed actions, and the measure of one of them, wave by wave.

    Parameters
    ----------
    action
        One row of the `actions` table (measure, agreed_on, due_on); may be empty.
    table
        All agreed actions for display, as `agreed_actions.display_table` returns them.
    """
    measure = action.get("measure", "")
    if measure not in MEASURES:
        words = ("No measure was agreed for this action: nothing to follow but its state.",) if action else ()
        return View("Agreed actions", unit.name, words, numbers=table)
    view = followed(unit, measure, action.get("agreed_on", "")[:10], action.get("due_on", "")[:10])
    return View(view.title, view.subtitle, view.words, view.chart, view.rows, table, view.caution)
