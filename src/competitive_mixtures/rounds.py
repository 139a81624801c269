"""One job of the pipeline each: pretraining, a round, a shard of a round; they read and write the files of a run."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from competitive_mixtures import competition
from competitive_mixtures.config import Experiment
from competitive_mixtures.data import Dataset
from competitive_mixtures.evaluation.clustering import compare_partitions
from competitive_mixtures.evaluation.objective import estimate_log_partition, estimate_objective
from competitive_mixtures.networks.bank import join
from competitive_mixtures.networks.population import Population, build_components, build_discriminators
from competitive_mixtures.progress import show_progress
from competitive_mixtures.random import make_generators
from competitive_mixtures.state import (
    read_facts,
    read_json,
    read_table,
    read_tensors,
    write_array,
    write_json,
    write_table,
    write_tensors,
)
from competitive_mixtures.training import choose_device, train_components, train_discriminators

NUM_SNAPSHOTS = {"vector": 256, "image": 16}  # samples of each component that a round keeps for the figures
STATE = "state.safetensors"


@dataclass
class Clock:
    """Seconds by phase."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def time(self, phase: str) -> Iterator[None]:
        """Add the block's wall time to a phase."""
        start = time.perf_counter()
        yield
        self.seconds[phase] = self.seconds.get(phase, 0.0) + time.perf_counter() - start


@dataclass(frozen=True)
class Scale:
    """The affine map between the data's units and the networks'.

    Attributes:
        mean: (d,) float32, or 0.
        unit: one unit of the networks in the data's units.
    """

    mean: np.ndarray | float = 0.0
    unit: float = 1.0

    @classmethod
    def fit(cls, points: np.ndarray) -> "Scale":
        """Mean and standard deviation of (N, d) points, one deviation for all axes so that shapes are kept."""
        mean = points.mean(axis=0, dtype=np.float64).astype(np.float32)
        deviation = float(np.sqrt(np.square(points - mean, dtype=np.float64).mean()))
        return cls(mean, deviation or 1.0)  # identical points have no deviation

    def apply(self, points: np.ndarray) -> Tensor:
        """Points in the networks' units; images, whose scale is 1, stay uint8."""
        points = np.array(points)
        return torch.from_numpy(points if points.dtype == np.uint8 else (points - self.mean) / np.float32(self.unit))

    def invert(self, points: np.ndarray) -> np.ndarray:
        """Points in the data's units."""
        return points * np.float32(self.unit) + self.mean


@dataclass
class Contest:
    """What some of the components bring to a round: their new state and how they scored the points.

    Attributes:
        ids: numbers of the components.
        tensors: their state, and their discriminators' where these are carried on.
        log_ratios: (N, len(ids)), training points.
        log_ratios_test: (M, len(ids)).
        samples: (len(ids), n, *shape), float32 or uint8.
        facts: losses, samples seen and compute of this round, revived pairs, seconds by phase.
    """

    ids: list[int]
    tensors: dict[str, Tensor]
    log_ratios: Tensor
    log_ratios_test: Tensor
    samples: np.ndarray
    facts: dict[str, Any]


class Run:
    """One experiment with one seed: its settings, its data on the device, and the components it may hold.

    Args:
        experiment: the settings.
        dataset: prepared data.
        seed: of the run.
    """

    def __init__(self, experiment: Experiment, dataset: Dataset, seed: int) -> None:
        self.experiment, self.dataset, self.seed = experiment, dataset, seed
        self.device = choose_device(experiment.device)
        self.clock = Clock()
        with self.clock.time("load"):
            self.scale = Scale.fit(dataset.train) if self.standardizes else Scale()
            self.train = self.scale.apply(dataset.train).to(self.device)
            self.test = self.scale.apply(dataset.test).to(self.device)

    @property
    def standardizes(self) -> bool:
        """Whether the networks see standardised points; images always enter in [0, 1]."""
        return self.experiment.training.standardize and self.dataset.kind == "vector"

    @property
    def kinds(self) -> list[int]:
        """For every component the number of its block in `components`."""
        return [block for block, c in enumerate(self.experiment.components) for _ in range(c.count)]

    def build_components(self, ids: Sequence[int] | None = None) -> Population:
        """Components as they start."""
        return build_components(
            self.experiment, self.dataset.shape, self.seed, unit=self.scale.unit, ids=ids, device=self.device
        )

    def train_on(
        self, components: Population, cells: Sequence[Tensor], num_steps: int, *purpose: object
    ) -> dict[str, Any]:
        """Train each component on its cell; gives losses, samples seen and compute (samples x parameters)."""
        settings = self.experiment.training
        with self.clock.time("train"), show_progress("components", num_steps * len(components.banks)) as progress:
            losses = train_components(
                components,
                self.train,
                [cells[j].to(self.device) for j in components.ids],
                num_steps=num_steps,
                batch_size=settings.batch_size,
                seed=self.seed,
                purpose=purpose,
                progress=progress,
            )
        rows = {j: settings.batch_size * bank.batches_per_step for ids, bank in components.banks for j in ids}
        alive = [j for j in components.ids if len(cells[j])]
        return {
            "component_loss": [None if np.isnan(loss) else loss for loss in losses.tolist()],
            "samples_seen": num_steps * sum(rows[j] for j in alive),
            "compute": num_steps
            * sum(
                bank.num_parameters / bank.count * sum(rows[j] for j in ids if j in alive)
                for ids, bank in components.banks
            ),
        }

    def draw_snapshots(self, components: Population, *purpose: object) -> np.ndarray:
        """A few samples of every component, in the data's units, images as uint8."""
        return self.draw_samples(components, NUM_SNAPSHOTS[self.dataset.kind], *purpose, "snapshot")

    def draw_samples(self, components: Population, num_samples: int, *purpose: object) -> np.ndarray:
        """Samples (k, num_samples, *shape) of every component as the data are stored: float32 vectors, uint8 images."""
        streams = make_generators(self.seed, *purpose, components=components.ids, device=self.device)
        samples = components.sample(components.ids, streams, num_samples).cpu()
        if self.dataset.kind == "image":
            return samples.clamp_(0, 1).mul_(255).round_().to(torch.uint8).numpy()
        return self.scale.invert(samples.numpy())


def pretrain(run: Run, out: Path) -> None:
    """Train every component on its part of the uniform split and write the state that round 0 starts from."""
    k = run.experiment.num_components
    parts = competition.split_uniformly(len(run.train), k, run.seed)
    cells = competition.to_cells(parts, k)
    components = run.build_components()
    facts = run.train_on(components, cells, run.experiment.training.pretraining_steps, "pretrain")
    samples = run.draw_snapshots(components, "pretrain")
    with run.clock.time("write"):
        tensors = {f"components.{name}": tensor for name, tensor in components.state().items()}
        write_tensors(out / STATE, tensors | pack_cells(cells) | {"revivals": torch.zeros(0, 2, dtype=torch.int64)})
        write_array(out / "samples.npy", samples)
        write_assignments(
            out, competition.Assignment(parts, np.zeros(len(parts), dtype=np.float32)), parts, run.dataset
        )
    counts = np.bincount(parts, minlength=k)
    weights = (counts / counts.sum()).tolist()
    write_json(
        out / "metrics.json", {"counts": counts.tolist(), "weights": weights, **facts, "seconds": run.clock.seconds}
    )


def compete(run: Run, round_: int, previous: Path, ids: Sequence[int]) -> Contest:
    """Steps (a) to (c) of a round for some of the components: train on their cells, discriminate, score.

    Args:
        run: settings and data.
        round_: t; round 0 only scores the pretrained components.
        previous: folder of round t-1, or of the pretraining.
        ids: numbers of the components that this job takes on.

    Returns:
        Their part of the round.
    """
    experiment, purpose = run.experiment, ("round", round_)
    with run.clock.time("load"):
        tensors = read_tensors(previous / STATE)
        cells = unpack_cells(tensors, experiment.num_components)
        revived = tensors["revivals"].tolist()
        # a revived component starts from its giver's state, so a shard that revives loads all components first
        components = run.build_components(None if revived else ids)
        components.load(named(tensors, "components."))
        cells = competition.revive(components, cells, revived, run.seed, purpose)
        if revived and set(ids) != set(components.ids):
            everyone = components.state()
            components = run.build_components(ids)
            components.load(everyone)
    steps = experiment.training.steps_per_round if round_ else 0
    facts = run.train_on(components, cells, steps, *purpose) | {"revived": revived}
    state = {f"components.{name}": t for name, t in components.state().items()}
    state |= pack_cells({j: cells[j] for j in components.ids})
    if experiment.scoring.kind in ("bound", "soft_bound"):
        with run.clock.time("score"):
            scores = competition.score_by_bound(components, run.train, run.seed, (*purpose, "train points"))
            scores_test = competition.score_by_bound(components, run.test, run.seed, (*purpose, "test points"))
    else:
        discriminators = train_judges(run, round_, components, named(tensors, "discriminators."), facts)
        with run.clock.time("score"):
            scores = competition.score_by_discriminators(discriminators, run.train)
            scores_test = competition.score_by_discriminators(discriminators, run.test)
        if not experiment.scoring.reset:
            state |= {f"discriminators.{name}": t for name, t in discriminators.state().items()}
    samples = run.draw_snapshots(components, *purpose)
    return Contest(components.ids, state, scores, scores_test, samples, facts | {"seconds": run.clock.seconds})


def train_judges(
    run: Run, round_: int, components: Population, former: dict[str, Tensor], facts: dict[str, Any]
) -> Population:
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


def choose_ids(num_components: int, shard: int, num_shards: int) -> list[int]:
    """The components of a shard: consecutive ones, as many in every shard as can be."""
    return np.array_split(np.arange(num_components), num_shards)[shard].tolist()


def write_contest(path: Path, contest: Contest) -> None:
    """Write a shard's part of a round as one file."""
    own = {"log_ratios": contest.log_ratios, "log_ratios_test": contest.log_ratios_test}
    own["samples"] = torch.from_numpy(contest.samples)
    write_tensors(
        path, own | {f"state.{name}": t for name, t in contest.tensors.items()}, contest.facts | {"ids": contest.ids}
    )


def read_contest(path: Path) -> Contest:
    """Read what `write_contest` wrote."""
    tensors, facts = read_tensors(path), read_facts(path)
    return Contest(
        ids=facts.pop("ids"),
        tensors=named(tensors, "state."),
        log_ratios=tensors["log_ratios"],
        log_ratios_test=tensors["log_ratios_test"],
        samples=tensors["samples"].numpy(),
        facts=facts,
    )


def conclude(run: Run, round_: int, previous: Path, contests: Sequence[Contest], out: Path) -> None:
    """Steps (d) and (e): assign every point, set the weights, and write the round's files.

    Args:
        run: settings and data.
        round_: t.
        previous: folder of round t-1, or of the pretraining.
        contests: of all components; the order of the shards does not matter.
        out: folder of round t.
    """
    contests = sorted(contests, key=lambda contest: contest.ids)
    log_ratios = torch.cat([contest.log_ratios for contest in contests], dim=1)
    log_ratios_test = torch.cat([contest.log_ratios_test for contest in contests], dim=1)
    record = read_json(previous / "metrics.json")
    settings, k = run.experiment.scoring, run.experiment.num_components
    with run.clock.time("assign"):
        normalizers = competition.log_normalizers(log_ratios, settings)
        with np.errstate(divide="ignore"):
            scores = competition.log_scores(log_ratios, normalizers, np.array(record["weights"]), settings)
            scores_test = competition.log_scores(log_ratios_test, normalizers, np.array(record["weights"]), settings)
        assignment = competition.assign(scores)
        former = read_table(previous / "assignments.parquet")["component"]
        tensors = join(contest.tensors for contest in contests)
        cells = next_cells(run, round_, assignment.winner, scores, unpack_cells(tensors, k))
        counts = assignment.count(k)
        weights = counts / counts.sum()
        winner_test = competition.assign(scores_test).winner
        judged = judge_objective(log_ratios, log_ratios_test, assignment.winner, winner_test, weights)
        revivals = plan_revivals(run, round_ + 1, log_ratios, assignment.winner)
    samples = np.concatenate([contest.samples for contest in contests])
    with run.clock.time("write"):
        write_tensors(out / STATE, tensors | pack_cells(cells) | {"revivals": revivals})
        write_array(out / "samples.npy", samples)
        write_assignments(out, assignment, former, run.dataset)
    labels = run.dataset.train_labels
    facts = merge_facts([contest.facts for contest in contests])
    totals = {key: record[key] + facts.pop(key) for key in ("samples_seen", "compute")}
    write_json(
        out / "metrics.json",
        {
            "round": round_,
            "counts": counts.tolist(),
            "weights": weights.tolist(),
            "share_changed": float((assignment.winner != former).mean()),
            "margin_quantiles": quantiles(assignment.margin),
            **judged,
            **({} if labels is None else compare_partitions(assignment.winner, np.asarray(labels))),
            **totals,
            **facts,
        },
    )


def next_cells(run: Run, round_: int, winner: np.ndarray, scores: Tensor, former: Sequence[Tensor]) -> list[Tensor]:
    """The cells that the next round trains on."""
    if run.experiment.scoring.kind == "soft_bound":
        return competition.draw_soft_cells(scores, run.seed, ("round", round_))
    return competition.choose_cells(winner, former, run.experiment.balancing.min_share)


def judge_objective(
    log_ratios: Tensor, log_ratios_test: Tensor, winner: np.ndarray, winner_test: np.ndarray, weights: np.ndarray
) -> dict[str, float | None]:
    """The objective's estimate on training and on test points, in nats; None where a test point's winner has no weight."""
    log_partition = estimate_log_partition(log_ratios)
    alpha = torch.from_numpy(weights)
    columns = {"objective": (log_ratios, winner), "objective_test": (log_ratios_test, winner_test)}
    estimates = {
        name: estimate_objective(ratios, torch.from_numpy(column).long(), alpha, log_partition)
        for name, (ratios, column) in columns.items()
    }
    return {name: value if np.isfinite(value) else None for name, value in estimates.items()}


def plan_revivals(run: Run, next_round: int, log_ratios: Tensor, winner: np.ndarray) -> Tensor:
    """Pairs [from, to], (n, 2) int64, of the revivals that the next round starts with; none when it is not its turn."""
    revival, k = run.experiment.revival, run.experiment.num_components
    if revival is None or next_round < 2 or next_round % revival.every or next_round > revival.until:
        return torch.zeros(0, 2, dtype=torch.int64)
    normalized = log_ratios - competition.log_normalizers(log_ratios, run.experiment.scoring)
    spare = competition.find_spare(normalized, winner, revival.min_share)
    spread = competition.measure_spread(run.train, winner, k)
    return torch.tensor(competition.plan_revivals(spare, spread, run.kinds), dtype=torch.int64).view(-1, 2)


def merge_facts(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One round's facts from those of its shards, in order: lists by component joined, amounts added."""
    merged: dict[str, Any] = {"revived": parts[0]["revived"]}
    for key in ("component_loss", "discriminator_loss"):
        if key in parts[0]:
            merged[key] = [value for part in parts for value in part[key]]
    for key in ("samples_seen", "compute"):
        merged[key] = sum(part[key] for part in parts)
    phases = {phase for part in parts for phase in part["seconds"]}
    merged["seconds"] = {phase: sum(part["seconds"].get(phase, 0.0) for part in parts) for phase in sorted(phases)}
    return merged


def write_assignments(out: Path, assignment: competition.Assignment, former: np.ndarray, dataset: Dataset) -> None:
    """Write the assignment table, one row a training point: the first thing a user opens."""
    columns = {
        "index": np.arange(len(former), dtype=np.int32),
        "component": assignment.winner,
        "previous": former.astype(np.int16),
        "margin": assignment.margin,
    }
    if dataset.train_labels is not None:
        columns["label"] = np.asarray(dataset.train_labels).astype(np.int16)
    write_table(out / "assignments.parquet", columns)


def quantiles(values: np.ndarray) -> dict[str, float | None]:
    """Five quantiles by name; None where infinite (a single component has no runner-up)."""
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    finite = np.isfinite(values).all()
    return {f"{q:g}": float(np.quantile(values, q)) if finite else None for q in levels}


def named(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors under a prefix, without it."""
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def pack_cells(cells: Sequence[Tensor] | dict[int, Tensor]) -> dict[str, Tensor]:
    """Cells as tensors of a state."""
    pairs = cells.items() if isinstance(cells, dict) else enumerate(cells)
    return {f"cells.{j}": cell.cpu().int() for j, cell in pairs}


def unpack_cells(tensors: dict[str, Tensor], num_components: int) -> list[Tensor]:
    """Cells from a state, int64."""
    return [tensors[f"cells.{j}"].long() for j in range(num_components)]
