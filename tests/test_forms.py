import csv

import pytest
from openpyxl import load_workbook

from aiready.collection import forms
from aiready.errors import UsageError
from aiready.instrument.model import read_instrument
from aiready.model.schema import TABLES


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("forms") / "mine"
    forms.new_folder(made, starter=False, workbook=False)
    return made


def header(path):
    with path.open(newline="", encoding="utf-8") as file:
        return next(csv.reader(file))


def test_every_table_has_a_file_with_its_columns_and_nothing_else(folder):
    assert {path.stem for path in folder.iterdir()} == {*TABLES, forms.CODEBOOK}
    for table in TABLES.values():
        path = folder / f"{table.name}.csv"
        assert len(path.read_text().splitlines()) == 1, "an example must never be taken for a record"
        assert header(path)[: len(table.columns)] == [column.name for column in table.columns]


def test_responses_have_a_column_for_every_item(folder):
    items = read_instrument().items["item_id"].tolist()
    assert header(folder / "responses.csv")[-len(items) :] == items


def test_the_codebook_explains_every_column_of_every_form(folder):
    with (folder / f"{forms.CODEBOOK}.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {(row["table"], row["column"]) for row in rows} == {
        (table, column) for table in TABLES for column in header(folder / f"{table}.csv")
    }
    assert [row["column"] for row in rows if not row["meaning"]] == []


def test_the_starter_set_is_smaller_and_holds_what_is_required(tmp_path, folder):
    forms.new_folder(tmp_path / "start", starter=True, workbook=False)
    for table in TABLES.values():
        start, whole = header(tmp_path / "start" / f"{table.name}.csv"), header(folder / f"{table.name}.csv")
        assert set(start) <= set(whole)
        assert {column.name for column in table.columns if column.required} <= set(start)
    assert len(header(tmp_path / "start" / "initiatives.csv")) < len(header(folder / "initiatives.csv"))


def test_a_workbook_has_a_sheet_per_table_with_notes_and_lists_of_choices(tmp_path):
    (path,) = forms.new_folder(tmp_path / "book", starter=False, workbook=True)
    book = load_workbook(path)
    assert set(book.sheetnames) == {*TABLES, forms.CODEBOOK}
    sheet = book["initiatives"]
    names = [cell.value for cell in sheet[1]]
    stage = sheet.cell(1, names.index("stage") + 1)
    assert "Example" in stage.comment.text
    assert any("pilot" in choices.formula1 for choices in sheet.data_validations.dataValidation)
    assert sheet.max_row == 1


@pytest.mark.parametrize("taken", ["units.csv", "old.xlsx"])
def test_a_folder_that_holds_tables_is_left_alone(tmp_path, taken):
    (tmp_path / taken).write_text("kept")
    with pytest.raises(UsageError, match=taken):
        forms.new_folder(tmp_path, starter=False, workbook=False)
    assert [path.name for path in tmp_path.iterdir()] == [taken]
    assert (tmp_path / taken).read_text() == "kept"


def test_no_cell_of_the_workbook_runs_as_a_formula(tmp_path):
    (path,) = forms.new_folder(tmp_path / "book", starter=False, workbook=True)
    book = load_workbook(path)
    assert [
        cell.coordinate for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"
    ] == []


@pytest.mark.slow
def test_a_filled_form_is_read_back(tmp_path):
    """What the form asks for is what the reader takes; examples of the codebook are valid cells."""
    import pandas as pd

    from aiready.inputs.dataset import read_data

    rules = read_instrument()
    columns = forms.columns_of(TABLES["initiatives"], rules, starter=False)
    row = {column.name: column.example for column in columns if column.example}
    pd.DataFrame([row]).to_csv(tmp_path / "initiatives.csv", index=False)
    data = read_data(tmp_path, rules)
    counts = data.counts.set_index("table").loc["initiatives"]
    assert counts["used"] == 1, data.quarantine


# The starter set

PLAUSIBLE = {
    "units": [{"unit_id": "operations", "name": "Operations", "parent_id": "", "headcount": "300"}],
    "invitations": [{"unit_id": "operations", "invited": "30"}],
    "responses": [{"respondent_id": f"r-{number}"} for number in range(9)],
    "initiatives": [{"initiative_id": "triage", "name": "Triage", "stage": "idea"}],
    "usage": [{"initiative_id": "triage", "intended_users": "40", "active_users": "12"}],
    "trials": [{"arm": "control", "successes": "320"}],
    "tasks": [{"task_id": "file", "task": "File the letters"}],
    "workflow_steps": [{"step_no": "2", "step": "Draft the letter", "actor": "human_ai", "ai_use": "none"}],
    "decisions": [
        {"decision_id": f"d-{no}", "decider_id": f"p-{no % 6}", "final_decision": "reject" if no < 6 else "pay"}
        for no in range(29)
    ],
    "feedback": [{"feedback_id": "f-0043"}],
    "probes": [{"question_id": f"q-{no}", "correct": "no" if no < 103 else "yes"} for no in range(100, 129)],
    "actions": [{"action_id": "a-04", "action": "Name an owner", "status": "done"}],
}  # fmt: skip
"""What stands below the example row of each starter table: cells that differ from it."""
HEADLINES = {
    "perception": 50.0,  # every answer is level 3 of 1-5
    "response_rate": 10 / 150,
    "problem_quality": None,
    "adoption": (38 + 12) / (60 + 40),
    "verdict": (352 - 320) / 400,
    "realised_rate": (120 * 0.6 * 0.4 * 0.95 - 4) / (120 * 0.5),
    "last_mile_gap_hours": 2 * 24 * (120 * 0.5 - (120 * 0.6 * 0.4 * 0.95 - 4)),
    "operating_system_share": 0.0,
    "decision_speed_p50": (24 + 4 + 35 / 60) * 3600,
    "decision_accuracy": 24 / 30,
    "feedback_loop_p50": 22,
    "probe_accuracy": 27 / 30,
}
"""The figures that lead the section of each table, by hand; None: only that there is one."""


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """The starter set, each table filled with its own example row and plausible ones below it."""
    folder = tmp_path_factory.mktemp("started") / "data"
    forms.new_folder(folder, starter=True, workbook=False)
    for table in TABLES.values():
        path = folder / f"{table.name}.csv"
        example = {column.name: column.example for column in forms.columns_of(table, read_instrument(), starter=True)}
        with path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, header(path), extrasaction="ignore").writerows(
                [example, *({**example, **row} for row in PLAUSIBLE[table.name])]
            )
    return folder


@pytest.fixture(scope="module")
def started_assessment(started):
    from aiready import Assessment

    return Assessment.open(started)


@pytest.mark.slow
def test_a_filled_starter_set_checks_clean(started, run):
    done = run("check", started)
    assert done.code == 0, done.out + done.err
    counts = [line.split() for line in done.out.splitlines() if len(line.split()) == 5 and line.split()[0] in TABLES]
    assert {row[0]: int(row[1]) for row in counts} == {name: 1 + len(rows) for name, rows in PLAUSIBLE.items()}


@pytest.mark.slow
@pytest.mark.parametrize("measure", HEADLINES)
def test_a_filled_starter_table_gives_its_headline_figure(started_assessment, measure):
    rows = started_assessment.cells("*", measure)
    if measure == "verdict":
        rows = started_assessment.cells("claims", measure)
    shown = rows.loc[rows["status"] == "ok"]
    assert len(shown), rows[["segment", "status", "note"]].to_string()
    if HEADLINES[measure] is not None:
        assert shown["value"].iloc[0] == pytest.approx(HEADLINES[measure], rel=0.01)
    if measure == "verdict":
        assert shown["note"].str.startswith("SCALE: ").all()


@pytest.mark.slow
def test_every_starter_table_that_gives_figures_gives_one(started_assessment):
    from aiready.model.registry import measures_of_table

    shown = set(started_assessment.measures.loc[started_assessment.measures["status"] == "ok", "table"])
    assert shown == {table for table in TABLES if measures_of_table(table)}


# Forms for records


def mailed(folder, table="initiatives", units=("claims",), starter=False):
    return forms.new_forms(folder, table=table, units=units, starter=starter)


def row_of(sheet, name):
    """Row of the header that names a column, and the column's place."""
    for row in sheet.iter_rows():
        for cell in row:
            if cell.value == name:
                return cell.row, cell.column
    raise AssertionError(name)


def fill(source, target, **values):
    """Type one record below the header of a form, as somebody would, and save it under another name."""
    book = load_workbook(source)
    sheet = book.worksheets[0]
    for name, value in values.items():
        head, column = row_of(sheet, name)
        sheet.cell(head + 1, column, value)
    target.parent.mkdir(parents=True, exist_ok=True)
    book.save(target)


def test_a_form_explains_every_column_in_a_sentence_with_an_example_above_its_header(tmp_path):
    (path,) = mailed(tmp_path)
    assert path.name == "initiatives-claims.xlsx"
    sheet = load_workbook(path)["initiatives"]
    head, _ = row_of(sheet, "initiative_id")
    for column in TABLES["initiatives"].columns:
        _, place = row_of(sheet, column.name)
        meaning, example = sheet.cell(head - 2, place).value, sheet.cell(head - 1, place).value
        assert meaning.lower().startswith(column.meaning[:20].lower())
        assert meaning.endswith(".")
        assert ("Must be filled" in meaning) == column.required
        assert bool(example) == bool(column.example)


@pytest.mark.parametrize("table", TABLES)
def test_columns_of_a_form_refuse_what_the_table_would_not_take(tmp_path, table):
    (path,) = mailed(tmp_path, table, units=())
    sheet = load_workbook(path)[table]
    rules = {str(rule.sqref).split(":")[0]: rule for rule in sheet.data_validations.dataValidation}
    head, _ = row_of(sheet, TABLES[table].columns[0].name)
    for column in TABLES[table].columns:
        _, place = row_of(sheet, column.name)
        rule = rules.get(sheet.cell(head + 1, place).coordinate)
        if column.allowed:
            assert rule.formula1 == f'"{",".join(column.allowed)}"'
        elif column.kind in ("share", "number", "integer"):
            assert rule.type == ("whole" if column.kind == "integer" else "decimal")
            assert column.at_least is None or float(rule.formula1) == column.at_least
            assert column.at_most is None or float(rule.formula2) == column.at_most
        elif column.kind in ("date", "timestamp"):
            assert rule.type == "date"
        elif column.kind in ("flag", "check"):
            assert rule.type == ("list" if column.kind == "flag" else "custom")
        else:
            assert rule is None


def test_a_form_for_a_unit_offers_that_unit_alone(tmp_path):
    paths = mailed(tmp_path, units=("claims", "Data & IT"))
    assert len(paths) == 2
    for path, unit in zip(paths, ("claims", "Data & IT"), strict=True):
        rules = load_workbook(path)["initiatives"].data_validations.dataValidation
        assert f'"{unit}"' in [rule.formula1 for rule in rules]


def offered(book, sheet, name):
    """What the drop-down of a column offers, as a spreadsheet program reads the rule."""
    head, place = row_of(book[sheet], name)
    below = book[sheet].cell(head + 1, place).coordinate
    (rule,) = (rule for rule in book[sheet].data_validations.dataValidation if below in rule.sqref)
    if rule.formula1.startswith('"'):
        inner = rule.formula1[1:-1]
        assert len(inner) <= 255
        assert '"' not in inner, "the rule ends in the middle of a choice"
        return inner.split(",")
    lists, cells = rule.formula1.split("!")
    assert book[lists].sheet_state == "hidden"
    assert {cell.data_type for row in book[lists][cells] for cell in row} == {"s"}, "a choice must not run as a formula"
    return [cell.value for row in book[lists][cells] for cell in row]


AWKWARD = (
    'Unit "A"',
    "Claims, motor",
    "=cmd",
    "+49",
    "-x",
    "@home",
    " north ",
    "ü" * 200,
    "O'Neill",
    "数据",
)


@pytest.mark.parametrize("unit", AWKWARD)
def test_a_form_offers_its_unit_whatever_signs_its_id_holds(tmp_path, unit):
    (path,) = mailed(tmp_path, units=(unit,))
    assert offered(load_workbook(path), "initiatives", "unit_id") == [unit]


@pytest.mark.slow
@pytest.mark.parametrize("unit", ('Unit "A"', "Claims, motor", "=cmd"))
def test_a_filled_form_of_an_awkward_unit_is_read_and_its_lists_are_no_table(tmp_path, unit):
    from aiready.inputs.dataset import read_data

    (path,) = mailed(tmp_path, units=(unit,))
    fill(
        path, tmp_path / "data" / "initiatives" / "one.xlsx", initiative_id="i", unit_id=unit, name="Tool", stage="idea"
    )
    book = load_workbook(tmp_path / "data" / "initiatives" / "one.xlsx")
    head, column = row_of(book["initiatives"], "unit_id")
    book["initiatives"].cell(head + 1, column).data_type = "s"
    book.save(tmp_path / "data" / "initiatives" / "one.xlsx")
    data = read_data(tmp_path / "data", read_instrument())
    assert data.table("initiatives")["unit_id"].tolist() == [unit]
    assert not [note for note in data.notes if "lists" in note]


def test_a_unit_with_a_sign_that_no_cell_holds_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(UsageError, match="no cell can"):
        mailed(tmp_path, units=("claims", "a\x07b"))
    assert list(tmp_path.iterdir()) == []


def test_a_form_that_lies_there_is_not_written_over(tmp_path):
    (path,) = mailed(tmp_path)
    path.write_text("kept")
    with pytest.raises(UsageError, match=path.name):
        mailed(tmp_path)
    assert path.read_text() == "kept"
    with pytest.raises(UsageError, match='Did you mean "initiatives"'):
        mailed(tmp_path, "initiative")


def test_forms_are_asked_for_with_xlsx_and_table(tmp_path, capsys):
    from aiready.cli import commands

    for options in (["--table", "tasks"], ["--xlsx", "--unit", "claims"]):
        with pytest.raises(SystemExit) as ended:
            commands.main(["new", str(tmp_path / "out"), *options])
        assert ended.value.code == 2
        assert "--xlsx --table initiatives" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def returned(tmp_path_factory):
    """Sixty forms sent back, two of them sent again later, one of those for an initiative that another file names."""
    folder = tmp_path_factory.mktemp("returned")
    units = [f"unit-{number:02}" for number in range(60)]
    sent = forms.new_forms(folder / "sent", table="initiatives", units=units, starter=True)
    for number, (source, unit) in enumerate(zip(sent, units, strict=True)):
        record = {"initiative_id": f"i-{number}", "unit_id": unit, "name": f"Tool {number}", "stage": "pilot"}
        fill(source, folder / "data" / "initiatives" / source.name, **record, baseline=number)
    fill(sent[7], folder / "data" / "initiatives" / "initiatives-unit-07-2026-09-02.xlsx",
         initiative_id="i-7", unit_id="unit-07", name="Tool 7", stage="scaled")  # fmt: skip
    fill(sent[7], folder / "data" / "initiatives" / "again 20260830.xlsx",
         initiative_id="i-7", unit_id="unit-07", name="Tool 7", stage="limited")  # fmt: skip
    fill(sent[9], folder / "data" / "initiatives" / "zz-copy.xlsx",
         initiative_id="i-9", unit_id="unit-09", name="Tool 9", stage="idea")  # fmt: skip
    return folder / "data"


@pytest.fixture(scope="module")
def read(returned):
    from aiready.inputs.dataset import read_data

    return read_data(returned, read_instrument())


@pytest.mark.slow
def test_sixty_forms_are_one_table_and_no_example_is_a_record(read):
    counts = read.counts.set_index("table").loc["initiatives"]
    assert counts[["read", "used", "quarantined"]].tolist() == [63, 60, 3]
    assert sorted(read.table("initiatives")["initiative_id"]) == sorted(f"i-{number}" for number in range(60))
    assert read.table("initiatives").set_index("initiative_id").loc["i-31", "baseline"] == 31


@pytest.mark.slow
def test_a_later_form_takes_the_place_of_the_earlier_ones_and_says_so(read):
    assert read.table("initiatives").set_index("initiative_id").loc["i-7", "stage"] == "scaled"
    left_out = read.quarantine["initiatives"].set_index("file")
    for earlier in ("initiatives/initiatives-unit-07.xlsx", "initiatives/again 20260830.xlsx"):
        rule = left_out.loc[earlier, "rule"]
        assert rule.startswith("superseded by row 5 of initiatives/initiatives-unit-07-2026-09-02.xlsx")
    assert "initiatives: 2 rows superseded by a later file, set aside in quarantine." in read.notes


@pytest.mark.slow
def test_without_a_date_in_the_name_the_first_form_stays_and_the_other_is_named(read):
    assert read.table("initiatives").set_index("initiative_id").loc["i-9", "stage"] == "pilot"
    left_out = read.quarantine["initiatives"].set_index("file").loc["initiatives/zz-copy.xlsx"]
    assert left_out["rule"] == "same initiative_id as row 5 of initiatives/initiatives-unit-09.xlsx"


@pytest.mark.slow
def test_check_shows_what_was_superseded(returned):
    from aiready.profile.data_check import check

    said = check(str(returned)).as_text()
    assert "superseded by row 5 of" in said
    assert "2 rows superseded by a later file" in said
