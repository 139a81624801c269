"""`docs/settings.md`: every key of `params.yaml`, a table for each block, made from the JSON schema."""

import json
import re

from competitive_mixtures.settings.json_schema import Schema, find_blocks, make_schema

COMMAND = "competitive-mixtures schema"
HEAD = f"""# Settings

Every key of `params.yaml`, a table for each block. `{COMMAND}` writes this file, and `params.schema.json`
for editors, from the code that checks `params.yaml`.

A block with a `kind` has the keys of that kind. An experiment that `extends` another takes over whatever it leaves out,
keys named *required* here too.
"""
TABLE_HEAD = "| key | what it is | value | unit | default |\n|---|---|---|---|---|\n"
WORDS = {"integer": "integer", "number": "number", "string": "text", "boolean": "`true` or `false`", "null": "`null`"}
MIRRORED = {"≥": "≤", ">": "<"}


def make_documents() -> dict[str, str]:
    """The text of the files that describe `params.yaml`, by their paths from the project's root."""
    schema = make_schema()
    return {
        "params.schema.json": json.dumps(schema, indent=1, ensure_ascii=False) + "\n",
        "docs/settings.md": render(schema),
    }


def render(schema: Schema) -> str:
    """The whole document, from the schema of `make_schema`."""
    places = find_places(schema)
    titles = {name: _name_block(schema["$defs"][name], paths) for name, paths in places.items()}
    text = HEAD + _render_block("The file", [], schema, titles)
    for name, paths in places.items():
        text += _render_block(titles[name], paths, schema["$defs"][name], titles)
    return text


def find_places(schema: Schema) -> dict[str, list[str]]:
    """The paths of every block in the file, by the block's name, in the order of the file."""
    places: dict[str, list[str]] = {}

    def visit(block: Schema, path: str) -> None:
        for key, field in block["properties"].items():
            for suffix, name in find_blocks(field):
                known = places.setdefault(name, [])
                if f"{path}{key}{suffix}" not in known:
                    known.append(f"{path}{key}{suffix}")
                    visit(schema["$defs"][name], f"{path}{key}{suffix}.")

    visit(schema, "")
    return places


def _name_block(block: Schema, paths: list[str]) -> str:
    """A title of the keys that hold the block, and of its kind."""
    keys = dict.fromkeys(path if path.endswith(">") else path.rpartition(".")[2] for path in paths)
    kind = block["properties"].get("kind")
    return ", ".join(f"`{key}`" for key in keys) + (f" of kind `{kind['const']}`" if kind else "")


def _render_block(title: str, paths: list[str], block: Schema, titles: dict[str, str]) -> str:
    text = f"\n## {title}\n\n{block['description']}\n"
    if named := [f"`{path}`" for path in paths if f"`{path}`" not in title]:
        text += f"\nIn {', '.join(named)}.\n"
    rows = []
    for key, field in block["properties"].items():
        about = "names the kind" if key == "kind" else field.get("description", "").rstrip(".")
        missing = "*required*" if key in block["required"] else ""
        default = f"`{json.dumps(field['default'])}`" if "default" in field else missing
        cells = (f"`{key}`", about, _join(_list_values(field, titles)), _find_unit(field), default)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n")
    return f"{text}\n{TABLE_HEAD}{''.join(rows)}"


def _list_values(field: Schema, titles: dict[str, str]) -> list[str]:
    """What may stand behind a key: words, types with their range, links to blocks."""
    if "$ref" in field:
        ((_, name),) = find_blocks(field)
        _, _, kind = titles[name].rpartition(" of kind ")
        return [f"[{kind if kind != titles[name] else 'block'}](#{make_anchor(titles[name])})"]
    if "anyOf" in field:
        return [value for choice in field["anyOf"] for value in _list_values(choice, titles)]
    if "else" in field:
        return _list_values(field["else"], titles)
    if "patternProperties" in field:
        (inner,) = field["patternProperties"].values()
        return [f"by name: {_join(_list_values(inner, titles))}"]
    if "items" in field:
        return [f"list{_describe_length(field)} of {_join(_list_values(field['items'], titles))}"]
    if "const" in field or "enum" in field:
        return [f"`{value}`" for value in field.get("enum", [field.get("const")])]
    pattern = f" like `{field['pattern']}`" if "pattern" in field else ""
    return [_describe_range(field, WORDS[field["type"]]) + pattern]


def _describe_range(field: Schema, word: str) -> str:
    """Say `0 ≤ number < 1`, or `integer ≥ 1` where there is no upper limit."""
    lower = {"≥": field.get("minimum"), ">": field.get("exclusiveMinimum")}
    upper = {"≤": field.get("maximum"), "<": field.get("exclusiveMaximum")}
    low = [(sign, _write(limit)) for sign, limit in lower.items() if limit is not None]
    high = [(sign, _write(limit)) for sign, limit in upper.items() if limit is not None]
    if low and high:
        return f"{low[0][1]} {MIRRORED[low[0][0]]} {word} {high[0][0]} {high[0][1]}"
    return " ".join([word, *(f"{sign} {limit}" for sign, limit in low + high)])


def _write(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) else f"{number:g}"


def _describe_length(field: Schema) -> str:
    low, high = field.get("minItems", 0), field.get("maxItems")
    if high is not None:
        return f" ({low})" if low == high else f" ({low} to {high:,})"
    return f" (at least {low})" if low else ""


def make_anchor(title: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _join(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _find_unit(field: Schema) -> str:
    """The unit of a number, or of the numbers in a list or among other values."""
    inner = [*field.get("anyOf", []), *([field["items"]] if "items" in field else [])]
    return field.get("unit") or next(filter(None, map(_find_unit, inner)), "")
