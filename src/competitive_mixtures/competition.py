"""The paper's algorithm: pretrain on a uniform split; then, round by round, train, discriminate, score and assign.

Reference: Locatello et al., "Competitive Training of Mixtures of Independent Deep Generative Models", arXiv 1804.11130.
Numbers of components are j = 0..k-1; cells are int64 position tensors, one a component.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from competitive_mixtures import config
from competitive_mixtures.errors import UserError
from competitive_mixtures.networks.bank import ComponentBank, JudgeBank
from competitive_mixtures.networks.population import Population
from competitive_mixtures.networks.vae import VAEBank
from competitive_mixtures.random import make_generator, make_generators
from competitive_mixtures.training import to_float

SCORING_BATCH = 4096  # points that are scored at once
BOUND_DRAWS = 4  # noise draws that a VAE's bound is averaged over


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


def split_uniformly(num_points: int, num_components: int, seed: int) -> np.ndarray:
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
    order = torch.randperm(num_points, generator=make_generator(seed, "uniform split")).numpy()
    parts = np.empty(num_points, dtype=np.int16)
    parts[order] = np.arange(num_points) % num_components
    return parts


def to_cells(winner: np.ndarray, num_components: int) -> list[Tensor]:
    """Positions of every component's points, int64."""
    return [torch.from_numpy(np.flatnonzero(winner == j)) for j in range(num_components)]


def score_by_discriminators(discriminators: Population[JudgeBank], points: Tensor) -> Tensor:
    """Log r_j(x) of every point (step (c)); see `DiscriminatorBank.log_ratios`.

    Args:
        discriminators: trained.
        points: (N, *shape), float32 or uint8.

    Returns:
        (N, len(discriminators.ids)) float32, on the CPU.
    """
    columns = [
        torch.cat([bank.log_ratios(to_float(part)).cpu() for part in points.split(SCORING_BATCH)])
        for _, bank in discriminators.banks
    ]
    return torch.cat(columns, dim=1)


@torch.no_grad()
def score_by_bound(
    components: Population[ComponentBank], points: Tensor, seed: int, purpose: Sequence[object]
) -> Tensor:
    """Log p_gj(x) bounded from below by each VAE's evidence bound, in the place of log r_j (likelihood EM).

    Args:
        components: VAEs.
        points: (N, *shape), float32 or uint8.
        seed: of the run.
        purpose: names the random streams.

    Returns:
        (N, k) float32, in nats, on the CPU.
    """
    columns = []
    for ids, bank in components.banks:
        assert isinstance(bank, VAEBank)  # `config.Experiment` refuses bounds of other kinds
        streams = make_generators(seed, *purpose, "bound", components=ids, device=points.device)
        bank.eval()
        rows = []
        for part in points.split(SCORING_BATCH):
            x = to_float(part).expand(bank.count, *part.shape)
            noise = bank.draw_noise(streams, BOUND_DRAWS, len(part))
            rows.append(-torch.stack([bank.losses(x, draw) for draw in noise]).mean(0).T.cpu())
        bank.train()
        columns.append(torch.cat(rows))
    return torch.cat(columns, dim=1)


def log_normalizers(log_ratios: Tensor, settings: config.Scoring) -> Tensor:
    """Log Z_j, with Z_j the sum of r_j over the training points (the paper's normalisation, per component).

    `global` is the authors' code: one sum over points and components, which leaves the winner unchanged. Bounds are
    normalised densities already.
    """
    if settings.kind in ("bound", "soft_bound"):
        return torch.zeros(log_ratios.shape[1])
    per_component = torch.logsumexp(log_ratios.double(), dim=0)
    if settings.normalization == "component":
        return per_component.float()
    return torch.logsumexp(per_component, dim=0).expand_as(per_component).float()


def log_scores(log_ratios: Tensor, normalizers: Tensor, weights: np.ndarray, settings: config.Scoring) -> Tensor:
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
    """Hand each point to the component with the highest score (step (d)); the lowest number wins a tie.

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
    top = np.partition(values, -2, axis=1)[:, -2:]
    return Assignment(winner, (top[:, 1] - top[:, 0]).astype(np.float32))


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


def draw_soft_cells(scores: Tensor, seed: int, purpose: Sequence[object]) -> list[Tensor]:
    """Cells drawn from the responsibilities (stochastic soft EM): a point goes to j with chance softmax(scores)_j."""
    generator = make_generator(seed, *purpose, "soft cells")
    uniform = torch.rand(scores.shape, generator=generator).clamp_min_(1e-20)
    return to_cells((scores - (-uniform.log()).log()).argmax(dim=1).numpy(), scores.shape[1])


def find_spare(log_ratios: Tensor, winner: np.ndarray, min_share: float) -> list[int]:
    """Components that the mixture can spare: starved ones, and one of each pair that models the same points.

    Removing component j hands its points to their runners-up. It is spare where that does not raise the objective
    sum_j alpha_j KL(P_d^j || P_gj), in the estimate of `evaluation.objective`: two components on one part of the data
    each pay log alpha_j for half of it, and one of them would pay less.

    Args:
        log_ratios: (N, k) log r_j, normalised per component.
        winner: (N,) component of every point.
        min_share: a component with fewer than this share of N/k points is starved.

    Returns:
        Component numbers, the least missed first; never all of them.
    """
    num_points, k = log_ratios.shape
    counts = np.bincount(winner, minlength=k)
    scores = log_ratios.numpy()
    rows = np.arange(num_points)
    own = scores[rows, winner]
    rivals = scores.copy()
    rivals[rows, winner] = -np.inf
    runner_up = rivals.argmax(axis=1)
    second = rivals[rows, runner_up]

    def cost(removed: int | None) -> float:
        gone = winner == removed
        sizes = np.bincount(np.where(gone, runner_up, winner), minlength=k)
        entropy = -(sizes[sizes > 0] / num_points * np.log(sizes[sizes > 0] / num_points)).sum()
        return float(entropy - np.where(gone, second, own).mean(dtype=np.float64))

    now = cost(None)
    losses = np.array([cost(j) - now for j in range(k)])
    starved = counts < min_share * num_points / k
    order = np.argsort(np.where(starved, -np.inf, losses), kind="stable")
    spare: list[int] = []
    for j in order:
        partners = set(runner_up[winner == j].tolist()) if counts[j] and not starved[j] else set()
        if starved[j] or (losses[j] <= 0 and not partners & set(spare)):
            spare.append(int(j))
    return spare[: k - 1]


def plan_revivals(spare: Sequence[int], spread: np.ndarray, kinds: Sequence[int]) -> list[list[int]]:
    """Which overloaded component each spare one becomes a copy of (ours; the paper only balances the load).

    Args:
        spare: from `find_spare`.
        spread: (k,), sum of squared distances of each cell's points to their mean.
        kinds: (k,), number of the block of `components` that each belongs to: a VAE cannot become a GAN.

    Returns:
        Pairs [from, to], the widest cell first; a component gives at most once.
    """
    givers = [int(j) for j in np.argsort(-spread, kind="stable") if j not in spare]
    pairs: list[list[int]] = []
    for target in spare:
        giver = next((j for j in givers if kinds[j] == kinds[target]), None)
        if giver is not None:
            givers.remove(giver)
            pairs.append([giver, target])
    return pairs


def split_weights(weights: np.ndarray, pairs: Sequence[Sequence[int]]) -> np.ndarray:
    """Mixture weights (k,) after revivals [from, to]: a giver shares its weight, as it shares its cell."""
    weights = weights.copy()
    for source, target in pairs:
        weights[source] = weights[target] = weights[source] / 2
    return weights


def measure_spread(points: Tensor, winner: np.ndarray, num_components: int) -> np.ndarray:
    """Sum of squared distances of each cell's points to their mean, (k,) float64; 0 for an empty cell."""
    spread = np.zeros(num_components)
    for j, cell in enumerate(to_cells(winner, num_components)):
        if len(cell):
            part = to_float(points[cell.to(points.device)]).flatten(1)
            spread[j] = (part.var(dim=0, correction=0).sum(dtype=torch.float64) * len(part)).item()
    return spread


def revive(
    components: Population[ComponentBank],
    cells: Sequence[Tensor],
    pairs: Sequence[Sequence[int]],
    seed: int,
    purpose: Sequence[object],
) -> list[Tensor]:
    """Copy each giver, Adam's state included, into the starved component and split the giver's cell at random.

    Args:
        components: changed in place.
        cells: one a component.
        pairs: [from, to], from `plan_revivals`.
        seed: of the run.
        purpose: names the random stream.

    Returns:
        The new cells.
    """
    cells = list(cells)
    generator = make_generator(seed, *purpose, "revival")
    for source, target in pairs:
        components.copy_network(source, target)
        shuffled = cells[source][torch.randperm(len(cells[source]), generator=generator)]
        half = len(shuffled) // 2
        cells[source], cells[target] = shuffled[half:].sort().values, shuffled[:half].sort().values
    return cells
