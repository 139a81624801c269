"""All runs in four files: summary.csv, rounds.csv, timing.csv and metrics.json (the metrics that DVC compares)."""

import csv
import io
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from competitive_mixtures.files import read_json, write_json, write_text
from competitive_mixtures.report.results import Run, iterate_scalars, natural_key

SUMMARY_COLUMNS = ("experiment", "seed", "model", "protocol", "metric", "split", "value")
TIMING_COLUMNS = ("experiment", "seed", "phase", "seconds")
ROUND_COLUMNS = (
    "experiment", "seed", "round", "objective", "objective_test", "purity", "nmi", "ari", "accuracy",
    "share_changed", "margin_median", "smallest_cell", "largest_cell", "revived", "samples_seen", "compute", "seconds",
)  # fmt: skip
COMPARED = ("log_likelihood", "coverage", "frechet_classifier", "fid", "precision", "recall", "purity", "nmi")
MODEL_ORDER = ("competitive", "single", "single_wide", "bagging", "kmeans", "data")


def summarize(run_folders: Iterable[Path], out: Path, *, rounds: dict[str, int] | None = None) -> None:
    """Collect the scores, the rounds and the seconds of all runs.

    Args:
        run_folders: `results/<experiment>/seed-<s>` of every run that counts.
        out: the folder of `summary.csv`, `rounds.csv`, `timing.csv` and `metrics.json`; the same runs give the
            same bytes, in whatever order they are named.
        rounds: the last round of each experiment, where a longer run has left more; all rounds where it is missing.

    Raises:
        UserError: a run lacks a file, or a file has another format.
    """
    limits = rounds or {}
    runs = [Run(folder, limits.get(folder.parent.name)) for folder in {Path(folder) for folder in run_folders}]
    runs.sort(key=lambda run: (natural_key(run.experiment), run.seed))
    scores = [row for run in runs for row in _score_rows(run)]
    write_rows(out / "summary.csv", SUMMARY_COLUMNS, scores)
    write_rows(out / "rounds.csv", ROUND_COLUMNS, [row for run in runs for row in _round_rows(run)])
    write_rows(out / "timing.csv", TIMING_COLUMNS, [row for run in runs for row in _timing_rows(run)])
    write_json(out / "metrics.json", _nested_means(scores))


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    """Write rows as CSV with `columns`; a value that a row lacks is an empty field."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def _score_rows(run: Run) -> list[dict[str, Any]]:
    """The scores of a run in a fixed order: model, protocol, metric, split."""
    rows = [{"experiment": run.experiment, "seed": run.seed, **row} for row in run.scores()]
    return sorted(rows, key=lambda row: (_rank(row["model"]), row["protocol"], row["metric"], row["split"]))


def _rank(model: str) -> tuple[int, str]:
    """Known models in the order of the tables, others after them by name."""
    return (MODEL_ORDER.index(model) if model in MODEL_ORDER else len(MODEL_ORDER), model)


def _round_rows(run: Run) -> list[dict[str, Any]]:
    """The single numbers of every round of a run."""
    return [_round_row(run, number) for number in run.rounds]


def _round_row(run: Run, number: int) -> dict[str, Any]:
    metrics = run.round_metrics(number)
    counts = metrics["counts"]
    share = sum(counts) / len(counts)
    row = {name: value for name, value in iterate_scalars(metrics) if name in ROUND_COLUMNS and math.isfinite(value)}
    return row | {
        "experiment": run.experiment,
        "seed": run.seed,
        "round": number,
        "margin_median": metrics.get("margin_quantiles", {}).get("0.5", ""),
        "smallest_cell": min(counts) / share,  # 1 where all cells are equally large
        "largest_cell": max(counts) / share,
        "revived": len(metrics.get("revived", [])),
        "seconds": sum(metrics["seconds"].values()),
    }


def _timing_rows(run: Run) -> list[dict[str, Any]]:
    """Seconds by phase, summed over the rounds; pretraining and every baseline are phases of their own."""
    phases: dict[str, float] = defaultdict(float)
    phases["pretrain"] = sum(read_json(run.folder / "pretrain" / "metrics.json")["seconds"].values())
    for number in run.rounds:
        for phase, seconds in run.round_metrics(number)["seconds"].items():
            phases[phase] += seconds
    for path in sorted(run.folder.glob("baselines/*/metrics.json")):
        phases[f"baseline.{path.parent.name}"] = sum(read_json(path)["seconds"].values())
    identity = {"experiment": run.experiment, "seed": run.seed}
    return [identity | {"phase": phase, "seconds": round(seconds, 6)} for phase, seconds in phases.items()]


def _nested_means(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, dict[str, float]]]:
    """Means over seeds of what runs are compared by, `{experiment: {metric: {model.protocol: mean}}}`.

    What a run costs stays in summary.csv: in a comparison of two revisions it would hide what changed. A metric of
    both splits is named `<metric>_train` on training points; most have one split only.
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


def to_number(text: str) -> float:
    """A field as a number; NaN where it holds a reason instead."""
    try:
        return float(text)
    except ValueError:
        return math.nan
