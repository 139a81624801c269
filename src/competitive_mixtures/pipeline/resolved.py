"""The files between `params.yaml` and the jobs: each experiment's and each data set's own settings, as JSON.

They, not `params.yaml`, are the inputs of the rules, so that a changed number concerns only what it belongs to.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from competitive_mixtures.data import DatasetSpec
from competitive_mixtures.files import read_json, write_text_if_changed
from competitive_mixtures.settings.blocks import validate
from competitive_mixtures.settings.schema import Experiment, Params

FILES = "data/config/files/{dataset}.jsonl"  # the files of a user's own folder as they are now, a line each


def read_experiment(path: Path | str) -> Experiment:
    """Read `results/<experiment>/config.json`."""
    return validate(Experiment, read_json(path), str(path))


def read_dataset(path: Path | str) -> DatasetSpec:
    """Read `data/config/<dataset>.json`."""
    return validate(TypeAdapter(DatasetSpec), read_json(path), str(path))


def write_resolved(params: Params, root: Path | str = ".") -> None:
    """Write each experiment's and data set's resolved block as a file, only where its content changes.

    Snakemake and DVC then see a changed number as a newer file, with or without their own records of past runs.
    """
    for name, experiment in params.experiments.items():
        write_text_if_changed(Path(root, "results", name, "config.json"), _dump(experiment.settings()))
    for name, spec in params.datasets.items():
        write_text_if_changed(Path(root, "data/config", f"{name}.json"), _dump(spec.model_dump(mode="json")))
        files = spec.list_files()
        if files is not None:  # a folder's own date says nothing of what lies in its subfolders
            write_text_if_changed(Path(root, FILES.format(dataset=name)), "\n".join(map(json.dumps, files)) + "\n")


def _dump(content: Any) -> str:
    return json.dumps(content, indent=1) + "\n"
