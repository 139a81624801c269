"""What every job starts from: data in the networks' units, components, costs."""

import time

import numpy as np
import pytest
import torch
from examples import CONV_VAE, GAN, GAUSSIAN, VAE, change, make_blobs, make_experiment, make_images
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from competitive_mixtures.data import Dataset
from competitive_mixtures.errors import UserError
from competitive_mixtures.method import run as runs
from competitive_mixtures.method.run import Clock, Run, Scale, check_sizes
from competitive_mixtures.networks.ensemble import Ensemble

K = 3
# encoder 2-8-4, decoder 2-8-2; generator 2-8-2, critic 2-8-1
VAE_PARAMETERS = 2 * 8 + 8 + 8 * 4 + 4 + 2 * 8 + 8 + 8 * 2 + 2
GAN_PARAMETERS = 2 * 8 + 8 + 8 * 2 + 2 + 2 * 8 + 8 + 8 + 1


def thirds(run):
    return list(torch.arange(len(run.train)).tensor_split(K))


class TestScale:
    @given(
        arrays(
            np.float32,
            st.tuples(st.integers(2, 30), st.integers(1, 4)),
            elements=st.floats(-1e4, 1e4, width=32),
        )
    )
    def test_there_and_back(self, points):
        scale = Scale.fit(points)
        np.testing.assert_allclose(scale.invert(scale.apply(points).numpy()), points, rtol=1e-4, atol=1e-2)

    def test_one_deviation_for_all_axes(self):
        points = np.random.default_rng(0).normal([5, -3], [1, 10], (5000, 2)).astype(np.float32)
        scaled = Scale.fit(points).apply(points)
        torch.testing.assert_close(scaled.mean(0), torch.zeros(2), atol=1e-4, rtol=0)
        assert scaled.square().mean().item() == pytest.approx(1, rel=1e-4)
        assert (scaled[:, 1].std() / scaled[:, 0].std()).item() == pytest.approx(10, rel=0.1)
        assert scaled.dtype == torch.float32

    def test_identical_points_are_only_moved(self):
        points = np.full((4, 2), 7, dtype=np.float32)
        assert Scale.fit(points).apply(points).abs().max() == 0

    def test_images_stay_as_they_are(self):
        images = make_images().train
        assert np.array_equal(Scale().apply(images).numpy(), images)


def test_run_standardizes_vectors_by_the_training_points_only():
    dataset = make_blobs()
    run = Run(make_experiment(), dataset, 0)
    deviation = np.sqrt(dataset.train.var(axis=0).mean())
    assert run.scale.unit == pytest.approx(deviation, rel=1e-5)
    np.testing.assert_allclose(run.test, (dataset.test - dataset.train.mean(0)) / deviation, rtol=1e-4, atol=1e-5)
    plain = Run(make_experiment(training={"standardize": "none"}), dataset, 0)
    assert np.array_equal(plain.train.numpy(), dataset.train)


def test_fixed_variance_keeps_its_unit_when_points_are_standardized():
    run = Run(make_experiment(components=[change(VAE, likelihood={"variance": 0.5})]), make_blobs(), 0)
    ((_, stack),) = run.build_components().stacks
    torch.testing.assert_close(stack.variance * run.scale.unit**2, torch.full((K,), 0.5))


def test_images_are_never_standardized():
    run = Run(make_experiment(components=[CONV_VAE]), make_images(), 0)
    assert run.train.dtype == torch.uint8
    assert run.scale == Scale()


def test_a_run_with_another_experiment_shares_the_points_and_has_a_clock_of_its_own():
    run = Run(make_experiment(), make_blobs(), 3)
    other = run.with_experiment(make_experiment(components=[VAE | {"count": 1}]))
    assert other.train is run.train
    assert (other.scale, other.seed) == (run.scale, 3)
    assert (other.experiment.num_components, run.experiment.num_components) == (1, K)
    with other.clock.time("train"):
        pass
    assert "train" not in run.clock.seconds


def test_kinds_number_the_blocks():
    blocks = [VAE | {"count": 1}, GAN | {"count": 2}]
    assert Run(make_experiment(components=blocks, baselines=[]), make_blobs(), 0).kinds == [0, 1, 1]


def test_samples_are_in_the_datas_units():
    block = change(VAE, likelihood=GAUSSIAN | {"samples": "draws"})
    dataset = make_blobs()
    far = Dataset(**{**dataset.__dict__, "train": dataset.train + 1000})
    run = Run(make_experiment(components=[block]), far, 0)
    samples = run.draw_snapshots(run.build_components(), "test")
    assert samples.shape == (K, 256, 2)
    assert samples.dtype == np.float32
    assert abs(samples.mean() - 1000) < 20


def test_many_samples_are_drawn_in_batches(monkeypatch):
    monkeypatch.setattr(runs, "SAMPLING_BATCH", 4)
    run = Run(make_experiment(), make_blobs(), 0)
    components = run.build_components()
    samples = run.draw_samples(components, 10, "test")
    assert samples.shape == (K, 10, 2)
    assert np.array_equal(samples[:, :4], run.draw_samples(components, 4, "test"))
    assert len(np.unique(samples.reshape(-1, 2), axis=0)) == 10 * K


@pytest.mark.parametrize("backend", ["stacked", "loop"])
def test_a_mixture_draws_no_sample_that_it_does_not_keep(backend, monkeypatch):
    monkeypatch.setattr(runs, "SAMPLING_BATCH", 7)
    run = Run(make_experiment(training={"backend": backend}), make_blobs(), 0)
    components = run.build_components()
    drawn = []
    sample = Ensemble.sample
    monkeypatch.setattr(
        Ensemble, "sample", lambda self, ids, streams, n: drawn.extend([*ids] * n) or sample(self, ids, streams, n)
    )
    samples, owners = run.draw_mixture(components, [0.9, 0.0, 0.1], 40, "test")
    assert np.array_equal(np.bincount(drawn, minlength=K), np.bincount(owners, minlength=K))
    assert samples.shape == (40, 2)
    assert samples.dtype == np.float32


@pytest.mark.parametrize("make", [make_blobs, make_images])
def test_a_components_samples_do_not_depend_on_how_many_the_others_draw(make, monkeypatch):
    monkeypatch.setattr(runs, "SAMPLING_BATCH", 7)
    dataset = make()
    block = CONV_VAE if dataset.kind == "image" else VAE
    run = Run(make_experiment(components=[block], training={"standardize": "none"}), dataset, 0)
    components = run.build_components()
    each = run.draw_samples(components, 40, "test")
    for weights in ([1, 1, 1], [0.9, 0, 0.1]):
        samples, owners = run.draw_mixture(components, weights, 40, "test")
        for j in range(K):  # whole batches: the last one has other noise
            own = samples[owners == j]
            whole, atol = len(own) // 7 * 7, 1 if dataset.kind == "image" else 1e-5
            np.testing.assert_allclose(own[:whole].astype(float), each[j, :whole].astype(float), rtol=1e-4, atol=atol)


def test_samples_of_images_are_uint8():
    run = Run(make_experiment(components=[CONV_VAE]), make_images(), 0)
    samples = run.draw_snapshots(run.build_components(), "test")
    assert samples.shape == (K, 16, 1, 8, 8)
    assert samples.dtype == np.uint8


def test_gaussian_draws_of_images_do_not_wrap_around():
    block = CONV_VAE | {"likelihood": GAUSSIAN | {"samples": "draws", "variance": 100.0}}
    run = Run(make_experiment(components=[block]), make_images(), 0)
    samples = run.draw_samples(run.build_components(), 50, "test")
    assert {0, 255} <= set(np.unique(samples))  # most draws lie outside of [0, 1]
    assert np.isin(samples, [0, 255]).mean() > 0.8


BERNOULLI = VAE | {"likelihood": {"kind": "bernoulli"}}


def unit_square(**arrays_by_name):
    dataset = make_blobs()
    return Dataset(**{**dataset.__dict__, "train": (dataset.train - dataset.train.min()) / 100, **arrays_by_name})


def test_bernoulli_likelihood_takes_points_in_the_unit_cube():
    experiment = make_experiment(components=[BERNOULLI], training={"standardize": "none"})
    Run(experiment, unit_square(), 0)


@pytest.mark.parametrize("standardize", ["none", "data"])
def test_bernoulli_likelihood_refuses_other_points(standardize):
    experiment = make_experiment(components=[BERNOULLI], training={"standardize": standardize})
    with pytest.raises(UserError, match=r"components.likelihood.kind: bernoulli needs points in \[0, 1\]"):
        Run(experiment, unit_square() if standardize == "data" else make_blobs(), 0)


def test_clock_adds_up_phases(monkeypatch):
    monkeypatch.setattr(time, "perf_counter", iter([0.0, 1.0, 5.0, 7.5, 8.0, 9.0]).__next__)
    clock = Clock()
    for phase in ("train", "train", "score"):
        with clock.time(phase):
            pass
    assert clock.seconds == {"train": 3.5, "score": 1.0}


class TestSizes:
    """Of the tiny experiment: 3 neighbours, and true samples in the ratio 60 to 20."""

    @pytest.mark.parametrize(("num_train", "num_test"), [(6, 4), (120, 40)])
    def test_enough(self, num_train, num_test):
        check_sizes(make_experiment(), make_blobs(num_train, num_test))

    @pytest.mark.parametrize(
        ("num_train", "num_test", "message"),
        [(5, 4, "blobs: 5 training points are too few"), (6, 3, "blobs: 3 test points are too few.*at least 4")],
    )
    def test_too_few(self, num_train, num_test, message):
        with pytest.raises(UserError, match=message):
            check_sizes(make_experiment(), make_blobs(num_train, num_test))

    def test_images_are_more_than_the_features_of_their_distance(self):
        experiment = make_experiment(evaluation={"num_samples": 100, "fid_features": 64})
        check_sizes(experiment, make_images(2, 65))
        with pytest.raises(UserError, match=r"64 test images are too few for evaluation.fid_features = 64"):
            check_sizes(experiment, make_images(2, 64))

    def test_images_need_no_bandwidth(self):
        check_sizes(make_experiment(), make_images(2, 4))
