"""Means over seeds with 95 % intervals, and exact p-values where seeds are few."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

EXACT_LIMIT = 20  # values; their signs can be flipped in a million ways


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

    No bootstrap: with 3, 5 and 10 values its bias-corrected form covers the mean of normal ones in 71, 83 and 90 % of
    the cases that it should cover in 95 %; this one covers it in 95 %, whatever the number.

    Args:
        values: one number a seed, or one difference a pair of seeds; NaN and infinite ones are left out.
        level: coverage, in (0, 1).
    """
    from scipy.special import stdtrit

    finite = _finite(values)
    count = len(finite)
    if count < 2:
        return Interval(float(finite[0]) if count else math.nan, math.nan, math.nan, count)
    mean = float(finite.mean())
    if np.ptp(finite) == 0:  # a point, also where the mean is off the values by a rounding error
        return Interval(float(finite[0]), float(finite[0]), float(finite[0]), count)
    half = float(stdtrit(count - 1, (1 + level) / 2) * finite.std(ddof=1) / math.sqrt(count))
    return Interval(mean, mean - half, mean + half, count)


def clip_interval(interval: Interval, low: float, high: float) -> Interval:
    """The interval without what no mean can be, as it is printed; Student's may reach beyond a metric's range.

    Args:
        interval: its ends may be NaN, which stay.
        low: the lowest value.
        high: the highest one.
    """
    if math.isnan(interval.low):
        return interval
    return replace(interval, low=max(interval.low, low), high=min(interval.high, high))


def share_interval(hits: int, count: int, level: float = 0.95) -> Interval:
    """A share of runs with the exact binomial interval of Clopper and Pearson.

    Args:
        hits: runs that are counted, 0 <= hits <= count.
        count: all runs.
        level: coverage at least, in (0, 1).
    """
    from scipy.special import betaincinv

    if count == 0:
        return Interval(math.nan, math.nan, math.nan, 0)
    tail = (1 - level) / 2
    low = float(betaincinv(hits, count - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, count - hits, 1 - tail)) if hits < count else 1.0
    return Interval(hits / count, low, high, count)


def sign_flip_p(values: Sequence[float]) -> float:
    """The exact two-sided p-value of a mean of zero, for values whose signs are as likely to be the other way round.

    The share of the 2^n ways to choose the signs that give a mean at least as far from zero as the one found; it
    assumes no distribution, and n values cannot give less than 2^(1-n): 0.25 with three, 0.002 with ten.

    Args:
        values: one difference a pair of seeds; NaN and infinite ones are left out.

    Returns:
        The p-value in (0, 1]; NaN without values and with more than `EXACT_LIMIT`, where Student's interval suffices.
    """
    finite = _finite(values)
    if not 1 <= len(finite) <= EXACT_LIMIT:
        return math.nan
    sums = np.zeros(1)
    for value in np.abs(finite):
        sums = np.concatenate([sums - value, sums + value])
    found = abs(finite.sum())
    tolerance = 1e-12 * np.abs(finite).sum()  # the same sum in another order is the same sum
    return float((np.abs(sums) >= found - tolerance).mean())


def _finite(values: Sequence[float]) -> np.ndarray:
    every = np.asarray(values, dtype=np.float64)
    return every[np.isfinite(every)]
