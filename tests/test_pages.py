from itertools import pairwise, product

import pytest
from conftest import REPORTED, SAMPLE
from opened import HEADINGS, NARROW, OUT_OF_FRAME, OVERLAPS, PHONE, RULES, TOO_WIDE, WIDE, Opened

from aiready.batch.report_run import ReportRequest, run_report
from aiready.batch.schedule import RunOptions

pytestmark = pytest.mark.slow
PAGES = [
    "units/motor-claims.html", "units/treasury.html", "units/finance.html", "units/customer-operations.html",
    "overview/portfolio.html", "overview/index.html",
]  # fmt: skip
GROUPED = [pytest.param(page, marks=pytest.mark.xdist_group(page)) for page in PAGES]
"""All tests of one page run on one worker, which has opened it once per width."""
PRINTED = 178 / 25.4 * 96
"""Pixels across an A4 page within its margins."""
PAPER = (297 - 34) / 25.4 * 96
"""Pixels down an A4 page within its margins."""


@pytest.fixture(params=GROUPED)
def address(request, reports_folder):
    """A page of the run."""
    return (reports_folder / request.param).as_uri()


@pytest.fixture
def wide(pages, address):
    return pages.at(address, WIDE)


@pytest.fixture
def phone(pages, address):
    return pages.at(address, PHONE)


@pytest.fixture
def printed(pages, address):
    """The page as on A4 paper, for one test alone."""
    opened = pages.fresh(address, round(PRINTED))
    opened.page.emulate_media(media="print")
    return opened


def test_nothing_is_asked_of_the_network_and_nothing_complains(wide, address):
    assert wide.requests == [address]
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


def test_axe_finds_nothing(wide, phone):
    assert wide.violations(RULES) == []
    assert phone.violations(NARROW) == []


@pytest.mark.parametrize("strict", [True, False], ids=["with its policy", "without one"])
def test_axe_finds_what_is_wrong(pages, tmp_path, strict):
    """The pages' own policy forbids scripts: the browser lets axe in, not the page."""
    bad = tmp_path / "bad.html"
    policy = "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    bad.write_text(
        f"<!doctype html><html>{policy * strict}<title>x</title><h3>y</h3><img src='z'>"
        "<p style='color:#ccc'>pale</p><style>div{width:60rem}@media(max-width:40rem){div{width:5rem}}</style>"
        "<div style='height:3rem;overflow:auto'><p style='width:30rem;height:1rem'>scrolled if narrow</p></div>"
    )
    found = {rule for rule, *_ in pages.at(bad.as_uri(), WIDE).violations(RULES)}
    assert {"image-alt", "html-has-lang", "color-contrast", "page-has-heading-one"} <= found
    assert "scrollable-region-focusable" not in found
    narrow = {rule for rule, *_ in pages.at(bad.as_uri(), PHONE).violations(NARROW)}
    assert narrow == found - {"color-contrast"} | {"scrollable-region-focusable"}


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


def test_the_index_leads_to_every_page(pages, reports_folder):
    index = pages.at((reports_folder / "overview" / "index.html").as_uri(), WIDE)
    links = index.page.evaluate("[...document.querySelectorAll('a[href$=\".html\"]')].map(a => a.href)")
    assert {f"{(reports_folder / 'units').as_uri()}/{unit_id}.html" for unit_id in REPORTED} <= set(links)


def test_figures_can_be_read_by_those_who_do_not_see_them(wide):
    unnamed = """[...document.querySelectorAll('figure.chart')].filter(f => f.checkVisibility()).filter(f => {
      const drawn = [...f.querySelectorAll('svg')].filter(s => s.checkVisibility());
      const named = svg => svg.querySelector('title') || svg.ariaLabel || svg.getAttribute('aria-labelledby');
      return drawn.length !== 1 || drawn[0].getAttribute('role') !== 'img' || !named(drawn[0]);
    }).map(f => f.id)"""
    assert wide.page.evaluate(unnamed) == []


def test_the_numbers_of_every_figure_are_one_click_away(pages, address):
    opened = pages.fresh(address, WIDE)
    for details in opened.page.locator("figure.chart details").all():
        details.locator("summary").click()
        assert details.locator("table").is_visible()


def test_every_table_has_a_caption_and_scopes(wide):
    bare = """[...document.querySelectorAll('table')].filter(t => !t.caption || !t.caption.textContent.trim()
      || [...t.querySelectorAll('th')].some(h => !h.scope) || t.querySelector('th:empty')).length"""
    assert wide.page.evaluate(bare) == 0


@pytest.mark.parametrize("address", GROUPED[:-2], indirect=True)
def test_the_first_printed_page_tells_it_alone(printed):
    end = printed.page.evaluate("document.querySelector('.keys').getBoundingClientRect().bottom + scrollY")
    assert end <= PAPER


def test_no_figure_is_taller_than_the_paper(printed):
    heights = "[...document.querySelectorAll('figure')].map(f => [f.id, f.getBoundingClientRect().height])"
    assert [figure for figure in printed.page.evaluate(heights) if figure[1] > PAPER] == []


LARGEST = 300_000
"""Bytes of a page."""


def test_a_page_is_small(reports_folder):
    sizes = {path.name: path.stat().st_size for path in reports_folder.glob("*/*.html")}
    assert len(sizes) == len(PAGES)
    assert {name: size for name, size in sizes.items() if size >= LARGEST} == {}


@pytest.mark.acceptance
def test_every_page_of_the_sample_asks_nothing_complains_of_nothing_and_is_accessible(
    chromium, sample, press, tmp_path
):
    units = tuple(sample.units["unit_id"])
    outcomes = run_report(
        sample, ReportRequest(str(SAMPLE), tmp_path, units, RunOptions(jobs=2), submit=press.submit)
    ).pages
    assert [outcome.status for outcome in outcomes] == ["ok"] * (len(units) + 1)
    made = sorted(tmp_path.glob("*/*.html"))
    assert len(made) == len(units) + 2
    for path, width in product(made, (WIDE, PHONE)):
        opened = Opened(chromium, path.as_uri(), width)
        seen = opened.page.evaluate(TOO_WIDE) + opened.page.evaluate(OUT_OF_FRAME) + opened.page.evaluate(OVERLAPS)
        assert (opened.requests, opened.complaints, seen) == ([path.as_uri()], [], []), path.name
        assert opened.violations(RULES) == [], path.name
        opened.page.close()
