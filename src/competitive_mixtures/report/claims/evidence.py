"""The values that a criterion compares, looked up by seed in `summary.csv` and `rounds.csv`."""

import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from competitive_mixtures.files.folders import Results, SummaryFolder
from competitive_mixtures.files.tables import read_rows, to_number
from competitive_mixtures.report.claims.criteria import Part, Side
from competitive_mixtures.report.kept import list_unfinished
from competitive_mixtures.report.summary import ROUND_COLUMNS, SUMMARY_COLUMNS

Seeds = dict[int, float]  # one value a seed


class Evidence:
    """The results, as a look-up of values by seed."""

    def __init__(self, results: Path) -> None:
        """Read both tables from the results folder.

        `kept_runs.csv`, where it lies there, tells which of the runs are not finished.

        Raises:
            UserError: a table is missing, cut short or has other columns.
        """
        self._scores: dict[tuple[str, ...], Seeds] = defaultdict(dict)
        for row in read_rows(SummaryFolder(results).scores, SUMMARY_COLUMNS):
            key = tuple(row[name] for name in ("experiment", "model", "protocol", "metric", "split"))
            self._scores[key][int(row["seed"])] = to_number(row["value"])
        self._rounds: dict[tuple[str, int], list[dict[str, str]]] = defaultdict(list)
        for row in read_rows(SummaryFolder(results).rounds, ROUND_COLUMNS):
            self._rounds[row["experiment"], int(row["seed"])].append(row)
        self._unfinished = list_unfinished(Results(results))

    def unfinished(self, part: Part) -> set[int]:
        """The seeds of a part of which a run has not come to its last round; they may lack any value."""
        names = {side.experiment for side in (part.measure, part.against) if side is not None}
        return {seed for experiment, seed in self._unfinished if experiment in names}

    def values(self, side: Side) -> Seeds:
        """The values of one side by seed; NaN where a run has no number."""
        if side.at is None:
            found = self._score(side, side.metric)
            if side.less is None:
                return found
            other = self._score(side, side.less)
            return {seed: found[seed] - other[seed] for seed in found if seed in other}
        return {
            seed: reduce_curve(self._curve(rows, side.metric), side.at)
            for (experiment, seed), rows in self._rounds.items()
            if experiment == side.experiment
        }

    def effects(self, part: Part) -> Seeds:
        """What is compared with the threshold, by seed: of the seeds that both sides have."""
        measured = self.values(part.measure)
        if part.against is None:
            return dict(sorted(measured.items()))
        others = self.values(part.against)
        common = sorted(measured.keys() & others.keys())
        return {seed: _compare(measured[seed], others[seed], part.compare) for seed in common}

    def _score(self, side: Side, metric: str) -> Seeds:
        return dict(self._scores.get((side.experiment, side.model, side.protocol, metric, side.split), {}))

    @staticmethod
    def _curve(rows: Sequence[dict[str, str]], metric: str) -> list[float]:
        ordered = sorted(rows, key=lambda row: int(row["round"]))
        return [to_number(row.get(metric, "")) for row in ordered]


def reduce_curve(curve: Sequence[float], at: str) -> float:
    """One number that stands for a curve.

    Args:
        curve: one value a round, at least one.
        at: `first` or `last` takes that value. `relapse` is the largest rise above the lowest value so far, as a
            share of the curve's range: 0 for a curve that never rises, 1 for one that never falls, 0 for a flat one.

    Returns:
        The number; the relapse is NaN where any value is.
    """
    if at in ("first", "last"):
        return curve[0 if at == "first" else -1]
    if any(math.isnan(value) for value in curve):
        return math.nan
    lowest, rise = curve[0], 0.0
    for value in curve:
        lowest = min(lowest, value)
        rise = max(rise, value - lowest)
    extent = max(curve) - min(curve)
    return rise / extent if extent > 0 else 0.0


def _compare(value: float, other: float, how: str) -> float:
    if how == "difference":
        return value - other
    return value / other if other else math.nan
