"""What a user reads of mistakes in settings: a schema's findings as one error that names every key."""

import math
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from competitive_mixtures.errors import UserError

_short = reprlib.Repr()  # what was found may be endless: YAML's aliases make gigabytes of a few lines
_short.maxlevel, _short.maxdict, _short.maxlist, _short.maxset, _short.maxtuple = 2, 4, 4, 4, 4
_short.maxstring = _short.maxlong = _short.maxother = 120


def shorten(value: Any) -> str:
    """What was found, in a few words."""
    return _short.repr(value)


def validate(model: type[BaseModel] | TypeAdapter, content: Any, source: str) -> Any:
    """Validate `content` as `model`, with pydantic's findings as one UserError."""
    try:
        return model.validate_python(content) if isinstance(model, TypeAdapter) else model.model_validate(content)
    except ValidationError as error:
        raise UserError("\n".join(f"{source}: {line}" for line in _describe(error, content))) from None


def refuse(mistakes: Iterable[str]) -> None:
    """Raise one error that lists all mistakes, a line each, as pydantic's validators are to do.

    Raises:
        ValueError: there are some.
    """
    if lines := "\n".join(mistakes):
        raise ValueError(lines)


def _describe(error: ValidationError, content: Any) -> list[str]:
    lines: dict[str, str] = {}  # what is wrong, by where it is and what was found
    for finding in error.errors():
        key, message = _find_key(finding["loc"], content), finding["msg"].removeprefix("Value error, ")
        if finding["type"] == "value_error":
            lines |= {f"{key}.{sentence}" if key else sentence: "" for sentence in message.splitlines()}
            continue
        if finding["type"] == "extra_forbidden":
            message = "unknown key; remove it or correct its name"
        if finding["type"] in ("model_type", "model_attributes_type", "dict_type"):
            message = "expected a mapping of keys to values"
        if finding["type"] == "union_tag_invalid":
            told = finding["ctx"]
            message = f"{told['discriminator']}: expected one of {told['expected_tags']}"
        if finding["type"] == "union_tag_not_found":
            message = f"expected a key {finding['ctx']['discriminator']}, which says what the other keys mean"
        if finding["type"] == "float_type" and _is_number(finding["input"]):
            message += "; in quotes it is a word: write the number without them"
        if finding["type"] == "missing":
            place = f"{key}.{finding['loc'][-1]}: ".lstrip(".")
        else:
            place = f"{key}: found {shorten(finding['input'])}: ".removeprefix(": ")
        lines[place] = f"{lines[place]}, or {message}" if place in lines else message
    return [f"{place}{message}" for place, message in lines.items()]


def _find_key(location: Sequence[str | int], content: Any) -> str:
    """The part of pydantic's location that can be found in the file: the names of alternatives are its own."""
    key = []
    for part in location:
        known = range(len(content)) if isinstance(content, list) else content if isinstance(content, Mapping) else ()
        if part in known:
            content = content[part]
            key.append(str(part))
    return ".".join(key)


def _is_number(word: Any) -> bool:
    try:
        return isinstance(word, str) and math.isfinite(float(word))
    except ValueError:
        return False
