"""The results folder seen as runs: one experiment, one seed, its rounds and its evaluation."""

import csv
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from competitive_mixtures.errors import UserError
from competitive_mixtures.files import read_json, read_table

SCORE_COLUMNS = ("model", "protocol", "metric", "split", "value")


def natural_key(name: str) -> tuple[tuple[int, int | str], ...]:
    """A sort key that puts `synthetic-9` before `synthetic-10`."""
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in re.findall(r"\d+|\D+", name))


@dataclass(frozen=True)
class Run:
    """One seed of one experiment, read from its folder when asked.

    Attributes:
        folder: `results/<experiment>/seed-<s>`.
        last_round: rounds after this one are left over from a longer run and are ignored; `None` takes all.
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
    def config(self) -> dict[str, Any]:
        """The resolved configuration of the experiment."""
        return read_json(self.folder.parent / "config.json")

    @property
    def rounds(self) -> list[int]:
        """The rounds that were finished, in order.

        Raises:
            UserError: there are none.
        """
        found = sorted(int(path.parent.name) for path in self.folder.glob("rounds/*/metrics.json"))
        kept = [number for number in found if self.last_round is None or number <= self.last_round]
        if not kept:
            raise UserError(f"{self.folder}/rounds: found no finished round; run the experiment first")
        return kept

    def round_metrics(self, number: int) -> dict[str, Any]:
        """`metrics.json` of round `number`."""
        return read_json(self.folder / "rounds" / str(number) / "metrics.json")

    def assignments(self, number: int) -> dict[str, np.ndarray]:
        """The assignment table of round `number`: `index`, `component`, `previous`, `margin`, perhaps `label`."""
        return read_table(self.folder / "rounds" / str(number) / "assignments.parquet")

    def component_samples(self, number: int) -> np.ndarray:
        """Samples of every component after round `number`: (k, n, d) float32 or (k, n, c, h, w) uint8."""
        return read_array(self.folder / "rounds" / str(number) / "samples.npy")

    def mixture_samples(self) -> dict[str, np.ndarray]:
        """Samples of every model, `<model>.<protocol>` -> (n, ...); component labels are left out."""
        path = self.folder / "evaluation" / "samples.npz"
        if not path.is_file():
            raise UserError(f"{path}: not found; run the evaluation first")
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files if not name.endswith(".component")}
        except (OSError, ValueError, EOFError, BadZipFile, zlib.error) as error:
            raise UserError(f"{path}: expected NumPy arrays, found {error}; delete it and evaluate again") from error

    def scores(self) -> list[dict[str, str]]:
        """The rows of `evaluation/scores.csv`, values as written."""
        return read_rows(self.folder / "evaluation" / "scores.csv", SCORE_COLUMNS)


def find_runs(
    results: Path, experiment: str, seeds: Sequence[int] | None = None, last_round: int | None = None
) -> list[Run]:
    """The runs of an experiment, ordered by seed.

    Args:
        results: the results folder.
        experiment: its name.
        seeds: the seeds wanted; `None` takes every one found.
        last_round: see `Run`.

    Raises:
        UserError: there is no run.
    """
    folders = (path for path in (results / experiment).glob("seed-*") if path.is_dir())
    runs = sorted((Run(folder, last_round) for folder in folders), key=lambda run: run.seed)
    kept = [run for run in runs if seeds is None or run.seed in seeds]
    if not kept:
        raise UserError(f"{results / experiment}: found no run (seed-<s>); run the experiment first")
    return kept


def read_rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Read a CSV file that must have exactly `columns`.

    Raises:
        UserError: the file is missing, cut short or has other columns.
    """
    header, rows = read_fields(path)
    if tuple(header) != tuple(columns):
        raise UserError(f"{path}: found the columns {header}, expected {list(columns)}; run its step again")
    return [dict(zip(columns, row, strict=True)) for row in rows]


def read_fields(path: Path) -> tuple[list[str], list[list[str]]]:
    """Read the header and the rows of a CSV file that ends as a whole one does.

    Raises:
        UserError: the file is missing, is no CSV file or is cut short.
    """
    try:
        text = path.read_text(encoding="utf-8")
        header, *rows = list(csv.reader(io.StringIO(text, newline=""), strict=True)) or [[]]
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; run the step that writes it first") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: expected a CSV file, found: {error}; delete it and run its step again") from error
    if not text.endswith("\n") or any(len(row) != len(header) for row in rows):
        raise UserError(f"{path}: found a row without all of its fields; the file is cut short: delete it, run again")
    return header, rows


def read_array(path: Path) -> np.ndarray:
    """Read one `.npy` file.

    Raises:
        UserError: it is missing or damaged.
    """
    try:
        return np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; run the round that writes it first") from error
    except (ValueError, EOFError) as error:
        raise UserError(f"{path}: expected a NumPy array, found {error}; delete the file and run again") from error


def iterate_scalars(metrics: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """The entries of a metrics file that are single numbers."""
    for name, value in metrics.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield name, value
