"""One function per question about a unit, each returning a `View`: sentences, a chart, its numbers, a caution."""

from aiready.pages.views.actions import agreed, offered, recommended
from aiready.pages.views.records import (
    blockers,
    confidence,
    followed,
    funnel,
    hours,
    indicators,
    levels,
    metrics,
    modes,
    pilots,
    records,
)
from aiready.pages.views.survey import SEGMENTS, answers, facets, groups, moved, profile, shifts, themes, trend
from aiready.pages.views.view import View
from aiready.pages.views.what_if import recomputed, what_if

__all__ = [
    "SEGMENTS", "View", "agreed", "answers", "blockers", "confidence", "facets", "followed", "funnel", "groups",
    "hours", "indicators", "levels", "metrics", "modes", "moved", "offered", "pilots", "profile", "recommended",
    "recomputed", "records", "shifts", "themes", "trend", "what_if",
]  # fmt: skip
