"""Gaussians of cells: mean and covariance, the latter shrunk as far as held-out points ask for."""

import math

import torch
from torch import Tensor

SHRINKAGES = (0.0, 0.01, 0.03, 0.1, 0.3, 0.6, 1.0)  # candidates: shares of the correlations that are given up
FOLDS = 5  # of the held-out likelihood that chooses one
MAX_POINTS = 10_000  # that choose it: with more, no shrinkage matters
FLOOR = 1e-4  # least variance along any axis, as a share of the mean over the axes


def fit_gaussian(points: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and covariance of a cell, as the Cholesky factor of the latter.

    The covariance is shrunk towards its diagonal by the share under which points that it was not fitted to are most
    likely (five folds): the correlations of many columns in few points are mostly noise.

    Args:
        points: (n, d), n > 0.

    Returns:
        (d,) float64 and (d, d) float64, lower triangular with a positive diagonal; the identity for identical points.
    """
    points = points.double()
    mean, covariance = _moments(points)
    if not covariance.diagonal().sum() > 0:
        return mean, torch.eye(len(mean), dtype=points.dtype, device=points.device)
    return mean, torch.linalg.cholesky(shrink(covariance, choose_shrinkage(points)))


def choose_shrinkage(points: Tensor) -> float:
    """The candidate under which held-out points are most likely; 1 where a fold would have less than two points.

    Args:
        points: (n, d) float64.
    """
    points = points[:: -(-len(points) // MAX_POINTS)]
    if len(points) < 2 * FOLDS:
        return SHRINKAGES[-1]
    fold = torch.arange(len(points), device=points.device) % FOLDS
    likelihoods = torch.zeros(len(SHRINKAGES), dtype=points.dtype)
    for held_out in range(FOLDS):
        mean, covariance = _moments(points[fold != held_out])
        if not covariance.diagonal().sum() > 0:
            return SHRINKAGES[-1]
        centred = (points[fold == held_out] - mean).T
        for row, shrinkage in enumerate(SHRINKAGES):
            factor = torch.linalg.cholesky(shrink(covariance, shrinkage))
            whitened = torch.linalg.solve_triangular(factor, centred, upper=False)
            log_volume = factor.diagonal().log().sum() * centred.shape[1]
            likelihoods[row] -= (0.5 * whitened.square().sum() + log_volume).cpu()
    return SHRINKAGES[int(likelihoods.argmax())]


def shrink(covariance: Tensor, shrinkage: float) -> Tensor:
    """`covariance` (d, d) with a share of its correlations given up, and a floor under its variances."""
    variances = covariance.diagonal()
    return (1 - shrinkage) * covariance + torch.diag(shrinkage * variances + FLOOR * variances.mean())


def log_normal(whitened: Tensor, log_volumes: Tensor) -> Tensor:
    """Log-density of Gaussians in nats.

    Args:
        whitened: (k, n, d), points as each Gaussian's standard normal variables.
        log_volumes: (k,), log-determinants of the maps that whiten.

    Returns:
        (k, n).
    """
    squares = whitened.square().sum(2) + whitened.shape[2] * math.log(2 * math.pi)
    return log_volumes[:, None] - 0.5 * squares


def _moments(points: Tensor) -> tuple[Tensor, Tensor]:
    mean = points.mean(0)
    centred = points - mean
    return mean, centred.T @ centred / len(points)
