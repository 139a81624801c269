"""Sizes without bound are refused by their keys; what is counted is a lower limit."""

import copy

import pytest
import torch
from examples import BASE, ROOT

from competitive_mixtures.errors import UserError
from competitive_mixtures.method.run import Setup
from competitive_mixtures.method.scale import Scale
from competitive_mixtures.networks.ensemble import build_components, build_discriminators
from competitive_mixtures.settings.messages import validate
from competitive_mixtures.settings.overlays import read_params
from competitive_mixtures.settings.schema import Conv, Experiment
from competitive_mixtures.settings.sizes import count_weights, find_excesses

EXPERIMENTS = read_params(ROOT / "params.yaml").experiments
MEMORY = 8 * 10**9


def change(path: str, value: object) -> dict:
    """BASE with one value changed."""
    content = copy.deepcopy(BASE)
    *way, key = path.split(".")
    block = content
    for part in way:
        block = block[int(part) if part.isdecimal() else part]
    block[int(key) if key.isdecimal() else key] = value
    return content


@pytest.mark.parametrize(
    "path",
    [
        "components.0.count",
        "components.0.latent_dim",
        "components.0.encoder.hidden.0",
        "components.0.decoder.hidden.0",
        "training.batch_size",
        "training.pretraining_steps",
        "training.steps_per_round",
        "training.shared_layers",
        "scoring.batch_size",
        "scoring.steps_per_round",
        "scoring.network.hidden.0",
        "evaluation.num_samples",
        "evaluation.num_bandwidth_samples",
        "evaluation.num_neighbors",
        "shards",
    ],
)
@pytest.mark.parametrize("size", [10**9, 10**12, 10**30])
def test_a_size_without_bound_is_refused_by_its_key(path, size):
    with pytest.raises(UserError, match=rf"config: {path}: found {size}: Input should be less than or equal to"):
        validate(Experiment, change(path, size), "config")


def test_a_network_of_too_many_layers_is_refused():
    with pytest.raises(UserError, match=r"components.0.encoder.hidden: .*at most 100 items"):
        validate(Experiment, change("components.0.encoder.hidden", [8] * 101), "config")


def test_sound_sizes_that_no_machine_holds_together_are_refused():
    network = {"kind": "mlp", "hidden": [100_000] * 30}
    with pytest.raises(UserError, match=r"components.0: needs at least .* GB of memory, the largest machine has"):
        validate(Experiment, change("components.0.encoder", network), "config")


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_count_is_below_what_the_networks_have_and_not_far(name):
    """Counted on the device that holds no numbers."""
    experiment = EXPERIMENTS[name]
    shapes = {"synthetic": (2,), "celeba": (3, 64, 64), "avatars": (3, 32, 32)}
    shape = shapes.get(name.split("-")[0], (1, 28, 28))
    with torch.device("meta"):
        found = build_components(experiment, shape, 0, device="meta").num_parameters
        if not experiment.scoring.uses_bounds:
            found += build_discriminators(experiment, shape, (0,), device="meta").num_parameters
    counted = sum(weights for _, weights in experiment.list_weights(shape))
    assert counted < found
    if not experiment.training.shared_layers:
        assert counted > found / 4


def test_weights_of_an_mlp_and_of_convolutions():
    network = validate(Experiment, change("components.0.encoder.hidden", [7, 5]), "").components[0].encoder
    assert count_weights(network, 3, (2, 4)) == 8 * 5 + 5 * 7 + 7 * 3  # as a decoder, which has fewer
    network = validate(Conv, {"kind": "conv", "channels": [4, 8]}, "")
    assert count_weights(network, 3, (1, 8, 12)) == 16 * 4 * 8 + 3 * 4 * (2 * 3)


def test_what_a_machine_cannot_hold_is_named_with_its_size():
    experiment = validate(Experiment, change("training.batch_size", 10_000_000), "")
    (line,) = find_excesses(experiment.list_needs((3, 64, 64)), MEMORY, "this machine")
    assert (
        line == "training.batch_size: needs at least 491.5 GB of memory, this machine has 8.0 GB; take smaller numbers"
    )


def test_a_setup_allocates_nothing_that_the_machine_cannot_hold():
    experiment = validate(Experiment, change("components.0.decoder.hidden", [100_000] * 3), "")
    with pytest.raises(UserError, match=r"components.0: needs at least [\d,.]+ GB of memory, this machine has"):
        Setup(experiment, "vector", (2,), Scale(), 0)
