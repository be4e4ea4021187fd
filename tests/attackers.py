"""An outsider who reads everything that is published works out what is hidden.

    PYTHONPATH=tests .venv/bin/python -m attackers --organisations 20 [--seed 0] [--bounds]

Every published cell is a linear equation over own units by role (or level, job, initiative). A group of fewer people
than the minimum is recovered where its sum is a weighted sum of published ones; what the attacker says is compared with
the truth. Knowledge: K0 what is published; K1 also which unit x role is empty; K1S also what one person knows who is
alone in a unit x role. With `--bounds` also by linear programmes over the whole points that pages print.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import attack_records
import numpy as np
from attack_figures import Figure, Row, SurveyFigures
from attack_organisations import Organisation, drawn
from scipy.optimize import linprog

ROUND_OFF = 1e-9
K0, K1, K1S = "K0", "K1", "K1S"


@dataclass(frozen=True)
class Recovery:
    """A group of too few people whose mean an outsider knows."""

    seed: int
    knowledge: str
    kind: str
    figure: str
    group: str
    people: float
    mean: float
    how: str

    def __str__(self) -> str:
        return (
            f"organisation {self.seed}, {self.knowledge}, {self.figure}: {self.group} ({self.people:.0f} people) "
            f"mean {self.mean:.6g} = {self.how}"
        )


@dataclass
class Tally:
    """What was attacked: published figures, hidden small groups x figures, and those recovered.

    `cells`: by kind of figure, cells with people enough; `covers`: those of them that are hidden all the same.
    """

    organisations: int = 0
    published: int = 0
    hidden: int = 0
    recoveries: list[Recovery] | None = None
    mistaken: list[str] | None = None
    cells: Counter | None = None
    covers: Counter | None = None

    def __post_init__(self) -> None:
        self.recoveries, self.mistaken = self.recoveries or [], self.mistaken or []
        self.cells, self.covers = self.cells or Counter(), self.covers or Counter()

    def add(self, figure: Figure) -> None:
        """Count the cells that are large enough, and those of them that are hidden for the sake of others."""
        large = {name for name, mask in figure.printable.items() if large_enough(figure, mask)}
        self.cells[figure.kind] += len(large)
        self.covers[figure.kind] += len(large - {row.name for row in figure.sums})

    def join(self, other: "Tally") -> None:
        self.organisations += other.organisations
        self.published += other.published
        self.hidden += other.hidden
        self.recoveries += other.recoveries
        self.mistaken += other.mistaken
        self.cells.update(other.cells)
        self.covers.update(other.covers)


@lru_cache(maxsize=512)  # many figures are published of the same cells
def _basis(shape: tuple[int, int], content: bytes) -> np.ndarray:
    rows = np.frombuffer(content).reshape(shape)
    rows = rows[np.abs(rows).sum(axis=1) > 0]
    if not rows.size:
        return np.zeros((0, shape[1]))
    _, sizes, basis = np.linalg.svd(rows, full_matrices=False)
    return basis[sizes > 1e-9 * max(1.0, sizes.max(initial=0.0))]


class Span:
    """The space of weighted sums of some rows; tells which masks lie in it."""

    def __init__(self, rows: np.ndarray):
        self.basis = _basis(rows.shape, np.ascontiguousarray(rows + 0.0).tobytes())

    def beyond(self, masks: np.ndarray) -> np.ndarray:
        """What of each mask the rows do not reach."""
        return masks - (masks @ self.basis.T) @ self.basis

    def holds(self, masks: np.ndarray) -> np.ndarray:
        return np.abs(self.beyond(masks)).max(axis=1, initial=0.0) < ROUND_OFF * 100


def matrix(rows: list, size: int) -> np.ndarray:
    return np.array([row.weights for row in rows]).reshape(-1, size)


def proven_empty(figure: Figure) -> np.ndarray:
    """Atoms that published counts leave no room in: anybody's knowledge."""
    counts = matrix(figure.counts, len(figure.atoms))
    known = np.array([row.total for row in figure.counts])
    free = ~figure.unasked
    # rows of nothing: their atoms go first, then programmes over what is left
    for weights, total in zip(counts, known, strict=True):
        if abs(total) < 1e-9:
            free &= weights == 0
    unsure, proven = free & (counts.sum(axis=0) > 0), ~free
    used = np.flatnonzero(free)
    while unsure.any():
        # t <= n, t <= 1: as many as can stand in at once
        spots = np.flatnonzero(unsure)
        link = np.zeros((len(spots), len(used) + len(spots)))
        link[np.arange(len(spots)), len(used) + np.arange(len(spots))] = 1
        link[np.arange(len(spots)), np.searchsorted(used, spots)] = -1
        equal = np.hstack([counts[:, used], np.zeros((len(counts), len(spots)))])
        aim = np.concatenate([np.zeros(len(used)), -np.ones(len(spots))])
        bounds = [(0, None)] * len(used) + [(0, 1)] * len(spots)
        solved = linprog(aim, link, np.zeros(len(spots)), equal, known, bounds=bounds, method="highs")
        if solved.x is None:  # counts that contradict each other: rounded ones; nothing follows
            return proven
        there = solved.x[len(used) :] > 1e-7
        if not there.any():
            proven = proven | unsure
            break
        unsure[spots[there]] = False
    return proven


def exact(rows: list, truth: np.ndarray) -> list:
    """Rows printed in full: who attacks sees which are rounded."""
    return [row for row in rows if abs(row.weights @ truth - row.total) <= 1e-6 * (1 + abs(row.total))]


def targets(figure: Figure) -> dict[str, np.ndarray]:
    """Groups of too few people, each once however many names it has: the first name."""
    sizes: dict[bytes, float] = {}
    made: dict[bytes, str] = {}
    for name, mask in figure.groups.items():
        people = mask * (figure.base > 0)
        if people.any():  # the same people, if they are a large cell under another name, are no small group
            key = people.tobytes()
            sizes[key] = np.fmax(sizes.get(key, np.nan), figure.size(mask))
            made.setdefault(key, name)
    return {name: figure.groups[name] for key, name in made.items() if sizes[key] < figure.limit}


def attack(figure: Figure, seed: int = 0, levels: Sequence[str] = (K0, K1, K1S)) -> tuple[int, list[Recovery]]:
    """Hidden small groups of a figure, and those that each knowledge recovers beyond the one before."""
    small = targets(figure)
    if not small or not figure.sums:
        return len(small), []
    size, names = len(figure.atoms), list(small)
    masks = np.array([small[name] for name in names])
    proven = proven_empty(figure) if K0 in levels else figure.unasked
    linked = links(figure, proven)
    sums, counts = exact([*figure.sums, *linked], figure.total), exact(figure.counts, figure.base)
    found: list[Recovery] = []
    left = np.ones(len(names), dtype=bool)
    for knowledge in levels[:2]:
        empty = (figure.empty | figure.unasked) if knowledge == K1 else proven
        free = (~empty).astype(float)
        if knowledge == K1:
            sums = exact([*figure.sums, *links(figure, empty)], figure.total)
        span, numbers = Span(matrix(sums, size) * free), Span(matrix(counts, size) * free)
        reached = left & span.holds(masks * free) & (numbers.holds(masks * free) | (knowledge == K1))
        for at in np.flatnonzero(reached):
            recovery = explained(figure, seed, knowledge, names[at], masks[at], sums, free)
            if recovery:
                found.append(recovery)
                left[at] = False
    if K1S in levels:
        found += inside(figure, seed, names, masks, left, sums, free, span)
    return len(small), found


def inside(
    figure: Figure,
    seed: int,
    names: list[str],
    masks: np.ndarray,
    left: np.ndarray,
    sums: list,
    free: np.ndarray,
    span: Span,
) -> list[Recovery]:
    """What somebody works out who is alone somewhere, and knows what they said or did themselves."""
    found = []
    whole = np.array([" - " not in name for name in names])
    for own in figure.insiders:
        spots = np.flatnonzero((own > 0) & (figure.base > 0))
        # about themselves they know already; what a cell of five holds beyond oneself is open to all five of it
        others = np.flatnonzero(left & whole & (masks[:, spots].sum(axis=1) == 0))
        if not spots.size or not others.size:
            continue
        known = np.eye(len(own))[spots]
        wider = Span(np.vstack([span.basis, known * free]))
        for at in others[wider.holds(masks[others] * free)]:
            rows = [*sums, *(Row("own answers", one, float(one @ figure.total)) for one in known)]
            recovery = explained(figure, seed, K1S, names[at], masks[at], rows, free)
            if recovery:
                found.append(recovery)
                left[at] = False
    return found


def links(figure: Figure, empty: np.ndarray) -> list:
    """Changes and their sources as sums, where the numbers of people in them are known."""
    if not figure.links:
        return []
    free = (~empty).astype(float)
    counts = exact(figure.counts, figure.base)
    numbers = Span(matrix(counts, len(figure.atoms)) * free)

    def people(mask: np.ndarray) -> float | None:
        """How many, where it follows."""
        if not (mask * free).any():
            return 0.0
        return float(mask @ figure.base) if numbers.holds((mask * free)[None])[0] else None

    made = []
    for source, name, cells, value in figure.links:
        row = _mean_difference(cells, people) if source == "change" else _mixture(source, cells, people)
        if row is not None:
            made.append(Row(f"{source} {name}", row, value))
    return made


def _mean_difference(cells: list, people) -> np.ndarray | None:
    n = [people(cell) for cell in cells]
    return None if any(not one for one in n) else cells[0] / n[0] - cells[1] / n[1]


def _mixture(source: str, cells: list, people) -> np.ndarray | None:
    """Kitagawa's parts as weights over means: a role that one wave alone has takes its mean in both."""
    now, before = ([people(cell) for cell in side] for side in cells)
    if any(one is None for one in (*now, *before)) or not sum(now) or not sum(before):
        return None
    weights = np.zeros_like(cells[0][0])
    for at in range(len(now)):
        w1, w0 = now[at] / sum(now), before[at] / sum(before)
        if not w1 and not w0:
            continue
        m1 = cells[0][at] / now[at] if now[at] else cells[1][at] / before[at]
        m0 = cells[1][at] / before[at] if before[at] else m1
        weights = weights + ((w1 - w0) * (m1 + m0) / 2 if source == "role_mix" else (m1 - m0) * (w1 + w0) / 2)
    return weights


def explained(
    figure: Figure, seed: int, knowledge: str, name: str, mask: np.ndarray, rows: list, free: np.ndarray
) -> Recovery | None:
    """The weighted sum in words, where what it says is true; who says something untrue has recovered nothing."""
    rows = shortest(rows, mask, free)
    weights = np.linalg.lstsq(matrix(rows, len(mask)).T * free[:, None], mask * free, rcond=None)[0]
    says, truth = float(weights @ [row.total for row in rows]), float(mask @ figure.total)
    people = float(mask @ figure.base)
    if abs(says - truth) > 1e-6 * max(1.0, people):
        return None
    parts = [f"{weight:+.4g} [{row.name}]" for weight, row in zip(weights, rows, strict=True) if abs(weight) > 1e-7]
    size = figure.size(mask)
    more = "" if len(parts) <= 8 else f" and {len(parts) - 8} more"
    return Recovery(
        seed,
        knowledge,
        figure.kind,
        f"{figure.kind} {figure.name}",
        name,
        size,
        says / max(people, 1.0),
        " ".join(parts[:8]) + more,
    )


def shortest(rows: list, mask: np.ndarray, free: np.ndarray) -> list:
    """Few of the rows that still reach the mask: those left out one by one, largest first, where the rest suffices."""
    kept = sorted(rows, key=lambda row: np.abs(row.weights * free).sum())
    weights = np.linalg.lstsq(matrix(kept, len(mask)).T * free[:, None], mask * free, rcond=None)[0]
    kept = [row for row, weight in zip(kept, weights, strict=True) if abs(weight) > 1e-7]
    for row in reversed(kept.copy()):
        fewer = [other for other in kept if other is not row]
        if fewer and Span(matrix(fewer, len(mask)) * free).holds((mask * free)[None])[0]:
            kept = fewer
    return kept


def large_enough(figure: Figure, mask: np.ndarray) -> bool:
    """Whether a cell stands for the minimum of people, and not for one who did most of it."""
    return figure.size(mask) >= figure.limit and not figure.dominated(mask)


def weakened(figure: Figure) -> Figure:
    """The same figure, published with nothing hidden but what stands for too few."""
    cells = {name: mask for name, mask in figure.printable.items() if figure.size(mask) >= figure.limit}
    return replace(
        figure, links=[],
        counts=[Row(name, mask, float(mask @ figure.base)) for name, mask in cells.items()],
        sums=[Row(name, mask, float(mask @ figure.total)) for name, mask in cells.items()],
    )  # fmt: skip


def dominated(organisation: Organisation, results: Path, seed: int = 0) -> list[Recovery]:
    """Sums of decisions that are one person's but for few, of groups that are large enough otherwise."""
    return [one for figure in figures_of(organisation, results) for one in _dominated(figure, seed)]


def _dominated(figure: Figure, seed: int) -> list[Recovery]:
    if figure.kind != "decision" or not figure.sums:
        return []
    free, rows = (~figure.empty).astype(float), exact(figure.sums, figure.total)
    span, seen, found = Span(matrix(rows, len(figure.atoms)) * free), set(), []
    for name, mask in figure.groups.items():
        people = mask * free
        if people.tobytes() in seen or not people.any():
            continue
        seen.add(people.tobytes())
        if figure.size(mask) >= figure.limit and figure.dominated(people) and span.holds(people[None])[0]:
            recovery = explained(figure, seed, K1, name, mask, rows, free)
            found += [replace(recovery, kind="one decider of most")] if recovery else []
    return found


# Programmes over what pages print --------------------------------------------------------------------------------

PLACED = 6.0
"""A hidden mean is placed where what pages print leaves less than 3 points on either side."""


def placed(figure: Figure, seed: int = 0) -> list[Recovery]:
    """Hidden groups whose mean the whole points of pages place within 3 points, of scores 0-100."""
    found, size = [], len(figure.atoms)
    small, counts = targets(figure), exact(figure.counts, figure.base)
    ns = np.array([row.total for row in counts])
    people = matrix(counts, size)
    step = figure.highest / 100
    means = [
        (row.weights, count.total, row.total / count.total)
        for row, count in zip(figure.sums, figure.counts, strict=False)
        if count.total
    ]
    for knowledge in (K0, K1):
        empty = (figure.empty | figure.unasked) if knowledge == K1 else proven_empty(figure)
        free = (~empty).astype(float)
        numbers = Span(people * free)
        sums = np.array([weights * free for weights, _, _ in means]).reshape(-1, size)
        middle = np.array([n * round(mean / step) * step for _, n, mean in means])
        half = np.array([n * step / 2 for _, n, _ in means])
        room = np.vstack([np.hstack([np.zeros_like(sums), sums]), np.hstack([np.zeros_like(sums), -sums]),
                          np.hstack([-figure.highest * np.eye(size), np.eye(size)])])  # fmt: skip
        most = np.concatenate([middle + half, half - middle, np.zeros(size)])
        equal = np.hstack([people * free, np.zeros_like(people)])
        bounds = [(0, None if one else 0) for one in (*free, *free)]
        for name, mask in small.items():
            if not numbers.holds((mask * free)[None])[0]:
                continue
            n, ends = float(mask @ figure.base), []
            for sign in (1, -1):
                aim = np.concatenate([np.zeros(size), sign * mask * free])
                solved = linprog(aim, room, most, equal, ns, bounds=bounds, method="highs")
                ends.append(sign * solved.fun / n if solved.status == 0 else np.nan)
            mean = float(mask @ figure.total) / n
            if ends[1] - ends[0] <= PLACED * step and ends[0] - 1e-6 <= mean <= ends[1] + 1e-6:
                says = f"between {ends[0]:.2f} and {ends[1]:.2f}"
                label = f"{figure.kind} {figure.name}"
                found.append(Recovery(seed, f"{knowledge} pages", figure.kind, label, name, n, mean, says))
    return found


# The whole of an organisation ------------------------------------------------------------------------------------


def figures_of(organisation: Organisation, results: Path, kinds: Collection[str] = ()) -> Iterator[Figure]:
    """Every figure, or those of some kinds."""
    yield from SurveyFigures(organisation, results).figures(kinds)
    yield from (one for one in attack_records.figures(organisation, results) if not kinds or one.kind in kinds)


def attacked(
    organisation: Organisation, results: Path, seed: int = 0, *, bounds: bool = False, kinds: Collection[str] = ()
) -> Tally:
    """Attack every figure (of some kinds) of an organisation whose results lie in a folder."""
    tally = Tally(organisations=1)
    for figure in figures_of(organisation, results, kinds):
        hidden, found = attack(figure, seed)
        tally.published += len(figure.sums)
        tally.add(figure)
        tally.hidden += hidden
        tally.recoveries += found
        tally.recoveries += _dominated(figure, seed)
        tally.mistaken += figure.mistaken()
        if bounds and figure.kind == "scale":
            known = {recovery.group for recovery in found}
            tally.recoveries += [one for one in placed(figure, seed) if one.group not in known]
    return tally


def assessed(organisation: Organisation, folder: Path) -> Path:
    """Write the data, assess them, and give the folder of the results."""
    from aiready import Assessment

    Assessment.open(organisation.write(folder / "data")).save(folder / "results")
    return folder / "results"


def run(seeds: Iterable[int], *, bounds: Collection[int] = (), told=lambda seed, tally: None) -> Tally:
    """Attack random organisations; those in `bounds` by programmes too."""
    whole = Tally()
    for seed in seeds:
        organisation = drawn(seed)
        with tempfile.TemporaryDirectory() as folder:
            tally = attacked(organisation, assessed(organisation, Path(folder)), seed, bounds=seed in bounds)
        told(seed, tally)
        whole.join(tally)
    return whole


def table(tally: Tally, examples: int = 5) -> str:
    """Counts by figure kind and knowledge, with examples."""
    lines = [
        f"{tally.organisations} organisations, {tally.published:,} published figures, {tally.hidden:,} groups "
        f"below the minimum x figures, {len(tally.recoveries):,} recovered",
        f"{'figure':<22}{'knowledge':<12}{'recovered':>10}{'of one person':>15}{'organisations':>15}",
    ]
    kinds = defaultdict(list)
    for recovery in tally.recoveries:
        kinds[recovery.kind, recovery.knowledge].append(recovery)
    for (kind, knowledge), found in sorted(kinds.items()):
        single, seeds = sum(one.people == 1 for one in found), len({one.seed for one in found})
        lines.append(f"{kind:<22}{knowledge:<12}{len(found):>10}{single:>15}{seeds:>15}")
    for key, found in sorted(kinds.items()):
        lines += ["", *key[:0], f"{key[0]}, {key[1]}:", *(f"  {one}" for one in found[:examples])]
    lines += ["", f"{'figure':<22}{'large cells':>12}{'hidden of them':>16}"]
    lines += [f"{kind:<22}{count:>12,}{tally.covers[kind]:>16,}" for kind, count in sorted(tally.cells.items())]
    if tally.mistaken:
        lines += ["", f"{len(tally.mistaken)} rows are not what the truth adds up to, such as:", *tally.mistaken[:8]]
    return "\n".join(lines)


def say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--organisations", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="the first organisation")
    parser.add_argument("--bounds", action="store_true", help="also programmes over the whole points of pages")
    parser.add_argument("--examples", type=int, default=5)
    chosen = parser.parse_args()
    began, seeds = time.monotonic(), range(chosen.seed, chosen.seed + chosen.organisations)

    def told(seed: int, tally: Tally) -> None:
        say(f"{seed}: {len(tally.recoveries)} of {tally.hidden} ({time.monotonic() - began:.0f} s)")

    say(
        table(
            run(seeds, bounds=seeds if chosen.bounds else (), told=told),
            chosen.examples,
        )
    )


if __name__ == "__main__":
    main()
