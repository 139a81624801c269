"""k discriminators that tell the real points from each component's samples, and the (k+1)-way classifier."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from competitive_mixtures.networks.architectures import MLP, Activation, build_encoder, leaky_relu
from competitive_mixtures.networks.kernels.backprop import DiscriminatorBackprop, is_plain
from competitive_mixtures.networks.kernels.fused_forward import apply_one_by_one, can_fuse
from competitive_mixtures.networks.layers import Generators
from competitive_mixtures.networks.stack import DensityRatioStack
from competitive_mixtures.settings import schema


class DiscriminatorStack(DensityRatioStack):
    """Discriminators of the paper's section 2: D_j tells all real points (1) from samples of component j (0).

    Args:
        settings: network, optimiser, and whether the hidden layers (the trunk) are shared by all heads.
        shape: of one data point.
        generators: one a component, on the CPU: they draw the initial weights.
        device: where to train.
    """

    def __init__(
        self,
        settings: schema.Scoring,
        shape: Sequence[int],
        generators: Generators,
        *,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__()
        self.count = len(generators)
        self.shares_trunk = settings.trunk == "shared"
        self.num_networks = 1 if self.shares_trunk else self.count
        num_shared = len(settings.network.widths) if self.shares_trunk else 0
        activation = choose_activation(settings.network)
        self.network = build_encoder(
            settings.network,
            shape,
            1,
            generators,
            num_shared=num_shared,
            normalize=not self.shares_trunk,  # real points and samples go through a shared trunk one after the other
            activation=activation,
        )
        self.optimize(device, discriminator=(self, settings.optimizer))
        self.passes: DiscriminatorBackprop | None = None
        self.num_side_by_side = 1 if can_fuse(self.network) else self.num_networks

    def samples_per_step(self, batch_size: int) -> int:
        """Points that one step draws, real and generated, over all networks."""
        return (self.count + 1 if self.shares_trunk else 2 * self.count) * batch_size

    def step(self, real: Tensor, fake: Tensor) -> Tensor:
        """One Adam step of every discriminator.

        Args:
            real: (k or 1, batch, *shape), points of the whole data set.
            fake: (k, batch, *shape), samples of component j for discriminator j.

        Returns:
            (k,): cross-entropies before the step; log 2 says that D_j cannot tell.
        """
        if is_plain(self.network):
            return self._step_written_out(self.network, real, fake)
        logits = self._classify(real, fake)
        half = real.shape[1]
        losses = 0.5 * (F.softplus(-logits[:, :half]).mean(1) + F.softplus(logits[:, half:]).mean(1))
        return self.optimizers["discriminator"].minimize(losses)

    @torch.no_grad()
    def log_ratios(self, points: Tensor) -> Tensor:
        """Log r_j(x) = log (1 - D_j(x)) / D_j(x), proportional to log p_gj(x) / p_d(x).

        Args:
            points: (n, *shape), float.

        Returns:
            (n, k).
        """
        self.eval()
        if can_fuse(self.network):
            logits = apply_one_by_one(self.network, points.flatten(1)).squeeze(2)
        else:
            logits = self._logits(points.unsqueeze(0))
        self.train()
        return -logits.T

    def _step_written_out(self, network: MLP, real: Tensor, fake: Tensor) -> Tensor:
        if self.passes is None or self.passes.batch_size != fake.shape[1]:
            self.passes = DiscriminatorBackprop(network, fake.shape[1])
        losses = self.passes.run(real, fake)
        self.optimizers["discriminator"].descend(self.passes.gradients)
        return losses

    def _classify(self, real: Tensor, fake: Tensor) -> Tensor:
        """Logits (k, 2 * batch) of the real points, then of the samples."""
        if self.shares_trunk:  # the real points go through the trunk once
            return torch.cat([self._logits(real[:1]), self._logits(fake)], dim=1)
        return self._logits(torch.cat([real.expand_as(fake), fake], dim=1))  # one batch, one set of batch-norm moments

    def _logits(self, x: Tensor) -> Tensor:
        return self.network(x).squeeze(2)


class ClassifierStack(DensityRatioStack):
    """One (k+1)-way classifier in the place of k discriminators: k classes of samples and one of real points."""

    num_networks = num_side_by_side = 1

    def __init__(
        self,
        settings: schema.Scoring,
        shape: Sequence[int],
        generators: Generators,
        *,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__()
        self.count = len(generators)
        outputs = self.count + 1
        self.network = build_encoder(
            settings.network, shape, outputs, generators[:1], activation=choose_activation(settings.network)
        )
        self.optimize(device, classifier=(self, settings.optimizer))

    def samples_per_step(self, batch_size: int) -> int:
        """Points that one step draws: a batch of every class."""
        return (self.count + 1) * batch_size

    def step(self, real: Tensor, fake: Tensor) -> Tensor:
        """One Adam step on equally many samples of each component and as many real points; see `DiscriminatorStack`."""
        points = torch.cat([fake.flatten(0, 1), real[0]]).unsqueeze(0)
        labels = torch.arange(self.count + 1, device=points.device).repeat_interleave(fake.shape[1])
        loss = F.cross_entropy(self.network(points)[0], labels)
        return self.optimizers["classifier"].minimize(loss).expand(self.count)

    @torch.no_grad()
    def log_ratios(self, points: Tensor) -> Tensor:
        """Log p(class j | x) - log p(real | x) for points (n, *shape), as (n, k)."""
        self.eval()
        logits = self.network(points.unsqueeze(0))[0]
        self.train()
        return logits[:, : self.count] - logits[:, self.count :]


def choose_activation(network: schema.Network) -> Activation:
    """ReLU in fully connected discriminators, leaky ReLU in convolutional ones, as the authors chose."""
    return F.relu if network.kind == "mlp" else leaky_relu
