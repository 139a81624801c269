"""The tables that the figures over all experiments are drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from competitive_mixtures.files import read_json
from competitive_mixtures.report.results import read_rows
from competitive_mixtures.report.summary import SUMMARY_COLUMNS, TIMING_COLUMNS

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Tables:
    """Results of all runs of the chosen experiments.

    Attributes:
        summary: `results/summary.csv`, values that are no number as NaN.
        timing: `results/timing.csv`.
        bounds: negative entropy of the data of each experiment whose density is known, in nats.
    """

    summary: "pd.DataFrame"
    timing: "pd.DataFrame"
    bounds: dict[str, float]


def read_tables(root: Path, experiments: Sequence[str]) -> Tables:
    """Read the tables, the rows of `experiments` only and in their order."""
    import pandas as pd

    summary = _read_csv(root / "results/summary.csv", SUMMARY_COLUMNS, experiments)
    summary["value"] = pd.to_numeric(summary["value"], errors="coerce")
    timing = _read_csv(root / "results/timing.csv", TIMING_COLUMNS, experiments)
    return Tables(summary, timing, read_bounds(root, experiments))


def read_bounds(root: Path, experiments: Sequence[str]) -> dict[str, float]:
    """Negative entropy of the data by experiment, for data whose density is known."""
    bounds = {}
    for experiment in experiments:
        dataset = read_json(root / "results" / experiment / "config.json")["dataset"]
        meta = root / "data/processed" / dataset / "meta.json"
        if meta.is_file() and (bound := read_json(meta).get("log_likelihood_bound")) is not None:
            bounds[experiment] = bound
    return bounds


def _read_csv(path: Path, columns: Sequence[str], experiments: Sequence[str]) -> "pd.DataFrame":
    import pandas as pd

    read_rows(path, columns)  # refuses what is missing or cut short, of which pandas would read a part
    table = pd.read_csv(path, dtype={"experiment": str}, keep_default_na=False, na_values=["", "nan"])
    order = {name: place for place, name in enumerate(experiments)}
    table = table[table["experiment"].isin(order)]
    return table.sort_values("experiment", key=lambda names: names.map(order), kind="stable").reset_index(drop=True)
