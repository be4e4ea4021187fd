"""What panels that save have in common: opening on a data folder, an editor, a status line, and errors in the panel."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from typing import Any

import ipywidgets as w
import pandas as pd

from aiready.errors import AireadyError
from aiready.model.schema import TABLES, Table
from aiready.package_files import package_file
from aiready.profile.assessment import DATA
from aiready.workbook.capture.editor import Editor
from aiready.workbook.capture.store import ConflictError, read_rows, read_slice, writable_folder
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


class FormPanel:
    """A panel that saves rows of a data folder: an editor, the units, a status line, controls that report errors."""

    def __init__(self, location: str, subject: str, by: str):
        self.folder = writable_folder(location)
        self.editor = Editor(self.folder, subject, by)
        self.position = self.editor.draft({}, f"last {self.editor.subject}")
        """What was open last, to be opened again after the kernel died or the tab was closed."""
        units = read_rows(self.folder, TABLES["units"])
        self.units = dict(zip(units["unit_id"], units["name"], strict=True))
        self.filling = False
        self.status = Status()

    def run(self, act: Callable[..., object], *arguments: object) -> None:
        """Call `act`, and show in the status line what it raises."""
        try:
            act(*arguments)
        except AireadyError as problem:
            self.status.show_message(str(problem), "error")
        except Exception as problem:
            text = f"Not your data's fault: {type(problem).__name__}: {problem}. What was saved stays saved."
            self.status.show_message(text, "error")

    def button(self, words: str, act: Callable[[], object], *, primary: bool = False) -> w.Button:
        """A button that calls `act`, and shows what it raises."""
        return controls.button(words, lambda: self.run(act), primary=primary)

    def on_change(self, control: w.Widget, act: Callable[..., object], *arguments: object) -> None:
        """Call `act` whenever somebody changes a control: not while the panel itself fills its controls."""
        control.observe(lambda _: None if self.filling else self.run(act, *arguments), "value")

    def fill(self, fields: Mapping[str, w.Widget], values: Mapping[str, str]) -> None:
        """Set controls by name without counting it as an edit; a value that is no option becomes the first one."""
        for name, field in fields.items():
            text = str(values.get(name, ""))
            allowed = [value for _, value in field.options] if isinstance(field, w.Dropdown) else [text]
            with self.filled():
                field.value = text if text in allowed else allowed[0]

    @contextmanager
    def filled(self) -> Iterator[None]:
        """While the panel fills its controls, their changes are no edits."""
        before, self.filling = self.filling, True
        try:
            yield
        finally:
            self.filling = before

    def unit_control(self, label: str, unit_ids: Sequence[str] = ()) -> w.Widget:
        """A list of the units, with the first of `unit_ids` selected; a line of text where no unit is known."""
        names = self.units or dict.fromkeys(unit_ids, "")
        options = [(f"{name} ({unit})" if name else unit, unit) for unit, name in names.items()]
        return controls.choice(label, options, next(iter(unit_ids), None)) if options else controls.line(label)


class WritingPanel(FormPanel, ABC):
    """A panel that edits slices as one state, with two buttons that appear where somebody else saved first.

    A panel of this kind says which state is edited of what was read (`saved_state`) or joined with what others saved
    (`joined_state`), and shows it (`show_state`).
    """

    tables: tuple[Table, ...] = ()
    """Tables of which the panel edits a slice each."""

    def __init__(self, location: str, subject: str, by: str):
        super().__init__(location, subject, by)
        join = self.button("Join both versions", self._join, primary=True)
        self.conflict_buttons = controls.row(join, self.button("Take theirs, drop mine", self._take_theirs))
        controls.set_visible(self.conflict_buttons, visible=False)

    def compose(self, note: str, opening: Sequence[w.Widget], *parts: w.Widget) -> None:
        """Put the panel together: a note, what opens a slice, the status line, and parts that an open slice shows."""
        self.open_part = w.VBox(parts)
        controls.set_visible(self.open_part, visible=False)
        note_html = w.HTML(f'<p class="aiready-muted">{escape(note)}</p>')
        self.box = form(note_html, controls.row(*opening), self.status, self.conflict_buttons, self.open_part)

    @abstractmethod
    def saved_state(self) -> Any:
        """The state that is edited, of the slices as they were read."""

    @abstractmethod
    def joined_state(self, rows: Mapping[str, pd.DataFrame]) -> Any:
        """The state that is edited, with joined rows of a table."""

    @abstractmethod
    def show_state(self) -> None:
        """Show the state that is edited."""

    def load(self, key: Mapping[str, str]) -> None:
        """Show the slices of a key as they are saved, and on top of them the draft."""
        self.editor.open(key, [read_slice(self.folder, table, key) for table in self.tables])
        self.position.save(self.editor.key)
        drafted_at = self.editor.resume(self.saved_state())
        self.show_state()
        controls.set_visible(self.open_part, visible=True)
        controls.set_visible(self.conflict_buttons, visible=False)
        if drafted_at:
            self.status.show_message(f"Your edits of {drafted_at} are not saved yet; they are shown here.", "warning")
        else:
            self.status.show_message(f"{', '.join(filter(None, key.values()))}: open.")

    def save(self, table: str, rows: pd.DataFrame) -> bool:
        """Save the rows of one slice; where somebody else saved it first, say so, offer to join, and return False."""
        try:
            self.editor.save(table, rows)
        except ConflictError as conflict:
            self.status.show_message(str(conflict), "error")
            controls.set_visible(self.conflict_buttons, visible=True)
            return False
        controls.set_visible(self.conflict_buttons, visible=False)
        return True

    def _join(self) -> None:
        table, joined = self.editor.join()
        self.editor.edit(self.joined_state({table: joined.rows}))
        self.show_state()
        controls.set_visible(self.conflict_buttons, visible=False)
        self.status.show_message(joined.message, "warning")

    def _take_theirs(self) -> None:
        self.editor.delete_draft()
        self.load(self.editor.key)


def open_panel(data: str, make: Callable[[str], w.VBox]) -> w.VBox:
    """Make a panel on a data folder (blank: the one the notebooks open); if it cannot be used, show why instead."""
    try:
        return make(data or os.environ.get(DATA) or str(package_file("data/sample")))
    except AireadyError as problem:
        status = Status()
        status.show_message(str(problem), "error")
        return form(status)
