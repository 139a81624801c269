"""The classifier that starts from the components' densities: exact where these are, it learns what they miss."""

import math

import numpy as np
import torch
from examples import ADAM, GAN, VAE, change, make_experiment
from scipy import stats

from competitive_mixtures.networks.ensemble import build_components, build_discriminators
from competitive_mixtures.networks.offset_classifier import OffsetClassifierStack
from competitive_mixtures.networks.vae import VAEStack

OFFSET = {"kind": "offset_classifier", "weight_decay": 0.0}
MEANS = [[-2.0, 0.0], [1.0, 1.0]]
COVARIANCES = [[[1.0, 0.6], [0.6, 2.0]], [[0.3, -0.1], [-0.1, 0.2]]]


def build(*blocks, standardize="covariances", shape=(2,), **scoring):
    """Components that have seen points of `MEANS` and `COVARIANCES`, and a new classifier of theirs."""
    experiment = make_experiment(
        components=list(blocks),
        training={"standardize": standardize},
        scoring=OFFSET | scoring,
        baselines=[],
    )
    components = build_components(experiment, shape, 0)
    rng = np.random.default_rng(0)
    stacks = [stack for _, stack in components.stacks]
    if shape == (2,):
        for stack in stacks:
            for row in range(stack.count):
                points = rng.multivariate_normal(MEANS[row], COVARIANCES[row], 50_000)
                stack.fit_standardization(row, torch.from_numpy(points))
    [(_, classifier)] = build_discriminators(experiment, shape, (0, "x")).stacks
    classifier.attach(stacks)
    return components, classifier


def test_two_gaussians_are_told_apart_before_any_training():
    """log N(x; m_1, C_1) - log N(x; m_0, C_0), and log r_j against the mixture of both."""
    _, classifier = build(GAN | {"count": 2})
    points = np.random.default_rng(1).normal(size=(50, 2))
    logs = np.stack(
        [stats.multivariate_normal(m, c).logpdf(points) for m, c in zip(MEANS, COVARIANCES, strict=True)], 1
    )
    expected = logs - np.logaddexp(logs[:, :1], logs[:, 1:]) + math.log(2)
    found = classifier.log_ratios(torch.from_numpy(points).float()).numpy()
    np.testing.assert_allclose(found, expected, atol=0.15, rtol=0.02)


def test_a_vae_starts_from_its_importance_weighted_bound():
    learned = {"kind": "gaussian", "variance": "learned", "samples": "draws"}
    components, classifier = build(change(VAE, count=2, likelihood=learned))
    points = torch.randn(20, 2)
    [(_, stack)] = components.stacks
    bounds = stack.log_importance_bound(points, 8).T
    torch.testing.assert_close(
        classifier.log_ratios(points), bounds - bounds.logsumexp(1, keepdim=True) + math.log(2), rtol=1e-4, atol=1e-4
    )


def test_images_of_gans_have_no_offset():
    _, classifier = build(GAN | {"count": 2}, shape=(1, 4, 4), standardize="none")
    torch.testing.assert_close(classifier.log_ratios(torch.rand(5, 1, 4, 4)), torch.zeros(5, 2))


def test_it_learns_what_the_offset_misses():
    """Offsets of N(m, 1) for samples that are N(m, 1/4): the log-ratio of both samples is four times the offsets'."""
    components, classifier = build(GAN | {"count": 2}, optimizer=ADAM, network={"kind": "mlp", "hidden": [32]})
    [(_, stack)] = components.stacks
    for row, mean in enumerate((-1.0, 1.0)):
        stack.mean[row], stack.factor[row], stack.whitening[row] = mean, torch.eye(2), torch.eye(2)
    generator = torch.Generator().manual_seed(0)
    for _ in range(1500):
        fake = 0.5 * torch.randn(2, 256, 2, generator=generator) + torch.tensor([-1.0, 1.0])[:, None, None]
        real = fake.flatten(0, 1)[torch.randperm(512, generator=generator)[:256]]
        classifier.step(real.expand(2, -1, -1), fake)
    points = torch.tensor([[-0.3, -0.3], [0.0, 0.0], [0.3, 0.3]])
    ratios = classifier.log_ratios(points)
    found = ratios[:, 1] - ratios[:, 0]
    torch.testing.assert_close(found, 8 * points.sum(1), atol=0.9, rtol=0.1)  # 2 (x1 + x2) / (1/4)


def test_weight_decay_shrinks_what_is_learnt():
    sizes = []
    for decay in (0.0, 50.0):
        _, classifier = build(GAN | {"count": 2}, weight_decay=decay)
        generator = torch.Generator().manual_seed(0)
        for _ in range(50):
            fake = torch.randn(2, 64, 2, generator=generator)
            classifier.step(torch.randn(2, 64, 2, generator=generator), fake)
        sizes.append(sum(p.square().sum() for p in classifier.network.parameters()).item())
    assert sizes[1] < 0.5 * sizes[0]


def test_the_network_starts_at_zero():
    _, classifier = build(GAN | {"count": 2})
    assert isinstance(classifier, OffsetClassifierStack)
    assert not classifier.network(torch.randn(1, 5, 2)).any()


def test_rough_offsets_of_components_without_a_chance_change_no_step(monkeypatch):
    exact = VAEStack.log_offset

    def take_steps():
        learned = {"kind": "gaussian", "variance": "learned", "samples": "draws"}
        components, classifier = build(change(VAE, count=4, likelihood=learned), standardize="cells", shape=(3,))
        [(_, stack)] = components.stacks
        fake = torch.randn(4, 16, 3, generator=torch.Generator().manual_seed(0))
        fake += 30.0 * torch.arange(4)[:, None, None]
        stack.fit_standardizations(fake)
        real = fake[:1] + 1.0  # otherwise the offsets leave nothing to learn, and Adam follows the rounding
        losses = torch.stack([classifier.step(real.expand(4, -1, -1), fake) for _ in range(5)])
        return [losses, *classifier.network.parameters()]

    rough = take_steps()
    monkeypatch.setattr(VAEStack, "log_offset", lambda stack, x, skims: exact(stack, x))
    for found, expected in zip(rough, take_steps(), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_only_training_skims(monkeypatch):
    """Scores are exact: they decide who wins a point."""
    asked = []
    exact = VAEStack.log_offset

    def note(stack, x, *, skims=False):
        asked.append(skims)
        return exact(stack, x, skims=skims)

    monkeypatch.setattr(VAEStack, "log_offset", note)
    learned = {"kind": "gaussian", "variance": "learned", "samples": "draws"}
    _, classifier = build(change(VAE, count=2, likelihood=learned))
    classifier.log_ratios(torch.randn(6, 2))
    classifier.step(torch.randn(2, 6, 2), torch.randn(2, 6, 2))
    classifier.log_ratios(torch.randn(6, 2))
    assert asked == [False, True, False]
