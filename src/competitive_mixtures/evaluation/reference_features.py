"""Features of the reference images, extracted once for every data set, extractor and number of images."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from competitive_mixtures.files.access import check_regular
from competitive_mixtures.files.formats import write_array


def cache_features(folder: Path | str, *names: object, extract: Callable[[], np.ndarray]) -> np.ndarray:
    """Read features from a cache, or compute and keep them.

    Args:
        folder: of the cache; made where it is missing.
        names: everything that the features depend on: checksums of the images and of the extractor.
        extract: gives the (N, d) features; called only when the cache has nothing under these names.

    Returns:
        The features (N, d).

    Raises:
        UserError: the cache cannot be written.
    """
    key = hashlib.sha256("/".join(map(str, names)).encode()).hexdigest()[:32]
    path = Path(folder) / f"{key}.npy"
    try:
        check_regular(path)
        return np.load(path, allow_pickle=False)
    except (OSError, EOFError, ValueError):  # missing or broken: computed anew and replaced
        features = extract()
    write_array(path, features)
    return features
