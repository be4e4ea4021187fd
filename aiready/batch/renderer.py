"""The renderer: a warm process that turns executed notebooks into pages, one after the other.

It is a fork of the fork server, made before the first notebook ran there, or a new process. Nothing is forked from it:
vl-convert's threads do not survive a fork.
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

from aiready.batch.notebook_run import die_with_parent, fast_imports


@dataclass(frozen=True)
class Rendering:
    """A page and the files of its figures by name, or what went wrong."""

    page: bytes = field(default=b"", repr=False)
    figures: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    reason: str = ""
    traceback: str = field(default="", repr=False)


@dataclass(frozen=True)
class RendererStarted:
    """First message of a renderer: its process id."""

    pid: int


@dataclass(frozen=True)
class RendererReady:
    """Message of a renderer that is warm: its first page need not wait."""


def render(executed: Path, *, figures: bool = False) -> Rendering:
    """Turn an executed notebook into its page, and check it.

    Notes
    -----
    Starts vl-convert: a process that has called this must not be forked.
    """
    import nbformat

    page, page_faults = _page_and_faults(nbformat.read(executed, as_version=4))
    pictures = _slides(executed) if figures else {}
    return Rendering(page.encode(), pictures, page_faults and f"the page was not published: {page_faults}")


def _page_and_faults(book: Any) -> tuple[str, str]:
    """The page of an executed notebook, and its faults as one text."""
    from aiready.batch.page_checks import page_faults
    from aiready.pages.markup import shared_exporter

    page, _ = shared_exporter().from_notebook_node(book)
    return page, "; ".join(page_faults(page, book))


def _slides(executed: Path) -> Mapping[str, bytes]:
    from aiready.pages.figure_files import slide_files

    return slide_files(executed)


def main() -> None:
    """Serve: the argument is the file descriptor of the connection."""
    serve(Connection(int(sys.argv[1])))


def serve(connection: Connection) -> None:
    """Render the notebooks that are asked for, until the connection closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    die_with_parent()
    try:
        connection.send(RendererStarted(os.getpid()))
        with fast_imports():
            _warm_up()
        connection.send(RendererReady())
        while True:
            executed, figures = connection.recv()
            connection.send(try_render(executed, figures=figures))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def try_render(executed: Path, *, figures: bool) -> Rendering:
    """Render an executed notebook; an exception becomes the reason of the rendering."""
    try:
        return render(executed, figures=figures)
    except Exception as error:
        return Rendering(reason=f"{type(error).__name__}: {error}", traceback=traceback.format_exc())


def _warm_up() -> None:
    """Render a small page, so that the first real one need not wait for what is set up once."""
    import pandas as pd
    from nbformat import reads, v4, writes

    from aiready.charts.figures import FIGURE_MIME, Figure
    from aiready.charts.row_layout import placeholder

    chart = placeholder("No page yet.")
    bundle = {FIGURE_MIME: Figure("rehearsal", "Rehearsal", "", chart, chart, pd.DataFrame({"n": [1]})).payload()}
    cell = v4.new_code_cell(outputs=[v4.new_output("display_data", data=bundle)])
    _page_and_faults(reads(writes(v4.new_notebook(cells=[cell])), as_version=4))
