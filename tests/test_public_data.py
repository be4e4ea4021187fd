"""Real public data, end to end: what no synthetic sample can promise. The figures themselves: test_must_show."""

import re
from html import unescape

import pandas as pd
import pytest
from conftest import _once
from public_data import advice_folder, onet_folder

from aiready import Assessment
from aiready.batch.report_run import ReportRequest, run_report
from aiready.batch.schedule import RunOptions

pytestmark = pytest.mark.slow
OCCUPATIONS = ("11-1011.00", "43-4051.00", "47-2061.00")
ADVICE = {
    "human_accuracy": (0.595975, 1938), "advice_accuracy": (0.697110, 1938), "decision_accuracy": (0.684211, 1938),
    "reliance_on_right_advice": (338 / 545, 545), "self_reliance": (189 / 349, 349), "over_reliance": (396 / 587, 587),
    "under_reliance": (216 / 1351, 1351), "override_rate": (407 / 1938, 1938), "override_correct": (0.469287, 407),
    "net_override_value": (-0.012900, 1938),
}  # fmt: skip


def words_of(page):
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page.read_text(encoding="utf-8"))))


def made(whole, press, out, unit_ids):
    outcomes = run_report(whole, ReportRequest("", out, unit_ids, RunOptions(jobs=2), submit=press.submit)).pages
    assert {outcome.status for outcome in outcomes} == {"ok"}, outcomes
    return {path.name: words_of(path) for path in (out / "units").glob("*.html")}


@pytest.fixture(scope="module")
def advice(tmp_path_factory):
    return Assessment.open(advice_folder(tmp_path_factory.mktemp("advice")))


def test_the_advice_log_rests_on_the_published_counts(advice):
    unit = advice.unit("experiment")
    for name, (value, n) in ADVICE.items():
        cell = unit.cell(name)
        assert cell.value == pytest.approx(value, abs=5e-7), name
        assert cell.n == n, name
        assert cell.low < cell.value < cell.high, name


def test_the_advice_log_alone_gives_a_handout_that_says_what_to_collect(advice, press, tmp_path):
    (page,) = made(advice, press, tmp_path, ("experiment",)).values()
    assert "right in 68 % of 1 938 cases" in page
    assert "the advice alone was right in 70 %" in page
    assert "followed in 67 % of cases" in page
    assert "What to collect next" in page
    assert not re.search(r"\bnan\b|\bNone\b", page)


@pytest.fixture(scope="module")
def occupations(tmp_path_factory):
    def make(folder):
        Assessment.open(onet_folder(folder / "data")).save(folder / "results")

    folder = _once(tmp_path_factory, "onet", make)
    return Assessment.open(folder / "data", results=folder / "results")


def test_every_published_exposure_of_923_occupations_is_reproduced_to_the_last_digit(occupations):
    from public_data import PUBLIC

    published = pd.read_csv(PUBLIC / "onet_tasks" / "occ_level.csv").set_index("O*NET-SOC Code")
    rows = occupations.measures[(occupations.measures["segment"] == "all") & (occupations.measures["status"] == "ok")]
    for mine, theirs in (("alpha", "alpha"), ("beta", "beta"), ("zeta", "gamma")):
        values = rows[rows["measure"] == f"exposure_{mine}"].set_index("unit_id")["value"]
        found = values.reindex(published.index)
        assert found.notna().sum() == 923
        assert (found - published[f"human_rating_{theirs}"]).abs().max() <= 1e-12


def test_handouts_from_tasks_alone_differ_are_specific_and_say_what_to_collect(occupations, press, tmp_path):
    pages = made(occupations, press, tmp_path, OCCUPATIONS)
    assert len(pages) == 3
    names = occupations.units.set_index("unit_id")["name"]
    for page, unit_id in zip(sorted(pages), OCCUPATIONS, strict=True):
        words = pages[page]
        assert names[unit_id] in words
        assert "not what is" in words or "No task here is rated" in words
        for heading in ("What to collect next", "of evidence are missing", "How this was measured"):
            assert heading in words
        assert not re.search(r"\bnan\b|\bNone\b|\bNaT\b", words)
        others = set(names) - {names[unit_id]}
        assert not [name for name in others if f" {name} " in words.split("Task by task")[0] and len(name) > 25]
    assert len(set(pages.values())) == 3
