"""Turn a chart into inline SVG that is accessible and the same to the byte at every run."""

import html
import json
import re
import xml.etree.ElementTree as ET
from typing import Any

from aiready.charts import theme
from aiready.charts.draw import attributes_markup, draw, is_drawable, outer_size
from aiready.messages.markup import Block

SVG = "{http://www.w3.org/2000/svg}"
_GEOMETRY = frozenset(("transform", "d", "x", "y", "dy", "r", "viewBox", "width", "height"))
_NOISE = frozenset(("class", "role", "pointer-events", "version", "stroke-miterlimit", "font-family", "cursor"))
_LONG_NUMBER = re.compile(r"-?\d+\.(?:\d{2,}|0(?!\d))")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")


def render_svg(
    spec: dict[str, Any] | str, ident: str, title: str, description: str, *, described_by: str = ""
) -> Block:
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
    desc = Block("" if described_by else '<desc id="{}-d">{}</desc>').format(ident, description)
    return Block(
        '<svg role="img" aria-labelledby="{ident}-t" aria-describedby="{described_by}-d"{shape}>'
        '<title id="{ident}-t">{title}</title>{desc}<g aria-hidden="true">{marks}</g></svg>'
    ).format(
        ident=ident, described_by=described_by or ident, shape=Block(attributes_markup(shape)), title=title, desc=desc,
        marks=Block(marks),
    )  # fmt: skip


def standalone_svg(svg: str) -> str:
    """An SVG of `render_svg` as a file of its own."""
    return str(svg).replace("<svg ", f'<svg xmlns="http://www.w3.org/2000/svg" font-family="{theme.FONT}" ', 1)


def tidy(rendered: str, ident: str) -> tuple[dict[str, str], str]:
    """Size and markup of an SVG that vl-convert rendered, reduced to what can be seen; ids start with `ident`."""
    root = ET.fromstring(rendered)
    _rename_ids(root, ident)
    for element in root.iter():
        attributes = {name: value for name, value in element.attrib.items() if not name.startswith("aria-")}
        element.attrib = {
            name: _shorten_numbers(value) if name in _GEOMETRY else value
            for name, value in attributes.items()
            if name not in _NOISE
        }
    return {name: root.get(name, "") for name in ("width", "height", "viewBox")}, "".join(map(_markup, root))


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


def _shorten_numbers(value: str) -> str:
    return _LONG_NUMBER.sub(lambda match: f"{float(match[0]):.1f}".removesuffix(".0"), value)


def _markup(element: ET.Element) -> str:
    """An element as markup without namespaces; nothing for what cannot be seen, and no group without attributes."""
    tag = element.tag.removeprefix(SVG)
    inner = html.escape(element.text or "", quote=False) + "".join(map(_markup, element))
    if element.get("display") == "none" or (tag in ("g", "defs", "text") and not inner):
        return ""
    if tag == "g" and not element.attrib:
        return inner
    attributes = attributes_markup(element.attrib)
    return f"<{tag}{attributes}>{inner}</{tag}>" if inner else f"<{tag}{attributes}/>"
