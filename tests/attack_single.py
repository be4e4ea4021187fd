"""What published digits say of the single people of a small cell: sets of scores that fit them.

An outsider who knows how many items the roles of a cell are asked writes down every set of scores that so many people
can have, and keeps those with the printed mean and interval. One left: all scores are read back.
"""

from collections import defaultdict
from functools import cache
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
from attack_figures import ALL, Answers, Tree, published, segments_of
from attack_organisations import ITEMS, Organisation
from scipy import stats

FEWEST, MOST = 5, 7
"""Cells looked at: sets of more than seven people are too many to write down."""
FULL = 1e-6


@cache
def _sets(n: int, values: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of every set of n values."""
    places = np.fromiter(
        (place for one in combinations_with_replacement(range(len(values)), n) for place in one), dtype=np.int8
    ).reshape(-1, n)
    drawn = np.array(values)[places]
    return drawn.mean(axis=1), drawn.std(axis=1, ddof=1)


def sets_of(n: int, printed: dict[str, float], grid: np.ndarray, digits: float = FULL) -> int:
    """Sets of n scores on a grid that fit a printed `mean` and, where it is there, `sd`."""
    means, deviations = _sets(n, tuple(float(value) for value in grid))
    fit = np.abs(means - printed["mean"]) <= digits
    if "sd" in printed:
        fit &= np.abs(deviations - printed["sd"]) <= digits * 10
    return int(fit.sum())


def read_back(organisation: Organisation, results: Path) -> list[str]:
    """Cells of 5 to 7 people whose every score follows from the published mean and interval of the scale."""
    answers, tree, segments = Answers(organisation), Tree(organisation), segments_of(organisation)
    rows, found = published(results, "measures"), []
    invited = defaultdict(lambda: np.inf)
    for row in rows[(rows["measure"] == "response_rate") & rows["n"].notna()].itertuples():
        invited[row.unit_id, row.wave, row.segment] = row.n
    small = rows[(rows["measure"] == "perception") & rows["n"].between(FEWEST, MOST)]
    for row in small.itertuples():
        items = (ITEMS["barrier_id"] == row.barrier_id).to_numpy()
        inside = (answers.wave == row.wave) & np.isin(answers.unit, list(tree.under[row.unit_id]))
        inside &= np.isin(answers.role, list(segments[row.segment]))
        scores = answers.score(items)[inside]
        scores = np.sort(scores[~np.isnan(scores)])
        wanted = set(answers.asked[inside][:, items].sum(axis=1))
        grid = np.unique(
            np.round(np.concatenate([np.arange(0, 4 * count + 1) * 25 / count for count in wanted if count]), 9)
        )
        if len(scores) != row.n or not np.isclose(scores[:, None], grid, atol=1e-6).any(axis=1).all():
            continue
        printed = {"mean": row.value}
        if np.isfinite(row.high):
            population = invited[row.unit_id, row.wave, row.segment]
            corrected = np.sqrt(1 - row.n / population) if population >= row.n else 1.0
            if corrected > 0:
                half = row.high - row.value
                printed["sd"] = half * np.sqrt(row.n) / stats.t.isf(0.025, row.n - 1) / corrected
        if abs(scores.mean() - row.value) < FULL and len(grid) < 30 and sets_of(int(row.n), printed, grid) == 1:
            found.append(
                f"{row.wave} {row.unit_id}/{row.segment} {row.barrier_id}: {', '.join(f'{one:g}' for one in scores)}"
            )
    return found


__all__ = ["ALL", "read_back", "sets_of"]
