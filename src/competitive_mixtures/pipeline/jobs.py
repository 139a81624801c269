"""One job of the pipeline each: pretraining, a round, a shard of a round; they read and write the files of a run."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from competitive_mixtures.data import Dataset
from competitive_mixtures.files.folders import StageFolder
from competitive_mixtures.files.formats import (
    prepare_formats,
    read_json,
    read_tensors,
    write_array,
    write_json,
    write_tensors,
)
from competitive_mixtures.files.tables import AssignmentTable, read_assignments, write_assignments
from competitive_mixtures.method import rounds
from competitive_mixtures.method.device import choose_precision
from competitive_mixtures.method.partial_round import (
    PartialRound,
    choose_ids,
    join_partial_rounds,
    write_partial_round,
)
from competitive_mixtures.method.rounds import Outcome
from competitive_mixtures.method.run import Clock, Run
from competitive_mixtures.method.state import pack_state, unpack_state


def prepare_forks() -> None:
    """What jobs do first and their server does once before it forks: a twentieth of a job on small networks.

    Without a gradient, and without a look for a GPU: where there is one, these start threads that a fork lacks and
    waits for. (The one of pyarrow's allocator is missed by none.)
    """
    prepare_formats()
    choose_precision()


def pretrain(run: Run, out: Path) -> None:
    """Pretrain the components and write what round 0 starts from to the folder `out`."""
    write_outcome(out, rounds.pretrain(run), run)


def train_round(run: Run, number: int, previous: Path, out: Path) -> None:
    """Play a whole round and write its files.

    Args:
        run: settings and data.
        number: t.
        previous: folder of round t-1, or of the pretraining.
        out: folder of round t.
    """
    part = compete(run, number, previous, range(run.experiment.num_components))
    conclude(run, number, previous, part, out)


def train_shard(run: Run, number: int, previous: Path, shard: int, num_shards: int, out: Path) -> None:
    """Play a shard's part of a round and write it to the file `out`; other arguments as in `train_round`."""
    part = compete(run, number, previous, choose_ids(run.experiment.num_components, shard, num_shards))
    write_partial_round(out, part, keep_discriminators=run.experiment.scoring.keeps_networks)


def reassign(run: Run, number: int, previous: Path, shards: Sequence[Path], out: Path) -> None:
    """Join the files of all shards and write the round's; other arguments as in `train_round`."""
    conclude(run, number, previous, join_partial_rounds(run, shards), out)


def compete(run: Run, number: int, previous: Path, ids: Sequence[int]) -> PartialRound:
    """Steps (a) to (c) of a round for the components `ids`; see `rounds.compete`."""
    prepare_formats()
    with run.clock.time("load"):
        state = unpack_state(run, read_tensors(StageFolder(previous).state), ids)
    return rounds.compete(run, number, state, ids)


def conclude(run: Run, number: int, previous: Path, part: PartialRound, out: Path) -> None:
    """Steps (d) and (e) of a round, and its files; see `rounds.conclude`."""
    stage = StageFolder(previous)
    former = read_assignments(stage.assignments).component
    write_outcome(out, rounds.conclude(run, number, read_json(stage.metrics), former, part), run)


def write_outcome(out: Path, outcome: Outcome, run: Run) -> None:
    """Write a stage's state, samples and assignment table, and last its record, with the seconds that this took."""
    clock, stage = Clock(), StageFolder(out)
    prepare_formats()
    with clock.time("write"):
        state = pack_state(outcome.state, keep_discriminators=run.experiment.scoring.keeps_networks)
        write_tensors(stage.state, state)
        write_array(stage.samples, outcome.samples)
        write_assignments(stage.assignments, tabulate(outcome, run.dataset))
    write_json(stage.metrics, outcome.record | {"seconds": outcome.record["seconds"] | clock.seconds})


def tabulate(outcome: Outcome, dataset: Dataset) -> AssignmentTable:
    """A stage's outcome as one row a training point."""
    labels = None if dataset.train_labels is None else np.asarray(dataset.train_labels).astype(np.int16)
    assignment = outcome.assignment
    return AssignmentTable(assignment.winner, outcome.former.astype(np.int16), assignment.margin, labels)
