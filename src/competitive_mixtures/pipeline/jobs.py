"""One job of the pipeline each: pretraining, a round, a shard of a round; they read and write the files of a run."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from competitive_mixtures.data import Dataset
from competitive_mixtures.files import (
    STATE,
    read_json,
    read_table,
    read_tensors,
    write_array,
    write_json,
    write_table,
    write_tensors,
)
from competitive_mixtures.method import rounds
from competitive_mixtures.method.partial_round import PartialRound
from competitive_mixtures.method.rounds import Outcome
from competitive_mixtures.method.run import Clock, Run

ASSIGNMENTS, RECORD, SAMPLES = "assignments.parquet", "metrics.json", "samples.npy"


def pretrain(run: Run, out: Path) -> None:
    """Pretrain the components and write what round 0 starts from to the folder `out`."""
    write_outcome(out, rounds.pretrain(run), run.dataset)


def compete(run: Run, round_: int, previous: Path, ids: Sequence[int]) -> PartialRound:
    """Play the part of some components in a round; see `rounds.compete`.

    Args:
        run: settings and data.
        round_: t.
        previous: folder of round t-1, or of the pretraining.
        ids: numbers of the components that this job takes on.
    """
    with run.clock.time("load"):
        tensors = read_tensors(previous / STATE)
    return rounds.compete(run, round_, tensors, ids)


def conclude(run: Run, round_: int, previous: Path, partial_rounds: Sequence[PartialRound], out: Path) -> None:
    """Join the parts of a round and write its files; see `rounds.conclude`.

    Args:
        run: settings and data.
        round_: t.
        previous: folder of round t-1, or of the pretraining.
        partial_rounds: of all components.
        out: folder of round t.
    """
    former = read_table(previous / ASSIGNMENTS)["component"]
    write_outcome(out, rounds.conclude(run, round_, read_json(previous / RECORD), former, partial_rounds), run.dataset)


def write_outcome(out: Path, outcome: Outcome, dataset: Dataset) -> None:
    """Write a stage's state, samples and assignment table, and last its record, with the seconds that this took."""
    clock = Clock()
    with clock.time("write"):
        write_tensors(out / STATE, outcome.tensors)
        write_array(out / SAMPLES, outcome.samples)
        write_assignments(out, outcome, dataset)
    write_json(out / RECORD, outcome.record | {"seconds": outcome.record["seconds"] | clock.seconds})


def write_assignments(out: Path, outcome: Outcome, dataset: Dataset) -> None:
    """Write the assignment table, one row a training point: the first thing a user opens."""
    columns = {
        "index": np.arange(len(outcome.former), dtype=np.int32),
        "component": outcome.assignment.winner,
        "previous": outcome.former.astype(np.int16),
        "margin": outcome.assignment.margin,
    }
    if dataset.train_labels is not None:
        columns["label"] = np.asarray(dataset.train_labels).astype(np.int16)
    write_table(out / ASSIGNMENTS, columns)
