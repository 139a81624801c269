"""Which components can be spared, whose copies they become, and what is left of the donor."""

import numpy as np
import pytest
import torch
from examples import GAN, VAE, make_experiment
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from competitive_mixtures.method import revival
from competitive_mixtures.method.state import RoundState
from competitive_mixtures.networks.ensemble import build_components


def objective(ratios, winner):
    """H(alpha) minus the mean log-ratio of the winners."""
    shares = np.bincount(winner) / len(winner)
    shares = shares[shares > 0]
    return -(shares * np.log(shares)).sum() - ratios[np.arange(len(winner)), winner].mean()


def find_spare(ratios, winner, min_share):
    ratios = torch.as_tensor(ratios)
    return revival.find_spare(ratios, winner, revival.find_runner_up(ratios, winner), min_share)


class TestFindSpare:
    def three_parts(self):
        """Six points in three parts; every component models two of them."""
        ratios = np.full((6, 3), -20.0, dtype=np.float32)
        ratios[[0, 1], 0] = ratios[[2, 3], 1] = ratios[[4, 5], 2] = 1.0
        return ratios, np.array([0, 0, 1, 1, 2, 2])

    def test_components_with_parts_of_their_own_are_not_spare(self):
        ratios, winner = self.three_parts()
        assert find_spare(ratios, winner, 0.5) == []

    def test_one_of_two_on_the_same_part_is_spare(self):
        ratios, winner = self.three_parts()
        ratios[:, 1] = ratios[:, 0]  # 1 models what 0 models; 0 wins the ties
        ratios[1, 1] += 0.1
        ratios[2:4] = [-20.0, -20.0, 0.5]
        winner = ratios.argmax(axis=1)
        assert winner.tolist() == [0, 1, 2, 2, 2, 2]
        spare = find_spare(ratios, winner, 0.0)
        assert len(spare) == 1
        assert spare[0] in (0, 1)
        removed = np.where(winner == spare[0], 1 - spare[0], winner)
        assert objective(ratios, removed) < objective(ratios, winner)

    def test_only_one_of_a_pair_is_spare(self):
        ratios = np.zeros((8, 2), dtype=np.float32)
        ratios[:4, 0] = ratios[4:, 1] = 0.01
        assert len(find_spare(ratios, np.repeat([0, 1], 4), 0.0)) == 1

    def test_a_starved_component_is_spare_however_well_it_models_its_points(self):
        ratios = np.full((10, 2), -20.0, dtype=np.float32)
        ratios[:9, 0] = ratios[9, 1] = 1.0
        winner = np.array([0] * 9 + [1])
        assert find_spare(ratios, winner, 0.5) == [1]
        assert find_spare(ratios, winner, 0.1) == []

    @pytest.mark.parametrize("min_share", [0.0, 0.5])
    def test_an_empty_component_is_spare(self, min_share):
        ratios, _ = self.three_parts()
        winner = np.array([0, 0, 0, 0, 2, 2])
        ratios[2:4, 0] = 2.0
        assert 1 in find_spare(ratios, winner, min_share)

    def test_starved_ones_come_first_and_never_are_all_spare(self):
        spare = find_spare(torch.zeros(4, 3), np.array([2, 2, 2, 1]), 1.0)
        assert spare[:2] == [0, 1]
        assert len(find_spare(torch.zeros(4, 3), np.array([0, 1, 2, 2]), 1.0)) <= 2
        assert find_spare(torch.zeros(4, 1), np.zeros(4, dtype=int), 1.0) == []

    @given(
        ratios=arrays(np.float32, (12, 3), elements=st.floats(-5, 5, width=32)),
        min_share=st.sampled_from([0.0, 0.3, 1.0]),
    )
    def test_removing_a_spare_component_that_is_not_starved_never_raises_the_objective(self, ratios, min_share):
        winner = ratios.argmax(axis=1)
        counts = np.bincount(winner, minlength=3)
        spare = find_spare(ratios, winner, min_share)
        assert len(spare) <= 2
        for j in spare:
            if counts[j] >= min_share * 4:
                rest = ratios.copy()
                rest[:, j] = -np.inf
                removed = np.where(winner == j, rest.argmax(axis=1), winner)
                assert objective(ratios, removed) <= objective(ratios, winner) + 1e-4


class TestRevival:
    def test_the_widest_cells_give_to_the_first_spare_ones(self):
        gains = np.array([0.0, 5.0, 9.0, 0.0])
        assert revival.choose_donors([3, 0], np.zeros(4), gains, [0] * 4) == [(2, 3), (1, 0)]

    def test_kinds_are_not_mixed_and_each_gives_once(self):
        kinds, costs = [0, 0, 1, 1], np.zeros(4)
        assert revival.choose_donors([2], costs, np.array([9.0, 8.0, 0.0, 1.0]), kinds) == [(3, 2)]
        assert revival.choose_donors([0, 1], costs, np.array([0.0, 0.0, 3.0, 4.0]), kinds) == []
        assert revival.choose_donors([0, 1, 2], costs, np.array([0.0, 0.0, 0.0, 4.0]), [0] * 4) == [(3, 0)]

    def test_none_is_revived_where_that_widens_the_cells(self):
        gains = np.array([0.0, 5.0, 3.0, 0.0])
        assert revival.choose_donors([0, 3], np.array([6.0, 0.0, 0.0, 4.0]), gains, [0] * 4) == [(1, 3)]
        assert revival.choose_donors([0, 3], np.array([1.0, 0.0, 0.0, 3.0]), gains, [0] * 4) == [(1, 0)]
        assert revival.choose_donors([3], np.array([0.0, 0.0, 0.0, 5.0]), gains, [0] * 4) == []

    def test_nothing_to_revive(self):
        assert revival.choose_donors([], np.zeros(2), np.array([1.0, 2.0]), [0, 0]) == []

    def test_weights_are_shared_with_the_revived(self):
        weights = np.array([0.6, 0.0, 0.3, 0.1])
        after = revival.split_mixture_weights(weights, [[0, 1], [2, 3]])
        np.testing.assert_allclose(after, [0.3, 0.3, 0.15, 0.15])
        assert weights.tolist() == [0.6, 0.0, 0.3, 0.1]

    @pytest.mark.parametrize("backend", ["stacked", "loop"])
    def test_the_donors_cell_is_split_and_its_networks_copied(self, backend):
        components = build_components(make_experiment(training={"backend": backend}), (2,), 0)
        state = RoundState(components, None, [torch.arange(9), torch.tensor([20]), torch.arange(10, 15)], [(0, 1)])
        revival.revive(state, (0, "round", 2))
        assert [len(cell) for cell in state.cells] == [5, 4, 5]
        assert torch.cat(state.cells[:2]).sort().values.tolist() == list(range(9))
        assert state.cells[2].tolist() == list(range(10, 15))
        assert all(torch.equal(cell, cell.sort().values) for cell in state.cells)
        assert state.revivals == []
        for name, stacked in components.state().items():
            if "shared" not in name:
                assert torch.equal(stacked[0], stacked[1])

    def test_a_cell_of_one_point_stays_with_the_donor(self):
        components = build_components(make_experiment(components=[VAE | {"count": 2}]), (2,), 0)
        state = RoundState(components, None, [torch.tensor([4]), torch.tensor([1])], [(0, 1)])
        revival.revive(state, (0,))
        assert [cell.tolist() for cell in state.cells] == [[4], []]

    def test_gans_of_a_mixed_competition_are_revived_by_gans(self):
        experiment = make_experiment(components=[VAE | {"count": 1}, GAN | {"count": 2}], baselines=[])
        components = build_components(experiment, (2,), 0)
        revival.revive(RoundState(components, None, [torch.arange(2)] * 3, [(2, 1)]), (0,))
        weight = components.state()["1.generator.layers.0.weight"]
        assert torch.equal(weight[0], weight[1])
