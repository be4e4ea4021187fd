"""Write figures for slides: each as SVG and PNG, with its finding, its alternative text and its numbers."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from nbformat import NotebookNode

from aiready.charts.figures import FIGURE_MIME, language_of
from aiready.charts.svg import render_svg, standalone_svg
from aiready.inputs.safe_text import safe_cells
from aiready.pages.markup.exporter import last_heading, output_bundles, unique_ids

SCALE = 2
"""Pixels of a PNG per pixel of the page: sharp on a projector."""


def slide_files(notebook: NotebookNode) -> dict[str, bytes]:
    """Every figure of an executed notebook as files: name (`01-barriers.svg`, `.png`, `.csv`, `.txt`) -> content.

    Notes
    -----
    Starts vl-convert: a process that has called this must not be forked.
    """
    figures = list(_with_findings(notebook))
    names = unique_ids([str(payload["name"]) for payload, _ in figures])
    return {
        f"{number:02}-{name}.{kind}": content
        for number, (name, (payload, finding)) in enumerate(zip(names, figures, strict=True), 1)
        for kind, content in _files(payload, name, finding).items()
    }


def _with_findings(book: NotebookNode) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Each figure with the last heading before it."""
    finding = ""
    for bundle in output_bundles(book):
        if FIGURE_MIME in bundle:
            yield bundle[FIGURE_MIME], finding
        else:
            finding = last_heading(bundle.get("text/html", "")) or finding


def _files(payload: Mapping[str, Any], name: str, finding: str) -> dict[str, bytes]:
    import vl_convert

    svg = render_svg(payload["wide"], name, payload["title"], payload["description"])
    rows = pd.DataFrame(payload["rows"], columns=payload["columns"])
    words = (finding, payload["title"], payload["subtitle"],
             language_of(payload).say("page.alternative", text=payload["description"]))  # fmt: skip
    return {
        "svg": standalone_svg(svg).encode(),
        "png": vl_convert.vegalite_to_png(payload["wide"], scale=SCALE),
        "csv": safe_cells(rows).to_csv(index=False).encode(),
        "txt": "\n".join([*filter(None, words), ""]).encode(),
    }
