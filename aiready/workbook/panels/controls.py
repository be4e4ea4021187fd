"""Controls of every panel: each with its label above it, wrapped where the window is narrow."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import ipywidgets as w

WIDE, HALF, SHORT, FITTING = "620px", "300px", "140px", "auto"
"""Widths of controls: they shrink in a narrow window."""


def row(*parts: w.Widget) -> w.Box:
    """Controls beside each other, wrapped where the window is narrow."""
    layout = w.Layout(display="flex", flex_flow="row wrap", align_items="flex-end", grid_gap="6px 14px", width="100%")
    return w.Box(list(parts), layout=layout)


def labelled(control: w.Widget, width: str = HALF) -> w.Widget:
    """A control with its label above, as wide as asked where there is room."""
    control.layout.width, control.layout.max_width = width, "calc(100% - 4px)"  # Lab keeps 2px at each side
    control.style.description_width = "initial"
    control.add_class("aiready-above")
    return control


def choice(label: str, options: Iterable[tuple[str, Any]], value: Any = None, width: str = HALF) -> w.Dropdown:
    """A list to choose from; its first entry, or `value` where it is one, is chosen."""
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


def number(label: str, value: float = 0.0, step: float = 0.05) -> w.FloatText:
    """A number to type or step; sliders have no name that a screen reader could say."""
    return labelled(w.FloatText(value=value, step=step, description=label), FITTING)


def day(label: str) -> w.DatePicker:
    """A date to choose or type."""
    return labelled(w.DatePicker(description=label), FITTING)


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
