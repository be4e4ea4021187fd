"""Effect sizes of raw samples, as a reference for those that are computed from counts."""

import numpy as np
from numpy.typing import ArrayLike

from aiready.measures.estimation import inference


def cliffs_delta(first: ArrayLike, second: ArrayLike) -> tuple[float, float, float]:
    """Cliff's delta of two samples with its interval; missing values are ignored."""
    samples = [values[~np.isnan(values)] for values in (np.asarray(first, float), np.asarray(second, float))]
    levels = np.unique(np.concatenate(samples))
    counts = [np.bincount(np.searchsorted(levels, values), minlength=len(levels))[None] for values in samples]
    delta, low, high = inference.cliffs_delta(*counts)
    return float(delta[0]), float(low[0]), float(high[0])
