"""Gradients that are written out are those of autograd, and training by either ends at the same networks."""

import pytest
import torch
import torch.nn.functional as F
from examples import BASE

from competitive_mixtures import config
from competitive_mixtures.networks import discriminator, vae
from competitive_mixtures.networks.bodies import MLPEncoder, leaky_relu
from competitive_mixtures.networks.discriminator import DiscriminatorBank
from competitive_mixtures.networks.passes import MLPPass, is_plain
from competitive_mixtures.networks.vae import VAEBank
from competitive_mixtures.random import make_generators

K = 3


def make_mlp(*widths, shared=0, **options):
    generators = make_generators(0, "mlp", components=range(K))
    layers = [layer < shared for layer in range(len(widths) - 1)]
    return MLPEncoder(widths, generators, layers, **options)


@pytest.mark.parametrize("widths", [(2, 8, 8, 1), (5, 7, 3), (4, 2)])
def test_an_mlps_gradients_are_autograds(widths):
    network, written = make_mlp(*widths), MLPPass(make_mlp(*widths), 10)
    for _ in range(2):  # the second use of the memory is as good as the first
        x, slope = torch.randn(K, 10, widths[0], requires_grad=True), torch.randn(K, 10, widths[-1])
        y = network(x)
        expected = torch.autograd.grad(y, [x, *network.parameters()], slope)
        torch.testing.assert_close(written.forward(x.detach()), y.detach())
        torch.testing.assert_close(written.pull_back(written.backward(slope)), expected[0])
        torch.testing.assert_close(written.gradients, list(expected[1:]))


def test_only_separate_rectified_networks_are_plain():
    assert is_plain(make_mlp(2, 8, 1, activation=F.relu))
    assert not is_plain(make_mlp(2, 8, 1, shared=1))
    assert not is_plain(make_mlp(2, 8, 1, spectral=True))
    assert not is_plain(make_mlp(2, 8, 1, activation=leaky_relu))
    assert not is_plain(torch.nn.ReLU())


def step_both_ways(monkeypatch, module, banks, draw, batch_sizes):
    """Losses and states of two equal banks after the same steps, written out and by autograd."""
    losses = []
    for bank, plain in zip(banks, (is_plain, lambda network: False), strict=True):
        monkeypatch.setattr(module, "is_plain", plain)
        torch.manual_seed(1)
        losses.append([bank.step(*draw(size)) for size in batch_sizes])
    torch.testing.assert_close(losses[0], losses[1], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(banks[0].state(), banks[1].state(), rtol=1e-5, atol=1e-5)
    assert banks[0].passes is not None
    assert banks[1].passes is None


@pytest.mark.parametrize(
    "likelihood",
    [
        {"kind": "bernoulli"},
        {"kind": "gaussian", "variance": 0.5, "samples": "draws"},
        {"kind": "gaussian", "variance": "learned", "samples": "draws"},
    ],
)
def test_vaes_train_as_by_autograd(monkeypatch, likelihood):
    settings = config.VAE.model_validate(BASE["components"][0] | {"likelihood": likelihood})
    banks = [VAEBank(settings, (4,), make_generators(0, "vae", components=range(K))) for _ in range(2)]

    def draw(size):
        return torch.rand(K, size, 4), torch.randn(K, size, settings.latent_dim)

    step_both_ways(monkeypatch, vae, banks, draw, [32] * 5 + [7] * 5)


def test_discriminators_train_as_by_autograd(monkeypatch):
    settings = config.Scoring.model_validate(BASE["scoring"])
    banks = [DiscriminatorBank(settings, (2,), make_generators(0, "judges", components=range(K))) for _ in range(2)]

    def draw(size):
        return torch.randn(1, size, 2), torch.randn(K, size, 2)

    step_both_ways(monkeypatch, discriminator, banks, draw, [32] * 5 + [7] * 5)
