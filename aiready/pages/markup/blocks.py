"""Small blocks of the handout's HTML: plain text in, escaped markup out, shown by a notebook cell."""

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
    """A piece of the page whose text is escaped already; blocks join with `+`."""

    markup: str

    def _repr_html_(self) -> str:
        return self.markup

    def __add__(self, other: "Block") -> "Block":
        return Block(self.markup + other.markup)


@dataclass(frozen=True)
class Page:
    """What the page says around its content: shown once, by any cell; the exporter takes it out of the flow.

    `eyebrow` stands above the title, `meta` below it; `running` heads every printed page (the title by
    default); `notice` stands at the top when something must be said first; `footer` closes the page.
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
    """One of the key figures: name, value as text, the context it needs."""

    name: str
    value: str
    context: str = ""


@dataclass(frozen=True)
class Action:
    """One thing to do: what, why (with its number), and who does which first step until when."""

    title: str
    why: str
    step: str = ""


def paragraphs(*texts: str, kind: str = "") -> Block:
    """Paragraphs of plain text; empty ones are left out.

    Examples
    --------
    >>> paragraphs("5 < 6", "", "Yes.").markup
    '<p>5 &lt; 6</p><p>Yes.</p>'
    """
    mark = f' class="{escape(kind)}"' if kind else ""
    return Block("".join(f"<p{mark}>{escape(text)}</p>" for text in texts if text))


def lead(text: str) -> Block:
    """The finding in a sentence or two, at the head of the page."""
    return paragraphs(text, kind="lead")


def works(text: str, heading: str) -> Block:
    """What works, said before what does not; nothing when there is nothing to say."""
    return Block(f'<p class="works"><strong>{escape(heading)}</strong> {escape(text)}</p>' if text else "")


def notes(*texts: str) -> Block:
    """Cautions and explanations in small type."""
    return paragraphs(*texts, kind="note")


def standing(*texts: str) -> Block:
    """The sentences that stand on every handout, set apart."""
    return Block(f'<div class="standing">{paragraphs(*texts).markup}</div>')


def section(heading: str, *texts: str, level: int = 2, short: str = "", ident: str = "") -> Block:
    """A heading that states a finding, and the sentences under it.

    `short` names the section in the contents, where a finding would be too long; `ident` is its anchor.
    """
    name = f' data-contents="{escape(short)}"' if short else ""
    opened = f'<h{level} id="{escape(html_id(ident or short or heading))}"{name}>'
    return Block(f"{opened}{escape(heading)}</h{level}>") + paragraphs(*texts)


def key_figure_list(figures: Iterable[KeyFigure]) -> Block:
    """Key figures in context, side by side."""
    cells = "".join(
        f"<li><span>{escape(key.name)}</span> <b>{escape(key.value)}</b> <small>{escape(key.context)}</small></li>"
        for key in figures
    )
    return Block(f'<ul class="keys">{cells}</ul>' if cells else "")


def actions(items: Sequence[Action], level: int = 3) -> Block:
    """Things to do, numbered: what, why, first step."""
    rows = "".join(
        f"<li><div><h{level}>{escape(action.title)}</h{level}>"
        f"<p>{escape(action.why)}</p>{paragraphs(action.step, kind='who').markup}</div></li>"
        for action in items
    )
    return Block(f'<ol class="actions">{rows}</ol>' if rows else "")


def level_advice(question: str, now_heading: str, now: str, next_heading: str, next_level: str) -> Block:
    """A level is advice: what was asked, and today's words beside the next level's."""
    pairs = ((' class="now"', now_heading, now), ("", next_heading, next_level))
    cells = (
        f"<div{mark}><p><strong>{escape(name)}</strong></p><p>{escape(text)}</p></div>" for mark, name, text in pairs
    )
    return Block(f'<div class="level"><p class="stem">{escape(question)}</p>{"".join(cells)}</div>')


def table(numbers: Any, caption: str, language: Language = ENGLISH) -> Block:
    """A table of numbers or text as the reader should see it (a data frame with worded column names)."""
    rows = [[cell_text(cell, language) for cell in row] for row in numbers.itertuples(index=False)]
    columns = [str(column) for column in numbers.columns]
    return Block(scrollable(table_html(columns, rows, caption, language), caption))


def div(*blocks: Block, kind: str) -> Block:
    """Blocks inside one `div` of a class, such as `first` (alone on the first printed page)."""
    return Block(f'<div class="{escape(kind)}">{"".join(block.markup for block in blocks)}</div>')


def link(url: str, text: str) -> Block:
    """A link for http(s) addresses, plain text for anything else.

    Examples
    --------
    >>> link("javascript:alert(1)", "evidence").markup
    'evidence'
    """
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        return Block(escape(text))
    return Block(f'<a href="{escape(url)}" rel="noreferrer">{escape(text)}</a>')
