"""What panels that save have in common: opening on a data folder, an editor, a status line, and errors in the panel."""

import os
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

import ipywidgets as w
import pandas as pd

from aiready.errors import AireadyError
from aiready.model.schema import TABLES
from aiready.package_files import package_file
from aiready.profile.assessment import DATA
from aiready.workbook.capture.editor import Editor
from aiready.workbook.capture.store import ConflictError, read_rows, writable_folder
from aiready.workbook.panels import controls, frame


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


class WritingPanel:
    """A panel over an editor: its units, its status line, and two buttons that appear where somebody else saved first.

    A panel of this kind says how joined rows are shown (`show_joined`) and how what is saved is (`show_saved`).
    """

    def __init__(self, location: str, subject: str, by: str):
        self.folder = writable_folder(location)
        self.editor = Editor(self.folder, subject, by)
        self.position = self.editor.draft({}, f"last {self.editor.subject}")
        """What was open last, to be opened again after the kernel died or the tab was closed."""
        units = read_rows(self.folder, TABLES["units"])
        self.units = dict(zip(units["unit_id"], units["name"], strict=True))
        self.filling = False
        self.status = Status()
        self.conflict_buttons = controls.row(
            controls.button("Join both versions", self._join, primary=True),
            controls.button("Take theirs, drop mine", self._take_theirs),
        )
        controls.set_visible(self.conflict_buttons, visible=False)

    def unit_control(self, label: str, unit_ids: Iterable[str] = ()) -> w.Widget:
        """A list of the units, with the first of `unit_ids` selected; a line of text where no unit is known."""
        names = self.units or dict.fromkeys(unit_ids, "")
        options = [(f"{name} ({unit})" if name else unit, unit) for unit, name in names.items()]
        return controls.choice(label, options, next(iter(unit_ids), None)) if options else controls.line(label)

    def show_joined(self, rows: Mapping[str, pd.DataFrame]) -> None:
        """Take joined rows, by table, as the state that is edited."""
        raise NotImplementedError

    def show_saved(self) -> None:
        """Show what is saved, and nothing of what was typed since."""
        raise NotImplementedError

    def save_rows(self, table: str, rows: pd.DataFrame) -> bool:
        """Save the rows of one slice; where somebody else saved it first, say so, offer to join, and return False."""
        try:
            self.editor.save(table, rows)
        except ConflictError as conflict:
            self.status.show_message(str(conflict), "error")
            controls.set_visible(self.conflict_buttons, visible=True)
            return False
        controls.set_visible(self.conflict_buttons, visible=False)
        return True

    @show_errors
    def _join(self) -> None:
        table, joined = self.editor.join()
        controls.set_visible(self.conflict_buttons, visible=False)
        self.show_joined({table: joined.rows})
        self.status.show_message(joined.message, "warning")

    @show_errors
    def _take_theirs(self) -> None:
        self.editor.delete_draft()
        controls.set_visible(self.conflict_buttons, visible=False)
        self.show_saved()


def open_panel(data: str, make: Callable[[str], w.VBox]) -> w.VBox:
    """Make a panel on a data folder (blank: the one the notebooks open); if it cannot be used, show why instead."""
    try:
        return make(data or os.environ.get(DATA) or str(package_file("data/sample")))
    except AireadyError as problem:
        status = Status()
        status.show_message(str(problem), "error")
        return form(status)
