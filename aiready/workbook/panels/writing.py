"""What the panels that write share: where they write to, a line that tells what happened, and nothing that breaks."""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any

import ipywidgets as w

from aiready.errors import AireadyError
from aiready.package_files import shipped
from aiready.profile.assessment import DATA
from aiready.workbook.panels import frame


def form(*parts: w.Widget) -> w.VBox:
    """The parts of a panel that writes, below each other."""
    box = w.VBox(layout=w.Layout(width="100%"))
    frame.framed(box, *parts, left=frame.WRITING)
    box.add_class("aiready-form")
    return box


class Status(w.HTML):
    """The line that tells what happened; a screen reader reads it out."""

    def say(self, text: str, kind: str = "note") -> None:
        """Tell something: note, warning or error."""
        self.value = frame.announced(text, kind)


def guarded(method: Callable[..., None]) -> Callable[..., None]:
    """Tell in the panel, in plain words, what went wrong; the panel needs a `status`."""

    @wraps(method)
    def safe(self: Any, *given: Any, **named: Any) -> None:
        try:
            method(self, *given, **named)
        except AireadyError as problem:
            self.status.say(str(problem), "error")
        except Exception as problem:
            text = f"Not your data's fault: {type(problem).__name__}: {problem}. What was saved stays saved."
            self.status.say(text, "error")

    return safe


def opened(data: str, make: Callable[[str], w.VBox]) -> w.VBox:
    """A panel on a data folder (blank: the one the notebooks open), or in its place why the folder cannot be used."""
    try:
        return make(data or os.environ.get(DATA) or str(shipped("data/sample")))
    except AireadyError as problem:
        status = Status()
        status.say(str(problem), "error")
        return form(status)
