"""How long things last where some are still open: survival curves and their quantiles."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight

from aiready.measures.estimation.inference import LEVEL, Floats

_TOLERANCE = 1e-12


@dataclass(frozen=True)
class Quantile:
    """A quantile of durations: value and interval (`nan`: not reached), n, and the longest follow-up."""

    value: float
    low: float
    high: float
    n: int
    follow_up: float


def kaplan_meier_quantile(durations: ArrayLike, events: ArrayLike, p: float, level: float = LEVEL) -> Quantile:
    """Time within which a share `p` of cases ends, open cases censored (Kaplan-Meier).

    The smallest t with S(t) <= 1 - p, no interpolation; `nan` when not reached. Interval: Brookmeyer-Crowley
    with the log-log transform, that is the times at which the pointwise bounds of S(t) reach 1 - p; a bound
    that is not reached is `nan`.

    Parameters
    ----------
    durations
        Time until the case ended, or until it was last seen; missing ones are left out.
    events
        Whether it ended (true) or is open (false).
    p
        Share of cases, 0.5 for the median.

    References
    ----------
    Brookmeyer and Crowley (1982); as R `survival::survfit(conf.type = "log-log")`.

    Examples
    --------
    >>> open_or_closed = [1, 1, 0, 1, 1, 0, 1, 0, 1, 0]
    >>> kaplan_meier_quantile([1, 2, 3, 4, 5, 6, 7, 8, 10, 12], open_or_closed, 0.5).value
    7.0
    """
    times, ended = np.asarray(durations, float), np.asarray(events, float)
    seen = ~np.isnan(times)
    times, ended = times[seen], ended[seen]
    follow_up = float(times.max()) if len(times) else float("nan")
    if not ended.any():
        return Quantile(float("nan"), float("nan"), float("nan"), len(times), follow_up)
    curve = SurvfuncRight(times, ended)
    alive = np.asarray(curve.surv_prob, float)
    low, high = _log_log_bounds(alive, np.asarray(curve.surv_prob_se, float), level)
    value, earliest, latest = (_first_time(curve.surv_times, band, 1 - p) for band in (alive, low, high))
    return Quantile(value, earliest, latest, len(times), follow_up)


def _log_log_bounds(alive: Floats, se: Floats, level: float) -> tuple[Floats, Floats]:
    inside = (alive > 0) & (alive < 1)
    known = np.where(inside, alive, np.nan)
    spread = stats.norm.isf((1 - level) / 2) * se / (known * np.log(known))
    return known ** np.exp(-spread), known ** np.exp(spread)


def _first_time(times: Floats, band: Floats, target: float) -> float:
    there = np.flatnonzero(band <= target + _TOLERANCE)
    return float(times[there[0]]) if len(there) else float("nan")
