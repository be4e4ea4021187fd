"""Figures for slides: drawn and as numbers, each with finding and alternative text, the same bytes each time."""

import csv
import io
import xml.etree.ElementTree as ET

import nbformat
import pandas as pd
import pytest

from aiready import charts
from aiready.charts.theme import WIDE
from aiready.pages.figure_files import SCALE, slide_files
from aiready.pages.markup.blocks import section
from aiready.pages.views import View

pytestmark = pytest.mark.slow  # starts the renderer
STAGES = pd.DataFrame({"stage": ["pilot", "=HYPERLINK(1)"], "value": [3, 1], "count": ["3", "1"]})


@pytest.fixture(scope="module")
def executed():
    """A notebook that shows a finding and the same figure twice."""
    view = View("stages", "Where they stand", "4 initiatives", chart=charts.funnel_chart, rows=STAGES,
                numbers=STAGES[["stage", "count"]])  # fmt: skip
    shown = view.figure()
    bundles = [{"text/html": str(section("Three are <pilots>"))}, *[shown._repr_mimebundle_()] * 2]
    outputs = [nbformat.v4.new_output("display_data", data=data) for data in bundles]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=outputs)])


@pytest.fixture(scope="module")
def files(executed):
    return slide_files(executed)


def test_every_figure_comes_in_four_kinds_in_order(files):
    kinds = ("svg", "png", "csv", "txt")
    assert list(files) == [f"{name}.{kind}" for name in ("01-stages", "02-stages-2") for kind in kinds]


def test_words_hold_the_finding_the_title_and_the_alternative_text(files):
    finding, title, subtitle, alternative = files["01-stages.txt"].decode().splitlines()
    assert (finding, title, subtitle) == ("Three are <pilots>", "Where they stand", "4 initiatives")
    assert alternative == "Alternative text: pilot: 3. =HYPERLINK(1): 1."


def test_the_drawing_stands_alone_and_has_a_name(files):
    root = ET.fromstring(files["01-stages.svg"])
    assert root.get("role") == "img"
    assert root.find("{http://www.w3.org/2000/svg}title").text == "Where they stand"
    assert "inherit" not in root.get("font-family")


def test_the_picture_is_sharp_enough_for_a_projector(files):
    drawn = files["01-stages.png"]
    assert drawn.startswith(b"\x89PNG")
    assert int.from_bytes(drawn[16:20]) >= SCALE * WIDE * 0.9


def test_numbers_are_those_of_the_figure_and_no_cell_runs_as_a_formula(files):
    rows = list(csv.reader(io.StringIO(files["01-stages.csv"].decode())))
    assert rows[:2] == [["stage", "count"], ["pilot", "3"]]
    assert rows[2][0].startswith("'=")


def test_the_same_notebook_gives_the_same_bytes(files, executed):
    assert slide_files(executed) == files
