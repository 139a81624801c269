"""One update of Adam for all parameters in one kernel, on a CPU or a GPU."""

import torch
from torch import Tensor


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
    """The update that `adam.update` specifies, in place.

    `torch.optim.Adam` runs the same kernel; around it, its bookkeeping of groups and options costs small networks more
    than the kernel itself.
    """
    torch._fused_adam_(
        parameters,
        gradients,
        means,
        squares,
        [],
        [num_steps] * len(parameters),
        lr=learning_rate,
        beta1=beta1,
        beta2=beta2,
        eps=epsilon,
        weight_decay=0.0,
        amsgrad=False,
        maximize=False,
    )
