"""Controls of the panels (lists, text fields, buttons), each with its label above it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import ipywidgets as w

WIDE, HALF, SHORT, FITTING = "620px", "300px", "140px", "auto"
"""Widths of controls; they shrink in a narrow window."""


def row(*parts: w.Widget) -> w.Box:
    """Controls side by side, wrapped in a narrow window."""
    layout = w.Layout(display="flex", flex_flow="row wrap", align_items="flex-end", grid_gap="6px 14px", width="100%")
    return w.Box(list(parts), layout=layout)


def labelled(control: w.Widget, width: str = HALF) -> w.Widget:
    """Put a control's label above it and set its width; returns the control."""
    control.layout.width, control.layout.max_width = width, "calc(100% - 4px)"  # Lab keeps 2px at each side
    control.style.description_width = "initial"
    control.add_class("aiready-above")
    return control


def choice(label: str, options: Iterable[tuple[str, Any]], value: Any = None, width: str = HALF) -> w.Dropdown:
    """A drop-down list; selected is `value` if it is an option, else the first entry."""
    entries = list(options)
    selected = value if any(value == option for _, option in entries) else (entries[0][1] if entries else None)
    return labelled(w.Dropdown(options=entries, value=selected, description=label), width)


def line(label: str, value: str = "", placeholder: str = "", width: str = HALF, *, live: bool = False) -> w.Text:
    """A line of text; `live`: changes are reported while typing."""
    control = w.Text(value=value, description=label, placeholder=placeholder, continuous_update=live)
    return labelled(control, width)


def area(label: str, value: str = "", placeholder: str = "", *, live: bool = False, rows: int = 2) -> w.Textarea:
    """Several lines of text."""
    control = w.Textarea(value=value, description=label, placeholder=placeholder, continuous_update=live, rows=rows)
    return labelled(control, WIDE)


def number(label: str, value: float = 0.0, step: float = 0.05) -> w.FloatText:
    """A number field with steps; not a slider, whose name screen readers cannot read out."""
    return labelled(w.FloatText(value=value, step=step, description=label), FITTING)


def day(label: str) -> w.DatePicker:
    """A date to choose or type."""
    return labelled(w.DatePicker(description=label), FITTING)


def button(words: str, act: Callable[[], object], *, primary: bool = False, hint: str = "") -> w.Button:
    """A button that calls `act`; `hint` is its tooltip."""
    control = w.Button(description=words, tooltip=hint)
    if primary:
        control.add_class("mod-primary")
    control.on_click(lambda _: act())
    return control


def set_visible(part: w.Widget, *, visible: bool) -> None:
    """Show or hide a part."""
    part.layout.display = None if visible else "none"


def values(fields: Mapping[str, w.Widget]) -> dict[str, str]:
    """Values of controls by name, as trimmed text."""
    return {name: str(field.value or "").strip() for name, field in fields.items()}
