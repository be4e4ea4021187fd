"""HTML into which text goes escaped: the class `Block`."""

from html import escape
from typing import Any, Self

from markupsafe import Markup


class Block(Markup):
    """A piece of HTML: text that is added, joined or filled into it is escaped, other blocks are not.

    Apostrophes and quotation marks become `&#x27;` and `&quot;`, as the standard library writes them.

    Examples
    --------
    >>> Block("<p>{}</p>").format("5 < 6") + Block("<hr>")
    Block('<p>5 &lt; 6</p><hr>')
    """

    __slots__ = ()

    @classmethod
    def escape(cls, s: Any, /) -> Self:
        """Escape a text; a block stays as it is."""
        return s if isinstance(s, cls) else cls(s if hasattr(s, "__html__") else escape(str(s)))

    def _repr_html_(self) -> str:
        return str(self)
