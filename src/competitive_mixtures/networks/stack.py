"""A stack: k independent networks of one kind that train in one step, with their Adam states side by side."""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from competitive_mixtures.errors import UserError
from competitive_mixtures.networks.adam import Adam
from competitive_mixtures.settings import schema

SHARED = "shared."  # marks the tensors of a state that have no component axis
Trained = Mapping[str, tuple[nn.Module, schema.Optimizer]]  # parts of a stack by name, each with an Adam of its own


class Stack(nn.Module):
    """k independent networks of one kind; every tensor of its state has a leading axis of k, or a `shared.` name.

    Attributes:
        count: k.
        optimizers: an Adam for each part that is trained on its own.
    """

    count: int
    optimizers: dict[str, Adam]

    def step(self, x: Tensor, other: Tensor, /) -> Tensor:
        """One Adam step of every network on a batch each; returns the losses before it, (k,)."""
        raise NotImplementedError

    def samples_per_step(self, batch_size: int) -> int:
        """Points that one step draws, real and generated, over all k networks."""
        raise NotImplementedError

    def prepare(self, device: torch.device | str, trained: Trained) -> None:
        """Move the networks to `device` and make each trained part's Adam."""
        self.to(device)
        self.optimizers = {name: Adam(module, settings) for name, (module, settings) in trained.items()}

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.parameters()).device

    @property
    def num_parameters(self) -> int:
        """Trainable parameters of all k networks together."""
        return count_parameters(self)

    @property
    def largest_weight(self) -> int:
        """Numbers in the largest parameter; a product over n points takes 2 n times as many operations."""
        return max(parameter.numel() for parameter in self.parameters())

    def state(self) -> dict[str, Tensor]:
        """Every tensor that training changes, by name, as views: parameters, running moments, Adam's state."""
        tensors = self._mark_shared(
            find_shared_layers(self), dict(self.named_parameters()) | dict(self.named_buffers())
        )
        for part, optimizer in self.optimizers.items():
            for moment, views in optimizer.moments().items():
                marked = self._mark_shared(find_shared_layers(optimizer.module), views)
                tensors |= {f"adam.{part}.{moment}.{name}": view for name, view in marked.items()}
            tensors[f"{SHARED}adam.{part}.num_steps"] = optimizer.num_steps
        return {name: tensor.detach() for name, tensor in tensors.items()}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Copy a state of the same networks in.

        Raises:
            UserError: the state is of other networks.
        """
        for name, tensor in self.state().items():
            if name not in state or state[name].shape != tensor.shape:
                found = list(state[name].shape) if name in state else "nothing"
                raise UserError(
                    f"state: {name}: found {found}, the settings expect {list(tensor.shape)}; the state was written "
                    "with other settings: run the steps before this one again"
                )
            tensor.copy_(state[name])

    def _mark_shared(self, layers: tuple[str, ...], tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        common = {name for name, tensor in tensors.items() if len(tensor) != self.count or name.startswith(layers)}
        return {f"{SHARED}{name}" if name in common else name: tensor for name, tensor in tensors.items()}


def count_parameters(module: nn.Module) -> int:
    """Trainable parameters of a part of a stack."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def find_shared_layers(module: nn.Module) -> tuple[str, ...]:
    """What the names of tensors begin with that all components share."""
    return tuple(f"{path}." for path, layer in module.named_modules() if getattr(layer, "shared", False))


def is_shared(name: str) -> bool:
    """Whether a tensor of a state has no component axis."""
    return SHARED in name


def select(state: Mapping[str, Tensor], rows: Sequence[int]) -> dict[str, Tensor]:
    """The state of some of a stack's networks."""
    return {name: t if is_shared(name) else t[list(rows)] for name, t in state.items()}


def join(states: Iterable[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The state of one stack from those of its parts, in order.

    What is shared has one value in all parts, but for counts of steps: a part without points lags behind the others.
    """
    parts: dict[str, list[Tensor]] = {}
    for state in states:
        for name, tensor in state.items():
            parts.setdefault(name, []).append(tensor)
    return {
        name: torch.stack(tensors).amax(0) if is_shared(name) else torch.cat(tensors) for name, tensors in parts.items()
    }
