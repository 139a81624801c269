"""A ensemble: k networks, of one kind or several, as stacks that train side by side or one after the other."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, TypeVar

import torch
from torch import Tensor

from competitive_mixtures.networks.discriminator import ClassifierStack, DiscriminatorStack
from competitive_mixtures.networks.gan import GANStack
from competitive_mixtures.networks.layers import Generators
from competitive_mixtures.networks.stack import (
    ComponentStack,
    DensityRatioStack,
    Stack,
    is_shared,
    join,
    select,
    take_rows,
)
from competitive_mixtures.networks.vae import VAEStack
from competitive_mixtures.seeding import make_generators
from competitive_mixtures.settings import schema

Kinds = dict[str, type[ComponentStack]]
COMPONENTS: Kinds = {"vae": VAEStack, "gan": GANStack}  # a new kind of component is one line here

B = TypeVar("B", bound=Stack)
Group = tuple[Sequence[int], Callable[[Generators], B]]


class Ensemble(Generic[B]):
    """Networks number `ids` of several kinds; the networks of one kind are one stack (stacked) or a stack each (loop).

    Args:
        groups: for each kind, the numbers of all its networks and what builds a stack of some from their generators.
        ids: the numbers of the networks to hold; the others belong to other shards.
        backend: "stacked" or "loop"; both give the same networks and, up to rounding, the same training.
        seed: of the run.
        purpose: names the stream that draws the initial weights.
    """

    def __init__(
        self,
        groups: Sequence[Group[B]],
        ids: Sequence[int],
        backend: str,
        seed: int,
        *purpose: object,
    ) -> None:
        self.numbers = [list(numbers) for numbers, _ in groups]
        self.groups: list[list[tuple[list[int], B]]] = []
        for numbers, build in groups:
            own = [j for j in numbers if j in ids]
            units = [[j] for j in own] if backend == "loop" else [own] * bool(own)
            self.groups.append(
                [(unit, build(make_generators(seed, *purpose, "weights", components=unit))) for unit in units]
            )

    @property
    def stacks(self) -> list[tuple[list[int], B]]:
        """Every stack with the numbers of its networks."""
        return [pair for group in self.groups for pair in group]

    @property
    def ids(self) -> list[int]:
        """Numbers of all networks, in order."""
        return [j for ids, _ in self.stacks for j in ids]

    @property
    def num_parameters(self) -> int:
        """Trainable parameters of all networks together."""
        return sum(stack.num_parameters for _, stack in self.stacks)

    def largest_product(self, num_points: int) -> int:
        """Floating-point operations of the largest batched matrix product over so many points of every network."""
        return max((stack.largest_product(num_points) for _, stack in self.stacks), default=0)

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
                part = stack if len(rows) == stack.count else take_rows(stack, rows)
                drawn = part.sample([streams[members[row]] for row in rows], num_samples)
                parts.append(part.leave_frames(drawn))
        return torch.cat(parts)

    def fit_frames(self: "Ensemble[ComponentStack]", points: Tensor, cells: Sequence[Tensor]) -> None:
        """Give each component the frame of its cell, one for each of `ids`; one of an empty cell keeps its own."""
        places = {j: place for place, j in enumerate(self.ids)}
        for members, stack in self.stacks:
            for row, j in enumerate(members):
                if stack.has_frames and len(cells[places[j]]):
                    stack.fit_frame(row, points[cells[places[j]]])

    def state(self) -> dict[str, Tensor]:
        """Every tensor of the networks, by kind and name: the same tensors whatever the back-end."""
        joined = [join(stack.state() for _, stack in stacks) for stacks in self.groups]
        return {f"{group}.{name}": tensor for group, state in enumerate(joined) for name, tensor in state.items()}

    def load(self, state: dict[str, Tensor]) -> None:
        """Copy in this ensemble's networks from the state of all."""
        for group, (numbers, stacks) in enumerate(zip(self.numbers, self.groups, strict=True)):
            prefix = f"{group}."
            part = {name.removeprefix(prefix): t for name, t in state.items() if name.startswith(prefix)}
            for members, stack in stacks:
                stack.load(select(part, [numbers.index(j) for j in members]))

    def copy_network(self, source: int, target: int) -> None:
        """Make network `target` a copy of `source`, which is of the same kind."""
        places = {j: (stack, row) for members, stack in self.stacks for row, j in enumerate(members)}
        (donor, given), (taker, taken) = places[source], places[target]
        copied = select(donor.state(), [given])
        for name, tensor in taker.state().items():
            if not is_shared(name):
                tensor[taken] = copied[name][0]


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
        unit: what one unit of a network's input is in the data's units.
        ids: the components to hold; all by default.
        device: where to train.
    """
    groups: list[Group[ComponentStack]] = []
    first = 0
    for settings in experiment.components:
        numbers = range(first, first + settings.count)
        build = partial(
            COMPONENTS[settings.kind],
            settings,
            shape,
            unit=unit,
            num_shared=experiment.training.shared_layers,
            device=device,
        )
        groups.append((numbers, build))
        first += settings.count
    networks = [body for component in experiment.components for body in component.bodies]
    backend = choose_backend(experiment.training, networks, device)
    return Ensemble(groups, range(first) if ids is None else ids, backend, seed, "components")


def build_discriminators(
    experiment: schema.Experiment,
    shape: Sequence[int],
    seed: int,
    *purpose: object,
    ids: Sequence[int] | None = None,
    device: torch.device | str = "cpu",
) -> Ensemble[DensityRatioStack]:
    """The discriminators of an experiment, one for each component; arguments as in `build_components`."""
    scoring = experiment.scoring
    joint = scoring.kind == "classifier" or scoring.trunk == "shared"
    backend = "stacked" if joint else choose_backend(experiment.training, [scoring.network], device)
    kind: type[DensityRatioStack] = ClassifierStack if scoring.kind == "classifier" else DiscriminatorStack
    numbers = range(experiment.num_components)
    group = (numbers, partial(kind, scoring, shape, device=device))
    return Ensemble([group], numbers if ids is None else ids, backend, seed, "discriminators", *purpose)


def choose_backend(training: schema.Training, networks: Sequence[schema.Network], device: torch.device | str) -> str:
    """The asked back-end, or the faster one as measured in `benchmarks/`: convolutions on a CPU run one by one."""
    if training.backend != "auto":
        return training.backend
    convolutional = any(network.kind == "conv" for network in networks)
    slow_groups = convolutional and torch.device(device).type == "cpu" and not training.shared_layers
    return "loop" if slow_groups else "stacked"
