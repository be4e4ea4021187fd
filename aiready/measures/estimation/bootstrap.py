"""Bootstrap over people: intervals of many ratios of sums at once, drawing whole clusters.

Arrays in, numbers out, like `statistics`; here because the cells of a decision log are many.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
"""Seven digits are plenty for draws, and twice as quick."""
_CELLS_AT_ONCE = 4_000_000
"""Elements of one block of draws: bounds memory, never changes a result."""


@dataclass(frozen=True)
class Loose:
    """Cases without a cluster, per cell and ratio: sum of the numerator, of its square, and count."""

    sums: Floats
    squares: Floats
    counts: Floats


@threadpool_limits.wrap(limits=1, user_api="blas")  # sums too small to share, and the same on every machine
def ratio_quantiles(  # noqa: PLR0913  one bootstrap: what is drawn, from where, how often, which quantiles
    starts: NDArray[np.int_],
    numerators: Floats,
    denominators: Floats,
    loose: Loose,
    quantiles: tuple[float, ...],
    *,
    draws: int,
    seed: int,
    minimum: int,
) -> Floats:
    """Percentiles of sum(numerator) / sum(denominator) per cell and ratio over bootstrap draws of clusters.

    Parameters
    ----------
    starts
        First cluster of each cell, and the number of clusters as last element; clusters lie cell by cell.
    numerators, denominators
        One row per cluster, one column per ratio.
    loose
        Cases without a cluster, drawn one by one (normal approximation of their sum).
    minimum
        Cells with fewer clusters get `nan`.

    Returns
    -------
    numpy.ndarray
        Cells x ratios x quantiles. A cell's numbers depend on its own clusters and the seed alone.

    Examples
    --------
    >>> nobody = Loose(np.zeros((1, 1)), np.zeros((1, 1)), np.zeros((1, 1)))
    >>> hits, trials = np.array([[5.0], [5.0], [5.0]]), np.array([[10.0], [10.0], [10.0]])
    >>> ratio_quantiles(np.array([0, 3]), hits, trials, nobody, (.025, .975), draws=9, seed=1, minimum=3)
    array([[[0.5, 0.5]]])
    """
    sizes, ratios = np.diff(starts), numerators.shape[1]
    found = np.full((len(sizes), ratios, len(quantiles)), np.nan)
    columns = np.hstack([numerators, denominators]).astype(np.float32)
    for size in np.unique(sizes[sizes >= max(minimum, 1)]):
        alike = np.flatnonzero(sizes == size)
        at_once = max(1, _CELLS_AT_ONCE // (draws * ratios))
        for block in np.array_split(alike, -(-len(alike) // at_once)):
            clusters = columns[starts[block][:, None] + np.arange(size)].transpose(0, 2, 1)
            drawn = _sums(clusters.reshape(-1, size), draws, seed).reshape(len(block), -1, draws)
            above = drawn[:, :ratios] + _loose_sums(loose, block, draws, seed)
            below = drawn[:, ratios:] + loose.counts[block][..., None].astype(np.float32)
            found[block] = _quantiles(above, below, quantiles)
    return found


def _sums(clusters: Singles, draws: int, seed: int) -> Singles:
    """Row sums of `draws` samples of the columns with replacement; the same draws for equal column counts."""
    size = clusters.shape[1]
    random = np.random.default_rng([seed, size])
    parts, done = [], 0
    while done < draws:
        several = min(draws - done, max(1, _CELLS_AT_ONCE // size))
        places = random.integers(0, size, (several, size), dtype=np.int32)
        places += size * np.arange(several, dtype=np.int32)[:, None]
        often = np.bincount(places.ravel(), minlength=several * size).reshape(several, size)
        parts.append(clusters @ often.astype(np.float32).T)
        done += several
    return np.concatenate(parts, axis=1)


def _loose_sums(loose: Loose, block: NDArray[np.int_], draws: int, seed: int) -> NDArray[Any]:
    sums, squares, counts = loose.sums[block], loose.squares[block], loose.counts[block]
    if not counts.any():
        return np.zeros((1, 1, 1), dtype=np.float32)
    spread = np.sqrt(np.maximum(squares - sums**2 / np.maximum(counts, 1), 0))
    return sums[..., None] + spread[..., None] * np.random.default_rng(seed).standard_normal(draws)


def _quantiles(above: NDArray[Any], below: NDArray[Any], quantiles: tuple[float, ...]) -> Floats:
    """Quantiles over draws of above/below, interpolated; draws without any case are left out."""
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(below > 0, above / below, np.float32("nan"))
    shares.sort(axis=-1)  # missing ones last
    place = np.maximum(np.isfinite(shares).sum(axis=-1) - 1, 0)[..., None] * np.array(quantiles)
    lower = place.astype(np.intp)
    low, high = (np.take_along_axis(shares, at, -1).astype(float) for at in (lower, np.ceil(place).astype(np.intp)))
    return np.asarray(low + (place - lower) * (high - low))
