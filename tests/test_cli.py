"""Exit codes, and messages of one line to five: never a traceback. Bad rows and bad files: test_must_show."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import pandas as pd
import pytest
from conftest import Done, answers
from typer.testing import CliRunner

from aiready.cli import commands
from aiready.errors import AireadyError, InputError, PrivacyError
from aiready.privacy import suppression

COMMANDS = ("check", "score", "report", "new", "questionnaire", "sample", "lab")


def refused(done: Done, *words: str) -> None:
    assert done.code == 2
    lines = done.err.strip().splitlines()
    assert 1 <= len(lines) <= 5
    for word in words:
        assert word in done.err


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_with_an_example(command):
    shown = CliRunner().invoke(commands.app, [command, "--help"])
    assert shown.exit_code == 0
    assert f"Example: aiready {command}" in shown.output
    options = re.findall(r"--[a-z][a-z-]+", shown.output)
    assert options


def test_without_a_command_the_help_is_shown():
    shown = CliRunner().invoke(commands.app, [])
    for command in COMMANDS:
        assert command in shown.output


@pytest.mark.slow
def test_the_command_line_starts_without_loading_the_machinery():
    heavy = ("duckdb", "altair", "papermill", "scipy")
    code = f"import sys, aiready.cli.commands; print([m for m in {heavy} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize("command", ["check", "score", "report"])
def test_a_date_that_is_none_is_refused_with_how_to_write_one(run, tmp_path, command):
    refused(run(command, tmp_path, "--as-of", "30.9.2026"), '--as-of "30.9.2026" is no date', "2026-09-30")


@pytest.mark.parametrize("command", ["check", "score", "report"])
def test_a_folder_that_is_not_there_is_refused(run, tmp_path, command):
    refused(run(command, tmp_path / "nowhere"), "nowhere", "no such folder")


def test_an_empty_folder_is_told_which_tables_there_are(run, tmp_path):
    refused(run("check", tmp_path), "no table found", "responses", "initiatives")


def test_an_option_that_does_not_exist_is_refused(run, tmp_path):
    with pytest.raises(SystemExit) as ended:
        commands.main(["check", str(tmp_path), "--hurry"])
    assert ended.value.code == 2


@pytest.mark.slow
def test_new_makes_a_folder_that_check_can_read(run, tmp_path):
    made = run("new", tmp_path / "mine", "--start")
    assert made.code == 0
    assert "aiready check" in made.out
    checked = run("check", tmp_path / "mine")
    assert checked.code in (0, 2)
    assert len((checked.err or "x").strip().splitlines()) <= 5


@pytest.mark.slow
def test_new_makes_a_workbook_that_check_can_read(run, tmp_path):
    assert run("new", tmp_path / "book", "--xlsx").code == 0
    checked = run("check", tmp_path / "book")
    assert checked.code in (0, 2)


def test_new_never_writes_over_tables(run, tmp_path):
    assert run("new", tmp_path).code == 0
    refused(run("new", tmp_path), "already holds", "nothing was written")


@pytest.mark.slow
def test_check_says_what_it_found_as_text_and_as_json(run, tmp_path):
    answers(25).to_csv(tmp_path / "responses.csv", index=False)
    done = run("check", tmp_path)
    assert done.code == 0
    assert re.search(r"responses\s+25\s+25\s+0", done.out)
    found = json.loads(run("check", tmp_path, "--json").out)
    assert found["counts"][0]["used"] == 25


@pytest.mark.slow
def test_score_writes_results_only_and_says_where(run, tmp_path):
    answers(25).to_csv(tmp_path / "responses.csv", index=False)
    done = run("score", tmp_path, "--out", tmp_path / "out")
    assert done.code == 0
    assert "25 read = 25 used + 0 quarantined" in done.out
    assert str(tmp_path / "out" / "records" / "results") in done.out
    assert {path.name for path in (tmp_path / "out").iterdir()} <= {"records", ".lock"}
    quiet = run("score", tmp_path, "--out", tmp_path / "out", "--quiet")
    assert len(quiet.out.strip().splitlines()) == 1


@pytest.mark.slow
def test_an_unknown_wave_or_unit_is_refused_before_anything_is_written(run, tmp_path):
    answers(25, wave="2026-Q3").to_csv(tmp_path / "responses.csv", index=False)
    out = tmp_path / "out"
    refused(run("report", tmp_path, "--out", out, "--wave", "2026-Q4"), 'Unknown wave "2026-Q4"', "2026-Q3")
    refused(run("report", tmp_path, "--out", out, "--unit", "claim"), 'Unknown unit "claim"', 'Did you mean "claims"?')
    assert not out.exists()


@pytest.mark.parametrize(
    ("error", "code"), [(InputError("a.csv: mend it."), 2), (PrivacyError("Nothing left to hide."), 3)]
)
def test_every_error_of_the_package_is_its_message_and_its_exit_code(run, monkeypatch, error: AireadyError, code):
    from aiready.profile import data_check

    def raises(*_):
        raise error

    monkeypatch.setattr(data_check, "check", raises)
    done = run("check", "anywhere")
    assert (done.code, done.err.strip(), done.out) == (code, str(error), "")


@pytest.mark.slow
@pytest.mark.parametrize("command", ["score", "report"])
def test_a_failing_audit_stops_publication_with_3_and_names_the_cell(run, tmp_path, monkeypatch, command):
    """Nothing but small cells is hidden, and nothing is left to hide: the small one is the total less the other."""
    two = pd.concat([answers(20), answers(3, unit_id=["cards"] * 3)])
    two.to_csv(tmp_path / "responses.csv", index=False)
    monkeypatch.setattr(suppression, "_protect_totals", lambda gate, hidden: hidden.copy())
    monkeypatch.setattr(suppression, "derivation_weights", lambda rows, groups: (
        np.zeros((rows.shape[0], groups.shape[0])), np.zeros(rows.shape[0], dtype=bool)))  # fmt: skip
    out = tmp_path / "out"
    done = run(command, tmp_path, "--out", out)
    assert done.code == 3
    assert "unit cards" in done.err and "can be worked out" in done.err
    assert not list(out.rglob("*.csv")) and not list(out.rglob("*.html"))


def test_what_nobody_foresaw_is_told_in_two_lines_and_is_not_the_users_fault(run, monkeypatch):
    from aiready.profile import data_check

    def raises(*_):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(data_check, "check", raises)
    monkeypatch.delenv(commands.DEBUG, raising=False)
    done = run("check", "anywhere")
    assert done.code == 3
    assert len(done.err.strip().splitlines()) <= 5
    assert "ZeroDivisionError" in done.err


@pytest.mark.slow
def test_report_ends_with_1_where_a_unit_failed_and_says_which(run, tmp_path, monkeypatch):
    from test_reports import book

    from aiready.batch import report_run

    path = book(tmp_path, "raise ValueError('broken on purpose')")
    monkeypatch.setattr(report_run, "_notebook", lambda _: path)
    answers(25).to_csv(tmp_path / "responses.csv", index=False)
    done = run("report", tmp_path, "--out", tmp_path / "out", "--jobs", 1)
    assert done.code == 1
    assert "claims.html: cell error" in done.err
    assert "evidence in" in done.out
    evidence = tmp_path / "out" / "records" / "failed" / "claims.txt"
    assert "broken on purpose" in evidence.read_text()


@pytest.mark.slow
def test_report_as_json_is_one_json_and_nothing_else(run, tmp_path, monkeypatch):
    from test_reports import SHOWN, book

    from aiready.batch import report_run

    path = book(tmp_path, SHOWN)
    monkeypatch.setattr(report_run, "_notebook", lambda _: path)
    answers(25).to_csv(tmp_path / "responses.csv", index=False)
    told = json.loads(run("report", tmp_path, "--out", tmp_path / "out", "--jobs", 1, "--json").out)
    assert [page["status"] for page in told["pages"]] == ["ok", "ok"]
    assert [page["why"] for page in told["pages"]] == ["new", "new"]
    assert told["counts"] == {"new": 2, "changed": 0, "made again as before": 0, "unchanged": 0, "failed": 0}


@pytest.mark.slow
@pytest.mark.browser  # a Lab
@pytest.mark.parametrize("data", [[], ["data/sample"]])
def test_lab_opens_the_workbook_whatever_folder_it_is_called_from(data, tmp_path, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"ServerApp": {"open_browser": False, "port": port}}
    (tmp_path / "jupyter_server_config.json").write_text(json.dumps(settings))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    command = [sys.executable, "-c", "from aiready.cli.commands import main; main()", "lab", *data]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as server:
        try:
            address = next(line.split()[-1] for line in server.stderr if " http://127.0.0.1" in line)
            page, _, token = address.partition("?")
            assert page.endswith("/lab/tree/00_start_here.ipynb")
            contents = page.replace("/lab/tree/", "/api/contents/")
            for _ in range(50):  # it says where before it listens
                with suppress(URLError), urlopen(f"{contents}?{token}&content=0") as answered:
                    assert json.load(answered)["type"] == "notebook"
                    return
                time.sleep(0.2)
            pytest.fail(f"{address} does not answer")
        finally:
            os.killpg(server.pid, signal.SIGKILL)
