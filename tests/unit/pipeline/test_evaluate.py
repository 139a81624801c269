"""The scores of a tiny run: what every model is scored by, and what is recomputed from its files."""

import csv

import numpy as np
import pytest
from examples import BASE, CONV_VAE, VAE, change, make_blobs, make_experiment, make_images, play
from scipy import stats

from competitive_mixtures.data import Dataset
from competitive_mixtures.errors import UserError
from competitive_mixtures.evaluation.clustering import compare_partitions
from competitive_mixtures.files.folders import RunFolder
from competitive_mixtures.files.formats import read_json, read_table
from competitive_mixtures.method import baselines
from competitive_mixtures.method.run import Run
from competitive_mixtures.pipeline import evaluate as scores
from competitive_mixtures.pipeline.classifier import fit_classifier

NAMES = BASE["baselines"]
MODELS = {("data", "-"), ("competitive", "-")} | {(name, p) for name in NAMES for p in ("paper", "equal_compute")}
COSTS = {"train_time_s", "samples_seen", "compute", "num_parameters"}
VECTOR = {"log_likelihood", "coverage", "precision", "recall"}


def score_run(experiment, dataset, folder, **options):
    """Play a run with its baselines and score it; gives the table as {(model, protocol): {(metric, split): value}}."""
    last = play(experiment, dataset, folder, rounds=1)
    for name in experiment.baselines:
        run = Run(experiment, dataset, 0)
        baselines.train_baseline(run, name, 1, last, folder / "baselines" / name)
    scores.evaluate(Run(experiment, dataset, 0), folder, 1, folder / "evaluation", **options)
    table = {}
    with (folder / "evaluation/scores.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            values = table.setdefault((row["model"], row["protocol"]), {})
            assert (row["metric"], row["split"]) not in values
            values[row["metric"], row["split"]] = float(row["value"])
    return table


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scored")
    return folder, score_run(make_experiment(), make_blobs(), folder)


class TestVectors:
    def test_every_model_has_its_rows(self, scored):
        _, table = scored
        assert table.keys() == MODELS
        for (model, _), values in table.items():
            found = {metric for metric, split in values if split == "test"}
            assert found >= VECTOR
            assert ("log_likelihood_draft" in found) == (model == "competitive")
            metrics = {metric for metric, split in values if split == "train"}
            assert (metrics >= COSTS) == (model != "data")
            agreement = {"purity", "nmi", "ari", "accuracy"}
            assert (metrics >= agreement) == (model in ("competitive", "kmeans"))
            assert all(np.isfinite(list(values.values())))

    def test_costs_are_those_of_the_files(self, scored):
        folder, table = scored
        record = read_json(folder / "rounds/1/metrics.json")
        row = table["competitive", "-"]
        for name in ("samples_seen", "compute", "objective", "objective_test"):
            assert row[name, "train"] == pytest.approx(record[name])
        seconds = [
            read_json(folder / step / "metrics.json")["seconds"] for step in ("pretrain", "rounds/0", "rounds/1")
        ]
        spent = sum(s for r in seconds for phase, s in r.items() if phase not in ("load", "write"))
        assert row["train_time_s", "train"] == pytest.approx(spent)
        for name in NAMES:
            for protocol, record in read_json(folder / f"baselines/{name}/metrics.json")["protocols"].items():
                for cost in COSTS:
                    assert table[name, protocol][cost, "train"] == pytest.approx(record[cost])

    def test_a_gaussian_mixture_is_scored_like_every_model(self, tmp_path):
        table = score_run(make_experiment(baselines=["gaussian_mixture"]), make_blobs(), tmp_path)
        assert table.keys() == {("data", "-"), ("competitive", "-"), ("gaussian_mixture", "-")}
        row = table["gaussian_mixture", "-"]
        assert row["accuracy", "train"] == 1
        assert row["log_likelihood", "test"] == pytest.approx(table["data", "-"]["log_likelihood", "test"], abs=0.5)

    def test_a_tuned_baseline_says_what_was_chosen(self, tmp_path):
        tuning = {"rates": [1.0, 2.0], "looks": 1, "held_out": 0.2}
        table = score_run(make_experiment(baselines=["single"], tuning=tuning), make_blobs(), tmp_path)
        row = table["single", "paper"]
        assert row["rate", "train"] in tuning["rates"]
        assert 0 < row["num_steps", "train"] <= 20
        assert row["held_out_gain", "train"] >= 0

    def test_all_of_the_compute_has_scoring_in_it(self, scored):
        folder, table = scored
        record = read_json(folder / "rounds/1/metrics.json")
        expected = record["compute"] + record["forward_compute"] / 3
        assert table["competitive", "-"]["compute_all", "train"] == pytest.approx(expected)
        assert table["single", "paper"]["compute_all", "train"] == table["single", "paper"]["compute", "train"]

    def test_agreement_is_that_of_the_last_table(self, scored):
        folder, table = scored
        winner = read_table(folder / "rounds/1/assignments.parquet")["component"]
        for metric, value in compare_partitions(winner, make_blobs().train_labels).items():
            assert table["competitive", "-"][metric, "train"] == pytest.approx(value)

    def test_kept_samples(self, scored):
        folder, _ = scored
        with np.load(folder / "evaluation/samples.npz") as kept:
            assert {tuple(name.split(".")[:2]) for name in kept} == MODELS
            for model, protocol in MODELS:
                samples, owners = kept[f"{model}.{protocol}"], kept[f"{model}.{protocol}.component"]
                assert samples.shape == (80, 2)
                assert samples.dtype == np.float32
                assert owners.shape == (80,)
                assert owners.dtype == np.int16

    def test_true_samples_are_training_points_with_their_labels(self, scored):
        folder, _ = scored
        dataset = make_blobs()
        with np.load(folder / "evaluation/samples.npz") as kept:
            samples, owners = kept["data.-"], kept["data.-.component"]
        rows = (dataset.train[None] == samples[:, None]).all(axis=2).argmax(axis=1)
        assert np.array_equal(dataset.train[rows], samples)
        assert np.array_equal(dataset.train_labels[rows], owners)
        assert len(set(rows)) == len(rows)

    def test_the_same_seed_gives_the_same_scores(self, scored, tmp_path):
        folder, _ = scored
        scores.evaluate(Run(make_experiment(), make_blobs(), 0), folder, 1, tmp_path)
        for name in ("scores.csv", "samples.npz"):
            assert (tmp_path / name).read_bytes() == (folder / "evaluation" / name).read_bytes()


class TestMixture:
    def test_components_come_by_their_weights_and_samples_from_their_components(self):
        experiment = make_experiment(evaluation={"num_samples": 3000, "num_bandwidth_samples": 1000})
        run = Run(experiment, make_blobs(), 0)
        components = run.build_components()
        mixture = scores.draw_mixture(run, components, [0.7, 0.0, 0.3], "competitive", "-", {})
        shares = np.bincount(mixture.components, minlength=3) / 4000
        np.testing.assert_allclose(shares, [0.7, 0, 0.3], atol=0.03)
        each = run.draw_samples(components, 4000, "test")
        for j in (0, 2):
            own = mixture.samples[mixture.components == j]
            assert stats.ks_2samp(own[:, 0], each[j, :, 0]).pvalue > 1e-3
        assert len(np.unique(mixture.samples, axis=0)) > 3900  # none is used twice; dead units make a few alike

    def test_true_samples_score_better_than_fresh_networks(self):
        dataset = make_blobs(num_train=300)
        run = Run(make_experiment(evaluation={"num_samples": 200}), dataset, 0)
        true = scores.VectorScorer(run)(scores.draw_data(run, dataset))
        weights = [1 / 3] * 3
        fresh = scores.VectorScorer(run)(scores.draw_mixture(run, run.build_components(), weights, "m", "-", {}))
        assert true["log_likelihood"] > fresh["log_likelihood"] + 1
        assert true["precision"] > 0.8
        assert true["recall"] > 0.8

    def test_the_reference_is_of_all_parts_however_the_test_points_are_sorted(self):
        """Own data are stored in the order of their files, which is that of their labels as often as not."""
        dataset = make_blobs(num_train=300, num_test=300)
        by_label = Dataset(**{**dataset.__dict__, "test": dataset.test[np.argsort(dataset.test_labels, kind="stable")]})
        run = Run(make_experiment(evaluation={"num_samples": 100}), by_label, 0)
        true = scores.VectorScorer(run)(scores.draw_data(run, by_label))
        assert true["precision"] > 0.8
        assert true["recall"] > 0.8

    def test_metrics_of_synthetic_data(self):
        blobs = make_blobs()
        known = Dataset(**{**blobs.__dict__, "meta": {"log_likelihood_bound": -2.5, "log_likelihood_test": -2.6}})
        assert scores.draw_data(Run(make_experiment(), known, 0), known).metrics == {
            "negative_entropy": -2.5,
            "log_density": -2.6,
        }


class TestOddData:
    def test_without_labels(self, tmp_path):
        table = score_run(make_experiment(baselines=["kmeans"]), make_blobs(labels=False), tmp_path)
        assert not any(metric == "purity" for values in table.values() for metric, _ in values)

    def test_test_points_far_fewer_than_samples(self, tmp_path):
        table = score_run(make_experiment(baselines=[]), make_blobs(num_test=5), tmp_path)
        assert all(np.isfinite(list(values.values())).all() for values in table.values())

    def test_as_few_training_points_as_samples_that_choose_the_bandwidth(self, tmp_path):
        """True samples are then fewer than asked for and split in the same proportion."""
        table = score_run(make_experiment(baselines=[]), make_blobs(num_train=20), tmp_path)
        assert np.isfinite(table["data", "-"]["log_likelihood", "test"])

    def test_fewer_test_points_than_neighbours(self, tmp_path):
        with pytest.raises(UserError, match="N >= 4"):
            score_run(make_experiment(baselines=[]), make_blobs(num_test=2), tmp_path)

    def test_a_component_that_owns_nothing(self, tmp_path):
        changes = {"balancing": {"min_share": 0.0}, "components": [VAE | {"count": 6}]}
        table = score_run(make_experiment(**changes, baselines=["bagging"]), make_blobs(num_train=12), tmp_path)
        assert np.isfinite(table["competitive", "-"]["log_likelihood", "test"])


class TestImages:
    experiment = make_experiment(
        components=[CONV_VAE | {"count": 2}], baselines=["single"], evaluation={"num_samples": 30}
    )

    def test_without_a_classifier_only_costs_are_told(self, tmp_path):
        table = score_run(self.experiment, make_images(), tmp_path)
        assert {metric for metric, _ in table["competitive", "-"]} >= COSTS
        assert not any(split == "test" for values in table.values() for _, split in values)
        with np.load(tmp_path / "evaluation/samples.npz") as kept:
            assert kept["competitive.-"].shape == (50, 1, 8, 8)
            assert kept["competitive.-"].dtype == np.uint8

    def test_a_classifier_of_data_without_labels(self, tmp_path):
        images = make_images()
        plain = Dataset(**{**images.__dict__, "train_labels": None, "test_labels": None})
        with pytest.raises(UserError, match="data set halves: has no labels"):
            fit_classifier(plain, 0, tmp_path)


class TestErrors:
    def test_a_run_that_is_not_finished(self, tmp_path):
        play(make_experiment(), make_blobs(), tmp_path, rounds=0)
        run = Run(make_experiment(), make_blobs(), 0)
        with pytest.raises(UserError, match=r"rounds/1/metrics.json: not found"):
            scores.evaluate(run, tmp_path, 1, tmp_path / "evaluation")
        with pytest.raises(UserError, match=r"baselines/single/state.safetensors: not found"):
            scores.evaluate(run, tmp_path, 0, tmp_path / "evaluation")
        assert not (tmp_path / "evaluation").exists()

    def test_a_state_of_other_settings(self, tmp_path):
        play(make_experiment(), make_blobs(), tmp_path, rounds=0)
        wide = make_experiment(components=[change(VAE, decoder={"hidden": [9]})])
        with pytest.raises(UserError, match="written with other settings"):
            scores.evaluate(Run(wide, make_blobs(), 0), tmp_path, 0, tmp_path / "evaluation")


def test_seconds_leave_loading_and_writing_out(tmp_path):
    play(make_experiment(), make_blobs(), tmp_path, rounds=0)
    total = sum(
        seconds
        for step in ("pretrain", "rounds/0")
        for phase, seconds in read_json(tmp_path / step / "metrics.json")["seconds"].items()
        if phase in ("train", "discriminate", "score", "assign")
    )
    assert scores.sum_seconds(RunFolder(tmp_path), 0) == pytest.approx(total)
