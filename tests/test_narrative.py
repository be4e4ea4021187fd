"""Every number in every sentence of a page, read back as a reader reads it and looked up anew in the results."""

import json
import re
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache

import pandas as pd
import pytest
from conftest import REPORTED, SAMPLE
from patterns import FIXED, sentences, unread
from prose import Said, prose, read_page, undrawn
from rereading import NUMBER, WORDS, Reader

from aiready import Assessment
from aiready.pages import sentences as narrative

pytestmark = pytest.mark.slow
UNITS = ("*", "customer-operations", "underwriting-products", "members-distribution", "corporate-services",
         "motor-claims", "property-claims", "injury-claims", "contact-centre", "commercial-underwriting",
         "personal-underwriting", "actuarial-pricing", "broker-service", "member-marketing", "policy-administration",
         "data-it", "finance", "legal-compliance", "treasury")  # fmt: skip
TOKEN = re.compile(rf"\d+(?:[\u202f.]\d+)*|\b(?:{'|'.join(WORDS[2:])})\b", re.IGNORECASE)


def told(unit) -> list[Said]:
    """The texts of a unit's page, or of the portfolio."""
    return prose(undrawn(unit, "portfolio_report" if unit.unit_id == "*" else "unit_report"))


@pytest.fixture(scope="module")
def texts_of(sample):
    """The texts of a page of the sample, by the id of its unit, read once."""
    return cache(lambda unit_id: told(sample.unit(unit_id) if unit_id != "*" else sample))


def wrong(unit, texts: list[Said]) -> tuple[list[tuple], int]:
    """Numbers that no cell accounts for, and how many were read back."""
    reader, found, count = Reader(unit), [], 0
    for said in texts:
        missed, read_back = unread(reader, said)
        found += missed
        count += read_back
    return found, count


def test_every_unit_of_the_sample_is_read(sample):
    assert set(UNITS) == {"*", *sample.units["unit_id"]}


@pytest.mark.parametrize("unit_id", UNITS)
def test_every_number_in_every_sentence_is_in_the_tables(sample, texts_of, unit_id):
    unit = sample.unit(unit_id) if unit_id != "*" else sample
    found, count = wrong(unit, texts_of(unit_id))
    assert found == []
    assert count > (350 if unit_id in ("motor-claims", "*") else 10)


@pytest.mark.parametrize("unit_id", ["*", *REPORTED])
def test_so_it_is_on_the_pages_that_are_published(sample, texts_of, reports_folder, unit_id):
    unit, page = (sample, "overview/portfolio") if unit_id == "*" else (sample.unit(unit_id), f"units/{unit_id}")
    found, count = wrong(unit, read_page(reports_folder / f"{page}.html"))
    assert found == []
    assert count >= wrong(unit, texts_of(unit_id))[1]


@pytest.mark.parametrize(
    "tables", [("units",), ("tasks",), ("decisions",), ("initiatives", "trials"), ("units", "responses")], ids="+".join
)
def test_so_it_is_where_little_is_given(tmp_path, tables):
    for name in tables:
        for path in SAMPLE.glob(f"{name}.*"):
            shutil.copy(path, tmp_path)
    whole = Assessment.open(tmp_path)
    for unit in (whole.unit("motor-claims"), whole):
        assert wrong(unit, told(unit))[0] == []


def test_so_it_is_without_units_or_waves(small):
    unit = small.unit("claims")
    found, count = wrong(unit, told(unit))
    assert found == []
    assert count > 50


def test_the_index_counts_its_own_rows_and_days(sample, reports_folder):
    texts = read_page(reports_folder / "overview" / "index.html")
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


def noticed(reader: Reader, said: Said) -> bool:
    """Whether a text is found wrong, or tells of something that no table has."""
    try:
        return bool(unread(reader, said)[0])
    except (AssertionError, KeyError, IndexError, StopIteration, ValueError):
        return True


def another(number: str) -> str:
    """Another number of the same look."""
    if number[-1].isdigit():
        return f"{number[:-1]}{(int(number[-1]) + 5) % 10}"
    return WORDS[2 + (WORDS.index(number.lower()) - 1) % 9]


@pytest.mark.parametrize("unit_id", ["*", "motor-claims", "treasury"])
def test_a_number_changed_in_any_sentence_is_noticed(sample, texts_of, unit_id):
    unit = sample.unit(unit_id) if unit_id != "*" else sample
    reader, missed, tried = Reader(unit), [], 0
    single = (replace(said, text=text) for said in texts_of(unit_id) for text in sentences(said))
    for said in dict.fromkeys(one for one in single if NUMBER.search(one.text) and not FIXED.fullmatch(one.text)):
        for token in TOKEN.finditer(said.text):
            text = f"{said.text[: token.start()]}{another(token[0])}{said.text[token.end() :]}"
            tried += 1
            if not noticed(reader, replace(said, text=text)):
                missed.append((said.place, text))
    assert missed == []
    assert tried > (300 if unit_id != "treasury" else 10)


@pytest.mark.parametrize(
    ("table", "column"),
    [("measures", "value"), ("measures", "n"), ("barriers", "perception"), ("barriers", "practice"),
     ("barriers", "score"), ("items", "share"), ("explain", "points"), ("explain", "value"), ("facets", "says"),
     ("facets", "record_yes"), ("verdicts", "lower"), ("verdicts", "target_effect"), ("recommended", "evidence_value"),
     ("themes", "value"), ("tasks", "realised"), ("change_sources", "points"), ("sensitivity", "share")],
)  # fmt: skip
def test_a_column_changed_in_any_table_is_noticed(sample, texts_of, table, column):
    unit, texts = sample.unit("motor-claims"), texts_of("motor-claims")
    changed = unit.tables[table].assign(**{column: unit.tables[table][column].astype(float) * 0.9 - 1})
    reader = Reader(replace(unit, tables={**unit.tables, table: changed}))
    assert any(noticed(reader, said) for said in texts)


@pytest.mark.parametrize("column", ["perception", "practice", "score"])
def test_one_cell_changed_in_the_profile_is_noticed(sample, texts_of, column):
    unit = sample.unit("motor-claims")
    texts = [said for said in texts_of("motor-claims") if "fig-barriers" in said.place or said.place in ("h2", "p")]
    mine = (unit.barriers["unit_id"] == unit.unit_id) & (unit.barriers["wave"] == unit.facts.wave)
    for index in unit.barriers.index[mine]:
        changed = unit.barriers.copy()
        changed.loc[index, column] += 2
        reader = Reader(replace(unit, tables={**unit.tables, "barriers": changed}))
        assert any(noticed(reader, said) for said in texts)


@pytest.mark.parametrize(
    ("score", "band", "words"),
    [(62.0, "blocking", "at worst blocking"), (60.0, "workable", "workable"), (59.9, "slowing", "slowing"),
     (float("nan"), None, "")],
)  # fmt: skip
def test_a_band_below_the_scores_own_is_said_to_be_the_worst(sample, score, band, words):
    assert narrative.band_words(sample, pd.Series({"score": score, "band": band})) == words
