"""What each ablation changes: its scores less those of the experiment that it varies, paired by seed."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from competitive_mixtures.report.intervals import clip_interval, mean_interval, sign_flip_p
from competitive_mixtures.report.names import METHODS as METHOD_NAMES
from competitive_mixtures.report.names import RANGES
from competitive_mixtures.report.plan import Planned, list_ablations
from competitive_mixtures.report.scores import Scores
from competitive_mixtures.report.tables.rivals import name_relative
from competitive_mixtures.report.tables.settings import flatten

ABLATION_COLUMNS = (
    "base", "ablation", "method", "label", "changes", "metric", "base_mean", "ablation_mean", "difference", "ci_low",
    "ci_high", "p", "n", "values", "status",
)  # fmt: skip
METRICS = {  # a score of the samples and one of the partition, each as (metric, split)
    "vector": (("log_likelihood", "test"), ("purity", "train")),
    "image": (("frechet_classifier", "test"), ("nmi", "train")),
}


def ablation_rows(scores: Scores, plan: list[Planned]) -> list[dict[str, Any]]:
    """Two rows an ablation, one for each of its metrics; an ablation that has not run says so in `status`."""
    rows = []
    for ablation, base in list_ablations(plan):
        changes = {"changes": describe_changes(base, ablation)}
        changes |= {"method": base.method, "label": f"{base.group}: {label_change(base, ablation)}"}
        for metric, split in METRICS[ablation.kind]:
            rows.append(changes | _difference(scores, base.name, ablation.name, metric, split))
    return rows


def label_change(base: Planned, ablation: Planned) -> str:
    """What an ablation is called beside the method that it varies: by another method's name, or by what is varied."""
    if ablation.group == base.group:
        return METHOD_NAMES[ablation.method]
    return name_relative(ablation) or ablation.name.removeprefix(f"{base.name}-").removeprefix(f"{base.group}-")


def describe_changes(base: Planned, ablation: Planned) -> str:
    """The settings in which an ablation differs from its base, say `scoring.reset: true → false`; not its baselines.

    A block that is left out is told as one setting, and of one that becomes another kind not what only the former had.
    """
    before, after = dict(flatten(base.settings)), dict(flatten(ablation.settings))
    keys = [key for key in dict.fromkeys([*before, *after]) if before.get(key) != after.get(key) and key != "baselines"]
    return "; ".join(
        f"{key}: {_write(key, before)} → {_write(key, after)}" for key in keys if not _is_implied(key, before, after)
    )


def _write(key: str, settings: Mapping[str, str]) -> str:
    """The value of a key, or of all keys of a block."""
    block = {name.removeprefix(f"{key}."): value for name, value in settings.items() if name.startswith(f"{key}.")}
    return settings.get(key) or ", ".join(f"{name} {value}" for name, value in block.items()) or "none"


def _is_implied(key: str, before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Whether another change says already that a key is gone: that of its block, or of its block's kind."""
    if key in after:
        return False
    places = key.split(".")
    blocks = [".".join(places[:depth]) for depth in range(1, len(places))]
    replaced = any(before.get(f"{block}.kind") != after.get(f"{block}.kind") for block in blocks)
    return replaced or any(block in after for block in blocks) or any(name.startswith(f"{key}.") for name in after)


def _difference(scores: Scores, base: str, ablation: str, metric: str, split: str) -> dict[str, Any]:
    row: dict[str, Any] = {"base": base, "ablation": ablation, "metric": metric, "n": 0}
    cells = [scores.cell(name, "competitive", "-", metric, split) for name in (base, ablation)]
    for cell in cells:
        if cell["status"] != "run":
            return row | {"status": cell["status"]}
    ours, others = (scores.values(name, "competitive", "-", metric, split) for name in (ablation, base))
    seeds = sorted(ours.keys() & others.keys())
    effects = {seed: ours[seed] - others[seed] for seed in seeds}
    lowest, highest = RANGES.get(metric, (-math.inf, math.inf))
    interval = clip_interval(mean_interval(list(effects.values())), lowest - highest, highest - lowest)
    if not interval.count:
        return row | {"status": "not run: no seed in common"}
    paired = [seed for seed in seeds if math.isfinite(effects[seed])]  # both means are of the seeds of the difference
    row |= {"base_mean": _mean(others, paired), "ablation_mean": _mean(ours, paired), "n": interval.count}
    row |= {"difference": interval.mean, "p": sign_flip_p(list(effects.values())), "status": "run"}
    row["values"] = " ".join(f"{seed}:{value!r}" for seed, value in effects.items())
    return row if math.isnan(interval.low) else row | {"ci_low": interval.low, "ci_high": interval.high}


def _mean(values: Mapping[int, float], seeds: Sequence[int]) -> float:
    return sum(values[seed] for seed in seeds) / len(seeds)
