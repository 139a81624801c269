"""Log-likelihoods that the paper's draft reports, the same with log alpha_j added, and ours beside them."""

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

from competitive_mixtures.files.folders import Project
from competitive_mixtures.files.tables import read_rows
from competitive_mixtures.report.authors_code import read_authors_code
from competitive_mixtures.report.best_likelihood import read_bounds
from competitive_mixtures.report.plan import Planned
from competitive_mixtures.report.scores import Scores

REPORTED_COLUMNS = ("experiment", "source", "model", "split", "log_likelihood", "weights")
LIKELIHOOD_COLUMNS = ("experiment", "row", "value", "status")
AUTHORS_COLUMNS = ("experiment", "run", "round", "purity", "log_likelihood_test", "cpu_s")
BASELINES = ("single", "single_wide")


def entropy(weights: str) -> float:
    """Entropy in nats of mixture weights written as fractions, say `1/6 1/6 2/3`."""
    return -math.fsum(share * math.log(share) for share in map(float, map(Fraction, weights.split())) if share > 0)


def reported_rows(root: Path) -> list[dict[str, Any]]:
    """The draft's numbers on test points as printed; those of mixtures also with log alpha_j added.

    The draft scores a mixture by sum_j alpha_j E[log p_gj] over the cells. Adding log alpha_j to each term subtracts
    the entropy of alpha; the weights are those of the partition that the draft's figures show.
    """
    rows = []
    for row in read_rows(Project(root).paper.reported, REPORTED_COLUMNS):
        if row["split"] != "test":
            continue
        value = float(row["log_likelihood"])
        rows.append(_row(row["experiment"], f"{row['model']}_reported", value))
        if row["model"] == "competitive":
            rows.append(_row(row["experiment"], "competitive_with_log_alpha", value - entropy(row["weights"])))
    return rows


def likelihood_rows(root: Path, scores: Scores, plan: list[Planned]) -> list[dict[str, Any]]:
    """The bound, the draft's numbers and our means, for every data set that the draft reports."""
    reported = reported_rows(root)
    names = list(dict.fromkeys(row["experiment"] for row in reported))
    bounds = read_bounds(root, [planned for planned in plan if planned.name in names])
    rows = []
    for name in names:
        rows.append(_row(name, "bound", bounds.get(name), "the data set is not prepared"))
        rows += [row for row in reported if row["experiment"] == name]
        cells = {
            "data": scores.cell(name, "data", "-", "log_likelihood"),
            "competitive": scores.cell(name, "competitive", "-", "log_likelihood"),
            "competitive_draft_rule": scores.cell(name, "competitive", "-", "log_likelihood_draft"),
        }
        singles = [scores.cell(name, model, "paper", "log_likelihood") for model in BASELINES]
        cells["best_single"] = max(singles, key=lambda cell: cell.get("mean", -math.inf))
        for row, cell in cells.items():
            rows.append(_row(name, row, cell.get("mean"), cell["status"].removeprefix("not run: ")))
    return rows


def authors_rows(root: Path) -> list[dict[str, Any]]:
    """The last round of each run of the authors' code, with the CPU seconds of all rounds up to it."""
    runs: dict[tuple[str, str], dict[str, Any]] = {}
    for row in read_authors_code(root):
        key = row["experiment"], row["run"]
        seconds = float(row["cpu_round_s"]) + runs.get(key, {}).get("cpu_s", 0.0)
        runs[key] = {name: row[name] for name in AUTHORS_COLUMNS[:-1]} | {"cpu_s": seconds}
    return [row | {"cpu_s": round(row["cpu_s"], 1)} for row in runs.values()]


def _row(experiment: str, row: str, value: float | None, reason: str = "") -> dict[str, Any]:
    status = "run" if value is not None else f"not run: {reason}"
    return {"experiment": experiment, "row": row, "value": "" if value is None else value, "status": status}
