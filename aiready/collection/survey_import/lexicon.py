"""Texts -> what they mean, compared in steps from exact to loose; a text that could mean two things means neither."""

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Entry = tuple[str, str, str]
"""Kind of writing (id, code, name ...), the text, and what it stands for."""
_SIGNS = str.maketrans("’‘‛`´“”„«»‐‑‒–—−\xa0", "'''''\"\"\"\"\"------ ")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_SAYS_NOTHING = re.compile(r"(?<=\w)-|-(?!\d)|[^\w+#&%@=<>$-]|_")
"""Signs between words; a minus before a digit is part of the number, and C++, C# and R&D are names."""


def exact(text: str) -> str:
    """Text as a reader sees it: entities read, one normal form, spaces single, what made a cell harmless gone.

    Examples
    --------
    >>> exact("R&amp;D  &#039;north&#039; "), exact("'-99")
    ("R&D 'north'", '-99')
    """
    seen = " ".join(unicodedata.normalize("NFC", html.unescape(text)).split())
    return seen[1:] if re.match(r"'[=+@\t-]", seen) else seen


def folded(text: str) -> str:
    """Exact text whose case and forms of quotes and dashes say nothing; signs and accents do.

    Examples
    --------
    >>> folded("Weiß ICH nicht"), folded("C++"), folded("−1"), folded("I don’t know")
    ('weiss ich nicht', 'c++', '-1', "i don't know")
    """
    return unicodedata.normalize("NFC", exact(text).translate(_SIGNS).casefold())


def plain(text: str) -> str:
    """Text as it is compared at last: marks, accents and punctuation say nothing, signs that tell things apart do.

    Examples
    --------
    >>> plain("<b>They were   not asked.</b> *"), plain("Sí, así es")
    ('they were not asked', 'si asi es')
    >>> plain("C++ team"), plain("-1"), plain("R & D"), plain("claims - north")
    ('c++ team', '-1', 'r&d', 'claims north')
    """
    signs = unicodedata.normalize("NFKD", folded(_TAG.sub(" ", html.unescape(text))))
    letters = "".join(sign for sign in signs if not unicodedata.combining(sign))
    return re.sub(r"\s*([&@=<>%])\s*", r"\1", " ".join(_SAYS_NOTHING.sub(" ", letters).split()))


def whole_number(text: str) -> str:
    """`3.0` and `3,0` are 3: what spreadsheets and data frames write for whole numbers; `1.000` could be thousands.

    Examples
    --------
    >>> whole_number("3.0"), whole_number("-1,00"), whole_number("3.5"), whole_number("1.000")
    ('3', '-1', '3.5', '1.000')
    """
    return re.sub(r"^([-+]?\d+)[.,]0{1,2}$", r"\1", text)


def number(text: str) -> int | None:
    """The whole number that a cell is, if it is one and nothing else."""
    cell = whole_number(folded(text))
    return int(cell) if re.fullmatch(r"[-+]?\d{1,9}", cell, re.ASCII) else None


def unnumbered(text: str) -> str:
    """A text without the number of its question or choice, which a sign sets apart.

    Examples
    --------
    >>> unnumbered("12. What is counted?"), unnumbered("Q3: Nothing."), unnumbered("24 hour desk"), unnumbered("-1")
    ('What is counted?', 'Nothing.', '24 hour desk', '-1')
    """
    return re.sub(r"^\s*[Qq]?\s?\d{1,3}\s*(?:[.):=]|\s[-–]\s)\s*(?=\D)", "", text)


@dataclass(frozen=True)
class Lexicon:
    """What texts can mean; nothing overwrites anything.

    `near` and `loose`: text by `folded` and by `plain` -> every entry that reads so.
    """

    near: Mapping[str, tuple[Entry, ...]]
    loose: Mapping[str, tuple[Entry, ...]]

    def entries(self, text: str) -> tuple[Entry, ...]:
        """Entries that a text may be: those nearest to it, all of them when they do not mean the same."""
        near = self.near.get(folded(text)) or self.near.get(whole_number(folded(text)), ())
        if not near:
            key = plain(text)
            return self.loose.get(key, ()) if re.search(r"[^\W\d]", key) else ()
        alike = {kind for kind, _, _ in near}
        same = tuple(entry for entry in near if exact(entry[1]) == exact(text))
        return same if same and len(alike) == 1 else near

    def meanings(self, text: str) -> tuple[str, ...]:
        """Everything that a text may mean: none, one, or several between which it does not decide."""
        return tuple(dict.fromkeys(value for _, _, value in self.entries(text)))

    def meaning(self, text: str) -> str:
        """What a text means; blank where that is nothing or not one thing."""
        meanings = self.meanings(text)
        return meanings[0] if len(meanings) == 1 else ""

    def without(self, kind: str) -> "Lexicon":
        """The same without entries of one kind of writing."""
        return lexicon(entry for entries in self.near.values() for entry in entries if entry[0] != kind)

    @property
    def values(self) -> tuple[str, ...]:
        """Everything that some text stands for."""
        return tuple(dict.fromkeys(value for entries in self.near.values() for _, _, value in entries))

    @property
    def readings(self) -> dict[str, str]:
        """Plain texts that mean one thing, to look for near ones."""
        values_of = {key: {value for _, _, value in entries} for key, entries in self.loose.items()}
        return {key: values.pop() for key, values in values_of.items() if len(values) == 1}


def lexicon(entries: Iterable[Entry]) -> Lexicon:
    """Put texts in order; one that stands for two things keeps both.

    Examples
    --------
    >>> teams = lexicon([("name", "C team", "c"), ("name", "C++ team", "cpp"), ("id", "cpp", "cpp")])
    >>> teams.meaning("c TEAM"), teams.meaning("C++ team!"), teams.meaning("C# team")
    ('c', 'cpp', '')
    """
    near: dict[str, dict[Entry, None]] = {}
    loose: dict[str, dict[Entry, None]] = {}
    for entry in entries:
        seen = folded(entry[1])
        for step, key in ((near, seen), (near, whole_number(seen)), (loose, plain(entry[1]))):
            if key:
                step.setdefault(key, {})[entry] = None
    return Lexicon({k: tuple(v) for k, v in near.items()}, {k: tuple(v) for k, v in loose.items()})
