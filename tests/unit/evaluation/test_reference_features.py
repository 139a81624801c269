"""The cache of features computes once, keeps keys apart and mends itself."""

from pathlib import Path

import numpy as np

from competitive_mixtures.evaluation.reference_features import cache_features

FEATURES = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)


def test_features_are_extracted_once_for_every_key(tmp_path: Path) -> None:
    calls = []

    def extract() -> np.ndarray:
        calls.append(1)
        return FEATURES

    for names in (("data", 100), ("data", 100), ("data", 101)):
        np.testing.assert_array_equal(cache_features(tmp_path, *names, extract=extract), FEATURES)

    assert len(calls) == 2


def test_a_broken_cache_is_replaced(tmp_path: Path) -> None:
    cache_features(tmp_path, "data", extract=lambda: FEATURES)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    for content in (b"", whole[:100], whole[:-10], b"PK nonsense"):
        path.write_bytes(content)

        np.testing.assert_array_equal(cache_features(tmp_path, "data", extract=lambda: FEATURES), FEATURES)

        assert path.read_bytes() == whole
