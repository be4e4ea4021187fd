"""The language of a page: what it says and how it writes numbers, carried by whoever writes."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from aiready.errors import unknown
from aiready.messages.catalogue import FIRST, codes, phrases
from aiready.messages.formats import MINUS, NOTHING, THIN, Formats


@dataclass(frozen=True)
class Language(Formats):
    """One language that pages are written in: its code is what HTML's `lang` takes."""

    code: str = FIRST

    @classmethod
    def of(cls, code: str = "") -> "Language":
        """The language of a code, English where it is blank.

        Raises
        ------
        UsageError
            There are no phrases in it; with the nearest code.
        """
        if code and code not in codes():
            raise unknown("language", code, codes())
        return cls(code or FIRST)

    def say(self, key: str, number: float | None = None, /, **blanks: Any) -> str:
        """A phrase with its blanks filled.

        Parameters
        ----------
        key
            The phrase. With a `number`, the variant that the plural rules of the language ask for: `key#one`,
            `key#other`; `key#zero` for none, where there is one.
        blanks
            Words for the blanks. A whole number fills its blank as a word up to ten ({done}), and as a numeral where
            the phrase asks for that ({done_n}); so does `number` ({count}, {n}).

        Examples
        --------
        >>> ENGLISH.say("meta.live", 1), ENGLISH.say("meta.live", 12)
        ('one live initiative', '12 live initiatives')
        """
        filled: dict[str, Any] = {}
        if number is not None:
            key = self._variant(key, number)
            filled |= {"count": self.in_words(number), "n": self.number(number)}
        for name, value in blanks.items():
            if isinstance(value, int):
                filled |= {name: self.in_words(value), f"{name}_n": self.number(value)}
            else:
                filled |= {name: value, f"{name}_n": value}
        return phrases(self.code)[key].format(**filled)

    def _variant(self, key: str, number: float) -> str:
        known = phrases(self.code)
        form = str(self.locale.plural_form(int(number)))
        wanted = (f"{key}#zero" if number == 0 else "", f"{key}#{form}", f"{key}#other", key)
        return next(name for name in wanted if name in known)

    def known(self, key: str, otherwise: str = "") -> str:
        """A phrase that needs no blanks, or another text where there is no such phrase: words for values of data."""
        return phrases(self.code).get(key.replace(" ", "_"), otherwise or key.partition(".")[2])

    def capital(self, text: str) -> str:
        """A text with a capital at its start, all else as it is.

        Examples
        --------
        >>> ENGLISH.capital("AI steps"), ENGLISH.capital("users in from idea")
        ('AI steps', 'Users in from idea')
        """
        return f"{text[:1].upper()}{text[1:]}"

    def inside(self, name: str) -> str:
        """A name within a sentence: lower-case where the language writes nouns so.

        Examples
        --------
        >>> ENGLISH.inside("Trust and governance")
        'trust and governance'
        """
        return name.lower() if phrases(self.code)["format.inside"] == "lower" else name

    def is_number(self, text: str) -> bool:
        """Whether a cell of a table reads as a number, and so stands to the right.

        Examples
        --------
        >>> [ENGLISH.is_number(text) for text in ("4.2 h", "58 to 72", "", "3 of 9")]
        [True, True, True, False]
        """
        return _numbers(self.code).fullmatch(text) is not None

    def vega(self) -> dict[str, Any]:
        """How Vega-Lite writes what it writes itself (`config.locale`); nothing in English, which is its own way."""
        if self.code == FIRST:
            return {}
        locale = self.locale
        number = {"decimal": locale.number_symbols["latn"]["decimal"], "thousands": THIN, "grouping": [3],
                  "currency": ["", ""], "minus": MINUS}  # fmt: skip
        days, months = locale.days["format"], locale.months["format"]
        time = {
            "dateTime": "%x, %X", "date": "%d.%m.%Y", "time": "%H:%M:%S", "periods": ["AM", "PM"],
            "days": [days["wide"][day] for day in (6, 0, 1, 2, 3, 4, 5)],
            "shortDays": [days["abbreviated"][day] for day in (6, 0, 1, 2, 3, 4, 5)],
            "months": list(months["wide"].values()), "shortMonths": list(months["abbreviated"].values()),
        }  # fmt: skip
        return {"locale": {"number": number, "time": time}}


ENGLISH = Language()
FEW, PROTECTS = "few", "protects"
"""Why a figure is hidden: too few people stand behind it, or it would give away another group."""


def reason_of(note: str) -> str:
    """Why a row of the results is hidden, by its note, which is in English; empty where the note leaves that open.

    Examples
    --------
    >>> reason_of("hidden to protect another group"), reason_of("stated per initiative")
    ('protects', '')
    """
    return next((reason for reason in (FEW, PROTECTS) if note == ENGLISH.say(f"note.{reason}")), "")


def warm() -> None:
    """Read the phrases of every language and how it writes: for a process that others are forked from."""
    for code in codes():
        language = Language(code)
        language.is_number(language.number(1.5, 1))
        language.day("2026-09-30")


@cache
def _numbers(code: str) -> re.Pattern[str]:
    """What a cell of numbers looks like: a number with at most a unit, or an interval."""
    known = phrases(code)
    keys = [f"unit.{name}" for name in ("share", "hours", "minutes", "seconds", "days#one", "days#other")]
    units = {known[key].format(number="").strip() for key in keys}
    between = known["unit.range"].format(low="", high="").strip()
    named = "|".join(map(re.escape, sorted(units, key=len, reverse=True)))
    return re.compile(rf"[<>]?\s?[{MINUS}+-]?[\d{THIN}.,]+(\s?({named})|\s?{re.escape(between)}\s.*)?|{NOTHING}|")
