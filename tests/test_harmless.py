"""What must not stand in a handout: other units, comments, posts, money, anything that runs or leads astray."""

import json
import re
import shutil
from html.parser import HTMLParser

import nbformat
import pandas as pd
import pytest
from conftest import SAMPLE
from test_handout import PORTFOLIO, SECTIONS

from aiready.charts.figures import FIGURE_MIME, Figure
from aiready.pages.markup import HandoutExporter
from aiready.pages.markup.blocks import Block
from aiready.profile.assessment import Assessment

pytestmark = pytest.mark.slow
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "[click](javascript:alert(3))",
    "**loud** `code` <b>tag</b>",
    "</style></title><svg onload=alert(4)>",
    "{{ 7 * 7 }} {% raw %}",
)
SECRET = "the comment that nobody else may read"


def everything(sections) -> str:
    """All that a page holds: markup, words and numbers of figures, and what the charts are drawn from."""
    parts = [part for shown in sections for part in shown]
    return "\n".join(
        str(part) if isinstance(part, Block) else json.dumps(part._repr_mimebundle_(), ensure_ascii=False, default=str)
        for part in parts
    )


@pytest.fixture(autouse=True)
def as_json(monkeypatch):
    monkeypatch.setenv("AIREADY_CHARTS", "json")


@pytest.fixture(scope="module")
def units(sample):
    """Everything each handout of the sample holds."""
    patch = pytest.MonkeyPatch()
    patch.setenv("AIREADY_CHARTS", "json")
    held = {unit_id: everything(make(sample.unit(unit_id)) for make in SECTIONS) for unit_id in sample.units["unit_id"]}
    patch.undo()
    return held


def test_a_handout_holds_nothing_of_another_unit(sample, units):
    named = sample.units.set_index("unit_id")["name"]
    for unit_id, held in units.items():
        others = [other for other in named.index if other != unit_id and named[other] not in named[unit_id]]
        # a job or an initiative may be called after a unit: a unit's name alone is looked for
        shown = [f"{before}{named[other]}{after}" for other in others for before, after in ('""', "><", "()")]
        assert [name for name in shown if name in held] == [], unit_id
        assert [other for other in others if f'"{other}"' in held] == [], unit_id


def test_a_handout_speaks_of_no_posts_no_money_and_no_rank(units):
    forbidden = (
        r"\b(FTEs?|full-time|posts|layoffs?|redundan\w+|salar\w+|wages?|€|\$\d|EUR|USD|cost savings?|unit_rank\w*)\b"
    )
    for unit_id, held in units.items():
        words = re.sub(r"<[^>]+>", " ", held).replace("Cost", "")
        assert re.findall(forbidden, words, re.IGNORECASE) == [], unit_id
        assert "positions" not in words.replace("They are not positions", "")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """The sample with hostile text in every column of free text, and a comment on every answer."""
    folder = tmp_path_factory.mktemp("hostile") / "data"
    shutil.copytree(SAMPLE, folder)
    (folder / "decisions.parquet").unlink()
    texts = {"units": ["name"], "trials": ["learned"], "tasks": ["task", "job"], "workflow_steps": ["step"],
             "actions": ["action", "owner"],
             "initiatives": ["name", "outcome_metric", "guardrail", "problem_statement", "evidence_url"]}  # fmt: skip
    for table, columns in texts.items():
        rows = pd.read_csv(folder / f"{table}.csv", dtype=str, keep_default_na=False)
        for column in set(columns) & set(rows):
            keys = {text: place for place, text in enumerate(dict.fromkeys(rows[column]))}
            rows[column] = [f"{HOSTILE[keys[text] % len(HOSTILE)]} {keys[text]}" for text in rows[column]]
        if "evidence_url" in rows:
            rows["evidence_url"] = "javascript:alert(5)"
        rows.to_csv(folder / f"{table}.csv", index=False)
    said = pd.read_csv(folder / "responses.csv", dtype=str, keep_default_na=False)
    said.assign(comment=SECRET).to_csv(folder / "responses.csv", index=False)
    return Assessment.open(folder)


class Tags(HTMLParser):
    """Tags, their event handlers, and where their links lead."""

    def __init__(self):
        super().__init__()
        self.seen, self.handlers, self.links = set(), [], []

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.links += [value for name, value in attrs if name in ("href", "src", "action")]


def page_of(sections) -> str:
    bundles = []
    for shown in sections:
        for part in shown:
            if isinstance(part, Block):
                bundles.append({"text/html": str(part)})
            else:
                made = part._repr_mimebundle_()
                if isinstance(part, Figure):  # the charts' own marks have tests of their own; here: their words
                    made[FIGURE_MIME]["wide"] = made[FIGURE_MIME]["narrow"] = {
                        "data": {"values": [{}]},
                        "mark": "point",
                    }
                bundles.append(made)
    outputs = [nbformat.v4.new_output("display_data", data=data) for data in bundles]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=outputs)])
    return HandoutExporter().from_notebook_node(book)[0]


@pytest.mark.parametrize("unit_id", ["motor-claims", "*"])
def test_hostile_text_is_shown_and_does_nothing(hostile, unit_id):
    unit = hostile.unit(unit_id) if unit_id != "*" else hostile
    page = page_of(make(unit) for make in (SECTIONS if unit_id != "*" else PORTFOLIO))
    tags = Tags()
    tags.feed(page)
    assert tags.seen.isdisjoint({"script", "img", "iframe", "object", "form", "code", "link", "base"})
    assert tags.handlers == []
    assert [link for link in tags.links if not link.startswith(("#", "https://", "http://"))] == []
    assert "&lt;script&gt;alert(1)" in page
    assert "<b>tag" not in page
    assert "**loud**" in page


def test_comments_stand_nowhere(hostile):
    held = everything(make(hostile.unit("motor-claims")) for make in SECTIONS) + everything(
        make(hostile) for make in PORTFOLIO
    )
    assert SECRET not in held
    for name, rows in hostile.tables.items():
        text = rows.select_dtypes(include=["object", "string"]).astype(str)
        assert not text.apply(lambda column: column.str.contains(SECRET).any()).any(), name
