"""The scores of a round, whoever gave them: of every component at every point, or of two candidates at each."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from competitive_mixtures.method.assignment import Assignment, assign_blocks, refuse_nan
from competitive_mixtures.method.batches import BLOCK_POINTS
from competitive_mixtures.method.candidates import Candidates
from competitive_mixtures.method.revival import find_runner_up
from competitive_mixtures.method.scoring import log_scores, log_scores_in_blocks, log_sums
from competitive_mixtures.settings import schema


@dataclass(frozen=True)
class FullScores:
    """Scores of a full round.

    Attributes:
        log_ratios: (N, k) float32, log r_j.
    """

    log_ratios: Tensor

    def log_sums(self) -> Tensor:
        """Log of the sum of r_j over the points, (k,) float64."""
        return log_sums(self.log_ratios)

    def assign(self, normalizers: Tensor, weights: np.ndarray, settings: schema.Scoring) -> Assignment:
        """Winners and margins; see `log_scores` for the arguments and `assign` for what it raises."""
        return assign_blocks(log_scores_in_blocks(self.log_ratios, normalizers, weights, settings))

    def pick(self, components: np.ndarray) -> Tensor:
        """Log r_j of each point at a component of its own, (N,)."""
        return self.log_ratios.gather(1, torch.from_numpy(components).long()[:, None])[:, 0]


@dataclass(frozen=True)
class CandidateScores:
    """Scores of a round between two full ones.

    Deviation: the paper has every component score every point in every round. Here the sum Z_j is that of the new r_j
    over the points that have j as a candidate and, over the others, that of the last full round. There r_j is small;
    and discriminators that are trained anew differ little by a common factor, so that old and new may be added up.

    Attributes:
        log_ratios: (2N,) float32, log r_j, listed as `Candidates` says.
        candidates: who scored which point.
    """

    log_ratios: Tensor
    candidates: Candidates

    def log_sums(self) -> Tensor:
        """Log of the estimated sum of r_j over all points, (k,) float64."""
        return torch.logaddexp(self.candidates.sum_listed(self.log_ratios), self.candidates.log_rest)

    def assign(self, normalizers: Tensor, weights: np.ndarray, settings: schema.Scoring) -> Assignment:
        """The candidate with the higher score wins; as `FullScores.assign`."""
        numbers, table = self.candidates.numbers, self.candidates.to_table(self.log_ratios)

        def score_blocks() -> Iterator[Tensor]:
            for block, owners in zip(table.split(BLOCK_POINTS), numbers.int().split(BLOCK_POINTS), strict=True):
                yield log_scores(block, normalizers[owners], weights[owners.numpy()], settings)

        if table.isnan().any():
            row, column = table.isnan().nonzero()[0].tolist()
            refuse_nan(int(numbers[row, column]), row)
        columns = assign_blocks(score_blocks())
        winner = numbers.numpy()[np.arange(len(numbers)), columns.winner]
        return Assignment(winner, columns.margin)

    def pick(self, components: np.ndarray) -> Tensor:
        """Log r_j of each point at one of its candidates, (N,)."""
        chosen = self.candidates.numbers == torch.from_numpy(components)[:, None]
        return self.candidates.to_table(self.log_ratios)[chosen]


Scores = FullScores | CandidateScores


def choose_candidates(
    log_ratios: Tensor,
    sums: Tensor,
    winner: np.ndarray,
    normalizers: Tensor,
    weights: np.ndarray,
    settings: schema.Scoring,
) -> Candidates:
    """The winner and the runner-up of each point in a full round, for the rounds until the next one.

    Args:
        log_ratios: (N, k) float32, log r_j, of at least two components.
        sums: (k,) float64, `log_sums` of these.
        winner: (N,) int16.
        normalizers: as in `log_scores`.
        weights: as in `log_scores`.
        settings: of the scoring.
    """
    lowest = torch.finfo(torch.float32).min  # above the winner's mark, also where a component has no weight
    numbers = np.empty((len(winner), 2), dtype=np.int16)
    start = 0
    for scores in log_scores_in_blocks(log_ratios, normalizers, weights, settings):
        block = slice(start, start := start + len(scores))
        pair = winner[block], find_runner_up(scores.clamp_(min=lowest), winner[block])
        numbers[block] = np.sort(np.stack(pair, axis=1), axis=1)
    chosen = Candidates(torch.from_numpy(numbers), torch.full_like(sums, -torch.inf))
    own = chosen.sum_listed(chosen.to_list(log_ratios.gather(1, chosen.numbers.long())))
    return Candidates(chosen.numbers, sums + torch.log1p(-(own - sums).clamp(max=0).exp()))
