"""A corpus of bad files, each made by a line of code: what people, spreadsheets, disks and programs do to tables.

`CASES`: name -> what makes it in a data folder. A case is fair: a careful person could meet the file one day.
"""

import gzip
import io
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, time, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from openpyxl import Workbook

Make = Callable[[Path], object]

HEADERS = {
    "units": "unit_id,name,parent_id,headcount",
    "responses": "respondent_id,unit_id,role,wave,team_goal,purpose_told",
    "initiatives": "initiative_id,unit_id,name,stage,pilot_on",
    "usage": "initiative_id,unit_id,intended_users,active_users",
    "trials": "initiative_id,measure,kind,direction,arm,n,mean,sd",
    "tasks": "unit_id,job,task_id,task,hours_per_year",
    "decisions": "decision_id,unit_id,opened_at,autonomy_level",
    "feedback": "feedback_id,unit_id,flagged_at",
    "actions": "action_id,unit_id,barrier_id,action,owner,due_on,status",
}
ROWS = {
    "units": "u{n},Unit {n},,10",
    "responses": "r{n},u{n},manager,2026-Q3,3,4",
    "initiatives": "i{n},u{n},Thing {n},pilot,2026-05-11",
    "usage": "i{n},u{n},20,10",
    "trials": "i{n},minutes,outcome,decrease,control,30,5,1",
    "tasks": "u{n},job,t{n},Task {n},120",
    "decisions": "d{n},u{n},2026-05-11T09:30:00,2",
    "feedback": "f{n},u{n},2026-05-11T09:30:00",
    "actions": "a{n},u{n},measurement,Do {n},owner,2026-10-16,open",
}
"""One good row of each table; `{n}` makes it another."""


def good(table: str, rows: int = 3) -> str:
    return "\n".join([HEADERS[table], *(ROWS[table].format(n=n) for n in range(1, rows + 1))]) + "\n"


def with_cell(table: str, column: str, cell: str) -> str:
    """A good table whose second row holds a cell of another kind."""
    lines = good(table).splitlines()
    at = HEADERS[table].split(",").index(column)
    cells = lines[2].split(",")
    cells[at] = '"' + cell.replace('"', '""') + '"'
    return "\n".join([lines[0], lines[1], ",".join(cells), lines[3]]) + "\n"


def put(name: str, content: str | bytes) -> Make:
    data = content.encode() if isinstance(content, str) else content
    return lambda folder: (folder / name).write_bytes(data)


BAD_DATES = (
    "31.02.2026",
    "2026-13-01",
    "00/00/0000",
    "0000-00-00",
    "yesterday",
    "Q3",
    "2026-W20",
    "05/11/26",
    "11 May",
    "1899-12-31",
    "9999-12-31",
    "10000-01-01",
    "infinity",
    "inf",
    "epoch",
    "2026-05-11 (BC)",
    "9999-12-31T23:59:59-05:00",
    "-infinity",
    "nan",
    "12:30",
    "1e5",
    "2026-05-11Z9",
    "1700000000000",
    "-1",
    "TRUE",
    "#VALUE!",
    "2026-05-11T25:00:00",
    "٢٠٢٦-٠٥-١١",
    "May 11th, 2026",
)
BAD_NUMBERS = (
    "twelve",
    "zwölf",
    "1,234.5",
    "12,500",
    "1.234.567",
    "1 000",
    "1_000",
    "½",
    "٣",
    "−5",
    "-5",
    "50 %",
    "5€",
    "1e400",
    "-1e400",
    "inf",
    "nan",
    "0x1F",
    "1e-400x",
    "3-4",
    "~30",
    ">100",
    "#DIV/0!",
    "true",
    "1;2",
    "9" * 400,
)
NOTHINGS = (
    "NULL",
    "None",
    "nan",
    "NaN",
    "-",
    "--",
    "?",
    "#REF!",
    "n.a.",
    "k. A.",
    "\\N",
    "(blank)",
    "\u00a0",
    "\u200b",
    "'",
)


CELLS = {"date": BAD_DATES, "number": BAD_NUMBERS, "nothing": NOTHINGS}
COLUMNS = {
    "date": ("initiatives.pilot_on", "feedback.flagged_at", "decisions.opened_at", "actions.due_on"),
    "number": ("units.headcount", "tasks.hours_per_year", "usage.active_users", "decisions.autonomy_level"),
    "nothing": ("responses.role", "responses.team_goal", "units.headcount", "initiatives.stage"),
}


def _values() -> Iterator[tuple[str, Make]]:
    for kind, cells in CELLS.items():
        for where in COLUMNS[kind]:
            table, column = where.split(".")
            for cell in cells:
                yield f"{kind}: {cell!r} in {where}", put(f"{table}.csv", with_cell(table, column, cell))


def _encodings() -> Iterator[tuple[str, Make]]:
    text = good("responses").replace("u2", "Küche – „Süd“ 部")
    for encoding in (
        "utf-8",
        "utf-8-sig",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "utf-32-le",
        "utf-7",
        "gb18030",
        "big5",
    ):
        yield f"encoding {encoding}", put("responses.csv", text.encode(encoding, "replace"))
    for encoding in ("cp1252", "latin-1", "cp437", "mac-roman", "cp1251", "koi8-r", "shift-jis", "cp500"):
        yield f"encoding {encoding}", put("responses.csv", text.encode(encoding, "replace"))
    raw = good("responses").encode()
    for name, data in {
        "a lone continuation byte": raw.replace(b"u2", b"u\x80"),
        "a cut sequence at the end": raw + b"r9,u\xc3",
        "overlong": raw.replace(b"u2", b"\xc0\xaf"),
        "a surrogate": raw.replace(b"u2", b"\xed\xa0\x80"),
        "two encodings in one file": raw + "r8,Küche,,,3,\n".encode() + "r9,Küche,,,3,\n".encode("cp1252"),
        "NUL in a cell": raw.replace(b"u2", b"u\x002"),
        "NUL at the end": raw + b"\x00" * 64,
        "escape signs": raw.replace(b"u2", b"\x1b[31mu2\x1b[0m"),
        "bell": raw.replace(b"u2", b"u\x07"),
        "two byte-order marks": b"\xef\xbb\xbf" * 2 + raw,
        "a mark in the middle": raw.replace(b"r2", b"\xef\xbb\xbfr2"),
        "UTF-16 with half a sign": good("responses").encode("utf-16")[:-1],
        "UTF-16 with a lone surrogate": b"\xff\xfe" + good("responses").encode("utf-16-le") + b"\x00\xd8",
        "right-to-left marks": raw.replace(b"u2", "\u202eu2".encode()),
        "only a byte-order mark": b"\xef\xbb\xbf",
        "cp1252 without a meaning": raw.replace(b"u2", b"u\x81"),
    }.items():
        yield name, put("responses.csv", data)


def _dialects() -> Iterator[tuple[str, Make]]:
    for delimiter in (";", "\t", "|", ":", " ", "::", "~", "^", "\x1f", "，", ", ", ";;"):
        yield f"delimiter {delimiter!r}", put("responses.csv", good("responses").replace(",", delimiter))
    for name, ends in {
        "\\r": "\r",
        "\\r\\n": "\r\n",
        "\\n\\r": "\n\r",
        "\\r\\r\\n": "\r\r\n",
        "U+2028": "\u2028",
    }.items():
        yield f"line ends {name}", put("responses.csv", good("responses").replace("\n", ends))
    quotes = {
        "never closed": good("responses").replace("u2", '"u2'),
        "closed too early": good("responses").replace("u2", '"u"2'),
        "in the middle": good("responses").replace("u2", 'u"2'),
        "single": good("responses").replace("u2", "'u,2'"),
        "typographic": good("responses").replace("u2", "“u,2”"),
        "backslash": good("responses").replace("u2", '"u\\",2"'),
        "around lines": "\n".join(f'"{line}"' for line in good("responses").splitlines()),
        "with a line break": good("responses").replace("u2", '"u\n2"'),
        "only quotes": '""\n"","",""\n',
        "at the very end": good("responses") + '"',
        "never closed header": '"' + good("responses"),
        "doubled": good("responses").replace("u2", '""u2""'),
        "with spaces before": good("responses").replace("u2", ' "u2"'),
    }
    for name, text in quotes.items():
        yield f"quotes {name}", put("responses.csv", text)
    for name, text in {
        "sep= line": "sep=;\n" + good("responses").replace(",", ";"),
        "sep= another": "sep=|\n" + good("responses"),
        "comment lines": "# exported 2026\n#\n" + good("responses"),
        "title above": "Survey 2026\n\n" + good("responses"),
        "totals below": good("responses") + "Total,,,,12,\n",
        "header twice": good("responses") + good("responses"),
        "no header": good("responses").split("\n", 1)[1],
        "header alone": HEADERS["responses"],
        "only empty lines": "\n\n\n  \n",
        "empty lines between": good("responses").replace("\n", "\n\n\n"),
        "only delimiters": ",,,\n,,,\n",
        "one cell": "x",
        "one column": "unit_id\nu1\nu2\n",
        "short rows": "unit_id,team_goal\nu1\nu2,3\n",
        "long rows": good("responses").replace(",4\n", ",4,5,6,7\n"),
        "markdown table": "| unit_id | team_goal |\n|---|---|\n| u1 | 3 |\n",
        "html": "<table><tr><td>unit_id</td></tr></table>",
        "json": '[{"unit_id": "u1", "team_goal": 3}]',
        "yaml": "unit_id: u1\nteam_goal: 3\n",
        "fixed width": "unit_id  team_goal\nu1       3        \n",
        "trailing delimiters": good("responses").replace("\n", ",,\n"),
    }.items():
        yield name, put("responses.csv", text)


def _headers() -> Iterator[tuple[str, Make]]:
    rows = "u1,3,a,b\nu2,4,c,d\n"
    for header in (
        "unit_id,team_goal,unit_id,x",
        "unit_id,team_goal,Unit ID,x",
        "unit_id,team_goal,Note,note",
        "unit_id,team_goal,,",
        "unit_id,team_goal,_row,_file",
        "unit_id,team_goal,_surplus,x",
        "unit_id,team_goal,given role,given wave",
        "UNIT_ID,Team-Goal,x,y",
        " unit id , team goal ,x,y",
        "unit_id,team_goal,x\ty,z",
        'unit_id,team_goal,"a\nb",z',
        "unit_id,team_goal,select,from",
        'unit_id,team_goal,"a""b",c',
        "unit_id,team_goal,a.b,c{}",
        "unit_id,team_goal,🙂,é",
        "unit_id,team_goal,e\u0301,é",
        "unit_id,team_goal,x,x (2)",
        "unit_id,team_goal,no header,",
        "team_goal,x,y,z",
        "unit_id,x,y,z",
        "unit_id;team_goal,x,y,z",
        "unit_id,team_goal,wave,respondent_id",
        "unit_id,team_goal,rowid,file_row_number",
        "unit_id,team_goal,;drop table responses;,--",
        f"unit_id,team_goal,{'h' * 100_000},x",
        f"unit_id,team_goal,{'h' * 200_000},x",
    ):
        yield f"header {header[:60]!r} ({len(header)})", put("responses.csv", f"{header}\n{rows}")


def _sizes() -> Iterator[tuple[str, Make]]:
    for size in (70_000, 200_000, 1_000_000, 4_300_000, 9_000_000):
        yield f"a cell of {size:,} signs", put("responses.csv", with_cell("responses", "unit_id", "x" * size))
    yield "a comment of two megabytes", put("responses.csv", f"unit_id,team_goal,comment\nu1,3,{'word ' * 400_000}\n")
    wide = [f"c{n}" for n in range(5_000)]
    yield (
        "5,000 columns",
        put("responses.csv", ",".join(["unit_id", "team_goal", *wide]) + "\n" + ",".join(["u1", "3", *wide]) + "\n"),
    )
    yield "5,000 cells in one row", put("responses.csv", good("responses") + "r9,u9,,,3," + "," * 5_000 + "x\n")
    yield "100,000 empty lines", put("responses.csv", "\n" * 100_000 + good("responses"))
    yield "100,000 empty rows", put("responses.csv", good("responses") + ",,,,,\n" * 100_000)
    yield "a million spaces", put("responses.csv", good("responses").replace("u2", "u2" + " " * 1_000_000))


def _xlsx(*rows: Sequence[object], sheet: str = "responses") -> bytes:
    book = Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(list(row))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _without(data: bytes, member: str) -> bytes:
    """A workbook that lacks one of its parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            if name != member:
                target.writestr(name, source.read(name))
    return buffer.getvalue()


def _workbooks() -> Iterator[tuple[str, Make]]:
    book = _xlsx(["unit_id", "team_goal"], ["u1", 3], ["u2", 4])
    for share in (0.1, 0.5, 0.9, 0.99):
        yield f"workbook cut at {share}", put("responses.xlsx", book[: int(len(book) * share)])
    for member in (
        "xl/workbook.xml",
        "xl/worksheets/sheet1.xml",
        "[Content_Types].xml",
        "xl/_rels/workbook.xml.rels",
        "xl/styles.xml",
    ):
        yield f"workbook without {member}", put("responses.xlsx", _without(book, member))
    for name, data in {
        "empty": b"",
        "text": good("responses").encode(),
        "html": b"<html><table></table></html>",
        "a picture": b"\x89PNG\r\n\x1a\n" + b"0" * 99,
        "a zip of nothing": b"PK\x05\x06" + b"\0" * 18,
        "locked by a password": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 4096,
        "rubbish after the head": b"PK\x03\x04" + bytes(range(256)) * 20,
        "a broken sheet": book.replace(b"sheetData", b"sheetXata"),
    }.items():
        for ending in ("xlsx", "xls", "ods"):
            yield f"{ending}: {name}", put(f"responses.{ending}", data)
    rows: dict[str, list[list[object]]] = {
        "dates and times in answers": [
            ["unit_id", "team_goal"],
            ["u1", datetime(2026, 5, 11)],
            ["u2", time(9, 30)],
            ["u3", timedelta(hours=30)],
        ],
        "errors of formulas": [["unit_id", "team_goal"], ["u1", "#REF!"], ["u2", "=1/0"], ["#N/A", 3]],
        "booleans": [["unit_id", "team_goal"], [True, 3], ["u2", False]],
        "no rows": [["unit_id", "team_goal"]],
        "nothing": [],
        "rows before the header": [[], ["", ""], ["unit_id", "team_goal"], ["u1", 3]],
        "a very long number": [["unit_id", "team_goal"], [12345678901234567890, 3]],
        "floats": [["unit_id", "team_goal"], [1.5, 3.0000001]],
        "a far cell": [["unit_id", "team_goal"], ["u1", 3], [], *[[] for _ in range(3000)], [None] * 200 + ["x"]],
    }
    for name, table in rows.items():
        yield f"workbook with {name}", put("responses.xlsx", _xlsx(*table))
    for sheet in ("Responses ", "RESPONSES", "responses 2", "Tabelle1", "=x", "💡"):
        yield f"sheet named {sheet!r}", put("answers.xlsx", _xlsx(["unit_id", "team_goal"], ["u1", 3], sheet=sheet))


def _parquet(**columns: object) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), buffer)
    return buffer.getvalue()


def _parquets() -> Iterator[tuple[str, Make]]:
    units, levels = ["u1", "u2"], [3, 4]
    plain = _parquet(unit_id=units, team_goal=levels)
    for share in (0.1, 0.5, 0.9, 0.99):
        yield f"parquet cut at {share}", put("responses.parquet", plain[: int(len(plain) * share)])
    yield "parquet of text", put("responses.parquet", good("responses"))
    yield "empty parquet", put("responses.parquet", b"")
    yield "parquet without columns", put("responses.parquet", _parquet())
    yield (
        "parquet without rows",
        put("responses.parquet", _parquet(unit_id=pa.array([], pa.string()), team_goal=pa.array([], pa.int64()))),
    )
    for name, column in {
        "lists": [[3], [4]],
        "structs": [{"a": 3}, {"a": 4}],
        "bytes": [b"\xff\xfe", b"3"],
        "booleans": [True, False],
        "decimals": pa.array(["3.0", "4.5"], pa.string()).cast(pa.decimal128(5, 1)),
        "nulls": pa.nulls(2),
        "nan": [float("nan"), 3.0],
        "infinity": [float("inf"), 3.0],
        "timestamps": pa.array([0, 1], pa.timestamp("ns")),
        "durations": pa.array([1, 2], pa.duration("s")),
        "dictionaries": pa.array(["3", "4"]).dictionary_encode(),
        "huge integers": pa.array([2**63, 3], pa.uint64()),
        "times": pa.array([1, 2], pa.time32("s")),
        "halves": pa.array([3.0, 4.0], pa.float32()),
        "maps": pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int64())),
    }.items():
        yield f"parquet answers as {name}", put("responses.parquet", _parquet(unit_id=units, team_goal=column))
        yield f"parquet units as {name}", put("responses.parquet", _parquet(unit_id=column, team_goal=levels))
        yield (
            f"parquet decisions opened at {name}",
            put("decisions.parquet", _parquet(decision_id=["d1", "d2"], unit_id=units, opened_at=column)),
        )
        yield (
            f"parquet autonomy as {name}",
            put(
                "decisions.parquet",
                _parquet(
                    decision_id=["d1", "d2"],
                    unit_id=units,
                    opened_at=[pd.Timestamp("2026-05-11")] * 2,
                    autonomy_level=column,
                ),
            ),
        )


def _link(target: str | Path, name: str = "responses.csv") -> Make:
    return lambda folder: (folder / name).symlink_to(target)


def _outside(folder: Path) -> None:
    outside = folder.parent / "outside.csv"
    outside.write_text(good("responses"))
    (folder / "responses.csv").symlink_to(outside)


def _folder_outside(folder: Path) -> None:
    outside = folder.parent / "elsewhere"
    outside.mkdir(exist_ok=True)
    (outside / "a.csv").write_text(good("responses"))
    (folder / "responses").symlink_to(outside)


def _both(folder: Path) -> None:
    (folder / "responses.csv").write_text(good("responses"))
    (folder / "responses").mkdir()
    (folder / "responses" / "a.csv").write_text(good("responses"))


def _forms(folder: Path) -> None:
    (folder / "responses").mkdir()
    (folder / "responses" / "a.csv").write_text(good("responses"))
    (folder / "responses" / "b.csv").write_bytes(b"")
    (folder / "responses" / "c.xlsx").write_bytes(b"PK")
    (folder / "responses" / "d.parquet").write_bytes(b"PAR1")


def _places() -> Iterator[tuple[str, Make]]:
    yield "a link out of the folder", _outside
    yield "a folder that is a link out", _folder_outside
    yield "a link to nothing", _link("nowhere.csv")
    yield "a link to itself", _link("responses.csv")
    yield "a link to a device", _link("/dev/zero")
    yield "a link to a secret", _link("/etc/shadow")
    yield "a link upwards", _link("..", "responses")
    yield "a pipe", lambda folder: os.mkfifo(folder / "responses.csv")
    yield "a folder named like a file", lambda folder: (folder / "responses.csv").mkdir()
    yield "an empty folder of forms", lambda folder: (folder / "responses").mkdir()
    yield "a file and a folder of one table", _both
    yield "forms of which most are broken", _forms
    yield "nothing at all", lambda folder: None
    yield (
        "a name that is no text",
        lambda folder: Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe.csv")).write_text("x"),
    )
    yield (
        "a table beside a name that is no text",
        lambda folder: (
            (folder / "responses.csv").write_text(good("responses")),
            Path(os.fsdecode(os.fsencode(folder) + b"/\xff.csv")).write_text("x"),
        ),
    )
    yield "a very long name", put("r" * 240 + ".csv", good("responses"))
    yield (
        "the same table twice",
        lambda folder: [(folder / f"responses.{e}").write_text(good("responses")) for e in ("csv", "tsv")],
    )
    yield "compressed", put("responses.csv", gzip.compress(good("responses").encode()))
    yield "an open workbook's lock", put("~$responses.xlsx", b"\x05user")
    yield (
        "about as parquet",
        lambda folder: (
            (folder / "about.parquet").write_bytes(b"PAR1"),
            (folder / "responses.csv").write_text(good("responses")),
        ),
    )
    yield (
        "about without its columns",
        lambda folder: (
            (folder / "about.csv").write_text("a,b\n1,2\n"),
            (folder / "responses.csv").write_text(good("responses")),
        ),
    )
    for table in HEADERS:
        yield f"{table} with a row of rubbish", put(f"{table}.csv", good(table) + "�,\x0b,'\"\n")
        yield (
            f"{table} with every cell in the wrong column",
            put(f"{table}.csv", good(table) + ",".join(reversed(ROWS[table].split(","))) + "\n"),
        )
        yield f"{table} whose second half is missing", put(f"{table}.csv", good(table)[: len(good(table)) * 2 // 3])


CASES: dict[str, Make] = dict(
    case
    for family in (_values, _encodings, _dialects, _headers, _sizes, _workbooks, _parquets, _places)
    for case in family()
)
REPEATED = {
    f"{kind}: {cell!r} in {where}"
    for kind, cells in CELLS.items()
    for at, cell in enumerate(cells)
    for turn, where in enumerate(COLUMNS[kind])
    if at % len(COLUMNS[kind]) != turn
}
"""Cases of a cell in a column, but for one column of each cell, by turns."""
