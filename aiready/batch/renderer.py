"""The renderer: a warm process that turns executed notebooks into pages, one after the other.

vl-convert's threads do not survive a fork, so nothing is forked from a renderer. It is itself a fork of the template
process, made before the first notebook ran there, or a process started anew.
"""

import os
import signal
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from aiready.batch.notebook_run import die_with_parent, importing


@dataclass(frozen=True)
class Drawn:
    """A page and the files of its figures by name, or what went wrong."""

    page: bytes = field(default=b"", repr=False)
    figures: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    reason: str = ""
    traceback: str = field(default="", repr=False)


@dataclass(frozen=True)
class Begun:
    """What a renderer says first: which process it is."""

    pid: int


@dataclass(frozen=True)
class Warm:
    """What a renderer says when its first page will not have to wait."""


def render(executed: Path, *, figures: bool = False) -> Drawn:
    """Turn an executed notebook into its page, and inspect it.

    Notes
    -----
    Starts vl-convert: a process that has called this must not be forked.
    """
    import nbformat

    page, wrong = _page(nbformat.read(executed, as_version=4))
    pictures = _slides(executed) if figures else {}
    return Drawn(page.encode(), pictures, wrong and f"the page was not published: {wrong}")


def _page(book: Any) -> tuple[str, str]:
    """The page of an executed notebook, and what is wrong with it."""
    from aiready.batch.page_checks import faults
    from aiready.pages.markup import exporter

    page, _ = exporter().from_notebook_node(book)
    return page, "; ".join(faults(page, book))


def _slides(executed: Path) -> Mapping[str, bytes]:
    from aiready.pages.figure_files import slides

    return slides(executed)


def main() -> None:
    """Serve: the argument is the file descriptor of the line."""
    serve(Connection(int(sys.argv[1])))


def serve(line: Connection) -> None:
    """Draw what is asked for, until the line is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started this one decides
    die_with_parent()
    try:
        line.send(Begun(os.getpid()))
        with importing():
            _warm()
        line.send(Warm())
        while True:
            executed, figures = line.recv()
            line.send(drawn(executed, figures=figures))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def drawn(executed: Path, *, figures: bool) -> Drawn:
    """The page of an executed notebook, or why it could not be drawn."""
    try:
        return render(executed, figures=figures)
    except Exception as error:
        return Drawn(reason=f"{type(error).__name__}: {error}", traceback=traceback.format_exc())


def _warm() -> None:
    """Do once, before the first page, what the first page would wait for."""
    import pandas as pd
    from nbformat import reads, v4, writes

    from aiready.charts.figures import FIGURE_MIME, Figure
    from aiready.charts.row_layout import placeholder

    chart = placeholder("No page yet.")
    shown = {FIGURE_MIME: Figure("rehearsal", "Rehearsal", "", chart, chart, pd.DataFrame({"n": [1]})).payload()}
    cell = v4.new_code_cell(outputs=[v4.new_output("display_data", data=shown)])
    _page(reads(writes(v4.new_notebook(cells=[cell])), as_version=4))
