"""Moments of the data's features, computed once for every data set, extractor and number of images."""

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from competitive_mixtures.evaluation.frechet import compute_moments
from competitive_mixtures.state import write_atomically


def cache_moments(
    folder: Path | str, *names: object, extract: Callable[[], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Read the moments of features from a cache, or compute and keep them.

    Args:
        folder: of the cache; made where it is missing.
        names: everything that the features depend on: checksums of the data and of the extractor, number of images.
        extract: gives the (N, d) features; called only when the cache has nothing under these names.

    Returns:
        The mean (d,) and the covariance (d, d) in float64.

    Raises:
        UserError: as `compute_moments`, or the cache cannot be written.
    """
    key = hashlib.sha256("/".join(map(str, names)).encode()).hexdigest()[:32]
    path = Path(folder) / f"{key}.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as cached:
            return cached["mean"], cached["covariance"]
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        pass  # missing or broken: computed anew and replaced
    mean, covariance = compute_moments(extract())
    with write_atomically(path) as partial, partial.open("wb") as archive:
        np.savez(archive, mean=mean, covariance=covariance)
    return mean, covariance
