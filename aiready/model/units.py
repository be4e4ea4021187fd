"""Business units: who belongs to whom, and whose rows a reporting unit comprises."""

from collections.abc import Iterable

import pandas as pd

from aiready.errors import told_apart
from aiready.model.cell_values import plain
from aiready.model.registry import ORGANISATION


def units_from_names(unit_ids: Iterable[str]) -> pd.DataFrame:
    """Units that other tables name, without parents: one row per unit, with the id as name."""
    names = pd.Series(sorted(set(unit_ids)), dtype=object)
    return pd.DataFrame(
        {"unit_id": names, "name": names, "parent_id": None, "headcount": float("nan"), "formerly": None}
    ).astype({"parent_id": object, "headcount": float, "formerly": object})


def former_ids(units: pd.DataFrame) -> pd.DataFrame:
    """Ids that units were made from and that are no units now (unit_id, member_id); `formerly` may be left out."""
    named = units.reindex(columns=["unit_id", "formerly"]).astype(object)
    split = named.assign(member_id=named["formerly"].str.split(";")).explode("member_id")
    split["member_id"] = split["member_id"].str.strip()
    former = split[split["member_id"].fillna("").ne("") & ~split["member_id"].isin(units["unit_id"])]
    return former[["unit_id", "member_id"]].reset_index(drop=True)


def contradictions(units: pd.DataFrame) -> list[str]:
    """Problems of the hierarchy, a sentence each: unknown parents, and units that are their own ancestors."""
    strange = units[units["parent_id"].notna() & ~units["parent_id"].isin(units["unit_id"])]
    problems = [
        f'units, column "parent_id": "{row.parent_id}", the parent of "{row.unit_id}", is no unit. '
        f"{_mend(row.parent_id, units['unit_id'])}"
        for row in strange.itertuples()
    ]
    former = former_ids(units)
    problems += [
        f'units, column "formerly": "{member_id}" is named by {" and ".join(sorted(rows["unit_id"]))}. What was split '
        "cannot be followed: name it for one of them, or keep it as a unit of its own."
        for member_id, rows in former[former["member_id"].duplicated(keep=False)].groupby("member_id")
    ]
    circle = _without_end(units)
    if circle:
        problems.append(
            f'units, column "parent_id": {", ".join(circle[:12])} belong to each other in a circle. '
            "Leave the parent of the topmost one empty."
        )
    return problems


def _mend(parent: str, units: Iterable[str]) -> str:
    alike = [unit for unit in units if plain(unit) == plain(parent)]
    if alike:
        wanted, unit = told_apart([parent, alike[0]])
        return f"There is {unit}: write it in place of {wanted}."
    return "Add it as a row, or leave the cell empty for a top-level unit."


def _without_end(units: pd.DataFrame) -> list[str]:
    parent = units.set_index("unit_id")["parent_id"]
    at = parent.copy()
    for _ in range(len(units)):
        if at.isna().all():
            break
        at = at.map(parent)
    return sorted(at.index[at.notna()])


def membership(units: pd.DataFrame) -> pd.DataFrame:
    """Whose rows count for whom: one row per reporting unit x member (unit_id, member_id).

    A unit has itself, its descendants and the ids any of them was made from; `*` has all, each once.
    """
    parent = units.set_index("unit_id")["parent_id"]
    own = pd.concat([pd.DataFrame({"unit_id": units["unit_id"], "member_id": units["unit_id"]}), former_ids(units)])
    levels, at = [own], own
    while len(at := at.assign(unit_id=at["unit_id"].map(parent)).dropna(subset="unit_id")):
        levels.append(at)
    everything = own.assign(unit_id=ORGANISATION)
    return pd.concat([*levels, everything]).drop_duplicates(ignore_index=True)
