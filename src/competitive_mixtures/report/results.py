"""Finished runs: what is read of one seed of one experiment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.folders import Results, RunFolder
from competitive_mixtures.files.formats import read_array, read_json
from competitive_mixtures.files.tables import AssignmentTable, read_assignments, read_model_samples, read_scores


@dataclass(frozen=True)
class FinishedRun:
    """One seed of one experiment; every file is read when it is asked for.

    Attributes:
        files: where the run lies.
        last_round: later rounds are ignored, since they are left over from a longer run; `None` takes all.
    """

    files: RunFolder
    last_round: int | None = None

    @property
    def experiment(self) -> str:
        """The experiment's name."""
        return self.files.experiment

    @property
    def seed(self) -> int:
        """The run's seed."""
        return self.files.seed

    @property
    def rounds(self) -> list[int]:
        """The numbers of the finished rounds, in order.

        Raises:
            UserError: there are none.
        """
        found = self.files.list_rounds()
        kept = [number for number in found if self.last_round is None or number <= self.last_round]
        if not kept:
            raise UserError(f"{self.files.path}/rounds: found no finished round; run the experiment first")
        return kept

    def pretraining_metrics(self) -> dict[str, Any]:
        """`metrics.json` of the pretraining."""
        return read_json(self.files.pretraining.metrics)

    def baseline_metrics(self) -> dict[str, dict[str, Any]]:
        """`metrics.json` of every baseline that was trained, by its name in alphabetical order."""
        return {name: read_json(self.files.baseline(name).metrics) for name in self.files.list_baselines()}

    def round_metrics(self, number: int) -> dict[str, Any]:
        """`metrics.json` of round `number`."""
        return read_json(self.files.round(number).metrics)

    def assignments(self, number: int) -> AssignmentTable:
        """Who won each training point in round `number`."""
        return read_assignments(self.files.round(number).assignments)

    def component_samples(self, number: int) -> np.ndarray:
        """Samples of every component after round `number`: (k, n, d) float32 or (k, n, c, h, w) uint8."""
        return read_array(self.files.round(number).samples)

    def model_samples(self) -> dict[str, np.ndarray]:
        """Samples of every model by `<model>.<protocol>`: (n, d) float32 or (n, c, h, w) uint8.

        Raises:
            UserError: the file is missing or damaged.
        """
        return read_model_samples(self.files.evaluation.samples)

    def scores(self) -> list[dict[str, str]]:
        """Every score of every model, the values as text."""
        return read_scores(self.files.evaluation.scores)


def find_runs(
    results: Results, experiment: str, seeds: Sequence[int] | None = None, last_round: int | None = None
) -> list[FinishedRun]:
    """The runs of an experiment, ordered by seed.

    Args:
        results: where all runs lie.
        experiment: its name.
        seeds: the seeds to take; `None` takes all that are there.
        last_round: see `FinishedRun`.

    Raises:
        UserError: there is no run.
    """
    runs = [FinishedRun(folder, last_round) for folder in results.list_runs(experiment)]
    kept = [run for run in runs if seeds is None or run.seed in seeds]
    if not kept:
        raise UserError(f"{results.experiment(experiment)}: found no run (seed-<s>); run the experiment first")
    return kept
