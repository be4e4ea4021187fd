"""Printed pages: one browser for all, tagged, outlined, the same bytes but for their dates; errors without one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import answers

from aiready.errors import InfrastructureError
from aiready.pages import pdf
from aiready.pages.index import render_page
from aiready.pages.markup.blocks import Page, section


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "claims.html"
    blocks = [section("One finding", "It holds."), section("Another finding", "So does this.")]
    path.write_bytes(render_page(Page("Claims", running="Claims · third quarter"), blocks))
    return path


@pytest.mark.browser
@pytest.mark.slow
class TestPrinting:
    @pytest.fixture(scope="class")
    def print_page(self):
        with pdf.pdf_printer() as made:
            yield made

    def test_a_page_is_a4_tagged_and_has_an_outline(self, print_page, page):
        made = print_page(page)
        assert made.startswith(b"%PDF")
        assert b"/StructTreeRoot" in made
        assert b"/Outlines" in made
        width, height = (float(found) for found in re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", made).groups())
        assert (width, height) == (pytest.approx(595, abs=1), pytest.approx(842, abs=1))

    def test_the_same_page_gives_the_same_bytes_but_for_its_dates(self, print_page, page):
        dates = re.compile(rb"D:\d{14}")
        assert dates.sub(b"", print_page(page)) == dates.sub(b"", print_page(page))

    def test_a_page_that_is_not_there_is_named(self, print_page, tmp_path):
        with pytest.raises(InfrastructureError, match=r"gone\.html: could not be printed"):
            print_page(tmp_path / "gone.html")


@pytest.mark.browser
@pytest.mark.slow
def test_pages_that_are_kept_are_printed_when_asked_for_once_and_again_when_they_change(tmp_path, monkeypatch):
    from test_reports import SHOWN, book

    from aiready import Assessment
    from aiready.batch import report_run
    from aiready.batch.runner import PageRunner
    from aiready.batch.schedule import RunOptions

    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    answers(20).to_csv(data / "responses.csv", index=False)
    assessment = Assessment.open(data)

    def run(source: str, **asked: object) -> dict[str, bool]:
        monkeypatch.setattr(report_run, "_notebook", lambda _: book(tmp_path, source))
        request = report_run.ReportRequest("", out, ("claims",), RunOptions(jobs=1), submit=press.submit, **asked)
        return {outcome.page: outcome.unchanged for outcome in report_run.run_report(assessment, request).pages}

    printed = out / "units" / "claims.pdf"
    with PageRunner(1) as press:
        assert not any(run(SHOWN).values()) and not printed.exists()
        assert all(run(SHOWN, pdf=True).values()), "no page is made again to be printed"
        first = printed.stat().st_mtime_ns
        assert (out / "overview" / "portfolio.pdf").exists()
        assert 'href="../units/claims.pdf"' in (out / "overview" / "index.html").read_text()
        assert all(run(SHOWN, pdf=True).values()) and printed.stat().st_mtime_ns == first
        assert not any(run(SHOWN.replace('eyebrow=""', 'eyebrow="new"'), pdf=True).values())
        assert printed.stat().st_mtime_ns > first


def test_without_playwright_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(InfrastructureError, match=r'pip install "aiready\[pdf\]"'), pdf.pdf_printer():
        pass


@pytest.mark.slow
def test_without_a_browser_the_command_says_what_to_install_and_writes_no_page(tmp_path):
    pytest.importorskip("playwright.sync_api")
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    answers(20).to_csv(data / "responses.csv", index=False)
    command = [
        sys.executable,
        "-c",
        "from aiready.cli.commands import main; main()",
        "report",
        data,
        "--out",
        out,
        "--pdf",
    ]
    bare = os.environ | {"PATH": "/nowhere", "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "none")}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, env=bare)
    assert done.returncode == 3, done.stderr
    assert "--pdf needs Chromium or Chrome" in done.stderr
    assert "playwright install chromium" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(Path(out).rglob("*.html"))
