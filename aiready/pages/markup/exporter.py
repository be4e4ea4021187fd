"""The nbconvert exporter `aiready`: outputs of an executed notebook -> the handout.

What reaches the page is an allow-list: figures and pages of this package, HTML that its blocks escaped, and
Markdown. Everything else an output may carry (scripts, widgets, images, streams, errors) is left out.
"""

import re
from collections.abc import Iterator
from functools import cache
from html import escape, unescape
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
from aiready.pages.markup.blocks import PAGE_MIME, Page

TEMPLATES = Path(__file__).with_name("templates")
DROPPED_TAGS = frozenset({"parameters", "injected-parameters", "remove-cell"})
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
        """Only this package's templates: by default a folder planted in the working directory would win."""
        return [str(TEMPLATES)]

    @property
    def default_config(self) -> Config:
        """Figures before HTML, and nothing else; Markdown headings without anchors."""
        settings = Config(
            {
                "NbConvertBase": {"display_data_priority": [FIGURE_MIME, "text/html"]},
                "HTMLExporter": {"exclude_anchor_links": True, "optimistic_validation": True},
                "HighlightMagicsPreprocessor": {"enabled": False},
            }
        )
        merged = super().default_config.copy()
        merged.merge(settings)
        return merged

    def from_notebook_node(  # type: ignore[override]  # as nbconvert's own HTMLExporter does
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Convert an executed notebook."""
        content = nb.copy()
        content.cells = [cell for cell in nb.cells if not DROPPED_TAGS & set(cell.metadata.get("tags", ()))]
        page_resources = self._init_resources(resources)
        page_resources["handout"] = handout_resources(content)
        # Past HTMLExporter's own step, which parses and rewrites the whole page for images we do not have
        return TemplateExporter.from_notebook_node(self, content, page_resources, **kw)

    def default_filters(self) -> Iterator[tuple[str, Any]]:
        """The filters of nbconvert, and those of the template."""
        yield from super().default_filters()
        yield from (
            ("drop_active_html", drop_active_html),
            ("anchor_headings", anchor_headings),
            ("table_of_contents", table_of_contents),
            ("css_string", css_string),
        )


@cache
def shared_exporter() -> HandoutExporter:
    """One exporter for all pages of a process: to make its template ready takes longer than to fill it."""
    return HandoutExporter()


def handout_resources(nb: NotebookNode) -> dict[str, Any]:
    """Everything the template needs: the page's frame, figures drawn once, their numbers for the appendix."""
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
    """Output data of the notebook in reading order."""
    for cell in nb.cells:
        for output in cell.get("outputs", ()):
            if "data" in output:
                yield output["data"]


def page_frame(nb: NotebookNode) -> Page:
    """The frame of the page: what a cell showed as `Page`, else the notebook's metadata, else its file."""
    shown_frame = next((bundle[PAGE_MIME] for bundle in output_bundles(nb) if PAGE_MIME in bundle), None)
    fields = shown_frame or nb.metadata.get("aiready", {})
    texts = {name: str(text) for name, text in fields.items() if name in Page.__dataclass_fields__}
    return Page(**{"title": str(nb.metadata.get("title", "Assessment")), **texts})


def unique_ids(names: list[str]) -> list[str]:
    """Names made distinct by a number, as ids must be.

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
    """Whether markup holds anything that could run, load, send or restyle something."""

    found = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= tag in _ACTIVE_TAGS or any(name.startswith("on") or name == "style" for name, _ in attrs)


def drop_active_html(markup: str) -> str:
    """HTML of an output, or nothing when it is active: this package's blocks never are."""
    reader = _ActiveHtmlFinder()
    reader.feed(markup)
    return "" if reader.found else markup


def anchor_headings(body: str) -> str:
    """Give every heading outside figures an id of its own, and leave the one `h1` to the page."""
    body = _H1.sub("", body)
    headings = [match for match in _HEADING.finditer(body) if match[1] == "2"]
    idents = iter(unique_ids([_attribute(match[2], "id") or _text(match[3]) for match in headings]))

    def mark(match: re.Match[str]) -> str:
        if match[1] != "2":
            return match[0]
        short = _attribute(match[2], "data-contents")
        contents_name = f' data-contents="{escape(short)}"' if short else ""
        return f'<h2 id="{next(idents)}"{contents_name}>{match[3]}</h2>'

    return _HEADING.sub(mark, body)


def table_of_contents(body: str) -> list[tuple[str, str]]:
    """Anchor and name of every section of an anchored page, in order."""
    sections = (match for match in _HEADING.finditer(body) if match[1] == "2")
    return [
        (_attribute(match[2], "id"), _attribute(match[2], "data-contents") or _text(match[3])) for match in sections
    ]


def last_heading(markup: str) -> str:
    """Text of the last section heading in the HTML of an output; empty without one.

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
    r"""A text as a CSS string, safe inside a style element.

    Examples
    --------
    >>> print(css_string('a "b" </style>'))
    "a \22 b\22  \3c /style\3e "
    """
    return '"' + re.sub(r'["\\<>&\n\r\f]', lambda match: f"\\{ord(match[0]):x} ", text) + '"'


@cache
def stylesheet() -> str:
    """The page's style sheet with the palette in, and the dark counterpart of every colour of a chart."""
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
