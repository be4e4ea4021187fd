"""The renderer: a warm process that turns executed notebooks into pages, one after the other.

vl-convert's threads do not survive a fork, so a renderer is started, never forked, and nothing is forked from it.
"""

import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from aiready.execution import die_with_parent, import_less


@dataclass(frozen=True)
class Drawn:
    """A page and the files of its figures by name, or what went wrong."""

    page: bytes = field(default=b"", repr=False)
    figures: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    reason: str = ""
    traceback: str = field(default="", repr=False)


def render(executed: Path, *, figures: bool = False) -> Drawn:
    """Turn an executed notebook into its page, and inspect it.

    Notes
    -----
    Starts vl-convert: a process that has called this must not be forked.
    """
    import nbformat

    from aiready.html import exporter
    from aiready.inspection import faults
    from aiready.slides import slides

    book = nbformat.read(executed, as_version=4)
    page, _ = exporter().from_notebook_node(book)
    wrong = "; ".join(faults(page, book))
    return Drawn(page.encode(), slides(executed) if figures else {}, wrong and f"the page was not published: {wrong}")


def main() -> None:
    """Serve: the argument is the file descriptor of the line; ends when the line is closed."""
    import traceback

    line = Connection(int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started this one decides
    die_with_parent()
    import_less()
    _warm()
    try:
        while True:
            executed, figures = line.recv()
            try:
                line.send(render(executed, figures=figures))
            except (BrokenPipeError, ConnectionResetError):
                raise
            except Exception as error:
                line.send(Drawn(reason=f"{type(error).__name__}: {error}", traceback=traceback.format_exc()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _warm() -> None:
    """Do once, before the first page, what the first page would wait for."""
    import vl_convert

    import aiready.html
    import aiready.inspection
    import aiready.slides

    del aiready
    point = {"data": {"values": [{}]}, "mark": "point", "$schema": "https://vega.github.io/schema/vega-lite/v6.json"}
    vl_convert.vegalite_to_svg(point)
