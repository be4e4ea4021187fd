"""Several runs into one folder, and an outsider who keeps what each of them published.

    runs = Runs(tmp_path)
    runs.report(first)                       # as `aiready report`; `runs.score(...)` as `aiready score`
    runs.report(second, codes_anew=True)
    runs.recoveries()                        # what all runs together give away

People are who they are, whatever their code, unit, role or wave is called: `person_key` of their rows says so, where
somebody's code is not enough.
"""

import shutil
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path

import attackers
import numpy as np
from attack_figures import Figure, SurveyFigures
from attack_organisations import ITEMS, Organisation

KINDS = ("scale", "item", "theme", "straightliners", "distribution")


@dataclass
class Run:
    """What one run published: an organisation, its results, and who stands in each row of the answers."""

    organisation: Organisation
    results: Path
    who: list[tuple]
    waves: Mapping[str, str]
    read: dict[tuple, dict[tuple[str, str], Figure]] = field(default_factory=dict)

    def figures(self, kinds: Collection[str]) -> dict[tuple[str, str], Figure]:
        """Figures by kind and name, with the names of waves that the first run had; computed once."""
        key = tuple(kinds)
        if key not in self.read:
            figures = SurveyFigures(self.organisation, self.results).figures(kinds)
            self.read[key] = {(figure.kind, _renamed(figure.name, self.waves)): figure for figure in figures}
        return self.read[key]


@dataclass
class Runs:
    """Runs into `folder/out`; `apart`: each into a folder of its own, so that none knows of another."""

    folder: Path
    apart: bool = False
    made: list[Run] = field(default_factory=list)

    def report(self, organisation: Organisation, **changed: object) -> None:
        """As `aiready report` does it, with pages that nobody draws."""
        from aiready import Assessment
        from aiready.batch.page_job import PageResult
        from aiready.batch.report_run import HISTORY, ReportRequest, run_report
        from aiready.batch.schedule import RunOptions

        def make(_: object) -> "Future[PageResult]":
            answer: Future[PageResult] = Future()
            answer.set_result(PageResult(page=b"<!doctype html><title>page</title>"))
            return answer

        data, out = self._begun(organisation, **changed)
        assessment = Assessment.open(data, published=out / HISTORY)
        run_report(assessment, ReportRequest(str(data), out, (), RunOptions(jobs=1), submit=make))
        self._keep(out)

    def score(self, organisation: Organisation, **changed: object) -> None:
        """As `aiready score` does it."""
        from aiready.cli import commands

        data, out = self._begun(organisation, **changed)
        try:
            commands.main(["score", str(data), "--out", str(out), "--quiet"])
        except SystemExit as ended:
            assert not ended.code
        self._keep(out)

    def _begun(
        self, organisation: Organisation, *, codes_anew: bool = False, waves: Mapping[str, str] | None = None
    ) -> tuple[Path, Path]:
        """Write the data: with other codes, or other labels of the waves (new: as it was)."""
        before = {new: old for old, new in (waves or {}).items()}
        copy, number = deepcopy(organisation), len(self.made)
        who = []
        for place, row in enumerate(copy.responses):
            content = tuple(str(row[item]) for item in ITEMS["item_id"])
            who.append((row.pop("person_key", row["respondent_id"]), row["wave"], content))
            row["wave"] = (waves or {}).get(row["wave"], row["wave"])
            if codes_anew:
                row["respondent_id"] = f"run{number}-{place * 7919 % 10007}"
        for row in copy.invitations:
            row["wave"] = (waves or {}).get(row["wave"], row["wave"])
        data = copy.write(self.folder / f"data{number if self.apart else ''}")
        out = self.folder / f"out{number if self.apart else ''}"
        self.made.append(Run(copy, self.folder / f"results{number}", who, before))
        return data, out

    def _keep(self, out: Path) -> None:
        shutil.copytree(out / "records" / "results", self.made[-1].results)

    def recoveries(self, kinds: Collection[str] = KINDS) -> list[str]:
        """What all runs together say of groups below the minimum, in words; each where it is true."""
        found = []
        for figure in self._figures(kinds):
            found += attackers.attack(figure)[1]
        # what one published cell of five holds beyond oneself is open to all five of it, in whatever run
        return [str(one) for one in found if one.knowledge != attackers.K1S or one.how.count("[") > 2]

    def _figures(self, kinds: Collection[str]) -> Iterator[Figure]:
        """Figures of all runs, over the groups of people that no run tells apart."""
        by_run = [run.figures(kinds) for run in self.made]
        for key in dict.fromkeys(key for figures in by_run for key in figures):
            yield self._together(key, [figures.get(key) for figures in by_run])

    def _together(self, key: tuple[str, str], figures: list[Figure | None]) -> Figure:
        people = list(dict.fromkeys(one for run in self.made for one in run.who))
        at = np.full((len(people), len(figures)), -1)
        values = np.full(len(people), np.nan)
        place = {one: number for number, one in enumerate(people)}
        for number, (run, figure) in enumerate(zip(self.made, figures, strict=True)):
            if figure is None:
                continue
            atoms, value = figure.rows
            rows = np.array([place[one] for one in run.who])
            at[rows, number] = atoms
            scored = ~np.isnan(value) & (atoms >= 0)
            values[rows[scored]] = value[scored]
        classes, inverse = np.unique(at, axis=0, return_inverse=True)
        inverse = inverse.reshape(-1)
        counted = ~np.isnan(values)
        size = len(classes)
        base = np.bincount(inverse[counted], minlength=size).astype(float)
        total = np.bincount(inverse[counted], weights=values[counted], minlength=size)
        nothing, unasked = np.zeros((2, size), dtype=bool)
        for number, figure in enumerate(figures):
            if figure is not None:
                unasked |= (classes[:, number] >= 0) & figure.unasked[classes[:, number]]
        groups = {_name_of(one, figures): np.eye(size)[number] for number, one in enumerate(classes)}
        alone = np.bincount(inverse[(at >= 0).any(axis=1)], minlength=size) == 1
        insiders = {one[0]: np.zeros(size) for one in people}
        for one, number in zip(people, inverse, strict=True):
            insiders[one[0]][number] = alone[number]
        joined = Figure(
            *key, [("", "", str(number)) for number in range(size)], base, total, nothing, unasked, groups,
            lambda mask: float(mask @ base) or np.nan, limit=next(one.limit for one in figures if one is not None),
            insiders=[own for own in insiders.values() if own.any()],
        )  # fmt: skip
        for number, figure in enumerate(figures):
            if figure is not None:
                self._add(joined, figure, classes[:, number], number)
        return joined

    def _add(self, joined: Figure, figure: Figure, atom: np.ndarray, number: int) -> None:
        """One run's cells over the classes, its groups, and what they differ by from those of the runs before."""

        def over(mask: np.ndarray) -> np.ndarray:
            return np.where(atom >= 0, mask[atom], 0.0)

        name = f"run {number + 1}: "
        joined.sums += [replace(row, name=name + row.name, weights=over(row.weights)) for row in figure.sums]
        joined.counts += [replace(row, name=name + row.name, weights=over(row.weights)) for row in figure.counts]
        mine = {
            group: over(mask) for group, mask in figure.groups.items() if " beyond " not in group and " - " not in group
        }
        earlier = [(group, mask) for group, mask in joined.groups.items() if group.startswith("run ")]
        for group, mask in mine.items():
            joined.groups[name + group] = mask
        for group, mask in earlier:
            now = mine.get(group.split(": ", 1)[1])
            if now is not None:
                joined.groups[f"in {group}, not in run {number + 1}"] = np.clip(mask - now, 0, None)
                joined.groups[f"in {name}{group.split(': ', 1)[1]}, not in {group[:5]}"] = np.clip(now - mask, 0, None)


def _renamed(name: str, before: Mapping[str, str]) -> str:
    first, *rest = name.split(" ")
    return " ".join([before.get(first, first), *rest])


def _name_of(atoms: np.ndarray, figures: list[Figure | None]) -> str:
    told = [
        "nowhere" if figure is None or at < 0 else "/".join(figure.atoms[at])
        for at, figure in zip(atoms, figures, strict=True)
    ]
    return "people of " + " then ".join(told)
