"""The tables of all runs, as the figures over all experiments need them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from competitive_mixtures.files.folders import Project
from competitive_mixtures.files.tables import read_rows
from competitive_mixtures.report.best_likelihood import read_bounds
from competitive_mixtures.report.plan import Planned, list_variants
from competitive_mixtures.report.summary import ROUND_COLUMNS, SUMMARY_COLUMNS, TIMING_COLUMNS

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ResultTables:
    """Results of all runs of the chosen experiments.

    Attributes:
        root: the project's root.
        variants: the experiments by group and method.
        summary: `results/summary.csv`; a value that is no number is NaN.
        rounds: `results/rounds.csv`.
        timing: `results/timing.csv`, without ablations and the authors' settings, whose hours would hide all else.
        bounds: negative entropy of the data in nats, by experiment, where the density of the data is known.
    """

    root: Path
    variants: dict[str, dict[str, Planned]]
    summary: "pd.DataFrame"
    rounds: "pd.DataFrame"
    timing: "pd.DataFrame"
    bounds: dict[str, float]


def read_result_tables(root: Path, experiments: Sequence[Planned]) -> ResultTables:
    """Read the tables, keeping only the rows of these experiments, in their order."""
    import pandas as pd

    names = [planned.name for planned in experiments]
    files = Project(root).results.summary
    summary = _read_csv(files.scores, SUMMARY_COLUMNS, names)
    summary["value"] = pd.to_numeric(summary["value"], errors="coerce")
    rounds = _read_csv(files.rounds, ROUND_COLUMNS, names)
    timed = [planned.name for planned in experiments if planned.suite not in ("ablations", "authors")]
    timing = _read_csv(files.timing, TIMING_COLUMNS, timed)
    return ResultTables(root, list_variants(experiments), summary, rounds, timing, read_bounds(root, experiments))


def _read_csv(path: Path, columns: Sequence[str], experiments: Sequence[str]) -> "pd.DataFrame":
    import pandas as pd

    read_rows(path, columns)  # refuses a file that is missing or cut short, where pandas would read a part
    table = pd.read_csv(path, dtype={"experiment": str}, keep_default_na=False, na_values=["", "nan"])
    order = {name: place for place, name in enumerate(experiments)}
    table = table[table["experiment"].isin(order)]
    return table.sort_values("experiment", key=lambda names: names.map(order), kind="stable").reset_index(drop=True)
