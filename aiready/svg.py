"""Vega-Lite specification -> small, accessible, repeatable inline SVG. The one place that renders."""

import html
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from aiready import theme

SVG = "{http://www.w3.org/2000/svg}"
_GEOMETRY = ("transform", "d", "x", "y", "x2", "y2", "dy", "stroke-width", "viewBox", "width", "height")
_NOISE = ("class", "role", "pointer-events", "version", "stroke-miterlimit", "font-family", "cursor")
_INHERITED = ("fill", "stroke", "stroke-width", "stroke-dasharray", "font-size", "font-weight", "text-anchor")
_LONG = re.compile(r"-?\d+\.\d{2,}")
_MOVE = re.compile(r"translate\((-?[\d.]+),(-?[\d.]+)\)")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")


def render_svg(spec: dict[str, Any] | str, ident: str, title: str, description: str) -> str:
    """Draw a Vega-Lite specification (JSON, as an object or as text) as an inline SVG image.

    The picture is one named image (`role`, `<title>`, `<desc>`); its marks are out of the accessibility
    tree and carry no data in attributes; ids start with `ident`; type is inherited from the page.

    Notes
    -----
    Starts vl-convert (V8 threads): a process that has called this must not be forked.
    """
    import vl_convert  # V8 starts with it: not at import, since report workers are forked

    known = json.loads(spec) if isinstance(spec, str) else spec
    return tidy(vl_convert.vegalite_to_svg(_unmeasured(known)), ident, title, description)


def _unmeasured(spec: dict[str, Any]) -> dict[str, Any]:
    """The specification with the words of its text marks where Vega does not measure them: as their descriptions.

    Measuring words is nine tenths of the time of drawing a chart, and says nothing new about one whose size is
    stated (`autosize` none). `tidy` puts the words back.
    """
    if spec.get("autosize") != {"type": "none"}:
        return spec
    return {**spec, "layer": [_described(layer) for layer in spec["layer"]]}


def _described(layer: dict[str, Any]) -> dict[str, Any]:
    mark, words = layer["mark"], layer["encoding"].get("text")
    if words is None or mark["type"] != "text" or "lineHeight" in mark:
        return layer
    return {**layer, "encoding": {**layer["encoding"], "text": {"value": ""}, "description": words}}


def tidy(drawn: str, ident: str, title: str, description: str) -> str:
    """Strip a rendered SVG to what is seen, name it, and make its ids its own."""
    root = ET.fromstring(drawn)
    _reword(root)
    _rename(root, ident)
    _strip(root)
    size = {name: root.get(name, "") for name in ("width", "height", "viewBox")}
    body = _written(root)
    shape = " ".join(f'{name}="{_short(value)}"' for name, value in size.items())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{ident}-t" '
        f'aria-describedby="{ident}-d" font-family="inherit" {shape}>'
        f'<title id="{ident}-t">{html.escape(title)}</title>'
        f'<desc id="{ident}-d">{html.escape(description)}</desc>'
        f'<g aria-hidden="true">{body}</g></svg>'
    )


def _reword(root: ET.Element) -> None:
    """Give texts that were drawn without their words the words of their description, line by line."""
    for element in root.iter(f"{SVG}text"):
        words = element.get("aria-label", "")
        if not words or element.text or len(element):
            continue
        first, *further = words.split("\n")
        if not further:
            element.text = first
            continue
        ET.SubElement(element, f"{SVG}tspan").text = first
        for line in further:
            ET.SubElement(element, f"{SVG}tspan", dy=str(theme.LINE_HEIGHT), x="0").text = line


def _rename(root: ET.Element, ident: str) -> None:
    """Ids in order of appearance: the renderer counts on from call to call, which would change the bytes."""
    named = [element for element in root.iter() if element.get("id")]
    names = {element.get("id", ""): f"{ident}-{index}" for index, element in enumerate(named)}
    for element in root.iter():
        for key, value in element.attrib.items():
            found = _REFERENCE.search(value)
            if found:
                element.set(key, f"url(#{names[found[1]]})")
        if element.get("id"):
            element.set("id", names[element.get("id", "")])


def _strip(element: ET.Element) -> None:
    """Drop attributes that say nothing to the eye, and shorten the numbers of those that do."""
    for child in element.iter():
        for key in list(child.attrib):
            if key in _NOISE or key.startswith("aria-") or (key == "opacity" and child.get(key) == "1"):
                del child.attrib[key]
            elif key in _GEOMETRY:
                child.set(key, _short(child.get(key, "")))
        if child.get("text-anchor") == "start":
            del child.attrib["text-anchor"]
        if child.tag == f"{SVG}path" and not child.get("stroke"):
            child.attrib.pop("stroke-width", None)
        _place(child)


def _place(element: ET.Element) -> None:
    """Say where a text or line is by its coordinates, which is shorter than by moving it."""
    moved = _MOVE.fullmatch(element.get("transform", ""))
    if not moved:
        return
    ends = {f"{SVG}text": ("",), f"{SVG}line": ("1", "2")}.get(element.tag)
    if ends is None and float(moved[1]) == float(moved[2]) == 0:
        del element.attrib["transform"]
    if ends is None:
        return
    del element.attrib["transform"]
    for axis, by in (("x", moved[1]), ("y", moved[2])):
        for name in (axis + end for end in ends):
            _shift(element, name, float(by))
    for line in element:
        if line.get("x") is not None:
            _shift(line, "x", float(moved[1]))


def _shift(element: ET.Element, name: str, by: float) -> None:
    """Add to a coordinate; one at nought, which is what an absent one means, is left out."""
    at = _short(str(round(float(element.attrib.pop(name, "0")) + by, 2))).removesuffix(".0")
    if float(at) or element.tag == f"{SVG}tspan":
        element.set(name, at)


def _short(value: str) -> str:
    return _LONG.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), value)


def _unseen(element: ET.Element) -> bool:
    empty = element.tag == f"{SVG}path" and not (element.get("fill") or element.get("stroke"))
    blank = element.tag == f"{SVG}text" and not element.text and not len(element)
    return empty or blank or element.get("display") == "none" or element.get("d") == "M0,0h0v0h0Z"


def _written(elements: Iterable[ET.Element]) -> str:
    """Neighbours as markup; what they share and would inherit is said once, by a group around them."""
    made: list[str] = []
    seen = (element for element in elements if not _unseen(element))
    for shared, alike in groupby(seen, lambda element: {name: element.get(name) for name in _INHERITED}):
        said = {name: value for name, value in shared.items() if value}
        together = list(alike)
        if len(together) == 1 or not said:
            made.extend(_write(element) for element in together)
            continue
        for element in together:
            for name in said:
                del element.attrib[name]
        made.append(f"<g{_attributes(said)}>{''.join(map(_write, together))}</g>")
    return "".join(made)


def _write(element: ET.Element) -> str:
    """An element as markup without namespaces; groups that change nothing dissolve into their parent."""
    tag = element.tag.removeprefix(SVG)
    inner = html.escape(element.text or "", quote=False) + _written(element)
    if tag in ("g", "defs") and (not inner or not element.attrib):
        return f"<defs>{inner}</defs>" if tag == "defs" and inner else inner
    attributes = _attributes(element.attrib)
    return f"<{tag}{attributes}>{inner}</{tag}>" if inner else f"<{tag}{attributes}/>"


def _attributes(named: dict[str, str]) -> str:
    return "".join(f' {name}="{html.escape(value)}"' for name, value in named.items())
