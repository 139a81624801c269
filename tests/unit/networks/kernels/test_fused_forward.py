"""Networks that score one after the other give what they give side by side."""

import pytest
import torch
import torch.nn.functional as F

from competitive_mixtures.networks.architectures import MLPEncoder, leaky_relu, plain_parameters
from competitive_mixtures.networks.kernels import availability
from competitive_mixtures.networks.kernels.fused_forward import apply_one_by_one
from competitive_mixtures.seeding import make_generators

K = 3


def make_mlp(*widths, shared=0, **options):
    generators = make_generators(0, "mlp", components=range(K))
    layers = [layer < shared for layer in range(len(widths) - 1)]
    return MLPEncoder(widths, generators, layers, **options)


@pytest.mark.parametrize("widths", [(2, 64, 64, 1), (784, 128, 1), (5, 7, 3), (4, 2)])
@pytest.mark.parametrize("rows", [1, 500])
def test_outputs_are_those_of_the_formula(widths, rows):
    network, x = make_mlp(*widths), torch.randn(rows, widths[0])
    parameters = plain_parameters(network)
    if not availability.suits("fused_forward", parameters):
        pytest.skip("this PyTorch is built without oneDNN")
    y = x.double().expand(K, -1, -1)
    for layer in network.layers:
        y = y.relu() if layer is not network.layers[0] else y
        y = y @ layer.weight.double() + layer.bias.double()[:, None]
    found = apply_one_by_one(parameters, x)
    assert found.shape == (K, rows, widths[-1])
    torch.testing.assert_close(found.double(), y, rtol=1e-5, atol=1e-5)


def test_only_separate_rectified_networks_are_taken():
    def suits(network):
        return availability.suits("fused_forward", plain_parameters(network))

    assert not suits(make_mlp(2, 8, 1, shared=1))
    assert not suits(make_mlp(2, 8, 1, spectral=True))
    assert not suits(make_mlp(2, 8, 1, activation=leaky_relu))
    assert not suits(torch.nn.ReLU())
    assert suits(make_mlp(2, 8, 1, activation=F.relu)) == torch.backends.mkldnn.is_available()
