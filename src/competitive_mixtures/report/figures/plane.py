"""Vector data drawn as points in a plane."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from competitive_mixtures.report.figures.style import strip_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_POINTS = 4000


@dataclass(frozen=True)
class Plane:
    """A view of vector data, the same for every panel: two coordinates as they are, more along two main directions.

    Attributes:
        center: (d,) float64, the point that comes to the origin.
        directions: (d, 2) float64, orthonormal columns; with d = 1 the second is zero.
        low, high: (2,) float64, corners of the view.
    """

    center: np.ndarray
    directions: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def project(self, points: np.ndarray) -> np.ndarray:
        """The (n, 2) float64 coordinates of (n, d) points."""
        return (np.asarray(points, dtype=np.float64) - self.center) @ self.directions

    def set_view(self, axes: "Axes") -> None:
        """Give a panel the limits of the view and take its axes away."""
        strip_axes(axes)
        axes.set(xlim=(self.low[0], self.high[0]), ylim=(self.low[1], self.high[1]))


def fit_plane(points: np.ndarray) -> Plane:
    """The view of (n, d) points, n >= 1, d >= 1, that holds the middle 99.8 % in each direction, with a margin."""
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
    """Draw dots without outlines at (n, 2) coordinates; `color` is one for all, or one a point."""
    axes.scatter(points[:, 0], points[:, 1], c=color, s=size, linewidths=0, alpha=alpha)


def thin(count: int, limit: int = MAX_POINTS) -> np.ndarray:
    """Indices of at most `limit` of `count` points, evenly spaced: the first ones may all be of one part."""
    return np.linspace(0, count - 1, min(count, limit)).astype(np.int64)
