"""All scores of `results/summary.csv`: by seed, or as a table's cell with mean and interval or the reason for a gap."""

import math
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from competitive_mixtures.files.folders import Project
from competitive_mixtures.files.tables import read_rows, to_number
from competitive_mixtures.report.intervals import clip_interval, mean_interval
from competitive_mixtures.report.kept import list_unfinished
from competitive_mixtures.report.names import RANGES
from competitive_mixtures.report.plan import Planned
from competitive_mixtures.report.summary import SUMMARY_COLUMNS

CELL_COLUMNS = (
    "experiment", "model", "protocol", "metric", "split", "mean", "ci_low", "ci_high", "n", "values", "status",
)  # fmt: skip
SUITE_REASONS = {
    "default": "no results yet",
    "authors": "part of the suite authors",
    "paper_scale": "part of the suite paper_scale",
    "ablations": "part of the suite ablations",
}
METRIC_REASONS = dict.fromkeys(("fid", "kid"), "the experiment does not ask for it (evaluation.fid_features)")


class Scores:
    """A look-up of scores; compared with the plan, it tells what is missing and why."""

    def __init__(self, root: Path, plan: Iterable[Planned]) -> None:
        """Read `results/summary.csv` below the project's root.

        Raises:
            UserError: the file is missing, cut short or has other columns.
        """
        self._plan = {planned.name: planned for planned in plan}
        self._unfinished = list_unfinished(Project(root).results)
        self._values: dict[tuple[str, ...], dict[int, str]] = defaultdict(dict)
        for row in read_rows(Project(root).results.summary.scores, SUMMARY_COLUMNS):
            key = tuple(row[name] for name in CELL_COLUMNS[:5])
            self._values[key][int(row["seed"])] = row["value"]

    def seeds(self, experiment: str) -> set[int]:
        """The seeds of an experiment that have scores, those of unfinished runs included."""
        return {seed for key, values in self._values.items() if key[0] == experiment for seed in values}

    def values(self, experiment: str, model: str, protocol: str, metric: str, split: str = "test") -> dict[int, float]:
        """The values of one score by seed, in order of the seeds, of finished runs; NaN where a run has no number."""
        found = self._finished((experiment, model, protocol, metric, split))
        return {seed: to_number(text) for seed, text in found.items()}

    def cell(self, experiment: str, model: str, protocol: str, metric: str, split: str = "test") -> dict[str, Any]:
        """One score as a row with `CELL_COLUMNS`: Student's interval over the finished seeds, and a `status`.

        An interval ends where the metric's range does. The status is `run`, or `not run: <reason>`; then mean, interval
        and values are left out.
        """
        key = (experiment, model, protocol, metric, split)
        found = self._finished(key)
        interval = mean_interval([to_number(text) for text in found.values()])
        interval = clip_interval(interval, *RANGES.get(metric, (-math.inf, math.inf)))
        row: dict[str, Any] = dict(zip(CELL_COLUMNS[:5], key, strict=True)) | {"n": interval.count}
        if interval.count == 0:
            return row | {"status": f"not run: {self._reason(key, found)}"}
        row |= {"mean": interval.mean, "values": " ".join(f"{seed}:{text}" for seed, text in found.items())}
        if not math.isnan(interval.low):
            row |= {"ci_low": interval.low, "ci_high": interval.high}
        return row | {"status": "run"}

    def _finished(self, key: tuple[str, ...]) -> dict[int, str]:
        """A score by seed, without unfinished runs: their partition is one of an earlier round."""
        found = sorted(self._values.get(key, {}).items())
        return {seed: text for seed, text in found if (key[0], seed) not in self._unfinished}

    def _reason(self, key: tuple[str, ...], found: dict[int, str]) -> str:
        """Why a cell has no number."""
        experiment, model, _, metric, _ = key
        planned = self._plan.get(experiment)
        if planned is None:
            return "no such experiment in params.yaml"
        if not self.seeds(experiment):
            return SUITE_REASONS[planned.suite]
        if all((experiment, seed) in self._unfinished for seed in self.seeds(experiment)):
            return "no finished run"
        if model not in ("competitive", "data", *planned.baselines):
            return "not among the experiment's baselines"
        texts = sorted({text.removeprefix("not run: ") for text in found.values()} - {"", "nan"})
        return texts[0] if texts else METRIC_REASONS.get(metric, "no value in summary.csv")
