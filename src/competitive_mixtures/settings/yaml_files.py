"""YAML files: read as plain data, and a key that stands twice in one mapping is refused instead of overwritten."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from competitive_mixtures.errors import UserError
from competitive_mixtures.files.formats import read_regular

if TYPE_CHECKING:
    from yaml import Node

MAX_BYTES = 2**24
MERGE = "tag:yaml.org,2002:merge"  # of `<<`, which may stand twice and be overwritten


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
        loader = yaml.SafeLoader(read_regular(path, MAX_BYTES).decode())
        document = loader.get_single_node()
        repeated = [] if document is None else list(find_repeated(document))
        content = None if document is None or repeated else loader.construct_document(document)
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read ({error.strerror}); run from the project's root, or restore it from git"
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # PyYAML lets a date or number without sense through
        raise UserError(f"{path}: expected YAML, found: {error}") from error
    if repeated:
        raise UserError("\n".join(f"{path}: {mistake}" for mistake in repeated))
    return content


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
