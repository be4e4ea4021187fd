"""The least that would have to be hidden: the fewest cells beyond the small ones that leave an attacker nothing.

Every set of further cells is tried, from the smallest on, so only organisations with few printed cells can be asked.
"""

from dataclasses import dataclass, replace
from itertools import chain, combinations
from pathlib import Path

import attackers
import numpy as np
from attack_figures import Figure, Row, SurveyFigures
from attack_organisations import Organisation, staff, unit

MOST_CELLS = 14
"""Distinct cells beyond which the sets are too many."""


@dataclass(frozen=True)
class Least:
    """Cells to hide beyond the small ones, and how many the gate hid."""

    cells: tuple[str, ...]
    gate: tuple[str, ...]
    printed: int


def least_hidden(organisation: Organisation, results: Path) -> Least | None:
    """The fewest cells of the scales to hide beyond the small ones, beside what is hidden; None: too many to try.

    For K1 and K1S, one pattern for all scales of a wave, exact sums only.
    """
    figures = list(SurveyFigures(organisation, results).figures({"scale"}))
    first = figures[0]
    large = {name for name, mask in first.printable.items() if attackers.large_enough(first, mask)}
    same: dict[bytes, list[str]] = {}
    for name in sorted(large):
        same.setdefault((first.printable[name] * (first.base > 0)).tobytes(), []).append(name)
    cells = list(same.values())
    if len(cells) > MOST_CELLS:
        return None
    sets = chain.from_iterable(combinations(range(len(cells)), count) for count in range(len(cells) + 1))
    gate = tuple(sorted(large - {row.name for row in first.sums}))
    for chosen in sorted(sets, key=lambda places: sum(len(cells[place]) for place in places)):
        hidden = {name for place in chosen for name in cells[place]}
        if all(_silent(figure, large - hidden) for figure in figures):
            return Least(tuple(sorted(hidden)), gate, len(large))
    raise AssertionError("even with nothing published something is recovered")


def _silent(figure: Figure, shown: set[str]) -> bool:
    """Whether a figure with these cells published gives nobody away."""
    rows = [(name, figure.printable[name]) for name in sorted(shown)]
    published = replace(
        figure, links=[],
        counts=[Row(name, mask, float(mask @ figure.base)) for name, mask in rows],
        sums=[Row(name, mask, float(mask @ figure.total)) for name, mask in rows],
    )  # fmt: skip
    return not attackers.attack(published, levels=(attackers.K1, attackers.K1S))[1]


def small(seed: int) -> Organisation:
    """A flat or two-level organisation of two to four units, one wave, nobody skipping anything."""
    rng = np.random.default_rng([99, seed])
    names = "abcd"[: int(rng.integers(2, 5))]
    nested = rng.random() < 0.6
    units = ([unit("p")] if nested else []) + [
        unit(name, "p" if nested and place < 3 else "") for place, name in enumerate(names)
    ]
    most = {"frontline": 12, "technical": 5, "manager": 6, "executive": 1}
    roles = {
        name: {role: int(rng.integers(0, count + 1)) * int(rng.random() < 0.7) for role, count in most.items()}
        for name in names
    }
    if nested and rng.random() < 0.5:
        roles["p"] = {"manager": 1}
    return Organisation(units=units, responses=staff(roles, seed=seed))
