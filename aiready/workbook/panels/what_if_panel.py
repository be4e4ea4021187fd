"""The what-if panel: change weights and anchors of indicators, and see scores beside those of the instrument."""

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets

from aiready.model.registry import MEASURES
from aiready.pages import views
from aiready.pages.views import View
from aiready.pages.views.what_if import CHANGED, EQUAL
from aiready.profile.assessment import Assessment
from aiready.workbook.panels import selectors
from aiready.workbook.panels.controls import button, number
from aiready.workbook.panels.panel import Panel


class WhatIfPanel(Panel):
    """Changes are kept per indicator until they are reset; nothing is saved."""

    def __init__(self, assessment: Assessment):
        self.rules, self.language = assessment.rules, assessment.language
        say = self.language.say
        self.unit_at = selectors.unit_lookup(assessment)
        self.changes: dict[str, dict[str, float]] = {}
        self._filling = False
        controls = {
            "unit": selectors.unit(assessment),
            "wave": selectors.wave(assessment),
            "people": number(say("panel.weight_people"), EQUAL),
            "indicator": selectors.indicator(assessment),
            "weight": number(say("panel.weight"), 1.0, 0.25),
            "value_at_0": number("0"),
            "value_at_100": number("100"),
        }
        self._fill(controls, controls["indicator"].value)
        controls["indicator"].observe(self._indicator_changed, "value")
        self.reset_button = button(say("panel.reset"), self._reset, hint=say("panel.reset_hint"))
        super().__init__("what_if", controls, self._make_view, [self.reset_button])
        self._fill(self.controls, self.controls["indicator"].value)

    def _make_view(self, unit: str, wave: str, people: float, indicator: str, **values: float) -> View:
        defaults = self._defaults(indicator)
        changed = {name: value for name, value in values.items() if value != defaults[name]}
        if not self._filling:
            self.changes.pop(indicator, None)
            self.changes |= {indicator: changed} if changed else {}
        return views.what_if(self.unit_at(unit, wave), self.changes, people)

    def _defaults(self, indicator: str) -> dict[str, float]:
        row = self.rules.indicators.set_index("indicator_id").loc[indicator]
        return {name: float(row[name]) for name in CHANGED}

    def _fill(self, controls: Mapping[str, widgets.Widget], indicator: str) -> None:
        """Show the values of an indicator in the controls, without recording them as changes."""
        measure = self.rules.indicators.set_index("indicator_id").loc[indicator, "measure"]
        unit = MEASURES[measure].unit
        self._filling = True
        for name, value in (self._defaults(indicator) | self.changes.get(indicator, {})).items():
            controls[name].value = value
        self._filling = False
        unit_name = self.language.label(f"panel.unit_{unit}", unit)
        for name, points in (("value_at_0", "0"), ("value_at_100", "100")):
            controls[name].description = self.language.say("panel.worth", points=points, unit=unit_name)

    def _indicator_changed(self, change: Mapping[str, Any]) -> None:
        self._fill(self.controls, change["new"])

    def update(self) -> None:
        """Update the view, except while the controls are being filled."""
        if not self._filling:
            super().update()

    def _reset(self) -> None:
        self.changes.clear()
        self._fill(self.controls, self.controls["indicator"].value)
        self.controls["people"].value = EQUAL
        self.update()


def what_if(assessment: Assessment) -> WhatIfPanel:
    """What would scores be if indicators weighed otherwise, or were worth 0 and 100 elsewhere."""
    return WhatIfPanel(assessment)
