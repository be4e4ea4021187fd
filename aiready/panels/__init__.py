"""Panels of the notebooks: controls, pure functions, and what they show. No calculation here."""

from aiready.panels.asking import self_assessment
from aiready.panels.canvassing import initiative_canvas
from aiready.panels.redesigning import task_redesign

__all__ = ["initiative_canvas", "self_assessment", "task_redesign"]
