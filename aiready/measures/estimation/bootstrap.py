"""Bootstrap whole clusters (people): intervals of many ratios of sums at once, since a decision log has many cells."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
"""Single precision: seven digits suffice for draws, at twice the speed."""
_CELLS_AT_ONCE = 4_000_000
"""Elements of one block of draws: bounds memory, never changes a result."""


@dataclass(frozen=True)
class Unclustered:
    """Cases without a known cluster, per cell and ratio: sum of the numerator, of its square, and count."""

    sums: Floats
    squares: Floats
    counts: Floats


def ratio_quantiles(  # noqa: PLR0913  the data of one bootstrap, and its settings
    starts: NDArray[np.int_],
    numerators: Floats,
    denominators: Floats,
    unclustered: Unclustered,
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
        First cluster of each cell, and the number of clusters as last element; clusters are sorted by cell.
    numerators, denominators
        One row per cluster, one column per ratio.
    unclustered
        Cases without a cluster, drawn case by case (normal approximation of their sum).
    minimum
        Cells with fewer clusters get `nan`.

    Returns
    -------
    numpy.ndarray
        Cells x ratios x quantiles. A cell's numbers depend on its own clusters and the seed alone.

    Examples
    --------
    >>> none = Unclustered(np.zeros((1, 1)), np.zeros((1, 1)), np.zeros((1, 1)))
    >>> hits, trials = np.array([[5.0], [5.0], [5.0]]), np.array([[10.0], [10.0], [10.0]])
    >>> ratio_quantiles(np.array([0, 3]), hits, trials, none, (.025, .975), draws=9, seed=1, minimum=3)
    array([[[0.5, 0.5]]])
    """
    sizes, ratios = np.diff(starts), numerators.shape[1]
    result = np.full((len(sizes), ratios, len(quantiles)), np.nan)
    columns = np.hstack([numerators, denominators]).astype(np.float32)
    with threadpool_limits(limits=1, user_api="blas"):  # the sums are small, and equal on every machine
        for size in np.unique(sizes[sizes >= max(minimum, 1)]):
            same_size = np.flatnonzero(sizes == size)
            at_once = max(1, _CELLS_AT_ONCE // (draws * ratios))
            for block in np.array_split(same_size, -(-len(same_size) // at_once)):
                clusters = columns[starts[block][:, None] + np.arange(size)].transpose(0, 2, 1)
                sums = _sums(clusters.reshape(-1, size), draws, seed).reshape(len(block), -1, draws)
                above = sums[:, :ratios] + _unclustered_sums(unclustered, block, draws, seed)
                below = sums[:, ratios:] + unclustered.counts[block][..., None].astype(np.float32)
                result[block] = _quantiles(above, below, quantiles)
    return result


def _sums(clusters: Singles, draws: int, seed: int) -> Singles:
    """Row sums of `draws` bootstrap samples of the columns; equal numbers of columns get the same samples."""
    size = clusters.shape[1]
    random = np.random.default_rng([seed, size])
    parts, n_drawn = [], 0
    while n_drawn < draws:
        batch = min(draws - n_drawn, max(1, _CELLS_AT_ONCE // size))
        picks = random.integers(0, size, (batch, size), dtype=np.int32)
        picks += size * np.arange(batch, dtype=np.int32)[:, None]
        times_drawn = np.bincount(picks.ravel(), minlength=batch * size).reshape(batch, size)
        parts.append(clusters @ times_drawn.astype(np.float32).T)
        n_drawn += batch
    return np.concatenate(parts, axis=1)


def _unclustered_sums(unclustered: Unclustered, block: NDArray[np.int_], draws: int, seed: int) -> NDArray[Any]:
    """Draw the sum of the unclustered cases of a block of cells: cells x ratios x draws."""
    sums, squares, counts = unclustered.sums[block], unclustered.squares[block], unclustered.counts[block]
    if not counts.any():
        return np.zeros((1, 1, 1), dtype=np.float32)
    spread = np.sqrt(np.maximum(squares - sums**2 / np.maximum(counts, 1), 0))
    return sums[..., None] + spread[..., None] * np.random.default_rng(seed).standard_normal(draws)


def _quantiles(above: NDArray[Any], below: NDArray[Any], quantiles: tuple[float, ...]) -> Floats:
    """Quantiles over draws of above/below, interpolated; draws without any case are ignored."""
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(below > 0, above / below, np.float32("nan"))
    shares.sort(axis=-1)  # missing ones last
    position = np.maximum(np.isfinite(shares).sum(axis=-1) - 1, 0)[..., None] * np.array(quantiles)
    lower = position.astype(np.intp)
    low, high = (np.take_along_axis(shares, at, -1).astype(float) for at in (lower, np.ceil(position).astype(np.intp)))
    return np.asarray(low + (position - lower) * (high - low))
