"""Figures of the records: decisions, use of initiatives, hours of tasks, as sums over own units.

As `attack_figures`: published files on one side, the truth from the raw rows on the other.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from attack_figures import ALL, DOMINANCE, EVERYBODY, SMALL_UNIT, Atoms, Figure, Row, Tree, published
from attack_organisations import Organisation

LEVELS = ("level 0", "level 1", "level 2", "level 3", "level 4", "level unknown")
QUARTER = {"01": "Q1", "02": "Q1", "03": "Q1", "04": "Q2", "05": "Q2", "06": "Q2", "07": "Q3", "08": "Q3", "09": "Q3",
           "10": "Q4", "11": "Q4", "12": "Q4"}  # fmt: skip
HOURS = (
    "potential_hours", "realised_hours", "last_mile_gap_hours", "gap_not_adopted", "gap_saving_below_plan",
    "gap_rework", "gap_oversight",
)  # fmt: skip
OF_TASK = dict(zip(HOURS, ("potential", "realised", "gap", *HOURS[3:]), strict=True))


def figures(organisation: Organisation, results: Path) -> Iterator[Figure]:
    yield from Decisions(organisation, results).figures()
    yield from usage_figures(organisation, results)
    yield from task_figures(organisation, results)


# Decisions -------------------------------------------------------------------------------------------------------


class Decisions:
    """The decision log: what each measure adds up over decisions, and who took them."""

    def __init__(self, organisation: Organisation, results: Path):
        self.log = organisation.table("decisions")
        self.tree, self.measures = Tree(organisation), published(results, "measures")
        self.headcounts = _own_headcounts(organisation)
        if len(self.log):
            day = self.log["opened_at"].str
            self.log["wave"] = day[:4] + "-" + day[5:7].map(QUARTER)
            self.log["level"] = [
                "level unknown" if level == "" else f"level {level}" for level in self.log["autonomy_level"]
            ]

    def ratios(self) -> dict[str, tuple[pd.Series, pd.Series]]:
        """Measure -> (what is added up, which decisions it is among)."""
        log = self.log
        there = {
            name: log[name].ne("") for name in ("advice", "initial_decision", "final_decision", "correct_decision")
        }
        right = {name: log[name].eq(log["correct_decision"]) for name in there}
        known = {name: there[name] & there["correct_decision"] for name in there}
        both = known["advice"] & known["final_decision"]
        decided = there["final_decision"] | log["decided_at"].ne("")
        followed = log["advice"].eq(log["final_decision"])
        wrong_advice = both & ~right["advice"]
        broken, fixed = both & right["advice"] & ~right["final_decision"], wrong_advice & right["final_decision"]
        levelled = decided & log["level"].ne("level unknown")
        step = pd.to_numeric(log["level"].str[-1], errors="coerce").fillna(0)
        context = log["context_complete"]
        return {
            "label_coverage": (there["correct_decision"], decided),
            "human_accuracy": (right["initial_decision"], known["initial_decision"]),
            "advice_accuracy": (right["advice"], known["advice"]),
            "over_reliance": (followed, wrong_advice),
            "under_reliance": (broken, both & right["advice"]),
            "override_rate": (~followed, there["advice"] & there["final_decision"]),
            "override_correct": (fixed, (both & ~followed & ~right["advice"]) | broken),
            "net_override_value": (fixed.astype(float) - broken.astype(float), both),
            "autonomy_share": (step >= 3, levelled),
            "autonomy_index": (step / 4, levelled),
            "context_coverage": (context.eq("yes"), context.ne("")),
        }

    def figures(self) -> Iterator[Figure]:
        if not len(self.log):
            return
        for wave in sorted(set(self.log["wave"])):
            for measure, (of, among) in self.ratios().items():
                yield self._ratio(wave, measure, of, among)
            yield self._errors(wave)

    def _ratio(self, wave: str, measure: str, of: pd.Series, among: pd.Series) -> Figure:
        atoms = Atoms(self.tree, [wave], (ALL,), {ALL: (ALL,)})
        shown = self.measures[(self.measures["measure"] == measure) & (self.measures["wave"] == wave)]
        parts = pd.Series(ALL, index=self.log.index)
        return self._figure(
            "decision", f"{wave} {measure}", atoms, shown, among & (self.log["wave"] == wave), of, parts
        )

    def _errors(self, wave: str) -> Figure:
        """Wrong decisions by level, with the accuracy of all levels together."""
        right = self.log["final_decision"].eq(self.log["correct_decision"])
        scored = self.log["final_decision"].ne("") & self.log["correct_decision"].ne("") & (self.log["wave"] == wave)
        segments = {ALL: LEVELS, **{level: (level,) for level in LEVELS}}
        atoms = Atoms(self.tree, [wave], LEVELS, segments)
        here = self.measures[self.measures["wave"] == wave]
        errors = here[here["measure"] == "error_rate"]
        whole = here[here["measure"] == "accuracy_bounds"]
        shown = pd.concat([errors, whole.assign(value=1 - whole["value"])])
        return self._figure("decision", f"{wave} error_rate", atoms, shown, scored, ~right, self.log["level"])

    def _figure(
        self, kind: str, name: str, atoms: Atoms, shown: pd.DataFrame, among: pd.Series, of: pd.Series, parts: pd.Series
    ) -> Figure:
        log, size = self.log[among], len(atoms.keys)
        at = np.array([
            atoms.place[wave, one, part]
            for wave, one, part in zip(log["wave"], log["unit_id"], parts[among], strict=True)
        ], dtype=int)  # fmt: skip
        base = np.bincount(at, minlength=size).astype(float)
        total = np.bincount(at, weights=of[among].to_numpy(float), minlength=size)
        attended = (log["level"].ne("level 4") | log["decider_id"].ne("")).to_numpy()
        deciders = pd.Series(log["decider_id"].to_numpy(), index=at)[attended]
        people = _Deciders(deciders, atoms, self.headcounts)
        visible = shown[shown["value"].notna()]
        keys = zip(visible["wave"], visible["unit_id"], visible["segment"], strict=True)
        cells = [key for key in keys if atoms.knows(*key)]
        insiders = people.alone(size)
        figure = Figure(
            kind, name, atoms.keys, base, total, base == 0, np.zeros(size, dtype=bool),
            atoms.named() | atoms.residuals(cells), people.size, insiders=insiders, highest=1.0,
            dominated=people.dominated, printable=atoms.printable(),
        )  # fmt: skip
        for row in visible.itertuples():
            if atoms.knows(row.wave, row.unit_id, row.segment):
                figure.place(
                    f"{row.wave} {row.unit_id}/{row.segment}",
                    atoms.cell(row.wave, row.unit_id, row.segment),
                    row.n,
                    row.value,
                )
        return figure


def _own_headcounts(organisation: Organisation) -> dict[str, float]:
    """People of each unit who are not in a unit below; nan: nobody says."""
    total = {
        row["unit_id"]: float(row["headcount"]) if row.get("headcount", "") != "" else np.nan
        for row in organisation.units
    }
    own = dict(total)
    for one, parent in organisation.parents().items():
        if parent:
            own[parent] -= total[one]
    return own


class _Deciders:
    """How many distinct people decided in atoms; who is not named counts as unknown."""

    def __init__(self, deciders: pd.Series, atoms: Atoms, headcounts: dict[str, float]):
        self.unit, self.headcounts = atoms.unit, headcounts
        self.atom, self.who = deciders.index.to_numpy(int), deciders.to_numpy(object)

    def size(self, mask: np.ndarray) -> float:
        """Distinct deciders; where none is named, those who are known to work where they decided, if enough do."""
        inside = mask[self.atom] > 0
        if not inside.any():
            return np.nan
        named = set(self.who[inside]) - {""}
        if named:
            return float(len(named))
        where = set(self.unit[self.atom[inside]])
        working = np.nansum([self.headcounts[one] for one in where])  # a blank vouches for nobody
        return 99.0 if working >= SMALL_UNIT else float(max(len(named), 1))

    def dominated(self, mask: np.ndarray) -> bool:
        """Whether the decisions are one person's but for few: total - largest - second below 10 % of the largest."""
        inside = mask[self.atom] > 0
        sizes = pd.Series(self.who[inside]).loc[lambda who: who != ""].value_counts().tolist()
        return bool(sizes) and sum(sizes[2:]) < DOMINANCE * sizes[0]

    def alone(self, size: int) -> list[np.ndarray]:
        by_atom = pd.Series(self.who).groupby(self.atom).agg(lambda who: who.iloc[0] if who.nunique() == 1 else "")
        single = by_atom[by_atom != ""]
        return [
            np.isin(np.arange(size), own.index.to_numpy()).astype(float) for _, own in single.groupby(single.to_numpy())
        ]


# Use of initiatives ----------------------------------------------------------------------------------------------


def usage_figures(organisation: Organisation, results: Path) -> Iterator[Figure]:
    usage, measures = organisation.table("usage"), published(results, "measures")
    if not len(usage):
        return
    tree, names = Tree(organisation), tuple(sorted(set(usage["initiative_id"])))
    for wave in sorted(set(usage["wave"])):
        atoms = Atoms(tree, [wave], names, {ALL: names, **{name: (name,) for name in names}})
        here = usage[usage["wave"] == wave]
        trained = here[here["trained_users"].ne("")]
        for measure, rows, column in (("adoption", here, "active_users"), ("trained_share", trained, "trained_users")):
            shown = measures[(measures["measure"] == measure) & (measures["wave"] == wave) & measures["value"].notna()]
            at = [
                atoms.place[wave, one, name] for one, name in zip(rows["unit_id"], rows["initiative_id"], strict=True)
            ]
            base, total = np.zeros((2, len(atoms.keys)))
            base[at], total[at] = rows["intended_users"].astype(float), rows[column].astype(float)
            intended = np.zeros(len(atoms.keys))
            whole = [
                atoms.place[wave, one, name] for one, name in zip(here["unit_id"], here["initiative_id"], strict=True)
            ]
            intended[whole] = here["intended_users"].astype(float)
            yield _of_parts(
                measure, f"{wave} {measure}", atoms, shown, base, total, _least_people(atoms, intended * (base > 0))
            )


def _least_people(atoms: Atoms, people: np.ndarray) -> Callable[[np.ndarray], float]:
    """The same person may be meant by several initiatives of a unit: at least as many as the largest is meant for."""
    unit, _ = pd.factorize(atoms.unit)

    def size(mask: np.ndarray) -> float:
        most = np.zeros(unit.max() + 1)
        np.maximum.at(most, unit, mask * people)
        return float(most.sum()) or np.nan

    return size


def _of_parts(
    kind: str, name: str, atoms: Atoms, shown: pd.DataFrame, base: np.ndarray, total: np.ndarray,
    size: Callable[[np.ndarray], float],
) -> Figure:  # fmt: skip
    cells = [
        (row.wave, row.unit_id, row.segment)
        for row in shown.itertuples()
        if atoms.knows(row.wave, row.unit_id, row.segment)
    ]
    alone = [one for one in np.eye(len(atoms.keys)) if size(one) == 1]
    figure = Figure(
        kind, name, atoms.keys, base, total, base == 0, np.zeros(len(atoms.keys), dtype=bool),
        atoms.named() | atoms.residuals(cells), size, insiders=alone, highest=1.0,
        printable=atoms.printable(),
    )  # fmt: skip
    for row in shown.itertuples():
        if atoms.knows(row.wave, row.unit_id, row.segment):
            cell = atoms.cell(row.wave, row.unit_id, row.segment)
            figure.place(f"{row.wave} {row.unit_id}/{row.segment}", cell, row.n, row.value)
    return figure


# Hours of tasks --------------------------------------------------------------------------------------------------


def task_figures(organisation: Organisation, results: Path) -> Iterator[Figure]:
    """Hours: atoms are own unit x job and blocker; a published hour is a sum, whatever its n (tasks) is."""
    tasks = organisation.table("tasks")
    if not len(tasks):
        return
    measures, rows = published(results, "measures"), published(results, "tasks")
    tree, truth = Tree(organisation), _hours(tasks)
    for wave in sorted(set(truth["wave"])):
        here = truth[truth["wave"] == wave].copy()
        here["part"] = here["job"] + "|" + here["waits"]
        jobs, waits = sorted(set(here["job"])), sorted(set(here["waits"]))
        parts = tuple(f"{job}|{wait}" for job in jobs for wait in waits)
        segments = {ALL: parts, **{job: tuple(f"{job}|{wait}" for wait in waits) for job in jobs}}
        blockers = {f"waits on {wait}": tuple(f"{job}|{wait}" for job in jobs) for wait in waits}
        atoms = Atoms(tree, [wave], parts, segments | blockers)
        at = np.array([atoms.place[wave, one, part] for one, part in zip(here["unit_id"], here["part"], strict=True)])
        holders = here.groupby(["unit_id", "job"])["holders"].first()
        for measure, column in OF_TASK.items():
            counted = here[column].notna().to_numpy()
            base = np.bincount(at[counted], minlength=len(atoms.keys)).astype(float)
            total = np.bincount(at[counted], weights=here[column].to_numpy()[counted], minlength=len(atoms.keys))
            shown = measures[(measures["measure"] == measure) & (measures["wave"] == wave)]
            if measure == "last_mile_gap_hours":
                waiting = measures[(measures["measure"] == "gap_by_blocker") & (measures["wave"] == wave)].copy()
                waiting["segment"] = waiting["segment"].map(lambda name: name if name == ALL else f"waits on {name}")
                shown = pd.concat([shown, waiting])
            single = rows[(rows["wave"] == wave) & rows[column].notna()]
            yield _task_figure(measure, wave, atoms, shown, base, total, holders, single, column, here)


def _task_figure(
    measure: str, wave: str, atoms: Atoms, shown: pd.DataFrame, base: np.ndarray, total: np.ndarray,
    holders: pd.Series, single: pd.DataFrame, column: str, truth: pd.DataFrame,
) -> Figure:  # fmt: skip
    place = {(one, part.split("|")[0]): [] for _, one, part in atoms.keys}
    for at, (_, one, part) in enumerate(atoms.keys):
        place[one, part.split("|")[0]].append(at)

    def size(mask: np.ndarray) -> float:
        """Holders of the jobs in it; of a job without headcount nobody is known."""
        found = [key for key, spots in place.items() if any(mask[at] and base[at] for at in spots)]
        return float(sum(0.0 if np.isnan(holders[key]) else holders[key] for key in found)) if found else np.nan

    visible = shown[shown["value"].notna()]
    cells = [
        (wave, row.unit_id, row.segment) for row in visible.itertuples() if atoms.knows(wave, row.unit_id, row.segment)
    ]
    named = atoms.named() | atoms.residuals(cells)
    figure = Figure(
        "hours", f"{wave} {measure}", atoms.keys, base, total, base == 0, np.zeros(len(base), dtype=bool), named, size,
        highest=np.inf, printable=atoms.printable(),
    )  # fmt: skip
    for row in visible.itertuples():
        if atoms.knows(wave, row.unit_id, row.segment):
            figure.sums.append(
                Row(f"{wave} {row.unit_id}/{row.segment}", atoms.cell(wave, row.unit_id, row.segment), row.value)
            )
    waits = truth.set_index(["unit_id", "job", "task_id"])["waits"]
    keyed = single.assign(waits=[waits[row.unit_id, row.job, row.task_id] for row in single.itertuples()])
    for (one, job, wait), cell in keyed.groupby(["unit_id", "job", "waits"]):
        known = truth[(truth["unit_id"] == one) & (truth["job"] == job) & (truth["waits"] == wait)]
        if len(cell) >= known[column].notna().sum():
            weights = np.zeros(len(atoms.keys))
            weights[atoms.place[wave, one, f"{job}|{wait}"]] = 1.0
            figure.sums.append(Row(f"tasks of {one}/{job}", weights, float(cell[column].sum())))
    figure.counts = [Row(row.name, row.weights, float(row.weights @ base)) for row in figure.sums]  # tasks are listed
    return figure


def _hours(tasks: pd.DataFrame) -> pd.DataFrame:
    """Hours of every task of the drawn kind: `mode` and `target_mode` never human alone."""
    made = tasks.copy()
    numbers = [
        "headcount",
        "hours_per_year",
        "expected_saving",
        "adoption",
        "observed_saving",
        "rework",
        "oversight_hours",
    ]
    made[numbers] = made[numbers].apply(pd.to_numeric, errors="coerce")
    made["holders"] = made.groupby(["unit_id", "wave", "job"])["headcount"].transform("max")
    people = made["headcount"].fillna(made["holders"]).fillna(1.0)
    hours, a, s, o = made["hours_per_year"] * people, made["adoption"], made["expected_saving"], made["observed_saving"]
    # nobody uses it: nothing to observe
    o = o.mask(o.isna() & a.eq(0), 0.0)
    made["potential"] = hours * s
    made["gap_not_adopted"] = hours * s * (1 - a)
    made["gap_saving_below_plan"] = hours * a * (s - o)
    made["gap_rework"] = hours * a * o * made["rework"]
    made["gap_oversight"] = made["oversight_hours"] * people
    made["realised"] = hours * a * o * (1 - made["rework"]) - made["gap_oversight"]
    parts = ["gap_not_adopted", "gap_saving_below_plan", "gap_rework", "gap_oversight"]
    made["gap"] = made[parts].sum(axis=1)
    whole = made[["potential", "realised", *parts]].notna().all(axis=1)
    made.loc[~whole, ["realised", "gap", *parts]] = np.nan
    made["waits"] = made["blocker"].where(made["blocker"].ne(""), "unknown")
    return made


__all__ = ["EVERYBODY", "figures"]
