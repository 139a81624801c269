"""Who gets which point: the uniform split, the normalisation of scores, their argmax, and load balancing.

Reference: Locatello et al., "Competitive Training of Mixtures of Independent Deep Generative Models", arXiv 1804.11130.
Numbers of components are j = 0..k-1; cells are int64 position tensors, one a component.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from competitive_mixtures.errors import UserError
from competitive_mixtures.seeding import StreamKey, make_generator
from competitive_mixtures.settings import schema


@dataclass(frozen=True)
class Assignment:
    """Who won each point.

    Attributes:
        winner: (N,) int16, component that the point goes to.
        margin: (N,) float32, log-score of the winner less that of the runner-up; infinite with one component.
    """

    winner: np.ndarray
    margin: np.ndarray

    def count(self, num_components: int) -> np.ndarray:
        """Points of every component, n_j, (k,) int64."""
        return np.bincount(self.winner, minlength=num_components)


def split_uniformly(num_points: int, num_components: int, key: StreamKey) -> np.ndarray:
    """The uniform random split that components are pretrained on: equal parts up to one point.

    Returns:
        (N,) int16, the component of every point.

    Raises:
        UserError: fewer points than components.
    """
    if num_components > num_points:
        raise UserError(
            f"components: {num_components} components for {num_points} training points; expected at most one a point"
        )
    order = torch.randperm(num_points, generator=make_generator(*key, "uniform split")).numpy()
    parts = np.empty(num_points, dtype=np.int16)
    parts[order] = np.arange(num_points) % num_components
    return parts


def to_cells(winner: np.ndarray, num_components: int) -> list[Tensor]:
    """Positions of every component's points, int64."""
    return [torch.from_numpy(np.flatnonzero(winner == j)) for j in range(num_components)]


def log_sums(log_ratios: Tensor) -> Tensor:
    """Log of the sum of r_j over the points, (k,) float64, of log-ratios (N, k)."""
    return torch.logsumexp(log_ratios.double(), dim=0)


def log_normalizers(sums: Tensor, settings: schema.Scoring) -> Tensor:
    """Log Z_j, with Z_j the sum of r_j over the training points (the paper's normalisation, per component).

    `global` is the authors' code: one sum over points and components, which leaves the winner unchanged. Bounds are
    normalised densities already.

    Args:
        sums: (k,) float64, `log_sums` of the training points.
        settings: of the scoring.

    Returns:
        (k,) float32.
    """
    if settings.uses_bounds:
        return torch.zeros(len(sums), dtype=torch.float32)
    if settings.normalization == "component":
        return sums.float()
    return torch.logsumexp(sums, dim=0).expand_as(sums).float()


def log_scores(log_ratios: Tensor, normalizers: Tensor, weights: np.ndarray, settings: schema.Scoring) -> Tensor:
    """What the components compete with: log r_j - log Z_j, plus log alpha_j where `assignment: posterior`.

    Args:
        log_ratios: (N, k).
        normalizers: (k,), from the training points.
        weights: (k,), mixture weights alpha of the round before, see `split_weights`.
        settings: of the scoring.

    Returns:
        (N, k) float32; -inf for a component of weight 0 under `posterior`.
    """
    scores = log_ratios - normalizers
    return scores + torch.from_numpy(weights).log().float() if settings.assignment == "posterior" else scores


def assign(scores: Tensor) -> Assignment:
    """Assign each point to the component with the highest score (step (d)); the lowest number wins a tie.

    Args:
        scores: (N, k) float32.

    Returns:
        Winners and margins.

    Raises:
        UserError: a score is NaN.
    """
    values = scores.numpy()
    if np.isnan(values).any():
        row, column = np.argwhere(np.isnan(values))[0]
        raise UserError(f"component {column}: its score of training point {row} is NaN; the discriminators diverged")
    winner = values.argmax(axis=1).astype(np.int16)
    if values.shape[1] == 1:
        return Assignment(winner, np.full(len(values), np.inf, dtype=np.float32))
    own = torch.from_numpy(winner).long()[:, None]
    runner_up = scores.scatter(1, own, -torch.inf).amax(1)
    return Assignment(winner, (scores.gather(1, own)[:, 0] - runner_up).numpy())


def choose_cells(winner: np.ndarray, former: Sequence[Tensor], min_share: float) -> list[Tensor]:
    """The cells to train on next (load balancing).

    Args:
        winner: (N,), the table of winners, which load balancing does not change.
        former: the cells that the components were trained on.
        min_share: a component with fewer than this share of N/k points keeps its former cell.

    Returns:
        One cell a component.
    """
    k = len(former)
    cells = to_cells(winner, k)
    threshold = min_share * len(winner) / k
    return [old if len(new) < threshold else new for new, old in zip(cells, former, strict=True)]


def draw_soft_cells(scores: Tensor, key: StreamKey) -> list[Tensor]:
    """Cells drawn from the responsibilities (stochastic soft EM): a point goes to j with chance softmax(scores)_j."""
    generator = make_generator(*key, "soft cells")
    uniform = torch.rand(scores.shape, generator=generator, dtype=torch.float32).clamp_min_(1e-20)
    return to_cells((scores - (-uniform.log()).log()).argmax(dim=1).numpy(), scores.shape[1])
