"""What the statistics promise, kept in simulation: few false alarms, and intervals that cover."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import SAMPLE
from test_survey import TWO_SCALES, folder

from aiready.inputs.dataset import read_data
from aiready.instrument.model import read_instrument
from aiready.measures import survey

ITEMS = [*TWO_SCALES.items["item_id"]]


def share_of_shuffles_with_a_flag(shuffles, seed=1):
    """The newest wave of the sample, its respondents dealt to units at random, many times over."""
    rules = read_instrument()
    data = read_data(SAMPLE, rules)
    newest = data.tables["responses"].query("wave == @data.wave").reset_index(drop=True)
    random = np.random.default_rng(seed)
    names = [f"shuffle-{number:03}" for number in range(shuffles)]
    dealt = [newest.assign(wave=name, unit_id=random.permutation(newest["unit_id"].to_numpy(object))) for name in names]
    tables = {"responses": pd.concat(dealt, ignore_index=True)}
    shuffled = replace(data, tables=tables, waves=tuple(names), wave=names[-1])
    tested = survey.differences(shuffled, rules)
    assert tested["wave"].nunique() == shuffles
    return (tested["flag"] != "").groupby(tested["wave"]).any().mean()


def share_of_intervals_that_cover(surveys, seed=2):
    """Surveys of 12 to 60 people out of populations up to three times as large, each with a mean of its own."""
    random = np.random.default_rng(seed)
    size = random.integers(12, 61, surveys)
    population = (size * random.uniform(1.2, 3, surveys)).astype(int)
    unit = np.repeat(np.arange(surveys), population)
    leaning = random.normal(0, 0.5, surveys)[unit] + random.normal(0, 0.7, len(unit))
    noise = random.normal(0, 0.8, (len(unit), len(ITEMS)))
    levels = np.clip(np.round(3 + leaning[:, None] + noise), 1, 5)
    people = pd.DataFrame(levels, columns=ITEMS).assign(unit_id=[f"unit-{number:04}" for number in unit])
    place = people.assign(order=random.random(len(people))).groupby("unit_id")["order"].rank()
    answered = people[place <= size[unit]].reset_index(drop=True)
    trust = [item for item in ITEMS if item.startswith("trust")]
    truth = ((people[trust].mean(axis=1) - 1) * 25).groupby(people["unit_id"]).mean()
    invited = [(f"unit-{number:04}", "2026-Q3", None, many) for number, many in enumerate(population)]
    made = survey.measure(folder(answered, invitations=invited), TWO_SCALES)
    made = made.query("measure == 'perception' and barrier_id == 'trust' and segment == 'all' and unit_id != '*'")
    made = made.set_index("unit_id")
    assert (made["n"].reindex(truth.index) == size).all()
    return ((made["low"] <= truth) & (truth <= made["high"])).mean()


@pytest.mark.slow
def test_units_dealt_at_random_are_seldom_flagged():
    share = share_of_shuffles_with_a_flag(200)
    print(f"200 shuffles, some flag: {share:.3f}")  # noqa: T201  a figure worth reading
    assert share <= 0.10 + 2 * np.sqrt(0.1 * 0.9 / 200)


@pytest.mark.slow
def test_intervals_cover_the_truth_as_often_as_they_say():
    share = share_of_intervals_that_cover(2_000)
    print(f"2,000 surveys, intervals that cover: {share:.4f}")  # noqa: T201
    assert 0.93 <= share <= 0.97
