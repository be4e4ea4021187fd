"""The survey at size: seconds, peak memory, and ratio to the plain pandas mean per unit x barrier.

    python benchmarks/survey.py --respondents 1_000_000 --units 2000 --waves 4

Answers to every item of the shipped questionnaire, in a hierarchy of units; one wave by default.
"""

import argparse
import resource
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from aiready.inputs.dataset import Data
from aiready.instrument.model import Instrument, read_instrument
from aiready.measures import survey
from aiready.model import units as hierarchy
from aiready.model.schema import DOES_NOT_APPLY, DONT_KNOW, ROLES

INSTRUMENT = Path(__file__).parents[1] / "data" / "instrument"
WAVES = ("2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3")
LIMIT_SECONDS, LIMIT_GB = 60, 4


def units_of(size: int) -> pd.DataFrame:
    """About 100 divisions; the rest lie below them."""
    names = [f"unit-{place:04}" for place in range(size)]
    parents = [None if place < 100 else names[place % 100] for place in range(size)]
    table = pd.DataFrame({"unit_id": names, "name": names, "parent_id": parents})
    return table.assign(headcount=np.nan, formerly=None)


def make_data(rules: Instrument, people: int, units: int, waves: tuple[str, ...]) -> Data:
    random, table = np.random.default_rng(42), units_of(units)
    leaves = table["unit_id"].to_numpy(object)[100:]
    unit = random.integers(0, len(leaves), people)
    columns: dict[str, np.ndarray] = {
        "unit_id": leaves[unit],
        "wave": np.array(waves, dtype=object)[random.integers(0, len(waves), people)],
        "role": np.array([*ROLES, None], dtype=object)[random.choice(5, people, p=[0.45, 0.2, 0.2, 0.1, 0.05])],
    }
    leaning = random.normal(0, 0.3, len(leaves))[unit] + random.normal(0, 0.6, people)
    for item in rules.items["item_id"]:
        level = np.clip(np.rint(3 + leaning + random.normal(0, 0.9, people)), 1, rules.settings.scale_points)
        other = np.array([np.nan, DOES_NOT_APPLY, DONT_KNOW])[random.integers(0, 3, people)]
        columns[str(item)] = np.where(random.random(people) < 0.9, level, other)
    responses = pd.DataFrame(columns)
    invited = responses.groupby(["unit_id", "wave", "role"]).size().rename("invited").mul(2).reset_index()
    invited["invited"] = invited["invited"].astype(float)
    tables = {"responses": responses, "invitations": invited.astype({"role": object})}
    return Data(tables, table, hierarchy.membership(table), waves, waves[-1], date(2026, 9, 30))


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def in_pandas(data: Data, rules: Instrument) -> pd.DataFrame:
    """Mean score per unit and barrier, as one would write it plainly: no half rule, no roles, no parents."""
    responses = data.tables["responses"]
    items = rules.items.set_index("item_id")
    answered = responses[list(items.index)]
    levels = answered.where(answered > 0)
    turned = levels.where(~items["reverse_scored"].astype(bool), rules.settings.scale_points + 1 - levels)
    by_barrier = turned.T.groupby(items["barrier_id"]).mean().T
    return by_barrier.groupby([responses["unit_id"], responses["wave"]]).mean()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--respondents", type=int, default=1_000_000)
    parser.add_argument("--units", type=int, default=2_000)
    parser.add_argument("--waves", type=int, default=1, choices=range(1, len(WAVES) + 1))
    asked = parser.parse_args()
    rules = read_instrument(INSTRUMENT)
    data = make_data(rules, asked.respondents, asked.units, WAVES[-asked.waves :])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{asked.respondents:,} respondents x {len(rules.items)} items x {asked.units:,} units, {asked.waves} waves")
    processor, total = time.process_time(), 0.0
    for name, run in (
        ("all tables of the survey", lambda: survey.tables(data, rules)),
        ("where changes come from", lambda: survey.change_sources(data, rules)),
    ):
        took = seconds(run)
        total += took
        print(f"{name:25} {took:6.1f} s", flush=True)
    print(f"all together {total:.1f} s (at most {LIMIT_SECONDS}), {time.process_time() - processor:.1f} s of processor")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"peak memory {peak:.2f} GB (at most {LIMIT_GB}), {before:.2f} GB when the answers were made")
    plain = seconds(lambda: in_pandas(data, rules))
    print(
        f"mean per unit x barrier, plain pandas: {plain:.1f} s; all of the survey takes {total / plain:.1f} times that"
    )


if __name__ == "__main__":
    main()
