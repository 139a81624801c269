"""What some components bring to a round; a shard of a round writes it as one file for the job that joins them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from competitive_mixtures.errors import UserError
from competitive_mixtures.files import read_facts, read_tensors, take_named, write_tensors
from competitive_mixtures.networks.ensemble import Ensemble
from competitive_mixtures.networks.stack import DensityRatioStack


@dataclass
class PartialRound:
    """What some of the components bring to a round: their new state and how they scored the points.

    Attributes:
        ids: numbers of the components.
        tensors: their state, and their discriminators' where these are carried on.
        log_ratios: (N, len(ids)), training points.
        log_ratios_test: (M, len(ids)).
        samples: (len(ids), n, *shape), float32 or uint8.
        facts: losses, samples seen and compute of this round, revived pairs, seconds by phase.
        discriminators: what scored the points, while it is in memory; no file keeps it. None where bounds score.
    """

    ids: list[int]
    tensors: dict[str, Tensor]
    log_ratios: Tensor
    log_ratios_test: Tensor
    samples: np.ndarray
    facts: dict[str, Any]
    discriminators: Ensemble[DensityRatioStack] | None = None


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


def write_partial_round(path: Path, partial_round: PartialRound) -> None:
    """Write a shard's part of a round as one file."""
    own = {"log_ratios": partial_round.log_ratios, "log_ratios_test": partial_round.log_ratios_test}
    own["samples"] = torch.from_numpy(partial_round.samples)
    write_tensors(
        path,
        own | {f"state.{name}": t for name, t in partial_round.tensors.items()},
        partial_round.facts | {"ids": partial_round.ids},
    )


def read_partial_round(path: Path) -> PartialRound:
    """Read what `write_partial_round` wrote."""
    tensors, facts = read_tensors(path), read_facts(path)
    return PartialRound(
        ids=facts.pop("ids"),
        tensors=take_named(tensors, "state."),
        log_ratios=tensors["log_ratios"],
        log_ratios_test=tensors["log_ratios_test"],
        samples=tensors["samples"].numpy(),
        facts=facts,
    )


def sort_partial_rounds(partial_rounds: Sequence[PartialRound], num_components: int) -> list[PartialRound]:
    """The partial_rounds in the order of their components.

    Raises:
        UserError: a component is missing or comes twice.
    """
    ordered = sorted(partial_rounds, key=lambda partial_round: partial_round.ids)
    found = [j for partial_round in ordered for j in partial_round.ids]
    if found != list(range(num_components)):
        raise UserError(f"shards: found components {found}, expected each of 0 to {num_components - 1} once")
    return ordered


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
