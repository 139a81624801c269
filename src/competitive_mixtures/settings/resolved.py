"""The files between `params.yaml` and the jobs: the settings of each experiment and data set, and the plan, as JSON.

They, not `params.yaml`, are the inputs of the rules, so that a changed number concerns only what it belongs to. A file
is written only where its content changes: Snakemake and DVC then see a changed number as a newer file, with or without
their own records of past runs.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from competitive_mixtures.files.folders import Project
from competitive_mixtures.files.formats import read_json, write_text_if_changed
from competitive_mixtures.settings.blocks import Block
from competitive_mixtures.settings.messages import validate
from competitive_mixtures.settings.resolved_data import write_datasets
from competitive_mixtures.settings.schema import Experiment, Params


class PlanEntry(Block):
    """What decides which files of an experiment are asked for; a change of it makes no finished result stale.

    Attributes:
        suite: which target asks for it.
        rounds: T, the last round.
        seeds: the seeds 0 .. seeds-1 are run.
        extends: the experiment whose settings it takes over, or None: the report compares ablations with it.
        source: kind of its data set, as in `params.yaml`.
    """

    suite: str
    rounds: int
    seeds: int
    extends: str | None
    source: str


def write_resolved(params: Params, root: Path | str = ".") -> None:
    """Write the settings of every experiment and data set, and the plan.

    All of them, whatever is asked for: the report lists what has not been run as well, and Snakemake takes one look at
    a folder while it plans, so that a file which is written later on would count as missing.
    """
    project = Project(root)
    for name, experiment in params.experiments.items():
        _write(project.results.settings(name), experiment.settings())
    _write(project.results.plan, {name: plan_entry(params, name).model_dump() for name in params.experiments})
    write_datasets(params.list_datasets(), project.data)
    write_text_if_changed(project.stages, describe_stages(params))


def describe_stages(params: Params) -> str:
    """Content of `stages.yaml`: what `dvc.yaml` has a stage for each of.

    These are the experiments that `snakemake all` runs, and the user's own file or folder of each of their data sets.
    """
    experiments = params.suite("default", "claims")
    asked = {params.experiments[name].dataset for name in experiments}
    own = {name: spec.inputs[0] for name, spec in params.datasets.items() if name in asked and spec.inputs}
    return (
        "# Snakemake writes this from params.yaml whenever it plans; DVC has a stage for each of these. Commit it.\n"
        f"default_experiments: {json.dumps(experiments)}\n"
        f"own_data: {json.dumps(own)}\n"
    )


def plan_entry(params: Params, name: str) -> PlanEntry:
    """An experiment's entry in the plan."""
    experiment = params.experiments[name]
    return PlanEntry(
        suite=experiment.suite,
        rounds=experiment.rounds,
        seeds=params.seeds,
        extends=experiment.extends,
        source=params.datasets[experiment.dataset].kind,
    )


def read_experiment(path: Path | str) -> Experiment:
    """Read `results/settings/<experiment>.json`."""
    return validate(Experiment, read_json(path), str(path))


def read_plan(path: Path | str) -> dict[str, PlanEntry]:
    """Read `results/plan.json`: the entry of every experiment, in the order of `params.yaml`."""
    return validate(TypeAdapter(dict[str, PlanEntry]), read_json(path), str(path))


def _write(path: Path, content: Any) -> None:
    write_text_if_changed(path, json.dumps(content, indent=1) + "\n")
