"""Scores of samplers and mixtures: known densities, the authors' rule recomputed, limits that no model can pass."""

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.neighbors import KernelDensity

from competitive_mixtures.evaluation.likelihood import draft_log_likelihood, score_samples


def draw_gaussians(seed: int, num_points: int, centres: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return centres[rng.integers(len(centres), size=num_points)] + rng.normal(size=(num_points, 2))


def test_scores_follow_the_authors_rule_recomputed_with_scikit_learn() -> None:
    centres = np.array([[0.0, 0.0], [6.0, 1.0], [-4.0, 7.0]])
    samples, held_out, points = (draw_gaussians(seed, 400, centres) for seed in range(3))

    scores = score_samples(samples, held_out, points)

    median = np.median(np.sqrt(((samples[1:] - samples[:-1]) ** 2).sum(axis=1)))
    estimates = [KernelDensity(bandwidth=median * 2.0**exponent).fit(samples) for exponent in range(-7, 7)]
    best = max(estimates, key=lambda estimate: estimate.score(held_out))
    threshold = np.quantile(best.score_samples(held_out), 0.05)
    assert scores.bandwidth == pytest.approx(best.bandwidth)
    assert scores.log_likelihood == pytest.approx(best.score(points) / len(points), abs=1e-8)
    assert scores.coverage == np.mean(best.score_samples(points) > threshold)


def test_perfect_samples_come_close_to_the_negative_entropy_and_cover_the_data() -> None:
    centres = np.array([[0.0, 0.0], [30.0, 0.0], [0.0, 30.0]])
    samples, held_out, points = (draw_gaussians(seed, 3000, centres) for seed in range(3))
    limit = -(np.log(3) + np.log(2 * np.pi * np.e))

    scores = score_samples(samples, held_out, points)

    assert limit - 0.1 < scores.log_likelihood < limit + 0.05
    assert scores.coverage == pytest.approx(0.95, abs=0.02)


def test_a_dropped_mode_costs_its_share_of_the_coverage() -> None:
    centres = np.array([[0.0, 0.0], [30.0, 0.0], [0.0, 30.0], [30.0, 30.0]])
    samples, held_out = (draw_gaussians(seed, 1500, centres[:3]) for seed in range(2))

    scores = score_samples(samples, held_out, draw_gaussians(2, 1500, centres))

    assert scores.coverage == pytest.approx(0.75 * 0.95, abs=0.03)


def test_draft_score_exceeds_the_mixture_by_the_entropy_of_the_weights() -> None:
    components = np.repeat([0, 1, 2], [10, 30, 60])
    weights = np.array([0.1, 0.3, 0.6])
    densities = np.where(components == np.arange(3)[:, None], -2.0, -1e6)  # parts that do not overlap

    entropy = -np.sum(weights * np.log(weights))

    assert draft_log_likelihood(densities, components, weights) == pytest.approx(-2)
    mixture = logsumexp(densities, axis=0, b=weights[:, None]).mean()
    assert mixture == pytest.approx(-2 - entropy)


def test_draft_score_rescales_the_weights_of_the_cells_that_have_points() -> None:
    densities = np.array([[-1.0, -1.0], [-3.0, -3.0], [-9.0, -9.0]])

    score = draft_log_likelihood(densities, np.array([0, 1]), np.array([0.25, 0.25, 0.5]))

    assert score == pytest.approx(-2)
