"""What is printed on a terminal: words only, whatever signs an id or a file name is made of.

A terminal obeys control characters: an id with `ESC [2J` would clear the screen, one with a carriage return would
write over the line that tells of it. They are shown as Python writes them (`\\x1b`).
"""

import json
import unicodedata
from typing import Any

import typer

LAYOUT = "\n\t"
"""Control characters that a text of several lines may hold."""
_OBEYED = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Kinds of signs that move, hide or turn round what stands beside them."""
_JOINERS = "\u200c\u200d\u00ad"
"""Signs of the kind `Cf` that words of several languages are written with."""


def visible(text: str, layout: str = "") -> str:
    r"""The text with every control character in sight; those of `layout` stay.

    Examples
    --------
    >>> print(visible("claims\x1b[2J\r"), visible("Küche"))
    claims\x1b[2J\r Küche
    """
    return "".join(
        sign.encode("unicode_escape", "surrogatepass").decode() if _obeyed(sign) and sign not in layout else sign
        for sign in text
    )


def _obeyed(sign: str) -> bool:
    return unicodedata.category(sign) in _OBEYED and sign not in _JOINERS


def echo(text: str, *, err: bool = False) -> None:
    """Print a text of one line or several, on stderr where it tells of something wrong."""
    typer.echo(visible(text, LAYOUT), err=err)


def echo_json(content: Any) -> None:
    """Print one JSON object; JSON has its own way of writing control characters."""
    typer.echo(json.dumps(content, indent=1).replace("\x7f", "\\u007f"))
