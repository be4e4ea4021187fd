"""The way from an executed notebook to the page: what is let through, what is not, and how it is said."""

import re
from html.parser import HTMLParser

import altair as alt
import nbformat
import pandas as pd
import pytest

from aiready.charts.figures import CHARTS_VARIABLE, FIGURE_MIME, Figure, figure_html, table_html
from aiready.charts.marks import fixed_size_chart, layer, layered_specification, text_channel
from aiready.charts.svg import render_svg, tidy
from aiready.messages import MISSING, NBSP
from aiready.pages.markup import HandoutExporter, blocks
from aiready.pages.markup.exporter import css_string

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def figure(name: str = "points", title: str = "How many") -> Figure:
    points = pd.DataFrame({"x": [1, 2], "y": [3, 4]})
    chart = alt.Chart(points, description="Two points").mark_point(clip=True).encode(x="x:Q", y="y:Q")
    return Figure(name, title, "n = 2", chart, chart, pd.DataFrame({"unit": ["Claims"], "n": [86.0]}))


def output(shown: object, **data: object) -> nbformat.NotebookNode:
    bundle = shown._repr_mimebundle_() if hasattr(shown, "_repr_mimebundle_") else {"text/html": shown._repr_html_()}
    return nbformat.v4.new_output("display_data", data={**bundle, **data})


def notebook(*outputs: nbformat.NotebookNode, tags: tuple[str, ...] = ()) -> nbformat.NotebookNode:
    cell = nbformat.v4.new_code_cell("secret_code = 1", outputs=list(outputs), metadata={"tags": list(tags)})
    made = nbformat.v4.new_notebook(cells=[cell])
    nbformat.validate(made)
    return made


def page(*outputs: nbformat.NotebookNode, tags: tuple[str, ...] = ()) -> str:
    return HandoutExporter().from_notebook_node(notebook(*outputs, tags=tags))[0]


@pytest.fixture
def batch(monkeypatch):
    monkeypatch.setenv(CHARTS_VARIABLE, "json")


@pytest.fixture
def whole(batch) -> str:
    shown = [
        blocks.Page("Claims", eyebrow="Assessment", meta="2026 Q3", footer="Whom to ask"),
        blocks.lead("Trust holds it back."),
        blocks.section("Three things to do", short="Actions"),
        blocks.actions([blocks.Action("Answer what people report", "63 % say so", "by October")]),
        blocks.key_figure_list([blocks.KeyFigure("Hours", "35 %", "realised")]),
        blocks.section("Two barriers stand below 60"),
        figure(),
        figure(),
        blocks.section("One pilot may grow"),
    ]
    return page(*map(output, shown))


class Outline(HTMLParser):
    """Headings, ids and tags of a page."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))


@pytest.mark.slow
def test_the_page_has_no_script_no_request_and_a_closed_policy(whole):
    assert not {"script", "link", "iframe", "img", "object", "base", "form"} & set(Outline(whole).tags)
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in whole
    assert set(re.findall(r"https?://[^\s\"'<]+", whole)) <= {"http://www.w3.org/2000/svg"}
    assert "@import" not in whole and not re.search(r"url\((?!#)", whole)


def test_the_page_has_one_h1_headings_in_order_and_ids_of_their_own(whole):
    outline = Outline(whole)
    assert outline.headings[0] == 1 and outline.headings.count(1) == 1
    assert all(below <= above + 1 for above, below in zip(outline.headings, outline.headings[1:], strict=False))
    assert len(outline.ids) == len(set(outline.ids))


def test_the_page_has_landmarks_a_skip_link_contents_and_a_language(whole):
    assert {"header", "nav", "main", "footer"} <= set(Outline(whole).tags)
    assert '<html lang="en">' in whole and 'href="#main"' in whole
    assert '<a href="#actions">Actions</a>' in whole
    assert '<a href="#one-pilot-may-grow">One pilot may grow</a>' in whole


def test_no_code_is_shown_and_parameters_are_left_out(batch):
    assert "secret_code" not in page(output(blocks.lead("shown")))
    assert "secret" not in page(output(blocks.lead("secret")), tags=("injected-parameters",))


@pytest.mark.parametrize(
    "mime",
    [
        "application/javascript",
        "image/svg+xml",
        "text/plain",
        "text/markdown",
        "text/latex",
        "application/vnd.jupyter.widget-view+json",
    ],
)
@pytest.mark.slow
def test_other_kinds_of_output_are_dropped(mime):
    content = {"model_id": "smuggled"} if mime.endswith("+json") else "smuggled"
    smuggled = nbformat.v4.new_output("display_data", data={mime: content})
    streams = nbformat.v4.new_output("stream", name="stderr", text="smuggled")
    failed = nbformat.v4.new_output("error", ename="E", evalue="smuggled", traceback=["smuggled"])
    assert "smuggled" not in page(smuggled, streams, failed)


def test_html_that_carries_something_active_is_dropped():
    active = nbformat.v4.new_output("display_data", data={"text/html": f"<p>smuggled</p>{EVIL}"})
    assert "smuggled" not in page(active)


def test_text_from_data_is_escaped_everywhere(batch):
    shown = [
        blocks.Page(EVIL, EVIL, EVIL, EVIL, EVIL, EVIL, EVIL),
        blocks.lead(EVIL),
        blocks.works(EVIL, EVIL),
        blocks.section(EVIL, EVIL, short=EVIL),
        blocks.actions([blocks.Action(EVIL, EVIL, EVIL)]),
        blocks.key_figure_list([blocks.KeyFigure(EVIL, EVIL, EVIL)]),
        blocks.level_advice(EVIL, EVIL, EVIL, EVIL, EVIL),
        blocks.standing(EVIL),
        blocks.table(pd.DataFrame({EVIL: [EVIL]}), EVIL),
        figure(EVIL, EVIL),
        blocks.section("a"),
        blocks.section("b"),
    ]
    markup = page(*map(output, shown))
    outline = Outline(markup)
    assert markup.count("&lt;script&gt;") > 20
    assert not {"script", "img"} & set(outline.tags)


def test_only_http_links_are_links():
    assert "<a" not in blocks.link("javascript:alert(1)", "x")
    assert "<a" in blocks.link("https://example.org/a", "x")


def test_a_style_string_cannot_leave_its_style():
    assert "</style" not in css_string("</style><b>")


def test_the_same_notebook_gives_the_same_bytes(batch):
    first, again = figure(), figure()
    assert page(output(first)) == page(output(again))


def test_a_notebooks_metadata_frames_the_page_when_no_cell_does(batch):
    made = notebook(output(blocks.lead("x")))
    made.metadata["aiready"] = {"title": "Cards", "lang": "de"}
    markup = HandoutExporter().from_notebook_node(made)[0]
    assert "<h1>Cards</h1>" in markup and '<html lang="de">' in markup


def test_a_template_in_the_working_directory_does_not_win(tmp_path, monkeypatch, batch):
    planted = tmp_path / "templates" / "handout"
    planted.mkdir(parents=True)
    (planted / "index.html.j2").write_text("planted")
    monkeypatch.chdir(tmp_path)
    assert page(output(blocks.lead("shown"))).startswith("<!doctype html>")


def test_a_batch_leaves_the_drawing_to_the_renderer(monkeypatch):
    monkeypatch.setenv(CHARTS_VARIABLE, "json")
    assert "text/html" not in figure()._repr_mimebundle_()
    monkeypatch.delenv(CHARTS_VARIABLE)
    interactive = figure()._repr_mimebundle_()
    assert "<svg" in interactive["text/html"] and FIGURE_MIME in interactive


def test_a_picture_is_one_named_image_without_data_in_its_attributes():
    drawn = render_svg(figure().payload()["wide"], "fig", "How <many>", "Two points")
    assert 'role="img"' in drawn and "<title" in drawn and "How &lt;many&gt;" in drawn and "Two points" in drawn
    assert "aria-label=" not in drawn and "aria-roledescription" not in drawn and 'aria-hidden="true"' in drawn
    assert "font-family" not in drawn.replace('font-family="inherit"', "")
    assert all(ident.startswith("fig") for ident in re.findall(r'\bid="([^"]+)"', drawn))


def test_ids_do_not_depend_on_how_many_pictures_came_before():
    spec = figure().payload()["wide"]
    drawn = render_svg(spec, "a", "t", "d")
    assert drawn == render_svg(spec, "a", "t", "d")
    assert "clip-path" in drawn
    assert set(re.findall(r"url\(#([^)]+)\)", drawn)) <= set(re.findall(r'\bid="([^"]+)"', drawn))


def test_tidying_keeps_every_visible_mark():
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" viewBox="0 0 9 9"><g>'
    svg += '<path d="" display="none"/><g transform="translate(1.23456,2)">'
    svg += '<path d="M0,0h1" fill="#000"/><text>a &lt; b</text></g></g></svg>'
    _, made = tidy(svg, "i")
    assert '<g transform="translate(1.2,2)"><path d="M0,0h1" fill="#000"/><text>a &lt; b</text></g>' in made
    assert "display" not in made


def test_a_picture_that_sizes_itself_keeps_its_words_where_vega_measures_them():
    named = alt.Chart(pd.DataFrame({"w": ["one\ntwo", ""]})).mark_text(lineBreak="\n").encode(text="w:N", y="w:N")
    for spec in (named.to_dict(), alt.layer(named).to_dict()):
        assert re.findall(r">(one|two)<", render_svg(spec, "a", "t", "d")) == ["one", "two"]


def test_words_of_a_picture_of_stated_size_are_put_back_line_by_line():
    rows = pd.DataFrame({"w": ["one <b>\ntwo", "three", ""]})
    named = layer(rows, "text", {"align": "left"}, text=text_channel("w"), x=alt.XValue(5))
    drawn = render_svg(layered_specification(fixed_size_chart([named], (90, 20), "Words.")), "a", "t", "d")
    assert '>one &lt;b&gt;<tspan dy="15" x="5">two</tspan>' in drawn
    assert drawn.count("<text") == 2 and ">three</text>" in drawn and "aria-label=" not in drawn


def test_a_picture_of_stated_size_that_was_made_in_another_way_is_drawn_as_vega_means_it():
    rows = pd.DataFrame({"x": [1.0, None, 3.0], "w": ["a", "b", "c"]})
    rows.loc[3] = [4.0, ""]
    chart, stated = alt.Chart(rows, width=90, height=20).encode(alt.X("x", axis=None)), {"autosize": {"type": "none"}}
    words = chart.mark_text().encode(text="w")
    for made in (words, alt.layer(chart.mark_rule(), words)):
        drawn = render_svg(made.to_dict() | stated, "a", "t", "d")
        assert re.findall(r"<text[^>]*>([^<]*)<", drawn) == ["a", "c"] and "NaN" not in drawn


def test_a_figure_shows_both_widths_and_its_numbers_one_click_away():
    markup = figure_html(figure().payload())
    assert markup.count("<svg") == 2 and "<figcaption>" in markup and "<summary>Show the numbers" in markup
    assert "<details>" not in figure_html({**figure().payload(), "rows": []})


def test_the_numbers_come_again_for_print(whole):
    assert whole.count("<caption>How many</caption>") == 4


def test_tables_have_a_caption_and_scopes_and_numbers_to_the_right():
    markup = table_html(
        ["unit", "share", "who"],
        [["Claims", f"63{NBSP}%", "a"], ["Cards", MISSING, "b"]],
        "Answers",
    )
    assert "<caption>Answers</caption>" in markup and '<th scope="row">Claims<td>' in markup
    assert '<table class="r2"><caption>' in markup
    assert '<th scope="col">share</th>' in markup and '<th scope="col">who</th>' in markup
    assert "border=" not in markup


def test_an_empty_block_leaves_nothing():
    assert [
        str(made)
        for made in (blocks.works("", "What works."), blocks.key_figure_list([]), blocks.actions([]), blocks.notes(""))
    ] == [""] * 4
