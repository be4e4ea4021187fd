"""Pages open in Chromium, for the tests that look at them: each opened once per width, and read by all tests of a file.

    def test_it_fits(pages):
        opened = pages.at(path.as_uri(), 320)
        assert opened.page.evaluate(TOO_WIDE) == []

Whoever changes a page (another medium, a click) asks for one of their own: `pages.fresh(address, width)`.
"""

from collections.abc import Iterator
from typing import Any

import pytest

WIDE, PHONE = 1280, 320
"""Pixels across a screen, and across the narrowest phone that WCAG asks for (reflow)."""
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
NARROW = RULES | {"rules": {"color-contrast": {"enabled": False}}}
"""What is asked of a page again at another width: all but colours, which no style sheet of ours changes with the width
and which take longer than all other rules together."""
HEADINGS = (
    "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].filter(h => h.checkVisibility()).map(h => +h.tagName[1])"
)
TOO_WIDE = """[...document.querySelectorAll('body *')].filter(e => {
  const box = e.getBoundingClientRect();
  if (!box.width || box.right <= innerWidth + 1) return false;
  for (let up = e.parentElement; up; up = up.parentElement)
    if (['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(up).overflowX)) return false;
  return true;
}).slice(0, 5).map(e => e.tagName + '.' + e.className + ' ' + e.textContent.trim().slice(0, 60))"""


OUT_OF_FRAME = """[...document.querySelectorAll('figure svg')].filter(s => s.checkVisibility()).flatMap(s => {
  const frame = s.getBoundingClientRect();
  return [...s.querySelectorAll('text')].filter(t => {
    const box = t.getBoundingClientRect();
    return box.width && (box.left < frame.left - 6 || box.right > frame.right + 6 || box.right > innerWidth + 1);
  }).map(t => s.closest('figure').id + ': ' + t.textContent.trim());
}).slice(0, 8)"""
"""Words of a chart that reach out of its picture."""
OVERLAPS = """[...document.querySelectorAll('figure svg')].filter(s => s.checkVisibility()).flatMap(s => {
  const words = [...s.querySelectorAll('text')].filter(t => t.textContent.trim());
  const boxes = words.map(t => t.getBoundingClientRect());
  const found = [];
  for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
    const [a, b] = [boxes[i], boxes[j]];
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (wide > 2 && high > Math.min(a.height, b.height) * .45)
      found.push(s.closest('figure').id + ': ' + words[i].textContent + ' | ' + words[j].textContent);
  }
  return found;
}).slice(0, 8)"""
"""Words of a chart that lie on each other."""


class Opened:
    """A page open in the browser, with everything it asked for and complained of while it opened."""

    def __init__(self, browser: Any, address: str, width: int):
        self.page = browser.new_page(viewport={"width": width, "height": 900})
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(address)

    def violations(self, rules: dict[str, Any] = RULES) -> list[tuple]:
        """What axe finds: rule, element, beginning of its markup."""
        from axe_playwright_python.sync_playwright import Axe

        broken = Axe().run(self.page, options=rules).response["violations"]
        return [(rule["id"], node["target"], node["html"][:160]) for rule in broken for node in rule["nodes"][:3]]


class Pages:
    """Pages that stay open in one browser, by address and width; the latest few of them."""

    KEPT = 12

    def __init__(self, browser: Any):
        self.browser = browser
        self.open: dict[tuple[str, int], Opened] = {}
        self.fresh_ones: list[Opened] = []

    def at(self, address: str, width: int) -> Opened:
        """The page, opened by the first test that asks; nobody changes it."""
        key = (address, width)
        if key not in self.open:
            while len(self.open) >= self.KEPT:
                self.open.pop(next(iter(self.open))).page.close()
            self.open[key] = Opened(self.browser, address, width)
        return self.open[key]

    def fresh(self, address: str, width: int) -> Opened:
        """A page for one test alone, to click on or to print."""
        self.fresh_ones.append(Opened(self.browser, address, width))
        return self.fresh_ones[-1]

    def close_fresh(self) -> None:
        while self.fresh_ones:
            self.fresh_ones.pop().page.close()


@pytest.fixture(scope="module")
def open_pages(chromium: Any) -> Pages:
    return Pages(chromium)


@pytest.fixture
def pages(open_pages: Pages) -> Iterator[Pages]:
    """Pages open in Chromium; those asked for afresh are closed after the test."""
    yield open_pages
    open_pages.close_fresh()
