"""Gaussian kernel density estimates, exact and shared over bandwidths."""

import numpy as np

from competitive_mixtures.denormals import flush_denormals
from competitive_mixtures.evaluation.distances import as_points, check_dimensions, iterate_squared_distances

_BLOCK_VALUES = 1 << 16  # distances held at a time: 512 KiB of float64, which stays in a core's second-level cache
_MAX_SQUARINGS = 6  # one rounding, raised to the power 4 ** 6, is still below 1e-12


def candidate_bandwidths(samples: np.ndarray) -> np.ndarray:
    """Compute the authors' grid of bandwidths: the median distance of consecutive samples times 2^-7 to 2^6.

    Args:
        samples: (N, d), N >= 2, in random order.

    Returns:
        (14,) float64, ascending and positive: a collapsed sampler, whose distances vanish, gets the resolution of
        float32 in their place, and with it a very low likelihood instead of a division by zero.

    Raises:
        UserError: fewer than two samples or values that are not finite.
    """
    samples = as_points("samples", samples, at_least=2)
    median = np.median(np.linalg.norm(np.diff(samples, axis=0), axis=1))
    resolution = float(np.finfo(np.float32).eps) * (float(np.abs(samples).max()) or 1.0)
    return max(median, resolution) * 2.0 ** np.arange(-7, 7)


@flush_denormals()  # half of the time goes into kernels that are hardly more than zero
def log_kernel_density(points: np.ndarray, samples: np.ndarray, bandwidths: np.ndarray) -> np.ndarray:
    """Evaluate isotropic Gaussian kernel density estimates, one for each bandwidth.

    Exact, in float64 and in blocks of a fixed size: no kernel is cut off, and as the nearest one counts as 1, those
    that underflow are below the sum's last digit. The bandwidths share the squared distances, and halving a bandwidth
    raises the kernel to its fourth power, so most exponentials are two squarings.

    Args:
        points: (n, d) where to evaluate.
        samples: (N, d) centres of the kernels.
        bandwidths: (b,) positive standard deviations.

    Returns:
        (b, n) log-densities in nats.

    Raises:
        UserError: empty arrays, different dimensions or values that are not finite.
    """
    points, samples = as_points("points", points), as_points("samples", samples)
    check_dimensions("points", points, samples)
    order = np.argsort(bandwidths)[::-1]
    descending = np.asarray(bandwidths, dtype=np.float64)[order]
    precisions = 0.5 / descending**2  # (b,)

    log_sums = np.empty((len(order), len(points)))
    for rows, distances in iterate_squared_distances(points, samples, _BLOCK_VALUES):
        nearest = distances.min(axis=1)
        distances -= nearest[:, None]
        log_sums[:, rows] = np.log(_sum_kernels(distances, descending, precisions)) - precisions[:, None] * nearest

    dimension = samples.shape[1]
    log_densities = np.empty_like(log_sums)
    log_densities[order] = log_sums - np.log(len(samples)) - 0.5 * dimension * np.log(np.pi / precisions)[:, None]
    return log_densities


def _sum_kernels(distances: np.ndarray, bandwidths: np.ndarray, precisions: np.ndarray) -> np.ndarray:
    """Sum exp(-precision * distance) over samples, (rows, N) -> (b, rows), for descending bandwidths."""
    sums = np.empty((len(bandwidths), len(distances)))
    kernels = np.empty_like(distances)
    squarings = 0
    for index, precision in enumerate(precisions):
        halved = index > 0 and bandwidths[index - 1] == 2 * bandwidths[index]
        if halved and squarings < _MAX_SQUARINGS:
            np.square(kernels, out=kernels)
            np.square(kernels, out=kernels)
            squarings += 1
        else:
            np.multiply(distances, -precision, out=kernels)
            np.exp(kernels, out=kernels)
            squarings = 0
        sums[index] = kernels.sum(axis=1)
    return sums
