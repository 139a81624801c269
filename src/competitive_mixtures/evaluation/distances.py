"""Squared Euclidean distances between two sets of points, a block of rows at a time."""

from collections.abc import Iterator

import numpy as np

from competitive_mixtures.errors import UserError


def as_points(name: str, values: np.ndarray, at_least: int = 1) -> np.ndarray:
    """Give `values` as a float64 array of shape (N, d).

    Args:
        name: what the error message calls them.
        values: (N, d) finite numbers of any type.
        at_least: the smallest N.

    Raises:
        UserError: another shape, too few points or values that are not finite.
    """
    points = np.asarray(values, dtype=np.float64)
    if points.ndim != 2 or len(points) < at_least:
        raise UserError(f"{name}: found shape {points.shape}, expected (N, d) with N >= {at_least}")
    if not np.isfinite(points).all():
        raise UserError(f"{name}: found NaN or infinity, expected finite numbers; the model or the data is broken")
    return points


def check_dimensions(name: str, points: np.ndarray, others: np.ndarray) -> None:
    """Refuse two sets of points of different dimensions.

    Raises:
        UserError: the second axes differ; the message calls the first set `name`.
    """
    if points.shape[1] != others.shape[1]:
        raise UserError(f"{name}: found {points.shape[1]} dimensions, expected {others.shape[1]} as in the other set")


def iterate_squared_distances(
    points: np.ndarray, others: np.ndarray, block_values: int
) -> Iterator[tuple[slice, np.ndarray]]:
    """Go through the distances of every point to all others as |p|^2 - 2 p.x + |x|^2, one matrix product a block.

    Args:
        points: (n, d) float64.
        others: (N, d) float64; both are centred on their mean, which keeps the cancellation small.
        block_values: about how many distances to hold at a time.

    Yields:
        The rows of `points` that a block is about, and its (rows, N) squared distances, which the caller may change;
        rounding can make a zero slightly negative.
    """
    centre = others.mean(axis=0)
    points, others = points - centre, others - centre
    left = np.column_stack([points, np.ones(len(points)), np.sum(points**2, axis=1)])
    right = np.vstack([-2 * others.T, np.sum(others**2, axis=1), np.ones(len(others))])
    num_rows = max(1, block_values // len(others))
    for start in range(0, len(points), num_rows):
        rows = slice(start, start + num_rows)
        yield rows, left[rows] @ right
