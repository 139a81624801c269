"""YAML files: read as plain data, and a key that stands twice in one mapping is refused instead of overwritten.

Numbers and switches are those of YAML 1.2, as DVC reads and writes them: `5e-05` is a number and `yes` a word. PyYAML
by itself keeps to YAML 1.1, where it is the other way round and `010` is eight.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.access import read_regular

if TYPE_CHECKING:
    from yaml import Node, SafeLoader

MAX_BYTES = 2**24
MERGE = "tag:yaml.org,2002:merge"  # of `<<`, which may stand twice and be overwritten
SCALARS = {  # of YAML 1.2, with the underscores that DVC's reader takes: what each looks like, and how it may begin
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?[0-9][0-9_]*|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    "float": (
        r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|[0-9][0-9_]*(?=[eE])|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
}


def read_yaml(path: Path | str) -> Any:
    """Read a YAML file of one document.

    Args:
        path: of the file, in UTF-8.

    Returns:
        Mappings, lists and scalars; None where the file is empty.

    Raises:
        UserError: the file cannot be read, is no YAML, or a mapping has a key twice; all such keys are named.
    """
    import yaml

    try:
        loader = make_loader()(read_regular(path, MAX_BYTES).decode())
        document = loader.get_single_node()
        repeated = [] if document is None else list(find_repeated(document))
        content = None if document is None or repeated else loader.construct_document(document)
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read ({error.strerror}); run from the project's root, or restore it from git"
        ) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}: expected YAML in UTF-8, found other bytes in line {line}; save it so") from error
    except RecursionError as error:
        raise UserError(f"{path}: expected YAML of a few levels, found hundreds of blocks in blocks") from error
    except (yaml.YAMLError, ValueError) as error:  # PyYAML lets a date or number without sense through
        raise UserError(f"{path}: expected YAML, found: {error}") from error
    if repeated:
        raise UserError("\n".join(f"{path}: {mistake}" for mistake in repeated))
    return content


@cache
def make_loader() -> type["SafeLoader"]:
    """PyYAML's loader of plain data, with the numbers and switches of YAML 1.2."""
    import yaml

    class Loader(yaml.SafeLoader):
        def construct_integer(self, node: "yaml.ScalarNode") -> int:
            digits = str(self.construct_scalar(node)).replace("_", "")
            base = {"0o": 8, "0x": 16}.get(digits[:2], 10)
            number = int(digits, base)
            str(number)  # refuses digits that no message could show
            return number

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] not in SCALARS]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    for kind, (pattern, first) in SCALARS.items():
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", re.compile(f"(?:{pattern})$"), list(first))
    Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_integer)
    return Loader


def read_words(content: Any) -> Any:
    """Plain data whose words are read as YAML's scalars: of `--config` Snakemake gives numbers in a block as words."""
    import yaml

    if isinstance(content, dict):
        return {key: read_words(value) for key, value in content.items()}
    if isinstance(content, list):
        return [read_words(value) for value in content]
    if not isinstance(content, str):
        return content
    try:
        value = make_loader()(content).get_single_data()
    except (yaml.YAMLError, ValueError):
        return content
    return value if isinstance(value, (int, float)) or content in ("null", "~") else content


def find_line(path: Path | str, keys: Sequence[str]) -> int | None:
    """The line where a key stands, such as `("experiments", "mine", "rounds")`; None where the file has no such key.

    What `<<` brings in counts, an experiment's `extends` does not. An item of a list is found by its number.
    """
    import yaml

    try:
        node = make_loader()(read_regular(path, MAX_BYTES).decode()).get_single_node()
    except (OSError, ValueError, yaml.YAMLError):
        return None
    line = None
    for key in keys:
        found = _find_child(node, key)
        if found is None:
            return None
        line, node = found
    return line


def _find_child(node: "Node | None", key: str) -> "tuple[int, Node] | None":
    """The line of a key of a mapping or of an item of a list, and what stands there."""
    from yaml import MappingNode, SequenceNode

    if isinstance(node, SequenceNode) and key.isdecimal() and int(key) < len(node.value):
        item = node.value[int(key)]
        return item.start_mark.line + 1, item
    if not isinstance(node, MappingNode):
        return None
    for name, value in node.value:
        if name.value == key:
            return name.start_mark.line + 1, value
    for name, value in node.value:
        if name.tag == MERGE:
            merged = value.value if isinstance(value, SequenceNode) else [value]
            for part in merged:
                if found := _find_child(part, key):
                    return found
    return None


def find_repeated(document: "Node") -> Iterator[str]:
    """Sentences on the keys that stand twice in one mapping, each with its place and lines.

    Args:
        document: the root of the tree that YAML's composer gives, before `<<` is resolved.
    """
    from yaml import MappingNode, ScalarNode, SequenceNode

    seen, waiting = set(), [(document, "")]
    while waiting:
        node, place = waiting.pop()
        if id(node) in seen:  # an alias, perhaps of what it stands in
            continue
        seen.add(id(node))
        if isinstance(node, SequenceNode):
            waiting += [(item, f"{place}{number}.") for number, item in enumerate(node.value)]
        elif isinstance(node, MappingNode):
            lines: dict[tuple[str, str], int] = {}
            for key, value in node.value:
                if not isinstance(key, ScalarNode):
                    continue  # no key of ours; whoever checks the content says so
                line, known = key.start_mark.line + 1, lines.get((key.tag, key.value))
                if known and key.tag != MERGE:
                    yield f"{place}{key.value}: stands in line {known} and again in line {line}; remove one of them"
                lines[key.tag, key.value] = line
                waiting.append((value, f"{place}{key.value}."))
