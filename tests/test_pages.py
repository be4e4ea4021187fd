"""Every page of a run as a reader opens it: Chromium, from the file system, no network."""

from itertools import pairwise, product

import pytest

pytest.importorskip("playwright.sync_api")
from conftest import SAMPLE
from opened import HEADINGS, OUT_OF_FRAME, OVERLAPS, TOO_WIDE, Opened, violations
from playwright.sync_api import sync_playwright

from aiready.batch.report_run import Request, report
from aiready.batch.schedule import Options

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PAGES = [
    "units/motor-claims.html", "units/treasury.html", "units/finance.html", "units/customer-operations.html",
    "overview/portfolio.html", "overview/index.html",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(params=PAGES)
def address(request, reports_folder):
    return (reports_folder / request.param).as_uri()


@pytest.fixture
def wide(browser, address):
    opened = Opened(browser, address, 1280)
    yield opened
    opened.page.close()


@pytest.fixture
def phone(browser, address):
    opened = Opened(browser, address, 320)
    yield opened
    opened.page.close()


def test_nothing_is_asked_of_the_network_and_nothing_complains(wide, address):
    assert wide.asked == [address]
    assert wide.complaints == []


def test_there_is_no_script_and_a_policy_that_forbids_one(wide):
    assert wide.page.locator("script").count() == 0
    policy = wide.page.locator("meta[http-equiv='Content-Security-Policy']").get_attribute("content")
    assert "default-src 'none'" in policy
    handlers = (
        "[...document.querySelectorAll('*')].flatMap(e => [...e.attributes]).filter(a => /^on/.test(a.name)).length"
    )
    assert wide.page.evaluate(handlers) == 0


def test_there_is_one_title_and_headings_do_not_skip_a_level(wide):
    levels = wide.page.evaluate(HEADINGS)
    assert levels.count(1) == 1
    assert levels[0] == 1
    skipped = [(above, below) for above, below in pairwise(levels) if below > above + 1]
    assert skipped == []
    assert wide.page.title()
    assert wide.page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing(browser, address, width):
    assert violations(browser, address, width) == []


def test_axe_finds_what_is_wrong(browser, tmp_path):
    bad = tmp_path / "bad.html"
    bad.write_text("<!doctype html><html><title>x</title><h3>y</h3><img src='z'><p style='color:#ccc'>pale</p>")
    found = {rule for rule, *_ in violations(browser, bad.as_uri(), 1280)}
    assert {"image-alt", "html-has-lang", "color-contrast", "page-has-heading-one"} <= found


def test_nothing_has_to_be_scrolled_sideways_on_a_phone(phone):
    assert phone.page.evaluate(TOO_WIDE) == []
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 320


def test_no_word_of_a_chart_is_cut_or_lies_on_another(wide, phone):
    for opened in (wide, phone):
        assert opened.page.evaluate(OUT_OF_FRAME) == []
        assert opened.page.evaluate(OVERLAPS) == []


def test_links_within_a_page_lead_somewhere(wide):
    links = "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.hash.slice(1))"
    dead = wide.page.evaluate(f"{links}.filter(id => !document.getElementById(id))")
    assert dead == []


def test_the_index_leads_to_every_page(browser, reports_folder):
    opened = Opened(browser, (reports_folder / "overview" / "index.html").as_uri(), 1280)
    links = opened.page.evaluate("[...document.querySelectorAll('a[href$=\".html\"]')].map(a => a.href)")
    opened.page.close()
    from conftest import REPORTED

    assert {f"{(reports_folder / 'units').as_uri()}/{unit_id}.html" for unit_id in REPORTED} <= set(links)


def test_figures_can_be_read_by_those_who_do_not_see_them(wide):
    unnamed = """[...document.querySelectorAll('figure.chart')].filter(f => f.checkVisibility()).filter(f => {
      const drawn = [...f.querySelectorAll('svg')].filter(s => s.checkVisibility());
      const named = svg => svg.querySelector('title') || svg.ariaLabel || svg.getAttribute('aria-labelledby');
      return drawn.length !== 1 || drawn[0].getAttribute('role') !== 'img' || !named(drawn[0]);
    }).map(f => f.id)"""
    assert wide.page.evaluate(unnamed) == []


def test_the_numbers_of_every_figure_are_one_click_away(wide):
    for details in wide.page.locator("figure.chart details").all():
        details.locator("summary").click()
        assert details.locator("table").is_visible()


def test_every_table_has_a_caption_and_scopes(wide):
    bare = """[...document.querySelectorAll('table')].filter(t => !t.caption || !t.caption.textContent.trim()
      || [...t.querySelectorAll('th')].some(h => !h.scope) || t.querySelector('th:empty')).length"""
    assert wide.page.evaluate(bare) == 0


PRINTED = 178 / 25.4 * 96
"""Pixels across an A4 page within its margins."""
PAPER = (297 - 34) / 25.4 * 96
"""Pixels down an A4 page within its margins."""


@pytest.mark.parametrize("name", [page for page in PAGES if page.startswith("units")])
def test_the_first_printed_page_tells_it_alone(browser, reports_folder, name):
    opened = Opened(browser, (reports_folder / name).as_uri(), round(PRINTED))
    opened.page.emulate_media(media="print")
    end = opened.page.evaluate("document.querySelector('.keys').getBoundingClientRect().bottom + scrollY")
    opened.page.close()
    assert end <= PAPER


@pytest.mark.parametrize("name", PAGES)
def test_no_figure_is_taller_than_the_paper(browser, reports_folder, name):
    opened = Opened(browser, (reports_folder / name).as_uri(), round(PRINTED))
    opened.page.emulate_media(media="print")
    heights = "[...document.querySelectorAll('figure')].map(f => [f.id, f.getBoundingClientRect().height])"
    taller = [figure for figure in opened.page.evaluate(heights) if figure[1] > PAPER]
    opened.page.close()
    assert taller == []


LARGEST = 300_000
"""Bytes of a page."""


def test_a_page_is_small(reports_folder):
    sizes = {path.name: path.stat().st_size for path in reports_folder.glob("*/*.html")}
    assert len(sizes) == len(PAGES)
    assert {name: size for name, size in sizes.items() if size >= LARGEST} == {}


@pytest.mark.acceptance
def test_every_page_of_the_sample_asks_nothing_complains_of_nothing_and_is_accessible(browser, sample, press, tmp_path):
    units = tuple(sample.units["unit_id"])
    outcomes = report(sample, Request(str(SAMPLE), tmp_path, units, Options(jobs=2), make=press.make)).outcomes
    assert [outcome.status for outcome in outcomes] == ["ok"] * (len(units) + 1)
    pages = sorted(tmp_path.glob("*/*.html"))
    assert len(pages) == len(units) + 2
    for path, width in product(pages, (1280, 320)):
        opened = Opened(browser, path.as_uri(), width)
        seen = opened.page.evaluate(TOO_WIDE) + opened.page.evaluate(OUT_OF_FRAME) + opened.page.evaluate(OVERLAPS)
        opened.page.close()
        assert (opened.asked, opened.complaints, seen) == ([path.as_uri()], [], []), path.name
        assert violations(browser, path.as_uri(), width) == [], path.name
    largest = max(path.stat().st_size for path in pages)
    print(f"{len(pages)} pages at two widths: 0 requests, 0 complaints, 0 violations; largest {largest} bytes")  # noqa: T201
    assert largest < LARGEST
