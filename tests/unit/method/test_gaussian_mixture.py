"""The rival without networks: its fit, samples and files."""

import numpy as np
import torch

from competitive_mixtures.method.gaussian_fits import FIRST_PASSES, STARTS, fit_from_short_runs, fit_from_starts
from competitive_mixtures.method.gaussian_mixture import NUM_AXES, fit_gaussian_mixture, from_tensors

COVARIANCE = np.array([[2.0, 0.6], [0.6, 0.5]])


def draw_points(number=3000):
    rng = np.random.default_rng(0)
    noise = rng.multivariate_normal([0, 0], COVARIANCE, size=number)
    of = rng.random(number) < 0.25
    return torch.from_numpy((noise + np.where(of[:, None], [20.0, 0.0], [0.0, 5.0])).astype(np.float32)), of


def test_weights_means_and_covariances_are_those_of_the_data():
    points, of = draw_points()
    mixture, parts, passes = fit_gaussian_mixture(points, 2, seed=0)
    small = int(np.argmin(mixture.weights))
    assert np.array_equal(parts == small, of)
    assert np.isclose(mixture.weights[small], of.mean(), atol=1e-3)
    mean = mixture.center + mixture.means[small] @ mixture.axes
    assert np.allclose(mean, points.numpy()[of].mean(axis=0), atol=1e-2)
    factor = mixture.factors[small]
    assert np.allclose(factor @ factor.T, np.cov(points.numpy()[of], rowvar=False), atol=0.02)
    assert passes >= 3  # one of each start
    assert mixture.num_parameters == 1 + 4 + 6


def test_samples_are_like_the_points_and_the_same_for_the_same_seed():
    points, of = draw_points()
    mixture, _, _ = fit_gaussian_mixture(points, 2, seed=0)
    samples, chosen = from_tensors(mixture.to_tensors()).sample(20_000, (2,), 3, "test")
    again, _ = mixture.sample(20_000, (2,), 3, "test")
    assert torch.equal(samples, again)
    assert samples.dtype == torch.float32
    small = int(np.argmin(mixture.weights))
    assert np.isclose((chosen == small).mean(), of.mean(), atol=0.01)
    assert np.allclose(np.cov(samples[chosen != small].T.numpy()), COVARIANCE, atol=0.1)
    assert torch.allclose(samples.mean(0), points.mean(0), atol=0.3)


def test_of_images_it_models_the_leading_principal_components():
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.integers(0, 256, (400, 1, 8, 8), dtype=np.uint8))
    images[:200, :, :4], images[200:, :, 4:] = 0, 0
    mixture, parts, _ = fit_gaussian_mixture(images, 2, seed=0)
    assert mixture.means.shape == (2, NUM_AXES)
    assert np.allclose(mixture.axes @ mixture.axes.T, np.eye(NUM_AXES), atol=1e-6)
    assert len(set(parts[:200])) == len(set(parts[200:])) == 1
    assert parts[0] != parts[-1]
    samples, chosen = mixture.sample(50, (1, 8, 8), 0, "test")
    upper = samples[:, 0, :4].mean((1, 2)) > samples[:, 0, 4:].mean((1, 2))
    assert np.array_equal(upper.numpy(), chosen == parts[-1])


def test_short_runs_choose_a_start_that_ends_as_likely_as_the_best_whole_run():
    rng = np.random.default_rng(0)
    centres = rng.uniform(-5, 5, (12, 2))  # some overlap, so that starts end apart
    points = centres[rng.integers(12, size=4000)] + 0.5 * rng.standard_normal((4000, 2))
    gains, lost = [], []
    for seed in range(6):
        first, whole = (fit_from_starts(points, 12, starts, seed).lower_bound_ for starts in (1, STARTS))
        gains.append(whole - first)
        lost.append(whole - fit_from_short_runs(points, 12, seed)[0].lower_bound_)
    assert max(gains) > 0.004
    assert max(lost) < 0.001


def test_passes_are_those_of_all_starts():
    points, _ = draw_points()
    fitted, passes = fit_from_short_runs(points.numpy(), 2, seed=0)
    assert STARTS + fitted.n_iter_ <= passes <= STARTS * FIRST_PASSES + fitted.n_iter_


def test_flat_parts_in_float32_have_short_runs_too():
    """Parts on two lines in 50 columns: what is left of the covariances across them is rounded away in float32."""
    rng = np.random.default_rng(0)
    lines = rng.standard_normal((2, 1, 50))
    parts = [
        rng.standard_normal((size, 1)) * spread * line
        for size, spread, line in zip((600, 20), (1, 20), lines, strict=True)
    ]
    points = np.concatenate(parts).astype(np.float32)
    fitted, _ = fit_from_short_runs(points, 2, seed=0)
    assert np.isfinite(fitted.lower_bound_)
