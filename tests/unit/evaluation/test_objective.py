"""The bound on the divergence, against exact densities and an independent formula."""

import numpy as np
import pytest
import torch
from scipy.special import logsumexp

from competitive_mixtures.evaluation.objective import estimate_objective
from competitive_mixtures.method.scoring import log_sums


def score(log_ratios: np.ndarray, components: np.ndarray, weights: np.ndarray) -> float:
    partition = torch.from_numpy(logsumexp(log_ratios, axis=0) - np.log(len(log_ratios)))
    own = torch.from_numpy(log_ratios[np.arange(len(components)), components])
    return estimate_objective(own, torch.from_numpy(components), torch.from_numpy(weights), partition)


def test_bound_is_entropy_of_weights_less_mean_log_ratio() -> None:
    rng = np.random.default_rng(0)
    log_ratios = rng.normal(size=(200, 4))
    components = rng.integers(4, size=200)
    weights = np.bincount(components, minlength=4) / 200

    ratios = np.exp(log_ratios)
    rho = 200 * ratios / ratios.sum(axis=0)
    expected = -np.sum(weights * np.log(weights)) - np.mean(np.log(rho[np.arange(200), components]))

    assert score(log_ratios, components, weights) == pytest.approx(expected, abs=1e-12)


def test_bound_vanishes_when_each_component_is_its_cell() -> None:
    components = np.repeat([0, 1, 2], [50, 30, 20])
    weights = np.array([0.5, 0.3, 0.2])
    inside = components[:, None] == np.arange(3)
    log_ratios = np.where(inside, -np.log(weights), -np.inf)  # p_gj / p_d is 1 / alpha_j inside cell j, else 0

    assert score(log_ratios, components, weights) == pytest.approx(0, abs=1e-12)


def test_bound_is_the_entropy_when_every_component_is_all_of_the_data() -> None:
    components = np.repeat([0, 1], [75, 25])
    weights = np.array([0.75, 0.25])

    expected = -0.75 * np.log(0.75) - 0.25 * np.log(0.25)

    assert score(np.zeros((100, 2)), components, weights) == pytest.approx(expected, abs=1e-12)


def test_bound_ignores_each_components_constant_and_never_overflows() -> None:
    rng = np.random.default_rng(1)
    log_ratios = rng.normal(size=(60, 3))
    components = log_ratios.argmax(axis=1)
    weights = np.bincount(components, minlength=3) / 60

    shifted = score(log_ratios + np.array([900.0, -900.0, 3.0]), components, weights)

    assert shifted == pytest.approx(score(log_ratios, components, weights), abs=1e-9)


def test_held_out_points_use_the_constants_and_weights_of_the_training_points() -> None:
    train = torch.tensor([[0.0, 1.0], [2.0, 1.0]])
    weights = torch.tensor([0.25, 0.75])
    partition = log_sums(train) - np.log(2)

    bound = estimate_objective(torch.tensor([0.5]), torch.tensor([1]), weights, partition)

    assert partition.numpy() == pytest.approx([np.log((1 + np.e**2) / 2), 1.0])
    assert bound == pytest.approx(-np.log(0.75) - (0.5 - 1.0))


def test_points_of_a_component_without_weight_make_the_bound_infinite() -> None:
    zeros = torch.zeros(2)

    assert estimate_objective(zeros, torch.tensor([0, 1]), torch.tensor([1.0, 0.0]), torch.zeros(2)) == np.inf
