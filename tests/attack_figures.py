"""What is published of an organisation, as equations over what is not: one `Figure` per thing that adds up.

Published are the files of `results/` alone; the truth is computed here from the raw rows, by code of its own.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from attack_organisations import ITEMS, ROLES, Organisation

GROUPS = {"doing": ("frontline", "technical"), "leading": ("executive", "manager")}
NOBODY_SAYS = "no role"
ALL, EVERYBODY = "all", "*"
SCALES = tuple(dict.fromkeys(ITEMS["barrier_id"]))
THEMES = tuple(dict.fromkeys(ITEMS["theme"]))
NO_CELLS = pd.DataFrame(columns=["wave", "item_id", "unit_id", "segment", *"12345", "n"])
MINIMUM, MINIMUM_DISTRIBUTION = 5, 10
SMALL_UNIT = 20
DOMINANCE = 0.1
SEGMENTS_OF = {
    "theme": (ALL,), "coverage": (ALL,), "item": (ALL, *GROUPS), "distribution": (ALL, *GROUPS),
}  # fmt: skip
"""Segments that a figure is printed for; all of them where none are named."""


@dataclass
class Row:
    """A published number: weights over the atoms, and what they add up to."""

    name: str
    weights: np.ndarray
    total: float


@dataclass
class Figure:
    """One thing that adds up over atoms (own unit x part, in a wave).

    `base` and `total`: the truth, people (decisions, tasks) and sum per atom. `counts` and `sums`: what is published.
    `empty`: atoms that hold nobody, which K1 knows; `unasked`: atoms that cannot hold anything, as anybody knows.
    `insiders`: by person, the atoms where they are alone. `size`: how many people stand behind atoms (nan: nobody).
    `limit`: fewest people that may be recovered. `printable`: cells that are printed where nothing has to be hidden.
    `links`: changes and their sources, which bind means of two waves. `rows`: of every answer, its atom and its value.
    """

    kind: str
    name: str
    atoms: list[tuple[str, str, str]]
    base: np.ndarray
    total: np.ndarray
    empty: np.ndarray
    unasked: np.ndarray
    groups: dict[str, np.ndarray]
    size: Callable[[np.ndarray], float]
    counts: list[Row] = field(default_factory=list)
    sums: list[Row] = field(default_factory=list)
    insiders: list[np.ndarray] = field(default_factory=list)
    limit: int = MINIMUM
    highest: float = 100.0
    dominated: Callable[[np.ndarray], bool] = lambda _: False
    printable: dict[str, np.ndarray] = field(default_factory=dict)
    links: list[tuple] = field(default_factory=list)
    rows: tuple[np.ndarray, np.ndarray] = (np.zeros(0, dtype=int), np.zeros(0))

    def place(self, cell: str, weights: np.ndarray, n: float, value: float) -> None:
        """A published cell of n that add up to n x value; what is not exact is not added."""
        if not np.isfinite(n) or not np.isfinite(value):
            return
        self.counts.append(Row(cell, weights, n))
        self.sums.append(Row(cell, weights, n * value))

    def mistaken(self) -> list[str]:
        """Published rows that are not what the truth adds up to: rounded ones, or an error of ours."""
        sums = [row for row in self.sums if abs(row.weights @ self.total - row.total) > 1e-6 * (1 + abs(row.total))]
        counts = [row for row in self.counts if abs(row.weights @ self.base - row.total) > 1e-6]
        return [f"{self.kind} {self.name} {row.name}" for row in (*sums, *counts)]


class Tree:
    """Units, their parents, and the own units under each."""

    def __init__(self, organisation: Organisation):
        self.parents = organisation.parents()
        self.children: dict[str, list[str]] = {EVERYBODY: []}
        for one, parent in self.parents.items():
            self.children.setdefault(parent or EVERYBODY, []).append(one)
        self.under = {EVERYBODY: frozenset(self.parents)} | {one: self._under(one) for one in self.parents}

    def _under(self, unit_id: str) -> frozenset[str]:
        return frozenset({unit_id}).union(*(self._under(child) for child in self.children.get(unit_id, [])))

    @property
    def nodes(self) -> list[str]:
        return [EVERYBODY, *self.parents]


class Atoms:
    """Masks over (wave, own unit, part), and the groups of people that have a name."""

    def __init__(self, tree: Tree, waves: Sequence[str], parts: Sequence[str], segments: Mapping[str, Sequence[str]]):
        self.tree, self.waves, self.segments = tree, waves, segments
        self.keys = [(wave, one, part) for wave in waves for one in tree.parents for part in parts]
        self.place = {key: at for at, key in enumerate(self.keys)}
        self.wave, self.unit, self.part = (np.array([key[at] for key in self.keys], dtype=object) for at in range(3))
        self.of_wave = {wave: self.wave == wave for wave in waves}
        self.of_node = {node: np.isin(self.unit, list(tree.under[node])) for node in tree.nodes}
        self.of_segment = {name: np.isin(self.part, list(inside)) for name, inside in segments.items()}

    def cell(self, wave: str, node: str, segment: str) -> np.ndarray:
        return (self.of_wave[wave] & self.of_node[node] & self.of_segment[segment]).astype(float)

    def knows(self, wave: str, node: str, segment: str) -> bool:
        return wave in self.of_wave and node in self.of_node and segment in self.of_segment

    def named(self) -> dict[str, np.ndarray]:
        """Every unit, and its own people, by segment."""
        made = {}
        for wave in self.waves:
            for segment, here in self.of_segment.items():
                for node in self.tree.nodes:
                    made[f"{wave} {node}/{segment}"] = self.cell(wave, node, segment)
                    if self.tree.children.get(node) and node != EVERYBODY:
                        own = self.of_wave[wave] & here & (self.unit == node)
                        made[f"{wave} own people of {node}/{segment}"] = own.astype(float)
        return made

    def printable(self, segments: Sequence[str] = ()) -> dict[str, np.ndarray]:
        """Cells that a table prints: single roles above the leaves only."""
        return {
            f"{wave} {node}/{segment}": self.cell(wave, node, segment)
            for wave in self.waves for node in self.tree.nodes for segment in segments or self.segments
            if segment != NOBODY_SAYS and (segment not in ROLES or self.tree.children.get(node))
        }  # fmt: skip

    def residuals(self, shown: Iterable[tuple[str, str, str]]) -> dict[str, np.ndarray]:
        """What a parent holds beyond its published children, and any cell beyond a published one inside it."""
        cells, made = set(shown), {}
        for wave, node, segment in cells:
            rest = self.cell(wave, node, segment)
            inside = [child for child in self.tree.children.get(node, []) if (wave, child, segment) in cells]
            for child in inside:
                rest = rest - self.cell(wave, child, segment)
            if inside:
                made[f"{wave} {node}/{segment} beyond its published children"] = rest
        masks = {cell: self.cell(*cell) for cell in cells}
        for first, outer in masks.items():
            for second, inner in masks.items():
                if first[0] == second[0] and first != second and (inner <= outer).all():
                    made[f"{first[0]} {first[1]}/{first[2]} - {second[1]}/{second[2]}"] = outer - inner
        return made


def published(folder: Path, name: str) -> pd.DataFrame:
    path = folder / f"{name}.csv"
    return pd.read_csv(path, dtype={"segment": str, "unit_id": str, "wave": str}, low_memory=False)


# The survey ------------------------------------------------------------------------------------------------------


class Answers:
    """Levels, scores and shares of every respondent, from the raw rows."""

    def __init__(self, organisation: Organisation):
        rows = organisation.responses
        self.person = np.array([row["respondent_id"] for row in rows], dtype=object)
        self.unit, self.wave = (np.array([row[name] for row in rows], dtype=object) for name in ("unit_id", "wave"))
        self.role = np.array([row["role"] or NOBODY_SAYS for row in rows], dtype=object)
        self.waves = sorted(set(self.wave))
        given = np.array([[str(row[item]) for item in ITEMS["item_id"]] for row in rows], dtype=object)
        given = given.reshape(len(rows), len(ITEMS))
        self.asked = np.array(
            [[role == NOBODY_SAYS or role in roles for roles in ITEMS["roles"]] for role in self.role]
        )
        self.asked = self.asked.reshape(given.shape)
        given = np.where(self.asked, given, "")
        digits = np.isin(given, list("12345"))
        self.level = np.where(digits, np.where(digits, given, "0").astype(float), np.nan)
        self.given = given != ""
        self.dont_know, self.not_applicable = given == "don't know", given == "does not apply"
        turned = ITEMS["item_id"].isin(list(organisation.reversed_items)).to_numpy() | ITEMS["reverse"].to_numpy()
        self.reversed = turned
        self.keyed = np.where(turned, 6 - self.level, self.level)

    def score(self, items: np.ndarray) -> np.ndarray:
        keyed = self.keyed[:, items]
        answered, wanted = (~np.isnan(keyed)).sum(axis=1), self.asked[:, items].sum(axis=1)
        mean = np.nansum(keyed, axis=1) / np.where(answered > 0, answered, 1)
        return np.where((answered > 0) & (2 * answered >= wanted), 25 * (mean - 1), np.nan)

    def straight(self, items: np.ndarray) -> np.ndarray:
        """1 who ticked one level throughout, 0 who did not, missing who could not."""
        level, turned = self.level[:, items], self.reversed[items]
        able = (~np.isnan(level[:, turned])).any(axis=1) & (~np.isnan(level[:, ~turned])).any(axis=1)
        filled = np.where(np.isnan(level), np.nan, level)
        with np.errstate(invalid="ignore"):
            same = np.array([len(set(row[~np.isnan(row)])) == 1 for row in filled], dtype=float)
        return np.where(able, same, np.nan)


def segments_of(organisation: Organisation) -> dict[str, tuple[str, ...]]:
    stated = {
        name: tuple(organisation.settings.get(f"roles_{name}", ";".join(roles)).split(";"))
        for name, roles in GROUPS.items()
    }
    return {
        ALL: (*ROLES, NOBODY_SAYS), **stated, **{role: (role,) for role in ROLES}, NOBODY_SAYS: (NOBODY_SAYS,),
    }  # fmt: skip


class SurveyFigures:
    """Figures of the survey: scales (all waves together, since changes bind them), items, themes, shares."""

    def __init__(self, organisation: Organisation, results: Path):
        self.answers, self.tree = Answers(organisation), Tree(organisation)
        self.segments = segments_of(organisation)
        self.results = {name: published(results, name) for name in ("measures", "explain", "items", "themes")}
        self.results["sources"] = published(results, "change_sources")
        rows = self.results["items"]
        rows = rows[rows["level"].isin(list("12345")) & (rows["status"] == "ok") & rows["n"].notna()]
        self.distributions = dict(iter(levelled(rows).groupby(["wave", "item_id"])))
        self.scores = {barrier: self.answers.score((ITEMS["barrier_id"] == barrier).to_numpy()) for barrier in SCALES}

    def figures(self, kinds: Collection[str] = ()) -> Iterator[Figure]:
        """All figures, or those of some kinds."""
        if not len(self.answers.person):
            return
        for kind, make in self._made().items():
            if not kinds or kind in kinds:
                yield from make()

    def _made(self) -> dict[str, Callable[[], Iterator[Figure]]]:
        waves, items = self.answers.waves, list(enumerate(ITEMS["item_id"]))
        shares = {"dont_know_share": self.answers.dont_know, "not_applicable_share": self.answers.not_applicable}
        return {
            "scale": lambda: (self._scale(barrier) for barrier in SCALES),
            "item": lambda: (self._item(wave, *item) for wave in waves for item in items),
            "coverage": lambda: (self._coverage(wave, *item) for wave in waves for item in items),
            "distribution": lambda: (self._distribution(wave, *item) for wave in waves for item in items),
            "theme": lambda: (self._theme(wave, theme) for wave in waves for theme in THEMES),
            "straightliners": lambda: (self._straight(wave, barrier) for wave in waves for barrier in SCALES),
            **{
                name: lambda name=name, such=such: (
                    self._share(wave, one, name, such) for wave in waves for one in SCALES)
                for name, such in shares.items()
            },
        }  # fmt: skip

    # parts

    def _figure(
        self, kind: str, name: str, waves: Sequence[str], values: np.ndarray, shown: pd.DataFrame, **more: object
    ) -> Figure:
        """A figure that is the sum of `values` (missing: not counted), and its published cells (n, value)."""
        atoms = Atoms(self.tree, waves, (*ROLES, NOBODY_SAYS), self.segments)
        people = [
            atoms.place.get(key, -1)
            for key in zip(self.answers.wave, self.answers.unit, self.answers.role, strict=True)
        ]
        at, size = np.array(people), len(atoms.keys)
        inside, counted = at >= 0, (at >= 0) & ~np.isnan(values)
        base = np.bincount(at[counted], minlength=size).astype(float)
        total = np.bincount(at[counted], weights=values[counted], minlength=size)
        everybody = np.bincount(at[inside], minlength=size)
        alone = pd.Series(at[inside], index=self.answers.person[inside])
        alone = alone[everybody[alone.to_numpy()] == 1]
        insiders = [
            np.isin(np.arange(size), own.to_numpy()).astype(float) for _, own in alone.groupby(level=0, sort=False)
        ]
        cells = [
            (row.wave, row.unit_id, row.segment)
            for row in shown.itertuples()
            if atoms.knows(row.wave, row.unit_id, row.segment)
        ]
        figure = Figure(
            kind, name, atoms.keys, base, total, everybody == 0, np.zeros(size, dtype=bool),
            atoms.named() | atoms.residuals(cells), lambda mask: float(mask @ base) or np.nan, insiders=insiders,
            rows=(at, values), printable=atoms.printable(SEGMENTS_OF.get(kind, ())), **more,
        )  # fmt: skip
        for row in shown.itertuples():
            if atoms.knows(row.wave, row.unit_id, row.segment):
                cell = atoms.cell(row.wave, row.unit_id, row.segment)
                figure.place(f"{row.wave} {row.unit_id}/{row.segment}", cell, row.n, row.value)
        return figure

    def _measure(self, measure: str, barrier: str) -> pd.DataFrame:
        rows = self.results["measures"]
        return rows[(rows["measure"] == measure) & (rows["barrier_id"] == barrier)]

    def _scale(self, barrier: str) -> Figure:
        shown = self._measure("perception", barrier)
        figure = self._figure("scale", barrier, self.answers.waves, self.scores[barrier], shown)
        atoms = Atoms(self.tree, self.answers.waves, (*ROLES, NOBODY_SAYS), self.segments)
        for row in shown[shown["status"] == "insufficient"].itertuples():
            if atoms.knows(row.wave, row.unit_id, row.segment) and "nobody" in str(row.note):
                figure.counts.append(Row("nobody", atoms.cell(row.wave, row.unit_id, row.segment), 0.0))
        figure.links = self._links(barrier, atoms)
        return figure

    def _links(self, barrier: str, atoms: Atoms) -> list[tuple]:
        """Changes and their sources: equations between means, which need numbers of people to be used."""
        made: list[tuple] = []
        changed = {(row.unit_id, row.wave): row.value for row in self._measure("change", barrier).itertuples()}
        waves = self.answers.waves
        before = dict(zip(waves[1:], waves[:-1], strict=True))
        for (unit_id, wave), value in changed.items():
            if np.isfinite(value) and wave in before:
                cells = [atoms.cell(at, unit_id, ALL) for at in (wave, before[wave])]
                made.append(("change", f"{wave} {unit_id}", cells, value))
        sources = self.results["sources"]
        sources = sources[sources["barrier_id"].eq(barrier) & sources["source"].isin(["role_mix", "answers"])]
        for row in sources.itertuples():
            if np.isfinite(row.points) and row.wave in before:
                parts = ROLES if self.tree.children.get(row.unit_id) else ("doing", "leading")
                cells = [
                    [atoms.cell(at, row.unit_id, part) for part in (*parts, NOBODY_SAYS)]
                    for at in (row.wave, before[row.wave])
                ]
                made.append((row.source, f"{row.wave} {row.unit_id}", cells, row.points))
        return made

    def _unasked(self, figure: Figure, place: int) -> Figure:
        roles = ITEMS["roles"].iloc[place]
        figure.unasked = np.array([part != NOBODY_SAYS and part not in roles for _, _, part in figure.atoms])
        return figure

    def _cells_of_item(self, wave: str, item: str) -> pd.DataFrame:
        """Distributions that are published whole: unit x segment with n and the counts on each level."""
        return self.distributions.get((wave, item), NO_CELLS)

    def _item(self, wave: str, place: int, item: str) -> Figure:
        rows = self.results["explain"]
        rows = rows[(rows["wave"] == wave) & (rows["kind"] == "item") & (rows["id"] == item)].assign(segment=ALL)
        shown = [rows[["wave", "unit_id", "segment", "n", "value"]]]
        cells = self._cells_of_item(wave, item)
        if len(cells):
            mean = (cells[list("12345")].to_numpy(float) @ np.arange(1, 6)) / cells["n"]
            shown.append(cells.assign(value=mean)[["wave", "unit_id", "segment", "n", "value"]])
        figure = self._figure(
            "item", f"{wave} {item}", [wave], self.answers.level[:, place], pd.concat(shown), highest=5.0
        )
        return self._unasked(figure, place)

    def _coverage(self, wave: str, place: int, item: str) -> Figure:
        """How many of those who answered gave a level: n over the published coverage."""
        rows = self.results["explain"]
        rows = rows[(rows["wave"] == wave) & (rows["kind"] == "item") & (rows["id"] == item)].assign(segment=ALL)
        shown = rows.assign(value=rows["coverage"], n=(rows["n"] / rows["coverage"]).round(6))
        levels = ~np.isnan(self.answers.level[:, place])
        values = np.where(self.answers.given[:, place], levels.astype(float), np.nan)
        return self._unasked(self._figure("coverage", f"{wave} {item}", [wave], values, shown, highest=1.0), place)

    def _distribution(self, wave: str, place: int, item: str) -> Figure:
        """All levels at once: a group's answers follow where it is a weighted sum of published distributions.

        As the sum that stands for all stands the number on a level drawn by weights no coincidence hits.
        """
        weights = np.array([np.nan, 1.0, np.sqrt(2), np.sqrt(3), np.sqrt(5), np.sqrt(7)])
        level = self.answers.level[:, place]
        values = weights[np.where(np.isnan(level), 0, level).astype(int)]
        cells = self._cells_of_item(wave, item)
        cells = cells.assign(value=cells[list("12345")].to_numpy(float) @ weights[1:] / cells["n"].to_numpy(float))
        figure = self._figure("distribution", f"{wave} {item}", [wave], values, cells, limit=MINIMUM_DISTRIBUTION)
        figure.counts += self._item(wave, place, item).counts
        return self._unasked(figure, place)

    def _theme(self, wave: str, theme: str) -> Figure:
        rows = self.results["themes"]
        rows = rows[(rows["wave"] == wave) & (rows["theme"] == theme)].assign(segment=ALL)
        return self._figure(
            "theme", f"{wave} {theme}", [wave], self.answers.score((ITEMS["theme"] == theme).to_numpy()), rows
        )

    def _straight(self, wave: str, barrier: str) -> Figure:
        rows = soft(self._measure("straightliner_share", barrier))
        values = self.answers.straight((ITEMS["barrier_id"] == barrier).to_numpy())
        return self._figure(
            "straightliners", f"{wave} {barrier}", [wave], values, rows[rows["wave"] == wave], highest=1.0
        )

    def _share(self, wave: str, barrier: str, measure: str, such: np.ndarray) -> Figure:
        """Answers that are no level, of those who answered: known where all answers of a cell are.

        n people gave answers; how many answers follows where nobody left any of the scale's items out: then it is
        the number of items asked. Here the people are counted, and every answer of theirs.
        """
        items = (ITEMS["barrier_id"] == barrier).to_numpy()
        given, hits = self.answers.given[:, items].sum(axis=1), such[:, items].sum(axis=1)
        rows = soft(self._measure(measure, barrier))
        rows = rows[rows["wave"] == wave].copy()
        values = np.where(given > 0, hits.astype(float), np.nan)
        # the number of answers behind a share is not printed; who guesses it to be right is taken to
        atoms = Atoms(self.tree, [wave], (*ROLES, NOBODY_SAYS), self.segments)
        answers = {}
        for row in rows.itertuples():
            if atoms.knows(row.wave, row.unit_id, row.segment):
                inside = np.isin(self.answers.unit, list(self.tree.under[row.unit_id])) & (self.answers.wave == wave)
                inside &= np.isin(self.answers.role, list(self.segments[row.segment]))
                answers[row.Index] = given[inside].sum()
        rows["value"] = rows["value"] * pd.Series(answers, dtype=float).reindex(rows.index) / rows["n"]
        return self._figure(measure, f"{wave} {barrier}", [wave], values, rows, highest=8.0)


def levelled(rows: pd.DataFrame) -> pd.DataFrame:
    """Distributions as counts; a blurred share is read where the others leave nothing open."""
    key = ["wave", "item_id", "unit_id", "segment"]
    cells = rows.pivot(index=key, columns="level", values="share").reindex(columns=list("12345"))
    open_to, missing = 1 - cells.sum(axis=1), cells.isna()
    everybody = rows["note"].astype(str).str.startswith(">=").astype(float)
    sure = (
        rows.assign(sure=everybody)
        .pivot(index=key, columns="level", values="sure")
        .reindex(cells.index, columns=cells.columns)
    )
    one, none = missing.sum(axis=1) == 1, missing.any(axis=1) & (open_to.abs() < 1e-9)
    for level in cells:
        cells[level] = cells[level].mask(one & missing[level], open_to.clip(lower=0)).mask(none & missing[level], 0.0)
    whole = (sure == 1).any(axis=1) & missing.all(axis=1)
    cells[whole] = sure[whole]
    n = rows.groupby(key)["n"].first().reindex(cells.index)
    counts = cells.mul(n, axis=0).round(6).assign(n=n)
    return counts.dropna().reset_index()


def soft(rows: pd.DataFrame) -> pd.DataFrame:
    """Blurred shares of the survey as what they are: exactly nobody, or everybody."""
    rows = rows.copy()
    note = rows["note"].astype(str)
    blurred = rows["value"].isna() & (rows["status"] == "ok")
    rows.loc[blurred & note.str.startswith("<="), "value"] = 0.0
    rows.loc[blurred & note.str.startswith(">="), "value"] = 1.0
    return rows
