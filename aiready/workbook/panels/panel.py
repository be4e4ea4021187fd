"""Controls above, a view below: a control moves, a pure function answers, its view is shown. Nothing is computed."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import ipywidgets as widgets

from aiready.charts.figures import cell_text, scrolling, table_html
from aiready.errors import AireadyError
from aiready.workbook.panels import controls as made
from aiready.workbook.panels import frame
from aiready.workbook.panels.picture import Picture
from aiready.workbook.views import View

Ask = Callable[..., View]
_CHOSEN: dict[tuple[str, str], Any] = {}
"""What was chosen last, by panel and control, so that a cell that runs again does not forget it."""
SHARED = ("unit", "wave", "barrier")
"""Controls whose choice every panel of a notebook starts from."""


class Panel(widgets.VBox):
    """A panel: `controls` by name, `ask` gives the view for their values, `picture` draws it."""

    def __init__(
        self, name: str, controls: Mapping[str, widgets.Widget], ask: Ask, more: Sequence[widgets.Widget] = ()
    ):
        self.name, self.controls, self.ask = name, dict(controls), ask
        self.view: View | None = None
        self.asked: dict[str, Any] = {}
        self.picture = Picture()
        self.head, self.alert, self.foot = widgets.HTML(), widgets.HTML(), widgets.HTML()
        for key, control in self.controls.items():
            remember(("", key) if key in SHARED else (name, key), control)
            control.observe(self._note, "value")
        super().__init__()
        frame.framed(self, made.row(*self.controls.values(), *more), self.head, self.alert, self.picture, self.foot)
        self.picture.observe(self._resized, "room")
        self.answer()

    def _note(self, _: object) -> None:
        if self.values != self.asked:  # one control may have moved another, which asked already
            self.answer()

    @property
    def values(self) -> dict[str, Any]:
        """What every control says."""
        return {key: control.value for key, control in self.controls.items()}

    def answer(self) -> None:
        """Show the view for what the controls say; what goes wrong is told in the panel, in plain words."""
        self.asked = self.values
        try:
            view = self.ask(**self.asked)
            chart = view.draw(self.picture.width)
        except AireadyError as error:
            self.tell(str(error))
        except Exception as error:
            self.tell(
                f"This cannot be shown for this choice ({type(error).__name__}: {error}). Choose another; the other "
                "panels are not affected."
            )
        else:
            self.view = view
            self.alert.value = ""
            self.head.value = _head(view)
            self.picture.show(chart, view.title, rows=view.choosable)
            self.foot.value = _foot(view)

    def tell(self, text: str, kind: str = "error") -> None:
        """Say something in the panel: what went wrong (error) or what was done (note)."""
        self.alert.value = frame.announced(text, kind)

    def _resized(self, _: object) -> None:
        if self.view is not None:
            drawn = self.view.draw(self.picture.width)
            self.picture.show(drawn, self.view.title, rows=self.view.choosable)

    def section(self) -> Any:
        """The view shown, as a part of a page: what a report shows."""
        return self.view.section() if self.view else None


def remember(kept: tuple[str, str], control: widgets.Widget) -> None:
    """Start a control from what was chosen last where it still can be, and note what is chosen from now on."""
    if kept in _CHOSEN and can_be(control, _CHOSEN[kept]):
        control.value = _CHOSEN[kept]

    def note(change: Mapping[str, Any]) -> None:
        _CHOSEN[kept] = change["new"]

    control.observe(note, "value")


def can_be(control: widgets.Widget, value: Any) -> bool:
    """Whether a control can be set to a value: one of its options, where it is a list."""
    options = getattr(control, "options", None)
    return options is None or value in [option[1] if isinstance(option, tuple) else option for option in options]


def _head(view: View) -> str:
    words = "".join(f"<p>{escape(text)}</p>" for text in view.words)
    subtitle = f'<p class="aiready-muted">{escape(view.subtitle)}</p>' if view.subtitle else ""
    return f"<h3>{escape(view.title)}</h3>{subtitle}{words}"


def _foot(view: View) -> str:
    caution = f'<p class="aiready-muted">{escape(view.caution)}</p>' if view.caution else ""
    if not len(view.numbers):
        return caution
    shown = [[cell_text(cell) for cell in row] for row in view.numbers.itertuples(index=False, name=None)]
    numbers = scrolling(table_html([str(column) for column in view.numbers.columns], shown, view.title), view.title)
    if view.chart is None:
        return f'<div class="figures">{numbers}</div>{caution}'
    return f'{caution}<details class="figures"><summary>Show the numbers</summary>{numbers}</details>'
