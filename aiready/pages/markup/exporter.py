"""Export the outputs of an executed notebook as a handout (the nbconvert exporter `aiready`).

An allow-list decides what reaches the page: figures and page texts of this package, HTML without anything active,
and Markdown. Everything else in an output (scripts, widgets, images, streams, errors) is dropped.
"""

import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from nbconvert.exporters import HTMLExporter, TemplateExporter
from nbformat import NotebookNode
from traitlets import default
from traitlets.config import Config

from aiready.charts import theme
from aiready.charts.figures import FIGURE_MIME, NUMBER_COLUMNS_CSS, figure_html, html_id, language_of, table_html
from aiready.messages import ENGLISH, Language, language_codes
from aiready.messages.markup import Block
from aiready.pages.markup.blocks import PAGE_MIME, Page

TEMPLATES = Path(__file__).with_name("templates")
DROPPED_TAGS = frozenset({"parameters", "injected-parameters", "remove-cell"})
"""Tags of cells that do not reach the page."""
_HEADING = re.compile(r"<h([2-6])([^>]*)>(.*?)</h\1>", re.DOTALL)
_H1 = re.compile(r"<h1\b[^>]*>.*?</h1>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_ACTIVE_TAGS = frozenset(
    ("script", "style", "link", "meta", "base", "iframe", "object", "embed", "form", "img", "image", "video")
)


class HandoutExporter(HTMLExporter):
    """Executed notebook -> self-contained, script-free handout."""

    export_from_notebook = "aiready handout"

    @default("template_name")
    def _template_name_default(self) -> str:
        return "handout"

    @default("extra_template_basedirs")
    def _default_extra_template_basedirs(self) -> list[str]:
        """Only this package's templates: by default, nbconvert prefers templates in the working directory."""
        return [str(TEMPLATES)]

    @property
    def default_config(self) -> Config:
        """Display figures, else HTML, and nothing else; Markdown headings without anchor links."""
        settings = Config(
            {
                "NbConvertBase": {"display_data_priority": [FIGURE_MIME, "text/html"]},
                "HTMLExporter": {"exclude_anchor_links": True, "optimistic_validation": True},
                "HighlightMagicsPreprocessor": {"enabled": False},
            }
        )
        config: Config = super().default_config.copy()
        config.merge(settings)
        return config

    def from_notebook_node(  # type: ignore[override]  # as nbconvert's own HTMLExporter does
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Convert an executed notebook."""
        content = nb.copy()
        content.cells = [cell for cell in nb.cells if not DROPPED_TAGS & set(cell.metadata.get("tags", ()))]
        filled = self._init_resources(resources)
        filled["handout"] = handout_resources(content)
        # Skips HTMLExporter's own step, which parses and rewrites the whole page for images that ours do not have
        return TemplateExporter.from_notebook_node(self, content, filled, **kw)

    def default_filters(self) -> Iterator[tuple[str, Any]]:
        """nbconvert's filters, and those that our template uses."""
        yield from super().default_filters()
        yield from ((own.__name__, own) for own in (drop_active_html, anchor_headings, table_of_contents, css_string))


@cache
def shared_exporter() -> HandoutExporter:
    """One exporter for all pages of a process: compiling its template takes longer than filling it."""
    return HandoutExporter()


def handout_resources(nb: NotebookNode) -> dict[str, Any]:
    """Everything the template needs: the text around the content, the drawn figures, their numbers for the appendix."""
    payloads = [bundle[FIGURE_MIME] for bundle in output_bundles(nb) if FIGURE_MIME in bundle]
    idents = unique_ids([str(payload["name"]) for payload in payloads])
    pictures = [
        figure_html(payload, ident, f"p{number}")
        for number, (payload, ident) in enumerate(zip(payloads, idents, strict=True), 1)
    ]
    figures, frame = iter(pictures), page_frame(nb)
    tables = [
        table_html(payload["columns"], payload["rows"], payload["caption"], language_of(payload))
        for payload in payloads
        if payload["rows"]
    ]
    return {
        "page": frame,
        "say": Language(frame.lang if frame.lang in language_codes() else ENGLISH.code).say,
        "draw": lambda: next(figures),
        "appendix": "".join(tables),
        "style": stylesheet(),
        "figure_mime": FIGURE_MIME,
    }


def output_bundles(nb: NotebookNode) -> Iterator[dict[str, Any]]:
    """The data of the notebook's outputs (MIME type -> content), in order."""
    for cell in nb.cells:
        for output in cell.get("outputs", ()):
            if "data" in output:
                yield output["data"]


def page_frame(nb: NotebookNode) -> Page:
    """The text around the content: the `Page` that a cell displayed, else one from the notebook's metadata."""
    shown_frame = next((bundle[PAGE_MIME] for bundle in output_bundles(nb) if PAGE_MIME in bundle), None)
    fields = shown_frame or nb.metadata.get("aiready", {})
    texts = {name: str(text) for name, text in fields.items() if name in Page.__dataclass_fields__}
    return Page(**{"title": str(nb.metadata.get("title", "Assessment")), **texts})


def unique_ids(names: list[str]) -> list[str]:
    """Turn names into HTML ids, numbering repeated ones.

    Examples
    --------
    >>> unique_ids(["items", "items", "hours"])
    ['items', 'items-2', 'hours']
    """
    uses: dict[str, int] = {}
    distinct = []
    for name in map(html_id, names):
        uses[name] = uses.get(name, 0) + 1
        distinct.append(name if uses[name] == 1 else f"{name}-{uses[name]}")
    return distinct


class _ActiveHtmlFinder(HTMLParser):
    """Detects anything in markup that could run, load, send or restyle something."""

    is_active = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.is_active |= tag in _ACTIVE_TAGS or any(name.startswith("on") or name == "style" for name, _ in attrs)


def drop_active_html(markup: str) -> str:
    """The HTML of an output; empty if any of it is active, which this package's blocks never are."""
    reader = _ActiveHtmlFinder()
    reader.feed(markup)
    return "" if reader.is_active else markup


def anchor_headings(body: str) -> str:
    """Give every section heading (`h2`) an id of its own, and drop every `h1`: the page has the only one."""
    body = _H1.sub("", body)
    headings = [match for match in _HEADING.finditer(body) if match[1] == "2"]
    idents = iter(unique_ids([_attribute(match[2], "id") or _text(match[3]) for match in headings]))

    def mark(match: re.Match[str]) -> str:
        if match[1] != "2":
            return match[0]
        short = _attribute(match[2], "data-contents")
        name = Block(' data-contents="{}"' if short else "").format(short)
        return f'<h2 id="{next(idents)}"{name}>{match[3]}</h2>'

    return _HEADING.sub(mark, body)


def table_of_contents(body: str) -> list[tuple[str, str]]:
    """Anchor and name of every section of a page with anchored headings, in order."""
    sections = (match for match in _HEADING.finditer(body) if match[1] == "2")
    return [
        (_attribute(match[2], "id"), _attribute(match[2], "data-contents") or _text(match[3])) for match in sections
    ]


def last_heading(markup: str) -> str:
    """Text of the last section heading (`h2`) in the HTML of an output; empty without one.

    Examples
    --------
    >>> last_heading("<h2>One &amp; two</h2><p>More.</p>")
    'One & two'
    """
    headings = [match for match in _HEADING.finditer(markup) if match[1] == "2"]
    return _text(headings[-1][3]) if headings else ""


def _attribute(attributes: str, name: str) -> str:
    match = re.search(rf'\b{name}="([^"]*)"', attributes)
    return unescape(match[1]) if match else ""


def _text(markup: str) -> str:
    return unescape(_TAG.sub("", markup)).strip()


def css_string(text: str) -> str:
    r"""A text as a CSS string that is safe inside a style element.

    Examples
    --------
    >>> print(css_string('a "b" </style>'))
    "a \22 b\22  \3c /style\3e "
    """
    return '"' + re.sub(r'["\\<>&\n\r\f]', lambda match: f"\\{ord(match[0]):x} ", text) + '"'


@cache
def stylesheet() -> str:
    """The page's style sheet with the colours of the theme, and the dark counterparts of those in charts."""
    dark = "".join(
        f'figure [{name}="{light}"]{{{name}:{shade}}}'
        for light, shade in theme.DARK.items()
        for name in ("fill", "stroke")
    )
    names = {"ink": theme.INK, "muted": theme.MUTED, "line": theme.LINE, "paper": theme.PAPER,
             "people": theme.PEOPLE, "records": theme.RECORDS}  # fmt: skip
    light = ";".join(f"--{name}:{colour}" for name, colour in names.items())
    night = ";".join(f"--{name}:{theme.DARK[colour]}" for name, colour in names.items())
    style = (TEMPLATES / "handout" / "handout.css").read_text(encoding="utf-8")
    return (
        f":root{{{light};--font:{theme.FONT}}}{NUMBER_COLUMNS_CSS}{style}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{night};color-scheme:dark}}}}"
        f"@media screen and (prefers-color-scheme:dark) and (forced-colors:none){{{dark}}}"
    )
