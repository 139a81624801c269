"""Who gets which point: the argmax of the scores, load balancing, and cells drawn from responsibilities.

Reference: Locatello et al., "Competitive Training of Mixtures of Independent Deep Generative Models", arXiv 1804.11130.
Numbers of components are j = 0..k-1; cells are int64 position tensors, one a component.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import torch
from torch import Tensor

from competitive_mixtures.errors import UserError
from competitive_mixtures.seeding import StreamKey, derive_seed, make_generator


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


def to_cells(winner: np.ndarray, num_components: int) -> list[Tensor]:
    """Positions of every component's points, int64."""
    return [torch.from_numpy(np.flatnonzero(winner == j)) for j in range(num_components)]


def assign_blocks(blocks: Iterable[Tensor]) -> Assignment:
    """`assign` the points of all blocks of scores, (n, k) each, in their order; at least one block."""
    parts: list[Assignment] = []
    for scores in blocks:
        parts.append(assign(scores, first=sum(len(part.winner) for part in parts)))
    return Assignment(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("winner", "margin")))


def assign(scores: Tensor, first: int = 0) -> Assignment:
    """Assign each point to the component with the highest score (step (d)); the lowest number wins a tie.

    Args:
        scores: (N, k) float32.
        first: position of the first of these points among all.

    Returns:
        Winners and margins.

    Raises:
        UserError: a score is NaN.
    """
    values = scores.numpy()
    if np.isnan(values).any():
        row, column = np.argwhere(np.isnan(values))[0]
        refuse_nan(column, first + row)
    winner = values.argmax(axis=1).astype(np.int16)
    if values.shape[1] == 1:
        return Assignment(winner, np.full(len(values), np.inf, dtype=np.float32))
    own = torch.from_numpy(winner).long()[:, None]
    runner_up = scores.scatter(1, own, -torch.inf).amax(1)
    return Assignment(winner, (scores.gather(1, own)[:, 0] - runner_up).numpy())


def refuse_nan(component: int, point: int) -> NoReturn:
    """Say whose score of which point is NaN.

    Raises:
        UserError: always.
    """
    raise UserError(
        f"component {component}: its score of point {point} is NaN; the networks that score it have diverged: lower "
        "their learning_rate"
    )


def balance_cells(winner: np.ndarray, former: Sequence[Tensor], min_share: float) -> list[Tensor]:
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


def explore(winner: np.ndarray, num_components: int, chance: float, key: StreamKey) -> np.ndarray:
    """Epsilon-greedy assignment: some points go to another component than the one that won them.

    Args:
        winner: (N,) int16.
        num_components: k.
        chance: of each point, epsilon.
        key: of the random stream.

    Returns:
        (N,) int16: the winner with probability 1 - epsilon, else one of the others, all of them alike.

    References:
        Yu & Zhou, "Mixture of GANs for Clustering", IJCAI 2018.
    """
    random = np.random.default_rng(derive_seed(*key, "exploration"))
    moved = random.random(len(winner)) < chance
    step = random.integers(1, max(2, num_components), size=len(winner))
    return np.where(moved, (winner + step) % num_components, winner).astype(np.int16)


def draw_soft_cells(scores: Tensor, key: StreamKey) -> list[Tensor]:
    """Cells drawn from the responsibilities (stochastic soft EM): a point goes to j with chance softmax(scores)_j."""
    generator = make_generator(*key, "soft cells")
    uniform = torch.rand(scores.shape, generator=generator, dtype=torch.float32).clamp_min_(1e-20)
    return to_cells((scores - (-uniform.log()).log()).argmax(dim=1).numpy(), scores.shape[1])
