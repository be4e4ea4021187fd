"""The privacy gate at size: seconds to hide and audit the cells of a survey, and peak memory.

    python benchmarks/privacy.py --units 2000 --waves 8

Units x (all, doing, leading, and the four roles above the leaves) in a hierarchy of three levels.
"""

import argparse
import resource
import time

import numpy as np
import pandas as pd

from aiready.instrument.model import Settings
from aiready.model.schema import ROLES
from aiready.privacy.suppressed_cells import survey_cells

LIMIT_SECONDS = 60


def units_of(size: int) -> pd.DataFrame:
    """Divisions, departments below them and teams below those, about 10 and 15 children each."""
    divisions, departments = max(1, size // 150), max(1, size // 12)
    names = [f"unit-{place:04}" for place in range(size)]
    parents = [
        None if place < divisions else names[place % divisions] if place < departments else names[place % departments]
        for place in range(size)
    ]
    return pd.DataFrame({"unit_id": names, "parent_id": parents})


def people_of(units: pd.DataFrame, waves: int) -> pd.DataFrame:
    """People with a score per team, wave and role: some teams small, some roles missing."""
    random = np.random.default_rng(42)
    teams = units.loc[~units["unit_id"].isin(units["parent_id"]), "unit_id"]
    index = pd.MultiIndex.from_product([teams, [f"{2018 + wave}" for wave in range(waves)], [*ROLES, None]])
    people = index.to_frame(index=False, name=["unit_id", "wave", "role"])
    size = np.repeat(random.lognormal(3, 0.7, len(teams)), waves * (len(ROLES) + 1))
    share = np.tile([0.5, 0.15, 0.2, 0.1, 0.05], len(teams) * waves)
    people["n"] = random.poisson(size * share).astype(float)
    return people[people["n"] > 0].astype({"role": object}).reset_index(drop=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--units", type=int, default=2_000)
    parser.add_argument("--waves", type=int, default=8)
    asked = parser.parse_args()
    units = units_of(asked.units)
    people = people_of(units, asked.waves)
    clock, processor = time.perf_counter(), time.process_time()
    cells = survey_cells(people, units, Settings())
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    few = (cells["n"] < Settings().minimum_group).mean()
    print(f"{asked.units:,} units x {asked.waves} waves: {len(cells):,} cells, {cells['n'].sum():,.0f} people in them")
    print(f"{few:.0%} are too small, {cells['hidden'].mean():.0%} are hidden; every hidden one audited")
    print(f"{clock:.1f} s (at most {LIMIT_SECONDS}), {processor:.1f} s of processor")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
