"""Make blocks of a page's HTML: plain text in, escaped markup out, displayed by a notebook cell."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from aiready.charts.figures import cell_text, html_id, scrollable, table_html
from aiready.messages import ENGLISH, Language
from aiready.messages.markup import Block

PAGE_MIME = "application/vnd.aiready.page+json"

__all__ = [
    "Action", "Block", "KeyFigure", "Page", "actions", "div", "key_figure_list", "lead", "level_advice",
    "link", "notes", "paragraphs", "section", "standing", "table", "works",
]  # fmt: skip


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
        markup = Block("<p>{}</p><h1>{}</h1><p>{}</p>").format(self.eyebrow, self.title, self.meta)
        return {PAGE_MIME: asdict(self), "text/html": str(markup), "text/plain": self.title}


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
    >>> paragraphs("5 < 6", "", "Yes.")
    Block('<p>5 &lt; 6</p><p>Yes.</p>')
    """
    opening = Block('<p class="{}">' if kind else "<p>").format(kind)
    return Block().join(opening + text + Block("</p>") for text in texts if text)


def lead(text: str) -> Block:
    """The finding, at the top of the page."""
    return paragraphs(text, kind="lead")


def works(text: str, heading: str) -> Block:
    """What works; empty without text."""
    return Block('<p class="works"><strong>{}</strong> {}</p>' if text else "").format(heading, text)


def notes(*texts: str) -> Block:
    """Cautions and explanations in small type."""
    return paragraphs(*texts, kind="note")


def standing(*texts: str) -> Block:
    """The sentences that end every handout, in a box of their own."""
    return div(paragraphs(*texts), kind="standing")


def section(heading: str, *texts: str, level: int = 2, short: str = "", ident: str = "") -> Block:
    """A heading that states a finding, and the sentences below it.

    `short` names the section in the table of contents, where a finding is too long; `ident` is its anchor.
    """
    name = Block(' data-contents="{}"' if short else "").format(short)
    markup = Block('<h{level} id="{ident}"{name}>{heading}</h{level}>')
    ident = html_id(ident or short or heading)
    return markup.format(level=level, ident=ident, name=name, heading=heading) + paragraphs(*texts)


def key_figure_list(figures: Iterable[KeyFigure]) -> Block:
    """Key figures side by side; empty without any."""
    entry = Block("<li><span>{0.name}</span> <b>{0.value}</b> <small>{0.context}</small></li>")
    entries = Block().join(map(entry.format, figures))
    return Block('<ul class="keys">{}</ul>' if entries else "").format(entries)


def actions(items: Sequence[Action], level: int = 3) -> Block:
    """Actions, numbered: what, why, first step; empty without any."""
    entry = Block("<li><div><h{level}>{action.title}</h{level}><p>{action.why}</p>{step}</div></li>")
    entries = Block().join(
        entry.format(level=level, action=action, step=paragraphs(action.step, kind="who")) for action in items
    )
    return Block('<ol class="actions">{}</ol>' if entries else "").format(entries)


def level_advice(question: str, now_heading: str, now: str, next_heading: str, next_level: str) -> Block:
    """Advice on an item: its question, and the words of its level beside those of the next."""
    return Block(
        '<div class="level"><p class="stem">{}</p><div class="now"><p><strong>{}</strong></p><p>{}</p></div>'
        "<div><p><strong>{}</strong></p><p>{}</p></div></div>"
    ).format(question, now_heading, now, next_heading, next_level)


def table(numbers: Any, caption: str, language: Language = ENGLISH) -> Block:
    """A data frame as an HTML table; column names and text cells are shown unchanged."""
    rows = [[cell_text(cell, language) for cell in row] for row in numbers.itertuples(index=False)]
    columns = [str(column) for column in numbers.columns]
    return scrollable(table_html(columns, rows, caption, language), caption)


def div(*blocks: Block, kind: str) -> Block:
    """Blocks inside one `div` of class `kind`."""
    return Block('<div class="{}">{}</div>').format(kind, Block().join(blocks))


def link(url: str, text: str) -> Block:
    """A link if the address is http(s), else plain text.

    Examples
    --------
    >>> link("javascript:alert(1)", "evidence")
    Block('evidence')
    """
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        return Block.escape(text)
    return Block('<a href="{}" rel="noreferrer">{}</a>').format(url, text)
