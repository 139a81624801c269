import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from competitive_mixtures.report.intervals import mean_interval, share_interval, sign_flip_p

VALUES = [-4.70, -4.68, -4.91, -4.75, -4.66]


def test_mean_interval_is_students_t():
    interval = mean_interval(VALUES)
    low, high = stats.ttest_1samp(VALUES, 0).confidence_interval(0.95)
    assert (interval.mean, interval.low, interval.high) == pytest.approx((np.mean(VALUES), low, high))
    assert interval.count == 5


def test_share_interval_is_scipys_exact_one():
    for hits, count in ((0, 5), (29, 30), (10, 10), (3, 7)):
        interval = share_interval(hits, count)
        expected = stats.binomtest(hits, count).proportion_ci(0.95, "exact")
        assert (interval.mean, interval.low, interval.high) == pytest.approx((hits / count, *expected))
    assert share_interval(0, 0).count == 0


class TestSignFlips:
    @pytest.mark.parametrize("values", [VALUES, [0.3, -0.1, 0.4], [1.0, 1.0, 1.0, -1.0], [0.0, 0.0]])
    def test_all_flips_written_out(self, values):
        flips = np.array(list(product((-1, 1), repeat=len(values)))) * np.abs(values)
        expected = np.mean(np.abs(flips.mean(axis=1)) >= abs(np.mean(values)) - 1e-12)
        assert sign_flip_p(values) == pytest.approx(expected)

    def test_scipys_permutation_test(self):
        values = np.random.default_rng(3).normal(0.4, 1, 10)
        result = stats.permutation_test((values,), np.mean, permutation_type="samples", n_resamples=np.inf)
        assert sign_flip_p(values) == pytest.approx(result.pvalue)

    def test_the_smallest_value_halves_with_every_pair(self):
        assert [sign_flip_p([1.0] * count) for count in (1, 3, 5, 10)] == [1, 0.25, 0.0625, 2**-9]

    def test_nothing_to_test(self):
        assert math.isnan(sign_flip_p([math.nan]))
        assert math.isnan(sign_flip_p(np.ones(21)))


@pytest.mark.parametrize("count", [3, 5, 10])
def test_intervals_cover_the_mean_in_95_percent(count):
    draws = np.random.default_rng(count).normal(2.0, 0.5, (2000, count))
    intervals = [mean_interval(values) for values in draws]
    covered = np.mean([interval.low <= 2.0 <= interval.high for interval in intervals])
    assert covered == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 2000))


class TestDegenerateValues:
    def test_one_value_has_no_interval(self):
        interval = mean_interval([2.0])
        assert (interval.mean, interval.count) == (2.0, 1)
        assert math.isnan(interval.low)
        assert math.isnan(interval.high)

    def test_no_value(self):
        assert mean_interval([]).count == 0
        assert math.isnan(mean_interval([math.nan]).mean)

    def test_values_that_are_no_numbers_are_left_out(self):
        assert mean_interval([*VALUES, math.nan, math.inf]) == mean_interval(VALUES)

    def test_equal_values_give_a_point(self):
        interval = mean_interval([0.5, 0.5, 0.5])
        assert (interval.mean, interval.low, interval.high) == (0.5, 0.5, 0.5)
        assert mean_interval([0.1] * 3).low == 0.1  # whose mean in floating point is another number

    def test_two_values_are_finite(self):
        interval = mean_interval([1.0, 2.0])
        assert math.isfinite(interval.low)
        assert interval.low <= 1.5 <= interval.high
