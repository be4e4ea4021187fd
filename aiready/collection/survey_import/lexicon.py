"""Look up the meaning of a text, comparing first its exact, then its folded, then its loose form.

A text that could mean two things has no meaning.
"""

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Entry = tuple[str, str, str]
"""Kind of text (id, code, name ...), the text, and its meaning."""
_TYPOGRAPHY = str.maketrans("’‘‛`´“”„«»‐‑‒–—−\xa0", "'''''\"\"\"\"\"------ ")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_PUNCTUATION = re.compile(r"(?<=\w)-|-(?!\d)|[^\w+#&%@=<>$-]|_")
"""Punctuation between words, except a minus before a digit and the characters of names such as C++, C# and R&D."""


def exact_form(text: str) -> str:
    """Text as a reader sees it: entities decoded, Unicode NFC, single spaces, no apostrophe before a formula.

    Examples
    --------
    >>> exact_form("R&amp;D  &#039;north&#039; "), exact_form("'-99")
    ("R&D 'north'", '-99')
    """
    visible = " ".join(unicodedata.normalize("NFC", html.unescape(text)).split())
    return visible[1:] if re.match(r"'[=+@\t-]", visible) else visible


def folded_form(text: str) -> str:
    """Exact form with case and variants of quotes and dashes removed; other punctuation and accents stay.

    Examples
    --------
    >>> folded_form("Weiß ICH nicht"), folded_form("C++"), folded_form("−1"), folded_form("I don’t know")
    ('weiss ich nicht', 'c++', '-1', "i don't know")
    """
    return unicodedata.normalize("NFC", exact_form(text).translate(_TYPOGRAPHY).casefold())


def loose_form(text: str) -> str:
    """Folded form without HTML tags, accents and punctuation, except characters that distinguish names.

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
    """Drop `.0` or `,00` that spreadsheets and data frames add to integers; `1.000` is kept, as it may be thousands.

    Examples
    --------
    >>> [strip_zero_decimals(text) for text in ("3.0", "-1,00", "3.5", "1.000")]
    ['3', '-1', '3.5', '1.000']
    """
    return re.sub(r"^([-+]?\d+)[.,]0{1,2}$", r"\1", text)


def parse_integer(text: str) -> int | None:
    """Integer in a cell that holds nothing else; None for other text."""
    cell = strip_zero_decimals(folded_form(text))
    return int(cell) if re.fullmatch(r"[-+]?\d{1,9}", cell, re.ASCII) else None


def strip_question_number(text: str) -> str:
    """Text without the number of its question or choice, which punctuation must separate.

    Examples
    --------
    >>> [strip_question_number(text) for text in ("12. What is counted?", "Q3: Nothing.", "24 hour desk", "-1")]
    ['What is counted?', 'Nothing.', '24 hour desk', '-1']
    """
    return re.sub(r"^\s*[Qq]?\s?\d{1,3}\s*(?:[.):=]|\s[-–]\s)\s*(?=\D)", "", text)


@dataclass(frozen=True)
class Lexicon:
    """Entries by the folded and the loose form of their texts; no entry overwrites another."""

    by_folded_form: Mapping[str, tuple[Entry, ...]]
    by_loose_form: Mapping[str, tuple[Entry, ...]]

    def entries(self, text: str) -> tuple[Entry, ...]:
        """Entries of the same folded form (of one kind, preferably the same exact form), else the same loose form."""
        folded = folded_form(text)
        entries = self.by_folded_form.get(folded) or self.by_folded_form.get(strip_zero_decimals(folded), ())
        if not entries:
            key = loose_form(text)
            return self.by_loose_form.get(key, ()) if re.search(r"[^\W\d]", key) else ()
        kinds = {kind for kind, _, _ in entries}
        exact = tuple(entry for entry in entries if exact_form(entry[1]) == exact_form(text))
        return exact if exact and len(kinds) == 1 else entries

    def meanings(self, text: str) -> tuple[str, ...]:
        """All meanings that a text may have."""
        return tuple(dict.fromkeys(value for _, _, value in self.entries(text)))

    def meaning(self, text: str) -> str:
        """The meaning of a text; blank where there is none or more than one."""
        meanings = self.meanings(text)
        return meanings[0] if len(meanings) == 1 else ""

    def without_kind(self, kind: str) -> "Lexicon":
        """The same lexicon without the entries of one kind."""
        return build_lexicon(entry for entries in self.by_folded_form.values() for entry in entries if entry[0] != kind)

    @property
    def values(self) -> tuple[str, ...]:
        """All meanings of all texts."""
        return tuple(dict.fromkeys(value for entries in self.by_folded_form.values() for _, _, value in entries))

    @property
    def unambiguous(self) -> dict[str, str]:
        """Loose forms with exactly one meaning -> that meaning."""
        values_of = {key: {value for _, _, value in entries} for key, entries in self.by_loose_form.items()}
        return {key: values.pop() for key, values in values_of.items() if len(values) == 1}


def build_lexicon(entries: Iterable[Entry]) -> Lexicon:
    """Build a lexicon; a text with two meanings keeps both.

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
