"""The settings in several files: what lies over what, and where a mistake stands."""

import re

import pytest
import yaml
from examples import PARAMS

from competitive_mixtures.errors import UserError
from competitive_mixtures.settings.overlays import read_params


@pytest.fixture
def write(tmp_path):
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(PARAMS, sort_keys=False))

    def write(name, text):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


@pytest.fixture
def path(tmp_path):
    return tmp_path / "params.yaml"


def test_without_overrides(write, path):
    assert read_params(path).experiments["tiny"].rounds == PARAMS["experiments"]["tiny"]["rounds"]


@pytest.mark.parametrize("text", ["{}\n", "", "# nothing\n"])
def test_empty_overrides(write, path, text):
    before = read_params(path)
    write("overrides.yaml", text)
    assert read_params(path) == before


@pytest.mark.parametrize(("text", "found"), [("[]", "list"), ("0", "int"), ("''", "str"), ("false", "bool")])
def test_what_is_empty_but_no_mapping_is_refused(write, path, text, found):
    write("overrides.yaml", text)
    with pytest.raises(UserError, match=rf"overrides\.yaml: found {found}, expected parts of the blocks"):
        read_params(path)


def test_the_later_layer_counts(write, path):
    write("overrides.yaml", "experiments: {tiny: {rounds: 7, training: {batch_size: 7}}}\n")
    other = write("other.yaml", "experiments: {tiny: {rounds: 8}}\n")
    assert read_params(path).experiments["tiny"].rounds == 7
    loaded = read_params(path, [other])
    assert (loaded.experiments["tiny"].rounds, loaded.experiments["tiny"].training.batch_size) == (8, 7)
    options = {"seeds": 9, "experiments": {"tiny": {"rounds": "9", "training": {"batch_size": "5"}}}}
    loaded = read_params(path, [other], options)  # of a block Snakemake gives words
    assert (loaded.seeds, loaded.experiments["tiny"].rounds) == (9, 9)
    assert loaded.experiments["tiny"].training.batch_size == 5


def test_a_number_as_dvc_writes_it(write, path):
    write("overrides.yaml", "experiments:\n  tiny:\n    balancing:\n      min_share: 5e-05\n")
    assert read_params(path).experiments["tiny"].balancing.min_share == 5e-05


def test_an_item_of_a_list(write, path):
    before = read_params(path).experiments["tiny"].components
    write("overrides.yaml", "experiments: {tiny: {components: {'0': {latent_dim: 3}}}}\n")
    after = read_params(path).experiments["tiny"].components
    assert after[0].latent_dim == 3
    assert after[0].model_copy(update={"latent_dim": before[0].latent_dim}) == before[0]
    assert after[1:] == before[1:]
    write("overrides.yaml", "experiments: {tiny: {components: {'99': {latent_dim: 3}}}}\n")
    with pytest.raises(UserError, match=r"experiments\.tiny\.components: .*valid list.*\(overrides\.yaml, line 1\)"):
        read_params(path)


def test_a_mistake_is_named_with_its_file_and_line(write, path):
    write("overrides.yaml", "\nexperiments:\n  tiny:\n    rounds: many\n")
    with pytest.raises(UserError, match=r"tiny\.rounds: found 'many': .*integer \(overrides\.yaml, line 4\)"):
        read_params(path)
    write("overrides.yaml", "experiments: {own: {extends: tiny}}")
    broken = re.sub(r"batch_size: \d+", "batch_size: 8e", path.read_text(), count=1)
    line = broken[: broken.index("8e")].count("\n") + 1
    path.write_text(broken)
    with pytest.raises(UserError) as caught:
        read_params(path)
    for name in ("tiny", "own"):  # which extends it
        assert f"experiments.{name}.training.batch_size: found '8e'" in str(caught.value)
    assert str(caught.value).count(f"(params.yaml, line {line})") == 2


def test_overrides_of_another_kind(write, path):
    write("overrides.yaml", "[1, 2]")
    with pytest.raises(UserError, match=r"overrides\.yaml: found list, expected parts of the blocks"):
        read_params(path)


def test_a_missing_key_is_placed_by_the_block_that_lacks_it(write, path):
    """A mistyped name in the overrides is a new experiment, of which nearly all is missing."""
    write("overrides.yaml", "# for a program\nexperiments:\n  tyni: {rounds: 1}\n")
    with pytest.raises(UserError) as caught:
        read_params(path)
    lines = str(caught.value).splitlines()
    assert "params.yaml: experiments.tyni.dataset: Field required (overrides.yaml, line 3)" in lines
    assert all(line.endswith("(overrides.yaml, line 3)") for line in lines)
