"""The same points through k fully connected networks that are not trained, one network after the other, on a CPU."""

from typing import TypeGuard

import torch
from torch import Tensor, nn

from competitive_mixtures.networks.architectures import MLP
from competitive_mixtures.networks.kernels.backprop import is_plain

# Private to PyTorch, whose compiler calls it: a linear layer and its activation as one kernel of oneDNN.
FUSED = "_linear_pointwise"


def can_fuse(network: nn.Module) -> TypeGuard[MLP]:
    """Whether `apply_one_by_one` takes this network: plain, see `is_plain`, with a PyTorch that has oneDNN."""
    return is_plain(network) and torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, FUSED)


@torch.no_grad()
def apply_one_by_one(network: MLP, x: Tensor) -> Tensor:
    """What `network` maps x to, in half the time: a network's hidden layers never leave the cache.

    Args:
        network: one that `can_fuse` takes.
        x: (n, inputs) float32, the same rows for all k networks.

    Returns:
        (k, n, outputs).
    """
    apply = getattr(torch.ops.mkldnn, FUSED)
    parameters = list(network.parameters())  # weights and biases in turn
    *hidden, (last_weights, last_biases) = zip(parameters[::2], parameters[1::2], strict=True)
    transposed = [(weights.transpose(1, 2), biases) for weights, biases in hidden]
    outputs = []
    for j, (last_weight, last_bias) in enumerate(zip(last_weights, last_biases, strict=True)):
        y = x
        for weights, biases in transposed:
            y = apply(y, weights[j], biases[j], "relu", [], "")
        outputs.append(torch.addmm(last_bias, y, last_weight))
    return torch.stack(outputs)
