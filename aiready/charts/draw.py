"""Draw a chart as SVG: the closed set of marks that this package's charts are made of, positioned by pixels.

A chart of layers (`marks.layer`) states its size, the position of every mark and the words of every text, so drawing it
needs neither a layout nor a browser's engine. The picture is the one that vl-convert draws; tests compare their pixels.
"""

import html
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import sqrt
from typing import Any

from aiready.charts import theme

Row = Mapping[str, Any]
Spec = Mapping[str, Any]
Attributes = dict[str, str]

CHANNELS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("x", "y", "color", "shape"), frozenset(("scale", "value"))),
    **dict.fromkeys(("x2", "y2", "text", "detail"), frozenset(("field", "datum", "value"))),
}
"""Channels, and what each must state, one of them at least: nothing is left for Vega to find out."""
LOOKS: Mapping[str, frozenset[str]] = {
    "bar": frozenset(("color", "height", "size", "stroke", "strokeWidth")),
    "line": frozenset(("color", "strokeDash", "strokeWidth")),
    "point": frozenset(("color", "filled", "opacity", "shape", "size", "strokeWidth", "xOffset", "yOffset")),
    "rect": frozenset(("color", "cornerRadius", "fillOpacity", "stroke", "strokeDash")),
    "rule": frozenset(("color", "opacity", "strokeCap", "strokeDash", "strokeWidth", "yOffset")),
    "text": frozenset(("align", "angle", "color", "dx", "dy", "fontSize", "fontWeight", "lineHeight", "xOffset")),
    "tick": frozenset(("color", "opacity", "orient", "size", "thickness")),
}
"""Marks, and the properties each may state beside its channels."""
_CHANNEL_KEYS = frozenset(("axis", "datum", "field", "scale", "type", "value"))
_ANCHORS = {"center": "middle", "right": "end"}
_DEFAULT_COLOUR = "#4c78a8"
"""Vega's."""
_BASELINE = 0.3
"""Distance from the middle of a line of text down to its baseline, in font sizes; Vega rounds it to pixels."""
_INHERITED = ("fill", "stroke", "stroke-width", "stroke-dasharray", "font-size", "font-weight", "text-anchor")
"""Attributes that an element takes from the group around it."""


@dataclass(frozen=True)
class Element:
    """An SVG element: its tag, its attributes in order, and the lines of a text."""

    tag: str
    attributes: Attributes
    lines: Sequence[str] = ()
    line_height: float = theme.LINE_HEIGHT

    def without(self, names: Iterable[str]) -> "Element":
        """The element without some of its attributes."""
        rest = {name: value for name, value in self.attributes.items() if name not in names}
        return replace(self, attributes=rest)

    @property
    def markup(self) -> str:
        """The element as written in a page; further lines of a text begin where the first one does."""
        opening = f"<{self.tag}{attributes_markup(self.attributes)}"
        if not self.lines:
            return f"{opening}/>"
        first, *further = (html.escape(line, quote=False) for line in self.lines)
        x = self.attributes.get("x", "0")
        spans = "".join(f'<tspan dy="{number(self.line_height)}" x="{x}">{line}</tspan>' for line in further)
        return f"{opening}>{first}{spans}</{self.tag}>"


def is_drawable(spec: Spec) -> bool:
    """Whether a chart holds nothing but what `draw` draws: a fixed size, and layers of its marks and channels."""
    layers = spec.get("layer")
    return spec.get("autosize") == {"type": "none"} and bool(layers) and all(map(_is_drawable_layer, layers or ()))


def _is_drawable_layer(layer: Spec) -> bool:
    mark, encoding, rows = layer.get("mark"), layer.get("encoding", {}), layer.get("data", {}).get("values")
    if not isinstance(mark, Mapping) or not isinstance(rows, list) or not set(layer) <= {"data", "mark", "encoding"}:
        return False
    if not set(mark) <= {"type", *LOOKS.get(mark["type"], ())} or not set(encoding) <= set(CHANNELS):
        return False
    if mark["type"] != "text" and not {"x", "y"} <= set(encoding):
        return False
    stated = all(CHANNELS[name] & set(channel) and set(channel) <= _CHANNEL_KEYS for name, channel in encoding.items())
    return stated and all(value is not None for row in rows for value in row.values())


def draw(spec: Spec) -> str:
    """Markup of all marks of a chart in their order, moved by its padding.

    Notes
    -----
    Neighbouring paths that look alike become one, and what neighbours would inherit is written once, on a group around
    them: a page holds some forty pictures.
    """
    left, top = number(spec["padding"]["left"]), number(spec["padding"]["top"])
    shift = "" if left == top == "0" else f' transform="translate({left},{top})"'
    elements = (element for layer in spec["layer"] for element in _layer_elements(layer, spec))
    return f'<g fill="none"{shift}>{_grouped_markup(_joined_paths(elements))}</g>'


def outer_size(spec: Spec) -> tuple[str, str]:
    """Width and height of a chart with its padding, in pixels."""
    padding = spec["padding"]
    width = spec["width"] + padding["left"] + padding["right"]
    return number(width), number(spec["height"] + padding["top"] + padding["bottom"])


def number(value: float) -> str:
    """A coordinate to one decimal place.

    Examples
    --------
    >>> number(12), number(-0.04), number(1.25), number(-7.5)
    ('12', '0', '1.2', '-7.5')
    """
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def attributes_markup(attributes: Mapping[str, str]) -> str:
    """Attributes as they stand in a tag, each after a blank."""
    return "".join(f' {name}="{html.escape(value)}"' for name, value in attributes.items())


def _layer_elements(layer: Spec, spec: Spec) -> Iterator[Element]:
    """The elements of a layer: one per row, or for lines one per series."""
    kind = layer["mark"]["type"]
    look = {**spec.get("config", {}).get(kind, {}), **layer["mark"]}
    channels = _channel_values(layer["encoding"], spec)
    middle = {"x": spec["width"] / 2, "y": spec["height"] / 2}
    marks = [
        {**middle, "row": row} | {name: value(row) for name, value in channels.items()}
        for row in layer["data"]["values"]
    ]
    if kind == "line":
        for series in dict.fromkeys(mark["detail"] for mark in marks):
            yield _line(look, [mark for mark in marks if mark["detail"] == series])
        return
    for mark in marks:
        if kind != "text" or mark["text"]:
            yield _ELEMENTS[kind](look, mark)


def _channel_values(encoding: Spec, spec: Spec) -> dict[str, Callable[[Row], Any]]:
    """By channel, how its value follows from a row; `x2` lies on the scale of `x`, and `y2` on that of `y`."""
    starts = {"x2": "x", "y2": "y"}
    return {name: _channel_value(channel, encoding[starts.get(name, name)], spec) for name, channel in encoding.items()}


def _channel_value(channel: Spec, scaled: Spec, spec: Spec) -> Callable[[Row], Any]:
    if "value" in channel:
        return lambda _: channel["value"]
    column = channel.get("field")
    if not scaled.get("scale"):
        return lambda row: channel["datum"] if column is None else row[column]
    low, high = scaled["scale"]["domain"]
    if low == high:  # a scale of one value, which Vega sets in the middle
        return lambda _: spec["width"] / 2
    pixels = spec["width"] / (high - low)
    return lambda row: ((channel["datum"] if column is None else row[column]) - low) * pixels


def _rule(look: Spec, mark: Row) -> Element:
    shift = look.get("yOffset", 0)
    x, y = mark["x"], mark["y"] + shift
    x2, y2 = mark.get("x2", x), (mark["y2"] + shift if "y2" in mark else y)
    attributes = _stroke(look, mark) | _attribute("stroke-linecap", look.get("strokeCap")) | _opacity(look)
    return Element("path", attributes | {"d": f"M{number(x)},{number(y)}L{number(x2)},{number(y2)}"})


def _line(look: Spec, marks: Sequence[Row]) -> Element:
    points = "L".join(f"{number(mark['x'])},{number(mark['y'])}" for mark in marks)
    closed = "Z" if len(marks) == 1 else ""
    return Element("path", {"d": f"M{points}{closed}"} | _stroke(look, marks[0]))


def _text(look: Spec, mark: Row) -> Element:
    size, align = look["fontSize"], look.get("align", "center")
    align = mark["row"]["side"] if isinstance(align, Mapping) else align
    x, y = mark["x"] + look.get("xOffset", 0), mark["y"]
    across, down = look.get("dx", 0), look.get("dy", 0) + round(_BASELINE * size)
    if angle := look.get("angle", 0):
        turned = (
            f"translate({number(x)},{number(y)}) rotate({number(angle)}) translate({number(across)},{number(down)})"
        )
        position = {"transform": turned}
    else:
        ends = {"x": number(x + across), "y": number(y + down)}
        position = {name: end for name, end in ends.items() if end != "0"}
    face = _attribute("text-anchor", _ANCHORS.get(align)) | {"font-size": f"{number(size)}px"}
    face |= _attribute("font-weight", look.get("fontWeight")) | {"fill": _colour(look, mark)}
    lines, line_height = str(mark["text"]).split("\n"), look.get("lineHeight", theme.LINE_HEIGHT)
    return Element("text", face | position, lines, line_height)


def _point(look: Spec, mark: Row) -> Element:
    x, y = mark["x"] + look.get("xOffset", 0), mark["y"] + look.get("yOffset", 0)
    radius = sqrt(look["size"]) / 2
    colour = _colour(look, mark)
    paint = ({"fill": colour} if look["filled"] else {"stroke": colour} | _stroke_width(look)) | _opacity(look)
    shape = mark.get("shape", look.get("shape", "circle"))
    if shape == "circle":
        return Element("circle", paint | {"cx": number(x), "cy": number(y), "r": number(radius)})
    return Element("path", {"d": _SYMBOLS[shape](x, y, radius)} | paint)


def _bar(look: Spec, mark: Row) -> Element:
    start, end = sorted((mark["x"], mark["x2"]))
    height = look.get("height", look.get("size"))
    box = _box_path(start, mark["y"] - height / 2, end - start, height)
    return Element("path", {"d": box} | _fill(look, mark))


def _tick(look: Spec, mark: Row) -> Element:
    width, height = look["thickness"], look["size"]
    box = _box_path(mark["x"] - width / 2, mark["y"] - height / 2, width, height)
    return Element("path", {"d": box} | _fill(look, mark))


def _rect(look: Spec, mark: Row) -> Element:
    (left, right), (top, bottom) = sorted((mark["x"], mark["x2"])), sorted((mark["y"], mark["y2"]))
    box = {"x": left, "y": top, "width": right - left, "height": bottom - top, "rx": look.get("cornerRadius", 0)}
    return Element("rect", _fill(look, mark) | {name: number(size) for name, size in box.items()})


_ELEMENTS: Mapping[str, Callable[[Spec, Row], Element]] = {
    "bar": _bar,
    "point": _point,
    "rect": _rect,
    "rule": _rule,
    "text": _text,
    "tick": _tick,
}


def _box_path(x: float, y: float, width: float, height: float) -> str:
    return f"M{number(x)},{number(y)}h{number(width)}v{number(height)}h{number(-width)}Z"


def _polygon(*points: tuple[float, float]) -> str:
    return f"M{'L'.join(f'{number(x)},{number(y)}' for x, y in points)}Z"


def _diamond(x: float, y: float, radius: float) -> str:
    return _polygon((x - radius, y), (x, y - radius), (x + radius, y), (x, y + radius))


def _square(x: float, y: float, radius: float) -> str:
    return _box_path(x - radius, y - radius, 2 * radius, 2 * radius)


def _triangle_down(x: float, y: float, radius: float) -> str:
    half = radius * sqrt(3) / 2
    return _polygon((x, y + half), (x - radius, y - half), (x + radius, y - half))


def _stroke_symbol(x: float, y: float, radius: float) -> str:
    return f"M{number(x)},{number(y - radius)}L{number(x)},{number(y + radius)}"


_SYMBOLS: Mapping[str, Callable[[float, float, float], str]] = {
    "diamond": _diamond,
    "square": _square,
    "triangle-down": _triangle_down,
    "M0,-1L0,1": _stroke_symbol,
}
"""By name, the path of a symbol around its middle, whose radius is half the root of its size."""


def _colour(look: Spec, mark: Row) -> str:
    colour: str = mark.get("color", look.get("color", _DEFAULT_COLOUR))
    return colour


def _attribute(name: str, value: object) -> Attributes:
    return {name: str(value)} if value else {}


def _stroke_width(look: Spec) -> Attributes:
    width = look.get("strokeWidth", 1)
    return {} if width == 1 else {"stroke-width": number(width)}


def _dashes(look: Spec) -> Attributes:
    return _attribute("stroke-dasharray", ",".join(map(str, look.get("strokeDash", ()))))


def _opacity(look: Spec) -> Attributes:
    opacity = look.get("opacity", 1)
    return {} if opacity == 1 else {"opacity": str(opacity)}


def _stroke(look: Spec, mark: Row) -> Attributes:
    return {"stroke": _colour(look, mark)} | _stroke_width(look) | _dashes(look)


def _fill(look: Spec, mark: Row) -> Attributes:
    fill = {} if look.get("fillOpacity") == 0 else {"fill": _colour(look, mark)}
    outline = {"stroke": look["stroke"]} | _stroke_width(look) | _dashes(look) if "stroke" in look else {}
    return fill | outline | _opacity(look)


def _joined_paths(elements: Iterable[Element]) -> Iterator[Element]:
    """Elements, with neighbouring paths of one look as one; translucent areas stay apart, since they may overlap."""
    last: Element | None = None
    for element in elements:
        is_translucent_area = "opacity" in element.attributes and "fill" in element.attributes
        if last is not None and not is_translucent_area and _look_alike(last, element):
            last = Element("path", last.attributes | {"d": last.attributes["d"] + element.attributes["d"]})
            continue
        if last is not None:
            yield last
        last = element
    if last is not None:
        yield last


def _look_alike(one: Element, other: Element) -> bool:
    return one.tag == other.tag == "path" and one.without("d") == other.without("d")


def _grouped_markup(elements: Iterable[Element]) -> str:
    """Markup of elements; what neighbours share and would inherit is written on a group around them."""
    parts: list[str] = []
    for values, neighbours in groupby(elements, lambda element: [element.attributes.get(name) for name in _INHERITED]):
        shared = {name: value for name, value in zip(_INHERITED, values, strict=True) if value}
        group = list(neighbours)
        if len(group) == 1 or not shared:
            parts += [element.markup for element in group]
        else:
            inner = "".join(element.without(shared).markup for element in group)
            parts.append(f"<g{attributes_markup(shared)}>{inner}</g>")
    return "".join(parts)
