"""What was planned and has run, all settings, and where they depart from the authors'."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from competitive_mixtures.files.folders import Project
from competitive_mixtures.report.plan import Planned, list_variants
from competitive_mixtures.report.scores import SUITE_REASONS, Scores
from competitive_mixtures.settings.yaml_files import read_yaml

PLAN_COLUMNS = (
    "experiment", "group", "method", "suite", "dataset", "components", "num_components", "rounds", "seeds_planned",
    "seeds_run", "status",
)  # fmt: skip
SETTING_COLUMNS = ("kind", "setting", "experiment", "value")
DEVIATION_COLUMNS = ("experiment", "setting", "ours", "authors", "reason")
NOT_COMPARED = ("shards", "device", "training.backend", "evaluation", "baselines")  # they are no part of the method
NO_REASON = "not given in paper/deviations.yaml"


def plan_rows(scores: Scores, plan: list[Planned]) -> list[dict[str, Any]]:
    """Every experiment, with the number of seeds that were planned and that have run."""
    return [
        {
            "experiment": planned.name,
            "group": planned.group,
            "method": planned.method,
            "suite": planned.suite,
            "dataset": planned.dataset,
            "components": " and ".join(kind.upper() for kind in planned.components),
            "num_components": planned.num_components,
            "rounds": planned.rounds,
            "seeds_planned": planned.seeds,
            "seeds_run": len(scores.seeds(planned.name)),
            "status": "run" if scores.seeds(planned.name) else f"not run: {SUITE_REASONS[planned.suite]}",
        }
        for planned in plan
    ]


def setting_rows(plan: list[Planned]) -> list[dict[str, Any]]:
    """All settings of the default experiments: one row for each setting of each experiment."""
    default = [planned for planned in plan if planned.suite == "default"]
    return [
        {"kind": planned.kind, "setting": name, "experiment": planned.name, "value": value}
        for planned in default
        for name, value in flatten(planned.settings)
    ]


def deviation_rows(root: Path, plan: list[Planned]) -> list[dict[str, Any]]:
    """The settings in which a default experiment differs from the same with the authors' settings, `<name>-paper`.

    The reasons stand in `paper/deviations.yaml`, by setting.
    """
    reasons = read_yaml(Project(root).paper.deviations) or {}
    variants = list_variants(plan)
    rows = []
    for planned in plan:
        original = variants.get(planned.group, {}).get("paper")
        if planned.suite != "default" or original is None:
            continue
        ours, authors = dict(flatten(planned.settings)), dict(flatten(original.settings))
        for name in dict.fromkeys([*ours, *authors]):
            values = {"ours": ours.get(name, "none"), "authors": authors.get(name, "none")}
            if values["ours"] == values["authors"] or name.startswith(NOT_COMPARED):
                continue
            rows.append({"experiment": planned.name, "setting": name, "reason": reasons.get(name, NO_REASON)} | values)
    return rows


def flatten(settings: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested settings as pairs of a dotted key and a text.

    Blocks in a list are told apart by their place, which the first leaves out: `components.kind`, `components.1.kind`.
    """
    for name, value in settings.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict):
            yield from flatten(value, f"{key}.")
        elif isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
            for place, entry in enumerate(value):
                yield from flatten(entry, f"{key}." if place == 0 else f"{key}.{place}.")
        else:
            yield key, _to_text(value)


def _to_text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_to_text, value)) or "none"
    if isinstance(value, float) and abs(value) >= 1e6:
        return f"{value:g}".replace("e+", "e")  # 1e12 in place of 1000000000000.0
    return value if isinstance(value, str) else "none" if value is None else json.dumps(value)
