"""Print text with its control characters escaped, whatever ids and file names contain.

A terminal obeys control characters: an id with `ESC [2J` would clear the screen, one with a carriage return would
overwrite its own error message. They are shown as Python writes them (`\\x1b`).
"""

import json
import unicodedata
from typing import Any

import typer

LAYOUT = "\n\t"
"""Control characters that multi-line text may contain."""
_CONTROL_CATEGORIES = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode categories whose characters move, hide or reverse the text beside them."""
_JOINERS = "\u200c\u200d\u00ad"
"""Characters of category `Cf` that ordinary words of some languages contain."""


def visible(text: str, layout: str = "") -> str:
    r"""The text with its control characters escaped, except those in `layout`.

    Examples
    --------
    >>> print(visible("claims\x1b[2J\r"), visible("Küche"))
    claims\x1b[2J\r Küche
    """
    return "".join(
        _escape(character) if _is_control(character) and character not in layout else character for character in text
    )


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in _CONTROL_CATEGORIES and character not in _JOINERS


def echo(text: str, *, err: bool = False) -> None:
    """Print text, with `err` to stderr."""
    typer.echo(visible(text, LAYOUT), err=err)


def echo_json(content: Any) -> None:
    """Print one JSON object; JSON escapes control characters itself."""
    typer.echo(json.dumps(content, indent=1).replace("\x7f", "\\u007f"))
