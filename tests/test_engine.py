"""The in-process engine behaves as papermill's own, kernel by kernel, on notebooks of one to three cells."""

import sys
from pathlib import Path

import nbformat
import papermill
import pytest
from papermill.exceptions import PapermillExecutionError

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def run(tmp_path: Path, *sources: str, name: str = "out", engine: str | None = "aiready", **parameters: object):
    """Execute cells of source; returns the cells as they stand after the run."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    cells[0].metadata["tags"] = ["parameters"]
    kernel = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    book = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    nbformat.write(book, tmp_path / f"{name}-in.ipynb")
    try:
        papermill.execute_notebook(
            str(tmp_path / f"{name}-in.ipynb"), str(tmp_path / f"{name}.ipynb"), parameters=parameters,
            engine_name=engine, progress_bar=False, kernel_name="python3",
        )  # fmt: skip
    finally:
        written = nbformat.read(tmp_path / f"{name}.ipynb", as_version=4)
    return [cell for cell in written.cells if cell.cell_type == "code"]


def test_a_value_a_display_and_a_print_become_outputs_of_their_cell_in_order(tmp_path):
    (cell,) = run(tmp_path, "from IPython.display import display\nprint('told')\ndisplay(1 + 1)\n'last'")
    kinds = [output.output_type for output in cell.outputs]
    assert sorted(kinds) == ["display_data", "execute_result", "stream"]
    assert kinds.index("display_data") < kinds.index("execute_result")
    shown = {output.output_type: output for output in cell.outputs}
    assert shown["stream"].name == "stdout"
    assert shown["stream"].text == "told\n"
    assert shown["display_data"].data["text/plain"] == "2"
    assert shown["execute_result"].data["text/plain"] == "'last'"
    assert shown["execute_result"].execution_count == cell.execution_count == 1


def test_stderr_is_kept_apart(tmp_path):
    (cell,) = run(tmp_path, "import sys\nprint('no', file=sys.stderr)\nprint('yes')")
    assert {output.name: output.text for output in cell.outputs} == {"stdout": "yes\n", "stderr": "no\n"}


def test_rich_values_carry_every_form_they_have(tmp_path):
    (cell,) = run(tmp_path, "import pandas\npandas.DataFrame({'n': [1]})")
    assert {"text/html", "text/plain"} <= set(cell.outputs[0].data)


def test_parameters_replace_the_defaults(tmp_path):
    cells = run(tmp_path, "unit_id: str = 'a'  # the unit", "unit_id", unit_id="b")
    assert [cell.source.splitlines()[-1] for cell in cells][1] == 'unit_id = "b"'
    assert cells[-1].outputs[0].data["text/plain"] == "'b'"


def test_the_first_error_stops_the_notebook_and_is_raised(tmp_path):
    with pytest.raises(PapermillExecutionError, match="division by zero"):
        run(tmp_path, "seen = 1", "1 / 0", "raise SystemError('never reached')")
    cells = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert [output.ename for cell in code for output in cell.outputs if output.output_type == "error"] == [
        "ZeroDivisionError"
    ]
    assert code[-1].execution_count is None


def test_a_cell_that_cannot_be_parsed_is_an_error_too(tmp_path):
    with pytest.raises(PapermillExecutionError, match="SyntaxError"):
        run(tmp_path, "def broken(:")


def test_variables_do_not_leak_into_the_next_notebook(tmp_path):
    run(tmp_path, "secret = 'of unit a'", name="first")
    with pytest.raises(PapermillExecutionError, match="secret"):
        run(tmp_path, "secret", name="second")


def test_this_process_is_left_as_it_was(tmp_path):
    before = sys.displayhook, sys.stdout, sys.stderr
    run(tmp_path, "print('x')\n1")
    assert (sys.displayhook, sys.stdout, sys.stderr) == before


def test_the_engine_is_registered_under_its_name():
    from papermill.engines import papermill_engines

    from aiready.batch.engine import InProcessEngine

    papermill_engines.register_entry_points()
    assert papermill_engines.get_engine("aiready") is InProcessEngine


def test_both_engines_give_the_same_handout_byte_for_byte(sample, sample_results, tmp_path, monkeypatch):
    from aiready.batch.notebook_page import export_page
    from aiready.batch.page_inputs import save_page_inputs

    monkeypatch.setenv("AIREADY_CHARTS", "json")
    save_page_inputs(sample, "finance", tmp_path / "results")
    pages = []
    for engine in ("aiready", None):
        executed = papermill.execute_notebook(
            str(NOTEBOOKS / "unit_report.ipynb"), str(tmp_path / f"{engine}.ipynb"), engine_name=engine,
            parameters={"unit_id": "finance", "results": str(tmp_path / "results")}, kernel_name="python3",
            progress_bar=False,
        )  # fmt: skip
        pages.append(export_page(executed))
    assert len(pages[0]) > 20_000
    assert pages[0] == pages[1]
