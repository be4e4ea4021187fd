"""What the panels that write share: labelled controls, a line that tells what happened, one look in light and dark."""

import html
import os
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

import anywidget
import ipywidgets as w

from aiready import theme
from aiready.assessment import DATA
from aiready.errors import AireadyError
from aiready.shipped import shipped

WIDE, HALF, SHORT = "620px", "300px", "140px"
"""Widths of controls: they shrink in a narrow window."""
_STYLE = """
.aiready-form { max-width: 1120px; color: var(--jp-ui-font-color1); font-size: 14px; overflow: visible; }
.aiready-form .widget-html-content, .aiready-form .jupyter-widgets { line-height: 1.45; }
.aiready-form .widget-html { height: auto; max-width: 100%; }
.aiready-form .widget-html-content { overflow-wrap: anywhere; min-width: 0; }
.aiready-form .widget-label { color: var(--jp-ui-font-color1); }
.aiready-form .aiready-above { flex-direction: column; align-items: stretch; height: auto; }
.aiready-form .aiready-above > .widget-label { width: auto; max-width: none; height: auto;
  text-align: left; white-space: normal; line-height: 1.3; padding: 3px 0; }
.aiready-form .aiready-above > :is(input, select, textarea) { flex: none; width: 100%; margin-left: 0; }
.aiready-form .aiready-above > :is(input, select:not([multiple], [size])) { height: 30px; }
.aiready-form h2 { margin: 12px 0 4px; font-size: 17px; border: 0; }
.aiready-form p { margin: 4px 0; max-width: 72em; }
.aiready-form .widget-radio-box { width: 100%; }
.aiready-form .widget-radio-box > label { height: auto; line-height: 1.4; padding: 5px 4px; white-space: normal;
  display: flex; align-items: baseline; gap: 8px; border-radius: 3px; }
.aiready-form .widget-radio-box > label > input { flex: none; order: -1; margin: 0; transform: translateY(2px); }
.aiready-form .widget-radio-box > label:hover { background: var(--jp-layout-color2); }
.aiready-form .aiready-answers .widget-radio-box > label:nth-last-child(2) { margin-top: 14px; }
.aiready-form .jupyter-button { width: auto; align-self: flex-end; min-width: 90px; height: auto; min-height: 30px;
  padding: 3px 12px; white-space: normal; line-height: 1.3; color: var(--jp-ui-font-color1);
  background: var(--jp-layout-color2); border: 1px solid var(--jp-border-color1); }
.aiready-form .jupyter-button:disabled { opacity: .55; }
.aiready-form .jupyter-button.mod-primary { background: #0a6a8f; border-color: #0a6a8f; color: #fff; }
.aiready-form .jupyter-button.mod-active { background: #0a6a8f; border-color: #0a6a8f; color: #fff; box-shadow: none; }
.aiready-form :is(button, input, select, textarea):focus-visible { outline: 2px solid #2f9bc4; outline-offset: 1px; }
.aiready-told { border-left: 4px solid #0a6a8f; padding: 5px 10px; margin: 4px 0; background: var(--jp-layout-color2); }
.aiready-told.warning { border-color: #b4560b; } .aiready-told.error { border-color: #b3261e; }
.aiready-told:empty { display: none; }
.aiready-muted { color: var(--jp-ui-font-color2); font-size: 13px; }
.aiready-form table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; width: 100%; }
.aiready-form caption { text-align: left; font-weight: 600; padding: 6px 0; }
.aiready-form :is(th, td) { text-align: left; padding: 4px 8px; border-bottom: 1px solid var(--jp-border-color2);
  vertical-align: top; overflow-wrap: normal; background: none; color: var(--jp-ui-font-color1); white-space: normal; }
.aiready-form :is(th, td).number { text-align: right; white-space: nowrap; }
.aiready-form tr.chosen :is(th, td) { background: var(--jp-layout-color3); }
.aiready-scroll { overflow-x: auto; }
.aiready-scroll > table { min-width: 860px; }
.aiready-figure svg { max-width: 100%; height: auto; color: #1a2530; }
"""


def style() -> w.HTML:
    """The look of a panel, in Lab's own colours so that it fits a light theme as well as a dark one."""
    swaps = "".join(
        f'[data-jp-theme-light="false"] .aiready-figure [{part}="{light}"] {{ {part}: {shade}; }}\n'
        for light, shade in theme.DARK.items()
        for part in ("fill", "stroke")
    )
    return w.HTML(f"<style>{_STYLE}{swaps}</style>", layout=w.Layout(height="0", margin="0"))


class _Keys(anywidget.AnyWidget):
    """Leaves the keys to the control that has the focus: JupyterLab would move to the next cell on an arrow."""

    _esm = """
    const leave = event => {
      if (event.target.closest?.('.aiready-form')) event.target.setAttribute('data-lm-suppress-shortcuts', 'true');
    };
    export default { render({ el }) {
      el.ownerDocument.removeEventListener('focusin', window.aireadyLeave);
      window.aireadyLeave = leave;
      el.ownerDocument.addEventListener('focusin', leave);
    } };
    """


def panel(*parts: w.Widget) -> w.VBox:
    """The parts of a panel below each other."""
    box = w.VBox([style(), _Keys(), *parts], layout=w.Layout(width="100%"))
    box.add_class("aiready-form")
    return box


def row(*parts: w.Widget) -> w.Box:
    """Controls beside each other, wrapped where the window is narrow."""
    layout = w.Layout(display="flex", flex_flow="row wrap", align_items="flex-end", grid_gap="6px 14px", width="100%")
    return w.Box(list(parts), layout=layout)


def labelled(control: w.Widget, width: str = HALF) -> w.Widget:
    """A control with its label above, as wide as asked where there is room."""
    control.layout.width, control.layout.max_width = width, "100%"
    control.style.description_width = "initial"
    control.add_class("aiready-above")
    return control


def choice(label: str, options: Iterable[tuple[str, Any]], value: Any = None, width: str = HALF) -> w.Dropdown:
    """A list to choose from."""
    listed = list(options)
    held = value if any(value == option for _, option in listed) else (listed[0][1] if listed else None)
    return labelled(w.Dropdown(options=listed, value=held, description=label), width)


def line(label: str, value: str = "", placeholder: str = "", width: str = HALF, *, live: bool = False) -> w.Text:
    """A line of text; `live`: told while it is typed."""
    made = w.Text(value=value, description=label, placeholder=placeholder, continuous_update=live)
    return labelled(made, width)


def area(label: str, value: str = "", placeholder: str = "", *, live: bool = False, rows: int = 2) -> w.Textarea:
    """Several lines of text."""
    made = w.Textarea(value=value, description=label, placeholder=placeholder, continuous_update=live, rows=rows)
    return labelled(made, WIDE)


def button(words: str, act: Callable[[], object], *, primary: bool = False, hint: str = "") -> w.Button:
    """A button that says what it does."""
    made = w.Button(description=words, tooltip=hint)
    if primary:
        made.add_class("mod-primary")
    made.on_click(lambda _: act())
    return made


def seen(part: w.Widget, *, when: bool) -> None:
    """Show a part, or leave it out."""
    part.layout.display = None if when else "none"


def values(fields: Mapping[str, w.Widget]) -> dict[str, str]:
    """What controls say, as text."""
    return {name: str(field.value or "").strip() for name, field in fields.items()}


def told(text: str, kind: str = "note") -> str:
    """A message as HTML: note, warning or error."""
    return f'<div class="aiready-told {kind}">{html.escape(text)}</div>' if text else ""


class Status(w.HTML):
    """The line that tells what happened; a screen reader reads it out."""

    def say(self, text: str, kind: str = "note") -> None:
        """Tell something: note, warning or error."""
        self.value = f'<div role="status" aria-live="polite">{told(text, kind)}</div>'


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
        return panel(status)
