"""Phrases: every language says all that English says; numbers, dates and lists read as its readers expect."""

import pandas as pd
import pytest

from aiready import messages
from aiready.errors import UsageError
from aiready.messages import ENGLISH, NBSP, THIN, Language, catalogue
from aiready.model.registry import MEASURES
from aiready.model.schema import STAGES, TABLES


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A folder of phrases of its own: English, and what a translator wrote."""

    def write(translated: dict[str, str]) -> list[str]:
        first = {"a": "{name} is here", "b#one": "one page", "b#other": "{count} pages", "c": "Plain"}
        for code, rows in (("en", first), ("xx", translated)):
            frame = pd.DataFrame(rows.items(), columns=["key", "text"])
            frame.to_csv(tmp_path / f"{code}.csv", index=False)
        monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
        catalogue.phrases.cache_clear()
        return catalogue.translation_problems("xx")

    yield write
    catalogue.phrases.cache_clear()


GOOD = {"a": "{name} ist da", "b#one": "eine Seite", "b#other": "{count_n} Seiten", "c": "Schlicht",
        "format.locale": "de_DE"}  # fmt: skip


def _without_formats(problems):
    return [problem for problem in problems if "format." not in problem]


@pytest.mark.parametrize("code", messages.language_codes())
def test_every_shipped_language_says_all_that_english_says(code):
    assert messages.translation_problems(code) == []


def test_a_translation_with_the_same_blanks_and_its_own_plural_forms_is_fine(written):
    assert _without_formats(written({**GOOD, "b#few": "{n} Seiten"})) == []


def test_everything_a_translation_lacks_is_named_at_once(written):
    said = "\n".join(
        written({"a": "{nam} ist da", "b#one": "eine Seite", "c": " ", "d": "mehr", "format.locale": "qq"})
    )
    assert '"b#other" is missing ("{count} pages")' in said
    assert '"c" is empty' in said
    assert '"d" is no phrase' in said
    assert '"a" has the blanks {nam}, not {name}' in said
    assert '"format.locale" is "qq"' in said


def test_a_brace_without_its_partner_is_named(written):
    assert any("brace" in said for said in written({**GOOD, "a": "{name ist da"}))


def test_an_unknown_language_is_refused_with_those_there_are():
    with pytest.raises(UsageError, match="en"):
        Language.of("xx")


def test_measures_tables_and_stages_are_called_in_english_what_they_are_called_in_the_package():
    known = catalogue.phrases("en")
    assert {key.partition(".")[2]: text for key, text in known.items() if key.startswith("measure.")} == {
        name: measure.label for name, measure in MEASURES.items()
    }
    for key, text in known.items():
        if key.startswith("collect."):
            assert text == TABLES[key.partition(".")[2]].collect
    assert [known[f"stage.{stage}"] for stage in STAGES] == list(STAGES)


def test_a_count_is_a_word_or_a_numeral_as_the_phrase_asks():
    assert ENGLISH.say("todo.heading", 3) == "three things to do next"
    assert ENGLISH.say("initiatives.subtitle", 3) == "3 initiatives on record"
    assert ENGLISH.say("agreed.some_late", 0, total=9, late=2) == "Of nine agreed actions none is done, two overdue"


def test_none_has_a_phrase_of_its_own_where_there_is_one():
    assert ENGLISH.say("key.overdue", 0) == "no actions overdue"


def test_numbers_dates_and_lists_are_british_without_a_comma_before_and():
    assert ENGLISH.number(1234.5, 1) == f"1{THIN}234.5"
    assert ENGLISH.short_day(pd.Timestamp("2026-09-03")) == f"3{NBSP}Sep{NBSP}2026"
    assert ENGLISH.join_names(["one", "two", "three"]) == "one, two and three"
    assert ENGLISH.join_names([]) == ""


@pytest.mark.parametrize("text", ["5", "48 %", "< 1 %", "3.9 to 4.6", f"1{THIN}234 h", "41 days", "–", ""])
def test_numbers_stand_to_the_right(text):
    assert ENGLISH.is_number(text)


@pytest.mark.parametrize("text", ["3 of 9", "Claims", "31 in 100", "5 pilots"])
def test_words_stand_to_the_left(text):
    assert not ENGLISH.is_number(text)
