"""Words on pages: names as they are, and no sentence that is untrue in an odd state of the data."""

import dataclasses
import html
import json
import re

import pandas as pd
import pytest

from aiready import Assessment
from aiready.charts.figures import Figure
from aiready.instrument.model import read_instrument
from aiready.messages import ENGLISH
from aiready.pages import handout, portfolio, sentences, unit_comparison
from aiready.pages import index as overview
from aiready.pages.markup.blocks import Page
from aiready.privacy import gate

pytestmark = pytest.mark.slow
ITEMS = list(read_instrument().items["item_id"])
HANDOUT = (
    "front", "barriers", "each_barrier", "groups", "work", "pilots", "evolution", "metrics", "workflow", "themes",
    "trend", "agreed", "absent", "method",
)  # fmt: skip
PORTFOLIO = ("front", "barriers", "initiatives", "work", "pilots", "evolution", "metrics", "absent", "method")
CLAIMS = {"unit_id": "claims", "name": "Claims", "headcount": 40}


def people(number, unit_id="claims", **cells):
    """Answers of so many people, levels 1-5 by turns, or what `cells` says."""
    return [
        {"unit_id": unit_id, **{item: 1 + (person + place) % 5 for place, item in enumerate(ITEMS)}, **cells}
        for person in range(number)
    ]


@pytest.fixture
def opened(tmp_path):
    """An assessment of some tables, each a list of rows, in a language; without dates unless rows have them."""

    def call(lang="", as_of="", **tables):
        folder = tmp_path / "data"
        folder.mkdir(exist_ok=True)
        for name, rows in tables.items():
            pd.DataFrame(rows).to_csv(folder / f"{name}.csv", index=False)
        return Assessment.open(folder, lang=lang, as_of=as_of)

    return call


def words(section):
    """All that a section says: texts, titles, words in pictures, and cells of tables."""
    return " ".join(re.sub(r"\s+", " ", text) for part in section for text in _texts(part))


def _texts(part):
    if isinstance(part, Page):
        return [part.eyebrow, part.title, part.meta, part.footer]
    if isinstance(part, Figure):
        return [part.title, part.subtitle, json.dumps(part.wide, ensure_ascii=False), part.table.to_csv(index=False)]
    return [html.unescape(re.sub(r"<[^>]+>", " ", str(part)))]


def page_of(assessment, unit_id=""):
    """All that the page of a unit says, or the portfolio."""
    if unit_id:
        return " ".join(words(getattr(handout, name)(assessment.unit(unit_id))) for name in HANDOUT)
    return " ".join(words(getattr(portfolio, name)(assessment)) for name in PORTFOLIO)


# Names


def test_a_name_that_fits_is_shown_as_it_is(opened):
    names = ["IT", "HR", "R&D", "x" * 72, "数据部", "שלום"]
    units = [{"unit_id": f"u{place}", "name": name} for place, name in enumerate(names)]
    whole = opened(units=units, responses=[row for unit in units for row in people(10, unit["unit_id"])])
    assert unit_comparison.unit_profile(whole)["unit"].unique().tolist() == names
    (figure,) = (part for part in portfolio.barriers(whole) if isinstance(part, Figure))
    assert figure.table["Unit"].tolist() == names


LONG = "The department for the settlement of claims from members abroad that arrive by letter, "


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["Triage", "Triage", "Triage (2)"], ["Triage", "Triage (3)", "Triage (2)"]),
        ([LONG + "north", LONG + "south"], [
            "The department for the settlement of claims … arrive by letter, north",
            "The department for the settlement of claims … arrive by letter, south"]),
        ([LONG], ["The department for the settlement of claims from members abroad that …"]),
        (["x" * 73], ["x" * 71 + "…"]),
        (["A " + "b" * 100], ["A " + "b" * 69 + "…"]),
        (["数据" * 20], ["数据" * 17 + "数…"]),  # each sign has the room of two letters
        (["e\u0301" * 72], ["e\u0301" * 72]),  # accents of their own take no room
        (["e\u0301" * 73], ["e\u0301" * 71 + "…"]),  # and are never cut from their letter
        (["שלום עולם " * 10], ["שלום עולם " * 7 + "…\u200f"]),  # the mark keeps the dots at the end of the word
    ],
    ids=["numbered", "ends differ", "at a word", "one word", "a long second word", "Chinese", "accents", "accents cut",
         "right to left"],
)  # fmt: skip
def test_long_and_equal_names_are_told_apart(names, shown):
    assert sentences.short_names(names) == shown
    assert len(set(shown)) == len(shown)


def test_units_of_one_name_are_told_apart_by_their_id_also_where_a_name_looks_like_that(opened):
    units = [
        {"unit_id": "a", "name": "Claims"},
        {"unit_id": "b", "name": "Claims"},
        {"unit_id": "c", "name": "Claims (a)"},
    ]
    whole = opened(units=units, responses=[row for unit in units for row in people(10, unit["unit_id"])])
    names = unit_comparison.named_units(whole)["unit"].tolist()
    assert names == ["Claims (a)", "Claims (b)", "Claims (a) (2)"]
    assert portfolio.barriers(whole)[1].table["Unit"].tolist() == names


def test_workflows_of_one_name_in_two_units_stay_two_maps(opened):
    step = {"workflow": "Motor claim", "version": "now", "step_no": 1, "actor": "human"}
    whole = opened(
        units=[{"unit_id": "top", "name": "Top"}, *({"unit_id": u, "name": u, "parent_id": "top"} for u in ("a", "b"))],
        workflow_steps=[step | {"unit_id": "a", "step": "Read"}, step | {"unit_id": "b", "step": "Write"}],
    )
    figures = [part for part in handout.workflow(whole.unit("top")) if isinstance(part, Figure)]
    assert [(figure.title, figure.table["Step"].tolist()) for figure in figures] == [
        ("Motor claim (a)", ["Read"]),
        ("Motor claim (b)", ["Write"]),
    ]


# Sentences that must be true


LETTERS = {
    "initiative_id": "letters",
    "unit_id": "claims",
    "name": "Letter drafting",
    "stage": "pilot",
    "owner": "head",
}
USE = {"initiative_id": "letters", "unit_id": "claims", "intended_users": 60, "active_users": 38}
AGREED = {"action_id": "a", "unit_id": "claims", "barrier_id": "trust_governance", "action": "Name an owner",
          "owner": "head", "due_on": "2026-10-16", "status": "open"}  # fmt: skip
TRIAL = [
    {"initiative_id": "letters", "measure": "right letters", "kind": "outcome", "direction": "increase", "arm": arm,
     "target_effect": 0.03, "n": 400, "successes": successes, "assignment": "random"}
    for arm, successes in (("control", 320), ("treatment", 352))
]  # fmt: skip


def test_no_records_is_only_said_where_there_are_none(opened):
    bare = opened(responses=people(25))
    assert "No records say yet what is done." in page_of(bare, "claims")
    assert "No records say yet what is done." in page_of(bare)


@pytest.mark.parametrize(
    "records", [{"initiatives": [LETTERS], "usage": [USE]}, {"actions": [AGREED]}], ids=["adoption", "agreed action"]
)
def test_beside_records_it_is_said_that_they_say_too_little(opened, records):
    whole = opened(responses=people(25), **records)
    for page in (page_of(whole, "claims"), page_of(whole)):
        assert "No records say yet" not in page
        assert "The records say too little of it yet" in page


def test_a_wave_is_no_date_of_records_and_nothing_is_overdue_on_its_last_day(opened):
    """`2026` ends on 31 December, which may lie ahead: no record reaches up to it."""
    whole = opened(responses=people(25, wave="2026"), actions=[AGREED])
    for page in (page_of(whole, "claims"), page_of(whole), overview.index_page(whole, {}, []).decode()):
        assert "31 December" not in page
        assert "overdue" not in page
    assert "no record bears a date" in page_of(whole, "claims")
    assert "no record bears a date" in overview.index_page(whole, {}, []).decode()


def test_a_dated_record_and_a_stated_date_make_actions_overdue(opened):
    dated = opened(responses=people(25, wave="2026"), actions=[AGREED | {"agreed_on": "2026-11-02"}])
    assert "records up to 2 November 2026" in page_of(dated, "claims")
    assert "The agreed action is overdue" in page_of(dated, "claims")
    stated = opened(as_of="2026-11-02", actions=[AGREED])
    assert "The agreed action is overdue" in page_of(stated, "claims")
    assert "records up to" not in page_of(stated, "claims")


@pytest.mark.parametrize(
    ("tables", "lead"),
    [
        ({"trials": TRIAL}, "The pilot has shown enough to grow."),
        ({"usage": [USE]}, "What is on record here is too little to judge any barrier by."),
        ({"initiatives": [LETTERS]}, "What is on record here is too little to judge any barrier by."),
        ({"invitations": [{"unit_id": "claims", "wave": "2026-Q3", "invited": 30}]}, "Nothing that can be judged"),
        ({"usage": [USE | {"intended_users": 4, "active_users": 3}]}, "What is on record here is hidden"),
    ],
    ids=["a pilot", "use", "a register", "invitations", "hidden use"],
)
def test_nothing_measured_is_only_said_where_nothing_is(opened, tables, lead):
    whole = opened(**tables)
    assert words(portfolio.front(whole)).count(lead) == 1
    assert lead.startswith("Nothing") or "Nothing that can be judged" not in page_of(whole)


def test_nobody_asked_is_never_said_where_people_were_invited_or_answered_earlier(opened):
    invited = {"unit_id": "claims", "wave": "2026-Q3", "invited": 30}
    earlier = [{"unit_id": "it", **row} for row in people(12, "it", wave="2026-Q2")]
    whole = opened(
        units=[CLAIMS, {"unit_id": "it", "name": "IT"}],
        invitations=[invited],
        responses=people(25, wave="2026-Q2") + people(25, wave="2026-Q3") + earlier,
    )
    for page in (page_of(whole, "it"), page_of(whole)):
        assert not re.search(r"[Nn]obody (has been|was) asked", page)
    assert "No answers from here are on record for this wave" in page_of(whole, "it")


def test_users_are_not_called_records(opened):
    page = page_of(opened(usage=[USE]), "claims")
    assert "63 % for intended users who use it (of 60 intended uses)" in page
    assert "60 records" not in page


def test_tasks_without_hours_are_not_called_work_without_tasks(opened):
    task = {"unit_id": "claims", "job": "Handler", "task_id": "t", "task": "Read", "mode": "augment"}
    task["headcount"] = 24
    page = page_of(opened(tasks=[task]), "claims")
    assert "Too little is on record of the hours that AI could save" in page
    assert "not been broken into tasks" not in page


# Why something is hidden

FEW, PROTECTS = "fewer people than may be shown", "hidden to protect another group"


def hidden_by(whole, notes):
    """The assessment with the notes that the privacy gate puts on what people of each unit say."""
    rows = whole.measures
    reason = rows["unit_id"].map(notes).where(rows["status"] == "suppressed")
    measures = rows.assign(note=rows["note"].where(reason.isna(), reason))
    return dataclasses.replace(whole, tables={**whole.tables, "measures": measures})


@pytest.fixture
def three(opened):
    """A unit of three people, a unit of nine that is hidden with it, and one that is shown, under one parent."""

    def call(lang=""):
        units = [{"unit_id": "top", "name": "Top"}] + [
            {"unit_id": unit_id, "name": name, "parent_id": "top"}
            for unit_id, name in (("big", "Claims"), ("mid", "Cards"), ("small", "IT"))
        ]
        answers = people(13, "big") + people(9, "mid") + people(3, "small")
        return hidden_by(opened(lang, units=units, responses=answers), {"small": FEW, "mid": PROTECTS})

    return call


def test_a_page_says_whether_its_unit_is_hidden_for_itself_or_for_another(three):
    whole = three()
    small, mid = page_of(whole, "small"), page_of(whole, "mid")
    assert "not shown: fewer than 5 gave answers that count." in small
    assert "hidden, because fewer than 5 gave answers that count" in small
    assert "not shown, although enough did: it would give away another group" in mid
    assert "hidden, because it would give away another group" in mid
    assert "fewer than 5" not in mid
    assert "another group" not in small


def test_portfolio_and_index_say_which_units_are_hidden_for_themselves_and_which_for_others(three):
    whole = three()
    portfolio_words, index = page_of(whole), overview.index_page(whole, {}, []).decode()
    assert "What people say is hidden in two units" in portfolio_words
    assert "Fewer than 5 people gave answers that count: IT. " in portfolio_words
    assert "Enough people answered, but it would give away another group, which is too small to show: Cards." in (
        portfolio_words
    )
    assert re.search(r">IT</th><td>[^<]*what people say is hidden: fewer than 5 people</td>", index)
    assert re.search(r">Cards</th><td>[^<]*what people say is hidden to protect another group</td>", index)


@pytest.mark.parametrize(
    ("code", "few", "protects"),
    [
        ("de", "Weniger als 5 Personen haben so geantwortet, dass es zählt: IT.", "andere Gruppe, die zu klein ist"),
        ("es", "Menos de 5 personas dieron respuestas que cuentan: IT.", "reconocer a otro grupo, demasiado pequeño"),
    ],
)  # fmt: skip
def test_every_language_says_which_it_is(three, code, few, protects):
    page = page_of(three(code))
    assert few in page
    assert protects in page


def test_a_page_leaves_open_which_it_is_where_the_results_do(opened):
    whole = opened(units=[CLAIMS], responses=people(4))
    older = hidden_by(whole, {"claims": "fewer people than may be shown, or a cell that would give them away"})
    assert "the group is too small, or it would give a small one away" in page_of(older, "claims")


def test_the_gate_itself_says_that_a_unit_of_four_is_hidden_for_itself(opened):
    page = page_of(opened(units=[CLAIMS], responses=people(4)), "claims")
    assert "not shown: fewer than 5 gave answers that count." in page


def test_the_gate_itself_says_that_hours_of_three_people_are_hidden_for_themselves(opened):
    task = {"unit_id": "claims", "job": "Handler", "task": "Read", "headcount": 3, "hours_per_year": 100}
    page = page_of(opened(tasks=[task | {"task_id": "t", "expected_saving": 0.5, "exposure": "E1"}]), "claims")
    assert "The hours are hidden: fewer than 5 people hold the jobs" in page
    assert "is hidden, because fewer than 5 hold the jobs" in page


@pytest.mark.parametrize(
    ("experts", "clerks", "drawn"),
    [(3, 4, "10 largest of 12 tasks that may be shown"), (9, 9, "10 largest of 14 tasks")],
)
def test_largest_tasks_are_the_largest_of_those_that_may_be_shown(opened, experts, clerks, drawn):
    holders = {f"t{number}": ("Handler", 24) for number in range(12)} | {
        "e": ("Expert", experts),
        "c": ("Clerk", clerks),
    }
    rows = [
        {"unit_id": "claims", "job": job, "task_id": task, "task": f"Task {task}", "headcount": headcount,
         "hours_per_year": 100, "expected_saving": 0.5, "adoption": 0.5, "observed_saving": 0.4, "rework": 0,
         "oversight_hours": 0}
        for task, (job, headcount) in holders.items()
    ]  # fmt: skip
    assert drawn in words(handout.work(opened(tasks=rows).unit("claims")))


def test_units_that_are_hidden_one_by_one_are_not_called_unasked(three):
    whole = three()
    rows = whole.barriers
    alone = rows.loc[(rows["unit_id"] != "big") & (rows["unit_id"] != "top")]
    page = words(portfolio.barriers(dataclasses.replace(whole, tables={**whole.tables, "barriers": alone})))
    assert "No unit can be shown by itself" in page


def test_the_notes_of_results_are_the_ones_that_pages_know():
    assert ENGLISH.say("note.few") == getattr(gate, "FEW", FEW)
    assert ENGLISH.say("note.protects") == getattr(gate, "PROTECTS", PROTECTS)


# Words without a place to break

UNBROKEN = "Angestelltenverhältnis" * 8


@pytest.fixture
def unbroken(opened):
    """One unit, initiative, owner and action, each with an id or name of 176 letters and no blank."""
    return opened(
        units=[{"unit_id": UNBROKEN.lower(), "name": UNBROKEN, "headcount": 40}],
        responses=people(25, UNBROKEN.lower(), wave="2026-Q3"),
        initiatives=[LETTERS | {"unit_id": UNBROKEN.lower(), "name": UNBROKEN, "owner": UNBROKEN}],
        actions=[AGREED | {"unit_id": UNBROKEN.lower(), "action": UNBROKEN, "owner": UNBROKEN}],
    )


def published(assessment):
    """The index, and a page with the blocks of the unit's sections, as they are published."""
    unit = assessment.unit(assessment.units["unit_id"].iloc[0])
    blocks = [part for name in HANDOUT for part in getattr(handout, name)(unit) if not isinstance(part, Page | Figure)]
    yield overview.index_page(assessment, {}, [])
    yield overview.render_page(Page(title=UNBROKEN), blocks)


def test_a_word_longer_than_a_column_may_break_and_is_the_same_word(unbroken):
    index = overview.index_page(unbroken, {}, []).decode()
    (cell,) = re.findall(r'<th scope="row">(.*?)</th>', index)
    assert cell.replace("<wbr>", "") == UNBROKEN
    assert max(map(len, cell.split("<wbr>"))) <= 30


@pytest.mark.parametrize("width", [390, 1280])
def test_a_word_longer_than_a_column_pushes_nothing_out_of_sight(unbroken, tmp_path, chromium, width):
    for place, content in enumerate(published(unbroken)):
        (tmp_path / f"{place}.html").write_bytes(content)
        page = chromium.new_page(viewport={"width": width, "height": 900})
        page.goto((tmp_path / f"{place}.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        reach = "[...document.querySelectorAll('.scroll')].map(e => e.scrollWidth - e.clientWidth)"
        most = 160 if place and width == 390 else 1  # five columns of words do not fit a phone: they scroll
        assert max(page.evaluate(reach), default=0) <= most
        page.close()
