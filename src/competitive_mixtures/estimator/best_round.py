"""Early stopping of a competition: held-out points say which round's mixture is kept.

That of a training is `method.early_stopping`.
"""

import math
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from competitive_mixtures.estimator.trained_mixture import TrainedMixture
from competitive_mixtures.method.partial_round import PartialRound
from competitive_mixtures.method.rounds import Outcome
from competitive_mixtures.method.run import Run
from competitive_mixtures.method.scoring import log_mixture
from competitive_mixtures.networks.vae import OFFSET_DRAWS

ROUNDS_WITHOUT_GAIN = 3  # before a competition ends
MIN_GAIN = 1.0  # of the mean log-likelihood, in standard errors: less is what training again changes anyway
MIN_HELD_OUT = 2  # points, for a standard error


class BestRound:
    """The round whose mixture makes the held-out points most likely, so far.

    Deviation: the paper's rounds go on. On few points that overlap, a component that has learned the few points of its
    cell by heart loses the others to its neighbour from round to round, and each of these rounds makes the training
    points likelier.

    Args:
        run: of VAEs, with points held out.
    """

    def __init__(self, run: Run) -> None:
        assert run.held_out is not None
        self.run = run
        self.points = run.train[run.held_out]
        self.log_likelihoods = torch.empty(0, dtype=torch.float32)
        self.kept: tuple[Outcome, PartialRound] | None = None
        self.rounds_without_gain = 0

    @classmethod
    def watch(cls, run: Run, tol: float) -> "BestRound | None":
        """Nothing to watch where all rounds are to be played (`tol` is 0), or too few points are held out."""
        enough = run.held_out is not None and int(run.held_out.sum()) >= MIN_HELD_OUT
        return cls(run) if tol and enough else None

    def look(self, outcome: Outcome, part: PartialRound) -> tuple[Outcome, PartialRound] | None:
        """Look at a round; where the competition has gone on long enough without a gain, the best one to go back to."""
        log_likelihoods = self._measure(outcome)
        if self.kept is None or is_gain(log_likelihoods - self.log_likelihoods):
            self.log_likelihoods, self.kept = log_likelihoods, (self._copy(outcome), part)
            self.rounds_without_gain = 0
        else:
            self.rounds_without_gain += 1
        return self.kept if self.rounds_without_gain >= ROUNDS_WITHOUT_GAIN else None

    def _measure(self, outcome: Outcome) -> Tensor:
        """Bounds of the held-out points' log-likelihoods, (n,) float64."""
        weights = np.array(outcome.record["weights"])
        return torch.from_numpy(log_mixture(outcome.state.components, self.points, weights, OFFSET_DRAWS))

    def _copy(self, outcome: Outcome) -> Outcome:
        """The same with networks of its own, which later rounds do not train on."""
        components, discriminators = TrainedMixture.from_round(self.run, outcome).copy_networks()
        return replace(outcome, state=replace(outcome.state, components=components, discriminators=discriminators))


def is_gain(differences: Tensor) -> bool:
    """Whether the mean of the differences, (n,), is above zero by more than `MIN_GAIN` standard errors."""
    standard_error = differences.std() / math.sqrt(len(differences))
    return bool(differences.mean() > MIN_GAIN * standard_error)
