"""Fréchet distance: closed forms, pytorch-fid's own function, singular covariances, refusals."""

import warnings

import numpy as np
import pytest

from competitive_mixtures.errors import UserError
from competitive_mixtures.evaluation.frechet import compute_moments, frechet_distance, frechet_from_moments


def draw_features(seed: int, num_points: int, dimension: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(dimension, dimension))
    return rng.normal(size=(num_points, dimension)) @ mixing + rng.normal(size=dimension)


def test_one_dimension_has_a_closed_form() -> None:
    distance = frechet_from_moments(np.array([1.0]), np.array([[4.0]]), np.array([-2.0]), np.array([[9.0]]))

    assert distance == pytest.approx((1 + 2) ** 2 + (2 - 3) ** 2)


def test_commuting_covariances_have_a_closed_form() -> None:
    rng = np.random.default_rng(3)
    basis = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    a, b = rng.uniform(0.1, 5, size=(2, 6))

    distance = frechet_from_moments(np.zeros(6), basis * a @ basis.T, np.zeros(6), basis * b @ basis.T)

    assert distance == pytest.approx(np.sum((np.sqrt(a) - np.sqrt(b)) ** 2))


def test_agrees_with_pytorch_fid() -> None:
    from pytorch_fid.fid_score import calculate_frechet_distance

    a = compute_moments(draw_features(0, 300, 48))
    b = compute_moments(draw_features(1, 400, 48))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of sqrtm's argument `disp`
        try:
            expected = calculate_frechet_distance(*a, *b)
        except TypeError:
            pytest.skip("pytorch-fid 0.3 passes sqrtm the argument `disp`, which SciPy 1.18 took away")

    assert frechet_from_moments(*a, *b) == pytest.approx(expected, rel=1e-6)


def test_agrees_with_the_root_of_the_product() -> None:
    from scipy.linalg import sqrtm

    mean_a, a = compute_moments(draw_features(0, 90, 17))
    mean_b, b = compute_moments(draw_features(1, 80, 17))
    expected = np.sum((mean_a - mean_b) ** 2) + np.trace(a + b - 2 * sqrtm(a @ b).real)

    assert frechet_from_moments(mean_a, a, mean_b, b) == pytest.approx(expected, rel=1e-6)


def test_moments_are_those_of_numpy() -> None:
    features = draw_features(2, 50, 7).astype(np.float32)

    mean, covariance = compute_moments(features)

    np.testing.assert_allclose(mean, features.astype(np.float64).mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(covariance, np.cov(features.astype(np.float64), rowvar=False), rtol=1e-9)


def test_distance_of_a_set_to_itself_is_zero_and_symmetric_otherwise() -> None:
    a, b = draw_features(4, 200, 20), draw_features(5, 150, 20)

    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-8)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-9)


def test_distance_of_a_shifted_set_is_the_squared_shift_and_rotation_changes_nothing() -> None:
    a, b = draw_features(6, 200, 5), draw_features(7, 200, 5)
    shift = np.arange(5.0)
    rotation = np.linalg.qr(np.random.default_rng(8).normal(size=(5, 5)))[0]

    assert frechet_distance(a, a + shift) == pytest.approx(shift @ shift, rel=1e-9)
    assert frechet_distance(a @ rotation, b @ rotation) == pytest.approx(frechet_distance(a, b), rel=1e-9)


@pytest.mark.parametrize("side", [0, 1, 2])
def test_features_that_are_always_zero_do_not_count(side: int) -> None:
    a, b = draw_features(9, 100, 6), draw_features(10, 100, 6)
    padded = [np.pad(features, ((0, 0), (0, 3))) for features in (a, b)]
    if side < 2:  # only one of the two covariances is singular
        padded[side][:, 6:] = np.random.default_rng(11).normal(size=(100, 3)) * 1e-9

    assert frechet_distance(*padded) == pytest.approx(frechet_distance(a, b), rel=1e-6)


def test_constant_features_leave_the_distance_of_the_means_and_one_trace() -> None:
    features = draw_features(12, 30, 3)
    mean, covariance = compute_moments(features)

    assert frechet_distance(np.ones((9, 3)), features) == pytest.approx(np.sum((1 - mean) ** 2) + np.trace(covariance))


@pytest.mark.parametrize("shape", [(5, 5), (3, 8), (4,)])
def test_too_few_points_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="expected \\(N, d\\) with N > d"):
        frechet_distance(np.zeros(shape), np.zeros((20, 5)))


def test_broken_features_and_unequal_dimensions_are_refused() -> None:
    with pytest.raises(UserError, match="NaN or infinity"):
        compute_moments(np.full((5, 2), np.nan))
    with pytest.raises(UserError, match="found 2 and 3 dimensions"):
        frechet_distance(draw_features(0, 9, 2), draw_features(0, 9, 3))
