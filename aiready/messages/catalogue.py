"""The files of phrases: read, and held to the English one."""

import csv
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from string import Formatter

from babel import Locale, UnknownLocaleError

FOLDER = Path(__file__).parent
FIRST = "en"
VARIANTS = ("zero", "one", "two", "few", "many", "other")
"""What may stand behind `#`: nothing at all (`zero`), else the plural forms of CLDR."""
_SETTINGS = "format."
"""Phrases that say how numbers, dates and names are written: a translator fills them as the language asks."""


def codes() -> tuple[str, ...]:
    """Languages there are phrases in, the first one first."""
    found = sorted(path.stem for path in FOLDER.glob("*.csv"))
    return (FIRST, *(code for code in found if code != FIRST))


@cache
def phrases(code: str) -> Mapping[str, str]:
    """The phrases of one language: key -> text."""
    with (FOLDER / f"{code}.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["key"]: row["text"] for row in csv.DictReader(file)}


def blanks(text: str) -> set[str]:
    """Names of the blanks of a phrase.

    Examples
    --------
    >>> sorted(blanks("{done_n} of {total} agreed actions done"))
    ['done', 'total']
    """
    return {name.removesuffix("_n") for _, name, _, _ in Formatter().parse(text) if name}


def problems(code: str) -> list[str]:
    """Everything that keeps a language's phrases from saying what the English ones say, each as a line."""
    first, spoken = phrases(FIRST), phrases(code)
    file = f"phrases/{code}.csv"
    return [f"{file}: {said}" for said in (*_gaps(first, spoken), *_strange(first, spoken), *_settings(spoken))]


def _base(key: str) -> str:
    return key.partition("#")[0]


def _gaps(first: Mapping[str, str], spoken: Mapping[str, str]) -> Iterator[str]:
    """Phrases that are missing or empty; a language may have other plural forms, and needs `other` at least."""
    for key in first:
        base, _, variant = key.partition("#")
        needed = f"{base}#other" if variant else base
        if needed not in spoken and (not variant or variant == "other"):
            yield f'"{needed}" is missing ("{first[key]}"). Add its row.'
    for key, text in spoken.items():
        if not text.strip():
            yield f'"{key}" is empty. Fill it in.'


def _strange(first: Mapping[str, str], spoken: Mapping[str, str]) -> Iterator[str]:
    """Keys that mean nothing, and blanks that are not those of the English phrase."""
    known = {_base(key): text for key, text in first.items()}
    for key, text in spoken.items():
        base, _, variant = key.partition("#")
        if base not in known or (variant and variant not in VARIANTS):
            yield f'"{key}" is no phrase. Correct or remove it.'
            continue
        try:
            found = blanks(text)
        except ValueError:
            yield f'"{key}" has a brace without its partner. Close it, or remove it.'
            continue
        asked = blanks(known[base])
        count = {"count", "n"} if variant else set()
        if found - count != asked - count:
            yield f'"{key}" has the blanks {_named(found)}, not {_named(asked)}: "{text}". Write the same.'


def _named(names: set[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names)) or "(none)"


def _settings(spoken: Mapping[str, str]) -> Iterator[str]:
    """Formats that are none."""
    locale = spoken.get("format.locale", "")
    try:
        Locale.parse(locale)
    except (ValueError, UnknownLocaleError):
        yield f'"format.locale" is "{locale}", which is no locale. Write de_DE, es_ES or the like.'
    if spoken.get("format.inside", "lower") not in ("lower", "same"):
        yield '"format.inside" must be lower (names are lower-case within a sentence) or same.'
    if not re.fullmatch(r"\d+", spoken.get("format.group_from", "1000")):
        yield '"format.group_from" must be a whole number, from which on thousands are set apart: 1000.'
