"""Ensembles: the same networks whatever the back-end, the shard and the company."""

import pytest
import torch
from examples import CONV, GAN, MLP, VAE, change, make_experiment

from competitive_mixtures.networks.ensemble import build_components, build_discriminators, choose_backend
from competitive_mixtures.seeding import make_generators
from competitive_mixtures.settings.schema import Training

MIXED = [VAE | {"count": 2}, GAN | {"count": 2}]


def build(seed=0, ids=None, **changes):
    return build_components(make_experiment(baselines=[], **changes), (2,), seed, ids=ids)


def assert_same(state, other):
    assert state.keys() == other.keys()
    for name, tensor in state.items():
        assert torch.equal(tensor, other[name]), name


@pytest.mark.parametrize("components", [[VAE], [GAN], MIXED], ids=["vae", "gan", "mixed"])
def test_back_ends_start_from_the_same_networks(components):
    stacked, loop = (build(components=components, training={"backend": backend}) for backend in ("stacked", "loop"))
    assert stacked.ids == loop.ids
    assert len(loop.stacks) == len(loop.ids)
    assert_same(stacked.state(), loop.state())
    assert stacked.num_parameters == loop.num_parameters


def test_seeds_give_different_networks():
    assert not torch.equal(build(0).state()["0.encoder.layers.0.weight"], build(1).state()["0.encoder.layers.0.weight"])


@pytest.mark.parametrize("backend", ["stacked", "loop"])
@pytest.mark.parametrize("ids", [[0], [1, 2], [3], [0, 3]])
def test_a_shard_holds_the_same_networks(backend, ids):
    whole = build(components=MIXED, training={"backend": backend})
    shard = build(components=MIXED, training={"backend": backend}, ids=ids)
    assert shard.ids == ids
    fresh = {name: tensor.clone() for name, tensor in shard.state().items()}
    shard.load(whole.state())
    assert_same(shard.state(), fresh)


@pytest.mark.parametrize("backend", ["stacked", "loop"])
@pytest.mark.parametrize("ids", [[0, 1, 2, 3], [0, 1], [3], [1, 2]])
def test_samples_of_some_are_those_of_all(backend, ids):
    ensemble = build(components=MIXED, training={"backend": backend})
    everyone = ensemble.sample(range(4), make_generators(5, components=range(4)), 7)
    some = ensemble.sample(ids, make_generators(5, components=ids), 7)
    torch.testing.assert_close(some, everyone[ids])


@pytest.mark.parametrize("backend", ["stacked", "loop"])
@pytest.mark.parametrize("ids", [[0, 1, 2, 3], [1], [1, 2], [0, 3]])
def test_some_taken_are_those_of_a_shard(backend, ids):
    whole = build(components=MIXED, training={"backend": backend})
    taken = whole.take(ids)
    assert taken.ids == ids
    assert_same(taken.state(), build(components=MIXED, training={"backend": backend}, ids=ids).state())


def test_weights_are_the_state_without_adams():
    source, other = build(0, components=MIXED), build(1, components=MIXED)
    weights = source.weights()
    assert {name for name in source.state() if name not in weights} == {n for n in source.state() if "adam." in n}
    other.load_weights(weights)
    assert_same(other.weights(), weights)


@pytest.mark.parametrize("backend", ["stacked", "loop"])
def test_a_copy_is_complete_and_touches_no_other(backend):
    ensemble = build(components=MIXED, training={"backend": backend})
    before = {name: tensor.clone() for name, tensor in ensemble.state().items()}
    ensemble.copy_network(0, 1)
    after = ensemble.state()
    for name, tensor in after.items():
        if name.startswith("0.") and "shared" not in name:
            assert torch.equal(tensor[0], before[name][0])
            assert torch.equal(tensor[1], before[name][0])
        else:
            assert torch.equal(tensor, before[name])


def test_loading_takes_up_all_networks():
    source, other = build(0, components=MIXED), build(1, components=MIXED, training={"backend": "loop"})
    other.load(source.state())
    assert_same(other.state(), source.state())


@pytest.mark.parametrize("scoring", [{}, {"trunk": "shared"}, {"kind": "classifier"}])
def test_discriminators_are_one_for_each_component(scoring):
    ensemble = build_discriminators(make_experiment(scoring=scoring), (2,), (0, "round", 1))
    assert ensemble.ids == [0, 1, 2]
    ratios = [stack.log_ratios(torch.rand(5, 2)) for _, stack in ensemble.stacks]
    assert torch.cat(ratios, dim=1).shape == (5, 3)


def test_discriminators_of_each_round_are_new():
    first, again, second = (build_discriminators(make_experiment(), (2,), (0, "round", t)) for t in (1, 1, 2))
    assert_same(first.state(), again.state())
    assert not torch.equal(first.state()["0.network.layers.0.weight"], second.state()["0.network.layers.0.weight"])


@pytest.mark.parametrize(
    ("backend", "network", "shared", "device", "expected"),
    [
        ("auto", MLP, 0, "cpu", "stacked"),
        ("auto", CONV, 0, "cpu", "loop"),
        ("auto", CONV, 1, "cpu", "stacked"),
        ("auto", CONV, 0, "cuda", "stacked"),
        ("loop", MLP, 0, "cuda", "loop"),
        ("stacked", CONV, 0, "cpu", "stacked"),
    ],
)
def test_back_end_by_kind_and_device(backend, network, shared, device, expected):
    training = Training.model_validate(
        change(make_experiment().training.model_dump(), backend=backend, shared_layers=shared)
    )
    components = make_experiment(
        components=[VAE | {"decoder": network, "encoder": network}] if network == MLP else [VAE | {"decoder": network}]
    ).components
    assert choose_backend(training, [components[0].decoder], device) == expected
