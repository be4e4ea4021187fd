"""Charts: tidy table in, `alt.Chart` out, one function each; no aggregation inside.

Every chart takes `width` (`theme.WIDE` for the page and paper, `theme.NARROW` for a phone), carries a
description, and turns into a placeholder with the reason when nothing may or can be drawn.
"""

from aiready.charts.exploration import facets_chart, intervals_chart, shift_chart, sources_chart
from aiready.charts.row_layout import placeholder
from aiready.charts.survey import (
    barriers_units_chart,
    groups_chart,
    indicators_chart,
    items_chart,
    say_do_chart,
    themes_chart,
)
from aiready.charts.trends import metrics_chart, trend_chart
from aiready.charts.work import forest_chart, funnel_chart, hours_chart, modes_chart, portfolio_hours_chart
from aiready.charts.workflow_chart import adoption_progress_chart, workflow_chart

__all__ = [
    "adoption_progress_chart",
    "barriers_units_chart",
    "facets_chart",
    "forest_chart",
    "funnel_chart",
    "groups_chart",
    "hours_chart",
    "indicators_chart",
    "intervals_chart",
    "items_chart",
    "metrics_chart",
    "modes_chart",
    "placeholder",
    "portfolio_hours_chart",
    "say_do_chart",
    "shift_chart",
    "sources_chart",
    "themes_chart",
    "trend_chart",
    "workflow_chart",
]
