"""Workbooks as people make them, and as an attacker would."""

import io
import zipfile
from datetime import date, datetime

import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from aiready.errors import InputError
from aiready.inputs.dataset import read_data
from aiready.inputs.discover import find_tables
from aiready.inputs.files import ROW, read_workbook_sheet
from aiready.inputs.workbooks import open_workbook, read_sheet_rows, visible_and_hidden_sheets
from aiready.instrument.model import read_instrument

TASKS = ("unit_id", "job", "task_id", "task", "hours_per_year")


def saved(path, sheets, prepare=lambda book: None):
    """A workbook of sheets given as rows, changed as a test wants before it is saved."""
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    prepare(book)
    book.save(path)
    return path


def texts(path, sheet):
    return read_sheet_rows(open_workbook(path, path.name), sheet)


def repacked(path, name, edit):
    """The same workbook with one of its parts edited as text."""
    packed = io.BytesIO(path.read_bytes())
    with zipfile.ZipFile(packed) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            content = old.read(part)
            new.writestr(part, edit(content.decode()).encode() if part == name else content)
    return path


def test_dates_are_the_same_in_both_date_systems(tmp_path):
    rows = [["unit_id", "on", "at"], ["claims", date(2026, 5, 11), datetime(2026, 5, 11, 9, 30)]]
    mac = saved(tmp_path / "mac.xlsx", {"a": rows}, lambda book: setattr(book, "epoch", CALENDAR_MAC_1904))
    with zipfile.ZipFile(mac) as packed:
        assert b'date1904="1"' in packed.read("xl/workbook.xml")
    windows = saved(tmp_path / "windows.xlsx", {"a": rows})
    assert texts(mac, "a")[1] == texts(windows, "a")[1] == ["claims", "2026-05-11", "2026-05-11T09:30:00"]


def test_a_value_merged_over_rows_stands_in_each_of_them_and_makes_no_rows(tmp_path):
    rows = [
        list(TASKS),
        ["claims", "Handler", "a", "Answer", 10],
        [None, None, "b", "Sort", 20],
        [None, None, "c", "Sum", 5],
    ]
    path = saved(tmp_path / "m.xlsx", {"tasks": rows}, lambda book: (
        book["tasks"].merge_cells("A2:A9"), book["tasks"].merge_cells("B2:B3"), book["tasks"].merge_cells("D4:E4"),
    ))  # fmt: skip
    read = texts(path, "tasks")
    assert [row[:3] for row in read[1:4]] == [
        ["claims", "Handler", "a"],
        ["claims", "Handler", "b"],
        ["claims", "", "c"],
    ]
    assert read[3][3:] == ["Sum", ""]
    assert not any(any(row) for row in read[4:])


def test_hidden_sheets_are_not_read_and_a_note_says_so(tmp_path):
    rows = [list(TASKS), ["claims", "Handler", "a", "Answer", 10]]
    path = saved(tmp_path / "b.xlsx", {"tasks": rows, "usage": [["initiative_id"]], "old": [["x"]]},
                 lambda book: (setattr(book["usage"], "sheet_state", "hidden"),
                               setattr(book["old"], "sheet_state", "veryHidden")))  # fmt: skip
    assert visible_and_hidden_sheets(path, "b.xlsx") == (["tasks"], ["usage", "old"])
    found = find_tables(path)
    assert [part.table for part in found.parts] == ["tasks"]
    assert found.notes == ('b.xlsx: sheet "usage" is hidden and was not read. Show it if it counts.',)


def test_a_form_whose_sheets_are_all_hidden_is_an_error(tmp_path):
    # spreadsheet programs keep one sheet visible; files made by programs do not
    path = tmp_path / "tasks" / "f.xlsx"
    path.parent.mkdir()
    saved(path, {"tasks": [list(TASKS)]})
    repacked(path, "xl/workbook.xml", lambda text: text.replace('state="visible"', 'state="hidden"'))
    assert "every sheet is hidden" in find_tables(tmp_path).problems[0]


def test_formulas_are_read_by_the_values_a_spreadsheet_program_kept(tmp_path):
    path = saved(tmp_path / "f.xlsx", {"tasks": [["unit_id", "hours_per_year", "job"], ["claims", "=6*20", '=""']]})
    cells = "xl/worksheets/sheet1.xml"
    repacked(path, cells, lambda text: text.replace("<f>6*20</f><v></v>", "<f>6*20</f><v>120</v>")
             .replace("<f>6*20</f><v/>", "<f>6*20</f><v>120</v>").replace("<f>6*20</f><v />", "<f>6*20</f><v>120</v>")
             .replace('<c r="C2">', '<c r="C2" t="str">'))  # fmt: skip
    assert texts(path, "tasks")[1] == ["claims", "120", ""]


def test_a_formula_nobody_worked_out_is_an_error_not_a_blank(tmp_path):
    path = saved(tmp_path / "f.xlsx", {"tasks": [["unit_id", "hours_per_year"], ["claims", "=6*20"], ["it", "=1+1"]]})
    with pytest.raises(InputError, match=r'f\.xlsx: sheet "tasks": 2 formulas have no value yet\. Open the workbook'):
        open_workbook(path, "f.xlsx")


def test_a_failed_formula_is_quarantined_as_it_stands(tmp_path):
    path = saved(tmp_path / "e.xlsx", {"tasks": [list(TASKS), ["claims", "Handler", "a", "Answer", "#DIV/0!"]]})
    data = read_data(path, read_instrument())
    assert data.quarantine["tasks"]["value"].tolist() == ["#DIV/0!"]


def test_a_title_and_explanations_above_the_header_are_no_records(tmp_path):
    rows = [
        ["Register of tasks, 2026"],
        ["who fills it in: unit heads"],
        [],
        list(TASKS),
        ["claims", "H", "a", "Answer", 10],
    ]
    path = saved(tmp_path / "t.xlsx", {"tasks": rows})
    sheet = read_workbook_sheet(path, "tasks", TASKS, "t.xlsx")
    table = sheet.batches.read_all().to_pandas()
    assert sheet.columns == TASKS
    assert table[ROW].tolist() == [5]


def test_without_known_columns_the_first_row_is_the_header_and_the_error_names_it(tmp_path):
    path = saved(tmp_path / "t.xlsx", {"tasks": [["Einheit", "Stelle"], ["claims", "H"]]})
    with pytest.raises(InputError, match=r'the column "unit_id" is missing\. It has: Einheit, Stelle'):
        read_data(path, read_instrument())


@pytest.mark.slow
def test_one_workbook_holds_all_tables_with_prose_beside_them(tmp_path):
    path = saved(tmp_path / "all.xlsx", {
        "read me": [["notes for colleagues"]],
        "Units": [["Unit ID", "Name"], ["claims", "Claims"], ["it", "IT"]],
        "tasks": [list(TASKS), ["claims", "Handler", "a", "Answer", 10], ["IT ", "Admin", "b", "Sort", 20]],
        "about": [["key", "value"], ["organisation", "Varnholt"]],
    })  # fmt: skip
    data = read_data(path, read_instrument())
    assert data.counts.set_index("table")[["used", "quarantined"]].to_dict("index") == {
        "units": {"used": 2, "quarantined": 0},
        "tasks": {"used": 1, "quarantined": 1},  # `IT` is no unit: ids are spelled as they are spelled
    }
    assert data.about["organisation"] == "Varnholt"
    assert 'all.xlsx: sheet "read me" is no table and was not read.' in data.notes


# Bombs


def test_a_file_that_unpacks_beyond_the_limits_is_refused_before_it_is_read(tmp_path):
    path = saved(tmp_path / "bomb.xlsx", {"tasks": [list(TASKS)]})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        packed.writestr("xl/media/zeros.bin", bytes(80 << 20))
    assert path.stat().st_size < 200_000
    with pytest.raises(InputError, match=r"bomb\.xlsx: unpacks to 80 MB from 0\.1 MB"):
        open_workbook(path, "bomb.xlsx")


def test_parts_that_overlap_are_refused(tmp_path):
    path = saved(tmp_path / "o.xlsx", {"tasks": [list(TASKS)]})
    content = bytearray(path.read_bytes())
    entry = content.rfind(b"PK\x01\x02", 0, len(content))  # the last entry of the directory claims the whole file
    content[entry + 20 : entry + 24] = (len(content) - 1).to_bytes(4, "little")
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match="its parts overlap"):
        open_workbook(path, "o.xlsx")


def test_one_cell_at_the_far_corner_is_refused_instead_of_taking_all_memory(tmp_path):
    def far(book):
        book["tasks"].cell(1_048_576, 16_384, "x")

    path = saved(tmp_path / "far.xlsx", {"tasks": [list(TASKS)]}, far)
    with pytest.raises(InputError, match="it reaches to row 1,048,576 and column 16,384"):
        open_workbook(path, "far.xlsx")


@pytest.mark.parametrize(
    "place", ['r="XFD999999"', 'r="xfd999999"', "r='XFD999999'", "r = 'XFD999999'", '\nr="XFD999999"']
)
def test_a_sheet_that_lies_about_its_size_is_measured_by_its_cells_however_they_are_written(tmp_path, place):
    path = saved(tmp_path / "lie.xlsx", {"tasks": [list(TASKS), ["claims"]]})
    repacked(path, "xl/worksheets/sheet1.xml", lambda text: text.replace('r="A2"', place))
    with pytest.raises(InputError, match="reaches to row 999,999"):
        open_workbook(path, "lie.xlsx")


@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_a_damaged_workbook_is_one_error(tmp_path, cut):
    path = saved(tmp_path / "d.xlsx", {"tasks": [list(TASKS)] * 50})
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * cut)])
    with pytest.raises(InputError, match=r"d\.xlsx: cannot be read as a workbook"):
        open_workbook(path, "d.xlsx")


def test_a_refused_form_does_not_hide_the_other_problems(tmp_path):
    folder = tmp_path / "tasks"
    folder.mkdir()
    saved(folder / "a.xlsx", {"tasks": [list(TASKS), ["claims", "H", "a", "Answer", "=1+1"]]})
    (folder / "b.xlsx").write_bytes(b"")
    assert len(find_tables(tmp_path).problems) == 2
