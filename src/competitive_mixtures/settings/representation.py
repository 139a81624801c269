"""What the components see of images: the pixels, or the latents of one network that all of them share."""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Literal

from competitive_mixtures.settings.blocks import Block
from competitive_mixtures.settings.components import NETWORKS, Component, Network, Optimizer
from competitive_mixtures.settings.quantities import Dimensions, Nats, Points, Steps
from competitive_mixtures.settings.sizes import BYTES_PER_WEIGHT, FLOAT_BYTES, count_weights


class Autoencoder(Block):
    """One autoencoder, trained on all images before the competition; components model its latents, which it decodes.

    Attributes:
        latent_dim: size of the latents.
        encoder: layers from the images to the latents.
        decoder: layers from the latents to the images.
        optimizer: Adam for both.
        batch_size: images in one step.
        steps: of training; the step size falls to zero along them.
        loss_limit: a training whose mean cross-entropy of an image rises above it has diverged and stops.
    """

    kind: Literal["autoencoder"]
    latent_dim: Dimensions
    encoder: Network
    decoder: Network
    optimizer: Optimizer
    batch_size: Points
    steps: Steps
    loss_limit: Nats

    def find_conflicts(self, components: Sequence[Component]) -> Iterator[str]:
        """Sentences on components that cannot model latents, each with its key."""
        for number, component in enumerate(components):
            networks = [(key, network) for key, network in component if isinstance(network, NETWORKS)]
            for key in (key for key, network in networks if network.kind == "conv"):
                yield f"components.{number}.{key}.kind: latents are no images; expected mlp, or representation: null"
            if component.kind == "vae" and component.likelihood.kind == "bernoulli":
                yield (
                    f"components.{number}.likelihood.kind: latents are no intensities; expected gaussian, or "
                    "representation: null"
                )

    def list_weights(self, shape: Sequence[int]) -> Iterator[tuple[str, int]]:
        """At least how many weights the encoder and the decoder have, by their keys; `shape` of an image, (c, h, w)."""
        for key in ("encoder", "decoder"):
            yield f"representation.{key}", count_weights(getattr(self, key), self.latent_dim, shape)

    def list_needs(self, shape: Sequence[int]) -> Iterator[tuple[str, int]]:
        """At least how many bytes of memory the training takes, by the keys that decide it; `shape` of an image."""
        for key, weights in self.list_weights(shape):
            yield key, BYTES_PER_WEIGHT * weights
        yield "representation.batch_size", FLOAT_BYTES * self.batch_size * prod(shape)
