import csv

import pytest
from openpyxl import load_workbook

from aiready import forms
from aiready.errors import UsageError
from aiready.instrument import read_instrument
from aiready.schema import TABLES


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

    from aiready.sources import read_data

    rules = read_instrument()
    columns = forms.columns_of(TABLES["initiatives"], rules, starter=False)
    row = {column.name: column.example for column in columns if column.example}
    pd.DataFrame([row]).to_csv(tmp_path / "initiatives.csv", index=False)
    data = read_data(tmp_path, rules)
    counts = data.counts.set_index("table").loc["initiatives"]
    assert counts["used"] == 1, data.quarantine


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


def test_a_form_that_lies_there_is_not_written_over(tmp_path):
    (path,) = mailed(tmp_path)
    path.write_text("kept")
    with pytest.raises(UsageError, match=path.name):
        mailed(tmp_path)
    assert path.read_text() == "kept"
    with pytest.raises(UsageError, match='Did you mean "initiatives"'):
        mailed(tmp_path, "initiative")


def test_forms_are_asked_for_with_xlsx_and_table(tmp_path, capsys):
    from aiready import cli

    for options in (["--table", "tasks"], ["--xlsx", "--unit", "claims"]):
        with pytest.raises(SystemExit) as ended:
            cli.main(["new", str(tmp_path / "out"), *options])
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
    from aiready.sources import read_data

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
    assert "initiatives: 2 rows superseded by a later form, set aside in quarantine." in read.notes


@pytest.mark.slow
def test_without_a_date_in_the_name_the_first_form_stays_and_the_other_is_named(read):
    assert read.table("initiatives").set_index("initiative_id").loc["i-9", "stage"] == "pilot"
    left_out = read.quarantine["initiatives"].set_index("file").loc["initiatives/zz-copy.xlsx"]
    assert left_out["rule"] == "same initiative_id as row 5 of initiatives/initiatives-unit-09.xlsx"


@pytest.mark.slow
def test_check_shows_what_was_superseded(returned):
    from aiready.checkup import examine

    said = examine(str(returned)).as_text()
    assert "superseded by row 5 of" in said
    assert "2 rows superseded by a later form" in said
