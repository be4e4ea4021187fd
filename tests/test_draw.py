"""Charts as this package draws them look as vl-convert draws them: the same pixels but for the edges of marks."""

import io
import json
import re
from collections import Counter

import altair as alt
import numpy as np
import pytest
import vl_convert
from PIL import Image
from test_charts import EACH

from aiready import handout, portfolio
from aiready.charts import theme
from aiready.charts.draw import is_drawable
from aiready.charts.figures import Figure, specification
from aiready.charts.marks import (
    fixed_size_chart,
    layer,
    layered_specification,
    text_channel,
    x_in_pixels,
    x_on_scale,
    y_in_pixels,
)
from aiready.charts.svg import render_svg, standalone_svg
from aiready.messages import Language

EDGES = 0.01
"""Share of pixels that may differ: where a mark ends between two pixels, and letters that stand a tenth further."""
CLEARLY = 64
"""Levels of grey, of 255."""
HANDOUT = (
    handout.front, handout.barriers, handout.groups, handout.children, handout.each_barrier, handout.work,
    handout.pilots, handout.evolution, handout.metrics, handout.workflow, handout.themes, handout.trend, handout.agreed,
)  # fmt: skip
PORTFOLIO = (
    portfolio.front, portfolio.barriers, portfolio.initiatives, portfolio.work, portfolio.pilots, portfolio.evolution,
    portfolio.metrics,
)  # fmt: skip
NAMES = (
    "客户服务与理赔处理中心", "خدمة العملاء والمطالبات", "Customer operations and claims " * 4, "R&D <b>'quoted\"",
)  # fmt: skip
"""Chinese, right to left, of 120 letters, with signs of markup."""


def kind(name):
    """Kind and width of a chart: `answers-context_fit, wide` is one of `answers`, wide."""
    return re.split("[-,]", name)[0], name.rpartition(", ")[2]


def specifications(unit):
    """By name and width, the charts of a page."""
    for make in PORTFOLIO if unit.unit_id == "*" else HANDOUT:
        for part in make(unit):
            if isinstance(part, Figure):
                yield f"{part.name}, wide", specification(part.wide)
                yield f"{part.name}, narrow", specification(part.narrow)


def pixels(svg):
    picture = Image.open(io.BytesIO(vl_convert.svg_to_png(svg, scale=1))).convert("RGBA")
    paper = Image.new("RGBA", picture.size, "white")
    return np.asarray(Image.alpha_composite(paper, picture).convert("L"), dtype=int)


def assert_alike(spec, name):
    assert is_drawable(spec), name
    svg = standalone_svg(render_svg(spec, "f", "t", "d"))
    reference = vl_convert.vegalite_to_svg(json.dumps(spec))
    own, theirs = pixels(svg), pixels(reference)
    height, width = np.minimum(own.shape, theirs.shape)
    assert max(own.shape[0] - height, theirs.shape[0] - height) <= 1, name  # a tenth of a pixel may round up
    assert own.shape[1] == theirs.shape[1] == width, name
    own, theirs = own[:height], theirs[:height]
    assert (np.abs(own - theirs) > CLEARLY).mean() < EDGES, name
    assert (theirs < 255).any(), name
    # dark and grey pages and print change colours by their names
    assert colours(svg) == colours(reference), name


def colours(svg):
    return {colour.lower() for colour in re.findall(r'(?:fill|stroke)="(#[0-9a-fA-F]{6})"', svg)}


@pytest.mark.parametrize("unit_id", ["motor-claims", "customer-operations", "treasury", "*"])
def test_one_chart_of_each_kind_and_width_looks_as_vl_convert_draws_it(sample, unit_id):
    charts = {kind(name): (name, spec) for name, spec in specifications(sample.unit(unit_id))}
    for name, spec in charts.values():
        assert_alike(spec, name)


@pytest.mark.acceptance
@pytest.mark.parametrize("unit_id", ["motor-claims", "customer-operations", "finance", "*"])
def test_every_chart_looks_as_vl_convert_draws_it(sample, unit_id):
    for name, spec in specifications(sample.unit(unit_id)):
        assert_alike(spec, name)


@EACH
@pytest.mark.parametrize("width", [theme.WIDE, theme.NARROW])
def test_every_kind_of_chart_looks_as_vl_convert_draws_it(chart, table, width):
    """Also those that the sample does not show."""
    assert_alike(layered_specification(chart(table, width=width)), chart.__name__)


def test_names_of_every_script_and_length_look_as_vl_convert_draws_them(sample):
    charts = {kind(name)[0]: spec for name, spec in specifications(sample.unit("motor-claims"))}
    assert len(charts) > 8  # the last of each kind is a narrow one
    drawn = Counter()
    for title, spec in charts.items():
        for part in spec["layer"]:
            if part["mark"]["type"] == "text":
                column = part["encoding"]["text"]["field"]
                rows = part["data"]["values"]
                renamed = [{**row, column: name} for row, name in zip(rows, NAMES, strict=False)]
                part["data"] = {"values": renamed + rows[len(renamed) :]}
                drawn.update(row[column] for row in renamed)
        assert_alike(spec, title)
    assert min(drawn[name] for name in NAMES) > 8


def test_the_comparison_sees_a_picture_that_lacks_marks_and_one_that_moved(sample):
    _, spec = next(iter(specifications(sample.unit("motor-claims"))))
    fewer = {**spec, "layer": [part for part in spec["layer"] if part["mark"]["type"] != "text"]}
    moved = {**spec, "padding": {**spec["padding"], "left": spec["padding"]["left"] + 3}, "width": spec["width"] - 3}
    reference = pixels(vl_convert.vegalite_to_svg(json.dumps(spec)))
    for other in (fewer, moved):
        own = pixels(standalone_svg(render_svg(other, "f", "t", "d")))
        assert (np.abs(own - reference) > CLEARLY).mean() > EDGES


@pytest.mark.parametrize("domain", [(0, 100), (50, 50), (80, 20), (-1e-9, 1e9)])
def test_a_scale_of_any_ends_places_marks_where_vega_does(domain):
    rows = [{"x": 50.0, "y": 12.0, "end": 60.0, "words": "here"}, {"x": 20.0, "y": 30.0, "end": 20.0, "words": ""}]
    at = {"x": x_on_scale("x", domain), "y": y_in_pixels("y")}
    layers = [
        layer(rows, "bar", {"height": 8, "color": "#0a6a8f"}, x2=alt.X2(field="end"), **at),
        layer(rows, "point", {"filled": True, "opacity": 1, "size": 60, "color": "#b4560b", "shape": "diamond"}, **at),
        layer(rows, "text", {"align": "left"}, text=text_channel("words"), **at),
    ]
    assert_alike(layered_specification(fixed_size_chart(layers, (300, 60), "A scale.", (40, 40, 5, 5))), str(domain))


def test_layers_without_rows_are_an_empty_picture():
    spec = layered_specification(
        fixed_size_chart([layer([], "rule", {}, x=x_in_pixels("x"), y=y_in_pixels("y"))], (90, 20), "None.")
    )
    assert is_drawable(spec)
    assert '<g fill="none"></g>' in render_svg(spec, "f", "t", "d")


def test_a_chart_in_german_looks_as_vl_convert_draws_it(sample):
    for name, spec in specifications(sample.translated(Language("de")).unit("finance")):
        assert_alike(spec, name)
