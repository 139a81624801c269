"""Finished runs: what is read of one seed of one experiment, and under which file names."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from competitive_mixtures.errors import UserError
from competitive_mixtures.files import check_regular, read_json, read_table
from competitive_mixtures.report.csv_files import read_rows

SCORE_COLUMNS = ("model", "protocol", "metric", "split", "value")


@dataclass(frozen=True)
class FinishedRun:
    """One seed of one experiment; every file is read when it is asked for.

    Attributes:
        folder: `results/<experiment>/seed-<s>`.
        last_round: later rounds are ignored, since they are left over from a longer run; `None` takes all.
    """

    folder: Path
    last_round: int | None = None

    @property
    def experiment(self) -> str:
        """The experiment's name."""
        return self.folder.parent.name

    @property
    def seed(self) -> int:
        """The run's seed."""
        return int(self.folder.name.removeprefix("seed-"))

    @property
    def rounds(self) -> list[int]:
        """The numbers of the finished rounds, in order.

        Raises:
            UserError: there are none.
        """
        found = sorted(int(path.parent.name) for path in self.folder.glob("rounds/*/metrics.json"))
        kept = [number for number in found if self.last_round is None or number <= self.last_round]
        if not kept:
            raise UserError(f"{self.folder}/rounds: found no finished round; run the experiment first")
        return kept

    def pretraining_metrics(self) -> dict[str, Any]:
        """`metrics.json` of the pretraining."""
        return read_json(self.folder / "pretrain" / "metrics.json")

    def baseline_metrics(self) -> dict[str, dict[str, Any]]:
        """`metrics.json` of every baseline that was trained, by its name in alphabetical order."""
        paths = sorted(self.folder.glob("baselines/*/metrics.json"))
        return {path.parent.name: read_json(path) for path in paths}

    def round_metrics(self, number: int) -> dict[str, Any]:
        """`metrics.json` of round `number`."""
        return read_json(self.folder / "rounds" / str(number) / "metrics.json")

    def assignments(self, number: int) -> dict[str, np.ndarray]:
        """The assignment table of round `number`, one entry a training point.

        Columns: `index`, `component`, `previous`, `margin`, and `label` where the data set has labels.
        """
        return read_table(self.folder / "rounds" / str(number) / "assignments.parquet")

    def component_samples(self, number: int) -> np.ndarray:
        """Samples of every component after round `number`: (k, n, d) float32 or (k, n, c, h, w) uint8."""
        return read_array(self.folder / "rounds" / str(number) / "samples.npy")

    def model_samples(self) -> dict[str, np.ndarray]:
        """Samples of every model by `<model>.<protocol>`: (n, d) float32 or (n, c, h, w) uint8.

        Which component of a mixture made each sample is in the same file and is left out.

        Raises:
            UserError: the file is missing or damaged.
        """
        path = self.folder / "evaluation" / "samples.npz"
        if not path.is_file():
            raise UserError(f"{path}: not found; run the evaluation first")
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files if not name.endswith(".component")}
        except (OSError, ValueError, EOFError, BadZipFile, zlib.error) as error:
            raise UserError(f"{path}: expected NumPy arrays, found {error}; delete it and evaluate again") from error

    def scores(self) -> list[dict[str, str]]:
        """The rows of `evaluation/scores.csv`, their values as text."""
        return read_rows(self.folder / "evaluation" / "scores.csv", SCORE_COLUMNS)


def find_runs(
    results: Path, experiment: str, seeds: Sequence[int] | None = None, last_round: int | None = None
) -> list[FinishedRun]:
    """The runs of an experiment, ordered by seed.

    Args:
        results: the results folder.
        experiment: its name.
        seeds: the seeds to take; `None` takes all that are there.
        last_round: see `FinishedRun`.

    Raises:
        UserError: there is no run.
    """
    folders = (path for path in (results / experiment).glob("seed-*") if path.is_dir())
    runs = sorted((FinishedRun(folder, last_round) for folder in folders), key=lambda run: run.seed)
    kept = [run for run in runs if seeds is None or run.seed in seeds]
    if not kept:
        raise UserError(f"{results / experiment}: found no run (seed-<s>); run the experiment first")
    return kept


def read_array(path: Path) -> np.ndarray:
    """Read one `.npy` file.

    Raises:
        UserError: it is missing or damaged.
    """
    try:
        check_regular(path)
        return np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; run the round that writes it first") from error
    except (OSError, ValueError, EOFError) as error:
        found = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: expected a NumPy array, found {found}; delete the file and run again") from error
