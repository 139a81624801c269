"""Forward and backward passes of small networks written out: on a CPU, autograd's graph takes longer than they do.

The operators are those that autograd calls, on the same numbers: for batches of a power of two the bytes are the same.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

Reconstruction = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Losses (k, batch) of points and decoder outputs (k, batch, d), and their gradient with respect to the outputs."""


class MLPBackprop:
    """k plain MLPs on a batch each, in memory that every step uses again.

    Args:
        parameters: a weight (k, inputs, outputs) and a bias (k, outputs) for each layer in turn; read where they are.

    Attributes:
        gradients: one for each parameter, in their order; the next step overwrites them.
    """

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        own = [parameter.detach() for parameter in parameters]
        self.weights, self.biases = own[::2], [bias.unsqueeze(1) for bias in own[1::2]]
        self.transposed_weights = [weight.transpose(1, 2) for weight in self.weights]
        self.gradients = [torch.empty_like(parameter) for parameter in own]
        self.outputs: list[Tensor] = []

    def reserve(self, num_rows: int) -> None:
        """Make room for batches of `num_rows` points."""
        self.outputs = [weight.new_empty(len(weight), num_rows, weight.shape[2]) for weight in self.weights]
        self.hidden_gradients = [torch.empty_like(output) for output in self.outputs[:-1]]
        self.transposed_outputs = [output.transpose(1, 2) for output in self.outputs]

    def forward(self, x: Tensor) -> Tensor:
        """Map (k, num_rows, inputs) to (k, num_rows, outputs), which the next call overwrites."""
        self.transposed_inputs = [x.transpose(1, 2), *self.transposed_outputs]
        for weight, bias, output in zip(self.weights, self.biases, self.outputs, strict=True):
            torch.baddbmm(bias, x, weight, out=output)
            x = output if output is self.outputs[-1] else output.relu_()
        return x

    def backward(self, gradient: Tensor) -> Tensor:
        """Backpropagate: fill `gradients`; return the gradient with respect to the first layer's pre-activations.

        Args:
            gradient: of the losses with respect to the outputs, (k, num_rows, outputs).
        """
        for layer in reversed(range(len(self.weights))):
            self.fill_gradients(layer, gradient)
            if layer:
                gradient = self.pass_below(layer, gradient)
        return gradient

    def fill_gradients(self, layer: int, gradient: Tensor) -> None:
        """The gradients of a layer's weights and biases, from that with respect to its pre-activations."""
        torch.bmm(self.transposed_inputs[layer], gradient, out=self.gradients[2 * layer])
        torch.sum(gradient, 1, out=self.gradients[2 * layer + 1])

    def pass_below(self, layer: int, gradient: Tensor) -> Tensor:
        """The gradient with respect to the pre-activations of a layer, from that of the next one."""
        below = torch.bmm(gradient, self.transposed_weights[layer], out=self.hidden_gradients[layer - 1])
        return torch.ops.aten.threshold_backward.grad_input(below, self.outputs[layer - 1], 0, grad_input=below)

    def pass_through(self, gradient: Tensor) -> Tensor:
        """The gradient with respect to the inputs, for those of the outputs; `gradients` are left as they are."""
        for layer in reversed(range(1, len(self.weights))):
            gradient = self.pass_below(layer, gradient)
        return self.input_gradient(gradient)

    def input_gradient(self, gradient: Tensor) -> Tensor:
        """The gradient with respect to the inputs, from what `backward` returned."""
        return torch.bmm(gradient, self.transposed_weights[0])


class CrossEntropy:
    """The cross-entropies of k classifiers, of real points and as many samples behind them, and their gradient.

    Args:
        outputs: (k, 2 * batch, 1), of their last layer.
        factor: of a point's loss in the mean over its half of the batch.

    Attributes:
        share: (k, 2 * batch, 1), of a point in its loss.
        signs: (1, 2 * batch, 1), which make logits those of the wrong answer.
    """

    def __init__(self, outputs: Tensor, factor: float) -> None:
        batch_size, self.factor = outputs.shape[1] // 2, factor
        self.signs = torch.tensor([-1.0, 1.0], dtype=torch.float32).repeat_interleave(batch_size).view(1, -1, 1)
        self.share = (torch.tensor(factor, dtype=torch.float32) / batch_size).expand_as(outputs)

    def run(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Losses (k,) of logits (k, 2 * batch, 1), and their gradient."""
        wrong = logits * self.signs
        losses = self.factor * F.softplus(wrong).view(len(logits), 2, -1).mean(2).sum(1)
        return losses, torch.ops.aten.softplus_backward(self.share, wrong, 1, 20).mul_(self.signs)


class DiscriminatorBackprop:
    """The cross-entropies of k plain discriminators, as `DiscriminatorStack.step` defines them, and their gradients.

    Args:
        parameters: of networks with one output, see `MLPBackprop`.

    Attributes:
        gradients: one for each parameter, in their order.
    """

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self.mlp, self.batch_size = MLPBackprop(parameters), 0
        self.gradients = self.mlp.gradients

    def run(self, real: Tensor, fake: Tensor) -> Tensor:
        """Losses (k,) of points (k or 1, batch, *shape) and samples (k, batch, *shape); fills `gradients`."""
        if fake.shape[1] != self.batch_size:
            self._reserve(fake.shape[1])
        x = torch.cat([real.expand_as(fake), fake], dim=1).flatten(2)
        losses, gradient = self.cross_entropy.run(self.mlp.forward(x))
        self.mlp.backward(gradient)
        return losses

    def _reserve(self, batch_size: int) -> None:
        self.batch_size = batch_size
        self.mlp.reserve(2 * batch_size)
        self.cross_entropy = CrossEntropy(self.mlp.outputs[-1], 0.5)


class VAEBackprop:
    """The evidence bounds of k plain VAEs, as `VAEStack.losses` defines them, and their gradients.

    Args:
        encoder: parameters, see `MLPBackprop`.
        decoder: parameters.

    Attributes:
        gradients: the encoder's, then the decoder's.
    """

    def __init__(self, encoder: Sequence[Tensor], decoder: Sequence[Tensor]) -> None:
        self.encoder, self.decoder, self.batch_size = MLPBackprop(encoder), MLPBackprop(decoder), 0
        self.gradients = self.encoder.gradients + self.decoder.gradients

    def run(self, x: Tensor, noise: Tensor, reconstruct: Reconstruction) -> Tensor:
        """Mean losses (k,) of points (k, batch, d); fills `gradients`.

        Args:
            x: (k, batch, d).
            noise: (k, batch, latent), standard normal.
            reconstruct: the likelihood's part of the losses.
        """
        if x.shape[1] != self.batch_size:
            self._reserve(x.shape[1])
        self.encoder.forward(x)
        log_variance = self.log_variance.contiguous()  # three passes over a view cost more than the copy
        deviation = (0.5 * log_variance).exp_()
        output = self.decoder.forward(torch.addcmul(self.mean, deviation, noise))
        excess = log_variance.exp()
        divergence = 0.5 * (self.mean.square().add_(excess).sub_(log_variance).sub_(1)).sum(2)
        losses, gradient = reconstruct(x, output)
        share = 1 / self.batch_size
        latent = self.decoder.input_gradient(self.decoder.backward(gradient.mul_(share)))
        torch.add(latent, self.mean, alpha=share, out=self.mean_gradient)
        inner = latent.mul_(noise).mul_(deviation).add_(excess.sub_(1), alpha=share)
        torch.mul(inner, 0.5, out=self.log_variance_gradient)
        self.encoder.backward(self.gradient)
        return losses.add_(divergence).mean(1)

    def _reserve(self, batch_size: int) -> None:
        self.batch_size = batch_size
        self.encoder.reserve(batch_size)
        self.decoder.reserve(batch_size)
        features = self.encoder.outputs[-1]
        self.mean, self.log_variance = features.chunk(2, dim=2)
        self.gradient = torch.empty_like(features)
        self.mean_gradient, self.log_variance_gradient = self.gradient.chunk(2, dim=2)
