"""Estimate reliability and agreement of scales: alpha, omega, rwg(j), analysis of variance and ICC.

Arrays in, numbers out; `nan` where a coefficient is undefined.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

Floats = NDArray[np.float64]
_HEYWOOD = 0.005
"""Lower bound of an item's unique share of variance in the fit; a fit that ends there is a Heywood case."""


@dataclass(frozen=True)
class Reliability:
    """A reliability coefficient with its interval, the number of people and of items."""

    value: float
    low: float
    high: float
    n: int
    items: int


@dataclass(frozen=True)
class Anova:
    """One-way analysis of variance over groups of unequal size, and the intraclass correlations.

    `between` and `within` are mean squares, `size` is n0, the effective group size of unequal groups, and
    `between_variance` is tau2.
    """

    groups: int
    n: int
    between: float
    within: float
    size: float
    p: float

    @property
    def between_variance(self) -> float:
        """Variance between groups, max(0, (MSB - MSW)/n0)."""
        return max(0.0, (self.between - self.within) / self.size)

    @property
    def icc1(self) -> float:
        """Share of one person's variance that lies between groups: (MSB - MSW)/(MSB + (n0 - 1) MSW)."""
        return _ratio(self.between - self.within, self.between + (self.size - 1) * self.within)

    @property
    def icc2(self) -> float:
        """Reliability of group means: (MSB - MSW)/MSB; grows with the size of the groups."""
        return _ratio(self.between - self.within, self.between)


def cronbach_alpha(answers: ArrayLike, level: float = 0.95) -> Reliability:
    """Cronbach's alpha with Feldt's interval.

    a = k/(k-1) * (1 - sum var_i / var_total), ddof 1; low = 1 - (1-a) F.isf(.025, n-1, (n-1)(k-1)), high
    likewise with .975. Negative values are legal: an item should probably be reversed.

    Parameters
    ----------
    answers
        One row per person, one column per item; people with a missing answer are left out.

    Returns
    -------
    Reliability
        `nan` below two items or two people, or where the sum of the items does not vary.

    References
    ----------
    Cronbach (1951); Feldt, Woodruff and Salih (1987).
    """
    complete = _complete_rows(answers)
    n, k = complete.shape
    if n < 2 or k < 2 or complete.sum(axis=1).var() == 0:
        return Reliability(np.nan, np.nan, np.nan, n, k)
    total = complete.sum(axis=1).var(ddof=1)
    alpha = k / (k - 1) * (1 - complete.var(axis=0, ddof=1).sum() / total)
    tail = (1 - level) / 2
    low, high = (1 - (1 - alpha) * stats.f.isf(p, n - 1, (n - 1) * (k - 1)) for p in (tail, 1 - tail))
    return Reliability(float(alpha), float(low), float(high), n, k)


def mcdonald_omega(answers: ArrayLike) -> Reliability:
    """McDonald's omega (total) of a scale: one factor, maximum likelihood, on the covariance scale.

    omega = (sum l)^2 / ((sum l)^2 + sum theta), l the loadings and theta the unique variances.

    Parameters
    ----------
    answers
        One row per person, one column per item; people with a missing answer are left out.

    Returns
    -------
    Reliability
        No interval. `nan` below three items (two do not identify a factor), below k + 1 people, where an item
        does not vary, and in a Heywood case (an item without unique variance).

    References
    ----------
    McDonald (1999); the fit is Lawley and Maxwell's, as in R `factanal`.
    """
    complete = _complete_rows(answers)
    n, k = complete.shape
    undefined = Reliability(np.nan, np.nan, np.nan, n, k)
    if k < 3 or n <= k or not complete.std(axis=0).all():
        return undefined
    loadings, unique = _one_factor(np.asarray(np.corrcoef(complete, rowvar=False)))
    if unique.min() <= _HEYWOOD * 1.001:
        return undefined
    spread = np.asarray(complete.std(axis=0, ddof=1))
    common = (spread * loadings).sum() ** 2
    return Reliability(float(common / (common + (spread**2 * unique).sum())), np.nan, np.nan, n, k)


def rwg_j(item_variances: ArrayLike, points: int) -> Floats:
    """Agreement within groups on a scale of several items, against a uniform null distribution.

    r = mean item variance / ((L^2 - 1)/12); rwg(j) = J(1-r)/(J(1-r) + r). Where people differ more than by
    chance (r > 1) it is 0.

    Parameters
    ----------
    item_variances
        One row per group, one column per item: variance (ddof 1); `nan` where fewer than two answered, which
        excludes the item.
    points
        L, the number of scale points.

    References
    ----------
    James, Demaree and Wolf (1984).

    Examples
    --------
    >>> rwg_j([[1 / 2, 1 / 5, 1 / 5]], points=5).round(6).tolist()
    [0.944444]
    """
    variances = np.asarray(item_variances, float)
    counted = ~np.isnan(variances)
    items = counted.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(counted, variances, 0).sum(axis=1) / items / ((points**2 - 1) / 12)
        agreement = items * (1 - ratio) / (items * (1 - ratio) + ratio)
    return np.where(ratio > 1, 0.0, agreement)


def anova(n: ArrayLike, sums: ArrayLike, squares: ArrayLike) -> Anova:
    """One-way analysis of variance from the size, sum and sum of squares of each group.

    Sums of a variable shifted towards its mean lose no digits. n0 = (N - sum n^2/N)/(G - 1).

    Examples
    --------
    >>> table = anova([2, 2], [1 + 3, 6 + 8], [1 + 9, 36 + 64])
    >>> table.between, table.within, round(table.icc1, 6), round(table.icc2, 6)
    (25.0, 2.0, 0.851852, 0.92)
    """
    size, total, square = (np.asarray(values, float) for values in (n, sums, squares))
    size, total, square = (values[size > 0] for values in (size, total, square))
    groups, people = len(size), size.sum()
    if groups < 2 or people <= groups:
        return Anova(groups, int(people), *(float("nan"),) * 4)
    explained = (total**2 / size).sum()
    between = (explained - total.sum() ** 2 / people) / (groups - 1)
    within = max(0.0, (square.sum() - explained) / (people - groups))
    effective_size = (people - (size**2).sum() / people) / (groups - 1)
    p = stats.f.sf(_ratio(between, within), groups - 1, people - groups)
    return Anova(groups, int(people), float(between), float(within), float(effective_size), float(p))


def _ratio(above: float, below: float) -> float:
    return float(above / below) if below else float("nan")


def _complete_rows(answers: ArrayLike) -> Floats:
    """People who answered every item (listwise deletion)."""
    values = np.asarray(answers, float)
    return np.asarray(values[~np.isnan(values).any(axis=1)])


def _one_factor(correlations: Floats) -> tuple[Floats, Floats]:
    """Loadings and unique variances of one factor; the likelihood is maximised over the unique variances."""

    def misfit(unique: Floats) -> tuple[float, Floats]:
        loadings, rest = _loadings(correlations, unique)
        residual = loadings**2 + unique - np.diagonal(correlations)
        return float((rest - np.log(rest) - 1).sum()), residual / unique**2

    start = 0.5 / np.diagonal(np.linalg.pinv(correlations))
    bounds = [(_HEYWOOD, 1.0)] * len(correlations)
    fit = optimize.minimize(
        misfit, np.clip(start, _HEYWOOD, 1), jac=True, bounds=bounds, options={"ftol": 1e-14, "gtol": 1e-10}
    )
    return _loadings(correlations, fit.x)[0], fit.x


def _loadings(correlations: Floats, unique: Floats) -> tuple[Floats, Floats]:
    """The best loadings for given unique variances, and the eigenvalues that they leave unexplained."""
    scale = np.sqrt(unique)
    values, vectors = np.linalg.eigh(correlations / np.outer(scale, scale))
    strength = np.sqrt(max(values[-1] - 1, 0.0))
    return scale * vectors[:, -1] * strength, np.maximum(values[:-1], 1e-12)
