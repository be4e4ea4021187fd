"""Account for every number of a page: the phrase that holds it, and the cell that its blank was filled from."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from lookups import FORMATS, IMPLIED, LOOKUPS, NAMES, NUMBER, Reader, agree, look_up_of
from recording import Phrase, Text

COUNTED = re.compile(rf"{NUMBER.pattern}|\b(?:no|none|one)\b", re.IGNORECASE)

BLANKED = "…"


@dataclass(frozen=True)
class Number:
    """A number of a page: key and blank of its phrase, as printed, and the blanks and the place around it."""

    key: str
    blank: str
    printed: object
    around: Mapping[str, object]

    def problem(self, reader: Reader) -> tuple:
        """What is wrong with the number: it has no look-up, or is not what was looked up. Empty if it is right."""
        look_up = look_up_of(self.key, self.blank)
        if look_up is None:
            return self.key, self.blank, self.printed, "no look-up"
        value = look_up(reader, self.around)
        return () if agree(self.printed, value) else (self.key, self.blank, self.printed, value)


def _has_number(phrase: Phrase) -> bool:
    counted = any(not isinstance(value, str) or COUNTED.search(value) for value in phrase.blanks.values())
    numbered = counted or phrase.key in IMPLIED or NUMBER.search(phrase.sentence)
    return bool(numbered) and not phrase.key.startswith(FORMATS)


class Accounts:
    """Finds the phrases of a page in its texts."""

    def __init__(self, reader: Reader, phrases: list[Phrase]) -> None:
        self.reader = reader
        self.figures = sorted((key for key in LOOKUPS if key.startswith("fig-")), key=len, reverse=True)
        known = {f"{phrase.key} {phrase.sentence}": phrase for phrase in phrases if _has_number(phrase)}
        self.phrases = sorted(known.values(), key=lambda phrase: len(phrase.sentence), reverse=True)
        self.patterns = cache(lambda text: re.compile(rf"(?<!\w){re.escape(text)}(?!\w)", re.IGNORECASE))
        self.reasons = sorted(reader.reasons(), key=len, reverse=True)

    def numbers(self, text: Text) -> Iterator[Number]:
        """The numbers of a text; what no phrase accounts for has neither key nor look-up."""
        section = {name.lower(): key for name, key in self.reader.named.items()}.get(text.section.lower(), "")
        place = {"section": section, "row": text.row, "figure": text.figure, "text": text.text, "within": ""}
        marks = text.text.rstrip(".").split(". ") if text.tag == "desc" else [text.text]
        for mark in filter(COUNTED.search, marks):
            left, figure = mark, next((key for key in self.figures if text.figure.startswith(key)), "")
            if text.tag == "desc" and figure and ": " in mark:
                left, _, value = mark.rpartition(": ")
                yield Number(figure, "value", value, {**place, "head": left})
            yield from self._in_text(left, place)

    def _in_text(self, text: str, around: Mapping[str, object]) -> Iterator[Number]:
        left = text
        for reason in self.reasons:
            left = left.replace(reason, BLANKED * len(reason))
        for phrase in self.phrases:
            if phrase.sentence.lower() in left.lower() and (match := self.patterns(phrase.sentence).search(left)):
                yield from self._in_phrase(phrase, {"head": text[: match.start()].rpartition(": ")[0], **around})
                left = self.patterns(phrase.sentence).sub(BLANKED * len(phrase.sentence), left)
        for words in self.reader.given:
            left = left.replace(words, "")
        if NUMBER.search(left := self.reader.dates.sub("", left)):
            yield Number("", "", left, around)

    def _in_phrase(self, phrase: Phrase, around: Mapping[str, object]) -> Iterator[Number]:
        if phrase.key in NAMES:
            return
        context = {**around, **phrase.blanks}
        implied = {name: phrase.blanks.get(value, value) for name, value in IMPLIED.get(phrase.key, {}).items()}
        for name, value in (*phrase.blanks.items(), *implied.items()):
            if not isinstance(value, str):
                yield Number(phrase.key, name, value, context)
                continue
            inner = list(self._in_text(value, {**context, "within": phrase.key}))
            for number in inner:
                yield number if number.key else Number(phrase.key, name, value, context)
