"""Early stopping of a competition: held-out points say which round's mixture is kept."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from competitive_mixtures.estimator.trained_mixture import TrainedMixture
from competitive_mixtures.method.partial_round import PartialRound
from competitive_mixtures.method.rounds import Outcome
from competitive_mixtures.method.run import Run
from competitive_mixtures.networks.vae import VAEStack

PATIENCE = 3  # rounds without a gain before a competition ends
MIN_GAIN = 1.0  # of the mean log-likelihood, in standard errors: less is what training again changes anyway
MIN_POINTS = 2  # held out, for a standard error


class BestRound:
    """The round whose mixture makes the points that no component trains on most likely, so far.

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
        self.log_likelihoods = torch.empty(0)
        self.kept: tuple[Outcome, PartialRound] | None = None
        self.rounds_without_gain = 0

    def is_past(self, outcome: Outcome, part: PartialRound) -> bool:
        """Look at a round; whether the competition has gone on long enough without a gain."""
        log_likelihoods = self._measure(outcome)
        if self.kept is None or is_gain(log_likelihoods - self.log_likelihoods):
            self.log_likelihoods, self.kept = log_likelihoods, (self._copy(outcome), part)
            self.rounds_without_gain = 0
        else:
            self.rounds_without_gain += 1
        return self.rounds_without_gain >= PATIENCE

    def _measure(self, outcome: Outcome) -> Tensor:
        """Log sum_j alpha_j exp b_j(x) of the held-out points, (n,) float64, with b_j as in `log_offset`."""
        stacks = [stack for _, stack in outcome.state.components.stacks]
        assert all(isinstance(stack, VAEStack) for stack in stacks)  # as the settings check
        bounds = torch.cat([stack.log_offset(self.points) for stack in stacks]).cpu().double()
        weights = torch.tensor(outcome.record["weights"], dtype=torch.float64)
        return (bounds + weights.log()[:, None]).logsumexp(0)

    def _copy(self, outcome: Outcome) -> Outcome:
        """The same with networks of its own, which later rounds do not train on."""
        networks = TrainedMixture.from_round(self.run.without_points(), outcome).copy_networks()
        components, discriminators = networks
        return replace(outcome, state=replace(outcome.state, components=components, discriminators=discriminators))


def is_gain(differences: Tensor) -> bool:
    """Whether the mean of the differences, (n,), is above zero by more than `MIN_GAIN` standard errors."""
    standard_error = differences.std() / math.sqrt(len(differences))
    return bool(differences.mean() > MIN_GAIN * standard_error)
