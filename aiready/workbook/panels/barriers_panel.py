"""Drill down into a barrier: the profile above; below, one barrier's facets, answers, indicators and records."""

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets

from aiready.pages import views
from aiready.pages.views import View
from aiready.profile.assessment import Assessment
from aiready.workbook.panels import selectors
from aiready.workbook.panels.explore_panels import profile
from aiready.workbook.panels.panel import Panel

QUESTIONS = {"facets": views.facets, "answers": views.answers, "indicators": views.indicators, "shifts": views.shifts}
"""Questions about a barrier by name; `records` is one about an indicator."""


class BarrierDrillDown(widgets.VBox):
    """Two panels: a click on a barrier above selects it below; there, a click on an indicator shows its records."""

    def __init__(self, assessment: Assessment):
        self.rules = assessment.rules
        self.unit_at = selectors.unit_lookup(assessment)
        self.above = profile(assessment)
        step = selectors.look(assessment, "facets", "answers", "indicators", "records", "shifts")
        indicators = selectors.indicator(assessment)
        controls = {"barrier": selectors.barrier(assessment), "step": step, "indicator": indicators}
        self.indicators = indicators
        self._offer_indicators(controls["barrier"].value)
        self.below = Panel("drill", controls, self._make_view)
        controls["barrier"].observe(self._barrier_changed, "value")
        for control in self.above.controls.values():
            control.observe(lambda _: self.below.update(), "value")
        self.above.picture.observe(self._barrier_picked, "picked")
        self.below.picture.observe(self._indicator_picked, "picked")
        self._offer_indicators(controls["barrier"].value)
        super().__init__([self.above, self.below])

    def _make_view(self, barrier: str, step: str, indicator: str) -> View:
        unit = self.unit_at(self.above.values["unit"], self.above.values["wave"])
        self.indicators.layout.display = "" if step == "records" else "none"
        return views.records(unit, indicator) if step == "records" else QUESTIONS[step](unit, barrier)

    def _offer_indicators(self, barrier: str) -> None:
        """Offer only the indicators of a barrier."""
        table = self.rules.indicators.loc[self.rules.indicators["barrier_id"] == barrier]
        self.indicators.options = list(zip(table["label"], table["indicator_id"], strict=True))

    def _barrier_changed(self, change: Mapping[str, Any]) -> None:
        self._offer_indicators(change["new"])

    def _barrier_picked(self, change: Mapping[str, Any]) -> None:
        barrier_ids = dict(zip(self.rules.barriers["name"], self.rules.barriers["barrier_id"], strict=True))
        if change["new"] in barrier_ids:
            self.below.controls["barrier"].value = barrier_ids[change["new"]]

    def _indicator_picked(self, change: Mapping[str, Any]) -> None:
        table = self.rules.indicators
        indicator_ids = table.loc[table["label"].str.lower() == change["new"].lower(), "indicator_id"]
        if len(indicator_ids) and self.below.controls["step"].value == "indicators":
            self.indicators.value = indicator_ids.iloc[0]
            self.below.controls["step"].value = "records"


def barriers(assessment: Assessment) -> BarrierDrillDown:
    """From a barrier down to facets, items, indicators and records, for any unit and wave."""
    return BarrierDrillDown(assessment)
