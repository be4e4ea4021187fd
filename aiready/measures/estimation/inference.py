"""Compute intervals, differences, multiple tests, effect sizes, ranks and shrinkage.

Arrays in, numbers out. Missing or impossible input gives `nan`, which measures report as `insufficient`. Intervals
are two-sided at `level` and never clipped.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

Floats = NDArray[np.float64]
LEVEL = 0.95
_TOLERANCE = 1e-12


@dataclass(frozen=True)
class Difference:
    """A difference of two means: value, interval, standard error, degrees of freedom, p."""

    value: Floats
    low: Floats
    high: Floats
    se: Floats
    df: Floats
    p: Floats


@dataclass(frozen=True)
class ShrunkenMeans:
    """Group means shrunk towards `centre`: one value per group, and the weight of its own mean."""

    values: Floats
    centre: float
    own_weight: Floats


def wilson(successes: ArrayLike, n: ArrayLike, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Wilson score interval of proportions; `nan` where `n` is 0.

    References
    ----------
    Wilson (1927), as in statsmodels `proportion_confint(method="wilson")`.

    Examples
    --------
    >>> low, high = wilson([0, 54], [10, 60])
    >>> low.round(6).tolist(), high.round(6).tolist()
    ([0.0, 0.798505], [0.277533, 0.953357])
    """
    hits, trials = np.broadcast_arrays(np.asarray(successes, float), np.asarray(n, float))
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = proportion_confint(hits, np.where(trials > 0, trials, np.nan), 1 - level, "wilson")
    return np.asarray(low), np.asarray(high)


def newcombe_difference(
    s1: ArrayLike, n1: ArrayLike, s0: ArrayLike, n0: ArrayLike, level: float = LEVEL
) -> tuple[Floats, Floats]:
    """Newcombe's hybrid score interval of p1 - p0, from the two Wilson intervals.

    References
    ----------
    Newcombe (1998), method 10; as statsmodels `confint_proportions_2indep(method="newcomb")`, here for
    arrays.

    Examples
    --------
    >>> low, high = newcombe_difference(352, 400, 320, 400)
    >>> round(float(low), 6), round(float(high), 6)
    (0.029243, 0.130612)
    """
    low1, high1 = wilson(s1, n1, level)
    low0, high0 = wilson(s0, n0, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        p1, p0 = (np.asarray(s, float) / np.asarray(n, float) for s, n in ((s1, n1), (s0, n0)))
    difference = p1 - p0
    return difference - np.hypot(p1 - low1, high0 - p0), difference + np.hypot(high1 - p1, p0 - low0)


def welch_difference(  # noqa: PLR0913  two samples of three numbers each
    m1: ArrayLike,
    sd1: ArrayLike,
    n1: ArrayLike,
    m0: ArrayLike,
    sd0: ArrayLike,
    n0: ArrayLike,
    level: float = LEVEL,
) -> Difference:
    """Difference m1 - m0 of two independent means, unequal variances (Welch-Satterthwaite).

    Means, sample standard deviations (ddof 1) and n of each side, numbers or arrays. `nan` where a side has
    fewer than two values or neither varies.

    Examples
    --------
    >>> change = welch_difference(64, 17, 36, 58, 18, 40)
    >>> [round(float(x), 6) for x in (change.value, change.low, change.high, change.se, change.p)]
    [6.0, -2.002264, 14.002264, 4.01594, 0.139426]
    """
    size1, size0 = np.asarray(n1, float), np.asarray(n0, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        v1 = np.asarray(sd1, float) ** 2 / np.where(size1 > 1, size1, np.nan)
        v0 = np.asarray(sd0, float) ** 2 / np.where(size0 > 1, size0, np.nan)
        df = (v1 + v0) ** 2 / (v1**2 / (size1 - 1) + v0**2 / (size0 - 1))
        se = np.sqrt(v1 + v0)
        value = np.asarray(m1, float) - np.asarray(m0, float)
        half = stats.t.isf((1 - level) / 2, df) * se
        p = 2 * stats.t.sf(np.abs(value) / se, df)
    return Difference(value, value - half, value + half, se, df, p)


def mean_interval(
    mean: ArrayLike, sd: ArrayLike, n: ArrayLike, population: ArrayLike | None = None, level: float = LEVEL
) -> tuple[Floats, Floats]:
    """Interval of means: mean +- t(n-1) * sd/sqrt(n) * sqrt(1 - n/population).

    Without the finite-population correction where `population` is missing or smaller than `n`. `nan` where n is
    below 2.

    Examples
    --------
    >>> low, high = mean_interval(62, 15, 12, population=20)
    >>> round(float(low), 6), round(float(high), 6)
    (55.972354, 68.027646)
    """
    centre, size = np.asarray(mean, float), np.asarray(n, float)
    size = np.where(size > 1, size, np.nan)
    people = np.asarray(np.nan if population is None else population, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        correction = np.sqrt(np.where(people >= size, 1 - size / people, 1.0))
        half = stats.t.isf((1 - level) / 2, size - 1) * np.asarray(sd, float) / np.sqrt(size) * correction
    return centre - half, centre + half


def coverage_bounds(share: ArrayLike, coverage: ArrayLike) -> tuple[Floats, Floats]:
    """Bounds of a share a over all records when only a share c of them is known: [a*c, a*c + 1 - c].

    Examples
    --------
    >>> low, high = coverage_bounds(0.9, 0.6)
    >>> round(float(low), 6), round(float(high), 6)
    (0.54, 0.94)
    """
    lower = np.asarray(share, float) * np.asarray(coverage, float)
    return lower, lower + 1 - np.asarray(coverage, float)


def benjamini_hochberg(p: ArrayLike) -> Floats:
    """Benjamini-Hochberg adjusted p values; missing ones stay missing and are not counted.

    Examples
    --------
    >>> benjamini_hochberg([0.001, 0.008, 0.041]).round(6).tolist()
    [0.003, 0.012, 0.041]
    """
    values = np.asarray(p, float)
    adjusted = np.full(values.shape, np.nan)
    tested = ~np.isnan(values)
    if tested.any():
        adjusted[tested] = multipletests(values[tested], method="fdr_bh")[1]
    return adjusted


def cliffs_delta(first: ArrayLike, second: ArrayLike, level: float = LEVEL) -> tuple[Floats, Floats, Floats]:
    """Cliff's delta, P(first > second) - P(first < second), of many pairs of samples at once.

    Parameters
    ----------
    first, second
        Counts, one row per pair of samples, one column per distinct value in ascending order.

    Returns
    -------
    tuple of arrays
        delta, low, high. Interval: Feng and Cliff's asymmetric one with the unbiased variance and
        t(n1 + n2 - 2); `nan` where |delta| is 1 or a side has fewer than two values. A variance estimated
        below 0 is raised to (1 - delta^2)/(n1 n2 - 1), as Cliff advises.

    References
    ----------
    Cliff (1996); Feng and Cliff (2004), Journal of Modern Applied Statistical Methods 3(2).
    """
    c1, c2 = np.asarray(first, float), np.asarray(second, float)
    n1, n2 = c1.sum(axis=1), c2.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        d1, d2 = _dominance(c2) / n2[:, None], -_dominance(c1) / n1[:, None]
        delta = (c1 * d1).sum(axis=1) / n1
        spread1 = (c1 * (d1 - delta[:, None]) ** 2).sum(axis=1)
        spread2 = (c2 * (d2 - delta[:, None]) ** 2).sum(axis=1)
        spread12 = n1 * n2 * (1 - delta**2) - (c1 * c2).sum(axis=1)
        variance = (n2**2 * spread1 + n1**2 * spread2 - spread12) / (n1 * n2 * (n1 - 1) * (n2 - 1))
        variance = np.where(variance < 0, (1 - delta**2) / (n1 * n2 - 1), variance)
        enough = (n1 > 1) & (n2 > 1) & (np.abs(delta) < 1 - _TOLERANCE)
        t2 = stats.t.isf((1 - level) / 2, np.where(enough, n1 + n2 - 2, np.nan)) ** 2 * variance
        half = np.sqrt(t2 * ((1 - delta**2) ** 2 + t2))
        low, high = ((delta - delta**3 + side * half) / (1 - delta**2 + t2) for side in (-1, 1))
    return delta, low, high


def _dominance(counts: Floats) -> Floats:
    """Number of values below minus number of values above each level."""
    up_to = counts.cumsum(axis=1)
    return np.asarray((up_to - counts) - (up_to[:, -1:] - up_to))


def shrink(means: ArrayLike, n: ArrayLike, within: float, between: float) -> ShrunkenMeans:
    """Empirical-Bayes means of groups: weighted averages of each group's own mean and the centre of all.

    own_weight = tau2/(tau2 + s2/n); centre = mean weighted by 1/(tau2 + s2/n). With tau2 = 0 every group gets the
    centre.

    Parameters
    ----------
    means, n
        Mean and size of each group.
    within, between
        Variance s2 within and tau2 between groups.

    Examples
    --------
    >>> means = shrink([70, 60, 50], [4, 16, 40], within=400, between=100)
    >>> round(means.centre, 6), means.values.round(6).tolist()
    (58.148148, [64.074074, 59.62963, 50.740741])
    """
    raw, sizes = np.asarray(means, float), np.asarray(n, float)
    spread = between + within / sizes
    if not spread.all():
        return ShrunkenMeans(raw, float(np.average(raw, weights=sizes)), np.ones_like(raw))
    own = between / spread
    centre = float(np.average(raw, weights=1 / spread))
    return ShrunkenMeans(own * raw + (1 - own) * centre, centre, own)


def rank_interval(means: ArrayLike, se: ArrayLike, level: float = LEVEL) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Ranks that each of K groups may hold, highest mean first: [1 + surely above, K - surely below].

    Pairwise z tests of the differences, two-sided, Bonferroni over K(K-1)/2 at the family error 1 - level.

    Examples
    --------
    >>> low, high = rank_interval([72, 68, 65, 60, 50], [3, 2.5, 4, 2, 3])
    >>> list(zip(low.tolist(), high.tolist()))
    [(1, 3), (1, 4), (1, 4), (2, 5), (4, 5)]
    """
    centre, error = np.asarray(means, float), np.asarray(se, float)
    pairs = max(1, len(centre) * (len(centre) - 1) // 2)
    margin = stats.norm.isf((1 - level) / 2 / pairs) * np.sqrt(error[:, None] ** 2 + error**2)
    ahead = centre - centre[:, None]
    return 1 + (ahead > margin).sum(axis=1), len(centre) - (ahead < -margin).sum(axis=1)


def paired_rank_interval(
    differences: ArrayLike, se: ArrayLike, n: ArrayLike, level: float = LEVEL
) -> tuple[Floats, Floats]:
    """Ranks, lowest first, that each of K scales may hold within a group, from paired differences.

    As `rank_interval`, but on means of within-person differences between two scales, and with the quantile of
    t(n-1), since people may be few.

    Parameters
    ----------
    differences, se, n
        Arrays (groups, K, K): mean of scale i minus scale j over the n people who have both, its standard
        error, and n. A scale whose differences are `nan` has no answers; it gets no rank and does not count.

    Returns
    -------
    tuple of arrays
        low and high, each (groups, K).
    """
    lead, error, people = (np.asarray(values, float) for values in (differences, se, n))
    present = ~np.isnan(np.diagonal(lead, axis1=1, axis2=2))
    scales = present.sum(axis=1)[:, None]
    margin = paired_margin(error, people, scales[:, :, None], level)
    with np.errstate(invalid="ignore"):
        low = 1.0 + (lead > margin).sum(axis=2)
        high = scales - (lead < -margin).sum(axis=2)
    return np.where(present, low, np.nan), np.where(present, high, np.nan)


def paired_margin(se: Floats, n: Floats, scales: ArrayLike, level: float = LEVEL) -> Floats:
    """Half-width of the paired interval, Bonferroni over the pairs of `scales`; `nan` below two people."""
    k = np.asarray(scales, float)
    pairs = np.maximum(1, k * (k - 1) / 2)
    return np.asarray(stats.t.isf((1 - level) / 2 / pairs, np.where(n > 1, n - 1, np.nan)) * se)
