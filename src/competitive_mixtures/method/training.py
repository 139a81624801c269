"""Components trained on their cells, discriminators on samples: step by step, divergence caught, costs counted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor

from competitive_mixtures.denormals import flush_denormals
from competitive_mixtures.errors import TrainingDivergedError
from competitive_mixtures.method.batches import Batches, draw_batches, draw_comparisons
from competitive_mixtures.method.early_stopping import EarlyStopping, divide_cell
from competitive_mixtures.networks.component import ComponentStack
from competitive_mixtures.networks.discriminator import DensityRatioStack
from competitive_mixtures.networks.ensemble import Ensemble
from competitive_mixtures.networks.kernels.threads import run_side_by_side
from competitive_mixtures.networks.stack import Stack
from competitive_mixtures.networks.vae import VAEStack
from competitive_mixtures.progress import show_progress
from competitive_mixtures.seeding import StreamKey

CHECK_INTERVAL = 500  # steps between two checks of the losses, so that a GPU need not wait for the host
DISCRIMINATOR_LIMIT = 1e6  # largest cross-entropy of a sound discriminator


S = TypeVar("S", bound=Stack)


@dataclass(frozen=True)
class Training:
    """What a training has led to and what it cost.

    Attributes:
        losses: (k,), of each network over the last tenth of the steps; NaN where nothing was trained.
        samples_seen: points, real and generated, that all networks drew together.
        compute: each network's samples times its parameters, summed.
    """

    losses: Tensor
    samples_seen: int
    compute: float


def train_components(
    components: Ensemble[ComponentStack],
    points: Tensor,
    cells: Sequence[Tensor],
    *,
    num_steps: int,
    batch_size: int,
    key: StreamKey,
    held_out: Tensor | None = None,
) -> Training:
    """Train every component on its own cell (step (a) of the paper's round), standardised by it where so set up.

    Args:
        components: changed in place.
        points: (N, *shape), float32 or uint8, on the components' device.
        cells: for each of `components.ids`, the positions of its points, int64, (n_j,). An empty cell trains nothing.
        num_steps: Adam steps of every component.
        batch_size: points of one component in one batch.
        key: of the random streams.
        held_out: (N,) bool, points that are not trained on and stop a training early, see `EarlyStopping`.

    Raises:
        TrainingDivergedError: a loss is not finite or passes the component's `loss_limit`.
    """
    cell_of = dict(zip(components.ids, cells, strict=True))

    def train_stack(members: Sequence[int], stack: ComponentStack) -> Training:
        rows = [row for row, j in enumerate(members) if len(cell_of[j])]
        losses, taken = torch.full((stack.count,), torch.nan, dtype=torch.float32), 0
        if rows and num_steps:
            part = stack if len(rows) == stack.count else stack.take(rows)
            own = [cell_of[members[row]] for row in rows]
            if part.fits_cells:
                part.fit_standardizations(points[cell] for cell in own)
            ids = [members[row] for row in rows]
            stopping = None
            if held_out is not None:
                assert isinstance(part, VAEStack)  # which the settings ask for
                divided = [divide_cell(cell, held_out) for cell in own]
                own = [cell for cell, _ in divided]
                stopping = EarlyStopping(part, ids, points, [rest for _, rest in divided], key)
            batches = draw_batches(part, ids, points, own, num_steps=num_steps, batch_size=batch_size, key=key)
            limit = part.settings.loss_limit
            last_losses, taken = take_steps(part, ids, batches, num_steps, "component", limit, stopping)
            losses[rows] = last_losses.cpu()
            if part is not stack:
                stack.put(part, rows)
        drawn = batch_size * stack.batches_per_step * len(rows)  # in a step
        return Training(losses, taken * drawn, taken * (stack.num_parameters / stack.count * drawn))

    return train_side_by_side(components, train_stack, batch_size)


def train_discriminators(
    discriminators: Ensemble[DensityRatioStack],
    points: Tensor,
    components: Ensemble[ComponentStack],
    *,
    num_steps: int,
    batch_size: int,
    key: StreamKey,
) -> Training:
    """Train discriminator j to tell all real points from samples of component j (step (b) of the paper's round).

    Args:
        discriminators: changed in place.
        points: (N, *shape), float32 or uint8: all real points.
        components: they only sample.
        num_steps: Adam steps of every discriminator.
        batch_size: real points, and samples, of one discriminator in one step.
        key: of the random streams.

    Raises:
        TrainingDivergedError: a loss is not finite.
    """

    def train_stack(members: Sequence[int], stack: DensityRatioStack) -> Training:
        stack.attach([part for _, part in components.stacks])
        batches = draw_comparisons(components, members, points, num_steps=num_steps, batch_size=batch_size, key=key)
        losses, _ = take_steps(stack, members, batches, num_steps, "discriminator", DISCRIMINATOR_LIMIT)
        drawn = num_steps * stack.samples_per_step(batch_size)
        return Training(losses.cpu(), drawn, drawn * stack.num_parameters / stack.num_networks)

    return train_side_by_side(discriminators, train_stack, 2 * batch_size)


def train_side_by_side(
    networks: Ensemble[S], train_stack: Callable[[Sequence[int], S], Training], num_rows: int
) -> Training:
    """Train every stack, as many at a time as there are threads, and add up what it cost.

    Args:
        networks: changed in place.
        train_stack: trains a stack, given the numbers of its networks.
        num_rows: points of one network in one step, which decide the kernels.
    """
    tasks = [partial(train_stack, members, stack) for members, stack in networks.stacks]
    parts = run_side_by_side(tasks, 2 * num_rows * networks.largest_weight, networks.device)
    return Training(
        torch.cat([part.losses for part in parts]),
        sum(part.samples_seen for part in parts),
        sum(part.compute for part in parts),
    )


def take_steps(
    stack: Stack,
    ids: Sequence[int],
    batches: Batches,
    num_steps: int,
    name: str,
    limit: float,
    stopping: EarlyStopping | None = None,
) -> tuple[Tensor, int]:
    """Take a step for each batch, until a training that is to be stopped early has settled.

    Args:
        stack: changed in place.
        ids: numbers of the networks.
        batches: one pair a step.
        num_steps: length of `batches`.
        name: of one network, for progress and errors.
        limit: largest absolute loss of a sound training.
        stopping: gives the networks their best weights back at the end.

    Returns:
        (k,): mean losses over the last tenth of the steps, and the number of steps.

    Raises:
        TrainingDivergedError: names the network, the step and the loss.
    """
    losses = torch.empty(num_steps, stack.count, dtype=torch.float32, device=stack.device)
    checked = 0
    with flush_denormals(), show_progress(f"{name} {', '.join(map(str, ids))}", num_steps) as report:
        for step, (batch, other) in enumerate(batches):
            losses[step] = stack.step(batch, other)
            settled = stopping is not None and stopping.is_settled(step)
            if settled or step + 1 == num_steps or step + 1 - checked == CHECK_INTERVAL:
                check_losses(losses[checked : step + 1], checked, ids, limit, name)
                report(step + 1 - checked)
                checked = step + 1
            if settled:
                break
    if stopping:
        stopping.restore()
    return losses[checked - max(1, checked // 10) : checked].mean(0), checked


def check_losses(losses: Tensor, first_step: int, ids: Sequence[int], limit: float, name: str) -> None:
    """Stop a training whose loss is not finite or too large.

    Args:
        losses: (steps, k).
        first_step: number of the first of these steps.
        ids: numbers of the networks.
        limit: largest absolute loss of a sound training.
        name: "component", "discriminator" or "autoencoder".

    Raises:
        TrainingDivergedError: for the first bad step.
    """
    bad = ~(losses.abs() <= limit)  # NaN compares false
    if bad.any():
        step, row = bad.nonzero()[0].tolist()
        key = "" if name == "discriminator" else " (loss_limit)"  # which discriminators have none of
        raise TrainingDivergedError(
            f"{name} {ids[row]} diverged at step {first_step + step}: loss {losses[step, row].item():g}, expected a "
            f"finite value of at most {limit:g}{key}; lower its learning_rate, or rescale the data. What was "
            "finished is kept"
        )
