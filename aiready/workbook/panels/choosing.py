"""Controls that several panels have: unit, wave, barrier, group, job, indicator."""

from collections.abc import Iterable
from functools import lru_cache

import ipywidgets as widgets

from aiready.model.registry import ORGANISATION
from aiready.pages.index import in_order
from aiready.profile.assessment import Assessment
from aiready.workbook.panels import controls

NOTHING = "nothing to choose"


def choice(label: str, options: Iterable[tuple[str, str]], value: str | None = None) -> widgets.Dropdown:
    """A list to choose from, as wide as its entries; one that is empty says so."""
    return controls.choice(label, list(options) or [(NOTHING, "")], value, controls.FITTING)


def unit(assessment: Assessment) -> widgets.Dropdown:
    """Units in the order of the organisation, children indented, the organisation itself first."""
    units = assessment.units
    table = in_order(units.assign(parent_id=units["parent_id"].where(units["parent_id"].isin(units["unit_id"]))))
    named = [("\u2007" * 2 * int(row.depth) + str(row.name), str(row.unit_id)) for row in table.itertuples(index=False)]
    whole = (assessment.facts.about.get("organisation", "The organisation"), ORGANISATION)
    first = named[0][1] if named else ORGANISATION
    return choice("Unit", [whole, *named], first)


def wave(assessment: Assessment) -> widgets.Dropdown:
    """Waves, the newest first."""
    return choice("Wave", [(name, name) for name in reversed(assessment.facts.waves)], assessment.facts.wave)


def barrier(assessment: Assessment) -> widgets.Dropdown:
    """Barriers in the order of the instrument."""
    table = assessment.rules.barriers
    return choice("Barrier", zip(table["name"], table["barrier_id"], strict=True))


def indicator(assessment: Assessment) -> widgets.Dropdown:
    """Every indicator of the instrument."""
    table = assessment.rules.indicators
    return choice("Indicator", zip(table["label"], table["indicator_id"], strict=True))


class Narrowed:
    """One unit and wave at a time, the last few kept: narrowing costs more than drawing."""

    def __init__(self, assessment: Assessment):
        self.assessment = assessment
        self._at = lru_cache(maxsize=32)(self._narrow)

    def _narrow(self, unit_id: str, label: str) -> Assessment:
        return self.assessment.unit(unit_id).at(label)

    def __call__(self, unit_id: str, label: str) -> Assessment:
        """The assessment narrowed to a unit, in a wave."""
        return self._at(unit_id, label)
