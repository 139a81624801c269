"""Means over seeds with 95 % intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Interval:
    """A mean over seeds and the interval around it.

    Attributes:
        mean: mean of the finite values; NaN where there is none.
        low, high: ends of the interval; NaN where there are fewer than two values.
        count: number of finite values, on which the others rest.
    """

    mean: float
    low: float
    high: float
    count: int


def mean_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """The mean with Student's t interval.

    Args:
        values: one number a seed; NaN and infinite ones are left out.
        level: coverage, in (0, 1).
    """
    from scipy.special import stdtrit

    finite = np.asarray(values, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    count = len(finite)
    if count < 2:
        return Interval(float(finite[0]) if count else math.nan, math.nan, math.nan, count)
    mean = float(finite.mean())
    half = float(stdtrit(count - 1, (1 + level) / 2) * finite.std(ddof=1) / math.sqrt(count))
    return Interval(mean, mean - half, mean + half, count)


def bootstrap_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """The mean with a bootstrap interval, bias-corrected and accelerated; the same values give the same interval.

    Args:
        values: one number a seed or pair; NaN and infinite ones are left out.
        level: coverage, in (0, 1).

    References:
        Efron & Tibshirani, An Introduction to the Bootstrap (1993), chapter 14.
    """
    finite = np.asarray(values, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    count = len(finite)
    if count < 2:
        return Interval(float(finite[0]) if count else math.nan, math.nan, math.nan, count)
    mean = float(finite.mean())
    if np.ptp(finite) == 0:  # every resample has this mean: the interval is a point, where SciPy gives NaN
        return Interval(mean, mean, mean, count)
    low, high = _bootstrap_ends(finite, level, "BCa")
    if not (math.isfinite(low) and math.isfinite(high)):  # BCa is undefined where no resample lies below the mean
        low, high = _bootstrap_ends(finite, level, "percentile")
    return Interval(mean, low, high, count)


def _bootstrap_ends(values: np.ndarray, level: float, method: str) -> tuple[float, float]:
    import warnings

    from scipy.stats import bootstrap

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy warns of a degenerate BCa interval; the caller replaces it
        result = bootstrap(
            (values,), np.mean, confidence_level=level, n_resamples=9999, method=method, rng=np.random.default_rng(0)
        )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)
