"""The uniform split and k-means."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from competitive_mixtures.errors import UserError
from competitive_mixtures.method import start
from competitive_mixtures.method.start import choose_start, cluster_by_kmeans, split_uniformly


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


class TestKMeans:
    def draw(self, num_points=900):
        """Nine groups in a row, of which a single run of k-means often joins two and halves another."""
        labels = np.arange(num_points) % 9
        noise = np.random.default_rng(0).normal(size=(num_points, 2))
        return (noise + np.outer(labels, [6, 0])).astype(np.float32), labels

    @pytest.mark.parametrize("most", [start.MAX_SAMPLED, 300])
    def test_the_best_of_several_runs_is_the_start(self, monkeypatch, most):
        monkeypatch.setattr(start, "MAX_SAMPLED", most)
        points, labels = self.draw()
        single = [adjusted_rand_score(labels, cluster_by_kmeans(points, 9, seed)) for seed in range(8)]
        best = [adjusted_rand_score(labels, choose_start("kmeans", torch.from_numpy(points), 9, s)) for s in range(8)]
        assert min(single) < 0.9 < min(best)

    def test_columns_of_yes_and_no_have_that_start_too(self):
        points, labels = self.draw()
        answers = np.random.default_rng(1).integers(0, 2, (len(points), 4)).astype(np.float32)
        parts = choose_start("gaussians", torch.from_numpy(np.c_[points, answers]), 9, 0)
        assert (parts == choose_start("kmeans", torch.from_numpy(np.c_[points, answers]), 9, 0)).all()
        assert adjusted_rand_score(labels, parts) > 0.9

    def test_many_points_are_all_given_a_part(self, monkeypatch):
        monkeypatch.setattr(start, "MAX_SAMPLED", 50)
        points, _ = self.draw()
        parts = choose_start("kmeans", torch.from_numpy(points), 9, 0)
        assert parts.dtype == np.int16
        assert (parts.shape, set(parts)) == ((len(points),), set(range(9)))
