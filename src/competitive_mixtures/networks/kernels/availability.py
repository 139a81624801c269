"""The door to the kernels: whether this PyTorch has one, and whether it suits a network."""

from collections.abc import Sequence
from functools import cache
from typing import Literal

import torch
from torch import Tensor

Kernel = Literal["adam", "backprop", "fused_forward"]


@cache
def has(kernel: Kernel) -> bool:
    """Whether this PyTorch has the private operators that a kernel calls; without them autograd does its work.

    Args:
        kernel: `adam` (one update of all parameters), `backprop` (gradients of small networks written out) or
            `fused_forward` (a linear layer and its ReLU in one call of oneDNN).
    """
    if kernel == "adam":
        return hasattr(torch, "_fused_adam_")
    if kernel == "backprop":
        operators = torch.ops.aten
        names = ("softplus_backward", "sigmoid_backward", "threshold_backward")
        return all(hasattr(operators, name) for name in names) and hasattr(operators.threshold_backward, "grad_input")
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def suits(kernel: Kernel, parameters: Sequence[Tensor]) -> bool:
    """Whether a kernel can take over a network with these parameters: on a CPU, and with a PyTorch that has it.

    Args:
        kernel: see `has`.
        parameters: of plain networks, see `architectures.plain_parameters`; none of any other.
    """
    return bool(parameters) and all(parameter.device.type == "cpu" for parameter in parameters) and has(kernel)
