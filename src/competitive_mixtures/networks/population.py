"""A population: k networks, of one kind or several, as banks that train side by side or one after the other."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, TypeVar

import torch
from torch import Tensor

from competitive_mixtures import config
from competitive_mixtures.networks.bank import Bank, ComponentBank, JudgeBank, is_shared, join, select, take_rows
from competitive_mixtures.networks.discriminator import ClassifierBank, DiscriminatorBank
from competitive_mixtures.networks.gan import GANBank
from competitive_mixtures.networks.layers import Generators
from competitive_mixtures.networks.vae import VAEBank
from competitive_mixtures.random import make_generators

Kinds = dict[str, type[ComponentBank]]
COMPONENTS: Kinds = {"vae": VAEBank, "gan": GANBank}  # a new kind of component is one line here

B = TypeVar("B", bound=Bank)
Group = tuple[Sequence[int], Callable[[Generators], B]]


class Population(Generic[B]):
    """Networks number `ids` of several kinds; the networks of one kind are one bank (stacked) or a bank each (loop).

    Args:
        groups: for each kind, the numbers of all its networks and what builds a bank of some from their generators.
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
    def banks(self) -> list[tuple[list[int], B]]:
        """Every bank with the numbers of its networks."""
        return [pair for group in self.groups for pair in group]

    @property
    def ids(self) -> list[int]:
        """Numbers of all networks, in order."""
        return [j for ids, _ in self.banks for j in ids]

    @property
    def num_parameters(self) -> int:
        """Trainable parameters of all networks together."""
        return sum(bank.num_parameters for _, bank in self.banks)

    def largest_product(self, num_points: int) -> int:
        """Floating-point operations of the largest batched matrix product over so many points of every network."""
        return max((bank.largest_product(num_points) for _, bank in self.banks), default=0)

    def sample(
        self: "Population[ComponentBank]", ids: Sequence[int], generators: Generators, num_samples: int
    ) -> Tensor:
        """Samples of components `ids`, each from its own generator.

        Args:
            ids: some or all of the population's, in its order.
            generators: one for each of `ids`, on the population's device.
            num_samples: from each component.

        Returns:
            (len(ids), num_samples, *shape), float.
        """
        streams = dict(zip(ids, generators, strict=True))
        parts = []
        for members, bank in self.banks:
            rows = [row for row, j in enumerate(members) if j in streams]
            if rows:
                part = bank if len(rows) == bank.count else take_rows(bank, rows)
                drawn = part.sample([streams[members[row]] for row in rows], num_samples)
                parts.append(part.leave_frames(drawn))
        return torch.cat(parts)

    def fit_frames(self: "Population[ComponentBank]", points: Tensor, cells: Sequence[Tensor]) -> None:
        """Give each component the frame of its cell, one for each of `ids`; one of an empty cell keeps its own."""
        places = {j: place for place, j in enumerate(self.ids)}
        for members, bank in self.banks:
            for row, j in enumerate(members):
                if bank.has_frames and len(cells[places[j]]):
                    bank.fit_frame(row, points[cells[places[j]]])

    def state(self) -> dict[str, Tensor]:
        """Every tensor of the networks, by kind and name: the same tensors whatever the back-end."""
        joined = [join(bank.state() for _, bank in banks) for banks in self.groups]
        return {f"{group}.{name}": tensor for group, state in enumerate(joined) for name, tensor in state.items()}

    def load(self, state: dict[str, Tensor]) -> None:
        """Copy in this population's networks from the state of all."""
        for group, (numbers, banks) in enumerate(zip(self.numbers, self.groups, strict=True)):
            prefix = f"{group}."
            part = {name.removeprefix(prefix): t for name, t in state.items() if name.startswith(prefix)}
            for members, bank in banks:
                bank.load(select(part, [numbers.index(j) for j in members]))

    def copy_network(self, source: int, target: int) -> None:
        """Make network `target` a copy of `source`, which is of the same kind."""
        places = {j: (bank, row) for members, bank in self.banks for row, j in enumerate(members)}
        (giver, given), (taker, taken) = places[source], places[target]
        copied = select(giver.state(), [given])
        for name, tensor in taker.state().items():
            if not is_shared(name):
                tensor[taken] = copied[name][0]


def build_components(
    experiment: config.Experiment,
    shape: Sequence[int],
    seed: int,
    *,
    unit: float = 1.0,
    ids: Sequence[int] | None = None,
    device: torch.device | str = "cpu",
) -> Population[ComponentBank]:
    """The components of an experiment, freshly drawn.

    Args:
        experiment: kinds, networks and back-end.
        shape: of one data point.
        seed: of the run.
        unit: what one unit of a network's input is in the data's units.
        ids: the components to hold; all by default.
        device: where to train.
    """
    groups: list[Group[ComponentBank]] = []
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
    return Population(groups, range(first) if ids is None else ids, backend, seed, "components")


def build_discriminators(
    experiment: config.Experiment,
    shape: Sequence[int],
    seed: int,
    *purpose: object,
    ids: Sequence[int] | None = None,
    device: torch.device | str = "cpu",
) -> Population[JudgeBank]:
    """The discriminators of an experiment, one for each component; arguments as in `build_components`."""
    scoring = experiment.scoring
    joint = scoring.kind == "classifier" or scoring.trunk == "shared"
    backend = "stacked" if joint else choose_backend(experiment.training, [scoring.network], device)
    kind: type[JudgeBank] = ClassifierBank if scoring.kind == "classifier" else DiscriminatorBank
    numbers = range(experiment.num_components)
    group = (numbers, partial(kind, scoring, shape, device=device))
    return Population([group], numbers if ids is None else ids, backend, seed, "discriminators", *purpose)


def choose_backend(training: config.Training, networks: Sequence[config.Network], device: torch.device | str) -> str:
    """The asked back-end, or the faster one as measured in `benchmarks/`: convolutions on a CPU run one by one."""
    if training.backend != "auto":
        return training.backend
    convolutional = any(network.kind == "conv" for network in networks)
    slow_groups = convolutional and torch.device(device).type == "cpu" and not training.shared_layers
    return "loop" if slow_groups else "stacked"
