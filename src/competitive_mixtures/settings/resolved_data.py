"""The settings of each data set as a file between `params.yaml` and the jobs; see `resolved`.

They stand apart, so that the preparation of data does not depend on what an experiment's settings look like.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter

from competitive_mixtures.data import DatasetSpec
from competitive_mixtures.files.folders import Data
from competitive_mixtures.files.formats import read_json, write_text_if_changed
from competitive_mixtures.settings.blocks import validate


def write_datasets(datasets: Mapping[str, DatasetSpec], data: Data) -> None:
    """Write the settings of every data set, and the list of the files in a user's own folder."""
    for name, spec in datasets.items():
        write_text_if_changed(data.settings(name), json.dumps(spec.model_dump(mode="json"), indent=1) + "\n")
        files = spec.list_files()
        if files is not None:
            write_text_if_changed(data.listing(name), "\n".join(map(json.dumps, files)) + "\n")


def read_dataset(path: Path | str) -> DatasetSpec:
    """Read `data/settings/<dataset>.json`."""
    return validate(TypeAdapter(DatasetSpec), read_json(path), str(path))
