"""What each ablation changes: paired differences to the experiment that it stands on."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from competitive_mixtures.report.intervals import bootstrap_interval
from competitive_mixtures.report.plan import Planned
from competitive_mixtures.report.tables.cells import Scores
from competitive_mixtures.report.tables.settings import flatten

ABLATION_COLUMNS = (
    "base", "ablation", "changes", "metric", "base_mean", "ablation_mean", "difference", "ci_low", "ci_high", "n",
    "values", "status",
)  # fmt: skip
METRICS = {  # the main score and the partition, as (metric, split)
    "vector": (("log_likelihood", "test"), ("purity", "train")),
    "image": (("frechet_classifier", "test"), ("nmi", "train")),
}


def ablation_rows(scores: Scores, plan: list[Planned]) -> list[dict[str, Any]]:
    """Every ablation against its base: the main score on test points and the partition of the training points."""
    return [
        {"changes": describe_changes(find_base(planned.name, plan), planned)}
        | _difference(scores, find_base(planned.name, plan).name, planned.name, metric, split)
        for planned in plan
        if planned.suite == "ablations"
        for metric, split in METRICS[planned.kind]
    ]


def find_base(ablation: str, plan: list[Planned]) -> Planned:
    """The experiment that an ablation's name starts with, the longest where there are several; else itself."""
    candidates = [planned for planned in plan if f"{ablation}-".startswith(f"{planned.name}-")]
    others = [planned for planned in candidates if planned.name != ablation]
    return max(others or candidates, key=lambda planned: len(planned.name))


def describe_changes(base: Planned, ablation: Planned) -> str:
    """The settings in which an ablation differs from its base, say `scoring.reset: true → false`."""
    before, after = dict(flatten(base.settings)), dict(flatten(ablation.settings))
    keys = [key for key in dict.fromkeys([*before, *after]) if before.get(key) != after.get(key) and key != "baselines"]
    return "; ".join(f"{key}: {before.get(key, 'none')} → {after.get(key, 'none')}" for key in keys)


def mean_of(values: Mapping[int, float], seeds: Sequence[int]) -> float:
    """The mean over some seeds, so that both means of a pair and their difference are of the same runs."""
    return sum(values[seed] for seed in seeds) / len(seeds)


def _difference(scores: Scores, base: str, ablation: str, metric: str, split: str) -> dict[str, Any]:
    row: dict[str, Any] = {"base": base, "ablation": ablation, "metric": metric, "n": 0}
    cells = [scores.cell(name, "competitive", "-", metric, split) for name in (base, ablation)]
    for cell in cells:
        if cell["status"] != "run":
            return row | {"status": cell["status"]}
    ours, others = (scores.values(name, "competitive", "-", metric, split) for name in (ablation, base))
    seeds = sorted(ours.keys() & others.keys())
    effects = {seed: ours[seed] - others[seed] for seed in seeds}
    interval = bootstrap_interval(list(effects.values()))
    if not interval.count:
        return row | {"status": "not run: no seed in common"}
    paired = [seed for seed in seeds if math.isfinite(effects[seed])]
    row |= {"base_mean": mean_of(others, paired), "ablation_mean": mean_of(ours, paired), "n": interval.count}
    row |= {"difference": interval.mean, "status": "run"}
    row["values"] = " ".join(f"{seed}:{value!r}" for seed, value in effects.items())
    return row if math.isnan(interval.low) else row | {"ci_low": interval.low, "ci_high": interval.high}
