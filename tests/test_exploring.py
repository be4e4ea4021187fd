"""The exploring notebooks as an analyst has them: a live JupyterLab, a real Chromium, every control moved."""

import pytest
from laboratory import LISTENING

from aiready.model.schema import TABLES
from aiready.profile import data_check
from aiready.workbook.capture.store import read_rows

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("remembered")]
COLD_SECONDS = 10
"""Seconds of processor from a cold kernel to the last cell; of the clock too, where nothing else runs."""
BUSY_SECONDS = 240
"""Seconds of the clock where everything else runs too."""
PANELS = {
    "00_start_here": ["How far each barrier is overcome"],
    "01_survey": ["Problem definition: what people answered", "What each group says", "Where the change"],
    "02_barriers": ["How far each barrier", "Problem definition, say and do", "Scores under other weights"],
    "03_initiatives": ["Where the initiatives stand", "Did it work?"],
    "04_tasks": ["Where the possible hours go", "Where the possible hours go"],
    "05_decisions": ["Six metrics by quarter", "How far each barrier is overcome", "Problem definition, say"],
}
"""What the panels of a notebook draw when it opens."""
UNIT = "\u2007\u2007Motor claims"


@pytest.mark.parametrize("name", PANELS)
def test_a_notebook_runs_draws_and_answers_every_control(laboratory, chromium, name):
    with laboratory.open(chromium, name) as notebook:
        notebook.run_all(BUSY_SECONDS)
        assert float(notebook.value("__import__('time').process_time()")) < COLD_SECONDS
        notebook.settle()
        assert notebook.errors() == []
        drawn = notebook.charts()
        for title in PANELS[name]:
            assert any(chart["label"].startswith(title) and chart["marks"] > 8 for chart in drawn), (title, drawn)
        assert all(notebook.controls()), "every control has a name"
        assert "alert" not in notebook.roles()
        for stand, reached in notebook.tab_orders():
            assert reached == stand, "the Tab key reaches every control of a panel, in the order of the page"
        for choice in notebook.choices():
            before = notebook.text()
            chosen = notebook.choose_another(choice)
            if chosen:
                assert notebook.text() != before, (choice, chosen)
        assert notebook.errors() == []
        assert notebook.refused == [], "charts draw with no internet"


def test_actions_are_agreed_followed_and_never_over_what_somebody_else_saved(laboratory, chromium):
    """Two analysts, two windows: the second is told, and nothing of the first is lost."""
    with laboratory.open(chromium, "06_actions") as anna, laboratory.open(chromium, "06_actions", copy="bens") as ben:
        for notebook in (anna, ben):
            notebook.run_all(BUSY_SECONDS)
            notebook.control("Unit").select_option(label=UNIT)
            notebook.control("Barrier").select_option(label="Trust and governance")
            notebook.settle()
            assert notebook.errors() == []
            assert all(notebook.controls())
        assert "Why" in anna.text()
        anna.button("Agree").click()
        anna.settle()
        assert "Give the date it is due" in anna.page.get_by_role("alert").inner_text()
        for notebook in (anna, ben):
            notebook.control("Due on").fill("2099-01-31")
            notebook.control("Due on").press("Tab")
            notebook.button("Agree").click()
            notebook.settle()
        assert "Agreed and saved" in anna.text()
        assert "somebody else saved this" in ben.page.get_by_role("alert").inner_text()
        ben.button("Agree").click()
        ben.settle()
        assert "Agreed and saved" in ben.text()
        ben.control("Agreed action").select_option(index=2)
        ben.settle()
        assert "not moving because of it" in ben.text()
        assert any("wave by wave" in chart["label"] for chart in ben.charts())
    counts = data_check.check(str(laboratory.data), None).counts.set_index("table")
    assert counts.loc["actions", "quarantined"] == 0
    assert read_rows(laboratory.data, TABLES["actions"])["due_on"].eq("2099-01-31").sum() == 2


def test_what_was_typed_about_an_action_before_the_kernel_died_is_there_again(laboratory, chromium):
    typed = {"What will be done": "Ask the night shift", "Who answers for it": "head of claims", "Due on": "2098-01-31"}
    with laboratory.open(chromium, "06_actions", copy="dying_actions") as notebook:
        notebook.run_all(BUSY_SECONDS)
        notebook.control("Unit").select_option(label=UNIT)
        notebook.settle()
        unit = notebook.control("Unit").input_value()
        for label, text in typed.items():
            notebook.control(label).fill(text)
            notebook.control(label).press("Tab")
        notebook.settle()
        before = read_rows(laboratory.data, TABLES["actions"])
        notebook.kill_kernel()
        notebook.page.locator(".aiready-kernel-lost", has_text="what you had not saved yet is shown").wait_for()
        notebook.page.evaluate(LISTENING)
        notebook.run_all(BUSY_SECONDS)
        notebook.settle()
        assert "is not agreed yet; it is shown here" in notebook.text()
        assert notebook.control("Unit").input_value() == unit
        assert {label: notebook.control(label).input_value() for label in typed} == typed
        assert read_rows(laboratory.data, TABLES["actions"]).equals(before), "nothing is agreed by itself"
        notebook.button("Agree").click()
        notebook.settle()
        assert "Agreed and saved: Ask the night shift" in notebook.text()
        assert notebook.errors() == []
    agreed = read_rows(laboratory.data, TABLES["actions"]).query("due_on == '2098-01-31'")
    assert agreed[["action", "owner"]].to_numpy().tolist() == [["Ask the night shift", "head of claims"]]


@pytest.fixture(scope="module", params=[pytest.param("02_barriers", marks=pytest.mark.xdist_group("02_barriers"))])
def opened(request, laboratory, chromium):
    """One notebook, open once for the tests that move its controls: they run on one worker."""
    with laboratory.open(chromium, request.param, copy="barriers_of_mine") as notebook:
        notebook.run_all(BUSY_SECONDS)
        yield notebook


@pytest.fixture
def barriers(opened):
    """The same, on one unit."""
    opened.control("Unit").select_option(label=UNIT)
    opened.settle()
    return opened


def test_a_click_leads_from_a_barrier_down_to_its_records(barriers):
    pictures = barriers.page.locator(".aiready-picture svg")
    pictures.nth(0).get_by_text("Measurement", exact=True).click()
    barriers.settle()
    assert barriers.control("Barrier").input_value() == "Measurement"
    assert "Measurement, say and do" in barriers.text()
    barriers.control("Look at").select_option(label="what the records show")
    barriers.settle()
    pictures.nth(1).get_by_text("Scaled on evidence", exact=True).click()
    barriers.settle()
    assert "Scaled on evidence: the records" in barriers.text()
    assert "Motor claim triage" in barriers.text()


def test_tests_that_share_a_notebook_run_on_one_worker(request, barriers):
    """Where tests are spread over workers by groups, the group is a part of their names."""
    if request.config.getoption("loadgroup", False):
        assert request.node.nodeid.endswith("@02_barriers")


def test_the_keyboard_alone_is_enough(barriers):
    control = barriers.control("Wave")
    control.focus()
    before = control.input_value()
    control.press("ArrowDown")
    barriers.settle()
    assert control.input_value() != before
    control.press("Tab")
    assert barriers.page.evaluate("document.activeElement.matches('summary, select, input, .scroll')")
    control.focus()
    control.press("ArrowUp")
    barriers.settle()


def test_what_if_reads_back_what_was_set_and_tells_what_makes_no_sense(barriers):
    weight = barriers.control("Weight of the indicator")
    weight.fill("-2")
    weight.press("Tab")
    barriers.settle()
    assert "a weight is 0 or more" in barriers.page.get_by_role("alert").inner_text()
    barriers.button("As in the instrument").click()
    barriers.settle()
    assert float(weight.input_value()) == 1
    assert barriers.page.get_by_role("alert").count() == 0
    published = scores(barriers)
    for label, value in {
        "Worth 100 at": "2",
        "Worth 0 at": "0.5",
        "Weight of what": "0.9",
        "Weight of the": "3",
    }.items():
        before = scores(barriers)
        (name,) = [told for told in barriers.controls() if told.startswith(label)]
        barriers.control(name).fill(value)
        barriers.control(name).press("Tab")
        barriers.settle()
        assert scores(barriers) != before, name
    barriers.button("As in the instrument").click()
    barriers.settle()
    assert scores(barriers) == published


def scores(notebook) -> list[str]:
    """What the picture of *what if* says."""
    (words,) = [chart["words"] for chart in notebook.charts() if chart["label"].startswith("Scores under")]
    return words


def test_the_picture_fits_a_narrow_window(barriers):
    barriers.page.set_viewport_size({"width": 560, "height": 800})
    barriers.page.wait_for_timeout(400)
    barriers.settle()
    shown = [chart["width"] for chart in barriers.charts() if not chart["label"].startswith("Trust")]
    barriers.page.set_viewport_size({"width": 1280, "height": 800})
    assert shown
    assert max(shown) < 520


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_words_stand_out_from_the_page_in_both_themes(barriers, theme):
    barriers.theme(theme)
    barriers.settle()
    assert barriers.faintest() >= 4.5
    barriers.theme("JupyterLab Light")


def test_a_cell_that_runs_again_keeps_the_choice(barriers):
    barriers.control("Barrier").select_option(label="Fit with the work")
    barriers.settle()
    barriers.run_all()
    barriers.settle()
    assert barriers.control("Barrier").input_value() == "Fit with the work"
    assert barriers.control("Unit").input_value().strip() == "Motor claims"


def test_a_panel_whose_kernel_died_says_so_and_answers_again_when_its_cells_ran(laboratory, chromium):
    with laboratory.open(chromium, "03_initiatives", copy="dying") as notebook:
        notebook.run_all(BUSY_SECONDS)
        notebook.settle()
        notebook.kill_kernel()
        notebook.page.locator(".aiready-kernel-lost").first.wait_for(state="attached")
        assert notebook.page.locator(".aiready-kernel-lost").count() == 3, "each of its panels"
        assert "Run All Cells" in notebook.page.locator(".aiready-kernel-lost[role=alert]").first.text_content()
        assert all(control.is_disabled() for control in notebook.choices())
        notebook.page.evaluate(LISTENING)
        notebook.run_all(BUSY_SECONDS)
        notebook.settle()
        assert notebook.page.locator(".aiready-kernel-lost").count() == 0
        before = notebook.text()
        assert any(notebook.choose_another(choice) for choice in notebook.choices())
        assert notebook.text() != before
        assert notebook.errors() == []


def test_a_chart_of_ones_own_draws_offline(laboratory, chromium):
    """The plain chart functions are there for analysts too, with Altair's own renderer."""
    import nbformat

    cell = nbformat.v4.new_code_cell(
        "import altair as alt\nfrom aiready import Assessment, charts, tables\n"
        'alt.renderers.enable("jupyter", offline=True)\n'
        'unit = Assessment.recall().unit("motor-claims")\ncharts.groups_chart(tables.groups(unit))'
    )
    book = nbformat.v4.new_notebook(cells=[cell])
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, laboratory.notebooks / "own_chart.ipynb")
    with laboratory.open(chromium, "own_chart") as notebook:
        notebook.run_all(BUSY_SECONDS)
        notebook.page.locator(".vega-embed :is(canvas, svg)").first.wait_for()
        assert notebook.errors() == []
        assert notebook.refused == []
        (chart,) = notebook.charts()
        assert chart["marks"] > 20
        assert "Measurement" in chart["words"]
