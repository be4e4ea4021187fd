"""aiready: how far an organisation's AI work is from the work itself.

Notebooks start from `Assessment.open(data)`; `handout` and `portfolio` hold the sections of the pages.
"""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiready.assessment import Assessment

__all__ = ["Assessment", "charts", "explore", "handout", "narrative", "panels", "portfolio", "views"]


def __getattr__(name: str) -> Any:
    """Import what a notebook names when it names it, so that the command line starts quickly."""
    if name == "Assessment":
        return importlib.import_module("aiready.assessment").Assessment
    if name in __all__:
        module: ModuleType = importlib.import_module(f"aiready.{name}")
        return module
    raise AttributeError(f"module 'aiready' has no attribute {name!r}")
