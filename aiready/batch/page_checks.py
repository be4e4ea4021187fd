"""A page before it is published: whole, and with everything that its notebook drew."""

import re
from collections.abc import Mapping
from html import escape
from typing import Any

from nbformat import NotebookNode

from aiready.charts.figures import FIGURE_MIME
from aiready.pages.markup.exporter import bundles

REQUIRED = "required"
"""Name in a notebook's metadata (below `aiready`) of the ids of sections that its page must have."""


def faults(page: str, book: NotebookNode) -> list[str]:
    """What is wrong with a page, as clauses; none for a page that may be published.

    Parameters
    ----------
    page
        The HTML of the page.
    book
        The executed notebook it was made from, whose metadata names the sections it must have.

    Examples
    --------
    >>> faults("<html><h1>Claims</h1>", NotebookNode(cells=[], metadata={}))
    ['it is cut short']
    """
    found = []
    if not page.rstrip().endswith("</html>"):
        found.append("it is cut short")
    if (heads := len(re.findall(r"<h1\b", page))) != 1:
        found.append(f"it has {heads} titles")
    idents = set(re.findall(r'\bid="([^"]*)"', page))
    required = book.metadata.get("aiready", {}).get(REQUIRED, ())
    found += [f"the section {name} is missing" for name in required if name not in idents]
    payloads = [bundle[FIGURE_MIME] for bundle in bundles(book) if FIGURE_MIME in bundle]
    drawn = page.count('<figure class="chart"')
    if drawn != len(payloads):
        found.append(f"{drawn} of {len(payloads)} figures are drawn")
    bare = [payload["title"] for payload in payloads if _bare(payload, page)]
    return found + [f'the figure "{title}" is without its table' for title in bare]


def _bare(payload: Mapping[str, Any], page: str) -> bool:
    """Whether a figure has numbers, and the page no table of them."""
    return bool(payload["rows"]) and f"<caption>{escape(payload['caption'])}</caption>" not in page
