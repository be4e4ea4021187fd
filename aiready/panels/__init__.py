"""Panels of the notebooks: controls, pure functions, and what they show. No calculation here."""

from aiready.panels.asking import self_assessment

__all__ = ["self_assessment"]
