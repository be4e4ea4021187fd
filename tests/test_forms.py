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
