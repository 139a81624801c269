"""The paper's algorithm as functions of what came before: pretraining, steps (a) to (c) of a round, steps (d) and (e).

Nothing here touches a file: `pipeline.jobs` does for the pipeline, and the estimator keeps all of it in memory.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from competitive_mixtures.evaluation.clustering import contingency_table, score_agreement
from competitive_mixtures.evaluation.objective import estimate_objective
from competitive_mixtures.method import assignment
from competitive_mixtures.method.assignment import Assignment
from competitive_mixtures.method.candidates import Candidates
from competitive_mixtures.method.partial_round import PartialRound
from competitive_mixtures.method.revival import is_due, plan_revivals, revive, split_mixture_weights
from competitive_mixtures.method.run import Clock, Run
from competitive_mixtures.method.score_table import CandidateScores, FullScores, Scores, choose_candidates
from competitive_mixtures.method.scoring import count_forward, log_normalizers, log_scores, score, score_candidates
from competitive_mixtures.method.start import choose_start
from competitive_mixtures.method.state import RoundState
from competitive_mixtures.method.training import Training, train_components, train_discriminators
from competitive_mixtures.networks.component import ComponentStack
from competitive_mixtures.networks.discriminator import DensityRatioStack
from competitive_mixtures.networks.ensemble import Ensemble
from competitive_mixtures.seeding import StreamKey
from competitive_mixtures.settings.schema import Scoring
from competitive_mixtures.settings.scoring import count_cycle

COSTS = ("samples_seen", "compute", "forward_compute")  # of a round's record, summed over the rounds


@dataclass(frozen=True)
class Outcome:
    """What a stage leaves, and the next one starts from.

    Attributes:
        state: networks, cells and planned revivals.
        assignment: who won each training point.
        former: (N,) int16, the component of each point before.
        samples: (k, n, *shape), some samples of every component, float32 or uint8.
        record: counts, weights, losses, objective, costs and seconds, ready for JSON.
        normalizers: (k,), log Z_j; zeros after the pretraining, which scores nothing.
        prior: (k,), the mixture weights that the round's scores were made with.
    """

    state: RoundState
    assignment: Assignment
    former: np.ndarray
    samples: np.ndarray
    record: dict[str, Any]
    normalizers: Tensor
    prior: np.ndarray


def pretrain(run: Run, parts: np.ndarray | None = None) -> Outcome:
    """Train every component on its part of a partition.

    Args:
        run: settings and data.
        parts: (N,) int16, the component of each point; None takes the settings' start.
    """
    k, settings = run.experiment.num_components, run.experiment.training
    if parts is None:
        parts = choose_start(settings.init, run.train, k, run.seed)
    cells = assignment.to_cells(parts, k)
    components = run.build_components()
    training = train_on_cells(run, components, cells, settings.pretraining_steps, (run.seed, "pretrain"))
    counts = np.bincount(parts, minlength=k)
    weights = counts / len(parts)
    return Outcome(
        state=RoundState(components, None, cells, []),
        assignment=Assignment(parts, np.zeros(len(parts), dtype=np.float32)),
        former=parts,
        samples=run.draw_snapshots(components, "pretrain"),
        record={
            "counts": counts.tolist(),
            "weights": weights.tolist(),
            **list_costs({"component_loss": training}),
            "seconds": dict(run.clock.seconds),
        },
        normalizers=torch.zeros(k, dtype=torch.float32),
        prior=weights,
    )


def compete(run: Run, round_: int, state: RoundState, ids: Sequence[int]) -> PartialRound:
    """Steps (a) to (c) of a round for some of the components: train on their cells, discriminate, score.

    Args:
        run: settings and data.
        round_: t; round 0 only scores the pretrained components.
        state: what round t-1, or the pretraining, left; its networks are trained on in place.
        ids: numbers of the components to take on.

    Returns:
        Their part of the round.
    """
    key = (run.seed, "round", round_)
    num_steps = run.experiment.training.steps_per_round if round_ else 0
    revived = state.revivals
    candidates = None if scores_all(run, round_, state) else state.candidates
    with run.clock.time("load"):
        revive(state, key)
        components = state.components.take(ids)  # the same networks where these are all
        discriminators = choose_discriminators(run, round_, state, components.ids)
    trainings = {"component_loss": train_on_cells(run, components, state.cells, num_steps, key)}
    if discriminators is not None:
        trainings["discriminator_loss"] = discriminate(run, components, discriminators, key)
    log_ratios, log_ratios_test = score_points(run, components, discriminators, candidates, key)
    samples = run.draw_snapshots(components, "round", round_)
    forward = count_forward(components, discriminators, log_ratios.numel(), run.experiment.scoring)
    metrics = list_costs(trainings, forward) | {"revived": revived, "seconds": dict(run.clock.seconds)}
    left = RoundState(components, discriminators, state.cells, [], candidates)
    return PartialRound(components.ids, left, log_ratios, log_ratios_test, samples, metrics)


def train_on_cells(
    run: Run, components: Ensemble[ComponentStack], cells: Sequence[Tensor], num_steps: int, key: StreamKey
) -> Training:
    """Train components on their own of all k cells: step (a), and the pretraining."""
    with run.clock.time("train"):
        return train_components(
            components,
            run.train,
            [cells[j].to(run.device) for j in components.ids],
            num_steps=num_steps,
            batch_size=run.experiment.training.batch_size,
            key=key,
            held_out=run.held_out,
        )


def discriminate(
    run: Run, components: Ensemble[ComponentStack], discriminators: Ensemble[DensityRatioStack], key: StreamKey
) -> Training:
    """Step (b): train discriminators to tell the data from the components' samples."""
    scoring = run.experiment.scoring
    assert not scoring.uses_bounds  # which need none
    with run.clock.time("discriminate"):
        return train_discriminators(
            discriminators,
            run.train,
            components,
            num_steps=scoring.steps_per_round,
            batch_size=scoring.batch_size,
            key=(*key, "discriminators"),
        )


def score_points(
    run: Run,
    components: Ensemble[ComponentStack],
    discriminators: Ensemble[DensityRatioStack] | None,
    candidates: Candidates | None,
    key: StreamKey,
) -> tuple[Tensor, Tensor]:
    """Step (c): the log-ratios of the training and of the test points, as `PartialRound` has them."""
    with run.clock.time("score"):
        if candidates is None or discriminators is None:
            log_ratios = score(components, discriminators, run.train, (*key, "train points"))
            return log_ratios, score(components, discriminators, run.test, (*key, "test points"))
        no_points = torch.empty(0, len(components.ids), dtype=torch.float32)
        return score_candidates(discriminators, run.train, candidates), no_points


def scores_all(run: Run, round_: int, state: RoundState) -> bool:
    """Whether every component scores every point in a round, which is then a full one.

    Besides every `scoring.full_every`th these are rounds 0 and 1, the rounds whose scores plan revivals, and those that
    revivals start. Before round 1 all components stand for all of the data, so that round 0 ranks them by chance.

    Args:
        run: settings and data.
        round_: t.
        state: what round t-1 left.
    """
    every, revival = count_cycle(run.experiment.scoring), run.experiment.revival
    if round_ < 2 or round_ % every == 0 or state.candidates is None:
        return True
    return bool(state.revivals) or is_due(revival, round_ + 1)


def choose_discriminators(
    run: Run, round_: int, state: RoundState, ids: Sequence[int]
) -> Ensemble[DensityRatioStack] | None:
    """New or carried-on discriminators for the components `ids`; None where bounds score."""
    scoring = run.experiment.scoring
    if scoring.uses_bounds:
        return None
    if scoring.reset:
        return run.build_discriminators(round_, ids)
    return state.discriminators or run.build_discriminators(0, ids)


def conclude(run: Run, round_: int, record: Mapping[str, Any], former: np.ndarray, part: PartialRound) -> Outcome:
    """Steps (d) and (e): assign every point and set the weights.

    Args:
        run: settings and data.
        round_: t.
        record: of round t-1, or of the pretraining.
        former: (N,) int16, the component of each point in round t-1, or in the pretraining.
        part: of all components.
    """
    settings, k, clock = run.experiment.scoring, run.experiment.num_components, Clock()
    with clock.time("assign"):
        candidates = part.state.candidates
        scores = CandidateScores(part.log_ratios, candidates) if candidates else FullScores(part.log_ratios)
        sums = scores.log_sums()
        normalizers = log_normalizers(sums, settings)
        prior = split_mixture_weights(np.array(record["weights"]), part.metrics["revived"])
        assigned = scores.assign(normalizers, prior, settings)
        cells = choose_next_cells(run, round_, assigned.winner, part, normalizers, prior)
        counts = assigned.count(k)
        weights = counts / counts.sum()
        test = FullScores(part.log_ratios_test)
        winners = assigned.winner, test.assign(normalizers, prior, settings).winner
        objectives = estimate_objectives((scores, test), winners, weights, sums, settings)
        revivals = plan_revivals(run, round_ + 1, part.log_ratios, normalizers, assigned.winner)
        if candidates is None and count_cycle(settings) > 1:
            candidates = choose_candidates(part.log_ratios, sums, assigned.winner, normalizers, prior, settings)
    labels = run.dataset.train_labels
    totals = {key: record[key] + part.metrics[key] for key in COSTS}
    seconds = part.metrics["seconds"] | clock.seconds
    return Outcome(
        state=replace(part.state, cells=cells, revivals=revivals, candidates=candidates),
        assignment=assigned,
        former=former,
        samples=part.samples,
        record={
            "round": round_,
            "counts": counts.tolist(),
            "weights": weights.tolist(),
            "share_changed": float((assigned.winner != former).mean()),
            "margin_quantiles": quantiles(assigned.margin),
            **objectives,
            **({} if labels is None else score_agreement(contingency_table(assigned.winner, np.asarray(labels)))),
            **part.metrics,
            **totals,
            "seconds": seconds,
        },
        normalizers=normalizers,
        prior=prior,
    )


def choose_next_cells(
    run: Run, round_: int, winner: np.ndarray, part: PartialRound, normalizers: Tensor, prior: np.ndarray
) -> list[Tensor]:
    """The cells that the next round trains on."""
    scoring = run.experiment.scoring
    if scoring.kind == "soft_bound":
        scores = log_scores(part.log_ratios, normalizers, prior, scoring)
        return assignment.draw_soft_cells(scores, (run.seed, "round", round_))
    if exploration := run.experiment.exploration:
        chance = exploration.share * exploration.decay**round_
        winner = assignment.explore(winner, run.experiment.num_components, chance, (run.seed, "round", round_))
    return assignment.balance_cells(winner, part.state.cells, run.experiment.balancing.min_share)


def estimate_objectives(
    scores: tuple[Scores, FullScores],
    winners: tuple[np.ndarray, np.ndarray],
    weights: np.ndarray,
    sums: Tensor,
    settings: Scoring,
) -> dict[str, float | None]:
    """The objective's estimate on training and on test points, in nats.

    None where a test point's winner has no weight, where there are no test points or only candidates scored, and where
    the points are scored by likelihood bounds, which know nothing of the data's own density.

    Args:
        scores: of training and of test points.
        winners: (N,) and (M,) int16.
        weights: (k,), alpha.
        sums: (k,) float64, log of the sums of r_j over the training points.
        settings: of the scoring.
    """
    if settings.uses_bounds:
        return {"objective": None, "objective_test": None}
    log_partition = sums - math.log(len(winners[0]))
    alpha = torch.from_numpy(weights)
    estimates = {
        name: estimate_objective(scored.pick(winner), torch.from_numpy(winner), alpha, log_partition)
        for name, scored, winner in zip(("objective", "objective_test"), scores, winners, strict=True)
    }
    return {name: value if np.isfinite(value) else None for name, value in estimates.items()}


def quantiles(values: np.ndarray) -> dict[str, float | None]:
    """Five quantiles by name; None where infinite (a single component has no runner-up)."""
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    finite = np.isfinite(values).all()
    return {f"{q:g}": float(np.quantile(values, q)) if finite else None for q in levels}


def list_costs(trainings: Mapping[str, Training], forward: float = 0.0) -> dict[str, Any]:
    """What trainings cost together and the losses of each, by name, for JSON; a loss is None where nothing trained.

    Args:
        trainings: by the name of their losses.
        forward: what forward passes outside of training cost, see `scoring.count_forward`.
    """
    losses = {name: training.losses.tolist() for name, training in trainings.items()}
    return {name: [None if math.isnan(loss) else loss for loss in own] for name, own in losses.items()} | {
        "samples_seen": sum(training.samples_seen for training in trainings.values()),
        "compute": sum(training.compute for training in trainings.values()),
        "forward_compute": forward,
    }
