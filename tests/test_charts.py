"""Every chart: marks from its own rows, a description, both widths, a placeholder with the reason."""

import re
import xml.etree.ElementTree as ET

import altair as alt
import pandas as pd
import pytest
import vl_convert

from aiready import charts
from aiready.charts import theme
from aiready.charts.figures import specification
from aiready.charts.marks import (
    fixed_size_chart,
    layer,
    layered_specification,
    text_channel,
    x_in_pixels,
    x_on_scale,
    y_in_pixels,
)
from aiready.charts.row_layout import text_width, wrap
from aiready.charts.svg import render_svg, standalone_svg
from aiready.charts.trends import PanelGrid, lay_out_panels
from aiready.charts.work import ticks
from aiready.messages import NBSP

NAN = float("nan")


def _long(names: dict[str, list], **repeated: object) -> pd.DataFrame:
    return pd.DataFrame(names).assign(**repeated)


PROFILE = _long(
    {
        "barrier": ["Trust", "Measurement"],
        "perception": [48, 55],
        "perception_low": [43, 50],
        "perception_high": [53, 60],
        "practice": [24, NAN],
        "score": [36, NAN],
        "band": ["blocking", ""],
        "organisation_perception": [58, 54],
        "organisation_practice": [45, 46],
    }
)
ITEMS = _long(
    {"item": ["Reported errors"] * 5, "level": [1, 2, 3, 4, 5], "share": [0.3, 0.33, 0.2, 0.12, 0.05]},
    low=0.63,
    high=0.17,
    dont_know=0.06,
)
GROUPS = _long(
    {
        "barrier": ["Trust"] * 2,
        "group": ["doing", "leading"],
        "value": [45, 64],
        "low": [40, 50],
        "high": [50, 78],
    }
)
INDICATORS = _long({"indicator": ["checks done", "unsafe"], "points": [31, NAN], "value_text": ["31 %", "too few"]})
THEMES = _long({"theme": ["Work"], "value": [61], "low": [57], "high": [65]})
UNITS = _long(
    {
        "unit": ["Claims", "Cards"],
        "barrier": ["Trust", "Trust"],
        "perception": [48, NAN],
        "practice": [24, 40],
    }
)
HOURS = _long(
    {
        "task": ["Classify"] * 3,
        "part": ["realised", "waits on trust", "saving below plan"],
        "kind": ["realised", "waits", "plan"],
        "hours": [28, 14, -3],
    }
)
MODES = _long({"row": ["today"] * 2, "mode": ["human", "augment"], "count": [12, 4]})
FUNNEL = _long({"stage": ["idea", "pilot"], "value": [9, 5], "count": ["9", "5"], "detail": ["56 % moved on", ""]})
TRIALS = _long(
    {
        "trial": ["Letters", "Triage"],
        "detail": ["400 + 400", ""],
        "value": [8, NAN],
        "low": [2.9, NAN],
        "high": [13.1, NAN],
        "low90": [3.7, NAN],
        "high90": [12.3, NAN],
        "target": [3, NAN],
        "verdict": ["SCALE", "NOT ASSESSABLE"],
        "bound": ["at least 3.7; target 3", "no control group"],
    }
)
METRICS = _long(
    {
        "metric": ["Speed"] * 2,
        "quarter": ["2026-Q2", "2026-Q3"],
        "value": [5, 4.2],
        "low": [4, 3.9],
        "high": [6, 4.6],
        "shown": ["5 h", "4.2 h"],
    }
)
TREND = _long(
    {
        "barrier": ["Trust"] * 4,
        "wave": ["2026-Q1", "2026-Q1", "2026-Q3", "2026-Q3"],
        "voice": ["perception", "practice"] * 2,
        "value": [40, 30, 48, 46],
        "low": [35, NAN, 43, NAN],
        "high": [45, NAN, 53, NAN],
    }
)
STEPS = _long(
    {
        "version": ["before", "now", "now"],
        "step": ["Read", "Classify", "Decide"],
        "actor": ["human", "ai", "human"],
        "handoffs": [0, 1, 1],
    }
)
FACETS = _long({"facet": ["Users were asked", "A limit is set"], "says": [0.3, 0.8], "record": [0.1, NAN]})
SOURCES = _long({"name": ["Trust · people", "Trust · people"], "source": ["answers", "items"], "points": [-3.2, 1.1]})
CELLS = _long({"name": ["Level 0", "Level 1"], "value": [0.1, NAN], "low": [0.05, NAN], "high": [0.2, NAN],
               "shown": ["10 %", "hidden"]})  # fmt: skip
SHIFTS = _long({"name": ["A limit is set", "Users"], "voice": ["perception", "practice"], "before": [40.0, NAN],
                "after": [55.0, 20.0]})  # fmt: skip
ADOPTION = _long({"initiative": ["Letters"], "adoption": [0.71], "progress": [1.2]})

CHARTS = {
    charts.say_do_chart: PROFILE,
    charts.items_chart: ITEMS,
    charts.groups_chart: GROUPS,
    charts.indicators_chart: INDICATORS,
    charts.themes_chart: THEMES,
    charts.barriers_units_chart: UNITS,
    charts.hours_chart: HOURS,
    charts.portfolio_hours_chart: HOURS.rename(columns={"task": "unit"}),
    charts.modes_chart: MODES,
    charts.funnel_chart: FUNNEL,
    charts.forest_chart: TRIALS,
    charts.metrics_chart: METRICS,
    charts.trend_chart: TREND,
    charts.workflow_chart: STEPS,
    charts.adoption_progress_chart: ADOPTION,
    charts.facets_chart: FACETS,
    charts.sources_chart: SOURCES,
    charts.intervals_chart: CELLS,
    charts.shift_chart: SHIFTS,
}
EACH = pytest.mark.parametrize(("chart", "table"), list(CHARTS.items()), ids=lambda part: getattr(part, "__name__", ""))


def test_every_chart_that_is_promised_has_an_example():
    assert {chart.__name__ for chart in CHARTS} == {*charts.__all__} - {"placeholder"}


def drawing(chart: alt.LayerChart) -> ET.Element:
    return ET.fromstring(standalone_svg(render_svg(specification(chart), "f", "t", "d")))


def words(chart: alt.LayerChart) -> str:
    return " | ".join("".join(text.itertext()) for text in drawing(chart).iter("{http://www.w3.org/2000/svg}text"))


@pytest.mark.slow
@EACH
@pytest.mark.parametrize("width", [theme.WIDE, theme.NARROW])
def test_a_chart_is_exactly_as_wide_as_asked_and_says_what_it_shows(chart, table, width):
    made = chart(table, width=width)
    assert float(drawing(made).get("width", "0")) == width
    assert len(made.description) > 5


@pytest.mark.slow
@EACH
def test_a_chart_is_valid_vega_lite(chart, table):
    chart(table).to_dict(validate=True)


@EACH
@pytest.mark.parametrize("width", [theme.WIDE, theme.NARROW])
def test_a_chart_is_written_as_altair_itself_would_write_it(chart, table, width):
    made = chart(table, width=width)
    spec = made.to_dict(validate=False)
    kept = spec.pop("datasets")
    for drawn in spec["layer"]:
        drawn["data"] = {"values": kept[drawn["data"]["name"]]}
    assert layered_specification(made) == {**spec, "config": theme.config()}


@EACH
def test_only_what_is_drawn_travels_with_a_chart(chart, table):
    spec = layered_specification(chart(table.assign(secret="not shown")))
    assert "not shown" not in str(spec)
    for drawn in spec["layer"]:
        used = {channel["field"] for channel in drawn["encoding"].values() if "field" in channel}
        assert used <= set(drawn["data"]["values"][0]) if drawn["data"]["values"] else True


def test_a_row_without_what_a_mark_needs_is_not_drawn():
    table = pd.DataFrame({"start": [1, NAN, 3], "end": [2, 3, None], "words": ["a", "b", "c"]})
    whole = layer(table, "rule", {}, x=x_on_scale("start", (0, 9)), x2=alt.X2(field="end"), y=alt.YValue(0))
    assert whole.data.values == [{"start": 1, "end": 2}]
    assert len(layer(table, "text", {}, text=text_channel("words"), x=alt.XValue(0)).data.values) == 3


def test_marks_placed_in_pixels_stand_there_whatever_else_is_drawn():
    rows = [{"x": 30.0, "y": 17.0, "end": 80.0, "words": "here"}]
    bar = layer(rows, "bar", {"size": 24}, x=x_on_scale("x", (0, 100)), x2=alt.X2(field="end"), y=y_in_pixels("y"))
    text = layer(rows, "text", {}, x=x_in_pixels("x"), y=y_in_pixels("y"), text=text_channel("words"))
    drawn = render_svg(layered_specification(fixed_size_chart([bar, text], (200, 100), "One bar.")), "a", "t", "d")
    assert 'd="M60,5h100v24h-100Z"' in drawn
    assert ' x="30" y="21">here<' in drawn, "its middle at 17: the line it stands on is four pixels lower"


def test_each_small_multiple_has_its_own_scale_from_its_values_and_whole_intervals():
    points = pd.DataFrame(
        [
            ("a", "1", 10.0, 5.0, 25.0), ("a", "2", 20.0, NAN, 90.0),
            ("flat", "1", 7.0, NAN, NAN), ("none", "1", NAN, NAN, NAN),
        ],
        columns=["name", "time", "value", "low", "high"],
    )  # fmt: skip
    own = lay_out_panels(points, "name", "time", PanelGrid(300, 3, 0))
    assert own["py"].tolist() == pytest.approx([52, 20, 36, NAN], nan_ok=True)
    assert own["plow"].tolist() == pytest.approx([68, NAN, NAN, NAN], nan_ok=True)
    one = lay_out_panels(points, "name", "time", PanelGrid(300, 3, 0, scale=(0, 100)))
    assert one["py"].tolist() == pytest.approx([61.6, 55.2, 63.52, NAN], nan_ok=True)


def test_a_chart_goes_on_like_any_other_in_a_notebook():
    made = charts.groups_chart(GROUPS).properties(title="Mine") + alt.Chart(GROUPS).mark_point().encode(x="value:Q")
    assert made.to_dict(validate=True)["title"] == "Mine"


STYLE = {"fill": "#000", "stroke": "none", "stroke-width": "1", "stroke-dasharray": "none", "font-size": "",
         "font-weight": "normal", "text-anchor": "start"}  # fmt: skip
"""What is inherited in SVG, and what it is where nobody says."""


def pieces(d):
    """The parts of a path, each as the points it goes through, wherever it was moved from."""
    x = y = 0.0
    parts = []
    for sign, given in re.findall(r"([A-Za-z])([^A-Za-z]*)", d):
        numbers = [float(number) for number in re.findall(r"-?\d*\.?\d+(?:e-?\d+)?", given)]
        if sign in "hH":
            x = numbers[0] + x * (sign == "h")
        elif sign in "vV":
            y = numbers[0] + y * (sign == "v")
        elif sign == "A":
            x, y = numbers[5:]
        elif sign not in "zZ":
            assert sign in "MLC", sign
            x, y = numbers[-2:]
        if sign == "M":
            parts.append([])
        parts[-1] += [] if sign in "zZ" else [x, y]
    return parts


def outline(element):
    """The points of whatever draws a shape; a rounded box goes through its straight sides' ends."""
    kind, number = element.tag.rpartition("}")[2], lambda name: float(element.get(name, 0))
    if kind == "line":
        return [[number("x1"), number("y1"), number("x2"), number("y2")]]
    if kind == "circle":
        x, y, r = number("cx"), number("cy"), number("r")
        return [[x + r, y, x - r, y, x + r, y]]
    if kind == "rect":
        x, y, w, h, r = (number(name) for name in ("x", "y", "width", "height", "rx"))
        return [[x + r, y, x + w - r, y, x + w, y + r, x + w, y + h - r, x + w - r, y + h, x + r, y + h,
                 x, y + h - r, x, y + r, x + r, y]]  # fmt: skip
    return pieces(element.get("d", "")) if kind == "path" else []


def marks(element, style=STYLE, at=(0.0, 0.0)):
    """Every mark that is seen, as drawn: its text or that it is a shape, its style, and the points it goes through."""
    said = {name: element.get(name, style[name]) for name in STYLE}
    moved = re.match(r"translate\((-?[\d.]+),(-?[\d.]+)\)", element.get("transform", ""))
    if moved:
        at = (at[0] + float(moved[1]), at[1] + float(moved[2]))
    turned = element.get("transform", "")[moved.end() if moved else 0 :].strip()
    kind = element.tag.rpartition("}")[2]
    if kind in ("title", "desc", "defs") or element.get("display") == "none":
        return
    look = {**said, "stroke-width": ""} if said["stroke"] == "none" else said
    worn = (turned, element.get("opacity", "1"), *look.values())
    if kind == "text":
        lines = list(element) if element.text else list(element)[1:]
        first = element.text or "".join(line.text for line in element[:1])
        if first:
            yield (first, *worn), [float(element.get("x", 0)) + at[0], float(element.get("y", 0)) + at[1]]
        for line in lines:
            yield (line.text, *worn), [float(line.get("x")) + at[0], float(line.get("dy"))]
        return
    if {said["fill"], said["stroke"]} != {"none"}:
        for points in outline(element):
            if len({*zip(points[::2], points[1::2], strict=True)}) > 1:
                fill = () if len(points) == 4 else ("filled", said["fill"])  # a line has no inside
                line = [value for name, value in look.items() if name != "fill"]
                yield (
                    ("shape", turned, element.get("opacity", "1"), *line, *fill),
                    [value + at[place % 2] for place, value in enumerate(points)],
                )
    for child in element:
        yield from marks(child, said, at)


@pytest.mark.slow
@EACH
@pytest.mark.parametrize("width", [theme.WIDE, theme.NARROW])
def test_tidying_leaves_every_mark_where_it_was_and_as_it_looked(chart, table, width):
    spec = specification(chart(table, width=width))
    before = list(marks(ET.fromstring(vl_convert.vegalite_to_svg(spec))))
    after = list(marks(ET.fromstring(standalone_svg(render_svg(spec, "f", "t", "d")))))
    assert [look for look, _ in after] == [look for look, _ in before]
    assert len(before) > 3
    for (look, place), (_, was) in zip(after, before, strict=True):
        assert place == pytest.approx(was, abs=0.21), look


@EACH
@pytest.mark.slow
def test_nothing_recorded_gives_a_placeholder_that_says_so(chart, table):
    assert words(chart(table.head(0), width=theme.NARROW)) == "Nothing recorded here yet."


@pytest.mark.parametrize(
    ("note", "reason"),
    [
        ("4 people", "Hidden: too few people, or to protect another group."),
        ("fewer people than may be shown", "Hidden: too few people."),
        ("hidden to protect another group", "Hidden to protect another group."),
    ],
)
@pytest.mark.parametrize("chart", [charts.groups_chart, charts.say_do_chart, charts.metrics_chart])
def test_a_suppressed_table_gives_a_placeholder_with_its_reason_and_without_any_number(chart, note, reason):
    made = chart(CHARTS[chart].assign(status="suppressed", note=note))
    assert words(made) == reason
    assert made.description == reason


def test_a_row_that_is_not_ok_loses_its_numbers_though_others_are_drawn():
    made = charts.groups_chart(GROUPS.assign(status=["ok", "suppressed"]))
    assert "64" not in made.description
    assert "64" not in words(made)


def test_a_missing_column_is_named():
    with pytest.raises(KeyError, match="say_do_chart needs the columns band"):
        charts.say_do_chart(PROFILE.drop(columns="band"))


def test_say_and_do_stand_in_words_beside_the_marks():
    shown = words(charts.say_do_chart(PROFILE))
    assert "36 of 100, blocking" in shown and "people 48, records 24" in shown
    assert "no score" in shown and "people 55, records –" in shown


@pytest.mark.slow
def test_items_show_both_ends_and_dont_know_as_numbers():
    for width in (theme.WIDE, theme.NARROW):
        assert all(
            number in words(charts.items_chart(ITEMS, width=width)).replace(NBSP, " ")
            for number in ("63 %", "17 %", "6 %")
        )


def test_a_verdict_and_the_bound_that_decided_stand_beside_the_trial():
    shown = words(charts.forest_chart(TRIALS, unit="points"))
    assert "SCALE" in shown and "at least 3.7; target 3" in shown and "NOT ASSESSABLE" in shown


def test_trials_of_different_units_share_the_scale_of_their_targets():
    mixed = TRIALS.assign(unit=["share", "minutes"], value=[8, 2], target=[4, 4], low=1, high=9, low90=2, high90=8)
    assert "share of the target effect" in words(charts.forest_chart(mixed))


@pytest.mark.parametrize(
    "name", ["Underwriting of commercial and industrial property " * 3, "理赔处理部门" * 20, "x" * 120]
)
def test_long_names_are_wrapped_to_the_room_they_have(name):
    lines = wrap(name, 150).split("\n")
    assert len(lines) > 1
    assert all(text_width(line) <= 150 for line in lines)
    assert "".join(lines).replace(" ", "") == name.replace(" ", "")
    charts.groups_chart(GROUPS.assign(barrier=name), width=theme.NARROW)


def test_a_number_keeps_its_unit_on_the_line():
    assert wrap(f"aaaa 63{NBSP}%", 40) == f"aaaa\n63{NBSP}%"


@pytest.mark.parametrize(("low", "high"), [(0, 93), (-3, 14), (0, 0.4), (-0.02, 0.13), (0, 12_345)])
def test_ticks_are_round_and_within_the_range(low, high):
    marked = ticks(low, high)
    assert 2 <= len(marked) <= 7
    assert marked[0] >= low and marked[-1] <= high and 0 in marked


def test_levels_darken_from_first_to_last_and_text_on_them_can_be_read():
    for count in (2, 5, 11):
        tones = [sum(int(fill[at : at + 2], 16) for at in (1, 3, 5)) for fill in theme.sequential_colours(count)]
        assert tones == sorted(tones, reverse=True) and len(set(tones)) == count
        assert {theme.text_on(fill) for fill in theme.sequential_colours(count)} == {theme.ON_DARK, theme.ON_LIGHT}
