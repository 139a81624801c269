"""The stages of a run as functions of what came before: pretraining, a part of a round, and its conclusion.

Nothing here touches a file: `jobs.py` does for the pipeline, and the estimator keeps all of it in memory.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from competitive_mixtures.errors import UserError
from competitive_mixtures.evaluation.clustering import contingency_table, score_agreement
from competitive_mixtures.evaluation.objective import estimate_objective
from competitive_mixtures.files import take_named
from competitive_mixtures.method import assignment, cell_widths, revival
from competitive_mixtures.method.partial_round import PartialRound, merge_facts, sort_partial_rounds
from competitive_mixtures.method.run import Clock, Run
from competitive_mixtures.method.training import train_discriminators
from competitive_mixtures.networks.ensemble import Ensemble, build_discriminators
from competitive_mixtures.networks.stack import ComponentStack, DensityRatioStack, join
from competitive_mixtures.progress import show_progress
from competitive_mixtures.settings.schema import Scoring


@dataclass(frozen=True)
class Outcome:
    """What a stage leaves, and the next one starts from.

    Attributes:
        tensors: the state: networks, cells and planned revivals.
        assignment: who won each training point.
        former: (N,) int16, the component of each point before.
        samples: (k, n, *shape), some samples of every component, float32 or uint8.
        record: counts, weights, losses, objective, costs and seconds, ready for JSON.
        normalizers: (k,), log Z_j; zeros after the pretraining, which scores nothing.
        prior: (k,), the mixture weights that the round's scores were made with.
    """

    tensors: dict[str, Tensor]
    assignment: assignment.Assignment
    former: np.ndarray
    samples: np.ndarray
    record: dict[str, Any]
    normalizers: Tensor
    prior: np.ndarray


def pretrain(run: Run) -> Outcome:
    """Train every component on its part of the uniform split."""
    k = run.experiment.num_components
    parts = assignment.split_uniformly(len(run.train), k, run.seed)
    cells = assignment.to_cells(parts, k)
    components = run.build_components()
    facts = run.train_on(components, cells, run.experiment.training.pretraining_steps, "pretrain")
    tensors = {f"components.{name}": tensor for name, tensor in components.state().items()}
    weights = np.bincount(parts, minlength=k) / len(parts)
    return Outcome(
        tensors=tensors | pack_cells(cells) | {"revivals": torch.zeros(0, 2, dtype=torch.int64)},
        assignment=assignment.Assignment(parts, np.zeros(len(parts), dtype=np.float32)),
        former=parts,
        samples=run.draw_snapshots(components, "pretrain"),
        record={
            "counts": np.bincount(parts, minlength=k).tolist(),
            "weights": weights.tolist(),
            **facts,
            "seconds": dict(run.clock.seconds),
        },
        normalizers=torch.zeros(k),
        prior=weights,
    )


def compete(run: Run, round_: int, tensors: dict[str, Tensor], ids: Sequence[int]) -> PartialRound:
    """Steps (a) to (c) of a round for some of the components: train on their cells, discriminate, score.

    Args:
        run: settings and data.
        round_: t; round 0 only scores the pretrained components.
        tensors: the state that round t-1, or the pretraining, left.
        ids: numbers of the components that this job takes on.

    Returns:
        Their part of the round.
    """
    experiment, purpose = run.experiment, ("round", round_)
    with run.clock.time("load"):
        cells = unpack_cells(tensors, experiment.num_components)
        revived = tensors["revivals"].tolist()
        # a revived component starts from its donor's state, so a shard that revives loads all components first
        components = run.build_components(None if revived else ids)
        components.load(take_named(tensors, "components."))
        cells = revival.revive(components, cells, revived, run.seed, purpose)
        if revived and set(ids) != set(components.ids):
            everyone = components.state()
            components = run.build_components(ids)
            components.load(everyone)
    steps = experiment.training.steps_per_round if round_ else 0
    facts = run.train_on(components, cells, steps, *purpose) | {"revived": revived}
    state = {f"components.{name}": t for name, t in components.state().items()}
    state |= pack_cells({j: cells[j] for j in components.ids})
    discriminators = None
    if experiment.scoring.kind in ("bound", "soft_bound"):
        with run.clock.time("score"):
            scores = assignment.score_by_bound(components, run.train, run.seed, (*purpose, "train points"))
            scores_test = assignment.score_by_bound(components, run.test, run.seed, (*purpose, "test points"))
    else:
        discriminators = train_discriminators_of(run, round_, components, take_named(tensors, "discriminators."), facts)
        with run.clock.time("score"):
            scores = assignment.score_by_discriminators(discriminators, run.train)
            scores_test = assignment.score_by_discriminators(discriminators, run.test)
        if not experiment.scoring.reset:
            state |= {f"discriminators.{name}": t for name, t in discriminators.state().items()}
    samples = run.draw_snapshots(components, *purpose)
    seconds = dict(run.clock.seconds)
    return PartialRound(
        components.ids, state, scores, scores_test, samples, facts | {"seconds": seconds}, discriminators
    )


def train_discriminators_of(
    run: Run, round_: int, components: Ensemble[ComponentStack], former: dict[str, Tensor], facts: dict[str, Any]
) -> Ensemble[DensityRatioStack]:
    """Step (b): new or carried-on discriminators, trained on all real points against each component's samples."""
    scoring = run.experiment.scoring
    born = round_ if scoring.reset else 0
    discriminators = build_discriminators(
        run.experiment, run.dataset.shape, run.seed, "round", born, ids=components.ids, device=run.device
    )
    if former:
        discriminators.load(former)
    num_steps = scoring.steps_per_round
    with (
        run.clock.time("discriminate"),
        show_progress("discriminators", num_steps * len(discriminators.stacks)) as progress,
    ):
        losses = train_discriminators(
            discriminators,
            components,
            run.train,
            num_steps=num_steps,
            batch_size=scoring.batch_size,
            seed=run.seed,
            purpose=("round", round_, "discriminators"),
            progress=progress,
        )
    drawn = num_steps * sum(stack.samples_per_step(scoring.batch_size) for _, stack in discriminators.stacks)
    facts["discriminator_loss"] = losses.tolist()
    facts["samples_seen"] += drawn
    facts["compute"] += sum(
        num_steps * stack.samples_per_step(scoring.batch_size) * stack.num_parameters / stack.num_networks
        for _, stack in discriminators.stacks
    )
    return discriminators


def conclude(
    run: Run, round_: int, record: Mapping[str, Any], former: np.ndarray, partial_rounds: Sequence[PartialRound]
) -> Outcome:
    """Steps (d) and (e): assign every point and set the weights.

    Args:
        run: settings and data.
        round_: t.
        record: of round t-1, or of the pretraining.
        former: (N,) int16, the component of each point in round t-1, or in the pretraining.
        partial_rounds: of all components; the order of the shards does not matter.
    """
    partial_rounds = sort_partial_rounds(partial_rounds, run.experiment.num_components)
    log_ratios = torch.cat([partial_round.log_ratios for partial_round in partial_rounds], dim=1)
    log_ratios_test = torch.cat([partial_round.log_ratios_test for partial_round in partial_rounds], dim=1)
    settings, k = run.experiment.scoring, run.experiment.num_components
    clock = Clock()
    with clock.time("assign"):
        sums = assignment.log_sums(log_ratios)
        normalizers = assignment.log_normalizers(sums, settings)
        prior = revival.split_weights(np.array(record["weights"]), partial_rounds[0].facts["revived"])
        scores = assignment.log_scores(log_ratios, normalizers, prior, settings)
        scores_test = assignment.log_scores(log_ratios_test, normalizers, prior, settings)
        assigned = assignment.assign(scores)
        tensors = join(partial_round.tensors for partial_round in partial_rounds)
        cells = next_cells(run, round_, assigned.winner, scores, unpack_cells(tensors, k))
        counts = assigned.count(k)
        weights = counts / counts.sum()
        winner_test = assignment.assign(scores_test).winner
        judged = judge_objective(log_ratios, log_ratios_test, assigned.winner, winner_test, weights, sums, settings)
        revivals = plan_revivals(run, round_ + 1, log_ratios, normalizers, assigned.winner)
    labels = run.dataset.train_labels
    facts = merge_facts([partial_round.facts for partial_round in partial_rounds])
    facts["seconds"] |= clock.seconds
    totals = {key: record[key] + facts.pop(key) for key in ("samples_seen", "compute")}
    return Outcome(
        tensors=tensors | pack_cells(cells) | {"revivals": revivals},
        assignment=assigned,
        former=former,
        samples=np.concatenate([partial_round.samples for partial_round in partial_rounds]),
        record={
            "round": round_,
            "counts": counts.tolist(),
            "weights": weights.tolist(),
            "share_changed": float((assigned.winner != former).mean()),
            "margin_quantiles": quantiles(assigned.margin),
            **judged,
            **({} if labels is None else score_agreement(contingency_table(assigned.winner, np.asarray(labels)))),
            **totals,
            **facts,
        },
        normalizers=normalizers,
        prior=prior,
    )


def next_cells(run: Run, round_: int, winner: np.ndarray, scores: Tensor, former: Sequence[Tensor]) -> list[Tensor]:
    """The cells that the next round trains on."""
    if run.experiment.scoring.kind == "soft_bound":
        return assignment.draw_soft_cells(scores, run.seed, ("round", round_))
    return assignment.choose_cells(winner, former, run.experiment.balancing.min_share)


def judge_objective(
    log_ratios: Tensor,
    log_ratios_test: Tensor,
    winner: np.ndarray,
    winner_test: np.ndarray,
    weights: np.ndarray,
    sums: Tensor,
    settings: Scoring,
) -> dict[str, float | None]:
    """The objective's estimate on training and on test points, in nats.

    None where a test point's winner has no weight, where there are no test points, and where the points are scored by
    likelihood bounds, which know nothing of the data's own density.
    """
    if settings.kind in ("bound", "soft_bound"):
        return {"objective": None, "objective_test": None}
    log_partition = sums - math.log(len(log_ratios))
    alpha = torch.from_numpy(weights)
    columns = {"objective": (log_ratios, winner), "objective_test": (log_ratios_test, winner_test)}
    estimates = {
        name: estimate_objective(ratios, torch.from_numpy(column).long(), alpha, log_partition)
        for name, (ratios, column) in columns.items()
    }
    return {name: value if np.isfinite(value) else None for name, value in estimates.items()}


def plan_revivals(run: Run, next_round: int, log_ratios: Tensor, normalizers: Tensor, winner: np.ndarray) -> Tensor:
    """Pairs [from, to], (n, 2) int64, of the revivals that the next round starts with; none when it is not its turn."""
    settings, k = run.experiment.revival, run.experiment.num_components
    if settings is None or next_round < 2 or next_round % settings.every or next_round > settings.until:
        return torch.zeros(0, 2, dtype=torch.int64)
    normalized = log_ratios - normalizers
    runner_up = revival.find_runner_up(normalized, winner)
    spare = revival.find_spare(normalized, winner, runner_up, settings.min_share)
    pairs = []
    if spare:
        costs = cell_widths.measure_mergers(run.train, winner, runner_up, k)
        gains = cell_widths.measure_splits(run.train, winner, k)
        pairs = revival.plan_revivals(spare, costs, gains, run.kinds)
    return torch.tensor(pairs, dtype=torch.int64).view(-1, 2)


def quantiles(values: np.ndarray) -> dict[str, float | None]:
    """Five quantiles by name; None where infinite (a single component has no runner-up)."""
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    finite = np.isfinite(values).all()
    return {f"{q:g}": float(np.quantile(values, q)) if finite else None for q in levels}


def pack_cells(cells: Sequence[Tensor] | dict[int, Tensor]) -> dict[str, Tensor]:
    """Cells as tensors of a state."""
    pairs = cells.items() if isinstance(cells, dict) else enumerate(cells)
    return {f"cells.{j}": cell.cpu().int() for j, cell in pairs}


def unpack_cells(tensors: dict[str, Tensor], num_components: int) -> list[Tensor]:
    """Cells from a state, int64.

    Raises:
        UserError: the state holds other components.
    """
    cells = take_named(tensors, "cells.")
    if len(cells) != num_components:
        raise UserError(
            f"state: found {len(cells)} components, the settings expect {num_components}; the state was written with "
            "other settings: run the steps before this one again"
        )
    return [cells[str(j)].long() for j in range(num_components)]
