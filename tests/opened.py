"""Pages open in Chromium, for the tests that look at them."""

import pytest

pytest.importorskip("playwright.sync_api")
from axe_playwright_python.sync_playwright import Axe

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
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
    """A page open in the browser, with everything it asked for and complained of."""

    def __init__(self, browser, address: str, width: int):
        self.page = browser.new_page(viewport={"width": width, "height": 900})
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(address)


def violations(browser, address: str, width: int) -> list[tuple]:
    # the pages' own policy forbids scripts: axe is let in by the browser, not by the page
    context = browser.new_context(bypass_csp=True, viewport={"width": width, "height": 900})
    page = context.new_page()
    page.goto(address)
    found = Axe().run(page, options=RULES).response["violations"]
    context.close()
    return [(rule["id"], node["target"], node["html"][:160]) for rule in found for node in rule["nodes"][:3]]
