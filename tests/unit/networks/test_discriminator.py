"""Discriminators: their loss, what they report, and that they find a density ratio that is known."""

import math

import pytest
import torch
import torch.nn.functional as F
from examples import ADAM, BASE, CONV, make_experiment

from competitive_mixtures.networks.discriminator import ClassifierStack, DiscriminatorStack
from competitive_mixtures.seeding import make_generators

K = 3


def make_judges(shape=(2,), count=K, family=DiscriminatorStack, **options):
    kind = "classifier" if family is ClassifierStack else "discriminators"
    settings = make_experiment(scoring={"kind": kind} | options).scoring
    return family(settings, shape, make_generators(0, "discriminators", components=range(count)))


@pytest.mark.parametrize("trunk", ["separate", "shared"])
@pytest.mark.parametrize(("network", "shape"), [(BASE["scoring"]["network"], (2,)), (CONV, (1, 8, 8))])
def test_loss_is_the_mean_cross_entropy(trunk, network, shape):
    stack = make_judges(shape, trunk=trunk, network=network)
    real, fake = torch.rand(K, 12, *shape), torch.rand(K, 12, *shape)
    if trunk == "shared":
        real = real[:1].expand_as(real)
    logits = stack.network(torch.cat([real, fake], dim=1)).squeeze(2).detach()
    labels = torch.cat([torch.ones(12), torch.zeros(12)])
    expected = [F.binary_cross_entropy_with_logits(logits[j], labels) for j in range(K)]
    torch.testing.assert_close(stack.step(real, fake), torch.stack(expected), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("trunk", ["separate", "shared"])
@pytest.mark.parametrize(("network", "shape"), [(BASE["scoring"]["network"], (2,)), (CONV, (1, 8, 8))])
def test_log_ratio_is_minus_the_logit(trunk, network, shape):
    stack = make_judges(shape, trunk=trunk, network=network)
    for _ in range(3):
        stack.step(torch.rand(K, 12, *shape), torch.rand(K, 12, *shape))
    points = torch.rand(7, *shape)
    ratios = stack.log_ratios(points)
    assert ratios.shape == (7, K)
    assert stack.training
    stack.eval()
    d = torch.sigmoid(stack.network(points.expand(K, -1, *shape))).squeeze(2).double()
    torch.testing.assert_close(ratios.double(), ((1 - d) / d).log().T.detach(), rtol=1e-4, atol=1e-5)


def train(stack, steps, draw_fake):
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        real = torch.randn(stack.count, 256, 1, generator=generator)
        stack.step(real, draw_fake(generator))


@pytest.mark.parametrize("kind", [DiscriminatorStack, ClassifierStack])
def test_density_ratio_of_gaussians_is_found(kind):
    """Between N(m, 1) and N(0, 1) it is m x - m^2 / 2 in logarithms."""
    means = torch.tensor([-1.0, 0.0, 1.0])
    stack = make_judges((1,), family=kind, optimizer=ADAM | {"learning_rate": 0.01})
    train(stack, 400, lambda g: torch.randn(K, 256, 1, generator=g) + means.view(K, 1, 1))
    x = torch.linspace(-1.5, 1.5, 31)
    expected = x[:, None] * means - means**2 / 2
    assert (stack.log_ratios(x[:, None]) - expected).abs().mean() < 0.2


@pytest.mark.parametrize("kind", [DiscriminatorStack, ClassifierStack])
def test_equal_distributions_cost_the_logarithm_of_the_number_of_classes(kind):
    stack = make_judges((1,), family=kind)
    train(stack, 200, lambda g: torch.randn(K, 256, 1, generator=g))
    losses = stack.step(torch.randn(K, 4096, 1), torch.randn(K, 4096, 1))
    assert losses.shape == (K,)
    torch.testing.assert_close(
        losses, torch.full((K,), math.log(2 if kind is DiscriminatorStack else K + 1)), atol=0.02, rtol=0
    )


@pytest.mark.parametrize(
    ("options", "kind", "networks", "drawn", "parameters"),
    [
        # 2-8-1: 33 parameters; the trunk alone 24, a head 9
        ({}, DiscriminatorStack, K, 2 * K * 10, 33 * K),
        ({"trunk": "shared"}, DiscriminatorStack, 1, (K + 1) * 10, 24 + 9 * K),
        ({"kind": "classifier"}, ClassifierStack, 1, (K + 1) * 10, 24 + 9 * (K + 1)),
    ],
)
def test_costs(options, kind, networks, drawn, parameters):
    stack = make_judges(family=kind, **options)
    assert (stack.num_networks, stack.samples_per_step(10), stack.num_parameters) == (networks, drawn, parameters)


def test_one_component():
    for kind in (DiscriminatorStack, ClassifierStack):
        stack = make_judges(count=1, family=kind)
        stack.step(torch.rand(1, 5, 2), torch.rand(1, 5, 2))
        assert stack.log_ratios(torch.rand(4, 2)).shape == (4, 1)
