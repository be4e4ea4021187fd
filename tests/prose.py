"""What a page says in words: its sentences, headings, captions, descriptions and cells of words, in reading order."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from pathlib import Path

from conftest import ROOT

from aiready.charts.figures import Figure, table_html
from aiready.pages import handout, portfolio, unit_comparison
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
class Said:
    """One text of a page: its section, where it stands (a tag; in a figure its name before it), and the words."""

    section: str
    place: str
    text: str


class _Reader(HTMLParser):
    """Texts of the page: what tags of text alone (`b`, `small`) part stays one text."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[Said] = []
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
        """A text ends: cells of a row are told with the row's head, and numbers alone are not told."""
        text, self.text = re.sub(r"[ \n]+", " ", self.text).strip(" \n"), ""
        place = next((tag for tag in reversed(self.open) if tag in BLOCKS), "")
        if not text:
            return
        if place == "th":
            self.row = text
        if place == "td":
            if NUMBERS_ALONE.fullmatch(text):
                return
            text = f"{self.row}|{text}"
        self.said.append(Said(self.section, f"{self.figure} {place}".strip(), text))


def prose(markup: str) -> list[Said]:
    """Every text of a page that holds a word."""
    reader = _Reader()
    reader.feed(markup)
    return reader.said


def undrawn(unit, notebook: str) -> str:
    """A page as its notebook makes it, its pictures not drawn: only told."""
    parts: list[str] = []
    for part in _parts(unit, notebook):
        if isinstance(part, Block):
            parts.append(str(part))
        elif isinstance(part, Figure):
            told = part.payload()
            parts.append(
                f'<figure id="fig-{told["name"]}"><h3>{escape(told["title"])}</h3><p>{escape(told["subtitle"])}</p>'
                f"<svg><desc>{escape(told['description'])}</desc></svg>"
                f"{table_html(told['columns'], told['rows'], told['caption'])}</figure>"
            )
        else:
            frame = part._repr_mimebundle_()
            frame_words = (frame[PAGE_MIME][name] for name in ("running", "footer"))
            parts += [frame["text/html"], *(f"<p>{escape(words)}</p>" for words in frame_words)]
    return "".join(parts)


def _parts(unit, notebook: str) -> Iterator:
    known = {"handout": handout, "portfolio": portfolio, "side_by_side": unit_comparison}
    known |= {"unit": unit, "organisation": unit}
    for cell in json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and re.fullmatch(r"\w+\.\w+\(\w+\)", source):
            yield from eval(source, known)


def read_page(path: Path) -> list[Said]:
    """The texts of a page on disk."""
    return prose(path.read_text(encoding="utf-8"))
