"""Runs added to kept tables as they come: a long run in pieces, so that an interruption costs one round."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from competitive_mixtures.errors import UserError, printable
from competitive_mixtures.files.folders import Results, RunFolder, SummaryFolder
from competitive_mixtures.files.tables import read_rows, write_rows
from competitive_mixtures.report.environment import describe_machine
from competitive_mixtures.report.kept import KEPT_RUN_COLUMNS, list_unfinished
from competitive_mixtures.report.results import FinishedRun
from competitive_mixtures.report.summary import (
    ROUND_COLUMNS,
    SUMMARY_COLUMNS,
    TIMING_COLUMNS,
    RunRows,
    collect_run,
    order_runs,
    write_summary,
)
from competitive_mixtures.settings.overlays import read_params
from competitive_mixtures.settings.resolved import read_experiment
from competitive_mixtures.settings.schema import Params

AGREEMENT = ("purity", "nmi", "ari", "accuracy", "objective", "objective_test", "samples_seen", "compute")
"""The scores of the last round that need no samples: what an unfinished run has."""


def keep_runs(root: Path, folders: Iterable[Path], kept: Path) -> list[dict[str, Any]]:
    """Add runs to the kept tables; whatever they held of the same runs is replaced as a whole.

    A run that is not finished has its rounds so far, and of the scores those that need no samples. Round 0 only scores
    what was pretrained, so that a run which has come no further says nothing of the competition.

    Args:
        root: the project's root, with `params.yaml`.
        folders: `results/experiments/<experiment>/seed-<s>` of each run; one that has not finished round 1 is left out.
        kept: the folder of `summary.csv`, `rounds.csv`, `timing.csv`, `metrics.json` and `kept_runs.csv`, which says
            with which commit and on which machine each added run was made. The same runs give the same bytes.

    Returns:
        The rows of `kept_runs.csv` that were written for these runs.

    Raises:
        UserError: a run's settings are not those of `params.yaml`, or a file is missing or malformed.
    """
    params = read_params(root / "params.yaml")
    runs = [_open(folder, params) for folder in map(RunFolder, folders) if max(folder.list_rounds(), default=0)]
    records = [_record(run, params) for run in runs]
    added = [
        (record, _collect(run, finished=record["finished"] == "yes")) for run, record in zip(runs, records, strict=True)
    ]
    tables = SummaryFolder(kept)
    rows = RunRows(
        scores=_replace(tables.scores, SUMMARY_COLUMNS, [row for _, part in added for row in part.scores], records),
        rounds=_replace(tables.rounds, ROUND_COLUMNS, [row for _, part in added for row in part.rounds], records),
        timing=_replace(tables.timing, TIMING_COLUMNS, [row for _, part in added for row in part.timing], records),
    )
    results = Results(kept)
    known = _replace(results.kept_runs, KEPT_RUN_COLUMNS, records, records)
    write_rows(results.kept_runs, KEPT_RUN_COLUMNS, known)
    write_summary(rows, kept, list_unfinished(results))
    return records


def _open(folder: RunFolder, params: Params) -> FinishedRun:
    """A run of an experiment of `params.yaml`, at its settings.

    Raises:
        UserError: the settings differ.
    """
    name = folder.experiment
    if name not in params.experiments:
        raise UserError(
            f"{printable(folder.path)}: params.yaml has no experiment {name!r}; add it, or leave the run out"
        )
    path = folder.results.settings(name)
    # read as today's jobs would: settings that came later have the values that leave all as it was
    if read_experiment(path).model_dump(mode="json") != params.experiments[name].settings():
        raise UserError(
            f"{printable(path)}: found other settings than experiments.{name} of params.yaml; expected the same, since "
            "the tables say what ran there: change params.yaml, or give the experiment another name"
        )
    return FinishedRun(folder, params.experiments[name].rounds)


def _record(run: FinishedRun, params: Params) -> dict[str, Any]:
    """The run's row of `kept_runs.csv`."""
    machine = describe_machine(run.files.results.path.parent)
    wanted = params.experiments[run.experiment].rounds
    finished = run.rounds[-1] == wanted and run.files.evaluation.scores.is_file()
    return {
        "experiment": run.experiment,
        "seed": run.seed,
        "rounds": run.rounds[-1],
        "rounds_asked": wanted,
        "finished": "yes" if finished else "no",
        **{name: machine[name] for name in ("commit", "processor", "cores")},
    }


def _collect(run: FinishedRun, *, finished: bool) -> RunRows:
    if finished:
        return collect_run(run)
    metrics = run.round_metrics(run.rounds[-1])
    identity = {"model": "competitive", "protocol": "-", "split": "train"}
    scores = [
        identity | {"metric": name, "value": metrics[name]} for name in AGREEMENT if metrics.get(name) is not None
    ]
    return collect_run(run, scores)


def _replace(
    path: Path, columns: tuple[str, ...], rows: list[dict[str, Any]], records: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The rows of a table with those of the recorded runs replaced, in the order of `summarize`."""
    replaced = {(record["experiment"], record["seed"]) for record in records}
    former = read_rows(path, columns) if path.is_file() else []
    left = [row for row in former if (row["experiment"], int(row["seed"])) not in replaced]
    return sorted([*left, *rows], key=order_runs)
