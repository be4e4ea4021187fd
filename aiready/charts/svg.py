"""Draw a Vega-Lite specification as inline SVG that is small, accessible and the same to the byte at every run."""

import html
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from aiready.charts import theme
from aiready.charts.draw import attributes_markup, draw, is_drawable, outer_size

SVG = "{http://www.w3.org/2000/svg}"
_GEOMETRY = frozenset(
    ("transform", "d", "x", "y", "dy", "cx", "cy", "r", "rx", "stroke-width", "viewBox", "width", "height")
)
_NOISE = frozenset(("class", "role", "pointer-events", "version", "stroke-miterlimit", "font-family", "cursor"))
_INHERITED = ("fill", "stroke", "stroke-width", "stroke-dasharray", "font-size", "font-weight", "text-anchor")
_LONG_NUMBER = re.compile(r"-?\d+\.(?:\d{2,}|0(?!\d))")
_TRANSLATION = re.compile(r"translate\((-?[\d.]+),(-?[\d.]+)\)")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_PATH_COMMAND = re.compile(r"([A-Za-z])([^A-Za-z]*)")
_NUMBER = re.compile(r"-?\d*\.?\d+(?:e-?\d+)?")
_POINT_LENGTH = {"M": 2, "L": 2, "C": 2, "A": 7}
"""Absolute path commands -> how many numbers each point takes; the last two are its coordinates."""


def render_svg(spec: dict[str, Any] | str, ident: str, title: str, description: str, *, described_by: str = "") -> str:
    """Draw a Vega-Lite specification (JSON, as an object or as text) as an SVG image inside a page.

    Screen readers see one image with a name and a description (`role`, `<title>`, `<desc>`), not its marks. No data
    stay in attributes; ids start with `ident`; the typeface is the page's. `described_by` is the `ident` of another
    picture on the page with the same description, which is then not repeated.

    Notes
    -----
    Charts of this package are drawn here. An analyst's own chart is drawn by vl-convert, which starts V8 threads: a
    process that has drawn one must not be forked.
    """
    chart = json.loads(spec) if isinstance(spec, str) else spec
    if is_drawable(chart):
        width, height = outer_size(chart)
        shape, marks = {"width": width, "height": height, "viewBox": f"0 0 {width} {height}"}, draw(chart)
    else:
        import vl_convert  # imported here because it starts V8, and report workers are forked

        shape, marks = tidy(vl_convert.vegalite_to_svg(json.dumps(chart)), ident)
    desc = "" if described_by else f'<desc id="{ident}-d">{html.escape(description)}</desc>'
    return (
        f'<svg role="img" aria-labelledby="{ident}-t" aria-describedby="{described_by or ident}-d"'
        f'{attributes_markup(shape)}><title id="{ident}-t">{html.escape(title)}</title>{desc}'
        f'<g aria-hidden="true">{marks}</g></svg>'
    )


def standalone_svg(svg: str) -> str:
    """An SVG of `render_svg` as a file of its own."""
    return svg.replace("<svg ", f'<svg xmlns="http://www.w3.org/2000/svg" font-family="{theme.FONT}" ', 1)


def tidy(rendered: str, ident: str) -> tuple[dict[str, str], str]:
    """Size and markup of a rendered SVG, reduced to what can be seen, its ids starting with `ident`."""
    root = ET.fromstring(rendered)
    _rename_ids(root, ident)
    for element in root.iter():
        _strip(element)
        _apply_translation(element)
        for name in _GEOMETRY.intersection(element.attrib):
            element.set(name, _shorten_numbers(element.get(name, "")))
    return {name: root.get(name, "") for name in ("width", "height", "viewBox")}, _markup(root)


def _rename_ids(root: ET.Element, ident: str) -> None:
    """Number ids in order of appearance: the renderer's go on from call to call, which would change the bytes."""
    identified = [element for element in root.iter() if element.get("id")]
    names = {element.get("id", ""): f"{ident}-{index}" for index, element in enumerate(identified)}
    for element in root.iter():
        for key, value in element.attrib.items():
            reference = _REFERENCE.search(value)
            if reference:
                element.set(key, f"url(#{names[reference[1]]})")
        if element.get("id"):
            element.set("id", names[element.get("id", "")])


def _strip(element: ET.Element) -> None:
    """Drop attributes that do not change the picture."""
    attributes = element.attrib
    for name in [name for name in attributes if name in _NOISE or name.startswith("aria-")]:
        del attributes[name]
    if attributes.get("opacity") == "1":
        del attributes["opacity"]
    if attributes.get("text-anchor") == "start":
        del attributes["text-anchor"]
    if attributes.get("stroke-width") == "1" or (element.tag == f"{SVG}path" and not attributes.get("stroke")):
        attributes.pop("stroke-width", None)


def _apply_translation(element: ET.Element) -> None:
    """Add a mark's `translate` to its coordinates, which is shorter; lines become paths."""
    translation = _TRANSLATION.fullmatch(element.get("transform", ""))
    dx, dy = (float(translation[1]), float(translation[2])) if translation else (0.0, 0.0)
    kind = element.tag.removeprefix(SVG)
    if kind == "line":
        ends = [float(element.attrib.pop(name, "0")) for name in ("x1", "y1", "x2", "y2")]
        element.tag = f"{SVG}path"
        element.set("d", "M{},{}L{},{}".format(*ends))
    if kind in ("line", "path") and not _move_path(element, dx, dy):
        return
    if kind == "text":
        _move_text(element, dx, dy)
    if translation and (kind in ("line", "path", "text") or dx == dy == 0):
        del element.attrib["transform"]


def _move_text(element: ET.Element, dx: float, dy: float) -> None:
    """Move a text and its lines. Omit coordinates equal to 0, SVG's default."""
    for part in (element, *element):
        for axis, shift in (("x", dx), ("y", dy)):
            if part is not element and part.get(axis) is None:
                continue
            coordinate = _shorten_numbers(str(round(float(part.attrib.pop(axis, "0")) + shift, 2))).removesuffix(".0")
            if float(coordinate) or part is not element:
                part.set(axis, coordinate)


def _move_path(element: ET.Element, dx: float, dy: float) -> bool:
    """Move the points of a path; write circles and rounded boxes as such. Return False for a path it cannot move."""
    commands = _PATH_COMMAND.findall(element.get("d", ""))
    letters = "".join(letter for letter, _ in commands)
    if not set(letters) <= {*_POINT_LENGTH, "h", "v", "l", "Z", "z"}:
        return False
    moved = [_move_points(letter, numbers, dx, dy) for letter, numbers in commands]
    if letters in ("MAA", "MAAZ"):
        centre = {"cx": str(dx), "cy": str(dy), "r": _NUMBER.findall(commands[1][1])[0]}
        _replace_path(element, "circle", centre)
    elif letters == "MLCLCLCLCZ":
        points = [float(number) for letter, numbers in moved for number in _NUMBER.findall(numbers)]
        (left, right), (top, bottom) = ((min(axis), max(axis)) for axis in (points[::2], points[1::2]))
        size = {"width": right - left, "height": bottom - top, "rx": points[0] - left}
        _replace_path(element, "rect", {name: str(value) for name, value in {"x": left, "y": top, **size}.items()})
    else:
        element.set("d", "".join(letter + _shorten_numbers(numbers) for letter, numbers in moved))
    return True


def _replace_path(element: ET.Element, tag: str, shape: dict[str, str]) -> None:
    del element.attrib["d"]
    element.tag = f"{SVG}{tag}"
    element.attrib.update({name: _shorten_numbers(value) for name, value in shape.items()})


def _move_points(letter: str, numbers: str, dx: float, dy: float) -> tuple[str, str]:
    """A path command with its points moved; relative commands need no change."""
    point_length = _POINT_LENGTH.get(letter)
    if point_length is None or dx == dy == 0:
        return letter, numbers
    coordinates = [float(number) for number in _NUMBER.findall(numbers)]
    for end in range(point_length, len(coordinates) + 1, point_length):
        coordinates[end - 2] += dx
        coordinates[end - 1] += dy
    return letter, ",".join(map(str, coordinates))


def _shorten_numbers(value: str) -> str:
    return _LONG_NUMBER.sub(lambda match: f"{float(match[0]):.1f}".removesuffix(".0"), value)


def _is_invisible(element: ET.Element) -> bool:
    if element.tag == f"{SVG}text":
        return not element.text and not len(element)
    if element.get("display") == "none":
        return True
    if element.tag == f"{SVG}path":
        paint = element.get("fill") or element.get("stroke")
        return not paint or element.get("d", "") in ("", "M0,0h0v0h0Z")
    return False


def _flatten(elements: Iterable[ET.Element]) -> Iterator[ET.Element]:
    """Visible elements, those of groups without attributes in place of the group."""
    for element in elements:
        if element.tag == f"{SVG}g" and not element.attrib:
            yield from _flatten(element)
        elif not _is_invisible(element):
            yield element


def _join_paths(elements: Iterable[ET.Element]) -> Iterator[ET.Element]:
    """Join neighbouring paths of the same look; but not translucent areas, whose overlap shows."""
    last: ET.Element | None = None
    for element in elements:
        same_look = last is not None and element.tag == last.tag == f"{SVG}path" and _look(element) == _look(last)
        area = "opacity" in element.attrib and element.get("fill", "none") != "none"
        if same_look and last is not None and not area:
            last.set("d", last.get("d", "") + element.get("d", ""))
            continue
        if last is not None:
            yield last
        last = element
    if last is not None:
        yield last


def _look(element: ET.Element) -> dict[str, str]:
    return {name: value for name, value in element.attrib.items() if name != "d"}


def _markup(elements: Iterable[ET.Element]) -> str:
    """Elements as markup, neighbours with the same inheritable attributes in a group that has these once."""
    pieces: list[str] = []
    visible = _join_paths(_flatten(elements))
    for shared, neighbours in groupby(visible, lambda element: [element.get(name) for name in _INHERITED]):
        inherited = {name: value for name, value in zip(_INHERITED, shared, strict=True) if value}
        group = list(neighbours)
        if len(group) == 1 or not inherited:
            pieces.extend(map(_element_markup, group))
            continue
        for element in group:
            for name in inherited:
                del element.attrib[name]
        pieces.append(f"<g{attributes_markup(inherited)}>{''.join(map(_element_markup, group))}</g>")
    return "".join(pieces)


def _element_markup(element: ET.Element) -> str:
    """An element as markup without namespaces; empty for an empty group."""
    tag = element.tag.removeprefix(SVG)
    inner = html.escape(element.text or "", quote=False) + _markup(element)
    if tag in ("g", "defs") and not inner:
        return ""
    attributes = attributes_markup(element.attrib)
    return f"<{tag}{attributes}>{inner}</{tag}>" if inner else f"<{tag}{attributes}/>"
