"""Gradients that are written out are those of autograd, and training by either ends at the same networks."""

import pytest
import torch
from examples import BASE

from competitive_mixtures.networks.architectures import MLPEncoder
from competitive_mixtures.networks.discriminator import DiscriminatorStack
from competitive_mixtures.networks.kernels import availability
from competitive_mixtures.networks.kernels.backprop import MLPBackprop
from competitive_mixtures.networks.vae import VAEStack
from competitive_mixtures.seeding import make_generators
from competitive_mixtures.settings import schema

K = 3


def make_mlp(*widths, shared=0, **options):
    generators = make_generators(0, "mlp", components=range(K))
    layers = [layer < shared for layer in range(len(widths) - 1)]
    return MLPEncoder(widths, generators, layers, **options)


@pytest.mark.parametrize("widths", [(2, 8, 8, 1), (5, 7, 3), (4, 2)])
def test_an_mlps_gradients_are_autograds(widths):
    network, written = make_mlp(*widths), MLPBackprop(list(make_mlp(*widths).parameters()))
    written.reserve(10)
    for _ in range(2):  # the second use of the memory is as good as the first
        x, gradient = torch.randn(K, 10, widths[0], requires_grad=True), torch.randn(K, 10, widths[-1])
        y = network(x)
        expected = torch.autograd.grad(y, [x, *network.parameters()], gradient)
        torch.testing.assert_close(written.forward(x.detach()), y.detach())
        torch.testing.assert_close(written.input_gradient(written.backward(gradient)), expected[0])
        torch.testing.assert_close(written.gradients, list(expected[1:]))


def step_both_ways(monkeypatch, build, draw, batch_sizes):
    """Losses and states of two equal stacks after the same steps, written out and by autograd.

    Both have one Adam: where a gradient is zero but for rounding, another one would take its steps elsewhere.
    """
    stacks, losses = [], []
    for available in (True, False):
        monkeypatch.setattr(availability, "has", lambda kernel, available=available: available or kernel != "backprop")
        stacks.append(build())
        torch.manual_seed(1)
        losses.append([stacks[-1].step(*draw(size)) for size in batch_sizes])
    torch.testing.assert_close(losses[0], losses[1], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(stacks[0].state(), stacks[1].state(), rtol=1e-5, atol=1e-5)
    assert stacks[0].backprop is not None
    assert stacks[1].backprop is None


@pytest.mark.parametrize(
    "likelihood",
    [
        {"kind": "bernoulli"},
        {"kind": "gaussian", "variance": 0.5, "samples": "draws"},
        {"kind": "gaussian", "variance": "learned", "samples": "draws"},
    ],
)
def test_vaes_train_as_by_autograd(monkeypatch, likelihood):
    settings = schema.VAE.model_validate(BASE["components"][0] | {"likelihood": likelihood})

    def build():
        return VAEStack(settings, (4,), make_generators(0, "vae", components=range(K)))

    def draw(size):
        return torch.rand(K, size, 4), torch.randn(K, size, settings.latent_dim)

    step_both_ways(monkeypatch, build, draw, [32] * 5 + [7] * 5)


def test_discriminators_train_as_by_autograd(monkeypatch):
    settings = schema.Discriminators.model_validate(BASE["scoring"])

    def build():
        return DiscriminatorStack(settings, (2,), make_generators(0, "discriminators", components=range(K)))

    def draw(size):
        return torch.randn(1, size, 2), torch.randn(K, size, 2)

    step_both_ways(monkeypatch, build, draw, [32] * 5 + [7] * 5)
