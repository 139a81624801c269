"""k variational autoencoders (Kingma & Welling, 2014, arXiv 1312.6114) trained at once."""

import math
from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor

from competitive_mixtures.networks.architectures import build_decoder, build_encoder
from competitive_mixtures.networks.kernels.backprop import VAEBackprop, is_plain
from competitive_mixtures.networks.layers import Generators, draw_normal
from competitive_mixtures.networks.stack import ComponentStack
from competitive_mixtures.settings import schema

VARIANCE_RATE = 0.01  # of the running mean that a learned decoder variance is
# A learned variance starts below that of standardised data: from the data's own, a decoder that ignores its latents is
# already optimal, and one VAE of a symmetric data set (synthetic-9) stays there.
INITIAL_VARIANCE = 0.3


class BernoulliLoss(torch.autograd.Function):
    """Cross-entropy of intensities x under logits o, (k, batch, d) each, summed over d: (k, batch).

    With s = sigmoid(|o|), in [1/2, 1], it is max(o, 0) - o x - log s without overflow, and its gradient sigmoid(o) - x.
    Written out since PyTorch's own took a third of a step of MNIST's components on a CPU.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, x: Tensor) -> Tensor:
        """Keep the gradient; give the losses."""
        losses, slope = bernoulli_loss(logits, x)
        ctx.save_for_backward(slope)
        return losses

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Scale the kept gradient; intensities have none."""
        (own,) = ctx.saved_tensors
        return own * gradient.unsqueeze(2), None


def bernoulli_loss(logits: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """`BernoulliLoss` (k, batch) and its slope by the logits (k, batch, d)."""
    s = torch.sigmoid(logits.abs())
    slope = torch.where(logits > 0, s, 1 - s).sub_(x)
    return torch.addcmul(logits.clamp_min(0), logits, x, value=-1).sub_(s.log_()).sum(2), slope


class VAEStack(ComponentStack):
    """k VAEs with Gaussian encoders and a Gaussian or Bernoulli decoder.

    The optimal decoder variance is the mean squared error of the reconstructions (sigma-VAE; Rybkin et al., 2021, arXiv
    2006.13202); where it is `learned`, a running mean of that error takes its place.

    Args:
        settings: networks, latent dimension, likelihood and optimiser of one VAE.
        shape: of one data point, (d,) or (c, h, w).
        generators: one a component, on the CPU: they draw the initial weights.
        unit: what one unit of x is in the data's units: a fixed decoder variance is given in these.
        num_shared: data-side layers that all components share.
        device: where to train.
    """

    settings: schema.VAE
    variance: Tensor  # (k,), of the decoder

    def __init__(
        self,
        settings: schema.VAE,
        shape: Sequence[int],
        generators: Generators,
        *,
        unit: float = 1.0,
        num_shared: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__()
        self.settings, self.count = settings, len(generators)
        self.shape, self.unit, self.num_shared = tuple(shape), unit, num_shared
        self.encoder = build_encoder(
            settings.encoder, shape, 2 * settings.latent_dim, generators, num_shared=num_shared
        )
        self.decoder = build_decoder(settings.decoder, settings.latent_dim, shape, generators, num_shared=num_shared)
        self.register_buffer("variance", torch.full((self.count,), INITIAL_VARIANCE))
        self.optimize(device, vae=(self, settings.optimizer))
        self.passes: VAEBackprop | None = None
        self._fix_variance()

    def fit_frame(self, row: int, points: Tensor) -> None:
        """As any component's; a fixed variance keeps its size in the data's units."""
        super().fit_frame(row, points)
        self._fix_variance()

    def draw_noise(self, generators: Generators, num_steps: int, batch_size: int) -> Tensor:
        """The noise of `num_steps` steps, (num_steps, k, batch, latent), each component's from its own generator."""
        return draw_normal(generators, (num_steps, batch_size, self.settings.latent_dim), self.device)

    def losses(self, x: Tensor, noise: Tensor) -> Tensor:
        """Negative evidence lower bound of every point, in nats.

        Args:
            x: (k, batch, *shape), float; in [0, 1] for the Bernoulli likelihood.
            noise: (k, batch, latent), standard normal.

        Returns:
            (k, batch): E_q[-log p(x|z)] + KL(q(z|x) || N(0, I)).
        """
        mean, log_variance = self.encoder(x).chunk(2, dim=2)
        output = self.decoder(torch.addcmul(mean, torch.exp(0.5 * log_variance), noise))
        divergence = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(2)
        return self._reconstruction(x, output) + divergence

    def step(self, x: Tensor, noise: Tensor) -> Tensor:
        """One Adam step for every component on its own batch; gives the losses before it, (k,)."""
        adam = self.optimizers["vae"]
        if not (is_plain(self.encoder) and is_plain(self.decoder)):
            return adam.minimize(self.losses(x, noise).mean(1))
        if self.passes is None or self.passes.batch_size != x.shape[1]:
            self.passes = VAEBackprop(self.encoder, self.decoder, x.shape[1])
        losses = self.passes.run(x.flatten(2), noise, self._reconstruct)
        adam.descend(self.passes.gradients)
        return losses

    @torch.no_grad()
    def sample(self, generators: Generators, num_samples: int) -> Tensor:
        """Samples (k, num_samples, *shape): decoder means at prior draws, as the authors sample, or decoder draws."""
        latents = draw_normal(generators, (num_samples, self.settings.latent_dim), self.device)
        self.eval()
        output = self.decoder(latents)
        self.train()
        likelihood = self.settings.likelihood
        if likelihood.kind == "bernoulli":
            return output.sigmoid_()
        if likelihood.samples == "means":
            return output
        noise = draw_normal(generators, (num_samples, prod(self.shape)), self.device).view_as(output)
        return output + self.variance.sqrt().view(-1, *[1] * (output.ndim - 1)) * noise

    def _fix_variance(self) -> None:
        likelihood = self.settings.likelihood
        if likelihood.kind == "gaussian" and likelihood.variance != "learned":
            extent = self.extent if self.has_frames else torch.ones(self.count)
            self.variance.copy_(likelihood.variance / (self.unit * extent) ** 2)

    def _reconstruction(self, x: Tensor, output: Tensor) -> Tensor:
        if self.settings.likelihood.kind == "bernoulli":
            return BernoulliLoss.apply(output.flatten(2), x.flatten(2))
        return self._gaussian_loss((x - output).flatten(2).square())

    def _gaussian_loss(self, error: Tensor) -> Tensor:
        """From squared errors (k, batch, d), which a learned variance follows."""
        likelihood = self.settings.likelihood
        if self.training and likelihood.kind == "gaussian" and likelihood.variance == "learned":
            self.variance.lerp_(error.detach().mean((1, 2)), VARIANCE_RATE)
        variance = self.variance[:, None]
        return 0.5 * (error.sum(2) / variance + error.shape[2] * torch.log(2 * math.pi * variance))

    def _reconstruct(self, x: Tensor, output: Tensor) -> tuple[Tensor, Tensor]:
        """Losses (k, batch) of points and outputs (k, batch, d), and their slope by the outputs."""
        if self.settings.likelihood.kind == "bernoulli":
            return bernoulli_loss(output, x)
        difference = x - output
        losses = self._gaussian_loss(difference.square())
        return losses, difference.mul_((-1 / self.variance).view(-1, 1, 1))
