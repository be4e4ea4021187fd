"""How long decisions take: Kaplan-Meier quantiles of the time from opening to decision.

Times are counted in coarse steps first. Over a stretch in which no decision is still open, the product of
(1 - d/n) telescopes to one factor, and Greenwood's sum to one term; so a step without open decisions is exact
as it stands. Only steps that hold open ones or a quantile are counted again, time by time. The log is read
twice, and little of it leaves the database.
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
"""Steps in which times are counted first, per e-fold: each is 6 % longer than the one before."""
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
    some = joined if timed.get_backend().name == "duckdb" else named
    points = _rolled_up(step_counts(timed).to_pandas(), membership, ["step"]).assign(coarse=True)
    while True:
        curve = _curve(points)
        unclear = _unclear(curve)
        if not unclear.any():
            return _quantiles(curve)
        steps = curve.loc[unclear, [*_CELL, "step"]]
        finer = time_counts(some(timed, _own_steps(steps, membership))).to_pandas()
        finer = _rolled_up(finer, steps.merge(membership), ["step", "micro"]).assign(coarse=False)
        points = pd.concat([curve.loc[~unclear, list(finer.columns)], finer], ignore_index=True)


# In the database


def timed_decisions(decisions: ir.Table, as_of: date | None) -> ir.Table:
    """Time in microseconds of each decision, the coarse step it lies in, and whether it is closed."""
    end = decisions.opened_at if as_of is None else ibis.timestamp(str(as_of + timedelta(days=1)))
    times = decisions.select(
        "unit_id",
        quarter=decisions.opened_at.truncate("Q"),
        micro=decisions.decided_at.coalesce(end).delta(decisions.opened_at, unit="microsecond"),
        closed=decisions.decided_at,
    )
    return times.mutate(step=((times.micro.cast("float64") + 1).ln() * _STEPS_PER_E).floor().cast("int64"))


def step_counts(timed: ir.Table) -> ir.Table:
    """Decisions and closed ones per unit x quarter x coarse step, with the longest time in it."""
    grouped = timed.group_by(*_CELL, "step")
    return grouped.aggregate(micro=timed.micro.max(), n=timed.count(), closed=timed.closed.count())


def time_counts(timed: ir.Table) -> ir.Table:
    """Decisions and closed ones per unit x quarter x coarse step x time."""
    return timed.group_by(*_CELL, "step", "micro").aggregate(n=timed.count(), closed=timed.closed.count())


def joined(timed: ir.Table, steps: pd.DataFrame) -> ir.Table:
    """The decisions in some coarse steps, found by a table of them."""
    return timed.semi_join(ibis.memtable(steps), [*_CELL, "step"])


def named(timed: ir.Table, steps: pd.DataFrame) -> ir.Table:
    """The same where no table may be written, not even for a moment: steps are told one by one."""
    quarter, opened = timed.quarter, steps["quarter"].dt
    place = (quarter.year() * 4 + quarter.quarter()).cast("string") + " " + timed.step.cast("string") + " "
    places = (opened.year * 4 + opened.quarter).astype(str) + " " + steps["step"].astype(str) + " "
    return timed.filter((place + timed.unit_id).isin(list(places + steps["unit_id"].astype(str))))


def _own_steps(steps: pd.DataFrame, membership: pd.DataFrame) -> pd.DataFrame:
    """Steps of reporting units as steps of the units whose decisions they hold."""
    own = steps.merge(membership, on="unit_id").drop(columns="unit_id").rename(columns={"member_id": "unit_id"})
    return own.drop_duplicates()


# In memory


def _rolled_up(counts: pd.DataFrame, membership: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Counts of units summed to reporting units, for all that `membership` tells of them."""
    several = membership.merge(counts.rename(columns={"unit_id": "member_id"}))
    several["unit_id"] = several["unit_id"].astype("category")
    sums = {name: how for name, how in (("micro", "max"), ("n", "sum"), ("closed", "sum")) if name not in by}
    return several.groupby([*_CELL, *by], observed=True, as_index=False).agg(sums)


def _curve(points: pd.DataFrame) -> pd.DataFrame:
    """Cumulative hazard -ln S(t) and Greenwood's variance after each point, and before it; `gone`: S(t) = 0."""
    curve = points.sort_values([*_CELL, "micro"], ignore_index=True)
    cells = curve.groupby(_CELL, observed=True, sort=False)
    curve["cell"] = cells.ngroup()
    at_risk = cells["n"].transform("sum") - cells["n"].cumsum() + curve["n"]
    left = at_risk - curve["closed"]
    curve["gone"] = left <= 0
    safe = left.where(~curve["gone"], at_risk)
    steps = {"hazard": np.log(at_risk / safe), "variance": (at_risk - safe) / (at_risk * safe)}
    for name, step in steps.items():
        curve[name] = step.groupby(curve["cell"]).cumsum()
        curve[f"{name}_before"] = (curve[name] - step).clip(lower=0)
    return curve


def _reached(curve: pd.DataFrame) -> Iterator[tuple[str, NDArray[np.bool_], NDArray[np.bool_]]]:
    """Per quantile and bound: where it is reached at a point, and where it may have been on the way there.

    On the way, hazard and variance lie between what they are before and at the point.
    """
    hazard, before = (curve[name].to_numpy() for name in ("hazard", "hazard_before"))
    sd, sd_before = (np.sqrt(curve[name].to_numpy().clip(0)) for name in ("variance", "variance_before"))
    gone = curve["gone"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        low, high = hazard * np.exp(_Z * sd / hazard), hazard * np.exp(-_Z * sd / hazard)
        widest, narrowest = hazard * np.exp(_Z * sd / before), hazard * np.exp(-_Z * sd_before / hazard)
    some = ~gone & (hazard > 0)
    for _, p in SPEEDS:
        needed, name = -float(np.log(1 - p + _TOLERANCE)), f"{p * 100:.0f}"
        yield f"at_{name}", gone | (hazard >= needed), gone | (hazard >= needed)
        yield f"low_{name}", some & (low >= needed), gone | (widest >= needed)
        yield f"high_{name}", some & (high >= needed), gone | (narrowest >= needed)


def _unclear(curve: pd.DataFrame) -> NDArray[np.bool_]:
    """Coarse points to be counted time by time: the rest of the curve up to the last quantile is exact."""
    micro, coarse = curve["micro"].to_numpy(float), curve["coarse"].to_numpy(bool)
    inside, last = np.zeros(len(curve), dtype=bool), np.zeros(len(curve))
    for _, there, perhaps in _reached(curve):
        first = _first(curve, there)[curve["cell"]]
        inside |= perhaps & (micro <= first)
        last = np.maximum(last, first)
    still_open = (curve["n"] > curve["closed"]).to_numpy() & (micro <= last)
    return coarse & (inside | still_open)


def _first(curve: pd.DataFrame, reached: NDArray[np.bool_]) -> NDArray[np.float64]:
    """First time per cell at which something is reached; infinite where never."""
    starts = np.flatnonzero(np.diff(curve["cell"].to_numpy(), prepend=-1))
    return np.minimum.reduceat(np.where(reached, curve["micro"].to_numpy(float), np.inf), starts)


def _quantiles(curve: pd.DataFrame) -> pd.DataFrame:
    found = curve.groupby(_CELL, observed=True, sort=False, as_index=False).agg(follow_up=("micro", "max"))
    times = {name: _first(curve, there) for name, there, _ in _reached(curve)}
    return found.assign(**{name: np.where(np.isinf(at), np.nan, at) for name, at in times.items()})
