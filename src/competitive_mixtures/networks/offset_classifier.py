"""The (k+1)-way classifier that starts from what the components know of their own densities."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from competitive_mixtures.networks.architectures import Encoder
from competitive_mixtures.networks.component import ComponentStack
from competitive_mixtures.networks.discriminator import ClassifierStack
from competitive_mixtures.networks.layers import Generators
from competitive_mixtures.settings import schema


class OffsetClassifierStack(ClassifierStack):
    """Discriminators that know where the components are, and learn only what is missed there.

    With b_j(x) the component's own estimate of log p_gj(x) (`ComponentStack.log_offset`: a VAE's importance-weighted
    bound, the Gaussian of a GAN's standardisation), the logits of the classes are b_j(x) + h_j(x) for the samples of
    component j and log (1/k) sum_j exp b_j(x) + h_0(x) for the real points. The network h starts at zero and is small.

    Deviation: the paper's discriminators know nothing at the start of a round. On few points they learn these by heart,
    and near the edge of a cell they take more steps than a round has to find out what the components know already.
    Where b_j is exact, as for two Gaussians, log r_j(x) - log r_i(x) is exact before any training.
    """

    def build_network(self, settings: schema.DensityRatios, shape: Sequence[int], generators: Generators) -> Encoder:
        """The classifier, with an output layer of zeros."""
        network = super().build_network(settings, shape, generators)
        *_, weight, bias = network.parameters()
        nn.init.zeros_(weight)
        nn.init.zeros_(bias)
        return network

    def attach(self, components: Sequence[ComponentStack]) -> None:
        """Take the offsets from these components, which are all in their order, from now on."""
        self.components = list(components)

    def step(self, real: Tensor, fake: Tensor, /) -> Tensor:
        """As `ClassifierStack`, with decoupled weight decay (Loshchilov & Hutter, 2019, arXiv 1711.05101)."""
        losses = super().step(real, fake)
        assert isinstance(self.settings, schema.OffsetClassifier)
        with torch.no_grad():
            for parameter in self.network.parameters():
                parameter.mul_(1 - self.settings.optimizer.learning_rate * self.settings.weight_decay)
        return losses

    def logits(self, points: Tensor) -> Tensor:
        """Logits (n, k + 1) of points (n, *shape): the offsets and what the network adds.

        In training the offsets of components without a chance are rough: the classes' probabilities, and with them all
        gradients, are the same in float32. Only the loss of a sample that another component explains by far differs.
        """
        offsets = torch.cat([stack.log_offset(points, skims=self.training) for stack in self.components]).T
        real = offsets.logsumexp(1, keepdim=True) - math.log(self.count)
        return super().logits(points) + torch.cat([offsets, real], dim=1)
