"""All runs in four files: `summary.csv`, `rounds.csv`, `timing.csv`, and `metrics.json`, which DVC compares."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
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
MODEL_ORDER = (
    "competitive", "single", "single_wide", "bagging", "kmeans", "autoencoder_kmeans", "gaussian_mixture", "data",
)  # fmt: skip


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
    runs.sort(key=lambda run: (_natural_key(run.experiment), run.seed))
    scores = [row for run in runs for row in _score_rows(run)]
    tables = SummaryFolder(out)
    write_rows(tables.scores, SUMMARY_COLUMNS, scores)
    write_rows(tables.rounds, ROUND_COLUMNS, [row for run in runs for row in _round_rows(run)])
    write_rows(tables.timing, TIMING_COLUMNS, [row for run in runs for row in _timing_rows(run)])
    write_json(tables.metrics, _nested_means(scores))


def _natural_key(name: str) -> tuple[tuple[int, int | str], ...]:
    """A sort key that puts `synthetic-9` before `synthetic-10`."""
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in re.findall(r"\d+|\D+", name))


def _score_rows(run: FinishedRun) -> list[dict[str, Any]]:
    """The scores of a run in a fixed order: model, protocol, metric, split."""
    rows = [{"experiment": run.experiment, "seed": run.seed, **row} for row in run.scores()]
    return sorted(rows, key=lambda row: (_rank(row["model"]), row["protocol"], row["metric"], row["split"]))


def _rank(model: str) -> tuple[int, str]:
    """Known models in the order of the tables, others after them by name."""
    return (MODEL_ORDER.index(model) if model in MODEL_ORDER else len(MODEL_ORDER), model)


def _round_rows(run: FinishedRun) -> list[dict[str, Any]]:
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


def _timing_rows(run: FinishedRun) -> list[dict[str, Any]]:
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
