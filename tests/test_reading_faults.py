"""Reading cannot be turned against the one who reads, and passes nothing over in silence."""

import gzip
import io
import os
import struct
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from old_books import book, number, record, shared, sized
from openpyxl import Workbook

from aiready.collection.survey_import.data_folder import open_folder
from aiready.errors import AireadyError, InputError, UsageError
from aiready.inputs.database import read_name_map
from aiready.inputs.dataset import Data, read_data, write_quarantine
from aiready.inputs.discover import find_tables
from aiready.inputs.duckdb_engine import connect
from aiready.inputs.files import read_csv
from aiready.inputs.safe_text import safe_cells
from aiready.inputs.workbooks import open_workbook, read_sheet_rows
from aiready.instrument.model import read_instrument
from aiready.measures import decisions

RULES = read_instrument()
LOG = pd.DataFrame({
    "decision_id": ["d1", "d2"], "unit_id": ["u1", "u2"], "opened_at": pd.to_datetime(["2026-05-11", "2026-05-12"]),
})  # fmt: skip
UNITS = "unit_id,name\nu1,One\nu2,Two\n"


def used(data: Data) -> dict[str, int]:
    return dict(zip(data.counts["table"], data.counts["used"], strict=True))


def notes_of(folder: Path) -> list[str]:
    """What is said of a folder that holds one good table beside what a test put there."""
    (folder / "units.csv").write_text(UNITS)
    return [note for note in read_data(folder, RULES).notes if "units" not in note.split(":")[0]]


# A DuckDB file does not read this machine --------------------------------------------------------------------


def stored(folder: Path, *statements: str) -> str:
    path = folder / "w.duckdb"
    with duckdb.connect(path) as made:
        for statement in statements:
            made.execute(statement)
    return f"duckdb://{path}"


READING = {
    "read_text": "SELECT content FROM read_text('{secret}')",
    "read_blob": "SELECT content::VARCHAR FROM read_blob('{secret}')",
    "read_csv": "SELECT * FROM read_csv('{secret}', header = false, names = ['said'])",
    "a bare path": "SELECT said FROM '{csv}'",
    "glob": "SELECT file FROM glob('{folder}/*')",
    "read_json": "SELECT said FROM read_json('{json}')",
    "read_parquet": "SELECT said FROM read_parquet('{parquet}')",
    "parquet_metadata": "SELECT file_name FROM parquet_metadata('{parquet}')",
    "sniff_csv": "SELECT Delimiter FROM sniff_csv('{csv}')",
    "a query in text": "SELECT * FROM query('SELECT content FROM read_text(''{secret}'')')",
    "a macro": "SELECT * FROM told()",
}


@pytest.mark.parametrize("how", READING)
def test_a_view_that_reads_files_of_this_machine_is_refused(how, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    files = {name: outside / f"secret.{name}" for name in ("txt", "csv", "json", "parquet")}
    files["txt"].write_text("correct-horse-7")
    files["csv"].write_text("said\ncorrect-horse-7\n")
    files["json"].write_text('[{"said": "correct-horse-7"}]')
    pq.write_table(pa.table({"said": ["correct-horse-7"]}), files["parquet"])
    said = READING[how].format(secret=files["txt"], folder=outside, **files)
    url = stored(
        tmp_path,
        f"CREATE MACRO told() AS TABLE SELECT content FROM read_text('{files['txt']}')",
        f"CREATE VIEW units AS SELECT 'u1' AS unit_id, (SELECT min(x) FROM ({said}) AS t(x)) AS name",
    )
    with pytest.raises(InputError) as refused:
        read_data(url, RULES)
    assert "w.duckdb[main.units]: it reads a file outside the database" in str(refused.value)
    assert "correct-horse-7" not in str(refused.value)


def test_tables_and_honest_views_of_a_database_file_are_read_all_the_same(tmp_path):
    url = stored(
        tmp_path,
        "CREATE TABLE log AS SELECT 'd1' AS decision_id, 'u1' AS unit_id, timestamp '2026-05-11' AS opened_at",
        "CREATE VIEW decisions AS SELECT * FROM main.log",
        "CREATE TABLE units AS SELECT 'u1' AS unit_id, 'One' AS name",
    )
    assert used(read_data(url, RULES)) == {"units": 1, "decisions": 1}


@pytest.mark.parametrize(
    "statement",
    [
        "ATTACH '{other}' AS other",
        "COPY (SELECT 1) TO '{folder}/written.csv'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT * FROM read_csv('https://example.org/x.csv')",
        "SELECT * FROM sqlite_scan('{other}', 't')",
        "SELECT getenv('HOME')",
        "SELECT * FROM python_frame",
        "SET enable_external_access = true",
        "SET autoinstall_known_extensions = true",
        "SET allowed_directories = ['/']",
        "RESET lock_configuration",
    ],
)
def test_once_read_the_engine_opens_nothing_more_and_cannot_be_talked_into_it(statement, tmp_path):
    (tmp_path / "data").mkdir()
    LOG.to_parquet(tmp_path / "data" / "decisions.parquet")
    duckdb.connect(tmp_path / "other.duckdb").close()
    engine = read_data(tmp_path / "data", RULES).decisions.get_backend()
    python_frame = pd.DataFrame({"a": [1]})
    with pytest.raises(duckdb.Error):
        engine.con.execute(statement.format(other=tmp_path / "other.duckdb", folder=tmp_path)).fetchall()
    assert len(python_frame) == 1 and not (tmp_path / "written.csv").exists()


def test_what_the_engine_lays_aside_lies_where_nobody_else_may_enter(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    os.mkfifo(tmp_path / "aiready-engine-pipe")  # of somebody else: neither read nor waited for
    engine = connect()
    (scratch,) = (path for path in tmp_path.iterdir() if path.is_dir())
    assert scratch.stat().st_mode & 0o777 == 0o700
    assert engine.con.execute("SELECT current_setting('temp_directory')").fetchone() == (str(scratch),)
    del engine
    assert not scratch.exists()


def test_an_sqlite_file_called_duckdb_is_not_opened_by_an_extension(tmp_path):
    (tmp_path / "w.duckdb").write_bytes(b"SQLite format 3\x00" + bytes(4096))
    with pytest.raises(InputError, match="cannot be read as a DuckDB database"):
        read_data(f"duckdb://{tmp_path / 'w.duckdb'}", RULES)


def test_a_view_that_fails_is_told_in_a_sentence(tmp_path):
    url = stored(tmp_path, "CREATE VIEW units AS SELECT 'u1' AS unit_id, ('x' || random())::INT::VARCHAR AS name")
    with pytest.raises(InputError, match=r"w\.duckdb\[main\.units\]: cannot be read \(Conversion Error"):
        read_data(url, RULES)


# A path is no pattern ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["q[12]", "q*", "q?", "{q1,q2}", "q'1", 'q"1', "[!q]1", "q**", "$HOME", "q;1", "wave=1"]
)
@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_a_folder_is_read_whatever_signs_its_name_is_made_of_and_no_other(name, ending, tmp_path):
    for folder, unit in (("q1", "other"), ("q2", "other"), (name, "mine")):
        (tmp_path / folder).mkdir()
        rows = LOG.assign(unit_id=unit)
        (rows.to_parquet if ending == "parquet" else rows.to_csv)(
            tmp_path / folder / f"decisions.{ending}", index=False
        )
    data = read_data(tmp_path / name, RULES)
    assert list(data.units["unit_id"]) == ["mine"]
    assert used(data) == {"decisions": 2}


def test_a_path_that_cannot_be_said_to_the_engine_is_refused(tmp_path):
    folder = tmp_path / "a\\b[1]"
    folder.mkdir()
    LOG.to_parquet(folder / "decisions.parquet")
    with pytest.raises(InputError, match="Rename the folder"):
        read_data(folder, RULES)


# Workbooks that ask for more than they are -------------------------------------------------------------------


def workbook(path: Path, edit=lambda sheet: sheet, *, texts: str | None = None) -> Path:
    """A workbook whose one sheet is edited as XML; `texts` in place of the shared ones."""
    made = Workbook()
    made.active.title = "tasks"
    made.active.append(["unit_id", "job"])
    made.active.append(["claims", "Handler"])
    packed = io.BytesIO()
    made.save(packed)
    with zipfile.ZipFile(packed) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            content = old.read(part).decode()
            new.writestr(part, edit(content) if part == "xl/worksheets/sheet1.xml" else content)
        if texts is not None:
            new.writestr("xl/sharedStrings.xml", texts)
    return path


def with_rows(rows: str):
    return lambda sheet: sheet.replace("</sheetData>", f"{rows}</sheetData>")


BARE = '<c t="inlineStr"><is><t>x</t></is></c>'


@pytest.mark.parametrize(
    "rows",
    [
        f'<row r="1048576">{BARE * 16_384}</row>',
        f"<row r='1048576'>{BARE * 16_384}</row>",
        f'<row r="1048000"/><row>{BARE * 16_384}</row>',
        f'<x:row xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main" r="1048576">{BARE * 99}</x:row>',
        '<row r="1048576"><c\n r="XFD1048576"><v>1</v></c></row>',
    ],
)
def test_cells_without_a_place_stand_where_they_stand(rows, tmp_path):
    path = workbook(tmp_path / "w.xlsx", with_rows(rows))
    with pytest.raises(InputError, match=r'w\.xlsx: sheet "tasks": it reaches to row 1,048,\d+ and column'):
        open_workbook(path, "w.xlsx")


def test_cells_without_a_place_are_read_when_they_are_few(tmp_path):
    path = workbook(tmp_path / "w.xlsx", with_rows(f'<row r="3">{BARE}{BARE}</row><row>{BARE}</row>'))
    assert read_sheet_rows(open_workbook(path, "w.xlsx"), "tasks")[2:] == [["x", "x"], ["x", ""]]


def test_failed_and_unworked_formulas_are_met_however_they_are_written(tmp_path):
    failed = "<row r='3'><c t='e'><v>#DIV/0!</v></c></row>"
    path = workbook(tmp_path / "w.xlsx", with_rows(failed))
    assert read_sheet_rows(open_workbook(path, "w.xlsx"), "tasks")[2] == ["#DIV/0!", ""]
    path = workbook(tmp_path / "f.xlsx", with_rows("<row r='3'><c r='A3'><f>1+1</f></c></row>"))
    with pytest.raises(InputError, match="a formula has no value yet"):
        open_workbook(path, "f.xlsx")


def test_a_part_called_in_other_letters_is_looked_into_too(tmp_path):
    path = workbook(tmp_path / "w.xlsx", with_rows('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'))
    path.write_bytes(path.read_bytes().replace(b"xl/worksheets/sheet1.xml", b"XL/Worksheets/Sheet1.xml"))
    with pytest.raises(InputError, match="it reaches to row 1,048,576"):
        open_workbook(path, "w.xlsx")


def test_one_long_text_in_many_cells_is_refused(tmp_path):
    cells = "".join(f'<row r="{row}"><c r="A{row}" t="s"><v>0</v></c></row>' for row in range(3, 20_003))
    long = f"<sst><si><t>{'x' * 32_000}</t></si><si><t>y</t></si></sst>"
    path = workbook(tmp_path / "w.xlsx", with_rows(cells), texts=long)
    assert path.stat().st_size < 200_000
    with pytest.raises(InputError, match="what it repeats makes more than"):
        open_workbook(path, "w.xlsx")
    short = cells.replace("<v>0</v>", "<v>1</v>")
    open_workbook(workbook(tmp_path / "s.xlsx", with_rows(short), texts=long), "s.xlsx")


def test_a_part_that_is_longer_than_it_says_is_refused(tmp_path):
    path = workbook(tmp_path / "w.xlsx", with_rows("<row/>" * 300_000))
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as packed:
        size = packed.getinfo("xl/worksheets/sheet1.xml").file_size
    for at in (content.find(size.to_bytes(4, "little")), content.rfind(size.to_bytes(4, "little"))):
        content[at : at + 4] = (900).to_bytes(4, "little")
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match="it unpacks to more than it says"):
        open_workbook(path, "w.xlsx")


def test_lists_of_sheets_that_lie_deep_in_each_other_are_refused(tmp_path):
    path = workbook(tmp_path / "w.xlsx")
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(
        b"<sheets>", b"<a>" * 9_999 + b"</a>" * 9_999 + b"<sheets>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    with pytest.raises(InputError, match="deep in each other"):
        open_workbook(path, "w.xlsx")


@pytest.mark.slow
def test_twenty_thousand_merges_take_a_moment(tmp_path):
    rows = "".join(f'<row r="{row}"><c r="B{row}"><v>1</v></c></row>' for row in range(3, 20_003))
    merges = "".join(f'<mergeCell ref="A{row}:A1048576"/>' for row in range(3, 20_003))

    def edit(sheet: str) -> str:
        return with_rows(rows)(sheet).replace("</sheetData>", f"</sheetData><mergeCells>{merges}</mergeCells>")

    opened = open_workbook(workbook(tmp_path / "w.xlsx", edit), "w.xlsx")
    began = time.perf_counter()
    with pytest.raises(InputError, match="its merged cells lie over each other"):
        read_sheet_rows(opened, "tasks")
    assert time.perf_counter() - began < 15


OPEN = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
    '<table:table table:name="units">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'
)
HEAD = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
HEADER = f"<table:table-row>{HEAD.format('unit_id')}{HEAD.format('name')}</table:table-row>"


def open_sheet(path: Path, rows: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        packed.writestr("content.xml", OPEN.format(rows=rows))
        packed.writestr("META-INF/manifest.xml", "<manifest/>")
    return path


def repeated(
    rows: int, columns: int, cell: str = 'office:value-type="string"><text:p>x</text:p', tag: str = "table-cell"
):
    return (
        f'<table:table-row table:number-rows-repeated="{rows}">'
        f'<table:{tag} table:number-columns-repeated="{columns}" {cell}></table:{tag}></table:table-row>'
    )


@pytest.mark.parametrize(
    "rows",
    [
        repeated(1_048_576, 16_384),
        repeated(6_000, 1_000),
        repeated(6_000, 1_000, tag="covered-table-cell"),
        repeated(6_000, 1_000, 'table:formula="of:=1"'),
        repeated(1_000_000, 16_000, "") + HEADER + repeated(1, 1) + repeated(1, 16_000),
        repeated(1, 1, 'office:value-type="string"><text:p><text:s text:c="2000000000"/></text:p'),
        repeated(5_000, 1, f'office:value-type="string"><text:p>{"x" * 90_000}</text:p'),
        "<table:x>" * 100_000 + "</table:x>" * 100_000,
    ],
)
def test_an_open_sheet_of_repeats_is_refused_before_it_takes_room(rows, tmp_path):
    path = open_sheet(tmp_path / "units.ods", HEADER + rows)
    assert path.stat().st_size < 20_000
    with pytest.raises(InputError, match=r'units\.ods: sheet "units": (it reaches|what it repeats|its elements lie)'):
        open_workbook(path, "units.ods")


def test_an_open_sheet_as_programs_write_it_is_read(tmp_path):
    """Below a table they say that a million rows of 16,384 empty cells follow."""
    row = f"<table:table-row>{HEAD.format('u1')}{HEAD.format('One')}</table:table-row>"
    end = repeated(1_048_000, 16_384, 'table:style-name="ce1"')
    open_sheet(tmp_path / "units.ods", HEADER + row + end)
    data = read_data(tmp_path, RULES)
    assert data.units[["unit_id", "name"]].values.tolist() == [["u1", "One"]]


FIRST = number(0, 0, 1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (book({"units": sized(2**31, 60_000) + FIRST}), "it reaches to row 2,147,483,648"),
        (book({f"s{n}": FIRST + number(65_535, 255, 1) for n in range(2)}), "it reaches to row 65,536"),
        (book({"units": FIRST + number(65_535, 65_535, 1)}), "it reaches to row 65,536 and column 65,536"),
        (
            book({"units": b"".join(shared(row, 0, 1) for row in range(9_999))}, ["a", "b" * 30_000]),
            "what it repeats makes more",
        ),
        (book({"units": FIRST}, extra=record(0x2F, bytes(6))), "locked by a password"),
        (book({"units": FIRST})[:600], "cannot be read as a workbook"),
    ],
)
def test_an_old_workbook_is_looked_into_too(content, said, tmp_path):
    (tmp_path / "units.xls").write_bytes(content)
    with pytest.raises(InputError, match=f"units.xls: .*{said}"):
        open_workbook(tmp_path / "units.xls", "units.xls")


def test_an_old_workbook_whose_sectors_run_in_a_circle_is_refused(tmp_path):
    content = bytearray(book({"units": FIRST}))
    content[512 + 4 * 3 : 512 + 4 * 4] = (2).to_bytes(4, "little")  # the second sector of the stream leads to the first
    (tmp_path / "units.xls").write_bytes(bytes(content))
    with pytest.raises(InputError, match="its parts lie over each other"):
        open_workbook(tmp_path / "units.xls", "units.xls")


def test_an_old_workbook_is_read(tmp_path):
    texts = ["unit_id", "name", "headcount", "claims", "x" * 9_000]
    cells = (
        b"".join(shared(0, column, column) for column in range(3)) + shared(1, 0, 3) + shared(1, 1, 4) + number(1, 2, 7)
    )
    (tmp_path / "units.xls").write_bytes(book({"units": sized(2, 3) + cells}, texts))
    units = read_data(tmp_path, RULES).units
    assert units[["unit_id", "name", "headcount"]].values.tolist() == [["claims", "x" * 9_000, 7.0]]


def test_failed_cells_of_an_old_workbook_are_read_as_they_stand(tmp_path):
    alone = record(0x205, struct.pack("<HHHBB", 1, 0, 0, 0x17, 1))
    worked = record(0x06, struct.pack("<HHH8sHIH", 1, 1, 0, b"\x02\0\x07\0\0\0\xff\xff", 0, 0, 3) + b"\x1e\x01\0")
    flag = record(0x205, struct.pack("<HHHBB", 1, 2, 0, 1, 0))
    cells = b"".join(shared(0, column, column) for column in range(3)) + alone + worked + flag
    (tmp_path / "w.xls").write_bytes(book({"units": cells}, ["a", "b", "c"]))
    rows = read_sheet_rows(open_workbook(tmp_path / "w.xls", "w.xls"), "units")
    assert rows == [["a", "b", "c"], ["#REF!", "#DIV/0!", "yes"]]


# What a file is called and what it is ------------------------------------------------------------------------


def zipped(**parts: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/"), content)
    return packed.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
WRONG = {
    "units.xlsx: an .ods": (zipped(mimetype="application/vnd.oasis.opendocument.spreadsheet"), "to end in .ods"),
    "units.xlsx: an .xls": (book({"units": FIRST}), "Rename it to end in .xls"),
    "units.xlsx: locked": (
        OLE + bytes(1_016) + "EncryptedPackage".encode("utf-16-le"), "take the password away"
    ),
    "units.xlsx: an .xlsb": (
        zipped(xl__workbook="", **{"xl__workbook.bin": "", "[Content_Types].xml": ""}), "a binary workbook (.xlsb)"
    ),
    "units.xlsx: a page": (b"<html><table></table></html>", "an HTML page"),
    "units.xls: text": (UNITS.encode(), "this is a text file, though its name ends in .xls. Rename it to end in .csv"),
    "units.csv: gzip": (gzip.compress(UNITS.encode()), "a file packed by gzip. Rename it to end in .csv.gz"),
    "units.csv: a PDF": (b"%PDF-1.7\n\x00\x01", "a PDF document"),
    "units.xlsx: cut off": (b"PK\x03\x04" + bytes(range(256)), "It is cut off or damaged"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_file_that_is_not_what_it_is_called_is_named_for_what_it_is(case, tmp_path):
    content, said = WRONG[case]
    name = case.partition(":")[0]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as refused:
        read_data(tmp_path, RULES)
    assert name in str(refused.value) and said in str(refused.value)
    assert f"as {Path(name).suffix}," not in str(refused.value)


def test_a_workbook_where_a_text_file_is_wanted_is_not_to_be_saved_as_a_workbook(tmp_path):
    path = workbook(tmp_path / "names.xlsx")
    with pytest.raises(InputError) as refused:
        read_name_map(path)
    assert str(refused.value) == (
        "names.xlsx: this is an .xlsx workbook, and only a text file is read here. Save the table as CSV (UTF-8)."
    )


def test_a_workbook_called_csv_is_to_be_renamed(tmp_path):
    workbook(tmp_path / "w.xlsx").rename(tmp_path / "tasks.csv")
    with pytest.raises(InputError, match=r"no text file but an \.xlsx workbook\. Rename it to end in \.xlsx"):
        read_csv(tmp_path / "tasks.csv", (), "tasks.csv")


def test_a_strict_workbook_is_read(tmp_path):
    path = workbook(tmp_path / "tasks.xlsx", with_rows('<row r="3"><c r="A3" t="e"><v>#REF!</v></c></row>'))
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in parts.items():
            content = content.replace(
                b"http://schemas.openxmlformats.org/spreadsheetml/2006", b"http://purl.oclc.org/ooxml/spreadsheetml"
            )
            rels = b"http://schemas.openxmlformats.org/officeDocument/2006"
            packed.writestr(name, content.replace(rels, b"http://purl.oclc.org/ooxml/officeDocument"))
    assert read_sheet_rows(open_workbook(path, "tasks.xlsx"), "tasks")[2] == ["#REF!", ""]


@pytest.mark.parametrize(
    "name", ["units.csv", "about.csv", "units.xlsx", "units.parquet", "units.csv.gz", "units/a.csv"]
)
def test_a_pipe_is_refused_and_not_waited_for(name, tmp_path):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    os.mkfifo(tmp_path / name)
    (tmp_path / "feedback.csv").write_text("feedback_id,unit_id,flagged_at\nf1,u1,2026-05-11\n")
    with pytest.raises(InputError, match="this is no file with rows in it"):
        read_data(tmp_path, RULES)


# Folders of parts, packed text -------------------------------------------------------------------------------


def test_a_folder_of_parquet_parts_is_one_table_and_every_row_remembers_its_part(tmp_path):
    folder = tmp_path / "decisions.parquet"
    folder.mkdir()
    LOG.iloc[:1].to_parquet(folder / "part-00000-a.snappy.parquet")
    LOG.iloc[1:].assign(decided_at=pd.Timestamp("2026-05-01")).to_parquet(folder / "part-00001-b.snappy.parquet")
    for mark in ("_SUCCESS", "_metadata", ".part-00000.crc"):
        (folder / mark).write_bytes(b"")
    data = read_data(tmp_path, RULES)
    assert data.counts.iloc[0].tolist() == ["decisions", 2, 1, 1, 0]
    left = data.quarantine["decisions"].iloc[0]
    assert (left["file"], left["row"]) == ("decisions.parquet/part-00001-b.snappy.parquet", 2)
    assert left["rule"] == "decided_at is before opened_at"
    assert sorted(data.inputs["file"]) == [
        f"decisions.parquet/part-0000{n}-{x}.snappy.parquet" for n, x in ("0a", "1b")
    ]
    assert not data.notes


def test_folders_that_name_a_column_and_its_value_fill_that_column(tmp_path):
    for place, unit in enumerate(("u1", "r%26d", "__HIVE_DEFAULT_PARTITION__")):
        folder = tmp_path / "decisions" / "wave_no=1" / f"unit_id={unit}"
        folder.mkdir(parents=True)
        one = LOG.drop(columns="unit_id").iloc[:1]
        one.assign(decision_id=f"d{place}").to_parquet(folder / "part-0.parquet")
    data = read_data(tmp_path, RULES)
    kept = data.decisions.order_by("decision_id").to_pandas()
    assert kept[["decision_id", "unit_id"]].values.tolist() == [["d0", "u1"], ["d1", "r&d"]]
    assert data.quarantine["decisions"]["rule"].tolist() == ["unit_id is missing"]
    assert data.quarantine["decisions"]["file"].str.contains("unit_id=__HIVE").all()


def test_the_folder_above_a_table_says_nothing_of_its_rows(tmp_path):
    folder = tmp_path / "unit_id=elsewhere"
    (folder / "decisions").mkdir(parents=True)
    for place in range(2):
        LOG.iloc[[place]].to_parquet(folder / "decisions" / f"p{place}.parquet")
    assert sorted(read_data(folder, RULES).units["unit_id"]) == ["u1", "u2"]


def test_partitions_of_text_and_of_other_tables_are_read_too(tmp_path):
    for unit in ("u1", "u2"):
        (tmp_path / "usage" / f"Unit ID={unit}").mkdir(parents=True)
        text = "initiative_id,intended_users,active_users\ni1,20,10\n"
        (tmp_path / "usage" / f"Unit ID={unit}" / "a.csv").write_text(text)
    usage = read_data(tmp_path, RULES).tables["usage"]
    assert usage[["initiative_id", "unit_id"]].values.tolist() == [["i1", "u1"], ["i1", "u2"]]


def test_a_folder_named_in_capitals_is_one_table(tmp_path):
    (tmp_path / "Decisions").mkdir()
    for place in range(2):
        LOG.iloc[[place]].to_csv(tmp_path / "Decisions" / f"{place}.CSV", index=False)
    assert used(read_data(tmp_path, RULES)) == {"decisions": 2}


def test_a_table_in_two_places_is_told_whatever_kinds_they_are(tmp_path):
    (tmp_path / "decisions.parquet").mkdir()
    LOG.to_parquet(tmp_path / "decisions.parquet" / "a.parquet")
    LOG.to_csv(tmp_path / "decisions.csv", index=False)
    with pytest.raises(InputError, match=r"decisions is there more than once \(decisions.csv, decisions.parquet/\)"):
        read_data(tmp_path, RULES)


@pytest.mark.parametrize("ending", ["csv", "tsv", "txt"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_packed_text_is_read_like_any_other(ending, encoding, tmp_path):
    content = UNITS.replace("One", "Küche").replace(",", "\t" if ending == "tsv" else ";")
    (tmp_path / f"Units.{ending.upper()}.gz").write_bytes(gzip.compress(content.encode(encoding)))
    assert read_data(tmp_path, RULES).units["name"].tolist() == ["Küche", "Two"]


@pytest.mark.slow
def test_packed_text_that_grows_beyond_measure_is_refused(tmp_path):
    (tmp_path / "units.csv.gz").write_bytes(gzip.compress(UNITS.encode() + b"u3,x\n" * (13 << 20), compresslevel=9))
    with pytest.raises(InputError, match=r"units\.csv\.gz: unpacks to more than 5\d MB from 0\.1 MB"):
        read_data(tmp_path, RULES)


def test_an_import_lays_packed_answers_beside_its_own_and_asks_for_one_folder(tmp_path):
    answers = "respondent_id,unit_id,team_goal\nr1,u1,3\n"
    (tmp_path / "responses.csv.gz").write_bytes(gzip.compress(answers.encode()))
    assert open_folder(tmp_path, RULES).single == tmp_path / "responses.csv.gz"
    (tmp_path / "responses.csv.gz").unlink()
    (tmp_path / "Responses").mkdir()
    (tmp_path / "Responses" / "a.csv").write_text(answers)
    with pytest.raises(
        UsageError, match=r"Responses/: the responses lie in a folder of another name\. Call it responses"
    ):
        open_folder(tmp_path, RULES)


@pytest.mark.parametrize(
    "content",
    [gzip.compress(UNITS.encode())[:-9], UNITS.encode(), b"\x1f\x8b\x08" + bytes(99)],
    ids=["cut short", "not packed", "a head alone"],
)
def test_packed_text_that_is_damaged_is_told(content, tmp_path):
    (tmp_path / "units.csv.gz").write_bytes(content)
    with pytest.raises(InputError, match=r"units\.csv\.gz: cannot be unpacked"):
        read_data(tmp_path, RULES)


# Named like a table, and not read ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("decisions.numbers", "Save it as decisions.xlsx or decisions.csv"),
        ("decisions.xlsb", "Save it as decisions.xlsx"),
        ("decisions.sav", "Save it as decisions.csv or decisions.parquet"),
        ("Decisions.JSON", "Save it as decisions.csv"),
        ("decisions.feather", "Save it as decisions.csv"),
        ("decisions.csv.zip", "decisions.csv.gz is read"),
        ("decisions.parquet.gz", "decisions.csv.gz is read"),
        ("decisions.csv.bak", "if it counts, name it decisions.csv"),
        ("decisions.csv~", "if it counts, name it decisions.csv"),
        ("decisions.duckdb", "by its address"),
        ("decisions", "has no ending"),
        ("decisions (1).csv", "did you mean decisions?"),
        ("Copy of decisions.csv", "Call it decisions.csv"),
        ("decisions - Copy.parquet", "Call it decisions.parquet"),
        ("decisions_2026.tsv", "Call it decisions.tsv"),
        ("decisions old.csv.gz", "Call it decisions.csv.gz"),
        ("about.json", "Save it as about.csv"),
    ],
)
def test_a_file_named_like_a_table_is_noted_with_what_to_do(name, said, tmp_path):
    (tmp_path / name).write_bytes(b"\x00\x01 whatever")
    (note,) = notes_of(tmp_path)
    assert note.startswith(name) and "was not read" in note and said in note


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("decisions.numbers/Index.zip", "decisions.numbers is named like the table decisions"),
        ("decisions old/a.csv", "decisions old/ is a folder named like the table decisions"),
        ("2026/decisions.csv", "2026/decisions.csv is named like a table and lies a folder too deep"),
        ("decisions/_delta_log/0.json", "decisions/ is a Delta table"),
        ("decisions/metadata/v1.metadata.json", "decisions/ is an Iceberg table"),
        ("decisions/2026/a.parquet", "decisions/2026: folders inside are not read"),
        ("decisions/part-0.json", "decisions/part-0.json: this is of a kind that is not read"),
    ],
)
def test_a_folder_named_like_a_table_is_noted_with_what_to_do(inside, said, tmp_path):
    (tmp_path / inside).parent.mkdir(parents=True)
    (tmp_path / inside).write_text("x")
    (note,) = notes_of(tmp_path)
    assert note.startswith(said) and "not read" in note


@pytest.mark.slow
def test_many_files_of_one_kind_are_one_note(tmp_path):
    (tmp_path / "decisions").mkdir()
    LOG.to_parquet(tmp_path / "decisions" / "a.parquet")
    for place in range(30):
        (tmp_path / "decisions" / f"p{place:02}.json").write_text("{}")
    (note,) = notes_of(tmp_path)
    assert note.startswith("decisions/p00.json and 29 more: these are of a kind that is not read")


def test_what_is_named_like_nothing_of_ours_is_passed_over_in_silence(tmp_path):
    for name in ("notes.docx", "map.json", "minutes on decisions.pdf", ".decisions.csv.swp", "~$decisions.xlsx"):
        (tmp_path / name).write_text("x")
    for folder in ("quarantine", "plans", "pictures"):
        (tmp_path / folder).mkdir()
    (tmp_path / "quarantine" / "decisions.csv").write_text("x")
    assert notes_of(tmp_path) == []


def test_where_nothing_else_lies_the_error_says_what_was_not_read(tmp_path):
    (tmp_path / "decisions.sav").write_text("x")
    with pytest.raises(AireadyError, match=r"(?s)no table found.*decisions\.sav is named like the table decisions"):
        read_data(tmp_path, RULES)


def test_a_link_out_of_a_folder_of_parts_is_not_followed(tmp_path):
    (tmp_path / "outside").mkdir()
    LOG.to_parquet(tmp_path / "outside" / "a.parquet")
    (tmp_path / "data" / "decisions").mkdir(parents=True)
    (tmp_path / "data" / "decisions" / "unit_id=u1").symlink_to(tmp_path / "outside")
    assert "was not followed" in find_tables(tmp_path / "data").problems[0]


# Times and numbers that Python has not -----------------------------------------------------------------------

BEYOND = """
    CREATE TABLE initiatives AS SELECT * FROM (VALUES
      ('i1', 1.0::DOUBLE, date '2026-05-11', timestamptz '2026-05-11 10:00+02'),
      ('i2', 'infinity'::DOUBLE, date '2026-05-11', NULL), ('i3', 'nan'::DOUBLE, 'infinity'::DATE, NULL),
      ('i4', NULL, '5881580-07-10'::DATE, 'infinity'::TIMESTAMPTZ), ('i5', NULL, '0044-03-15 (BC)'::DATE, NULL))
      AS t(initiative_id, baseline, pilot_on, deadline);
    ALTER TABLE initiatives ADD COLUMN unit_id VARCHAR DEFAULT 'u1';
    ALTER TABLE initiatives ADD COLUMN name VARCHAR DEFAULT 'x';
    ALTER TABLE initiatives ADD COLUMN stage VARCHAR DEFAULT 'pilot';
    CREATE TABLE decisions AS SELECT * FROM (VALUES
      ('d1', timestamp '2026-05-11', 0.5::DOUBLE), ('d2', 'infinity'::TIMESTAMP, 'nan'::DOUBLE),
      ('d3', '294247-01-01'::TIMESTAMP, 'infinity'::DOUBLE), ('d4', '-infinity'::TIMESTAMP, NULL),
      ('d5', '0044-03-15 (BC)'::TIMESTAMP, NULL)) AS t(decision_id, opened_at, advice_confidence);
    ALTER TABLE decisions ADD COLUMN unit_id VARCHAR DEFAULT 'u1';
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["duckdb", "parquet"])
def test_infinite_and_far_times_and_numbers_are_set_aside_row_by_row(kind, tmp_path):
    url = stored(tmp_path, BEYOND)
    if kind == "parquet":
        (tmp_path / "data").mkdir()
        with duckdb.connect(tmp_path / "w.duckdb") as made:
            for table in ("initiatives", "decisions"):
                made.execute(f"COPY {table} TO '{tmp_path}/data/{table}.parquet'")
    data = read_data(tmp_path / "data" if kind == "parquet" else url, RULES)
    assert data.counts[["table", "used", "quarantined"]].values.tolist() == [["initiatives", 1, 4], ["decisions", 1, 4]]
    assert data.tables["initiatives"]["initiative_id"].tolist() == ["i1"]
    assert data.tables["initiatives"]["deadline"].tolist() == [pd.Timestamp("2026-05-11")]
    assert data.quarantine["initiatives"]["value"].tolist() == [
        "inf", "infinity", "infinity; 5881580-07-10", "0044-03-15 (BC)",
    ]  # fmt: skip
    assert data.quarantine["decisions"]["value"].tolist()[0] == "infinity"
    assert data.as_of == pd.Timestamp("2026-05-11").date()
    write_quarantine(data, tmp_path / "out")


# Text compares as Python compares ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["VARCHAR COLLATE NOCASE", "VARCHAR COLLATE NOCASE.NOACCENT", "ENUM ('it', 'IT', 'pay')"]
)
def test_text_of_a_database_file_compares_sign_for_sign(kind, tmp_path):
    url = stored(
        tmp_path,
        f"CREATE TABLE units (unit_id {kind}, name VARCHAR)",
        "INSERT INTO units VALUES ('it', 'Information technology')",
        f"CREATE TABLE decisions (decision_id VARCHAR, unit_id {kind}, opened_at TIMESTAMP, final_decision {kind})",
        "INSERT INTO decisions SELECT 'd' || i, CASE WHEN i % 3 = 0 THEN 'IT' ELSE 'it' END, '2026-05-11', 'pay' "
        "FROM range(30) t(i)",
    )
    data = read_data(url, RULES)
    assert used(data) == {"units": 1, "decisions": 20}
    assert data.decisions.aggregate(n=data.decisions["unit_id"].nunique()).to_pandas()["n"].tolist() == [1]
    measured = decisions.measure(data, RULES)
    assert measured.loc[measured["measure"] == "label_coverage", "n"].dropna().tolist() == [20, 20]


# Formulas ----------------------------------------------------------------------------------------------------


def fields(text: str, separator: str) -> list[str]:
    """Fields as a spreadsheet splits them whose separator is another: at every one, and at every line end."""
    return [field.strip('"') for line in text.splitlines() for field in line.split(separator)]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_no_field_of_what_is_set_aside_runs_whatever_separates_it(separator, tmp_path):
    attack = '=HYPERLINK("http://x")'
    cells = [f"x;{attack};y", "x;+1+1", "a\t@SUM(1)", f"first\n{attack}", f';"{attack}"', "\t=1", "-2+3", "-5", "a;-5"]
    assert [field for field in fields(_set_aside(cells, tmp_path), separator) if field.startswith(tuple("=+-@"))] == []


def test_no_cell_or_header_of_what_is_set_aside_runs(tmp_path):
    cells = ["=1+1", "+cmd", "-x", "@a", "\tb", "-5"]
    back = pd.read_csv(io.StringIO(_set_aside(cells, tmp_path)), dtype=str)
    assert list(back) == ["'=cmd()", "x;'=1+1", "'@a"]
    assert back["'@a"].tolist() == ["'=1+1", "'+cmd", "'-x", "'@a", "'\tb", "-5"]


def _set_aside(cells: list[str], folder: Path) -> str:
    """What a file in quarantine holds whose headers and cells somebody chose."""
    (folder / "data").mkdir()
    (folder / "data" / "units.csv").write_text(UNITS)
    rows = pd.DataFrame({"=cmd()": cells, "x;=1+1": cells, "@a": cells})
    data = replace(read_data(folder / "data", RULES), quarantine={"units": rows})
    (path,) = write_quarantine(data, folder / "out")
    return path.read_bytes().decode()


def test_a_number_that_begins_a_line_does_not_make_the_next_cell_a_formula():
    """Where the comma is in numbers, `-5,0+cmd` is -5.0 + cmd."""
    rows = pd.DataFrame({"decision_id": ["-5"], "unit_id": ["0+cmd|'/C calc'!A0"]})
    assert safe_cells(rows).to_csv(index=False).splitlines()[1].startswith("'-5,")


def test_numbers_and_plain_words_are_left_as_they_are():
    plain = pd.DataFrame({"id": list("abcdef"), "said": ["-5", "a;-5;b", "x; y", "a-b", "mail@x.org", "1;2;3"]})
    assert safe_cells(plain).equals(plain)
