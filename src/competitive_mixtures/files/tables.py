"""Tables with fixed columns: CSV files, and those of a run: who won each point, all scores, samples of every model.

A file that is cut short is refused rather than half read.
"""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.access import read_regular
from competitive_mixtures.files.formats import read_arrays, read_table, write_arrays, write_table, write_text

MAX_BYTES = 2**28
SCORE_COLUMNS = ("model", "protocol", "metric", "split", "value")


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    """Write rows with the given columns; a value that a row lacks becomes an empty field.

    Raises:
        ValueError: a row has a key that is not among the columns.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def read_rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Read a file that must have exactly these columns, in this order.

    Raises:
        UserError: the file is missing, cut short or has other columns.
    """
    header, rows = read_fields(path)
    if tuple(header) != tuple(columns):
        raise UserError(f"{path}: found the columns {header}, expected {list(columns)}; run its step again")
    return [dict(zip(columns, row, strict=True)) for row in rows]


def read_fields(path: Path) -> tuple[list[str], list[list[str]]]:
    """Read the header and the rows of a file with any columns.

    A file that is cut within a row is refused; one that ends with a whole row cannot be told from a shorter table.

    Raises:
        UserError: the file is missing, is no CSV file or is cut short.
    """
    try:
        text = read_regular(path, MAX_BYTES).decode()
        header, *rows = list(csv.reader(io.StringIO(text, newline=""), strict=True)) or [[]]
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; correct the path, or run the step that writes it") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        found = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: expected a CSV file, found: {found}; delete it and run its step again") from error
    if not text.endswith("\n") or any(len(row) != len(header) for row in rows):
        raise UserError(f"{path}: found a row without all of its fields; the file is cut short: delete it, run again")
    return header, rows


def to_number(text: str) -> float:
    """A field as a number; NaN where it holds the reason why there is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


@dataclass(frozen=True, eq=False)
class AssignmentTable:
    """Which component won each training point in a round; row i is point i of the data set.

    Attributes:
        component: (N,) int16, the winner.
        previous: (N,) int16, the winner of the round before.
        margin: (N,) float32, log-score of the winner less that of the runner-up.
        label: (N,) int16, or None where the data have no labels.
    """

    component: np.ndarray
    previous: np.ndarray
    margin: np.ndarray
    label: np.ndarray | None = None


def write_assignments(path: Path, table: AssignmentTable) -> None:
    """Write an assignment table, with the number of each point as its first column: what a user opens first."""
    columns = {name: column for name, column in vars(table).items() if column is not None}
    write_table(path, {"index": np.arange(len(table.component), dtype=np.int32)} | columns)


def read_assignments(path: Path) -> AssignmentTable:
    """Read an assignment table.

    Raises:
        UserError: the file is missing or damaged.
    """
    columns = read_table(path)
    return AssignmentTable(columns["component"], columns["previous"], columns["margin"], columns.get("label"))


def write_scores(path: Path, rows: Iterable[tuple[object, ...]]) -> None:
    """Write scores, each as (model, protocol, metric, split, value)."""
    write_rows(path, SCORE_COLUMNS, (dict(zip(SCORE_COLUMNS, row, strict=True)) for row in rows))


def read_scores(path: Path) -> list[dict[str, str]]:
    """Read scores, the values as written.

    Raises:
        UserError: the file is missing or damaged.
    """
    return read_rows(path, SCORE_COLUMNS)


def write_model_samples(path: Path, models: Mapping[tuple[str, str], tuple[np.ndarray, np.ndarray]]) -> None:
    """Write samples of several models.

    Args:
        path: an `.npz` file.
        models: samples (n, *shape) and the component that drew each (n,), by (model, protocol).
    """
    arrays: dict[str, np.ndarray] = {}
    for (model, protocol), (samples, components) in models.items():
        arrays |= {f"{model}.{protocol}": samples, f"{model}.{protocol}.component": components}
    write_arrays(path, arrays)


def read_model_samples(path: Path) -> dict[str, np.ndarray]:
    """Read the samples (n, *shape) of several models by `<model>.<protocol>`, without what drew each.

    Raises:
        UserError: the file is missing or damaged.
    """
    return {name: array for name, array in read_arrays(path).items() if not name.endswith(".component")}
