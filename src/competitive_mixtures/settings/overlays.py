"""The settings as they stand in several files: `params.yaml`, `overrides.yaml` over it, and what a command line adds.

`overrides.yaml` holds parts of blocks. It is there for programs: `dvc exp run -S` writes a file anew without its
comments and anchors, which in `params.yaml` would be lost.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from competitive_mixtures.errors import UserError
from competitive_mixtures.settings.blocks import merge
from competitive_mixtures.settings.schema import Params, load_params
from competitive_mixtures.settings.yaml_files import find_line, read_words, read_yaml

PARAMS, OVERRIDES = "params.yaml", "overrides.yaml"
KEY = re.compile(r"params\.yaml: ([^:\s]+): ")  # of a message


def read_params(
    path: Path | str = PARAMS, files: Sequence[Path | str] = (), options: Mapping[str, Any] | None = None
) -> Params:
    """Read and check the settings.

    Args:
        path: of `params.yaml`; an `overrides.yaml` beside it is laid over it.
        files: further files, each laid over those before it: Snakemake's `--configfile`.
        options: laid over all files: Snakemake's `--config`.

    Raises:
        UserError: a file is no YAML, or a mistake in the settings; each with its key, file and line.
    """
    overrides = Path(path).with_name(OVERRIDES)
    layers = [Path(path), *[overrides] * overrides.exists(), *map(Path, files)]
    content = read_yaml(layers[0])
    for layer in layers[1:]:
        content = _lay(content, read_yaml(layer), layer)
    try:
        return load_params(_lay(content, read_words(dict(options or {})), Path("--config")))
    except UserError as error:
        lines = [_locate(line, layers, content) for line in str(error).splitlines()]
        raise UserError("\n".join(lines)) from None


def _lay(content: Any, changes: Any, name: Path) -> Any:
    """One layer over those below; an empty file changes nothing."""
    if changes is None:
        return content
    if not isinstance(changes, Mapping):
        raise UserError(f"{name}: found {type(changes).__name__}, expected parts of the blocks of params.yaml")
    return merge(content, changes) if isinstance(content, Mapping) else content


def _locate(message: str, layers: Sequence[Path], content: Any) -> str:
    """A message about a key with the file and line that its value is from, or its block where the key is missing."""
    match = KEY.match(message)
    keys = match[1].split(".") if match else []
    if message.endswith("Field required"):
        keys = keys[:-1]
    seen: set[str] = set()
    while keys:
        for layer in reversed(layers):
            if line := find_line(layer, keys):
                return f"{message} ({layer.name}, line {line})"
        block = content.get("experiments", {}).get(keys[1]) if len(keys) > 2 and keys[0] == "experiments" else None
        base = block.get("extends") if isinstance(block, Mapping) else None
        if not isinstance(base, str) or base in seen:
            break
        seen.add(base)
        keys[1] = base
    return message
