"""What pyproject.toml's contracts between rooms do not hold: what lies at the top, lengths, names, words never used."""

import ast
import re
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "aiready"

LINES = 600
VAGUE = {"utils", "helpers", "common", "core", "base", "manager", "misc", "util", "helper"}
POSTS_AND_MONEY = re.compile(
    r"\bFTEs?\b|full[- ]time equivalent|headcount reduction|job cuts?\b|redundanc|\blay[- ]?offs?\b|dismissal"
    r"|\beuros?\b|\bEUR\b|\bUSD\b|[€£$]|\bdollars?\b|salar(y|ies)|payroll|cost savings?\b|savings in cost",
    re.IGNORECASE,
)
READ_BY_PEOPLE = ("pages.", "model.registry", "model.schema", "profile.actions")
"""Modules whose texts stand on pages."""


def _named() -> dict[str, Path]:
    paths = (path for path in sorted(PACKAGE.rglob("*.py")) if "_shipped" not in path.parts)
    names = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in paths}
    return {name.removesuffix(".__init__"): path for name, path in names.items() if name != "__init__"}


MODULES = _named()
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


READ = sorted(name for name in MODULES if name.startswith(READ_BY_PEOPLE))


def test_nothing_stands_at_the_top_but_the_rooms_and_what_all_of_them_use():
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms == {
        "model", "messages", "instrument", "charts", "inputs", "privacy", "collection", "measures", "profile", "pages",
        "batch", "workbook", "cli",
    }  # fmt: skip
    assert {path.stem for path in PACKAGE.glob("*.py")} == {
        "__init__", "errors", "package_files", "atomic_files", "result_cache",
    }  # fmt: skip


ONE_OF_EACH = {
    "CSV reader": (r"csv\.(reader|DictReader)|\bpd\.read_csv", {
        "package_files",  # the small tables of our own
        "inputs.files",  # data files, in whatever form they come
    }),
    "parser of typed numbers": (r"replace\(',', '\.'\)", {"inputs.parse"}),  # an answer's level, on the engine
    "digest": (r"\bhashlib\.", {
        "atomic_files",
        "inputs.parse",  # the engine's own, described
        "privacy.release_keys", "collection.survey_import.respondents",  # keyed
    }),
    "slug": (r"\[\^a-z0-9\]\+", {"atomic_files"}),
    "way to find a user's folder": (r"\bPath\.home|XDG_|APPDATA|expanduser\('~", set()),  # platformdirs knows
    "map of roles to segments": (r"\.roles_(doing|leading)\b", {
        "privacy.segments",
        "instrument.model",  # checks the setting
        "measures.survey.comparisons",  # the roles on each side of a gap
        "privacy.record_linkage", "privacy.release_record",  # compare and keep the setting
    }),
    "way to escape HTML": (r"\bhtml\.escape|from html import .*\bescape", {
        "messages.markup",
        "charts.draw", "charts.svg",  # SVG, whose elements escape their own texts, by the thousand
        # panels, whose markup stands in widgets
        "workbook.panels.board_view", "workbook.panels.canvas_view", "workbook.panels.editing",
        "workbook.panels.frame", "workbook.panels.panel", "workbook.panels.self_assessment_panel",
        "batch.repeated_run", "batch.page_checks",  # compare with a finished page
    }),
}  # fmt: skip
"""What there is one of -> how its use is recognised in code, and the only modules that use it, with the reasons."""


@pytest.mark.parametrize("thing", ONE_OF_EACH)
def test_there_is_one_of_each(thing):
    pattern, modules = ONE_OF_EACH[thing]
    assert {name for name, tree in TREES.items() if re.search(pattern, ast.unparse(tree))} == modules


def test_measures_read_no_files_and_no_clock():
    """Files, processes and clocks belong to inputs, batch and the command line."""
    pure = [name for name in MODULES if name.startswith(("measures.", "pages.sentences", "pages.tables"))]
    pure = [*pure, "profile.barriers", "profile.facets", "profile.actions"]
    pure.remove("measures.initiatives.problem_words")  # a table of words beside it
    for name in pure:
        words = {getattr(node.func, "attr", "") for node in ast.walk(TREES[name]) if isinstance(node, ast.Call)}
        files = {"read_csv", "read_parquet", "read_text", "read_rows", "read_records", "write_text"}
        assert not words & {*files, "today", "now", "utcnow"}, name


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
            if isinstance(node, ast.FunctionDef) and name != "cli.commands":
                flags = [arg.arg for arg in node.args.args if getattr(arg.annotation, "id", "") == "bool"]
                found += [f"{name}.{node.name}({flag})" for flag in flags]
    assert found == []


def _texts(name: str) -> list[str]:
    return [
        node.value for node in ast.walk(TREES[name]) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


@pytest.mark.parametrize("name", READ)
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
