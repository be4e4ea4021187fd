"""Make the tables of the sample organisation: an invented insurer with planted effects (see docs/sample.md).

Names, texts and effect sizes are CSV files in `seeds`; the code only draws the random numbers.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from aiready.instrument.model import Instrument
from aiready.model.schema import ROLES, TABLES
from aiready.package_files import package_file
from tools.sample.decisions import make_decisions, make_feedback, make_probes
from tools.sample.records import make_initiatives, make_tasks, make_trials, make_usage, make_workflow_steps
from tools.sample.seeds import SEED, WAVES, generator, leaf_units, seed_table

_LEADING = ("manager", "executive")
_PERSON_SD, _PERSON_BARRIER_SD, _ITEM_SD, _NOISE_SD = 11.0, 6.0, 5.0, 16.0
_DONT_KNOW = {"consequence": 0.34, "counted": 0.1, "rules": 0.1}
_DONT_KNOW_ELSE, _BLANK, _NOT_ASKED_BUT_ANSWERED = 0.03, 0.015, 0.002
_DOES_NOT_APPLY, _DOES_NOT_APPLY_WITHOUT_AI = 0.015, 0.1


def make_sample(seed: int = SEED, instrument: Instrument | None = None) -> dict[str, pd.DataFrame]:
    """Make every input table of the sample organisation, and `about`.

    Parameters
    ----------
    seed
        Another seed gives another draw of the same organisation, with the same planted effects.
    instrument
        Instrument whose items are answered; default: the shipped one.

    Returns
    -------
    dict
        Table name -> table with the grain and columns of `schema.TABLES`; like a real export, a handful of rows break
        a rule. `about` has one row per key.

    Examples
    --------
    >>> sample = make_sample()
    >>> len(sample["decisions"]), sample["responses"]["wave"].nunique()
    (60000, 4)
    """
    items = shipped_items() if instrument is None else instrument.items
    invitations = make_invitations(generator(seed, "invitations"))
    initiatives = make_initiatives(generator(seed, "initiatives"))
    usage = make_usage(initiatives, generator(seed, "usage"))
    clean = {
        "about": seed_table("about"),
        "units": make_units(),
        "invitations": invitations,
        "responses": make_responses(invitations, items, generator(seed, "responses")),
        "initiatives": initiatives.drop(columns="used_by"),
        "usage": usage,
        "trials": make_trials(initiatives, generator(seed, "trials")),
        "tasks": make_tasks(generator(seed, "tasks")),
        "workflow_steps": make_workflow_steps(),
        "decisions": make_decisions(generator(seed, "decisions")),
        "feedback": make_feedback(usage, generator(seed, "feedback")),
        "probes": make_probes(generator(seed, "probes")),
        "actions": seed_table("actions"),
    }
    return spoil(clean, tuple(items["item_id"]))


def write_sample(folder: Path, seed: int = SEED) -> None:
    """Write the sample as a data folder: CSV files, and Parquet for the decision log; same seed, same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in make_sample(seed).items():
        if name == "decisions":
            table.to_parquet(folder / "decisions.parquet", index=False, compression="zstd")
        else:
            table_as_text = _dates_as_text(name, table)
            table_as_text.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n", encoding="utf-8")


def shipped_items() -> pd.DataFrame:
    """Items of the shipped questionnaire, one row each in the order asked; `roles` is a tuple."""
    items = pd.read_csv(package_file("data/instrument/items.csv"), keep_default_na=False)
    return items.assign(roles=[tuple(roles.split(";")) for roles in items["roles"]])


def make_units() -> pd.DataFrame:
    """Make one row per unit, parents first; a parent's headcount is the sum of its children's."""
    units = seed_table("units")[["unit_id", "name", "parent_id", "headcount"]]
    children_headcount = units.groupby("parent_id")["headcount"].sum()
    units["headcount"] = units["headcount"].fillna(units["unit_id"].map(children_headcount)).astype(int)
    return units


def make_invitations(rng: np.random.Generator) -> pd.DataFrame:
    """Make one row per unit, wave and role; everybody is invited, and headcounts vary a little between waves."""
    leaves = leaf_units()
    leading_and_technical = leaves[["manager", "technical", "executive"]].sum(axis=1)
    by_role = leaves.assign(frontline=leaves["headcount"] - leading_and_technical)[list(ROLES)]
    table = pd.concat([by_role.stack().rename("invited").reset_index().assign(wave=wave) for wave in WAVES])
    table = table.rename(columns={"level_1": "role"}).reset_index(drop=True)
    coming_and_going = np.where(table["invited"] > 20, rng.integers(-3, 4, len(table)), 0)
    table["invited"] = (table["invited"] + coming_and_going).astype(int)
    return table.loc[table["invited"] > 0, ["unit_id", "wave", "role", "invited"]].reset_index(drop=True)


def make_responses(invitations: pd.DataFrame, items: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Make one row per respondent and wave; answers are text: a level, `n/a`, `don't know` or blank."""
    people = _respondents(invitations, rng)
    people["ai_use"] = _ai_use(people, rng)
    answers = pd.DataFrame(_levels(people, items, rng).astype(str), columns=list(items["item_id"]))
    answers = _with_other_answers(answers, people, items, rng)
    comments = rng.choice(seed_table("comments")["comment"], len(people))
    comment = np.where(rng.random(len(people)) < 0.03, comments, "")
    return pd.concat([people, answers], axis=1).assign(comment=comment)


def _respondents(invitations: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    willing = invitations["unit_id"].map(leaf_units()["response"]) * 0.9
    # Leaders respond more often, as in most staff surveys.
    willing = (willing * np.where(invitations["role"].isin(_LEADING), 1.3, 1.0)).clip(upper=0.95)
    answered = rng.binomial(invitations["invited"], willing)
    people = invitations.loc[np.repeat(invitations.index, answered), ["unit_id", "role", "wave"]]
    people = people.sample(frac=1, random_state=rng).sort_values("wave", kind="stable", ignore_index=True)
    number = people.groupby("wave").cumcount() + 1
    people.insert(0, "respondent_id", people["wave"].str[2:] + "-" + number.astype(str).str.zfill(4))
    return people


def _ai_use(people: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    uses = rng.random(len(people)) < 0.25 + 0.6 * people["unit_id"].map(leaf_units()["adoption"])
    how_often = rng.choice(["sometimes", "weekly", "daily"], len(people), p=[0.35, 0.4, 0.25])
    return np.where(uses, how_often, rng.choice(["never", "none_here"], len(people), p=[0.8, 0.2]))


def _levels(people: pd.DataFrame, items: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Levels of respondents x items: the unit's planted score, shifted by role and wave, with noise, cut to levels."""
    unit = leaf_units().loc[people["unit_id"]]
    barrier, barriers = pd.factorize(items["barrier_id"])
    planted = unit[list(barriers)].to_numpy(float)[:, barrier]
    shift = unit["leading"].to_numpy() * people["role"].isin(_LEADING).to_numpy()
    shift = shift + unit["trend"].to_numpy() * people["wave"].map(WAVES.index).to_numpy()
    person = rng.normal(0, _PERSON_SD, (len(people), 1))
    by_barrier = rng.normal(0, _PERSON_BARRIER_SD, (len(people), len(barriers)))[:, barrier]
    noise = rng.normal(0, _NOISE_SD, (len(people), len(items)))
    latent = planted + shift[:, None] + person + by_barrier + rng.normal(0, _ITEM_SD, len(items)) + noise
    levels: np.ndarray = np.clip(np.rint(latent / 25), 0, 4).astype(int) + 1
    return levels


def _with_other_answers(
    answers: pd.DataFrame, people: pd.DataFrame, items: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Replace levels by `don't know`, `n/a` and blanks, also for items that the role is not asked."""
    is_asked = np.column_stack([people["role"].isin(roles) for roles in items["roles"]])
    dont_know = items["facet"].map(_DONT_KNOW).fillna(_DONT_KNOW_ELSE).to_numpy(float)
    no_ai = (people["ai_use"] == "none_here").to_numpy()
    does_not_apply = np.where(no_ai, _DOES_NOT_APPLY_WITHOUT_AI, _DOES_NOT_APPLY)[:, None]
    answers = answers.mask(rng.random(answers.shape) < dont_know, "don't know")
    answers = answers.mask(rng.random(answers.shape) < does_not_apply, "n/a")
    answered = is_asked | (rng.random(answers.shape) < _NOT_ASKED_BUT_ANSWERED)
    return answers.where(answered & (rng.random(answers.shape) >= _BLANK), "")


def spoil(tables: Mapping[str, pd.DataFrame], item_ids: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """Break a rule in eight rows, like a real export; docs/sample.md lists them."""
    spoilt: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
        "responses": lambda table: _spoil_responses(table, item_ids),
        "usage": _add_unknown_unit,
        "tasks": _spoil_adoption,
        "decisions": lambda table: _close_before_opening(table, "decided_at"),
        "feedback": lambda table: _close_before_opening(table, "answered_at"),
    }
    return {name: spoilt.get(name, pd.DataFrame.copy)(table) for name, table in tables.items()}


def _spoil_responses(responses: pd.DataFrame, item_ids: tuple[str, ...]) -> pd.DataFrame:
    spoilt = responses.copy()
    newest = spoilt.index[(spoilt["wave"] == WAVES[-1]) & (spoilt["unit_id"] == "contact-centre")]
    for row, item, answer in zip(newest[[3, 17, 40]], item_ids[1:], ("6", "0", "7"), strict=False):
        spoilt.loc[row, item] = answer
    spoilt.loc[newest[60], "respondent_id"] = spoilt.loc[newest[59], "respondent_id"]
    return spoilt


def _add_unknown_unit(usage: pd.DataFrame) -> pd.DataFrame:
    misspelt = usage[usage["unit_id"] == "motor-claims"].tail(1).assign(unit_id="motor-claim")
    return pd.concat([usage, misspelt], ignore_index=True)


def _spoil_adoption(tasks: pd.DataFrame) -> pd.DataFrame:
    per_job = tasks.groupby(["unit_id", "job"])["task_id"].transform("size")
    row = tasks.index[(per_job == per_job.max()) & (tasks["mode"] != "human")][0]
    spoilt = tasks.copy()
    spoilt.loc[row, "adoption"] = 1.7
    return spoilt


def _close_before_opening(log: pd.DataFrame, closed: str) -> pd.DataFrame:
    opened = {"decided_at": "opened_at", "answered_at": "flagged_at"}[closed]
    spoilt = log.copy()
    row = log.index[log[closed].notna()][100]
    spoilt.loc[row, closed] = log.loc[row, opened] - pd.Timedelta(days=2)
    return spoilt


def _dates_as_text(name: str, table: pd.DataFrame) -> pd.DataFrame:
    kinds = {column.name: column.kind for column in TABLES[name].columns} if name in TABLES else {}
    formats = {"date": "%Y-%m-%d", "timestamp": "%Y-%m-%dT%H:%M:%S"}
    dates = table.select_dtypes("datetime")
    return table.assign(**{date: dates[date].dt.strftime(formats[kinds[date]]) for date in dates})
