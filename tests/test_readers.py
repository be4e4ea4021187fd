"""Bytes to raw text tables."""

import csv
import io
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from aiready.errors import InputError
from aiready.inputs.files import FILE, ROW, SURPLUS, column_names, read_csv, read_workbook_sheet

KNOWN = ("unit_id", "role")


def rows_of(path: Path) -> pd.DataFrame:
    return read_csv(path, KNOWN, path.name).batches.read_all().to_pandas().sort_values(ROW, ignore_index=True)


def written(folder: Path, content: bytes) -> Path:
    path = folder / "responses.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_delimiter_and_encoding_gives_the_same_cells(tmp_path, delimiter, encoding):
    text = "unit_id;role\nKüche;a, b\n".replace("a, b", '"x y"').replace(";", delimiter)
    read = rows_of(written(tmp_path, text.encode(encoding)))
    assert read[["unit_id", "role"]].values.tolist() == [["Küche", "x y"]]
    assert read[ROW].tolist() == [2]
    assert read[FILE].tolist() == ["responses.csv"]


def test_headers_are_known_whatever_their_case_and_spaces(tmp_path):
    read = rows_of(written(tmp_path, b" Unit ID ,ROLE\nclaims,manager\n"))
    assert list(read.columns[:2]) == ["unit_id", "role"]


def test_empty_lines_and_rows_are_skipped_but_keep_their_number(tmp_path):
    read = rows_of(written(tmp_path, b"\r\nunit_id,role\r\n\r\na,1\r\n , \r\n,\r\nb,2\r\n\r\n"))
    assert list(zip(read[ROW], read["unit_id"], strict=True)) == [(4, "a"), (7, "b")]


def test_a_line_break_inside_a_cell_is_no_new_row(tmp_path):
    read = rows_of(written(tmp_path, b'unit_id,role\n"a\nb",1\nc,2\n'))
    assert list(zip(read[ROW], read["unit_id"], strict=True)) == [(2, "a\nb"), (3, "c")]


def test_a_short_row_is_padded_and_a_wide_one_says_what_is_too_much(tmp_path):
    read = rows_of(written(tmp_path, b"unit_id,role\na\nb,2\nc,3,,4\nd,5,\n"))
    assert read["unit_id"].tolist() == ["a", "b", "c", "d"]
    assert read["role"].tolist() == ["", "2", "3", "5"]
    assert read[SURPLUS].tolist() == [None, None, "4", None]


def test_empty_columns_at_the_end_are_no_columns(tmp_path):
    read = rows_of(written(tmp_path, b"unit_id;role;;\na;1;;\n"))
    assert list(read.columns) == ["unit_id", "role", SURPLUS, FILE, ROW]
    assert read[SURPLUS].isna().all()


def test_excels_separator_line_is_obeyed(tmp_path):
    read = rows_of(written(tmp_path, b"sep=;\r\nunit_id;role\r\na,b;1\r\n"))
    assert read[["unit_id", "role", ROW]].values.tolist() == [["a,b", "1", 3]]


def test_a_known_column_twice_is_an_error_and_an_unknown_one_is_numbered():
    assert column_names(["unit_id", "Note", "Note"], KNOWN, "x.csv") == ("unit_id", "Note", "Note (2)")
    with pytest.raises(InputError, match=r'x\.csv: column "unit_id" occurs more than once'):
        column_names(["unit_id", "Unit ID"], KNOWN, "x.csv")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"  \n\n", "is empty"),
        (b"PK\x03\x04\x00\x00binary\x00", "binary"),
        (bytes(range(256)), "binary"),
    ],
)
def test_empty_and_binary_files_are_told_by_name(tmp_path, content, said):
    with pytest.raises(InputError, match=rf"responses\.csv: .*{said}"):
        read_csv(written(tmp_path, content), KNOWN, "responses.csv")


@pytest.mark.slow
def test_row_numbers_hold_over_many_blocks_with_odd_rows(tmp_path):
    lines = [f"{number},x" if number % 1000 else f"{number}" for number in range(2, 900_000)]
    read = rows_of(written(tmp_path, ("unit_id,role\n" + "\n".join(lines)).encode()))
    assert (read["unit_id"].astype(int) == read[ROW]).all()
    assert len(read) == len(lines)


CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=6)


@examples(40)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8), st.sampled_from([",", ";", "\t", "|"]))
def test_any_text_written_is_read_back(tmp_path_factory, cells, delimiter):
    path = tmp_path_factory.mktemp("any") / "responses.csv"
    pd.DataFrame(cells, columns=["unit_id", "role"]).to_csv(path, index=False, sep=delimiter)
    trimmed = [[text.strip() for text in pair] for pair in cells]
    wanted = [pair for pair in trimmed if any(pair)]
    assert rows_of(path)[["unit_id", "role"]].values.tolist() == wanted


def test_a_workbook_sheet_gives_text_with_iso_dates_and_whole_numbers(tmp_path):
    book = Workbook()
    sheet = book.active
    sheet.append([])
    sheet.append([None, None])
    sheet.append(["Unit ID", "role", "when", "at", "flag"])
    sheet.append([11, 2.5, date(2026, 5, 11), datetime(2026, 5, 11, 9, 30), True])
    sheet.append([])
    sheet.append(["b"])
    book.save(tmp_path / "book.xlsx")
    read = read_workbook_sheet(tmp_path / "book.xlsx", "Sheet", KNOWN, "book.xlsx[Sheet]")
    table = read.batches.read_all().to_pandas()
    assert table["unit_id"].tolist() == ["11", "b"]
    assert table.loc[0, ["role", "when", "at", "flag"]].tolist() == [
        "2.5", "2026-05-11", "2026-05-11T09:30:00", "yes",
    ]  # fmt: skip
    assert table[ROW].tolist() == [4, 6]


TABLE = [
    ["unit_id", "task", "hours_per_year"],
    ["ä", 'says "yes", or; no', "120,5"],
    ["O'Neil", "two\nlines", "80"],
    ["C:\\data\\", "it's", ""],
]
"""Everything that a cell may hold beside letters."""
DIALECTS = {
    "a spreadsheet's": {},
    "German": {"delimiter": ";"},
    "every cell quoted": {"quoting": csv.QUOTE_ALL, "lineterminator": "\n"},
    "single quotes": {"quoting": csv.QUOTE_ALL, "quotechar": "'", "delimiter": ";"},
    "a database's, with backslashes": {"escapechar": "\\", "doublequote": False, "delimiter": "\t"},
    "tabs": {"delimiter": "\t"},
    "bars": {"delimiter": "|"},
}


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_dialect_of_csv_is_found_out(tmp_path, name, encoding):
    text = io.StringIO(newline="")
    csv.writer(text, **DIALECTS[name]).writerows(TABLE)
    (tmp_path / "tasks.csv").write_bytes(text.getvalue().encode(encoding))
    sheet = read_csv(tmp_path / "tasks.csv", TABLE[0], "tasks.csv")
    rows = sheet.batches.read_all().select(TABLE[0]).to_pylist()
    assert [list(row.values()) for row in rows] == TABLE[1:]


def test_a_path_that_ends_a_quoted_cell_is_no_escape(tmp_path):
    (tmp_path / "tasks.csv").write_bytes(b'unit_id,task\r\n"C:\\data\\","b"\r\n"say ""so""","C:\\x\\"\r\n')
    sheet = read_csv(tmp_path / "tasks.csv", ["unit_id", "task"], "tasks.csv")
    rows = sheet.batches.read_all().select(["unit_id", "task"]).to_pylist()
    assert [tuple(row.values()) for row in rows] == [("C:\\data\\", "b"), ('say "so"', "C:\\x\\")]
