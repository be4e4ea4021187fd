"""What changed since the wave before, and where the change came from.

A unit is compared with the latest earlier wave in which it had enough respondents, on the items that were
used in both waves. People cannot be matched in an anonymous survey, so the two waves count as independent,
which is cautious.
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
FIRST = "no earlier wave with enough answers to compare with"
NO_COMMON_ITEMS = "no item was used in both waves: not comparable"
SOURCES = ["unit_id", "wave", "barrier_id", "source", "points", "people"]


@dataclass(frozen=True)
class _Pair:
    """Two waves on one scale: positions of the units' groups now and before, and comparable moments."""

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
    whole = survey.groups.whole
    table, n = survey.groups.table.loc[whole, ["unit_id", "wave"]], survey.moments.n[whole]
    every = by_barrier(table, survey.barriers, alone=n)
    found = [_change(survey, pair) for pair in _pairs(survey)]
    columns = ["unit_id", "wave", "barrier_id", "value", "low", "high", "n", "people", "note"]
    made = pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=columns)
    every = every.merge(made, on=["unit_id", "wave", "barrier_id"], how="left")
    people = every["people"].astype(float).fillna(every["alone"])
    return every.assign(people=people, note=every["note"].fillna(FIRST)).drop(columns="alone")


def _change(survey: Survey, pair: _Pair) -> pd.DataFrame:
    now, before = pair.moments.take(pair.now), pair.moments.take(pair.before)
    found = welch_difference(now.mean, now.sd, now.n, before.mean, before.sd, before.n)
    made = survey.groups.table.loc[pair.now, ["unit_id", "wave"]].assign(barrier_id=pair.barrier_id)
    for name, values in (("value", found.value), ("low", found.low), ("high", found.high), ("n", now.n)):
        made[name] = values[:, 0]
    made["people"] = np.minimum(now.n, before.n)[:, 0]
    return made.assign(note=_reading(pair, found.low[:, 0], found.high[:, 0]))


def _reading(pair: _Pair, low: Floats, high: Floats) -> NDArray[np.object_]:
    """In words, never 'no change': what a small sample cannot show may still be there."""
    if not pair.common:
        return np.full(len(low), NO_COMMON_ITEMS, dtype=object)
    since = f"since {pair.since}"
    if not pair.same_items:
        since = f"{since}, on the {pair.common} items used in both waves in the same words"
    words = np.select([low > 0, high < 0], ["higher", "lower"], "no change demonstrated")
    return np.array([f"{since}: {word}" for word in words], dtype=object)


def change_sources(survey: Survey) -> pd.DataFrame:
    """How much of a change comes from who answered (role mix), from what they answered, and from other items.

    Kitagawa's decomposition over roles (doing and leading at units without children): role_mix = sum
    (w1 - w0)(m1 + m0)/2, answers = sum (m1 - m0)(w1 + w0)/2, w the share of a role and m its mean. A role
    present in one wave only counts as mix. The two add up to the change, on the same items; `items` is what the
    published scores moved beyond it, because they do not rest on the same items.

    Returns
    -------
    pandas.DataFrame
        One row per unit x wave x barrier x source: unit_id, wave, barrier_id, source (role_mix, answers, and items
        where they differ), points, people (the smallest role behind it, in either wave).

    References
    ----------
    Kitagawa (1955).
    """
    made = [_sources(survey, pair) for pair in _pairs(survey) if pair.common]
    return pd.concat(made, ignore_index=True) if made else pd.DataFrame(columns=SOURCES)


def _sources(survey: Survey, pair: _Pair) -> pd.DataFrame:
    (n1, m1), (n0, m0) = (_parts(survey, pair.moments, rows) for rows in (pair.now, pair.before))
    m1, m0 = np.where(n1 > 0, m1, m0), np.where(n0 > 0, m0, m1)
    w1, w0 = n1 / n1.sum(axis=1, keepdims=True), n0 / n0.sum(axis=1, keepdims=True)
    mix, answers = np.nansum((w1 - w0) * (m1 + m0) / 2, 1), np.nansum((m1 - m0) * (w1 + w0) / 2, 1)
    both = np.concatenate([n1, n0], axis=1)
    people = np.where(both > 0, both, np.inf).min(axis=1)
    at = survey.groups.table.loc[pair.now, ["unit_id", "wave"]].assign(barrier_id=pair.barrier_id, people=people)
    points = {ROLE_MIX: mix, ANSWERS: answers}
    if not pair.same_items:
        place = survey.barriers.index(pair.barrier_id)
        now, before = (survey.moments.only(place).mean[rows, 0] for rows in (pair.now, pair.before))
        points[ITEMS] = now - before - mix - answers
    parts = [at.assign(source=source, points=part) for source, part in points.items()]
    return pd.concat(parts, ignore_index=True)[SOURCES]


def _parts(survey: Survey, moments: Moments, rows: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """n and mean by role within each unit; the last part is people without a role.

    A unit's segments follow its `all` in `SEGMENTS` order: 1 and 2 are doing and leading, 3 to 6 the roles.
    """
    leaf = survey.groups.table.loc[rows, "leaf"].to_numpy(bool)
    n, total = np.zeros((2, len(rows), 7))
    if survey.answers.roles:
        for steps, here in (((1, 2), leaf), ((3, 4, 5, 6), ~leaf)):
            for step in steps:
                n[here, step], total[here, step] = (part[rows[here] + step, 0] for part in (moments.n, moments.total))
    n[:, 0], total[:, 0] = moments.n[rows, 0] - n.sum(axis=1), moments.total[rows, 0] - total.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return n, np.where(n > 0, moments.shift + total / n, np.nan)


def _pairs(survey: Survey) -> Iterator[_Pair]:
    """Each two waves that some unit is compared across, scale by scale."""
    table = survey.groups.table
    usable = survey.groups.whole & survey.eligible()
    position = pd.Series(np.where(usable, np.arange(len(table)), np.nan))[survey.groups.whole]
    unit = table.loc[survey.groups.whole, "unit_id"]
    before = position.groupby(unit).ffill().groupby(unit).shift()
    links = pd.DataFrame({"now": position, "before": before}).dropna().astype(np.intp)
    labels = [table["wave"].to_numpy()[links[side]] for side in ("before", "now")]
    used, older = _used(survey), _inherited(survey)
    words = survey.wordings
    scored: dict[bytes, Moments] = {}
    for (old, new), rows in links.groupby(labels, sort=False):
        for place, barrier in enumerate(survey.barriers):
            mine = survey.answers.items_of(barrier)
            reworded = words[old] != words[new] if words else np.zeros_like(mine)
            reworded = reworded | older[old] | older[new]
            items = used[old] & used[new] & mine & ~reworded
            same = bool((used[old] == used[new])[mine].all()) and not (reworded & mine).any()
            moments = survey.moments.only(place) if same else _rescored(survey, items, scored)
            ends = rows["now"].to_numpy(), rows["before"].to_numpy()
            yield _Pair(barrier, str(old), *ends, int(items.sum()), same, moments)


def _inherited(survey: Survey) -> Mapping[str, NDArray[np.bool_]]:
    """Items that anybody answered as the one they replace, by wave."""
    waves = survey.respondents["wave"]
    found = {str(wave): np.zeros(len(survey.rules.items), dtype=bool) for wave in survey.waves}
    for place, mask in survey.answers.inherited.items():
        for wave in waves[mask].unique():
            found[str(wave)][place] = True
    return found


def _rescored(survey: Survey, items: NDArray[np.bool_], scored: dict[bytes, Moments]) -> Moments:
    """Moments of the score over these items only, kept in `scored` for other units and waves."""
    if items.tobytes() not in scored:
        scored[items.tobytes()] = survey.groups.moments(survey.answers.score(items)[:, None])
    return scored[items.tobytes()]


def _used(survey: Survey) -> Mapping[str, NDArray[np.bool_]]:
    """Items that anybody answered, be it with 'don't know', by wave."""
    wave, waves = pd.factorize(survey.respondents["wave"])
    given = (np.bincount(wave, weights=column != 0) > 0 for column in survey.answers.codes.T)
    return dict(zip(waves, np.column_stack(list(given)), strict=True))
