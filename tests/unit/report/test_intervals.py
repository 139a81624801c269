import math

import numpy as np
import pytest
from scipy import stats

from competitive_mixtures.report.intervals import bootstrap_interval, mean_interval

VALUES = [-4.70, -4.68, -4.91, -4.75, -4.66]


def test_mean_interval_is_students_t():
    interval = mean_interval(VALUES)
    low, high = stats.ttest_1samp(VALUES, 0).confidence_interval(0.95)
    assert (interval.mean, interval.low, interval.high) == pytest.approx((np.mean(VALUES), low, high))
    assert interval.count == 5


def test_bootstrap_interval_is_scipys():
    interval = bootstrap_interval(VALUES)
    expected = stats.bootstrap((VALUES,), np.mean, n_resamples=9999, rng=np.random.default_rng(0)).confidence_interval
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))
    assert interval.low < interval.mean < interval.high


@pytest.mark.parametrize("interval_of", [mean_interval, bootstrap_interval])
class TestDegenerateValues:
    def test_one_value_has_no_interval(self, interval_of):
        interval = interval_of([2.0])
        assert (interval.mean, interval.count) == (2.0, 1)
        assert math.isnan(interval.low)
        assert math.isnan(interval.high)

    def test_no_value(self, interval_of):
        assert interval_of([]).count == 0
        assert math.isnan(interval_of([math.nan]).mean)

    def test_values_that_are_no_numbers_are_left_out(self, interval_of):
        assert interval_of([*VALUES, math.nan, math.inf]) == interval_of(VALUES)

    def test_equal_values_give_a_point(self, interval_of):
        interval = interval_of([0.5, 0.5, 0.5])
        assert (interval.mean, interval.low, interval.high) == (0.5, 0.5, 0.5)

    def test_two_values_are_finite(self, interval_of):
        interval = interval_of([1.0, 2.0])
        assert math.isfinite(interval.low)
        assert interval.low <= 1.5 <= interval.high
