"""Kernel distance against the sum written out, scikit-learn's kernel and its expectation."""

import numpy as np
import pytest
from sklearn.metrics.pairwise import polynomial_kernel

from competitive_mixtures.errors import UserError
from competitive_mixtures.evaluation.kernel_distance import kernel_distance


def test_agrees_with_scikit_learns_kernel() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(1100, 8)), rng.normal(0.2, 1, size=(70, 8))
    within_a, within_b, between = (polynomial_kernel(x, y, degree=3, coef0=1) for x, y in ((a, a), (b, b), (a, b)))

    expected = (
        (within_a.sum() - np.trace(within_a)) / (1100 * 1099)
        + (within_b.sum() - np.trace(within_b)) / (70 * 69)
        - 2 * between.mean()
    )

    assert kernel_distance(a, b) == pytest.approx(expected, rel=1e-9)


def test_two_points_against_two_points_by_hand() -> None:
    # kernel (x y + 1)^3: within {0, 1} is k(0, 1) = 1, within {1, 2} is k(1, 2) = 27, between 1, 1, 8 and 27
    assert kernel_distance(np.array([[0.0], [1.0]]), np.array([[1.0], [2.0]])) == pytest.approx(1 + 27 - 2 * 37 / 4)


def test_estimate_is_symmetric_and_unbiased() -> None:
    rng = np.random.default_rng(1)
    pairs = [(rng.normal(size=(40, 3)), rng.normal(size=(40, 3))) for _ in range(200)]
    estimates = np.array([kernel_distance(a, b) for a, b in pairs])

    assert abs(estimates.mean()) < 3 * estimates.std() / np.sqrt(200)
    assert kernel_distance(*pairs[0][::-1]) == pytest.approx(estimates[0], rel=1e-9)


def test_distance_grows_with_the_shift() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(300, 4)), rng.normal(size=(300, 4))

    assert kernel_distance(a, b) < kernel_distance(a, b + 0.5) < kernel_distance(a, b + 1)


def test_one_feature_and_unequal_dimensions_are_refused() -> None:
    with pytest.raises(UserError, match="N >= 2"):
        kernel_distance(np.zeros((1, 2)), np.zeros((3, 2)))
    with pytest.raises(UserError, match="found 3 dimensions, expected 2"):
        kernel_distance(np.zeros((3, 3)), np.zeros((3, 2)))
