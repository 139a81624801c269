"""At least how much memory an experiment's settings ask for: a slip of the pen is told before an allocation fails.

Every number here is a lower limit, found without building anything.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import prod

from competitive_mixtures.settings.components import NETWORKS, Component, Network

FLOAT_BYTES = 4  # of a float32
BYTES_PER_WEIGHT = 4 * FLOAT_BYTES  # the weight, its gradient, and Adam's two moments
LARGEST_MACHINE = 2**42  # bytes; nobody trains these networks on a machine with more
KERNEL = 16  # weights of a 4x4 convolution for each pair of channels


def count_weights(network: Network, code_size: int, shape: Sequence[int]) -> int:
    """Weights of a network between a data point and a code; of an MLP, those of the direction that has fewer.

    Args:
        network: its kind and widths.
        code_size: features at the other end than the data's.
        shape: of a data point, (d,) or (c, h, w).
    """
    widths = network.widths
    if network.kind == "mlp":
        directions = [[prod(shape), *order, code_size] for order in (widths, widths[::-1])]  # encoder and decoder
        return min(sum(a * b for a, b in pairwise(sizes)) for sizes in directions)
    smallest = prod(max(1, side >> len(widths)) for side in shape[1:])
    ends = code_size * min(widths[0], widths[-1]) * smallest
    return KERNEL * sum(a * b for a, b in pairwise(widths)) + ends


def count_component_weights(component: Component, shape: Sequence[int]) -> int:
    """Weights of one component, of whatever kind: of the networks that are keys of its block."""
    networks = [network for _, network in component if isinstance(network, NETWORKS)]
    code_size = getattr(component, "latent_dim", 1)
    from_or_to_code = component.shareable_networks  # a critic has one output
    return sum(
        count_weights(network, code_size if any(network is other for other in from_or_to_code) else 1, shape)
        for network in networks
    )


def find_excesses(needs: Iterable[tuple[str, int]], memory: int, whose: str) -> Iterator[str]:
    """Sentences on what asks for more memory than there is, each with its key.

    Args:
        needs: keys with bytes, as `Experiment.list_needs` gives them.
        memory: bytes.
        whose: memory that is.
    """
    for key, needed in needs:
        if needed > memory:
            need, have = (f"{size / 1e9:,.1f} GB" for size in (needed, memory))
            yield f"{key}: needs at least {need} of memory, {whose} has {have}; take smaller numbers"
