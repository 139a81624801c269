"""Gaussians of cells: against NumPy and SciPy, and what shrinkage does where points are few."""

import numpy as np
import pytest
import torch
from scipy import stats

from competitive_mixtures.networks.cell_gaussians import FLOOR, choose_shrinkage, fit_gaussian, log_normal, shrink


def draw(n, d, seed=0):
    """Correlated normal points and their covariance."""
    rng = np.random.default_rng(seed)
    factor = np.tril(rng.normal(size=(d, d))) + 2 * np.eye(d)
    return rng.normal(size=(n, d)) @ factor.T + 3, factor @ factor.T


def test_many_points_give_their_covariance():
    points, covariance = draw(20_000, 3)
    mean, factor = fit_gaussian(torch.from_numpy(points))
    np.testing.assert_allclose(mean, points.mean(0), rtol=1e-12)
    np.testing.assert_allclose(factor @ factor.T, np.cov(points.T, bias=True), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(factor @ factor.T, covariance, rtol=0.1, atol=0.2)


def test_few_points_of_independent_columns_lose_their_correlations():
    points = torch.from_numpy(np.random.default_rng(0).normal(size=(24, 12)))
    assert choose_shrinkage(points) >= 0.6
    covariance = fit_gaussian(points)[1] @ fit_gaussian(points)[1].T
    correlations = torch.corrcoef(points.T) - torch.eye(12)
    assert (covariance - torch.diag(covariance.diagonal())).abs().max() < 0.5 * correlations.abs().max()


def test_shrinking_keeps_variances_and_lifts_them_by_the_floor():
    covariance = torch.tensor([[4.0, 1.0], [1.0, 2.0]], dtype=torch.float64)
    expected = torch.tensor([[4.0, 0.7], [0.7, 2.0]], dtype=torch.float64) + FLOOR * 3 * torch.eye(2)
    torch.testing.assert_close(shrink(covariance, 0.3), expected)


@pytest.mark.parametrize(
    "points", [[[1.0, 2.0]], [[1.0, 2.0]] * 40, [[0.0, 1.0], [0.0, 3.0]], [[0.0, 0.0]] * 39 + [[1, 1]]]
)
def test_degenerate_cells_have_a_factor(points):
    mean, factor = fit_gaussian(torch.tensor(points))
    assert torch.isfinite(factor).all()
    assert (factor.diagonal() > 0).all()
    np.testing.assert_allclose(mean, np.mean(points, axis=0), atol=1e-12)


def test_points_in_another_unit_are_shrunk_alike():
    points = torch.from_numpy(draw(40, 5)[0])
    assert choose_shrinkage(points) == choose_shrinkage(1e3 * points) == choose_shrinkage(points - 7)


def test_log_density_is_scipys():
    points, _ = draw(200, 3)
    mean, factor = fit_gaussian(torch.from_numpy(points))
    whitening = torch.linalg.inv(factor)
    whitened = (torch.from_numpy(points) - mean) @ whitening.T
    found = log_normal(whitened[None], whitening.diagonal().log().sum()[None])[0]
    expected = stats.multivariate_normal(mean.numpy(), (factor @ factor.T).numpy()).logpdf(points)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
