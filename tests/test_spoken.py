"""Pages in other languages: nothing English left on them, the same numbers, and gaps of a translation refused."""

import ast
import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from conftest import SAMPLE

from aiready import messages
from aiready.batch.report_run import ReportRequest, run_report
from aiready.batch.schedule import RunOptions
from aiready.charts.figures import Figure
from aiready.errors import InstrumentError, UsageError
from aiready.instrument.model import read_instrument
from aiready.messages import ENGLISH, Language
from aiready.messages.catalogue import phrases as phrases_of
from aiready.package_files import package_file
from aiready.pages import handout, index, portfolio, unit_comparison
from aiready.pages.markup.blocks import Block, Page
from aiready.profile.translations import TRANSLATED, translate_instrument

OTHERS = [code for code in messages.language_codes() if code != "en"]
UNITS = ("motor-claims", "treasury")
PACKAGE = Path(handout.__file__).parents[1]
SAID = ("pages/*.py", "pages/sentences/*.py", "pages/tables/*.py", "pages/views/*.py", "charts/*.py")
CODES = {"NOT ASSESSABLE", "as before"}
"""Values of results and records that are two words."""


# What the package says, it says by phrases


def _strings(tree: ast.AST) -> list[str]:
    """String literals that may reach a page: no docstring, no error message, no list of columns for a decorator."""
    silent: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            silent.add(id(node.value))
        if isinstance(node, ast.Raise) or (isinstance(node, ast.keyword) and node.arg == "values"):
            silent |= {id(inner) for inner in ast.walk(node)}
    texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [node.value for node in texts if id(node) not in silent]


def _worded(text: str) -> bool:
    plain = re.sub(r"<[^>]*>?|[\w-]+=\"[^\"]*\"?|\{[^}]*\}?|^[^<]*>", " ", text)
    return text not in CODES and re.search(r"[A-Za-z]{2,} [A-Za-z]{2,}", plain) is not None


@pytest.mark.parametrize(
    "path", sorted(path for glob in SAID for path in PACKAGE.glob(glob)), ids=lambda path: path.name
)
def test_no_sentence_for_a_page_stands_in_the_code(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    styles = {"STANDALONE_CSS", "NUMBER_COLUMNS_CSS", "FONT"}
    tree.body = [
        node
        for node in tree.body
        if not (isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in styles)
    ]
    assert [text for text in _strings(tree) if _worded(text)] == []


def test_the_search_for_sentences_finds_them():
    tree = ast.parse('"""Doc string."""\ndef f():\n    return f"<p>too few {n} of them</p>", "two words", "one"')
    assert {text for text in _strings(tree) if _worded(text)} == {"<p>too few ", " of them</p>", "two words"}


TREES = [ast.parse(path.read_text("utf-8")) for path in PACKAGE.rglob("*.py")]
KEYS = {key.partition("#")[0] for key in phrases_of("en")}


def test_every_phrase_asked_for_is_there():
    calls = [node for tree in TREES for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    asked = [node.args[0] for node in calls if getattr(node.func, "attr", getattr(node.func, "id", "")) == "say"]
    named = {key.value for key in asked if isinstance(key, ast.Constant) and re.fullmatch(r"\w+\.\w+", key.value)}
    assert len(named) > 200
    assert named - KEYS == set()


def test_every_phrase_is_used():
    """A key made of a fixed beginning and a name of data (`stage.pilot`), or of another key and more, counts."""
    templates = (PACKAGE / "pages/markup/templates/handout/index.html.j2").read_text("utf-8")
    used = {text for tree in TREES for text in _strings(tree)} | set(re.findall(r"say\('([\w.]+)'\)", templates))
    begun = {text for text in used if re.fullmatch(r"[a-z_]+\.(?:[a-z_]+_)?", text)}
    begun |= {f"{text}_" for text in used & KEYS} | {"format.", "unit.", "standing."}
    assert [key for key in KEYS - used if not any(key.startswith(start) for start in begun)] == []


# What stands on a page


def _sections(unit):
    if unit.unit_id == "*":
        makers = (portfolio.front, portfolio.barriers, portfolio.initiatives, portfolio.work, portfolio.pilots,
                  portfolio.evolution, portfolio.metrics, portfolio.absent, portfolio.method)  # fmt: skip
    else:
        makers = (handout.front, handout.barriers, handout.groups, unit_comparison.children, handout.each_barrier,
                  handout.work, handout.pilots, handout.evolution, handout.metrics, handout.workflow, handout.themes,
                  handout.trend, handout.agreed, handout.absent, handout.method)  # fmt: skip
    return [part for make in makers for part in make(unit)]


def _drawn(spec) -> list[str]:
    """Every word in a chart's rows."""
    rows = [row for layer in spec["layer"] for row in layer["data"]["values"]]
    return [cell.replace("\n", " ") for row in rows for cell in row.values() if isinstance(cell, str)]


def _texts(part) -> list[str]:
    if isinstance(part, Page):
        return [part.title, part.eyebrow, part.meta, part.footer, part.running]
    if isinstance(part, Block):
        return re.sub(r"<[^>]+>", "\n", str(part)).split("\n")
    if isinstance(part, Figure):
        told = part.payload()
        cells = [cell for row in told["rows"] for cell in row]
        words = [told["title"], told["subtitle"], told["description"], told["caption"], *told["columns"], *cells]
        return [*words, *_drawn(json.loads(told["wide"])), *_drawn(json.loads(told["narrow"]))]
    raise TypeError(type(part))


def _page(unit) -> str:
    return "\n".join(text for part in _sections(unit) for text in _texts(part))


def _of_data(sample) -> str:
    """Everything that stands on a page because it stands in the data, as one pattern."""
    tables = ("initiatives", "tasks", "step_changes", "actions", "verdicts", "units")
    frames = [sample.tables[name].select_dtypes(object) for name in tables]
    cells = {str(cell) for frame in frames for cell in frame.to_numpy().ravel() if isinstance(cell, str)}
    cells |= {str(text) for text in sample.facts.about.values()}
    names = sorted((cell for cell in cells if " " in cell), key=len, reverse=True)
    return "|".join(re.escape(name) for name in names)


@pytest.fixture(scope="module")
def names(sample):
    return re.compile(_of_data(sample), re.IGNORECASE)


def _english(code: str) -> list[str]:
    """Stretches of two English words and more that the other language's phrases do not hold themselves."""
    spoken = "\n".join(phrases_of(code).values()).lower()
    rules = read_instrument()
    words = [cell for name in TRANSLATED for cell in getattr(rules, name)[list(TRANSLATED[name])].to_numpy().ravel()]
    words += list(rules.items[["facet_label", *(f"level_{step}" for step in range(1, 6))]].to_numpy().ravel())
    texts = [text for key, text in phrases_of("en").items() if not key.startswith("format.")]
    parts = {part.strip(" .,;:()·").lower() for text in [*texts, *words] for part in re.split(r"\{\w+\}|\n", text)}
    return sorted(part for part in parts if re.search(r"[a-z]{2,} [a-z]{2,}", part) and part not in spoken)


@pytest.mark.slow
@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("unit_id", [*UNITS, "*"])
def test_no_english_phrase_is_left_on_a_page(sample, names, code, unit_id):
    own = sample if unit_id == "*" else sample.unit(unit_id, children=True)
    page = names.sub("…", _page(own.translated(Language(code)))).lower()
    assert [part for part in _english(code) if re.search(rf"(?<!\w){re.escape(part)}(?!\w)", page)] == []


@pytest.mark.slow
def test_the_search_for_english_finds_it(sample, names):
    page = names.sub("…", _page(sample.unit("treasury"))).lower()
    assert sum(part in page for part in _english("de")) > 20


@pytest.mark.slow
@pytest.mark.parametrize("code", OTHERS)
def test_pages_of_every_language_have_the_same_sections_figures_and_numbers(sample, code):
    """Digits of every table, in order, with each language's signs taken away."""

    def bare(unit):
        parts = [part for part in _sections(unit) if isinstance(part, Figure)]
        tables = [(part.name, ["".join(re.findall(r"\d+", str(cell))) for cell in part.table.to_numpy().ravel()])
                  for part in parts]  # fmt: skip
        anchors = [re.findall(r'<h2 id="([^"]*)"', str(part)) for part in _sections(unit) if isinstance(part, Block)]
        return tables, anchors

    own = sample.unit("motor-claims")
    assert bare(own.translated(Language(code))) == bare(own)


@pytest.mark.parametrize("code", OTHERS)
def test_the_index_of_a_run_speaks_the_language_too(sample, code):
    statuses = {
        "portfolio.html": {"page": "portfolio.html", "status": "ok", "change": "new", "digest": "a"},
        "treasury.html": {"page": "treasury.html", "status": "time-out", "reason": "600 s", "digest": "", "as_of": ""},
        "finance.html": {
            "page": "finance.html",
            "status": "killed",
            "reason": "",
            "digest": "b",
            "as_of": "2026-09-30",
        },
    }
    page = index.index_page(sample.translated(Language(code)), statuses, ["gone"]).decode()
    assert f'<html lang="{code}">' in page
    text = re.sub(r"<style.*?</style>|<[^>]+>", "\n", page, flags=re.DOTALL).lower()
    assert [part for part in _english(code) if re.search(rf"(?<!\w){re.escape(part)}(?!\w)", text)] == []


@pytest.mark.slow
def test_a_run_in_another_language_says_so_on_pages_and_in_the_manifest_and_makes_pages_anew(sample, press, tmp_path):
    made = {}
    for code in ("en", "de"):
        request = ReportRequest(
            str(SAMPLE), tmp_path, ("treasury",), RunOptions(jobs=1, figures=True), submit=press.submit,
            language=Language(code),
        )  # fmt: skip
        run = run_report(sample, request)
        assert run.failed == []
        made[code] = {outcome.page: outcome.why for outcome in run.pages}
        page = (tmp_path / "units/treasury.html").read_text("utf-8")
        assert f'<html lang="{code}">' in page
        manifest = json.loads((tmp_path / "records/manifest.json").read_text("utf-8"))
        assert manifest["language"] == code
    assert made["de"] == {"portfolio.html": "language changed", "treasury.html": "language changed"}
    assert "Zum Inhalt springen" in page and "Skip to the content" not in page
    told = next((tmp_path / "figures/portfolio").glob("*.txt")).read_text("utf-8")
    assert "Alternativtext" in told
    assert "recommended" in {path.stem for path in (tmp_path / "records/results").glob("*.csv")}
    kept = pd.read_csv(tmp_path / "records/results/recommended.csv")
    assert kept["action"].isin(read_instrument().actions["action"]).all(), "results are in English in every language"


# Gaps


@pytest.fixture
def folder(tmp_path):
    copy = tmp_path / "instrument"
    shutil.copytree(package_file("data/instrument"), copy)
    return copy


def _spoil(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_every_gap_of_the_instruments_words_is_named_at_once(folder):
    _spoil(folder / "barriers.de.csv", "measurement,", "measuring,")
    _spoil(folder / "bands.de.csv", "bremsend", "")
    _spoil(folder / "actions.de.csv", "{value}", "{wert}")
    (folder / "blockers.de.csv").write_text("blocker\nno_access\n", encoding="utf-8")
    rules = read_instrument(folder)
    with pytest.raises(InstrumentError) as caught:
        translate_instrument(rules, folder, Language("de"))
    said = str(caught.value)
    assert 'barriers.de.csv, column "name": "measurement" is missing' in said
    assert 'bands.de.csv, column "name": "slowing" is missing or has no words' in said
    assert "{wert}" in said and "other blanks" in said
    assert said.count("blockers.de.csv") == len(rules.blockers)


def test_an_instrument_of_ones_own_takes_the_shipped_words_of_files_it_leaves_out(folder):
    (folder / "actions.de.csv").unlink()
    spoken = translate_instrument(read_instrument(folder), folder, Language("de"))
    shipped_words = translate_instrument(read_instrument(), None, Language("de"))
    assert spoken.actions["action"].tolist() == shipped_words.actions["action"].tolist()


def test_an_instrument_written_in_a_language_needs_no_translation_into_it(folder):
    rules = read_instrument(folder)
    assert translate_instrument(rules, folder, ENGLISH) is rules


def test_a_language_without_phrases_is_refused_with_those_there_are(small_results):
    from aiready import Assessment

    with pytest.raises(UsageError, match="Known languages: de, en, es"):
        Assessment.open(small_results / "data", results=small_results / "results", lang="fr")
