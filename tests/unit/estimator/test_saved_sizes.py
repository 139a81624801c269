"""A saved estimator whose settings do not fit its tensors is refused before anything of the settings' size is made."""

import resource
from contextlib import contextmanager

import pytest
from examples import make_blobs

from competitive_mixtures import CompetitiveMixture
from competitive_mixtures.errors import UserError
from competitive_mixtures.files.formats import read_metadata, read_tensors, write_tensors

pytestmark = pytest.mark.filterwarnings("ignore:CompetitiveMixture. components")  # tiny fits are no good

GIGABYTE = 2**30


@contextmanager
def limit_memory():
    """No more than two gigabytes beyond what this process has."""
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + 2 * GIGABYTE, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "m.safetensors"
    CompetitiveMixture(2, n_rounds=1, steps_per_round=2, hidden_layer_sizes=(8,), random_state=0).fit(
        make_blobs().train
    ).save(path)
    return path


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (("components", 0, "count"), 1_000_000, r"components\.0\.count: found 1000000"),
        (("components", 0, "count"), 10_000, "at least [0-9]+ weights, the tensors hold"),
        (("components", 0, "encoder", "hidden"), [1_000_000_000], r"hidden\.0: found 1000000000"),
        (("components", 0, "encoder", "hidden"), [100_000] * 2, "memory|at least [0-9]+ weights"),
        (("components", 0, "latent_dim"), 100_000, "at least [0-9]+ weights"),
        (("scoring", "network", "hidden"), [100_000] * 2, "memory|at least [0-9]+ weights"),
        (("evaluation", "num_samples"), 10**12, r"num_samples: found 1000000000000"),
    ],
)
def test_sizes_that_the_tensors_do_not_have(saved, tmp_path, key, value, message):
    metadata, path = read_metadata(saved), tmp_path / "m.safetensors"
    block = metadata["mixture"]["experiment"]
    for part in key[:-1]:
        block = block[part]
    block[key[-1]] = value
    write_tensors(path, read_tensors(saved), metadata)
    with limit_memory(), pytest.raises(UserError, match=rf"m\.safetensors: .*({message})"):
        CompetitiveMixture.load(path)


@pytest.mark.parametrize("name", ["prior", "weights"])
def test_vectors_of_another_length(saved, tmp_path, name):
    tensors, path = read_tensors(saved), tmp_path / "m.safetensors"
    write_tensors(path, tensors | {name: tensors[name].repeat(2)}, read_metadata(saved))
    with pytest.raises(UserError, match=rf"m\.safetensors: {name}: damaged"):
        CompetitiveMixture.load(path)


@pytest.mark.parametrize(("name", "value"), [("n_components", 10**6), ("steps_per_round", 10**12)])
def test_sizes_without_bound_are_refused_by_fit(name, value):
    with pytest.raises(UserError, match=rf"{name if name == 'n_components' else 'steps_per_round'}"):
        CompetitiveMixture(**{name: value}).fit(make_blobs().train)


def test_hidden_layers_that_no_memory_holds():
    with pytest.raises(UserError, match=r"components\.0: needs at least .* of memory, this machine has"):
        CompetitiveMixture(2, hidden_layer_sizes=(100_000,) * 3).fit(make_blobs().train)
