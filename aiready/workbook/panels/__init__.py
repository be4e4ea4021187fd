"""Panels of the notebooks: controls, pure functions, and what they show. No calculation here."""

from aiready.workbook.panels.agreeing import actions
from aiready.workbook.panels.asking import self_assessment
from aiready.workbook.panels.canvassing import initiative_canvas
from aiready.workbook.panels.drilling import barriers
from aiready.workbook.panels.looking import (
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
from aiready.workbook.panels.redesigning import task_redesign
from aiready.workbook.panels.weighing import what_if

__all__ = [
    "actions", "answers", "barriers", "decisions", "funnel", "groups", "hours", "initiative_canvas", "jobs", "moved",
    "pilots", "profile", "records", "self_assessment", "task_redesign", "what_if",
]  # fmt: skip
