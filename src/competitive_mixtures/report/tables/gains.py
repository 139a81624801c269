"""What a mixture gains on each baseline: its main score less the baseline's, paired by seed, in both protocols."""

import math
from collections.abc import Iterator
from typing import Any

from competitive_mixtures.report.intervals import mean_interval
from competitive_mixtures.report.plan import Planned, list_baselines, list_variants
from competitive_mixtures.report.scores import Scores

GAIN_COLUMNS = ("group", "method", "model", "protocol", "metric", "difference", "ci_low", "ci_high", "n")
MAIN = {"vector": "log_likelihood", "image": "frechet_classifier"}


def gain_rows(scores: Scores, plan: list[Planned]) -> list[dict[str, Any]]:
    """A row for each mixture and baseline on the same data that have seeds in common; Student's interval."""
    return [
        row
        for group, variants in list_variants(plan).items()
        for method, planned in variants.items()
        for model, protocol in list_baselines()
        for row in _gain(scores, group, method, planned, variants, model, protocol)
    ]


def _gain(
    scores: Scores, group: str, method: str, planned: Planned, variants: dict[str, Planned], model: str, protocol: str
) -> Iterator[dict[str, Any]]:
    """The row of one mixture and baseline, which any version of the experiment may have trained; none without seeds."""
    metric = MAIN[planned.kind]
    mixture = scores.values(planned.name, "competitive", "-", metric)
    found = (scores.values(other.name, model, protocol, metric) for other in variants.values())
    baseline = max(found, key=len)
    common = sorted(mixture.keys() & baseline.keys())
    interval = mean_interval([mixture[seed] - baseline[seed] for seed in common])
    if not interval.count:
        return
    row: dict[str, Any] = {"group": group, "method": method, "model": model, "protocol": protocol, "metric": metric}
    row |= {"difference": interval.mean, "n": interval.count}
    yield row if math.isnan(interval.low) else row | {"ci_low": interval.low, "ci_high": interval.high}
