"""Early stopping: which points are held out, and that the best weights are kept."""

import numpy as np
import pytest
import torch
from examples import VAE, change, make_experiment

from competitive_mixtures.method.early_stopping import LOOK_INTERVAL, PATIENCE, choose_held_out, divide_cell
from competitive_mixtures.method.training import train_components
from competitive_mixtures.networks.ensemble import build_components

LEARNED = change(VAE, likelihood={"kind": "gaussian", "variance": "learned", "samples": "draws"})


def test_the_same_points_are_held_out_each_time():
    first, again, other = (choose_held_out(5000, 0.2, (seed,)) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert abs(first.float().mean() - 0.2) < 0.03
    assert choose_held_out(5000, 0.0, (0,)) is None


def test_a_cell_is_divided_where_it_is_large_enough():
    held_out = torch.tensor([True, False, True, False, False, True])
    trained, rest = divide_cell(torch.arange(6), held_out)
    assert trained.tolist() == [1, 3, 4]
    assert rest.tolist() == [0, 2, 5]
    for cell in ([0, 2, 5], [0, 1, 3], []):  # none, or one, to train on or to hold out
        assert [part.tolist() for part in divide_cell(torch.tensor(cell, dtype=torch.long), held_out)] == [cell, cell]


@pytest.mark.parametrize("chosen", [[], [3], range(7)])
def test_a_small_cell_holds_out_some_of_its_own(chosen):
    held_out = torch.zeros(7, dtype=torch.bool)
    held_out[list(chosen)] = True
    trained, rest = divide_cell(torch.arange(7), held_out)
    assert trained.tolist() == [1, 2, 3, 5, 6]
    assert rest.tolist() == [0, 4]


def build(points, count=1):
    experiment = make_experiment(
        components=[
            LEARNED
            | {"count": count, "encoder": {"kind": "mlp", "hidden": [64]}, "decoder": {"kind": "mlp", "hidden": [64]}}
        ],
        training={"standardize": "cells"},
        baselines=[],
    )
    return build_components(experiment, points.shape[1:], 0)


def train(points, share, steps=1200, count=1, num_cells=None):
    """Train `count` components on as many cells, of the `num_cells` that the points are dealt out to."""
    components = build(points, count)
    cells = [torch.arange(len(points))[j :: num_cells or count] for j in range(count)]
    held_out = choose_held_out(len(points), share, (0,))
    cost = train_components(components, points, cells, num_steps=steps, batch_size=32, key=(0, "t"), held_out=held_out)
    [(_, stack)] = components.stacks
    return stack, cost


def test_few_points_are_not_learnt_by_heart():
    points, fresh = (
        torch.from_numpy(np.random.default_rng(s).normal(size=(n, 6))).float() for s, n in ((0, 30), (1, 500))
    )
    (stopped, cost), (free, all_steps) = train(points, 0.3), train(points, 0.0)
    bounds = [stack.log_importance_bound(fresh, 32).mean().item() for stack in (stopped, free)]
    assert bounds[0] > bounds[1] + 1
    assert cost.samples_seen < all_steps.samples_seen == 1200 * 32
    assert cost.samples_seen % (LOOK_INTERVAL * 32) == 0
    assert cost.samples_seen >= PATIENCE * LOOK_INTERVAL * 32


def test_points_that_are_held_out_of_nothing_change_nothing():
    """A share of 0 trains as the paper's method does, which holds out no points."""
    points = torch.randn(60, 2, generator=torch.Generator().manual_seed(0))
    first = train(points, 0.0, 20, count=3)[0]
    components = build(points, 3)
    cells = [torch.arange(60)[j::3] for j in range(3)]
    train_components(components, points, cells, num_steps=20, batch_size=32, key=(0, "t"))
    [(_, second)] = components.stacks
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_each_component_keeps_its_own_best_weights():
    """The same training beside a second component gives the first one the same weights."""
    points = torch.randn(90, 2, generator=torch.Generator().manual_seed(0))
    (two, _), (one, _) = (train(points, 0.3, 200, count=count, num_cells=2) for count in (2, 1))
    for together, alone in zip(two.parameters(), one.parameters(), strict=True):
        torch.testing.assert_close(together[0], alone[0])
    torch.testing.assert_close(two.variance[0], one.variance[0])
