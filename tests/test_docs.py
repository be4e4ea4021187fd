"""What the documents say is true: commands exist, modules are listed, links resolve, generated pages are current."""

import re
from pathlib import Path

import pandas as pd
import pytest
import typer

from aiready.cli.commands import app
from aiready.instrument.model import read_instrument
from aiready.model.registry import MEASURES
from aiready.model.schema import TABLES
from tools import docs

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "reports" / "README.md", *DOCS.rglob("*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def code(page: str) -> list[str]:
    """Lines of shell blocks without their comments, and what stands in backticks in running text."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    prose = re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)
    return [text for text in [*lines, *re.findall(r"`([^`]+)`", prose)] if text]


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_named_exists_with_its_options(page):
    for text in code(page.read_text(encoding="utf-8")):
        words = text.split()
        if words[0] == "aiready" and len(words) > 1:
            assert words[1] in COMMANDS, text
            known = {option for parameter in COMMANDS[words[1]].params for option in parameter.opts}
            assert {word for word in words if word.startswith("--")} <= known, text
        if words[0] == "make" and len(words) > 1:
            assert words[1] in TARGETS, text


def test_the_readme_names_the_commands_a_new_user_needs():
    said = [text.split()[:2] for text in code(README)]
    for wanted in ("make report", "make test", "aiready new", "aiready check", "aiready report"):
        assert wanted.split() in said


def test_the_papermill_example_names_a_notebook_and_a_unit_of_the_sample():
    example = next(text for text in code(README) if text.startswith("papermill"))
    words = example.split()
    assert (ROOT / words[1]).exists()
    assert words[-1] in set(pd.read_csv(ROOT / "data" / "sample" / "units.csv")["unit_id"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_of_the_project_that_a_page_names_exists(page):
    paths = re.findall(r"`((?:aiready|tools|tests|notebooks|benchmarks|data)/[\w/.]*)`", page.read_text("utf-8"))
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_resolve(page):
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    for link in links:
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_picture_of_a_handout_is_light():
    assert (DOCS / "handout.png").stat().st_size < 150_000


def test_every_measure_has_its_row_and_no_row_is_without_a_measure():
    notes = docs.measure_notes()
    assert tuple(notes.columns) == docs.NOTE_COLUMNS
    assert list(notes["measure"]) == list(MEASURES)


def test_every_note_is_filled_and_names_known_sources():
    notes = docs.measure_notes()
    assert notes.ne("").all(axis=None)
    known = {*read_instrument().sources["source_id"], docs.CONVENTION}
    assert {one for sources in notes["source"] for one in sources.split(";")} <= known


def test_the_page_of_measures_is_current():
    assert (DOCS / "measures.md").read_text(encoding="utf-8") == docs.measures_page(), "run tools.docs"


def test_the_page_of_modules_is_current_and_lists_every_module():
    page = (DOCS / "modules.md").read_text(encoding="utf-8")
    assert page == docs.modules_page(), "run tools.docs"
    modules = [path for path in docs.PACKAGE.rglob("*.py") if "_shipped" not in path.parts]
    listed = re.findall(r"^\| `", page, re.MULTILINE)
    assert len(listed) == len(modules) - len(docs.ROOMS)  # a room's own docstring stands below its heading


def test_the_tables_of_your_data_are_current():
    page = (DOCS / "your-data.md").read_text(encoding="utf-8")
    assert page == docs.with_tables(page), "run tools.docs"


def test_every_table_and_column_is_explained():
    section = docs.tables_section()
    for table in TABLES.values():
        part = section.split(f"### {table.name}\n")[1].split("\n### ")[0]
        for column in table.columns:
            assert f"`{column.name}`" in part
            assert column.meaning in part


def test_a_page_without_marks_is_refused():
    with pytest.raises(ValueError, match="needs the marks"):
        docs.with_tables("# Your data\n")


def test_text_of_a_note_cannot_break_the_page(tmp_path):
    (tmp_path / "your-data.md").write_text(f"before\n{docs.START}\nold\n{docs.END}\nafter\n")
    docs.write_docs(tmp_path)
    written = (tmp_path / "your-data.md").read_text(encoding="utf-8")
    assert written.startswith("before\n") and written.endswith("\nafter\n") and "\nold\n" not in written
    assert "mean(x*)" not in (tmp_path / "measures.md").read_text(encoding="utf-8")


def test_requirements_are_exact_and_those_for_tests_add_to_them():
    run, tests = ((ROOT / name).read_text().splitlines() for name in ("requirements.txt", "requirements-dev.txt"))
    assert tests[0] == "-r requirements.txt"
    exact = re.compile(r"[A-Za-z0-9_.-]+==[A-Za-z0-9.]+")
    assert [line for line in [*run, *tests[1:]] if not exact.fullmatch(line)] == []
    assert not set(run) & set(tests)


CHECKED = re.compile(r"^\| (.+) \| (.+) \| `(test_\w+)::(test_\w+)` \|$", re.MULTILINE)


def test_each_check_by_other_code_that_the_method_names_is_there():
    """The test exists, and what it calls stands in it or in the head of its file; what is named a measure is one."""
    rows = CHECKED.findall((DOCS / "method.md").read_text(encoding="utf-8"))
    assert len(rows) > 20
    for named, by, file, name in rows:
        text = (ROOT / "tests" / f"{file}.py").read_text(encoding="utf-8")
        assert re.search(rf"def {name}\(", text), name
        assert all(call in text for call in re.findall(r"`(\w+)`", by)), (name, by)
        measures = [word for word in re.findall(r"\w+", named) if "_" in word or word in MEASURES]
        assert set(measures) <= set(MEASURES), named
