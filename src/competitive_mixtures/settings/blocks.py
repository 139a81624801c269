"""Settings from files: blocks that merge, and that extend each other."""

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict

from competitive_mixtures.errors import UserError
from competitive_mixtures.settings.messages import shorten


class Block(BaseModel):
    """A block of `params.yaml`: unknown keys and words where numbers belong are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes` over it; mappings merge key by key, everything else is replaced.

    A mapping that changes its `kind` takes over only what the new kind knows. A mapping with the numbers of a list's
    items as keys changes these items: `components: {"0": {count: 5}}`.
    """
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[key] = merge(_inherit(old, value), value)
        elif isinstance(old, list) and isinstance(value, Mapping) and _are_items(value, len(old)):
            items = merge({str(number): item for number, item in enumerate(old)}, {str(n): v for n, v in value.items()})
            merged[key] = list(items.values())
        else:
            merged[key] = value
    return merged


def _are_items(keys: Iterable[Any], length: int) -> bool:
    """Whether all keys are numbers of a list's items, counted from 0; DVC writes them as words."""
    return all(str(key).isdecimal() and int(key) < length for key in keys)


def _inherit(old: Mapping[str, Any], new: Mapping[str, Any]) -> Mapping[str, Any]:
    """What `new` takes over of `old`: without a change of kind, or with one to a kind that nobody knows, all of it."""
    kind = new.get("kind", old.get("kind"))
    known = set() if kind == old.get("kind") else find_keys(kind)
    return {key: value for key, value in old.items() if key in known} if known else old


def find_keys(kind: Any, block: type[BaseModel] = Block) -> set[str]:
    """The keys of every block in the program whose `kind` can be this."""
    field = block.model_fields.get("kind")
    keys = set(block.model_fields) if field and kind in get_args(field.annotation) else set()
    return keys.union(*(find_keys(kind, inner) for inner in block.__subclasses__()))


def resolve(experiments: Mapping[str, Any], name: str, chain: tuple[str, ...] = ()) -> dict[str, Any]:
    """One experiment's block with what it `extends` filled in; its own `extends` stays in it.

    Raises:
        UserError: the block is no mapping, or extends a missing experiment or itself.
    """
    if name in chain:
        raise UserError(f"params.yaml: experiments.{name}.extends: runs in a circle: {' -> '.join((*chain, name))}")
    block = experiments.get(name)
    if not isinstance(block, Mapping):
        where = f"experiments.{chain[-1]}.extends" if chain else f"experiments.{name}"
        raise UserError(f"params.yaml: {where}: found {name!r} = {shorten(block)}, expected an experiment's block")
    if "extends" not in block:
        return dict(block)
    base = block["extends"]
    if not isinstance(base, str):
        raise UserError(
            f"params.yaml: experiments.{name}.extends: found {shorten(base)}, expected an experiment's name"
        )
    return merge(resolve(experiments, base, (*chain, name)), block)


def resolve_all(experiments: Any) -> tuple[Any, list[str]]:
    """Every experiment's block with what it `extends` filled in, and what is wrong with the others.

    Args:
        experiments: blocks by name; anything else is given back for `validate` to refuse.
    """
    if not isinstance(experiments, Mapping):
        return experiments, []
    blocks, mistakes = {}, []
    for name in experiments:
        try:
            blocks[name] = resolve(experiments, name)
        except UserError as error:
            mistakes.append(str(error))
    return blocks, mistakes
