"""What is hidden changes nothing of what is published.

Two people of two hidden units trade their answers: every visible total stays what it was, every hidden number
moves. Whatever then differs in a file would tell an outsider something about the hidden ones; nothing may.
"""

import re
import shutil
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from conftest import SAMPLE

from aiready import Assessment, survey
from aiready.batch import Options
from aiready.instrument import read_instrument
from aiready.reports import Request, report
from aiready.sources import read_data

pytestmark = pytest.mark.slow

HIDDEN = ("treasury", "legal-compliance")
"""The units that the sample hides in every wave; both belong to corporate services."""
FROM_INPUT = {"inputs.csv"}
"""States the digests of the input and nothing that was measured."""


def digestless(content):
    return re.sub(rb"\b[0-9a-f]{12}\b", b"-", content)


def simple(number):
    """Whether it is a fraction of small numbers, such as 58.333333, which may turn up anywhere."""
    return abs(float(Fraction(number).limit_denominator(2_000)) - number) < 1e-8


@pytest.fixture(scope="module")
def traded(tmp_path_factory):
    """The sample with the answers of hidden people traded, wave by wave and role by role."""
    folder = tmp_path_factory.mktemp("traded") / "sample"
    shutil.copytree(SAMPLE, folder)
    rows = pd.read_csv(folder / "responses.csv", dtype=str, keep_default_na=False)
    items = [name for name in rows if name not in {"respondent_id", "unit_id", "role", "wave"}]
    trades = 0
    for _, people in rows[rows["unit_id"].isin(HIDDEN)].groupby(["wave", "role"]):
        small, large = (people.index[people["unit_id"] == unit] for unit in HIDDEN)
        for one, other in zip(small, large, strict=False):
            rows.loc[[one, other], items] = rows.loc[[other, one], items].to_numpy()
            trades += 1
    assert trades > 4
    rows.to_csv(folder / "responses.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def published(traded, tmp_path_factory):
    """What both organisations publish: results, the portfolio, pages of the hidden unit, its parent and another."""
    found = []
    for data in (SAMPLE, traded):
        out = tmp_path_factory.mktemp("out") / "reports"
        assessed = Assessment.open(data)
        outcomes = report(assessed, Request(str(data), out, (*HIDDEN, "corporate-services"), Options(jobs=2))).outcomes
        assert {outcome.status for outcome in outcomes} == {"ok"}
        found.append(out)
    return found


def test_the_trade_moves_numbers_that_are_hidden(traded):
    moved = [survey.measure(read_data(data, read_instrument()), read_instrument()) for data in (SAMPLE, traded)]
    before, after = (rows[(rows["measure"] == "perception") & rows["unit_id"].isin(HIDDEN)] for rows in moved)
    assert (before["value"] != after["value"]).sum() > 20


def test_no_file_of_results_differs(published):
    one, other = (out / "records" / "results" for out in published)
    names = {path.name for path in one.glob("*.csv")} - FROM_INPUT
    assert len(names) > 10
    for name in names:
        # sums are taken in another order, which is seen behind the twelfth digit
        left, right = (pd.read_csv(folder / name) for folder in (one, other))
        pd.testing.assert_frame_equal(left, right, rtol=1e-12, atol=1e-9, obj=name)


def test_no_page_differs(published):
    one, other = published
    pages = [path.relative_to(one) for path in one.rglob("*.html")]
    assert len(pages) == 5
    for page in pages:
        assert digestless((one / page).read_bytes()) == digestless((other / page).read_bytes()), page


def test_no_hidden_number_stands_in_the_bytes_of_any_file(published):
    """Scores, changes and their bounds, hidden ones, to six decimals; pages, which round, are compared above."""
    rules = read_instrument()
    raw = survey.measure(read_data(SAMPLE, rules), rules)
    shown = pd.read_parquet(published[0] / "records" / "results" / "measures.parquet")
    key = ["unit_id", "wave", "measure", "barrier_id", "segment"]
    hidden = raw.merge(shown.loc[shown["status"] == "suppressed", key], on=key)[["value", "low", "high"]].to_numpy()
    visible = set(np.round(shown[["value", "low", "high"]].to_numpy().ravel(), 6))
    numbers = {number for number in hidden.ravel() if abs(number) > 1 and round(number, 6) not in visible}
    cut = {f"{number:.8f}"[:-2].encode() for number in numbers if not simple(number)}
    assert len(cut) > 100
    files = [path for path in published[0].rglob("*") if path.is_file() and "history" not in path.parts]
    tables = {path: pd.read_parquet(path).to_csv().encode() for path in files if path.suffix == ".parquet"}
    for path in files:
        found = set(re.findall(rb"-?\d+\.\d{6}", tables.get(path, path.read_bytes())))
        assert not found & cut, path


def test_two_deciders_cannot_be_told_apart_in_any_figure(tmp_path):
    """Whoever is called what: with the codes of all people dealt anew, each figure stays to the last digit."""
    shutil.copytree(SAMPLE, tmp_path / "sample")
    log = pd.read_parquet(tmp_path / "sample" / "decisions.parquet")
    known = log["decider_id"].dropna().unique()
    dealt = dict(zip(known, np.random.default_rng(3).permutation(known), strict=True))
    log["decider_id"] = log["decider_id"].map(dealt)
    log.to_parquet(tmp_path / "sample" / "decisions.parquet", index=False)
    one, other = (Assessment.open(data).measures for data in (SAMPLE, tmp_path / "sample"))
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    decided = one[(one["table"] == "decisions") & (one["status"] == "ok")]
    assert decided["note"].str.contains("over deciders").any()


def test_no_figure_of_the_decision_log_names_a_person(tmp_path, sample_results):
    codes = set(pd.read_parquet(SAMPLE / "decisions.parquet")["decider_id"].dropna())
    rows = pd.read_csv(sample_results / "measures.csv", dtype=str)
    of_log = rows[rows["table"] == "decisions"]
    assert not of_log.isin(codes).to_numpy().any()
    assert set(of_log["segment"]) <= {"all", *(f"level {level}" for level in range(5))}
