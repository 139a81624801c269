"""What some components bring to a round; a shard writes its part as one file for the job that joins them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.formats import read_metadata, read_tensors, write_tensors
from competitive_mixtures.method.run import Setup
from competitive_mixtures.method.state import RoundState, pack_state, unpack_state
from competitive_mixtures.networks.stack import join

NETWORKS = ("components.", "discriminators.")  # what a shard's state holds of its own components only


@dataclass
class PartialRound:
    """What some or all of the components bring to a round: their new state and how they scored the points.

    Attributes:
        ids: numbers of the components.
        state: their networks; the cells that all k components trained on.
        log_ratios: (N, len(ids)) float32, log r_j of the training points, or bounds in their place; where the state has
            candidates a list (n,), see `Candidates`.
        log_ratios_test: (M, len(ids)) float32, of the test points; (0, len(ids)) where candidates score.
        samples: (len(ids), n, *shape), float32 or uint8.
        metrics: losses by component, samples seen and compute of this round, in training and in forward passes alone,
            revived pairs, seconds by phase.
    """

    ids: list[int]
    state: RoundState
    log_ratios: Tensor
    log_ratios_test: Tensor
    samples: np.ndarray
    metrics: dict[str, Any]


def choose_ids(num_components: int, shard: int, num_shards: int) -> list[int]:
    """The components of a shard: consecutive ones, as many in every shard as can be.

    Raises:
        UserError: there is no such shard, or it would be empty.
    """
    if not 0 <= shard < num_shards <= num_components:
        raise UserError(
            f"shard {shard} of {num_shards}: expected shards 0 to S-1, and S at most the {num_components} components"
        )
    return np.array_split(np.arange(num_components), num_shards)[shard].tolist()


def write_partial_round(path: Path, part: PartialRound, *, keep_discriminators: bool) -> None:
    """Write a shard's part of a round as one file; see `pack_state` for `keep_discriminators`."""
    scores = {"log_ratios": part.log_ratios, "log_ratios_test": part.log_ratios_test}
    packed = pack_state(part.state, keep_discriminators=keep_discriminators)
    tensors = scores | {"samples": torch.from_numpy(part.samples)} | packed
    write_tensors(path, tensors, part.metrics | {"ids": part.ids})


def join_partial_rounds(setup: Setup, paths: Sequence[Path]) -> PartialRound:
    """The whole round from the files of its shards, in any order.

    Args:
        setup: of the run.
        paths: written by `write_partial_round`.

    Raises:
        UserError: a file is missing or broken, or a component is missing or comes twice.
    """
    metrics = [read_metadata(path) for path in paths]
    order = sorted(range(len(paths)), key=lambda shard: metrics[shard]["ids"])
    ids = [j for shard in order for j in metrics[shard]["ids"]]
    if ids != list(range(setup.experiment.num_components)):
        raise UserError(
            f"shards: found components {ids}, expected each of 0 to {setup.experiment.num_components - 1} once"
        )
    parts = [read_tensors(paths[shard]) for shard in order]
    networks = join({name: t for name, t in part.items() if name.startswith(NETWORKS)} for part in parts)
    return PartialRound(
        ids=ids,
        state=unpack_state(setup, parts[0] | networks),
        log_ratios=torch.cat([part["log_ratios"] for part in parts], dim=-1),
        log_ratios_test=torch.cat([part["log_ratios_test"] for part in parts], dim=1),
        samples=np.concatenate([part["samples"].numpy() for part in parts]),
        metrics=merge_metrics([metrics[shard] for shard in order]),
    )


def merge_metrics(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One round's metrics from those of its shards, in order: lists by component joined, amounts added."""
    merged: dict[str, Any] = {"revived": parts[0]["revived"]}
    for key in ("component_loss", "discriminator_loss"):
        if key in parts[0]:
            merged[key] = [value for part in parts for value in part[key]]
    for key in ("samples_seen", "compute", "forward_compute"):
        merged[key] = sum(part[key] for part in parts)
    phases = {phase for part in parts for phase in part["seconds"]}
    merged["seconds"] = {phase: sum(part["seconds"].get(phase, 0.0) for part in parts) for phase in sorted(phases)}
    return merged
