"""Optimisation loops: batches drawn from cells, components and discriminators trained, divergence caught."""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import prod

import torch
from torch import Tensor

from competitive_mixtures.errors import TrainingDivergedError, UserError
from competitive_mixtures.networks.ensemble import Ensemble
from competitive_mixtures.networks.kernels.threads import keep_freed_memory, match_kernels, run_side_by_side
from competitive_mixtures.networks.stack import ComponentStack, DensityRatioStack, Stack, put_rows, take_rows
from competitive_mixtures.seeding import make_generators

CHUNK_BYTES = 16 * 2**20  # of one component's indices and noise, drawn ahead of the steps that use them
SAMPLE_BYTES = 2 * 2**20  # of one component's samples, drawn ahead; more would be memory never met in a cache
MAX_CHUNK = 500  # steps between two looks at the losses

Progress = Callable[[int], None]


def choose_device(name: str) -> torch.device:
    """The device of a run: "auto" is the GPU where there is one.

    Raises:
        UserError: a GPU is asked for and there is none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("device: cuda: PyTorch finds no GPU on this machine; use auto or cpu")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def choose_kernels(threads: int) -> None:
    """Have PyTorch run on `threads` CPU threads, with kernels that give the same bytes each time.

    Float32 products may use the processor's faster kernels ("medium"): on a GPU or a recent CPU these round their
    inputs to fewer bits; on other CPUs the results are as exact, from another library.
    """
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision("medium")
    keep_freed_memory()
    if torch.cuda.is_available():  # on a CPU every kernel used here is deterministic as it is
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        setattr(torch.utils.deterministic, "fill_uninitialized_memory", False)  # noqa: B010, a property of a module
        torch.use_deterministic_algorithms(True, warn_only=True)


def to_float(points: Tensor) -> Tensor:
    """Points as the networks see them: float32, images scaled from 0..255 to [0, 1]."""
    return points.float().div_(255) if points.dtype == torch.uint8 else points


def train_components(
    components: Ensemble[ComponentStack],
    points: Tensor,
    cells: Sequence[Tensor],
    *,
    num_steps: int,
    batch_size: int,
    seed: int,
    purpose: Sequence[object],
    progress: Progress,
) -> Tensor:
    """Train every component on its own cell (step (a) of the paper's round).

    Deviation: batches are drawn with replacement, which makes a step independent of the cell's size; the authors walk
    through shuffled epochs of a fixed number of batches.

    Args:
        components: the networks; they are changed in place.
        points: (N, *shape), float32 or uint8, on the components' device.
        cells: for each of `components.ids`, the positions of its points, int64, (n_j,). An empty cell trains nothing.
        num_steps: Adam steps of every component.
        batch_size: points of one component in one step.
        seed: of the run.
        purpose: names the random streams, say ("round", 3).
        progress: told the number of steps done.

    Returns:
        (k,): mean loss of each component over the last tenth of the steps; NaN where nothing was trained.

    Raises:
        TrainingDivergedError: a loss is not finite or passes the component's `loss_limit`.
    """
    losses = torch.full((len(components.ids),), torch.nan)
    places = {j: place for place, j in enumerate(components.ids)}

    def train_stack(ids: Sequence[int], stack: ComponentStack) -> None:
        alive = [row for row, j in enumerate(ids) if len(cells[places[j]])]
        if not alive or not num_steps:
            return
        streams = make_generators(seed, *purpose, "train", components=[ids[r] for r in alive], device=stack.device)
        part = stack if len(alive) == stack.count else take_rows(stack, alive)
        batches = draw_batches(part, points, [cells[places[ids[r]]] for r in alive], streams, num_steps, batch_size)
        final = run_steps(part, batches, num_steps, [ids[r] for r in alive], part.settings.loss_limit, progress)
        if part is not stack:
            put_rows(stack, part, alive)
        losses[[places[ids[r]] for r in alive]] = final.cpu()

    with match_kernels(components.largest_product(batch_size), points.device):
        run_side_by_side([partial(train_stack, ids, stack) for ids, stack in components.stacks])
    return losses


def draw_batches(
    stack: ComponentStack,
    points: Tensor,
    cells: Sequence[Tensor],
    streams: Sequence[torch.Generator],
    num_steps: int,
    batch_size: int,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches (k, batches_per_step * batch, *shape) from the cells with the stack's noise, one pair a step."""
    rows = batch_size * stack.batches_per_step
    chunk = chunk_length(num_steps, rows * 8 * 16, CHUNK_BYTES)
    for start in range(0, num_steps, chunk):
        length = min(chunk, num_steps - start)
        draws = [
            cell[torch.randint(len(cell), (length, rows), generator=g, device=points.device)]
            for cell, g in zip(cells, streams, strict=True)
        ]
        noise = stack.draw_noise(streams, length, batch_size)
        for positions, step_noise in zip(torch.stack(draws, dim=1), noise, strict=True):
            batch = points.index_select(0, positions.flatten())
            yield stack.enter_frames(to_float(batch).unflatten(0, positions.shape)), step_noise


def run_steps(
    stack: Stack,
    batches: Iterator[tuple[Tensor, Tensor]],
    num_steps: int,
    ids: Sequence[int],
    limit: float,
    progress: Progress,
    what: str = "component",
) -> Tensor:
    """Take a step for each batch; look at the losses once a chunk, so that a GPU never waits for the host.

    Returns:
        (k,): mean losses over the last tenth of the steps.

    Raises:
        TrainingDivergedError: names the network, the step and the loss.
    """
    losses = torch.empty(num_steps, stack.count, device=stack.device)
    checked = 0
    for step, (batch, noise) in enumerate(batches):
        losses[step] = stack.step(batch, noise)
        if step + 1 == num_steps or step + 1 - checked == MAX_CHUNK:
            check_losses(losses[checked : step + 1], checked, ids, limit, what)
            progress(step + 1 - checked)
            checked = step + 1
    return losses[-max(1, num_steps // 10) :].mean(0)


def check_losses(losses: Tensor, first_step: int, ids: Sequence[int], limit: float, what: str) -> None:
    """Stop a training whose loss is not finite or too large.

    Args:
        losses: (steps, k).
        first_step: number of the first of these steps.
        ids: numbers of the networks.
        limit: largest absolute loss of a sound training.
        what: "component" or "discriminator".

    Raises:
        TrainingDivergedError: for the first bad step.
    """
    bad = ~(losses.abs() <= limit)  # NaN compares false
    if bad.any():
        step, row = bad.nonzero()[0].tolist()
        raise TrainingDivergedError(
            f"{what} {ids[row]} diverged at step {first_step + step}: loss {losses[step, row].item():g}, expected a "
            f"finite value of at most {limit:g} (loss_limit); lower its learning_rate, or rescale the data. What was "
            "finished is kept"
        )


def train_discriminators(
    discriminators: Ensemble[DensityRatioStack],
    components: Ensemble[ComponentStack],
    points: Tensor,
    *,
    num_steps: int,
    batch_size: int,
    seed: int,
    purpose: Sequence[object],
    progress: Progress,
) -> Tensor:
    """Train discriminator j to tell all real points from samples of component j (step (b) of the paper's round).

    Args:
        discriminators: changed in place.
        components: they only sample.
        points: (N, *shape), float32 or uint8: all real points.
        num_steps: Adam steps.
        batch_size: real points, and samples, of one discriminator in one step.
        seed: of the run.
        purpose: names the random streams.
        progress: told the number of steps done.

    Returns:
        (k,): mean cross-entropy of each over the last tenth of the steps, in nats.

    Raises:
        TrainingDivergedError: a loss is not finite.
    """

    def train_stack(ids: Sequence[int], stack: DensityRatioStack) -> Tensor:
        batches = draw_comparisons(components, ids, points, num_steps, batch_size, seed, purpose)
        return run_steps(stack, batches, num_steps, ids, 1e6, progress, what="discriminator")

    with match_kernels(discriminators.largest_product(2 * batch_size), points.device):
        losses = run_side_by_side([partial(train_stack, ids, stack) for ids, stack in discriminators.stacks])
    return torch.cat(losses).cpu()


def draw_comparisons(
    components: Ensemble[ComponentStack],
    ids: Sequence[int],
    points: Tensor,
    num_steps: int,
    batch_size: int,
    seed: int,
    purpose: Sequence[object],
) -> Iterator[tuple[Tensor, Tensor]]:
    """Real points and samples, each (k, batch, *shape), one pair a step."""
    device = points.device
    real_streams = make_generators(seed, *purpose, "real", components=ids, device=device)
    fake_streams = make_generators(seed, *purpose, "fake", components=ids, device=device)
    chunk = chunk_length(num_steps, batch_size * prod(points.shape[1:]) * 4, SAMPLE_BYTES)
    for start in range(0, num_steps, chunk):
        length = min(chunk, num_steps - start)
        draws = [torch.randint(len(points), (length, batch_size), generator=g, device=device) for g in real_streams]
        fakes = components.sample(ids, fake_streams, length * batch_size).unflatten(1, (length, batch_size))
        for step, positions in enumerate(torch.stack(draws, dim=1)):
            real = points.index_select(0, positions.flatten())
            yield to_float(real).unflatten(0, positions.shape), fakes[:, step]


def chunk_length(num_steps: int, bytes_per_step: int, limit: int) -> int:
    """Steps whose random draws fit into `limit` bytes.

    It is the same for every back-end and shard: where a stream is interrupted, other numbers follow.
    """
    return max(1, min(num_steps, MAX_CHUNK, limit // max(1, bytes_per_step)))
