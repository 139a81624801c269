"""The JSON schema of params.yaml: it takes what loads, refuses misspelt keys, and explains every key."""

import copy

import pytest
import yaml
from examples import BASE, BLOBS, GAN, MLP, PARAMS, PLAN, ROOT, VAE, params
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel
from test_schema import VALUES, paths

from competitive_mixtures.errors import UserError
from competitive_mixtures.settings.json_schema import find_blocks, make_schema, read_docstring
from competitive_mixtures.settings.schema import load_params

SCHEMA = make_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
OWN = yaml.safe_load((ROOT / "params.yaml").read_text())
NAMED = ("datasets", "experiments")  # whose keys are the user's own


def accepts(content):
    return VALIDATOR.is_valid(content)


def list_models(base=BaseModel):
    """Every block of settings and every data set's specification."""
    for model in base.__subclasses__():
        if model.__module__.startswith("competitive_mixtures."):
            yield model
        yield from list_models(model)


def test_it_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)


def test_the_projects_own_file_is_sound():
    assert [f"{error.json_path}: {error.message[:80]}" for error in VALIDATOR.iter_errors(OWN)] == []
    assert (ROOT / "params.yaml").read_text().startswith("# yaml-language-server: $schema=params.schema.json\n")


@pytest.mark.parametrize("content", [PARAMS, OWN], ids=["example", "own"])
def test_a_misspelt_key_is_refused_wherever_it_is(content):
    content = copy.deepcopy(content)
    names = list(content["experiments"])
    for name in names[5:]:  # a few of them are enough
        del content["experiments"][name]
    for *parents, key in list(paths(content)):
        if isinstance(key, int) or (len(parents) == 1 and parents[0] in NAMED):
            continue
        node = content
        for parent in parents:
            node = node[parent]
        node[f"{key}x"] = node.pop(key)
        assert not accepts(content), (*parents, key)
        node[key] = node.pop(f"{key}x")
    assert accepts(content)


class TestExtends:
    def extend(self, **block):
        content = params()
        content["experiments"]["more"] = {"extends": "tiny", **block}
        return content

    @pytest.mark.parametrize(
        "block",
        [
            {},
            {"training": {"batch_size": 4}, "rounds": 3},
            {"scoring": {"steps_per_round": 5}},
            {"scoring": {"kind": "bound"}},
            {"scoring": {"network": {"hidden": [4]}}},
            {"scoring": {"trunk": "shared", "optimizer": {"beta1": 0.5}}},
            {"revival": {"until": 3}},
            {"revival": None},
            {"components": [VAE, GAN]},
        ],
        ids=str,
    )
    def test_any_key_may_be_left_out(self, block):
        assert accepts(self.extend(**block))

    @pytest.mark.parametrize(
        "block",
        [
            {"training": {"batch_sise": 4}},
            {"training": {"batch_size": 0}},
            {"scoring": {"kind": "bound", "network": MLP}},
            {"scoring": {"kind": "bounds"}},
            {"scoring": {"network": {"kind": "conv", "hidden": [4]}}},
            {"components": [{"kind": "vae", "count": 2}]},  # lists are replaced, not merged
            {"extends": None},
        ],
        ids=str,
    )
    def test_what_is_there_has_to_be_sound(self, block):
        assert not accepts(self.extend(**block))

    def test_an_experiment_of_its_own_has_to_be_whole(self):
        content = params()
        for key in BASE | PLAN:
            block = BASE | PLAN
            del block[key]
            assert not accepts(content | {"experiments": {"own": block}}), key
            assert accepts(content | {"experiments": {"own": block | {"extends": "tiny"}, **content["experiments"]}})


@given(data=st.data())
def test_what_loads_is_accepted(data):
    content = copy.deepcopy(PARAMS)
    content["experiments"]["more"] = {"extends": "tiny", "scoring": {"kind": "classifier"}}
    for _ in range(data.draw(st.integers(1, 3))):
        *parents, key = data.draw(st.sampled_from(list(paths(content))))
        node = content
        for parent in parents:
            node = node[parent]
        if isinstance(node, dict) and data.draw(st.booleans()):
            node.pop(key)
        else:
            node[key] = copy.deepcopy(data.draw(VALUES))
    try:
        load_params(content)
    except UserError:
        return
    assert accepts(content)


@pytest.mark.parametrize("name", ["a/b", "", ".hidden"])
def test_names_are_those_of_folders(name):
    assert not accepts(params() | {"datasets": {name: BLOBS}})


def test_every_key_is_explained():
    blocks = {"params.yaml": SCHEMA} | SCHEMA["$defs"]
    silent = [
        (name, key)
        for name, block in blocks.items()
        for key, field in block["properties"].items()
        if not field.get("description")
    ]
    assert silent == []
    assert SCHEMA["$defs"]["Training"]["properties"]["batch_size"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 10_000_000,
        "unit": "points",
        "description": "points of its cell that a component draws in one step.",
    }


def test_nothing_is_explained_that_is_no_key():
    for model in list_models():
        assert read_docstring(model)[1].keys() <= model.model_fields.keys(), model


def test_keys_that_a_base_has_are_explained_by_it():
    class Base(BaseModel):
        """A base.

        Attributes:
            one: first,
                on two lines.
        """

    class Block(Base):
        """A block: what it is.

        More of it.

        Attributes:
            two: second.
        """

    assert read_docstring(Block) == (
        "A block: what it is.\n\nMore of it.",
        {"one": "first, on two lines.", "two": "second."},
    )


def test_blocks_are_found_in_unions_lists_and_by_name():
    properties = SCHEMA["$defs"]["PlannedExperiment"]["properties"]
    assert list(find_blocks(properties["components"])) == [("[]", "VAE"), ("[]", "GAN")]
    assert list(find_blocks(properties["revival"])) == [("", "Revival")]
    assert list(find_blocks(properties["device"])) == []
    assert (".<name>", "mnist.Spec") in find_blocks(SCHEMA["properties"]["datasets"])
    assert list(find_blocks(SCHEMA["properties"]["experiments"])) == [(".<name>", "PlannedExperiment")]
