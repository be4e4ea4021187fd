"""From a barrier down: the profile above, and below it one barrier's facets, answers, indicators and records."""

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets

from aiready.profile.assessment import Assessment
from aiready.workbook import views
from aiready.workbook.panels import choosing
from aiready.workbook.panels.looking import profile
from aiready.workbook.panels.panel import Panel
from aiready.workbook.views import View

STEPS = {
    "facets": "what is said and what is recorded",
    "answers": "how each item was answered",
    "indicators": "what the records show",
    "records": "the records behind an indicator",
    "shifts": "what moved since the wave before",
}
"""How deep to look, in words, from the facets down to the records."""


class Drill(widgets.VBox):
    """Two panels: a click on a barrier above, or its control below, opens it; a click on an indicator its records."""

    def __init__(self, assessment: Assessment):
        self.rules = assessment.rules
        self.narrowed = choosing.Narrowed(assessment)
        self.above = profile(assessment)
        step = choosing.choice("Look at", [(words, step) for step, words in STEPS.items()])
        indicators = choosing.indicator(assessment)
        controls = {"barrier": choosing.barrier(assessment), "step": step, "indicator": indicators}
        self.indicators = indicators
        self._offer(controls["barrier"].value)
        self.below = Panel("drill", controls, self._ask)
        controls["barrier"].observe(self._turned, "value")
        for control in self.above.controls.values():
            control.observe(lambda _: self.below.answer(), "value")
        self.above.picture.observe(self._picked_barrier, "picked")
        self.below.picture.observe(self._picked_indicator, "picked")
        self._offer(controls["barrier"].value)
        super().__init__([self.above, self.below])

    def _ask(self, barrier: str, step: str, indicator: str) -> View:
        unit = self.narrowed(self.above.values["unit"], self.above.values["wave"])
        self.indicators.layout.display = "" if step == "records" else "none"
        if step == "records":
            return views.records(unit, indicator)
        looks = {"facets": views.facets, "answers": views.answers, "indicators": views.indicators,
                 "shifts": views.shifts}  # fmt: skip
        return looks[step](unit, barrier)

    def _offer(self, barrier: str) -> None:
        """Only the indicators of the barrier can be chosen."""
        table = self.rules.indicators.loc[self.rules.indicators["barrier_id"] == barrier]
        self.indicators.options = list(zip(table["label"], table["indicator_id"], strict=True))

    def _turned(self, change: Mapping[str, Any]) -> None:
        self._offer(change["new"])

    def _picked_barrier(self, change: Mapping[str, Any]) -> None:
        named = dict(zip(self.rules.barriers["name"], self.rules.barriers["barrier_id"], strict=True))
        if change["new"] in named:
            self.below.controls["barrier"].value = named[change["new"]]

    def _picked_indicator(self, change: Mapping[str, Any]) -> None:
        table = self.rules.indicators
        found = table.loc[table["label"].str.lower() == change["new"].lower(), "indicator_id"]
        if len(found) and self.below.controls["step"].value == "indicators":
            self.indicators.value = found.iloc[0]
            self.below.controls["step"].value = "records"


def barriers(assessment: Assessment) -> Drill:
    """From a barrier down to facets, items, indicators and records, for any unit and wave."""
    return Drill(assessment)
