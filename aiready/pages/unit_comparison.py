"""Compare units: all of the organisation in the portfolio, a parent's children in its handout."""

from collections.abc import Callable, Iterator

import pandas as pd

from aiready import charts
from aiready.charts.figures import Figure
from aiready.messages import Language
from aiready.model.units import organisation_order
from aiready.pages import sentences
from aiready.pages.markup.blocks import notes
from aiready.pages.parts import Section, chunked, section_heading
from aiready.pages.views import View
from aiready.profile.assessment import Assessment

UNITS_PER_FIGURE = 24
"""Units in one picture: a taller one would be split by a page break."""

Span = tuple[str, str] | None
DrawUnits = Callable[[pd.DataFrame, Span, str], Figure]
"""Rows, the first and last unit to name in the title (None: all units), a suffix for the figure's name -> figure."""


def children(unit: Assessment) -> Section:
    """Profiles of a parent's children in order of their names; empty if none has a value."""
    within = unit.units.loc[unit.units["parent_id"] == unit.unit_id].sort_values("name", kind="stable")
    rows = _profile(unit, _distinct_names(within))
    if rows[["perception", "practice"]].isna().all(axis=None):
        return Section()
    say = unit.language.say
    heading = unit.language.capitalize(say("children.heading", len(within), name=unit.name))
    head = section_heading(unit, "within", heading)
    return Section([head, *profile_figures(rows, unit.language, "children.order"), notes(say("units.caution"))])


def named_units(organisation: Assessment) -> pd.DataFrame:
    """Units in organisation order (unit_id, unit, depth); equal names are followed by the id."""
    return _distinct_names(organisation_order(organisation.units))


def unit_profile(organisation: Assessment) -> pd.DataFrame:
    """Both voices in the wave shown: one row per unit x barrier, in organisation order."""
    return _profile(organisation, named_units(organisation))


def profile_figures(rows: pd.DataFrame, language: Language, order: str) -> Iterator[Figure]:
    """Barriers x units as figures that each fit a printed page; `order` is the phrase for the order of the units."""
    subtitle = language.say("units.subtitle", order=language.say(order))

    def draw(part: pd.DataFrame, span: Span, suffix: str) -> Figure:
        return View(
            f"units{suffix}",
            title_with_span(language, "units.title", span),
            subtitle,
            chart=charts.barriers_units_chart,
            rows=part,
            numbers=_number_table(part, language),
            language=language,
        ).figure()

    yield from figures_by_unit(rows, UNITS_PER_FIGURE, draw)


def figures_by_unit(rows: pd.DataFrame, size: int, draw: DrawUnits) -> Iterator[Figure]:
    """Figures of at most `size` units each, in order; with several, each title names its first and last unit."""
    units = pd.DataFrame({"unit": rows["unit"].unique()})
    parts = list(chunked(units, size))
    for number, part in enumerate(parts, 1):
        part_rows = rows.loc[rows["unit"].isin(part["unit"])].reset_index(drop=True)
        span = (str(part["unit"].iloc[0]), str(part["unit"].iloc[-1])) if len(parts) > 1 else None
        yield draw(part_rows, span, f"-{number}" if len(parts) > 1 else "")


def title_with_span(language: Language, key: str, span: Span) -> str:
    """A title; with a span, the one that names the first and last unit."""
    return language.say(f"{key}_span", first=span[0], last=span[1]) if span else language.say(key)


def _distinct_names(units: pd.DataFrame) -> pd.DataFrame:
    """Units in the given order (unit_id, unit, depth if there); equal names are followed by the id."""
    names = units["name"].mask(units["name"].duplicated(keep=False), units["name"] + " (" + units["unit_id"] + ")")
    labelled = units.assign(unit=pd.Series(sentences.short_names(names), units.index, dtype=object))
    return labelled[[name for name in ("unit_id", "depth", "unit") if name in labelled]]


def _profile(organisation: Assessment, units: pd.DataFrame) -> pd.DataFrame:
    rows = organisation.barriers.loc[organisation.barriers["wave"] == organisation.facts.wave]
    merged = units.merge(rows, on="unit_id").drop(columns="status")
    return merged.assign(barrier=[sentences.barrier_name(organisation, name) for name in merged["barrier_id"]])


def _number_table(rows: pd.DataFrame, language: Language) -> pd.DataFrame:
    voices = [f"{language.score(row.perception)} / {language.score(row.practice)}" for row in rows.itertuples()]
    wide = rows.assign(both=voices).pivot(index="unit", columns="barrier", values="both")
    wide = wide.loc[list(dict.fromkeys(rows["unit"])), list(dict.fromkeys(rows["barrier"]))]
    return wide.rename_axis(language.say("column.unit")).rename_axis(columns=None).reset_index()
