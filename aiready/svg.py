"""Vega-Lite specification -> small, accessible, repeatable inline SVG. The one place that renders."""

import html
import re
import xml.etree.ElementTree as ET
from typing import Any

SVG = "{http://www.w3.org/2000/svg}"
_GEOMETRY = ("transform", "d", "x", "y", "x2", "y2", "dy", "stroke-width", "viewBox", "width", "height")
_NOISE = ("class", "role", "pointer-events", "version", "stroke-miterlimit", "font-family", "cursor")
_LONG = re.compile(r"-?\d+\.\d{2,}")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")


def render_svg(spec: dict[str, Any], ident: str, title: str, description: str) -> str:
    """Draw a Vega-Lite specification as an inline SVG image.

    The picture is one named image (`role`, `<title>`, `<desc>`); its marks are out of the accessibility
    tree and carry no data in attributes; ids start with `ident`; type is inherited from the page.

    Notes
    -----
    Starts vl-convert (V8 threads): a process that has called this must not be forked.
    """
    import vl_convert  # V8 starts with it: not at import, since report workers are forked

    return tidy(vl_convert.vegalite_to_svg(spec), ident, title, description)


def tidy(drawn: str, ident: str, title: str, description: str) -> str:
    """Strip a rendered SVG to what is seen, name it, and make its ids its own."""
    root = ET.fromstring(drawn)
    _rename(root, ident)
    _strip(root)
    size = {name: root.get(name, "") for name in ("width", "height", "viewBox")}
    body = "".join(_write(child) for child in root)
    shape = " ".join(f'{name}="{_short(value)}"' for name, value in size.items())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{ident}-t" '
        f'aria-describedby="{ident}-d" font-family="inherit" {shape}>'
        f'<title id="{ident}-t">{html.escape(title)}</title>'
        f'<desc id="{ident}-d">{html.escape(description)}</desc>'
        f'<g aria-hidden="true">{body}</g></svg>'
    )


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
        if child.get("transform") == "translate(0,0)":
            del child.attrib["transform"]


def _short(value: str) -> str:
    return _LONG.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), value)


def _unseen(element: ET.Element) -> bool:
    empty = element.tag == f"{SVG}path" and not (element.get("fill") or element.get("stroke"))
    return empty or element.get("display") == "none" or element.get("d") == "M0,0h0v0h0Z"


def _write(element: ET.Element) -> str:
    """An element as markup without namespaces; groups that change nothing dissolve into their parent."""
    tag = element.tag.removeprefix(SVG)
    if _unseen(element):
        return ""
    inner = html.escape(element.text or "", quote=False) + "".join(_write(child) for child in element)
    if tag in ("g", "defs") and (not inner or not element.attrib):
        return f"<defs>{inner}</defs>" if tag == "defs" and inner else inner
    attributes = "".join(f' {key}="{html.escape(value)}"' for key, value in element.attrib.items())
    return f"<{tag}{attributes}>{inner}</{tag}>" if inner else f"<{tag}{attributes}/>"
