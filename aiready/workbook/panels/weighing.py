"""What if: weights and anchors of indicators moved, scores beside those of the instrument."""

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets

from aiready.model.registry import MEASURES
from aiready.profile.assessment import Assessment
from aiready.workbook import views
from aiready.workbook.panels import choosing
from aiready.workbook.panels.controls import button, number
from aiready.workbook.panels.panel import Panel
from aiready.workbook.views import View
from aiready.workbook.views.what_if import CHANGED, EQUAL

UNITS = {"share": "share, 0 to 1", "score": "points", "points": "points", "hours": "hours", "days": "days"}


class WhatIf(Panel):
    """Changes are kept indicator by indicator until they are taken back; nothing is written."""

    def __init__(self, assessment: Assessment):
        self.rules = assessment.rules
        self.narrowed = choosing.Narrowed(assessment)
        self.changes: dict[str, dict[str, float]] = {}
        self._filling = False
        controls = {
            "unit": choosing.unit(assessment),
            "wave": choosing.wave(assessment),
            "people": number("Weight of what people say (0 to 1)", EQUAL),
            "indicator": choosing.indicator(assessment),
            "weight": number("Weight of the indicator", 1.0, 0.25),
            "value_at_0": number("Worth 0 at"),
            "value_at_100": number("Worth 100 at"),
        }
        self._fill(controls, controls["indicator"].value)
        controls["indicator"].observe(self._turned, "value")
        self.back = button("As in the instrument", self._reset, hint="Take all changes back")
        super().__init__("what_if", controls, self._ask, [self.back])
        self._fill(self.controls, self.controls["indicator"].value)

    def _ask(self, unit: str, wave: str, people: float, indicator: str, **values: float) -> View:
        given = self._given(indicator)
        moved = {name: value for name, value in values.items() if value != given[name]}
        if not self._filling:
            self.changes.pop(indicator, None)
            self.changes |= {indicator: moved} if moved else {}
        return views.what_if(self.narrowed(unit, wave), self.changes, people)

    def _given(self, indicator: str) -> dict[str, float]:
        row = self.rules.indicators.set_index("indicator_id").loc[indicator]
        return {name: float(row[name]) for name in CHANGED}

    def _fill(self, controls: Mapping[str, widgets.Widget], indicator: str) -> None:
        """Show what holds for the indicator chosen, without taking it for a change."""
        measure = self.rules.indicators.set_index("indicator_id").loc[indicator, "measure"]
        unit = MEASURES[measure].unit
        self._filling = True
        for name, value in (self._given(indicator) | self.changes.get(indicator, {})).items():
            controls[name].value = value
        self._filling = False
        for name, worth in (("value_at_0", "0"), ("value_at_100", "100")):
            controls[name].description = f"Worth {worth} at ({UNITS.get(unit, unit)})"

    def _turned(self, change: Mapping[str, Any]) -> None:
        self._fill(self.controls, change["new"])

    def answer(self) -> None:
        """Nothing is asked while the controls are being filled."""
        if not self._filling:
            super().answer()

    def _reset(self) -> None:
        self.changes.clear()
        self._fill(self.controls, self.controls["indicator"].value)
        self.controls["people"].value = EQUAL
        self.answer()


def what_if(assessment: Assessment) -> WhatIf:
    """What would scores be if indicators weighed otherwise, or were worth 0 and 100 elsewhere."""
    return WhatIf(assessment)
