"""Interactive panels of the notebooks: controls, and the views or forms that they show. Nothing is computed here."""

from aiready.workbook.panels.actions_panel import actions
from aiready.workbook.panels.barriers_panel import barriers
from aiready.workbook.panels.canvas_panel import initiative_canvas
from aiready.workbook.panels.explore_panels import (
    answers,
    decisions,
    funnel,
    groups,
    hours,
    jobs,
    moved,
    pilots,
    profile,
    records,
)
from aiready.workbook.panels.redesign_panel import task_redesign
from aiready.workbook.panels.self_assessment_panel import self_assessment
from aiready.workbook.panels.what_if_panel import what_if

__all__ = [
    "actions", "answers", "barriers", "decisions", "funnel", "groups", "hours", "initiative_canvas", "jobs", "moved",
    "pilots", "profile", "records", "self_assessment", "task_redesign", "what_if",
]  # fmt: skip
