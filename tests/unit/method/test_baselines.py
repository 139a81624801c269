"""Baselines: their models, their partitions, and compute that equals the competition's."""

import numpy as np
import pytest
import torch
from examples import BASE, CONV_VAE, GAN, VAE, make_blobs, make_experiment, make_images, play

from competitive_mixtures.errors import UserError
from competitive_mixtures.evaluation.clustering import compare_partitions
from competitive_mixtures.files.formats import read_json, read_tensors, write_json
from competitive_mixtures.method import baselines
from competitive_mixtures.method.run import Run
from competitive_mixtures.method.training import train_components

VAE_PARAMETERS = 2 * 8 + 8 + 8 * 4 + 4 + 2 * 8 + 8 + 8 * 2 + 2
NAMES = BASE["baselines"]
AUTOENCODER = {
    "kind": "autoencoder",
    "latent_dim": 3,
    "encoder": {"kind": "mlp", "hidden": [16]},
    "decoder": {"kind": "mlp", "hidden": [16]},
    "optimizer": {"learning_rate": 3.0e-3, "beta1": 0.9, "beta2": 0.999},
    "batch_size": 16,
    "steps": 60,
    "loss_limit": 1.0e6,
}


def open_baseline(name, experiment=None, dataset=None, seed=0):
    experiment = make_experiment() if experiment is None else experiment
    return Run(baselines.reshape_experiment(experiment, name), dataset or make_blobs(), seed)


def train_baseline(name, competition, out):
    baselines.train_baseline(Run(make_experiment(), make_blobs(), 0), name, 1, competition, out)


class TestReshape:
    def test_number_and_width_of_the_models(self):
        shapes = {}
        for name in NAMES:
            (component,) = baselines.reshape_experiment(make_experiment(), name).components
            shapes[name] = (component.count, component.encoder.hidden, component.decoder.hidden)
        assert shapes == {
            "single": (1, [8], [8]),
            "single_wide": (1, [24], [24]),
            "bagging": (3, [8], [8]),
            "kmeans": (3, [8], [8]),
        }

    def test_all_networks_of_a_gan_and_all_channels_are_widened(self):
        (gan,) = baselines.reshape_experiment(make_experiment(components=[GAN]), "single_wide").components
        assert (gan.generator.hidden, gan.critic.hidden) == ([24], [24])
        (vae,) = baselines.reshape_experiment(make_experiment(components=[CONV_VAE]), "single_wide").components
        assert (vae.encoder.channels, vae.decoder.channels) == ([12, 18], [18, 12])

    def test_one_job_trains_a_baseline(self):
        assert baselines.reshape_experiment(make_experiment(shards=3), "single").shards == 1

    @pytest.mark.parametrize("name", ["double", "", "Single"])
    def test_unknown_names_are_refused(self, name):
        with pytest.raises(UserError, match=r"expected one of .*bagging"):
            baselines.reshape_experiment(make_experiment(), name)

    def test_a_mixed_competition_has_none(self):
        mixed = make_experiment(components=[VAE, GAN], baselines=[])
        with pytest.raises(UserError, match="components of one kind"):
            baselines.reshape_experiment(mixed, "single")


class TestPartition:
    points = torch.from_numpy(make_blobs().train)

    @pytest.mark.parametrize("name", ["single", "single_wide"])
    def test_one_model_takes_all(self, name):
        assert set(baselines.partition(self.points, name, 1, 0)) == {0}

    def test_a_baseline_of_several_models_brings_a_partition(self):
        with pytest.raises(ValueError, match="'ensemble' has no partition"):
            baselines.partition(self.points, "ensemble", 3, 0)

    def test_bags_are_equal_and_random(self):
        parts = baselines.partition(self.points, "bagging", 3, 0)
        assert np.bincount(parts).tolist() == [40, 40, 40]
        assert compare_partitions(parts, make_blobs().train_labels)["nmi"] < 0.1

    def test_kmeans_finds_clusters(self):
        parts = baselines.partition(self.points, "kmeans", 3, 0)
        assert compare_partitions(parts, make_blobs().train_labels)["accuracy"] == 1
        assert parts.dtype == np.int16

    @pytest.mark.parametrize("name", ["bagging", "kmeans"])
    def test_partitions_depend_on_the_seed_alone(self, name):
        first, again = (baselines.partition(self.points, name, 3, 5) for _ in range(2))
        assert np.array_equal(first, again)

    def test_kmeans_of_images_uses_intensities(self):
        images = torch.zeros(10, 1, 4, 4, dtype=torch.uint8)
        images[5:] = 255
        parts = baselines.partition(images, "kmeans", 2, 0)
        assert len(set(parts[:5])) == len(set(parts[5:])) == 1
        assert parts[0] != parts[9]

    def test_kmeans_of_fewer_distinct_points_than_models_leaves_some_empty(self):
        points = torch.tensor([[0.0, 0.0], [1.0, 1.0]]).repeat(5, 1)
        parts = baselines.partition(points, "kmeans", 3, 0)
        assert len(set(parts)) == 2


class TestSteps:
    @pytest.mark.parametrize(("name", "models", "width"), [("single", 1, 8), ("single_wide", 1, 24), ("kmeans", 3, 8)])
    def test_by_hand(self, name, models, width):
        run = open_baseline(name)
        parameters = 2 * width + width + 4 * width + 4 + 2 * width + width + 2 * width + 2
        steps = baselines.plan_steps(run.experiment, run.build_components(), 4, 1e6)
        assert steps == {"paper": 10 + 4 * 10, "equal_compute": round(1e6 / (16 * models * parameters))}

    def test_of_a_gan_by_hand(self):
        experiment = make_experiment(components=[GAN | {"critic_steps": 2}])
        run = open_baseline("single", experiment)
        components = run.build_components()
        steps = baselines.plan_steps(run.experiment, components, 1, 1e6)
        assert steps["equal_compute"] == round(1e6 / (2 * 16 * components.num_parameters))

    def test_at_least_one(self):
        run = open_baseline("single")
        assert baselines.plan_steps(run.experiment, run.build_components(), 1, 0.0)["equal_compute"] == 1

    def test_all_compute_has_forward_passes_at_a_third(self):
        record = {"compute": 100.0, "forward_compute": 30.0}
        assert baselines.count_compute(record, "training") == 100
        assert baselines.count_compute(record, "all") == pytest.approx(110)


@pytest.fixture(scope="module")
def competition(tmp_path_factory):
    folder = tmp_path_factory.mktemp("competition")
    return play(make_experiment(), make_blobs(), folder, rounds=1)


class TestTraining:
    @pytest.mark.parametrize("name", NAMES)
    def test_equal_compute_is_the_competitions(self, name, competition, tmp_path):
        train_baseline(name, competition, tmp_path)
        target = read_json(competition / "metrics.json")["compute"]
        protocols = read_json(tmp_path / "metrics.json")["protocols"]
        models = open_baseline(name).experiment.num_components
        per_step = 16 * protocols["paper"]["num_parameters"]
        assert protocols["equal_compute"]["compute"] == pytest.approx(target, abs=per_step / 2)
        for record in protocols.values():
            assert record["samples_seen"] == record["num_steps"] * 16 * models
            assert record["compute"] == record["num_steps"] * per_step
            assert sum(record["weights"]) == pytest.approx(1)
            assert record["train_time_s"] >= 0
        assert protocols["paper"]["num_steps"] == 20
        times = [
            record["train_time_s"] for record in sorted(protocols.values(), key=lambda record: record["num_steps"])
        ]
        assert times == sorted(times)

    def test_the_shorter_protocol_is_a_stage_of_the_longer(self, competition, tmp_path):
        """Its weights are those of a training that stops there."""
        train_baseline("single", competition, tmp_path)
        tensors = read_tensors(tmp_path / "state.safetensors")
        steps = {name: r["num_steps"] for name, r in read_json(tmp_path / "metrics.json")["protocols"].items()}
        assert steps["paper"] < steps["equal_compute"]
        again = open_baseline("single")
        components = again.build_components()
        key = (0, "baseline", "single", 0)
        cells = [torch.arange(120)]
        train_components(components, again.train, cells, num_steps=steps["paper"], batch_size=16, key=key)
        for name, tensor in components.weights().items():
            assert torch.equal(tensors[f"paper.{name}"], tensor)
        assert not any("adam" in name for name in tensors)

    def test_weights_come_back(self, competition, tmp_path):
        train_baseline("bagging", competition, tmp_path)
        tensors = read_tensors(tmp_path / "state.safetensors")
        components = open_baseline("bagging").build_components()
        stored = {name.removeprefix("paper."): t for name, t in tensors.items() if name.startswith("paper.")}
        components.load_weights(stored)
        for name, tensor in components.weights().items():
            assert torch.equal(tensor, stored[name])

    def test_equal_step_counts(self, competition, tmp_path):
        write_json(tmp_path / "last/metrics.json", {"compute": 20 * 16 * VAE_PARAMETERS})
        train_baseline("single", tmp_path / "last", tmp_path)
        protocols = read_json(tmp_path / "metrics.json")["protocols"]
        assert protocols["paper"]["num_steps"] == protocols["equal_compute"]["num_steps"] == 20
        assert protocols["paper"]["compute"] == protocols["equal_compute"]["compute"]

    def test_equal_compute_may_count_scoring_and_sampling(self, competition, tmp_path):
        experiment = make_experiment(equal_compute="all")
        baselines.train_baseline(Run(experiment, make_blobs(), 0), "single", 1, competition, tmp_path)
        record = read_json(competition / "metrics.json")
        protocol = read_json(tmp_path / "metrics.json")["protocols"]["equal_compute"]
        expected = record["compute"] + record["forward_compute"] / 3
        assert protocol["compute"] == pytest.approx(expected, abs=16 * VAE_PARAMETERS / 2)


class TestGaussianMixture:
    def test_it_finds_blobs_and_takes_no_steps_of_networks(self, competition, tmp_path):
        train_baseline("gaussian_mixture", competition, tmp_path)
        protocols = read_json(tmp_path / "metrics.json")["protocols"]
        assert protocols.keys() == {"-"}
        tensors = read_tensors(tmp_path / "state.safetensors")
        assert compare_partitions(tensors["assignment"].numpy(), make_blobs().train_labels)["accuracy"] == 1
        assert protocols["-"]["num_parameters"] == 2 + 3 * 2 + 3 * 3
        assert sorted(protocols["-"]["weights"]) == pytest.approx(sorted(np.bincount(make_blobs().train_labels) / 120))


class TestAutoencoderKmeans:
    def test_its_autoencoder_is_part_of_its_compute(self, tmp_path):
        changes = {"components": [CONV_VAE], "baselines": ["autoencoder_kmeans"], "autoencoder": AUTOENCODER}
        experiment = make_experiment(**changes)
        write_json(tmp_path / "last/metrics.json", {"compute": 1.0, "forward_compute": 0.0})
        run = Run(experiment, make_images(), 0)
        baselines.train_baseline(run, "autoencoder_kmeans", 1, tmp_path / "last", tmp_path)
        protocols = read_json(tmp_path / "metrics.json")["protocols"]
        assert protocols.keys() == {"paper"}
        weights = 64 * 16 + 16 + 16 * 3 + 3 + 3 * 16 + 16 + 16 * 64 + 64
        record = protocols["paper"]
        trained = [n for n in record["weights"] if n]
        assert record["samples_seen"] == 60 * 16 + 20 * 16 * len(trained)
        assert record["compute"] > 60 * 16 * weights
        parts = read_tensors(tmp_path / "state.safetensors")["assignment"].numpy()
        assert compare_partitions(parts, make_images().train_labels)["purity"] == 1

    def test_vectors_have_none(self, tmp_path):
        experiment = make_experiment(baselines=["autoencoder_kmeans"], autoencoder=AUTOENCODER)
        write_json(tmp_path / "last/metrics.json", {"compute": 1.0, "forward_compute": 0.0})
        run = Run(experiment, make_blobs(), 0)
        with pytest.raises(UserError, match="expected images"):
            baselines.train_baseline(run, "autoencoder_kmeans", 1, tmp_path / "last", tmp_path)
