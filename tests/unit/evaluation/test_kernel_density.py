"""Kernel densities: scikit-learn, a direct formula, extreme bandwidths and refusals."""

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.neighbors import KernelDensity

from competitive_mixtures.errors import UserError
from competitive_mixtures.evaluation.kernel_density import candidate_bandwidths, log_kernel_density


def compute_directly(points: np.ndarray, samples: np.ndarray, bandwidth: float) -> np.ndarray:
    distances = ((points[:, None] - samples[None]) ** 2).sum(axis=-1)
    constant = np.log(len(samples)) + samples.shape[1] / 2 * np.log(2 * np.pi * bandwidth**2)
    return logsumexp(-distances / (2 * bandwidth**2), axis=1) - constant


@pytest.mark.parametrize("dimension", [1, 2, 7, 40])
def test_all_bandwidths_agree_with_the_direct_formula(dimension: int) -> None:
    rng = np.random.default_rng(dimension)
    samples, points = rng.normal(5, 4, size=(300, dimension)), rng.normal(5, 4, size=(211, dimension))
    bandwidths = candidate_bandwidths(samples)

    densities = log_kernel_density(points, samples, bandwidths)

    expected = [compute_directly(points, samples, bandwidth) for bandwidth in bandwidths]
    np.testing.assert_allclose(densities, expected, rtol=1e-8, atol=1e-8)


def test_agrees_with_scikit_learn_where_its_tree_is_accurate() -> None:
    rng = np.random.default_rng(1)
    samples, points = rng.normal(size=(800, 2)), rng.normal(size=(500, 2))
    bandwidths = np.array([0.2, 1.6, 0.1, 0.8, 0.4])

    densities = log_kernel_density(points, samples, bandwidths)

    expected = [KernelDensity(bandwidth=bandwidth).fit(samples).score_samples(points) for bandwidth in bandwidths]
    np.testing.assert_allclose(densities, expected, atol=1e-8)


def test_order_and_spacing_of_bandwidths_do_not_matter() -> None:
    rng = np.random.default_rng(2)
    samples, points = rng.normal(size=(50, 3)), rng.normal(size=(20, 3))
    bandwidths = np.array([0.3, 7.0, 0.6, 1.0, 0.3])

    together = log_kernel_density(points, samples, bandwidths)

    alone = np.concatenate([log_kernel_density(points, samples, bandwidths[i : i + 1]) for i in range(5)])
    np.testing.assert_allclose(together, alone, rtol=1e-12)


def test_one_sample_is_one_gaussian_however_far_away() -> None:
    points = np.array([[0.0, 0.0], [3.0, 4.0], [3e4, 4e4]])

    density = log_kernel_density(points, np.zeros((1, 2)), np.array([0.5]))[0]

    np.testing.assert_allclose(density, -np.log(2 * np.pi * 0.25) - np.array([0.0, 25.0, 25e8]) / 0.5, rtol=1e-12)


def test_translation_changes_nothing_and_blocks_are_seamless() -> None:
    rng = np.random.default_rng(3)
    samples, points = rng.normal(size=(30_000, 2)), rng.normal(size=(7, 2))  # two rows fill a block

    density = log_kernel_density(points, samples, np.array([0.1]))

    np.testing.assert_allclose(density[0], compute_directly(points, samples, 0.1), atol=1e-10)
    moved = log_kernel_density(points + 1e3, samples + 1e3, np.array([0.1]))
    np.testing.assert_allclose(moved, density, atol=1e-8)


def test_candidates_are_powers_of_two_of_the_median_consecutive_distance() -> None:
    samples = np.array([[0.0], [1.0], [4.0], [4.5]])  # consecutive distances 1, 3, 0.5

    np.testing.assert_allclose(candidate_bandwidths(samples), [2.0**exponent for exponent in range(-7, 7)])


@pytest.mark.parametrize("scale", [1e-41, 1e-12, 1e30])
def test_a_collapsed_sampler_of_any_scale_has_densities(scale: float) -> None:
    samples = np.full((20, 2), scale, dtype=np.float32)
    densities = log_kernel_density(np.array([[0.0, 2 * scale]]), samples, candidate_bandwidths(samples))
    assert np.isfinite(densities).all()


def test_a_collapsed_sampler_is_scored_and_scored_badly() -> None:
    samples = np.full((40, 2), 3.0, dtype=np.float32)

    densities = log_kernel_density(np.array([[4.0, 3.0]]), samples, candidate_bandwidths(samples))

    assert np.isfinite(densities).all()
    assert densities.max() < -1e6


@pytest.mark.parametrize(
    ("points", "samples", "message"),
    [
        (np.zeros((0, 2)), np.zeros((3, 2)), "points: found shape"),
        (np.zeros((3, 2)), np.zeros((3, 3)), "points: found 2 dimensions, expected 3 as"),
        (np.zeros((3, 2)), np.full((3, 2), np.nan), "samples: found NaN"),
        (np.zeros(3), np.zeros((3, 2)), "points: found shape"),
    ],
)
def test_bad_input_is_refused_by_name(points: np.ndarray, samples: np.ndarray, message: str) -> None:
    with pytest.raises(UserError, match=message):
        log_kernel_density(points, samples, np.ones(1))


def test_one_sample_has_no_consecutive_distance() -> None:
    with pytest.raises(UserError, match="N >= 2"):
        candidate_bandwidths(np.zeros((1, 2)))
