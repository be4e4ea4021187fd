"""Workflows: which steps use AI, which were really redesigned, how long work waits, who hands over."""

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
        Measures rows of `data.wave`; `people` is missing, since steps describe work and not persons. `all` is
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
        return registry.fill_not_measured(registry.collect([]), TABLE, unit_ids, data.wave)
    named = data.membership.rename(columns={"unit_id": "reporting"})
    rows = _described(steps).merge(named, left_on="unit_id", right_on="member_id")
    rows = rows.assign(unit_id=rows["reporting"], wave=data.wave).drop(columns="reporting")
    floor = rules.settings.minimum_coverage
    versions = _by_version(rows)
    made = [
        *_redesign_rows(rows, floor),
        registry.rows("ai_step_share", _ai_share(versions)),
        registry.rows("wait_share", _wait_share(versions, floor)),
        registry.rows("handoffs", _handoffs(versions)),
    ]
    return registry.fill_not_measured(registry.collect(made), TABLE, unit_ids, data.wave)


def step_changes(data: Data) -> pd.DataFrame:
    """What became of every step between `before` and `now`, for the workflow map.

    Returns
    -------
    pandas.DataFrame
        One row per unit x workflow x version x step, in order: the input columns with a blank version as
        `now`, `ai` (the step uses AI), `change`, `changed` (counts as redesign) and `compared` (the workflow
        has both versions). `change` of a step now: `actor` (another actor), `reordered`, `replaces` (new,
        where a step was taken out), `merged` (a neighbour was taken out and nothing put in its place),
        `added` (new, nothing taken out: not a redesign), `same`; of a step before: `kept` or `removed`;
        `unknown` where not compared; of a step aimed at: `planned`. The first that holds is given.

    Notes
    -----
    Steps are the same when their names are, but for case, spaces and punctuation; the second step of a name
    meets the second. *Reordered* are the steps whose move alone, with as few moves as possible, would restore
    the order. Places are judged by the nearest kept steps on either side.
    """
    steps = data.table(TABLE)
    about = ["ai", "change", "changed", "compared"]
    if steps is None or steps.empty:
        return pd.DataFrame(columns=[*TABLES[TABLE].names, *about])
    rows = _described(steps)
    order = rows["version"].map({BEFORE: 0, NOW: 1}).fillna(2)
    ordered = rows.assign(order=order).sort_values([*FLOW, "order", "step_no"], ignore_index=True)
    return ordered[[*steps.columns, *about]]


def _changes(steps: pd.DataFrame) -> pd.DataFrame:
    """Steps before and now, in order, with what became of them; the index stays that of the input."""
    placed = _placed(steps)
    both = placed.groupby([*FLOW, "name"])["version"].transform("nunique").eq(2)
    placed = _neighbours(placed.assign(kept=both))
    compared = placed.groupby(FLOW)["version"].transform("nunique").eq(2)
    before = placed["version"].eq(BEFORE)
    removed = placed[before & ~placed["kept"] & compared]
    new = placed[~before & ~placed["kept"] & compared]
    replaces = _at_same_place(new, removed)
    dropped = removed[~_at_same_place(removed, new)]
    rules = {
        "unknown": ~compared,
        "removed": before & ~placed["kept"],
        "kept": before,
        "actor": placed["kept"] & placed.groupby([*FLOW, "name"])["actor"].transform("nunique").eq(2),
        "reordered": _reordered(placed),
        "replaces": replaces.reindex(placed.index, fill_value=False),
        "merged": placed["kept"] & _beside(placed, dropped),
        "added": ~placed["kept"],
    }
    change = np.select([rule.to_numpy(bool) for rule in rules.values()], list(rules), "same")
    changed = np.isin(change, ("actor", "reordered", "replaces", "merged", "removed"))
    return placed.assign(change=change, changed=changed, compared=compared)


def _placed(steps: pd.DataFrame) -> pd.DataFrame:
    """Steps in order, with the name they are met by and their place among the version's steps."""
    ordered = steps.assign(version=steps["version"].fillna(NOW)).sort_values([*FLOW, "version", "step_no"])
    version = [*FLOW, "version"]
    name = ordered["step"].str.casefold().str.replace(r"[\W_]+", " ", regex=True).str.strip()
    ordered = ordered.assign(name=name, place=ordered.groupby(version).cumcount())
    twin = ordered.groupby([*version, "name"]).cumcount()
    return ordered.assign(name=name + twin.map({0: ""}).fillna("#" + twin.astype(str)))


def _neighbours(placed: pd.DataFrame) -> pd.DataFrame:
    """Add the nearest kept step before and after every step of its version."""
    version = [placed[key] for key in (*FLOW, "version")]
    known = placed["name"].where(placed["kept"])
    last, following = known.groupby(version).shift(1), known.groupby(version).shift(-1)
    return placed.assign(
        after=last.groupby(version).ffill().fillna(START),
        ahead=following.groupby(version).bfill().fillna(END),
    )


def _at_same_place(steps: pd.DataFrame, others: pd.DataFrame) -> pd.Series:
    """Whether a step stands where another stood: the nearest kept step on one side is the same."""
    after, ahead = (
        pd.MultiIndex.from_frame(steps[[*FLOW, side]]).isin(pd.MultiIndex.from_frame(others[[*FLOW, side]]))
        for side in ("after", "ahead")
    )
    return pd.Series(after | ahead, index=steps.index, dtype=bool)


def _beside(placed: pd.DataFrame, dropped: pd.DataFrame) -> pd.Series:
    """Whether a step stood next to one that was taken out."""
    names = pd.MultiIndex.from_frame(placed[[*FLOW, "name"]])
    beside = [names.isin(pd.MultiIndex.from_frame(dropped[[*FLOW, side]])) for side in ("after", "ahead")]
    return pd.Series(beside[0] | beside[1], index=placed.index)


def _reordered(placed: pd.DataFrame) -> pd.Series:
    """Whether a kept step left its place: it is not in every longest run that kept its order."""
    now = placed[placed["kept"] & placed["version"].eq(NOW)]
    was = placed[placed["kept"] & placed["version"].eq(BEFORE)][[*FLOW, "name", "place"]]
    origin = now[[*FLOW, "name"]].merge(was, on=[*FLOW, "name"], how="left")["place"].set_axis(now.index)
    moved = pd.Series(False, index=placed.index)
    for _, places in origin.groupby([now[key] for key in FLOW]):
        if not places.is_monotonic_increasing:
            moved.loc[places.index] = _out_of_order(places.to_numpy())
    return moved


def _out_of_order(places: np.ndarray) -> np.ndarray:
    """Elements that are not part of every longest increasing subsequence.

    Examples
    --------
    >>> _out_of_order(np.array([3, 0, 1, 2])), _out_of_order(np.array([1, 0, 2]))
    (array([ True, False, False, False]), array([ True,  True, False]))
    """
    ending, starting = _longest(places), _longest(-places[::-1])[::-1]
    fits = ending + starting - 1 == ending.max()
    return ~(fits & (np.bincount(ending[fits])[ending] == 1))


def _longest(places: np.ndarray) -> np.ndarray:
    """Length of the longest increasing subsequence that ends at each element."""
    lengths = np.ones(len(places), dtype=int)
    for here in range(1, len(places)):
        lengths[here] += lengths[:here][places[:here] < places[here]].max(initial=0)
    return lengths


def _described(steps: pd.DataFrame) -> pd.DataFrame:
    """Steps with whether they use AI, and what a claim of redesign is worth."""
    filled = steps.assign(version=steps["version"].fillna(NOW)).reset_index(drop=True)
    found = _changes(filled[filled["version"].isin((BEFORE, NOW))])
    flags = found[["changed", "compared"]].reindex(filled.index, fill_value=False)
    rows = filled.assign(change=found["change"]).fillna({"change": "planned"}).join(flags)
    claimed = rows["ai_use"].eq("redesigned")
    return rows.assign(
        ai=rows["actor"].isin(AI_ACTORS) | rows["ai_use"].isin(AI_USES),
        claimed=claimed,
        shown=claimed & rows["changed"],
        known=rows["ai_use"].notna(),
        checked=rows["ai_use"].notna() & (~claimed | rows["compared"]),
    )


def _by_version(rows: pd.DataFrame) -> pd.DataFrame:
    """Every step in the segment of its version, and those of now in `all`."""
    now = rows[rows["version"] == NOW].assign(segment=ALL)
    return pd.concat([rows.assign(segment=rows["version"]), now], ignore_index=True)


def _cells(rows: pd.DataFrame, **columns: pd.Series) -> pd.DataFrame:
    """Sums per cell; a unit whose workflows have no version `now` keeps an empty `all`."""
    cells = rows.assign(**columns).groupby(["unit_id", "wave", "segment"])[list(columns)].sum()
    units = pd.MultiIndex.from_frame(cells.reset_index()[["unit_id", "wave"]].drop_duplicates().assign(segment=ALL))
    return cells.reindex(cells.index.union(units, sort=False), fill_value=0).reset_index()


def _redesign_rows(rows: pd.DataFrame, floor: float) -> list[pd.DataFrame]:
    """AI steps redesigned with something to show for it, and without."""
    ai = rows["ai"] & rows["version"].eq(NOW)
    one = pd.Series(1, index=rows.index)
    cells = _cells(
        rows.assign(segment=ALL), ai=ai, shown=ai & rows["shown"], known=ai & rows["known"],
        checked=ai & rows["checked"], unproven=ai & rows["claimed"] & ~rows["shown"], steps=one,
    )  # fmt: skip
    return [
        registry.rows("operating_system_share", _share(cells, "shown", "checked", floor)),
        registry.rows("redesign_claimed_share", _share(cells, "unproven", "known", floor)),
    ]


def _share(cells: pd.DataFrame, part: str, known: str, floor: float) -> pd.DataFrame:
    """A share of the AI steps known, with bounds over the others."""
    coverage = cells[known] / cells["ai"].where(cells["ai"] > 0)
    value = cells[part] / cells[known].where(cells[known] > 0)
    low, high = (pd.Series(bound, index=cells.index) for bound in coverage_bounds(value, coverage))
    note = [
        "no step uses AI now" if not ai else (f"known of {some} of {ai} AI steps" if some < ai else "")
        for some, ai in zip(cells[known], cells["ai"], strict=True)
    ]
    partial = coverage < 1
    made = cells.assign(value=value.where(coverage >= floor), n=cells[known], note=note)
    return made.assign(low=low.where(partial), high=high.where(partial))


def _ai_share(rows: pd.DataFrame) -> pd.DataFrame:
    """Steps that use AI among all steps of a version."""
    cells = _cells(rows, ai=rows["ai"], n=pd.Series(1, index=rows.index))
    return cells.assign(value=cells["ai"] / cells["n"].where(cells["n"] > 0), note=_no_steps(cells["n"]))


def _wait_share(rows: pd.DataFrame, floor: float) -> pd.DataFrame:
    """Minutes waiting among all minutes, of the steps whose minutes are known."""
    timed = rows["work_minutes"].notna() & rows["wait_minutes"].notna()
    wait, work = rows["wait_minutes"].where(timed, 0.0), rows["work_minutes"].where(timed, 0.0)
    cells = _cells(rows, wait=wait, minutes=wait + work, n=timed, steps=pd.Series(1, index=rows.index))
    value = cells["wait"] / cells["minutes"].where(cells["minutes"] > 0)
    note = [
        "" if known == steps else f"{known} of {steps} steps have work_minutes and wait_minutes"
        for known, steps in zip(cells["n"], cells["steps"], strict=True)
    ]
    empty = value.isna() & cells["n"].eq(cells["steps"])
    note = pd.Series(note, index=cells.index).mask(empty, "no minutes recorded")
    return cells.assign(value=value.where(cells["n"] / cells["steps"] >= floor), note=note)


def _handoffs(rows: pd.DataFrame) -> pd.DataFrame:
    """Changes of actor along the steps, mean over the workflows of a cell."""
    flow = ["unit_id", "segment", "member_id", "workflow"]
    ordered = rows.sort_values([*flow, "step_no"])
    previous = ordered.groupby(flow)["actor"].shift(1)
    cells = _cells(ordered, changes=previous.notna() & ordered["actor"].ne(previous), n=previous.isna())
    note = _no_steps(cells["n"]).mask(cells["n"].gt(1), "mean of the workflows")
    return cells.assign(value=cells["changes"] / cells["n"].where(cells["n"] > 0), note=note)


def _no_steps(n: pd.Series) -> pd.Series:
    """Why a cell without steps has no value."""
    return n.eq(0).map({True: "no step of the version `now`", False: ""})
