"""Partitions that no competition has made, which components start from: the uniform split, and clusterings."""

import numpy as np
import torch
from torch import Tensor

from competitive_mixtures.errors import UserError
from competitive_mixtures.method.batches import flatten_points
from competitive_mixtures.method.kmeans import KMEANS_RUNS, fit_kmeans
from competitive_mixtures.seeding import StreamKey, derive_seed, make_generator

MAX_SAMPLED = 20_000  # points that all runs of k-means see


def choose_start(init: str, points: Tensor, num_components: int, seed: int) -> np.ndarray:
    """The partition that components are pretrained on.

    Args:
        init: `uniform`, `kmeans` or `gaussians`, see `settings.experiment.Training`; of columns that are mostly
            discrete, `gaussians` takes k-means' clusters as well.
        points: (N, *shape), float32 or uint8.
        num_components: k.
        seed: of the run.

    Returns:
        (N,) int16, the component of every point; `gaussians` may leave some components without any.

    Raises:
        UserError: fewer points than components.
    """
    if init == "uniform":
        return split_uniformly(len(points), num_components, (seed,))
    check_numbers(len(points), num_components)
    rows = flatten_points(points)
    if init == "gaussians":
        from competitive_mixtures.method.gaussian_start import cluster_by_gaussians, is_discrete

        if not is_discrete(rows):
            return cluster_by_gaussians(rows, num_components, seed)
    return cluster_by_best_kmeans(rows, num_components, seed)


def check_numbers(num_points: int, num_components: int) -> None:
    """Refuse fewer points than components.

    Raises:
        UserError: names both.
    """
    if num_components > num_points:
        raise UserError(
            f"components: {num_components} components for {num_points} training points; expected at most one a point"
        )


def split_uniformly(num_points: int, num_components: int, key: StreamKey) -> np.ndarray:
    """The uniform random split that components are pretrained on: equal parts up to one point.

    Returns:
        (N,) int16, the component of every point.

    Raises:
        UserError: fewer points than components.
    """
    check_numbers(num_points, num_components)
    order = torch.randperm(num_points, generator=make_generator(*key, "uniform split")).numpy()
    parts = np.empty(num_points, dtype=np.int16)
    parts[order] = np.arange(num_points) % num_components
    return parts


def cluster_by_kmeans(points: np.ndarray, num_components: int, seed: int) -> np.ndarray:
    """k-means' clusters from one start.

    Args:
        points: (N, d) float32.
        num_components: k.
        seed: of the run.

    Returns:
        (N,) int16.
    """
    return fit_kmeans(points, num_components, derive_seed(seed, "kmeans"), n_init=1)[0]


def cluster_by_best_kmeans(points: np.ndarray, num_components: int, seed: int) -> np.ndarray:
    """The clusters of the best of ten runs of k-means; what one run has joined, the rounds hardly part again.

    Args:
        points: (N, d) float32; of many a sample goes through all runs, and the best goes on with all points.
        num_components: k.
        seed: of the run.

    Returns:
        (N,) int16.
    """
    sample = np.random.default_rng(derive_seed(seed, "kmeans sample")).permutation(len(points))[:MAX_SAMPLED]
    random = derive_seed(seed, "kmeans")
    parts, centres = fit_kmeans(points[np.sort(sample)], num_components, random, n_init=KMEANS_RUNS)
    if len(sample) == len(points):
        return parts
    return fit_kmeans(points, num_components, random, init=centres, n_init=1)[0]
