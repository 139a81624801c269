"""The references of `training.py`: k VAEs as a competent user of torch.nn writes them, one after the other."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from competitive_mixtures.settings import schema


class PlainVAE(nn.Module):
    """One VAE of the same layers and loss as `VAEStack` holds k of, for a batch of points (batch, *shape)."""

    def __init__(self, settings: schema.VAE, shape: Sequence[int]) -> None:
        super().__init__()
        self.settings = settings
        build = build_convolutions if settings.encoder.kind == "conv" else build_mlps
        self.encoder, self.decoder = build(settings, shape)

    def forward(self, x: Tensor) -> Tensor:
        """Mean negative evidence bound of a batch."""
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        output = self.decoder(mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean))
        divergence = 0.5 * (mean**2 + log_variance.exp() - log_variance - 1).sum(1)
        if self.settings.likelihood.kind == "bernoulli":
            error = F.binary_cross_entropy_with_logits(output, x, reduction="none").flatten(1).sum(1)
        else:
            error = ((output - x) ** 2).flatten(1).sum(1) / (2 * self.settings.likelihood.variance)
        return (error + divergence).mean()


class PlainLoop:
    """k VAEs with a `torch.optim.Adam` each, which take their steps in turn."""

    def __init__(self, settings: schema.VAE, points: Tensor, batch_size: int) -> None:
        options = settings.optimizer
        self.points, self.batch_size = points, batch_size
        self.networks = [PlainVAE(settings, points.shape[1:]) for _ in range(settings.count)]
        self.optimizers = [
            torch.optim.Adam(n.parameters(), options.learning_rate, (options.beta1, options.beta2))
            for n in self.networks
        ]

    def train(self, num_steps: int) -> None:
        """Take steps on random batches."""
        for _ in range(num_steps):
            for network, optimizer in zip(self.networks, self.optimizers, strict=True):
                x = self.points[torch.randint(len(self.points), (self.batch_size,))]
                x = x.float() / 255 if x.dtype == torch.uint8 else x
                optimizer.zero_grad()
                network(x).backward()
                optimizer.step()


def stack_mlp(*widths: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def build_mlps(settings: schema.VAE, shape: Sequence[int]) -> tuple[nn.Module, nn.Module]:
    size, latent = prod(shape), settings.latent_dim
    encoder = nn.Sequential(nn.Flatten(), *stack_mlp(size, *settings.encoder.widths, 2 * latent))
    decoder = nn.Sequential(*stack_mlp(latent, *settings.decoder.widths, size), nn.Unflatten(1, tuple(shape)))
    return encoder, decoder


def build_convolutions(settings: schema.VAE, shape: Sequence[int]) -> tuple[nn.Module, nn.Module]:
    downwards, upwards = [shape[0], *settings.encoder.widths], settings.decoder.widths
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(downwards):
        layers += [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    remaining = downwards[-1] * prod(side >> len(downwards) - 1 for side in shape[1:])
    encoder = nn.Sequential(*layers, nn.Flatten(), nn.Linear(remaining, 2 * settings.latent_dim))
    start = (upwards[0], *(side >> len(upwards) - 1 for side in shape[1:]))
    layers = [nn.Linear(settings.latent_dim, prod(start), bias=False), nn.Unflatten(1, start)]
    layers += [nn.BatchNorm2d(upwards[0]), nn.ReLU()]
    for inputs, outputs in pairwise(upwards):
        layers += [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    return encoder, nn.Sequential(*layers, nn.Conv2d(upwards[-1], shape[0], 3, 1, 1))
