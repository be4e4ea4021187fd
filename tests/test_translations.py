"""Instrument and phrases say in every language what they say in the first: row by row, blank by blank, mark by mark."""

import csv
import re

import pytest

from aiready.instrument.files import FILES
from aiready.messages.catalogue import phrases
from aiready.package_files import package_file

READ = {
    "actions": ("action", "reason", "first_step", "owner_role"),
    "bands": ("name",),
    "barriers": ("name", "statement"),
    "blockers": ("label",),
    "indicators": ("label",),
    "patterns": ("name", "fits_when", "oversight", "fails_by"),
    "twins": ("says", "label"),
}
"""Columns that reach a reader, file by file; all else of a file is code or number."""
CASES = [(name, code) for name in READ for code in ("de", "es")]
MARKS = {"de": "„“", "es": "«»"}


def rows(file: str) -> list[dict[str, str]]:
    with (package_file("data/instrument") / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def pairs(name: str, code: str) -> list[tuple[str, str]]:
    """Every text beside its translation."""
    return [
        (first[column], other[column])
        for first, other in zip(rows(f"{name}.csv"), rows(f"{name}.{code}.csv"), strict=True)
        for column in READ[name]
    ]


@pytest.mark.parametrize(("name", "code"), CASES)
def test_a_translation_holds_the_key_and_the_texts_of_every_row_in_order(name: str, code: str) -> None:
    key = FILES[name].key
    first, other = rows(f"{name}.csv"), rows(f"{name}.{code}.csv")
    assert tuple(other[0]) == (*key, *READ[name])
    assert [[row[column] for column in key] for row in other] == [[row[column] for column in key] for row in first]


@pytest.mark.parametrize(("name", "code"), CASES)
def test_every_text_is_translated_and_leaves_the_same_blanks_open(name: str, code: str) -> None:
    for english, text in pairs(name, code):
        assert text
        assert text != english
        assert text == " ".join(text.split())
        assert sorted(re.findall(r"\{.*?\}", text)) == sorted(re.findall(r"\{.*?\}", english)), text
        assert text.endswith(".") == english.endswith("."), text


@pytest.mark.parametrize(("name", "code"), CASES)
def test_texts_that_are_one_stay_one_and_others_stay_apart(name: str, code: str) -> None:
    """A reader tells two things apart by their words, in every language."""
    for column in READ[name]:
        told = list(zip(rows(f"{name}.csv"), rows(f"{name}.{code}.csv"), strict=True))
        found = {(first[column], other[column]) for first, other in told}
        assert len(found) == len({english for english, _ in found}) == len({text for _, text in found})


@pytest.mark.parametrize("code", MARKS)
def test_quotation_marks_are_those_of_the_language(code: str) -> None:
    said = [text for key, text in phrases(code).items() if not key.startswith("format.")]
    opening, closing = MARKS[code]
    for text in [*said, *(text for name in READ for _, text in pairs(name, code))]:
        assert text.count(opening) == text.count(closing), text
        assert not set(text) & (set("\"'„“”«»") - set(MARKS[code])), text


@pytest.mark.parametrize("code", MARKS)
def test_a_phrase_is_a_sentence_where_the_english_one_is(code: str) -> None:
    english = {key.partition("#")[0]: text for key, text in phrases("en").items()}
    for key, text in phrases(code).items():
        first = english[key.partition("#")[0]]
        assert text.endswith(".") == first.endswith("."), text
        assert text.endswith("?") == first.endswith("?"), text


@pytest.mark.parametrize("code", MARKS)
def test_a_number_never_parts_from_its_per_cent_sign(code: str) -> None:
    assert [text for text in phrases(code).values() if re.search(r"\d %|\} %", text)] == []


@pytest.mark.parametrize("code", MARKS)
def test_counted_records_stand_as_a_pair_that_can_be_worded(code: str) -> None:
    """`3 of 9`: the two blanks stand together wherever they do in English, so that a count may take their place."""
    between = {"de": "{value} von {n}", "es": "{value} de {n}"}[code]
    for english, text in pairs("actions", code):
        assert ("{value} of {n}" in english) == (between in text), text
