"""Every number in every sentence of a page: the blank that it fills, looked up anew in the tables of results."""

import json
import re
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache

import pandas as pd
import pytest
from accounts import Accounts, Number
from conftest import REPORTED, SAMPLE
from lookups import LOOKUPS, NUMBER, WORDS, Reader
from recording import Page, recorded_page, texts_of_markup

from aiready import Assessment
from aiready.messages.catalogue import blanks, phrases
from aiready.pages import sentences as narrative

pytestmark = pytest.mark.slow
UNITS = ("*", "customer-operations", "underwriting-products", "members-distribution", "corporate-services",
         "motor-claims", "property-claims", "injury-claims", "contact-centre", "commercial-underwriting",
         "personal-underwriting", "actuarial-pricing", "broker-service", "member-marketing", "policy-administration",
         "data-it", "finance", "legal-compliance", "treasury")  # fmt: skip


@pytest.fixture(scope="module")
def page_of(sample):
    """The recorded page of a unit of the sample, or of the organisation, by its id, made once."""
    return cache(lambda unit_id: recorded_page(_unit(sample, unit_id)))


def _unit(organisation, unit_id: str):
    return organisation if unit_id == "*" else organisation.unit(unit_id)


def numbers(unit, page: Page) -> list[Number]:
    accounts = Accounts(Reader(unit), page.phrases)
    return [number for text in page.texts for number in accounts.numbers(text)]


def problems(unit, page: Page) -> list[tuple]:
    reader = Reader(unit)
    return [problem for number in numbers(unit, page) if (problem := number.problem(reader))]


def test_every_unit_of_the_sample_is_read(sample):
    assert set(UNITS) == {"*", *sample.units["unit_id"]}


@pytest.mark.parametrize("unit_id", UNITS)
def test_every_number_in_every_sentence_is_in_the_tables(sample, page_of, unit_id):
    unit, page = _unit(sample, unit_id), page_of(unit_id)
    assert problems(unit, page) == []
    assert len(numbers(unit, page)) > (400 if unit_id in ("motor-claims", "*") else 15)


@pytest.mark.parametrize("unit_id", ["*", *REPORTED])
def test_so_it_is_on_the_pages_that_are_published(sample, page_of, reports_folder, unit_id):
    path = reports_folder / ("overview/portfolio.html" if unit_id == "*" else f"units/{unit_id}.html")
    unit, page = _unit(sample, unit_id), page_of(unit_id)
    published = replace(page, texts=texts_of_markup(path.read_text(encoding="utf-8")))
    assert problems(unit, published) == []
    assert len(numbers(unit, published)) >= len(numbers(unit, page))


@pytest.mark.parametrize(
    "tables", [("units",), ("tasks",), ("decisions",), ("initiatives", "trials"), ("units", "responses")], ids="+".join
)
def test_so_it_is_where_little_is_given(tmp_path, tables):
    for name in tables:
        for path in SAMPLE.glob(f"{name}.*"):
            shutil.copy(path, tmp_path)
    whole = Assessment.open(tmp_path)
    for unit in (whole.unit("motor-claims"), whole):
        assert problems(unit, recorded_page(unit)) == []


def test_so_it_is_without_units_or_waves(small):
    unit = small.unit("claims")
    page = recorded_page(unit)
    assert problems(unit, page) == []
    assert len(numbers(unit, page)) > 50


def test_the_index_counts_its_own_rows_and_days(sample, reports_folder):
    texts = texts_of_markup((reports_folder / "overview" / "index.html").read_text("utf-8"))
    pages = json.loads((reports_folder / "records" / "manifest.json").read_text())["pages"].values()
    days = (datetime.now(UTC).date() - date.fromisoformat(sample.facts.as_of)).days
    counts = [page["change"] for page in pages]
    said = next(text.text for text in texts if "newest record" in text.text)
    assert f"newest record {days} days old" in said
    for number, change in re.findall(r"(\w+) (new|changed|as before|unchanged)", said):
        assert WORDS.index(number) == counts.count(change)
    left = said.replace(f"newest record {days} days old", "").replace("records up to 30 September 2026", "")
    assert not re.search(r"\d", left)
    others = [text.text for text in texts if text.text != said and not text.text.startswith(said)]
    others = [text.replace(f"fewer than {sample.rules.settings.minimum_group} people", "") for text in others]
    assert [text for text in others if NUMBER.search(text)] == []


def test_every_look_up_is_of_a_blank_of_a_phrase():
    names = {
        f"{key.partition('#')[0]} {name}" for key, text in phrases("en").items() for name in {*blanks(text), "count"}
    }
    for key, lookups in LOOKUPS.items():
        of_key = {name.rpartition(" ")[2] for name in names if name.startswith(key)}
        assert key.startswith("fig-") or (of_key and (of_key | {"value"}) & set(lookups)), key


def noticed(reader: Reader, number: Number) -> bool:
    """Whether a number is found wrong, or tells of something that no table has."""
    try:
        return bool(number.problem(reader))
    except (AssertionError, KeyError, IndexError, StopIteration, ValueError):
        return True


def others(printed: object) -> list[object]:
    """What might be printed in place of a number: each number in the text by another of the same look."""
    if not isinstance(printed, str):
        return [printed + 1]
    return [f"{printed[: at.end() - 1]}{(int(at[0][-1]) + 5) % 10}{printed[at.end() :]}"
            for at in re.finditer(r"\d+(?:[\u202f.]\d+)*", printed)]  # fmt: skip


@pytest.mark.parametrize("unit_id", ["*", "motor-claims", "treasury"])
def test_another_number_in_any_blank_is_noticed(sample, page_of, unit_id):
    unit = _unit(sample, unit_id)
    reader, missed, tried = Reader(unit), [], 0
    for number in numbers(unit, page_of(unit_id)):
        for printed in others(number.printed):
            tried += 1
            if not noticed(reader, replace(number, printed=printed, around={**number.around, number.blank: printed})):
                missed.append((number.key, number.blank, number.printed, printed))
    assert missed == []
    assert tried > (400 if unit_id != "treasury" else 15)


@pytest.mark.parametrize(
    ("unit_id", "key", "blank"),
    [("motor-claims", "barrier.both", "said"), ("motor-claims", "hours.open", "realised"),
     ("motor-claims", "meta.live", "count"), ("motor-claims", "voices.both", "shown"), ("*", "asked.barrier", "said"),
     ("*", "trial.at_least", "lower"), ("treasury", "lead.hidden_few", "people")],
)  # fmt: skip
def test_a_number_planted_in_a_sentence_of_the_page_is_noticed(sample, unit_id, key, blank):
    def plant(name: str, filled: dict) -> dict:
        return {**filled, blank: others(filled[blank])[0]} if name == key else filled

    unit = _unit(sample, unit_id)
    assert {problem[:2] for problem in problems(unit, recorded_page(unit, plant))} == {(key, blank)}


def test_a_number_that_no_phrase_has_is_noticed(sample, page_of):
    page = page_of("treasury")
    texts = [replace(text, text=f"{text.text} 17 of them.") for text in page.texts if text.tag == "p"]
    unit = sample.unit("treasury")
    assert len(texts) > 5
    assert len(problems(unit, replace(page, texts=texts))) == len(texts)


@pytest.mark.parametrize(
    ("key", "other"),
    [("trial.better", "trial.worse"), ("trial.worse", "trial.better"), ("trial.at_least", "trial.mixed")],
)
def test_a_word_that_a_number_chose_is_checked_with_it(sample, page_of, key, other):
    reader = Reader(sample)
    chosen = [
        number
        for number in numbers(sample, page_of("*"))
        if (number.key, number.blank[:2]) in ((key, "ef"), (key, "lo"))
    ]
    assert len(chosen) > 2
    assert all(noticed(reader, replace(number, key=other)) for number in chosen)


def astray(unit, page: Page) -> bool:
    """Whether any number of a page is not in the tables of a unit."""
    reader = Reader(unit)
    return any(noticed(reader, number) for number in numbers(unit, page))


@pytest.mark.parametrize(
    ("table", "column"),
    [("measures", "value"), ("measures", "n"), ("barriers", "perception"), ("barriers", "practice"),
     ("barriers", "score"), ("items", "share"), ("explain", "points"), ("explain", "value"), ("facets", "says"),
     ("facets", "record_yes"), ("verdicts", "lower"), ("verdicts", "target_effect"), ("recommended", "evidence_value"),
     ("themes", "value"), ("tasks", "realised"), ("change_sources", "points"), ("sensitivity", "share")],
)  # fmt: skip
def test_a_column_changed_in_any_table_is_noticed(sample, page_of, table, column):
    unit = sample.unit("motor-claims")
    changed = unit.tables[table].assign(**{column: unit.tables[table][column].astype(float) * 0.9 - 1})
    assert astray(replace(unit, tables={**unit.tables, table: changed}), page_of("motor-claims"))


@pytest.mark.parametrize("column", ["perception", "practice", "score"])
def test_one_cell_changed_in_the_profile_is_noticed(sample, page_of, column):
    unit = sample.unit("motor-claims")
    mine = (unit.barriers["unit_id"] == unit.unit_id) & (unit.barriers["wave"] == unit.facts.wave)
    for index in unit.barriers.index[mine]:
        changed = unit.barriers.copy()
        changed.loc[index, column] += 2
        assert astray(replace(unit, tables={**unit.tables, "barriers": changed}), page_of("motor-claims"))


@pytest.mark.parametrize(
    ("score", "band", "words"),
    [(62.0, "blocking", "at worst blocking"), (60.0, "workable", "workable"), (59.9, "slowing", "slowing"),
     (float("nan"), None, "")],
)  # fmt: skip
def test_a_band_below_the_scores_own_is_said_to_be_the_worst(sample, score, band, words):
    assert narrative.band_words(sample, pd.Series({"score": score, "band": band})) == words
