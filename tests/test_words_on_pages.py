"""Words on pages: names as they are, and no sentence that is untrue in an odd state of the data."""

import html
import json
import re

import pandas as pd
import pytest

from aiready import Assessment, handout, narrative, portfolio, side_by_side
from aiready.figures import Figure
from aiready.html.blocks import Page
from aiready.instrument import read_instrument

pytestmark = pytest.mark.slow
ITEMS = list(read_instrument().items["item_id"])
HANDOUT = (
    "front", "barriers", "each_barrier", "groups", "work", "pilots", "evolution", "metrics", "workflow", "themes",
    "trend", "agreed", "absent", "method",
)  # fmt: skip
PORTFOLIO = ("front", "barriers", "initiatives", "work", "pilots", "evolution", "metrics", "absent", "method")
CLAIMS = {"unit_id": "claims", "name": "Claims", "headcount": 40}


def people(number, unit_id="claims", **cells):
    """Answers of so many people, levels 1-5 by turns, or what `cells` says."""
    return [
        {"unit_id": unit_id, **{item: 1 + (person + place) % 5 for place, item in enumerate(ITEMS)}, **cells}
        for person in range(number)
    ]


@pytest.fixture
def opened(tmp_path):
    """An assessment of some tables, each a list of rows, in a language; without dates unless rows have them."""

    def call(lang="", as_of="", **tables):
        folder = tmp_path / "data"
        folder.mkdir(exist_ok=True)
        for name, rows in tables.items():
            pd.DataFrame(rows).to_csv(folder / f"{name}.csv", index=False)
        return Assessment.open(folder, lang=lang, as_of=as_of)

    return call


def words(section):
    """All that a section says: texts, titles, words in pictures, and cells of tables."""
    return " ".join(re.sub(r"\s+", " ", text) for part in section for text in _texts(part))


def _texts(part):
    if isinstance(part, Page):
        return [part.eyebrow, part.title, part.meta, part.footer]
    if isinstance(part, Figure):
        return [part.title, part.subtitle, json.dumps(part.wide, ensure_ascii=False), part.table.to_csv(index=False)]
    return [html.unescape(re.sub(r"<[^>]+>", " ", part.markup))]


def page_of(assessment, unit_id=""):
    """All that the page of a unit says, or the portfolio."""
    if unit_id:
        return " ".join(words(getattr(handout, name)(assessment.unit(unit_id))) for name in HANDOUT)
    return " ".join(words(getattr(portfolio, name)(assessment)) for name in PORTFOLIO)


# Names


def test_a_name_that_fits_is_shown_as_it_is(opened):
    names = ["IT", "HR", "R&D", "x" * 72, "数据部", "שלום"]
    units = [{"unit_id": f"u{place}", "name": name} for place, name in enumerate(names)]
    whole = opened(units=units, responses=[row for unit in units for row in people(10, unit["unit_id"])])
    assert side_by_side.unit_profile(whole)["unit"].unique().tolist() == names
    (figure,) = (part for part in portfolio.barriers(whole) if isinstance(part, Figure))
    assert figure.table["Unit"].tolist() == names


LONG = "The department for the settlement of claims from members abroad that arrive by letter, "


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["Triage", "Triage", "Triage (2)"], ["Triage", "Triage (3)", "Triage (2)"]),
        ([LONG + "north", LONG + "south"], [
            "The department for the settlement of claims … arrive by letter, north",
            "The department for the settlement of claims … arrive by letter, south"]),
        ([LONG], ["The department for the settlement of claims from members abroad that …"]),
        (["x" * 73], ["x" * 71 + "…"]),
        (["A " + "b" * 100], ["A " + "b" * 69 + "…"]),
        (["数据" * 20], ["数据" * 17 + "数…"]),  # each sign has the room of two letters
        (["e\u0301" * 72], ["e\u0301" * 72]),  # accents of their own take no room
        (["e\u0301" * 73], ["e\u0301" * 71 + "…"]),  # and are never cut from their letter
        (["שלום עולם " * 10], ["שלום עולם " * 7 + "…\u200f"]),  # the mark keeps the dots at the end of the word
    ],
    ids=["numbered", "ends differ", "at a word", "one word", "a long second word", "Chinese", "accents", "accents cut",
         "right to left"],
)  # fmt: skip
def test_long_and_equal_names_are_told_apart(names, shown):
    assert narrative.short_names(names) == shown
    assert len(set(shown)) == len(shown)


def test_units_of_one_name_are_told_apart_by_their_id_also_where_a_name_looks_like_that(opened):
    units = [
        {"unit_id": "a", "name": "Claims"},
        {"unit_id": "b", "name": "Claims"},
        {"unit_id": "c", "name": "Claims (a)"},
    ]
    whole = opened(units=units, responses=[row for unit in units for row in people(10, unit["unit_id"])])
    names = side_by_side.named_units(whole)["unit"].tolist()
    assert names == ["Claims (a)", "Claims (b)", "Claims (a) (2)"]
    assert portfolio.barriers(whole)[1].table["Unit"].tolist() == names


def test_workflows_of_one_name_in_two_units_stay_two_maps(opened):
    step = {"workflow": "Motor claim", "version": "now", "step_no": 1, "actor": "human"}
    whole = opened(
        units=[{"unit_id": "top", "name": "Top"}, *({"unit_id": u, "name": u, "parent_id": "top"} for u in ("a", "b"))],
        workflow_steps=[step | {"unit_id": "a", "step": "Read"}, step | {"unit_id": "b", "step": "Write"}],
    )
    figures = [part for part in handout.workflow(whole.unit("top")) if isinstance(part, Figure)]
    assert [(figure.title, figure.table["Step"].tolist()) for figure in figures] == [
        ("Motor claim (a)", ["Read"]),
        ("Motor claim (b)", ["Write"]),
    ]
