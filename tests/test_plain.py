"""Pages with papermill alone, as made where a system cannot fork: the same pages, and the true causes."""

import json
import os
import subprocess
import sys

import pytest
from conftest import answers
from test_reports import SHOWN, book

from aiready.batch.page_job import PageJob
from aiready.batch.runner import PageRunner
from aiready.batch.serial_runner import PAPERMILL, SerialRunner
from aiready.charts.figures import CHARTS_VARIABLE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def plain():
    with SerialRunner() as made:
        yield made


@pytest.fixture
def order(tmp_path):
    def make(*sources: str, **options: object) -> PageJob:
        content = book(tmp_path, *sources).read_bytes()
        return PageJob("claims", content, {"unit_id": "claims"}, {"note.txt": b"slice"}, **options)

    return make


def test_a_page_is_the_same_byte_for_byte(plain, order):
    with PageRunner(1) as press:
        forked = press.submit(order(SHOWN)).result(60)
    before = os.environ.get(CHARTS_VARIABLE)
    alone = plain.submit(order(SHOWN)).result(60)
    assert (alone.status, alone.start_method, alone.page) == ("ok", PAPERMILL, forked.page)
    assert os.environ.get(CHARTS_VARIABLE) == before


@pytest.mark.parametrize(
    ("source", "status", "reason"),
    [
        ("while True: pass", "time-out", "stopped after 2 s"),
        ("import os; os._exit(9)", "killed", "nbclient.exceptions.DeadKernelError: Kernel died"),
        (f"raise ValueError('no' + ' page')\n{SHOWN}", "cell error", "ValueError: no page"),
    ],
)
def test_a_failure_is_told_by_its_true_cause(plain, order, source, status, reason):
    made = plain.submit(order(source, timeout=2 if "while" in source else 60)).result(60)
    assert made.status == status
    assert made.reason.startswith(reason), made.reason
    assert (made.page, made.start_method) == (b"", PAPERMILL)
    assert made.notebook


def test_what_was_not_begun_is_cancelled_when_the_block_ends(order):
    with SerialRunner() as plain:
        begun, waiting = plain.submit(order(SHOWN)), plain.submit(order(SHOWN))
        while not begun.running():
            assert not begun.done()
    assert begun.result().status == "ok"
    assert waiting.cancelled()


WITHOUT_UNIX = """
import os, signal, sys
import IPython, filelock, ipykernel.kernelapp, jupyter_client.manager, nbclient, papermill, psutil, tornado.ioloop

for name in ("fcntl", "resource"):
    sys.modules[name] = None
for name in ("fork", "posix_spawn", "geteuid", "sysconf", "wait4"):
    delattr(os, name)
from aiready.cli.commands import main

sys.argv[1:] = ["report", *sys.argv[1:]]
main()
"""
"""Stands in for a system that is no Unix: what the package could use of Unix is taken from it."""


def test_a_run_where_nothing_can_be_forked_makes_the_pages_and_says_how(tmp_path):
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    answers().to_csv(data / "responses.csv", index=False)
    command = [sys.executable, "-c", WITHOUT_UNIX, str(data), "--as-of", "2026-09-30", "--out", str(out)]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.strip().splitlines()[-1] == SerialRunner.remark
    assert {path.name for path in out.rglob("*.html")} == {"claims.html", "portfolio.html", "index.html"}
    assert json.loads((out / "records" / "manifest.json").read_text())["notebooks"] == [PAPERMILL]
