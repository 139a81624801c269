"""k generative adversarial networks (Goodfellow et al., 2014, arXiv 1406.2661) trained at once."""

import math
from copy import deepcopy
from itertools import chain

import torch
import torch.nn.functional as F
from torch import Tensor

from competitive_mixtures.networks.architectures import (
    MLP,
    build_decoder,
    build_encoder,
    choose_activation,
    plain_parameters,
)
from competitive_mixtures.networks.component import ComponentStack
from competitive_mixtures.networks.kernels import availability
from competitive_mixtures.networks.kernels.gan_backprop import GANBackprop
from competitive_mixtures.networks.layers import Generators, draw_normal
from competitive_mixtures.networks.stack import Trained, count_parameters
from competitive_mixtures.settings import schema

MAX_LOGIT = 30.0  # of a pixel: beyond it the sigmoid's gradient is below 1e-13


class GANStack(ComponentStack):
    """k generators, each with its own critic.

    `non_saturating`: the critic is spectrally normalised (Miyato et al., 2018, arXiv 1802.05957). `wgan_gp`:
    Wasserstein loss with a gradient penalty (Gulrajani et al., 2017, arXiv 1704.00028). Critics have no batch norm: the
    penalty is per point, and spectral norm takes its place. Samples are drawn by the running mean of a generator's
    weights, which does not circle around the equilibrium as the generator itself does (Yazıcı et al., 2019, arXiv
    1806.04498).
    """

    settings: schema.GAN

    def build_networks(self, generators: Generators) -> Trained:
        """Generator and critic, each trained on its own, and the generator's running mean."""
        settings = self.settings
        self.batches_per_step = settings.critic_steps
        self.generator = build_decoder(
            settings.generator, settings.latent_dim, self.shape, generators, num_shared=self.num_shared
        )
        self.critic = build_encoder(
            settings.critic,
            self.shape,
            1,
            generators,
            spectral=settings.loss.kind == "non_saturating",
            normalize=False,
            activation=choose_activation(settings.critic),
        )
        self.average = deepcopy(self.generator).requires_grad_(False)
        return {
            "generator": (self.generator, settings.optimizer),
            "critic": (self.critic, settings.critic_optimizer),
        }

    def prepare(self, device: torch.device | str, trained: Trained) -> None:
        """Choose the kernels too, which read the parameters where they lie."""
        super().prepare(device, trained)
        loss = self.settings.loss
        generator = plain_parameters(self.generator)
        critic = plain_parameters(self.critic, spectral=loss.kind == "non_saturating")
        self.backprop = None
        if availability.suits("backprop", generator) and availability.suits("backprop", critic):
            assert isinstance(self.critic, MLP)  # which plain networks are
            vectors = [layer.singular_vector for layer in self.critic.linears if layer.spectral]
            factor = loss.gradient_penalty if loss.kind == "wgan_gp" else None
            self.backprop = GANBackprop(generator, critic, vectors, factor, None if self.is_vector else MAX_LOGIT)

    @property
    def num_generating_parameters(self) -> int:
        """The generators'; their running means have as many."""
        return count_parameters(self.generator)

    def draw_noise(self, generators: Generators, num_steps: int, batch_size: int) -> Tensor:
        """Latents of each critic update and of the generator's, and one more column for the penalty's mixing weight.

        Returns:
            (num_steps, k, (critic_steps + 1) * batch, latent + 1), standard normal.
        """
        rows = (self.settings.critic_steps + 1) * batch_size
        return draw_normal(generators, (num_steps, rows, self.settings.latent_dim + 1), self.device)

    def update(self, x: Tensor, noise: Tensor) -> Tensor:
        """`critic_steps` updates of every critic and one of every generator.

        Args:
            x: (k, critic_steps * batch, *shape), real points of the cells.
            noise: (k, (critic_steps + 1) * batch, latent + 1), as drawn by `draw_noise`.

        Returns:
            (k,): loss of the critic's last update plus the generator's.
        """
        *critic_noise, generator_noise = noise.chunk(self.settings.critic_steps + 1, dim=1)
        for real, part in zip(x.chunk(self.settings.critic_steps, dim=1), critic_noise, strict=True):
            critic_losses = self._update_critic(real, part)
        losses = self._update_generator(generator_noise[..., :-1])
        self._update_average()
        return critic_losses + losses

    @torch.no_grad()
    def generate(self, generators: Generators, num_samples: int) -> Tensor:
        """Samples (k, num_samples, *shape)."""
        self.eval()
        latents = draw_normal(generators, (num_samples, self.settings.latent_dim), self.device)
        samples = self._finish(self.average(latents))
        self.train()
        return samples

    def _update_critic(self, real: Tensor, noise: Tensor) -> Tensor:
        if self.backprop is not None:
            weight = to_uniform(noise[..., -1:]) if self.settings.loss.kind == "wgan_gp" else None
            losses = self.backprop.run_critic(real.flatten(2), noise[..., :-1], weight)
            self.optimizers["critic"].descend(self.backprop.critic_gradients)
            return losses
        with torch.no_grad():
            fake = self._finish(self.generator(noise[..., :-1]))
        real_scores, fake_scores = self._score(torch.cat([real, fake], dim=1)).chunk(2, dim=1)
        if self.settings.loss.kind == "non_saturating":
            losses = F.softplus(-real_scores).mean(1) + F.softplus(fake_scores).mean(1)
        else:
            losses = fake_scores.mean(1) - real_scores.mean(1) + self._penalize(real, fake, noise[..., -1])
        return self.optimizers["critic"].minimize(losses)

    def _update_generator(self, latents: Tensor) -> Tensor:
        if self.backprop is not None:
            losses = self.backprop.run_generator(latents)
            self.optimizers["generator"].descend(self.backprop.generator_gradients)
            return losses
        output = self.generator(latents)
        scores = self._score(self._finish(output))
        losses = (F.softplus(-scores) if self.settings.loss.kind == "non_saturating" else -scores).mean(1)
        if not self.is_vector:  # saturated sigmoids have no gradient and the loss hides it: penalise large logits
            losses = losses + F.relu(output.flatten(2).abs() - MAX_LOGIT).square().mean((1, 2))
        return self.optimizers["generator"].minimize(losses)

    def _penalize(self, real: Tensor, fake: Tensor, noise: Tensor) -> Tensor:
        assert self.settings.loss.kind == "wgan_gp"  # the other loss has no penalty
        weight = to_uniform(noise)
        between = torch.lerp(fake, real, weight.view(*weight.shape, *[1] * (real.ndim - 2))).requires_grad_()
        (gradient,) = torch.autograd.grad(self._score(between).sum(), between, create_graph=True)
        return self.settings.loss.gradient_penalty * (gradient.flatten(2).norm(dim=2) - 1).square().mean(1)

    @torch.no_grad()
    def _update_average(self) -> None:
        means = chain(self.average.parameters(), self.average.buffers())
        values = chain(self.generator.parameters(), self.generator.buffers())
        for mean, value in zip(means, values, strict=True):
            mean.lerp_(value, 1 - self.settings.averaging)

    def _finish(self, output: Tensor) -> Tensor:
        return output.sigmoid() if not self.is_vector else output

    def _score(self, x: Tensor) -> Tensor:
        return self.critic(x).squeeze(2)


def to_uniform(noise: Tensor) -> Tensor:
    """Standard normal noise as uniform noise between 0 and 1, by the normal's distribution function."""
    return 0.5 * (1 + torch.erf(noise / math.sqrt(2)))
