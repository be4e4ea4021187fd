"""Estimate quantiles of durations of which some are still open: Kaplan-Meier."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight

from aiready.measures.estimation.inference import LEVEL, Floats

_TOLERANCE = 1e-12


@dataclass(frozen=True)
class Quantile:
    """A quantile of durations: value and interval (`nan`: not reached), n, and the longest duration observed."""

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
        Time until the case ended, or until the end of its observation; missing ones are ignored.
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
    times, event = np.asarray(durations, float), np.asarray(events, float)
    present = ~np.isnan(times)
    times, event = times[present], event[present]
    follow_up = float(times.max()) if len(times) else float("nan")
    if not event.any():
        return Quantile(float("nan"), float("nan"), float("nan"), len(times), follow_up)
    curve = SurvfuncRight(times, event)
    survival = np.asarray(curve.surv_prob, float)
    low, high = _log_log_bounds(survival, np.asarray(curve.surv_prob_se, float), level)
    value, earliest, latest = (_first_time(curve.surv_times, band, 1 - p) for band in (survival, low, high))
    return Quantile(value, earliest, latest, len(times), follow_up)


def _log_log_bounds(survival: Floats, se: Floats, level: float) -> tuple[Floats, Floats]:
    """Pointwise bounds of a survival curve by the log-log transform; `nan` where S(t) is 0 or 1."""
    s = np.where((survival > 0) & (survival < 1), survival, np.nan)
    spread = stats.norm.isf((1 - level) / 2) * se / (s * np.log(s))
    return s ** np.exp(-spread), s ** np.exp(spread)


def _first_time(times: Floats, band: Floats, target: float) -> float:
    """First time at which the curve is at or below the target; `nan` where it never is."""
    reached = np.flatnonzero(band <= target + _TOLERANCE)
    return float(times[reached[0]]) if len(reached) else float("nan")
