"""Record the phrases of a page while it is made: key, blanks and sentence; and read the page's texts, to find them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser

import pytest
from conftest import ROOT

from aiready.charts.figures import Figure, table_html
from aiready.messages import Language
from aiready.pages import handout, key_figures, portfolio, unit_comparison
from aiready.pages.markup.blocks import PAGE_MIME, Block

BLOCKS = frozenset(
    ("p", "h1", "h2", "h3", "li", "td", "th", "tr", "thead", "tbody", "table", "caption", "summary", "title", "desc",
     "figcaption", "figure", "svg", "div", "nav", "footer", "section", "details")
)  # fmt: skip
SILENT = frozenset(("style", "text"))
VOID = frozenset(("meta", "br", "link", "path", "rect", "line", "circle"))
NUMBERS_ALONE = re.compile(r"(?:[\d\s.,<>−–%()/+-]|\b(?:n|to|h|s|min|days?|score|waiting)\b)*")
"""Cells of numbers, intervals and n: no sentence, and their tables have tests of their own."""


@dataclass(frozen=True)
class Phrase:
    """A phrase as it was filled: a plural's number is its blank `count`."""

    key: str
    blanks: dict[str, object]
    sentence: str


@dataclass(frozen=True)
class Text:
    """A text of a page: its section, its figure, the tag that it stands in, the head of its row."""

    section: str
    figure: str
    tag: str
    row: str
    text: str


@dataclass
class Page:
    """The texts of a page, and the phrases that were filled while it was made."""

    texts: list[Text] = field(default_factory=list)
    phrases: list[Phrase] = field(default_factory=list)


class _Texts(HTMLParser):
    """Texts of the page: what tags of text alone (`b`, `small`) part stays one text."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[Text] = []
        self.open: list[str] = []
        self.section, self.figure, self.row, self.text = "", "", "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag in BLOCKS:
            self.close()
        if tag == "figure":
            self.figure = str(known.get("id", ""))
        if tag == "h2":
            self.section = str(known.get("data-contents") or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in BLOCKS:
            self.close()
        while tag in self.open and self.open.pop() != tag:
            pass
        if tag == "figure":
            self.figure = ""

    def handle_data(self, data: str) -> None:
        if not SILENT & set(self.open):
            self.text += data

    def close(self) -> None:
        """A text ends. Cells of numbers alone are left out."""
        text, self.text = re.sub(r"[ \n]+", " ", self.text).strip(" \n"), ""
        tag = next((tag for tag in reversed(self.open) if tag in BLOCKS), "")
        if tag == "th":
            self.row = text
        if text and not (tag == "td" and NUMBERS_ALONE.fullmatch(text)):
            row = self.row if tag == "td" else ""
            self.texts.append(Text(self.section, self.figure, tag, row, text))


def texts_of_markup(markup: str) -> list[Text]:
    """Every text of a page that holds a word."""
    reader = _Texts()
    reader.feed(markup)
    return reader.texts


def recorded_page(unit, alter=lambda key, blanks: blanks) -> Page:
    """The page of a unit or of the organisation, its pictures not drawn; `alter` plants other blanks."""
    page, fill, key_figure = Page(), Language.say, key_figures.KeyFigure

    def say(language, key, number=None, /, **blanks):
        known = alter(key, blanks if number is None else {"count": number, **blanks})
        blanks = {name: value for name, value in known.items() if number is None or name != "count"}
        sentence = fill(language, key, None if number is None else known["count"], **blanks)
        page.phrases.append(Phrase(key, known, sentence))
        return sentence

    def key_figure_of(name, value, context=""):
        key = next(phrase.key for phrase in reversed(page.phrases) if phrase.sentence == name)
        blanks = {"value": value, "context": context}
        page.phrases.append(Phrase(key, blanks, f"{name} {value} {context}".strip()))
        return key_figure(name, value, context)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Language, "say", say)
        patch.setattr(key_figures, "KeyFigure", key_figure_of)
        page.texts = texts_of_markup("".join(_undrawn(unit)))
    return page


def _undrawn(unit) -> Iterator[str]:
    for part in _parts(unit, "portfolio_report" if unit.unit_id == "*" else "unit_report"):
        if isinstance(part, Block):
            yield str(part)
        elif isinstance(part, Figure):
            figure = part.payload()
            yield (
                f'<figure id="fig-{figure["name"]}"><h3>{escape(figure["title"])}</h3><p>{escape(figure["subtitle"])}'
                f"</p><svg><desc>{escape(figure['description'])}</desc></svg>"
                f"{table_html(figure['columns'], figure['rows'], figure['caption'])}</figure>"
            )
        else:
            frame = part._repr_mimebundle_()
            yield frame["text/html"]
            yield from (f"<p>{escape(frame[PAGE_MIME][name])}</p>" for name in ("running", "footer"))


def _parts(unit, notebook: str) -> Iterator:
    known = {"handout": handout, "portfolio": portfolio, "side_by_side": unit_comparison}
    known |= {"unit": unit, "organisation": unit}
    for cell in json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and re.fullmatch(r"\w+\.\w+\(\w+\)", source):
            yield from eval(source, known)
