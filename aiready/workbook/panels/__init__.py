"""Interactive panels of the notebooks: controls, and the views or forms that they show. Nothing is computed here."""

import importlib
from typing import TYPE_CHECKING, Any

from aiready.package_files import fast_imports

if TYPE_CHECKING:
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
_MODULES = {
    "actions": "actions_panel",
    "barriers": "barriers_panel",
    "initiative_canvas": "canvas_panel",
    "self_assessment": "self_assessment_panel",
    "task_redesign": "redesign_panel",
    "what_if": "what_if_panel",
}
"""Modules of panels that are not among the `explore_panels`."""


def __getattr__(name: str) -> Any:
    """Import a panel when it is first used: a notebook shows two or three of them."""
    if name in __all__:
        with fast_imports():
            module = importlib.import_module(f"{__name__}.{_MODULES.get(name, 'explore_panels')}")
        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
