"""The questionnaire in every shipped language keeps the rules of the first, and a gap in one is refused."""

import re
import shutil
from pathlib import Path

import pytest

from aiready.collection.questionnaire import build_questionnaire
from aiready.errors import InstrumentError, UsageError
from aiready.instrument.files import level_columns
from aiready.instrument.languages import WORDS
from aiready.instrument.model import Instrument, read_instrument
from aiready.model.schema import ROLES
from aiready.package_files import package_file

LEVELS = list(level_columns(5))
SHIPPED = ("en", "de", "es")
BANNED = {
    "de": (
        r"\b(vollständig|oft|häufig|klar|deutlich|nur|sogar|teilweise|wirklich|richtig|regelmäßig|ausreichend|völlig"
        r"|manchmal|selten|meistens|aktiv|immer|nie|niemals|gut|gute|schlecht|ausgezeichnet|stimme|strategie"
        r"|organisation|fühle|fühlen|und)\b"
    ),
    "es": (
        r"\b(totalmente|frecuencia|claramente|solo|sólo|incluso|parcialmente|realmente|debidamente|regularmente"
        r"|suficientemente|completamente|veces|raramente|normalmente|activamente|siempre|nunca|buen|buena|mal|malo"
        r"|excelente|acuerdo|estrategia|organización|siento|sienten)\b"
    ),
}
GIVEN = {"involvement_timing", "reported_errors", "results_returned"}


@pytest.fixture(scope="module")
def rules() -> Instrument:
    return read_instrument()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "instrument"
    shutil.copytree(package_file("data/instrument"), copy)
    return copy


def words(text: str) -> int:
    return len(text.split())


def test_three_languages_are_shipped_english_first(rules: Instrument) -> None:
    assert tuple(rules.languages) == SHIPPED
    assert rules.in_language().code == "en"
    with pytest.raises(UsageError, match="Known languages: de, en, es"):
        rules.in_language("fr")


@pytest.mark.parametrize("code", SHIPPED)
def test_every_language_words_every_item_level_and_word(rules: Instrument, code: str) -> None:
    spoken = rules.in_language(code)
    assert spoken.items["item_id"].tolist() == rules.items["item_id"].tolist()
    assert (spoken.items[["facet_label", "wording", *LEVELS]] != "").all(axis=None)
    assert set(spoken.words) == set(WORDS)


@pytest.mark.parametrize("code", ["de", "es"])
def test_no_text_is_left_in_english(rules: Instrument, code: str) -> None:
    first, spoken = rules.in_language("en"), rules.in_language(code)
    columns = ["facet_label", "wording", *LEVELS]
    assert not (first.items[columns] == spoken.items[columns]).any(axis=None)
    assert [word for word in WORDS if first.words[word] == spoken.words[word]] == []


@pytest.mark.parametrize("code", SHIPPED)
def test_stems_and_levels_stay_short_in_every_language(rules: Instrument, code: str) -> None:
    items = rules.in_language(code).items
    asked = items["wording"].where(
        items["item_id"] != "involvement_timing", items["wording"].str.split(". ", regex=False).str[-1]
    )
    levels = items[LEVELS].map(words).to_numpy()
    assert asked.map(words).max() <= 20
    assert levels.max() <= 16
    assert levels.mean() <= 10


@pytest.mark.parametrize("code", SHIPPED)
def test_every_stem_is_one_question_and_levels_are_sentences_that_differ(rules: Instrument, code: str) -> None:
    items = rules.in_language(code).items
    assert (items["wording"].str.count(r"\?") == 1).all()
    assert items["wording"].str.endswith("?").all()
    if code == "es":
        assert (items["wording"].str.count("¿") == 1).all()
    for levels in items[LEVELS].to_numpy():
        assert len({level.casefold() for level in levels}) == 5
        assert all(level[0].isupper() and level.endswith(".") for level in levels)


@pytest.mark.parametrize("code", BANNED)
def test_no_adverb_absolute_praise_or_second_fact_carries_a_level(rules: Instrument, code: str) -> None:
    items = rules.in_language(code).items
    own = items[~items["item_id"].isin(GIVEN)]
    texts = own[["wording", *LEVELS]].to_numpy().ravel()
    assert [text for text in texts if re.search(BANNED[code], text, re.IGNORECASE)] == []
    if code == "es":  # “preguntó y” would join two facts; between two nouns it would be one
        assert [text for text in texts if " y " in text] == []


@pytest.mark.parametrize("code", ["de", "es"])
def test_levels_run_parallel_to_the_english_ones(rules: Instrument, code: str) -> None:
    """A level that English makes longer by a fact is longer in the other language too; signs of lists match."""
    first, spoken = rules.in_language("en").items, rules.in_language(code).items
    for english, other in zip(first[LEVELS].to_numpy(), spoken[LEVELS].to_numpy(), strict=True):
        for k in range(5):
            assert ("“" in english[k]) == bool(re.search("[„«]", other[k])), other[k]
            assert 0.4 <= words(other[k]) / words(english[k]) <= 2.5, other[k]


@pytest.mark.parametrize("code", SHIPPED)
def test_the_introduction_leaves_the_same_blanks_open(rules: Instrument, code: str) -> None:
    def blanks(text: str) -> list[str]:
        return sorted(re.findall(r"\{(\w+)\}", text))

    intro = rules.in_language(code).intro
    assert blanks(intro) == blanks(rules.intro)
    assert intro.count("**") == rules.intro.count("**")


@pytest.mark.parametrize("code", SHIPPED)
def test_the_introduction_names_the_two_other_answers_as_they_stand(rules: Instrument, code: str) -> None:
    spoken = rules.in_language(code)
    text = " ".join(spoken.intro.split())
    assert all(spoken.words[f"answer.{answer}"] in text for answer in ("does_not_apply", "dont_know"))


# The questionnaire of one language


@pytest.mark.parametrize("code", SHIPPED)
def test_opening_questions_come_first_and_a_comment_last(rules: Instrument, code: str) -> None:
    asked = build_questionnaire(rules, code)
    ids = [question.id for question in asked.questions]
    assert ids == ["unit_id", "role", "ai_use", *rules.items["item_id"], "comment"]
    assert asked.language == code


def test_items_carry_levels_then_the_two_other_answers_and_the_roles_asked(rules: Instrument) -> None:
    asked = {question.id: question for question in build_questionnaire(rules, "de").items}
    origin = asked["idea_origin"]
    assert [choice.value for choice in origin.choices] == ["1", "2", "3", "4", "5", "does not apply", "don't know"]
    assert [choice.code for choice in origin.choices] == ["1", "2", "3", "4", "5", "NA", "DK"]
    assert origin.choices[0].text == "Das Werkzeug kam ohne Aufgabe."
    assert origin.choices[-1].text == "Weiß ich nicht"
    assert origin.roles == ("manager", "technical", "executive")
    assert not origin.is_asked_of("frontline")
    assert origin.is_asked_of("")
    assert asked["reported_errors"].for_all


def test_units_are_offered_by_name_with_short_codes(rules: Instrument) -> None:
    units = {"claims-north": "Claims north", "claims-south": "Claims south", "it": "IT"}
    unit, role, _ = build_questionnaire(rules, units=units).opening
    assert [choice.value for choice in unit.choices] == list(units)
    assert [choice.text for choice in unit.choices] == list(units.values())
    codes = [choice.code for choice in unit.choices]
    assert len(set(codes)) == 3
    assert all(re.fullmatch("[A-Za-z0-9]{1,5}", code) for code in codes)
    assert [choice.value for choice in role.choices] == list(ROLES)


def test_what_about_says_fills_the_introduction_and_the_rest_is_named(rules: Instrument) -> None:
    asked = build_questionnaire(rules, about={"organisation": "Varnholt", "contact": ""})
    assert "Varnholt wants to find" in asked.intro
    assert "groups of at least 5 people" in " ".join(asked.intro.split())
    assert asked.blanks == ("ai_examples", "retention", "contact")
    assert "[contact]" in asked.intro
    assert "{" not in asked.intro


# Gaps


def spoil(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_every_gap_of_a_translation_is_named_at_once(folder: Path) -> None:
    spoil(folder / "items.de.csv", "team_goal", "team_gaol")
    spoil(folder / "items.de.csv", "Was das Werkzeug tut.", "")
    spoil(folder / "words.es.csv", "role.manager", "role.boss")
    spoil(folder / "intro.es.md", "{retention}", "{retencion}")
    with pytest.raises(InstrumentError) as caught:
        read_instrument(folder)
    text = str(caught.value)
    assert 'items.de.csv, column "item_id": item "team_goal" is missing' in text
    assert 'items.de.csv, row 3, column "level_2": is empty' in text
    assert 'words.es.csv, row 7, column "word_id": Unknown word "role.boss"' in text
    assert 'intro.es.md: Unknown placeholder "retencion"' in text
    assert len(text.splitlines()) == 4


def test_a_level_too_few_or_a_missing_introduction_is_refused(folder: Path) -> None:
    spoil(folder / "items.es.csv", "level_3", "nivel_3")
    (folder / "intro.de.md").unlink()
    with pytest.raises(InstrumentError) as caught:
        read_instrument(folder)
    assert 'items.es.csv: column "level_3" is missing' in str(caught.value)
    assert "intro.de.md: missing from" in str(caught.value)


def test_words_a_folder_leaves_out_are_the_shipped_ones(folder: Path) -> None:
    (folder / "words.de.csv").write_text("word_id,text\nanswer.dont_know,Keine Angabe möglich\n", encoding="utf-8")
    said = read_instrument(folder).in_language("de").words
    assert said["answer.dont_know"] == "Keine Angabe möglich"
    assert said["answer.does_not_apply"] == "Trifft nicht zu"


def test_items_of_an_own_instrument_are_never_taken_from_the_shipped_translation(folder: Path) -> None:
    for path in folder.glob("items.*.csv"):
        path.unlink()
    assert tuple(read_instrument(folder).languages) == ("en",)


def test_an_instrument_may_be_written_in_another_language(folder: Path) -> None:
    for name in ("items", "intro"):
        (path,) = folder.glob(f"{name}.de.*")
        kept = path.read_text(encoding="utf-8")
        if name == "intro":
            (folder / "intro.md").write_text(kept, encoding="utf-8")
        path.unlink()
    spoil(folder / "settings.csv", "language,en", "language,de")
    rules = read_instrument(folder)
    assert tuple(rules.languages) == ("de", "es")
    assert build_questionnaire(rules).title == "Wie passt KI zu Ihrer Arbeit?"
    assert build_questionnaire(rules).opening[1].choices[0].text == "Ich mache die tägliche Arbeit des Bereichs."


def test_the_language_of_the_items_does_not_stand_there_twice(folder: Path) -> None:
    shutil.copy(folder / "items.de.csv", folder / "items.en.csv")
    with pytest.raises(InstrumentError, match=r"items\.en\.csv: items\.csv is in this language already"):
        read_instrument(folder)


def test_a_language_that_nobody_shipped_needs_its_words(folder: Path) -> None:
    shutil.copy(folder / "items.es.csv", folder / "items.pt-br.csv")
    shutil.copy(folder / "intro.es.md", folder / "intro.pt-br.md")
    with pytest.raises(InstrumentError, match=r"words\.pt-br\.csv: 2\d words are missing \(question\.unit_id"):
        read_instrument(folder)
    shutil.copy(folder / "words.es.csv", folder / "words.pt-br.csv")
    assert "pt-br" in read_instrument(folder).languages
