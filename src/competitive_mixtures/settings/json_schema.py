"""The JSON schema of what a user writes in `params.yaml`, by which editors complete and check it."""

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from competitive_mixtures.settings.schema import Params

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
BLOCKS = "#/$defs/"  # where a reference finds a block
EXPERIMENT = "PlannedExperiment"
PARTIAL = ".partial"  # marks a block of which any key may be missing
ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n     +\S.*)*)", re.MULTILINE)  # with the lines that continue it


def make_schema() -> Schema:
    """The schema of `params.yaml` with YAML's aliases and `<<` resolved, and `extends` not.

    An experiment that extends another may leave out any key of any block, since it takes over what it leaves out. The
    blocks in a list are whole all the same: lists are replaced.
    """
    generated = json.dumps(Params.model_json_schema(schema_generator=_Generator))
    generated = json.loads(re.sub(r"\b\w+__(\w+)__Spec\b", r"\1.Spec", generated))  # namesakes get their whole path
    blocks = generated.pop("$defs")
    extends = blocks[EXPERIMENT]["properties"]["extends"]
    blocks[EXPERIMENT]["properties"]["extends"] = {"type": "string", "description": extends["description"]}
    by_name = generated["properties"]["experiments"]["patternProperties"]
    for pattern, whole in by_name.items():
        by_name[pattern] = {"if": {"required": ["extends"]}, "then": _to_partial(whole), "else": whole}
    return {"$schema": DIALECT, "title": "params.yaml", **generated, "$defs": blocks | _make_partials(blocks)}


def read_docstring(block: type[BaseModel]) -> tuple[str, dict[str, str]]:
    """What a block is, and what each of its keys is, from the section `Attributes` of its class and of its bases."""
    attributes: dict[str, str] = {}
    for base in reversed(block.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            _, _, section = inspect.cleandoc(base.__doc__ or "").partition("\nAttributes:\n")
            attributes |= {key: " ".join(text.split()) for key, text in ATTRIBUTE.findall(section)}
    summary, _, _ = inspect.cleandoc(block.__doc__ or "").partition("\n\nAttributes:\n")
    return summary, attributes


def find_blocks(field: Schema) -> Iterator[tuple[str, str]]:
    """The blocks that a key can hold: what follows the key in the path to one, and the block's name.

    Say `("", "Optimizer")`, `("[]", "VAE")` in a list, `(".<name>", "mnist.Spec")` by a name of the user's.
    """
    if "$ref" in field:
        yield "", field["$ref"].removeprefix(BLOCKS)
    held = [("", choice) for choice in field.get("anyOf", [])]
    held += [("", field["else"])] if "else" in field else []
    held += [("[]", field["items"])] if "items" in field else []
    held += [(".<name>", inner) for inner in field.get("patternProperties", {}).values()]
    for suffix, inner in held:
        yield from ((suffix + rest, name) for rest, name in find_blocks(inner))


class _Generator(GenerateJsonSchema):
    """Pydantic's schema with a description of every key, and without titles that only repeat the keys."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> Schema:
        block = super().model_schema(schema)
        del block["title"]
        block["description"], attributes = read_docstring(schema["cls"])
        for key, field in block["properties"].items():
            about = block["description"] if key == "kind" else attributes.get(key)
            field |= {"description": about} if about else {}
        return block

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> Schema:
        return {"anyOf": super().tagged_union_schema(schema)["oneOf"]}  # OpenAPI's `discriminator` stays out

    def dict_schema(self, schema: core_schema.DictSchema) -> Schema:
        return super().dict_schema(schema) | {"additionalProperties": False}


def _make_partials(blocks: Schema) -> Schema:
    """The block of an experiment and those in it, lists apart, with every key optional."""
    partials: Schema = {}
    waiting = [EXPERIMENT]
    while waiting:
        name = waiting.pop()
        fields = blocks[name]["properties"]
        partial = blocks[name] | {"properties": {key: _to_partial(field) for key, field in fields.items()}}
        del partial["required"]
        partials[name + PARTIAL] = partial
        inner = {block for field in fields.values() for suffix, block in find_blocks(field) if not suffix}
        waiting += sorted(block for block in inner if block + PARTIAL not in partials)
    return partials


def _to_partial(field: Schema) -> Schema:
    """What a key holds, with every block in it partial, lists apart."""
    if "$ref" in field:
        return field | {"$ref": field["$ref"] + PARTIAL}
    return field | {"anyOf": list(map(_to_partial, field["anyOf"]))} if "anyOf" in field else field
