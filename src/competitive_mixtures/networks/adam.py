"""Adam (Kingma & Ba, 2015, arXiv 1412.6980) for the parameters of k networks at once."""

import torch
from torch import Tensor, nn

from competitive_mixtures.networks.kernels import availability, fused_adam
from competitive_mixtures.settings import schema

EPSILON = 1e-8


class Adam:
    """Adam's state for every parameter of a module, and its update.

    Args:
        module: whose parameters are trained.
        settings: learning rate and decay rates.

    Attributes:
        parameters: trained in place.
        means: running mean of each gradient.
        squares: running mean of each squared gradient.
        num_steps: updates so far, a scalar tensor.
        learning_rate: of the next update; that of the settings unless somebody sets it.
    """

    def __init__(self, module: nn.Module, settings: schema.Optimizer) -> None:
        self.settings, self.module = settings, module
        self.learning_rate = settings.learning_rate
        self.names, self.parameters = zip(*module.named_parameters(), strict=True)
        self.means, self.squares = ([torch.zeros_like(p) for p in self.parameters] for _ in range(2))
        self.num_steps = torch.zeros((), dtype=torch.float32, device=self.parameters[0].device)
        self._update = fused_adam.update if availability.has("adam") else update

    def minimize(self, losses: Tensor) -> Tensor:
        """Take one step down the gradient of the sum of `losses`; returns them detached."""
        gradients = torch.autograd.grad(losses.sum(), self.parameters)
        self.descend([gradient.contiguous() for gradient in gradients])
        return losses.detach()

    @torch.no_grad()
    def descend(self, gradients: list[Tensor]) -> None:
        """Take one step down `gradients`, one for each parameter, in the parameters' order and layout."""
        self.num_steps += 1
        self._update(
            self.parameters,
            gradients,
            self.means,
            self.squares,
            self.num_steps,
            learning_rate=self.learning_rate,
            beta1=self.settings.beta1,
            beta2=self.settings.beta2,
            epsilon=EPSILON,
        )

    def moments(self) -> dict[str, dict[str, Tensor]]:
        """Adam's running means by name of moment and of parameter."""
        moments = {"mean": self.means, "square": self.squares}
        return {moment: dict(zip(self.names, tensors, strict=True)) for moment, tensors in moments.items()}


def update(
    parameters: tuple[Tensor, ...],
    gradients: list[Tensor],
    means: list[Tensor],
    squares: list[Tensor],
    num_steps: Tensor,
    *,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> None:
    """One update as the paper writes it (algorithm 1), in place.

    Args:
        parameters: theta.
        gradients: g, one for each parameter.
        means: m, changed in place.
        squares: v, changed in place.
        num_steps: t, from 1, a scalar tensor.
        learning_rate: alpha.
        beta1: decay rate of m.
        beta2: decay rate of v.
        epsilon: keeps the denominator from zero.
    """
    for parameter, gradient, mean, square in zip(parameters, gradients, means, squares, strict=True):
        mean.lerp_(gradient, 1 - beta1)
        square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        unbiased = mean / (1 - beta1**num_steps)
        deviation = (square / (1 - beta2**num_steps)).sqrt_().add_(epsilon)
        parameter.sub_(learning_rate * unbiased / deviation)
