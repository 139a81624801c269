"""Optimisation loops: both back-ends train the same networks, alone or beside others, and divergence is named."""

from contextlib import nullcontext

import pytest
import torch
from examples import (
    ADAM,
    CONV,
    CONV_GAN,
    CONV_VAE,
    GAN,
    MLP,
    VAE,
    WASSERSTEIN,
    make_blobs,
    make_experiment,
    make_images,
)

from competitive_mixtures.errors import TrainingDivergedError
from competitive_mixtures.method import batches, training
from competitive_mixtures.method.training import train_components, train_discriminators
from competitive_mixtures.networks.ensemble import build_components, build_discriminators

K = 3
LEARNED = VAE | {"likelihood": {"kind": "gaussian", "variance": "learned", "samples": "draws"}}
BLOCKS = {
    "vae": VAE,
    "learned variance": LEARNED,
    "conv vae": CONV_VAE,
    "gan": GAN,
    "wgan_gp": GAN | {"loss": WASSERSTEIN, "critic_steps": 2},
    "conv gan": CONV_GAN,
}


def points_for(block):
    dataset = make_images() if "conv" in str(block) else make_blobs()
    return torch.from_numpy(dataset.train)


def thirds(points):
    return list(torch.arange(len(points)).tensor_split(K))


def build(block, points, backend="stacked", ids=None, **changes):
    experiment = make_experiment(components=[block], training={"backend": backend}, **changes)
    return build_components(experiment, points.shape[1:], 0, ids=ids)


def train(components, points, cells, num_steps=100, key=(0, "test")):
    """Losses (k,) of a training with small batches."""
    return train_components(components, points, cells, num_steps=num_steps, batch_size=8, key=key).losses


def clone(state):
    return {name: tensor.clone() for name, tensor in state.items()}


def assert_close(state, other, skip=()):
    assert state.keys() == other.keys()
    for name, tensor in state.items():
        if not any(part in name for part in skip):
            torch.testing.assert_close(
                tensor, other[name], rtol=1e-5, atol=1e-5, msg=lambda text, n=name: f"{n}: {text}"
            )


@pytest.mark.parametrize("name", BLOCKS)
def test_back_ends_agree(name):
    block = BLOCKS[name]
    points = points_for(block)
    ensembles = [build(block, points, backend) for backend in ("stacked", "loop")]
    losses = [train(ensemble, points, thirds(points)) for ensemble in ensembles]
    torch.testing.assert_close(*losses, rtol=1e-4, atol=1e-5)
    # the Wasserstein critic's last bias cancels out of its loss: its gradient is rounding error
    last_bias = [f"critic.layers.{len(MLP['hidden'])}.bias"] if name == "wgan_gp" else []
    assert_close(*(ensemble.state() for ensemble in ensembles), skip=last_bias)


@pytest.mark.skipif(not torch.set_flush_denormal(False), reason="this processor keeps denormal numbers")
@pytest.mark.parametrize("name", ["vae", "gan"])
def test_moments_that_vanish_are_zero_and_change_no_weight(name, monkeypatch):
    points = points_for(name)

    def train_dead_units():
        """Networks whose hidden units have learned, and are then never active again."""
        ensemble = build(BLOCKS[name], points)
        train(ensemble, points, thirds(points), 5)
        for part, weights in ensemble.weights().items():
            if part.endswith("layers.0.bias"):
                weights.fill_(-1e4)
        train(ensemble, points, thirds(points), 1500)
        return ensemble

    def count_denormals(ensemble):
        moments = [m for _, stack in ensemble.stacks for a in stack.optimizers.values() for m in (*a.means, *a.squares)]
        return sum(int(((m != 0) & (m.abs() < torch.finfo(torch.float32).tiny)).sum()) for m in moments)

    flushed = train_dead_units()
    assert count_denormals(flushed) == 0
    monkeypatch.setattr(training, "flush_denormals", nullcontext)
    kept = train_dead_units()
    assert count_denormals(kept) > 0
    weights = kept.weights()
    assert all(torch.equal(tensor, weights[part]) for part, tensor in flushed.weights().items())


@pytest.mark.usefixtures("restore_pytorch")
def test_networks_on_a_thread_each_train_the_same():
    points = points_for(CONV_VAE)
    states = []
    for threads in (1, K):
        torch.set_num_threads(threads)
        ensemble = build(CONV_VAE, points, "loop")
        train(ensemble, points, thirds(points), 20)
        states.append(ensemble.state())
    assert all(torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())


@pytest.mark.parametrize("backend", ["stacked", "loop"])
def test_chunks_of_draws_are_the_same_for_every_back_end_and_shard(backend, monkeypatch):
    """Where a stream is cut into chunks must not depend on how many networks train side by side."""
    points = points_for(VAE)
    monkeypatch.setattr(batches, "CHUNK_BYTES", 7 * 8 * 8 * 16)  # seven steps of one component
    whole = build(VAE, points, backend)
    train(whole, points, thirds(points), 30)
    alone = build(VAE, points, ids=[1])
    train(alone, points, thirds(points)[1:2], 30)
    assert_close(alone.state(), {n: t if "shared" in n else t[1:2] for n, t in whole.state().items()})


@pytest.mark.parametrize("block", [VAE, GAN], ids=["vae", "gan"])
@pytest.mark.parametrize("ids", [[0], [1, 2]])
def test_part_of_an_ensemble_trains_as_the_whole(block, ids):
    points = points_for(block)
    whole, part = build(block, points), build(block, points, ids=ids)
    losses = train(whole, points, thirds(points), 40)
    own = train(part, points, [thirds(points)[j] for j in ids], 40)
    torch.testing.assert_close(own, losses[ids])
    assert_close(part.state(), {n: t if "shared" in n else t[ids] for n, t in whole.state().items()})


@pytest.mark.parametrize("backend", ["stacked", "loop"])
@pytest.mark.parametrize("block", [VAE, GAN], ids=["vae", "gan"])
def test_empty_cells_train_nothing_and_others_as_ever(backend, block):
    points = points_for(block)
    cells = thirds(points)
    full, holed = build(block, points, backend), build(block, points, backend)
    before = clone(holed.state())
    train(full, points, cells, 20)
    losses = train(holed, points, [cells[0], torch.empty(0, dtype=torch.int64), cells[2]], 20)
    assert losses.isnan().tolist() == [False, True, False]
    for name, tensor in holed.state().items():
        if "shared" not in name:
            assert torch.equal(tensor[1], before[name][1]), name
            torch.testing.assert_close(tensor[[0, 2]], full.state()[name][[0, 2]], rtol=1e-5, atol=1e-5)
    assert train(holed, points, [torch.empty(0, dtype=torch.int64)] * K, 20).isnan().all()


def test_idle_rounds_leave_both_back_ends_alike():
    """A component that sat out a round goes on with the others' count of steps, as one stack can keep only one."""
    points = points_for(VAE)
    cells = thirds(points)
    states = []
    for backend in ("stacked", "loop"):
        ensemble = build(VAE, points, backend)
        train(ensemble, points, [torch.empty(0, dtype=torch.int64), *cells[1:]], 20, (0, "round", 1))
        resumed = build(VAE, points, backend)
        resumed.load(clone(ensemble.state()))
        train(resumed, points, cells, 20, (0, "round", 2))
        states.append(resumed.state())
    assert_close(*states)


def test_one_alive_component_with_shared_layers():
    points = points_for(VAE)
    experiment = make_experiment(training={"shared_layers": 1})
    ensemble = build_components(experiment, (2,), 0)
    empty = torch.empty(0, dtype=torch.int64)
    losses = train(ensemble, points, [empty, thirds(points)[1], empty], 5)
    assert losses.isnan().tolist() == [True, False, True]


def test_no_steps_change_nothing():
    points = points_for(VAE)
    ensemble = build(VAE, points)
    before = clone(ensemble.state())
    costs = train_components(ensemble, points, thirds(points), num_steps=0, batch_size=8, key=(0, "test"))
    assert costs.losses.isnan().all()
    assert (costs.samples_seen, costs.compute) == (0, 0)
    assert_close(ensemble.state(), before)


def test_streams_depend_on_seed_and_name():
    points = points_for(VAE)
    results = []
    for key in ((0, "test"), (0, "test"), (1, "test"), (0, "other")):
        ensemble = build(VAE, points)
        train(ensemble, points, thirds(points), 5, key)
        results.append(ensemble.state()["0.decoder.layers.0.weight"])
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])
    assert not torch.equal(results[0], results[3])


def test_loss_is_the_mean_of_the_last_tenth():
    points = points_for(VAE)
    seen = []
    ensemble = build(VAE, points)
    (_, stack), *_ = ensemble.stacks
    step = stack.step
    stack.step = lambda x, noise: seen.append(step(x, noise)) or seen[-1]
    losses = train(ensemble, points, thirds(points), 40)
    torch.testing.assert_close(losses, torch.stack(seen[-4:]).mean(0))
    assert len(seen) == 40


def test_costs_of_a_mixed_ensemble():
    points = points_for(VAE)
    blocks = [VAE | {"count": 1}, GAN | {"count": 2, "critic_steps": 2}]
    ensemble = build_components(make_experiment(components=blocks, baselines=[]), (2,), 0)
    costs = train_components(ensemble, points, thirds(points), num_steps=5, batch_size=16, key=(0, "test"))
    vae, gans = (stack.num_parameters for _, stack in ensemble.stacks)
    assert costs.samples_seen == 5 * 16 * (1 + 2 * 2)
    assert costs.compute == 5 * 16 * (vae + 2 * gans)  # two critic steps of each GAN


@pytest.mark.parametrize("backend", ["stacked", "loop"])
def test_costs_by_hand(backend):
    points = points_for(GAN)
    block = GAN | {"critic_steps": 2}
    ensemble = build(block, points, backend)
    cells = [torch.arange(9), torch.empty(0, dtype=torch.int64), torch.arange(9, 20)]
    costs = train_components(ensemble, points, cells, num_steps=5, batch_size=8, key=(0, "test"))
    assert costs.samples_seen == 5 * 8 * 2 * 2  # steps, batch, critic steps, components with points
    assert costs.compute == costs.samples_seen * ensemble.num_parameters / K
    discriminators, _ = make_discriminators(points, GAN, backend)
    costs = train_discriminators(discriminators, points, ensemble, num_steps=5, batch_size=8, key=(0, "test"))
    assert costs.samples_seen == 5 * 2 * 8 * K  # a batch of real points and one of samples
    assert costs.compute == costs.samples_seen * discriminators.num_parameters / K


@pytest.mark.parametrize("backend", ["stacked", "loop"])
@pytest.mark.parametrize("block", [VAE, GAN, GAN | {"loss": WASSERSTEIN}], ids=["vae", "gan", "wgan_gp"])
def test_divergence_names_component_and_step(backend, block):
    points = points_for(block)
    wild = block | {"optimizer": ADAM | {"learning_rate": 1e6}}
    ensemble = build(wild, points, backend)
    with pytest.raises(
        TrainingDivergedError, match=r"component \d diverged at step \d+: loss .*lower its learning_rate"
    ):
        train(ensemble, points, thirds(points), 60)


def test_divergence_names_the_number_of_the_component_among_empty_ones():
    points = points_for(VAE)
    ensemble = build(VAE | {"loss_limit": 1e-6}, points)
    empty = torch.empty(0, dtype=torch.int64)
    with pytest.raises(TrainingDivergedError, match=r"component 2 diverged at step 0: loss"):
        train(ensemble, points, [empty, empty, torch.arange(5)])


def make_discriminators(points, components=VAE, backend="stacked", **scoring):
    experiment = make_experiment(components=[components], training={"backend": backend}, scoring=scoring)
    shape = points.shape[1:]
    return build_discriminators(experiment, shape, (0, "round", 1)), build_components(experiment, shape, 0)


def discriminate(discriminators, components, points, num_steps=100):
    """Losses (k,) of a training with small batches."""
    key = (0, "test")
    return train_discriminators(discriminators, points, components, num_steps=num_steps, batch_size=8, key=key).losses


@pytest.mark.parametrize(("network", "components"), [(MLP, VAE), (CONV, CONV_VAE), (MLP, CONV_VAE), (MLP, GAN)])
def test_discriminators_of_both_back_ends_agree(network, components):
    points = points_for(components)
    states, losses = [], []
    for backend in ("stacked", "loop"):
        discriminators, ensemble = make_discriminators(points, components, backend, network=network)
        losses.append(discriminate(discriminators, ensemble, points))
        states.append(discriminators.state())
    torch.testing.assert_close(*losses, rtol=1e-4, atol=1e-5)
    assert_close(*states)


def test_discriminators_one_by_one_against_components_side_by_side():
    """Automatic back-ends on a CPU: convolutional discriminators loop, fully connected components do not."""
    points = points_for(CONV_VAE)
    flat = CONV_VAE | {"encoder": MLP, "decoder": MLP}
    states = []
    for backend in ("auto", "stacked"):
        discriminators, ensemble = make_discriminators(points, flat, backend, network=CONV)
        discriminate(discriminators, ensemble, points, 20)
        states.append(discriminators.state())
    assert_close(*states)


def test_discriminators_tell_points_from_samples_and_leave_components_alone():
    points = points_for(VAE) + 20  # far from what fresh networks sample
    discriminators, components = make_discriminators(points)
    before = clone(components.state())
    losses = discriminate(discriminators, components, points, 200)
    assert (losses < 0.2).all()
    assert_close(components.state(), before)


@pytest.mark.parametrize("scoring", [{}, {"trunk": "shared"}, {"kind": "classifier"}])
def test_divergence_names_the_discriminator(scoring):
    points = points_for(VAE)
    discriminators, components = make_discriminators(points, optimizer=ADAM | {"learning_rate": 1e6}, **scoring)
    with pytest.raises(TrainingDivergedError, match=r"discriminator \d diverged at step \d+") as raised:
        discriminate(discriminators, components, points)
    assert "loss_limit" not in str(raised.value)  # a key that `scoring` has not
