"""Compare survey scores between units, roles and barriers, and test what differs by more than chance.

Only units without children and with the minimum group of respondents are compared: what would be hidden is neither
tested nor counted. The finite-population correction is not used here.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aiready.measures.estimation.inference import (
    benjamini_hochberg,
    cliffs_delta,
    paired_margin,
    paired_rank_interval,
    rank_interval,
    shrink,
    welch_difference,
)
from aiready.measures.estimation.reliability import Anova, anova, rwg_j
from aiready.measures.survey.groups import Floats, by_barrier
from aiready.measures.survey.scales import Survey
from aiready.model.registry import INSUFFICIENT, OK
from aiready.privacy.segments import DOING, LEADING

BELOW, ABOVE = "below the rest", "above the rest"
_UNIT_WAVE = ["unit_id", "wave"]
_CELL = [*_UNIT_WAVE, "barrier_id"]
DIFFERENCES = [*_CELL, "value", "low", "high", "n", "people", "p", "p_adjusted", "flag"]
UNIT_RANKS = [*_CELL, "unit_rank_low", "unit_rank_high", "verdict"]
PRIORITIES = [*_CELL, "priority_low", "priority_high", "weakest"]


def agreement(survey: Survey) -> Floats:
    """rwg(j) of each unit's `all` on each scale, over the items that every role present is asked.

    Returns
    -------
    numpy.ndarray
        (units x waves, barriers) in the order of `survey.groups`; `nan` below two answers to each item.
    """
    groups = survey.groups.where(survey.groups.is_all)
    columns = []
    for barrier in survey.barriers:
        items = survey.answers.items_of(barrier) & survey.answers.common(survey.answers.roles)
        levels = survey.answers.keyed(items).astype(float)
        variances = groups.moments(np.where(levels > 0, levels, np.nan)).sd ** 2
        columns.append(rwg_j(variances, survey.rules.settings.scale_points))
    return np.column_stack(columns)


def unit_anovas(survey: Survey) -> pd.DataFrame:
    """Analysis of variance over units: how far they differ, and whether they may be ranked.

    Returns
    -------
    pandas.DataFrame
        One row per wave x barrier: wave, barrier_id, anova (`reliability.Anova`), rwg (median over units),
        may_rank, verdict (the reason, as text).
    """
    is_all = survey.groups.is_all
    rwg, compared = agreement(survey), _comparable(survey)[is_all]
    moments, waves = survey.moments.take(is_all), survey.groups.table.loc[is_all, "wave"].to_numpy()
    records = []
    for wave in survey.waves:
        rows = compared & (waves == wave)
        for column, barrier in enumerate(survey.barriers):
            table = anova(*(part[rows, column] for part in (moments.n, moments.total, moments.square)))
            median = float(pd.Series(rwg[rows, column]).median())
            records.append((wave, barrier, table, median, *_may_rank(survey, table, median)))
    return pd.DataFrame(records, columns=["wave", "barrier_id", "anova", "rwg", "may_rank", "verdict"])


def _comparable(survey: Survey) -> NDArray[np.bool_]:
    """Groups that are compared: `all` of units without children that are large enough."""
    return np.asarray(survey.groups.is_all & survey.groups.table["leaf"].to_numpy(bool) & survey.eligible())


def _may_rank(survey: Survey, table: Anova, rwg: float) -> tuple[bool, str]:
    """Whether units may be ranked on one scale of one wave, and why."""
    limits = survey.rules.settings
    if table.groups < 2:
        return False, "units may not be ranked: fewer than two are large enough to compare"
    criteria = [
        (rwg >= limits.rank_rwg, f"median rwg(j) {rwg:.2f} is below {limits.rank_rwg:.2f}"),
        (table.p < limits.rank_p, f"F test p {table.p:.3f} is not below {limits.rank_p:.2f}"),
        (table.icc2 >= limits.rank_icc2, f"ICC(2) {table.icc2:.2f} is below {limits.rank_icc2:.2f}"),
    ]
    reasons = [reason for holds, reason in criteria if not holds]
    if reasons:
        return False, "units may not be ranked: " + "; ".join(reasons)
    statistics = f"median rwg(j) {rwg:.2f}, F test p {table.p:.3f}, ICC(2) {table.icc2:.2f}"
    return True, f"units may be ranked: {statistics}"


def shrunk_means(survey: Survey, anovas: pd.DataFrame) -> pd.DataFrame:
    """Empirical-Bayes score of each unit without children, from `unit_anovas`.

    Returns
    -------
    pandas.DataFrame
        One row per unit x wave x barrier: unit_id, wave, barrier_id, value, n, people, note.
    """
    leaf = survey.groups.is_all & survey.groups.table["leaf"].to_numpy(bool)
    compared = _comparable(survey)[leaf]
    moments, table = survey.moments.take(leaf), survey.groups.table[leaf]
    value, note = np.full(moments.n.shape, np.nan), np.full(moments.n.shape, "", dtype=object)
    for scale in anovas.itertuples():
        column, in_wave = survey.barriers.index(scale.barrier_id), (table["wave"] == scale.wave).to_numpy()
        rows = compared & in_wave
        if rows.sum() < survey.rules.settings.minimum_shrinkage_units:
            least = survey.rules.settings.minimum_shrinkage_units
            note[in_wave, column] = f"fewer than {least} units are large enough to compare"
            continue
        within, between = scale.anova.within, scale.anova.between_variance
        value[rows, column] = shrink(moments.mean[rows, column], moments.n[rows, column], within, between).values
        note[rows, column] = "" if between else "no detectable differences between units"
    note[~compared] = "too few respondents to compare with other units"
    cells = {"value": value, "n": moments.n, "people": moments.n, "note": note}
    return by_barrier(table[_UNIT_WAVE], survey.barriers, **cells)


def differences(survey: Survey) -> pd.DataFrame:
    """Each unit without children against all others taken together (leave one out, Welch).

    Flagged when the Benjamini-Hochberg p over all units x barriers of the wave is below `flag_fdr` and the
    difference is at least `flag_points`.

    Returns
    -------
    pandas.DataFrame
        One row per unit x wave x barrier: unit_id, wave, barrier_id, value (points), low, high, n, people, p,
        p_adjusted, flag ('below the rest', 'above the rest' or '').
    """
    leaf = survey.groups.is_all & survey.groups.table["leaf"].to_numpy(bool)
    compared, moments = _comparable(survey)[leaf], survey.moments.take(leaf)
    table, shape = survey.groups.table.loc[leaf, _UNIT_WAVE], survey.moments.n[leaf].shape
    results = {name: np.full(shape, np.nan) for name in ("value", "low", "high", "p", "p_adjusted")}
    for wave in survey.waves:
        rows = compared & (table["wave"] == wave).to_numpy()
        own, rest = moments.take(rows), moments.take(rows).rest()
        tested = welch_difference(own.mean, own.sd, own.n, rest.mean, rest.sd, rest.n)
        for name in ("value", "low", "high", "p"):
            results[name][rows] = getattr(tested, name)
        results["p_adjusted"][rows] = benjamini_hochberg(tested.p)
    cells = by_barrier(table, survey.barriers, n=moments.n, people=moments.n, **results)
    limits = survey.rules.settings
    demonstrated = (cells["p_adjusted"] < limits.flag_fdr) & (cells["value"].abs() >= limits.flag_points)
    return cells.assign(flag=np.select([demonstrated & (cells["value"] < 0), demonstrated], [BELOW, ABOVE], ""))


def unit_ranks(survey: Survey, anovas: pd.DataFrame) -> pd.DataFrame:
    """Ranks that each unit may hold on perception, highest first, where `unit_anovas` allow ranking.

    Returns
    -------
    pandas.DataFrame
        One row per unit without children x wave x barrier: unit_id, wave, barrier_id, unit_rank_low,
        unit_rank_high (missing where ranking is not allowed or the unit is too small), verdict.
    """
    leaf = survey.groups.is_all & survey.groups.table["leaf"].to_numpy(bool)
    compared, moments = _comparable(survey)[leaf], survey.moments.take(leaf)
    table = survey.groups.table.loc[leaf, _UNIT_WAVE]
    low, high = np.full(moments.n.shape, np.nan), np.full(moments.n.shape, np.nan)
    for scale in anovas[anovas["may_rank"]].itertuples():
        column = survey.barriers.index(str(scale.barrier_id))
        rows = compared & (table["wave"] == scale.wave).to_numpy()
        se = moments.sd[rows, column] / np.sqrt(moments.n[rows, column])
        low[rows, column], high[rows, column] = rank_interval(moments.mean[rows, column], se)
    cells = by_barrier(table, survey.barriers, unit_rank_low=low, unit_rank_high=high)
    return cells.merge(anovas[["wave", "barrier_id", "verdict"]], on=["wave", "barrier_id"], how="left")


def barrier_priorities(survey: Survey) -> pd.DataFrame:
    """Ranks that each barrier may hold within a unit, lowest score first.

    Paired differences per respondent, Bonferroni over the pairs of barriers. A barrier is `weakest` only when that
    paired interval separates it from the next one; with `priority_low` 1 but not `weakest` it is among the weakest.

    Returns
    -------
    pandas.DataFrame
        One row per unit x wave x barrier: unit_id, wave, barrier_id, priority_low, priority_high, weakest.
        Missing where the unit has fewer respondents than the minimum group.
    """
    is_all = survey.groups.is_all
    table = survey.groups.table.loc[is_all, _UNIT_WAVE]
    lead, se, n = _paired(survey)
    lead[~survey.eligible()[is_all]] = np.nan
    low, high = paired_rank_interval(lead, se, n)
    weakest = _weakest(lead, se, n)
    return by_barrier(table, survey.barriers, priority_low=low, priority_high=high, weakest=weakest)


def _paired(survey: Survey) -> tuple[Floats, Floats, Floats]:
    """Mean difference, standard error and n of each pair of barriers in each unit's `all`."""
    groups, scales = survey.groups.where(survey.groups.is_all), len(survey.barriers)
    lead, se, n = (np.full((len(groups.table), scales, scales), np.nan) for _ in range(3))
    for first in range(scales):
        pairs = groups.moments(survey.scores[:, [first]] - survey.scores[:, first:])
        with np.errstate(divide="ignore", invalid="ignore"):
            error = pairs.sd / np.sqrt(pairs.n)
        for matrix, values, factor in ((lead, pairs.mean, -1), (se, error, 1), (n, pairs.n, 1)):
            matrix[:, first:, first], matrix[:, first, first:] = factor * values, values
    return lead, se, n


def _weakest(lead: Floats, se: Floats, n: Floats) -> NDArray[np.bool_]:
    """Whether a barrier is below all others on average, and demonstrably below the nearest."""
    scales = (~np.isnan(np.diagonal(lead, axis1=1, axis2=2))).sum(axis=1)[:, None, None]
    others = np.where(np.eye(lead.shape[1], dtype=bool), np.nan, lead)
    nearest = np.nanargmax(np.where(np.isnan(others), -np.inf, others), axis=2)[:, :, None]
    gap = np.take_along_axis(others, nearest, 2)
    spread = np.take_along_axis(paired_margin(se, n, scales), nearest, 2)
    with np.errstate(invalid="ignore"):
        return np.asarray((gap + spread < 0)[:, :, 0])


def role_gaps(survey: Survey) -> pd.DataFrame:
    """Cliff's delta between roles, over the items that both sides are asked (at least 2).

    Doing against leading at units without children, executives against frontline at parents and the
    organisation; positive: the side named first sees it higher.

    Returns
    -------
    pandas.DataFrame
        One row per unit x wave x barrier: unit_id, wave, barrier_id, value, low, high, n (both sides), people
        (the smaller side), status, note.
    """
    settings, leaf = survey.rules.settings, survey.groups.table["leaf"].to_numpy(bool)
    near = _role_gap(survey, leaf, (DOING, LEADING), (settings.roles_doing, settings.roles_leading))
    far = _role_gap(survey, ~leaf, ("executive", "frontline"), (("executive",), ("frontline",)))
    return pd.concat([near, far], ignore_index=True)


def _role_gap(
    survey: Survey,
    is_compared: NDArray[np.bool_],
    sides: tuple[str, str],
    roles: tuple[tuple[str, ...], tuple[str, ...]],
) -> pd.DataFrame:
    """Cliff's delta between two segments (`sides`, with the `roles` of each) of the units to compare."""
    segment = survey.groups.table["segment"]
    first, second = (survey.groups.where(is_compared & (segment == side).to_numpy()) for side in sides)
    unit_cells = survey.groups.table.loc[is_compared & survey.groups.is_all, _UNIT_WAVE]
    present = tuple(role for side in roles for role in side if role in survey.answers.roles)
    parts = []
    for barrier in survey.barriers:
        items = survey.answers.items_of(barrier) & survey.answers.common(present)
        cells = unit_cells.assign(barrier_id=barrier, value=np.nan, n=np.nan, people=0.0)
        few = f"fewer than two items are asked of both {sides[0]} and {sides[1]}"
        cells["note"] = few if survey.answers.roles else "the answers name no roles"
        if len(first.table) and items.sum() > 1:
            code, levels = pd.factorize(survey.answers.score(items), sort=True)
            counts = (side.counts(code, len(levels)) for side in (first, second))
            cells = unit_cells.assign(barrier_id=barrier, **_delta(*counts, sides=sides))
        parts.append(cells.assign(status=np.where(cells["value"].isna(), INSUFFICIENT, OK)))
    return pd.concat(parts, ignore_index=True)


def _delta(counts1: Floats, counts0: Floats, *, sides: tuple[str, str]) -> dict[str, NDArray[np.generic]]:
    """The columns of `role_gaps` from the counts of each score on both sides."""
    delta, low, high = cliffs_delta(counts1, counts0)
    n1, n0 = counts1.sum(axis=1), counts0.sum(axis=1)
    reading = f"{sides[0]} against {sides[1]}; positive: {sides[0]} higher"
    one_sided = f"no answers from {sides[0]} or from {sides[1]}"
    no_overlap = f"{reading}; no overlap, so no interval"
    note = np.select([np.isnan(delta), np.abs(delta) == 1], [one_sided, no_overlap], reading)
    return {
        "value": delta,
        "low": low,
        "high": high,
        "n": n1 + n0,
        "people": np.minimum(n1, n0),
        "note": note,
    }
