"""Whatever lies in a data folder: a clear error or quarantine, every row accounted for, never a surprise."""

import csv
import os
import tempfile
from pathlib import Path

import pytest
from bad_files import BAD_DATES, BAD_NUMBERS, CASES, HEADERS, NOTHINGS, REPEATED, ROWS, good
from generated import examples
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from aiready.errors import AireadyError
from aiready.inputs import dataset
from aiready.inputs.dataset import Data, read_data, write_quarantine
from aiready.instrument.model import read_instrument

RULES = read_instrument()


def read(folder: Path) -> Data | str:
    """What was read, or the words that say why nothing was."""
    try:
        data = read_data(folder, RULES)
    except AireadyError as problem:
        return str(problem)
    return data


def check_sentence(text: str) -> None:
    """An error of this package, short enough to read and without a trace of the program behind it."""
    assert text and len(text) < 4_000, len(text)
    for trace in ("Traceback", 'File "/', "0x7f", "duckdb.", "pyarrow.", "Exception"):
        assert trace not in text, text
    text.encode()


def check_counts(data: Data, folder: Path) -> None:
    for row in data.counts.itertuples():
        assert row.read == row.used + row.quarantined + row.after_as_of
        assert row.used == len(data.tables[row.table]) if row.table in data.tables else True
        assert row.quarantined == len(data.quarantine.get(row.table, ()))
    write_quarantine(data, folder / "quarantine")
    for note in data.notes:
        check_sentence(note)


def test_the_corpus_holds_more_than_300_files():
    assert len(CASES) >= 300


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.acceptance) if case in REPEATED else case for case in CASES]
)
def test_a_bad_file_gives_a_clear_error_or_quarantine(case, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    CASES[case](folder)
    found = read(folder)
    if isinstance(found, str):
        check_sentence(found)
    else:
        check_counts(found, folder)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["date", "number"])
def test_a_cell_that_is_no_date_or_number_costs_its_own_row_and_no_other(kind, tmp_path):
    cells = {name: make for name, make in CASES.items() if name.startswith(f"{kind}: ")}
    assert len(cells) == 4 * len(BAD_DATES if kind == "date" else BAD_NUMBERS)
    for place, (name, make) in enumerate(list(cells.items())[:: 7 if kind == "date" else 5]):
        folder = tmp_path / str(place)
        folder.mkdir()
        make(folder)
        data = read_data(folder, RULES)
        table, column = name.rpartition(" in ")[2].split(".")
        assert list(data.quarantine[table][["row", "column"]].itertuples(index=False, name=None)) == [(3, column)], name


def test_a_file_that_vanishes_while_it_is_read_is_told(tmp_path, monkeypatch):
    (tmp_path / "responses.csv").write_text(good("responses"))
    finding = dataset.find_tables

    def find_then_lose(location: object) -> object:
        found = finding(location)
        (tmp_path / "responses.csv").unlink()
        return found

    monkeypatch.setattr(dataset, "find_tables", find_then_lose)
    assert read(tmp_path).startswith("responses.csv: this is no file with rows in it, or it is gone")


def test_a_file_that_vanishes_after_it_was_read_is_told(tmp_path, monkeypatch):
    (tmp_path / "responses.csv").write_text(good("responses"))
    loaded = dataset.load.load

    def load_then_lose(*arguments: object) -> object:
        given = loaded(*arguments)
        (tmp_path / "responses.csv").unlink()
        return given

    monkeypatch.setattr(dataset.load, "load", load_then_lose)
    assert "responses.csv: cannot be opened (No such file or directory)" in read(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not read")
@pytest.mark.parametrize("name", ["responses.csv", "responses.xlsx", "responses.parquet", "responses/a.csv"])
def test_a_file_or_folder_that_may_not_be_read_is_told(name):
    with tempfile.TemporaryDirectory() as place:
        folder, file = Path(place), Path(place) / name
        folder.chmod(0o755)
        file.parent.mkdir(exist_ok=True)
        file.write_text(good("responses"))
        (file.parent if "/" in name else file).chmod(0)
        os.seteuid(65534)
        try:
            found = read(folder)
        finally:
            os.seteuid(0)
        assert "ermission denied" in found and "responses" in found, found


# Generated ---------------------------------------------------------------------------------------------------

CELLS = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=12) | st.sampled_from(
    (*BAD_DATES, *BAD_NUMBERS, *NOTHINGS, "u1", "i1", "3", "2026-05-11", "*", "=1+1", '"', '""', ",", ";", "\n", "'")
)
TABLE = st.sampled_from(sorted(HEADERS))


def settled(folder: Path) -> Data | str:
    """Read, and prove what holds of everything that is read."""
    found = read(folder)
    if isinstance(found, str):
        check_sentence(found)
    else:
        check_counts(found, folder)
    return found


@st.composite
def cell_tables(draw: st.DrawFn) -> tuple[str, list[list[str]]]:
    """A table with its right header and rows of anything."""
    table = draw(TABLE)
    width = len(HEADERS[table].split(","))
    row = st.lists(CELLS, min_size=width, max_size=width)
    fine = st.integers(1, 9).map(lambda n: ROWS[table].format(n=n).split(","))
    return table, draw(st.lists(row | fine, min_size=1, max_size=6))


def any_cells(case: tuple[str, list[list[str]]]) -> None:
    table, rows = case
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / f"{table}.csv"
        with path.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([HEADERS[table].split(","), *rows])
        found = settled(Path(place))
        filled = sum(any(cell.strip() for cell in row) for row in rows)
        if isinstance(found, str):
            assert not filled or table == "units", found
        else:
            assert found.counts.set_index("table").loc[table, "read"] == filled


def any_damage(table: str, damage: list[tuple[int, bytes, int]], encoding: str, ending: str) -> None:
    """A good file in which bytes are replaced, put in and cut out."""
    raw = good(table).encode(encoding)
    for at, put_in, cut in damage:
        start = at % (len(raw) + 1)
        raw = raw[:start] + put_in + raw[start + cut :]
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / f"{table}.{ending}").write_bytes(raw)
        settled(Path(place))


DAMAGE = st.lists(
    st.tuples(
        st.integers(0, 600),
        st.binary(max_size=4) | st.sampled_from([b'"', b"\n", b",", b";", b"\r", b"\x00"]),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=4,
)
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])
ENDINGS = st.sampled_from(["csv", "csv", "csv", "tsv", "txt", "xlsx", "parquet"])
FEW = examples(30, derandomize=True)
MANY = examples(5_000, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.mark.slow
class TestSomeHundred:
    test_rows_of_anything_are_read_and_used_or_set_aside = staticmethod(FEW(given(cell_tables())(any_cells)))
    test_damaged_files_are_read_or_refused = staticmethod(FEW(given(TABLE, DAMAGE, ENCODINGS, ENDINGS)(any_damage)))


@pytest.mark.acceptance
class TestTenThousand:
    test_rows_of_anything_are_read_and_used_or_set_aside = staticmethod(MANY(given(cell_tables())(any_cells)))
    test_damaged_files_are_read_or_refused = staticmethod(MANY(given(TABLE, DAMAGE, ENCODINGS, ENDINGS)(any_damage)))
