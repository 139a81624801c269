"""How far each method's parts agree with the true ones, where these are known: `paper/partitions.csv` in short."""

from collections.abc import Iterator
from math import isnan
from pathlib import Path
from statistics import fmean
from typing import Any

from competitive_mixtures.files.folders import Project
from competitive_mixtures.report.partitions import METHODS, read_fits

AGREEMENT_COLUMNS = ("data_set", "part", "n", "d", "k", "method", "label", "seeds", "ari", "values", "log_likelihood")


def agreement_rows(root: Path) -> Iterator[dict[str, Any]]:
    """One row a data set and method: the adjusted Rand index, its mean over the seeds and each of them.

    And the mean log-likelihood of the test points in nats, which is empty for methods without a density.

    Args:
        root: the project's root, with `paper/partitions.csv`.

    Raises:
        UserError: the file is missing or malformed.
    """
    for fit in read_fits(Project(root).paper.partitions):
        n, d, k = fit.size
        yield {
            "data_set": fit.data_set,
            "part": fit.part,
            "n": n,
            "d": d,
            "k": k,
            "method": fit.method,
            "label": METHODS[fit.method],
            "seeds": len(fit.ari),
            "ari": repr(fit.mean_ari),
            "values": " ".join(map(repr, fit.ari)),
            "log_likelihood": "" if any(map(isnan, fit.log_likelihood)) else repr(fmean(fit.log_likelihood)),
        }
