"""Parts of the panels that save rows: opening on a data folder, a status line, and showing errors in the panel."""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any

import ipywidgets as w

from aiready.errors import AireadyError
from aiready.package_files import package_file
from aiready.profile.assessment import DATA
from aiready.workbook.panels import frame


def form(*parts: w.Widget) -> w.VBox:
    """A panel that saves rows, made of parts below each other."""
    box = w.VBox(layout=w.Layout(width="100%"))
    frame.frame_panel(box, *parts, left=frame.WRITING)
    box.add_class("aiready-form")
    return box


class Status(w.HTML):
    """A line for messages; screen readers read it out."""

    def show_message(self, text: str, kind: str = "note") -> None:
        """Show a message of a kind: note, warning or error."""
        self.value = frame.live_message_html(text, kind)


def show_errors(method: Callable[..., None]) -> Callable[..., None]:
    """Decorate a panel's method to show exceptions in the panel's `status` line instead of raising them."""

    @wraps(method)
    def safe(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            method(self, *args, **kwargs)
        except AireadyError as problem:
            self.status.show_message(str(problem), "error")
        except Exception as problem:
            text = f"Not your data's fault: {type(problem).__name__}: {problem}. What was saved stays saved."
            self.status.show_message(text, "error")

    return safe


def open_panel(data: str, make: Callable[[str], w.VBox]) -> w.VBox:
    """Make a panel on a data folder (blank: the one the notebooks open); if it cannot be used, show why instead."""
    try:
        return make(data or os.environ.get(DATA) or str(package_file("data/sample")))
    except AireadyError as problem:
        status = Status()
        status.show_message(str(problem), "error")
        return form(status)
