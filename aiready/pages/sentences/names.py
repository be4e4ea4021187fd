"""Shorten names to the room that pictures have for them."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from itertools import count

MAX_NAME_LENGTH = 72
"""Characters beyond which a picture shortens a name; tables and sentences never do."""
ELLIPSIS = "…"
_JOINER, _FROM_RIGHT = "\u200d", "\u200f"
_ZERO_WIDTH = ("Mn", "Me", "Mc", "Cf")
"""Unicode categories of characters that belong to the one before them."""
_SKIN_TONES = ("\U0001f3fb", "\U0001f3ff")


def short_names(names: Iterable[str], longest: int = MAX_NAME_LENGTH) -> list[str]:
    """Names for the rows of a picture: short enough, and all different.

    A long name is cut after a word, or within one if otherwise less than half would remain; Chinese and Japanese
    characters count double. Different names that would become equal are cut in the middle instead, so that their ends
    tell them apart; names that are still equal are numbered.

    Examples
    --------
    >>> short_names(["Triage", "Triage", "IT"])
    ['Triage', 'Triage (2)', 'IT']
    >>> short_names(["A department whose name nobody who has ever worked in it could say in one breath"])
    ['A department whose name nobody who has ever worked in it could say in …']
    """
    texts = [" ".join(str(name).split()) for name in names]
    cut = {text: _cut(text, longest) for text in texts}
    uses = Counter(cut.values())
    distinct = {text: short if uses[short] == 1 else _cut_in_middle(text, longest) for text, short in cut.items()}
    return _numbered([distinct[text] for text in texts], longest)


def _numbered(texts: list[str], longest: int) -> list[str]:
    """Number repeated texts: the first stays, each further one gets a number that makes it unique."""
    all_names, used = set(texts), set[str]()
    for position, text in enumerate(texts):
        marks = (f" ({number})" for number in count(2))
        plain = text.removesuffix(_FROM_RIGHT)
        numbered = (_close_direction(f"{_cut(plain, longest - len(mark))}{mark}") for mark in marks)
        texts[position] = text if text not in used else next(name for name in numbered if name not in all_names)
        used.add(text)
        all_names.add(texts[position])
    return texts


def _cut(text: str, longest: int) -> str:
    """Shorten a text to `longest`: after a word, or within one if less than half would remain."""
    if _display_width(text) <= longest:
        return text
    words = text[: len(_start(text, longest - 2)) + 1].rpartition(" ")[0]
    if _display_width(words) * 2 >= longest:
        return _close_direction(f"{words} {ELLIPSIS}")
    return _close_direction(f"{_start(text, longest - 1).rstrip()}{ELLIPSIS}")


def _cut_in_middle(text: str, longest: int) -> str:
    """Shorten a text to `longest` in the middle, so that its end remains."""
    if _display_width(text) <= longest:
        return text
    backwards = _fitting_start(_characters(text)[::-1], longest // 3)
    tail = "".join(reversed(backwards)).lstrip()
    if " " in tail and not text.removesuffix(tail).endswith(" "):
        tail = tail.split(" ", 1)[1]
    head = _cut(text, longest - _display_width(tail) - 1).rstrip(_FROM_RIGHT)
    return f"{head} {tail}"


def _start(text: str, most: int) -> str:
    return "".join(_fitting_start(_characters(text), most))


def _fitting_start(characters: list[str], most: int) -> list[str]:
    """The first characters, up to a width of `most`."""
    width = 0
    for position, character in enumerate(characters):
        width += _display_width(character)
        if width > most:
            return characters[:position]
    return characters


def _characters(text: str) -> list[str]:
    """Split a text into characters as readers see them: a letter with its accents, an emoji with its modifiers."""
    characters: list[str] = []
    for character in text:
        attached = unicodedata.category(character) in _ZERO_WIDTH or _SKIN_TONES[0] <= character <= _SKIN_TONES[1]
        if characters and (attached or characters[-1].endswith(_JOINER)):
            characters[-1] += character
        else:
            characters.append(character)
    return characters


def _display_width(text: str) -> int:
    """Width of a text in Latin letters: wide characters count 2, combining marks 0."""
    if text.isascii():
        return len(text)
    return sum(
        2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
        if unicodedata.category(character) not in _ZERO_WIDTH
    )


def _close_direction(text: str) -> str:
    """End a text whose last letter is right-to-left with a right-to-left mark, so that punctuation stays beside it."""
    directions = [
        direction for character in text if (direction := unicodedata.bidirectional(character)) in ("L", "R", "AL")
    ]
    return f"{text}{_FROM_RIGHT}" if directions and directions[-1] != "L" and not text.endswith(_FROM_RIGHT) else text
