"""A panel: controls above and a view below, which a pure function makes from the controls' values."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import ipywidgets as widgets
from altair import LayerChart

from aiready.errors import AireadyError
from aiready.pages.markup.blocks import table
from aiready.pages.views import View
from aiready.workbook.panels import frame
from aiready.workbook.panels.controls import row
from aiready.workbook.panels.picture import Picture

Ask = Callable[..., View]
_LAST_CHOICES: dict[tuple[str, str], Any] = {}
"""Last choice by (panel, control), so that a cell that runs again starts from it."""
SHARED_CONTROLS = ("unit", "wave", "barrier")
"""Controls whose last choice is shared by all panels of a notebook."""


class Panel(widgets.VBox):
    """A panel: `controls` by name, `ask(**values)` returns the view to show, `picture` draws its chart."""

    def __init__(
        self, name: str, controls: Mapping[str, widgets.Widget], ask: Ask, more: Sequence[widgets.Widget] = ()
    ):
        self.name, self.controls, self.ask = name, dict(controls), ask
        self.view: View | None = None
        self.last_values: dict[str, Any] = {}
        self.picture = Picture()
        self.head, self.alert, self.foot = widgets.HTML(), widgets.HTML(), widgets.HTML()
        for key, control in self.controls.items():
            remember_choice(("", key) if key in SHARED_CONTROLS else (name, key), control)
            control.observe(self._changed, "value")
        super().__init__()
        frame.frame_panel(self, row(*self.controls.values(), *more), self.head, self.alert, self.picture, self.foot)
        self.picture.observe(self._resized, "room")
        self.update()

    def _changed(self, _: object) -> None:
        if self.values != self.last_values:  # a control that another one changed has updated the view already
            self.update()

    @property
    def values(self) -> dict[str, Any]:
        """Values of the controls by name."""
        return {key: control.value for key, control in self.controls.items()}

    def update(self) -> None:
        """Show the view for the controls' values; errors are shown in the panel, in plain words."""
        self.last_values = self.values
        try:
            view = self.ask(**self.last_values)
            chart = view.draw(self.picture.width)
        except AireadyError as error:
            self.show_message(str(error))
        except Exception as error:
            self.show_message(
                f"This cannot be shown for this choice ({type(error).__name__}: {error}). Choose another; the other "
                "panels are not affected."
            )
        else:
            self.view = view
            self.alert.value = ""
            self.head.value = _head(view)
            self._draw(view, chart)
            self.foot.value = _foot(view)

    def show_message(self, text: str, kind: str = "error") -> None:
        """Show a message of a kind: note, warning or error."""
        self.alert.value = frame.live_message_html(text, kind)

    def _resized(self, _: object) -> None:
        if self.view is not None:
            self._draw(self.view, self.view.draw(self.picture.width))

    def _draw(self, view: View, chart: LayerChart | None) -> None:
        self.picture.show(chart, view.title, rows=view.choosable, language=view.language)

    def section(self) -> Any:
        """The view shown as a section of a page, as in a report; None before there is one."""
        return self.view.section() if self.view else None


def remember_choice(key: tuple[str, str], control: widgets.Widget) -> None:
    """Set a control to the last choice, if it still is an option, and record its choices from now on."""
    if key in _LAST_CHOICES and accepts(control, _LAST_CHOICES[key]):
        control.value = _LAST_CHOICES[key]

    def note(change: Mapping[str, Any]) -> None:
        _LAST_CHOICES[key] = change["new"]

    control.observe(note, "value")


def accepts(control: widgets.Widget, value: Any) -> bool:
    """Whether a control can be set to a value: any, unless it is a list without that option."""
    options = getattr(control, "options", None)
    return options is None or value in [option[1] if isinstance(option, tuple) else option for option in options]


def _head(view: View) -> str:
    words = "".join(f"<p>{escape(text)}</p>" for text in view.words)
    subtitle = f'<p class="aiready-muted">{escape(view.scoped_subtitle)}</p>' if view.scoped_subtitle else ""
    return f"<h3>{escape(view.title)}</h3>{subtitle}{words}"


def _foot(view: View) -> str:
    caution = f'<p class="aiready-muted">{escape(view.caution)}</p>' if view.caution else ""
    if not len(view.numbers):
        return caution
    numbers = table(view.numbers, view.title, view.language)
    if view.chart is None:
        return f'<div class="figures">{numbers}</div>{caution}'
    summary = escape(view.language.say("page.show_numbers"))
    return f'{caution}<details class="figures"><summary>{summary}</summary>{numbers}</details>'
