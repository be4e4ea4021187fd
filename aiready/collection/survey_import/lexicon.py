"""Texts -> what they mean, compared in steps from exact to loose; a text that could mean two things means neither."""

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Entry = tuple[str, str, str]
"""Kind of writing (id, code, name ...), the text, and what it stands for."""
_TYPOGRAPHY = str.maketrans("’‘‛`´“”„«»‐‑‒–—−\xa0", "'''''\"\"\"\"\"------ ")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_PUNCTUATION = re.compile(r"(?<=\w)-|-(?!\d)|[^\w+#&%@=<>$-]|_")
"""Signs between words; a minus before a digit is part of the number, and C++, C# and R&D are names."""


def exact_form(text: str) -> str:
    """Text as a reader sees it: entities read, one normal form, spaces single, what made a cell harmless gone.

    Examples
    --------
    >>> exact_form("R&amp;D  &#039;north&#039; "), exact_form("'-99")
    ("R&D 'north'", '-99')
    """
    visible = " ".join(unicodedata.normalize("NFC", html.unescape(text)).split())
    return visible[1:] if re.match(r"'[=+@\t-]", visible) else visible


def folded_form(text: str) -> str:
    """Exact text whose case and forms of quotes and dashes say nothing; signs and accents do.

    Examples
    --------
    >>> folded_form("Weiß ICH nicht"), folded_form("C++"), folded_form("−1"), folded_form("I don’t know")
    ('weiss ich nicht', 'c++', '-1', "i don't know")
    """
    return unicodedata.normalize("NFC", exact_form(text).translate(_TYPOGRAPHY).casefold())


def loose_form(text: str) -> str:
    """Text as it is compared at last: marks, accents and punctuation say nothing, signs that tell things apart do.

    Examples
    --------
    >>> loose_form("<b>They were   not asked.</b> *"), loose_form("Sí, así es")
    ('they were not asked', 'si asi es')
    >>> loose_form("C++ team"), loose_form("-1"), loose_form("R & D"), loose_form("claims - north")
    ('c++ team', '-1', 'r&d', 'claims north')
    """
    decomposed = unicodedata.normalize("NFKD", folded_form(_TAG.sub(" ", html.unescape(text))))
    letters = "".join(character for character in decomposed if not unicodedata.combining(character))
    return re.sub(r"\s*([&@=<>%])\s*", r"\1", " ".join(_PUNCTUATION.sub(" ", letters).split()))


def strip_zero_decimals(text: str) -> str:
    """`3.0` and `3,0` are 3: what spreadsheets and data frames write for whole numbers; `1.000` could be thousands.

    Examples
    --------
    >>> [strip_zero_decimals(text) for text in ("3.0", "-1,00", "3.5", "1.000")]
    ['3', '-1', '3.5', '1.000']
    """
    return re.sub(r"^([-+]?\d+)[.,]0{1,2}$", r"\1", text)


def parse_integer(text: str) -> int | None:
    """The whole number that a cell is, if it is one and nothing else."""
    cell = strip_zero_decimals(folded_form(text))
    return int(cell) if re.fullmatch(r"[-+]?\d{1,9}", cell, re.ASCII) else None


def strip_question_number(text: str) -> str:
    """A text without the number of its question or choice, which a sign sets apart.

    Examples
    --------
    >>> [strip_question_number(text) for text in ("12. What is counted?", "Q3: Nothing.", "24 hour desk", "-1")]
    ['What is counted?', 'Nothing.', '24 hour desk', '-1']
    """
    return re.sub(r"^\s*[Qq]?\s?\d{1,3}\s*(?:[.):=]|\s[-–]\s)\s*(?=\D)", "", text)


@dataclass(frozen=True)
class Lexicon:
    """What texts can mean; nothing overwrites anything.

    `near` and `loose`: text by `folded_form` and by `loose_form` -> every entry that reads so.
    """

    by_folded_form: Mapping[str, tuple[Entry, ...]]
    by_loose_form: Mapping[str, tuple[Entry, ...]]

    def entries(self, text: str) -> tuple[Entry, ...]:
        """Entries that a text may be: those nearest to it, all of them when they do not mean the same."""
        near = self.by_folded_form.get(folded_form(text)) or self.by_folded_form.get(
            strip_zero_decimals(folded_form(text)), ()
        )
        if not near:
            key = loose_form(text)
            return self.by_loose_form.get(key, ()) if re.search(r"[^\W\d]", key) else ()
        kinds = {kind for kind, _, _ in near}
        same = tuple(entry for entry in near if exact_form(entry[1]) == exact_form(text))
        return same if same and len(kinds) == 1 else near

    def meanings(self, text: str) -> tuple[str, ...]:
        """Everything that a text may mean: none, one, or several between which it does not decide."""
        return tuple(dict.fromkeys(value for _, _, value in self.entries(text)))

    def meaning(self, text: str) -> str:
        """What a text means; blank where that is nothing or not one thing."""
        meanings = self.meanings(text)
        return meanings[0] if len(meanings) == 1 else ""

    def without_kind(self, kind: str) -> "Lexicon":
        """The same without entries of one kind of writing."""
        return build_lexicon(entry for entries in self.by_folded_form.values() for entry in entries if entry[0] != kind)

    @property
    def values(self) -> tuple[str, ...]:
        """Everything that some text stands for."""
        return tuple(dict.fromkeys(value for entries in self.by_folded_form.values() for _, _, value in entries))

    @property
    def unambiguous(self) -> dict[str, str]:
        """Plain texts that mean one thing, to look for near ones."""
        values_of = {key: {value for _, _, value in entries} for key, entries in self.by_loose_form.items()}
        return {key: values.pop() for key, values in values_of.items() if len(values) == 1}


def build_lexicon(entries: Iterable[Entry]) -> Lexicon:
    """Put texts in order; one that stands for two things keeps both.

    Examples
    --------
    >>> teams = build_lexicon([("name", "C team", "c"), ("name", "C++ team", "cpp"), ("id", "cpp", "cpp")])
    >>> teams.meaning("c TEAM"), teams.meaning("C++ team!"), teams.meaning("C# team")
    ('c', 'cpp', '')
    """
    near: dict[str, dict[Entry, None]] = {}
    loose: dict[str, dict[Entry, None]] = {}
    for entry in entries:
        folded = folded_form(entry[1])
        for step, key in ((near, folded), (near, strip_zero_decimals(folded)), (loose, loose_form(entry[1]))):
            if key:
                step.setdefault(key, {})[entry] = None
    return Lexicon({k: tuple(v) for k, v in near.items()}, {k: tuple(v) for k, v in loose.items()})
