"""Random organisations to attack: small data folders in which many cells stand near the limits.

    organisation = drawn(seed)          # 15-150 people, made of nothing but the seed
    organisation.write(folder)          # the folder that `aiready` reads

Hand-made ones are built with `Organisation` and `person`.
"""

import csv
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

ROLES = ("frontline", "manager", "technical", "executive")
INSTRUMENT = Path(__file__).parents[1] / "data" / "instrument"
WAVES = ("2026-Q2", "2026-Q3")
FIRST_DAY = {"2026-Q2": "2026-05-04", "2026-Q3": "2026-08-03"}
DONT_KNOW, DOES_NOT_APPLY = "don't know", "does not apply"
BLOCKERS = ("no_access", "not_allowed", "not_trusted")


def questionnaire(folder: Path = INSTRUMENT) -> pd.DataFrame:
    """The items as they stand in the file: item_id, barrier_id, theme, roles (a tuple), reverse (bool)."""
    with (folder / "items.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return pd.DataFrame(
        {
            "item_id": [row["item_id"] for row in rows],
            "barrier_id": [row["barrier_id"] for row in rows],
            "theme": [row["theme"] for row in rows],
            "roles": [tuple(row["roles"].split(";")) for row in rows],
            "reverse": [row["reverse_scored"] == "yes" for row in rows],
        }
    )


@dataclass
class Organisation:
    """Input tables as lists of rows; `reversed_items` are scored the other way round, by an instrument of its own.

    `settings` replaces values of the instrument's settings.
    """

    units: list[dict] = field(default_factory=list)
    responses: list[dict] = field(default_factory=list)
    decisions: list[dict] = field(default_factory=list)
    initiatives: list[dict] = field(default_factory=list)
    usage: list[dict] = field(default_factory=list)
    tasks: list[dict] = field(default_factory=list)
    trials: list[dict] = field(default_factory=list)
    invitations: list[dict] = field(default_factory=list)
    reversed_items: Sequence[str] = ()
    settings: Mapping[str, str] = field(default_factory=dict)

    def table(self, name: str) -> pd.DataFrame:
        return pd.DataFrame(getattr(self, name))

    def parents(self) -> dict[str, str | None]:
        return {row["unit_id"]: row.get("parent_id") or None for row in self.units}

    def write(self, folder: Path) -> Path:
        """Write the data folder anew; returns it."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in (
            "units", "responses", "decisions", "initiatives", "usage", "tasks", "trials", "invitations",
        ):  # fmt: skip
            (folder / f"{name}.csv").unlink(missing_ok=True)
            if getattr(self, name):
                self.table(name).to_csv(folder / f"{name}.csv", index=False)
        shutil.rmtree(folder / "instrument", ignore_errors=True)
        if self.reversed_items or self.settings:
            shutil.copytree(INSTRUMENT, folder / "instrument")
            self._adapt(folder / "instrument")
        return folder

    def _adapt(self, folder: Path) -> None:
        items = pd.read_csv(folder / "items.csv", dtype=str, keep_default_na=False)
        items.loc[items["item_id"].isin(self.reversed_items), "reverse_scored"] = "yes"
        items.to_csv(folder / "items.csv", index=False)
        settings = pd.read_csv(folder / "settings.csv", dtype=str, keep_default_na=False)
        settings["value"] = [
            self.settings.get(name, value) for name, value in zip(settings["setting"], settings["value"], strict=True)
        ]
        settings.to_csv(folder / "settings.csv", index=False)

    def people(self) -> int:
        return len({row["respondent_id"] for row in self.responses})


def unit(unit_id: str, parent_id: str = "", headcount: int | str = "") -> dict:
    return {"unit_id": unit_id, "name": unit_id.title(), "parent_id": parent_id, "headcount": headcount}


def person(
    respondent_id: str, unit_id: str, role: str, wave: str, answers: Mapping[str, int | str], ai_use: str = "weekly"
) -> dict:
    """A row of `responses`; items that are not answered are left blank."""
    head = {"respondent_id": respondent_id, "unit_id": unit_id, "role": role, "wave": wave, "ai_use": ai_use}
    return head | {item: answers.get(item, "") for item in ITEMS["item_id"]}


ITEMS = questionnaire()


def levels_of(
    rng: np.random.Generator, role: str, *, leaves_out: Sequence[str] = (), untidy: float = 0.0
) -> dict[str, int | str]:
    """Answers of one person: levels; `leaves_out` are scales, `untidy` the share of answers that are no level."""
    mean = rng.uniform(1.5, 4.5)
    found: dict[str, int | str] = {}
    for item in ITEMS.itertuples():
        if item.barrier_id in leaves_out or (role and role not in item.roles):
            continue
        drawn_at = rng.random()
        if drawn_at < untidy:
            found[item.item_id] = ("", DONT_KNOW, DOES_NOT_APPLY)[int(rng.integers(3))]
        else:
            found[item.item_id] = int(np.clip(round(rng.normal(mean, 1.1)), 1, 5))
    return found


def staff(units: Mapping[str, Mapping[str, int]], wave: str = WAVES[-1], seed: int = 0, **options: float) -> list[dict]:
    """Rows of `responses` for so many people of each role in each unit."""
    rng = np.random.default_rng(seed)
    rows = []
    for unit_id, roles in units.items():
        for role, count in roles.items():
            for place in range(count):
                answers = levels_of(rng, role, **options)
                rows.append(person(f"{unit_id}-{role or 'none'}-{place}", unit_id, role, wave, answers))
    return rows


# At random -------------------------------------------------------------------------------------------------------


def drawn(seed: int) -> Organisation:
    """An organisation of 15-150 respondents, the same for the same seed."""
    for attempt in range(100):
        rng = np.random.default_rng([seed, attempt])
        made = Organisation(units=_units(rng))
        _survey(rng, made)
        if 15 <= made.people() <= 150:
            break
    _decisions(rng, made)
    _initiatives(rng, made)
    _tasks(rng, made)
    if rng.random() < 0.3:
        made.reversed_items = tuple(rng.choice(ITEMS["item_id"], 6, replace=False))
    return made


def _units(rng: np.random.Generator) -> list[dict]:
    depth, rows = int(rng.integers(1, 4)), []

    def add(parent: str, level: int, place: int) -> None:
        name = f"{parent}{'abcdefg'[place]}" if parent else f"u{place}"
        rows.append(unit(name, parent))
        if level < depth and rng.random() < 0.75:
            for child in range(int(rng.integers(1, 5))):
                add(name, level + 1, child)

    for place in range(int(rng.integers(1, 5))):
        add("", 1, place)
    if rng.random() < 0.5:
        rng.shuffle(rows)
    return rows


def _roles(rng: np.random.Generator, *, parent: bool, nameless: bool) -> dict[str, int]:
    """How many people of each role a unit has of its own."""
    if parent and rng.random() < 0.45:
        return {}
    if rng.random() < 0.08:
        return {}
    most = {"frontline": 3, "manager": 2, "technical": 2, "executive": 1} if parent else {
        "frontline": 16, "manager": 6, "technical": 9, "executive": 2,
    }  # fmt: skip
    empty = {"frontline": 0.25, "manager": 0.35, "technical": 0.55, "executive": 0.75}
    roles = {role: 0 if rng.random() < empty[role] else int(rng.integers(1, most[role] + 1)) for role in ROLES}
    if nameless and rng.random() < 0.5:
        roles[""] = int(rng.integers(1, 4))
    return roles


def _survey(rng: np.random.Generator, made: Organisation) -> None:
    parents = {row["parent_id"] for row in made.units}
    nameless, skips = rng.random() < 0.4, float(rng.choice([0.0, 0.04, 0.12]))
    untidy, waves = float(rng.choice([0.0, 0.02, 0.08])), WAVES if rng.random() < 0.75 else WAVES[-1:]
    invites = rng.random() < 0.5
    barriers = list(dict.fromkeys(ITEMS["barrier_id"]))
    for row in made.units:
        here = row["unit_id"]
        roles = _roles(rng, parent=here in parents, nameless=nameless)
        for wave in waves:
            for role, count in roles.items():
                changed = (
                    count if wave == waves[-1] else max(0, count + int(rng.integers(-2, 3)) * (rng.random() < 0.4))
                )
                if invites and role and changed:
                    made.invitations.append({"unit_id": here, "wave": wave, "role": role, "invited": changed + 1})
                for place in range(changed):
                    leaves_out = [barrier for barrier in barriers if rng.random() < skips]
                    answers = levels_of(rng, role, leaves_out=leaves_out, untidy=untidy)
                    code = f"{here}-{role or 'none'}-{place}"
                    made.responses.append(person(code, here, role, wave, answers))
        row["headcount"] = sum(roles.values()) + int(rng.integers(0, 8)) if rng.random() < 0.6 else ""
    for row in sorted(
        made.units, key=lambda row: -len(row["unit_id"])
    ):  # the lowest first: a parent's holds its units'
        below = [one["headcount"] for one in made.units if one["parent_id"] == row["unit_id"]]
        if row["headcount"] != "":
            row["headcount"] += sum(one for one in below if one != "")


def decision(
    decision_id: str, unit_id: str, decider_id: str, *, advice: str = "pay", final: str = "pay", correct: str = "pay",
    level: int | str = 1, wave: str = WAVES[-1], **further: object,
) -> dict:  # fmt: skip
    day = FIRST_DAY[wave]
    row = {
        "decision_id": decision_id, "unit_id": unit_id, "decider_id": decider_id, "opened_at": f"{day}T09:00:00",
        "decided_at": f"{day}T10:00:00", "advice": advice, "initial_decision": final, "final_decision": final,
        "correct_decision": correct, "autonomy_level": level, "context_complete": "yes", "advice_at": f"{day}T09:30:00",
        "advice_confidence": 0.8,
    }  # fmt: skip
    return row | further


def _decisions(rng: np.random.Generator, made: Organisation) -> None:
    if rng.random() < 0.1:
        return
    shared = [f"shared-{place}" for place in range(3)]
    for row in made.units:
        here = row["unit_id"]
        if rng.random() < 0.25:
            continue
        deciders = [f"{here}-d{place}" for place in range(int(rng.choice([1, 2, 3, 5, 6, 7, 8, 9])))]
        deciders += [one for one in shared if rng.random() < 0.15]
        missing = float(rng.choice([0.0, 0.0, 0.0, 0.1, 1.0]))
        waves = WAVES if rng.random() < 0.5 else WAVES[-1:]
        dominant = rng.random() < 0.2
        levels = rng.choice([0, 1, 2, 3, 4], size=int(rng.integers(1, 4)), replace=False)
        for wave in waves:
            for place, one in enumerate(deciders):
                many = int(rng.integers(2, 15)) * (30 if dominant and place == 0 else 1)
                right, follows = rng.uniform(0.3, 0.9), rng.uniform(0.3, 0.9)
                for _ in range(many):
                    advice, correct = (("pay", "reject")[int(rng.integers(2))] for _ in range(2))
                    final = advice if rng.random() < follows else ("reject" if advice == "pay" else "pay")
                    final = final if rng.random() < 0.7 else (correct if rng.random() < right else final)
                    made.decisions.append(decision(
                        f"d{len(made.decisions)}", here, "" if rng.random() < missing else one, advice=advice,
                        final=final, correct=correct if rng.random() < 0.85 else "",
                        level=int(rng.choice(levels)) if rng.random() < 0.95 else "", wave=wave,
                        context_complete=("yes", "no", "")[int(rng.choice(3, p=[0.7, 0.25, 0.05]))],
                        initial_decision=("pay", "reject", "")[int(rng.choice(3, p=[0.45, 0.45, 0.1]))],
                    ))  # fmt: skip


def initiative(initiative_id: str, unit_id: str, wave: str = WAVES[-1]) -> dict:
    return {
        "initiative_id": initiative_id, "unit_id": unit_id, "wave": wave, "name": initiative_id.title(),
        "generation": "generative", "stakes": "low", "stage": "pilot", "pilot_on": "2026-04-01",
    }  # fmt: skip


def used(initiative_id: str, unit_id: str, intended: int, active: int, trained: int | str = "", wave: str = WAVES[-1]):
    return {
        "initiative_id": initiative_id, "unit_id": unit_id, "wave": wave, "intended_users": intended,
        "active_users": active, "trained_users": trained,
    }  # fmt: skip


def arm(initiative_id: str, name: str, n: int, successes: int) -> dict:
    return {
        "initiative_id": initiative_id, "trial_no": 1, "measure": "done in a day", "kind": "outcome",
        "direction": "increase", "target_effect": 0.1, "margin": "", "arm": name, "n": n, "successes": successes,
        "assignment": "random", "declared_on": "2026-04-01", "started_on": "2026-04-10", "ended_on": "2026-06-10",
    }  # fmt: skip


def _initiatives(rng: np.random.Generator, made: Organisation) -> None:
    names = [row["unit_id"] for row in made.units]
    for place in range(int(rng.integers(0, 4))):
        name = f"ai-{place}"
        made.initiatives.append(initiative(name, str(rng.choice(names))))
        for here in names:
            if rng.random() < 0.6:
                intended = int(rng.choice([1, 2, 3, 4, 5, 6, 8, 12, 30]))
                trained = int(rng.integers(0, intended + 1)) if rng.random() < 0.8 else ""
                made.usage.append(used(name, here, intended, int(rng.integers(0, intended + 1)), trained))
        if rng.random() < 0.6:
            for side in ("control", "treatment"):
                n = int(rng.choice([1, 3, 30]))
                made.trials.append(arm(name, side, n, int(rng.integers(0, n + 1))))


def task(
    unit_id: str, job: str, task_id: str, headcount: int | str, hours: float, wave: str = WAVES[-1], **further: object
) -> dict:
    row = {
        "unit_id": unit_id, "job": job, "task_id": task_id, "task": f"Do {task_id}", "wave": wave,
        "headcount": headcount, "hours_per_year": hours, "mode": "augment", "target_mode": "augment", "exposure": "E1",
        "expected_saving": 0.5, "adoption": 0.5, "observed_saving": 0.4, "rework": 0.1, "oversight_hours": 2,
        "evidence": "measured", "blocker": "not_trusted",
    }  # fmt: skip
    return row | further


def _tasks(rng: np.random.Generator, made: Organisation) -> None:
    if rng.random() < 0.2:
        return
    for row in made.units:
        for job in ("clerk", "engineer", "planner"):
            if rng.random() < 0.5:
                continue
            holders = [1, 2, 3, 4, 5, 6, 9, 30, ""][int(rng.integers(9))]
            for place in range(int(rng.integers(1, 4))):
                made.tasks.append(task(
                    row["unit_id"], job, f"t{place}", holders, float(rng.integers(20, 200)),
                    expected_saving=round(float(rng.uniform(0.1, 0.9)), 2), adoption=round(float(rng.random()), 2),
                    observed_saving=round(float(rng.uniform(0, 0.6)), 2) if rng.random() < 0.9 else "",
                    rework=round(float(rng.uniform(0, 0.3)), 2), oversight_hours=round(float(rng.uniform(0, 5)), 1),
                    blocker=BLOCKERS[int(rng.integers(3))] if rng.random() < 0.8 else "",
                ))  # fmt: skip
