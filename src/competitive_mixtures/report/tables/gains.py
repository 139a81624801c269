"""What a mixture gains on each baseline: its main score less the baseline's, paired by seed, in both protocols.

`mixture` is a key of `names.METHODS`; `baseline_protocol` one of `names.PROTOCOLS`, and says nothing of the mixture.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any

from competitive_mixtures.report.intervals import mean_interval
from competitive_mixtures.report.plan import Planned, list_baselines, list_variants
from competitive_mixtures.report.scores import Scores

GAIN_COLUMNS = (
    "group", "mixture", "baseline", "baseline_protocol", "metric", "difference", "ci_low", "ci_high", "n",
)  # fmt: skip
MAIN = {"vector": "log_likelihood", "image": "frechet_classifier"}
SAME_COMPUTE = 0.01  # by how much the training of two versions may differ for the baselines of one to be those of both


def gain_rows(scores: Scores, plan: list[Planned]) -> list[dict[str, Any]]:
    """A row for each mixture and baseline on the same data that have seeds in common; Student's interval.

    The baselines may stand with another version of the experiment, of the same training compute: a mixture of more or
    less has no rows, since neither protocol would hold of it.
    """
    return [
        row
        for group, variants in list_variants(plan).items()
        for method, planned in variants.items()
        for model, protocol in list_baselines()
        for row in _gain(scores, group, method, planned, variants, model, protocol)
    ]


def tuned_gain_rows(scores: Scores, plan: list[Planned]) -> list[dict[str, Any]]:
    """The same against tuned baselines, which at equal compute spend what scoring and sampling cost as well.

    Another method of as many rounds may have cost a little less; `group` is the tuned experiment.
    """
    variants = list_variants(plan)
    tuned = [planned for planned in plan if planned.settings.get("tuning")]
    return [
        row
        for experiment in tuned
        for method, planned in variants.get(experiment.name.removesuffix("-tuned"), {}).items()
        for model, protocol in experiment.models[1:]
        if planned.rounds == experiment.rounds
        for row in _pair(scores, (experiment.name, method, model, protocol), planned, [experiment])
    ]


def _gain(
    scores: Scores, group: str, method: str, planned: Planned, variants: dict[str, Planned], model: str, protocol: str
) -> Iterator[dict[str, Any]]:
    """The row of one mixture and baseline; none without seeds, or where the baseline's compute is another mixture's."""
    comparable = [other for other in variants.values() if _same_compute(scores, planned, other)]
    yield from _pair(scores, (group, method, model, protocol), planned, comparable)


def _pair(
    scores: Scores, key: tuple[str, str, str, str], planned: Planned, others: Iterable[Planned]
) -> Iterator[dict[str, Any]]:
    """The row of a mixture and the baseline that stands with one of some experiments, that of most seeds."""
    metric = MAIN[planned.kind]
    _, _, model, protocol = key
    mixture = scores.values(planned.name, "competitive", "-", metric)
    baseline = max((scores.values(other.name, model, protocol, metric) for other in others), key=len)
    common = sorted(mixture.keys() & baseline.keys())
    interval = mean_interval([mixture[seed] - baseline[seed] for seed in common])
    if not interval.count:
        return
    row: dict[str, Any] = dict(zip(GAIN_COLUMNS, (*key, metric), strict=False))
    row |= {"difference": interval.mean, "n": interval.count}
    yield row if math.isnan(interval.low) else row | {"ci_low": interval.low, "ci_high": interval.high}


def _same_compute(scores: Scores, one: Planned, other: Planned) -> bool:
    """Whether the mixtures of two versions were trained for as much, in the mean over their seeds."""
    if one.name == other.name:
        return True
    cells = [scores.cell(planned.name, "competitive", "-", "compute", "train") for planned in (one, other)]
    first, second = (float(cell.get("mean", math.nan)) for cell in cells)  # a run without a number is like no other
    return math.isclose(first, second, rel_tol=SAME_COMPUTE)
