"""What is hidden changes nothing of what is published: tables, pages, figures, notebooks, manifest, two waves.

Two people of two hidden units trade their answers: every visible total stays what it was, every hidden number
moves. Whatever then differs in a file would tell an outsider something about the hidden ones; nothing may.
"""

import json
import re
import shutil
from fractions import Fraction
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import papermill
import pytest
from conftest import SAMPLE

from aiready import Assessment
from aiready.batch.page_inputs import save_page_inputs
from aiready.batch.report_run import ReportRequest, run_report
from aiready.batch.schedule import RunOptions
from aiready.inputs.dataset import read_data
from aiready.instrument.model import read_instrument
from aiready.measures import survey
from aiready.model.registry import ORGANISATION

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("leaks")]

HIDDEN = ("treasury", "legal-compliance")
"""The units that the sample hides in every wave; both belong to corporate services."""
SHOWN = (*HIDDEN, "corporate-services")
FROM_INPUT = {"inputs"}
"""States the digests of the input and nothing that was measured."""


def digestless(content):
    return re.sub(rb"\b[0-9a-f]{12}\b", b"-", content)


def differing(one, other, pattern):
    """Files that both have under a pattern and that differ but for digests; none may be in one alone."""
    names = {path.relative_to(one) for path in one.glob(pattern)}
    assert names == {path.relative_to(other) for path in other.glob(pattern)}
    assert names
    return [name for name in names if digestless((one / name).read_bytes()) != digestless((other / name).read_bytes())]


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
def published(traded, press, tmp_path_factory):
    """What both organisations publish: results, index, and of a hidden unit, its parent, its sibling and the whole
    organisation the page, its figures and its executed notebook; of two waves."""
    found = []
    for data in (SAMPLE, traded):
        out = tmp_path_factory.mktemp("out") / "reports"
        assessed = Assessment.open(data)
        request = ReportRequest(str(data), out, SHOWN, RunOptions(jobs=2, figures=True), submit=press.submit)
        outcomes = run_report(assessed, request).pages
        assert {outcome.status for outcome in outcomes} == {"ok"}
        before = assessed.at(assessed.facts.waves[-2])
        run_report(before, ReportRequest(str(data), out / "before", SHOWN[:1], RunOptions(jobs=2), submit=press.submit))
        for unit_id in (ORGANISATION, SHOWN[0], SHOWN[-1]):
            executed(assessed, unit_id, out / "notebooks" / f"{unit_id.replace(ORGANISATION, 'organisation')}.ipynb")
        found.append(out)
    return found


def executed(assessed, unit_id, path):
    """The notebook of one page with its outputs, as an analyst keeps it; it reads only its own slice of the results."""
    save_page_inputs(assessed, unit_id, path.with_suffix(""))
    name = "portfolio_report" if unit_id == ORGANISATION else "unit_report"
    given = {} if unit_id == ORGANISATION else {"unit_id": unit_id}
    papermill.execute_notebook(
        str(Path(__file__).parents[1] / "notebooks" / f"{name}.ipynb"), str(path), progress_bar=False,
        parameters={**given, "data": str(SAMPLE), "results": str(path.with_suffix("")), "wave": assessed.facts.wave},
        engine_name="aiready", kernel_name="python3",
    )  # fmt: skip


def test_the_trade_moves_numbers_that_are_hidden(raw_survey, traded):
    moved = (raw_survey, survey.measure(read_data(traded, read_instrument()), read_instrument()))
    before, after = (rows[(rows["measure"] == "perception") & rows["unit_id"].isin(HIDDEN)] for rows in moved)
    assert (before["value"] != after["value"]).sum() > 20


@pytest.mark.parametrize(("kind", "read"), [("csv", pd.read_csv), ("parquet", pd.read_parquet)])
def test_no_file_of_results_differs(published, kind, read):
    one, other = (out / "records" / "results" for out in published)
    names = {path.name for path in one.glob(f"*.{kind}") if path.stem not in FROM_INPUT}
    assert len(names) > 10
    for name in names:
        # sums are taken in another order, which is seen behind the twelfth digit
        left, right = (read(folder / name) for folder in (one, other))
        pd.testing.assert_frame_equal(left, right, rtol=1e-12, atol=1e-9, obj=name)


@pytest.mark.parametrize("pattern", ["units/*.html", "overview/*.html", "before/*/*.html"])
def test_no_page_differs(published, pattern):
    """Charts, their labels and alternative texts are in the page."""
    assert differing(*published, pattern) == []


@pytest.mark.parametrize("kind", ["svg", "png", "txt"])
def test_no_figure_differs(published, kind):
    assert differing(*published, f"figures/*/*.{kind}") == []


def test_no_table_of_a_figure_differs(published):
    one = published[0]
    names = [path.relative_to(one) for path in one.glob("figures/*/*.csv")]
    assert len(names) > 10
    for name in names:
        left, right = (pd.read_csv(folder / name) for folder in published)
        pd.testing.assert_frame_equal(left, right, rtol=1e-12, atol=1e-9, obj=str(name))


def test_no_table_of_a_slice_differs(published):
    """What one page is made from, as it is sent to another machine."""
    one = published[0] / "notebooks"
    names = [path.relative_to(one) for path in one.glob("*/*.feather")]
    assert len({name.name for name in names}) > 10
    for name in names:
        left, right = (pd.read_feather(out / "notebooks" / name) for out in published)
        if name.name == "inputs.feather":  # names the files by their digest, as the manifest does
            left, right = (table.drop(columns="sha256") for table in (left, right))
        pd.testing.assert_frame_equal(left, right, rtol=1e-12, atol=1e-9, obj=str(name))


def test_the_history_of_what_was_published_differs_in_nothing(published):
    """It holds which cells were shown; of people, answers and blanks nothing that is read without its keys."""
    paths = [sorted((out / "records" / "history").rglob("*.parquet")) for out in published]
    assert len(paths[0]) == len(paths[1]) > 0
    for left, right in zip(*paths, strict=True):
        tables = [pd.read_parquet(path) for path in (left, right)]
        if left.name == "people.parquet":
            for keyed in ("person", "answers", "marks", "figures"):
                one, other = (set(table.pop(keyed).dropna()) for table in tables)
                assert not one & other - {bytes(len(next(iter(one), b"")))}, keyed
        pd.testing.assert_frame_equal(*tables, obj=left.name)


def outputs_of(path):
    """Everything a notebook's cells gave, with numbers to nine digits."""
    cells = nbformat.read(path, as_version=4).cells
    text = json.dumps([cell.get("outputs", []) for cell in cells], sort_keys=True)
    return re.sub(r"-?\d+\.\d+(?:e-?\d+)?", lambda number: f"{float(number[0]):.9g}", text)


def test_no_output_of_a_notebook_differs(published):
    one, other = published
    paths = list(one.glob("notebooks/*.ipynb"))
    assert len(paths) == 3
    for path in paths:
        left, right = outputs_of(path), outputs_of(other / path.relative_to(one))
        assert len(left) > 10_000
        assert digestless(left.encode()) == digestless(right.encode()), path.name


def test_the_manifest_differs_in_times_memory_and_digests_only(published):
    def said(out):
        content = json.loads((out / "records" / "manifest.json").read_text())
        pages = {
            name: {k: v for k, v in page.items() if k not in ("seconds", "peak", "digest")}
            for name, page in content["pages"].items()
        }
        kept = {k: v for k, v in content.items() if k not in ("started", "seconds", "inputs", "pages")}
        return digestless(json.dumps([kept, pages], sort_keys=True).encode())

    assert said(published[0]) == said(published[1])


def test_no_hidden_number_stands_in_the_bytes_of_any_file(raw_survey, published):
    """Scores, changes and their bounds, hidden ones, to six decimals; what rounds them is compared above."""
    shown = pd.read_parquet(published[0] / "records" / "results" / "measures.parquet")
    key = ["unit_id", "wave", "measure", "barrier_id", "segment"]
    hidden = raw_survey.merge(shown.loc[shown["status"] == "suppressed", key], on=key)[
        ["value", "low", "high"]
    ].to_numpy()
    visible = set(np.round(shown[["value", "low", "high"]].to_numpy().ravel(), 6))
    numbers = {number for number in hidden.ravel() if abs(number) > 1 and round(number, 6) not in visible}
    cut = {f"{number:.8f}"[:-2].encode() for number in numbers if not simple(number)}
    assert len(cut) > 100
    files = [path for path in published[0].rglob("*") if path.is_file() and "history" not in path.parts]
    assert {path.suffix for path in files} >= {".csv", ".parquet", ".html", ".svg", ".png", ".txt", ".ipynb", ".json"}
    tables = {path: pd.read_parquet(path).to_csv().encode() for path in files if path.suffix == ".parquet"}
    for path in files:
        found = set(re.findall(rb"-?\d+\.\d{6}", tables.get(path, path.read_bytes())))
        assert not found & cut, path


def of_log(folder, log):
    """Every figure of a decision log alone."""
    folder.mkdir()
    shutil.copy(SAMPLE / "units.csv", folder)
    log.to_parquet(folder / "decisions.parquet", index=False)
    return Assessment.open(folder).measures


def test_two_deciders_cannot_be_told_apart_in_any_figure(tmp_path):
    """Whoever is called what: with the codes of all people dealt anew, each figure stays to the last digit."""
    log = pd.read_parquet(SAMPLE / "decisions.parquet")
    known = log["decider_id"].dropna().unique()
    dealt = dict(zip(known, np.random.default_rng(3).permutation(known), strict=True))
    renamed = log.assign(decider_id=log["decider_id"].map(dealt))
    one, other = (of_log(tmp_path / name, rows) for name, rows in (("one", log), ("other", renamed)))
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    decided = one[(one["table"] == "decisions") & (one["status"] == "ok")]
    assert decided["note"].str.contains("over deciders").any()


def test_two_deciders_of_hidden_units_who_change_places_change_no_figure(tmp_path):
    """Seven people decide in two units, too few in each; two of them trade all that they decided."""
    log = pd.read_parquet(SAMPLE / "decisions.parquet")
    log = log[~log["unit_id"].isin(HIDDEN)]
    few = log.loc[log["unit_id"] == "contact-centre", "decider_id"].dropna().value_counts().index[:7]
    placed = dict(zip(few, (HIDDEN[0],) * 4 + (HIDDEN[1],) * 3, strict=True))
    log["unit_id"] = log["decider_id"].map(placed).fillna(log["unit_id"])
    changed = placed | {few[0]: HIDDEN[1], few[-1]: HIDDEN[0]}
    moved = log.assign(unit_id=log["decider_id"].map(changed).fillna(log["unit_id"]))
    one, other = (of_log(tmp_path / name, rows) for name, rows in (("one", log), ("other", moved)))
    for made in (one, other):
        mine = made[made["unit_id"].isin(HIDDEN) & (made["table"] == "decisions")]
        assert set(mine["status"]) == {"suppressed"}
        assert mine[["value", "low", "high", "n"]].isna().all(axis=None)
    both = set(one.loc[one["unit_id"].isin(("corporate-services", ORGANISATION)), "status"])
    assert "ok" in both
    # sums are taken in another order, which is seen behind the twelfth digit
    pd.testing.assert_frame_equal(one, other, rtol=1e-12, atol=1e-12)


def test_no_figure_of_the_decision_log_names_a_person(tmp_path, sample_results):
    codes = set(pd.read_parquet(SAMPLE / "decisions.parquet")["decider_id"].dropna())
    rows = pd.read_csv(sample_results / "measures.csv", dtype=str)
    of_log = rows[rows["table"] == "decisions"]
    assert not of_log.isin(codes).to_numpy().any()
    assert set(of_log["segment"]) <= {"all", *(f"level {level}" for level in range(5))}
