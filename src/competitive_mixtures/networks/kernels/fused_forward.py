"""The same points through k fully connected networks that are not being trained, one network after the other."""

from collections.abc import Sequence

import torch
from torch import Tensor


@torch.no_grad()
def apply_one_by_one(parameters: Sequence[Tensor], x: Tensor) -> Tensor:
    """What plain networks map x to, in half the time: a network's hidden layers never leave the cache.

    Args:
        parameters: a weight (k, inputs, outputs) and a bias (k, outputs) for each layer in turn, of networks that
            `availability.suits`.
        x: (n, inputs) float32, the same rows for all k networks.

    Returns:
        (k, n, outputs).
    """
    apply_layer = torch.ops.mkldnn._linear_pointwise  # a linear layer and its activation as one kernel of oneDNN
    *hidden, (last_weights, last_biases) = zip(parameters[::2], parameters[1::2], strict=True)
    transposed = [(weights.transpose(1, 2), biases) for weights, biases in hidden]
    outputs = []
    for j, (last_weight, last_bias) in enumerate(zip(last_weights, last_biases, strict=True)):
        y = x
        for weights, biases in transposed:
            y = apply_layer(y, weights[j], biases[j], "relu", [], "")
        outputs.append(torch.addmm(last_bias, y, last_weight))
    return torch.stack(outputs)
