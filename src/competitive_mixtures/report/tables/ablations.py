"""What each ablation changes: paired differences to the experiment that it stands on."""

import math
from typing import Any

from competitive_mixtures.report.plan import Planned
from competitive_mixtures.report.statistics import bootstrap_interval
from competitive_mixtures.report.tables.cells import Scores

ABLATION_COLUMNS = (
    "base", "ablation", "metric", "base_mean", "ablation_mean", "difference", "ci_low", "ci_high", "n", "values",
    "status",
)  # fmt: skip
METRICS = {"vector": ("log_likelihood", "purity"), "image": ("frechet_classifier", "nmi")}


def ablation_rows(scores: Scores, plan: list[Planned]) -> list[dict[str, Any]]:
    """Every ablation against its base: the main score and the partition, on test points."""
    return [
        _difference(scores, find_base(planned.name, plan), planned.name, metric)
        for planned in plan
        if planned.suite == "ablations"
        for metric in METRICS[planned.kind]
    ]


def find_base(ablation: str, plan: list[Planned]) -> str:
    """The experiment that an ablation's name starts with, the longest where there are several; else its own name."""
    names = [planned.name for planned in plan if ablation.startswith(f"{planned.name}-")]
    return max(names, key=len, default=ablation)


def _difference(scores: Scores, base: str, ablation: str, metric: str) -> dict[str, Any]:
    row: dict[str, Any] = {"base": base, "ablation": ablation, "metric": metric, "n": 0}
    cells = [scores.cell(name, "competitive", "-", metric) for name in (base, ablation)]
    for cell in cells:
        if cell["status"] != "run":
            return row | {"status": cell["status"]}
    ours, others = (scores.values(name, "competitive", "-", metric) for name in (ablation, base))
    effects = {seed: ours[seed] - others[seed] for seed in sorted(ours.keys() & others.keys())}
    interval = bootstrap_interval(list(effects.values()))
    if not interval.count:
        return row | {"status": "not run: no seed in common"}
    row |= {"base_mean": cells[0]["mean"], "ablation_mean": cells[1]["mean"], "n": interval.count}
    row |= {"difference": interval.mean, "status": "run"}
    row["values"] = " ".join(f"{seed}:{value!r}" for seed, value in effects.items())
    return row if math.isnan(interval.low) else row | {"ci_low": interval.low, "ci_high": interval.high}
