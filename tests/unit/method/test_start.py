"""The uniform split and k-means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from competitive_mixtures.errors import UserError
from competitive_mixtures.method.start import split_uniformly


class TestSplitUniformly:
    @given(num_points=st.integers(1, 300), share=st.floats(0, 1), seed=st.integers(0, 5))
    def test_parts_are_equal_up_to_one_point(self, num_points, share, seed):
        k = max(1, int(share * num_points))
        parts = split_uniformly(num_points, k, (seed,))
        counts = np.bincount(parts, minlength=k)
        assert parts.shape == (num_points,)
        assert len(counts) == k
        assert counts.max() - counts.min() <= 1

    def test_more_components_than_points_are_refused(self):
        with pytest.raises(UserError, match="components: 4 components for 3 training points"):
            split_uniformly(3, 4, (0,))

    def test_it_depends_on_the_seed_alone(self):
        splits = [split_uniformly(100, 3, (seed,)) for seed in (0, 0, 1)]
        assert np.array_equal(splits[0], splits[1])
        assert not np.array_equal(splits[0], splits[2])
