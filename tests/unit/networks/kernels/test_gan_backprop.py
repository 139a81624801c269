"""GANs' gradients that are written out are those of autograd, through spectral norms and the gradient penalty too."""

import pytest
import torch
from examples import GAN, WASSERSTEIN, change
from test_backprop import K, make_mlp, step_both_ways

from competitive_mixtures.networks.gan import MAX_LOGIT, GANStack
from competitive_mixtures.networks.kernels.gan_backprop import GANBackprop, GradientPenalty, SpectralBackprop
from competitive_mixtures.seeding import make_generators
from competitive_mixtures.settings import schema

LOSSES = {"logistic": {"kind": "non_saturating"}, "wasserstein": WASSERSTEIN}


def get_vectors(network):
    return [layer.singular_vector for layer in network.linears]


@pytest.mark.parametrize("widths", [(2, 8, 8, 1), (5, 7, 3), (4, 2)])
def test_gradients_through_spectral_norms_are_autograds(widths):
    network, twin = make_mlp(*widths, spectral=True), make_mlp(*widths, spectral=True)
    written = SpectralBackprop(list(twin.parameters()), get_vectors(twin))
    written.reserve(10)
    for _ in range(3):  # the power iteration goes on in both
        x, gradient = torch.randn(K, 10, widths[0], requires_grad=True), torch.randn(K, 10, widths[-1])
        y = network(x)
        expected = torch.autograd.grad(y, [x, *network.parameters()], gradient)
        torch.testing.assert_close(written.forward(x.detach()), y.detach())
        torch.testing.assert_close(get_vectors(twin), get_vectors(network))
        torch.testing.assert_close(written.pass_through(gradient), expected[0])
        torch.testing.assert_close(written.input_gradient(written.backward(gradient)), expected[0])
        torch.testing.assert_close(written.gradients, list(expected[1:]))


def test_a_weight_and_its_multiple_have_one_norm():
    # dividing by the spectral norm undoes any factor: along the weight itself the loss does not change
    network = make_mlp(4, 6, 1, spectral=True)
    written = SpectralBackprop(list(network.parameters()), get_vectors(network))
    written.reserve(9)
    written.forward(torch.randn(K, 9, 4))
    written.backward(torch.randn(K, 9, 1))
    for weight, gradient in zip(written.weights, written.gradients[::2], strict=True):
        assert gradient.abs().max() > 0.01
        torch.testing.assert_close((weight * gradient).sum((1, 2)), torch.zeros(K), rtol=0, atol=1e-5)


@pytest.mark.parametrize("widths", [(2, 8, 8, 1), (5, 7, 1), (4, 1)])
def test_the_penaltys_gradient_is_autograds(widths):
    network = make_mlp(*widths)
    parameters = list(network.parameters())
    written = GradientPenalty(parameters, 10.0)
    written.reserve(10)
    for _ in range(2):
        between, before = torch.randn(K, 10, widths[0]), [torch.randn_like(p) for p in parameters]
        gradients = [tensor.clone() for tensor in before]
        penalties = written.run(between, gradients)
        points = between.clone().requires_grad_()
        (slope,) = torch.autograd.grad(network(points).sum(), points, create_graph=True)
        expected = 10 * (slope.norm(dim=2) - 1).square().mean(1)
        own = torch.autograd.grad(expected.sum(), parameters, allow_unused=True)
        torch.testing.assert_close(penalties, expected.detach())
        for gradient, start, change_ in zip(gradients, before, own, strict=True):
            torch.testing.assert_close(gradient, start if change_ is None else start + change_)


def test_a_flat_critic_is_penalised_by_one_and_has_no_direction():
    parameters = [torch.zeros(K, 2, 1), torch.zeros(K, 1)]
    penalty, gradients = GradientPenalty(parameters, 3.0), [torch.zeros_like(p) for p in parameters]
    penalty.reserve(4)
    torch.testing.assert_close(penalty.run(torch.randn(K, 4, 2), gradients), torch.full((K,), 3.0))
    assert all((gradient == 0).all() for gradient in gradients)


@pytest.mark.parametrize("shape", [(2,), (1, 3, 2)], ids=["vectors", "images"])
@pytest.mark.parametrize("loss", LOSSES)
def test_gans_train_as_by_autograd(monkeypatch, loss, shape):
    block = change(GAN, loss=LOSSES[loss], critic_steps=2, generator={"hidden": [8, 8]}, critic={"hidden": [8, 8]})
    settings = schema.GAN.model_validate(block)

    def build():
        return GANStack(settings, shape, make_generators(0, "gan", components=range(K)))

    def draw(size):
        return torch.rand(K, 2 * size, *shape), torch.randn(K, 3 * size, settings.latent_dim + 1)

    # powers of two: at other sizes shares of a batch are rounded, which the Wasserstein loss magnifies
    step_both_ways(monkeypatch, build, draw, [32] * 5 + [8] * 5)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_of_any_batch_are_autograds(loss, count):
    block = change(GAN, loss=LOSSES[loss], count=count, critic={"hidden": [8, 8]})
    stack = GANStack(schema.GAN.model_validate(block), (2,), make_generators(0, "gan", components=range(count)))
    written, seen = stack.backprop, []
    vectors = dict(stack.critic.named_buffers())  # of the spectral norms, which every pass moves on
    for optimizer in stack.optimizers.values():
        optimizer.descend = lambda gradients: seen.append([gradient.clone() for gradient in gradients])
    for size in (7, 10, 1, 7):  # rooms of another size are as good
        x, noise = torch.randn(count, size, 2), torch.randn(count, 2 * size, 3)
        before = {name: vector.clone() for name, vector in vectors.items()}
        for stack.backprop in (written, None):
            for name, vector in vectors.items():
                vector.copy_(before[name])
            seen.append(stack.update(x, noise))
        by_hand, by_autograd = seen[:3], seen[3:]
        torch.testing.assert_close(by_hand, by_autograd, rtol=1e-4, atol=1e-6)
        seen.clear()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("sign", [1, -1])
def test_saturated_pixels_are_pulled_back_as_by_autograd(monkeypatch, loss, sign):
    settings = schema.GAN.model_validate(change(GAN, loss=LOSSES[loss]))

    def build():
        stack = GANStack(settings, (1, 3, 2), make_generators(0, "gan", components=range(K)))
        with torch.no_grad():
            stack.generator.linears[-1].bias.fill_(sign * 2 * MAX_LOGIT)
        return stack

    def draw(size):
        return torch.rand(K, size, 1, 3, 2), torch.randn(K, 2 * size, settings.latent_dim + 1)

    step_both_ways(monkeypatch, build, draw, [32] * 5)
    stack = build()
    stack.step(*draw(32))
    bias = stack.generator.linears[-1].bias.detach()
    assert (bias.abs() < 2 * MAX_LOGIT).all()


def test_the_critics_gradients_are_not_touched_by_the_generators():
    settings = schema.GAN.model_validate(GAN)
    stack = GANStack(settings, (2,), make_generators(0, "gan", components=range(K)))
    assert isinstance(stack.backprop, GANBackprop)
    stack.backprop.run_critic(torch.randn(K, 8, 2), torch.randn(K, 8, 2), torch.rand(K, 8, 1))
    before = [gradient.clone() for gradient in stack.backprop.critic_gradients]
    stack.backprop.run_generator(torch.randn(K, 8, 2))
    assert all(torch.equal(a, b) for a, b in zip(before, stack.backprop.critic_gradients, strict=True))
