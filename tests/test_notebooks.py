"""Notebooks are thin: parameters, one call a cell, no output, and no finding typed into Markdown."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from papermill.inspection import inspect_notebook

import aiready

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
REPORTS = {
    "unit_report": ["unit_id", "data", "results", "wave", "as_of", "lang"],
    "portfolio_report": ["data", "results", "wave", "as_of", "lang"],
}
LINES = 8
FORBIDDEN = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While, ast.comprehension)


def cells(path: Path, kind: str) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def plain(source: str) -> str:
    """Code without IPython's own lines."""
    return "\n".join(line for line in source.splitlines() if not line.lstrip().startswith(("%", "!", "?")))


def test_there_are_notebooks_to_look_at():
    assert set(REPORTS) <= {path.stem for path in NOTEBOOKS}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestEveryNotebook:
    def test_is_valid_and_carries_no_output(self, path):
        nbformat.validate(nbformat.read(path, as_version=4))
        for cell in cells(path, "code"):
            assert cell.outputs == []
            assert cell.execution_count is None

    def test_has_short_cells(self, path):
        for cell in cells(path, "code"):
            assert len(cell.source.splitlines()) <= LINES, cell.source

    def test_defines_loops_over_and_groups_nothing(self, path):
        for cell in cells(path, "code"):
            tree = ast.parse(plain(cell.source))
            assert not [node for node in ast.walk(tree) if isinstance(node, FORBIDDEN)], cell.source
            assert "groupby" not in cell.source

    def test_states_no_finding_in_markdown(self, path):
        """A number typed beside a chart is false for the next unit; steps and names may be numbered."""
        for cell in cells(path, "markdown"):
            words = re.sub(r"^\s*(#+\s*)?\d+\.\s|`[^`]*`|\]\([^)]*\)|\b\d\d_\w+", " ", cell.source, flags=re.M)
            assert not re.search(r"\d", words), cell.source

    def test_opens_by_saying_what_it_is_for(self, path):
        first = nbformat.read(path, as_version=4).cells[0]
        assert first.cell_type == "markdown"
        assert first.source.startswith("# ")
        assert len(first.source.splitlines()) > 1

    def test_runs_on_the_kernel_that_is_installed(self, path):
        assert nbformat.read(path, as_version=4).metadata.kernelspec.name == "python3"


@pytest.mark.parametrize(("name", "wanted"), REPORTS.items())
def test_parameters_are_typed_and_explained_as_papermill_reads_them(name, wanted):
    found = inspect_notebook(str(FOLDER / f"{name}.ipynb"))
    assert list(found) == wanted
    for parameter in found.values():
        assert parameter["inferred_type_name"] == "str"
        assert len(parameter["help"].split()) >= 3
    (cell,) = [
        cell for cell in cells(FOLDER / f"{name}.ipynb", "code") if "parameters" in cell.metadata.get("tags", [])
    ]
    assert len(cell.source.splitlines()) == len(wanted)  # one line for each, and no more


EXPLORING = {"00_start_here", "01_survey", "02_barriers", "03_initiatives", "04_tasks", "05_decisions", "06_actions"}


@pytest.mark.parametrize("name", sorted(EXPLORING))
class TestExploring:
    def test_opens_with_the_question_it_answers_and_closes_with_what_to_take_away(self, name):
        told = cells(FOLDER / f"{name}.ipynb", "markdown")
        assert "**Question: " in told[0].source
        assert "?**" in told[0].source
        assert "**What to take away**: " in told[-1].source

    def test_says_before_each_cell_what_it_claims_and_after_each_panel_how_to_read_it(self, name):
        book = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4).cells
        for before, cell, after in zip(book, book[1:], [*book[2:], None], strict=False):
            if cell.cell_type == "code":
                assert before.cell_type == "markdown", cell.source
            if cell.cell_type == "code" and cell.source.startswith("panels."):
                assert after is not None
                assert re.match(r"\*\*(Reading it|What to take away)\*\*", after.source) or after.source.startswith(
                    "## "
                )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_uses_nothing_of_the_package_but_its_public_names(path):
    trees = [ast.parse(plain(cell.source)) for cell in cells(path, "code")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    modules = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert {module for module in modules if module.startswith("aiready.")} == set()
    assert "aiready" in modules and names <= set(aiready.__all__)


@pytest.mark.slow
def test_pages_are_made_without_widgets():
    """A handout holds no control, and what makes it does not even load the panels."""
    for name in REPORTS:
        for cell in cells(FOLDER / f"{name}.ipynb", "code"):
            assert "panels" not in cell.source
    pages = "aiready.pages.handout, aiready.pages.portfolio, aiready.batch.report_run"
    loaded = f"import sys, {pages}; print('aiready.workbook.panels' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, timeout=120, check=True)
    assert run.stdout.strip() == "False"


def papermill(*arguments: str, folder: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "papermill", str(FOLDER / "unit_report.ipynb"), *arguments, "--no-progress-bar"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.slow
def test_papermill_alone_runs_the_unit_report_on_the_sample(tmp_path):
    run = papermill("out.ipynb", "-p", "unit_id", "finance", folder=tmp_path)
    assert run.returncode == 0, run.stderr[-2000:]
    shown = [output for cell in cells(tmp_path / "out.ipynb", "code") for output in cell.outputs]
    assert len(shown) > 10
    assert not [output for output in shown if output.output_type == "error"]
    assert any("Finance" in str(output) for output in shown)


def test_papermill_alone_reads_results_and_a_wave(sample_results, tmp_path):
    given = (
        "-p",
        "unit_id",
        "finance",
        "-p",
        "results",
        str(sample_results),
        "-p",
        "wave",
        "2026-Q1",
        "--engine",
        "aiready",
    )
    run = papermill("out.ipynb", *given, folder=tmp_path)
    assert run.returncode == 0, run.stderr[-2000:]
    assert "first quarter 2026" in (tmp_path / "out.ipynb").read_text()


def test_an_unknown_unit_gives_the_error_with_the_nearest_name(sample_results, tmp_path):
    given = ("-p", "unit_id", "finanse", "-p", "results", str(sample_results), "--engine", "aiready")
    run = papermill("out.ipynb", *given, folder=tmp_path)
    assert run.returncode != 0
    assert 'Unknown unit "finanse"' in run.stderr
    assert 'Did you mean "finance"?' in run.stderr
