"""Whatever stands in params.yaml: parameters, or one error of a few lines that a person can read."""

import copy
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from examples import PARAMS
from hypothesis import given
from hypothesis import strategies as st

from competitive_mixtures.errors import UserError
from competitive_mixtures.settings.overlays import read_params
from competitive_mixtures.settings.schema import load_params

TEXT = yaml.safe_dump(copy.deepcopy(PARAMS), sort_keys=False)
# What YAML has beside plain words and numbers.
ODD = st.sampled_from(
    """
    ~ | null | yes | NO | 010 | 0x1F | 1_000 | 1:30 | 1e-4 | 1.0e+400 | .inf | -.inf | .nan | 2020-01-01 | 2020-13-01
    | !!binary aGk= | !!set {a, b} | !!python/name:os.system | !!python/object/apply:os.abort [] | !tag x | &a [*a]
    | {<<: 3} | *missing | "\\ud800" | '' | [] | {} | {? [1] : 2} | >- | | | - | : | @x | `x | %x | "unclosed | {a:
    | --- | 99999999999999999999 | 1e999999 | é | \t | \0
    """.replace("\n    |", " |").split(" | ")
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=3) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.text(max_size=6) | st.integers() | st.none() | st.booleans() | st.sampled_from(["extends", "kind", "count"])


def check(read) -> None:
    try:
        read()
    except UserError as error:
        message = str(error)
        assert message.strip()
        assert len(message) < 20_000
        message.encode()  # can be printed


def read_text(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "params.yaml"
        path.write_bytes(text.encode(errors="surrogatepass"))
        check(lambda: read_params(path))


@given(st.data())
def test_any_line_replaced_by_an_oddity(data):
    lines = TEXT.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        number = data.draw(st.integers(0, len(lines) - 1))
        key, colon, _ = lines[number].partition(":")
        lines[number] = f"{key}{colon} {data.draw(ODD)}"
    read_text("\n".join(lines))


@given(st.integers(0, len(TEXT)), st.integers(0, 30), st.text(max_size=10))
def test_any_part_cut_out_or_overwritten(start, length, text):
    read_text(TEXT[:start] + text + TEXT[start + length :])


@given(st.data())
def test_any_value_anywhere(data):
    content = copy.deepcopy(PARAMS)
    node = content
    while isinstance(node, dict | list) and len(node):
        keys = sorted(node) if isinstance(node, dict) else range(len(node))
        key = data.draw(st.sampled_from(list(keys)))
        if not isinstance(node[key], dict | list) or data.draw(st.booleans()):
            action = data.draw(st.sampled_from(["replace", "remove", "add"]))
            if action == "remove":
                del node[key]
            elif action == "add" and isinstance(node, dict):
                node[data.draw(KEYS)] = data.draw(VALUES)
            else:
                node[key] = data.draw(VALUES)
            break
        node = node[key]
    check(lambda: load_params(content))


LEVELS = "abcdefgh"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in pairwise(LEVELS)
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB + "seeds: *h\ndatasets: {}\nexperiments: {}\n",
        BOMB + "seeds: 1\ndatasets: *h\nexperiments: {x: *h, y: {extends: *h}}\n",
        "seeds: " + "[" * 2000 + "]" * 2000,
        "experiments: " + "{a: " * 2000 + "1" + "}" * 2000,
        "experiments: &a {x: *a, y: {extends: x}}\nseeds: 1\ndatasets: {}\n",
        "experiments: {x: &a {b: *a}, y: {extends: x, b: {b: {b: 1}}}}\nseeds: 1\ndatasets: {}\n",
        "seeds: " + "9" * 5000,
        "",
        "a: 1\n---\nb: 2\n",
    ],
    ids=["bomb", "bomb of blocks", "lists", "blocks", "circle", "merged circle", "digits", "empty", "two documents"],
)
def test_what_has_no_end(text):
    read_text(text)
