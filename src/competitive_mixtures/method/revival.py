"""Our remedy for starved components: what the mixture can spare becomes a copy of what is overloaded.

The paper balances the load (`assignment.balance_cells`), which keeps a starved component alive and does not move it.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from competitive_mixtures.method.batches import BLOCK_POINTS
from competitive_mixtures.method.cell_widths import measure_mergers, measure_splits
from competitive_mixtures.method.run import Run
from competitive_mixtures.method.state import RoundState
from competitive_mixtures.seeding import StreamKey, make_generator
from competitive_mixtures.settings import schema


def find_runner_up(log_ratios: Tensor, winner: np.ndarray) -> np.ndarray:
    """The component (N,) that would win each point without its winner."""
    owners = np.array_split(winner, range(BLOCK_POINTS, len(winner), BLOCK_POINTS))
    rivals = (
        block.scatter(1, torch.from_numpy(own).long()[:, None], -torch.inf).numpy().argmax(axis=1)
        for block, own in zip(log_ratios.split(BLOCK_POINTS), owners, strict=True)
    )
    return np.concatenate(list(rivals))


def find_spare(log_ratios: Tensor, winner: np.ndarray, runner_up: np.ndarray, min_share: float) -> list[int]:
    """Components that the mixture can spare: starved ones, and one of each pair that models the same points.

    Removing component j leaves its points to their runners-up. It is spare where that does not raise the objective
    sum_j alpha_j KL(P_d^j || P_gj), in the estimate of `evaluation.objective`: two components on one part of the data
    each pay log alpha_j for half of it, and one of them would pay less.

    Args:
        log_ratios: (N, k) log r_j, normalised per component.
        winner: (N,) component of every point.
        runner_up: (N,), from `find_runner_up`.
        min_share: a component with fewer than this share of N/k points is starved.

    Returns:
        Component numbers, the least missed first; never all of them.
    """
    num_points, k = log_ratios.shape
    counts = np.bincount(winner, minlength=k)
    scores = log_ratios.numpy()
    rows = np.arange(num_points)
    own = scores[rows, winner]
    second = scores[rows, runner_up]

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


def is_due(settings: schema.Revival | None, round_: int) -> bool:
    """Whether a round may start with revivals, which the scores of the round before then plan."""
    return settings is not None and 2 <= round_ <= settings.until and round_ % settings.every == 0


def plan_revivals(
    run: Run, next_round: int, log_ratios: Tensor, normalizers: Tensor, winner: np.ndarray
) -> list[tuple[int, int]]:
    """The revivals that the next round starts with; none when it is not its turn.

    Args:
        run: settings and data.
        next_round: t + 1.
        log_ratios: (N, k) log r_j.
        normalizers: (k,) log Z_j.
        winner: (N,) component of every training point in round t.

    Returns:
        Pairs (donor, recipient), the largest gain first.
    """
    settings, k = run.experiment.revival, run.experiment.num_components
    if settings is None or not is_due(settings, next_round):
        return []
    log_ratios = log_ratios - normalizers
    runner_up = find_runner_up(log_ratios, winner)
    spare = find_spare(log_ratios, winner, runner_up, settings.min_share)
    if not spare:
        return []
    costs = measure_mergers(run.train, winner, runner_up, k)
    return choose_donors(spare, costs, measure_splits(run.train, winner, k), run.kinds)


def choose_donors(
    spare: Sequence[int], merger_costs: np.ndarray, split_gains: np.ndarray, kinds: Sequence[int]
) -> list[tuple[int, int]]:
    """Which overloaded component each spare one becomes a copy of (ours; the paper only balances the load).

    A pair is planned where splitting the donor's cell narrows the cells by more than handing over the recipient's
    widens them. Discriminators saturate, so a small mode far from all others may look spare to them.

    Args:
        spare: from `find_spare`.
        merger_costs: (k,), from `measure_mergers`.
        split_gains: (k,), from `measure_splits`.
        kinds: (k,), number of the block of `components` that each belongs to: a VAE cannot become a GAN.

    Returns:
        Pairs (donor, recipient), the largest gain first; a component donates at most once.
    """
    donors = [int(j) for j in np.argsort(-split_gains, kind="stable") if j not in spare]
    pairs: list[tuple[int, int]] = []
    for recipient in spare:
        donor = next((j for j in donors if kinds[j] == kinds[recipient]), None)
        if donor is not None and split_gains[donor] > merger_costs[recipient]:
            donors.remove(donor)
            pairs.append((donor, recipient))
    return pairs


def split_mixture_weights(weights: np.ndarray, pairs: Sequence[Sequence[int]]) -> np.ndarray:
    """Mixture weights (k,) after revivals (donor, recipient): a donor shares its weight, as it shares its cell."""
    weights = weights.copy()
    for donor, recipient in pairs:
        weights[donor] = weights[recipient] = weights[donor] / 2
    return weights


def revive(state: RoundState, key: StreamKey) -> None:
    """Carry out a state's planned revivals: the recipient becomes a copy of its donor and takes half of its cell.

    Args:
        state: changed in place; it plans no revivals afterwards.
        key: of the random stream that splits the cells.
    """
    generator = make_generator(*key, "revival")
    for donor, recipient in state.revivals:
        state.components.copy_network(donor, recipient)
        cell = state.cells[donor]
        shuffled = cell[torch.randperm(len(cell), generator=generator)]
        half = len(shuffled) // 2
        state.cells[donor], state.cells[recipient] = shuffled[half:].sort().values, shuffled[:half].sort().values
    state.revivals = []
