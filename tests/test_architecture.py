"""The architecture is a test: who may import what, how long a module may be, and words that are never used."""

import ast
import re
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "aiready"

LAYERS = (
    "cell_words errors waves parameters phrases.reading phrases.formats phrases.language phrases schema shipped"
    " publication memory measures",
    "instrument_files languages instrument hierarchy",
    "questionnaire.questions questionnaire.tables questionnaire.page questionnaire.qualtrics questionnaire.limesurvey"
    " questionnaire.workbook questionnaire",
    "file_kinds workbook_limits open_sheets workbook_parts old_workbooks workbooks readers warehouses embedded"
    " stored_kinds unread places loading cells checks decision_store distant_log"
    " thousands small_tables as_of accounting spellings sources",
    "text_tables journal slices saving agreeing",
    "exports.lexicon exports.words exports.files exports.mapping exports.matching exports.reading exports.answers"
    " exports.dates exports.respondents exports.importing exports.repeats exports.folder exports exports.telling",
    "forms codebook sample_seeds sample_records sample_decisions sample",
    "statistics survival reliability resampling cell_tree contributors derivation feasibility sensitivity suppression"
    " hidden_cells privacy release_keys releases matches joint_parts joint_rows history"
    " shown_figures records set_aside groups scales stages",
    "comparisons changes distributions survey_people survey",
    "problem_words problem_statements initiatives",
    "verdicts trials",
    "task_hours job_holders tasks",
    "workflows",
    "decision_counts decision_ratios decision_times deciders decisions",
    "feedback",
    "barriers facets actions translations facts",
    "assessment distinct_values checkup",
    "theme svg figures charts.layers charts.canvas charts.survey charts.work charts.maps charts.trends",
    "charts.exploring charts",
    "html.blocks html.exporter html slides",
    "narrative.words narrative.hiding narrative.survey narrative.records narrative.evolution narrative.front narrative",
    "views.words views.survey views.records views.evolution views.reliability views",
    "typed_cells task_library task_board self_assessment team_spread pilot_plan canvas",
    "sections key_figures handout overview side_by_side portfolio",
    "views.view views.survey views.records views.doing views.what_if explore",
    "panels.frame panels.controls panels.picture panels.writing panels.asking panels.board_view panels.redesigning"
    " panels.canvas_view panels.canvassing",
    "panels.panel panels.choosing panels.looking panels.drilling panels.weighing panels.agreeing panels",
    "orders engine execution inspection rendering beside template scratch press plain batch cluster",
    "unit_slice freshness ownership manifest pdf reports terminal progress stopping lab cli start",
)
"""Every module in the order data flows, one layer a line: a module imports only from those above it."""
ORDER = [name for layer in LAYERS for name in layer.split()]
NOUNS = {
    "survey": {"survey", "comparisons", "changes", "distributions", "survey_people"},
    "initiatives": {"initiatives", "problem_statements"},
    "trials": {"trials", "verdicts"},
    "tasks": {"tasks", "task_hours", "job_holders"},
    "workflows": {"workflows"},
    "decisions": {"decisions", "decision_counts", "decision_ratios", "decision_times", "deciders"},
    "feedback": {"feedback"},
}
"""Each noun with the modules that only it uses."""
LINES = 400
VAGUE = {"utils", "helpers", "common", "core", "base", "manager", "misc", "util", "helper"}
POSTS_AND_MONEY = re.compile(
    r"\bFTEs?\b|full[- ]time equivalent|headcount reduction|job cuts?\b|redundanc|\blay[- ]?offs?\b|dismissal"
    r"|\beuros?\b|\bEUR\b|\bUSD\b|[€£$]|\bdollars?\b|salar(y|ies)|payroll|cost savings?\b|savings in cost",
    re.IGNORECASE,
)
READ_BY_PEOPLE = (
    "narrative.words", "narrative.hiding", "narrative.survey", "narrative.records", "narrative.evolution",
    "narrative.front", "views.survey", "views.records", "views.evolution", "views.reliability", "key_figures",
    "handout", "side_by_side", "portfolio", "overview", "measures", "schema", "actions",
)  # fmt: skip
"""Modules whose texts stand on pages."""


def _named() -> dict[str, Path]:
    paths = (path for path in sorted(PACKAGE.rglob("*.py")) if "_shipped" not in path.parts)
    names = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in paths}
    return {name.removesuffix(".__init__"): path for name, path in names.items() if name != "__init__"}


MODULES = _named()
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def _imported(name: str) -> set[str]:
    """Modules of the package that a module imports, anywhere in its text."""
    found = set()
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "aiready":
            inside = ".".join((node.module or "").split(".")[1:])
            for alias in node.names:
                full = f"{inside}.{alias.name}".strip(".")
                found.add(full if full in MODULES else inside or "assessment")
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".", 1)[1] for alias in node.names if alias.name.startswith("aiready.")}
    return found - {name}


def test_every_module_has_its_place_in_the_order_and_only_modules_do():
    assert sorted(ORDER) == sorted(MODULES)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_module_imports_only_from_those_above_it(name):
    above = set(ORDER[: ORDER.index(name)])
    inside = {other for other in MODULES if other.startswith(f"{name}.")}
    assert _imported(name) <= above | inside


@pytest.mark.parametrize("noun", NOUNS)
def test_nouns_never_import_each_other(noun):
    others = set().union(*(modules for name, modules in NOUNS.items() if name != noun))
    for module in NOUNS[noun]:
        assert not _imported(module) & others, module


def test_charts_import_no_measure():
    for name in MODULES:
        if name.split(".")[0] == "charts":
            assert {other.split(".")[0] for other in _imported(name)} <= {"charts", "theme", "phrases"}, name


def test_measures_read_no_files_and_no_clock():
    """Nouns are pure: files, processes and clocks live in sources, reports and the command line."""
    pure = (
        set().union(*NOUNS.values())
        | {"barriers", "facets", "actions", "statistics", "survival"}
        | set(READ_BY_PEOPLE[:6])
    )
    for name in pure:
        words = {getattr(node.func, "attr", "") for node in ast.walk(TREES[name]) if isinstance(node, ast.Call)}
        assert not words & {"read_csv", "read_parquet", "read_text", "write_text", "today", "now", "utcnow"}, name


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_module_is_short(name):
    assert len(MODULES[name].read_text(encoding="utf-8").splitlines()) <= LINES


def test_no_module_has_a_name_that_says_nothing():
    parts = {part for name in MODULES for part in re.split(r"[._]", name)}
    assert not parts & VAGUE


def test_package_code_never_asserts():
    found = [name for name, tree in TREES.items() if any(isinstance(node, ast.Assert) for node in ast.walk(tree))]
    assert found == []


def test_every_public_function_class_and_module_says_what_it_does():
    silent = [name for name, tree in TREES.items() if not ast.get_docstring(tree)]
    for name, tree in TREES.items():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                silent += [f"{name}.{node.name}"] * (not ast.get_docstring(node))
    assert silent == []


def test_no_function_takes_a_boolean_by_position():
    """`f(x, True)` says nothing where it is read; commands are exempt, Typer names their options."""
    found = []
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and name != "cli":
                flags = [arg.arg for arg in node.args.args if getattr(arg.annotation, "id", "") == "bool"]
                found += [f"{name}.{node.name}({flag})" for flag in flags]
    assert found == []


def _texts(name: str) -> list[str]:
    return [
        node.value for node in ast.walk(TREES[name]) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


@pytest.mark.parametrize("name", READ_BY_PEOPLE)
def test_hours_are_never_turned_into_posts_or_money_in_words_of_the_package(name):
    assert [text for text in _texts(name) if POSTS_AND_MONEY.search(text)] == []


@pytest.mark.parametrize("path", sorted((ROOT / "data" / "instrument").iterdir()), ids=lambda path: path.name)
def test_hours_are_never_turned_into_posts_or_money_in_the_instrument(path):
    if path.name == "sources.csv":
        words = " ".join(pd.read_csv(path, dtype=str, keep_default_na=False).get("what_it_says", pd.Series(dtype=str)))
    else:
        words = path.read_text(encoding="utf-8")
    assert POSTS_AND_MONEY.findall(words) == []


def test_the_search_for_posts_and_money_finds_them():
    for text in ("saves 3 FTE", "worth 4,000 euros", "$12", "a headcount reduction", "two layoffs", "12 €"):
        assert POSTS_AND_MONEY.search(text), text
    for text in ("minutes spread over many people", "headcount", "They are not positions", "effort"):
        assert not POSTS_AND_MONEY.search(text), text
