"""Partitions that no competition has made: the uniform split that components start from, and k-means'."""

import numpy as np
import torch
from torch import Tensor

from competitive_mixtures.errors import UserError
from competitive_mixtures.method.batches import to_float
from competitive_mixtures.seeding import StreamKey, derive_seed, make_generator

KMEANS_ITERATIONS = 50


def split_uniformly(num_points: int, num_components: int, key: StreamKey) -> np.ndarray:
    """The uniform random split that components are pretrained on: equal parts up to one point.

    Returns:
        (N,) int16, the component of every point.

    Raises:
        UserError: fewer points than components.
    """
    if num_components > num_points:
        raise UserError(
            f"components: {num_components} components for {num_points} training points; expected at most one a point"
        )
    order = torch.randperm(num_points, generator=make_generator(*key, "uniform split")).numpy()
    parts = np.empty(num_points, dtype=np.int16)
    parts[order] = np.arange(num_points) % num_components
    return parts


def cluster_by_kmeans(points: Tensor, num_components: int, seed: int) -> np.ndarray:
    """k-means' clusters of the points as the networks see them, from one start.

    Args:
        points: (N, *shape), float32 or uint8.
        num_components: k.
        seed: of the run.

    Returns:
        (N,) int16.
    """
    from sklearn.cluster import KMeans

    random_state = derive_seed(seed, "kmeans") % 2**32
    kmeans = KMeans(num_components, n_init=1, max_iter=KMEANS_ITERATIONS, random_state=random_state)
    return kmeans.fit_predict(to_float(points).flatten(1).cpu().numpy()).astype(np.int16)
