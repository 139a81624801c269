"""Layers with a leading component axis, so that one call runs k independent networks.

Vectors are laid out (k, batch, features) and images, inside convolutional networks, (batch, k * channels, h, w), the
layout in which one grouped convolution is k independent ones. A `shared` layer has one weight for all components. A
leading axis of 1 on the input means "the same for every component" and stays 1 while the layers are shared.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Generators = Sequence[torch.Generator]


def draw_uniform(shape: Sequence[int], bound: float, generators: Generators) -> nn.Parameter:
    """A parameter (len(generators), *shape), each component's part drawn from its own generator in [-bound, bound]."""
    draws = [torch.empty(shape, dtype=torch.float32).uniform_(-bound, bound, generator=g) for g in generators]
    return nn.Parameter(torch.stack(draws))


def draw_normal(generators: Generators, shape: Sequence[int], device: torch.device) -> Tensor:
    """Standard normal noise (shape[0], k, ...) or (k, ...): the component axis stands before the last two."""
    draws = [torch.randn(shape, generator=g, dtype=torch.float32, device=device) for g in generators]
    return torch.stack(draws, dim=len(shape) - 2)


def repeat(x: Tensor, count: int) -> Tensor:
    """`x` with a leading axis of `count`, where it has one of 1; a needless `expand` would cost each step."""
    return x if len(x) == count else x.expand(count, *x.shape[1:])


class Stacked(nn.Module):
    """A weight and a bias for each of k components, or one for all where `shared`.

    Args:
        shape: of one component's weight.
        num_outputs: length of one component's bias.
        fan_in: inputs of one unit; weights and biases start uniform in +-1/sqrt(fan_in).
        generators: one for each component, on the CPU; a shared layer draws from the first.
        shared: whether the components share this layer.
        bias: whether there is one; omit before batch norm, which cancels it.
        spectral: whether the weight is divided by its largest singular value (Miyato et al., 2018, arXiv 1802.05957).
    """

    singular_vector: Tensor

    def __init__(
        self,
        shape: Sequence[int],
        num_outputs: int,
        fan_in: int,
        generators: Generators,
        *,
        shared: bool = False,
        bias: bool = True,
        spectral: bool = False,
    ) -> None:
        super().__init__()
        generators = generators[:1] if shared else generators
        self.count = len(generators)
        self.shared = shared
        self.weight = draw_uniform(shape, fan_in**-0.5, generators)
        self.bias = draw_uniform((num_outputs,), fan_in**-0.5, generators) if bias else None
        if spectral:
            start = [torch.randn(fan_in, generator=g, dtype=torch.float32) for g in generators]
            self.register_buffer("singular_vector", F.normalize(torch.stack(start), dim=1))
        self.spectral = spectral

    def normalized_weight(self) -> Tensor:
        """The weight, divided by its spectral norm where asked; training moves the power iteration on by one step."""
        if not self.spectral:
            return self.weight
        matrix = self.as_matrix(self.weight)  # (k, fan_in, outputs)
        with torch.no_grad():
            left = F.normalize(torch.einsum("kio,ki->ko", matrix, self.singular_vector), dim=1)
            right = F.normalize(torch.einsum("kio,ko->ki", matrix, left), dim=1)
            if self.training:
                self.singular_vector.copy_(right)
        norm = torch.einsum("kio,ki,ko->k", matrix, right.clone(), left)
        return self.weight / norm.view(-1, *[1] * (self.weight.ndim - 1))

    def as_matrix(self, weight: Tensor) -> Tensor:
        """The weight as one matrix (k, fan_in, outputs) a component."""
        return weight


class Linear(Stacked):
    """k affine maps; input (k or 1, batch, inputs), output (k or 1, batch, outputs)."""

    def __init__(self, inputs: int, outputs: int, generators: Generators, **options: bool) -> None:
        super().__init__((inputs, outputs), outputs, inputs, generators, **options)

    def forward(self, x: Tensor) -> Tensor:
        """Apply component j's map to x[j]; the maps of one input for all are one product, faster than k narrow ones."""
        weight, bias = self.normalized_weight(), self.bias
        if len(x) < self.count:
            weight = weight.transpose(0, 1).flatten(1)  # (inputs, k * outputs)
            y = torch.mm(x[0], weight) if bias is None else torch.addmm(bias.flatten(), x[0], weight)
            return y.unflatten(1, (self.count, -1)).transpose(0, 1).contiguous()
        weight = repeat(weight, len(x))
        return torch.bmm(x, weight) if bias is None else torch.baddbmm(bias.unsqueeze(1), x, weight)


class Conv(Stacked):
    """k convolutions as one grouped one; input (batch, (k or 1) * channels, h, w), output (batch, k * channels, h, w).

    Args:
        inputs: input channels of one component.
        outputs: output channels of one component.
        size: kernel height and width.
        stride: 1 or 2.
        padding: zeros on each side.
        generators: as in `Stacked`.
        options: `shared`, `bias`, `spectral`.
    """

    def __init__(
        self, inputs: int, outputs: int, size: int, stride: int, padding: int, generators: Generators, **options: bool
    ) -> None:
        super().__init__((outputs, inputs, size, size), outputs, inputs * size**2, generators, **options)
        self.stride, self.padding = stride, padding

    def as_matrix(self, weight: Tensor) -> Tensor:
        """The kernel as (k, inputs * size * size, outputs)."""
        return weight.flatten(2).transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve component j's channels with its own kernels."""
        weight = self.normalized_weight().flatten(0, 1)
        channels = weight.shape[1]
        folded = x.unflatten(1, (-1, channels)).flatten(0, 1) if self.shared else x
        groups = folded.shape[1] // channels  # one input for all: one group
        bias = None if self.bias is None else self.bias.flatten()
        y = F.conv2d(folded, weight, bias, self.stride, self.padding, groups=groups)
        return y.unflatten(0, (len(x), -1)).flatten(1, 2) if self.shared else y


class ConvTranspose(Stacked):
    """k transposed 4x4 convolutions of stride 2, which double height and width; layout as in `Conv`."""

    def __init__(self, inputs: int, outputs: int, generators: Generators, **options: bool) -> None:
        super().__init__((inputs, outputs, 4, 4), outputs, inputs * 4, generators, **options)

    def forward(self, x: Tensor) -> Tensor:
        """Apply component j's kernels to its channels."""
        weight = self.normalized_weight().flatten(0, 1)
        groups = 1 if self.shared else self.count
        folded = x.unflatten(1, (-1, len(weight))).flatten(0, 1) if self.shared else x
        bias = None if self.bias is None else self.bias.flatten()
        y = F.conv_transpose2d(folded, weight, bias, stride=2, padding=1, groups=groups)
        return y.unflatten(0, (len(x), -1)).flatten(1, 2) if self.shared else y


class BatchNorm(nn.Module):
    """k independent batch normalisations of (batch, k * channels, h, w); momentum 0.1 (decay 0.9), eps 1e-5."""

    mean: Tensor
    variance: Tensor

    def __init__(self, channels: int, count: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(count, channels, dtype=torch.float32))
        self.bias = nn.Parameter(torch.zeros(count, channels, dtype=torch.float32))
        self.register_buffer("mean", torch.zeros(count, channels, dtype=torch.float32))
        self.register_buffer("variance", torch.ones(count, channels, dtype=torch.float32))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise with the batch's moments in training, with the running ones otherwise."""
        return F.batch_norm(
            x, self.mean.view(-1), self.variance.view(-1), self.weight.view(-1), self.bias.view(-1), self.training
        )
