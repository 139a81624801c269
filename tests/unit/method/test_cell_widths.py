"""What cutting a cell in two gains and what handing it over costs."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from competitive_mixtures.method import cell_widths


def width(points):
    """Sum of squared distances to the mean."""
    return ((points - points.mean(0)) ** 2).sum() if len(points) else 0.0


def test_a_cell_of_two_modes_gains_what_lies_between_them():
    rng = np.random.default_rng(0)
    points = rng.normal(scale=0.01, size=(300, 2)) + np.repeat([[0.0, 3.0], [0.0, -3.0], [9.0, 0.0]], 100, axis=0)
    gains = cell_widths.measure_splits(torch.tensor(points, dtype=torch.float32), np.repeat([0, 0, 2], 100), 4)
    assert gains[0] == pytest.approx(200 * 9, rel=0.01)
    assert gains[2] < 0.03
    assert gains[[1, 3]].tolist() == [0, 0]


def test_a_gaussian_gains_two_over_pi_of_its_longest_axis():
    points = np.random.default_rng(1).normal(size=(50_000, 2)) * [3.0, 1.0] @ np.array([[0.8, 0.6], [-0.6, 0.8]])
    gains = cell_widths.measure_splits(torch.tensor(points, dtype=torch.float32), np.zeros(50_000, dtype=np.int16), 1)
    assert gains[0] / 50_000 == pytest.approx(9 * 2 / np.pi, rel=0.03)


@pytest.mark.parametrize("points", [torch.ones(5, 2), torch.ones(1, 2), torch.zeros(4, 1, 2, 2, dtype=torch.uint8)])
def test_points_at_one_place_gain_nothing(points):
    assert cell_widths.measure_splits(points, np.zeros(len(points), dtype=np.int16), 2).tolist() == [0, 0]


@given(seed=st.integers(0, 2**16), k=st.integers(2, 5), images=st.booleans())
def test_mergers_are_the_growth_of_the_cells_that_take_over(seed, k, images):
    rng = np.random.default_rng(seed)
    shape = (1, 2, 3) if images else (3,)
    points = rng.integers(0, 256, size=(30, *shape), dtype=np.uint8) if images else rng.normal(size=(30, *shape))
    points = points if images else points.astype(np.float32)
    winner = rng.integers(0, k, size=30).astype(np.int16)
    runner_up = (winner + rng.integers(1, k, size=30)) % k
    flat = points.reshape(30, -1) / (255 if images else 1)
    costs = cell_widths.measure_mergers(torch.from_numpy(points), winner, runner_up, k)
    for j in range(k):
        others = [i for i in range(k) if i != j]
        after = sum(width(flat[(winner == i) | ((winner == j) & (runner_up == i))]) for i in others)
        before = sum(width(flat[winner == i]) for i in range(k))
        assert costs[j] == pytest.approx(after - before, abs=1e-4)
