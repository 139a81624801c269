"""k discriminators that tell the real points from each component's samples, and the (k+1)-way classifier."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from competitive_mixtures.networks.architectures import Encoder, build_encoder, choose_activation, plain_parameters
from competitive_mixtures.networks.component import ComponentStack
from competitive_mixtures.networks.kernels import availability
from competitive_mixtures.networks.kernels.backprop import DiscriminatorBackprop
from competitive_mixtures.networks.kernels.fused_forward import apply_one_by_one
from competitive_mixtures.networks.layers import Generators
from competitive_mixtures.networks.stack import Stack, Trained, select
from competitive_mixtures.settings import schema


class DensityRatioStack(Stack):
    """What tells the real points from the samples of k components, and so estimates their density ratios.

    Args:
        settings: of the scoring: network and optimiser.
        shape: of one data point.
        generators: one a component, on the CPU: they draw the initial weights.
        device: where to train.

    Attributes:
        num_networks: separate networks; each scores every point.
        num_concurrent: networks evaluated in one batched call; bounds the batch size.
    """

    num_networks: int
    num_concurrent: int

    def __init__(
        self,
        settings: schema.DensityRatios,
        shape: Sequence[int],
        generators: Generators,
        *,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__()
        self.settings, self.count = settings, len(generators)
        self.network = self.build_network(settings, shape, generators)
        self.prepare(device, {"network": (self, settings.optimizer)})

    def build_network(self, settings: schema.DensityRatios, shape: Sequence[int], generators: Generators) -> Encoder:
        """Make the network or networks."""
        raise NotImplementedError

    def attach(self, components: Sequence[ComponentStack]) -> None:
        """Be told of the components whose samples are to come; most need not know."""

    def log_ratios(self, points: Tensor) -> Tensor:
        """Log r_j(x), proportional to log p_gj(x) / p_d(x), of points (n, *shape), as (n, k)."""
        raise NotImplementedError


class DiscriminatorStack(DensityRatioStack):
    """Discriminators of the paper's section 2: D_j tells all real points (1) from samples of component j (0).

    With `trunk: shared` the hidden layers are common to all discriminators.
    """

    def build_network(self, settings: schema.DensityRatios, shape: Sequence[int], generators: Generators) -> Encoder:
        """K encoders with one output each."""
        assert isinstance(settings, schema.Discriminators)
        self.shape = tuple(shape)
        self.shares_trunk = settings.trunk == "shared"
        self.num_networks = 1 if self.shares_trunk else self.count
        return build_encoder(
            settings.network,
            shape,
            1,
            generators,
            num_shared=len(settings.network.widths) if self.shares_trunk else 0,
            normalize=not self.shares_trunk,  # real points and samples go through a shared trunk one after the other
            activation=choose_activation(settings.network),
        )

    def prepare(self, device: torch.device | str, trained: Trained) -> None:
        """Choose the kernels too, which read the parameters where they lie."""
        super().prepare(device, trained)
        self.plain = plain_parameters(self.network)
        self.backprop = DiscriminatorBackprop(self.plain) if availability.suits("backprop", self.plain) else None
        self.scores_one_by_one = availability.suits("fused_forward", self.plain)
        self.num_concurrent = 1 if self.scores_one_by_one else self.num_networks

    def samples_per_step(self, batch_size: int) -> int:
        """Points that one step draws, real and generated, over all networks."""
        return (self.count + 1 if self.shares_trunk else 2 * self.count) * batch_size

    def step(self, real: Tensor, fake: Tensor, /) -> Tensor:
        """One Adam step of every discriminator.

        Args:
            real: (k or 1, batch, *shape), points of the whole data set.
            fake: (k, batch, *shape), samples of component j for discriminator j.

        Returns:
            (k,): cross-entropies before the step; log 2 says that D_j cannot tell.
        """
        adam = self.optimizers["network"]
        if self.backprop:
            losses = self.backprop.run(real, fake)
            adam.descend(self.backprop.gradients)
            return losses
        logits = self._classify(real, fake)
        half = real.shape[1]
        return adam.minimize(0.5 * (F.softplus(-logits[:, :half]).mean(1) + F.softplus(logits[:, half:]).mean(1)))

    @torch.no_grad()
    def log_ratios(self, points: Tensor) -> Tensor:
        """Log r_j(x) = log (1 - D_j(x)) / D_j(x), proportional to log p_gj(x) / p_d(x).

        Args:
            points: (n, *shape), float.

        Returns:
            (n, k).
        """
        self.eval()
        if self.scores_one_by_one:
            logits = apply_one_by_one(self.plain, points.flatten(1)).squeeze(2)
        else:
            logits = self._logits(points.unsqueeze(0))
        self.train()
        return -logits.T

    def choose_one(self, row: int) -> Callable[[Tensor], Tensor]:
        """A function that gives log r_j(x) of points (n, *shape) by one of separate networks alone, (n,)."""
        if self.scores_one_by_one:
            own = [parameter[row : row + 1] for parameter in self.plain]
            return lambda points: -apply_one_by_one(own, points.flatten(1))[0, :, 0]
        assert isinstance(self.settings, schema.Discriminators)
        one = DiscriminatorStack(self.settings, self.shape, [torch.Generator()], device=self.device)
        one.load(select(self.state(), [row]))
        return lambda points: one.log_ratios(points)[:, 0]

    def _classify(self, real: Tensor, fake: Tensor) -> Tensor:
        """Logits (k, 2 * batch) of the real points, then of the samples."""
        if self.shares_trunk:  # the real points go through the trunk once
            return torch.cat([self._logits(real[:1]), self._logits(fake)], dim=1)
        return self._logits(torch.cat([real.expand_as(fake), fake], dim=1))  # one batch, one set of batch-norm moments

    def _logits(self, x: Tensor) -> Tensor:
        return self.network(x).squeeze(2)


class ClassifierStack(DensityRatioStack):
    """One (k+1)-way classifier in the place of k discriminators: k classes of samples and one of real points."""

    num_networks = num_concurrent = 1

    def build_network(self, settings: schema.DensityRatios, shape: Sequence[int], generators: Generators) -> Encoder:
        """One encoder with k + 1 outputs."""
        activation = choose_activation(settings.network)
        return build_encoder(settings.network, shape, self.count + 1, generators[:1], activation=activation)

    def samples_per_step(self, batch_size: int) -> int:
        """Points that one step draws: a batch of every class."""
        return (self.count + 1) * batch_size

    def step(self, real: Tensor, fake: Tensor, /) -> Tensor:
        """One Adam step on equally many samples of each component and as many real points; see `DiscriminatorStack`."""
        points = torch.cat([fake.flatten(0, 1), real[0]])
        labels = torch.arange(self.count + 1, device=points.device).repeat_interleave(fake.shape[1])
        loss = F.cross_entropy(self.logits(points), labels)
        return self.optimizers["network"].minimize(loss).expand(self.count)

    @torch.no_grad()
    def log_ratios(self, points: Tensor) -> Tensor:
        """Log p(class j | x) - log p(real | x) for points (n, *shape), as (n, k)."""
        self.eval()
        logits = self.logits(points)
        self.train()
        return logits[:, : self.count] - logits[:, self.count :]

    def logits(self, points: Tensor) -> Tensor:
        """Logits (n, k + 1) of points (n, *shape), the real points' class last."""
        return self.network(points.unsqueeze(0))[0]
