"""The VAE's loss against its formula in NumPy, and its samples."""

import math

import numpy as np
import pytest
import torch
from examples import CONV_VAE, VAE, change
from scipy import stats
from test_stack import make_stack, take_steps

from competitive_mixtures.seeding import make_generators

K = 3


def run_mlp(body, j, x):
    """One component's network in float64 NumPy."""
    layers = [(layer.weight[j].detach().double().numpy(), layer.bias[j].detach().double().numpy()) for layer in body]
    for weight, bias in layers[:-1]:
        x = np.maximum(x @ weight + bias, 0)
    weight, bias = layers[-1]
    return x @ weight + bias


def encode(stack, j, x):
    """Mean and deviation of q(z|x)."""
    mean, log_variance = np.split(run_mlp(stack.encoder.layers, j, x), 2, axis=1)
    return mean, np.exp(log_variance / 2)


def expected_loss(stack, j, x, noise, log_density):
    """Kingma & Welling, eq. 10, with one draw: -log p(x|z) + KL(q(z|x) || N(0, I))."""
    mean, deviation = encode(stack, j, x)
    output = run_mlp(stack.decoder.layers, j, mean + deviation * noise)
    divergence = (-np.log(deviation) + (deviation**2 + mean**2) / 2 - 0.5).sum(axis=1)
    return divergence - log_density(x, output)


@pytest.mark.parametrize("unit", [1.0, 4.0])
def test_gaussian_loss_is_the_negative_evidence_bound(unit):
    stack = make_stack(change(VAE, likelihood={"variance": 0.3}), unit=unit)
    x, noise = torch.randn(K, 5, 2), torch.randn(K, 5, 2)
    losses = stack.losses(x, noise).detach().numpy()
    deviation = math.sqrt(0.3) / unit  # the variance is given in the data's units

    def log_density(points, output):
        return stats.norm(output, deviation).logpdf(points).sum(axis=1)

    for j in range(K):
        expected = expected_loss(stack, j, x[j].double().numpy(), noise[j].numpy(), log_density)
        np.testing.assert_allclose(losses[j], expected, rtol=1e-4)


def test_bernoulli_loss_is_the_negative_evidence_bound():
    stack = make_stack(VAE | {"likelihood": {"kind": "bernoulli"}})
    x, noise = torch.rand(K, 5, 2), torch.randn(K, 5, 2)
    losses = stack.losses(x, noise).detach().numpy()

    def log_density(points, output):
        p = 1 / (1 + np.exp(-output))
        return (points * np.log(p) + (1 - points) * np.log(1 - p)).sum(axis=1)

    for j in range(K):
        expected = expected_loss(stack, j, x[j].double().numpy(), noise[j].numpy(), log_density)
        np.testing.assert_allclose(losses[j], expected, rtol=1e-4)


def test_learned_variance_converges_to_the_reconstruction_error():
    stack = make_stack(change(VAE, likelihood={"variance": "learned"}))
    x, noise = torch.randn(K, 50, 2) * torch.tensor([1.0, 2.0, 5.0]).view(K, 1, 1), torch.randn(K, 50, 2)
    with torch.no_grad():
        for _ in range(2000):
            stack.losses(x, noise)
    for j in range(K):
        points = x[j].double().numpy()
        mean, deviation = encode(stack, j, points)
        output = run_mlp(stack.decoder.layers, j, mean + deviation * noise[j].numpy())
        error = np.square(points - output).mean()
        assert stack.variance[j].item() == pytest.approx(error, rel=1e-4)


def test_learned_variance_stays_while_points_are_scored():
    stack = make_stack(change(VAE, likelihood={"variance": "learned"}))
    before = stack.variance.clone()
    stack.eval()
    stack.losses(torch.randn(K, 5, 2), torch.randn(K, 5, 2))
    assert torch.equal(stack.variance, before)


def test_learned_variance_of_identical_points_stays_sound():
    stack = make_stack(change(VAE, likelihood={"variance": "learned"}))
    for _ in range(1200):
        losses = stack.step(torch.zeros(K, 16, 2), torch.randn(K, 16, 2))
    assert torch.isfinite(losses).all()
    assert (stack.variance > 0).all()


def test_a_step_gives_the_losses_before_it_and_lowers_them():
    stack = make_stack(VAE)
    x, noise = torch.randn(K, 64, 2), torch.randn(K, 64, 2)
    before = stack.losses(x, noise).mean(1)
    torch.testing.assert_close(stack.step(x, noise), before)
    for _ in range(50):
        after = stack.step(x, noise)
    assert (after < before).all()


def test_samples_are_decoder_means_or_draws_around_them():
    means, draws = (make_stack(change(VAE, likelihood={"variance": 0.25, "samples": s})) for s in ("means", "draws"))
    expected = means.sample(make_generators(1, components=range(K)), 4000)
    drawn = draws.sample(make_generators(1, components=range(K)), 4000)  # the same latents, then the noise
    assert expected.shape == (K, 4000, 2)
    noise = (drawn - expected).flatten(1)
    torch.testing.assert_close(noise.mean(1), torch.zeros(K), atol=0.03, rtol=0)
    torch.testing.assert_close(noise.var(1), torch.full((K,), 0.25), atol=0.02, rtol=0)


def test_samples_are_the_decoders_of_their_own_component():
    stack = make_stack(VAE)
    samples = stack.sample(make_generators(1, components=range(K)), 6)
    for j, generator in enumerate(make_generators(1, components=range(K))):
        latents = torch.randn(6, 2, generator=generator).double().numpy()
        np.testing.assert_allclose(samples[j].numpy(), run_mlp(stack.decoder.layers, j, latents), rtol=1e-4, atol=1e-5)


def test_bernoulli_samples_are_probabilities_of_images():
    stack = make_stack(CONV_VAE)
    take_steps(stack, range(K), 2)
    samples = stack.sample(make_generators(1, components=range(K)), 5)
    assert samples.shape == (K, 5, 1, 8, 8)
    assert samples.min() >= 0
    assert samples.max() <= 1
    assert stack.training
