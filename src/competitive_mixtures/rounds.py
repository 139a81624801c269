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

from competitive_mixtures import competition, revival, spread
from competitive_mixtures.config import Scoring
from competitive_mixtures.contests import Contest, merge_facts, sort_contests
from competitive_mixtures.errors import UserError
from competitive_mixtures.evaluation.clustering import contingency_table, score_agreement
from competitive_mixtures.evaluation.objective import estimate_objective
from competitive_mixtures.networks.bank import ComponentBank, JudgeBank, join
from competitive_mixtures.networks.population import Population, build_discriminators
from competitive_mixtures.progress import show_progress
from competitive_mixtures.runs import Clock, Run
from competitive_mixtures.state import take_named
from competitive_mixtures.training import train_discriminators


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
    assignment: competition.Assignment
    former: np.ndarray
    samples: np.ndarray
    record: dict[str, Any]
    normalizers: Tensor
    prior: np.ndarray


def pretrain(run: Run) -> Outcome:
    """Train every component on its part of the uniform split."""
    k = run.experiment.num_components
    parts = competition.split_uniformly(len(run.train), k, run.seed)
    cells = competition.to_cells(parts, k)
    components = run.build_components()
    facts = run.train_on(components, cells, run.experiment.training.pretraining_steps, "pretrain")
    tensors = {f"components.{name}": tensor for name, tensor in components.state().items()}
    weights = np.bincount(parts, minlength=k) / len(parts)
    return Outcome(
        tensors=tensors | pack_cells(cells) | {"revivals": torch.zeros(0, 2, dtype=torch.int64)},
        assignment=competition.Assignment(parts, np.zeros(len(parts), dtype=np.float32)),
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


def compete(run: Run, round_: int, tensors: dict[str, Tensor], ids: Sequence[int]) -> Contest:
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
        # a revived component starts from its giver's state, so a shard that revives loads all components first
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
    judges = None
    if experiment.scoring.kind in ("bound", "soft_bound"):
        with run.clock.time("score"):
            scores = competition.score_by_bound(components, run.train, run.seed, (*purpose, "train points"))
            scores_test = competition.score_by_bound(components, run.test, run.seed, (*purpose, "test points"))
    else:
        judges = train_judges(run, round_, components, take_named(tensors, "discriminators."), facts)
        with run.clock.time("score"):
            scores = competition.score_by_discriminators(judges, run.train)
            scores_test = competition.score_by_discriminators(judges, run.test)
        if not experiment.scoring.reset:
            state |= {f"discriminators.{name}": t for name, t in judges.state().items()}
    samples = run.draw_snapshots(components, *purpose)
    seconds = dict(run.clock.seconds)
    return Contest(components.ids, state, scores, scores_test, samples, facts | {"seconds": seconds}, judges)


def train_judges(
    run: Run, round_: int, components: Population[ComponentBank], former: dict[str, Tensor], facts: dict[str, Any]
) -> Population[JudgeBank]:
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
        show_progress("discriminators", num_steps * len(discriminators.banks)) as progress,
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
    drawn = num_steps * sum(bank.samples_per_step(scoring.batch_size) for _, bank in discriminators.banks)
    facts["discriminator_loss"] = losses.tolist()
    facts["samples_seen"] += drawn
    facts["compute"] += sum(
        num_steps * bank.samples_per_step(scoring.batch_size) * bank.num_parameters / bank.num_networks
        for _, bank in discriminators.banks
    )
    return discriminators


def conclude(
    run: Run, round_: int, record: Mapping[str, Any], former: np.ndarray, contests: Sequence[Contest]
) -> Outcome:
    """Steps (d) and (e): assign every point and set the weights.

    Args:
        run: settings and data.
        round_: t.
        record: of round t-1, or of the pretraining.
        former: (N,) int16, the component of each point in round t-1, or in the pretraining.
        contests: of all components; the order of the shards does not matter.
    """
    contests = sort_contests(contests, run.experiment.num_components)
    log_ratios = torch.cat([contest.log_ratios for contest in contests], dim=1)
    log_ratios_test = torch.cat([contest.log_ratios_test for contest in contests], dim=1)
    settings, k = run.experiment.scoring, run.experiment.num_components
    clock = Clock()
    with clock.time("assign"):
        sums = competition.log_sums(log_ratios)
        normalizers = competition.log_normalizers(sums, settings)
        prior = revival.split_weights(np.array(record["weights"]), contests[0].facts["revived"])
        scores = competition.log_scores(log_ratios, normalizers, prior, settings)
        scores_test = competition.log_scores(log_ratios_test, normalizers, prior, settings)
        assignment = competition.assign(scores)
        tensors = join(contest.tensors for contest in contests)
        cells = next_cells(run, round_, assignment.winner, scores, unpack_cells(tensors, k))
        counts = assignment.count(k)
        weights = counts / counts.sum()
        winner_test = competition.assign(scores_test).winner
        judged = judge_objective(log_ratios, log_ratios_test, assignment.winner, winner_test, weights, sums, settings)
        revivals = plan_revivals(run, round_ + 1, log_ratios, normalizers, assignment.winner)
    labels = run.dataset.train_labels
    facts = merge_facts([contest.facts for contest in contests])
    facts["seconds"] |= clock.seconds
    totals = {key: record[key] + facts.pop(key) for key in ("samples_seen", "compute")}
    return Outcome(
        tensors=tensors | pack_cells(cells) | {"revivals": revivals},
        assignment=assignment,
        former=former,
        samples=np.concatenate([contest.samples for contest in contests]),
        record={
            "round": round_,
            "counts": counts.tolist(),
            "weights": weights.tolist(),
            "share_changed": float((assignment.winner != former).mean()),
            "margin_quantiles": quantiles(assignment.margin),
            **judged,
            **({} if labels is None else score_agreement(contingency_table(assignment.winner, np.asarray(labels)))),
            **totals,
            **facts,
        },
        normalizers=normalizers,
        prior=prior,
    )


def next_cells(run: Run, round_: int, winner: np.ndarray, scores: Tensor, former: Sequence[Tensor]) -> list[Tensor]:
    """The cells that the next round trains on."""
    if run.experiment.scoring.kind == "soft_bound":
        return competition.draw_soft_cells(scores, run.seed, ("round", round_))
    return competition.choose_cells(winner, former, run.experiment.balancing.min_share)


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
        costs = spread.measure_mergers(run.train, winner, runner_up, k)
        gains = spread.measure_splits(run.train, winner, k)
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
