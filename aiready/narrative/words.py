"""Names as pictures have room for them."""

import textwrap
from collections.abc import Iterable

LONG_NAME = 72
"""Characters of a name from which on a picture shortens it; tables and sentences say it whole."""


def short_names(names: Iterable[str], longest: int = LONG_NAME) -> list[str]:
    """Names for the rows of a picture: long ones cut at a word, equal ones told apart by a number.

    Examples
    --------
    >>> short_names(["Triage", "Triage", "Sorting"])
    ['Triage', 'Triage (2)', 'Sorting']
    >>> short_names(["A department whose name nobody who has ever worked in it could say in one breath"])
    ['A department whose name nobody who has ever worked in it could say in …']
    """
    seen: dict[str, int] = {}
    made = []
    for name in names:
        text = textwrap.shorten(name, longest, placeholder=" …")
        text = text if len(text) > 2 else f"{name[: longest - 2]}…"  # one word without a break
        seen[text] = seen.get(text, 0) + 1
        made.append(text if seen[text] == 1 else f"{text} ({seen[text]})")
    return made
