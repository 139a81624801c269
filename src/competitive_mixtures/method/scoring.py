"""Scores of points: log density ratios by discriminators, or VAEs' evidence bounds, normalised over the data (Z_j)."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import torch
from scipy.special import logsumexp
from torch import Tensor

from competitive_mixtures.method.batches import BLOCK_POINTS, limit_rows, split_batches, to_float
from competitive_mixtures.method.candidates import Candidates
from competitive_mixtures.networks.component import ComponentStack
from competitive_mixtures.networks.discriminator import DensityRatioStack, DiscriminatorStack
from competitive_mixtures.networks.ensemble import Ensemble
from competitive_mixtures.networks.kernels.threads import run_side_by_side
from competitive_mixtures.networks.vae import VAEStack
from competitive_mixtures.seeding import StreamKey, make_generators
from competitive_mixtures.settings import schema

SCORING_ROWS = 3 * 4096  # of a batch in all networks evaluated in one call; more layers would not fit a CPU's cache
BOUND_DRAWS = 1  # of noise a point, for a bound: as unbiased as more, and images are scored in a quarter of the time


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
    for _, stack in discriminators.stacks:
        stack.attach([part for _, part in components.stacks])
    return score_by_discriminators(discriminators, points)


def count_forward(
    components: Ensemble[ComponentStack],
    discriminators: Ensemble[DensityRatioStack] | None,
    num_scores: int,
    settings: schema.Scoring,
) -> float:
    """What a round's forward passes alone cost: training points scored, and samples drawn for the discriminators.

    Test points are scored for the record only, and are not counted, nor is what an offset classifier asks of
    the components.

    Args:
        components: as in `score`.
        discriminators: as in `score`.
        num_scores: pairs of a training point and a component that scored it.
        settings: of the scoring.

    Returns:
        Samples times parameters. A pass costs about a third of a training step's, which goes back as well.
    """
    if discriminators is None or settings.uses_bounds:
        return num_scores * components.num_parameters / len(components.ids)
    drawn = settings.steps_per_round * settings.batch_size  # of each component
    sampled = sum(drawn * stack.num_generating_parameters for _, stack in components.stacks)
    return num_scores * discriminators.num_parameters / len(discriminators.ids) + sampled


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

    def score(members: Sequence[int], stack: DensityRatioStack) -> Tensor:
        log_ratios = torch.empty(len(points), len(members), dtype=torch.float32)
        widest = stack.num_concurrent * stack.network.widest
        parts = split_batches(points, SCORING_ROWS // stack.num_concurrent, widest)
        for part, place in zip(parts, log_ratios.split([len(part) for part in parts]), strict=True):
            place.copy_(stack.log_ratios(to_float(part)))
        return log_ratios

    columns = run_side_by_side([partial(score, members, stack) for members, stack in discriminators.stacks])
    return torch.cat(columns, dim=1) if len(columns) > 1 else columns[0]


def score_candidates(discriminators: Ensemble[DensityRatioStack], points: Tensor, candidates: Candidates) -> Tensor:
    """Log r_j(x) of the points that have j as a candidate; each network goes through its own points alone.

    Args:
        discriminators: trained, of the kind `discriminators` with separate trunks.
        points: (N, *shape), float32 or uint8.
        candidates: who scores which point.

    Returns:
        The part of these discriminators of the list that `Candidates` describes, float32, on the CPU.
    """
    size = limit_rows(points, SCORING_ROWS, max(stack.network.widest for _, stack in discriminators.stacks))

    def score(stack: DensityRatioStack, row: int, positions: Tensor) -> Tensor:
        assert isinstance(stack, DiscriminatorStack)
        find_ratios = stack.choose_one(row)
        log_ratios = torch.empty(len(positions), dtype=torch.float32)
        for part, place in zip(positions.to(points.device).split(size), log_ratios.split(size), strict=True):
            place.copy_(find_ratios(to_float(points.index_select(0, part))))
        return log_ratios

    networks = [(stack, row) for members, stack in discriminators.stacks for row in range(len(members))]
    lists = candidates.list_points(discriminators.ids)
    tasks = [partial(score, *network, positions) for network, positions in zip(networks, lists, strict=True)]
    return torch.cat(run_side_by_side(tasks))


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


def score_by_importance(
    components: Ensemble[ComponentStack], points: Tensor, num_draws: int, *, dtype: torch.dtype = torch.float64
) -> Tensor:
    """Log p_gj(x) bounded from below by each VAE's importance-weighted bound; see `VAEStack.log_importance_bound`.

    Args:
        components: VAEs.
        points: (N, *shape), float32 or uint8.
        num_draws: of the latents.
        dtype: to compute in. In float64 a point's density does not depend, in the last digits, on the points beside it.

    Returns:
        (N, k) of that type, in nats, on the CPU.
    """
    columns = []
    for _, stack in components.stacks:
        copy = stack.take(range(stack.count)).to(dtype)
        assert isinstance(copy, VAEStack)
        rows = [
            copy.log_importance_bound(to_float(part).to(dtype), num_draws).T.cpu() for part in split_batches(points)
        ]
        columns.append(torch.cat(rows))
    return torch.cat(columns, dim=1)


def log_mixture(
    components: Ensemble[ComponentStack], points: Tensor, weights: np.ndarray, num_draws: int
) -> np.ndarray:
    """Log sum_j alpha_j exp(b_j(x)) of VAEs, with b_j their importance-weighted bounds: a lower bound of log p(x).

    Args:
        components: VAEs.
        points: (N, *shape), float32 or uint8.
        weights: (k,), alpha; a component without points has none.
        num_draws: of the latents.

    Returns:
        (N,) float64, in nats, in the networks' units.
    """
    bounds = score_by_importance(components, points, num_draws).numpy()
    with np.errstate(divide="ignore"):
        return logsumexp(bounds + np.log(weights), axis=1)


def log_sums(log_ratios: Tensor) -> Tensor:
    """Log of the sum of r_j over the points, (k,) float64, of log-ratios (N, k)."""
    sums = [torch.logsumexp(block.double(), dim=0) for block in log_ratios.split(BLOCK_POINTS)]
    return torch.logsumexp(torch.stack(sums), dim=0) if len(sums) > 1 else sums[0]


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
        weights: (k,), mixture weights alpha of the round before, see `split_mixture_weights`.
        settings: of the scoring.

    Returns:
        (N, k) float32; -inf for a component of weight 0 under `posterior`.
    """
    scores = log_ratios - normalizers
    return scores + torch.from_numpy(weights).log().float() if settings.assignment == "posterior" else scores


def log_scores_in_blocks(
    log_ratios: Tensor, normalizers: Tensor, weights: np.ndarray, settings: schema.Scoring
) -> Iterator[Tensor]:
    """`log_scores` of some points after the other, so that no second table of all points is in memory."""
    for block in log_ratios.split(BLOCK_POINTS):
        yield log_scores(block, normalizers, weights, settings)
