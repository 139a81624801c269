"""Forward and backward passes of small GANs written out, the gradient of the gradient penalty and spectral norms too.

What autograd keeps of a spectrally normalised weight are matrices of its size, which took two fifths of a step on
images. A product with W / s is one with W, whose few results are divided by s, and the part of the gradient that goes
by way of s is a matrix of rank one. Those critics round otherwise than autograd; plain ones have its bytes where the
batch is a power of two.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from competitive_mixtures.networks.kernels.backprop import CrossEntropy, MLPBackprop


class SpectralBackprop(MLPBackprop):
    """`MLPBackprop` of networks whose weights are divided by their spectral norms, see `layers.Stacked`.

    Args:
        parameters: as for any network.
        vectors: of each layer, (k, inputs): the first singular vectors so far, which every pass moves on.
    """

    def __init__(self, parameters: Sequence[Tensor], vectors: Sequence[Tensor]) -> None:
        super().__init__(parameters)
        self.vectors = vectors

    def forward(self, x: Tensor) -> Tensor:
        """As any network's, after one step of the power iteration."""
        self.transposed_inputs = [x.transpose(1, 2), *self.transposed_outputs]
        self.norms, self.lefts = [], []
        for layer, (weight, vector) in enumerate(zip(self.weights, self.vectors, strict=True)):
            left = F.normalize(torch.bmm(vector.unsqueeze(1), weight), dim=2)  # (k, 1, outputs)
            right = torch.bmm(weight, left.transpose(1, 2))  # (k, inputs, 1)
            norm = right.norm(dim=1, keepdim=True)  # (k, 1, 1), which is right' W left, right' being the next vector
            vector.copy_(F.normalize(right, dim=1).squeeze(2))
            self.norms.append(norm)
            self.lefts.append(left)
            output = torch.bmm(x, weight, out=self.outputs[layer])
            torch.addcdiv(self.biases[layer], output, norm, out=output)
            x = output if output is self.outputs[-1] else output.relu_()
        return x

    def fill_gradients(self, layer: int, gradient: Tensor) -> None:
        """As any network's.

        With y = x W / s + b and g its gradient, that of W is (x' g - (sum of (y - b) g) right left') / s. The outputs
        of a hidden layer are max(y, 0), which does as well: where they differ, g is zero.
        """
        norm, (weights, biases) = self.norms[layer], self.gradients[2 * layer : 2 * layer + 2]
        torch.sum(gradient, 1, out=biases)
        by_norm = (self.outputs[layer] * gradient).sum((1, 2)) - (self.biases[layer].squeeze(1) * biases).sum(1)
        torch.bmm(self.transposed_inputs[layer], gradient / norm, out=weights)
        left = self.lefts[layer] / norm
        weights.addcmul_(self.vectors[layer].unsqueeze(2), left * by_norm.view(-1, 1, 1), value=-1)

    def pass_below(self, layer: int, gradient: Tensor) -> Tensor:
        """As any network's."""
        return super().pass_below(layer, gradient / self.norms[layer])

    def input_gradient(self, gradient: Tensor) -> Tensor:
        """The gradient with respect to the inputs, from that with respect to the first layer's pre-activations."""
        return super().input_gradient(gradient / self.norms[0])


class GradientPenalty:
    """The mean of (|gradient of the score| - 1)^2 over points between real ones and samples, and its own gradient.

    A ReLU's derivative is a constant on each side of its kink, so that the gradient of a score is a product of the
    weights, some rows left out, and its derivative needs no second pass through the activations.

    Args:
        parameters: of the critics, see `MLPBackprop`.
        factor: of the penalty.
    """

    def __init__(self, parameters: Sequence[Tensor], factor: float) -> None:
        self.mlp, self.factor = MLPBackprop(parameters), factor

    def reserve(self, num_rows: int) -> None:
        """Make room for batches of `num_rows` points."""
        self.mlp.reserve(num_rows)
        self.ones = torch.ones((), dtype=torch.float32).expand_as(self.mlp.outputs[-1])
        self.share = 1 / num_rows

    def run(self, between: Tensor, gradients: Sequence[Tensor]) -> Tensor:
        """Penalties (k,), times the factor; their gradient is added to `gradients`.

        Args:
            between: (k, num_rows, d).
            gradients: of the critics' parameters, in their order; no bias changes the penalty.
        """
        mlp, last = self.mlp, len(self.mlp.weights) - 1
        mlp.forward(between)
        slopes = [self.ones]  # of the score by each layer's pre-activations, from the last layer to the first
        for layer in reversed(range(1, last + 1)):
            slopes.append(mlp.pass_below(layer, slopes[-1]))
        slope = mlp.input_gradient(slopes[-1])
        norm = slope.norm(dim=2, keepdim=True)
        excess = norm - 1
        change = (slope / norm).masked_fill_(norm == 0, 0).mul_(excess * (2 * self.factor * self.share))
        for layer, above in enumerate(reversed(slopes)):
            gradients[2 * layer].add_(torch.bmm(above.transpose(1, 2), change).transpose(1, 2))
            if layer < last:
                change = torch.ops.aten.threshold_backward(torch.bmm(change, mlp.weights[layer]), mlp.outputs[layer], 0)
        return excess.squeeze(2).square_().mean(1).mul_(self.factor)


class GANBackprop:
    """The losses of k plain GANs, as `GANStack` defines them, and their gradients.

    Args:
        generator: parameters, see `MLPBackprop`.
        critic: parameters.
        vectors: singular vectors of the critics' layers where those are spectrally normalised, else none.
        penalty_factor: of the gradient penalty; None for the logistic losses, which have none.
        largest_logit: of images, beyond which the generators are penalised; None for vectors.

    Attributes:
        generator_gradients: one for each parameter, in their order.
        critic_gradients: alike.
    """

    def __init__(
        self,
        generator: Sequence[Tensor],
        critic: Sequence[Tensor],
        vectors: Sequence[Tensor],
        penalty_factor: float | None,
        largest_logit: float | None,
    ) -> None:
        def build_critic() -> MLPBackprop:
            return SpectralBackprop(critic, vectors) if vectors else MLPBackprop(critic)

        self.generator, self.critic = MLPBackprop(generator), build_critic()
        self.guide = build_critic()  # the same critics on a generator's batch alone; nobody fills its `gradients`
        self.generator_gradients, self.critic_gradients = self.generator.gradients, self.critic.gradients
        self.penalty = None if penalty_factor is None else GradientPenalty(critic, penalty_factor)
        self.largest_logit, self.batch_size = largest_logit, 0

    def run_critic(self, real: Tensor, latents: Tensor, weight: Tensor | None) -> Tensor:
        """Losses (k,) of the critics; fills `critic_gradients`.

        Args:
            real: (k, batch, d).
            latents: (k, batch, latent).
            weight: (k, batch, 1) in [0, 1], of the real point in the one between it and a sample, which is penalised;
                None for the logistic losses.
        """
        self._reserve(latents.shape[1])
        fake = self._finish(self.generator.forward(latents))
        scores = self.critic.forward(torch.cat([real, fake], dim=1))
        if self.penalty is None:
            losses, gradient = self.cross_entropy.run(scores)
            self.critic.backward(gradient)
            return losses
        assert weight is not None  # which the penalty needs
        real_scores, fake_scores = scores.squeeze(2).chunk(2, dim=1)
        losses = fake_scores.mean(1) - real_scores.mean(1)
        self.critic.backward(self.signed_share)
        return losses + self.penalty.run(torch.lerp(fake, real, weight), self.critic_gradients)

    def run_generator(self, latents: Tensor) -> Tensor:
        """Losses (k,) of the generators on latents (k, batch, latent); fills `generator_gradients`."""
        self._reserve(latents.shape[1])
        output = self.generator.forward(latents)
        fake = self._finish(output)
        scores = self.guide.forward(fake).squeeze(2)
        if self.penalty is None:
            losses = F.softplus(-scores).mean(1)
            share = self.cross_entropy.share[:, : self.batch_size]
            gradient = torch.ops.aten.softplus_backward(share, -scores.unsqueeze(2), 1, 20).neg_()
        else:
            losses = (-scores).mean(1)
            gradient = self.signed_share[:, : self.batch_size]
        gradient = self.guide.pass_through(gradient)
        if self.largest_logit is not None:
            gradient = torch.ops.aten.sigmoid_backward(gradient, fake)
            losses = losses + self._penalize_logits(output, gradient, self.largest_logit)
        self.generator.backward(gradient)
        return losses

    def _penalize_logits(self, output: Tensor, gradient: Tensor, limit: float) -> Tensor:
        """The penalty (k,) on logits beyond a limit, whose gradient is added to `gradient`."""
        low, high = output.aminmax()
        if low >= -limit and high <= limit:
            return output.new_zeros(len(output))
        excess = F.relu(output.abs() - limit)
        gradient.addcmul_(excess, output.sign(), value=2 / output[0].numel())
        return excess.square_().mean((1, 2))

    def _finish(self, output: Tensor) -> Tensor:
        return output if self.largest_logit is None else output.sigmoid()

    def _reserve(self, batch_size: int) -> None:
        if batch_size == self.batch_size:
            return
        self.batch_size = batch_size
        self.generator.reserve(batch_size)
        self.critic.reserve(2 * batch_size)
        self.guide.reserve(batch_size)
        if self.penalty is not None:
            self.penalty.reserve(batch_size)
        self.cross_entropy = CrossEntropy(self.critic.outputs[-1], 1.0)
        self.signed_share = self.cross_entropy.share * self.cross_entropy.signs  # the Wasserstein loss's gradient
