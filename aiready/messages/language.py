"""One language of the pages: fill its phrases, format its numbers."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from aiready.errors import unknown_name
from aiready.messages.catalogue import SOURCE_LANGUAGE, language_codes, phrases
from aiready.messages.formats import MINUS, MISSING, THIN, Formats


@dataclass(frozen=True)
class Language(Formats):
    """One language that pages are written in; `code` is a value of HTML's `lang`."""

    code: str = SOURCE_LANGUAGE

    @classmethod
    def of(cls, code: str = "") -> "Language":
        """The language of a code; English for a blank code.

        Raises
        ------
        UsageError
            There is no such language; the message suggests the nearest code.
        """
        if code and code not in language_codes():
            raise unknown_name("language", code, language_codes())
        return cls(code or SOURCE_LANGUAGE)

    def say(self, key: str, number: float | None = None, /, **blanks: Any) -> str:
        """Fill the blanks of a phrase.

        Parameters
        ----------
        key
            Key of the phrase. With a `number`, the plural form that the language's rules select: `key#one`,
            `key#other`; for 0 `key#zero`, where it exists.
        blanks
            Values of the blanks. An integer fills {name} as a word up to ten, and {name_n} in digits; `number` fills
            {count} and {n} in the same way.

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
        """Key of the plural form of a phrase for a number."""
        catalogue = phrases(self.code)
        form = str(self.locale.plural_form(int(number)))
        candidates = (f"{key}#zero" if number == 0 else "", f"{key}#{form}", f"{key}#other", key)
        return next(name for name in candidates if name in catalogue)

    def label(self, key: str, otherwise: str = "") -> str:
        """Label of a value in the data: the phrase of that key, else `otherwise`, else the key after its first dot."""
        return phrases(self.code).get(key.replace(" ", "_"), otherwise or key.partition(".")[2])

    def capitalize(self, text: str) -> str:
        """A text with its first letter capital, the rest unchanged.

        Examples
        --------
        >>> ENGLISH.capitalize("AI steps"), ENGLISH.capitalize("users in from idea")
        ('AI steps', 'Users in from idea')
        """
        return f"{text[:1].upper()}{text[1:]}"

    def mid_sentence(self, name: str) -> str:
        """A name as it is written within a sentence: in lower case, except in languages that capitalise nouns.

        Examples
        --------
        >>> ENGLISH.mid_sentence("Trust and governance")
        'trust and governance'
        """
        return name.lower() if phrases(self.code)["format.inside"] == "lower" else name

    def is_number(self, text: str) -> bool:
        """Whether a table cell reads as a number (and is right-aligned).

        Examples
        --------
        >>> [ENGLISH.is_number(text) for text in ("4.2 h", "58 to 72", "", "3 of 9")]
        [True, True, True, False]
        """
        return _number_pattern(self.code).fullmatch(text) is not None

    def vega_locale(self) -> dict[str, Any]:
        """Vega-Lite's `config.locale` for what it formats itself; empty in English, its default."""
        if self.code == SOURCE_LANGUAGE:
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
"""Why a figure is hidden: too few people are behind it, or another group could be derived from it."""


def suppression_reason(note: str) -> str:
    """Why a row of the results is hidden, from its English note: `FEW`, `PROTECTS`, or empty for another note.

    Examples
    --------
    >>> suppression_reason("hidden to protect another group"), suppression_reason("stated per initiative")
    ('protects', '')
    """
    return next((reason for reason in (FEW, PROTECTS) if note == ENGLISH.say(f"note.{reason}")), "")


def warm_up() -> None:
    """Fill the caches of every language, in a process that others are forked from."""
    for code in language_codes():
        language = Language(code)
        language.is_number(language.number(1.5, 1))
        language.day("2026-09-30")


@cache
def _number_pattern(code: str) -> re.Pattern[str]:
    """Pattern of a numeric cell: a number with at most a unit, an interval, the dash of a missing value, or blank."""
    catalogue = phrases(code)
    keys = [f"unit.{name}" for name in ("share", "hours", "minutes", "seconds", "days#one", "days#other")]
    units = {catalogue[key].format(number="").strip() for key in keys}
    range_word = catalogue["unit.range"].format(low="", high="").strip()
    unit = "|".join(map(re.escape, sorted(units, key=len, reverse=True)))
    number = rf"[<>]?\s?[{MINUS}+-]?[\d{THIN}.,]+"
    return re.compile(rf"{number}(\s?({unit})|\s?{re.escape(range_word)}\s.*)?|{MISSING}|")
