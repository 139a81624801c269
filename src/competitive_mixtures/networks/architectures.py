"""Encoders (data to features) and decoders (features to data), built from the `network` blocks of `params.yaml`."""

from collections.abc import Callable, Sequence
from functools import partial
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from competitive_mixtures.errors import UserError
from competitive_mixtures.networks.layers import BatchNorm, Conv, ConvTranspose, Generators, Linear, repeat
from competitive_mixtures.settings import schema
from competitive_mixtures.settings.sizes import FLOAT_BYTES

Activation = Callable[[Tensor], Tensor]
leaky_relu: Activation = partial(F.leaky_relu, negative_slope=0.2)  # as DCGAN (Radford et al., 2016)
PIECE_BYTES = 2**21  # of a layer that all points go through on a CPU; the next layer still finds it in the cache
LEAST_ROWS = 128  # in a piece: products of fewer are slow


class MLP(nn.Module):
    """k fully connected networks of one shape.

    Args:
        widths: inputs, hidden units, outputs.
        generators: one a component.
        shared: for each layer, whether the components share it.
        spectral: whether the weights are spectrally normalised.
        activation: between the layers.

    Attributes:
        widest: numbers of a point in the widest layer of one network, the input among them.
    """

    def __init__(
        self,
        widths: Sequence[int],
        generators: Generators,
        shared: Sequence[bool],
        *,
        spectral: bool = False,
        activation: Activation = F.relu,
    ) -> None:
        super().__init__()
        sizes = zip(widths[:-1], widths[1:], shared, strict=True)
        self.layers = nn.ModuleList(Linear(i, o, generators, shared=s, spectral=spectral) for i, o, s in sizes)
        self.widest, self.count, self.activation = max(widths), len(generators), activation

    @property
    def linears(self) -> list[Linear]:
        """The layers, from the inputs on."""
        return [layer for layer in self.layers if isinstance(layer, Linear)]

    def forward(self, x: Tensor) -> Tensor:
        """Map (k or 1, batch, inputs) to (k or 1, batch, outputs); many rows in pieces, unless training."""
        rows = PIECE_BYTES // (FLOAT_BYTES * self.widest * len(x))
        whole = self.training or torch.is_grad_enabled() or x.device.type != "cpu" or len(x) < self.count
        if whole or rows < LEAST_ROWS or x.shape[1] <= rows:
            return self._map(x)
        return torch.cat([self._map(piece) for piece in x.split(rows, dim=1)], dim=1)

    def _map(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        return self.layers[-1](x)


class MLPEncoder(MLP):
    """Flattens its input first."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (k or 1, batch, *shape) to (k or 1, batch, outputs)."""
        return super().forward(x.flatten(2))


class MLPDecoder(MLP):
    """Gives its output the shape of the data."""

    def __init__(
        self, shape: Sequence[int], widths: Sequence[int], generators: Generators, shared: Sequence[bool]
    ) -> None:
        super().__init__(widths, generators, shared)
        self.shape = tuple(shape)

    def forward(self, x: Tensor) -> Tensor:
        """Map (k, batch, inputs) to (k, batch, *shape)."""
        return super().forward(x).unflatten(2, self.shape)


class ConvEncoder(nn.Module):
    """k stacks of 4x4 convolutions of stride 2, then a linear layer.

    Deviation: one pixel of padding on each side where the authors' framework pads "same": 28x28 images shrink
    28-14-7-3-1 instead of 28-14-7-4-2.

    Attributes:
        widest: see `MLP`.
    """

    def __init__(
        self,
        shape: Sequence[int],
        channels: Sequence[int],
        outputs: int,
        generators: Generators,
        shared: Sequence[bool],
        *,
        spectral: bool = False,
        normalize: bool = True,
        activation: Activation = F.relu,
    ) -> None:
        super().__init__()
        sizes = [shape[0], *channels]
        height, width = (side >> len(channels) for side in shape[1:])
        if min(height, width) < 1:
            raise UserError(
                f"network.channels: {len(channels)} halvings leave nothing of a {shape[1]}x{shape[2]} image"
            )
        options = [{"shared": s, "spectral": spectral} for s in shared]
        self.count = len(generators)
        self.convolutions = nn.ModuleList(
            Conv(i, o, 4, 2, 1, generators, bias=not normalize, **option)
            for i, o, option in zip(sizes[:-1], sizes[1:], options[:-1], strict=True)
        )
        self.norms = nn.ModuleList(BatchNorm(o, self.count) if normalize else nn.Identity() for o in channels)
        self.channels = channels[-1]
        self.widest = max(c * (shape[1] >> depth) * (shape[2] >> depth) for depth, c in enumerate(sizes))
        self.repeats_input = normalize and shared[0]  # a batch norm is each component's own
        self.head = Linear(channels[-1] * height * width, outputs, generators, **options[-1])
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """Map (k or 1, batch, c, h, w) to (k, batch, outputs)."""
        x = repeat(x, self.count) if self.repeats_input else x
        x = x.transpose(0, 1).flatten(1, 2)  # (batch, (k or 1) * c, h, w)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = self.activation(norm(convolution(x)))
        return self.head(x.unflatten(1, (-1, self.channels)).transpose(0, 1).flatten(2))


Encoder = MLP | ConvEncoder


class ConvDecoder(nn.Module):
    """A linear layer to a small image, transposed convolutions that double it, and one last 3x3 convolution.

    Args:
        inputs: features of one component.
        channels: of the small image, then of each doubling.
        shape: (c, h, w) of the data; h and w are multiples of 2 ** (len(channels) - 1).
        generators: one a component.
        shared: for each layer from the features on, whether the components share it.
    """

    def __init__(
        self, inputs: int, channels: Sequence[int], shape: Sequence[int], generators: Generators, shared: Sequence[bool]
    ) -> None:
        super().__init__()
        factor = 2 ** (len(channels) - 1)
        if shape[1] % factor or shape[2] % factor:
            raise UserError(
                f"decoder.channels: {len(channels)} entries double {len(channels) - 1} times, and a "
                f"{shape[1]}x{shape[2]} image is no multiple of {factor}; list fewer or resize the images"
            )
        self.count = len(generators)
        self.start = (channels[0], shape[1] // factor, shape[2] // factor)
        self.tail = Linear(inputs, prod(self.start), generators, shared=shared[0], bias=False)
        self.norms = nn.ModuleList(BatchNorm(c, self.count) for c in channels)
        sizes = zip(channels[:-1], channels[1:], shared[1:-1], strict=True)
        self.doublings = nn.ModuleList(ConvTranspose(i, o, generators, shared=s, bias=False) for i, o, s in sizes)
        self.last = Conv(channels[-1], shape[0], 3, 1, 1, generators, shared=shared[-1])

    def forward(self, x: Tensor) -> Tensor:
        """Map (k, batch, inputs) to (k, batch, c, h, w)."""
        count = len(x)
        x = self.tail(x).unflatten(2, self.start).transpose(0, 1).flatten(1, 2)
        if self.count == 1 and x.device.type == "cpu":  # a CPU takes a sixth less for a network's step
            x = x.contiguous(memory_format=torch.channels_last)
        x = F.relu(self.norms[0](x))
        for doubling, norm in zip(self.doublings, self.norms[1:], strict=True):
            x = F.relu(norm(doubling(x)))
        return self.last(x).unflatten(1, (count, -1)).transpose(0, 1)


def build_encoder(
    network: schema.Network,
    shape: Sequence[int],
    outputs: int,
    generators: Generators,
    *,
    num_shared: int = 0,
    spectral: bool = False,
    normalize: bool = True,
    activation: Activation = F.relu,
) -> Encoder:
    """A network from data (k or 1, batch, *shape) to features (k, batch, outputs).

    Args:
        network: its kind and widths.
        shape: of one data point, (d,) or (c, h, w).
        outputs: features.
        generators: one a component, on the CPU.
        num_shared: layers, counted from the data's side, that all components share.
        spectral: spectrally normalised weights.
        normalize: batch norm in convolutional networks.
        activation: between the layers.

    Raises:
        UserError: a convolutional network for data that are no images, or too many halvings.
    """
    _check_kind(network, shape)
    shared = _share(len(network.widths) + 1, num_shared)
    if network.kind == "mlp":
        sizes = [prod(shape), *network.widths, outputs]
        return MLPEncoder(sizes, generators, shared, spectral=spectral, activation=activation)
    return ConvEncoder(
        shape,
        network.widths,
        outputs,
        generators,
        shared,
        spectral=spectral,
        normalize=normalize,
        activation=activation,
    )


def build_decoder(
    network: schema.Network, inputs: int, shape: Sequence[int], generators: Generators, *, num_shared: int = 0
) -> nn.Module:
    """A network from features (k, batch, inputs) to data (k, batch, *shape); arguments as in `build_encoder`."""
    _check_kind(network, shape)
    if network.kind == "mlp":
        sizes = [inputs, *network.hidden, prod(shape)]
        return MLPDecoder(shape, sizes, generators, _share(len(sizes) - 1, num_shared)[::-1])
    return ConvDecoder(inputs, network.channels, shape, generators, _share(len(network.channels) + 1, num_shared)[::-1])


def choose_activation(network: schema.Network) -> Activation:
    """ReLU in fully connected discriminators, leaky ReLU in convolutional ones, as the authors chose."""
    return F.relu if network.kind == "mlp" else leaky_relu


def plain_parameters(network: nn.Module, *, spectral: bool = False) -> list[Tensor]:
    """A weight and a bias for each layer in turn, of separate fully connected networks with ReLUs; else none.

    Args:
        network: k networks.
        spectral: whether to take those whose weights are divided by their spectral norms, in place of all others.
    """
    if not isinstance(network, MLP) or network.activation is not F.relu:
        return []
    if any(layer.shared or layer.spectral != spectral or layer.bias is None for layer in network.linears):
        return []
    return list(network.parameters())


def widen(network: schema.Network, factor: int) -> schema.Network:
    """The same network with `factor` times the units or channels in each hidden layer."""
    key = "hidden" if network.kind == "mlp" else "channels"
    return network.model_copy(update={key: [factor * width for width in network.widths]})


def _share(num_layers: int, num_shared: int) -> list[bool]:
    return [layer < num_shared for layer in range(num_layers)]


def _check_kind(network: schema.Network, shape: Sequence[int]) -> None:
    if network.kind == "conv" and len(shape) != 3:
        raise UserError(f"network.kind: conv needs images (c, h, w); this data set's points have shape {tuple(shape)}")
