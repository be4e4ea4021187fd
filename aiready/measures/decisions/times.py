"""Estimate how long decisions take: Kaplan-Meier quantiles of the time from opening to decision.

Times are counted in coarse steps first. Over a step in which no decision is still open, the product of (1 - d/n)
telescopes to one factor, and Greenwood's sum to one term, so such a step is exact as it is. Only steps that contain
open decisions or a quantile are counted again, time by time. The log is read twice, and little of it leaves the
database.
"""

from collections.abc import Iterator
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

SPEEDS = (("decision_speed_p50", 0.5), ("decision_speed_p90", 0.9))
_CELL = ["unit_id", "quarter"]
_STEPS_PER_E = 16
"""Coarse steps per e-fold of the time: each is 6 % longer than the one before."""
_Z = float(stats.norm.isf(0.025))
_TOLERANCE = 1e-12


def decision_times(decisions: ir.Table, membership: pd.DataFrame, as_of: date | None) -> pd.DataFrame:
    """Kaplan-Meier quantiles of the time from opening to decision.

    Grain: one row per reporting unit x quarter (its first moment): `follow_up` and, per quantile p, `at_p`,
    `low_p`, `high_p` in microseconds, missing where not reached. S(t) = product of (1 - d/n); a quantile is
    the smallest t with S(t) <= 1 - p; interval where the log-log bounds of S(t) reach 1 - p (Brookmeyer and
    Crowley 1982). Decisions still open count until the end of `as_of`.
    """
    timed = timed_decisions(decisions, as_of)
    filter_steps = filter_by_join if timed.get_backend().name == "duckdb" else filter_by_key
    points = _roll_up(step_counts(timed).to_pandas(), membership, ["step"]).assign(coarse=True)
    while True:
        curve = _curve(points)
        unclear = _unclear(curve)
        if not unclear.any():
            return _quantiles(curve)
        steps = curve.loc[unclear, [*_CELL, "step"]]
        finer = time_counts(filter_steps(timed, _own_steps(steps, membership))).to_pandas()
        finer = _roll_up(finer, steps.merge(membership), ["step", "micro"]).assign(coarse=False)
        points = pd.concat([curve.loc[~unclear, list(finer.columns)], finer], ignore_index=True)


# In the database


def timed_decisions(decisions: ir.Table, as_of: date | None) -> ir.Table:
    """Time of each decision in microseconds, its coarse step, and whether it is closed."""
    end = decisions.opened_at if as_of is None else ibis.timestamp(str(as_of + timedelta(days=1)))
    times = decisions.select(
        "unit_id",
        quarter=decisions.opened_at.truncate("Q"),
        micro=decisions.decided_at.coalesce(end).delta(decisions.opened_at, unit="microsecond"),
        closed=decisions.decided_at,
    )
    return times.mutate(step=((times.micro.cast("float64") + 1).ln() * _STEPS_PER_E).floor().cast("int64"))


def step_counts(timed: ir.Table) -> ir.Table:
    """Decisions and closed decisions per unit x quarter x coarse step, with the longest time in it."""
    grouped = timed.group_by(*_CELL, "step")
    return grouped.aggregate(micro=timed.micro.max(), n=timed.count(), closed=timed.closed.count())


def time_counts(timed: ir.Table) -> ir.Table:
    """Decisions and closed decisions per unit x quarter x coarse step x time."""
    return timed.group_by(*_CELL, "step", "micro").aggregate(n=timed.count(), closed=timed.closed.count())


def filter_by_join(timed: ir.Table, steps: pd.DataFrame) -> ir.Table:
    """Keep the decisions in some coarse steps, by a semi-join with a temporary table of the steps."""
    return timed.semi_join(ibis.memtable(steps), [*_CELL, "step"])


def filter_by_key(timed: ir.Table, steps: pd.DataFrame) -> ir.Table:
    """As `filter_by_join`, for a database in which no temporary table may be written: by a list of keys."""
    quarter, opened = timed.quarter, steps["quarter"].dt
    key = (quarter.year() * 4 + quarter.quarter()).cast("string") + " " + timed.step.cast("string") + " "
    keys = (opened.year * 4 + opened.quarter).astype(str) + " " + steps["step"].astype(str) + " "
    return timed.filter((key + timed.unit_id).isin(list(keys + steps["unit_id"].astype(str))))


def _own_steps(steps: pd.DataFrame, membership: pd.DataFrame) -> pd.DataFrame:
    """The steps of reporting units, as steps of the units that their decisions belong to."""
    own = steps.merge(membership, on="unit_id").drop(columns="unit_id").rename(columns={"member_id": "unit_id"})
    return own.drop_duplicates()


# In memory


def _roll_up(counts: pd.DataFrame, membership: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Sum counts of units to those of reporting units; `membership` may depend on the step, too."""
    of_members = membership.merge(counts.rename(columns={"unit_id": "member_id"}))
    of_members["unit_id"] = of_members["unit_id"].astype("category")
    sums = {name: how for name, how in (("micro", "max"), ("n", "sum"), ("closed", "sum")) if name not in by}
    return of_members.groupby([*_CELL, *by], observed=True, as_index=False).agg(sums)


def _curve(points: pd.DataFrame) -> pd.DataFrame:
    """Cumulative hazard -ln S(t) and Greenwood's variance before and after each point; `exhausted`: S(t) = 0."""
    curve = points.sort_values([*_CELL, "micro"], ignore_index=True)
    cells = curve.groupby(_CELL, observed=True, sort=False)
    curve["cell"] = cells.ngroup()
    at_risk = cells["n"].transform("sum") - cells["n"].cumsum() + curve["n"]
    left = at_risk - curve["closed"]
    curve["exhausted"] = left <= 0
    safe = left.where(~curve["exhausted"], at_risk)
    steps = {"hazard": np.log(at_risk / safe), "variance": (at_risk - safe) / (at_risk * safe)}
    for name, step in steps.items():
        curve[name] = step.groupby(curve["cell"]).cumsum()
        curve[f"{name}_before"] = (curve[name] - step).clip(lower=0)
    return curve


def _reached(curve: pd.DataFrame) -> Iterator[tuple[str, NDArray[np.bool_], NDArray[np.bool_]]]:
    """Per quantile and bound: whether it is reached at each point, and whether it may be reached before it.

    Between two points, hazard and variance lie between their values at them.
    """
    hazard, before = (curve[name].to_numpy() for name in ("hazard", "hazard_before"))
    sd, sd_before = (np.sqrt(curve[name].to_numpy().clip(0)) for name in ("variance", "variance_before"))
    exhausted = curve["exhausted"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        low, high = hazard * np.exp(_Z * sd / hazard), hazard * np.exp(-_Z * sd / hazard)
        widest, narrowest = hazard * np.exp(_Z * sd / before), hazard * np.exp(-_Z * sd_before / hazard)
    has_bounds = ~exhausted & (hazard > 0)
    for _, p in SPEEDS:
        needed, name = -float(np.log(1 - p + _TOLERANCE)), f"{p * 100:.0f}"
        yield f"at_{name}", exhausted | (hazard >= needed), exhausted | (hazard >= needed)
        yield f"low_{name}", has_bounds & (low >= needed), exhausted | (widest >= needed)
        yield f"high_{name}", has_bounds & (high >= needed), exhausted | (narrowest >= needed)


def _unclear(curve: pd.DataFrame) -> NDArray[np.bool_]:
    """Which coarse points have to be counted time by time; elsewhere the curve up to the last quantile is exact."""
    micro, coarse = curve["micro"].to_numpy(float), curve["coarse"].to_numpy(bool)
    may_hold_quantile, last = np.zeros(len(curve), dtype=bool), np.zeros(len(curve))
    for _, is_reached, may_be_reached in _reached(curve):
        first = _first(curve, is_reached)[curve["cell"]]
        may_hold_quantile |= may_be_reached & (micro <= first)
        last = np.maximum(last, first)
    still_open = (curve["n"] > curve["closed"]).to_numpy() & (micro <= last)
    return np.asarray(coarse & (may_hold_quantile | still_open))


def _first(curve: pd.DataFrame, reached: NDArray[np.bool_]) -> NDArray[np.float64]:
    """First time per cell at which `reached` holds; infinite where it never does."""
    starts = np.flatnonzero(np.diff(curve["cell"].to_numpy(), prepend=-1))
    return np.minimum.reduceat(np.where(reached, curve["micro"].to_numpy(float), np.inf), starts)


def _quantiles(curve: pd.DataFrame) -> pd.DataFrame:
    """One row per cell of the curve: the columns of `decision_times`."""
    cells = curve.groupby(_CELL, observed=True, sort=False, as_index=False).agg(follow_up=("micro", "max"))
    times = {name: _first(curve, is_reached) for name, is_reached, _ in _reached(curve)}
    return cells.assign(**{name: np.where(np.isinf(at), np.nan, at) for name, at in times.items()})
