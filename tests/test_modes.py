"""A handout in every way it is looked at: light, dark, forced colours, on paper; drawn once and readable in each."""

import re
import subprocess

import pytest
from opened import OVERLAPS, WIDE

from aiready.charts import theme

pytestmark = pytest.mark.slow
LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "forced": {"color_scheme": "light", "forced_colors": "active"},
    "forced dark": {"color_scheme": "dark", "forced_colors": "active"},
    "print": {"media": "print", "color_scheme": "dark", "forced_colors": "none"},
}
WORDS = """[...document.querySelectorAll('figure svg')].filter(s => s.checkVisibility()).flatMap(s => {
  let under = s, paper = 'rgba(0, 0, 0, 0)';
  while (under && paper === 'rgba(0, 0, 0, 0)') {
    paper = getComputedStyle(under).backgroundColor;
    under = under.parentElement;
  }
  if (paper === 'rgba(0, 0, 0, 0)') paper = 'rgb(255, 255, 255)';
  return [...s.querySelectorAll('text')].map(t => [t.textContent, getComputedStyle(t).fill, paper]);
})"""
"""Words of every chart with their colour and that of what they stand on."""
PAPERS = {"A4": (210, 297), "Letter": (216, 279)}
MARGINS = (16 + 16, 18 + 16)
"""Of a printed page in millimetres, across and down, as the style sheet states."""


@pytest.fixture
def page(pages, reports_folder):
    return pages.fresh((reports_folder / "units" / "motor-claims.html").as_uri(), WIDE).page


def luminance(colour):
    channels = [int(number) / 255 for number in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def in_rgb(colour):
    return "rgb({}, {}, {})".format(*(int(colour[start : start + 2], 16) for start in (1, 3, 5)))


@pytest.mark.parametrize("look", LOOKS)
def test_words_of_charts_stand_out_however_the_page_is_looked_at(page, look):
    page.emulate_media(**LOOKS[look])
    found = page.evaluate(WORDS)
    on_marks = {in_rgb(theme.ON_DARK), in_rgb(theme.ON_LIGHT)}
    faint = [(words, fill, paper) for words, fill, paper in found
             if fill not in on_marks and contrast(fill, paper) < 4.5]  # fmt: skip
    assert len(found) > 300
    assert faint == []


def test_a_dark_page_is_dark_and_forced_colours_are_left_to_the_reader(page):
    background = "getComputedStyle(document.body).backgroundColor"
    page.emulate_media(**LOOKS["dark"])
    assert page.evaluate(background) == in_rgb(theme.DARK[theme.PAPER])
    page.emulate_media(**LOOKS["forced dark"])
    assert page.evaluate("matchMedia('(forced-colors: active)').matches")
    assert page.evaluate(background) == "rgb(0, 0, 0)"
    page.emulate_media(**LOOKS["print"])
    assert page.evaluate(background) == in_rgb(theme.PAPER)


@pytest.mark.parametrize("paper", PAPERS)
def test_on_paper_every_figure_is_whole_and_its_numbers_follow_in_an_appendix(page, paper):
    wide, tall = ((side - margin) / 25.4 * 96 for side, margin in zip(PAPERS[paper], MARGINS, strict=True))
    page.set_viewport_size({"width": int(wide), "height": int(tall)})
    page.emulate_media(media="print")
    figures = "[...document.querySelectorAll('figure')].map(f => [f.id, getComputedStyle(f).breakInside, "
    sizes = page.evaluate(figures + "f.getBoundingClientRect().height, f.scrollWidth])")
    assert [row for row in sizes if row[1] != "avoid" or row[2] > tall or row[3] > wide + 1] == []
    assert page.evaluate(OVERLAPS) == []
    tables = "[...document.querySelectorAll('.appendix caption')].filter(c => c.checkVisibility()).length"
    shown = "[...document.querySelectorAll('figure details')].filter(d => d.checkVisibility()).length"
    folded = page.locator("figure details").count()
    assert page.evaluate(tables) == folded > 10 and page.evaluate(shown) == 0


def test_every_printed_page_but_the_first_is_headed_and_numbered(page, tmp_path):
    path = tmp_path / "page.pdf"
    page.pdf(path=path, format="A4", prefer_css_page_size=True)
    printed = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
    texts = printed.split("\f")[:-1]
    assert len(texts) > 5
    for number, text in enumerate(texts, 1):
        assert f"{number} / {len(texts)}" in text
        assert ("AI last-mile assessment ·" in text) == (number > 1), number
