"""A stack: k independent networks of one kind that train in one step, with their Adam states side by side."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from competitive_mixtures.errors import UserError
from competitive_mixtures.networks.layers import Generators
from competitive_mixtures.settings import schema

SHARED = "shared."  # marks the tensors of a state that have no component axis


class Adam:
    """Adam (Kingma & Ba, 2015, with eps 1e-8) for all parameters of a module in one fused kernel a step.

    `torch.optim.Adam` runs the same kernel; around it, its bookkeeping of groups and options costs small networks more
    than the kernel itself.

    Args:
        module: whose parameters are trained.
        settings: learning rate and decay rates.
    """

    def __init__(self, module: nn.Module, settings: schema.Optimizer) -> None:
        self.settings, self.shared_layers = settings, find_shared_layers(module)
        self.names, self.parameters = zip(*module.named_parameters(), strict=True)
        self.means, self.squares = ([torch.zeros_like(p) for p in self.parameters] for _ in range(2))
        self.num_steps = torch.zeros((), device=self.parameters[0].device)

    def minimize(self, losses: Tensor) -> Tensor:
        """Take one step down the gradient of the sum of `losses`; gives them back, detached."""
        gradients = torch.autograd.grad(losses.sum(), self.parameters)
        self.descend([gradient.contiguous() for gradient in gradients])
        return losses.detach()

    @torch.no_grad()
    def descend(self, gradients: list[Tensor]) -> None:
        """Take one step down `gradients`, one for each parameter, in the parameters' order and layout."""
        self.num_steps += 1
        torch._fused_adam_(
            self.parameters,
            gradients,
            self.means,
            self.squares,
            [],
            [self.num_steps] * len(self.parameters),
            lr=self.settings.learning_rate,
            beta1=self.settings.beta1,
            beta2=self.settings.beta2,
            eps=1e-8,
            weight_decay=0.0,
            amsgrad=False,
            maximize=False,
        )

    def moments(self) -> dict[str, dict[str, Tensor]]:
        """Adam's running means by name of moment and of parameter."""
        moments = {"mean": self.means, "square": self.squares}
        return {moment: dict(zip(self.names, tensors, strict=True)) for moment, tensors in moments.items()}


class Stack(nn.Module):
    """k independent networks of one kind; every tensor of its state has a leading axis of k, or a `shared.` name.

    A subclass builds its networks, then calls `optimize`.

    Attributes:
        count: k.
    """

    count: int

    def step(self, x: Tensor, other: Tensor, /) -> Tensor:
        """One Adam step of every network on a batch each; gives the losses before it, (k,)."""
        raise NotImplementedError

    def optimize(self, device: torch.device | str, **parts: tuple[nn.Module, schema.Optimizer]) -> None:
        """Move the networks to `device` and give each named part its own Adam."""
        self.to(device)
        self.optimizers = {name: Adam(module, settings) for name, (module, settings) in parts.items()}

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.parameters()).device

    @property
    def num_parameters(self) -> int:
        """Trainable parameters of all k networks together."""
        return sum(parameter.numel() for parameter in self.parameters() if parameter.requires_grad)

    def largest_product(self, num_points: int) -> int:
        """Floating-point operations of the largest batched matrix product over so many points of every network."""
        return 2 * num_points * max(parameter.numel() for parameter in self.parameters())

    def state(self) -> dict[str, Tensor]:
        """Every tensor that training changes, by name, as views: parameters, running moments, Adam's state."""
        tensors = self._mark_shared(
            find_shared_layers(self), dict(self.named_parameters()) | dict(self.named_buffers())
        )
        for part, optimizer in self.optimizers.items():
            for moment, views in optimizer.moments().items():
                marked = self._mark_shared(optimizer.shared_layers, views)
                tensors |= {f"adam.{part}.{moment}.{name}": view for name, view in marked.items()}
            tensors[f"{SHARED}adam.{part}.num_steps"] = optimizer.num_steps
        return {name: tensor.detach() for name, tensor in tensors.items()}

    def load(self, state: dict[str, Tensor]) -> None:
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


class ComponentStack(Stack):
    """k generative models of one kind.

    Deviation: each models vectors in a frame of its own, x less `origin` and over `extent`, which `fit_frame` sets to a
    cell's mean and deviation (`training.standardize: cells`); until then it is the data's. A mode of a hundredth of
    the data's width is otherwise smaller than what Adam's steps jitter by, and too small for an encoder to see.

    Attributes:
        settings: of one of them.
        shape: of one data point.
        origin: (k, d); images, which enter in [0, 1], have no frames.
        extent: (k,), positive.
        unit: what one unit of x is in the data's units.
        num_shared: data-side layers that all components share.
        batches_per_step: batches of real points that one step takes.
    """

    settings: schema.Component
    shape: tuple[int, ...]
    unit: float
    num_shared: int
    batches_per_step = 1
    origin: Tensor
    extent: Tensor

    def optimize(self, device: torch.device | str, **parts: tuple[nn.Module, schema.Optimizer]) -> None:
        """As `Stack.optimize`, with the frames that vectors have."""
        if self.has_frames:
            self.register_buffer("origin", torch.zeros(self.count, *self.shape))
            self.register_buffer("extent", torch.ones(self.count))
        super().optimize(device, **parts)

    @property
    def has_frames(self) -> bool:
        """Whether the components model vectors."""
        return len(self.shape) == 1

    def fit_frame(self, row: int, points: Tensor) -> None:
        """Make the mean and the deviation of points (n, d), n > 0, one for all axes, the frame of component `row`."""
        points = points.double()
        mean = points.mean(0)
        deviation = (points - mean).square().mean().sqrt()
        self.origin[row] = mean
        self.extent[row] = torch.where(deviation > 0, deviation, 1.0)  # identical points have no deviation

    def enter_frames(self, x: Tensor) -> Tensor:
        """Points (k, n, *shape) of each component, in its frame."""
        return (x - self.origin[:, None]) / self.extent[:, None, None] if self.has_frames else x

    def leave_frames(self, x: Tensor) -> Tensor:
        """The way back."""
        return torch.addcmul(self.origin[:, None], x, self.extent[:, None, None]) if self.has_frames else x

    def frame_volumes(self) -> Tensor:
        """Log-volume of a unit cube of each frame, (k,): a log-density in the frame less this is one of x."""
        return len(self.origin[0]) * self.extent.log() if self.has_frames else torch.zeros(self.count)

    def draw_noise(self, generators: Generators, num_steps: int, batch_size: int) -> Tensor:
        """The noise of `num_steps` steps, (num_steps, k, ...), each component's from its own generator."""
        raise NotImplementedError

    def sample(self, generators: Generators, num_samples: int) -> Tensor:
        """Samples (k, num_samples, *shape) in the frames, each component's from its own generator."""
        raise NotImplementedError


class DensityRatioStack(Stack):
    """What tells the real points from the samples of k components.

    Attributes:
        num_networks: networks that a point goes through on its own.
        num_side_by_side: networks that are at work at once when points are scored.
    """

    num_networks: int
    num_side_by_side: int

    def samples_per_step(self, batch_size: int) -> int:
        """Points that one step draws, real and generated, over all networks."""
        raise NotImplementedError

    def log_ratios(self, points: Tensor) -> Tensor:
        """Log r_j(x), proportional to log p_gj(x) / p_d(x), of points (n, *shape), as (n, k)."""
        raise NotImplementedError


def find_shared_layers(module: nn.Module) -> tuple[str, ...]:
    """What the names of tensors begin with that all components share."""
    return tuple(f"{path}." for path, layer in module.named_modules() if getattr(layer, "shared", False))


def is_shared(name: str) -> bool:
    """Whether a tensor of a state has no component axis."""
    return SHARED in name


def select(state: dict[str, Tensor], rows: Sequence[int]) -> dict[str, Tensor]:
    """The state of some of a stack's networks."""
    return {name: t if is_shared(name) else t[list(rows)] for name, t in state.items()}


def join(states: Iterable[dict[str, Tensor]]) -> dict[str, Tensor]:
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


def take_rows(stack: ComponentStack, rows: Sequence[int]) -> ComponentStack:
    """A smaller stack with copies of some of the networks."""
    part = type(stack)(
        stack.settings,
        stack.shape,
        [torch.Generator() for _ in rows],
        unit=stack.unit,
        num_shared=stack.num_shared,
        device=stack.device,
    )
    part.load(select(stack.state(), rows))
    return part


def put_rows(stack: Stack, part: Stack, rows: Sequence[int]) -> None:
    """Copy the networks of `part` back to where `take_rows` took them from."""
    trained = part.state()
    for name, tensor in stack.state().items():
        if is_shared(name):
            tensor.copy_(trained[name])
        else:
            tensor[list(rows)] = trained[name]
