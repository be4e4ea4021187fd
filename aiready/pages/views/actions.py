"""Views of actions: what is recommended and why, what is agreed, and how the agreed measure moved."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from aiready.model.registry import MEASURES
from aiready.pages import sentences
from aiready.pages.parts import labelled_columns
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
    language, rows = unit.language, offered(unit, barrier_id)
    details = rows.loc[rows["template_id"] == template_id]
    words = [text for row in details.itertuples() for text in (row.reason, sentences.first_step(row, language))]
    efforts = rows.assign(effort=[language.say(f"effort.{effort}") for effort in rows["effort"]])
    columns = {"action": "action", "reason": "why", "owner_role": "owner", "effort": "effort"}
    name = language.mid_sentence(sentences.barrier_name(unit, barrier_id))
    return View(
        "recommended",
        language.say("recommended.title", barrier=name),
        scope=unit_and_wave(unit),
        words=tuple(words) if len(rows) else (language.say("recommended.none"),),
        numbers=labelled_columns(unit, efforts, columns),
        language=language,
    )


def agreed(unit: Assessment, action: Mapping[str, str], table: pd.DataFrame) -> View:
    """Agreed actions, and the measure of one of them, wave by wave.

    Parameters
    ----------
    action
        One row of the `actions` table (measure, agreed_on, due_on); may be empty.
    table
        All agreed actions for display, as `agreed_actions.display_table` returns them.
    """
    language, measure = unit.language, action.get("measure", "")
    if measure in MEASURES:
        days = (action.get(name, "")[:10] for name in ("agreed_on", "due_on"))
        return replace(followed(unit, measure, *days), numbers=table)
    words = (language.say("agreed.no_measure"),) if action else ()
    title = language.say("agreed.caption")
    return View("agreed", title, scope=unit.name, words=words, numbers=table, language=language)
