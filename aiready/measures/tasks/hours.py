"""Compute the hours of every task: what AI could save, what it saves, and the four parts of the gap."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.sparse import coo_array

JOB = ["unit_id", "wave", "job"]
GAP_PARTS = ("gap_not_adopted", "gap_saving_below_plan", "gap_rework", "gap_oversight")
HOURS = ("hours", "potential", "realised", "gap", *GAP_PARTS, "unfollowed")


def with_hours(tasks: pd.DataFrame) -> pd.DataFrame:
    """Add the hours of every task: one row per unit x wave x job x task, hours per year of all holders.

    Returns
    -------
    pandas.DataFrame
        The input with `holders` (of the job: its largest headcount), `HOURS`, `saved` (h a o), `open` (not adopted,
        known even where the rest is not), `whole` (all of realised hours and the gap is known) and `silent` (a
        human task without a target mode that states a saving or adoption all the same). Without a headcount the
        hours are one person's.

    Notes
    -----
    With h hours, s and o expected and observed saving, a adoption, w rework: potential h s; realised
    h a o (1 - w) - oversight; not adopted h s (1 - a); saving below plan h a (s - o); rework h a o w.
    Realised hours and the gap are given for `whole` tasks only; potential = realised + gap + unfollowed.
    """
    holders = tasks.groupby(JOB)["headcount"].transform("max")
    persons = tasks["headcount"].fillna(holders).fillna(1.0)
    human = tasks["mode"].eq("human")
    human_only = tasks["target_mode"].fillna(tasks["mode"]).eq("human") & (human | tasks["mode"].isna())
    adoption = tasks["adoption"].mask(human & tasks["adoption"].isna() | human_only, 0.0)
    idle = adoption.eq(0)
    saving = tasks["expected_saving"].mask(human_only, 0.0)
    observed = tasks["observed_saving"].mask(idle & tasks["observed_saving"].isna() | human_only, 0.0)
    rework = tasks["rework"].mask(idle & tasks["rework"].isna(), 0.0)
    checking = tasks["oversight_hours"].mask(idle & tasks["oversight_hours"].isna() | human_only, 0.0)
    hours = tasks["hours_per_year"] * persons
    counted = hours.mask(human_only & hours.isna(), 0.0)  # no saving of unknown hours is 0
    saved = counted * adoption * observed
    parts = {
        "holders": holders,
        "hours": hours,
        "potential": counted * saving,
        "potential_low": counted * tasks["expected_saving_low"].where(saving > 0),
        "potential_high": counted * tasks["expected_saving_high"].where(saving > 0),
        "open": counted * saving * (1 - adoption),
        "saved": saved,
        "realised": saved * (1 - rework) - checking * persons,
        "gap_not_adopted": counted * saving * (1 - adoption),
        "gap_saving_below_plan": counted * adoption * (saving - observed),
        "gap_rework": saved * rework,
        "gap_oversight": checking * persons,
    }
    most = _at_most(counted, parts, pd.DataFrame({"a": adoption, "o": observed, "w": rework}))
    silent = human_only & tasks["target_mode"].isna() & tasks[["expected_saving", "adoption"]].gt(0).any(axis=1)
    return _drop_partial_hours(tasks.assign(**parts, **_if_meant(tasks, hours, silent, most), silent=silent))


def _if_meant(
    tasks: pd.DataFrame, hours: pd.Series, silent: pd.Series, most: Mapping[str, pd.Series]
) -> dict[str, pd.Series]:
    """`_at_most`, but for `silent` tasks as if their target were to work with AI."""
    most_hours = hours.fillna(np.inf)
    gain = most_hours * tasks["adoption"].fillna(0) * tasks["observed_saving"].fillna(1).clip(lower=0)
    potential = most_hours * tasks["expected_saving"].fillna(1)
    meant = {"potential_most": potential, "open_most": potential, "gain_most": gain.fillna(0)}
    return {name: values.mask(silent, meant[name]) for name, values in most.items()}


def _at_most(hours: pd.Series, parts: Mapping[str, pd.Series], shares: pd.DataFrame) -> dict[str, pd.Series]:
    """Upper bounds of each task's hours, whatever its blanks stand for."""
    most_hours = hours.fillna(np.inf)
    potential = parts["potential"].fillna(most_hours)
    saved = (most_hours * shares["a"].fillna(1) * shares["o"].fillna(1).clip(lower=0)).fillna(0)  # 0 x infinity is 0
    gain = (saved * (1 - shares["w"].fillna(0))).fillna(0) - parts["gap_oversight"].fillna(0)
    return {
        "potential_most": potential,
        "open_most": parts["open"].fillna(potential),
        "gain_most": gain.clip(lower=0),
    }


def _drop_partial_hours(rows: pd.DataFrame) -> pd.DataFrame:
    """Add `gap`, `whole` and `unfollowed`; blank realised hours and parts of the gap unless all of them are known."""
    followed_up = rows[["potential", "realised", *GAP_PARTS]].notna().all(axis=1)
    known_hours = rows[["saved", "realised", *GAP_PARTS]].where(followed_up)
    gap = known_hours[list(GAP_PARTS)].sum(axis=1, min_count=len(GAP_PARTS))
    return rows.assign(**known_hours, gap=gap, whole=followed_up, unfollowed=rows["potential"].where(~followed_up, 0.0))


def potential_range(rows: pd.DataFrame, cell: pd.Series, draws: int, seed: int) -> pd.DataFrame:
    """Interval of each cell's potential where savings are stated as ranges: cell (index), low, high.

    Parameters
    ----------
    rows
        Tasks from `with_hours`, once per cell that they count in, with `row`, the number of the task.
    cell
        Number of the cell of each row.

    Notes
    -----
    Each saving is drawn from the triangular distribution (least, expected, most), independently between tasks and the
    same in all cells; low and high are the 2.5 and 97.5 % quantiles of the sums. Tasks without a range are constant.
    """
    ends = rows[["potential_low", "potential", "potential_high"]]
    ranged = ends.notna().all(axis=1) & (ends["potential_low"] < ends["potential_high"])
    ranged &= ends["potential"].between(ends["potential_low"], ends["potential_high"])
    task = rows.loc[ranged, "row"]
    of_task = ends.loc[ranged].groupby(task).first()
    if of_task.empty:
        return pd.DataFrame(columns=["low", "high"], dtype=float)
    random = np.random.default_rng(seed)
    least, mode, most = (of_task[name].to_numpy(float)[:, None] for name in of_task)
    draws_of_task = random.triangular(least, mode, most, (len(of_task), draws))
    deviations = draws_of_task - of_task["potential"].to_numpy()[:, None]
    numbers, cells = pd.factorize(cell[ranged])
    task_no = of_task.index.get_indexer(task)
    sums = coo_array((np.ones(len(task_no)), (numbers, task_no)), shape=(len(cells), len(of_task))) @ deviations
    stated = rows["potential"].groupby(cell).sum().reindex(cells).to_numpy()[:, None]
    low, high = np.quantile(stated + sums, [0.025, 0.975], axis=1)
    return pd.DataFrame({"low": low, "high": high}, index=cells)


def job_headcounts(tasks: pd.DataFrame) -> pd.DataFrame:
    """Holders of every job, the largest headcount of its rows: one row per unit x wave x job."""
    jobs = tasks.groupby(JOB, as_index=False)["headcount"].max().rename(columns={"headcount": "holders"})
    return jobs.assign(jobs=1, persons=jobs["holders"].fillna(1.0), uncounted=jobs["holders"].isna())
