"""The components of a mixture: their kinds, networks, likelihoods and losses."""

from typing import Annotated, Literal

from pydantic import Field

from competitive_mixtures.data.spec import measured_in
from competitive_mixtures.settings.blocks import Block
from competitive_mixtures.settings.quantities import (
    MAX_LAYERS,
    Channels,
    Components,
    Decay,
    Dimensions,
    Nats,
    Number,
    Steps,
    Units,
)


class Optimizer(Block):
    """Adam (Kingma & Ba, 2015).

    Attributes:
        learning_rate: step size.
        beta1: decay rate of the running mean of the gradients.
        beta2: decay rate of the running mean of the squared gradients.
    """

    learning_rate: Number
    beta1: Decay
    beta2: Decay


class MLP(Block):
    """Fully connected ReLU layers.

    Attributes:
        hidden: widths of the hidden layers, from the input on.
    """

    kind: Literal["mlp"]
    hidden: Annotated[list[Units], Field(min_length=1, max_length=MAX_LAYERS)]

    @property
    def widths(self) -> list[int]:
        """Units of every hidden layer."""
        return self.hidden


class Conv(Block):
    """4x4 convolutions of stride 2 with batch norm, for images.

    Attributes:
        channels: channels of the hidden layers, from the input on.
    """

    kind: Literal["conv"]
    channels: Annotated[list[Channels], Field(min_length=1, max_length=MAX_LAYERS)]

    @property
    def widths(self) -> list[int]:
        """Channels of every hidden layer."""
        return self.channels


NETWORKS = (MLP, Conv)
Network = Annotated[MLP | Conv, Field(discriminator="kind")]


class Gaussian(Block):
    """An isotropic Gaussian decoder.

    Attributes:
        variance: variance of the decoder in each coordinate; `learned` lets it follow the reconstruction error (a
            sigma-VAE).
        samples: what a sample is: the mean of the decoder, as the authors sample, or a draw from its Gaussian.
    """

    kind: Literal["gaussian"]
    variance: Annotated[float, measured_in("data units squared", gt=0, allow_inf_nan=False)] | Literal["learned"]
    samples: Literal["means", "draws"]


class Bernoulli(Block):
    """Cross-entropy against intensities from 0 to 1; a sample is the mean of the decoder."""

    kind: Literal["bernoulli"]


class VAE(Block):
    """Variational autoencoders of one shape.

    Attributes:
        count: number of components of this shape.
        encoder: layers of the encoder.
        decoder: layers of the decoder.
        latent_dim: size of the latent code.
        likelihood: the decoder's distribution of a point.
        optimizer: Adam for encoder and decoder together.
        loss_limit: a training whose mean negative evidence bound of a point rises above it has diverged and stops.
    """

    kind: Literal["vae"]
    count: Components
    encoder: Network
    decoder: Network
    latent_dim: Dimensions
    likelihood: Annotated[Gaussian | Bernoulli, Field(discriminator="kind")]
    optimizer: Optimizer
    loss_limit: Nats

    @property
    def shareable_networks(self) -> tuple[Network, ...]:
        """The networks whose layers components can share."""
        return self.encoder, self.decoder


class NonSaturating(Block):
    """The non-saturating logistic loss; spectral norm bounds the critic."""

    kind: Literal["non_saturating"]


class WassersteinWithPenalty(Block):
    """The Wasserstein loss with a gradient penalty on the critic.

    Attributes:
        gradient_penalty: weight of the penalty.
    """

    kind: Literal["wgan_gp"]
    gradient_penalty: Number


class GAN(Block):
    """Generative adversarial networks of one shape.

    Attributes:
        count: number of components of this shape.
        generator: layers of the generator.
        critic: layers of the critic.
        latent_dim: size of the latent code.
        loss: the game that generator and critic play.
        critic_steps: updates of the critic for every update of the generator.
        optimizer: Adam for the generator.
        critic_optimizer: Adam for the critic.
        averaging: decay rate of the running mean of the generator's weights; that mean draws the samples.
        loss_limit: a training whose losses of generator and critic together rise above it has diverged and stops.
    """

    kind: Literal["gan"]
    count: Components
    generator: Network
    critic: Network
    latent_dim: Dimensions
    loss: Annotated[NonSaturating | WassersteinWithPenalty, Field(discriminator="kind")]
    critic_steps: Steps
    optimizer: Optimizer
    critic_optimizer: Optimizer
    averaging: Decay
    loss_limit: Number

    @property
    def shareable_networks(self) -> tuple[Network, ...]:
        """The networks whose layers components can share."""
        return (self.generator,)


Component = Annotated[VAE | GAN, Field(discriminator="kind")]
