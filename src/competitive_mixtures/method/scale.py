"""The affine map between the data set's own units and those of the networks."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from competitive_mixtures.method.batches import BLOCK_POINTS


@dataclass(frozen=True)
class Scale:
    """The affine map between the data's units and the networks'.

    Attributes:
        mean: (d,) float32, or 0.
        unit: one unit of the networks in the data's units.
    """

    mean: np.ndarray | float = 0.0
    unit: float = 1.0

    @classmethod
    def fit(cls, points: np.ndarray) -> "Scale":
        """Mean and standard deviation of (N, d) points, one deviation for all axes so that shapes are kept."""
        mean = points.mean(axis=0, dtype=np.float64).astype(np.float32)
        blocks = (points[start : start + BLOCK_POINTS] for start in range(0, len(points), BLOCK_POINTS))
        squares = sum(np.square(block - mean, dtype=np.float64).sum() for block in blocks)
        deviation = float(np.sqrt(squares / points.size))
        return cls(mean, deviation or 1.0)  # identical points have no deviation

    def apply(self, points: np.ndarray) -> Tensor:
        """Points in the networks' units; images, whose scale is 1, stay uint8 where they are, on disk perhaps."""
        if points.dtype != np.uint8:
            scaled = points - self.mean
            scaled /= np.float32(self.unit)
            return torch.from_numpy(scaled)
        if isinstance(points, np.memmap) and points.filename:  # a private map: PyTorch wants what it could write to
            points = np.memmap(points.filename, points.dtype, "c", points.offset, points.shape)
        return torch.from_numpy(np.require(points, requirements="W"))

    def invert(self, points: np.ndarray) -> np.ndarray:
        """Points in the data's units."""
        return points * np.float32(self.unit) + self.mean
