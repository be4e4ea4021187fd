"""aiready: how far an organisation's AI work is from the work itself.

Notebooks start from `Assessment.open(data)`; `handout` and `portfolio` hold the sections of the pages.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiready.profile.assessment import Assessment

_MODULES = {
    "charts": "aiready.charts",
    "handout": "aiready.pages.handout",
    "panels": "aiready.workbook.panels",
    "portfolio": "aiready.pages.portfolio",
    "tables": "aiready.pages.tables",
    "views": "aiready.workbook.views",
}

__all__ = ["Assessment", "charts", "handout", "panels", "portfolio", "tables", "views"]


def __getattr__(name: str) -> Any:
    """Import what a notebook names when it names it, so that the command line starts quickly."""
    if name == "Assessment":
        return importlib.import_module("aiready.profile.assessment").Assessment
    if name in _MODULES:
        return importlib.import_module(_MODULES[name])
    raise AttributeError(f"module 'aiready' has no attribute {name!r}")
