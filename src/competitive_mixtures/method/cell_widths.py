"""How wide cells are, and would be if one were cut in two or its points went to others."""

import numpy as np
import torch
from torch import Tensor

from competitive_mixtures.method.assignment import to_cells
from competitive_mixtures.method.batches import split_batches, to_float

POWER_STEPS = 10  # of the iteration for a cell's longest axis


def measure_splits(points: Tensor, winner: np.ndarray, num_components: int) -> np.ndarray:
    """Decrease in each cell's within-cell sum of squares if it were cut in two across its longest axis.

    Args:
        points: (N, *shape), float32 or uint8.
        winner: (N,) component of every point.
        num_components: k.

    Returns:
        (k,) float64; 0 for a cell of fewer than two points.
    """
    gains = np.zeros(num_components)
    for j, cell in enumerate(to_cells(winner, num_components)):
        if len(cell) > 1:
            part = to_float(points[cell.to(points.device)]).flatten(1)
            part = part - part.mean(0)
            side = part @ find_longest_axis(part) > 0
            total = part[side].sum(0, dtype=torch.float64)  # the other side's is the opposite
            if side.any() and not side.all():
                gains[j] = (total.square().sum() * (1 / side.sum() + 1 / (~side).sum())).item()
    return gains


def find_longest_axis(part: Tensor) -> Tensor:
    """The direction (d,) in which centred points (n, d) vary most, by power iteration from the farthest point."""
    axis = part[part.square().sum(1).argmax()]
    for _ in range(POWER_STEPS):
        axis = torch.nn.functional.normalize(part.T @ (part @ axis), dim=0)
    return axis


def measure_mergers(points: Tensor, winner: np.ndarray, runner_up: np.ndarray, num_components: int) -> np.ndarray:
    """Increase in within-cell sum of squares if component j were removed and its points went to their runners-up.

    Args:
        points: (N, *shape), float32 or uint8.
        winner: (N,) component of every point.
        runner_up: (N,) component that would win it next.
        num_components: k.

    Returns:
        (k,) float64; 0 for an empty cell.
    """
    k = num_components
    pair = torch.from_numpy(winner.astype(np.int64) * k + runner_up).to(points.device)
    pairs, place = pair.unique(return_inverse=True)  # few of all k * k: memory for each would grow as k * k * d
    sums = torch.zeros(len(pairs), points[0].numel(), dtype=torch.float64, device=points.device)
    squares = torch.zeros(len(pairs), dtype=torch.float64, device=points.device)
    parts = split_batches(points)
    for part, where in zip(parts, place.split([len(part) for part in parts]), strict=True):
        x = to_float(part).flatten(1).double()
        sums.index_add_(0, where, x)
        squares.index_add_(0, where, x.square().sum(1))
    counts = torch.bincount(place, minlength=len(pairs)).double()
    loser, heir = pairs // k, pairs % k

    def add_up(values: Tensor) -> Tensor:  # over the pairs of every cell
        return values.new_zeros(k, *values.shape[1:]).index_add_(0, loser, values)

    n, total, square = add_up(counts), add_up(sums), add_up(squares)
    now = measure_spread(n, total, square)
    grown = measure_spread(n[heir] + counts, total[heir] + sums, square[heir] + squares)  # of the heir, with the pair
    return (add_up(grown - now[heir]) - now).cpu().numpy()


def measure_spread(counts: Tensor, sums: Tensor, squares: Tensor) -> Tensor:
    """Sum of squared distances to their mean of `counts` points, given their sums and sums of squares."""
    return squares - sums.square().sum(-1) / counts.clamp_min(1)
