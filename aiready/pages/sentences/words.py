"""Names as pictures have room for them."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from itertools import count

MAX_NAME_LENGTH = 72
"""Characters of a name from which on a picture shortens it; tables and sentences say it whole."""
ELLIPSIS = "…"
_JOINER, _FROM_RIGHT = "\u200d", "\u200f"
_ZERO_WIDTH = ("Mn", "Me", "Mc", "Cf")
"""Categories of signs that belong to the one before them."""
_SKIN_TONES = ("\U0001f3fb", "\U0001f3ff")


def short_names(names: Iterable[str], longest: int = MAX_NAME_LENGTH) -> list[str]:
    """Names for the rows of a picture, no two alike; what fits stays as it is.

    Long ones are cut at a word, or within one where that would leave less than half; a Chinese or Japanese sign takes
    the room of two. Different names that would look alike are cut in the middle, so that their ends tell them apart;
    what is still alike is numbered.

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
    """Texts of which the first of a kind stays, and each further one bears a number that no other text has."""
    all_names, used = set(texts), set[str]()
    for position, text in enumerate(texts):
        marks = (f" ({number})" for number in count(2))
        further = (
            _close_direction(f"{_cut(text.removesuffix(_FROM_RIGHT), longest - len(mark))}{mark}") for mark in marks
        )
        texts[position] = text if text not in used else next(other for other in further if other not in all_names)
        used.add(text)
        all_names.add(texts[position])
    return texts


def _cut(text: str, longest: int) -> str:
    """A text that fits: whole, or cut at a word, or within one where that leaves less than half the room."""
    if _display_width(text) <= longest:
        return text
    at_word = text[: len(_start(text, longest - 2)) + 1].rpartition(" ")[0]
    return _close_direction(
        f"{at_word} {ELLIPSIS}"
        if _display_width(at_word) * 2 >= longest
        else f"{_start(text, longest - 1).rstrip()}{ELLIPSIS}"
    )


def _cut_in_middle(text: str, longest: int) -> str:
    """A text that fits with its end: cut in the middle where it is too long."""
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
    """The first of some signs that have room together."""
    width = 0
    for position, character in enumerate(characters):
        width += _display_width(character)
        if width > most:
            return characters[:position]
    return characters


def _characters(text: str) -> list[str]:
    """A text in signs as a reader sees them: a letter with its accents, an emoji with what belongs to it."""
    characters: list[str] = []
    for character in text:
        attached = unicodedata.category(character) in _ZERO_WIDTH or _SKIN_TONES[0] <= character <= _SKIN_TONES[1]
        if characters and (attached or characters[-1].endswith(_JOINER)):
            characters[-1] += character
        else:
            characters.append(character)
    return characters


def _display_width(text: str) -> int:
    """Room of a text in Latin letters: wide signs take two, accents none."""
    if text.isascii():
        return len(text)
    return sum(
        2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
        if unicodedata.category(character) not in _ZERO_WIDTH
    )


def _close_direction(text: str) -> str:
    """A text whose last signs belong to its last letter, also where that one is written from right to left."""
    directions = [
        direction for character in text if (direction := unicodedata.bidirectional(character)) in ("L", "R", "AL")
    ]
    return f"{text}{_FROM_RIGHT}" if directions and directions[-1] != "L" and not text.endswith(_FROM_RIGHT) else text
