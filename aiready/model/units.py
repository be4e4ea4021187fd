"""The hierarchy of business units: its problems, former ids, and whose rows each reporting unit comprises."""

from collections.abc import Iterable

import pandas as pd

from aiready.errors import quote_distinctly
from aiready.model.cell_values import fold_text
from aiready.model.registry import ORGANISATION


def units_from_names(unit_ids: Iterable[str]) -> pd.DataFrame:
    """Make a `units` table from the unit ids in other tables: one row per unit, its id as name, no parents."""
    names = pd.Series(sorted(set(unit_ids)), dtype=object)
    return pd.DataFrame(
        {"unit_id": names, "name": names, "parent_id": None, "headcount": float("nan"), "formerly": None}
    ).astype({"parent_id": object, "headcount": float, "formerly": object})


def former_ids(units: pd.DataFrame) -> pd.DataFrame:
    """Former ids of the units, one row each (unit_id, member_id), without ids that are units today.

    `units` need not have the column `formerly`.
    """
    table = units.reindex(columns=["unit_id", "formerly"]).astype(object)
    table = table.assign(member_id=table["formerly"].str.split(";")).explode("member_id")
    table["member_id"] = table["member_id"].str.strip()
    former = table[table["member_id"].fillna("").ne("") & ~table["member_id"].isin(units["unit_id"])]
    return former[["unit_id", "member_id"]].reset_index(drop=True)


def hierarchy_problems(units: pd.DataFrame) -> list[str]:
    """Problems of the hierarchy, a sentence each: unknown parents, a former id claimed twice, and cycles."""
    orphans = units[units["parent_id"].notna() & ~units["parent_id"].isin(units["unit_id"])]
    problems = [
        f'units, column "parent_id": "{row.parent_id}", the parent of "{row.unit_id}", is no unit. '
        f"{_parent_fix(row.parent_id, units['unit_id'])}"
        for row in orphans.itertuples()
    ]
    former = former_ids(units)
    problems += [
        f'units, column "formerly": "{member_id}" is named by {" and ".join(sorted(rows["unit_id"]))}. What was split '
        "cannot be followed: name it for one of them, or keep it as a unit of its own."
        for member_id, rows in former[former["member_id"].duplicated(keep=False)].groupby("member_id")
    ]
    cycle = _units_in_cycles(units)
    if cycle:
        problems.append(
            f'units, column "parent_id": {", ".join(cycle[:12])} belong to each other in a circle. '
            "Leave the parent of the topmost one empty."
        )
    return problems


def _parent_fix(parent: str, units: Iterable[str]) -> str:
    """How to correct an unknown parent: by the unit that differs from it in case or spaces only, if there is one."""
    similar_units = [unit for unit in units if fold_text(unit) == fold_text(parent)]
    if similar_units:
        written_parent, unit = quote_distinctly([parent, similar_units[0]])
        return f"There is {unit}: write it in place of {written_parent}."
    return "Add it as a row, or leave the cell empty for a top-level unit."


def _units_in_cycles(units: pd.DataFrame) -> list[str]:
    """Units that still have an ancestor after as many steps up as there are units."""
    parent = units.set_index("unit_id")["parent_id"]
    ancestor = parent.copy()
    for _ in range(len(units)):
        if ancestor.isna().all():
            break
        ancestor = ancestor.map(parent)
    return sorted(ancestor.index[ancestor.notna()])


def membership(units: pd.DataFrame) -> pd.DataFrame:
    """Whose rows a reporting unit comprises: one row per reporting unit x member (unit_id, member_id).

    The members of a unit are itself, its descendants and the former ids of these; `*` has all members, each once.
    """
    parent = units.set_index("unit_id")["parent_id"]
    own = pd.concat([pd.DataFrame({"unit_id": units["unit_id"], "member_id": units["unit_id"]}), former_ids(units)])
    levels, ancestors = [own], own
    while len(ancestors := ancestors.assign(unit_id=ancestors["unit_id"].map(parent)).dropna(subset="unit_id")):
        levels.append(ancestors)
    organisation = own.assign(unit_id=ORGANISATION)
    return pd.concat([*levels, organisation]).drop_duplicates(ignore_index=True)


def organisation_order(units: pd.DataFrame) -> pd.DataFrame:
    """Units in organisation order: each parent before its children, with `depth` 0, 1, ..."""
    children: dict[str, list[str]] = {}
    parents = units.set_index("unit_id")["parent_id"]
    for unit_id, parent in parents.items():
        children.setdefault(parent if isinstance(parent, str) else "", []).append(str(unit_id))
    order: list[tuple[str, int]] = []
    waiting = [(unit_id, 0) for unit_id in reversed(children.get("", []))]
    while waiting:
        unit_id, depth = waiting.pop()
        order.append((unit_id, depth))
        waiting.extend((child, depth + 1) for child in reversed(children.get(unit_id, [])))
    depths = pd.DataFrame(order, columns=["unit_id", "depth"])
    return depths.merge(units, on="unit_id")
