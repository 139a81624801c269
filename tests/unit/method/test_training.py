"""Optimisation loops: both back-ends train the same networks, alone or beside others, and divergence is named."""

import pytest
import torch
from examples import ADAM, BASE, CONV, CONV_GAN, CONV_VAE, GAN, MLP, VAE, make_blobs, make_experiment, make_images

from competitive_mixtures.errors import TrainingDivergedError, UserError
from competitive_mixtures.method import training
from competitive_mixtures.method.training import (
    choose_device,
    chunk_length,
    to_float,
    train_components,
    train_discriminators,
)
from competitive_mixtures.networks.ensemble import build_components, build_discriminators

K = 3
LEARNED = VAE | {"likelihood": {"kind": "gaussian", "variance": "learned", "samples": "draws"}}
BLOCKS = {
    "vae": VAE,
    "learned variance": LEARNED,
    "conv vae": CONV_VAE,
    "gan": GAN,
    "wgan_gp": GAN | {"loss": "wgan_gp", "critic_steps": 2},
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


def train(components, points, cells, num_steps=100, purpose=("test",), **options):
    options = {"batch_size": 8, "seed": 0, "progress": lambda steps: None} | options
    return train_components(components, points, cells, num_steps=num_steps, purpose=purpose, **options)


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


def test_networks_on_a_thread_each_train_the_same():
    points = points_for(CONV_VAE)
    states, before = [], torch.get_num_threads()
    try:
        for threads in (1, K):
            torch.set_num_threads(threads)
            ensemble = build(CONV_VAE, points, "loop")
            train(ensemble, points, thirds(points), 20)
            states.append(ensemble.state())
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())


@pytest.mark.parametrize("backend", ["stacked", "loop"])
def test_chunks_of_draws_are_the_same_for_every_back_end_and_shard(backend, monkeypatch):
    """Where a stream is cut into chunks must not depend on how many networks train side by side."""
    points = points_for(VAE)
    monkeypatch.setattr(training, "CHUNK_BYTES", 7 * 8 * 8 * 16)  # seven steps of one component
    whole = build(VAE, points, backend)
    train(whole, points, thirds(points), 30)
    alone = build(VAE, points, ids=[1])
    train(alone, points, thirds(points)[1:2], 30)
    assert_close(alone.state(), {n: t if "shared" in n else t[1:2] for n, t in whole.state().items()})


@pytest.mark.parametrize("block", [VAE, GAN], ids=["vae", "gan"])
@pytest.mark.parametrize("ids", [[0], [1, 2]])
def test_part_of_a_population_trains_as_the_whole(block, ids):
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
        train(ensemble, points, [torch.empty(0, dtype=torch.int64), *cells[1:]], 20, ("round", 1))
        resumed = build(VAE, points, backend)
        resumed.load(clone(ensemble.state()))
        train(resumed, points, cells, 20, ("round", 2))
        states.append(resumed.state())
    assert_close(*states)


def test_one_alive_component_with_shared_layers():
    points = points_for(VAE)
    experiment = make_experiment(training={"shared_layers": 1})
    ensemble = build_components(experiment, (2,), 0)
    empty = torch.empty(0, dtype=torch.int64)
    losses = train(ensemble, points, [empty, thirds(points)[1], empty], 5)
    assert losses.isnan().tolist() == [True, False, True]


def test_batches_come_from_the_cell():
    points = torch.cat([torch.full((20, 2), float(j)) for j in range(K)])
    ensemble = build(LEARNED, points)
    (ids, stack), *_ = ensemble.stacks
    streams = training.make_generators(0, components=ids)
    cells = thirds(points)
    for x, noise in training.draw_batches(stack, points, cells, streams, 5, 8):
        assert x.shape == (K, 8, 2)
        assert noise.shape == (K, 8, 2)
        assert torch.equal(x, torch.arange(3.0).view(K, 1, 1).expand_as(x))


def test_no_steps_change_nothing():
    points = points_for(VAE)
    ensemble = build(VAE, points)
    before = clone(ensemble.state())
    assert train(ensemble, points, thirds(points), 0).isnan().all()
    assert_close(ensemble.state(), before)


def test_streams_depend_on_seed_and_purpose():
    points = points_for(VAE)
    results = []
    for options in ({}, {}, {"seed": 1}, {"purpose": ("other",)}):
        ensemble = build(VAE, points)
        train(ensemble, points, thirds(points), 5, **options)
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
    told = []
    losses = train(ensemble, points, thirds(points), 40, progress=told.append)
    torch.testing.assert_close(losses, torch.stack(seen[-4:]).mean(0))
    assert sum(told) == 40


@pytest.mark.parametrize("backend", ["stacked", "loop"])
@pytest.mark.parametrize("block", [VAE, GAN, GAN | {"loss": "wgan_gp"}], ids=["vae", "gan", "wgan_gp"])
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
    experiment = make_experiment(
        components=[components], training={"backend": backend}, scoring=BASE["scoring"] | scoring
    )
    shape = points.shape[1:]
    return build_discriminators(experiment, shape, 0, "round", 1), build_components(experiment, shape, 0)


def train_discriminators_of(discriminators, components, points, num_steps=100):
    return train_discriminators(
        discriminators,
        components,
        points,
        num_steps=num_steps,
        batch_size=8,
        seed=0,
        purpose=("test",),
        progress=lambda steps: None,
    )


@pytest.mark.parametrize(("network", "components"), [(MLP, VAE), (CONV, CONV_VAE), (MLP, CONV_VAE), (MLP, GAN)])
def test_discriminators_of_both_back_ends_agree(network, components):
    points = points_for(components)
    states, losses = [], []
    for backend in ("stacked", "loop"):
        discriminators, ensemble = make_discriminators(points, components, backend, network=network)
        losses.append(train_discriminators_of(discriminators, ensemble, points))
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
        train_discriminators_of(discriminators, ensemble, points, 20)
        states.append(discriminators.state())
    assert_close(*states)


def test_discriminators_tell_points_from_samples_and_leave_components_alone():
    points = points_for(VAE) + 20  # far from what fresh networks sample
    discriminators, components = make_discriminators(points)
    before = clone(components.state())
    losses = train_discriminators_of(discriminators, components, points, 200)
    assert (losses < 0.2).all()
    assert_close(components.state(), before)


@pytest.mark.parametrize("scoring", [{}, {"trunk": "shared"}, {"kind": "classifier"}])
def test_divergence_names_the_discriminator(scoring):
    points = points_for(VAE)
    discriminators, components = make_discriminators(points, optimizer=ADAM | {"learning_rate": 1e6}, **scoring)
    with pytest.raises(TrainingDivergedError, match=r"discriminator \d diverged at step \d+"):
        train_discriminators_of(discriminators, components, points)


def test_to_float_scales_images_and_keeps_vectors():
    images = torch.tensor([0, 51, 255], dtype=torch.uint8)
    torch.testing.assert_close(to_float(images), torch.tensor([0.0, 0.2, 1.0]))
    vectors = torch.tensor([3.0, -1.0])
    assert to_float(vectors) is vectors


def test_chunk_length():
    assert chunk_length(10, 1, limit=1000) == 10
    assert chunk_length(10_000, 1, limit=10_000) == training.MAX_CHUNK
    assert chunk_length(100, 250, limit=1000) == 4
    assert chunk_length(100, 10_000, limit=1000) == 1
    assert chunk_length(100, 0, limit=1000) == 100


def test_device():
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_said_so():
    with pytest.raises(UserError, match=r"device: cuda.*auto or cpu"):
        choose_device("cuda")
