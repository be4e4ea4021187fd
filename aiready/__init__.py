"""aiready: how far an organisation's AI work is from the work itself.

`check` and `report` do what the commands of these names do; notebooks start from `Assessment.open(data)`. What is
promised of these names is in docs/api.md; everything else in the package is internal.
"""

import importlib
from typing import TYPE_CHECKING, Any

from aiready.package_files import fast_imports

if TYPE_CHECKING:
    from aiready import charts
    from aiready.batch.report import report
    from aiready.pages import handout, portfolio, tables, views
    from aiready.profile.assessment import Assessment
    from aiready.profile.data_check import check
    from aiready.workbook import panels

_MODULES = {
    "charts": "aiready.charts",
    "handout": "aiready.pages.handout",
    "panels": "aiready.workbook.panels",
    "portfolio": "aiready.pages.portfolio",
    "tables": "aiready.pages.tables",
    "views": "aiready.pages.views",
}

_OBJECTS = {
    "Assessment": "aiready.profile.assessment",
    "check": "aiready.profile.data_check",
    "report": "aiready.batch.report",
}

__all__ = ["Assessment", "charts", "check", "handout", "panels", "portfolio", "report", "tables", "views"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that the command line starts quickly."""
    with fast_imports():
        if name in _OBJECTS:
            return getattr(importlib.import_module(_OBJECTS[name]), name)
        if name in _MODULES:
            return importlib.import_module(_MODULES[name])
    raise AttributeError(f"module 'aiready' has no attribute {name!r}")
