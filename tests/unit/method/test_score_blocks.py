"""Scores gone through in blocks of points: what one table of all points gives, and how little memory that takes."""

import tracemalloc

import numpy as np
import pytest
import torch
from examples import make_experiment
from scipy.special import logsumexp

from competitive_mixtures.errors import UserError
from competitive_mixtures.method import assignment, revival, scale
from competitive_mixtures.method import scoring as scores_of
from competitive_mixtures.method.scale import Scale


def scoring(**changes):
    return make_experiment(scoring=changes).scoring


@pytest.fixture(params=[1, 7, 40, 41, 1000])
def block(request, monkeypatch):
    """Points in a block, of 41."""
    for module in (scores_of, revival, scale):
        monkeypatch.setattr(module, "BLOCK_POINTS", request.param)
    return request.param


@pytest.fixture
def log_ratios():
    """Of 41 points and 5 components, with ties."""
    values = np.random.default_rng(0).normal(scale=30, size=(41, 5)).astype(np.float32)
    values[3] = values[40] = 2.0
    return torch.from_numpy(values)


def test_sums_normalizers_and_winners_are_those_of_all_points(block, log_ratios):
    sums = scores_of.log_sums(log_ratios)
    expected = logsumexp(log_ratios.numpy().astype(np.float64), axis=0)
    np.testing.assert_allclose(sums, expected, rtol=1e-14)
    weights = np.array([0.1, 0.2, 0.3, 0.0, 0.4])
    blocks = scores_of.log_scores_in_blocks(log_ratios, sums.float(), weights, scoring(assignment="posterior"))
    assigned = assignment.assign_blocks(blocks)
    with np.errstate(divide="ignore"):
        table = log_ratios.numpy() - expected.astype(np.float32) + np.log(weights).astype(np.float32)
    np.testing.assert_array_equal(assigned.winner, table.argmax(1))
    first, second = np.sort(table, axis=1)[:, :-3:-1].T
    np.testing.assert_allclose(assigned.margin, first - second, rtol=1e-4, atol=1e-4)
    assert (assigned.winner.dtype, assigned.margin.dtype) == (np.int16, np.float32)


def test_runners_up_are_those_of_all_points(block, log_ratios):
    order = np.argsort(-log_ratios.numpy(), axis=1, kind="stable")
    np.testing.assert_array_equal(revival.find_runner_up(log_ratios, order[:, 0].astype(np.int16)), order[:, 1])


def test_no_points_have_no_winners(block):
    none = scores_of.log_scores_in_blocks(torch.empty(0, 3), torch.zeros(3), np.ones(3), scoring())
    assert assignment.assign_blocks(none).winner.shape == (0,)


def test_a_score_that_is_no_number_is_named_by_its_place_among_all_points(block, log_ratios):
    log_ratios[38, 2] = torch.nan
    blocks = scores_of.log_scores_in_blocks(log_ratios, torch.zeros(5), np.ones(5), scoring())
    with pytest.raises(UserError, match="component 2: its score of point 38 is NaN"):
        assignment.assign_blocks(blocks)


def test_the_unit_is_that_of_all_points(block):
    points = np.random.default_rng(0).normal(3, 2, (41, 4)).astype(np.float32)
    exact = points.astype(np.float64)
    assert Scale.fit(points).unit == pytest.approx(np.sqrt(((exact - exact.mean(0)) ** 2).mean()), rel=1e-6)


def test_assigning_takes_the_memory_of_a_block(monkeypatch):
    """NumPy's arrays, which tracemalloc sees: 2 + 4 + 8 bytes a point, where the table has 4k."""
    monkeypatch.setattr(scores_of, "BLOCK_POINTS", 1000)
    log_ratios = torch.zeros(200_000, 32)
    tracemalloc.start()
    assignment.assign_blocks(scores_of.log_scores_in_blocks(log_ratios, torch.zeros(32), np.ones(32), scoring()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < log_ratios.nbytes / 6
