"""The public API: small, documented, and a notebook that somebody copied keeps working."""

import inspect
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from conftest import SAMPLE, answers

import aiready
from aiready import Assessment, package_files, result_cache
from aiready.cli import commands
from aiready.errors import UsageError
from aiready.measures import survey
from aiready.profile import scoring

PAGE = (Path(__file__).parents[1] / "docs" / "workbook.md").read_text(encoding="utf-8")
PROMISED = (Path(__file__).parents[1] / "docs" / "api.md").read_text(encoding="utf-8")
COPIED = (
    "from aiready import Assessment, charts, handout, panels, portfolio, tables, views",
    "assessment = Assessment.open(data, results=results)",
    "assessment.units",
    'unit = assessment.unit("motor-claims")',
    'earlier = unit.at("2026-Q2")',
    "handout.front(unit)",
    "handout.barriers(unit)",
    'unit.rows("explain").sort_values(["barrier_id", "kind"])',
    'cell = unit.cell("adoption")\n(cell.value, cell.low, cell.high, cell.n, cell.unit, cell.status, cell.note)',
    "charts.say_do_chart(tables.profile(unit))",
    'charts.items_chart(tables.answers(unit, "measurement"))',
    'views.facets(unit, "trust_governance").section()',
    "views.moved(earlier).draw()",
    'views.what_if(unit, {"adoption": {"weight": 2}}).numbers',
    "panels.barriers(assessment)",
    "panels.profile(assessment).section()",
)
"""Cells of a notebook as somebody copied it. They stand here as they were: a change that breaks one breaks theirs."""

PUBLIC = {
    "views": "View agreed answers blockers confidence facets followed funnel groups hours indicators levels metrics "
    "modes moved offered pilots profile recommended recomputed records shifts what_if",
    "panels": "actions answers barriers decisions funnel groups hours initiative_canvas jobs moved pilots profile "
    "records self_assessment task_redesign what_if",
}
"""Names that notebooks of others may use. They are added to, never taken from."""


@pytest.fixture(autouse=True)
def _memory(monkeypatch, tmp_path):
    monkeypatch.setenv(result_cache.FOLDER_VARIABLE, str(tmp_path / "memory"))


def test_a_copied_notebook_keeps_working(sample_results):
    names = {"data": SAMPLE, "results": sample_results}
    for cell in COPIED:
        exec(compile(cell, cell, "exec"), names)


@pytest.mark.slow
def test_it_runs_in_a_folder_of_its_own_far_from_the_project(tmp_path):
    """As JupyterLab or papermill run it: a kernel of its own, in the folder it was copied to, on the shipped sample."""
    cells = [cell.replace("Assessment.open(data, results=results)", "Assessment.recall()") for cell in COPIED]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (tmp_path / "mine").mkdir()
    nbformat.write(book, tmp_path / "mine" / "copied.ipynb")
    package = str(Path(aiready.__file__).parents[1])
    own = {"HOME": str(tmp_path), "PYTHONPATH": package, "AIREADY_MEMORY": str(tmp_path / "memory")}
    asked = [sys.executable, "-m", "papermill", "copied.ipynb", "out.ipynb", "--no-progress-bar"]
    environment = {name: value for name, value in os.environ.items() if name != "AIREADY_DATA"} | own
    run = subprocess.run(asked, cwd=tmp_path / "mine", env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    outputs = [output for cell in nbformat.read(tmp_path / "mine" / "out.ipynb", 4).cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert len(outputs) >= len(COPIED) - 6
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == ["copied.ipynb", "out.ipynb"]


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_what_was_public_stays_public_and_says_what_it_does(name):
    module = getattr(aiready, name)
    assert set(PUBLIC[name].split()) <= set(module.__all__)
    for function in PUBLIC[name].split():
        assert getattr(module, function).__doc__


def signature(function) -> str:
    """As docs/api.md writes it: without types."""
    parameters = [
        one.replace(annotation=inspect.Parameter.empty) for one in inspect.signature(function).parameters.values()
    ]
    return str(inspect.Signature(parameters))


def test_the_page_of_the_api_names_all_of_it_with_its_signatures():
    titles = re.findall(r"^## ([a-zA-Z, ]+)$", PROMISED, re.MULTILINE)
    headed = {name for title in titles for name in title.split(", ")}
    assert set(aiready.__all__) <= headed
    assert all(getattr(aiready, name).__doc__ for name in aiready.__all__)
    text = re.sub(r"\s+", " ", PROMISED)
    for name in ("check", "report"):
        assert f"{name}{signature(getattr(aiready, name))}" in text
    for name in ("open", "recall"):
        assert f"Assessment.{name}{signature(getattr(Assessment, name))}" in text


@pytest.mark.parametrize("name", ["charts", "handout", "panels", "portfolio", "tables", "views"])
def test_every_promised_function_is_there_and_documented(name):
    listed = re.search(rf"Promised of `{name}`: ([^.]*)\.", PROMISED)[1]
    functions = re.findall(r"`(\w+)`", listed)
    assert functions
    for function in functions:
        assert getattr(getattr(aiready, name), function).__doc__


def test_the_command_takes_what_the_function_takes_with_the_same_defaults():
    renamed = {"unit": "units", "lang": "language", "names": None, "quiet": None, "as_json": None}
    command = inspect.signature(commands.report).parameters.values()
    options = {renamed.get(one.name, one.name): one.default for one in command}
    del options[None]
    function = {one.name: one.default for one in inspect.signature(aiready.report).parameters.values()}
    assert set(function) - set(options) == {"on_start", "on_page"}
    blank = {None, "", ()}
    for name in set(options) - {"data", "jobs"}:
        same = options[name] == function[name] or str(options[name]) == str(function[name])
        assert same or {options[name], function[name]} <= blank, name


@pytest.mark.slow
def test_the_examples_of_the_page_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    package_files.copy_sample(Path("my-data"))
    names = {}
    for example in re.findall(r"```python\n(.*?)```", PROMISED, re.DOTALL):
        exec(compile(example, example, "exec"), names)
    run = names["run"]
    assert sorted((page.unit_id, page.status, page.change) for page in run.pages) == [
        ("*", "ok", "new"), ("motor-claims", "ok", "new")]  # fmt: skip
    assert run.index.is_file() and not run.failed


@pytest.mark.slow
def test_report_makes_the_folder_that_the_command_makes(run, tmp_path, monkeypatch):
    from test_reports import SHOWN, book

    from aiready.batch import report_run

    path = book(tmp_path, SHOWN)
    monkeypatch.setattr(report_run, "_notebook", lambda _: path)
    answers(25).to_csv(tmp_path / "responses.csv", index=False)
    assert run("report", tmp_path, "--out", tmp_path / "command", "--jobs", 1).code == 0
    result = aiready.report(tmp_path, tmp_path / "function", jobs=1)
    assert (len(result.pages), result.failed, result.remark) == (2, [], "")
    files = {
        folder.name: {
            file.relative_to(folder): file.read_bytes()
            for pattern in ("units/*", "overview/*", "records/results/*")
            for file in folder.glob(pattern)
        }
        for folder in (tmp_path / "command", tmp_path / "function")
    }
    assert len(files["command"]) > 10
    assert files["command"] == files["function"]


@pytest.mark.parametrize(
    ("asked", "words"), [({"jobs": 0}, "jobs 0: must be 1 or more"), ({"engine": "papermill"}, 'engine "papermill"'),
                         ({"as_of": "30.9.2026"}, "is no date"), ({"units": "claim"}, 'Did you mean "claims"')]
)  # fmt: skip
def test_report_refuses_before_it_writes(tmp_path, asked, words):
    answers(12).to_csv(tmp_path / "responses.csv", index=False)
    with pytest.raises(UsageError, match=re.escape(words)):
        aiready.report(tmp_path, tmp_path / "out", **asked)
    assert not (tmp_path / "out").exists()


def test_the_package_says_that_it_is_typed():
    assert Path(aiready.__file__).with_name("py.typed").is_file()


def test_the_ways_to_open_take_what_they_took():
    assert {"data", "results", "wave", "as_of"} <= set(inspect.signature(Assessment.open).parameters)
    assert {"data", "wave", "as_of"} <= set(inspect.signature(Assessment.recall).parameters)


def test_every_notebook_of_the_table_exists():
    shown = set(re.findall(r"`(\d\d_\w+)`", PAGE))
    assert shown == {path.stem for path in (SAMPLE.parents[1] / "notebooks").glob("[0-9]*.ipynb")}


@pytest.mark.slow
class TestRecall:
    @pytest.fixture
    def folder(self, tmp_path):
        (tmp_path / "data").mkdir()
        answers(25).to_csv(tmp_path / "data" / "responses.csv", index=False)
        return tmp_path / "data"

    @pytest.fixture
    def opened(self, monkeypatch):
        """How often data were read and computed."""
        times = []
        before = scoring.open_data
        monkeypatch.setattr(scoring, "open_data", lambda *a, **b: times.append(1) or before(*a, **b))
        return times

    def test_speaks_another_language_whether_computed_or_recalled(self, folder):
        for recalled in (Assessment.recall(folder, lang="de"), Assessment.recall(folder, lang="de")):
            assert recalled.language.code == "de"
            assert recalled.rules.barriers["name"].tolist() == Assessment.open(folder, lang="de").rules.barriers[
                "name"].tolist()  # fmt: skip
        assert Assessment.recall(folder).language.code == "en"

    def test_gives_what_open_gives(self, folder):
        computed, first, second = Assessment.open(folder), Assessment.recall(folder), Assessment.recall(folder)
        for given in (first, second):
            assert given.facts == computed.facts
            assert set(given.tables) == set(computed.tables)
            for name in ("measures", "barriers", "items", "explain"):
                pd.testing.assert_frame_equal(given.tables[name], computed.tables[name], check_dtype=False)

    def test_computes_once_while_nothing_changes_and_again_when_something_does(self, folder, opened):
        Assessment.recall(folder)
        Assessment.recall(folder)
        assert len(opened) == 1
        answers(26).to_csv(folder / "responses.csv", index=False)
        assert Assessment.recall(folder).cell("perception", barrier_id="measurement").n == 26
        Assessment.recall(folder, as_of="2026-01-01")
        assert len(opened) == 3

    def test_an_instrument_of_ones_own_is_seen(self, folder, opened):
        Assessment.recall(folder)
        shutil.copytree(SAMPLE.parent / "instrument", folder / "instrument")
        settings = folder / "instrument" / "settings.csv"
        settings.write_text(settings.read_text().replace("minimum_group,5", "minimum_group,26"))
        assert not Assessment.recall(folder).cell("perception", barrier_id="measurement").ok
        assert len(opened) == 2

    def test_a_save_in_one_table_keeps_what_the_others_determine(self, folder, monkeypatch):
        feedback, lines = folder / "feedback.csv", ["feedback_id,unit_id,flagged_at", "f1,claims,2026-09-01T09:00:00"]
        feedback.write_text("\n".join(lines))
        before = Assessment.recall(folder)
        with monkeypatch.context() as patched:
            patched.setattr(survey, "tables", lambda *_: pytest.fail("the survey is measured again"))
            feedback.write_text("\n".join([*lines, "f2,claims,2026-09-02T09:00:00"]))
            after = Assessment.recall(folder)
            assert after.counts.set_index("table")["read"]["feedback"] == 2
        assert before.counts.set_index("table")["read"]["feedback"] == 1
        computed = Assessment.open(folder)
        assert after.facts == computed.facts
        for name, table in computed.tables.items():
            pd.testing.assert_frame_equal(after.tables[name], table)
        answers(26).to_csv(folder / "responses.csv", index=False)
        assert Assessment.recall(folder).cell("perception", barrier_id="measurement").n == 26

    def test_a_kept_part_that_is_broken_is_computed_again(self, folder):
        Assessment.recall(folder)
        before = Assessment.recall(folder).measures
        shutil.rmtree(next(result_cache.cache_folder().glob("results-*")))
        for path in result_cache.cache_folder().glob("part-*/*.feather"):
            path.write_bytes(b"torn")
        pd.testing.assert_frame_equal(Assessment.recall(folder).measures, before, check_dtype=False)

    def test_kept_parts_hold_nothing_of_a_group_that_is_too_small(self, folder):
        answers(4).to_csv(folder / "responses.csv", index=False)
        Assessment.recall(folder)
        (measures,) = result_cache.cache_folder().glob("part-survey-*/measures.feather")
        rows = pd.read_feather(measures)
        assert rows.loc[rows["measure"].eq("perception"), "status"].ne("ok").all()
        assert rows.loc[rows["measure"].eq("perception"), ["value", "low", "high", "n"]].isna().all(axis=None)
        for name in ("items", "item_means", "themes", "rankings"):
            table = pd.read_feather(measures.with_name(f"{name}.feather"))
            assert table.empty or table["status"].ne("ok").all()

    def test_a_panel_of_kept_results_imports_nothing_that_reads_or_computes(self, folder):
        code = (
            "import sys\nfrom aiready import Assessment, panels\n"
            "panels.barriers(Assessment.recall(sys.argv[1]))\n"
            "print({'pandas', 'duckdb', 'ibis', 'scipy', 'openpyxl', 'nbconvert'} & {*sys.modules})"
        )
        Assessment.recall(folder)
        done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "{'pandas'}"

    def test_is_for_the_user_alone_and_keeps_few(self, folder, monkeypatch):
        computed = Assessment.open(folder)
        monkeypatch.setattr(scoring, "open_data", lambda *_, **__: computed)
        for day in range(1, 8):
            Assessment.recall(folder, as_of=f"2026-01-0{day}")
        kept = result_cache.cache_folder()
        assert stat.S_IMODE(kept.stat().st_mode) == 0o700
        assert len(list(kept.glob("results-*"))) == result_cache.MAX_RESULTS

    def test_where_nothing_can_be_kept_it_computes(self, folder, monkeypatch):
        monkeypatch.setenv(result_cache.FOLDER_VARIABLE, "/proc/nowhere")
        assert Assessment.recall(folder).cell("perception", barrier_id="measurement").ok
