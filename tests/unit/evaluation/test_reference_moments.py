"""The cache of moments computes once, keeps keys apart and mends itself."""

from pathlib import Path

import numpy as np

from competitive_mixtures.evaluation.reference_moments import cache_moments


def test_features_are_extracted_once_for_every_key(tmp_path: Path) -> None:
    calls = []
    features = np.random.default_rng(0).normal(size=(20, 3))

    def extract() -> np.ndarray:
        calls.append(1)
        return features

    first = cache_moments(tmp_path, "data", 100, extract=extract)
    second = cache_moments(tmp_path, "data", 100, extract=extract)
    cache_moments(tmp_path, "data", 101, extract=extract)

    assert len(calls) == 2
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    np.testing.assert_allclose(first[1], np.cov(features, rowvar=False))


def test_a_broken_cache_is_replaced(tmp_path: Path) -> None:
    features = np.random.default_rng(1).normal(size=(9, 2))
    expected = cache_moments(tmp_path, "data", extract=lambda: features)
    (path,) = tmp_path.iterdir()
    for content in (b"", path.read_bytes()[:100], b"PK nonsense"):
        path.write_bytes(content)

        mended = cache_moments(tmp_path, "data", extract=lambda: features)

        np.testing.assert_array_equal(mended[1], expected[1])
