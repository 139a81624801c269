"""The autoencoder whose encoder and decoder all components of a mixture of images share."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from competitive_mixtures.networks.architectures import build_decoder, build_encoder
from competitive_mixtures.networks.kernels.bernoulli import BernoulliLoss
from competitive_mixtures.networks.layers import Generators
from competitive_mixtures.networks.stack import Stack
from competitive_mixtures.settings import schema


class Autoencoder(Stack):
    """A stack of one network: images to latents, and latents to intensities.

    Args:
        settings: of the representation.
        shape: of one image, (c, h, w).
        generators: one, on the CPU: it draws the initial weights.
        device: where to train.

    Attributes:
        deviation: (1, d), of the Gaussian around an image's latents that bounds its likelihood; see `log_likelihood`.
    """

    deviation: Tensor

    def __init__(
        self,
        settings: schema.Autoencoder,
        shape: Sequence[int],
        generators: Generators,
        *,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__()
        self.settings, self.shape, self.count, self.steps_taken = settings, tuple(shape), 1, 0
        self.encoder = build_encoder(settings.encoder, shape, settings.latent_dim, generators)
        self.decoder = build_decoder(settings.decoder, settings.latent_dim, shape, generators)
        self.register_buffer("deviation", torch.ones(1, settings.latent_dim, dtype=torch.float32))
        self.prepare(device, {"autoencoder": (self, settings.optimizer)})

    def step(self, x: Tensor, wanted: Tensor, /) -> Tensor:
        """One Adam step; its size falls along a straight line to zero at the last of `settings.steps`.

        Args:
            x: (1, batch, *shape), in [0, 1].
            wanted: what the decoder is to make of it, alike.

        Returns:
            (1,): the mean cross-entropy of an image in nats, before the step.
        """
        adam = self.optimizers["autoencoder"]
        adam.learning_rate = self.settings.optimizer.learning_rate * (1 - self.steps_taken / self.settings.steps)
        self.steps_taken += 1
        logits = self.decoder(self.encoder(x))
        return adam.minimize(BernoulliLoss.apply(logits.flatten(2), wanted.flatten(2)).mean(1))

    def samples_per_step(self, batch_size: int) -> int:
        """The images of a batch."""
        return batch_size

    @torch.no_grad()
    def encode(self, x: Tensor) -> Tensor:
        """Latents (n, d) of images (n, *shape) in [0, 1]."""
        self.eval()
        latents = self.encoder(x[None])[0]
        self.train()
        return latents

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """Intensities (n, *shape) in [0, 1] of latents (n, d)."""
        return self._decode(latents).sigmoid_()

    @torch.no_grad()
    def log_likelihood(self, x: Tensor, latents: Tensor) -> Tensor:
        """Log p(x|z) of images (n, *shape) at latents (n, d), (n,) in nats of intensities in [0, 1]."""
        return -BernoulliLoss.apply(self._decode(latents).flatten(1)[None], x.flatten(1)[None])[0]

    def log_encoder_density(self, noise: Tensor) -> Tensor:
        """Log q(z|x) at z = encode(x) + deviation * noise, (n,), of standard normal noise (n, d)."""
        return -0.5 * (noise.square() + math.log(2 * math.pi)).sum(1) - self.deviation.log().sum()

    def weights(self) -> dict[str, Tensor]:
        """The state without Adam's, which nothing after the training reads."""
        return {name: tensor for name, tensor in self.state().items() if "adam." not in name}

    def load_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Copy in what `weights` gave.

        Raises:
            UserError: the weights are of another network.
        """
        self.load(self.state() | dict(weights))

    def _decode(self, latents: Tensor) -> Tensor:
        self.eval()
        logits = self.decoder(latents[None])[0]
        self.train()
        return logits
