"""The questionnaire in every format: read back by an independent reader of that format, nothing lost on the way."""

import csv
import io
import re
from itertools import pairwise

import pytest
from opened import HEADINGS, PHONE, RULES, TOO_WIDE, WIDE
from openpyxl import load_workbook
from typer.testing import CliRunner

from aiready.cli import commands
from aiready.collection.questionnaire import FORMATS, build_questionnaire, manual_steps, render
from aiready.collection.questionnaire.workbook import ANSWER_SHEET, ROWS
from aiready.inputs.dataset import read_data
from aiready.instrument.model import read_instrument
from aiready.model.schema import ROLES, TABLES

CODES = ("en", "de", "es")
UNITS = {"claims-north": "Claims north", "claims-south": "Claims south", "it": "IT"}
ABOUT = {"organisation": "Varnholt", "ai_examples": "drafts", "retention": "2027", "contact": "x@y.example"}


@pytest.fixture(scope="module")
def rules():
    return read_instrument()


@pytest.fixture(scope="module")
def asked(rules):
    return {code: build_questionnaire(rules, code, units=UNITS, about=ABOUT) for code in CODES}


def text(name, *asked):
    return render(name, asked).decode("utf-8-sig")


# Qualtrics


def read_qualtrics(content):
    """Blocks, and (block, kind, id, wording, choices) of every question: a reader of the advanced format."""
    assert content.startswith("[[AdvancedFormat]]\n")
    block, questions = "", []
    for part in re.split(r"(?m)^(?=\[\[(?:Question|Block|PageBreak))", content.removeprefix("[[AdvancedFormat]]\n"))[
        1:
    ]:
        lines = [line for line in part.splitlines() if line]
        head = lines[0].strip("[]")
        if head.startswith("Block:"):
            block = head.removeprefix("Block:")
        elif head.startswith("Question:"):
            at = lines.index("[[Choices]]") if "[[Choices]]" in lines else len(lines)
            questions.append((block, head[9:], lines[1].strip("[]"), "\n".join(lines[2:at]), lines[at + 1 :]))
    return questions


@pytest.mark.parametrize("code", CODES)
def test_qualtrics_asks_every_question_with_its_id_and_choices_in_order(asked, code):
    read = read_qualtrics(text("qualtrics-txt", asked[code]))
    assert read[0][1:3] == ("DB", "ID:intro")
    assert [(tag, wording, choices) for _, _, tag, wording, choices in read[1:]] == [
        (f"ID:{question.id}", question.wording, [choice.text for choice in question.choices])
        for question in asked[code].questions
    ]


def test_qualtrics_blocks_hold_questions_of_the_same_roles_and_name_them(asked):
    read = read_qualtrics(text("qualtrics-txt", asked["en"]))
    roles = {f"ID:{question.id}": ";".join(question.roles) for question in asked["en"].items}
    blocks = [(block, roles[tag]) for block, _, tag, *_ in read if tag in roles]
    assert all(block.endswith(f" · {of}") for block, of in blocks)
    assert all(one[0] == two[0] or one[1] != two[1] for one, two in pairwise(blocks))
    assert len(re.findall(r"(?m)^\[\[Block:", text("qualtrics-txt", asked["en"]))) == len({b for b, _ in blocks}) + 2


def test_a_tag_in_a_wording_does_not_become_a_tag_of_the_file(rules):
    about = ABOUT | {"contact": "[[Question:MC]] x"}
    content = text("qualtrics-txt", build_questionnaire(rules, about=about))
    assert content.count("[[Question:MC]]") == 0
    assert "[ [Question:MC] ] x" in content


# LimeSurvey


def read_limesurvey(content):
    return list(csv.DictReader(io.StringIO(content, newline=""), delimiter="\t"))


def test_limesurvey_has_every_language_with_the_same_rows_in_the_same_order(asked):
    rows = read_limesurvey(text("limesurvey-tsv", asked["de"], asked["en"], asked["es"]))
    settings = {row["name"]: row["text"] for row in rows if row["class"] == "S"}
    assert settings["language"] == "de"
    assert settings["additional_languages"] == "en es"
    assert settings["anonymized"] == "Y"
    shape = {
        code: [
            (row["class"], row["type/scale"], row["name"] if row["class"] != "G" else "", row["relevance"])
            for row in rows
            if row["class"] in "GQA" and row["language"] == code
        ]
        for code in CODES
    }
    assert shape["de"] == shape["en"] == shape["es"]
    assert {row["type/scale"] for row in rows if row["class"] == "G"} == {"G1", "G2"}


def test_limesurvey_words_are_those_of_each_language(asked):
    rows = read_limesurvey(text("limesurvey-tsv", *asked.values()))
    for code in CODES:
        own = [row for row in rows if row["language"] == code]
        assert [row["text"] for row in own if row["class"] == "Q"] == [q.wording for q in asked[code].questions]
        expected = [choice.text for question in asked[code].questions for choice in question.choices]
        assert [row["text"] for row in own if row["class"] == "A"] == expected


def test_limesurvey_codes_keep_its_limits_and_stay_apart(asked):
    rows = read_limesurvey(text("limesurvey-tsv", asked["en"]))
    questions = [row["name"] for row in rows if row["class"] == "Q"]
    assert len(set(questions)) == len(questions)
    assert all(re.fullmatch("[a-z][a-z0-9]{0,19}", name) for name in questions)
    answers = [row["name"] for row in rows if row["class"] == "A"]
    assert all(re.fullmatch("[A-Za-z0-9]{1,5}", name) for name in answers)


def relevant(equation, role):
    """What LimeSurvey's expression says for a role, worked out by hand: the operators it uses are these two."""
    parts = equation.split(" or ")
    return any(part == "1" or (part == "is_empty(role.NAOK)" and not role) or part == f'role.NAOK == "{role}"'
               for part in parts)  # fmt: skip


@pytest.mark.parametrize("role", ["", *ROLES])
def test_limesurvey_asks_each_role_its_own_items(asked, rules, role):
    rows = read_limesurvey(text("limesurvey-tsv", asked["en"]))
    code = next((choice.code for choice in asked["en"].opening[1].choices if choice.value == role), "")
    shown = [row["name"] for row in rows if row["class"] == "Q" and relevant(row["relevance"], code)]
    items = [item.replace("_", "") for item in rules.items_for(role)["item_id"]]
    assert shown == ["unitid", "role", "aiuse", *items, "comment"]


def test_the_first_thousand_bytes_for_limesurvey_are_plain_letters(asked):
    """LimeSurvey guesses the encoding from them, and a letter cut in two misleads it."""
    for code in CODES:
        assert render("limesurvey-tsv", [asked[code]])[:1100].isascii()


# Tables and paper


def test_the_table_has_one_row_per_question_with_its_answers(asked):
    rows = list(csv.DictReader(io.StringIO(text("csv", asked["es"]), newline="")))
    assert [row["id"] for row in rows] == [question.id for question in asked["es"].questions]
    last = next(row for row in rows if row["id"] == "judged_on")
    assert last["answer_1"] == "Nada; son los de antes."
    assert last["answer_7"] == "No lo sé"
    assert last["roles"] == "frontline;manager"


def test_the_paste_sheet_gives_each_answer_a_line_of_its_own(asked):
    lines = text("paste", asked["de"]).splitlines()
    for question in asked["de"].questions:
        at = next(place for place, line in enumerate(lines) if re.match(rf"\d+ · {question.id} · ", line))
        block = lines[at + 2 : at + 5 + len(question.choices)]
        assert block[0] == question.wording
        assert [line for line in block[1:] if line and not line.startswith(("Nur für:", "---"))] == [
            choice.text for choice in question.choices
        ]
        assert any(line.startswith("Nur für:") for line in block) != question.for_all
    assert "**" not in "\n".join(lines)


@pytest.mark.parametrize("code", CODES)
def test_the_page_is_in_its_language_and_asks_everything_by_real_controls(asked, code):
    page = text("html", asked[code])
    assert f'<html lang="{code}">' in page
    names = re.findall(r'<(?:input type="radio"|textarea id="\w+") name="(\w+)"', page)
    assert list(dict.fromkeys(names)) == [question.id for question in asked[code].questions]
    assert page.count("<fieldset") == page.count("<legend") == sum(bool(q.choices) for q in asked[code].questions)
    assert "<script" not in page


def test_what_stands_in_about_is_text_on_the_page(rules):
    page = text("html", build_questionnaire(rules, about={"organisation": "<b>R&D</b>"}))
    assert "<b>R&D</b>" not in page
    assert "&lt;b&gt;R&amp;D&lt;/b&gt; wants to find" in page


# The workbook


@pytest.fixture(scope="module")
def book(asked):
    return load_workbook(io.BytesIO(render("xlsx", [asked["de"]])))


def test_the_workbook_lists_one_question_a_row_with_its_levels(book, asked):
    rows = list(book["questionnaire"].iter_rows(min_row=2, values_only=True))
    assert [row[0] for row in rows] == [question.id for question in asked["de"].questions if question.id != "unit_id"]
    origin = next(row for row in rows if row[0] == "idea_origin")
    assert origin[3:10] == tuple(choice.text for choice in asked["de"].items[15].choices)


def test_the_answer_sheet_has_the_columns_of_responses_and_a_list_for_each_choice(book, asked):
    sheet = book[ANSWER_SHEET]
    head = [cell.value for cell in sheet[1]]
    assert set(head) == {*TABLES["responses"].names, *(item.id for item in asked["de"].items)}
    lists = {str(rule.sqref): rule.formula1 for rule in sheet.data_validations.dataValidation}
    letter = sheet[1][head.index("judged_on")].column_letter
    assert lists[f"{letter}2:{letter}{ROWS + 1}"] == '"1,2,3,4,5,does not apply,don\'t know"'
    assert "Angepasst" not in lists
    assert "Eine Änderung an ihnen wurde angekündigt." in sheet[1][head.index("judged_on")].comment.text


def greyed(book, column, role):
    """Whether a rule of the sheet greys a respondent's cell, worked out from its formula."""
    sheet = book[ANSWER_SHEET]
    head = [cell.value for cell in sheet[1]]
    letter = sheet[1][head.index(column)].column_letter
    at = sheet[1][head.index("role")].column_letter
    for span, found in sheet.conditional_formatting._cf_rules.items():
        if str(span.sqref).startswith(f"{letter}2:"):
            unequal = re.findall(rf'\${at}2<>"(\w*)"', found[0].formula[0])
            return all(role != one for one in unequal)
    return False


@pytest.mark.parametrize("role", ["", *ROLES])
def test_items_a_role_is_not_asked_turn_grey(book, asked, role):
    for question in asked["de"].items:
        assert greyed(book, question.id, role) == (not question.is_asked_of(role)), question.id


def test_many_units_stand_in_a_list_of_their_own(rules):
    units = {f"unit-{number}, north": f"Unit {number}" for number in range(80)}
    book = load_workbook(io.BytesIO(render("xlsx", [build_questionnaire(rules, units=units)])))
    assert [cell.value for cell in book["lists"]["A"]] == list(units)
    assert book["lists"].sheet_state == "hidden"
    formulas = [rule.formula1 for rule in book[ANSWER_SHEET].data_validations.dataValidation]
    assert "lists!$A$1:$A$80" in formulas


@pytest.mark.slow
def test_answers_typed_into_the_workbook_are_read_as_they_are(rules, book, tmp_path):
    sheet = book[ANSWER_SHEET]
    head = [cell.value for cell in sheet[1]]
    for row, values in enumerate(
        [
            {"unit_id": "it", "role": "technical", "wave": "2026-Q4", "ai_use": "daily", "who_answers": 4},
            {"unit_id": "it", "role": "manager", "wave": "2026-Q4", "who_answers": "don't know", "judged_on": 2},
        ],
        start=2,
    ):
        for name, value in values.items():
            sheet.cell(row, head.index(name) + 1, value)
    book.save(tmp_path / "answers.xlsx")
    data = read_data(tmp_path, rules)
    assert data.counts["used"].tolist() == [2]
    assert data.table("responses")["who_answers"].tolist() == [4.0, -2.0]
    assert data.table("responses")["judged_on"].tolist()[1] == 2.0


def test_nothing_in_the_workbook_runs_as_a_formula(rules):
    risky = build_questionnaire(rules, units={"=1+1": "=cmd", "b": "B"}, about={"organisation": "=2+2"})
    book = load_workbook(io.BytesIO(render("xlsx", [risky])))
    assert [c.coordinate for sheet in book for row in sheet.iter_rows() for c in row if c.data_type == "f"] == []


# The command


@pytest.mark.slow
def test_the_command_writes_every_format_and_says_what_is_left_to_do(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "units.csv").write_text("unit_id,name\nclaims,Claims\nit,IT\n")
    (folder / "about.csv").write_text("key,value\norganisation,Varnholt\n")
    for name in FORMATS:
        out = tmp_path / f"q-{name}"
        done = CliRunner().invoke(
            commands.app, ["questionnaire", str(folder), "--format", name, "--lang", "es", "--out", str(out)]
        )
        assert done.exit_code == 0, done.output
        assert out.stat().st_size > 1000
        assert "[ai_examples], [retention], [contact]" in done.output
        assert ("survey flow" in done.output) == (name == "qualtrics-txt")
    assert "Claims" in (tmp_path / "q-html").read_text(encoding="utf-8")


def test_without_units_and_about_the_command_says_so(rules):
    said = manual_steps("html", build_questionnaire(rules))
    assert "[organisation]" in said[0]
    assert "units.csv" in said[1]


@pytest.mark.parametrize(("option", "value", "hint"), [("--format", "xslx", "xlsx"), ("--lang", "dee", "de")])
def test_an_unknown_format_or_language_is_named_with_the_nearest(tmp_path, monkeypatch, capsys, option, value, hint):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        commands.main(["questionnaire", option, value])
    assert ended.value.code == 2
    assert f'Did you mean "{hint}"?' in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_command_names_the_formats_there_are():
    assert set(commands.FORMS) == set(FORMATS)


def test_no_format_is_written_over_another_one():
    assert len({ending for ending, _ in FORMATS.values()}) == len(FORMATS)


# On a screen and on paper


@pytest.mark.slow
@pytest.mark.parametrize("code", CODES)
def test_the_page_is_accessible_fits_a_phone_and_asks_nothing_of_the_network(pages, asked, tmp_path, code):
    page = tmp_path / "q.html"
    page.write_bytes(render("html", [asked[code]]))
    assert pages.at(page.as_uri(), WIDE).violations(RULES) == []
    phone = pages.fresh(page.as_uri(), PHONE)
    assert phone.requests == [page.as_uri()]
    assert phone.complaints == []
    assert phone.page.evaluate(TOO_WIDE) == []
    assert phone.page.evaluate(HEADINGS) == [1, 2, 2]
    phone.page.get_by_label(asked[code].items[0].choices[0].text).first.check()
    assert phone.page.locator("input:checked").count() == 1
    phone.page.emulate_media(media="print")
    printed = phone.page.pdf(prefer_css_page_size=True)
    assert 7 <= printed.count(b"/Type /Page\n") <= 12
    assert re.search(rb"/MediaBox \[0 0 59[45][.\d]* 84[12][.\d]*\]", printed)  # A4 in points
