"""Names as pictures have room for them."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from itertools import count

LONG_NAME = 72
"""Characters of a name from which on a picture shortens it; tables and sentences say it whole."""
CUT = "…"
_JOINER, _FROM_RIGHT = "\u200d", "\u200f"
_NO_ROOM = ("Mn", "Me", "Mc", "Cf")
"""Categories of signs that belong to the one before them."""
_SKIN_TONES = ("\U0001f3fb", "\U0001f3ff")


def short_names(names: Iterable[str], longest: int = LONG_NAME) -> list[str]:
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
    alike = Counter(cut.values())
    distinct = {text: short if alike[short] == 1 else _cut_inside(text, longest) for text, short in cut.items()}
    return _numbered([distinct[text] for text in texts], longest)


def _numbered(texts: list[str], longest: int) -> list[str]:
    """Texts of which the first of a kind stays, and each further one bears a number that no other text has."""
    taken, used = set(texts), set[str]()
    for place, text in enumerate(texts):
        marks = (f" ({number})" for number in count(2))
        further = (_closed(f"{_cut(text.removesuffix(_FROM_RIGHT), longest - len(mark))}{mark}") for mark in marks)
        texts[place] = text if text not in used else next(other for other in further if other not in taken)
        used.add(text)
        taken.add(texts[place])
    return texts


def _cut(text: str, longest: int) -> str:
    """A text that fits: whole, or cut at a word, or within one where that leaves less than half the room."""
    if _room(text) <= longest:
        return text
    at_word = text[: len(_head(text, longest - 2)) + 1].rpartition(" ")[0]
    return _closed(f"{at_word} {CUT}" if _room(at_word) * 2 >= longest else f"{_head(text, longest - 1).rstrip()}{CUT}")


def _cut_inside(text: str, longest: int) -> str:
    """A text that fits with its end: cut in the middle where it is too long."""
    if _room(text) <= longest:
        return text
    backwards = _head_of(_signs(text)[::-1], longest // 3)
    tail = "".join(reversed(backwards)).lstrip()
    if " " in tail and not text.removesuffix(tail).endswith(" "):
        tail = tail.split(" ", 1)[1]
    head = _cut(text, longest - _room(tail) - 1).rstrip(_FROM_RIGHT)
    return f"{head} {tail}"


def _head(text: str, most: int) -> str:
    return "".join(_head_of(_signs(text), most))


def _head_of(signs: list[str], most: int) -> list[str]:
    """The first of some signs that have room together."""
    taken = 0
    for place, sign in enumerate(signs):
        taken += _room(sign)
        if taken > most:
            return signs[:place]
    return signs


def _signs(text: str) -> list[str]:
    """A text in signs as a reader sees them: a letter with its accents, an emoji with what belongs to it."""
    signs: list[str] = []
    for sign in text:
        attached = unicodedata.category(sign) in _NO_ROOM or _SKIN_TONES[0] <= sign <= _SKIN_TONES[1]
        if signs and (attached or signs[-1].endswith(_JOINER)):
            signs[-1] += sign
        else:
            signs.append(sign)
    return signs


def _room(text: str) -> int:
    """Room of a text in Latin letters: wide signs take two, accents none."""
    if text.isascii():
        return len(text)
    return sum(
        2 if unicodedata.east_asian_width(sign) in "WF" else 1
        for sign in text
        if unicodedata.category(sign) not in _NO_ROOM
    )


def _closed(text: str) -> str:
    """A text whose last signs belong to its last letter, also where that one is written from right to left."""
    strong = [way for sign in text if (way := unicodedata.bidirectional(sign)) in ("L", "R", "AL")]
    return f"{text}{_FROM_RIGHT}" if strong and strong[-1] != "L" and not text.endswith(_FROM_RIGHT) else text
