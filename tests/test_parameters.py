"""`papermill -p` makes numbers of what looks like one: units, waves and dates are what they were written as."""

from datetime import date
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from conftest import answers
from papermill.cli import _resolve_type, papermill
from test_reports import book

from aiready import Assessment
from aiready.errors import UsageError
from aiready.profile.parameters import match_parameter, parse_day

ODD = ("12", "007", "1e5", "True", "False", "None", "1_000", "nan", "-inf", "3.10", "claims", "0x1f", "２")


@pytest.mark.parametrize("written", ODD)
def test_an_id_that_papermill_reads_as_something_else_is_found_again(written):
    assert match_parameter("unit_id", _resolve_type(written), ODD) == written


def test_ids_that_papermill_reads_as_one_number_are_named_with_the_way_out():
    with pytest.raises(UsageError, match=r"unit_id: 7 may be 007, 7: .* -r unit_id 007"):
        match_parameter("unit_id", 7, ["7", "007", "8"])


def test_what_is_no_id_at_all_is_told_as_it_was_given():
    assert (match_parameter("unit_id", 13, ODD), match_parameter("unit_id", "007", ["7"])) == ("13", "007")


def test_a_date_is_one_however_it_is_given():
    assert {parse_day(given) for given in ("2026-09-30", "20260930", 20260930, date(2026, 9, 30))} == {
        date(2026, 9, 30)
    }
    assert {parse_day(given) for given in ("", None)} == {None}
    with pytest.raises(UsageError, match='as_of "2026" is no date'):
        parse_day(2026)


@pytest.fixture(scope="module")
def numbered(tmp_path_factory) -> Path:
    """Units 12 and 007, and a wave that is a year."""
    folder = tmp_path_factory.mktemp("numbered")
    rows = answers(24, unit_id=["12"] * 12 + ["007"] * 12, wave=["2026"] * 24)
    (folder / "data").mkdir()
    rows.to_csv(folder / "data" / "responses.csv", index=False)
    return folder


@pytest.mark.slow
def test_papermill_runs_a_unit_whose_id_is_a_number(numbered, monkeypatch):
    monkeypatch.chdir(numbered)
    book(numbered, "from aiready import Assessment\nprint(Assessment.open(data, wave=wave).unit(unit_id).unit_id)")
    for given, found in (("12", "12"), ("007", "007"), ("7", "007")):
        asked = ["tiny.ipynb", "out.ipynb", "-p", "unit_id", given, "-p", "wave", "2026", "-p", "data", "data"]
        done = CliRunner().invoke(papermill, [*asked, "--engine", "aiready", "--no-progress-bar"])
        assert done.exit_code == 0, done.output
        out = nbformat.read(numbered / "out.ipynb", as_version=4)
        assert out.cells[-1].outputs[0].text == f"{found}\n"


def test_an_unknown_number_is_refused_with_the_nearest_id(numbered):
    opened = Assessment.open(numbered / "data")
    with pytest.raises(UsageError, match=r'Unknown unit "13"\. Known units: 007, 12\.'):
        opened.unit(13)
    with pytest.raises(UsageError, match='Unknown wave "2027"'):
        opened.at(2027)
