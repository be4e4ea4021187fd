"""The survey: scores by barrier, item and group, compared between groups and over time."""

from aiready.measures.survey.measures import (
    barrier_priorities,
    change_sources,
    differences,
    item_distributions,
    item_levels,
    measure,
    rankings,
    tables,
    themes,
    unit_ranks,
)
from aiready.measures.survey.scales import scale_scores

__all__ = [
    "barrier_priorities",
    "change_sources",
    "differences",
    "item_distributions",
    "item_levels",
    "measure",
    "rankings",
    "scale_scores",
    "tables",
    "themes",
    "unit_ranks",
]
