"""k-means, of which starts, Gaussian mixtures and a baseline take clusters; imported in seconds, when first used."""

import warnings
from typing import Any

import numpy as np

KMEANS_ITERATIONS = 50
KMEANS_RUNS = 10  # of which the best is a start


def fit_kmeans(
    points: np.ndarray, num_components: int, seed: int, *, max_iter: int = KMEANS_ITERATIONS, **start: Any
) -> tuple[np.ndarray, np.ndarray]:
    """The clusters (N,) int16 and their centres (k, d) by scikit-learn's `KMeans`, which `start` is passed on to."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    kmeans = KMeans(num_components, max_iter=max_iter, random_state=seed % 2**32, **start)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different points than clusters: still a start
        return kmeans.fit_predict(points).astype(np.int16), kmeans.cluster_centers_
