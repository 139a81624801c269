"""At least how much memory an experiment's settings ask for: a slip of the pen is told before an allocation fails.

Every number here is a lower limit, found without building anything.
"""

from collections.abc import Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING

from competitive_mixtures.settings.components import Component, Network

if TYPE_CHECKING:
    from competitive_mixtures.settings.experiment import Experiment

BYTES_PER_WEIGHT = 16  # float32: the weight, its gradient, and Adam's two moments
LARGEST_MACHINE = 2**42  # bytes; nobody trains these networks on a machine with more
KERNEL = 16  # weights of a 4x4 convolution for each pair of channels


def count_weights(network: Network, code_size: int, shape: Sequence[int]) -> int:
    """Weights of a network between a data point and a code, in either direction.

    Args:
        network: its kind and widths.
        code_size: features at the other end than the data's.
        shape: of a data point, (d,) or (c, h, w).
    """
    widths = network.widths
    if network.kind == "mlp":
        sizes, kernel, ends = [prod(shape), *widths, code_size], 1, 0
    else:
        smallest = prod(max(1, side >> len(widths)) for side in shape[1:])
        sizes, kernel, ends = widths, KERNEL, code_size * min(widths[0], widths[-1]) * smallest
    return kernel * sum(a * b for a, b in zip(sizes[:-1], sizes[1:], strict=True)) + ends


def count_component_weights(component: Component, shape: Sequence[int]) -> int:
    """Weights of one component."""
    if component.kind == "vae":
        parts = [(component.encoder, component.latent_dim), (component.decoder, component.latent_dim)]
    else:
        parts = [(component.generator, component.latent_dim), (component.critic, 1)]
    return sum(count_weights(network, code_size, shape) for network, code_size in parts)


def list_needs(experiment: "Experiment", shape: Sequence[int] = (1,)) -> Iterator[tuple[str, int]]:
    """What takes memory, by the key that decides it, each with its bytes.

    Args:
        experiment: sound settings.
        shape: of a data point; the smallest one where the data are not known yet.
    """
    point, training = prod(shape), experiment.training
    for number, component in enumerate(experiment.components):
        count = 1 if training.shared_layers else component.count
        weights = count * count_component_weights(component, shape)
        yield f"components.{number}", BYTES_PER_WEIGHT * weights
    yield "training.batch_size", 4 * training.batch_size * point
    yield "evaluation.num_samples", experiment.evaluation.num_samples * point
    if not experiment.scoring.uses_bounds:
        separate = experiment.scoring.kind == "discriminators" and experiment.scoring.trunk == "separate"
        weights = count_weights(experiment.scoring.network, 1, shape)
        yield "scoring.network", BYTES_PER_WEIGHT * weights * (experiment.num_components if separate else 1)
        yield "scoring.batch_size", 4 * experiment.scoring.batch_size * point


def find_excesses(experiment: "Experiment", memory: int, whose: str, shape: Sequence[int] = (1,)) -> Iterator[str]:
    """Sentences on what asks for more memory than there is, each with its key.

    Args:
        experiment: sound settings.
        memory: bytes.
        whose: memory that is.
        shape: as in `list_needs`.
    """
    for key, needed in list_needs(experiment, shape):
        if needed > memory:
            yield f"{key}: needs at least {_write(needed)} of memory, {whose} has {_write(memory)}; take smaller numbers"


def _write(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"
