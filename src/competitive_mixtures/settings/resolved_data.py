"""The settings of each data set as a file between `params.yaml` and the jobs; see `resolved`.

They stand apart, so that the preparation of data does not depend on what an experiment's settings look like.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from competitive_mixtures.data import DatasetSpec
from competitive_mixtures.errors import UserError, printable
from competitive_mixtures.files.folders import Data
from competitive_mixtures.files.formats import read_json, write_text_if_changed
from competitive_mixtures.settings.messages import validate


def write_datasets(datasets: Mapping[str, DatasetSpec], data: Data) -> None:
    """Write the settings of every data set, and what the user's own files hold, where it is read from such."""
    data.listing("").parent.mkdir(parents=True, exist_ok=True)  # DVC asks for it where there are no own data as well
    for name, spec in datasets.items():
        write_text_if_changed(data.settings(name), json.dumps(spec.model_dump(mode="json"), indent=1) + "\n")
        if spec.inputs:
            _write_listing(name, spec, data)


def _write_listing(name: str, spec: DatasetSpec, data: Data) -> None:
    """Write a line for each file; of files that cannot be read, what is wrong with them.

    That is no error yet: whoever does not ask for the data set need not have its files. `check_files` refuses it.
    """
    known = _read_hashed(data.hashed(name))
    hashed: dict[str, list[Any]] = {}
    try:
        for path, size, time in _list_files(spec):
            before = known.get(path, [])
            hashed[path] = before if before[:2] == [size, time] else [size, time, _hash(path)]
        lines = [[path, size, digest] for path, (size, _, digest) in hashed.items()]
    except UserError as error:
        lines = [[str(error)]]
    write_text_if_changed(data.listing(name), "".join(f"{json.dumps(line)}\n" for line in lines))
    write_text_if_changed(data.hashed(name), json.dumps(hashed) + "\n")


def check_files(name: str, spec: DatasetSpec) -> None:
    """Refuse a data set whose files of the user's own are missing or cannot be read.

    Snakemake would take a finished data set for current whose source is gone.

    Raises:
        UserError: names the key.
    """
    try:
        _list_files(spec)
    except UserError as error:
        raise UserError(f"params.yaml: datasets.{name}.path: {error}") from error


def _list_files(spec: DatasetSpec) -> list[tuple[str, int, int]]:
    try:
        return spec.list_files()
    except OSError as error:
        raise UserError(
            f"{printable(error.filename)}: cannot be read ({error.strerror}); mend its permissions"
        ) from error


def _hash(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{printable(path)}: cannot be read ({error.strerror}); mend its permissions") from error


def _read_hashed(path: Path) -> dict[str, list[Any]]:
    """Bytes, time and SHA-256 by file; nothing where that is missing or broken, since it only saves time."""
    try:
        content = read_json(path)
    except UserError:
        return {}
    entries = content.items() if isinstance(content, dict) else ()
    return {name: entry for name, entry in entries if isinstance(entry, list) and len(entry) == 3}


def read_dataset(path: Path | str) -> DatasetSpec:
    """Read `data/settings/<dataset>.json`."""
    return validate(TypeAdapter(DatasetSpec), read_json(path), str(path))
