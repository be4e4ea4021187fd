"""Vega-Lite specification -> small, accessible, repeatable inline SVG. The one place that renders."""

import html
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from aiready.charts import theme

SVG = "{http://www.w3.org/2000/svg}"
_GEOMETRY = frozenset(
    ("transform", "d", "x", "y", "dy", "cx", "cy", "r", "rx", "stroke-width", "viewBox", "width", "height")
)
_NOISE = frozenset(("class", "role", "pointer-events", "version", "stroke-miterlimit", "font-family", "cursor"))
_INHERITED = ("fill", "stroke", "stroke-width", "stroke-dasharray", "font-size", "font-weight", "text-anchor")
_LONG = re.compile(r"-?\d+\.(?:\d{2,}|0(?!\d))")
_MOVE = re.compile(r"translate\((-?[\d.]+),(-?[\d.]+)\)")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_PIECE = re.compile(r"([A-Za-z])([^A-Za-z]*)")
_NUMBER = re.compile(r"-?\d*\.?\d+(?:e-?\d+)?")
_PAIRS = {"M": 2, "L": 2, "C": 2, "A": 7}
"""Absolute commands of a path, and after how many numbers a point ends."""


def render_svg(spec: dict[str, Any] | str, ident: str, title: str, description: str, *, described_by: str = "") -> str:
    """Draw a Vega-Lite specification (JSON, as an object or as text) as an SVG image inside a page.

    The picture is one named image (`role`, `<title>`, `<desc>`); its marks are out of the accessibility
    tree and carry no data in attributes; ids start with `ident`; type is inherited from the page. `described_by`
    is the ident of another picture on the page with the same description, which then is not said twice.

    Notes
    -----
    Starts vl-convert (V8 threads): a process that has called this must not be forked.
    """
    import vl_convert  # V8 starts with it: not at import, since report workers are forked

    known = json.loads(spec) if isinstance(spec, str) else spec
    placed = _is_placed(known)
    drawn = vl_convert.vegalite_to_svg(json.dumps(_unmeasured(known) if placed else known))
    return tidy(drawn, ident, title, description, described_by=described_by, described=placed)


def standalone(drawn: str) -> str:
    """What `render_svg` drew as a file of its own."""
    return drawn.replace("<svg ", f'<svg xmlns="http://www.w3.org/2000/svg" font-family="{theme.FONT}" ', 1)


def _is_placed(spec: dict[str, Any]) -> bool:
    """Whether a specification is built as this package's are: of stated size, layers of rows with nothing missing."""
    layers, datasets = spec.get("layer", ()), spec.get("datasets", {})

    def whole(layer: dict[str, Any]) -> bool:
        data = layer.get("data", {})
        rows = data.get("values", datasets.get(data.get("name")))
        sound = isinstance(rows, list) and all(None not in row.values() for row in rows if isinstance(row, dict))
        return sound and isinstance(layer.get("mark"), dict) and "encoding" in layer

    return spec.get("autosize") == {"type": "none"} and bool(layers) and all(map(whole, layers))


def _unmeasured(spec: dict[str, Any]) -> dict[str, Any]:
    """The specification with the words of its text marks where Vega does not measure them: as their descriptions.

    Measuring words is nine tenths of the time of drawing a chart, and says nothing new about one whose size is
    stated. `tidy` puts the words back. Other marks need no description of their own, and nothing need be looked for
    that could be missing.
    """
    config = {**spec.get("config", {}), "mark": {"invalid": None}}
    return {**spec, "layer": [_described(layer) for layer in spec["layer"]], "config": config}


def _described(layer: dict[str, Any]) -> dict[str, Any]:
    mark, encoding = layer["mark"], layer["encoding"]
    if mark["type"] != "text":
        return {**layer, "mark": {**mark, "aria": False}}
    if "text" not in encoding or "lineHeight" in mark:
        return layer
    return {**layer, "encoding": {**encoding, "text": {"value": ""}, "description": encoding["text"]}}


def tidy(  # noqa: PLR0913 - a picture, and how it is called
    drawn: str, ident: str, title: str, description: str, *, described_by: str = "", described: bool = False
) -> str:
    """Strip a rendered SVG to what is seen, name it, and make its ids its own.

    `described`: texts were drawn without their words, which are their descriptions.
    """
    root = ET.fromstring(drawn)
    if described:
        _reword(root)
    _rename(root, ident)
    for element in root.iter():
        _strip(element)
        _place(element)
        for name in _GEOMETRY.intersection(element.attrib):
            element.set(name, _short(element.get(name, "")))
    shape = _attributes({name: root.get(name, "") for name in ("width", "height", "viewBox")})
    told = "" if described_by else f'<desc id="{ident}-d">{html.escape(description)}</desc>'
    return (
        f'<svg role="img" aria-labelledby="{ident}-t" aria-describedby="{described_by or ident}-d"{shape}>'
        f'<title id="{ident}-t">{html.escape(title)}</title>{told}<g aria-hidden="true">{_written(root)}</g></svg>'
    )


def _reword(root: ET.Element) -> None:
    """Give texts that were drawn without their words the words of their description, line by line."""
    for element in root.iter(f"{SVG}text"):
        words = element.get("aria-label", "")
        if not words or element.text or len(element):
            continue
        element.text, *further = words.split("\n")
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
    """Drop attributes that say nothing to the eye."""
    named = element.attrib
    for name in [name for name in named if name in _NOISE or name.startswith("aria-")]:
        del named[name]
    if named.get("opacity") == "1":
        del named["opacity"]
    if named.get("text-anchor") == "start":
        del named["text-anchor"]
    if named.get("stroke-width") == "1" or (element.tag == f"{SVG}path" and not named.get("stroke")):
        named.pop("stroke-width", None)


def _place(element: ET.Element) -> None:
    """Say where a mark is by its coordinates, which is shorter than by moving it; lines become paths."""
    moved = _MOVE.fullmatch(element.get("transform", ""))
    dx, dy = (float(moved[1]), float(moved[2])) if moved else (0.0, 0.0)
    kind = element.tag.removeprefix(SVG)
    if kind == "line":
        ends = [float(element.attrib.pop(name, "0")) for name in ("x1", "y1", "x2", "y2")]
        element.tag = f"{SVG}path"
        element.set("d", "M{},{}L{},{}".format(*ends))
    if kind in ("line", "path") and not _shaped(element, dx, dy):
        return
    if kind == "text":
        _shift(element, dx, dy)
    if moved and (kind in ("line", "path", "text") or dx == dy == 0):
        del element.attrib["transform"]


def _shift(element: ET.Element, dx: float, dy: float) -> None:
    """Move a text and its lines; a coordinate at nought, which is what an absent one means, is left out."""
    for part in (element, *element):
        for axis, by in (("x", dx), ("y", dy)):
            if part is not element and part.get(axis) is None:
                continue
            at = _short(str(round(float(part.attrib.pop(axis, "0")) + by, 2))).removesuffix(".0")
            if float(at) or part is not element:
                part.set(axis, at)


def _shaped(element: ET.Element, dx: float, dy: float) -> bool:
    """Move a path's own points; circles and rounded boxes are said as such. False: a shape this cannot move."""
    pieces = _PIECE.findall(element.get("d", ""))
    signs = "".join(sign for sign, _ in pieces)
    if not set(signs) <= {*_PAIRS, "h", "v", "l", "Z", "z"}:
        return False
    absolute = [_moved(sign, numbers, dx, dy) for sign, numbers in pieces]
    if signs in ("MAA", "MAAZ"):
        centre = {"cx": str(dx), "cy": str(dy), "r": _NUMBER.findall(pieces[1][1])[0]}
        _become(element, "circle", centre)
    elif signs == "MLCLCLCLCZ":
        points = [float(number) for sign, numbers in absolute for number in _NUMBER.findall(numbers)]
        (left, right), (top, bottom) = ((min(axis), max(axis)) for axis in (points[::2], points[1::2]))
        size = {"width": right - left, "height": bottom - top, "rx": points[0] - left}
        _become(element, "rect", {name: str(value) for name, value in {"x": left, "y": top, **size}.items()})
    else:
        element.set("d", "".join(sign + _short(numbers) for sign, numbers in absolute))
    return True


def _become(element: ET.Element, tag: str, shape: dict[str, str]) -> None:
    del element.attrib["d"]
    element.tag = f"{SVG}{tag}"
    element.attrib.update({name: _short(value) for name, value in shape.items()})


def _moved(sign: str, numbers: str, dx: float, dy: float) -> tuple[str, str]:
    """A command of a path with its points moved; relative ones stay as they are."""
    every = _PAIRS.get(sign)
    if every is None or dx == dy == 0:
        return sign, numbers
    found = [float(number) for number in _NUMBER.findall(numbers)]
    for end in range(every, len(found) + 1, every):
        found[end - 2] += dx
        found[end - 1] += dy
    return sign, ",".join(map(str, found))


def _short(value: str) -> str:
    return _LONG.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), value)


def _unseen(element: ET.Element) -> bool:
    if element.tag == f"{SVG}text":
        return not element.text and not len(element)
    if element.get("display") == "none":
        return True
    if element.tag == f"{SVG}path":
        drawn = element.get("fill") or element.get("stroke")
        return not drawn or element.get("d", "") in ("", "M0,0h0v0h0Z")
    return False


def _flat(elements: Iterable[ET.Element]) -> Iterator[ET.Element]:
    """What is seen, out of the groups that change nothing."""
    for element in elements:
        if element.tag == f"{SVG}g" and not element.attrib:
            yield from _flat(element)
        elif not _unseen(element):
            yield element


def _joined(elements: Iterable[ET.Element]) -> Iterator[ET.Element]:
    """Neighbouring paths that look the same as one path; not translucent areas, which show where they cross."""
    last: ET.Element | None = None
    for element in elements:
        alike = last is not None and element.tag == last.tag == f"{SVG}path" and _look(element) == _look(last)
        area = "opacity" in element.attrib and element.get("fill", "none") != "none"
        if alike and last is not None and not area:
            last.set("d", last.get("d", "") + element.get("d", ""))
            continue
        if last is not None:
            yield last
        last = element
    if last is not None:
        yield last


def _look(element: ET.Element) -> dict[str, str]:
    return {name: value for name, value in element.attrib.items() if name != "d"}


def _written(elements: Iterable[ET.Element]) -> str:
    """Neighbours as markup; what they share and would inherit is said once, by a group around them."""
    made: list[str] = []
    for shared, alike in groupby(_joined(_flat(elements)), lambda element: [element.get(name) for name in _INHERITED]):
        said = {name: value for name, value in zip(_INHERITED, shared, strict=True) if value}
        together = list(alike)
        if len(together) == 1 or not said:
            made.extend(map(_write, together))
            continue
        for element in together:
            for name in said:
                del element.attrib[name]
        made.append(f"<g{_attributes(said)}>{''.join(map(_write, together))}</g>")
    return "".join(made)


def _write(element: ET.Element) -> str:
    """An element as markup without namespaces; an empty group is nothing."""
    tag = element.tag.removeprefix(SVG)
    inner = html.escape(element.text or "", quote=False) + _written(element)
    if tag in ("g", "defs") and not inner:
        return ""
    attributes = _attributes(element.attrib)
    return f"<{tag}{attributes}>{inner}</{tag}>" if inner else f"<{tag}{attributes}/>"


def _attributes(named: dict[str, str]) -> str:
    return "".join(f' {name}="{html.escape(value)}"' for name, value in named.items())
