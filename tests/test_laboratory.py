"""Notebooks in a real JupyterLab, in a real browser, with no other address in reach."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def started(laboratory, chromium):
    with laboratory.open(chromium, "00_start_here") as notebook:
        notebook.run_all()
        yield notebook


def test_every_cell_runs_and_nothing_complains(started):
    assert started.errors() == []
    assert len(started.outputs()) >= 4


def test_its_charts_are_drawn_with_marks(started):
    charts = started.charts()
    assert charts
    assert all(chart["marks"] > 5 for chart in charts)


def test_nothing_is_asked_of_another_machine(started):
    assert started.refused == []


def test_what_goes_wrong_is_seen(laboratory, chromium, tmp_path):
    import nbformat

    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")])
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, laboratory.notebooks / "broken.ipynb")
    with laboratory.open(chromium, "broken") as notebook:
        notebook.run_all()
        assert any("ZeroDivisionError" in told for told in notebook.errors())
        notebook.page.evaluate("fetch('https://example.org/').catch(() => 0)")
        notebook.settle()
        assert notebook.refused == ["https://example.org/"]


def test_a_killed_kernel_is_replaced_by_one_that_knows_nothing(laboratory, chromium):
    with laboratory.open(chromium, "broken") as notebook:
        notebook.page.evaluate("() => 0")
        first = notebook.value("__import__('builtins').__dict__.setdefault('kept', 1)")
        assert first == "1"
        notebook.kill_kernel()
        assert notebook.value("'kept' in __import__('builtins').__dict__") == "False"
