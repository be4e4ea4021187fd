"""Make blocks of a page's HTML: plain text in, escaped markup out, displayed by a notebook cell."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any
from urllib.parse import urlsplit

from aiready.charts.figures import cell_text, html_id, scrollable, table_html
from aiready.messages import ENGLISH, Language

PAGE_MIME = "application/vnd.aiready.page+json"

__all__ = [
    "Action", "Block", "KeyFigure", "Page", "actions", "div", "escape", "key_figure_list", "lead", "level_advice",
    "link", "notes", "paragraphs", "section", "standing", "table", "works",
]  # fmt: skip


@dataclass(frozen=True)
class Block:
    """A piece of the page whose text is already escaped; blocks are joined with `+`."""

    markup: str

    def _repr_html_(self) -> str:
        return self.markup

    def __add__(self, other: "Block") -> "Block":
        return Block(self.markup + other.markup)


@dataclass(frozen=True)
class Page:
    """The text around a page's content: displayed by any one cell, and moved to its place by the exporter.

    `eyebrow` is above the title, `meta` below it; `running` is the heading of every printed page (default: the
    title); `notice` is at the top, for what must be said first; `footer` ends the page.
    """

    title: str
    eyebrow: str = ""
    meta: str = ""
    lang: str = "en"
    notice: str = ""
    footer: str = ""
    running: str = ""

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        markup = f"<p>{escape(self.eyebrow)}</p><h1>{escape(self.title)}</h1><p>{escape(self.meta)}</p>"
        return {PAGE_MIME: asdict(self), "text/html": markup, "text/plain": self.title}


@dataclass(frozen=True)
class KeyFigure:
    """A key figure: name, value as text, and its context."""

    name: str
    value: str
    context: str = ""


@dataclass(frozen=True)
class Action:
    """An action: what to do, why (with a number), and the first step, by whom and with what effort."""

    title: str
    why: str
    step: str = ""


def paragraphs(*texts: str, kind: str = "") -> Block:
    """Paragraphs of plain text, without empty ones; `kind` is their class.

    Examples
    --------
    >>> paragraphs("5 < 6", "", "Yes.").markup
    '<p>5 &lt; 6</p><p>Yes.</p>'
    """
    mark = f' class="{escape(kind)}"' if kind else ""
    return Block("".join(f"<p{mark}>{escape(text)}</p>" for text in texts if text))


def lead(text: str) -> Block:
    """The finding, at the top of the page."""
    return paragraphs(text, kind="lead")


def works(text: str, heading: str) -> Block:
    """What works; empty without text."""
    return Block(f'<p class="works"><strong>{escape(heading)}</strong> {escape(text)}</p>' if text else "")


def notes(*texts: str) -> Block:
    """Cautions and explanations in small type."""
    return paragraphs(*texts, kind="note")


def standing(*texts: str) -> Block:
    """The sentences that end every handout, in a box of their own."""
    return Block(f'<div class="standing">{paragraphs(*texts).markup}</div>')


def section(heading: str, *texts: str, level: int = 2, short: str = "", ident: str = "") -> Block:
    """A heading that states a finding, and the sentences below it.

    `short` names the section in the table of contents, where a finding is too long; `ident` is its anchor.
    """
    name = f' data-contents="{escape(short)}"' if short else ""
    opened = f'<h{level} id="{escape(html_id(ident or short or heading))}"{name}>'
    return Block(f"{opened}{escape(heading)}</h{level}>") + paragraphs(*texts)


def key_figure_list(figures: Iterable[KeyFigure]) -> Block:
    """Key figures side by side; empty without any."""
    cells = "".join(
        f"<li><span>{escape(key.name)}</span> <b>{escape(key.value)}</b> <small>{escape(key.context)}</small></li>"
        for key in figures
    )
    return Block(f'<ul class="keys">{cells}</ul>' if cells else "")


def actions(items: Sequence[Action], level: int = 3) -> Block:
    """Actions, numbered: what, why, first step; empty without any."""
    rows = "".join(
        f"<li><div><h{level}>{escape(action.title)}</h{level}>"
        f"<p>{escape(action.why)}</p>{paragraphs(action.step, kind='who').markup}</div></li>"
        for action in items
    )
    return Block(f'<ol class="actions">{rows}</ol>' if rows else "")


def level_advice(question: str, now_heading: str, now: str, next_heading: str, next_level: str) -> Block:
    """Advice on an item: its question, and the words of its level beside those of the next."""
    pairs = ((' class="now"', now_heading, now), ("", next_heading, next_level))
    cells = (
        f"<div{mark}><p><strong>{escape(name)}</strong></p><p>{escape(text)}</p></div>" for mark, name, text in pairs
    )
    return Block(f'<div class="level"><p class="stem">{escape(question)}</p>{"".join(cells)}</div>')


def table(numbers: Any, caption: str, language: Language = ENGLISH) -> Block:
    """A data frame as an HTML table; column names and text cells are shown unchanged."""
    rows = [[cell_text(cell, language) for cell in row] for row in numbers.itertuples(index=False)]
    columns = [str(column) for column in numbers.columns]
    return Block(scrollable(table_html(columns, rows, caption, language), caption))


def div(*blocks: Block, kind: str) -> Block:
    """Blocks inside one `div` of class `kind`."""
    return Block(f'<div class="{escape(kind)}">{"".join(block.markup for block in blocks)}</div>')


def link(url: str, text: str) -> Block:
    """A link if the address is http(s), else plain text.

    Examples
    --------
    >>> link("javascript:alert(1)", "evidence").markup
    'evidence'
    """
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        return Block(escape(text))
    return Block(f'<a href="{escape(url)}" rel="noreferrer">{escape(text)}</a>')
