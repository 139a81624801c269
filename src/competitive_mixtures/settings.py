"""Settings from files: blocks that extend each other, and a schema's findings as one error that names every key."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from competitive_mixtures.errors import UserError


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes` over it; mappings merge key by key, everything else is replaced.

    A mapping that names another `kind` replaces the old one: two kinds share no keys.
    """
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping) and value.get("kind") in (None, old.get("kind")):
            merged[key] = merge(old, value)
        else:
            merged[key] = value
    return merged


def resolve(experiments: Mapping[str, Any], name: str, chain: tuple[str, ...] = ()) -> dict[str, Any]:
    """One experiment's block with what it `extends` filled in.

    Raises:
        UserError: the block is no mapping, or extends a missing experiment or itself.
    """
    if name in chain:
        raise UserError(f"params.yaml: experiments.{name}.extends: runs in a circle: {' -> '.join((*chain, name))}")
    block = experiments.get(name)
    if not isinstance(block, Mapping):
        where = f"experiments.{chain[-1]}.extends" if chain else f"experiments.{name}"
        raise UserError(f"params.yaml: {where}: found {name!r} = {block!r}, expected an experiment's block")
    changes = {key: value for key, value in block.items() if key != "extends"}
    if "extends" not in block:
        return changes
    return merge(resolve(experiments, str(block["extends"]), (*chain, name)), changes)


def validate(model: type[BaseModel] | TypeAdapter, content: Any, source: str) -> Any:
    """Validate `content` as `model`, with pydantic's findings as one UserError."""
    try:
        return model.validate_python(content) if isinstance(model, TypeAdapter) else model.model_validate(content)
    except ValidationError as error:
        raise UserError("\n".join(f"{source}: {line}" for line in _describe(error))) from None


def _describe(error: ValidationError) -> list[str]:
    lines = []
    for finding in error.errors():
        message = finding["msg"].removeprefix("Value error, ")
        key = ".".join(str(part) for part in finding["loc"])
        if finding["type"] == "extra_forbidden":
            message = "unknown key; remove it or correct its name"
        found = "" if finding["type"] in ("missing", "value_error") else f": found {finding['input']!r}"
        lines.append(f"{key}{found}: {message}" if key else message)
    return lines
