"""Measure workflows: which steps use AI, which were really redesigned, how long work waits, handoffs."""

import numpy as np
import pandas as pd

from aiready.inputs.dataset import Data
from aiready.instrument.model import Instrument
from aiready.measures.estimation.inference import coverage_bounds
from aiready.model import registry
from aiready.model.registry import ALL
from aiready.model.schema import TABLES

TABLE = "workflow_steps"
FLOW = ["unit_id", "workflow"]
NOW, BEFORE = "now", "before"
START, END = "^", "$"
AI_ACTORS = ("ai", "human_ai")
AI_USES = ("layered", "redesigned")


def measure(data: Data, rules: Instrument) -> pd.DataFrame:
    """All measures of `workflow_steps`: one row per reporting unit x measure x segment (`all`, version).

    Returns
    -------
    pandas.DataFrame
        Measures rows of `data.wave`; `people` is missing, since steps describe work, not people. `all` is
        the version `now`; `ai_step_share`, `wait_share` and `handoffs` also come per version. `n` is the
        number of steps counted, for `handoffs` of workflows.

    Notes
    -----
    An AI step has the actor `ai` or `human_ai`, or `ai_use` layered or redesigned.
    `ai_step_share` = AI steps / steps.
    `operating_system_share` = AI steps called redesigned that show a change since `before` (`step_changes`) /
    AI steps. A blank `ai_use`, or a claim in a workflow without a `before`, is unknown: bounds [a c, a c + 1
    - c] over the share c that is known, insufficient below `minimum_coverage`.
    `redesign_claimed_share` = AI steps called redesigned that show none / AI steps; a claim that cannot be
    checked is one of them.
    `wait_share` = waiting / (waiting + work) minutes of the steps with both; insufficient where too few have.
    `handoffs` = changes of actor from step to step, mean over the workflows.
    """
    steps = data.table(TABLE)
    unit_ids = data.membership["unit_id"].unique()
    if steps is None or steps.empty:
        return registry.fill_not_measured(registry.stack_measures([]), TABLE, unit_ids, data.wave)
    members = data.membership.rename(columns={"unit_id": "reporting"})
    rows = _with_ai_use(steps).merge(members, left_on="unit_id", right_on="member_id")
    rows = rows.assign(unit_id=rows["reporting"], wave=data.wave).drop(columns="reporting")
    floor = rules.settings.minimum_coverage
    versions = _by_version(rows)
    measures = [
        *_redesign_rows(rows, floor),
        registry.measure_rows("ai_step_share", _ai_share(versions)),
        registry.measure_rows("wait_share", _wait_share(versions, floor)),
        registry.measure_rows("handoffs", _handoffs(versions)),
    ]
    return registry.fill_not_measured(registry.stack_measures(measures), TABLE, unit_ids, data.wave)


def step_changes(data: Data) -> pd.DataFrame:
    """How every step changed between the versions `before` and `now`, for the workflow map.

    Returns
    -------
    pandas.DataFrame
        One row per unit x workflow x version x step, in order: the input columns with a blank version as
        `now`, `ai` (the step uses AI), `change`, `changed` (counts as redesign) and `compared` (the workflow
        has both versions). `change` of a step now: `actor` (another actor), `reordered`, `replaces` (new,
        where a step was taken out), `merged` (a neighbour was taken out and nothing put in its place),
        `added` (new, nothing taken out: not a redesign), `same`; of a step before: `kept` or `removed`;
        `unknown` where not compared; of a step of any other version: `planned`. The first that holds counts.

    Notes
    -----
    Steps match when their names do, ignoring case, spaces and punctuation; the second step of a name matches the
    second. *Reordered* are the steps that have to move to restore the order with as few moves as possible. Two
    steps take the same position when the nearest matched step on one side is the same.
    """
    steps = data.table(TABLE)
    added = ["ai", "change", "changed", "compared"]
    if steps is None or steps.empty:
        return pd.DataFrame(columns=[*TABLES[TABLE].names, *added])
    rows = _with_ai_use(steps)
    order = rows["version"].map({BEFORE: 0, NOW: 1}).fillna(2)
    ordered = rows.assign(order=order).sort_values([*FLOW, "order", "step_no"], ignore_index=True)
    return ordered[[*steps.columns, *added]]


def _changes(steps: pd.DataFrame) -> pd.DataFrame:
    """Steps before and now, in order, with their change; the index stays that of the input."""
    ordered = _in_order(steps)
    in_both = ordered.groupby([*FLOW, "name"])["version"].transform("nunique").eq(2)
    ordered = _neighbours(ordered.assign(matched=in_both))
    compared = ordered.groupby(FLOW)["version"].transform("nunique").eq(2)
    before = ordered["version"].eq(BEFORE)
    removed = ordered[before & ~ordered["matched"] & compared]
    new = ordered[~before & ~ordered["matched"] & compared]
    replaces = _at_same_position(new, removed)
    dropped = removed[~_at_same_position(removed, new)]
    rules = {
        "unknown": ~compared,
        "removed": before & ~ordered["matched"],
        "kept": before,
        "actor": ordered["matched"] & ordered.groupby([*FLOW, "name"])["actor"].transform("nunique").eq(2),
        "reordered": _reordered(ordered),
        "replaces": replaces.reindex(ordered.index, fill_value=False),
        "merged": ordered["matched"] & _beside(ordered, dropped),
        "added": ~ordered["matched"],
    }
    change = np.select([rule.to_numpy(bool) for rule in rules.values()], list(rules), "same")
    changed = np.isin(change, ("actor", "reordered", "replaces", "merged", "removed"))
    return ordered.assign(change=change, changed=changed, compared=compared)


def _in_order(steps: pd.DataFrame) -> pd.DataFrame:
    """Steps in order, with the name they are matched by and their position within the version."""
    ordered = steps.assign(version=steps["version"].fillna(NOW)).sort_values([*FLOW, "version", "step_no"])
    version = [*FLOW, "version"]
    name = ordered["step"].str.casefold().str.replace(r"[\W_]+", " ", regex=True).str.strip()
    ordered = ordered.assign(name=name, position=ordered.groupby(version).cumcount())
    repeat = ordered.groupby([*version, "name"]).cumcount()
    return ordered.assign(name=name + repeat.map({0: ""}).fillna("#" + repeat.astype(str)))


def _neighbours(ordered: pd.DataFrame) -> pd.DataFrame:
    """Add the names of the nearest matched steps before (`after`) and behind (`ahead`) each step of a version."""
    version = [ordered[key] for key in (*FLOW, "version")]
    matched_names = ordered["name"].where(ordered["matched"])
    last, following = matched_names.groupby(version).shift(1), matched_names.groupby(version).shift(-1)
    return ordered.assign(
        after=last.groupby(version).ffill().fillna(START),
        ahead=following.groupby(version).bfill().fillna(END),
    )


def _at_same_position(steps: pd.DataFrame, others: pd.DataFrame) -> pd.Series:
    """Whether a step takes the position of one of the others: the nearest matched step on one side is the same."""
    after, ahead = (
        pd.MultiIndex.from_frame(steps[[*FLOW, side]]).isin(pd.MultiIndex.from_frame(others[[*FLOW, side]]))
        for side in ("after", "ahead")
    )
    return pd.Series(after | ahead, index=steps.index, dtype=bool)


def _beside(ordered: pd.DataFrame, dropped: pd.DataFrame) -> pd.Series:
    """Whether a step was next to one that was dropped."""
    names = pd.MultiIndex.from_frame(ordered[[*FLOW, "name"]])
    beside = [names.isin(pd.MultiIndex.from_frame(dropped[[*FLOW, side]])) for side in ("after", "ahead")]
    return pd.Series(beside[0] | beside[1], index=ordered.index)


def _reordered(ordered: pd.DataFrame) -> pd.Series:
    """Whether a matched step moved: not every longest run of steps in the old order contains it."""
    now = ordered[ordered["matched"] & ordered["version"].eq(NOW)]
    was = ordered[ordered["matched"] & ordered["version"].eq(BEFORE)][[*FLOW, "name", "position"]]
    origin = now[[*FLOW, "name"]].merge(was, on=[*FLOW, "name"], how="left")["position"].set_axis(now.index)
    moved = pd.Series(False, index=ordered.index)
    for _, positions in origin.groupby([now[key] for key in FLOW]):
        if not positions.is_monotonic_increasing:
            moved.loc[positions.index] = _out_of_order(positions.to_numpy())
    return moved


def _out_of_order(positions: np.ndarray) -> np.ndarray:
    """Elements that are not part of every longest increasing subsequence.

    Examples
    --------
    >>> _out_of_order(np.array([3, 0, 1, 2])), _out_of_order(np.array([1, 0, 2]))
    (array([ True, False, False, False]), array([ True,  True, False]))
    """
    ending, starting = _longest_increasing(positions), _longest_increasing(-positions[::-1])[::-1]
    fits = ending + starting - 1 == ending.max()
    return np.asarray(~(fits & (np.bincount(ending[fits])[ending] == 1)))


def _longest_increasing(positions: np.ndarray) -> np.ndarray:
    """Length of the longest increasing subsequence that ends at each element."""
    lengths = np.ones(len(positions), dtype=int)
    for end in range(1, len(positions)):
        lengths[end] += lengths[:end][positions[:end] < positions[end]].max(initial=0)
    return lengths


def _with_ai_use(steps: pd.DataFrame) -> pd.DataFrame:
    """Add whether a step uses AI, claims a redesign, and whether that claim is proven."""
    filled = steps.assign(version=steps["version"].fillna(NOW)).reset_index(drop=True)
    changes = _changes(filled[filled["version"].isin((BEFORE, NOW))])
    flags = changes[["changed", "compared"]].reindex(filled.index, fill_value=False)
    rows = filled.assign(change=changes["change"]).fillna({"change": "planned"}).join(flags)
    claimed = rows["ai_use"].eq("redesigned")
    return rows.assign(
        ai=rows["actor"].isin(AI_ACTORS) | rows["ai_use"].isin(AI_USES),
        claimed=claimed,
        proven=claimed & rows["changed"],
        stated=rows["ai_use"].notna(),
        checked=rows["ai_use"].notna() & (~claimed | rows["compared"]),
    )


def _by_version(rows: pd.DataFrame) -> pd.DataFrame:
    """Each step in the segment of its version; those of version `now` in `all`, too."""
    now = rows[rows["version"] == NOW].assign(segment=ALL)
    return pd.concat([rows.assign(segment=rows["version"]), now], ignore_index=True)


def _cells(rows: pd.DataFrame, **columns: pd.Series) -> pd.DataFrame:
    """Sum the columns per cell; a unit whose workflows have no version `now` gets an `all` of zeros."""
    cells = rows.assign(**columns).groupby(["unit_id", "wave", "segment"])[list(columns)].sum()
    units = pd.MultiIndex.from_frame(cells.reset_index()[["unit_id", "wave"]].drop_duplicates().assign(segment=ALL))
    return cells.reindex(cells.index.union(units, sort=False), fill_value=0).reset_index()


def _redesign_rows(rows: pd.DataFrame, floor: float) -> list[pd.DataFrame]:
    """Shares of AI steps whose claimed redesign is proven, and is not."""
    ai = rows["ai"] & rows["version"].eq(NOW)
    cells = _cells(
        rows.assign(segment=ALL), ai=ai, proven=ai & rows["proven"], stated=ai & rows["stated"],
        checked=ai & rows["checked"], unproven=ai & rows["claimed"] & ~rows["proven"],
    )  # fmt: skip
    return [
        registry.measure_rows("operating_system_share", _share(cells, "proven", "checked", floor)),
        registry.measure_rows("redesign_claimed_share", _share(cells, "unproven", "stated", floor)),
    ]


def _share(cells: pd.DataFrame, numerator: str, denominator: str, floor: float) -> pd.DataFrame:
    """A share of the AI steps known, with bounds for the unknown ones."""
    coverage = cells[denominator] / cells["ai"].where(cells["ai"] > 0)
    value = cells[numerator] / cells[denominator].where(cells[denominator] > 0)
    low, high = (pd.Series(bound, index=cells.index) for bound in coverage_bounds(value, coverage))
    note = [
        "no step uses AI now" if not ai else (f"known of {some} of {ai} AI steps" if some < ai else "")
        for some, ai in zip(cells[denominator], cells["ai"], strict=True)
    ]
    partial = coverage < 1
    shares = cells.assign(value=value.where(coverage >= floor), n=cells[denominator], note=note)
    return shares.assign(low=low.where(partial), high=high.where(partial))


def _ai_share(rows: pd.DataFrame) -> pd.DataFrame:
    """Steps that use AI among all steps of a version."""
    cells = _cells(rows, ai=rows["ai"], n=pd.Series(1, index=rows.index))
    return cells.assign(value=cells["ai"] / cells["n"].where(cells["n"] > 0), note=_no_steps(cells["n"]))


def _wait_share(rows: pd.DataFrame, floor: float) -> pd.DataFrame:
    """Share of waiting in all minutes, over the steps whose minutes are known."""
    timed = rows["work_minutes"].notna() & rows["wait_minutes"].notna()
    wait, work = rows["wait_minutes"].where(timed, 0.0), rows["work_minutes"].where(timed, 0.0)
    cells = _cells(rows, wait=wait, minutes=wait + work, n=timed, steps=pd.Series(1, index=rows.index))
    value = cells["wait"] / cells["minutes"].where(cells["minutes"] > 0)
    note = [
        "" if n == steps else f"{n} of {steps} steps have work_minutes and wait_minutes"
        for n, steps in zip(cells["n"], cells["steps"], strict=True)
    ]
    empty = value.isna() & cells["n"].eq(cells["steps"])
    note = pd.Series(note, index=cells.index).mask(empty, "no minutes recorded")
    return cells.assign(value=value.where(cells["n"] / cells["steps"] >= floor), note=note)


def _handoffs(rows: pd.DataFrame) -> pd.DataFrame:
    """Changes of actor from step to step, mean over the workflows of a cell."""
    flow = ["unit_id", "segment", "member_id", "workflow"]
    ordered = rows.sort_values([*flow, "step_no"])
    previous = ordered.groupby(flow)["actor"].shift(1)
    cells = _cells(ordered, changes=previous.notna() & ordered["actor"].ne(previous), n=previous.isna())
    note = _no_steps(cells["n"]).mask(cells["n"].gt(1), "mean of the workflows")
    return cells.assign(value=cells["changes"] / cells["n"].where(cells["n"] > 0), note=note)


def _no_steps(n: pd.Series) -> pd.Series:
    """Note for cells without steps."""
    return n.eq(0).map({True: "no step of the version `now`", False: ""})
