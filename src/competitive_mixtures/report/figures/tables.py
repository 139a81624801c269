"""The tables that the figures over all experiments are drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from competitive_mixtures.errors import UserError
from competitive_mixtures.state import read_json

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
    summary = _read_csv(root / "results/summary.csv", experiments)
    import pandas as pd

    summary["value"] = pd.to_numeric(summary["value"], errors="coerce")
    return Tables(summary, _read_csv(root / "results/timing.csv", experiments), read_bounds(root, experiments))


def read_bounds(root: Path, experiments: Sequence[str]) -> dict[str, float]:
    """Negative entropy of the data by experiment, for data whose density is known."""
    bounds = {}
    for experiment in experiments:
        dataset = read_json(root / "results" / experiment / "config.json")["dataset"]
        meta = root / "data/processed" / dataset / "meta.json"
        if meta.is_file() and (bound := read_json(meta).get("log_likelihood_bound")) is not None:
            bounds[experiment] = bound
    return bounds


def _read_csv(path: Path, experiments: Sequence[str]) -> "pd.DataFrame":
    import pandas as pd

    try:
        table = pd.read_csv(path, dtype={"experiment": str}, keep_default_na=False, na_values=["", "nan"])
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; run `snakemake summary` first") from error
    order = {name: place for place, name in enumerate(experiments)}
    table = table[table["experiment"].isin(order)]
    return table.sort_values("experiment", key=lambda names: names.map(order), kind="stable").reset_index(drop=True)
