"""Forward and backward passes of small networks written out, since on a CPU autograd's graph takes longer than they do.

The kernels are those that autograd calls, on the same numbers: the bytes are the same for batches of a power of two.
"""

from collections.abc import Callable
from typing import TypeGuard

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from competitive_mixtures.networks.architectures import MLP

Reconstruction = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def is_plain(network: nn.Module) -> TypeGuard[MLP]:
    """Whether these are separate fully connected networks with rectified units, on a CPU."""
    return (
        isinstance(network, MLP)
        and network.activation is F.relu
        and not any(layer.shared or layer.spectral or layer.bias is None for layer in network.linears)
        and network.linears[0].weight.device.type == "cpu"
    )


class MLPBackprop:
    """k MLPs on a batch each, in memory that every step uses again.

    Args:
        network: a plain one; its weights are read where they are.
        num_rows: points of one network's batch.

    Attributes:
        gradients: of a weight and a bias for each layer, in the order of the network's parameters.
    """

    def __init__(self, network: MLP, num_rows: int) -> None:
        parameters = [parameter.detach() for parameter in network.parameters()]
        self.weights, self.biases = parameters[::2], [bias.unsqueeze(1) for bias in parameters[1::2]]
        self.outputs = [weight.new_empty(len(weight), num_rows, weight.shape[2]) for weight in self.weights]
        self.slopes = [torch.empty_like(output) for output in self.outputs[:-1]]  # of the losses, by hidden units
        self.gradients = [torch.empty_like(parameter) for parameter in parameters]
        self.transposed_weights = [weight.transpose(1, 2) for weight in self.weights]
        self.transposed_outputs = [output.transpose(1, 2) for output in self.outputs]

    def forward(self, x: Tensor) -> Tensor:
        """Map (k, num_rows, inputs) to (k, num_rows, outputs), which the next call overwrites."""
        self.transposed_inputs = [x.transpose(1, 2), *self.transposed_outputs]
        for weight, bias, output in zip(self.weights, self.biases, self.outputs, strict=True):
            torch.baddbmm(bias, x, weight, out=output)
            x = output if output is self.outputs[-1] else output.relu_()
        return x

    def backward(self, slope: Tensor) -> Tensor:
        """Set `gradients` from the losses' slope by the outputs; gives that by the first layer's units."""
        for layer in reversed(range(len(self.weights))):
            torch.bmm(self.transposed_inputs[layer], slope, out=self.gradients[2 * layer])
            torch.sum(slope, 1, out=self.gradients[2 * layer + 1])
            if layer:
                below = torch.bmm(slope, self.transposed_weights[layer], out=self.slopes[layer - 1])
                slope = torch.ops.aten.threshold_backward.grad_input(
                    below, self.outputs[layer - 1], 0, grad_input=below
                )
        return slope

    def input_gradient(self, slope: Tensor) -> Tensor:
        """The losses' slope by the inputs, from what `backward` gave."""
        return torch.bmm(slope, self.transposed_weights[0])


class DiscriminatorBackprop:
    """The cross-entropies of k discriminators, as `DiscriminatorStack.step` describes them, and their gradients.

    Args:
        network: a plain one with one output.
        batch_size: real points, and samples, of one discriminator.

    Attributes:
        gradients: in the order of the network's parameters.
    """

    def __init__(self, network: MLP, batch_size: int) -> None:
        self.batch_size = batch_size
        self.mlp = MLPBackprop(network, 2 * batch_size)
        self.gradients = self.mlp.gradients
        self.signs = torch.tensor([-1.0, 1.0]).repeat_interleave(batch_size).view(1, -1, 1)
        self.share = (torch.tensor(0.5) / batch_size).expand_as(self.mlp.outputs[-1])  # of a point in its loss

    def run(self, real: Tensor, fake: Tensor) -> Tensor:
        """Losses (k,) of points (k or 1, batch, *shape) and samples (k, batch, *shape)."""
        x = torch.cat([real.expand_as(fake), fake], dim=1).flatten(2)
        wrong = self.mlp.forward(x) * self.signs  # logits of the wrong answer
        losses = 0.5 * F.softplus(wrong).view(len(x), 2, -1).mean(2).sum(1)
        self.mlp.backward(torch.ops.aten.softplus_backward(self.share, wrong, 1, 20).mul_(self.signs))
        return losses


class VAEBackprop:
    """The evidence bounds of k VAEs, as `VAEStack.losses` describes them, and their gradients.

    Args:
        encoder: a plain one.
        decoder: a plain one.
        batch_size: points of one VAE.

    Attributes:
        gradients: the encoder's, then the decoder's.
    """

    def __init__(self, encoder: MLP, decoder: MLP, batch_size: int) -> None:
        self.batch_size = batch_size
        self.encoder, self.decoder = MLPBackprop(encoder, batch_size), MLPBackprop(decoder, batch_size)
        self.gradients = self.encoder.gradients + self.decoder.gradients
        features = self.encoder.outputs[-1]
        self.mean, self.log_variance = features.chunk(2, dim=2)
        self.slope = torch.empty_like(features)
        self.mean_slope, self.log_variance_slope = self.slope.chunk(2, dim=2)

    def run(self, x: Tensor, noise: Tensor, reconstruct: Reconstruction) -> Tensor:
        """Mean losses (k,) of points (k, batch, d).

        Args:
            x: (k, batch, d).
            noise: (k, batch, latent), standard normal.
            reconstruct: gives the losses (k, batch) of points and decoder's outputs and their slope by the outputs.
        """
        self.encoder.forward(x)
        log_variance = self.log_variance.contiguous()  # three passes over a view cost more than the copy
        deviation = (0.5 * log_variance).exp_()
        output = self.decoder.forward(torch.addcmul(self.mean, deviation, noise))
        excess = log_variance.exp()
        divergence = 0.5 * (self.mean.square().add_(excess).sub_(log_variance).sub_(1)).sum(2)
        losses, slope = reconstruct(x, output)
        share = 1 / self.batch_size
        latent = self.decoder.input_gradient(self.decoder.backward(slope.mul_(share)))
        torch.add(latent, self.mean, alpha=share, out=self.mean_slope)
        inner = latent.mul_(noise).mul_(deviation).add_(excess.sub_(1), alpha=share)
        torch.mul(inner, 0.5, out=self.log_variance_slope)
        self.encoder.backward(self.slope)
        return losses.add_(divergence).mean(1)
