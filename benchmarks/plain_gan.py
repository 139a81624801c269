"""The reference of the GANs in `training.py`: k GANs as a competent user of torch.nn writes them, one by one."""

import torch
import torch.nn.functional as F
from plain import stack_mlp
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from competitive_mixtures.networks.gan import MAX_LOGIT
from competitive_mixtures.settings import schema


class PlainGAN:
    """One GAN of fully connected networks, of the same layers, losses and steps as `GANStack` holds k of.

    A step of the generator fills the critic's gradients too, as in most programs; the critic's own step clears them.
    """

    def __init__(self, settings: schema.GAN, points: Tensor, batch_size: int) -> None:
        assert settings.generator.kind == settings.critic.kind == "mlp"
        self.settings, self.points, self.batch_size = settings, points, batch_size
        self.shape, size = points.shape[1:], points[0].numel()
        self.generator = stack_mlp(settings.latent_dim, *settings.generator.widths, size)
        self.critic = stack_mlp(size, *settings.critic.widths, 1)
        if settings.loss.kind == "non_saturating":
            for layer in self.critic:
                if isinstance(layer, nn.Linear):
                    spectral_norm(layer)
        self.average = AveragedModel(self.generator, multi_avg_fn=get_ema_multi_avg_fn(settings.averaging))
        self.of_generator, self.of_critic = (
            torch.optim.Adam(network.parameters(), options.learning_rate, (options.beta1, options.beta2))
            for network, options in (
                (self.generator, settings.optimizer),
                (self.critic, settings.critic_optimizer),
            )
        )

    def step(self) -> None:
        """Some steps of the critic and one of the generator."""
        for _ in range(self.settings.critic_steps):
            x = self.points[torch.randint(len(self.points), (self.batch_size,))].flatten(1)
            x = x.float() / 255 if x.dtype == torch.uint8 else x
            with torch.no_grad():
                fake = self.finish(self.generate())
            loss = self.judge(x, fake)
            self.of_critic.zero_grad()
            loss.backward()
            self.of_critic.step()
        output = self.generate()
        scores = self.critic(self.finish(output))
        loss = (F.softplus(-scores) if self.settings.loss.kind == "non_saturating" else -scores).mean()
        if len(self.shape) == 3:
            loss = loss + F.relu(output.abs() - MAX_LOGIT).square().mean()
        self.of_generator.zero_grad()
        loss.backward()
        self.of_generator.step()
        self.average.update_parameters(self.generator)

    def generate(self) -> Tensor:
        """What the generator makes of latents, (batch, d)."""
        return self.generator(torch.randn(self.batch_size, self.settings.latent_dim))

    def finish(self, output: Tensor) -> Tensor:
        """Samples: of images the sigmoid of the generator's output."""
        return output.sigmoid() if len(self.shape) == 3 else output

    def judge(self, real: Tensor, fake: Tensor) -> Tensor:
        """The critic's loss."""
        real_scores, fake_scores = self.critic(torch.cat([real, fake])).chunk(2)
        if self.settings.loss.kind == "non_saturating":
            return F.softplus(-real_scores).mean() + F.softplus(fake_scores).mean()
        between = torch.lerp(fake, real, torch.rand(len(real), 1)).requires_grad_()
        (gradient,) = torch.autograd.grad(self.critic(between).sum(), between, create_graph=True)
        penalty = self.settings.loss.gradient_penalty * (gradient.norm(dim=1) - 1).square().mean()
        return fake_scores.mean() - real_scores.mean() + penalty


class PlainGANs:
    """k GANs that take their steps in turn."""

    def __init__(self, settings: schema.GAN, points: Tensor, batch_size: int) -> None:
        self.networks = [PlainGAN(settings, points, batch_size) for _ in range(settings.count)]

    def train(self, num_steps: int) -> None:
        """Take steps on random batches."""
        for _ in range(num_steps):
            for network in self.networks:
                network.step()
