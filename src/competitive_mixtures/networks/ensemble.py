"""An ensemble: k networks, of one kind or several, as stacks that train side by side or one after the other."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Generic, Self, TypeVar

import torch
from torch import Tensor

from competitive_mixtures.networks.component import ComponentStack
from competitive_mixtures.networks.discriminator import ClassifierStack, DensityRatioStack, DiscriminatorStack
from competitive_mixtures.networks.gan import GANStack
from competitive_mixtures.networks.layers import Generators
from competitive_mixtures.networks.offset_classifier import OffsetClassifierStack
from competitive_mixtures.networks.stack import Stack, is_shared, join, select
from competitive_mixtures.networks.vae import VAEStack
from competitive_mixtures.seeding import StreamKey, make_generators
from competitive_mixtures.settings import schema

Kinds = dict[str, type[ComponentStack]]
COMPONENTS: Kinds = {"vae": VAEStack, "gan": GANStack}  # a new kind of component is one line here

RATIOS: dict[str, type[DensityRatioStack]] = {
    "discriminators": DiscriminatorStack,
    "classifier": ClassifierStack,
    "offset_classifier": OffsetClassifierStack,
}

S = TypeVar("S", bound=Stack)
Member = tuple[list[int], S]  # a stack with the numbers of its networks
Kind = tuple[Sequence[int], Callable[[Generators], S]]  # numbers of all networks of a kind, and what stacks some


class Ensemble(Generic[S]):
    """Numbered networks of several kinds; those of one kind are one stack (stacked) or a stack each (loop).

    Args:
        groups: for each kind, the stacks and the numbers of their networks.
        numbers: for each kind, the numbers of all networks of the run, those of other shards included.
    """

    def __init__(self, groups: Sequence[Sequence[Member[S]]], numbers: Sequence[Sequence[int]]) -> None:
        self.groups = [list(group) for group in groups]
        self.numbers = [list(kind) for kind in numbers]

    @classmethod
    def build(cls, kinds: Sequence[Kind[S]], ids: Sequence[int], backend: str, key: StreamKey) -> Self:
        """Freshly drawn networks.

        Args:
            kinds: of the run.
            ids: the numbers of the networks to hold; the others belong to other shards.
            backend: "stacked" or "loop"; both give the same networks and, up to rounding, the same training.
            key: of the random streams that draw the initial weights.
        """
        groups = []
        for numbers, build in kinds:
            own = [j for j in numbers if j in ids]
            units = [[j] for j in own] if backend == "loop" else [own] * bool(own)
            groups.append([(unit, build(make_generators(*key, "weights", components=unit))) for unit in units])
        return cls(groups, [numbers for numbers, _ in kinds])

    @property
    def stacks(self) -> list[Member[S]]:
        """Every stack with the numbers of its networks."""
        return [member for group in self.groups for member in group]

    @property
    def ids(self) -> list[int]:
        """Numbers of all networks, in order."""
        return [j for ids, _ in self.stacks for j in ids]

    @property
    def num_parameters(self) -> int:
        """Trainable parameters of all networks together."""
        return sum(stack.num_parameters for _, stack in self.stacks)

    @property
    def largest_weight(self) -> int:
        """Numbers in the largest weight of a stack, which decides the kernels of its products."""
        return max(stack.largest_weight for _, stack in self.stacks)

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return self.stacks[0][1].device

    def sample(
        self: "Ensemble[ComponentStack]", ids: Sequence[int], generators: Generators, num_samples: int
    ) -> Tensor:
        """Samples of components `ids`, each from its own generator.

        Args:
            ids: some or all of the ensemble's, in its order.
            generators: one for each of `ids`, on the ensemble's device.
            num_samples: from each component.

        Returns:
            (len(ids), num_samples, *shape), float.
        """
        streams = dict(zip(ids, generators, strict=True))
        parts = []
        for members, stack in self.stacks:
            rows = [row for row, j in enumerate(members) if j in streams]
            if rows:
                part = stack if len(rows) == stack.count else stack.take(rows)
                parts.append(part.sample([streams[members[row]] for row in rows], num_samples))
        return torch.cat(parts) if len(parts) > 1 else parts[0]  # a copy of images takes as long as drawing them

    def take(self: "Ensemble[ComponentStack]", ids: Sequence[int]) -> "Ensemble[ComponentStack]":
        """The components `ids` alone; where a stack holds others too, copies of its."""
        groups: list[list[Member[ComponentStack]]] = []
        for group in self.groups:
            groups.append([])
            for members, stack in group:
                rows = [row for row, j in enumerate(members) if j in ids]
                if rows:
                    part = stack if len(rows) == stack.count else stack.take(rows)
                    groups[-1].append(([members[row] for row in rows], part))
        return Ensemble(groups, self.numbers)

    def state(self) -> dict[str, Tensor]:
        """Every tensor of the networks, by kind and name: the same tensors whatever the back-end."""
        joined = [join(stack.state() for _, stack in group) for group in self.groups]
        return {f"{kind}.{name}": tensor for kind, state in enumerate(joined) for name, tensor in state.items()}

    def weights(self) -> dict[str, Tensor]:
        """The state without Adam's, which nothing after the training reads."""
        return {name: tensor for name, tensor in self.state().items() if "adam." not in name}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Copy in this ensemble's networks from the state of all.

        Raises:
            UserError: the state is of other networks.
        """
        for kind, (numbers, group) in enumerate(zip(self.numbers, self.groups, strict=True)):
            prefix = f"{kind}."
            part = {name.removeprefix(prefix): t for name, t in state.items() if name.startswith(prefix)}
            for members, stack in group:
                stack.load(select(part, [numbers.index(j) for j in members]))

    def load_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Copy in what `weights` gave; Adam's state stays as it is.

        Raises:
            UserError: the weights are of other networks.
        """
        self.load(self.state() | dict(weights))

    def copy_network(self, donor: int, recipient: int) -> None:
        """Make network `recipient` a copy of `donor`, Adam's state included; both are of one kind."""
        places = {j: (stack, row) for members, stack in self.stacks for row, j in enumerate(members)}
        (source, source_row), (target, target_row) = places[donor], places[recipient]
        copied = select(source.state(), [source_row])
        for name, tensor in target.state().items():
            if not is_shared(name):
                tensor[target_row] = copied[name][0]


def build_components(
    experiment: schema.Experiment,
    shape: Sequence[int],
    seed: int,
    *,
    unit: float = 1.0,
    ids: Sequence[int] | None = None,
    device: torch.device | str = "cpu",
) -> Ensemble[ComponentStack]:
    """The components of an experiment, freshly drawn.

    Args:
        experiment: kinds, networks and back-end.
        shape: of one data point.
        seed: of the run.
        unit: what one unit of a point is in the data set's own units.
        ids: the components to hold; all by default.
        device: where to train.
    """
    training = experiment.training
    kinds: list[Kind[ComponentStack]] = []
    first = 0
    for settings in experiment.components:
        build = partial(
            COMPONENTS[settings.kind],
            settings,
            shape,
            unit=unit,
            num_shared=training.shared_layers,
            standardize=training.standardize,
            device=device,
        )
        kinds.append((range(first, first + settings.count), build))
        first += settings.count
    networks = [network for component in experiment.components for network in component.shareable_networks]
    backend = choose_backend(training, networks, device)
    return Ensemble.build(kinds, range(first) if ids is None else ids, backend, (seed, "components"))


def build_discriminators(
    experiment: schema.Experiment,
    shape: Sequence[int],
    key: StreamKey,
    *,
    ids: Sequence[int] | None = None,
    device: torch.device | str = "cpu",
) -> Ensemble[DensityRatioStack]:
    """The discriminators of an experiment, one for each component, freshly drawn.

    Args:
        experiment: its scoring says of what kind.
        shape: of one data point.
        key: of the random streams that draw the initial weights.
        ids: the components to tell from real points; all by default.
        device: where to train.
    """
    scoring = experiment.scoring
    assert not scoring.uses_bounds
    joint = scoring.kind != "discriminators" or scoring.trunk == "shared"
    backend = "stacked" if joint else choose_backend(experiment.training, [scoring.network], device)
    kind = RATIOS[scoring.kind]
    numbers = range(experiment.num_components)
    build = partial(kind, scoring, shape, device=device)
    return Ensemble.build([(numbers, build)], numbers if ids is None else ids, backend, key)


def choose_backend(training: schema.Training, networks: Sequence[schema.Network], device: torch.device | str) -> str:
    """The asked back-end, or the faster one as measured in `benchmarks/`: convolutions on a CPU run one by one."""
    if training.backend != "auto":
        return training.backend
    convolutional = any(network.kind == "conv" for network in networks)
    slow_groups = convolutional and torch.device(device).type == "cpu" and not training.shared_layers
    return "loop" if slow_groups else "stacked"
