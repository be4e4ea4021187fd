"""Measure changes of scores since the previous wave, and where they came from.

A unit is compared with the latest earlier wave in which it had enough respondents, on the items used in both waves.
People cannot be matched in an anonymous survey, so the two waves are treated as independent, which is cautious.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aiready.measures.estimation.inference import welch_difference
from aiready.measures.survey.groups import Floats, Moments, by_barrier
from aiready.measures.survey.scales import Survey

ROLE_MIX, ANSWERS, ITEMS = "role_mix", "answers", "items"
NO_EARLIER_WAVE = "no earlier wave with enough answers to compare with"
NO_COMMON_ITEMS = "no item was used in both waves: not comparable"
SOURCES = ["unit_id", "wave", "barrier_id", "source", "points", "people"]


@dataclass(frozen=True)
class _Pair:
    """Two waves on one scale: rows of the units' groups now and before, and moments that can be compared."""

    barrier_id: str
    since: str
    now: NDArray[np.intp]
    before: NDArray[np.intp]
    common: int
    same_items: bool
    moments: Moments


def changes(survey: Survey) -> pd.DataFrame:
    """Change of each unit's score since the wave before (Welch, independent samples).

    Returns
    -------
    pandas.DataFrame
        One row per unit x wave x barrier: unit_id, wave, barrier_id, value (points), low, high, n (now),
        people (the smaller of the two waves), note. Missing in a unit's first wave, or with too few people.
    """
    is_all = survey.groups.is_all
    table, n = survey.groups.table.loc[is_all, ["unit_id", "wave"]], survey.moments.n[is_all]
    all_cells = by_barrier(table, survey.barriers, current=n)
    parts = [_change(survey, pair) for pair in _pairs(survey)]
    columns = ["unit_id", "wave", "barrier_id", "value", "low", "high", "n", "people", "note"]
    compared = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    all_cells = all_cells.merge(compared, on=["unit_id", "wave", "barrier_id"], how="left")
    people = all_cells["people"].astype(float).fillna(all_cells["current"])
    return all_cells.assign(people=people, note=all_cells["note"].fillna(NO_EARLIER_WAVE)).drop(columns="current")


def _change(survey: Survey, pair: _Pair) -> pd.DataFrame:
    """Changes of the units of one pair: the columns of `changes`."""
    now, before = pair.moments.take(pair.now), pair.moments.take(pair.before)
    difference = welch_difference(now.mean, now.sd, now.n, before.mean, before.sd, before.n)
    cells = survey.groups.table.loc[pair.now, ["unit_id", "wave"]].assign(barrier_id=pair.barrier_id)
    for name, values in (("value", difference.value), ("low", difference.low), ("high", difference.high), ("n", now.n)):
        cells[name] = values[:, 0]
    cells["people"] = np.minimum(now.n, before.n)[:, 0]
    return cells.assign(note=_change_note(pair, difference.low[:, 0], difference.high[:, 0]))


def _change_note(pair: _Pair, low: Floats, high: Floats) -> NDArray[np.object_]:
    """Describe each change; never as 'no change', since a small sample may fail to show one."""
    if not pair.common:
        return np.full(len(low), NO_COMMON_ITEMS, dtype=object)
    since = f"since {pair.since}"
    if not pair.same_items:
        since = f"{since}, on the {pair.common} items used in both waves in the same words"
    words = np.select([low > 0, high < 0], ["higher", "lower"], "no change demonstrated")
    return np.array([f"{since}: {word}" for word in words], dtype=object)


def change_sources(survey: Survey) -> pd.DataFrame:
    """How much of a change comes from who answered (role mix), from what they answered, and from different items.

    Kitagawa's decomposition over roles (doing and leading at units without children): role_mix = sum
    (w1 - w0)(m1 + m0)/2, answers = sum (m1 - m0)(w1 + w0)/2, w the share of a role and m its mean. A role present
    in only one wave counts as mix. The two add up to the change on the same items; `items` is the rest of the change
    of the published scores, where these do not use the same items.

    Returns
    -------
    pandas.DataFrame
        One row per unit x wave x barrier x source: unit_id, wave, barrier_id, source (role_mix, answers, and items
        where they differ), points, people (in the smallest role of either wave).

    References
    ----------
    Kitagawa (1955).
    """
    parts = [_sources(survey, pair) for pair in _pairs(survey) if pair.common]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=SOURCES)


def _sources(survey: Survey, pair: _Pair) -> pd.DataFrame:
    """Decompose the changes of one pair: the columns of `change_sources`."""
    (n1, m1), (n0, m0) = (_role_moments(survey, pair.moments, rows) for rows in (pair.now, pair.before))
    m1, m0 = np.where(n1 > 0, m1, m0), np.where(n0 > 0, m0, m1)
    w1, w0 = n1 / n1.sum(axis=1, keepdims=True), n0 / n0.sum(axis=1, keepdims=True)
    mix, answers = np.nansum((w1 - w0) * (m1 + m0) / 2, 1), np.nansum((m1 - m0) * (w1 + w0) / 2, 1)
    role_counts = np.concatenate([n1, n0], axis=1)
    people = np.where(role_counts > 0, role_counts, np.inf).min(axis=1)
    cells = survey.groups.table.loc[pair.now, ["unit_id", "wave"]].assign(barrier_id=pair.barrier_id, people=people)
    points = {ROLE_MIX: mix, ANSWERS: answers}
    if not pair.same_items:
        column = survey.barriers.index(pair.barrier_id)
        now, before = (survey.moments.only(column).mean[rows, 0] for rows in (pair.now, pair.before))
        points[ITEMS] = now - before - mix - answers
    parts = [cells.assign(source=source, points=part) for source, part in points.items()]
    return pd.concat(parts, ignore_index=True)[SOURCES]


def _role_moments(survey: Survey, moments: Moments, rows: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """n and mean of each unit (row) by role (columns 1-6); column 0 is people without a role.

    A unit's segments follow its `all` in `SEGMENTS` order: 1 and 2 are doing and leading, 3 to 6 the roles.
    """
    leaf = survey.groups.table.loc[rows, "leaf"].to_numpy(bool)
    n, total = np.zeros((2, len(rows), 7))
    if survey.answers.roles:
        for steps, of_kind in (((1, 2), leaf), ((3, 4, 5, 6), ~leaf)):
            for step in steps:
                n[of_kind, step], total[of_kind, step] = (
                    part[rows[of_kind] + step, 0] for part in (moments.n, moments.total)
                )
    n[:, 0], total[:, 0] = moments.n[rows, 0] - n.sum(axis=1), moments.total[rows, 0] - total.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return n, np.where(n > 0, moments.shift + total / n, np.nan)


def _pairs(survey: Survey) -> Iterator[_Pair]:
    """Each pair of waves between which some unit is compared, scale by scale."""
    table = survey.groups.table
    usable = survey.groups.is_all & survey.eligible()
    position = pd.Series(np.where(usable, np.arange(len(table)), np.nan))[survey.groups.is_all]
    unit = table.loc[survey.groups.is_all, "unit_id"]
    before = position.groupby(unit).ffill().groupby(unit).shift()
    links = pd.DataFrame({"now": position, "before": before}).dropna().astype(np.intp)
    labels = [table["wave"].to_numpy()[links[side]] for side in ("before", "now")]
    used, inherited = _used_items(survey), _inherited_items(survey)
    words = survey.wordings
    scored: dict[bytes, Moments] = {}
    for (old, new), rows in links.groupby(labels, sort=False):
        for column, barrier in enumerate(survey.barriers):
            of_barrier = survey.answers.items_of(barrier)
            reworded = words[old] != words[new] if words else np.zeros_like(of_barrier)
            reworded = reworded | inherited[old] | inherited[new]
            items = used[old] & used[new] & of_barrier & ~reworded
            same = bool((used[old] == used[new])[of_barrier].all()) and not (reworded & of_barrier).any()
            moments = survey.moments.only(column) if same else _rescored(survey, items, scored)
            ends = rows["now"].to_numpy(), rows["before"].to_numpy()
            yield _Pair(barrier, str(old), *ends, int(items.sum()), same, moments)


def _inherited_items(survey: Survey) -> Mapping[str, NDArray[np.bool_]]:
    """By wave, the items of which somebody answered the predecessor instead."""
    waves = survey.respondents["wave"]
    items_by_wave = {str(wave): np.zeros(len(survey.rules.items), dtype=bool) for wave in survey.waves}
    for item, mask in survey.answers.inherited.items():
        for wave in waves[mask].unique():
            items_by_wave[str(wave)][item] = True
    return items_by_wave


def _rescored(survey: Survey, items: NDArray[np.bool_], scored: dict[bytes, Moments]) -> Moments:
    """Moments of the score over these items only, cached in `scored` for other units and waves."""
    if items.tobytes() not in scored:
        scored[items.tobytes()] = survey.groups.moments(survey.answers.score(items)[:, None])
    return scored[items.tobytes()]


def _used_items(survey: Survey) -> Mapping[str, NDArray[np.bool_]]:
    """By wave, the items that somebody answered, including 'don't know'."""
    wave, waves = pd.factorize(survey.respondents["wave"])
    answered = (np.bincount(wave, weights=column != 0) > 0 for column in survey.answers.codes.T)
    return dict(zip(waves, np.column_stack(list(answered)), strict=True))
