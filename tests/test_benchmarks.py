"""The benchmarks run and keep their promises: at reduced size always, at full size in `make acceptance`.

Ratios are of processor time, since other work on the machine stretches the clock.
"""

import os
import re
import subprocess
import sys

import pytest
from conftest import ROOT

pytestmark = pytest.mark.slow


def run(name, *options):
    """What a benchmark prints; a fresh process, so that peak memory is its own."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), *options],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    print(done.stdout)  # noqa: T201  the figures are what `make acceptance` is read for
    return done.stdout


def figure(text, pattern):
    (found,) = re.findall(pattern, text)
    return float(found)


def ratios(text):
    """Times one plain group-by, by name."""
    return {name.strip(): float(ratio) for name, ratio in re.findall(r"^(.{22}).*?([\d.]+) x one group-by", text, re.M)}


def test_the_survey_at_reduced_size():
    said = run("survey", "--respondents", "20_000", "--units", "200", "--waves", "2")
    assert figure(said, r"all together ([\d.]+) s") < 60
    assert "20,000 respondents x 25 items x 200 units" in said


def test_privacy_at_reduced_size():
    said = run("privacy", "--units", "100", "--waves", "2")
    assert figure(said, r"([\d.]+) s of processor") < 60
    assert "every hidden one audited" in said


def test_decisions_at_reduced_size():
    said = run("decisions", "--rows", "20_000")
    groups = {f"counts: {name}" for name in ("accuracy", "collaboration", "autonomy", "context", "calibration")}
    others = {"counts of all groups", "shares and bootstrap", "speed, Kaplan-Meier", "all together"}
    assert set(ratios(said)) == groups | others


@pytest.mark.acceptance
def test_a_million_respondents():
    said = run("survey")
    assert "1,000,000 respondents x 25 items x 2,000 units" in said
    assert figure(said, r"([\d.]+) s of processor") < 60
    assert figure(said, r"peak memory ([\d.]+) GB") < 4


@pytest.mark.acceptance
def test_privacy_of_two_thousand_units_and_eight_waves():
    said = run("privacy")
    assert "2,000 units x 8 waves" in said
    assert figure(said, r"([\d.]+) s of processor") < 60


@pytest.mark.acceptance
def test_fifty_million_decisions():
    said = run("decisions", "--rows", "50_000_000")
    found = ratios(said)
    assert max(found.pop("all together"), found.pop("counts of all groups")) <= 15
    assert max(found.values()) <= 8, found
    assert figure(said, r"peak memory ([\d.]+) GB") < 4


@pytest.mark.acceptance
def test_two_million_decisions_twice_as_fast_as_pandas():
    assert figure(run("decisions"), r": ([\d.]+) x$") >= 2


@pytest.mark.acceptance
def test_the_batch_at_reduced_size_prints_every_figure_and_leaves_nothing_over():
    said = run("batch", "--reduced")
    for name in (
        "batch, handouts/s",
        "papermill and nbconvert, two at a time, handouts/s",
        "times as many",
        "cells and rendering alone in one process, s",
        "seconds of a core per handout, over that",
        "time per handout of 4 over that of 2",
        "memory of the parent at 2 and 6, MB",
    ):
        assert name in said
    assert said.split("left over")[1].split() == ["nothing", "nothing"]


@pytest.mark.acceptance
def test_the_batch_at_full_size():
    said = run("batch")
    assert figure(said, r"cold `aiready report data/sample`, s +([\d.]+)") < 20
    assert figure(said, r"times as many +([\d.]+)") >= 12
    assert figure(said, r"seconds of a core per handout, over that +([\d.]+)") <= 2
    assert figure(said, r"time per handout of 1,000 over that of 100 +([\d.]+)") <= 1.1
    few, many = re.findall(r"memory of the parent at 100 and 2,000, MB +(\d+), (\d+)", said)[0]
    assert int(many) <= 1.1 * int(few)
    assert said.split("left over")[1].split() == ["nothing", "nothing"]
