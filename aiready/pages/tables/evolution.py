"""Tables on exploration and evolution: the pace of trials and what came of them, and initiatives stage by stage."""

from itertools import pairwise

import pandas as pd

from aiready.messages import Language
from aiready.model.registry import INSUFFICIENT
from aiready.model.schema import STAGES
from aiready.pages import sentences
from aiready.pages.tables.words import value_cell
from aiready.profile.assessment import Assessment, Cell

EVOLUTION = (
    "trials_per_quarter",
    "days_to_first_verdict",
    "learning_recorded",
    "limits_reviewed",
    "stalled_share",
    "stopped_with_reason_share",
    "big_bang_share",
)


def evolution(unit: Assessment) -> pd.DataFrame:
    """The measures of exploration: one row each, absent ones with the reason; none without initiatives and trials."""
    say, cells = unit.language.say, {name: unit.cell(name) for name in EVOLUTION}
    rows = [
        (sentences.measure_name(unit, name), _value_or_reason(name, cell, unit.language))
        for name, cell in cells.items()
    ]
    has_records = unit.cell("initiatives_count").ok or any(cell.ok for cell in cells.values())
    return pd.DataFrame(rows if has_records else [], columns=[say("column.measure"), say("column.value_bounds")])


def stages(unit: Assessment) -> pd.DataFrame:
    """Initiatives stage by stage: one row per stage that one came to, the share that moved on, the time spent there."""
    say, rows = unit.language.say, []
    for stage, further in pairwise(STAGES[:-1]):
        moved = unit.cell("stage_conversion", f"{stage}>{further}")
        if moved.ok:
            time = value_cell(unit.cell("time_in_stage_p50", stage), unit.language) or say("evolution.no_time")
            words = unit.language.capitalize(unit.language.label(f"stage.{stage}"))
            rows.append((words, value_cell(moved, unit.language), time))
    return pd.DataFrame(rows, columns=[say(f"column.{name}") for name in ("stage", "moved_on", "time_there")])


def _value_or_reason(measure: str, cell: Cell, language: Language) -> str:
    """A measure in one cell of a table; the reason where there is no value."""
    if cell.ok:
        return value_cell(cell, language)
    status = language.say(f"status.{cell.status}")
    return language.label(f"evolution.why_{measure}", status) if cell.status == INSUFFICIENT else status
