"""The largest expected log-likelihood that any model can reach: the negative entropy of the data."""

from collections.abc import Sequence
from pathlib import Path

from competitive_mixtures.files.folders import Project
from competitive_mixtures.files.formats import read_json
from competitive_mixtures.report.plan import Planned


def read_bounds(root: Path, experiments: Sequence[Planned]) -> dict[str, float]:
    """The bound in nats by experiment; those whose density is unknown, or whose data is not prepared, are left out."""
    bounds = {}
    for planned in experiments:
        meta = Project(root).data.processed(planned.dataset).meta
        if meta.is_file() and (bound := read_json(meta).get("log_likelihood_bound")) is not None:
            bounds[planned.name] = bound
    return bounds
