"""Scores of points in batches: log density ratios by discriminators, or evidence bounds of VAEs in their place."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from competitive_mixtures.method.batches import to_float
from competitive_mixtures.networks.component import ComponentStack
from competitive_mixtures.networks.discriminator import DensityRatioStack
from competitive_mixtures.networks.ensemble import Ensemble
from competitive_mixtures.networks.kernels.threads import run_side_by_side
from competitive_mixtures.seeding import StreamKey, make_generators

SCORING_VALUES = 2**22  # numbers that are scored at once: whole points, at most `SCORING_BATCH` or so many
SCORING_BATCH = 4096  # points, by bounds
SCORING_ROWS = 3 * 4096  # of a batch in all networks evaluated in one call; more layers would not fit a CPU's cache
BOUND_DRAWS = 1  # of noise a point, for a bound: as unbiased as more, and images are scored in a quarter of the time


def split_batches(points: Tensor, max_rows: int = SCORING_BATCH) -> Sequence[Tensor]:
    """The points in batches of at most so many, fewer of large ones, whose layers fit into memory."""
    return points.split(max(1, min(max_rows, SCORING_VALUES // points[0].numel())))


def score(
    components: Ensemble[ComponentStack],
    discriminators: Ensemble[DensityRatioStack] | None,
    points: Tensor,
    key: StreamKey,
) -> Tensor:
    """Log r_j(x) of every point (step (c)), or each VAE's bound where there are no discriminators.

    Args:
        components: trained.
        discriminators: trained against these components; None for likelihood EM.
        points: (N, *shape), float32 or uint8.
        key: of the random streams, which only bounds draw from.

    Returns:
        (N, k) float32, on the CPU.
    """
    if discriminators is None:
        return score_by_bound(components, points, key)
    return score_by_discriminators(discriminators, points)


def score_by_discriminators(discriminators: Ensemble[DensityRatioStack], points: Tensor) -> Tensor:
    """Log r_j(x) of every point (step (c)); see `DiscriminatorStack.log_ratios`.

    Args:
        discriminators: trained.
        points: (N, *shape), float32 or uint8.

    Returns:
        (N, len(discriminators.ids)) float32, on the CPU.
    """
    if not len(points):
        return torch.empty(0, len(discriminators.ids), dtype=torch.float32)

    def score(stack: DensityRatioStack) -> Tensor:
        parts = split_batches(points, SCORING_ROWS // stack.num_concurrent)
        return torch.cat([stack.log_ratios(to_float(part)).cpu() for part in parts])

    columns = run_side_by_side([partial(score, stack) for _, stack in discriminators.stacks])
    return torch.cat(columns, dim=1) if len(columns) > 1 else columns[0]


def score_by_bound(components: Ensemble[ComponentStack], points: Tensor, key: StreamKey) -> Tensor:
    """Log p_gj(x) bounded from below by each VAE's evidence bound, in the place of log r_j (likelihood EM).

    Args:
        components: VAEs.
        points: (N, *shape), float32 or uint8.
        key: of the random streams.

    Returns:
        (N, k) float32, in nats, on the CPU.
    """
    if not len(points):
        return torch.empty(0, len(components.ids), dtype=torch.float32)
    columns = []
    for members, stack in components.stacks:
        streams = make_generators(*key, "bound", components=members, device=points.device)
        rows = []
        for part in split_batches(points):
            noise = stack.draw_noise(streams, BOUND_DRAWS, len(part))
            bounds = torch.stack([stack.log_bound(to_float(part), draw) for draw in noise]).mean(0)
            rows.append(bounds.T.cpu())
        columns.append(torch.cat(rows))
    return torch.cat(columns, dim=1)
