"""Z_j and the scores that components compete with, on cases that are worked out by hand."""

import math

import numpy as np
import pytest
import torch
from examples import make_experiment
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from competitive_mixtures.method.assignment import assign
from competitive_mixtures.method.scoring import log_normalizers, log_scores, log_sums

FINITE = st.floats(-50, 50, width=32)


def scoring(**changes):
    return make_experiment(scoring=changes).scoring


def tensor(*rows):
    return torch.tensor(rows, dtype=torch.float32)


def normalizers_of(ratios, settings):
    return log_normalizers(log_sums(ratios), settings)


class TestScores:
    def test_log_normalizers_of_each_component(self):
        ratios = tensor([0.0, 1.0], [math.log(3), 1.0])
        found = normalizers_of(ratios, scoring())
        torch.testing.assert_close(found, torch.tensor([math.log(4), 1 + math.log(2)]))

    def test_log_normalizer_of_all(self):
        ratios = tensor([0.0, math.log(2)], [math.log(3), math.log(4)])
        found = normalizers_of(ratios, scoring(normalization="global"))
        torch.testing.assert_close(found, torch.full((2,), math.log(10)))

    @pytest.mark.parametrize("kind", ["bound", "soft_bound"])
    def test_bounds_are_normalised_already(self, kind):
        assert normalizers_of(tensor([1.0, 2.0]), scoring(kind=kind)).tolist() == [0, 0]

    def test_huge_ratios_do_not_overflow(self):
        found = normalizers_of(tensor([1e4, -1e4], [1e4, -1e4]), scoring())
        torch.testing.assert_close(found, torch.tensor([1e4, -1e4]) + math.log(2))

    @given(ratios=arrays(np.float32, st.tuples(st.integers(1, 20), st.integers(1, 5)), elements=FINITE))
    def test_global_normalisation_leaves_the_raw_winner(self, ratios):
        settings = scoring(normalization="global")
        found = torch.from_numpy(ratios)
        normalizers = normalizers_of(found, settings)
        scores = log_scores(found, normalizers, np.full(ratios.shape[1], 0.2), settings)
        won = assign(scores).winner
        rows = np.arange(len(ratios))
        np.testing.assert_allclose(ratios[rows, won], ratios.max(axis=1), atol=1e-4)

    @given(
        ratios=arrays(np.float32, (6, 3), elements=FINITE),
        shift=arrays(np.float32, 3, elements=st.floats(-5, 5, width=32)),
    )
    def test_normalisation_per_component_removes_a_discriminators_bias(self, ratios, shift):
        """r_j matters up to a factor of its own: the scale of component j's density is unknown."""
        scores = []
        for found in (torch.from_numpy(ratios), torch.from_numpy(ratios + shift)):
            normalizers = normalizers_of(found, scoring())
            scores.append(log_scores(found, normalizers, np.full(3, 1 / 3), scoring()))
        torch.testing.assert_close(scores[0], scores[1], atol=1e-4, rtol=0)

    def test_density_leaves_the_weights_out_and_posterior_adds_their_logarithm(self):
        ratios, weights = tensor([1.0, 1.5]), np.array([0.9, 0.1])
        density = log_scores(ratios, torch.zeros(2), weights, scoring())
        posterior = log_scores(ratios, torch.zeros(2), weights, scoring(assignment="posterior"))
        assert assign(density).winner.tolist() == [1]
        assert assign(posterior).winner.tolist() == [0]
        torch.testing.assert_close(posterior, density + torch.tensor([math.log(0.9), math.log(0.1)]))

    def test_a_component_of_weight_zero_wins_nothing_a_posteriori(self):
        scores = log_scores(
            tensor([0.0, 9.0, 1.0]), torch.zeros(3), np.array([0.5, 0.0, 0.5]), scoring(assignment="posterior")
        )
        assigned = assign(scores)
        assert assigned.winner.tolist() == [2]
        assert assigned.margin.tolist() == [1.0]
