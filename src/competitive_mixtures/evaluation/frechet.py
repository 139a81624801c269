"""Fréchet distance between two sets of features, each seen as a Gaussian."""

import numpy as np

from competitive_mixtures.errors import UserError


def frechet_distance(features_a: np.ndarray, features_b: np.ndarray) -> float:
    """Compute the squared Fréchet (2-Wasserstein) distance between Gaussians fitted to two sets of features.

    Args:
        features_a: (N, d) with N > d; the distance is biased upwards for small N, so compare at equal N only.
        features_b: (M, d) with M > d.

    Returns:
        The distance, at least 0, in squared units of the features.

    Raises:
        UserError: no more points than dimensions, different d, or values that are not finite.
    """
    return frechet_from_moments(*compute_moments(features_a), *compute_moments(features_b))


def compute_moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute the mean and the unbiased covariance of features in float64.

    Args:
        features: (N, d) finite numbers, N > d, since fewer points give a singular covariance and a misleading distance.

    Returns:
        The mean (d,) and the covariance (d, d).

    Raises:
        UserError: no more points than dimensions, or values that are not finite.
    """
    features = np.asarray(features, dtype=np.float64)
    if features.ndim != 2 or len(features) <= features.shape[1]:
        raise UserError(
            f"features: found shape {features.shape}, expected (N, d) with N > d; "
            "ask for more samples or use features of fewer dimensions"
        )
    if not np.isfinite(features).all():
        raise UserError("features: found NaN or infinity, expected finite numbers; images or weights are broken")
    mean = features.mean(axis=0)
    centred = features - mean
    return mean, centred.T @ centred / (len(features) - 1)


def frechet_from_moments(
    mean_a: np.ndarray, covariance_a: np.ndarray, mean_b: np.ndarray, covariance_b: np.ndarray
) -> float:
    """Compute |mean_a - mean_b|^2 + tr(A) + tr(B) - 2 tr((A B)^1/2) for covariances A and B.

    Args:
        mean_a: (d,).
        covariance_a: (d, d), symmetric, positive semi-definite.
        mean_b: (d,).
        covariance_b: (d, d), symmetric, positive semi-definite.

    Returns:
        The distance; rounding below zero is cut off.

    Raises:
        UserError: the two sides have different dimensions.

    References:
        Dowson and Landau 1982, eq. 4; Heusel et al., arXiv 1706.08500, eq. 6.
    """
    if mean_a.shape != mean_b.shape:
        raise UserError(f"features: found {mean_a.size} and {mean_b.size} dimensions, expected the same")
    difference = np.asarray(mean_a, dtype=np.float64) - mean_b
    overlap = _trace_of_product_root(covariance_a, covariance_b)
    distance = difference @ difference + np.trace(covariance_a) + np.trace(covariance_b) - 2 * overlap
    return max(float(distance), 0.0)


def _trace_of_product_root(a: np.ndarray, b: np.ndarray) -> float:
    """Compute tr((A B)^1/2) as the sum of roots of the eigenvalues of R' A R, where B = R R'; both are symmetric.

    R is the Cholesky factor, inside LAPACK's generalised problem; where B is singular (features that are always
    zero, say), R is the symmetric root from B's own eigenvectors, which costs three times as much.
    """
    from scipy import linalg
    from threadpoolctl import threadpool_limits

    # The reduction to tridiagonal form waits for all threads at every column: a second one saves a third of the time on
    # idle cores and costs ten times as much on shared ones.
    with threadpool_limits(1, user_api="blas"):
        try:
            eigenvalues = linalg.eigvalsh(a, b, type=2, driver="gv")
        except linalg.LinAlgError:
            values, vectors = linalg.eigh(b)
            root = vectors * np.sqrt(values.clip(0))
            eigenvalues = linalg.eigvalsh(root.T @ a @ root)
    return float(np.sqrt(eigenvalues.clip(0)).sum())
