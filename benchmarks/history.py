"""Comparing with what was published before, at size: seconds of processor beside those of the gate of a single run.

    python benchmarks/history.py --units 2000 --people 60000 --late 0.03

A first run without the late answers is released as it would be; the second is compared with it. The gate of one run is
timed in the same process, so that the ratio says something on a machine with other work too.
"""

import argparse
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from privacy import units_of

from aiready.instrument.model import Settings
from aiready.model import units as hierarchy
from aiready.model.schema import ROLES
from aiready.privacy import releases
from aiready.privacy.suppressed_cells import survey_cells

LIMIT_SECONDS = 20
SCALES, ITEMS = 5, 8
"""Scales, and items of each."""


def answers_of(units: pd.DataFrame, number: int) -> tuple[pd.DataFrame, np.ndarray]:
    """People in teams, each with a role and a level for almost every item."""
    random = np.random.default_rng(42)
    teams = units.loc[~units["unit_id"].isin(units["parent_id"]), "unit_id"].to_numpy(object)
    weight = random.lognormal(0, 0.7, len(teams))
    people = pd.DataFrame({
        "wave": "2026", "unit_id": random.choice(teams, number, p=weight / weight.sum()),
        "role": random.choice(np.array(ROLES, dtype=object), number, p=[0.05, 0.2, 0.55, 0.2]),
        "code": [f"r-{place}" for place in range(number)],
    }).astype(object)  # fmt: skip
    levels = random.integers(1, 6, (number, SCALES * ITEMS)).astype(np.int8)
    levels[random.random(levels.shape) < 0.01] = 0
    skipped = np.repeat(random.random((number, SCALES)) < 0.01, ITEMS, axis=1)
    return people, np.where(skipped, np.int8(0), levels)


def read(people: pd.DataFrame, levels: np.ndarray) -> releases.People:
    """As the answers are read: a figure per scale and per item."""
    items = [f"item-{place}" for place in range(SCALES * ITEMS)]
    counts, figures = [], []
    for scale in range(SCALES):
        own = slice(scale * ITEMS, (scale + 1) * ITEMS)
        counts.append(2 * (levels[:, own] > 0).sum(axis=1) >= ITEMS)
        figures.append((f"scale:{scale}", ";".join(items[own])))
    for place, item in enumerate(items):
        counts.append(levels[:, place] > 0)
        figures.append((f"item:{item}", item))
    table = pd.DataFrame(figures, columns=["figure", "items"])
    return releases.People(people.reset_index(drop=True), levels, tuple(items), np.column_stack(counts), table)


def scored(people: releases.People) -> pd.DataFrame:
    """People behind the scales, for the gate."""
    columns = pd.DataFrame(people.counts[:, :SCALES].astype(float), columns=[f"scale-{at}" for at in range(SCALES)])
    keys = ["unit_id", "wave", "role"]
    return pd.concat([people.table[keys], columns], axis=1).groupby(keys, as_index=False).sum()


def timed(make: Callable[[], Any]) -> tuple[Any, float]:
    """What it gives, and seconds of processor."""
    start = time.process_time()
    return make(), time.process_time() - start


def shown_of(cells: pd.DataFrame) -> pd.DataFrame:
    """Cells that are not hidden."""
    return cells.loc[~cells["hidden"].astype(bool), releases.CELL]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--units", type=int, default=2_000)
    parser.add_argument("--people", type=int, default=60_000)
    parser.add_argument("--late", type=float, default=0.03)
    asked = parser.parse_args()
    units, rules = units_of(asked.units), Settings()
    membership = hierarchy.membership(units)
    everybody, levels = answers_of(units, asked.people)
    early = np.random.default_rng(7).random(asked.people) >= asked.late
    first, second = read(everybody[early], levels[early]), read(everybody, levels)
    cells = shown_of(survey_cells(scored(first), units, rules))
    words = pd.DataFrame({"wave": ["2026"], "item_id": ["item-0"], "digest": ["0" * 12]})
    draft = releases.Draft(first, membership, cells, words, rules)
    release, sealing = timed(lambda: draft.seal({"2026": b"k" * 32}))
    pattern, gate = timed(lambda: survey_cells(scored(second), units, rules))
    compared, matching = timed(lambda: releases.compare(second, membership, [release], rules))
    near, nearness = timed(compared.differencing_risks)
    pattern = survey_cells(scored(second), units, rules, withheld=near)
    given, sums = timed(lambda: compared.derivable_cells(shown_of(pattern)))
    total = matching + nearness + sums
    print(f"{asked.units:,} units, {asked.people:,} people, {(~early).sum():,} late: {len(cells):,} cells before")
    print(f"{len(near):,} cells differ from one that was published by few, {len(given):,} more give few people away")
    print(f"matching {matching:.1f} s, differences {nearness:.1f} s, sums {sums:.1f} s; sealing {sealing:.1f} s")
    print(f"{total:.1f} s of processor (at most {LIMIT_SECONDS}), {total / gate:.1f} times the gate ({gate:.1f} s)")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
