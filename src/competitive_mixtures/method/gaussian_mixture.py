"""The mixture of k Gaussians as a rival: a generative model and a partition of the data without any network."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

from competitive_mixtures.denormals import flush_denormals
from competitive_mixtures.method.batches import flatten_points
from competitive_mixtures.seeding import derive_seed

NUM_AXES = 50  # principal components of points with more columns, in which the Gaussians are fitted


@dataclass(frozen=True)
class GaussianMixture:
    """A mixture of k Gaussians on the leading principal components of points.

    Attributes:
        weights: (k,) float64, alpha.
        means: (k, d) float64, along the axes.
        factors: (k, d, d) float64, Cholesky factors of the covariances.
        center: (D,) float64, the points' mean.
        axes: (d, D) float64, orthonormal.
    """

    weights: np.ndarray
    means: np.ndarray
    factors: np.ndarray
    center: np.ndarray
    axes: np.ndarray

    @property
    def num_parameters(self) -> int:
        """Numbers that were fitted: weights, means, and the lower triangles of the covariances, and the axes."""
        k, d = self.means.shape
        axes = 0 if d == len(self.center) else self.axes.size + len(self.center)
        return k - 1 + k * d + k * d * (d + 1) // 2 + axes

    def sample(self, num_samples: int, shape: Sequence[int], seed: int, *names: object) -> tuple[Tensor, np.ndarray]:
        """Samples (n, *shape) float32 in the networks' units, in random order, and the Gaussian of each, (n,) int16."""
        random = np.random.default_rng(derive_seed(seed, *names))
        chosen = random.choice(len(self.weights), size=num_samples, p=self.weights)
        noise = random.standard_normal((num_samples, self.means.shape[1]))
        inner = np.empty_like(noise)
        for j in range(len(self.weights)):
            own = chosen == j
            inner[own] = self.means[j] + noise[own] @ self.factors[j].T
        samples = self.center + inner @ self.axes
        return torch.from_numpy(samples.astype(np.float32)).reshape(num_samples, *shape), chosen.astype(np.int16)

    def to_tensors(self) -> dict[str, Tensor]:
        """As named tensors, for a file."""
        return {f"gaussians.{name}": torch.from_numpy(array) for name, array in asdict(self).items()}


def from_tensors(tensors: Mapping[str, Tensor]) -> GaussianMixture:
    """The mixture that `to_tensors` gave."""
    return GaussianMixture(
        **{name.removeprefix("gaussians."): t.numpy() for name, t in tensors.items() if name.startswith("gaussians.")}
    )


def fit_gaussian_mixture(points: Tensor, num_components: int, seed: int) -> tuple[GaussianMixture, np.ndarray, int]:
    """Fit k Gaussians with full covariances by expectation-maximisation, from the best of three starts by k-means.

    Args:
        points: (N, *shape), float32 or uint8. Of more than `NUM_AXES` columns the leading principal components are
            modelled: pixels that never change have no covariance.
        num_components: k, at most N.
        seed: of the run.

    Returns:
        The mixture, the likeliest Gaussian of every point, (N,) int16, and the passes over the data, an estimate, see
        `fit_from_short_runs`.
    """
    from competitive_mixtures.method.gaussian_fits import fit_from_short_runs  # with scikit-learn, see `import_fitting`

    flat = flatten_points(points)
    center = flat.mean(axis=0, dtype=np.float64)
    axes = np.eye(flat.shape[1])
    if flat.shape[1] > NUM_AXES:
        _, vectors = np.linalg.eigh(np.cov(flat, rowvar=False))  # in order of rising variance
        axes = np.ascontiguousarray(vectors[:, : -NUM_AXES - 1 : -1].T)
    inner = ((flat - center) @ axes.T).astype(np.float32 if flat.shape[1] > NUM_AXES else np.float64)
    with flush_denormals():  # a far Gaussian's share in a point, two fifths of the time on MNIST
        fitted, passes = fit_from_short_runs(inner, num_components, seed)
    mixture = GaussianMixture(
        weights=fitted.weights_.astype(np.float64) / fitted.weights_.sum(dtype=np.float64),
        means=fitted.means_.astype(np.float64),
        factors=np.linalg.cholesky(fitted.covariances_.astype(np.float64)),
        center=center,
        axes=axes,
    )
    return mixture, fitted.predict(inner).astype(np.int16), passes
