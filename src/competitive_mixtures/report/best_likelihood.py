"""The largest expected log-likelihood that any model can reach: the negative entropy of the data."""

from collections.abc import Sequence
from pathlib import Path

from competitive_mixtures.files.folders import Project
from competitive_mixtures.files.formats import read_json
from competitive_mixtures.files.tables import read_rows
from competitive_mixtures.report.plan import Planned
from competitive_mixtures.report.summary import SUMMARY_COLUMNS


def read_bounds(root: Path, experiments: Sequence[Planned]) -> dict[str, float]:
    """The bound in nats by experiment, from its prepared data or else from its scores; others are left out."""
    scores = Project(root).results.summary.scores
    scored = {}
    if scores.is_file():
        rows = read_rows(scores, SUMMARY_COLUMNS)
        scored = {row["experiment"]: float(row["value"]) for row in rows if row["metric"] == "negative_entropy"}
    bounds = {}
    for planned in experiments:
        meta = Project(root).data.processed(planned.dataset).meta
        bound = read_json(meta).get("log_likelihood_bound") if meta.is_file() else scored.get(planned.name)
        if bound is not None:
            bounds[planned.name] = bound
    return bounds
