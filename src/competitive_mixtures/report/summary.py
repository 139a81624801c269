"""All runs in four files: `summary.csv`, `rounds.csv`, `timing.csv`, and `metrics.json`, which DVC compares."""

import math
import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from competitive_mixtures.files.folders import RunFolder, SummaryFolder
from competitive_mixtures.files.formats import write_json
from competitive_mixtures.files.tables import to_number, write_rows
from competitive_mixtures.report.results import FinishedRun

SUMMARY_COLUMNS = ("experiment", "seed", "model", "protocol", "metric", "split", "value")
TIMING_COLUMNS = ("experiment", "seed", "phase", "seconds")
ROUND_COLUMNS = (
    "experiment", "seed", "round", "objective", "objective_test", "purity", "nmi", "ari", "accuracy",
    "share_changed", "margin_median", "smallest_cell", "largest_cell", "revived", "samples_seen", "compute", "seconds",
)  # fmt: skip
COMPARED = ("log_likelihood", "coverage", "frechet_classifier", "fid", "precision", "recall", "purity", "nmi")
MODEL_ORDER = (  # that of `names.MODELS`, whose words may change without another summary
    "competitive", "single", "single_wide", "bagging", "kmeans", "autoencoder_kmeans", "gaussian_mixture", "data",
)  # fmt: skip

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class RunRows:
    """The rows of one run, or of several: of `summary.csv`, `rounds.csv` and `timing.csv`."""

    scores: Rows
    rounds: Rows
    timing: Rows


def summarize(run_folders: Iterable[Path], out: Path, *, rounds: dict[str, int] | None = None) -> None:
    """Collect the scores, the rounds and the seconds of all runs.

    Args:
        run_folders: `results/experiments/<experiment>/seed-<s>` of every run that counts.
        out: the folder of `summary.csv`, `rounds.csv`, `timing.csv` and `metrics.json`; the same runs give the
            same bytes, in whatever order they are named.
        rounds: the last round that counts, by experiment, since a longer run may have left more; all rounds count for
            experiments that it does not name.

    Raises:
        UserError: a run lacks a file, or a file has another format.
    """
    limits = rounds or {}
    folders = [RunFolder(path) for path in {Path(path) for path in run_folders}]
    runs = [FinishedRun(folder, limits.get(folder.experiment)) for folder in folders]
    runs.sort(key=lambda run: order_runs({"experiment": run.experiment, "seed": run.seed}))
    found = [collect_run(run) for run in runs]
    rows = RunRows(
        scores=[row for part in found for row in part.scores],
        rounds=[row for part in found for row in part.rounds],
        timing=[row for part in found for row in part.timing],
    )
    write_summary(rows, out)


def collect_run(run: FinishedRun, scores: Iterable[dict[str, Any]] | None = None) -> RunRows:
    """The rows of one run.

    Args:
        run: the run.
        scores: rows of its scores; `None` reads those of its evaluation.

    Raises:
        UserError: the run lacks a file, or a file has another format.
    """
    found = run.scores() if scores is None else scores
    return RunRows(_score_rows(run, found), _round_rows(run), _timing_rows(run))


def write_summary(rows: RunRows, out: Path, unfinished: Container[tuple[str, int]] = ()) -> None:
    """Write the tables of all runs, and the means over seeds; `unfinished` runs (experiment, seed) count in no mean."""
    tables = SummaryFolder(out)
    write_rows(tables.scores, SUMMARY_COLUMNS, rows.scores)
    write_rows(tables.rounds, ROUND_COLUMNS, rows.rounds)
    write_rows(tables.timing, TIMING_COLUMNS, rows.timing)
    finished = [row for row in rows.scores if (row["experiment"], int(row["seed"])) not in unfinished]
    write_json(tables.metrics, _nested_means(finished))


def order_runs(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """The key by which rows of all tables are sorted: experiment, then seed; `synthetic-9` is before `synthetic-10`."""
    return _natural_key(row["experiment"]), int(row["seed"])


def _natural_key(name: str) -> tuple[tuple[int, int | str], ...]:
    """The numbers in a name as numbers."""
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in re.findall(r"\d+|\D+", name))


def _score_rows(run: FinishedRun, scores: Iterable[dict[str, Any]]) -> Rows:
    """The scores of a run in a fixed order: model, protocol, metric, split."""
    rows = [{"experiment": run.experiment, "seed": run.seed, **row} for row in scores]
    return sorted(rows, key=lambda row: (_rank(row["model"]), row["protocol"], row["metric"], row["split"]))


def _rank(model: str) -> tuple[int, str]:
    """Known models in the order of the tables, others after them by name."""
    return (MODEL_ORDER.index(model) if model in MODEL_ORDER else len(MODEL_ORDER), model)


def _round_rows(run: FinishedRun) -> Rows:
    """One row a round of a run."""
    return [_round_row(run, number) for number in run.rounds]


def _round_row(run: FinishedRun, number: int) -> dict[str, Any]:
    """The single numbers of a round; cell sizes are in units of N/k, so that 1 means equally large cells."""
    metrics = run.round_metrics(number)
    counts = metrics["counts"]
    share = sum(counts) / len(counts)
    row = {name: value for name, value in _scalars(metrics) if name in ROUND_COLUMNS and math.isfinite(value)}
    return row | {
        "experiment": run.experiment,
        "seed": run.seed,
        "round": number,
        "margin_median": metrics.get("margin_quantiles", {}).get("0.5", ""),
        "smallest_cell": min(counts) / share,
        "largest_cell": max(counts) / share,
        "revived": len(metrics.get("revived", [])),
        "seconds": sum(metrics["seconds"].values()),
    }


def _scalars(metrics: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """The entries that are single numbers."""
    for name, value in metrics.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield name, value


def _timing_rows(run: FinishedRun) -> Rows:
    """Seconds by phase: pretraining, every phase of a round summed over the rounds, every baseline."""
    phases: dict[str, float] = defaultdict(float)
    phases["pretrain"] = sum(run.pretraining_metrics()["seconds"].values())
    for number in run.rounds:
        for phase, seconds in run.round_metrics(number)["seconds"].items():
            phases[phase] += seconds
    for name, metrics in run.baseline_metrics().items():
        phases[f"baseline.{name}"] = sum(metrics["seconds"].values())
    identity = {"experiment": run.experiment, "seed": run.seed}
    return [identity | {"phase": phase, "seconds": round(seconds, 6)} for phase, seconds in phases.items()]


def _nested_means(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, dict[str, float]]]:
    """Means over seeds of the metrics in `COMPARED`, as `{experiment: {metric: {model.protocol: mean}}}`.

    DVC compares these between revisions. Seconds and compute are left out: they change with every machine and would
    hide what matters. Most metrics have one split; of one that has both, the mean on training points is named
    `<metric>_train`.
    """
    values: dict[tuple[str, str, str, str], list[float]] = defaultdict(list)
    for row in rows:
        if row["metric"] in COMPARED:
            model = f"{row['model']}.{row['protocol']}".removesuffix(".-")
            values[row["experiment"], row["metric"], row["split"], model].append(to_number(row["value"]))
    nested: dict[str, dict[str, dict[str, float]]] = {}
    for (experiment, metric, split, model), found in values.items():
        finite = [value for value in found if math.isfinite(value)]
        if finite:
            twice = split == "train" and (experiment, metric, "test", model) in values
            means = nested.setdefault(experiment, {}).setdefault(f"{metric}_train" if twice else metric, {})
            means[model] = math.fsum(finite) / len(finite)
    return nested
