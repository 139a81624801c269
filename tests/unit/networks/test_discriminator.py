"""Discriminators: their loss, what they report, and that they find a density ratio that is known."""

import math

import pytest
import torch
import torch.nn.functional as F
from examples import ADAM, BASE, CONV, change

from competitive_mixtures import config
from competitive_mixtures.networks.discriminator import ClassifierBank, DiscriminatorBank
from competitive_mixtures.random import make_generators

K = 3


def make_judges(shape=(2,), count=K, family=DiscriminatorBank, **options):
    settings = config.Scoring.model_validate(change(BASE["scoring"], **options))
    return family(settings, shape, make_generators(0, "judges", components=range(count)))


@pytest.mark.parametrize("trunk", ["separate", "shared"])
@pytest.mark.parametrize(("network", "shape"), [(BASE["scoring"]["network"], (2,)), (CONV, (1, 8, 8))])
def test_loss_is_the_mean_cross_entropy(trunk, network, shape):
    bank = make_judges(shape, trunk=trunk, network=network)
    real, fake = torch.rand(K, 12, *shape), torch.rand(K, 12, *shape)
    if trunk == "shared":
        real = real[:1].expand_as(real)
    logits = bank.network(torch.cat([real, fake], dim=1)).squeeze(2).detach()
    labels = torch.cat([torch.ones(12), torch.zeros(12)])
    expected = [F.binary_cross_entropy_with_logits(logits[j], labels) for j in range(K)]
    torch.testing.assert_close(bank.step(real, fake), torch.stack(expected), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("trunk", ["separate", "shared"])
@pytest.mark.parametrize(("network", "shape"), [(BASE["scoring"]["network"], (2,)), (CONV, (1, 8, 8))])
def test_log_ratio_is_minus_the_logit(trunk, network, shape):
    bank = make_judges(shape, trunk=trunk, network=network)
    for _ in range(3):
        bank.step(torch.rand(K, 12, *shape), torch.rand(K, 12, *shape))
    points = torch.rand(7, *shape)
    ratios = bank.log_ratios(points)
    assert ratios.shape == (7, K)
    assert bank.training
    bank.eval()
    d = torch.sigmoid(bank.network(points.expand(K, -1, *shape))).squeeze(2).double()
    torch.testing.assert_close(ratios.double(), ((1 - d) / d).log().T.detach(), rtol=1e-4, atol=1e-5)


def train(bank, steps, draw_fake):
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        real = torch.randn(bank.count, 256, 1, generator=generator)
        bank.step(real, draw_fake(generator))


@pytest.mark.parametrize("kind", [DiscriminatorBank, ClassifierBank])
def test_density_ratio_of_gaussians_is_found(kind):
    """Between N(m, 1) and N(0, 1) it is m x - m^2 / 2 in logarithms."""
    means = torch.tensor([-1.0, 0.0, 1.0])
    bank = make_judges((1,), family=kind, optimizer=ADAM | {"learning_rate": 0.01})
    train(bank, 400, lambda g: torch.randn(K, 256, 1, generator=g) + means.view(K, 1, 1))
    x = torch.linspace(-1.5, 1.5, 31)
    expected = x[:, None] * means - means**2 / 2
    assert (bank.log_ratios(x[:, None]) - expected).abs().mean() < 0.2


@pytest.mark.parametrize("kind", [DiscriminatorBank, ClassifierBank])
def test_equal_distributions_cost_the_logarithm_of_the_number_of_classes(kind):
    bank = make_judges((1,), family=kind)
    train(bank, 200, lambda g: torch.randn(K, 256, 1, generator=g))
    losses = bank.step(torch.randn(K, 4096, 1), torch.randn(K, 4096, 1))
    assert losses.shape == (K,)
    torch.testing.assert_close(
        losses, torch.full((K,), math.log(2 if kind is DiscriminatorBank else K + 1)), atol=0.02, rtol=0
    )


@pytest.mark.parametrize(
    ("options", "kind", "networks", "drawn", "parameters"),
    [
        # 2-8-1: 33 parameters; the trunk alone 24, a head 9
        ({}, DiscriminatorBank, K, 2 * K * 10, 33 * K),
        ({"trunk": "shared"}, DiscriminatorBank, 1, (K + 1) * 10, 24 + 9 * K),
        ({"kind": "classifier"}, ClassifierBank, 1, (K + 1) * 10, 24 + 9 * (K + 1)),
    ],
)
def test_costs(options, kind, networks, drawn, parameters):
    bank = make_judges(family=kind, **options)
    assert (bank.num_networks, bank.samples_per_step(10), bank.num_parameters) == (networks, drawn, parameters)


def test_one_component():
    for kind in (DiscriminatorBank, ClassifierBank):
        bank = make_judges(count=1, family=kind)
        bank.step(torch.rand(1, 5, 2), torch.rand(1, 5, 2))
        assert bank.log_ratios(torch.rand(4, 2)).shape == (4, 1)
