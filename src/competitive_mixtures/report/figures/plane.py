"""Vector data as points in a plane."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_POINTS = 4000


@dataclass(frozen=True)
class Plane:
    """A fixed view of vector data: the coordinates themselves in 2-D, else the two main directions.

    Attributes:
        center: (d,) point that is moved to the origin.
        directions: (d, 2) orthonormal columns.
        low, high: (2,) corners of the view.
    """

    center: np.ndarray
    directions: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def project(self, points: np.ndarray) -> np.ndarray:
        """(n, d) points to (n, 2) coordinates."""
        return (np.asarray(points, dtype=np.float64) - self.center) @ self.directions

    def frame(self, axes: "Axes") -> None:
        """Give a panel the view's limits and nothing else."""
        from competitive_mixtures.report.figures.style import strip_axes

        strip_axes(axes)
        axes.set(xlim=(self.low[0], self.high[0]), ylim=(self.low[1], self.high[1]))


def fit_plane(points: np.ndarray) -> Plane:
    """Choose the view of (n, d) points, n >= 1, d >= 1: the middle 99.8 % of each direction with a margin."""
    points = np.asarray(points, dtype=np.float64)
    dimension = points.shape[1]
    if dimension <= 2:
        center, directions = np.zeros(dimension), np.eye(dimension, 2)
    else:
        center = points.mean(axis=0)
        directions = np.linalg.eigh(np.cov(points.T))[1][:, :-3:-1]
    flat = (points - center) @ directions
    low, high = np.quantile(flat, [0.001, 0.999], axis=0)
    margin = np.maximum(0.08 * (high - low), 1e-6)
    return Plane(center, directions, low - margin, high + margin)


def draw_points(axes: "Axes", points: np.ndarray, color: "str | np.ndarray", size: float, alpha: float = 1.0) -> None:
    """Dots without outlines at (n, 2) coordinates; `color` is one colour, or one a point."""
    axes.scatter(points[:, 0], points[:, 1], c=color, s=size, linewidths=0, alpha=alpha)


def thin(count: int, limit: int = MAX_POINTS) -> np.ndarray:
    """Indices of at most `limit` of `count` points, evenly spread: the files hold them in random order."""
    return np.linspace(0, count - 1, min(count, limit)).astype(np.int64)
