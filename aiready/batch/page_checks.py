"""Check a page before it is published: complete, with every figure that its notebook drew."""

import re
from collections.abc import Mapping
from html import escape
from typing import Any

from nbformat import NotebookNode

from aiready.charts.figures import FIGURE_MIME
from aiready.pages.markup.exporter import output_bundles

REQUIRED = "required"
"""Key in a notebook's metadata (below `aiready`): ids of the sections that its page must have."""


def page_faults(page: str, notebook: NotebookNode) -> list[str]:
    """What is wrong with a page, as clauses; empty for a page that may be published.

    Parameters
    ----------
    page
        The HTML of the page.
    notebook
        The executed notebook it was made from, whose metadata names the required sections.

    Examples
    --------
    >>> page_faults("<html><h1>Claims</h1>", NotebookNode(cells=[], metadata={}))
    ['it is cut short']
    """
    faults = []
    if not page.rstrip().endswith("</html>"):
        faults.append("it is cut short")
    if (n_titles := len(re.findall(r"<h1\b", page))) != 1:
        faults.append(f"it has {n_titles} titles")
    ids = set(re.findall(r'\bid="([^"]*)"', page))
    required = notebook.metadata.get("aiready", {}).get(REQUIRED, ())
    faults += [f"the section {name} is missing" for name in required if name not in ids]
    payloads = [bundle[FIGURE_MIME] for bundle in output_bundles(notebook) if FIGURE_MIME in bundle]
    n_figures = page.count('<figure class="chart"')
    if n_figures != len(payloads):
        faults.append(f"{n_figures} of {len(payloads)} figures are drawn")
    without_table = [payload["title"] for payload in payloads if _lacks_table(payload, page)]
    return faults + [f'the figure "{title}" is without its table' for title in without_table]


def _lacks_table(payload: Mapping[str, Any], page: str) -> bool:
    """Whether a figure has numbers but the page no table of them."""
    return bool(payload["rows"]) and f"<caption>{escape(payload['caption'])}</caption>" not in page
