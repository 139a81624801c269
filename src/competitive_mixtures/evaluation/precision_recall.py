"""Improved precision and recall: how much of either set lies on the other's manifold of nearest neighbours."""

from dataclasses import dataclass

import numpy as np

from competitive_mixtures.evaluation.distances import as_points, check_dimensions, iterate_squared_distances

_BLOCK_VALUES = 1 << 22  # distances held at a time: 32 MiB of float64
_RIM = 1e-12  # widens every ball by a share of the variance, so that rounding never puts a point on the rim outside


@dataclass(frozen=True)
class Manifold:
    """The union of balls around points that each reach to a point's k-th nearest neighbour.

    Attributes:
        features: (N, d) float64 centres.
        squared_radii: (N,) float64.
    """

    features: np.ndarray
    squared_radii: np.ndarray


def estimate_manifold(features: np.ndarray, num_neighbours: int = 3) -> Manifold:
    """Find every point's distance to its k-th nearest neighbour, itself not counted.

    Args:
        features: (N, d) finite numbers, N > num_neighbours.
        num_neighbours: k; the reference uses 3.

    Returns:
        The manifold; that of the data serves for every model.

    Raises:
        UserError: too few points or values that are not finite.

    References:
        Kynkäänniemi et al., arXiv 1904.06991, eq. 1.
    """
    features = as_points("features", features, at_least=num_neighbours + 1)
    squared_radii = np.empty(len(features))
    for rows, distances in iterate_squared_distances(features, features, _BLOCK_VALUES):
        distances.partition(num_neighbours, axis=1)  # the nearest, at place 0, is the point itself
        squared_radii[rows] = distances[:, num_neighbours]
    return Manifold(features, squared_radii + _RIM * features.var(axis=0).sum())


def precision_recall(real: Manifold, generated: Manifold) -> tuple[float, float]:
    """Compute the share of generated points on the real manifold, and of real points on the generated one.

    Compare models at the same number of points and neighbours only: both scores depend on them.

    Args:
        real: from the features of N data points.
        generated: from the features of as many samples.

    Returns:
        Precision (fidelity) and recall (coverage), each in [0, 1].

    Raises:
        UserError: features of different dimensions.

    References:
        Kynkäänniemi et al., arXiv 1904.06991, eq. 2.
    """
    check_dimensions("generated features", generated.features, real.features)
    on_real = np.empty(len(generated.features), dtype=bool)
    on_generated = np.zeros(len(real.features), dtype=bool)
    for rows, distances in iterate_squared_distances(generated.features, real.features, _BLOCK_VALUES):
        on_real[rows] = (distances <= real.squared_radii).any(axis=1)
        on_generated |= (distances <= generated.squared_radii[rows, None]).any(axis=0)
    return float(on_real.mean()), float(on_generated.mean())
