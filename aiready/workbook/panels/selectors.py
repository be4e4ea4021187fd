"""Controls that several panels share (unit, wave, barrier, indicator), and the assessment for a unit and wave."""

from collections.abc import Callable, Iterable
from functools import lru_cache

import ipywidgets as widgets

from aiready.model.registry import ORGANISATION
from aiready.model.units import organisation_order
from aiready.profile.assessment import Assessment
from aiready.workbook.panels import controls

NOTHING = "nothing to choose"


def choice(label: str, options: Iterable[tuple[str, str]], value: str | None = None) -> widgets.Dropdown:
    """A drop-down list as wide as its entries; an empty one says so."""
    return controls.choice(label, list(options) or [(NOTHING, "")], value, controls.FITTING)


def unit(assessment: Assessment) -> widgets.Dropdown:
    """The organisation, then its units in their order, children indented."""
    units = assessment.units
    table = organisation_order(
        units.assign(parent_id=units["parent_id"].where(units["parent_id"].isin(units["unit_id"])))
    )
    options = [
        ("\u2007" * 2 * int(row.depth) + str(row.name), str(row.unit_id)) for row in table.itertuples(index=False)
    ]
    organisation = (assessment.facts.about.get("organisation", "The organisation"), ORGANISATION)
    first = options[0][1] if options else ORGANISATION
    return choice(assessment.language.say("column.unit"), [organisation, *options], first)


def wave(assessment: Assessment) -> widgets.Dropdown:
    """Waves, newest first."""
    options = [(name, name) for name in reversed(assessment.facts.waves)]
    return choice(assessment.language.say("column.wave"), options, assessment.facts.wave)


def barrier(assessment: Assessment) -> widgets.Dropdown:
    """Barriers in the order of the instrument."""
    table = assessment.rules.barriers
    return choice(assessment.language.say("column.barrier"), zip(table["name"], table["barrier_id"], strict=True))


def indicator(assessment: Assessment) -> widgets.Dropdown:
    """Every indicator of the instrument."""
    table = assessment.rules.indicators
    return choice(assessment.language.say("column.indicator"), zip(table["label"], table["indicator_id"], strict=True))


def look(assessment: Assessment, *questions: str) -> widgets.Dropdown:
    """Questions that a panel answers; `panel.<question>` is the label."""
    say = assessment.language.say
    return choice(say("panel.look"), [(say(f"panel.{question}"), question) for question in questions])


def unit_lookup(assessment: Assessment) -> Callable[[str, str], Assessment]:
    """A function (unit_id, wave) -> assessment of that unit in that wave; it caches, because narrowing is slow."""

    @lru_cache(maxsize=32)
    def unit_at(unit_id: str, wave: str) -> Assessment:
        return assessment.unit(unit_id).at(wave)

    return unit_at
