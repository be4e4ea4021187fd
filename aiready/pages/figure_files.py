"""Figures for slides: each as SVG and PNG, with its finding, its alternative text and its numbers."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

from aiready.charts.figures import FIGURE_MIME, spoken
from aiready.charts.svg import render_svg, standalone
from aiready.inputs.dataset import safe_cells
from aiready.pages.markup.exporter import bundles, heading_of, unique

SCALE = 2
"""Pixels of a PNG per pixel of the page: sharp on a projector."""


def slides(executed: Path) -> dict[str, bytes]:
    """Files by name of every figure of an executed notebook: `01-barriers.svg`, `.png`, `.csv`, `.txt`, in order.

    Notes
    -----
    Starts vl-convert: a process that has called this must not be forked.
    """
    shown = list(_with_findings(nbformat.read(executed, as_version=4)))
    names = unique([str(payload["name"]) for payload, _ in shown])
    return {
        f"{place:02}-{name}.{kind}": content
        for place, (name, (payload, finding)) in enumerate(zip(names, shown, strict=True), 1)
        for kind, content in _files(payload, name, finding).items()
    }


def _with_findings(book: nbformat.NotebookNode) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Each figure with the heading it stands under."""
    finding = ""
    for bundle in bundles(book):
        if FIGURE_MIME in bundle:
            yield bundle[FIGURE_MIME], finding
        else:
            finding = heading_of(bundle.get("text/html", "")) or finding


def _files(payload: Mapping[str, Any], name: str, finding: str) -> dict[str, bytes]:
    import vl_convert

    drawn = render_svg(payload["wide"], name, payload["title"], payload["description"])
    rows = pd.DataFrame(payload["rows"], columns=payload["columns"])
    words = (finding, payload["title"], payload["subtitle"],
             spoken(payload).say("page.alternative", text=payload["description"]))  # fmt: skip
    return {
        "svg": standalone(drawn).encode(),
        "png": vl_convert.vegalite_to_png(payload["wide"], scale=SCALE),
        "csv": safe_cells(rows).to_csv(index=False).encode(),
        "txt": "\n".join([*filter(None, words), ""]).encode(),
    }
