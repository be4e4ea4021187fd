"""Read the phrases of each language from `<lang>.csv`, and check translations against the English ones."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from string import Formatter

from babel import Locale, UnknownLocaleError

from aiready.package_files import read_records

FOLDER = Path(__file__).parent
SOURCE_LANGUAGE = "en"
PLURAL_FORMS = ("zero", "one", "two", "few", "many", "other")
"""What may follow `#` in a key: the plural forms of CLDR, where `zero` is the number 0 in every language."""


def language_codes() -> tuple[str, ...]:
    """Codes of the languages that have a file of phrases, English first."""
    available = sorted(path.stem for path in FOLDER.glob("*.csv"))
    return (SOURCE_LANGUAGE, *(code for code in available if code != SOURCE_LANGUAGE))


@cache
def phrases(code: str) -> Mapping[str, str]:
    """The phrases of one language: key -> text."""
    return {row["key"]: row["text"] for row in read_records(FOLDER / f"{code}.csv")}


def blanks(text: str) -> set[str]:
    """Names of the blanks of a phrase.

    Examples
    --------
    >>> sorted(blanks("{done_n} of {total} agreed actions done"))
    ['done', 'total']
    """
    return {name.removesuffix("_n") for _, name, _, _ in Formatter().parse(text) if name}


def translation_problems(code: str) -> list[str]:
    """Everything that is wrong with the phrases of a language compared with the English ones, a line each."""
    english, translated = phrases(SOURCE_LANGUAGE), phrases(code)
    problems = (
        *_missing_phrases(english, translated),
        *_unknown_keys_and_blanks(english, translated),
        *_format_problems(translated),
    )
    return [f"phrases/{code}.csv: {problem}" for problem in problems]


def _missing_phrases(english: Mapping[str, str], translated: Mapping[str, str]) -> Iterator[str]:
    """Phrases that are missing or empty. A language may have other plural forms than English, but needs `other`."""
    for key in english:
        base, _, variant = key.partition("#")
        needed = f"{base}#other" if variant else base
        if needed not in translated and (not variant or variant == "other"):
            yield f'"{needed}" is missing ("{english[key]}"). Add its row.'
    for key, text in translated.items():
        if not text.strip():
            yield f'"{key}" is empty. Fill it in.'


def _unknown_keys_and_blanks(english: Mapping[str, str], translated: Mapping[str, str]) -> Iterator[str]:
    """Keys that English does not have, and blanks that differ from those of the English phrase."""
    english_by_base = {key.partition("#")[0]: text for key, text in english.items()}
    for key, text in translated.items():
        base, _, variant = key.partition("#")
        if base not in english_by_base or (variant and variant not in PLURAL_FORMS):
            yield f'"{key}" is no phrase. Correct or remove it.'
            continue
        try:
            text_blanks = blanks(text)
        except ValueError:
            yield f'"{key}" has a brace without its partner. Close it, or remove it.'
            continue
        english_blanks = blanks(english_by_base[base])
        count_blanks = {"count", "n"} if variant else set()
        if text_blanks - count_blanks != english_blanks - count_blanks:
            difference = f"{_braced(text_blanks)}, not {_braced(english_blanks)}"
            yield f'"{key}" has the blanks {difference}: "{text}". Write the same.'


def _braced(names: set[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names)) or "(none)"


def _format_problems(translated: Mapping[str, str]) -> Iterator[str]:
    """Invalid values of the phrases `format.*`, which set how a language writes numbers, dates and names."""
    locale = translated.get("format.locale", "")
    try:
        Locale.parse(locale)
    except (ValueError, UnknownLocaleError):
        yield f'"format.locale" is "{locale}", which is no locale. Write de_DE, es_ES or the like.'
    if translated.get("format.inside", "lower") not in ("lower", "same"):
        yield '"format.inside" must be lower (names are lower-case within a sentence) or same.'
    if not re.fullmatch(r"\d+", translated.get("format.group_from", "1000")):
        yield '"format.group_from" must be a whole number, from which on thousands are set apart: 1000.'
