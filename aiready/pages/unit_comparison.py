"""Several units beside each other: those of the organisation in the portfolio, a parent's children in its handout."""

from collections.abc import Callable, Iterator

import pandas as pd

from aiready import charts
from aiready.charts.figures import Figure
from aiready.messages import Language
from aiready.pages import sentences
from aiready.pages.index import in_order
from aiready.pages.markup.blocks import notes
from aiready.pages.parts import Section, chunked, figure, headed
from aiready.profile.assessment import Assessment

TOGETHER = 24
"""Units in one picture: more would not stay whole on paper."""

Span = tuple[str, str] | None
Draw = Callable[[pd.DataFrame, Span, str], Figure]
"""Rows, the first and last unit to name in the title (none: all), and a mark for the figure's name -> a figure."""


def children(unit: Assessment) -> Section:
    """The profiles of a parent's children in the order of their names; nothing where they were not asked for."""
    within = unit.units.loc[unit.units["parent_id"] == unit.unit_id].sort_values("name", kind="stable")
    rows = _profile(unit, _named(within))
    if rows[["perception", "practice"]].isna().all(axis=None):
        return Section()
    say = unit.language.say
    head = headed(unit, "within", unit.language.capital(say("children.heading", len(within), name=unit.name)))
    return Section([head, *profile_figures(rows, unit.language, "children.order"), notes(say("units.caution"))])


def named_units(whole: Assessment) -> pd.DataFrame:
    """Units in organisation order (unit_id, unit, depth), those that share a name told apart by their id."""
    return _named(in_order(whole.units))


def unit_profile(whole: Assessment) -> pd.DataFrame:
    """Both voices of every unit and barrier of the wave shown: one row per unit x barrier, in organisation order."""
    return _profile(whole, named_units(whole))


def profile_figures(rows: pd.DataFrame, language: Language, order: str) -> Iterator[Figure]:
    """Barriers x units as pictures that each stay whole on paper; `order` is the phrase for how they are ordered."""
    subtitle = language.say("units.subtitle", order=language.say(order))

    def draw(part: pd.DataFrame, span: Span, mark: str) -> Figure:
        title, name = spanned(language, "units.title", span), f"units{mark}"
        return figure(charts.barriers_units_chart, part, name, title, subtitle, _numbers(part, language), language)

    yield from by_units(rows, TOGETHER, draw)


def by_units(rows: pd.DataFrame, size: int, draw: Draw) -> Iterator[Figure]:
    """Pictures of so many units each, in order; the title of each says from which unit to which."""
    units = pd.DataFrame({"unit": rows["unit"].unique()})
    parts = list(chunked(units, size))
    for place, part in enumerate(parts, 1):
        mine = rows.loc[rows["unit"].isin(part["unit"])].reset_index(drop=True)
        span = (str(part["unit"].iloc[0]), str(part["unit"].iloc[-1])) if len(parts) > 1 else None
        yield draw(mine, span, f"-{place}" if len(parts) > 1 else "")


def spanned(language: Language, key: str, span: Span) -> str:
    """A title, with the first and last unit of the picture where there are several."""
    return language.say(f"{key}_span", first=span[0], last=span[1]) if span else language.say(key)


def _named(units: pd.DataFrame) -> pd.DataFrame:
    """Units in the order given (unit_id, unit, depth where known), those that share a name told apart by their id."""
    names = units["name"].mask(units["name"].duplicated(keep=False), units["name"] + " (" + units["unit_id"] + ")")
    named = units.assign(unit=pd.Series(sentences.short_names(names), units.index, dtype=object))
    return named[[name for name in ("unit_id", "depth", "unit") if name in named]]


def _profile(whole: Assessment, units: pd.DataFrame) -> pd.DataFrame:
    rows = whole.barriers.loc[whole.barriers["wave"] == whole.facts.wave]
    merged = units.merge(rows, on="unit_id").drop(columns="status")
    return merged.assign(barrier=[sentences.barrier_name(whole, name) for name in merged["barrier_id"]])


def _numbers(rows: pd.DataFrame, language: Language) -> pd.DataFrame:
    both = [f"{language.score(row.perception)} / {language.score(row.practice)}" for row in rows.itertuples()]
    wide = rows.assign(both=both).pivot(index="unit", columns="barrier", values="both")
    wide = wide.loc[list(dict.fromkeys(rows["unit"])), list(dict.fromkeys(rows["barrier"]))]
    return wide.rename_axis(language.say("column.unit")).rename_axis(columns=None).reset_index()
