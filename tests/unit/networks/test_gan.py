"""GANs against plain PyTorch modules that play the same game, component by component."""

import pytest
import torch
import torch.nn.functional as F
from examples import CONV_GAN, GAN, WASSERSTEIN, change
from test_stack import make_stack, take_steps
from torch import nn

from competitive_mixtures.seeding import make_generators

K = 3
LOSSES = {"non_saturating": GAN["loss"], "wgan_gp": WASSERSTEIN}


def copy_mlp(layers, j, activation):
    """Component j of stacked fully connected layers as torch modules."""
    modules = []
    for layer in layers:
        inputs, outputs = layer.weight.shape[1:]
        twin = nn.Linear(inputs, outputs)
        with torch.no_grad():
            twin.weight.copy_(layer.weight[j].T)
            twin.bias.copy_(layer.bias[j])
        modules += [twin, activation]
    return nn.Sequential(*modules[:-1])


def divide_by_norm(critic, x):
    """A critic with every weight over its largest singular value."""
    for module in critic:
        if isinstance(module, nn.Linear):
            x = F.linear(x, module.weight / torch.linalg.matrix_norm(module.weight, 2), module.bias)
        else:
            x = module(x)
    return x


def settle_spectral_norms(stack):
    for layer in stack.critic.layers:
        for _ in range(100):
            layer.normalized_weight()


@pytest.mark.parametrize("loss", LOSSES)
def test_steps_are_those_of_a_plain_gan(loss):
    rate = 1e-4  # small, so that one power iteration a step keeps up with the weights
    adam = {"learning_rate": rate, "beta1": 0.5, "beta2": 0.9}
    critic_adam = adam | {"beta1": 0.0}
    stack = make_stack(change(GAN, loss=LOSSES[loss], critic_steps=2, optimizer=adam, critic_optimizer=critic_adam))
    settle_spectral_norms(stack)
    generators = [copy_mlp(stack.generator.layers, j, nn.ReLU()) for j in range(K)]
    critics = [copy_mlp(stack.critic.layers, j, nn.ReLU()) for j in range(K)]
    score = divide_by_norm if loss == "non_saturating" else (lambda critic, x: critic(x))
    optimizers = [
        (
            torch.optim.Adam(generator.parameters(), rate, betas=(0.5, 0.9)),
            torch.optim.Adam(critic.parameters(), rate, betas=(0.0, 0.9)),
        )
        for generator, critic in zip(generators, critics, strict=True)
    ]
    for _ in range(5):
        x, noise = torch.randn(K, 2 * 8, 2), torch.randn(K, 3 * 8, 3)
        losses = stack.step(x, noise)
        for j in range(K):
            generator, critic = generators[j], critics[j]
            of_generator, of_critic = optimizers[j]
            for part in range(2):
                real, own = x[j, 8 * part : 8 * part + 8], noise[j, 8 * part : 8 * part + 8]
                fake = generator(own[:, :2]).detach()
                if loss == "non_saturating":
                    cost = -F.logsigmoid(score(critic, real)).mean() - F.logsigmoid(-score(critic, fake)).mean()
                else:
                    weight = torch.distributions.Normal(0, 1).cdf(own[:, 2:])
                    between = (weight * real + (1 - weight) * fake).requires_grad_()
                    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
                    penalty = 10 * ((gradient.norm(dim=1) - 1) ** 2).mean()
                    cost = critic(fake).mean() - critic(real).mean() + penalty
                of_critic.zero_grad()
                cost.backward()
                of_critic.step()
            scores = score(critic, generator(noise[j, 16:, :2]))
            deceit = (-F.logsigmoid(scores) if loss == "non_saturating" else -scores).mean()
            of_generator.zero_grad()
            deceit.backward()
            of_generator.step()
            torch.testing.assert_close(losses[j], (cost + deceit).detach(), rtol=1e-3, atol=1e-4)
    for j in range(K):
        ours = copy_mlp(stack.generator.layers, j, nn.ReLU())
        for p, q in zip(ours.parameters(), generators[j].parameters(), strict=True):
            torch.testing.assert_close(p, q, rtol=0, atol=0.1 * rate)


def test_the_running_mean_follows_the_generator():
    stack = make_stack(change(GAN, averaging=0.75))
    mean = [p.clone() for p in stack.average.parameters()]
    for step in range(4):
        take_steps(stack, range(K), 1, seed=step)
        mean = [0.75 * m + 0.25 * p.detach() for m, p in zip(mean, stack.generator.parameters(), strict=True)]
    for expected, found in zip(mean, stack.average.parameters(), strict=True):
        torch.testing.assert_close(found, expected)


def test_without_averaging_the_generator_itself_draws():
    stack = make_stack(change(GAN, averaging=0.0))
    take_steps(stack, range(K), 3)
    samples = stack.sample(make_generators(1, components=range(K)), 6)
    latents = torch.stack([torch.randn(6, 2, generator=g) for g in make_generators(1, components=range(K))])
    torch.testing.assert_close(samples, stack.generator(latents).detach())


def test_only_what_is_trained_counts_as_parameters():
    # generator 2-8-2, critic 2-8-1; the running mean is a copy
    assert make_stack(GAN).num_parameters == K * (2 * 8 + 8 + 8 * 2 + 2 + 2 * 8 + 8 + 8 + 1)


@pytest.mark.parametrize("block", [GAN, CONV_GAN], ids=["mlp", "conv"])
@pytest.mark.parametrize("loss", LOSSES)
def test_samples(block, loss):
    stack = make_stack(block | {"loss": LOSSES[loss], "critic_steps": 2})
    take_steps(stack, range(K), 3)
    samples = stack.sample(make_generators(1, components=range(K)), 5)
    assert samples.shape == (K, 5, *stack.shape)
    assert torch.isfinite(samples).all()
    assert stack.training
    if len(stack.shape) == 3:
        assert samples.min() >= 0
        assert samples.max() <= 1


def test_critic_of_images_has_no_batch_norm():
    stack = make_stack(CONV_GAN)
    x = torch.rand(K, 6, 1, 8, 8)
    stack.critic.eval()  # no power iteration between the two calls
    torch.testing.assert_close(stack.critic(x)[:, :2], stack.critic(x[:, :2]))


def test_a_gan_learns_where_its_points_are():
    stack = make_stack(change(GAN, optimizer={"beta1": 0.5}, critic_optimizer={"beta1": 0.5}))
    centres = torch.tensor([[-2.0, 0.0], [2.0, 0.0], [0.0, 2.0]])
    streams = make_generators(0, "steps", components=range(K))
    for _ in range(250):
        (noise,) = stack.draw_noise(streams, 1, 32)
        stack.step(centres[:, None] + 0.2 * torch.randn(K, 32, 2), noise)
    means = stack.sample(make_generators(1, components=range(K)), 500).mean(1)
    assert (means - centres).norm(dim=1).max() < 0.7


class Critic(nn.Module):
    """Scores (k, batch, d) points by a formula."""

    def __init__(self, formula):
        super().__init__()
        self.forward = formula


def test_penalty_of_a_linear_critic():
    # its gradient is its weight everywhere, so that the penalty is 10 (|w| - 1)^2 wherever the points are
    stack = make_stack(change(GAN, loss=WASSERSTEIN))
    weights = torch.tensor([[3.0, 4.0], [0.6, 0.8], [0.0, 0.0]])
    stack.critic = Critic(lambda x: torch.einsum("kbi,ki->kb", x, weights).unsqueeze(2))
    penalties = stack._penalize(torch.randn(K, 9, 2), torch.randn(K, 9, 2), torch.randn(K, 9))
    torch.testing.assert_close(penalties, 10 * (weights.norm(dim=1) - 1) ** 2)


def test_penalty_mixes_uniformly():
    # for a critic |x|^2 / 2 the gradient is the mixed point itself: here its distance from 0, uniform between 0 and 1
    stack = make_stack(change(GAN, loss=WASSERSTEIN))
    stack.critic = Critic(lambda x: 0.5 * x.square().sum(2, keepdim=True))
    real, fake = torch.zeros(K, 20000, 2), torch.tensor([1.0, 0.0]).expand(K, 20000, 2)
    noise = torch.randn(K, 20000, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(stack._penalize(real, fake, noise), torch.full((K,), 10 / 3), rtol=0.05, atol=0)


@pytest.mark.parametrize("block", [change(GAN, loss=WASSERSTEIN), CONV_GAN], ids=["plane", "images"])
@pytest.mark.parametrize("part", ["optimizer", "critic_optimizer"])
def test_a_rate_of_10_shows_in_the_loss(block, part):
    stack = make_stack(change(block, **{part: {"learning_rate": 10.0}}))
    x = torch.rand(K, 32, *stack.shape, generator=torch.Generator().manual_seed(0))
    (noise,) = stack.draw_noise(make_generators(0, components=range(K)), 1, 32)
    assert max(stack.step(x, noise).abs().min().item() for _ in range(20)) > 15  # 2.1 is usual


def test_saturated_pixels_are_pulled_back():
    stack = make_stack(change(CONV_GAN, optimizer={"learning_rate": 1.0}))
    with torch.no_grad():
        stack.generator.last.bias.fill_(60.0)
    take_steps(stack, range(K), 1)
    torch.testing.assert_close(stack.generator.last.bias.detach(), torch.full((K, 1), 59.0))  # one step of Adam
