"""The algorithm's own steps on cases that are worked out by hand."""

import math

import numpy as np
import pytest
import torch
from examples import make_experiment
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from competitive_mixtures.errors import UserError
from competitive_mixtures.method import assignment

FINITE = st.floats(-50, 50, width=32)


def scoring(**changes):
    return make_experiment(scoring=changes).scoring


def tensor(*rows):
    return torch.tensor(rows, dtype=torch.float32)


def normalizers_of(ratios, settings):
    return assignment.log_normalizers(assignment.log_sums(ratios), settings)


class TestSplitUniformly:
    @given(num_points=st.integers(1, 300), share=st.floats(0, 1), seed=st.integers(0, 5))
    def test_parts_are_equal_up_to_one_point(self, num_points, share, seed):
        k = max(1, int(share * num_points))
        parts = assignment.split_uniformly(num_points, k, (seed,))
        counts = np.bincount(parts, minlength=k)
        assert parts.shape == (num_points,)
        assert len(counts) == k
        assert counts.max() - counts.min() <= 1

    def test_more_components_than_points_are_refused(self):
        with pytest.raises(UserError, match="components: 4 components for 3 training points"):
            assignment.split_uniformly(3, 4, (0,))

    def test_it_depends_on_the_seed_alone(self):
        splits = [assignment.split_uniformly(100, 3, (seed,)) for seed in (0, 0, 1)]
        assert np.array_equal(splits[0], splits[1])
        assert not np.array_equal(splits[0], splits[2])


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
        scores = assignment.log_scores(found, normalizers, np.full(ratios.shape[1], 0.2), settings)
        won = assignment.assign(scores).winner
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
            scores.append(assignment.log_scores(found, normalizers, np.full(3, 1 / 3), scoring()))
        torch.testing.assert_close(scores[0], scores[1], atol=1e-4, rtol=0)

    def test_density_leaves_the_weights_out_and_posterior_adds_their_logarithm(self):
        ratios, weights = tensor([1.0, 1.5]), np.array([0.9, 0.1])
        density = assignment.log_scores(ratios, torch.zeros(2), weights, scoring())
        posterior = assignment.log_scores(ratios, torch.zeros(2), weights, scoring(assignment="posterior"))
        assert assignment.assign(density).winner.tolist() == [1]
        assert assignment.assign(posterior).winner.tolist() == [0]
        torch.testing.assert_close(posterior, density + torch.tensor([math.log(0.9), math.log(0.1)]))

    def test_a_component_of_weight_zero_wins_nothing_a_posteriori(self):
        scores = assignment.log_scores(
            tensor([0.0, 9.0, 1.0]), torch.zeros(3), np.array([0.5, 0.0, 0.5]), scoring(assignment="posterior")
        )
        assigned = assignment.assign(scores)
        assert assigned.winner.tolist() == [2]
        assert assigned.margin.tolist() == [1.0]


class TestAssign:
    def test_highest_score_wins_and_ties_go_to_the_lowest_number(self):
        assigned = assignment.assign(tensor([0.0, 2.0, 1.0], [1.0, 1.0, 1.0], [-3.0, 5.0, 5.0], [7.0, -1.0, 7.0]))
        assert assigned.winner.tolist() == [1, 0, 1, 0]
        assert assigned.margin.tolist() == [1.0, 0.0, 0.0, 0.0]
        assert assigned.winner.dtype == np.int16
        assert assigned.margin.dtype == np.float32

    def test_one_component_wins_everything_by_an_infinite_margin(self):
        assigned = assignment.assign(tensor([3.0], [-2.0]))
        assert assigned.winner.tolist() == [0, 0]
        assert np.isposinf(assigned.margin).all()

    def test_nan_is_refused_with_its_place(self):
        with pytest.raises(UserError, match=r"component 1: .*point 2 is NaN"):
            assignment.assign(tensor([0.0, 1.0], [0.0, 1.0], [0.0, math.nan]))

    @given(scores=arrays(np.float32, st.tuples(st.integers(1, 30), st.integers(2, 6)), elements=FINITE))
    def test_against_a_plain_loop(self, scores):
        assigned = assignment.assign(torch.from_numpy(scores))
        for row, winner, margin in zip(scores, assigned.winner, assigned.margin, strict=True):
            assert winner == list(row).index(max(row))
            ordered = sorted(row)
            assert margin == np.float32(ordered[-1] - ordered[-2])
        assert assigned.count(scores.shape[1]).sum() == len(scores)

    def test_count_includes_empty_components(self):
        winner = np.array([2, 0, 2], dtype=np.int16)
        assert assignment.Assignment(winner, np.zeros(3)).count(4).tolist() == [1, 0, 2, 0]


class TestCells:
    def test_cells_are_the_positions_of_each_components_points(self):
        cells = assignment.to_cells(np.array([1, 0, 1, 3]), 4)
        assert [cell.tolist() for cell in cells] == [[1], [0, 2], [], [3]]
        assert all(cell.dtype == torch.int64 for cell in cells)

    def test_a_component_below_the_threshold_keeps_its_former_cell(self):
        winner = np.array([0] * 7 + [1] + [2] * 4)  # 12 points, 3 components: a half of 4 is 2
        former = [torch.tensor([11]), torch.tensor([5, 6]), torch.tensor([0])]
        cells = assignment.choose_cells(winner, former, 0.5)
        assert [cell.tolist() for cell in cells] == [[*range(7)], [5, 6], [8, 9, 10, 11]]

    def test_the_threshold_itself_is_enough(self):
        winner = np.array([0] * 6 + [1] * 2)
        cells = assignment.choose_cells(winner, [torch.tensor([1]), torch.tensor([1])], 0.5)
        assert cells[1].tolist() == [6, 7]

    def test_without_balancing_a_component_may_run_out_of_points(self):
        cells = assignment.choose_cells(np.zeros(4, dtype=int), [torch.tensor([1]), torch.tensor([2])], 0.0)
        assert [len(cell) for cell in cells] == [4, 0]

    def test_soft_cells_follow_the_responsibilities(self):
        scores = torch.log(torch.tensor([[0.7, 0.2, 0.1]])).expand(20_000, 3) + 5
        cells = assignment.draw_soft_cells(scores, (0, "round", 1))
        shares = [len(cell) / 20_000 for cell in cells]
        assert sum(len(cell) for cell in cells) == 20_000
        np.testing.assert_allclose(shares, [0.7, 0.2, 0.1], atol=0.015)

    def test_soft_cells_of_certain_points_are_the_winners(self):
        cells = assignment.draw_soft_cells(tensor([0.0, 200.0], [200.0, 0.0], [0.0, -math.inf]), (0,))
        assert [cell.tolist() for cell in cells] == [[1, 2], [0]]
