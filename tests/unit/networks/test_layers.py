"""Every stacked layer is k copies of PyTorch's own, component by component."""

import pytest
import torch
from torch import nn

from competitive_mixtures.networks.layers import BatchNorm, Conv, ConvTranspose, Linear, draw_normal
from competitive_mixtures.seeding import make_generators

K = 3


def generators(count=K):
    return make_generators(0, "layers", components=range(count))


def fold(x):
    """(k, batch, c, h, w) to the layout of convolutions, (batch, k * c, h, w)."""
    return x.transpose(0, 1).flatten(1, 2)


def unfold(y, count):
    return y.unflatten(1, (count, -1)).transpose(0, 1)


def weight_of(layer, j):
    """Weight and bias that component j works with."""
    row = 0 if layer.shared else j
    return layer.weight[row], layer.bias[row]


def copy_into(module, weight, bias):
    with torch.no_grad():
        module.weight.copy_(weight)
        module.bias.copy_(bias)
    return module


@pytest.mark.parametrize("shared", [False, True])
def test_linear_is_torchs_for_every_component(shared):
    layer = Linear(4, 5, generators(), shared=shared)
    x = torch.randn(K, 7, 4)
    y = layer(x)
    for j in range(K):
        weight, bias = weight_of(layer, j)
        twin = copy_into(nn.Linear(4, 5), weight.T, bias)
        torch.testing.assert_close(y[j], twin(x[j]))


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(("size", "stride", "padding"), [(4, 2, 1), (3, 1, 1)])
def test_convolution_is_torchs_for_every_component(shared, size, stride, padding):
    layer = Conv(2, 5, size, stride, padding, generators(), shared=shared)
    x = torch.randn(K, 3, 2, 9, 6)
    y = unfold(layer(fold(x)), K)
    for j in range(K):
        twin = copy_into(nn.Conv2d(2, 5, size, stride, padding), *weight_of(layer, j))
        torch.testing.assert_close(y[j], twin(x[j]), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shared", [False, True])
def test_transposed_convolution_is_torchs_for_every_component(shared):
    layer = ConvTranspose(2, 5, generators(), shared=shared)
    x = torch.randn(K, 3, 2, 3, 4)
    y = unfold(layer(fold(x)), K)
    assert y.shape == (K, 3, 5, 6, 8)
    for j in range(K):
        twin = copy_into(nn.ConvTranspose2d(2, 5, 4, 2, 1), *weight_of(layer, j))
        torch.testing.assert_close(y[j], twin(x[j]), rtol=1e-5, atol=1e-5)


def test_batch_norm_is_torchs_for_every_component_in_training_and_after():
    layer = BatchNorm(2, K)
    twins = [nn.BatchNorm2d(2) for _ in range(K)]
    with torch.no_grad():
        layer.weight.uniform_(0.5, 2)
        layer.bias.uniform_(-1, 1)
    for j, twin in enumerate(twins):
        copy_into(twin, layer.weight[j], layer.bias[j])
    for step in range(4):
        if step == 3:
            layer.eval()
            [twin.eval() for twin in twins]
        x = torch.randn(K, 6, 2, 3, 3) * torch.arange(1, K + 1).view(K, 1, 1, 1, 1)
        y = unfold(layer(fold(x)), K)
        for j, twin in enumerate(twins):
            torch.testing.assert_close(y[j], twin(x[j]))
            torch.testing.assert_close(layer.mean[j], twin.running_mean)
            torch.testing.assert_close(layer.variance[j], twin.running_var)


@pytest.mark.parametrize("bias", [True, False])
def test_input_for_all_goes_through_own_layers_as_its_copies_would_and_stays_one_in_shared_ones(bias):
    x, images = torch.randn(1, 7, 4), torch.randn(7, 2, 9, 6)
    own, shared = (Linear(4, 5, generators(), shared=s, bias=bias) for s in (False, True))
    torch.testing.assert_close(own(x), own(x.expand(K, -1, -1)))
    assert shared(x).shape == (1, 7, 5)
    own, shared = (Conv(2, 5, 4, 2, 1, generators(), shared=s, bias=bias) for s in (False, True))
    torch.testing.assert_close(own(images), own(images.repeat(1, K, 1, 1)), rtol=1e-5, atol=1e-5)
    assert shared(images).shape == (7, 5, 4, 3)


@pytest.mark.parametrize(
    ("build", "matrix_of"),
    [
        (lambda: Linear(6, 4, generators(), spectral=True), lambda weight: weight),
        (lambda: Conv(2, 5, 4, 2, 1, generators(), spectral=True), lambda weight: weight.flatten(1)),
    ],
)
def test_spectral_norm_converges_to_the_largest_singular_value(build, matrix_of):
    layer = build()
    for _ in range(300):
        weight = layer.normalized_weight()
    for j in range(K):
        largest = torch.linalg.svdvals(matrix_of(layer.weight[j]))[0]
        torch.testing.assert_close(weight[j], layer.weight[j] / largest, rtol=1e-4, atol=1e-5)


def test_power_iteration_moves_in_training_only():
    layer = Linear(6, 4, generators(), spectral=True)
    before = layer.singular_vector.clone()
    layer.eval()
    layer.normalized_weight()
    assert torch.equal(layer.singular_vector, before)
    layer.train()
    layer.normalized_weight()
    assert not torch.equal(layer.singular_vector, before)


def test_spectral_norm_has_the_gradient_of_the_quotient():
    layer = Linear(6, 4, generators(1), spectral=True)
    for _ in range(300):
        layer.normalized_weight()
    goal = torch.randn(6, 4)
    (layer.normalized_weight()[0] * goal).sum().backward()
    weight = layer.weight.detach()[0].requires_grad_()
    (weight / torch.linalg.matrix_norm(weight, 2) * goal).sum().backward()
    torch.testing.assert_close(layer.weight.grad[0], weight.grad, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("rows", [[0], [1, 2], [2, 0]])
def test_a_component_starts_the_same_whoever_is_beside_it(rows):
    whole = Linear(4, 5, generators(), spectral=True)
    part = Linear(4, 5, make_generators(0, "layers", components=rows), spectral=True)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(part.state_dict()[name], tensor[rows])


def test_weights_start_within_their_bound_and_differ_between_components():
    layer = Conv(2, 5, 4, 2, 1, generators())
    bound = (2 * 4 * 4) ** -0.5
    assert layer.weight.abs().max() <= bound
    assert layer.weight.abs().max() > 0.9 * bound
    assert not torch.equal(layer.weight[0], layer.weight[1])


def test_noise_of_each_component_is_its_own_generators():
    noise = draw_normal(generators(), (4, 5, 2), torch.device("cpu"))
    assert noise.shape == (4, K, 5, 2)
    for j, generator in enumerate(generators()):
        assert torch.equal(noise[:, j], torch.randn(4, 5, 2, generator=generator))
    assert draw_normal(generators(), (5, 2), torch.device("cpu")).shape == (K, 5, 2)


def test_grouped_convolutions_keep_components_apart():
    layer = Conv(1, 2, 3, 1, 1, generators())
    x = torch.randn(K, 2, 1, 5, 5)
    y = unfold(layer(fold(x)), K)
    x[1] += 1
    moved = unfold(layer(fold(x)), K)
    assert torch.equal(moved[[0, 2]], y[[0, 2]])
    assert not torch.equal(moved[1], y[1])
