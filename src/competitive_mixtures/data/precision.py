"""Whether float32, in which points are stored, keeps what tells them apart, and the centre that makes it do so."""

from collections.abc import Iterator

import numpy as np

from competitive_mixtures.errors import UserError

MAX_ROUNDING = 1e-3  # of a coordinate, over the points' mean deviation
BLOCK_VALUES = 2**20  # coordinates that are looked at at once
LARGEST = 1e30  # of a coordinate; a model's samples may lie far beyond the points, and float32 ends at 3.4e38


def find_centre(points: np.ndarray) -> np.ndarray:
    """The mean of (N, d) points, (d,) float64; of identical points it is each of them to the last bit."""
    first = points[0].astype(np.float64)
    return first + sum(np.subtract(block, first).sum(axis=0) for block in iterate_blocks(points)) / len(points)


def is_rounded_away(points: np.ndarray) -> bool:
    """Whether float32 would round the differences between (N, d) points away."""
    if np.can_cast(points.dtype, np.float32):
        return False
    centre, rounding, total = find_centre(points), 0.0, 0.0
    for block in iterate_blocks(points):
        rounding = max(rounding, float(np.abs(block - block.astype(np.float32)).max()))
        total += float(np.abs(block - centre).sum())
    return bool(total and rounding * points.size / MAX_ROUNDING > total)


def iterate_blocks(points: np.ndarray) -> Iterator[np.ndarray]:
    """Rows of (N, d) points as float64, a few megabytes at a time."""
    rows = max(1, BLOCK_VALUES // points.shape[1])
    for start in range(0, len(points), rows):
        yield points[start : start + rows].astype(np.float64)


def check_magnitude(label: str, points: np.ndarray) -> None:
    """Refuse numbers that leave float32 no room.

    Args:
        label: names the array in an error.
        points: (N, d) finite numbers.

    Raises:
        UserError: a value is too large.
    """
    largest = max(abs(float(points.min())), abs(float(points.max())))
    if largest > LARGEST:
        raise UserError(f"{label}: a value as large as {largest:g}; expected at most {LARGEST:g}: rescale it")


def check_precision(label: str, points: np.ndarray) -> None:
    """Refuse points whose differences float32 would round away.

    Args:
        label: names the array in an error.
        points: (N, d) finite numbers, at most `LARGEST`.

    Raises:
        UserError: the points are far from zero and close together, or all but zero.
    """
    if is_rounded_away(points):
        low, high = float(points.min()), float(points.max())
        raise UserError(
            f"{label}: values from {low:.12g} to {high:.12g} lie too close together for float32, in which points are "
            "stored; subtract each column's mean in float64 and rescale what is tiny"
        )
