"""The algorithm's own steps on cases that are worked out by hand."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from competitive_mixtures.errors import UserError
from competitive_mixtures.method import assignment

FINITE = st.floats(-50, 50, width=32)


def tensor(*rows):
    return torch.tensor(rows, dtype=torch.float32)


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
        cells = assignment.balance_cells(winner, former, 0.5)
        assert [cell.tolist() for cell in cells] == [[*range(7)], [5, 6], [8, 9, 10, 11]]

    def test_the_threshold_itself_is_enough(self):
        winner = np.array([0] * 6 + [1] * 2)
        cells = assignment.balance_cells(winner, [torch.tensor([1]), torch.tensor([1])], 0.5)
        assert cells[1].tolist() == [6, 7]

    def test_without_balancing_a_component_may_run_out_of_points(self):
        cells = assignment.balance_cells(np.zeros(4, dtype=int), [torch.tensor([1]), torch.tensor([2])], 0.0)
        assert [len(cell) for cell in cells] == [4, 0]

    @given(share=st.sampled_from([0.1, 0.5]), k=st.integers(2, 5))
    def test_exploring_points_go_to_another_component_all_alike(self, share, k):
        winner = np.full(20_000, k - 1, dtype=np.int16)
        found = assignment.explore(winner, k, share, (0, "round", 3))
        shares = np.bincount(found, minlength=k) / len(found)
        assert shares == pytest.approx([share / (k - 1)] * (k - 1) + [1 - share], abs=0.02)
        assert found.dtype == np.int16
        assert np.array_equal(found, assignment.explore(winner, k, share, (0, "round", 3)))
        assert not np.array_equal(found, assignment.explore(winner, k, share, (0, "round", 4)))

    def test_one_component_keeps_all_points(self):
        winner = np.zeros(100, dtype=np.int16)
        assert not assignment.explore(winner, 1, 0.9, (0,)).any()

    def test_soft_cells_follow_the_responsibilities(self):
        scores = torch.log(torch.tensor([[0.7, 0.2, 0.1]])).expand(20_000, 3) + 5
        cells = assignment.draw_soft_cells(scores, (0, "round", 1))
        shares = [len(cell) / 20_000 for cell in cells]
        assert sum(len(cell) for cell in cells) == 20_000
        np.testing.assert_allclose(shares, [0.7, 0.2, 0.1], atol=0.015)

    def test_soft_cells_of_certain_points_are_the_winners(self):
        cells = assignment.draw_soft_cells(tensor([0.0, 200.0], [200.0, 0.0], [0.0, -math.inf]), (0,))
        assert [cell.tolist() for cell in cells] == [[1, 2], [0]]
