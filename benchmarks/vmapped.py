"""A reference of `training.py`: k VAEs as PyTorch's documentation of ensembles writes them, by `vmap`, as one step."""

from copy import deepcopy

import torch
from plain import PlainVAE
from torch import Tensor
from torch.func import functional_call, stack_module_state

from competitive_mixtures.settings import schema


class VmappedVAEs:
    """k VAEs with stacked parameters, one loss by `vmap` and one `torch.optim.Adam`.

    Args:
        settings: of the VAEs, without batch norm, whose running means `vmap` cannot update.
        points: (N, *shape).
        batch_size: points of one VAE in a step.
        compiled: whether the loss, with its gradients, goes through `torch.compile`.
    """

    def __init__(self, settings: schema.VAE, points: Tensor, batch_size: int, *, compiled: bool) -> None:
        networks = [PlainVAE(settings, points.shape[1:]) for _ in range(settings.count)]
        self.points, self.positions = points, (settings.count, batch_size)
        self.parameters, _ = stack_module_state(networks)
        skeleton = deepcopy(networks[0]).to("meta")

        def loss(parameters: dict[str, Tensor], x: Tensor) -> Tensor:
            return functional_call(skeleton, parameters, (x,))

        def total_loss(parameters: dict[str, Tensor], x: Tensor) -> Tensor:
            return torch.vmap(loss, randomness="different")(parameters, x).sum()

        self.total_loss = torch.compile(total_loss) if compiled else total_loss
        options = settings.optimizer
        self.optimizer = torch.optim.Adam(
            self.parameters.values(), options.learning_rate, (options.beta1, options.beta2)
        )

    def train(self, num_steps: int) -> None:
        """Take steps on random batches."""
        for _ in range(num_steps):
            x = self.points[torch.randint(len(self.points), self.positions)]
            x = x.float() / 255 if x.dtype == torch.uint8 else x
            self.optimizer.zero_grad()
            self.total_loss(self.parameters, x).backward()
            self.optimizer.step()
