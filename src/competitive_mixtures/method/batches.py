"""Batches: points of the cells for a training step, real points beside samples, and points to be scored."""

from collections.abc import Iterator, Sequence
from math import prod
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from competitive_mixtures.networks.component import ComponentStack
from competitive_mixtures.networks.ensemble import Ensemble
from competitive_mixtures.networks.kernels.threads import LARGEST_BLOCK
from competitive_mixtures.seeding import StreamKey, make_generators
from competitive_mixtures.settings.sizes import FLOAT_BYTES

CHUNK_BYTES = 16 * 2**20  # of one component's indices and noise, drawn ahead of the steps that use them
SAMPLE_BYTES = 2 * 2**20  # of one component's samples, drawn ahead; larger chunks fall out of the cache
MAX_CHUNK = 500  # steps of which the random numbers are drawn at once

SCORING_VALUES = 2**22  # numbers of the points that go through networks at once, however many rows are allowed
SCORING_BATCH = 4096  # points at once, where the caller names no other number
BLOCK_POINTS = 2**18  # whose scores are gone through at once; the paper's data sets are one block each

Batches = Iterator[tuple[Tensor, Tensor]]
Points = TypeVar("Points", np.ndarray, Tensor)


def to_float(points: Tensor) -> Tensor:
    """Points as the networks see them: float32, images scaled from 0..255 to [0, 1]."""
    return points.float().div_(255) if points.dtype == torch.uint8 else points


def flatten_points(points: Tensor) -> np.ndarray:
    """Points (N, *shape) as the networks see them, one a row, (N, d) float32."""
    return to_float(points).flatten(1).cpu().numpy()


def thin_out(points: Points, most: int) -> Points:
    """At most so many of (N, ...) points, evenly spaced: the first ones may all be of one part of the data."""
    return points if len(points) <= most else points[np.arange(most) * len(points) // most]


def split_batches(points: Tensor, max_rows: int | None = None, widest: int = 1) -> Sequence[Tensor]:
    """Points in batches of at most `max_rows`, `SCORING_BATCH` where None, or fewer, see `limit_rows`."""
    return points.split(limit_rows(points, SCORING_BATCH if max_rows is None else max_rows, widest))


def limit_rows(points: Tensor, max_rows: int, widest: int = 1) -> int:
    """How many of these points go through networks at once.

    Args:
        points: (N, *shape).
        max_rows: at most so many; fewer of large points, to fit the memory.
        widest: numbers of a point in the widest layer that they go through. On a CPU no layer of a batch is larger than
            what the allocator keeps: otherwise each batch takes its pages from the system anew.
    """
    limit = min(max_rows, SCORING_VALUES // points[0].numel())
    if points.device.type == "cpu":
        limit = min(limit, LARGEST_BLOCK // FLOAT_BYTES // widest)
    return max(1, limit)


def draw_batches(
    stack: ComponentStack,
    ids: Sequence[int],
    points: Tensor,
    cells: Sequence[Tensor],
    *,
    num_steps: int,
    batch_size: int,
    key: StreamKey,
) -> Batches:
    """Points of each component's cell, (k, batches_per_step * batch, *shape), and the stack's noise, a pair a step.

    Deviation: batches are drawn with replacement, which makes a step independent of the cell's size; the authors walk
    through shuffled epochs of a fixed number of batches.

    Args:
        stack: k components.
        ids: their numbers.
        points: (N, *shape), float32 or uint8.
        cells: k position tensors, none of them empty.
        num_steps: pairs to draw.
        batch_size: points of one component in one batch.
        key: of the random streams.
    """
    rows = batch_size * stack.batches_per_step
    chunk = chunk_length(num_steps, rows * 8 * 16, CHUNK_BYTES)
    streams = make_generators(*key, "train", components=ids, device=points.device)
    for start in range(0, num_steps, chunk):
        length = min(chunk, num_steps - start)
        draws = [
            cell[torch.randint(len(cell), (length, rows), generator=g, device=points.device)]
            for cell, g in zip(cells, streams, strict=True)
        ]
        noise = stack.draw_noise(streams, length, batch_size)
        for positions, step_noise in zip(torch.stack(draws, dim=1), noise, strict=True):
            batch = points.index_select(0, positions.flatten())
            yield to_float(batch).unflatten(0, positions.shape), step_noise


def draw_comparisons(
    components: Ensemble[ComponentStack],
    ids: Sequence[int],
    points: Tensor,
    *,
    num_steps: int,
    batch_size: int,
    key: StreamKey,
) -> Batches:
    """Real points of the whole data set, and samples of components `ids`, each (k, batch, *shape), a pair a step."""
    device = points.device
    chunk = chunk_length(num_steps, batch_size * prod(points.shape[1:]) * 4, SAMPLE_BYTES)
    real_streams = make_generators(*key, "real", components=ids, device=device)
    fake_streams = make_generators(*key, "fake", components=ids, device=device)
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
